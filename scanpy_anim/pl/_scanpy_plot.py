"""The stage's call of scanpy: drawn from a stand-in, as often as it is needed."""

from __future__ import annotations

import inspect
import io
import re
from contextlib import contextmanager
from dataclasses import dataclass, replace
from typing import TYPE_CHECKING, Any

import matplotlib as mpl
import matplotlib.pyplot as plt
from matplotlib.backends.backend_agg import FigureCanvasAgg
from matplotlib.backends.registry import BackendFilter, backend_registry
from matplotlib.figure import Figure

from scanpy_anim._checks import printable, shortened
from scanpy_anim._compat import (
    COLORBAR,
    DEFAULTS,
    default_size,
    draw_embedding,
    embedding_function,
    figure_of,
    point_cloud,
)
from scanpy_anim.pl._options import DIMENSIONS

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping, Sequence

    from anndata import AnnData
    from matplotlib.axes import Axes
    from numpy.typing import NDArray


#: Arguments that hold one value for each panel where they are lists.
_EACH_PANEL = ("norm", "title", "marker")
#: Arguments that are sound once scanpy has drawn; others may fail when the figure is drawn only.
_SURE = frozenset(inspect.signature(embedding_function()).parameters) - {
    "edges_width",
    "edges_color",
    "kwargs",
}


