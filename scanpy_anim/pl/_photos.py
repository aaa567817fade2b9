"""The artists of each frame, which are on their axes only while the frame is shown."""

from __future__ import annotations

from contextlib import contextmanager
from threading import Lock, RLock
from typing import TYPE_CHECKING, Any, cast
from weakref import WeakKeyDictionary

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator

    from matplotlib.artist import Artist
    from matplotlib.axes import Axes
    from matplotlib.figure import Figure


class Photo(list["Artist"]):
    """The artists of one frame, and the axes of each.

    A film of thousands of frames would be slow if all artists stayed on the axes: whatever draws
    the figure goes through all of them.

    Parameters
    ----------
    artists
        What is on its axes now.
    """

    def __init__(self, artists: Iterable[Artist]) -> None:
        super().__init__(artists)
        self.axes = [cast("Axes", artist.axes) for artist in self]

    @property
    def is_shown(self) -> bool:
        """Whether its artists are on their axes."""
        return all(artist.axes is not None for artist in self)

    def enter(self) -> None:
        """Put the artists on their axes."""
        for artist, ax in zip(self, self.axes, strict=True):
            if artist.axes is None:
                ax.add_artist(artist)

    def leave(self) -> None:
        """Take the artists off their axes, unless `Axes.clear` has done so."""
        for artist in self:
            if artist.axes is not None:
                artist.remove()
            if artist.get_clip_path() is None:  # the axes clip it again when it enters
                artist.set_clip_box(None)  # or thousands of boxes would follow the axes


# films on one figure draw one at a time: each changes what the stage of the others shows
_locks: WeakKeyDictionary[Any, Any] = WeakKeyDictionary()
_looking = Lock()


def _lock_of(figure: Figure) -> Any:
    """Return the lock of a figure, the same for all of its films."""
    with _looking:
        return _locks.setdefault(figure, RLock())


class Screen:
    """A film's figure, on which one photo at a time is shown, to one thread at a time.

    Parameters
    ----------
    figure
        The stage.
    photo
        What is shown first.
    """

    def __init__(self, figure: Figure, photo: Photo) -> None:
        self.figure = figure
        self.photo = photo
        self.lock = _lock_of(figure)
        photo.enter()

    @property
    def is_there(self) -> bool:
        """Whether the stage is as it was: clearing axes takes the photo off them, too."""
        return self.photo.is_shown and all(ax.figure is not None for ax in self.photo.axes)

    def show(self, photo: Photo) -> None:
        """Show a photo in place of the one that is there, unless the stage is there no more."""
        with self.lock:
            if not self.is_there:
                return
            self.photo.leave()
            photo.enter()
            self.photo = photo

    @contextmanager
    def showing(self, photo: Photo | None) -> Iterator[None]:
        """Show a photo for a moment; `None`: the stage alone.

        Raises
        ------
        ValueError
            Where the stage is there no more.
        """
        with self._still_there():
            before = self.photo
            self.photo.leave()
            try:
                if photo is not None:
                    photo.enter()
                yield
            finally:
                if photo is not None:
                    photo.leave()
                before.enter()

    @contextmanager
    def bringing(self, photo: Photo) -> Iterator[None]:
        """Have a photo's artists on their axes for a moment, besides what is shown.

        Each can then be drawn by itself; raises as `showing`.
        """
        with self._still_there():
            if photo is self.photo:
                yield
                return
            try:
                photo.enter()
                yield
            finally:
                photo.leave()

    @contextmanager
    def _still_there(self) -> Iterator[None]:
        with self.lock:
            if not self.is_there:
                raise ValueError(
                    "the film's axes have been cleared since it was made, and its stage with them: "
                    "make it again, or give each film axes of its own (sca.pl.side_by_side puts "
                    "films into one figure)."
                )
            yield
