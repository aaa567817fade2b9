"""Every spelling of `color`: what is read from the AnnData, a source of frames per panel."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import replace
from typing import TYPE_CHECKING, Any, Literal

import numpy as np
import pandas as pd
from numpy.typing import NDArray

from scanpy_anim._accessors import CellValues, plain_names
from scanpy_anim._checks import listed, switch, whole
from scanpy_anim._lazy import tabular
from scanpy_anim._read_result import read_result
from scanpy_anim.pl._color_arrays import of_arrays, of_callable, of_matrix
from scanpy_anim.pl._columns import from_columns
from scanpy_anim.pl._names import source_of_names
from scanpy_anim.pl._parts import MOST_FRAMES, Parts, parts_along, parts_by_group
from scanpy_anim.pl._results_source import sources_of, sources_of_cube
from scanpy_anim.pl._source import Categorical, Source

if TYPE_CHECKING:
    from anndata import AnnData

    from scanpy_anim.pl._motion import Motion

#: What is shown where the caller does not say.
DEFAULT = "label_propagation"

Color = str | Sequence[str] | Sequence[NDArray] | NDArray | Callable[[int], NDArray]


def sources(
    adata: AnnData,
    color: Any,
    *,
    n_frames: int | None = None,
    classes: str | Sequence[str] | None = None,
    match: bool | Literal["auto"] = "auto",
    **genes: Any,
) -> list[Source]:
    """Read `color`; one source of frames per panel.

    Parameters
    ----------
    adata
        Annotated data.
    color, n_frames, classes
        As in `animate_embedding`.
    match
        `match_categories`.
    genes
        `layer`, `use_raw`, `gene_symbols`: where a gene's values come from.

    Raises
    ------
    KeyError, TypeError, ValueError
        Naming the argument, its value and what exists instead.
    """
    if not (isinstance(match, bool) or (isinstance(match, str) and match == "auto")):
        raise ValueError(f"match_categories={match!r}: 'auto', True or False.")
    _check_n_frames(color, n_frames)
    read = _read(adata, plain_names("color", color), n_frames, classes, match, genes)
    if match is True and not any(isinstance(s, Categorical) and s.n_frames > 1 for s in read):
        raise ValueError(f"match_categories=True: color={color!r} has no frames of categories.")
    return read


def _read(
    adata: AnnData,
    color: Any,
    n_frames: int | None,
    classes: str | Sequence[str] | None,
    match: bool | Literal["auto"],
    genes: Mapping[str, Any],
) -> list[Source]:
    if isinstance(color, np.ndarray) and color.ndim == 0:
        color = color.item()
    color = tabular(color, adata.obs_names)
    if isinstance(color, list | tuple):
        color = [tabular(frame, adata.obs_names) for frame in color]
    names = _names(color, adata.n_obs)
    of_obsm = [isinstance(name, str) and name in adata.obsm for name in names]
    if classes is not None and not (of_obsm and all(of_obsm)):
        raise ValueError(
            f"classes={classes!r} needs color to be the key of a result with several classes; "
            f"it is {color!r}."
        )
    if names and all(of_obsm):
        return [s for name in names for s in _of_obsm(adata, str(name), classes, match)]
    if any(of_obsm):
        inside = [n for n, there in zip(names, of_obsm, strict=True) if there]
        # are there such names?
        source_of_names(adata, [n for n in names if n not in inside], **genes)
        raise ValueError(
            f"color={color!r} mixes keys of adata.obsm ({listed(inside)}), a panel each, with "
            "columns or genes, a frame each. Make two films of them."
        )
    if names:
        return [source_of_names(adata, names, match=match, **genes)]
    if callable(color):
        assert n_frames is not None
        return [of_callable(color, n_frames, adata.n_obs, match)]
    if color is None:
        raise TypeError("color=None: the key of a result in adata.obsm, columns, genes or arrays.")
    return [of_arrays(adata, color, match)]


def _check_n_frames(color: Any, n_frames: int | None) -> None:
    if callable(color) and n_frames is None:
        raise TypeError(
            "color is a function: n_frames=, how many frames to ask it for, is missing."
        )
    if not callable(color) and n_frames is not None:
        raise TypeError(
            f"n_frames={n_frames!r} goes with a function as color; here color is "
            f"{type(color).__name__} and brings its own number of frames."
        )
    if n_frames is not None:
        whole("n_frames", n_frames, most=MOST_FRAMES)


def _names(color: Any, n_obs: int) -> list[str | CellValues]:
    """Return the names in `color`, empty where it holds no names."""
    if isinstance(color, str | CellValues):
        return [color]
    if isinstance(color, pd.Index | np.ndarray) and color.shape != (n_obs,):
        color = list(color)  # such as adata.var_names[:3]
    if (
        isinstance(color, list | tuple)
        and color
        and all(isinstance(c, str | CellValues) for c in color)
    ):
        return list(color)
    return []


def _of_obsm(
    adata: AnnData,
    key: str,
    classes: str | Sequence[str] | None,
    match: bool | Literal["auto"],
) -> list[Source]:
    result = read_result(adata, key)
    if result is not None:
        return sources_of(adata, result, classes)
    values = adata.obsm[key]
    if 0 in values.shape[1:]:
        raise ValueError(f"color: {key!r} has shape {values.shape}, no frame to show.")
    if np.ndim(values) == 3:
        return sources_of_cube(adata, key, classes)
    if classes is not None:
        raise ValueError(
            f"classes={classes!r}: adata.obsm[{key!r}] holds a single class, "
            f"its shape is {values.shape}."
        )
    if hasattr(values, "iloc"):
        columns = [values.iloc[:, i] for i in range(values.shape[1])]
        labels = [str(c) for c in values.columns]
        return [from_columns(key, columns, labels=labels, match=match)]
    return [of_matrix(key, values, match)]


def _on_one_clock(panels: list[Source]) -> list[Source]:
    """Give panels the same number of frames: a propagation that is over stays as it ended.

    Raises
    ------
    ValueError
        If their numbers differ and they are not all propagations.
    """
    counts = {s.name: s.n_frames for s in panels}
    longest = max(counts.values())
    if min(counts.values()) == longest:
        return panels
    if any(s.iterations is None for s in panels):
        spelled = ", ".join(f"{name!r}: {n}" for name, n in counts.items())
        raise ValueError(f"color: panels side by side need as many frames each; here {spelled}.")
    clock = next(s.iterations for s in panels if s.n_frames == longest)
    return [s if s.n_frames == longest else s.staying(longest, clock) for s in panels]


def parts_of(
    adata: AnnData,
    groupby: Any,
    along: Any,
    *,
    n_frames: int | None = None,
    cumulative: bool = True,
    **genes: Any,
) -> Parts | None:
    """Read `groupby` and `along`: which cells each frame shows; `None` where neither is given."""
    switch("cumulative", cumulative)
    if groupby is not None and along is not None:
        raise ValueError(f"groupby={groupby!r}, along={along!r}: one of the two.")
    if along is None and not cumulative:
        raise ValueError("cumulative=False goes with along=.")
    if groupby is not None and n_frames is not None:
        raise ValueError(f"n_frames={n_frames!r} beside groupby=: there is a frame a category.")
    for name, asked in (("groupby", groupby), ("along", along)):
        if asked is None:
            continue
        source = _one_frame(adata, name, asked, genes)
        if name == "groupby":
            return parts_by_group(source)
        return parts_along(source, n_frames, cumulative=cumulative)
    return None


def _one_frame(adata: AnnData, argument: str, asked: Any, genes: Mapping[str, Any]) -> Source:
    """Read one value a cell, for `groupby` or `along`, in any spelling that color has."""
    if callable(asked):
        raise TypeError(f"{argument}={asked!r}: a column of obs, or one value for each cell.")
    if isinstance(asked, list | tuple) and len(asked) == adata.n_obs > 1:
        asked = pd.Series(asked)  # values, be they words or numbers
    try:
        sources_of_it = _read(adata, plain_names(argument, asked), None, None, False, genes)
    except (KeyError, TypeError, ValueError) as error:
        raise type(error)(str(error).replace("color", argument, 1)) from error
    if len(sources_of_it) != 1 or sources_of_it[0].n_frames != 1:
        raise ValueError(f"{argument}={asked!r}: one column of obs, or one value for each cell.")
    source = sources_of_it[0]
    return source if source.name != "color" else replace(source, name="value")


def color_in_parts(adata: AnnData, color: Any, groupby: Any, along: Any) -> Any:
    """Return what is shown in parts: the caller's color, or what makes the parts by default."""
    asked = along if groupby is None else groupby
    by_default = isinstance(color, str) and color == DEFAULT and color not in adata.obsm
    return asked if by_default and asked is not None else color


def sources_in_parts(
    adata: AnnData, color: Color, n_frames: int | None, parts: Parts | None, how: Mapping[str, Any]
) -> list[Source]:
    """Read what each panel shows, as many frames of each, or one frame in parts."""
    panels = _on_one_clock(sources(adata, color, n_frames=None if parts else n_frames, **how))
    return [parts.of(source) for source in panels] if parts else panels


def in_motion(panels: list[Source], moving: Motion | None) -> tuple[list[Source], bool]:
    """Let what is shown stay the same while cells move; and whether it does."""
    if moving is None or panels[0].n_frames > 1:
        return panels, False
    return [s.staying(moving.n_keys, None, labels=moving.labels(s.name)) for s in panels], True
