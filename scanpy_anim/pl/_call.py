"""The call as it was made: its files say by which, and `panels` make a film of films."""

from __future__ import annotations

import inspect
from collections.abc import Callable, Mapping, Sequence
from functools import wraps
from typing import TYPE_CHECKING, Any, ParamSpec

import numpy as np
import pandas as pd

from scanpy_anim._accessors import plain_names
from scanpy_anim._checks import nearest
from scanpy_anim._compat import require_anndata
from scanpy_anim.pl._color import DEFAULT
from scanpy_anim.pl._notebook import await_use
from scanpy_anim.pl._side_by_side import side_by_side
from scanpy_anim.pl._spatial import SPATIAL

if TYPE_CHECKING:
    from anndata import AnnData

    from scanpy_anim.pl._animation import EmbeddingAnimation

_Arguments = ParamSpec("_Arguments")

#: What a panel that stands still has no use for.
_OF_FRAMES = (
    "classes",
    "n_frames",
    "frames",
    "every",
    "reverse",
    "bounce",
    "tween",
    "pace",
    "ease",
)
# of a value that a film's file says it was made with
_MOST_LETTERS = 200
#: What belongs to the figure, not to a panel.
_OF_FIGURE = ("ax", "figsize", "panels", "ncols")


def signed(
    make: Callable[_Arguments, EmbeddingAnimation],
) -> Callable[_Arguments, EmbeddingAnimation]:
    """Let a film's files say by which call it was made."""

    @wraps(make)
    def making(*args: _Arguments.args, **kwargs: _Arguments.kwargs) -> EmbeddingAnimation:
        film = make(*args, **kwargs)
        film.metadata["comment"] = _spelled(make, args, kwargs)
        await_use(film)
        return film

    return making


def _spelled(make: Callable[..., object], args: tuple[Any, ...], kwargs: Mapping[str, Any]) -> str:
    """Spell a call briefly: what differs from the defaults, as far as it has a short name."""
    signature = inspect.signature(make)
    given = signature.bind(*args, **kwargs).arguments
    given.pop("adata", None)
    given |= given.pop("kwargs", {})
    spelled = [
        f"{name}={value!r}"
        for name, value in given.items()
        if _is_short(value)
        and not (name in signature.parameters and value is signature.parameters[name].default)
    ]
    return f"scanpy_anim.pl.{make.__name__}({', '.join(['adata', *spelled])})"


def _is_short(value: object) -> bool:
    """Whether a value has a short name; thousands of arrays are not spelled to find out."""
    if isinstance(value, list | tuple):
        if len(value) > _MOST_LETTERS // len("0, ") or any(getattr(v, "shape", ()) for v in value):
            return False
    elif not isinstance(value, str | int | float):
        return False
    return len(repr(value)) < _MOST_LETTERS


def in_panels(
    make: Callable[_Arguments, EmbeddingAnimation],
) -> Callable[_Arguments, EmbeddingAnimation]:
    """Make a film of each of `panels`, and one film of these."""

    @wraps(make)
    def making(*args: _Arguments.args, **kwargs: _Arguments.kwargs) -> EmbeddingAnimation:
        signature = inspect.signature(make)
        given = signature.bind(*args, **kwargs).arguments
        given |= given.pop("kwargs", {})
        panels: Any = given.get("panels")
        if panels is None:
            return make(*args, **kwargs)
        if given.get("ax") is not None:
            raise TypeError("panels= make a figure of their own: leave out ax=.")
        adata = given.pop("adata")
        require_anndata(adata)
        ncols, figsize = given.get("ncols"), given.get("figsize")
        each = _read_panels(adata, panels, given, list(signature.parameters))
        call: Any = make
        films = [_of_panel(call, adata, own, i, panels) for i, own in enumerate(each)]
        return side_by_side(films, ncols=ncols, figsize=figsize)

    return making


def _of_panel(
    make: Any, adata: AnnData, own: Mapping[str, Any], i: int, panels: Sequence[Any]
) -> EmbeddingAnimation:
    """Make the film of panel `i`; an error says which of `panels` it was made from."""
    try:
        film: EmbeddingAnimation = make(adata, **own)
    except Exception as error:
        error.add_note(f"raised by panel {i} of the film, which has panels={panels!r}"[:500])
        raise
    return film


def _read_panels(
    adata: AnnData, panels: Sequence[Any], given: Mapping[str, Any], known: Sequence[str]
) -> list[dict[str, Any]]:
    """Return the arguments of `animate_embedding` for each panel.

    Parameters
    ----------
    adata
        Annotated data.
    panels
        What each panel shows: anything that `color` takes; the name of an embedding; or a mapping
        of arguments.
    given
        The arguments of the call, which hold for every panel that has no others. Where `color` is
        among them and no panel takes it, it is the first panel.
    known
        Names of the arguments that there are.
    """
    if isinstance(panels, np.ndarray | pd.Index | pd.Series) and panels.ndim == 1:
        panels = list(panels)  # such as adata.var_names[:3]
    if isinstance(panels, str | Mapping) or not isinstance(panels, Sequence) or not len(panels):
        raise TypeError(
            f"panels={panels!r}: a list of what stands side by side, such as "
            "['label_propagation', 'bulk_labels', {'basis': 'spatial'}]."
        )
    each = [_arguments(adata, panel, known, i) for i, panel in enumerate(panels)]
    if "color" in given and all("color" in own for own in each):
        each.insert(0, {})
    titles = given.get("title")
    common = {n: v for n, v in given.items() if n not in _OF_FIGURE}
    colors = [own["color"] for own in each if "color" in own]
    if colors and "color" not in common and DEFAULT not in adata.obsm:
        common["color"] = colors[0]  # of an embedding beside it
    if isinstance(titles, list | tuple):
        if len(titles) != len(each):
            raise ValueError(f"title has {len(titles)} entries; there are {len(each)} panels.")
        each = [{"title": title, **own} for title, own in zip(titles, each, strict=True)]
    return [_together(adata, common, own) for own in each]


def _arguments(adata: AnnData, panel: Any, known: Sequence[str], i: int) -> dict[str, Any]:
    if isinstance(panel, Mapping):
        for name in panel:
            if name in _OF_FIGURE:
                raise ValueError(f"panels[{i}]: {name}= belongs to the whole film.")
            if name in ("adata", "kwargs") or not isinstance(name, str):
                raise ValueError(
                    f"panels[{i}]: {name!r} is no argument.{nearest(str(name), known)}"
                )
        return dict(panel)
    panel = plain_names("panels", panel)
    if isinstance(panel, str) and _is_embedding(adata, panel):
        return {"basis": panel}
    return {"color": panel}


def _is_embedding(adata: AnnData, name: str) -> bool:
    """Whether a name can only be meant as that of an embedding."""
    if name in adata.obs or name in adata.var_names:
        return False
    return name in SPATIAL or f"X_{name}" in adata.obsm or name.startswith("X_")


def _together(adata: AnnData, common: Mapping[str, Any], own: Mapping[str, Any]) -> dict[str, Any]:
    color = own.get("color", common.get("color"))
    still = "color" in own and isinstance(color, str) and color not in adata.obsm
    if still:
        common = {n: v for n, v in common.items() if n not in _OF_FRAMES}
    return {**common, **own}
