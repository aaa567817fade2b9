"""Agg's 8-bit alpha blending, operation by operation.

Agg keeps straight (not premultiplied) RGBA bytes and truncates after every blend. On an opaque
canvas one blend of a colour ``c`` with opacity ``a`` over ``p`` is

    p + floor((c - p) * 256 a / (65280 + a))

which is done here in fixed point; ``a = 255`` replaces the pixel.
"""

from __future__ import annotations

import sys

import numpy as np
from numba import njit

# a pixel or a colour is four bytes, R G B A in memory, read as one unsigned integer
if sys.byteorder == "little":
    R, G, B, A = 0, 8, 16, 24
else:
    R, G, B, A = 24, 16, 8, 0

_SHIFT = 32
_OPACITY = np.arange(256, dtype=np.int64)
STEP = -(-(_OPACITY << (_SHIFT + 8)) // (65280 + _OPACITY))
STEP[255] = 1 << _SHIFT
ROUND = 512  # more than the error of STEP times 255, less than one step of the exact fraction


@njit(inline="always")
def product(a, b):
    """``a * b / 255``, rounded, of two bytes."""
    t = a * b + 128
    return ((t >> 8) + t) >> 8


@njit(inline="always")
def channel(color, shift):
    return (np.int64(color) >> shift) & 255


@njit(inline="always")
def faded(color, opacity):
    """The colour with its alpha multiplied by an opacity (0 to 255)."""
    alpha = product(channel(color, A), np.int64(opacity))
    return np.uint32((np.int64(color) & ~(255 << A)) | (alpha << A))


@njit(inline="always")
def stepped(under, over, step):
    """One channel of an opaque pixel after a blend."""
    return under + (((over - under) * step + ROUND) >> _SHIFT)


@njit(inline="always")
def packed(r, g, b, a):
    return np.uint32((r << R) | (g << G) | (b << B) | (a << A))


@njit(inline="always")
def blended(under, color, alpha):
    """Any pixel, opaque or not, after a blend of `color` with opacity `alpha` (0 to 255)."""
    if alpha == 0:
        return under
    if alpha == 255:
        return np.uint32((np.int64(color) & ~(255 << A)) | (255 << A))
    a = channel(under, A)
    if a == 255:
        step = STEP[alpha]
        return packed(
            stepped(channel(under, R), channel(color, R), step),
            stepped(channel(under, G), channel(color, G), step),
            stepped(channel(under, B), channel(color, B), step),
            a,
        )
    total = ((alpha + a) << 8) - alpha * a
    return packed(
        _mixed(channel(under, R), channel(color, R), a, alpha, total),
        _mixed(channel(under, G), channel(color, G), a, alpha, total),
        _mixed(channel(under, B), channel(color, B), a, alpha, total),
        total >> 8,
    )


@njit(inline="always")
def _mixed(under, over, a, alpha, total):
    weighted = under * a
    return (((over << 8) - weighted) * alpha + (weighted << 8)) // total
