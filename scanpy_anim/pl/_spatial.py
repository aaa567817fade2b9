"""Tissue: equal sides, y downwards as in the picture, and the picture underneath."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

import numpy as np

from scanpy_anim._names import listed

if TYPE_CHECKING:
    from anndata import AnnData
    from matplotlib.axes import Axes
    from numpy.typing import NDArray

SPATIAL = ("spatial", "X_spatial")


@dataclass(frozen=True, eq=False)
class Picture:
    """A tissue's picture, and its pixels per unit of the cells' coordinates."""

    pixels: NDArray
    scale: float


def lay_out(ax: Axes, picture: Picture | None) -> None:
    """Show coordinates as the microscope saw them, over the picture where there is one."""
    ax.set_aspect("equal")
    ax.invert_yaxis()
    if picture is None:
        return
    x, y = ax.get_xlim(), ax.get_ylim()
    half = 0.5 / picture.scale  # a pixel's centre is at a whole number
    height, width = np.array(picture.pixels.shape[:2]) / picture.scale - half
    ax.imshow(picture.pixels, extent=(-half, width, height, -half), zorder=0, cmap="gray")
    ax.set_xlim(x)
    ax.set_ylim(y)


def find_picture(adata: AnnData, img_key: str | bool | None) -> Picture | None:
    """Find the picture of the tissue in `uns["spatial"][library]["images"]`.

    Parameters
    ----------
    adata
        Annotated data with one library.
    img_key
        Which picture; `True`: `"hires"` or else `"lowres"` where there is one; `None`: none.
    """
    libraries = adata.uns.get("spatial")
    if not img_key or not isinstance(libraries, Mapping) or len(libraries) != 1:
        return None
    library: Mapping[str, Any] = next(iter(libraries.values()))
    images = library.get("images", {}) if isinstance(library, Mapping) else {}
    names = [n for n in ("hires", "lowres") if n in images] if img_key is True else [img_key]
    if img_key is not True and img_key not in images:
        raise ValueError(f"img_key={img_key!r}: there are the pictures {listed(images)}.")
    if not names:
        return None
    scale = library.get("scalefactors", {}).get(f"tissue_{names[0]}_scalef", 1.0)
    return Picture(np.asarray(images[names[0]]), float(scale))
