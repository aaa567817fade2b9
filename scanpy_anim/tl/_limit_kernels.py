"""Pieces of the solver for the limit, compiled; some classes at once, in float32 or float64.

The system is `(D - alpha A) X = B`. Rows whose degree is zero are held: they keep their value.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np
from numba import njit

from scanpy_anim.tl._limit_bound import TINIEST, is_rough
from scanpy_anim.tl._product_kernels import add_single, multiply

if TYPE_CHECKING:
    from scanpy_anim._arrays import Bools, Floats, Ints

U = np.uint64
# entries that are worth a loop of their own
_LONG = U(64)


# the order of a block's sum is the compiler's, and the same for any number of threads
@njit(cache=True, nogil=True, fastmath={"contract", "reassoc"})
def apply_vector(
    first: int,
    last: int,
    bounds: Ints,
    indptr: Ints,
    indices: Ints,
    weights: Floats,
    degree: Floats,
    alpha: float,
    x: Floats,
    out: Floats,
    sums: Floats,
) -> None:
    """As :func:`apply_system`, for one class: `x` and `out` are vectors."""
    for block in range(first, last):
        for i in range(U(bounds[block]), U(bounds[block + 1])):
            out[i] = add_single(indptr, indices, weights, x, i)
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
    bounds: Ints,
    indptr: Ints,
    indices: Ints,
    weights: Floats,
    degree: Floats,
    alpha: float,
    x: Floats,
    out: Floats,
    sums: Floats,
) -> None:
    """`out = (D - alpha A) x`; `sums` receives `<x, out>` a row a block."""
    for block in range(first, last):
        for c in range(x.shape[1]):
            sums[block, c] = 0
        multiply(bounds[block], bounds[block + 1], indptr, indices, weights, x, out, bounds[block])
        for i in range(U(bounds[block]), U(bounds[block + 1])):
            # no branch: of held rows nothing is left
            share = alpha if degree[i] != 0 else 0.0
            for c in range(x.shape[1]):
                value = degree[i] * x[i, c] - share * out[i, c]
                out[i, c] = value
                sums[block, c] += x[i, c] * value


@njit(cache=True, nogil=True, fastmath={"contract"})
def advance(
    first: int,
    last: int,
    bounds: Ints,
    inverse: Floats,
    step_length: Floats,
    direction: Floats,
    image: Floats,
    x: Floats,
    residual: Floats,
    sums: Floats,
) -> None:
    """Go `step_length` in a `direction`, whose product with the matrix is `image`.

    `sums` receives `<r, D^-1 r>`; `inverse` is the inverse degree, 0 where a row is held.
    """
    n_classes = U(x.shape[1])
    # some rows at a time, as one long loop each
    group = _LONG // n_classes + U(1)
    far = np.empty(group * n_classes, dtype=x.dtype)
    for k in range(group * n_classes):
        far[k] = step_length[k % n_classes]
    squares = np.empty(group * n_classes)
    goes, falls = direction.reshape(-1), image.reshape(-1)
    to, left = x.reshape(-1), residual.reshape(-1)
    for block in range(first, last):
        squares[:] = 0
        i, end = U(bounds[block]), U(bounds[block + 1])
        while i < end:
            n_rows, start = min(group, end - i), i * n_classes
            for k in range(n_rows * n_classes):
                to[start + k] += far[k] * goes[start + k]
            for k in range(n_rows * n_classes):
                left[start + k] -= far[k] * falls[start + k]
            for row in range(n_rows):
                factor, own = inverse[i + row], row * n_classes
                for c in range(n_classes):
                    value = np.float64(left[start + own + c])
                    squares[own + c] += value * value * factor
            i += n_rows
        for c in range(n_classes):
            total = 0.0
            for row in range(group):
                total += squares[row * n_classes + c]
            sums[block, c] = total


@njit(cache=True, nogil=True, fastmath={"contract", "reassoc"})
def advance_vector(
    first: int,
    last: int,
    bounds: Ints,
    inverse: Floats,
    step_length: Floats,
    direction: Floats,
    image: Floats,
    x: Floats,
    residual: Floats,
    sums: Floats,
) -> None:
    """As :func:`advance`, for one class."""
    far = step_length[0]
    for block in range(first, last):
        total = 0.0
        for i in range(U(bounds[block]), U(bounds[block + 1])):
            x[i] += far * direction[i]
            value = residual[i] - far * image[i]
            residual[i] = value
            total += value * value * inverse[i]
        sums[block, 0] = total


@njit(cache=True, nogil=True, fastmath={"contract"})
def turn(
    first: int,
    last: int,
    bounds: Ints,
    inverse: Floats,
    share: Floats,
    residual: Floats,
    direction: Floats,
) -> None:
    """Next direction: `D^-1 r + share * direction`."""
    for block in range(first, last):
        for i in range(U(bounds[block]), U(bounds[block + 1])):
            for c in range(direction.shape[1]):
                direction[i, c] = residual[i, c] * inverse[i] + share[c] * direction[i, c]


@njit(cache=True, nogil=True, fastmath={"contract"})
def turn_vector(
    first: int,
    last: int,
    bounds: Ints,
    inverse: Floats,
    share: Floats,
    residual: Floats,
    direction: Floats,
) -> None:
    """As :func:`turn`, for one class."""
    for i in range(U(bounds[first]), U(bounds[last])):
        direction[i] = residual[i] * inverse[i] + share[0] * direction[i]


@njit(cache=True, nogil=True, fastmath={"contract"})
def sweep(
    first: int,
    last: int,
    bounds: Ints,
    indptr: Ints,
    indices: Ints,
    weights: Floats,
    degree: Floats,
    alpha: float,
    unscale: Floats,
    seeds: Ints,
    first_seeds: Ints,
    right: Floats,
    spans: Floats,
    strictness: float,
    x: Floats,
    new: Floats,
    marks: Bools,
    sums: Floats,
) -> None:
    """One plain iteration, `new = D^-1 (alpha A x + B)`.

    `marks` receives which rows of `x` had entries that were not right; `sums` how many, after
    `|F - F_old|^2` and `|F|^2` with `F = unscale * x`.
    """
    for block in range(first, last):
        change = 0.0
        norm = 0.0
        rough = 0
        seed = first_seeds[block]
        multiply(bounds[block], bounds[block + 1], indptr, indices, weights, x, new, bounds[block])
        for i in range(U(bounds[block]), U(bounds[block + 1])):
            is_seed = seed < len(seeds) and U(seeds[seed]) == i
            before = rough
            if degree[i] == 0:
                for c in range(x.shape[1]):
                    new[i, c] = x[i, c]
                    value = x[i, c] * unscale[i]
                    norm += value * value
            else:
                inverse = 1 / degree[i]
                for c in range(x.shape[1]):
                    value = alpha * new[i, c]
                    if is_seed:
                        value += right[seed, c]
                    arrives = value > 0
                    value *= inverse
                    new[i, c] = value
                    difference = abs(value - x[i, c])
                    if arrives and value < TINIEST:
                        rough += 1
                    else:
                        rough += is_rough(difference, x[i, c], spans[c], strictness)
                    difference *= unscale[i]
                    value *= unscale[i]
                    change += difference * difference
                    norm += value * value
            marks[i] = rough > before
            seed += is_seed
        sums[block, 0] = change
        sums[block, 1] = norm
        sums[block, 2] = rough


@njit(cache=True, nogil=True, fastmath={"contract"})
def relax(
    chosen: Ints,
    indptr: Ints,
    indices: Ints,
    weights: Floats,
    degree: Floats,
    alpha: float,
    seeds: Ints,
    right: Floats,
    spans: Floats,
    strictness: float,
    x: Floats,
) -> int:
    """Iterate once on the `chosen` rows, ascending, each with what those before it have become.

    Gauss-Seidel, in place. Returns how many entries were not right.
    """
    row = np.empty((1, x.shape[1]), dtype=x.dtype)
    seed = 0
    rough = 0
    for k in range(len(chosen)):
        i = U(chosen[k])
        while seed < len(seeds) and U(seeds[seed]) < i:
            seed += 1
        is_seed = seed < len(seeds) and U(seeds[seed]) == i
        multiply(i, i + U(1), indptr, indices, weights, x, row, 0)
        inverse = 1 / degree[i]
        for c in range(x.shape[1]):
            value = alpha * row[0, c]
            if is_seed:
                value += right[seed, c]
            value *= inverse
            rough += is_rough(abs(value - x[i, c]), x[i, c], spans[c], strictness)
            x[i, c] = value
    return rough
