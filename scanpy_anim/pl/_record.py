"""Roll the camera: one light artist a frame and panel, and the film of them."""

from __future__ import annotations

from dataclasses import replace
from functools import partial
from typing import TYPE_CHECKING

import numpy as np

from scanpy_anim import __version__
from scanpy_anim.pl._camera import StageCamera
from scanpy_anim.pl._shade import Shade
from scanpy_anim.pl._stage import Stage, fit
from scanpy_anim.pl._titles import draw_progress, write_over
from scanpy_anim.raster import PointLayer, needs_compiling

if TYPE_CHECKING:
    from collections.abc import Sequence

    from numpy.typing import NDArray

    from scanpy_anim.pl._animation import EmbeddingAnimation
    from scanpy_anim.pl._marks import Rings
    from scanpy_anim.pl._motion import Motion
    from scanpy_anim.pl._panel import Paint
    from scanpy_anim.pl._timeline import Moment, Timeline
    from scanpy_anim.raster import Look


def record(
    stage: Stage,
    paints: Sequence[Paint],
    timeline: Timeline,
    titles: Sequence[str] | None,
    rings: Sequence[Rings] = (),
    *,
    progress_line: bool = False,
    call: str = "",
    progress: bool | None = None,
) -> EmbeddingAnimation:
    """Play the timeline on the stage before celluloid's camera."""
    if needs_compiling():
        import scanpy as sc

        sc.logging.info("compiling the renderer, once in this installation: some seconds")
    stage = _in_order(stage, paints, timeline, rings)
    layers = _layers(stage)
    motion = stage.motion
    if motion is None:
        for ring in rings:
            ring.draw()
    aside = stage.keeps_titles
    if titles is not None and not aside:
        stage.panels[0].ax.set_title("")
    camera = StageCamera(stage.figure)
    for i, (moment, time) in enumerate(zip(timeline.moments, timeline.times, strict=True)):
        for panel, paint, layer in zip(stage.panels, paints, layers, strict=True):
            panel.ax.add_artist(layer.artist(partial(_look, paint, moment, motion, time)))
        if motion is not None:
            for ring in rings:
                ring.draw(motion.at(time))
        if titles is not None:
            write_over(stage.panels[0].ax, titles[i], aside=aside)
        if progress_line:
            draw_progress(stage.panels[0].ax, i / max(len(timeline) - 1, 1))
        camera.snap()
    if stage.own:
        fit(stage.figure)
    what = ", ".join(dict.fromkeys(p.source.name for p in stage.panels))
    title = f"{what} on {stage.basis}"
    return camera.animate(
        stage=stage,
        rings=rings,
        timeline=timeline,
        titles=titles or (),
        palette=_colors_to_keep(stage, paints),
        title=title,
        metadata={"title": title, "comment": call, "software": f"scanpy-anim {__version__}"},
        progress=progress,
    )


def _in_order(
    stage: Stage, paints: Sequence[Paint], timeline: Timeline, rings: Sequence[Rings]
) -> Stage:
    """Settle in which order each panel's cells are drawn: a ring must not show another cell."""
    panels = []
    for panel, paint in zip(stage.panels, paints, strict=True):
        order = paint.order(timeline.moments)
        if order is not None:
            ringed = [r.cells for r in rings if r.panel is panel]
            order[np.unique(np.concatenate([[], *ringed]).astype(np.intp))] += len(order)
        panels.append(replace(panel, order=order))
    return replace(stage, panels=tuple(panels))


def _layers(stage: Stage) -> list[PointLayer]:
    """Take the cells off the stage, and hand them over to the renderer."""
    layers = []
    for panel in stage.panels:
        layers.append(PointLayer(panel.cloud, order=panel.order))
        panel.cloud.remove()
    return layers


def _look(paint: Paint, moment: Moment, motion: Motion | None, time: float) -> Look:
    """Return what a panel shows at a moment, and where its cells are."""
    look = paint.look(moment)
    if motion is None:
        return look
    depth = motion.depth(time)
    order = look.order if depth is None else _steps(depth)
    return replace(look, offsets=motion.at(time), order=order)


def _steps(depth: NDArray[np.float64]) -> NDArray[np.uint16]:
    """Cut depth into the 65,536 steps that the renderer sorts fastest."""
    known = depth[np.isfinite(depth)]
    low, high = known.min(initial=np.inf), known.max(initial=-np.inf)
    if not high > low:
        return np.zeros(len(depth), np.uint16)
    return np.nan_to_num((depth - low) * (65535 / (high - low))).astype(np.uint16)


def _colors_to_keep(stage: Stage, paints: Sequence[Paint]) -> NDArray[np.uint8]:
    """Colours that a file with few colours must not change: background, colour map, palette."""
    from matplotlib.colors import to_rgba_array

    grounds = [stage.figure.get_facecolor(), *(p.ax.get_facecolor() for p in stage.panels), "black"]
    tables = [np.rint(to_rgba_array(grounds)[:, :3] * 255).astype(np.uint8)]
    for paint in paints:
        table = paint.table if isinstance(paint, Shade) else paint.palette
        tables.append(table[:, :3])
    together = np.concatenate(tables)
    return together[np.sort(np.unique(together, axis=0, return_index=True)[1])]
