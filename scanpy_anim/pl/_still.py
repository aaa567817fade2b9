"""Single frames of a film as figures."""

from __future__ import annotations

import copy
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from collections.abc import Sequence

    from matplotlib.artist import Artist
    from matplotlib.figure import Figure


def copy_of(figure: Figure, photos: Sequence[Sequence[Artist]], i: int) -> Figure:
    """Copy a film's figure with the artists of frame `i` and of no other frame.

    The copy shares the cells' geometry with the film and is not known to pyplot.
    """
    import matplotlib.pyplot as plt

    known = set(plt.get_fignums())
    copies: dict[int, Any] = {}
    still = copy.deepcopy(figure, copies)
    for number in set(plt.get_fignums()) - known:
        plt.close(number)
    for k, photo in enumerate(photos):
        for artist in photo:
            if k == i:
                copies[id(artist)].set_visible(True)
            else:
                copies[id(artist)].remove()
    return still
