"""Points at rest on one canvas, computed when asked for and remembered."""

from __future__ import annotations

from collections import OrderedDict
from typing import TYPE_CHECKING

from ._compositor import Visibility, find_visible
from ._placement import Placement, place_points

if TYPE_CHECKING:
    import numpy as np
    from numpy.typing import NDArray

    from ._stamps import StampSheet
    from ._view import View

_REMEMBERED = 2  # opaque colours, and colours that let others through
_CLEAR = 16  # alpha (0 to 255) that hides next to nothing
_MOST_LISTED = 1 << 25  # inks listed though hardly anything hides them


class Scene:
    """Where the points of a layer fall on a canvas, and what can be seen of them.

    Parameters
    ----------
    offsets
        ``(n, 2)`` coordinates.
    stamps
        What is drawn at them.
    order
        Positions of the cells, back to front; empty: as they come.
    view
        The canvas.
    """

    def __init__(
        self,
        offsets: NDArray[np.float64],
        stamps: StampSheet,
        order: NDArray[np.uint32],
        view: View,
    ) -> None:
        self._offsets, self._stamps, self._order, self._view = offsets, stamps, order, view
        self._placement: Placement | None = None
        self._seen: OrderedDict[tuple[float, float], Visibility | None] = OrderedDict()

    def placement(self) -> Placement:
        """Where the cells fall; kept, because the painter needs it for every frame."""
        if self._placement is None:
            self._placement = place_points(self._offsets, self._stamps, self._view)
        return self._placement

    def visibility(self, least_alphas: tuple[float, float]) -> Visibility | None:
        """List what can be seen of points no more transparent than this; None: too much to list."""
        if least_alphas not in self._seen:
            self._seen[least_alphas] = self._look_through(least_alphas)
            while len(self._seen) > _REMEMBERED:
                self._seen.popitem(last=False)
        self._seen.move_to_end(least_alphas)
        return self._seen[least_alphas]

    def _look_through(self, least_alphas: tuple[float, float]) -> Visibility | None:
        # not kept: a placement is as large as the cells are many
        placement = self._placement or place_points(self._offsets, self._stamps, self._view)
        if min(least_alphas) < _CLEAR and placement.total_cover() > _MOST_LISTED:
            return None
        return find_visible(placement, self._order, least_alphas, self._view)