@dataclass(frozen=True, eq=False)
class ScanpyPlot:
    """All that `sc.pl.embedding` needs to draw the stage, now or again.

    Attributes
    ----------
    coordinates
        Of all cells, in all dimensions of the embedding.
    pairs
        Which dimensions a panel shows, in turn.
    stand_in
        Holds columns and the embedding of some cells, enough to draw what stays on the stage;
        what scanpy writes down (colors) stays there.
    basis
        Name of the embedding.
    columns
        What is drawn, a panel each (or as many as there are pairs of dimensions).
    arguments
        What scanpy gets besides.
    obs
        What is known of the cells, as the caller has it; not in a pickle.
    """

    coordinates: NDArray
    pairs: tuple[tuple[int, ...], ...]
    stand_in: AnnData
    basis: str
    columns: tuple[str, ...]
    arguments: Mapping[str, Any]
    obs: Any = None

    def __getstate__(self) -> dict[str, Any]:
        """Leave out what is not drawn."""
        return {**self.__dict__, "obs": None}

    @property
    def n_obs(self) -> int:
        """Number of cells, of which the stand-in may hold a few."""
        return len(self.coordinates)

    def draw(self, **changes: Any) -> list[Axes]:
        """Draw with scanpy; return the axes of its panels, their scatters with all cells."""
        color = self.columns[0] if len(self.columns) == 1 else list(self.columns)
        arguments = {**self._sizes(), **self.arguments, **changes}
        bar = arguments.get("colorbar_loc", DEFAULTS["colorbar_loc"])
        beside = bar is not None and _is_strange(arguments.get("ax"))
        if beside:
            arguments["colorbar_loc"] = None
        with _pyplot_as_it_was(arguments.get("ax")), self.named_in_errors():
            axes = draw_embedding(
                self.stand_in, self.basis, color=color, sort_order=False, **arguments
            )
        axes = list(axes) if isinstance(axes, list) else [axes]
        for ax in axes:
            _leave_out_unprintable(ax)
        if beside:
            _add_colorbar(axes[0], self.stand_in.n_obs, bar)
        if self.arguments.keys() - _SURE:
            with self.named_in_errors():
                _draw_small(figure_of(axes[0]))
        if self.stand_in.n_obs < self.n_obs:
            for i, ax in enumerate(axes):
                x, y = self.pairs[i % len(self.pairs)]
                pair = slice(x, y + 1) if y == x + 1 and x >= 0 else [x, y]  # a view, or a copy
                point_cloud(ax, self.stand_in.n_obs).set_offsets(self.coordinates[:, pair])
        return axes

    def _sizes(self) -> dict[str, float]:
        """Return the size that scanpy chooses by the number of cells, where it sees only a few."""
        asked = self.arguments.get("size", self.arguments.get("s")) is not None
        if asked or self.stand_in.n_obs == self.n_obs:
            return {}
        return {"size": default_size(self.coordinates)}

    @contextmanager
    def named_in_errors(self) -> Iterator[None]:
        """Add to what scanpy or matplotlib raises by which argument it was."""
        try:
            yield
        except Exception as error:
            names = [n for n in self.arguments if n not in ("norm", "ax")]
            named = [n for n in names if re.search(rf"\b{n}\b", str(error))] or names
            spelled = ", ".join(f"{n}={shortened(self.arguments[n], 40)}" for n in named)
            error.add_note(f"raised by sc.pl.embedding, which was given {spelled or 'nothing'}")
            raise

    def alone(self, i: int, dimensions: Sequence[tuple[int, ...]]) -> ScanpyPlot:
        """Return the plot of panel `i` alone, of those of all columns × `dimensions`."""
        arguments = {n: v for n, v in self.arguments.items() if n not in DIMENSIONS}
        for name in _EACH_PANEL:
            value = arguments.get(name)
            if isinstance(value, list | tuple) and len(value) > 1:
                arguments[name] = [value[i]] if name == "norm" else value[i]
        if self.arguments.keys() & set(DIMENSIONS):
            arguments["dimensions"] = dimensions[i % len(dimensions)]
        pair = dimensions[i % len(dimensions)]
        column = self.columns[i // len(dimensions)]
        return replace(self, columns=(column,), pairs=(pair,), arguments=arguments)

    def palette(self, column: str) -> list[str]:
        """Colors that scanpy gave the categories of a column."""
        return [str(c) for c in self.stand_in.uns[f"{column}_colors"]]


def new_figure() -> Figure:
    """Make a figure that pyplot knows only where `plt.show()` opens windows."""
    if _has_windows():
        return plt.figure()
    figure = Figure()
    FigureCanvasAgg(figure)
    return figure


def _leave_out_unprintable(ax: Axes) -> None:
    """Strip texts of what fonts choke on and no SVG can hold."""
    legend = ax.get_legend()
    written = [ax.title, ax.xaxis.label, ax.yaxis.label, *ax.texts]
    for text in [*written, *(() if legend is None else legend.get_texts())]:
        if (plain := printable(text.get_text())) != text.get_text():
            text.set_text(plain)


def _draw_small(figure: Figure) -> None:
    """Draw a figure of a few pixels, for what can be drawn at all."""
    with mpl.rc_context({"savefig.bbox": None}):
        figure.savefig(io.BytesIO(), format="raw", dpi=5)


def _is_strange(ax: Axes | None) -> bool:
    """Whether pyplot, which scanpy asks for the figure of a color bar, does not know it."""
    return ax is not None and not plt.fignum_exists(getattr(figure_of(ax), "number", -1))


def _has_windows() -> bool:
    """Whether `plt.show()` opens windows, in which the film is to be seen."""
    windows = set(backend_registry.list_builtin(BackendFilter.INTERACTIVE)) - {"nbagg", "webagg"}
    return mpl.get_backend().lower() in windows


@contextmanager
def _pyplot_as_it_was(ax: Axes | None) -> Iterator[None]:
    """Make the figure of `ax` the current one for a moment; then leave pyplot as it was.

    Only where there are windows a new figure stays, for `plt.show()` to open.
    """
    before = plt.get_fignums()
    current = plt.gcf().number if before else None
    if ax is not None and not _is_strange(ax):
        plt.figure(figure_of(ax).number)
    try:
        yield
    finally:
        if not _has_windows():
            for number in set(plt.get_fignums()) - set(before):
                plt.close(number)
        if current is not None and plt.fignum_exists(current):
            plt.figure(current)


def _add_colorbar(ax: Axes, n_obs: int, location: str) -> None:
    """Add the color bar that scanpy would have added."""
    cloud = point_cloud(ax, n_obs)
    if cloud.get_array() is not None:
        figure_of(ax).colorbar(cloud, ax=ax, location=location, **COLORBAR)
