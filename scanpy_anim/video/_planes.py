"""Frames as encoders take them: brightness and color apart (BT.709), color at half the resolution.

Brightness is 16 to 235 and color 16 to 240 around 128, in whole numbers of 2^-16, rounded once.
The color of four pixels is that of their mean, so that it is closest to theirs once shown. Grey has
none.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import numpy as np
from numba import njit

from scanpy_anim._threads import spread

if TYPE_CHECKING:
    from numpy.typing import NDArray

_ROWS = 64  # pairs of them that are converted at a time
_I = np.int32
_ONE = 16  # bits of the fraction
_LUMA = (11966, 40254, 4064)  # 219 / 255 of 0.2126, 0.7152, 0.0722
_BLUE, _RED = (-6596, -22188, 28784), (28784, -26145, -2639)  # 112 / 255 at most; sum up to 0
_HALF = 1 << (_ONE - 1)
_BLACK, _GREY = (16 << _ONE) + _HALF, ((128 << _ONE) + _HALF) << 2


def to_video(av: Any, frame: NDArray[np.uint8]) -> Any:
    """Make PyAV's yuv420p frame of an opaque `(height, width, 3 or 4)` one, both sides even."""
    frame = np.require(frame, np.uint8, ["C", "W"])
    height, width = frame.shape[:2]
    video = av.VideoFrame(width, height, "yuv420p")
    luma, blue, red = (np.frombuffer(p, np.uint8).reshape(-1, p.line_size) for p in video.planes)

    def convert(first: int) -> None:
        _convert(frame, luma, blue, red, first, min(first + _ROWS, height // 2))

    spread(convert, range(0, height // 2, _ROWS))
    return video


@njit(nogil=True, cache=True, error_model="numpy")
def _convert(
    frame: NDArray[np.uint8],
    luma: NDArray[np.uint8],
    blue: NDArray[np.uint8],
    red: NDArray[np.uint8],
    first: int,
    last: int,
) -> None:
    """Fill in the rows `first` .. `last` of color, and the twice as many of brightness."""
    width = frame.shape[1]
    for row in range(first, last):
        for y in range(2 * row, 2 * row + 2):
            line = frame[y]
            for x in range(width):
                luma[y, x] = _weighed(line[x, 0], line[x, 1], line[x, 2], _LUMA, _BLACK) >> _I(_ONE)
        above, below = frame[2 * row], frame[2 * row + 1]
        for x in range(width // 2):
            r, g, b = _sum(above, below, x, 0), _sum(above, below, x, 1), _sum(above, below, x, 2)
            blue[row, x] = _weighed(r, g, b, _BLUE, _GREY) >> _I(_ONE + 2)
            red[row, x] = _weighed(r, g, b, _RED, _GREY) >> _I(_ONE + 2)


@njit(inline="always")
def _sum(above: NDArray[np.uint8], below: NDArray[np.uint8], x: int, channel: int) -> np.int32:
    """Add up four pixels."""
    left, right = 2 * x, 2 * x + 1
    upper = _I(above[left, channel]) + _I(above[right, channel])
    return upper + _I(below[left, channel]) + _I(below[right, channel])


@njit(inline="always")
def _weighed(r: Any, g: Any, b: Any, weights: tuple[int, int, int], start: int) -> np.int32:
    """Weigh red, green and blue, in 2^-16."""
    return _I(weights[0]) * _I(r) + _I(weights[1]) * _I(g) + _I(weights[2]) * _I(b) + _I(start)
