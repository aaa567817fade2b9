"""One palette for a whole film, and the way from a color to its place in it."""

from __future__ import annotations

from itertools import islice
from typing import TYPE_CHECKING

import numpy as np

from scanpy_anim.video._film import opaque

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator

    from numpy.typing import NDArray

    from scanpy_anim.video._film import Film
    from scanpy_anim.video._options import Options

CLEAR = 255  # the last index means: transparent, or what was there before
_SEE_THROUGH = 1 << 24
_SAMPLED_FRAMES = 16
_SAMPLED_PIXELS = 60_000
_BINS = 8192  # most frequent colors that take part in the search


def colors_of(quality: int) -> int:
    """Turn a quality into a number of colors: all 255 from 80 upwards, 8 at the least."""
    return int(min(255, max(8, 255 * (quality / 80) ** 2)))


def film_palette(film: Film, options: Options, colors: int) -> NDArray[np.uint8]:
    """Choose the palette: reserved colors first, then what the frames need most.

    Parameters
    ----------
    film
        Its `background` and `palette` are reserved; so long a list that it would leave
        nothing for the blends between colors is thinned, neighbours first.
    options
        Resolution of the pass over the frames.
    colors
        How many at most, up to 255.

    Returns
    -------
    `(k, 3)` uint8, `k <= colors`.
    """
    reserved = np.array([film.background], np.uint8)
    if film.palette is not None:
        reserved = np.concatenate([reserved, np.asarray(film.palette, np.uint8)])
    reserved = _thinned(reserved, max(1, colors // 2))
    met, weight = _sampled_colors(film, options)
    return np.concatenate([reserved, _filled(reserved, met, weight, colors - len(reserved))])


def _thinned(colors: NDArray[np.uint8], most: int) -> NDArray[np.uint8]:
    """Drop repeated colors, then those closest to an earlier one, until `most` are left."""
    _, first = np.unique(colors, axis=0, return_index=True)
    colors = colors[np.sort(first)]
    apart = 1
    while len(colors) > most:
        apart += 1
        left, kept = colors.astype(np.int64), []
        while len(left):
            kept.append(left[0])
            left = left[((left - left[0]) ** 2).sum(1) >= apart * apart]
        colors = np.array(kept, np.uint8)
    return colors


def _sampled_colors(film: Film, options: Options) -> tuple[NDArray[np.uint8], NDArray]:
    """Meet the film's colors in some pixels of some frames, gathered in bins of 6 bits a channel.

    Returns
    -------
    `(k, 3)` colors, the mean of each bin met (exact if it holds one color), the most frequent
    ones only, and the square root of how often each was met: a small vivid cluster counts for
    more than its area.
    """
    counts = np.zeros(1 << 18)
    sums = np.zeros((3, 1 << 18))
    every = -(-len(film) // _SAMPLED_FRAMES)
    last = (len(film) - 1) % every
    for frame in islice(film.frames(options.scale), last, None, every):
        pixels = opaque(frame, film.background).reshape(-1, 3)
        stride = max(1, len(pixels) // _SAMPLED_PIXELS) | 1
        channels = pixels[::stride].T.astype(np.int64)
        red, green, blue = channels >> 2
        bins = (red << 12) | (green << 6) | blue
        counts += np.bincount(bins, minlength=len(counts))
        for total, channel in zip(sums, channels, strict=True):
            total += np.bincount(bins, channel, len(counts))
    met = np.flatnonzero(counts)
    met = np.sort(met[np.argsort(-counts[met], kind="stable")[:_BINS]])
    return np.rint(sums[:, met] / counts[met]).T.astype(np.uint8), np.sqrt(counts[met])


def _filled(
    reserved: NDArray[np.uint8], met: NDArray[np.uint8], weight: NDArray, free: int
) -> NDArray[np.uint8]:
    """Add colors where the reserved ones are far from what was met (weighted k-means).

    Each start is the color with the largest weighted error left; then a few Lloyd steps, in
    which the reserved colors stay where they are.
    """
    from scipy.spatial import KDTree

    points = met.astype(np.float32)
    centres = reserved.astype(np.float32)
    error = np.full(len(points), np.inf, np.float32)
    for centre in centres:
        error = np.minimum(error, ((points - centre) ** 2).sum(1))
    for _ in range(free):
        worst = int((error * weight).argmax())
        if error[worst] == 0:
            break
        centres = np.concatenate([centres, points[worst : worst + 1]])
        error = np.minimum(error, ((points - points[worst]) ** 2).sum(1))
    for _ in range(5):
        owner = KDTree(centres).query(points)[1]
        total = np.bincount(owner, weight, len(centres))
        for channel in range(3):
            sums = np.bincount(owner, weight * points[:, channel], len(centres))
            moved = np.divide(sums, total, out=centres[:, channel].astype(float), where=total > 0)
            centres[len(reserved) :, channel] = moved[len(reserved) :]
    return np.rint(centres[len(reserved) :]).astype(np.uint8)


class _ColorIndex:
    """From 24-bit colors to places in a palette: a table that is filled as colors are met.

    A color's place depends on nothing but the palette, so a pixel that keeps its color keeps
    its index through the whole film.
    """

    def __init__(self, palette: NDArray[np.uint8]) -> None:
        from scipy.spatial import KDTree

        self._tree = KDTree(palette.astype(float))
        self._table = np.full(1 << 24, CLEAR, np.uint8)

    def __call__(self, keys: NDArray[np.uint32]) -> NDArray[np.uint8]:
        """Give the index of each color `red | green << 8 | blue << 16`."""
        index = self._table[keys & 0xFFFFFF]
        unknown = (index == CLEAR) & (keys < _SEE_THROUGH)
        if unknown.any():
            new = np.unique(keys[unknown])
            colors = np.stack([new & 255, (new >> 8) & 255, new >> 16], axis=1)
            self._table[new] = self._tree.query(colors)[1]
            index = self._table[keys & 0xFFFFFF]
        index[keys >= _SEE_THROUGH] = CLEAR
        return index


def packed(frame: NDArray[np.uint8], background: tuple[int, int, int]) -> NDArray[np.uint32]:
    """Pack each pixel into one number, red lowest; `_SEE_THROUGH` where there is none.

    What is half transparent is laid on the background: a palette knows all or nothing. Each
    number is read over its three bytes and the one behind them, which is masked out.
    """
    shape = frame.shape[:2]
    channels = np.empty(shape[0] * shape[1] * 3 + 1, np.uint8)
    channels[:-1] = opaque(frame, background).ravel()
    keys = np.ndarray(shape, "<u4", channels, strides=(shape[1] * 3, 3)) & np.uint32(0xFFFFFF)
    if frame.shape[2] == 4:
        keys[frame[..., 3] == 0] |= np.uint32(_SEE_THROUGH)
    return keys


def as_indices(
    frames: Iterable[NDArray[np.uint8]],
    palette: NDArray[np.uint8],
    background: tuple[int, int, int] = (255, 255, 255),
) -> Iterator[NDArray[np.uint8]]:
    """Replace the colors of each frame by places in the palette, looking only at what changed.

    Yields
    ------
    `(height, width)` indices; `CLEAR` where the frame is transparent.
    """
    find = _ColorIndex(palette)
    before: NDArray[np.uint32] | None = None
    for frame in frames:
        keys = packed(frame, background)
        if before is None:
            index = find(keys.ravel()).reshape(keys.shape)
        else:
            changed = keys != before
            index = index.copy()
            index[changed] = find(keys[changed])
        before = keys
        yield index
