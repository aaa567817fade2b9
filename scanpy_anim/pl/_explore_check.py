"""What a page that holds the scores cannot do yet, said by name before any work."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, NoReturn

import numpy as np

from scanpy_anim._checks import MissingKeyError, nearest
from scanpy_anim.pl._categorical_coloring import CategoricalColoring
from scanpy_anim.pl._continuous_coloring import ContinuousColoring

if TYPE_CHECKING:
    from collections.abc import Iterable, Sequence

    from scanpy_anim.pl._clip import Clip
    from scanpy_anim.pl._stage import StagePanel

_ROUND = (None, ".", "o")


def explorable(clips: Sequence[Clip]) -> None:
    """See that a page can show the clips of a film.

    Raises
    ------
    ValueError
        For what a page cannot do, naming it.
    """
    for clip in clips:
        for coloring in clip.colorings:
            if not isinstance(coloring, ContinuousColoring | CategoricalColoring):
                _refuse("this film was pickled, and the values behind it were not: make it anew")
        _check_stage(clip)
        for panel in clip.stage.panels:
            _check_markers(panel, clip.stage.options.passed)


def _check_stage(clip: Clip) -> None:
    stage = clip.stage
    if stage.tissue is not None and stage.tissue.picture is not None:
        _refuse("its cells lie on a tissue's picture: img_key=None leaves that out")
    for name in ("edges", "add_outline"):
        if stage.options.passed.get(name):
            _refuse(f"{name}=True is drawn once and cannot be zoomed into: leave it out")
    for ax in (panel.ax for panel in stage.panels):
        if (ax.get_xscale(), ax.get_yscale()) != ("linear", "linear"):
            _refuse(f"its axes are {ax.get_xscale()!r} and {ax.get_yscale()!r}, not linear")


def _check_markers(panel: StagePanel, passed: Any) -> None:
    """Refuse markers that are not alike disks of one color."""
    cloud, marker = panel.cloud, passed.get("marker")
    if isinstance(marker, list | tuple) and len(marker) == 1:
        marker = marker[0]
    if not (marker is None or isinstance(marker, str)) or marker not in _ROUND:
        _refuse(f"marker={marker!r}: cells are disks there, marker='.'")
    if len(np.unique(cloud.get_sizes())) > 1:
        _refuse("its cells have several sizes: give one number as size=")
    alpha: Any = cloud.get_alpha()
    if alpha is not None and np.ndim(alpha):
        _refuse("its cells have an opacity each: give one number as alpha=")
    if len(cloud.get_edgecolor()) and np.any(cloud.get_linewidth()):
        _refuse("its cells have edges: leave out linewidths= and edgecolors=")


def _refuse(why: str) -> NoReturn:
    raise ValueError(f"a page that holds the scores cannot show this film: {why}. A video can.")


def column(obs: Any, name: object, argument: str) -> Any:
    """Return a column of `obs` by name."""
    if not isinstance(name, str):
        raise TypeError(f"{argument}={name!r}: the name of a column of adata.obs.")
    if obs is None or name not in obs.columns:
        known: Iterable[str] = () if obs is None else map(str, obs.columns)
        raise MissingKeyError(
            f"{argument}: {name!r} is no column of adata.obs.{nearest(name, known)}"
        )
    return obs[name]
