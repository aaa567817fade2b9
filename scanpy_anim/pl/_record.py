"""Roll the camera: one light artist a frame and panel, and the film of them."""

from __future__ import annotations

from functools import partial
from typing import TYPE_CHECKING

import numpy as np

from scanpy_anim import __version__
from scanpy_anim.pl._camera import StageCamera
from scanpy_anim.pl._panel import Paint, Shade
from scanpy_anim.pl._stage import Stage, fit
from scanpy_anim.pl._titles import write_over
from scanpy_anim.raster import PointLayer, color_table

if TYPE_CHECKING:
    from collections.abc import Sequence

    from numpy.typing import NDArray

    from scanpy_anim.pl._animation import EmbeddingAnimation
    from scanpy_anim.pl._timeline import Timeline


def record(
    stage: Stage,
    paints: Sequence[Paint],
    timeline: Timeline,
    titles: Sequence[str] | None,
    *,
    progress: bool | None = None,
) -> EmbeddingAnimation:
    """Play the timeline on the stage before celluloid's camera."""
    layers = [
        PointLayer(panel.cloud, order=paint.order(timeline.moments))
        for panel, paint in zip(stage.panels, paints, strict=True)
    ]
    for panel in stage.panels:
        panel.cloud.remove()
    aside = len(layers) > 1 or stage.recipe.arguments.get("title") is not None
    if titles is not None and not aside:
        stage.panels[0].ax.set_title("")
    camera = StageCamera(stage.figure)
    for i, moment in enumerate(timeline.moments):
        for panel, paint, layer in zip(stage.panels, paints, layers, strict=True):
            panel.ax.add_artist(layer.artist(partial(paint.look, moment)))
        if titles is not None:
            write_over(stage.panels[0].ax, titles[i], aside=aside)
        camera.snap()
    if stage.own:
        fit(stage.figure)
    what = ", ".join(dict.fromkeys(p.source.name for p in stage.panels))
    return camera.animate(
        timeline=timeline,
        titles=titles or (),
        palette=_colors_to_keep(stage, paints),
        title=f"{what} on {stage.recipe.basis}",
        metadata={
            "title": f"{what} on {stage.recipe.basis}",
            "software": f"scanpy-anim {__version__}",
        },
        progress=progress,
    )


def _colors_to_keep(stage: Stage, paints: Sequence[Paint]) -> NDArray[np.uint8]:
    """Colours that a file with few colours must not change: background, colour map, palette."""
    from matplotlib.colors import to_rgba_array

    grounds = [stage.figure.get_facecolor(), *(p.ax.get_facecolor() for p in stage.panels), "black"]
    tables = [np.rint(to_rgba_array(grounds)[:, :3] * 255).astype(np.uint8)]
    for paint in paints:
        table = color_table(paint.cmap) if isinstance(paint, Shade) else paint.palette
        tables.append(table[:, :3])
    together = np.concatenate(tables)
    return together[np.sort(np.unique(together, axis=0, return_index=True)[1])]
