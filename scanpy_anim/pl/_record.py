"""Roll celluloid's camera: one light artist a frame and panel, and the film of them."""

from __future__ import annotations

from contextlib import ExitStack, contextmanager
from dataclasses import replace
from functools import partial
from typing import TYPE_CHECKING, Any

import numpy as np
import scanpy as sc
from celluloid import Camera
from matplotlib.colors import to_rgba_array

from scanpy_anim._version import __version__
from scanpy_anim.pl._animation import EmbeddingAnimation
from scanpy_anim.pl._clip import Clip
from scanpy_anim.pl._draw_order import layer_of
from scanpy_anim.pl._labels import labels_on_data
from scanpy_anim.pl._overlays import FrameText, draw_progress, lift_titles
from scanpy_anim.pl._photos import Photo
from scanpy_anim.raster import PointLayer, needs_compiling

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator, Sequence

    from matplotlib.figure import Figure
    from numpy.typing import NDArray

    from scanpy_anim.pl._coloring import Coloring
    from scanpy_anim.pl._drawing import Drawing
    from scanpy_anim.pl._overlays import Rings
    from scanpy_anim.pl._stage import Stage
    from scanpy_anim.pl._timeline import Timeline


def record(
    stage: Stage,
    colorings: Sequence[Coloring],
    timeline: Timeline,
    titles: Sequence[str] | None,
    rings: Sequence[Rings],
    drawing: Drawing,
) -> EmbeddingAnimation:
    """Play the timeline on the stage before celluloid's camera."""
    if needs_compiling():
        sc.logging.info("compiling the renderer, once in this installation: some seconds")
    ordered = tuple(
        coloring.ordered(timeline.moments, _ringed(i, rings))
        for i, coloring in enumerate(colorings)
    )
    panels = (replace(p, order=c.order) for p, c in zip(stage.panels, ordered, strict=True))
    arrange = partial(stage.bring_inside, drawing.figsize)
    stage = replace(stage, panels=tuple(panels))
    texts = None if titles is None else tuple(titles)
    labels = labels_on_data(stage, ordered, timeline)
    clip = Clip(stage, ordered, timeline, texts, tuple(rings), labels, drawing.progress_line)
    return play(stage.figure, [clip], timeline, progress=drawing.progress, arrange=arrange)


def play(
    figure: Figure,
    clips: Sequence[Clip],
    timeline: Timeline,
    schedule: Sequence[Sequence[int]] | None = None,
    *,
    progress: bool | None = None,
    arrange: Callable[[], None] | None = None,
    fresh: bool = True,
) -> EmbeddingAnimation:
    """Play clips on their stages of one figure.

    Parameters
    ----------
    figure, clips
        Stages complete but for the cells, titles of the clips' frames not yet over them.
    timeline
        Of the whole film.
    schedule
        For each frame of the film, which moment each clip shows; `None`: the same number.
    progress
        As of `animate_embedding`.
    arrange
        Called once everything is on the figure, the cells still scanpy's.
    fresh
        Whether the stages are as scanpy drew them, rather than played on already.
    """
    schedule = schedule or [[k] * len(clips) for k in range(len(timeline))]
    actors = [_Actor(clip) for clip in clips]
    if fresh:
        with ExitStack() as rehearsal:
            for actor in actors:
                rehearsal.enter_context(actor.rehearsing())
            if arrange is not None:
                arrange()
        for actor in actors:
            actor.dress()
    for actor in actors:
        actor.hand_over()
    camera = _StageCamera(figure)
    for moments in schedule:
        for actor, k in zip(actors, moments, strict=True):
            actor.act(k)
        camera.snap()
    titles = _joined_titles(clips, schedule)
    title = "; ".join(dict.fromkeys(clip.subject() for clip in clips))
    return camera.animate(
        clips=clips,
        schedule=schedule,
        timeline=timeline,
        titles=titles if any(titles) else (),
        palette=_colors_to_keep(figure, clips),
        title=title,
        metadata={"title": title, "comment": "", "software": f"scanpy-anim {__version__}"},
        progress=progress,
        again=partial(play, figure, clips, timeline, schedule, progress=progress, fresh=False),
    )


