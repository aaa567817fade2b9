"""What a page shows, as arrays: the cells, their frames, when each is seen."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any, NamedTuple

if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping, Sequence

    import numpy as np
    from numpy.typing import NDArray

    from scanpy_anim.explorer._names import Texts
    from scanpy_anim.explorer._planes import Plane


@dataclass(frozen=True)
class View:
    """What of the plane is seen, and how.

    Attributes
    ----------
    x, y
        Coordinates at the left and right, and at the lower and upper end.
    width, height
        Pixels of the axes.
    radius
        Pixels of a cell's marker, a disk.
    alpha
        Opacity of all cells.
    background
        `"#rrggbb"`.
    frame, xlabel, ylabel
        Whether there is a line around it, and what the axes are called.
    """

    x: tuple[float, float]
    y: tuple[float, float]
    width: float
    height: float
    radius: float
    alpha: float = 1.0
    background: str = "#ffffff"
    frame: bool = True
    xlabel: str = ""
    ylabel: str = ""


@dataclass(frozen=True)
class Poster:
    """A picture for where no script runs: bytes of a file, its type, its size in pixels."""

    content: bytes
    kind: str
    width: int
    height: int


@dataclass(frozen=True)
class Key:
    """One plane: what to call it; the planes of two frames that it lies between, and how far."""

    title: str
    between: tuple[int, int, float] | None = None
    names: Sequence[str] | None = None


class Likeness(NamedTuple):
    """A panel that shows the cells of an earlier one.

    Attributes
    ----------
    panel
        Number of the earlier one.
    cells
        `(n,)` which of its cells each cell is.
    alike
        Whether they are at the same places there.
    """

    panel: int
    cells: NDArray[np.int64]
    alike: bool


@dataclass(frozen=True, eq=False)
class Contents:
    """What a page shows.

    Attributes
    ----------
    title, description
        What the page is called; what is seen on the poster, in words.
    kind
        `"scores"` or `"labels"`.
    positions
        `(n, 2)` coordinates in drawing order, all finite; or `(n_stops, n, 2)` of cells that move
        from stop to stop, NaN where a cell is nowhere; or `(n, 3)` of cells that turn in space.
    planes
        Gives what `keys` tell of, one after the other.
    moments, titles
        `(plane, plane, weight, seconds)` of each frame of the film, of cells that move followed by
        the number of a stop, or a number between two, of cells that turn by the angle in radians;
        and what stands over it.
    colors
        What the header says of colors, as the format has it.
    tilt
        How far from above cells that turn are seen, in radians.
    by_value
        Whether cells lie the higher the higher their value is, in each frame anew.
    full
        `(n,)` bool: labels that are at full strength whatever their share; `None`: none.
    names, hover
        What cells are called, and what else is told of them.
    name, others, like
        Of several panels what this first one is called, and the others; of another one, which
        panel has the same cells, so that names and what else is told of them are that one's.
    """

    title: str
    description: str
    kind: str
    positions: NDArray[np.float64]
    view: View
    keys: Sequence[Key]
    planes: Iterable[Plane]
    moments: Sequence[tuple[float, ...]]
    titles: Sequence[str]
    colors: Mapping[str, Any]
    poster: Poster | None = None
    tilt: float | None = None
    by_value: bool = False
    full: NDArray[np.bool_] | None = None
    top: int = 0
    rings: Sequence[Mapping[str, Any]] = ()
    names: Texts | None = None
    names_note: str = ""
    names_title: str = "cell"
    hover: Mapping[str, Texts] = field(default_factory=dict)
    name: str = ""
    others: Sequence[Contents] = ()
    like: Likeness | None = None
    loop: int = 0
    generator: str = ""
