"""Colors of categories: what `uns` holds in any spelling, filled up where some have none."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from typing import TYPE_CHECKING, Any

import numpy as np
import scanpy as sc
from cycler import Cycler
from matplotlib import colormaps
from matplotlib.colors import is_color_like, to_hex, to_rgba, to_rgba_array

from scanpy_anim._checks import MissingKeyError, listed
from scanpy_anim._compat import default_palette
from scanpy_anim.pl._source import Categorical

if TYPE_CHECKING:
    from anndata import AnnData

    from scanpy_anim.pl._source import Source

#: So close (in RGBA, of 255 each) two colors are taken for one another.
_ALIKE = 20.0


def known_colors(adata: AnnData, name: str, categories: Iterable[object]) -> dict[str, str]:
    """Return the color of each category that `uns["<name>_colors"]` has one for.

    They may be strings, tuples or rows of an array, as they are after h5ad. Too few for the
    categories are none, as in scanpy.
    """
    stored = adata.uns.get(f"{name}_colors")
    named = list(map(str, categories))
    if stored is None:
        return {}
    if isinstance(stored, Mapping):
        return {str(c): _spelled(color) for c, color in stored.items() if str(c) in named}
    spelled = np.atleast_1d(np.asarray(stored, dtype=object))
    if any(color is None for color in spelled.ravel()):
        return {}  # as in scanpy; to matplotlib it would be invisible
    colors = [_spelled(color) for color in spelled]
    return dict(zip(named, colors, strict=False)) if len(colors) >= len(named) else {}


def film_colors(categories: Sequence[str], known: Mapping[str, str]) -> list[str] | None:
    """Return a color for each category, those without any from scanpy's own; `None`: none known."""
    if not any(c in known for c in categories):
        return None
    taken = {known[c].lower() for c in categories if c in known}
    defaults = [_spelled(c) for c in default_palette(len(categories))]
    spare = [c for c in defaults if c.lower() not in taken] or defaults
    unknown = [c for c in categories if c not in known]
    given = {c: spare[i % len(spare)] for i, c in enumerate(unknown)}
    return [known.get(c) or given[c] for c in categories]


def checked_palette(palette: Any, sources: Sequence[Source]) -> Any:
    """Return `palette` for scanpy, its keys as the categories are spelled in a film.

    Raises
    ------
    MissingKeyError
        When a dict has no color for a category that is shown.
    """
    if not isinstance(palette, Mapping):
        return palette
    spelled = {str(c): color for c, color in palette.items()}
    for category, color in spelled.items():
        if not is_color_like(color):
            raise ValueError(f"palette: {color!r}, of {category!r}, is no color of matplotlib's.")
    for source in sources:
        if isinstance(source, Categorical):
            lacking = [c for c in source.categories if c not in spelled]
            if lacking:
                raise MissingKeyError(
                    f"palette has no color for {listed(lacking)}, of {source.name!r}; "
                    f"it has colors for {listed(spelled)}."
                )
    return spelled


def _spelled(color: Any) -> str:
    """Spell a color as matplotlib reads it; what it does not know stays scanpy's affair."""
    if isinstance(color, bytes):
        color = color.decode(errors="replace")
    if isinstance(color, str):
        return str(color)
    parts = tuple(np.asarray(color).ravel().tolist())
    return to_hex(parts, keep_alpha=len(parts) == 4) if is_color_like(parts) else str(color)


def colors_of(source: Source, palette: Any) -> list[Any]:
    """Return the colors that scanpy may give the categories of a source."""
    if not isinstance(source, Categorical):
        return []
    n = len(source.categories)
    if isinstance(palette, Mapping):
        return list(palette.values())
    if isinstance(palette, str):
        known = palette in colormaps
        return list(colormaps[palette](np.linspace(0, 1, n))) if known else []
    if isinstance(palette, Cycler):
        return palette.by_key().get("color", [])
    if palette is not None:
        return list(palette) if np.iterable(palette) else []
    return list(source.colors or default_palette(n))


def apart_from_missing(na_color: Any, colors: Iterable[Any]) -> Any:
    """Return the color of missing cells, one step away if a category has the very same.

    scanpy cannot draw missing cells otherwise; nobody sees the step.
    """
    if not is_color_like(na_color):
        return na_color
    taken = {to_hex(c, keep_alpha=True) for c in colors if is_color_like(c)}
    red, green, blue, alpha = to_rgba(na_color)
    while to_hex((red, green, blue, alpha), keep_alpha=True) in taken:
        red += -1 / 255 if red > 0.5 else 1 / 255
    return na_color if red == to_rgba(na_color)[0] else (red, green, blue, alpha)


def tell_of_missing(source: Categorical, colors: Sequence[str], na_color: Any) -> None:
    """Warn where cells of a category look as if they were missing."""
    if not source.has_missing:
        return
    distance = np.linalg.norm(to_rgba_array(list(colors)) - to_rgba(na_color), axis=1) * 255
    alike = [c for c, d in zip(source.categories, distance, strict=False) if d < _ALIKE]
    if alike:
        sc.logging.warning(
            f"{source.name!r}: cells of {listed(alike, 4)} look like missing ones, which are drawn "
            f"in na_color={na_color!r}. Give another na_color=, or a palette=."
        )