class _Actor:
    """A clip before the camera: its cells are the renderer's, its texts have their place.

    Parameters
    ----------
    clip
        What to play.
    """

    def __init__(self, clip: Clip) -> None:
        self.clip = clip
        self.text = FrameText(clip.stage.panels[0].ax, aside=clip.stage.has_bar_on_top)
        self.layers: list[PointLayer] = []

    @contextmanager
    def rehearsing(self) -> Iterator[None]:
        """Have titles where they will be, and the longest text in place, for a moment."""
        titles = self.clip.titles
        if titles is None:
            yield
            return
        lift_titles(self.clip.stage)
        text = self.text.write(max(titles, key=len))
        yield
        text.remove()

    def dress(self) -> None:
        """Size spots and ring cells at rest, now that everything has its place."""
        stage = self.clip.stage
        for panel in stage.panels:
            if stage.tissue is not None:
                stage.tissue.size(panel.ax, panel.cloud)
        if stage.motion is None:
            for ring in self.clip.rings:
                ring.draw(stage.panels[ring.panel])

    def hand_over(self) -> None:
        """Take the cells off the stage, and hand them over to the renderer."""
        panels = self.clip.stage.panels
        self.layers = [layer_of(panel.take_off(), panel.order) for panel in panels]

    def act(self, k: int) -> None:
        """Put on the stage what the clip shows at moment `k`."""
        clip, panels, motion = self.clip, self.clip.stage.panels, self.clip.stage.motion
        for i, (panel, layer) in enumerate(zip(panels, self.layers, strict=True)):
            panel.ax.add_artist(layer.artist(partial(clip.late_style, i, k)))
        if motion is not None:
            for ring in clip.rings:
                ring.draw(panels[ring.panel], motion.at(clip.time(k)))
        for label in clip.labels:
            label.draw(panels[label.panel].ax, k)
        if clip.titles is not None:
            self.text.write(clip.titles[k])
        if clip.progress_line:
            draw_progress(panels[0].ax, k / max(len(clip.timeline) - 1, 1))


def _joined_titles(clips: Sequence[Clip], schedule: Sequence[Sequence[int]]) -> list[str]:
    """Return what to call each frame of the film: what stands over it, each text once."""
    return [
        ", ".join(
            dict.fromkeys(
                clip.titles[k]
                for clip, k in zip(clips, moments, strict=True)
                if clip.titles is not None
            )
        )
        for moments in schedule
    ]


def _ringed(panel: int, rings: Sequence[Rings]) -> NDArray[np.intp]:
    """Return the cells of a panel that are ringed."""
    cells = [r.cells for r in rings if r.panel == panel]
    return np.unique(np.concatenate([[], *cells]).astype(np.intp))


def _colors_to_keep(figure: Figure, clips: Sequence[Clip]) -> NDArray[np.uint8]:
    """Colors that a file with few colors must not change: background, color map, palette."""
    faces = [panel.ax.get_facecolor() for clip in clips for panel in clip.stage.panels]
    grounds = to_rgba_array([figure.get_facecolor(), *faces, "black"])
    tables = [np.rint(grounds[:, :3] * 255).astype(np.uint8)]
    tables += [coloring.reserved_colors() for clip in clips for coloring in clip.colorings]
    together = np.concatenate(tables)
    return together[np.sort(np.unique(together, axis=0, return_index=True)[1])]


class _StageCamera(Camera):
    """A `celluloid.Camera` that leaves alone what stood on the stage before it started.

    celluloid takes everything drawn before the first `snap` for frame 0's own, so that
    color bars, legends and backgrounds vanish with it, and adds the legend to its axes anew
    at every `snap`. This camera notes what is there when it is made; a frame is what has been
    added since. It takes each frame's artists off the stage as soon as they are recorded, so that
    the next snap need not look through them.

    Parameters
    ----------
    figure
        The figure with its stage complete: axes, color bars, legends, backgrounds.
    """

    def __init__(self, figure: Figure) -> None:
        super().__init__(figure)
        self._axes = figure.axes
        self._stage = {id(artist) for ax in self._axes for artist in ax.get_children()}

    def snap(self) -> Photo:
        """Record what was added to the figure since the last snap as one frame."""
        photo = Photo(
            artist
            for ax in self._axes
            for artist in ax.get_children()
            if id(artist) not in self._stage
        )
        photo.leave()
        self._photos.append(photo)
        return photo

    def animate(self, *args: Any, **kwargs: Any) -> EmbeddingAnimation:
        """Make the film of the recorded frames; arguments as `EmbeddingAnimation`'s."""
        return EmbeddingAnimation(self._figure, self._photos, *args, **kwargs)
