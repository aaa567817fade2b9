"""The keyword arguments that go to scanpy: checked, and read once."""

from __future__ import annotations

import inspect
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, Self

import numpy as np
from matplotlib.artist import ArtistInspector
from matplotlib.collections import PathCollection

from scanpy_anim._checks import choice, is_list, is_number, nearest, text_to_draw
from scanpy_anim._compat import DEFAULTS, embedding_function

if TYPE_CHECKING:
    from collections.abc import Collection, Mapping, Sequence

#: Limits of the color map, one for each panel where they are lists.
BOUNDS = ("vmin", "vmax", "vcenter", "norm")
#: What says which of an embedding's dimensions are shown.
DIMENSIONS = ("components", "dimensions")
_GENES = ("layer", "use_raw", "gene_symbols")
_INSTEAD = {
    "save": "save the film that is returned, .save('film.mp4')",
    "show": "the film shows itself at the end of a notebook cell, anywhere else with .show()",
    "return_fig": "the film's figure of frame i is .still(i)",
    "arrows": "arrows are drawn by sc.pl.embedding alone",
    "rasterized": "the cells are an image in vector formats anyway, all else stays vectors",
    "scale_factor": "give the points' size=, in points squared",
}


@dataclass(frozen=True, eq=False)
class PlotOptions:
    """What the caller asked of `sc.pl.embedding`.

    Attributes
    ----------
    passed
        What scanpy gets, as it is.
    bounds
        Limits of the color map, which are resolved over all frames before scanpy gets them.
    genes
        Where a gene's values come from: `layer`, `use_raw`, `gene_symbols`.
    dimensions
        `components` or `dimensions`, where one is given.
    """

    passed: Mapping[str, Any]
    bounds: Mapping[str, Any]
    genes: Mapping[str, Any]
    dimensions: Mapping[str, Any]

    @classmethod
    def from_call(cls, given: Mapping[str, Any], ours: Collection[str]) -> Self:
        """Sort the arguments that are `given` beside `ours`.

        Raises
        ------
        TypeError
            For what a film cannot do, saying what to do instead, and for what nobody knows.
        """
        _check_names(given, ours)
        if given.get("zorder") is not None and not is_number(given["zorder"]):
            raise TypeError(f"zorder={given['zorder']!r}: a number, higher ones on top.")
        for name in ("legend_loc", "colorbar_loc"):
            if not isinstance(given.get(name), str | None):
                raise TypeError(f"{name}={given[name]!r}: the name of a place; None: nowhere.")
        titles: Any = given.get("title")
        for text in titles if is_list(titles) else [titles]:
            text_to_draw("title", text)
        taken = {*BOUNDS, *_GENES, *_INSTEAD}  # show=False and the like: so it is anyway
        passed = {n: v for n, v in given.items() if n not in taken}
        if is_list(passed.get("groups")):
            passed["groups"] = list(passed["groups"])  # such as an Index, which scanpy chokes on
        return cls(
            passed=passed,
            bounds={n: given[n] for n in BOUNDS if n in given},
            genes={n: given[n] for n in _GENES if n in given},
            dimensions={n: given[n] for n in DIMENSIONS if given.get(n) is not None},
        )

    def without(self, *names: str) -> Self:
        """Return the options without some of what scanpy gets."""
        passed = {n: v for n, v in self.passed.items() if n not in names}
        return type(self)(passed, self.bounds, self.genes, self.dimensions)

    def changed(self, **changes: Any) -> Self:
        """Return the options with other values for what scanpy gets."""
        return type(self)({**self.passed, **changes}, self.bounds, self.genes, self.dimensions)

    @property
    def title(self) -> Any:
        """Titles that the caller gave, `None`: scanpy's."""
        return self.passed.get("title")

    @property
    def palette(self) -> Any:
        """Colors of categories that the caller gave, `None`: those that are known, or scanpy's."""
        return self.passed.get("palette")

    @property
    def na_color(self) -> Any:
        """Color of cells without value."""
        return self.passed.get("na_color", DEFAULTS["na_color"])

    @property
    def groups(self) -> set[str] | None:
        """Categories that are shown, `None` for all."""
        groups = self.passed.get("groups")
        if groups is not None and not np.iterable(groups):
            raise TypeError(f"groups={groups!r}: a category, or a list of them.")
        if groups is None or not len(list(groups)):
            return None  # as in scanpy
        return {groups} if isinstance(groups, str) else set(map(str, groups))

    @property
    def mask_obs(self) -> Any:
        """Which cells show their value, as the caller spelled it."""
        return self.passed.get("mask_obs")

    @property
    def legend_loc(self) -> str | None:
        """Where the legend is, `None`: nowhere."""
        return self.passed.get("legend_loc", DEFAULTS["legend_loc"])

    @property
    def on_data(self) -> bool:
        """Whether categories are named where their cells are."""
        return str(self.legend_loc).startswith("on data")

    @property
    def colorbar_loc(self) -> str | None:
        """At which side color bars are, `None`: nowhere."""
        return self.passed.get("colorbar_loc", DEFAULTS["colorbar_loc"])

    @property
    def sized(self) -> bool:
        """Whether the caller says how large cells are."""
        return self.passed.get("size", self.passed.get("s")) is not None

    @property
    def edges(self) -> bool:
        """Whether the graph's edges are drawn."""
        return bool(self.passed.get("edges"))


def _check_names(given: Mapping[str, Any], ours: Collection[str]) -> None:
    for name, instead in _INSTEAD.items():
        if given.get(name) is not None and given[name] is not False:
            raise TypeError(f"{name}={given[name]!r} does not go with a film: {instead}.")
    known = _known_names() | set(ours) - {"adata", "kwargs"}
    for name in given:
        if name not in known:
            raise TypeError(
                f"{name}= is an argument neither of animate_embedding nor of sc.pl.embedding."
                f"{nearest(name, known)}"
            )


def _known_names() -> set[str]:
    """List what `sc.pl.embedding` and the scatter below it take."""
    scatter = ArtistInspector(PathCollection)
    aliases = (alias for names in scatter.get_aliases().values() for alias in names)
    named = set(inspect.signature(embedding_function()).parameters)
    return {*named, "s", *scatter.get_setters(), *aliases} - {"adata", "kwargs"}


def options_of(
    kwargs: Mapping[str, Any],
    ours: Collection[str],
    classes: str | Sequence[str] | None,
    projection: str,
) -> PlotOptions:
    """Read scanpy's arguments; what a panel is called and a turn needs is ours to say."""
    choice("projection", projection, ("2d", "3d"))
    options = PlotOptions.from_call(kwargs, ours)
    if isinstance(classes, str) and options.passed.keys().isdisjoint({"title", *DIMENSIONS}):
        options = options.changed(title=classes)  # or the frame's text would take its place
    return options.without(*DIMENSIONS) if projection == "3d" else options
