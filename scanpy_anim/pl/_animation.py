"""The film: a matplotlib animation that saves and shows itself."""

from __future__ import annotations

from collections.abc import Iterable
from typing import TYPE_CHECKING, Any

import numpy as np
from matplotlib.animation import ArtistAnimation

from scanpy_anim.pl._arguments import check_arguments, checked_dpi, is_count
from scanpy_anim.pl._backdrop import canvas_size, draw_frames
from scanpy_anim.pl._notebook import close_shown_twice, video_element
from scanpy_anim.pl._still import copy_of

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping, Sequence
    from pathlib import Path

    from matplotlib.artist import Artist
    from matplotlib.figure import Figure
    from numpy.typing import NDArray

    from scanpy_anim.pl._marks import Rings
    from scanpy_anim.pl._stage import Stage
    from scanpy_anim.pl._timeline import Timeline
    from scanpy_anim.video import Film


class EmbeddingAnimation(ArtistAnimation):
    """A film of an embedding, as `animate_embedding` returns it.

    All that matplotlib can do with an animation works. What this class adds draws the stage
    once and streams the frames, without system ffmpeg and without a second drawing.

    Parameters
    ----------
    figure
        The stage.
    photos
        The artists of each frame: the points of each panel, and texts.
    stage, rings
        How the figure was drawn, and which cells are ringed.
    timeline
        How long each frame is shown.
    titles
        What to call each frame.
    palette
        `(k, 3)` uint8 colours that a film with few colours has to keep.
    title, metadata
        What the film shows, and what goes into its files.

    Examples
    --------
    >>> import scanpy as sc, scanpy_anim as sca
    >>> adata = sc.datasets.pbmc68k_reduced()
    >>> sca.tl.label_propagation(adata, [0, 1])
    >>> film = sca.pl.animate_embedding(adata)
    >>> frames = list(film.frames(dpi=50))
    >>> len(frames) == len(film), frames[0].shape[2]
    (True, 3)
    """

    def __init__(
        self,
        figure: Figure,
        photos: Sequence[Sequence[Artist]],
        *,
        stage: Stage,
        rings: Sequence[Rings] = (),
        timeline: Timeline,
        titles: Sequence[str] = (),
        palette: NDArray[np.uint8] | None = None,
        title: str = "",
        metadata: Mapping[str, str] | None = None,
        progress: bool | None = None,
    ) -> None:
        self.figure = figure
        self.photos = photos
        self.timeline = timeline
        self._stage = stage
        self._rings = rings
        self._titles = list(titles)
        self._palette = palette
        self._title = title
        self._metadata = dict(metadata or {})
        self._progress = progress
        super().__init__(
            figure,
            photos,
            interval=1000 / timeline.fps,
            repeat_delay=1000 * timeline.moments[-1].held,
        )
        # matplotlib warns of animations that were never drawn; this one draws when asked
        self._draw_was_started = True
        self._show_only(0)

    def __len__(self) -> int:
        return len(self.photos)

    def __repr__(self) -> str:
        width, height = self.figure.get_size_inches()
        seconds = self.timeline.seconds().sum()
        return (
            f"EmbeddingAnimation of {self._title!r}: {len(self)} frame{'s' * (len(self) > 1)}, "
            f"{seconds:.1f} s, "
            f"{width:.1f} × {height:.1f} in"
        )

    def frames(self, dpi: float | None = None) -> Iterator[NDArray[np.uint8]]:
        """Draw the film, frame by frame.

        Parameters
        ----------
        dpi
            Dots per inch; `None`: the figure's own.

        Yields
        ------
        `(height, width, 3)` uint8 array, a new one for each frame; on white where the figure's
        background is transparent.

        Examples
        --------
        >>> import scanpy as sc, scanpy_anim as sca
        >>> adata = sc.datasets.pbmc68k_reduced()
        >>> film = sca.pl.animate_embedding(adata, color=["CD3D", "LYZ"], scale="linear")
        >>> [frame.shape for frame in film.frames(dpi=50)]
        [(240, 320, 3), (240, 320, 3)]
        """
        from matplotlib.colors import to_rgba

        from scanpy_anim.video._film import opaque

        ground = to_rgba(self.figure.get_facecolor())
        clear = ground[3] < 1
        for canvas in self._canvases(self.figure.dpi if dpi is None else checked_dpi(dpi)):
            yield opaque(canvas if clear else canvas[..., :3], _opaque(ground))

    def still(self, i: int) -> Figure:
        """Return one frame as a figure of its own, to be changed or saved in any format.

        Parameters
        ----------
        i
            The frame's number in the film; negative ones count from the end.

        Returns
        -------
        A copy of the figure that shows frame `i` and is not known to pyplot.

        Examples
        --------
        >>> import scanpy as sc, scanpy_anim as sca
        >>> adata = sc.datasets.pbmc68k_reduced()
        >>> film = sca.pl.animate_embedding(adata, color=["CD3D", "LYZ"], scale="linear")
        >>> film.still(-1).savefig("LYZ.pdf", dpi=300)
        """
        return copy_of(self.figure, self.photos, self._frame_number(i))

    def filmstrip(self, frames: Sequence[int] | None = None, *, n: int = 6) -> Figure:
        """Return chosen frames side by side as a matplotlib figure, with one legend.

        Parameters
        ----------
        frames
            Numbers of the frames in the film; negative ones count from the end.
        n
            How many, evenly from the first to the last, where `frames` are not given.

        Returns
        -------
        A figure that pyplot does not know. In a PDF or SVG the cells are an image, as fine as the
        `dpi` of `savefig` says, and everything else is lines and letters.

        Examples
        --------
        >>> import scanpy as sc, scanpy_anim as sca
        >>> adata = sc.datasets.pbmc68k_reduced()
        >>> sca.tl.label_propagation(adata, [0, 1])
        >>> film = sca.pl.animate_embedding(adata)
        >>> film.filmstrip([0, 2, -1]).savefig("strip.pdf", dpi=300)
        """
        from scanpy_anim.pl._filmstrip import filmstrip

        if frames is None:
            if not is_count(n) or n < 1:
                raise ValueError(f"n={n!r}: how many frames, 1 or more.")
            frames = np.unique(np.linspace(0, len(self) - 1, n).round().astype(int)).tolist()
        elif not isinstance(frames, Iterable):
            raise TypeError(f"frames={frames!r}: a list of frame numbers, such as [0, 2, -1].")
        chosen = [self._frame_number(i) for i in frames]
        if not chosen:
            raise ValueError("frames is empty: at least one frame is needed.")
        return filmstrip(self._stage, self.photos, self._titles, self._rings, chosen)

    def save(  # type: ignore[override]
        self,
        filename: str | Path,
        writer: Any = None,
        fps: float | None = None,
        dpi: float | str | None = None,
        *,
        hold: float | None = None,
        loop: int | None = None,
        quality: float | None = None,
        transparent: bool | None = None,
        max_bytes: int | str | None = None,
        target: str | None = None,
        metadata: Mapping[str, str] | None = None,
        progress: bool | None = None,
        **matplotlib: Any,
    ) -> None:
        """Write the film; the suffix says how.

        Parameters
        ----------
        filename
            Where to: `.gif`, `.mp4`, `.webm`, `.webp`, `.apng`, `.avif` or `.html`. A file that
            is there is replaced only once the new one is complete.
        writer
            A matplotlib writer or its name, for matplotlib's own way of saving; `None`: ours.
        fps
            Frames a second; `None`: as the film was made.
        dpi
            Dots per inch; `None`: `rcParams["savefig.dpi"]`.
        hold
            Seconds that the last frame stays; `None`: as the film was made.
        loop
            How often it plays; 0 or `None`: for ever.
        quality
            0 to 100; `None`: 80, for mp4 no larger than matplotlib's own. Above it, single points
            become crisper and files larger: 94 is x264's crf 18.
        transparent
            Leave out the background, in formats that can; `None`: as
            `rcParams["savefig.transparent"]` says.
        max_bytes
            Largest size of the file, such as `"15MB"`: the best picture that fits is found.
        target
            Where the film will be shown, such as `"slides"`: format and limits follow.
        metadata
            What the file says of itself, such as `{"title": …, "artist": …}`, besides or instead
            of the film's title, the call that made it and the version of this package.
        progress
            Show a progress bar; `None`: when it lasts and someone watches.
        **matplotlib
            Arguments of `matplotlib.animation.Animation.save`, only with `writer`.

        Raises
        ------
        ValueError
            For an unknown suffix or an argument out of range.
        TypeError
            For matplotlib's arguments without `writer`, or those of this package with it.
        FileNotFoundError, PermissionError
            For a folder that is missing or not writable; nothing has been drawn by then.

        Examples
        --------
        >>> import scanpy as sc, scanpy_anim as sca
        >>> adata = sc.datasets.pbmc68k_reduced()
        >>> film = sca.pl.animate_embedding(adata, color=["CD3D", "LYZ"], scale="linear", fps=1)
        >>> film.save("markers.mp4", dpi=100)
        >>> film.save("markers.gif", dpi=100, max_bytes="1MB")
        """
        ours = {
            "hold": hold,
            "loop": loop,
            "quality": quality,
            "transparent": transparent,
            "max_bytes": max_bytes,
            "target": target,
            "progress": progress,
        }
        check_arguments(writer, ours, matplotlib)
        if writer is not None:
            given = {"fps": fps, "dpi": dpi, "metadata": metadata, **matplotlib}
            super().save(filename, writer=writer, **given)
            return
        import matplotlib as mpl
        import scanpy as sc

        from scanpy_anim import video

        loop = 0 if loop is None else loop
        choices: Any = {"loop": loop, "quality": quality, "max_bytes": max_bytes, "target": target}
        video.check(filename, fps=fps, hold=hold, **choices)
        if transparent is None:
            transparent = mpl.rcParams["savefig.transparent"]
        seconds = self.timeline.seconds(fps, hold)
        start = sc.logging.info(f"saving {len(self)} frames")
        written = video.write(
            self._film(self._save_dpi(dpi), seconds, transparent=transparent, metadata=metadata),
            filename,
            **choices,
            progress=self._progress if progress is None else progress,
        )
        for note in written.notes:
            sc.logging.warning(note)  # scanpy shows no less by default
        sc.logging.info(
            "    finished", time=start, deep=f"wrote {written.path}, {written.size / 1e6:.2f} MB"
        )

    def to_jshtml(
        self, fps: float | None = None, embed_frames: bool = True, default_mode: str | None = None
    ) -> str:
        """Return the player for a web page: all frames, however many, embedded.

        Parameters
        ----------
        fps
            Frames a second; `None`: as the film was made.
        embed_frames, default_mode
            As in matplotlib: `"once"` plays without looping. Frames are always embedded.
        """
        from scanpy_anim import video

        film = self._film(self.figure.dpi, self.timeline.seconds(fps))
        return video.player(film, loop=1 if default_mode == "once" else 0)

    def to_html5_video(self, embed_limit: float | None = None) -> str:
        """Return an HTML `<video>` element with the whole film in it, whatever its size.

        Parameters
        ----------
        embed_limit
            As in matplotlib, for calls written for it; nothing is ever left out.
        """
        film = self._film(self.figure.dpi, self.timeline.seconds())
        return video_element(film, canvas_size(self.figure, self.figure.dpi))

    def _repr_html_(self) -> str:
        import matplotlib as mpl

        close_shown_twice(self.figure)
        if mpl.rcParams["animation.html"] == "html5":
            return self.to_html5_video()
        return self.to_jshtml()

    def _film(
        self,
        dpi: float,
        seconds: NDArray[np.float64],
        *,
        transparent: bool = False,
        metadata: Mapping[str, object] | None = None,
    ) -> Film:
        from scanpy_anim.video import Film

        canvas_size(self.figure, dpi)
        return Film(
            render=lambda scale: self._canvases(dpi * scale, transparent=transparent),
            durations=seconds,
            titles=self._titles or None,
            palette=self._palette,
            background=_opaque(self.figure.get_facecolor()),
            description=self._title,
            metadata=self._metadata | {name: str(text) for name, text in (metadata or {}).items()},
            alpha=transparent,
        )

    def _canvases(self, dpi: float, *, transparent: bool = False) -> Iterator[NDArray[np.uint8]]:
        """Draw each frame anew, `(height, width, 4)`: encoders may keep what they are given."""
        return draw_frames(
            self.figure, self.photos, dpi, shown=self._drawn_artists, transparent=transparent
        )

    def _save_dpi(self, dpi: float | str | None) -> float:
        import matplotlib as mpl

        dpi = mpl.rcParams["savefig.dpi"] if dpi is None else dpi
        return self.figure.dpi if dpi == "figure" else checked_dpi(dpi)

    def _frame_number(self, i: int) -> int:
        if not is_count(i):
            raise TypeError(f"frame {i!r}: the number of a frame, 0 to {len(self) - 1}.")
        if not -len(self) <= i < len(self):
            raise IndexError(f"frame {i}: the film has {len(self)} frames, 0 to {len(self) - 1}.")
        return i % len(self)

    def _init_draw(self) -> None:
        super()._init_draw()  # type: ignore[misc]
        self._show_only(0)

    def _show_only(self, i: int) -> None:
        """Leave the figure as frame `i`, so that it is a picture when drawn on its own."""
        for photo in self.photos:
            for artist in photo:
                artist.set_visible(False)
        for artist in self.photos[i]:
            artist.set_visible(True)
        self._drawn_artists = self.photos[i]


def _opaque(color: Any) -> tuple[int, int, int]:
    """Return a colour as bytes on white, as a film without transparency has it."""
    r, g, b, alpha = color
    red, green, blue = (round(255 * (c * alpha + 1 - alpha)) for c in (r, g, b))
    return red, green, blue
