"""Pieces of the solver for the limit, compiled; up to a few columns at once, in float64.

The system is ``(D - alpha A) X = B``. Rows whose degree is zero are held: they keep their value.
What is multiplied with the graph is padded (see ``_gather``).
"""

from __future__ import annotations

from typing import Any

import numpy as np
from numba import njit

from scanpy_anim.tl._gather import LANES, add_neighbors

U = np.uint64


@njit(cache=True, nogil=True, fastmath={"contract"})
def _gather(start: Any, end: Any, indices: Any, weights: Any, source: Any, row: Any) -> None:
    """``row = sum_j A_ij source_j``; `row` has ``LANES`` entries more than there are columns."""
    width = U(len(row) - LANES)
    if width > U(1):
        add_neighbors(start, end, indices, weights, source, width, row)
        return
    total = 0.0
    for p in range(start, end):
        total += np.float64(weights[p]) * source[U(indices[p])]
    row[0] = total


@njit(cache=True, nogil=True, fastmath={"contract"})
def apply_system(
    first: int,
    last: int,
    bounds: Any,
    indptr: Any,
    indices: Any,
    weights: Any,
    degree: Any,
    alpha: float,
    x: Any,
    flat: Any,
    out: Any,
    sums: Any,
) -> None:
    """``out = (D - alpha A) x``; `sums` receives ``<x, out>`` a row a block; `flat` is `x`."""
    row = np.empty(x.shape[1] + LANES)
    for block in range(first, last):
        for c in range(x.shape[1]):
            sums[block, c] = 0
        for i in range(U(bounds[block]), U(bounds[block + 1])):
            if degree[i] == 0:
                for c in range(x.shape[1]):
                    out[i, c] = 0
                continue
            _gather(U(indptr[i]), U(indptr[i + U(1)]), indices, weights, flat, row)
            for c in range(x.shape[1]):
                value = degree[i] * x[i, c] - alpha * row[c]
                out[i, c] = value
                sums[block, c] += x[i, c] * value


@njit(cache=True, nogil=True, fastmath={"contract"})
def advance(
    first: int,
    last: int,
    bounds: Any,
    degree: Any,
    length: Any,
    along: Any,
    image: Any,
    x: Any,
    residual: Any,
    sums: Any,
) -> None:
    """Go `length` along a direction; `sums` receives ``<r, D^-1 r>``."""
    for block in range(first, last):
        for c in range(x.shape[1]):
            sums[block, c] = 0
        for i in range(U(bounds[block]), U(bounds[block + 1])):
            if degree[i] == 0:
                continue
            inverse = 1 / degree[i]
            for c in range(x.shape[1]):
                x[i, c] += length[c] * along[i, c]
                value = residual[i, c] - length[c] * image[i, c]
                residual[i, c] = value
                sums[block, c] += value * value * inverse


@njit(cache=True, nogil=True, fastmath={"contract"})
def turn(
    first: int, last: int, bounds: Any, degree: Any, share: Any, residual: Any, along: Any
) -> None:
    """Next direction: ``D^-1 r + share * along``."""
    for block in range(first, last):
        for i in range(U(bounds[block]), U(bounds[block + 1])):
            if degree[i] == 0:
                continue
            inverse = 1 / degree[i]
            for c in range(along.shape[1]):
                along[i, c] = residual[i, c] * inverse + share[c] * along[i, c]


@njit(cache=True, nogil=True)
def count_rough(
    first: int,
    last: int,
    bounds: Any,
    degree: Any,
    accuracy: float,
    x: Any,
    residual: Any,
    sums: Any,
) -> None:
    """Entries whose own residual is more than `accuracy` of what they hold, into `sums`."""
    for block in range(first, last):
        rough = 0
        for i in range(bounds[block], bounds[block + 1]):
            for c in range(x.shape[1]):
                rough += abs(residual[i, c]) > accuracy * degree[i] * abs(x[i, c])
        sums[block, 0] = rough


@njit(cache=True, nogil=True, fastmath={"contract"})
def sweep(
    first: int,
    last: int,
    bounds: Any,
    indptr: Any,
    indices: Any,
    weights: Any,
    degree: Any,
    alpha: float,
    scale: Any,
    seeds: Any,
    first_seeds: Any,
    rows: Any,
    accuracy: float,
    x: Any,
    flat: Any,
    new: Any,
    sums: Any,
) -> None:
    """One plain iteration, ``new = D^-1 (alpha A x + B)``.

    `sums` receives ``|F - F_old|^2``, ``|F|^2`` with ``F = x / scale``, and how many entries
    changed by more than `accuracy` of their value. `flat` is `x`.
    """
    row = np.empty(x.shape[1] + LANES)
    for block in range(first, last):
        change = 0.0
        norm = 0.0
        rough = 0
        seed = first_seeds[block]
        for i in range(U(bounds[block]), U(bounds[block + 1])):
            is_seed = seed < len(seeds) and U(seeds[seed]) == i
            unscale = 1 / np.float64(scale[i])
            if degree[i] == 0:
                for c in range(x.shape[1]):
                    new[i, c] = x[i, c]
                    value = x[i, c] * unscale
                    norm += value * value
            else:
                _gather(U(indptr[i]), U(indptr[i + U(1)]), indices, weights, flat, row)
                inverse = 1 / degree[i]
                for c in range(x.shape[1]):
                    value = alpha * row[c]
                    if is_seed:
                        value += rows[seed, c]
                    value *= inverse
                    new[i, c] = value
                    difference = abs(value - x[i, c])
                    rough += difference > accuracy * abs(value)
                    difference *= unscale
                    value *= unscale
                    change += difference * difference
                    norm += value * value
            seed += is_seed
        sums[block, 0] = change
        sums[block, 1] = norm
        sums[block, 2] = rough
