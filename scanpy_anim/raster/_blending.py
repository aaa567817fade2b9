"""Agg's 8-bit alpha blending, operation by operation.

Agg keeps straight (not premultiplied) RGBA bytes and truncates after every blend. On an opaque
canvas one blend of a color `c` with opacity `a` over `p` is

    p + floor((c - p) * 256 a / (65280 + a))

which is done here in fixed point with `_STEP`, all channels at once: each has 16 bits of a 64-bit
word to itself, R and B in one product, G in another. `a = 255` replaces the pixel.

Opacities of colors are multiplied by coverage before, as Agg does, with rounding.
"""

from __future__ import annotations

import sys
from typing import TYPE_CHECKING

import numpy as np
from numba import njit

if TYPE_CHECKING:
    from numpy.typing import NDArray

# A pixel of the canvas is four bytes in memory, R G B A, read as one unsigned integer.
_R, _G, _B, _A = (0, 8, 16, 24) if sys.byteorder == "little" else (24, 16, 8, 0)

_U = np.uint64
_BYTE = _U(255)
_RB = _U(0x000000FF000000FF)  # a color is R at bit 0, G at 8, B at 32, A at 48
_HALF_RB = _U(0x0000004000000040)  # more than 255 errors of _STEP, less than a step of the fraction
_HALF = _U(0x40)
_SHIFT = _U(24)
_ONE = _U(1 << 24)

_OPACITY = np.arange(256, dtype=np.int64)
_STEP = (-(-(_OPACITY << 32) // (65280 + _OPACITY))).astype(np.uint64)
_STEP[255] = _ONE


def pack_colors(rgba: NDArray[np.uint8]) -> NDArray[np.uint64]:
    """Colors, `(n, 4)` bytes, as the kernels take them."""
    r, g, b, a = np.asarray(rgba, dtype=np.uint64).T
    return np.ascontiguousarray(r | g << _U(8) | b << _U(32) | a << _U(48))


def step_of_cover(alpha: int) -> NDArray[np.uint64]:
    """Tabulate the fixed-point step for each coverage of a color with this alpha (0 to 255)."""
    product = np.arange(256) * int(alpha) + 128
    return _STEP[((product >> 8) + product) >> 8]


@njit(inline="always")
def opacity(color: np.uint64) -> np.uint64:
    """Alpha of a color, 0 to 255."""
    return color >> _U(48)


@njit(inline="always")
def product(a: np.uint64, b: np.uint64) -> np.uint64:
    """Multiply two bytes as parts of 255, rounded."""
    t = a * b + _U(128)
    return ((t >> _U(8)) + t) >> _U(8)


@njit(inline="always")
def faded(color: np.uint64, alpha: int) -> np.uint64:
    """Color with its alpha multiplied by another (0 to 255)."""
    return (color & _U(0xFFFFFFFFFFFF)) | (product(opacity(color), _U(alpha)) << _U(48))


@njit(inline="always")
def is_opaque(pixel: np.uint32) -> bool:
    """Whether nothing shines through a pixel of the canvas."""
    return (_U(pixel) >> _U(_A)) & _BYTE == _BYTE


@njit(inline="always")
def red_blue(pixel: np.uint32) -> np.uint64:
    """R and B of a pixel, each in a lane of its own."""
    return ((_U(pixel) >> _U(_R)) & _BYTE) | (((_U(pixel) >> _U(_B)) & _BYTE) << _U(32))


@njit(inline="always")
def green(pixel: np.uint32) -> np.uint64:
    """G of a pixel."""
    return (_U(pixel) >> _U(_G)) & _BYTE


@njit(inline="always")
def step_red_blue(rb: np.uint64, color: np.uint64, step: np.uint64) -> np.uint64:
    """Move R and B by a fixed-point step towards a color's."""
    return ((rb * (_ONE - step) + (color & _RB) * step + _HALF_RB) >> _SHIFT) & _RB


@njit(inline="always")
def step_green(g: np.uint64, color: np.uint64, step: np.uint64) -> np.uint64:
    """Move G by a fixed-point step towards a color's."""
    return (g * (_ONE - step) + ((color >> _U(8)) & _BYTE) * step + _HALF) >> _SHIFT


@njit(inline="always")
def opaque_pixel(rb: np.uint64, g: np.uint64) -> np.uint32:
    """Put a pixel together again."""
    return _pixel(rb & _BYTE, g, rb >> _U(32), _BYTE)


@njit(inline="always")
def _pixel(r: np.uint64, g: np.uint64, b: np.uint64, a: np.uint64) -> np.uint32:
    return np.uint32((r << _U(_R)) | (g << _U(_G)) | (b << _U(_B)) | (a << _U(_A)))


@njit(inline="always")
def blended(pixel: np.uint32, color: np.uint64, alpha: np.uint64) -> np.uint32:
    """Any pixel, opaque or not, after one blend of `color` with opacity `alpha` (0 to 255)."""
    if is_opaque(pixel) or alpha == _BYTE:
        step = _STEP[alpha]
        rb = step_red_blue(red_blue(pixel), color, step)
        return opaque_pixel(rb, step_green(green(pixel), color, step))
    if alpha == 0:
        return pixel
    a = (_U(pixel) >> _U(_A)) & _BYTE
    total = ((alpha + a) << _U(8)) - alpha * a
    rb = red_blue(pixel)
    return _pixel(
        _mixed(rb & _BYTE, color & _BYTE, a, alpha, total),
        _mixed(green(pixel), (color >> _U(8)) & _BYTE, a, alpha, total),
        _mixed(rb >> _U(32), (color >> _U(32)) & _BYTE, a, alpha, total),
        total >> _U(8),
    )


@njit(inline="always")
def _mixed(
    under: np.uint64, over: np.uint64, a: np.uint64, alpha: np.uint64, total: np.uint64
) -> np.uint64:
    """One channel of a blend over a pixel with alpha `a`: Agg's straight alpha, in integers."""
    weighted = np.int64(under * a)
    return _U(
        (((np.int64(over) << 8) - weighted) * np.int64(alpha) + (weighted << 8)) // np.int64(total)
    )
