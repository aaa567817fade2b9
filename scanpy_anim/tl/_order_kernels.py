"""A graph written down in another order of its cells, compiled."""

from __future__ import annotations

from typing import Any

from numba import njit


@njit(cache=True, nogil=True)
def permute(
    indptr: Any,
    indices: Any,
    weights: Any,
    order: Any,
    place: Any,
    new_indptr: Any,
    new_indices: Any,
    new_weights: Any,
) -> None:
    """Row ``i`` becomes row ``order[i]`` of the old graph, columns follow `place`."""
    for i in range(len(order)):
        q = new_indptr[i]
        for p in range(indptr[order[i]], indptr[order[i] + 1]):
            new_indices[q] = place[indices[p]]
            new_weights[q] = weights[p]
            q += 1
