"""The film: a matplotlib animation that saves and shows itself."""

from __future__ import annotations

from typing import IO, TYPE_CHECKING, Any, Literal

import matplotlib as mpl
from matplotlib.animation import ArtistAnimation

from scanpy_anim import video
from scanpy_anim._checks import choice, switch, whole
from scanpy_anim._compiled import kept_functions
from scanpy_anim.pl._backdrop import copy_of
from scanpy_anim.pl._explore import contents_of
from scanpy_anim.pl._explore_check import explorable
from scanpy_anim.pl._explore_memory import require_page
from scanpy_anim.pl._explorer import Explorer
from scanpy_anim.pl._filmstrip import filmstrip
from scanpy_anim.pl._footage import Footage
from scanpy_anim.pl._notebook import close_shown_twice, png, show_now, video_element
from scanpy_anim.pl._photos import Photo, Screen
from scanpy_anim.pl._saving import SaveOptions, check_arguments_of_save, checked_dpi, save_film
from scanpy_anim.raster import PointsArtist

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator, Mapping, Sequence
    from pathlib import Path

    import numpy as np
    from matplotlib.figure import Figure
    from numpy.typing import NDArray

    from scanpy_anim.pl._clip import Clip
    from scanpy_anim.pl._timeline import Timeline

_MODES = ("loop", "once", "reflect")


