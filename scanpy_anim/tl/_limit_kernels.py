"""Pieces of the solver for the limit, compiled; some classes at once, in float32 or float64.

The system is ``(D - alpha A) X = B``. Rows whose degree is zero are held: they keep their value.
What is multiplied with the graph is padded (see ``_gather``).
"""

from __future__ import annotations

from typing import Any

import numpy as np
from numba import njit

from scanpy_anim.tl._gather import LANES, add_neighbors, add_single

U = np.uint64


# the order of a block's sum is the compiler's, and the same for any number of threads
@njit(cache=True, nogil=True, fastmath={"contract", "reassoc"})
def apply_vector(
    first: int,
    last: int,
    bounds: Any,
    indptr: Any,
    indices: Any,
    weights: Any,
    degree: Any,
    alpha: float,
    x: Any,
    out: Any,
    sums: Any,
) -> None:
    """As :func:`apply_system`, for one class: `x` and `out` are vectors."""
    for block in range(first, last):
        for i in range(U(bounds[block]), U(bounds[block + 1])):
            out[i] = add_single(U(indptr[i]), U(indptr[i + U(1)]), indices, weights, x)
        for i in range(U(bounds[block]), U(bounds[block + 1])):
            value = degree[i] * x[i] - alpha * out[i]
            out[i] = value if degree[i] != 0 else 0.0
        total = 0.0
        for i in range(U(bounds[block]), U(bounds[block + 1])):
            total += np.float64(x[i]) * np.float64(out[i])
        sums[block, 0] = total


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
    n_classes = U(x.shape[1])
    row = np.empty(x.shape[1] + LANES, dtype=x.dtype)
    for block in range(first, last):
        for c in range(x.shape[1]):
            sums[block, c] = 0
        for i in range(U(bounds[block]), U(bounds[block + 1])):
            if degree[i] == 0:
                for c in range(x.shape[1]):
                    out[i, c] = 0
                continue
            add_neighbors(U(indptr[i]), U(indptr[i + U(1)]), indices, weights, flat, n_classes, row)
            for c in range(x.shape[1]):
                value = degree[i] * x[i, c] - alpha * row[c]
                out[i, c] = value
                sums[block, c] += x[i, c] * value


@njit(cache=True, nogil=True, fastmath={"contract"})
def advance(
    first: int,
    last: int,
    bounds: Any,
    inverse: Any,
    length: Any,
    along: Any,
    image: Any,
    x: Any,
    residual: Any,
    sums: Any,
) -> None:
    """Go `length` along a direction; `sums` receives ``<r, D^-1 r>``.

    `inverse` is the inverse degree, 0 where a row is held.
    """
    for block in range(first, last):
        for c in range(x.shape[1]):
            sums[block, c] = 0
        for i in range(U(bounds[block]), U(bounds[block + 1])):
            factor = inverse[i]
            for c in range(x.shape[1]):
                x[i, c] += length[c] * along[i, c]
                value = residual[i, c] - length[c] * image[i, c]
                residual[i, c] = value
                sums[block, c] += value * value * factor


@njit(cache=True, nogil=True, fastmath={"contract", "reassoc"})
def advance_vector(
    first: int,
    last: int,
    bounds: Any,
    inverse: Any,
    length: Any,
    along: Any,
    image: Any,
    x: Any,
    residual: Any,
    sums: Any,
) -> None:
    """As :func:`advance`, for one class."""
    far = length[0]
    for block in range(first, last):
        total = 0.0
        for i in range(U(bounds[block]), U(bounds[block + 1])):
            x[i] += far * along[i]
            value = residual[i] - far * image[i]
            residual[i] = value
            total += value * value * inverse[i]
        sums[block, 0] = total


@njit(cache=True, nogil=True, fastmath={"contract"})
def turn(
    first: int, last: int, bounds: Any, inverse: Any, share: Any, residual: Any, along: Any
) -> None:
    """Next direction: ``D^-1 r + share * along``."""
    for block in range(first, last):
        for i in range(U(bounds[block]), U(bounds[block + 1])):
            for c in range(along.shape[1]):
                along[i, c] = residual[i, c] * inverse[i] + share[c] * along[i, c]


@njit(cache=True, nogil=True, fastmath={"contract"})
def turn_vector(
    first: int, last: int, bounds: Any, inverse: Any, share: Any, residual: Any, along: Any
) -> None:
    """As :func:`turn`, for one class."""
    for i in range(U(bounds[first]), U(bounds[last])):
        along[i] = residual[i] * inverse[i] + share[0] * along[i]


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
    n_classes = U(x.shape[1])
    row = np.empty(x.shape[1] + LANES, dtype=x.dtype)
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
                add_neighbors(
                    U(indptr[i]), U(indptr[i + U(1)]), indices, weights, flat, n_classes, row
                )
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
