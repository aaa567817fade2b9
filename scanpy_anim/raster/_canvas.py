"""The canvas that points are drawn on."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    import numpy as np
    from numpy.typing import NDArray

_MOST_BYTES = 1 << 32
_BYTES_PER_PIXEL = 24


@dataclass(frozen=True, eq=False)
class Canvas:
    """A canvas, the part of it that may be drawn on, and how coordinates become its pixels.

    Attributes
    ----------
    height, width
        In pixels.
    dpi
        Pixels an inch: markers are sized in points.
    matrix
        `(3, 3)` from coordinates to pixels, upwards from the lower left corner.
    window
        `(4,)` first and last row, first and last column that may be drawn on.
    mask
        `(height, width)` coverage of a clip path, or `(0, 0)`.
    """

    height: int
    width: int
    dpi: float
    matrix: NDArray[np.float64]
    window: NDArray[np.int64]
    mask: NDArray[np.uint8]

    @property
    def is_empty(self) -> bool:
        """Whether nothing may be drawn on."""
        top, bottom, left, right = self.window
        return bool(top >= bottom or left >= right)

    def key(self) -> tuple[float | bytes | int, ...]:
        """Equal for canvases on which the same points fall on the same pixels."""
        size = (self.height, self.width, self.dpi)
        return (*size, self.matrix.tobytes(), self.window.tobytes(), hash(self.mask.tobytes()))

    def check_memory(self) -> None:
        """Refuse a canvas that is too large, before anything is computed for it."""
        needed = self.height * self.width * _BYTES_PER_PIXEL
        if needed > _MOST_BYTES:
            raise MemoryError(
                f"a canvas of {self.width} × {self.height} pixels would need "
                f"{needed / 2**30:.1f} GiB for its points, more than the "
                f"{_MOST_BYTES / 2**30:.0f} GiB allowed: lower dpi or figsize"
            )
