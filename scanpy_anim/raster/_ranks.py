"""Ranks of a frame's values as colour levels."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np

if TYPE_CHECKING:
    from numpy.typing import ArrayLike, NDArray


def rank_levels(
    values: ArrayLike,
    n_levels: int = 256,
    *,
    vmin: float | None = None,
    vmax: float | None = None,
) -> NDArray[np.uint16]:
    """Colour levels of the ranks of `values`, ties averaged.

    The level of a value is the row of the colour map that
    ``cmap(Normalize(vmin, vmax)(scipy.stats.rankdata(values)))`` takes its colour from, found
    without sorting all values.

    Parameters
    ----------
    values
        One value a cell. NaN has no rank.
    n_levels
        Colours in the colour map.
    vmin, vmax
        Ranks (1 to the number of values) at the ends of the colour map. By default the lowest and
        the highest rank among the values. If they are equal every level is 0.

    Returns
    -------
    Levels ``0 .. n_levels - 1``; below `vmin` ``n_levels`` (under), above `vmax` ``n_levels + 1``
    (over), NaN ``n_levels + 2`` (bad): the rows of :func:`color_table`.

    Examples
    --------
    >>> from scanpy_anim.raster import rank_levels
    >>> rank_levels([0.1, 5.0, 5.0, 80.0, float("nan")])
    array([  0, 128, 128, 255, 258], dtype=uint16)
    """
    from ._rank_kernels import level_ranks
    from ._sorting import sort_keys

    low = np.nan if vmin is None else float(vmin)
    high = np.nan if vmax is None else float(vmax)
    if low > high:
        msg = f"vmin must not be above vmax, got vmin={vmin!r} and vmax={vmax!r}"
        raise ValueError(msg)
    flat = np.ravel(np.ma.filled(np.ma.asarray(values, dtype=_kept_dtype(values)), np.nan))
    return level_ranks(sort_keys(flat), n_levels, low, high)


def _kept_dtype(values: ArrayLike) -> np.dtype:
    """Masked integers become float64, so that NaN can stand for what is masked."""
    dtype = np.asanyarray(values).dtype
    masked = np.ma.is_masked(values)
    return np.dtype(np.float64) if masked and dtype.kind != "f" else dtype
