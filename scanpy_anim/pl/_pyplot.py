"""pyplot, which scanpy draws with and a film must leave as it found it."""

from __future__ import annotations

from contextlib import contextmanager
from typing import TYPE_CHECKING, cast

if TYPE_CHECKING:
    from collections.abc import Iterator

    from matplotlib.axes import Axes
    from matplotlib.figure import Figure


def is_strange(ax: Axes | None) -> bool:
    """Whether pyplot, which scanpy asks for the figure of a colour bar, does not know it."""
    import matplotlib.pyplot as plt

    return ax is not None and not plt.fignum_exists(getattr(figure_of(ax), "number", -1))


def figure_of(ax: Axes) -> Figure:
    """Return the figure that holds the axes, whatever subfigures lie between."""
    return cast("Figure", ax.get_figure(root=True))


def _has_windows() -> bool:
    """Whether `plt.show()` opens windows, in which the film is to be seen."""
    import matplotlib as mpl
    from matplotlib.backends.registry import BackendFilter, backend_registry

    windows = set(backend_registry.list_builtin(BackendFilter.INTERACTIVE)) - {"nbagg", "webagg"}
    return mpl.get_backend().lower() in windows


@contextmanager
def pyplot_as_it_was(ax: Axes | None) -> Iterator[None]:
    """Make the figure of `ax` the current one for a moment; then leave pyplot as it was.

    Only where there are windows a new figure stays, for `plt.show()` to open.
    """
    import matplotlib.pyplot as plt

    before = plt.get_fignums()
    current = plt.gcf().number if before else None
    if ax is not None and not is_strange(ax):
        plt.figure(figure_of(ax).number)
    try:
        yield
    finally:
        if not _has_windows():
            for number in set(plt.get_fignums()) - set(before):
                plt.close(number)
        if current is not None and plt.fignum_exists(current):
            plt.figure(current)
