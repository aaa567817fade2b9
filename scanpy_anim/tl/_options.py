"""How to propagate: every argument checked once, at the door."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from typing import Any, Literal

from scanpy_anim._checks import choice, is_whole, number, switch, whole

Clamp = Literal["soft", "hard"]
Normalization = Literal["symmetric", "random_walk", "pagerank"]
Method = Literal["iterative", "direct"]
History = Literal["scores", "labels"]

# numpy counts no further
_MOST_ITERATIONS = 2**62


@dataclass(frozen=True, slots=True)
class Options:
    """What :func:`propagate` was asked for, `method` resolved into what to keep and to solve.

    Attributes
    ----------
    alpha, clamp, normalization
        Which recurrence.
    tol, max_iter
        When to stop; without iterations `max_iter` is 0.
    limit
        Whether to solve for the limit.
    history
        Scores of every class, or who wins.
    kept
        Iterations to keep, ascending, 0 (the seed signal) to `max_iter`; the last one that is done
        is kept too when no limit follows it.
    symmetrize
        Whether to walk on the mean of the graph and its transpose.
    class_mass
        Whether labels are decided on scores scaled by class mass.
    reserved
        Bytes that are needed next to the history once it is complete.
    """

    alpha: float
    clamp: Clamp
    normalization: Normalization
    tol: float
    max_iter: int
    limit: bool
    history: History
    kept: Sequence[int]
    symmetrize: bool
    class_mass: bool
    reserved: int = 0

    @classmethod
    def checked(
        cls,
        *,
        alpha: Any = 0.99,
        clamp: Any = "soft",
        method: Any = "iterative",
        normalization: Any = "symmetric",
        tol: Any = 1e-2,
        max_iter: Any = 100,
        limit: Any = True,
        history: Any = "scores",
        every: Any = 1,
        iterations: Any = None,
        symmetrize: Any = False,
    ) -> Options:
        """Refuse values outside their range or list, each by name."""
        choice("clamp", clamp, Clamp)
        choice("method", method, Method)
        choice("normalization", normalization, Normalization)
        choice("history", history, History)
        if clamp == "hard" and normalization == "pagerank":
            raise ValueError(
                "normalization='pagerank' restarts at the seeds, clamp='hard' holds them: choose "
                "one"
            )
        alpha = number("alpha", alpha, least=0, most=1, within=True)
        tol, max_iter = number("tol", tol), whole("max_iter", max_iter, most=_MOST_ITERATIONS)
        limit, symmetrize = switch("limit", limit), switch("symmetrize", symmetrize)
        kept = _kept_iterations(every, iterations, max_iter)
        if method == "direct":
            if not limit:
                raise ValueError("method='direct' is the limit alone, limit=False none: choose one")
            kept, max_iter, limit = (0,), 0, True
        return cls(
            alpha,
            clamp,
            normalization,
            tol,
            max_iter,
            limit,
            history,
            kept,
            symmetrize,
            class_mass=clamp == "hard",
        )

    @property
    def most_columns(self) -> int:
        """Columns of the history at most: those kept, and the limit or the last iteration."""
        return len(self.kept) + (self.limit or self.kept[-1] != self.max_iter)

    @property
    def expected_iterations(self) -> float:
        """About how many products with the graph there will be, the limit's included."""
        steps = self.max_iter if self.tol == 0 else min(self.max_iter, 10)
        if not self.limit:
            return steps
        # conjugate gradients: the root of the condition number
        return steps + (18 / (1 - self.alpha) ** 0.5 if self.clamp == "soft" else 200.0)


def _kept_iterations(every: Any, iterations: Any, max_iter: int) -> Sequence[int]:
    """List the iterations to keep, ascending; as a range where they may be very many."""
    if iterations is None:
        return range(0, max_iter + 1, whole("every", every))
    if not is_whole(every) or every != 1:
        raise ValueError(f"every={every!r} and iterations={iterations!r} both choose: give one")
    if isinstance(iterations, str):
        if iterations != "log":
            raise ValueError(f"iterations={iterations!r}: a list of iterations, or 'log'")
        return (0, *(1 << k for k in range(max_iter.bit_length())))
    single = not isinstance(iterations, Iterable) or getattr(iterations, "ndim", 1) == 0
    listed = [iterations] if single else list(iterations)
    if not listed:
        raise ValueError("iterations is empty: name at least one to keep")
    wrong = [t for t in listed if not is_whole(t) or not 0 <= t <= max_iter]
    if wrong:
        raise ValueError(f"iterations: {wrong[:5]} are not integers from 0 to max_iter={max_iter}")
    return tuple(sorted({int(t) for t in listed}))
