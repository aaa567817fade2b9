"""Drawing orders: keys that order values, and stable sorting by radix, on all threads.

A radix sort goes over the keys once for each digit, the lowest first: it counts how often each
digit occurs, which tells where the first key with it belongs, and moves the keys there in the order
in which they come. So equal keys keep their order, and the time does not depend on the values.
"""

from __future__ import annotations

from itertools import pairwise
from typing import TYPE_CHECKING

import numpy as np
from numba import njit

from scanpy_anim._threads import spread, thread_count

if TYPE_CHECKING:
    from numpy.typing import NDArray

_DIGIT = 11  # bits
_BUCKETS = 1 << _DIGIT
_HALF = 32  # bits of a key that are sorted by at a time, above 32 bits of the cell's position
_AT_ONCE = 1 << 16  # keys, at least, that are worth a thread of their own
_FEW = 1 << 14  # values that numpy sorts about as fast
_U = np.uint64


def stable_order(values: NDArray, *, last_first: bool = False) -> NDArray[np.uint32]:
    """Positions that sort the values ascending, NaN first.

    Parameters
    ----------
    values
        Numbers.
    last_first
        Equal values, and NaN, in reverse: that is `argsort(-values, kind="stable")[::-1]`. Else
        as they come.
    """
    if values.size < _FEW:
        return _order_of_few(values[::-1] if last_first else values, last_first)
    # no integer is missing: all 64 bits are free
    keys = _integer_keys(values, 0) if values.dtype.kind in "biu" else sort_keys(values)
    if not last_first:
        return _radix_order(keys)
    return np.ascontiguousarray(_radix_order(np.bitwise_not(keys, out=keys))[::-1])


def _order_of_few(values: NDArray, reverse: bool) -> NDArray[np.uint32]:
    """Positions that sort few values, which spares a first film the compiling."""
    if values.dtype.kind not in "biuf":
        raise TypeError(_no_order(values))
    with np.errstate(invalid="ignore"):
        known = values == values  # NaN is not
    order = np.lexsort((values, known))
    return (values.size - 1 - order if reverse else order).astype(np.uint32)


def _no_order(values: NDArray) -> str:
    return f"values of dtype {values.dtype} have no order here: give numbers"


def sort_keys(values: NDArray) -> NDArray[np.uint64]:
    """Unsigned integers in the order of the values; 0 stands for NaN alone."""
    kind, width = values.dtype.kind, values.dtype.itemsize
    if kind in "biu":
        return _integer_keys(values, 1)
    if kind != "f":
        raise TypeError(_no_order(values))
    narrow = width <= 4
    values = np.require(values, np.float32 if narrow else np.float64, ["C", "W"])
    bits: NDArray[np.unsignedinteger] = values.view(np.uint32 if narrow else np.uint64)
    keys = np.empty(bits.size, np.uint64)
    spread(lambda part: _float_keys(bits, 8 if narrow else 11, keys, *part), _parts(bits.size))
    return keys


def _integer_keys(values: NDArray, first: int) -> NDArray[np.uint64]:
    """Count integers up from the lowest one, or from 0 where none is negative."""
    return values.astype(np.uint64) - np.uint64((int(values.min(initial=0)) - first) % 2**64)


