"""Values to color levels, color maps and palettes to color tables."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import numpy as np
from numba import njit

from scanpy_anim._threads import spread
from scanpy_anim.raster._frame import writable

if TYPE_CHECKING:
    from collections.abc import Callable

    from numpy.typing import ArrayLike, NDArray

_CHUNK = 1 << 16  # values that stay in the cache between the steps of a norm
_AT_ONCE = 1 << 18  # values of a plain norm that are worth a thread of their own


def value_levels(
    values: ArrayLike, norm: Callable[[NDArray], Any], n_levels: int = 256
) -> NDArray[np.uint16]:
    """Color levels of `values`: the row that matplotlib's color map takes for each.

    Parameters
    ----------
    values
        One value a cell, possibly masked.
    norm
        Any :class:`matplotlib.colors.Normalize`; its limits must be set if they matter.
    n_levels
        Colors in the color map.

    Returns
    -------
    Levels `0 .. n_levels - 1`, `n_levels` (under), `n_levels + 1` (over), `n_levels + 2`
    (bad: NaN or masked): the rows of :func:`color_table`.

    Examples
    --------
    >>> from matplotlib.colors import Normalize
    >>> from scanpy_anim.raster import value_levels
    >>> value_levels([0.0, 1.0, 2.0, 3.0, float("nan")], Normalize(0.0, 2.0))
    array([  0, 128, 255, 257, 258], dtype=uint16)
    """
    flat = np.ma.asarray(values).ravel() if np.ma.isMaskedArray(values) else np.ravel(values)
    scaled = getattr(norm, "scaled", lambda: False)()
    if scaled and _is_linear(norm, flat):
        return _linear_levels(flat, norm, n_levels)
    step = _CHUNK if scaled else max(flat.size, 1)
    levels = np.empty(flat.size, np.uint16)
    for start in range(0, flat.size, step):
        levels[start : start + step] = _rows(norm(flat[start : start + step]), n_levels)
    return levels


def _is_linear(norm: Any, values: NDArray) -> bool:
    """Whether a norm is matplotlib's plain one, on plain floats that it does not widen."""
    plain = type(norm).__name__ == "Normalize" and type(norm).__module__ == "matplotlib.colors"
    if not plain or norm.clip or np.ma.isMaskedArray(values):
        return False
    return values.dtype in (np.float32, np.float64) and norm.vmin < norm.vmax


def _linear_levels(values: NDArray, norm: Any, n_levels: int) -> NDArray[np.uint16]:
    (vmin,), _ = norm.process_value(norm.vmin)
    (vmax,), _ = norm.process_value(norm.vmax)
    low, span = float(vmin), float(vmax - vmin)
    values, levels = writable(values), np.empty(values.size, np.uint16)

    def fill(first: int) -> None:
        last = min(first + _AT_ONCE, values.size)
        _fill_linear(values, low, span, n_levels, levels, first, last)

    spread(fill, range(0, values.size, _AT_ONCE))
    return levels


@njit(nogil=True, cache=True, error_model="numpy")
def _fill_linear(
    values: NDArray[np.floating],
    vmin: float,
    span: float,
    n_levels: int,
    levels: NDArray[np.uint16],
    first: int,
    last: int,
) -> None:
    """Fill in the levels `first` .. `last`: `n_levels * (value - vmin) / span`, cut off.

    Rounded to the dtype of the values after each step, as matplotlib's plain Normalize and Colormap
    do, so that no value changes its row.
    """
    kind = values.dtype.type
    top, zero = kind(n_levels), kind(0)
    highest, under = np.int32(n_levels - 1), np.int32(n_levels)
    over, bad = np.int32(n_levels + 1), np.int32(n_levels + 2)
    # choices instead of branches: many values are computed at once
    for i in range(np.uint64(first), np.uint64(last)):
        row = kind(np.float64(values[i]) - vmin)
        row = kind(np.float64(row) / span)
        row = kind(row * top)
        inside = (row >= zero) & (row < top)
        level = np.int32(row if inside else zero)
        level = level if inside else bad
        level = under if row < zero else level
        level = over if row > top else level
        level = highest if row == top else level
        levels[i] = np.uint16(level)


def _rows(normed: Any, n_levels: int) -> NDArray[np.int64]:
    """Rows of the table by the rules of matplotlib's Colormap."""
    scaled = np.array(np.ma.getdata(normed), copy=True)
    bad = np.isnan(scaled) | np.ma.getmaskarray(normed)
    if scaled.dtype.kind == "f":
        scaled *= n_levels
        scaled[scaled == n_levels] = n_levels - 1
    under, over = scaled < 0, scaled >= n_levels
    with np.errstate(invalid="ignore"):
        rows = scaled.astype(np.int64)
    rows[under] = n_levels
    rows[over] = n_levels + 1
    rows[bad] = n_levels + 2
    return rows


def color_table(cmap: Any) -> NDArray[np.uint8]:
    """Colors of a color map as bytes, one row a level, then under, over and bad.

    The bytes are those that matplotlib's Agg draws with: it rounds a color's parts to bytes, while
    `cmap(x, bytes=True)` cuts them off, one level darker for half of the colors.

    Parameters
    ----------
    cmap
        A :class:`matplotlib.colors.Colormap`.

    Returns
    -------
    `(cmap.N + 3, 4)` RGBA.
    """
    colors = [cmap(np.arange(cmap.N)), [cmap.get_under()], [cmap.get_over()], [cmap.get_bad()]]
    return color_bytes(np.concatenate(colors))


def color_bytes(colors: ArrayLike) -> NDArray[np.uint8]:
    """RGBA colors between 0 and 1 as bytes, rounded as Agg rounds them; a palette's table."""
    rgba = np.asarray(colors, dtype=np.float64).reshape(-1, 4)
    return np.floor(np.clip(rgba, 0, 1) * 255 + 0.5).astype(np.uint8)
