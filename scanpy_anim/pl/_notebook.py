"""Films in notebooks: shown now, or at the end of the cell that throws them away; and not twice."""

from __future__ import annotations

import base64
import gc
import sys
import tempfile
import weakref
from dataclasses import dataclass
from io import BytesIO
from pathlib import Path
from typing import TYPE_CHECKING, Any, Protocol

import matplotlib as mpl
import matplotlib.pyplot as plt
import scanpy as sc
from PIL import Image

from scanpy_anim import video

if TYPE_CHECKING:
    from collections.abc import Callable

    import numpy as np
    from matplotlib.figure import Figure
    from numpy.typing import NDArray

_EVENT = "post_run_cell"


class _Shown(Protocol):
    """A film that has a figure to be shown, and may wait for a look."""

    figure: Figure
    unseen: Callable[[], None] | None

    def successor(self) -> Callable[[], _Shown]:
        """Return what makes the same film once this one is gone."""


def video_element(film: video.Film, size: tuple[int, int]) -> str:
    """Return an HTML `<video>` element that holds the film as H.264."""
    with tempfile.TemporaryDirectory() as folder:
        path = Path(folder) / "film.mp4"
        video.write(film, path, progress=False)
        content = base64.b64encode(path.read_bytes()).decode()
    width, height = size
    return (
        f'<video width="{width}" height="{height}" controls autoplay loop muted playsinline>'
        f'<source type="video/mp4" src="data:video/mp4;base64,{content}"></video>'
    )


def close_shown_twice(figure: Figure) -> None:
    """Take the figure from pyplot where a notebook would show it once more as a picture.

    Only a figure that the caller made and gave as `ax` is still there.
    """
    if "inline" in mpl.get_backend():
        plt.close(figure)


def png(frame: NDArray[np.uint8]) -> bytes:
    """Return one frame as a picture."""
    stream = BytesIO()
    Image.fromarray(frame).save(stream, "png")
    return stream.getvalue()


def _running_shell() -> Any:
    """Return IPython's shell of the notebook that runs, `None` where there is none."""
    ipython = sys.modules.get("IPython")
    shell = None if ipython is None else ipython.get_ipython()
    return None if getattr(shell, "kernel", None) is None else shell


def show_now(film: _Shown) -> None:
    """Display a film in the notebook that runs, or open the windows of pyplot."""
    if _running_shell() is not None:
        sys.modules["IPython"].display.display(film)
    elif plt.fignum_exists(getattr(film.figure, "number", -1)):
        plt.show()
    else:
        sc.logging.warning(
            "there is neither a notebook nor a window to show the film in: "
            "film.save('film.html') writes a page that any browser plays"
        )


@dataclass(frozen=True, eq=False)
class _Unseen:
    """A film that nobody has looked at, and how to have it once it is thrown away."""

    film: weakref.ref[_Shown]
    successor: Callable[[], _Shown]

    def show(self) -> None:
        """Show the film, or the same once more."""
        show_now(self.film() or self.successor())


class _Cell:
    """The films of the cell that runs, called by IPython at its end.

    Where one of them was thrown away unseen, nothing else can show it: all that were not looked at
    are shown then, as the figures of a loop are. A film that has a name is left alone.
    """

    def __init__(self, shell: Any) -> None:
        self.shell = shell
        self.films: list[_Unseen] = []

    def __call__(self, *_: object) -> None:
        self.shell.events.unregister(_EVENT, self)
        films, self.films = self.films, []
        if not films or self.shell.displayhook.quiet():
            return
        gc.collect()  # films are in circles with their artists
        if any(unseen.film() is None for unseen in films):
            for unseen in films:
                unseen.show()


def await_use(film: _Shown) -> None:
    """Have a new film shown at the end of the cell, should that throw it away without a look."""
    shell = _running_shell()
    if shell is None or film.unseen is not None:
        return
    waiting = [each for each in shell.events.callbacks[_EVENT] if isinstance(each, _Cell)]
    cell = waiting[0] if waiting else _Cell(shell)
    if not waiting:
        shell.events.register(_EVENT, cell)
    unseen = _Unseen(weakref.ref(film), film.successor())
    cell.films.append(unseen)

    def seen() -> None:
        if unseen in cell.films:
            cell.films.remove(unseen)

    film.unseen = seen
