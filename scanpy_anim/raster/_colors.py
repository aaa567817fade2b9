"""Values to colour levels, colour maps and palettes to colour tables."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import numpy as np

from ._inks import writable
from ._threads import spread

if TYPE_CHECKING:
    from collections.abc import Callable

    from numpy.typing import ArrayLike, NDArray

_CHUNK = 1 << 16  # values that stay in the cache between the steps of a norm


def value_levels(
    values: ArrayLike, norm: Callable[[NDArray], Any], n_levels: int = 256
) -> NDArray[np.uint16]:
    """Colour levels of `values`: the row that matplotlib's colour map takes for each.

    Parameters
    ----------
    values
        One value a cell, possibly masked.
    norm
        Any :class:`matplotlib.colors.Normalize`; its limits must be set if they matter.
    n_levels
        Colours in the colour map.

    Returns
    -------
    Levels ``0 .. n_levels - 1``, ``n_levels`` (under), ``n_levels + 1`` (over), ``n_levels + 2``
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
    from ._level_kernels import linear_levels

    (vmin,), _ = norm.process_value(norm.vmin)
    (vmax,), _ = norm.process_value(norm.vmax)
    low, span = float(vmin), float(vmax - vmin)
    values, levels = writable(values), np.empty(values.size, np.uint16)

    def fill(first: int) -> None:
        last = min(first + _CHUNK, values.size)
        linear_levels(values, low, span, n_levels, levels, first, last)

    spread(fill, range(0, values.size, _CHUNK))
    return levels


def _rows(normed: Any, n_levels: int) -> NDArray[np.int64]:
    """Rows of the table by the rules of matplotlib's Colormap."""
    place = np.array(np.ma.getdata(normed), copy=True)
    bad = np.isnan(place) | np.ma.getmaskarray(normed)
    if place.dtype.kind == "f":
        place *= n_levels
        place[place == n_levels] = n_levels - 1
    under, over = place < 0, place >= n_levels
    with np.errstate(invalid="ignore"):
        rows = place.astype(np.int64)
    rows[under] = n_levels
    rows[over] = n_levels + 1
    rows[bad] = n_levels + 2
    return rows


def color_table(cmap: Any) -> NDArray[np.uint8]:
    """Colours of a colour map as bytes, one row a level, then under, over and bad.

    The bytes are those that matplotlib's Agg draws with: it rounds a colour's parts to bytes, while
    ``cmap(x, bytes=True)`` cuts them off, one level darker for half of the colours.

    Parameters
    ----------
    cmap
        A :class:`matplotlib.colors.Colormap`.

    Returns
    -------
    ``(cmap.N + 3, 4)`` RGBA.
    """
    colors = [cmap(np.arange(cmap.N)), [cmap.get_under()], [cmap.get_over()], [cmap.get_bad()]]
    return color_bytes(np.concatenate(colors))


def color_bytes(colors: ArrayLike) -> NDArray[np.uint8]:
    """RGBA colours between 0 and 1 as bytes, rounded as Agg rounds them; a palette's table."""
    rgba = np.asarray(colors, dtype=np.float64).reshape(-1, 4)
    return np.floor(np.clip(rgba, 0, 1) * 255 + 0.5).astype(np.uint8)