def _parts(n: int) -> list[tuple[int, int]]:
    """Cut so many keys into a part for each thread."""
    n_parts = max(1, min(thread_count(), n // _AT_ONCE))
    return list(pairwise(n * k // n_parts for k in range(n_parts + 1)))


@njit(nogil=True, cache=True, error_model="numpy")
def _float_keys(
    bits: NDArray[np.unsignedinteger],
    exponent: int,
    keys: NDArray[np.uint64],
    first: int,
    last: int,
) -> None:
    """Fill in keys of the floats `first` .. `last` with these bits; both zeros are the same.

    The bits of a positive float grow with it, those of a negative one with its magnitude.
    """
    width = _U(8 * bits.itemsize)
    sign = _U(1) << (width - _U(1))
    infinite = ((_U(1) << _U(exponent)) - _U(1)) << (width - _U(1) - _U(exponent))
    for i in range(_U(first), _U(last)):
        magnitude = _U(bits[i]) & (sign - _U(1))
        key = sign - magnitude if _U(bits[i]) & sign else sign + magnitude
        keys[i] = key if magnitude <= infinite else _U(0)


def _radix_order(keys: NDArray[np.uint64]) -> NDArray[np.uint32]:
    """Positions that sort unsigned keys, which are overwritten; stable."""
    low, high = (int(end(keys)) if keys.size else 0 for end in (np.min, np.max))
    order = np.arange(keys.size, dtype=np.uint32)
    if (low ^ high) >> _HALF:  # keys differ in a higher bit
        order = _order_by_half(keys.copy(), order)
        keys = keys[order]
        keys >>= _U(_HALF)
    return _order_by_half(keys, order) if low != high else order


def _order_by_half(words: NDArray[np.uint64], order: NDArray[np.uint32]) -> NDArray[np.uint32]:
    """Sort positions by the lower 32 bits of their keys, which are overwritten; stable."""
    n = order.size
    # of the length of the cells there is the key, the position and one to spare: no more
    words <<= _U(_HALF)
    words |= order
    vary = int(np.bitwise_or.reduce(words) ^ np.bitwise_and.reduce(words))
    spare = np.empty(n, np.uint64)
    for shift in range(_HALF, 2 * _HALF, _DIGIT):
        if vary >> shift & (_BUCKETS - 1):
            _sort_by_digit(words, spare, shift)
            words, spare = spare, words
    return words.astype(np.uint32)


def _sort_by_digit(words: NDArray[np.uint64], moved: NDArray[np.uint64], shift: int) -> None:
    """Fill in the words sorted by their digit from bit `shift` upwards; stable."""
    parts = list(enumerate(_parts(words.size)))
    counts = np.zeros((len(parts), _BUCKETS), np.int64)
    spread(lambda part: _count(words, shift, counts[part[0]], *part[1]), parts)
    # where the first word of a bucket goes that a part holds: behind all lower buckets, and
    # behind what the parts before it have of this one
    starts = np.cumsum(counts.T).reshape(_BUCKETS, -1).T - counts
    spread(lambda part: _move(words, shift, starts[part[0]].copy(), moved, *part[1]), parts)


@njit(nogil=True, cache=True, error_model="numpy")
def _count(
    words: NDArray[np.uint64], shift: int, counts: NDArray[np.int64], first: int, last: int
) -> None:
    """Count the digits, from bit `shift` upwards, of the words `first` .. `last`."""
    for i in range(_U(first), _U(last)):
        counts[(words[i] >> _U(shift)) & _U(_BUCKETS - 1)] += 1


@njit(nogil=True, cache=True, error_model="numpy")
def _move(
    words: NDArray[np.uint64],
    shift: int,
    starts: NDArray[np.int64],
    moved: NDArray[np.uint64],
    first: int,
    last: int,
) -> None:
    """Move the words `first` .. `last` to where those with their digit belong."""
    for i in range(_U(first), _U(last)):
        bucket = (words[i] >> _U(shift)) & _U(_BUCKETS - 1)
        moved[_U(starts[bucket])] = words[i]
        starts[bucket] += 1


@njit(nogil=True, cache=True, error_model="numpy")
def sort_few(keys: NDArray[np.uint64]) -> NDArray[np.uint32]:
    """Positions that sort unsigned keys, few enough to stay in the cache; stable."""
    n = keys.size
    order, spare = np.empty(n, np.uint32), np.empty(n, np.uint32)
    spare_keys = np.empty(n, np.uint64)
    starts = np.empty(_BUCKETS, np.int64)
    every, some = ~_U(0), _U(0)
    for i in range(n):
        order[i] = i
        every &= keys[i]
        some |= keys[i]
    for shift in range(_U(0), _U(64), _U(_DIGIT)):
        if ((some ^ every) >> shift) & _U(_BUCKETS - 1) == 0:
            continue
        starts[:] = 0
        for i in range(n):
            starts[(keys[i] >> shift) & _U(_BUCKETS - 1)] += 1
        start = 0
        for b in range(_BUCKETS):
            count = starts[b]
            starts[b] = start
            start += count
        for i in range(n):
            bucket = (keys[i] >> shift) & _U(_BUCKETS - 1)
            at = _U(starts[bucket])
            spare[at] = order[i]
            spare_keys[at] = keys[i]
            starts[bucket] += 1
        order, spare = spare, order
        keys, spare_keys = spare_keys, keys
    return order
