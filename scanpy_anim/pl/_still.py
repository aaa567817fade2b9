"""Single frames of a film as figures."""

from __future__ import annotations

import copy
from contextlib import contextmanager
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence

    from matplotlib.artist import Artist
    from matplotlib.figure import Figure


def copy_of(figure: Figure, photos: Sequence[Sequence[Artist]], i: int) -> Figure:
    """Copy a film's figure with the artists of frame `i` and of no other frame.

    The copy shares the cells' geometry with the film and is not known to pyplot.
    """
    import matplotlib.pyplot as plt

    known = set(plt.get_fignums())
    others = [artist for k, photo in enumerate(photos) if k != i for artist in photo]
    with _off_stage(others), seen(photos[i]):
        still = copy.deepcopy(figure)
    for number in set(plt.get_fignums()) - known:
        plt.close(number)
    return still


@contextmanager
def _off_stage(artists: Sequence[Artist]) -> Iterator[None]:
    """Take artists from their axes for a moment."""
    homes = [(artist, artist.axes) for artist in artists]
    for artist, _ in homes:
        artist.remove()
    try:
        yield
    finally:
        for artist, ax in homes:
            assert ax is not None
            ax.add_artist(artist)


@contextmanager
def seen(artists: Sequence[Artist], visible: bool = True) -> Iterator[None]:
    """Make artists visible, or not, for a moment."""
    before = [artist.get_visible() for artist in artists]
    for artist in artists:
        artist.set_visible(visible)
    try:
        yield
    finally:
        for artist, was in zip(artists, before, strict=True):
            artist.set_visible(was)