class EmbeddingAnimation(ArtistAnimation):
    """A film of an embedding, as `animate_embedding` returns it.

    All that matplotlib can do with an animation works. What this class adds draws the stage
    once and streams the frames, without system ffmpeg and without a second drawing.

    Parameters
    ----------
    figure
        The stage.
    photos
        The artists of each frame: the points of each panel, and texts. They are on their axes
        only while the frame is shown.
    clips, schedule
        What is played on which stage, and which moment of each clip a frame shows.
    timeline
        How long each frame is shown.
    titles
        What to call each frame.
    palette
        `(k, 3)` uint8 colors that a film with few colors has to keep.
    title, metadata
        What the film shows, and what goes into its files.
    again
        Makes the film anew from the same figure, as when it was pickled.

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
        photos: Sequence[Photo],
        *,
        clips: Sequence[Clip],
        schedule: Sequence[Sequence[int]],
        timeline: Timeline,
        titles: Sequence[str] = (),
        palette: NDArray[np.uint8] | None = None,
        title: str = "",
        metadata: Mapping[str, str] | None = None,
        progress: bool | None = None,
        again: Callable[[], EmbeddingAnimation] | None = None,
    ) -> None:
        self.figure = figure
        self.photos = photos
        self.clips = clips
        self.schedule = schedule
        self.timeline = timeline
        self.metadata = dict(metadata or {})
        self._titles = list(titles)
        self._palette = palette
        self._title = title
        self._progress = progress
        self._again = again
        self.unseen: Callable[[], None] | None = None
        self._screen = Screen(figure, photos[0])
        super().__init__(
            figure,
            photos,
            interval=1000 / timeline.fps,
            repeat_delay=1000 * timeline.moments[-1].held,
        )
        # matplotlib warns of animations that were never drawn; this one draws when asked
        self._draw_was_started = True
        self._drawn_artists = photos[0]

    def __reduce__(self) -> tuple[Any, ...]:
        """Pickle the stage and what was played on it."""
        self.see()
        return _played_again, (self._again, self._screen.photo, self.metadata)

    def __len__(self) -> int:
        return len(self.photos)

    def successor(self) -> Callable[[], EmbeddingAnimation]:
        """Return what makes the same film once this one is gone."""
        again, screen, metadata = self._again, self._screen, self.metadata
        return lambda: _played_again(again, screen.photo, metadata)

    def see(self) -> None:
        """Note that the film is used: a notebook need not show it at the end of its cell."""
        if self.unseen is not None:
            self.unseen()

    @property
    def _footage(self) -> Footage:
        """What the film consists of, as it is now."""
        return Footage(
            self._screen,
            self.photos,
            self.timeline,
            self._titles,
            self._palette,
            self._title,
            self.metadata,
            self.see,
        )

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
        yield from self._footage.frames(self.figure.dpi if dpi is None else checked_dpi(dpi))

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
        self.see()
        return copy_of(self._screen, self.photos[self._footage.number(i, "i")])

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
        chosen = self._footage.chosen(frames, n)
        self.see()
        return filmstrip(self.clips, self.photos, self._titles, chosen)

    @kept_functions()
    def save(  # type: ignore[override]
        self,
        filename: str | Path | IO[bytes],
        writer: Any = None,
        fps: float | None = None,
        dpi: float | str | None = None,
        *,
        hold: float | None = None,
        loop: int | None = None,
        quality: float | None = None,
        transparent: bool | None = None,
        bbox_inches: Literal["tight", "standard"] | None = None,
        max_bytes: int | str | None = None,
        target: str | None = None,
        metadata: Mapping[str, str] | None = None,
        format: str | None = None,
        progress: bool | None = None,
        interactive: bool = False,
        **matplotlib: Any,
    ) -> None:
        """Write the film; the suffix says how.

        Parameters
        ----------
        filename
            Where to: `.gif`, `.mp4`, `.webm`, `.webp`, `.apng`, `.avif` or `.html`. A file that
            is there is replaced only once the new one is complete. Or a file opened with mode
            `"wb"` (also `BytesIO` or one of fsspec), beside `format`.
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
        bbox_inches
            `"tight"`: cut off the margins, as notebooks show a film and `sc.pl.embedding` saves a
            picture, in all frames alike. `"standard"`: all of the figure. `None`: as
            `rcParams["savefig.bbox"]` says, which is all of it unless you changed that.
        max_bytes
            Largest size of the file, such as `"15MB"`: the best picture that fits is found.
        target
            Where the film will be shown, such as `"slides"`: format and limits follow.
        metadata
            What the file says of itself, such as `{"title": …, "artist": …}`, besides or instead
            of the film's title, the call that made it and the version of this package.
        format
            Such as `"mp4"`, whatever the suffix; needed for an open file.
        progress
            Show a progress bar; `None`: when it lasts and someone watches.
        interactive
            Write a page (`.html`) that holds the scores instead of pictures of them, on which the
            film runs in the browser: to zoom into, to ask for single cells, on any color scale.
            As `explore().save(filename)`.
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
        asked = SaveOptions(
            fps=fps,
            dpi=dpi,
            hold=hold,
            loop=loop,
            quality=quality,
            transparent=transparent,
            bbox_inches=bbox_inches,
            max_bytes=max_bytes,
            target=target,
            metadata=metadata,
            format=format,
            progress=progress,
        )
        check_arguments_of_save(writer, asked, matplotlib)
        if switch("interactive", interactive):
            asked.check_page(filename, writer)
            self._explorer(asked).save(filename, format)
            return
        self.see()
        if writer is None:
            save_film(self._footage, filename, asked, progress=self._progress)
        else:
            given = {"fps": fps, "dpi": dpi, "metadata": metadata, **matplotlib}
            super().save(filename, writer=writer, **given)  # type: ignore[arg-type]

    def explore(
        self, names: str | bool | None = "auto", hover: str | Sequence[str] | None = None
    ) -> Explorer:
        """Return a page that holds the scores, on which the film runs in the browser.

        One file that needs no network and no kernel: zoom, play, pause, ask for a cell's name and
        values, choose classes and cells. Colors, limits, order, texts and rings are the film's.

        Parameters
        ----------
        names
            What cells are called: `"auto"`, by `adata.obs_names` unless these take more than
            1 MB; `True`: by these in any case; a column of `adata.obs`; `None`: not at all.
        hover
            Columns of `adata.obs` that are told of a cell besides.

        Returns
        -------
        A page that shows itself in a notebook and has `.save("atlas.html")`.

        Raises
        ------
        ValueError
            For films that such a page cannot show yet: over a tissue's picture, with edges, of
            markers that are not disks.
        KeyError
            For a column that there is not.
        MemoryError
            For a page that does not fit into memory, before it is made.

        Examples
        --------
        >>> import scanpy as sc, scanpy_anim as sca
        >>> adata = sc.datasets.pbmc68k_reduced()
        >>> sca.tl.label_propagation(adata, [0, 1])
        >>> film = sca.pl.animate_embedding(adata)
        >>> film.explore(hover=["n_genes", "louvain"]).save("atlas.html")
        """
        return self._explorer(SaveOptions(), names=names, hover=hover)

    @kept_functions()
    def _explorer(
        self,
        asked: SaveOptions,
        *,
        names: str | bool | None = "auto",
        hover: str | Sequence[str] | None = None,
    ) -> Explorer:
        poster_dpi = self.figure.dpi if asked.dpi is None else asked.resolution(self.figure)
        self.see()
        explorable(self.clips)
        require_page(self.clips, self.schedule, names)
        first = self.photos[0]
        layers = {
            ax: artist.layer
            for artist, ax in zip(first, first.axes, strict=True)
            if isinstance(artist, PointsArtist)
        }
        panels = (panel for clip in self.clips for panel in clip.stage.panels)

        def poster() -> NDArray[np.uint8]:
            (last,) = self._footage.frames(poster_dpi, [len(self) - 1])
            return last

        contents = contents_of(
            self.clips,
            self.schedule,
            [layers[panel.ax].offsets for panel in panels],
            poster,
            self.timeline.seconds(asked.fps, asked.hold),
            names=names,
            hover=hover,
            loop=asked.loop or 0,
        )
        told = {name: str(text) for name, text in (asked.metadata or {}).items()}
        return Explorer(contents, self.metadata | told)

    def to_jshtml(
        self, fps: float | None = None, embed_frames: bool = True, default_mode: str | None = None
    ) -> str:
        """Return the player for a web page: all frames, however many, embedded.

        Parameters
        ----------
        fps
            Frames a second; `None`: as the film was made.
        embed_frames
            As in matplotlib, for calls written for it: frames are always embedded.
        default_mode
            As in matplotlib: `"loop"`, `"once"`, or `"reflect"`, there and back again. `None`:
            `"loop"`.

        Raises
        ------
        ValueError
            For what cannot be done, naming the argument.
        """
        if not switch("embed_frames", embed_frames):
            raise ValueError(
                "embed_frames=False: frames are always embedded; .save('film.html') is a page."
            )
        mode = "loop" if default_mode is None else choice("default_mode", default_mode, _MODES)
        order = list(range(len(self)))
        if mode == "reflect":
            order += order[-2:0:-1]
        return video.player(self._footage.in_notebook(fps, order), loop=1 if mode == "once" else 0)

    def to_html(self, fps: float | None = None, *, loop: int = 0) -> str:
        """Return the snippet that shows the film in any web page, complete in itself.

        Parameters
        ----------
        fps
            Frames a second; `None`: as the film was made.
        loop
            How often it plays; 0: for ever.

        Examples
        --------
        >>> import scanpy as sc, scanpy_anim as sca
        >>> adata = sc.datasets.pbmc68k_reduced()
        >>> film = sca.pl.animate_embedding(adata, color=["CD3D", "LYZ"])
        >>> page = f"<h1>Two genes</h1>{film.to_html()}"
        """
        return video.player(self._footage.in_notebook(fps), loop=whole("loop", loop, least=0))

    def to_html5_video(self, embed_limit: float | None = None) -> str:
        """Return an HTML `<video>` element with the whole film in it, whatever its size.

        Parameters
        ----------
        embed_limit
            As in matplotlib, for calls written for it; nothing is ever left out.
        """
        rows, columns = self._footage.tight(self.figure.dpi)
        size = columns.stop - columns.start, rows.stop - rows.start
        return video_element(self._footage.in_notebook(), size)

    def show(self) -> None:
        """Show the film now: under a notebook's cell, also from within a loop, or in a window.

        At the end of a cell a film shows itself without being asked, and so do those that the cell
        made and threw away unused, as in a loop.

        Examples
        --------
        >>> import scanpy as sc, scanpy_anim as sca
        >>> adata = sc.datasets.pbmc68k_reduced()
        >>> for gene in ["CD3D", "LYZ"]:
        ...     sca.pl.animate_embedding(adata, color=gene).show()  # doctest: +SKIP
        """
        show_now(self)

    def _repr_html_(self) -> str:
        close_shown_twice(self.figure)
        if mpl.rcParams["animation.html"] == "html5":
            return self.to_html5_video()
        return self.to_jshtml()

    def _repr_png_(self) -> bytes:
        """Show the last frame where no page can be shown."""
        rows, columns = self._footage.tight(self.figure.dpi)
        (canvas,) = self._footage.canvases(self.figure.dpi, order=[len(self) - 1])
        return png(canvas[rows, columns])

    # What `ArtistAnimation` does by making the artists of all frames visible or not: here those of
    # one frame are on the axes at a time.

    def _init_draw(self) -> None:
        super(ArtistAnimation, self)._init_draw()  # type: ignore[misc]
        self._draw_frame(self.photos[0])

    def _pre_draw(self, framedata: Photo, blit: bool) -> None:
        if blit:
            self._blit_clear(self._drawn_artists)  # type: ignore[attr-defined]

    def _draw_frame(self, framedata: Photo) -> None:
        self._screen.show(framedata)
        self._drawn_artists = framedata
        for artist in framedata:
            artist.set_animated(self._blit)  # type: ignore[attr-defined]


def _played_again(
    again: Callable[[], EmbeddingAnimation] | None, shown: Photo, metadata: Mapping[str, str]
) -> EmbeddingAnimation:
    """Make a film that was pickled anew, on its stage without the frame that was on it."""
    assert again is not None
    for artist in shown:
        artist.remove()
    film = again()
    film.metadata.update(metadata)
    return film
