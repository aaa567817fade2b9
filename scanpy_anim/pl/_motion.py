"""Where the cells are: the way from one embedding to another, a recorded path, a turn in space."""

from __future__ import annotations

from dataclasses import dataclass, replace
from typing import TYPE_CHECKING, Any, ClassVar, Protocol

import numpy as np

from scanpy_anim._checks import number
from scanpy_anim.pl._basis import basis_key, read_dimensions
from scanpy_anim.pl._spatial import SPATIAL

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

    from anndata import AnnData
    from numpy.typing import NDArray

#: Frames between two embeddings, or around a turn, where nothing else is asked for.
TWEENS = 24
_TURN = 72
#: Further than this, not even whole turns can be told apart.
_MOST_DEGREES = 360e6


class Motion(Protocol):
    """Coordinates of every cell at any time of the film, 0 (start) to 1 (end)."""

    @property
    def names(self) -> tuple[str, ...]:
        """What to call the embeddings."""

    @property
    def n_keys(self) -> int:
        """How many frames the motion has of its own."""

    @property
    def between(self) -> bool:
        """Whether the axes of the start and of the end mean different things."""

    def labels(self, name: str) -> list[str]:
        """Name each of these frames, where what is shown, `name`, stays the same."""

    def at(self, time: float) -> NDArray[np.float64]:
        """Return `(n_obs, 2)` coordinates."""

    def depth(self, time: float) -> NDArray[np.float64] | None:
        """Return `(n_obs,)` nearness to the viewer, `None` where there is none."""

    def limits(self) -> NDArray[np.float64]:
        """Return `((x0, y0), (x1, y1))`, the corners that hold all cells at all times."""


@dataclass(frozen=True, eq=False)
class Path:
    """Cells on straight lines from one set of coordinates to the next.

    Attributes
    ----------
    names
        What to call each stop.
    stops
        `(n_stops, n_obs, 2)` coordinates. A cell without coordinates at either end of a way is
        not drawn on it.
    between
        Whether it goes from one embedding to another, rather than through one.
    gentle
        Whether each way starts and stops gently, where the frames of the film do not do so.
    """

    names: tuple[str, ...]
    stops: NDArray[np.float64]
    between: bool = True
    gentle: bool = False

    @property
    def n_keys(self) -> int:
        """Count the stops."""
        return len(self.stops)

    def labels(self, name: str) -> list[str]:
        """Name the stops."""
        return list(self.names)

    def way(self, time: float) -> tuple[int, float]:
        """Return the last stop at a time from 0 to 1, and how far it is to the next one."""
        position = time * (len(self.stops) - 1)
        stop = min(int(position + 1e-9), len(self.stops) - 1)
        weight = position - stop if position - stop >= 1e-9 else 0.0
        return stop, in_out(weight) if self.gentle else weight

    def at(self, time: float) -> NDArray[np.float64]:
        """Return the coordinates at a time from 0 to 1."""
        stop, weight = self.way(time)
        here, there = self.stops[stop], self.stops[min(stop + 1, len(self.stops) - 1)]
        return here * (1 - weight) + there * weight if weight else here

    def depth(self, time: float) -> None:
        """Return nothing: a plane has no depth."""

    def limits(self) -> NDArray[np.float64]:
        """Return the corners that hold every stop."""
        known = self.stops[np.isfinite(self.stops).all(axis=2)]
        if not len(known):
            return np.array([[0.0, 0.0], [1.0, 1.0]])
        return np.array([known.min(axis=0), known.max(axis=0)])


@dataclass(frozen=True, eq=False)
class Turn:
    """Cells in space, turning around the upright axis, seen from a little above.

    Attributes
    ----------
    names
        What to call it.
    points
        `(n_obs, 3)` coordinates.
    degrees
        How far it turns.
    elevation
        How far above the horizon the viewer is, in degrees.
    """

    names: tuple[str, ...]
    points: NDArray[np.float64]
    degrees: float = 360.0
    elevation: float = 20.0
    between: ClassVar[bool] = False

    @property
    def n_keys(self) -> int:
        """Count the frames of a turn."""
        return _TURN

    def labels(self, name: str) -> list[str]:
        """Name what is shown: a turn changes nothing about it."""
        return [name] * _TURN

    @property
    def closed(self) -> bool:
        """Whether it ends where it started: then the last frame is one step before the first."""
        return self.degrees % 360 == 0

    def angle(self, time: float) -> float:
        """Return how far it has turned at a time from 0 to 1, in radians."""
        return float(np.deg2rad(self.degrees * time * ((_TURN - 1) / _TURN if self.closed else 1)))

    def _seen(self, time: float) -> NDArray[np.float64]:
        """Return `(n_obs, 3)`: right, up and towards the viewer."""
        angle, tilt = self.angle(time), np.deg2rad(self.elevation)
        x, y, z = self.centred.T
        right = x * np.cos(angle) - y * np.sin(angle)
        away = x * np.sin(angle) + y * np.cos(angle)
        up = z * np.cos(tilt) + away * np.sin(tilt)
        return np.stack([right, up, z * np.sin(tilt) - away * np.cos(tilt)], axis=1)

    @property
    def centred(self) -> NDArray[np.float64]:
        """The points around the middle of the box that holds them."""
        known = self.points[np.isfinite(self.points).all(axis=1)]
        middle = (known.min(axis=0) + known.max(axis=0)) / 2 if len(known) else 0.0
        return self.points - middle

    def at(self, time: float) -> NDArray[np.float64]:
        """Return the coordinates on the screen at a time from 0 to 1."""
        return self._seen(time)[:, :2]

    def depth(self, time: float) -> NDArray[np.float64]:
        """Return the nearness to the viewer at a time from 0 to 1."""
        return self._seen(time)[:, 2]

    def limits(self) -> NDArray[np.float64]:
        """Return the corners of a box that holds the cloud however it turns."""
        x, y, z = np.abs(self.centred.T)
        around, tilt = np.hypot(x, y), np.deg2rad(self.elevation)
        right = np.nanmax(around, initial=1e-12)
        up = np.nanmax(z * np.cos(tilt) + around * np.sin(tilt), initial=1e-12)
        return np.array([[-right, -up], [right, up]])


