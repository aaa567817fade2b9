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
    from matplotlib.collections import PathCollection
    from numpy.typing import NDArray

SPATIAL = ("spatial", "X_spatial")


@dataclass(frozen=True, eq=False)
class Picture:
    """A tissue's picture, and its pixels per unit of the cells' coordinates."""

    pixels: NDArray
    scale: float


@dataclass(frozen=True, eq=False)
class Tissue:
    """What `uns["spatial"]` knows of the tissue that the cells lie in.

    Attributes
    ----------
    picture
        Its picture, if there is one to be shown.
    spot
        Diameter of a spot in the cells' coordinates, if cells are to be drawn at that size.
    """

    picture: Picture | None = None
    spot: float | None = None

    def lay_out(self, ax: Axes, cloud: PathCollection) -> None:
        """Show coordinates as the microscope saw them, over the picture where there is one."""
        ax.set_aspect("equal")
        ax.invert_yaxis()
        if self.picture is not None:
            _underlay(ax, self.picture)
        if self.spot is not None:
            ax.apply_aspect()
            width, _ = ax.transData.transform((self.spot, 0)) - ax.transData.transform((0, 0))
            figure = ax.get_figure(root=True)
            assert figure is not None
            across = max(cloud.get_paths()[0].get_extents().size)  # of a marker of size 1
            cloud.set_sizes([(abs(width) * 72 / figure.dpi / across) ** 2])


def _underlay(ax: Axes, picture: Picture) -> None:
    x, y = ax.get_xlim(), ax.get_ylim()
    half = 0.5 / picture.scale  # a pixel's centre is at a whole number
    height, width = np.array(picture.pixels.shape[:2]) / picture.scale - half
    ax.imshow(picture.pixels, extent=(-half, width, height, -half), zorder=0, cmap="gray")
    ax.set_xlim(x)
    ax.set_ylim(y)


def read_tissue(adata: AnnData, img_key: str | bool | None, *, sized: bool) -> Tissue:
    """Read the tissue from `uns["spatial"][library]`, as `sc.pl.spatial` does.

    Parameters
    ----------
    adata
        Annotated data with one library.
    img_key
        Which picture; `True`: `"hires"` or else `"lowres"` where there is one; `None`: none.
    sized
        Whether the caller has said how large cells are.
    """
    libraries = adata.uns.get("spatial")
    if not isinstance(libraries, Mapping) or not libraries:
        return Tissue()
    if len(libraries) > 1:
        import scanpy as sc

        sc.logging.warning(
            f"adata.uns['spatial'] has {len(libraries)} libraries, {listed(libraries)}: no picture "
            "is drawn. Make a film of the cells of one, with its library alone in uns."
        )
        return Tissue()
    library: Any = next(iter(libraries.values()))
    if not isinstance(library, Mapping):
        return Tissue()
    scales = library.get("scalefactors", {})
    spot = None if sized else scales.get("spot_diameter_fullres")
    picture = _picture(library.get("images", {}), scales, img_key) if img_key else None
    return Tissue(picture, None if spot is None else float(spot))


def _picture(
    images: Mapping[str, Any], scales: Mapping[str, Any], img_key: str | bool
) -> Picture | None:
    names = [n for n in ("hires", "lowres") if n in images] if img_key is True else [str(img_key)]
    if img_key is not True and img_key not in images:
        raise ValueError(f"img_key={img_key!r}: there are the pictures {listed(images)}.")
    if not names:
        return None
    scale = scales.get(f"tissue_{names[0]}_scalef", 1.0)
    return Picture(np.asarray(images[names[0]]), float(scale))
