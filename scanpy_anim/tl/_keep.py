"""Which iterations stay."""

from __future__ import annotations

from collections.abc import Iterable
from typing import Any

import numpy as np


def kept_iterations(every: Any, iterations: Any, max_iter: int) -> list[int]:
    """List the iterations to keep, ascending, of 0 (the seed signal) to `max_iter`."""
    if iterations is None:
        if not _is_integer(every) or every < 1:
            raise ValueError(
                f"every={every!r} must be a positive integer: keep each k-th iteration"
            )
        return list(range(0, max_iter + 1, int(every)))
    if every != 1:
        raise ValueError(f"every={every!r} and iterations={iterations!r} both choose: give one")
    if isinstance(iterations, str):
        if iterations != "log":
            raise ValueError(f"iterations={iterations!r}: a list of iterations, or 'log'")
        return [0, *(1 << k for k in range(max(max_iter, 0).bit_length()))]
    return _listed(iterations, max_iter)


def _listed(iterations: Any, max_iter: int) -> list[int]:
    listed = list(iterations) if isinstance(iterations, Iterable) else [iterations]
    if not listed:
        raise ValueError("iterations is empty: name at least one to keep")
    wrong = [t for t in listed if not _is_integer(t) or not 0 <= t <= max_iter]
    if wrong:
        raise ValueError(f"iterations: {wrong[:5]} are not integers from 0 to max_iter={max_iter}")
    return sorted({int(t) for t in listed})


def _is_integer(value: Any) -> bool:
    return isinstance(value, int | np.integer) and not isinstance(value, bool)
