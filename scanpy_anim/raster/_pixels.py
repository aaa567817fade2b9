"""Pixels of a canvas as a whole: restored, covered by what lies over the points, handed on."""

from __future__ import annotations

import sys
from itertools import pairwise
from typing import TYPE_CHECKING

import numpy as np
from numba import njit

from scanpy_anim._threads import spread, thread_count

if TYPE_CHECKING:
    from numpy.typing import NDArray

_U = np.uint64
_AT_ONCE = 1 << 18  # pixels, at least, that are worth a thread of their own
_GROUP = 4  # pixels that are three words once their alpha is gone


def restore(pixels: NDArray[np.uint8], base: NDArray[np.uint8]) -> None:
    """Copy `(height, width, 4)` pixels of a base onto a canvas, on all threads."""
    flat, source = pixels.reshape(-1), base.reshape(-1)
    parts = _parts(flat.size, flat.size // 4)
    spread(lambda part: np.copyto(flat[part], source[part]), parts)


def to_rgb(pixels: NDArray[np.uint8], after: NDArray[np.uint8] | None = None) -> NDArray[np.uint8]:
    """Copy an opaque `(height, width, 4)` canvas without its alpha, on all threads.

    Parameters
    ----------
    pixels
        The canvas.
    after
        What the canvas is afterwards, in the same pass over it; `None`: it stays as it is.

    Returns
    -------
    `(height, width, 3)`, contiguous.
    """
    height, width = pixels.shape[:2]
    if sys.byteorder != "little" or not pixels.flags.c_contiguous:
        rgb = np.ascontiguousarray(pixels[..., :3])
        pixels[:] = pixels if after is None else after
        return rgb
    n = height * width
    rgb = np.empty((height, width, 3), np.uint8)
    flat, words = rgb.reshape(-1), pixels.view(np.uint32).reshape(-1)
    fresh = words if after is None else after.view(np.uint32).reshape(-1)
    groups = n // _GROUP
    packed = flat[: 3 * _GROUP * groups].view(np.uint32)

    def pack(part: slice) -> None:
        _drop_alpha(words, fresh, packed, part.start, part.stop)

    spread(pack, _parts(groups, n))
    rest = slice(_GROUP * groups, n)
    flat[3 * _GROUP * groups :] = pixels.reshape(-1, 4)[rest, :3].reshape(-1)
    words[rest] = fresh[rest]
    return rgb


def _parts(n: int, n_pixels: int) -> list[slice]:
    """Cut what belongs to so many pixels into a part for each thread."""
    n_parts = max(1, min(thread_count(), n_pixels // _AT_ONCE))
    ends = [n * k // n_parts for k in range(n_parts + 1)]
    return [slice(a, b) for a, b in pairwise(ends)]


@njit(nogil=True, cache=True, error_model="numpy")
def _drop_alpha(
    words: NDArray[np.uint32],
    fresh: NDArray[np.uint32],
    packed: NDArray[np.uint32],
    first: int,
    last: int,
) -> None:
    """Pack the groups `first` .. `last` of four pixels, R G B A in memory, into three words.

    Other pixels take their places on the canvas.
    """
    color = _U(0xFFFFFF)
    for i in range(_U(first), _U(last)):
        a, b = _U(words[_U(4) * i]) & color, _U(words[_U(4) * i + _U(1)]) & color
        c, d = _U(words[_U(4) * i + _U(2)]) & color, _U(words[_U(4) * i + _U(3)])
        low = a | (b << _U(24)) | (c << _U(48))
        packed[_U(3) * i] = np.uint32(low & _U(0xFFFFFFFF))
        packed[_U(3) * i + _U(1)] = np.uint32(low >> _U(32))
        packed[_U(3) * i + _U(2)] = np.uint32(((c >> _U(16)) | (d << _U(8))) & _U(0xFFFFFFFF))
        for k in range(_U(4) * i, _U(4) * i + _U(4)):
            words[k] = fresh[k]


class Overlay:
    """The pixels that a figure has over some points, sparse, to be blended again and again.

    Parameters
    ----------
    layer
        `(height, width, 4)` RGBA bytes, straight alpha.
    where
        `(height, width)` pixels to take from it.
    """

    def __init__(self, layer: NDArray[np.uint8], where: NDArray[np.bool_]) -> None:
        self._pixels = np.flatnonzero(where)
        rgba = layer.reshape(-1, 4)[self._pixels].astype(np.float32) / np.float32(255)
        self._alpha = np.ascontiguousarray(rgba[:, 3:])
        self._ink = rgba[:, :3] * self._alpha

    def over(self, pixels: NDArray[np.uint8], *, opaque: bool = False) -> None:
        """Blend the overlay over a `(height, width, 4)` canvas of straight RGBA bytes, in place.

        Porter and Duff's *over*.

        Parameters
        ----------
        pixels
            The canvas.
        opaque
            Whether nothing shines through the canvas, which is faster.
        """
        flat = pixels.reshape(-1, 4)
        if opaque:
            _over_opaque(flat, self._pixels, self._ink, self._alpha)
            return
        below = flat[self._pixels]
        under = below[:, 3:] * ((1 - self._alpha) / 255)
        total = self._alpha + under
        mixed = self._ink * 255 + below[:, :3] * under
        np.divide(mixed, total, out=mixed, where=total > 0)
        flat[self._pixels] = np.rint(np.concatenate([mixed, total * 255], axis=1))


@njit(nogil=True, cache=True, error_model="numpy")
def _over_opaque(
    flat: NDArray[np.uint8],
    pixels: NDArray[np.int64],
    ink: NDArray[np.float32],
    alpha: NDArray[np.float32],
) -> None:
    """Blend colors, `ink` times their `alpha` already, over some opaque pixels."""
    for i in range(pixels.size):
        p = pixels[i]
        for channel in range(3):
            below = np.float32(flat[p, channel]) * (np.float32(1) - alpha[i, 0])
            flat[p, channel] = np.uint8(np.rint(ink[i, channel] * np.float32(255) + below))
