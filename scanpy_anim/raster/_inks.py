"""The colours of one frame."""

from __future__ import annotations

from dataclasses import dataclass, replace
from typing import TYPE_CHECKING

import numpy as np

from ._threads import spread

if TYPE_CHECKING:
    from numpy.typing import NDArray

    from ._look import Look

_NONE = np.empty(0, np.uint8)
_CHUNK = 1 << 17  # cells gathered at a time
_ALPHA = np.uint64(48)  # bit of a packed colour


@dataclass(frozen=True, eq=False)
class Inks:
    """Colours of the faces and edges of all cells."""

    levels: NDArray
    table: NDArray[np.uint64]  # packed colours
    edges: NDArray[np.uint64]  # packed colours, taken in turns; empty: edges as the faces
    opacity: NDArray[np.uint8]  # (n,), or empty
    alpha: int | None  # (0 to 255) of all that is drawn, if it is the same

    def of_cells(self, cells: NDArray[np.int64]) -> Inks:
        """Gather the colours of some cells, ascending; edges stay those of all cells."""
        levels, opacity = gathered(self.levels, cells), self.opacity
        if opacity.size:
            opacity = gathered(opacity, cells)
        return replace(self, levels=levels, opacity=opacity)

    @property
    def wide_levels(self) -> NDArray[np.uint16]:
        """Levels as the kernels take them."""
        return writable(self.levels.astype(np.uint16, copy=False))

    @property
    def steps(self) -> NDArray[np.uint64]:
        """Blending steps by coverage, where one table serves all inks; else empty."""
        from ._blending import step_of_cover

        return np.empty(0, np.uint64) if self.alpha is None else step_of_cover(self.alpha)

    @property
    def least_alphas(self) -> tuple[float, float]:
        """Alpha (0 to 255) that every face, and every edge, has at least."""
        if self.alpha is not None:
            return float(self.alpha), float(self.alpha)
        if self.opacity.size:
            return 0.0, 0.0
        face = float((self.table >> _ALPHA).min(initial=255))
        edge = float((self.edges >> _ALPHA).min()) if self.edges.size else face
        return face, edge if face else 0.0


def mix_inks(
    look: Look, alpha: float | NDArray[np.uint8], edges: NDArray[np.uint64], *, has_edges: bool
) -> Inks:
    """Colours of a look on points with an alpha of their own, which is a factor.

    Parameters
    ----------
    look
        What the frame shows.
    alpha
        Of all points (0 to 1), or ``(n,)`` of each (0 to 255).
    edges
        Packed colours of the edges, taken in turns; empty: as the faces.
    has_edges
        Whether edges are drawn.
    """
    from ._blending import pack_colors

    table, opacity = look.table, _NONE if look.opacity is None else look.opacity
    if isinstance(alpha, float):
        table = table.copy()
        table[:, 3] = np.floor(table[:, 3] * alpha + 0.5)
    elif opacity.size:
        opacity = np.rint(opacity / 255 * alpha).astype(np.uint8)
    else:
        opacity = alpha
    alphas = set(_alphas(table[: look.top_level + 1], look.levels))
    if has_edges:
        alphas |= {int(edge) for edge in np.unique(edges >> _ALPHA)}
    common = alphas.pop() if len(alphas) == 1 and not opacity.size else None
    return Inks(look.levels, pack_colors(table), edges, writable(opacity), common)


def _alphas(table: NDArray[np.uint8], levels: NDArray) -> list[int]:
    """Distinct alphas of the levels that occur."""
    alphas = table[:, 3]
    if len(alphas) and alphas.min() != alphas.max():
        alphas = alphas[np.bincount(levels, minlength=len(alphas)) > 0]
    return [int(alpha) for alpha in np.unique(alphas)]


def gathered(array: NDArray, cells: NDArray[np.int64]) -> NDArray:
    """Take what belongs to some cells, on all threads."""
    taken = np.empty(len(cells), array.dtype)

    def take_chunk(first: int) -> None:
        some = slice(first, first + _CHUNK)
        np.take(array, cells[some], out=taken[some], mode="clip")  # "raise" would copy

    spread(take_chunk, range(0, len(cells), _CHUNK))
    return taken


def writable(array: NDArray) -> NDArray:
    """Contiguous and writable, as the kernels are compiled for; a copy only if it must be."""
    return np.require(array, requirements=["C", "W"])
