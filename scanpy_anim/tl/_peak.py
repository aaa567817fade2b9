"""How much memory a propagation takes at most, known from its sizes before it starts.

Counted in bytes a cell, a weight, or a cell and class, from the arrays that are held at the same
time; `tests/tl/test_memory.py` holds it against what the system says of the process.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from scanpy_anim._memory import SHARE, free_bytes, require, spelled
from scanpy_anim.tl._limit_coarse import coarse_bytes
from scanpy_anim.tl._reorder import worth_renumbering

if TYPE_CHECKING:
    from scanpy_anim.tl._options import Options

#: What walks on the mean of the graph and its transpose.
MEAN = "symmetrize=True"
# classes that are solved for at a time
_TOGETHER = 16


@dataclass(frozen=True, slots=True)
class Peak:
    """Bytes that a propagation takes at most: `column` for each kept, and `work`."""

    column: int
    work: int

    @classmethod
    def of(cls, n_obs: int, n_weights: int, n_classes: int, options: Options) -> Peak:
        """Sizes for a graph and a number of classes."""
        code = 1 if n_classes <= 128 else 2 if n_classes <= 2**15 else 4
        each = 4 * n_classes if options.history == "scores" else 4 + code
        work = max(
            _iteration(n_obs, n_weights, n_classes, options),
            _limit(n_obs, n_weights, n_classes, options) if options.limit else 0,
            options.reserved + decision_bytes(n_obs, n_classes),
        )
        return cls(n_obs * each, work)

    def fitting_columns(self, wanted: int, *, exact: bool) -> int:
        """Columns that fit into the memory that is free, `wanted` at most.

        Raises
        ------
        MemoryError
            Not even three fit, or not all of them although `exact` means that all will come.
        """
        free = free_bytes()
        if free is None:
            return wanted
        fitting = int(SHARE * free - self.work) // max(self.column, 1)
        if fitting >= wanted:
            return wanted
        if exact or fitting < 3:
            raise self.too_large(wanted, free)
        return fitting

    def too_large(self, wanted: int, free: int) -> MemoryError:
        """Say that so many columns do not fit, and what would."""
        return MemoryError(
            f"the history would take {spelled(wanted * self.column)} ({wanted} columns of "
            f"{spelled(self.column)}) and working on it {spelled(self.work)}, but "
            f"{spelled(free)} are free. Keep fewer iterations (every=10, iterations='log', a "
            "smaller max_iter), or only the winning class (history='labels')"
        )


def decision_bytes(n_obs: int, n_classes: int) -> int:
    """Count shares of every class, labels and how sure they are."""
    return n_obs * (8 * n_classes + 32) if n_classes > 1 else 0


def mean_bytes(n_obs: int, n_weights: int, index_bytes: int) -> int:
    """Count the transpose of a graph, and the sum of both."""
    return 3 * (4 + index_bytes) * n_weights + 3 * index_bytes * n_obs


def index_bytes_of(graph: Any) -> int:
    """Bytes of a place in a sparse matrix."""
    return int(getattr(getattr(graph, "indices", None), "itemsize", 4))


def require_mean(graph: Any, options: Options) -> None:
    """Refuse to put a graph and its transpose together where they do not fit."""
    n_weights, free = getattr(graph, "nnz", None), free_bytes()
    if options.symmetrize and n_weights is not None and free is not None:
        require(MEAN, mean_bytes(graph.shape[0], int(n_weights), index_bytes_of(graph)), free)


def require_room(n_seeds: int, n_classes: int) -> None:
    """Refuse a seed signal that does not fit before it is made."""
    size, free = 4 * n_seeds * n_classes, free_bytes()
    if free is not None and size > SHARE * free:
        raise MemoryError(
            f"{n_seeds} seed cells of {n_classes} classes take {spelled(size)}, and a score of "
            f"every class in every cell more, but {spelled(free)} are free: name fewer classes"
        )


def _iteration(n_obs: int, n_weights: int, n_classes: int, options: Options) -> int:
    """Count two signals, two scalings, labels, and the graph once more where it is renumbered."""
    # scores of the last iteration next to labels, and those of the one before
    kept = 12 * n_classes if options.history == "labels" and not options.limit else 0
    return n_obs * (8 * n_classes + kept + 12) + _renumbered(n_obs, n_weights, n_classes, options)


def _renumbered(n_obs: int, n_weights: int, n_classes: int, options: Options) -> int:
    wide = n_classes * (1 + options.limit)
    if not worth_renumbering(n_obs, wide, options.expected_iterations):
        return 0
    return 8 * n_weights + 12 * n_obs


def _limit(n_obs: int, n_weights: int, n_classes: int, options: Options) -> int:
    """Count scores as mantissa and exponent, and the solver's vectors of some classes at a time."""
    solving = 16 * n_classes + 32 * min(n_classes, _TOGETHER)
    putting_together = 32 * n_classes
    each = max(solving, putting_together) + 50
    renumbered = _renumbered(n_obs, n_weights, n_classes, options)
    return n_obs * each + renumbered + coarse_bytes(n_obs)
