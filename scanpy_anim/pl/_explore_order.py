"""In which order a page holds the cells: back to front, as the film draws them."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np

from scanpy_anim import explorer
from scanpy_anim.pl._categorical_coloring import CategoricalColoring
from scanpy_anim.raster._sorting import stable_order

if TYPE_CHECKING:
    from numpy.typing import NDArray

    from scanpy_anim.pl._continuous_coloring import ContinuousColoring

    _Coloring = ContinuousColoring | CategoricalColoring

_STEPS = 128  # of the peaks that go one after the other
_MARGIN = 0.1  # pixels: a disk is drawn where it is but for so much


def order_of_resting(
    positions: NDArray[np.float64], pixels: NDArray[np.float64], radius: float, coloring: _Coloring
) -> NDArray[np.intp]:
    """Return the cells that are somewhere, back to front: any two that overlap as in the film.

    Parameters
    ----------
    positions, pixels, radius
        `(n_obs, 2)` where cells are, also in the picture, and how large they are there.
    coloring
        The film's, which says what lies on top.
    """
    somewhere = _known(positions)
    below, above = _layers(somewhere, coloring)
    along = np.zeros(len(positions), np.uint32)
    along[somewhere] = explorer.along_curve(positions[somewhere])
    blocks = None
    if coloring.order is not None:
        key = np.asarray(coloring.order.sort_key)
        labels = isinstance(coloring, CategoricalColoring)
        blocks = key if labels else _blocks(key, np.concatenate([below, above]))
    reach = radius + _MARGIN
    parts = [explorer.drawing_order(part, along, pixels, reach, blocks) for part in (below, above)]
    return np.concatenate(parts)


def order_of_moving(stops: NDArray[np.float64], coloring: _Coloring) -> NDArray[np.intp]:
    """Return the cells that are somewhere, back to front: any two may come to overlap."""
    return np.concatenate(_layers(np.logical_or.reduce(_known(stops)), coloring))


def order_of_turning(points: NDArray[np.float64]) -> NDArray[np.intp]:
    """Return the cells that are somewhere in the order of the data: which lies on top changes."""
    return np.flatnonzero(np.isfinite(points).all(axis=1))


def _known(places: NDArray[np.float64]) -> NDArray[np.bool_]:
    return np.isfinite(places[..., 0]) & np.isfinite(places[..., 1])


def _layers(
    somewhere: NDArray[np.bool_], coloring: _Coloring
) -> tuple[NDArray[np.intp], NDArray[np.intp]]:
    """Return cells back to front, and apart those that lie above all others in every frame."""
    order, above = np.arange(len(somewhere)), np.zeros(len(somewhere), bool)
    if coloring.order is not None:
        key, first_on_top, on_top = coloring.order
        order = stable_order(key, last_first=first_on_top).astype(np.intp)
        above[on_top] = True
    order = order[somewhere[order]]
    return order[~above[order]], order[above[order]]


def _blocks(key: NDArray, order: NDArray[np.intp]) -> NDArray[np.int64]:
    """Return steps of a key, cells without one apart: alike cells are alike in all frames."""
    sorted_key = key[order]
    new = np.append(True, sorted_key[1:] != sorted_key[:-1]) & ~np.isnan(sorted_key)
    first = np.maximum.accumulate(np.where(new, np.arange(len(order)), 0))
    blocks = np.zeros(len(key), np.int64)
    blocks[order] = np.where(np.isnan(sorted_key), -1, first * _STEPS // max(len(order), 1))
    return blocks


def top_of(order: NDArray[np.intp], coloring: _Coloring) -> int:
    """Return how many of the last cells lie above all others in every frame."""
    if coloring.order is None or not len(coloring.order.on_top):
        return 0
    return int(np.isin(order, coloring.order.on_top).sum())