def motion(
    adata: AnnData,
    basis: str | Sequence[str],
    *,
    align: bool = True,
    projection: str = "2d",
    rotate: float = 360.0,
    **asked: Any,
) -> Motion | None:
    """Read where the cells go; `None` where they stay.

    Parameters
    ----------
    adata, basis, align, projection, rotate
        As in `animate_embedding`.
    asked
        `components` or `dimensions`, where given.

    Raises
    ------
    KeyError, ValueError
        For a basis that is not there or has too few dimensions.
    """
    if projection == "3d":
        return _turn(adata, basis, rotate, asked)
    if isinstance(basis, str) or not np.iterable(basis):
        values = adata.obsm[basis_key(adata, basis)]
        if values.ndim != 3:
            read_dimensions(adata, basis, 2, **asked)
            return None
        _refuse(asked)
        return _recorded(basis, np.asarray(values))
    _refuse(asked)
    names = tuple(basis)
    if len(names) < 2:
        raise ValueError(f"basis={list(names)!r}: a morph goes from one embedding to another.")
    stops = [_plane(adata, name) for name in names]
    return Path(names, np.array(aligned(stops, names) if align else stops))


def _refuse(asked: Mapping[str, Any]) -> None:
    """Refuse to choose dimensions where cells move."""
    for name, value in asked.items():
        raise ValueError(f"{name}={value!r} goes with one embedding in which the cells stay.")


def _plane(adata: AnnData, name: str) -> NDArray[np.float64]:
    read_dimensions(adata, name, 2)
    return np.asarray(adata.obsm[basis_key(adata, name)], dtype=np.float64)[:, :2]


def _recorded(name: str, values: NDArray) -> Path:
    if values.shape[1] != 2 or values.shape[2] == 0:
        raise ValueError(
            f"basis={name!r} has shape {values.shape}; a path is (n_obs, 2, n_frames)."
        )
    stops = np.ascontiguousarray(np.moveaxis(values, 2, 0), dtype=np.float64)
    return Path(tuple(f"frame {i}" for i in range(len(stops))), stops, between=False)


def _turn(
    adata: AnnData, basis: str | Sequence[str], rotate: float, asked: Mapping[str, Any]
) -> Turn:
    if not isinstance(basis, str):
        raise ValueError(f"basis={basis!r}: projection='3d' turns one embedding.")
    degrees = number("rotate", rotate, least=-_MOST_DEGREES, most=_MOST_DEGREES)
    panels = read_dimensions(adata, basis, 3, **asked)
    if len(panels) != 1:
        ((name, value),) = asked.items()
        raise ValueError(f"{name}={value!r}: projection='3d' shows three of them, in one panel.")
    values = np.asarray(adata.obsm[basis_key(adata, basis)], dtype=np.float64)
    return Turn((basis,), values[:, list(panels[0])], degrees)


def in_out(weight: float) -> float:
    """Start and stop gently between 0 and 1."""
    return weight * weight * (3 - 2 * weight)


def gliding(motion: Motion | None) -> Motion | None:
    """Let ways between embeddings start and stop gently while colors go on evenly."""
    return replace(motion, gentle=True) if isinstance(motion, Path) and motion.between else motion


def aligned(
    stops: Sequence[NDArray[np.float64]], names: Sequence[str]
) -> list[NDArray[np.float64]]:
    """Turn, mirror, scale and shift embeddings to lie over each other as well as they can.

    Orthogonal Procrustes (Schönemann 1966) of each to its neighbour, going outwards from the
    one that stays: a tissue, or else the last. Cells without coordinates in either are left out
    of the fit.
    """
    fixed = next((i for i, n in enumerate(names) if n in SPATIAL), len(stops) - 1)
    placed = list(stops)
    for i in range(fixed - 1, -1, -1):
        placed[i] = _superposed(placed[i], placed[i + 1])
    for i in range(fixed + 1, len(stops)):
        placed[i] = _superposed(placed[i], placed[i - 1])
    return placed


def _superposed(moving: NDArray[np.float64], still: NDArray[np.float64]) -> NDArray[np.float64]:
    """Return `moving` rotated, mirrored, scaled and shifted onto `still` in least squares.

    The scale gives both the same spread, so that neither shrinks where they have little in
    common.
    """
    both = np.isfinite(moving).all(axis=1) & np.isfinite(still).all(axis=1)
    if both.sum() < 2:
        return moving
    here, there = moving[both].mean(axis=0), still[both].mean(axis=0)
    a, b = moving[both] - here, still[both] - there
    spread = np.sqrt((a**2).sum())
    if spread == 0:
        return moving - here + there
    u, _, vt = np.linalg.svd(a.T @ b)
    return (moving - here) @ (u @ vt) * (np.sqrt((b**2).sum()) / spread) + there
