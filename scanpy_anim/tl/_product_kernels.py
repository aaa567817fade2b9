"""Products of the graph with what cells have, compiled.

Everything unsigned, so that numba does not look for negative indices; `contract` lets a product
and a sum be one instruction.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np
from numba import njit

if TYPE_CHECKING:
    from scanpy_anim._arrays import Floats, Int, Ints

U = np.uint64
# classes from which rows are read as vectors
_MANY = 12


# in order: rows do not wait for each other, and sums of vectors would need gathers, which are slow
@njit(cache=True, nogil=True, fastmath={"contract"})
def add_single(indptr: Ints, indices: Ints, weights: Floats, source: Floats, i: Int) -> np.floating:
    """Multiply row `i` with one class: `sum_p weights[p] * source[indices[p]]`."""
    total = source.dtype.type(0)
    for p in range(U(indptr[i]), U(indptr[i + U(1)])):
        total += weights[p] * source[U(indices[p])]
    return total


@njit(cache=True, nogil=True, fastmath={"contract"})
def multiply(
    start: Int,
    end: Int,
    indptr: Ints,
    indices: Ints,
    weights: Floats,
    source: Floats,
    out: Floats,
    to: Int,
) -> None:
    """Multiply rows `start` to `end` of the graph with `source`, into `out` from row `to` on."""
    if source.shape[1] < _MANY:
        _multiply_few(U(start), U(end), indptr, indices, weights, source, out, U(to))
    else:
        _multiply_many(U(start), U(end), indptr, indices, weights, source, out, U(to))


@njit(cache=True, nogil=True, fastmath={"contract"})
def _multiply_few(
    start: Int,
    end: Int,
    indptr: Ints,
    indices: Ints,
    weights: Floats,
    source: Floats,
    out: Floats,
    to: Int,
) -> None:
    """Four, two and one classes at a time: their sums stay in registers."""
    zero = source.dtype.type(0)
    n_classes = U(source.shape[1])
    for i in range(start, end):
        first, last, r, c = U(indptr[i]), U(indptr[i + U(1)]), to + i - start, U(0)
        while c + U(4) <= n_classes:
            one = two = three = four = zero
            for p in range(first, last):
                weight, j = weights[p], U(indices[p])
                one += weight * source[j, c]
                two += weight * source[j, c + U(1)]
                three += weight * source[j, c + U(2)]
                four += weight * source[j, c + U(3)]
            out[r, c], out[r, c + U(1)], out[r, c + U(2)], out[r, c + U(3)] = one, two, three, four
            c += U(4)
        if c + U(2) <= n_classes:
            one = two = zero
            for p in range(first, last):
                weight, j = weights[p], U(indices[p])
                one += weight * source[j, c]
                two += weight * source[j, c + U(1)]
            out[r, c], out[r, c + U(1)] = one, two
            c += U(2)
        if c < n_classes:
            one = zero
            for p in range(first, last):
                one += weights[p] * source[U(indices[p]), c]
            out[r, c] = one


@njit(cache=True, nogil=True, fastmath={"contract"})
def _multiply_many(
    start: Int,
    end: Int,
    indptr: Ints,
    indices: Ints,
    weights: Floats,
    source: Floats,
    out: Floats,
    to: Int,
) -> None:
    """Four neighbours at a time: their rows are read at once, and `out` a quarter as often."""
    n_classes = U(source.shape[1])
    for i in range(start, end):
        p, last, r = U(indptr[i]), U(indptr[i + U(1)]), to + i - start
        for c in range(n_classes):
            out[r, c] = 0
        while p + U(4) <= last:
            one, two = weights[p], weights[p + U(1)]
            three, four = weights[p + U(2)], weights[p + U(3)]
            j, k = U(indices[p]), U(indices[p + U(1)])
            m, n = U(indices[p + U(2)]), U(indices[p + U(3)])
            for c in range(n_classes):
                total = out[r, c] + one * source[j, c]
                total += two * source[k, c]
                total += three * source[m, c]
                total += four * source[n, c]
                out[r, c] = total
            p += U(4)
        while p < last:
            one, j = weights[p], U(indices[p])
            for c in range(n_classes):
                out[r, c] += one * source[j, c]
            p += U(1)


@njit(cache=True, nogil=True, fastmath={"contract", "reassoc"})
def receive(
    first: int,
    last: int,
    bounds: Ints,
    indptr: Ints,
    indices: Ints,
    weights: Floats,
    sent: Floats,
    out: Floats,
) -> None:
    """`out = A sent`, in float64."""
    for i in range(U(bounds[first]), U(bounds[last])):
        out[i] = add_single(indptr, indices, weights, sent, i)


@njit(cache=True, nogil=True, fastmath={"reassoc"})
def add_rows(
    first: int, last: int, bounds: Ints, indptr: Ints, weights: Floats, out: Floats
) -> None:
    """Sum of each row's weights, in float64."""
    for i in range(U(bounds[first]), U(bounds[last])):
        total = 0.0
        for p in range(U(indptr[i]), U(indptr[i + U(1)])):
            total += weights[p]
        out[i] = total


@njit(cache=True, nogil=True, fastmath={"contract"})
def send(
    first: int,
    last: int,
    bounds: Ints,
    indptr: Ints,
    indices: Ints,
    weights: Floats,
    held: Floats,
    out: Floats,
) -> None:
    """`out[block] += A^T held` of the rows of each block, in float64."""
    for block in range(first, last):
        for i in range(U(bounds[block]), U(bounds[block + 1])):
            for p in range(U(indptr[i]), U(indptr[i + U(1)])):
                out[block, U(indices[p])] += weights[p] * held[i]
