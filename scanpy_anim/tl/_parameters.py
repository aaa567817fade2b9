"""What the arguments may be."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any, Literal

import numpy as np

Clamp = Literal["soft", "hard"]
Normalization = Literal["symmetric", "random_walk", "pagerank"]
Method = Literal["iterative", "direct"]
History = Literal["scores", "labels"]


@dataclass(frozen=True, slots=True)
class Mode:
    """Which recurrence."""

    alpha: float
    clamp: Clamp
    normalization: Normalization

    @property
    def expected_solver_iterations(self) -> float:
        """About how long conjugate gradients will take: the root of the condition number."""
        return 9 / (1 - self.alpha) ** 0.5 if self.clamp == "soft" else 200.0


def check_parameters(
    *,
    alpha: Any,
    clamp: Any,
    method: Any,
    normalization: Any,
    tol: Any,
    max_iter: Any,
    history: Any,
) -> None:
    """Refuse values outside their range or list, each by name."""
    for name, value, known in (
        ("clamp", clamp, ("soft", "hard")),
        ("method", method, ("iterative", "direct")),
        ("normalization", normalization, ("symmetric", "random_walk", "pagerank")),
        ("history", history, ("scores", "labels")),
    ):
        if not isinstance(value, str) or value not in known:
            raise ValueError(f"{name}={value!r} is unknown: choose one of {list(known)}")
    if clamp == "hard" and normalization == "pagerank":
        raise ValueError(
            "normalization='pagerank' restarts at the seeds, clamp='hard' holds them: choose one"
        )
    if not isinstance(alpha, int | float | np.number) or not 0 < alpha < 1:
        raise ValueError(f"alpha={alpha!r} must lie between 0 and 1, both excluded")
    if (
        isinstance(tol, bool)
        or not isinstance(tol, int | float | np.number)
        or not 0 <= tol < np.inf
    ):
        raise ValueError(f"tol={tol!r} must be a number, 0 or more")
    if isinstance(max_iter, bool) or not isinstance(max_iter, int | np.integer) or max_iter < 1:
        raise ValueError(f"max_iter={max_iter!r} must be a positive integer")


def check_switches(**switches: Any) -> None:
    """Refuse what is neither True nor False."""
    for name, value in switches.items():
        if not isinstance(value, bool | np.bool_):
            raise TypeError(f"{name}={value!r} must be True or False")
