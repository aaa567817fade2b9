"""A graph written down in another order of its cells, compiled."""

from __future__ import annotations

from typing import Any

from numba import njit


@njit(cache=True, nogil=True)
def visit(indptr: Any, indices: Any, order: Any, place: Any) -> None:
    """Breadth-first: cell ``order[i]`` is the i-th visited; `place` starts as -1 everywhere."""
    filled = 0
    for start in range(len(place)):
        if place[start] >= 0:
            continue
        place[start] = filled
        order[filled] = start
        head = filled
        filled += 1
        while head < filled:
            i = order[head]
            head += 1
            for p in range(indptr[i], indptr[i + 1]):
                j = indices[p]
                if place[j] < 0:
                    place[j] = filled
                    order[filled] = j
                    filled += 1


@njit(cache=True, nogil=True)
def permute(
    first: int,
    last: int,
    bounds: Any,
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
    for i in range(bounds[first], bounds[last]):
        q = new_indptr[i]
        for p in range(indptr[order[i]], indptr[order[i] + 1]):
            new_indices[q] = place[indices[p]]
            new_weights[q] = weights[p]
            q += 1
