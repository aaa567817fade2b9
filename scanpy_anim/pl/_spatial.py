"""Tissue: equal sides, y downwards as in the picture, and the picture underneath."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

import numpy as np
import scanpy as sc

from scanpy_anim._checks import MissingKeyError, is_number, listed, nearest
from scanpy_anim._compat import figure_of

if TYPE_CHECKING:
    from anndata import AnnData
    from matplotlib.axes import Axes
    from matplotlib.collections import PathCollection
    from numpy.typing import NDArray

SPATIAL = ("spatial", "X_spatial")
_WITHOUT = "img_key=None with size= leaves it aside."


@dataclass(frozen=True, eq=False)
class _Picture:
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

    picture: _Picture | None = None
    spot: float | None = None

    def lay_out(self, ax: Axes, cloud: PathCollection) -> None:
        """Show coordinates as the microscope saw them, over the picture where there is one."""
        ax.set_aspect("equal")
        ax.invert_yaxis()
        if self.picture is not None:
            _underlay(ax, self.picture)
        self.size(ax, cloud)

    def size(self, ax: Axes, cloud: PathCollection) -> None:
        """Draw spots as large as they are, now that the axes are; leave those at the edge whole."""
        marker = max(cloud.get_paths()[0].get_extents().size)  # of a cell of size 1
        if self.spot is None:
            points = marker * float(np.sqrt(np.max(cloud.get_sizes(), initial=0)))
            _make_room(ax, cloud, points / _points_per_unit(ax) / 2)
            return
        _make_room(ax, cloud, self.spot / 2)
        cloud.set_sizes([(self.spot * _points_per_unit(ax) / marker) ** 2])


def _points_per_unit(ax: Axes) -> float:
    """Return how many points, 1/72 inch, a unit of the cells' coordinates is wide."""
    ax.apply_aspect()
    width, _ = ax.transData.transform((1, 0)) - ax.transData.transform((0, 0))
    return abs(float(width)) * 72 / figure_of(ax).dpi


def _make_room(ax: Axes, cloud: PathCollection, radius: float) -> None:
    """Widen the limits where a cell at the edge would be cut."""
    offsets = np.ma.getdata(cloud.get_offsets())
    known = offsets[np.isfinite(offsets).all(axis=1)]
    if not len(known):
        return
    (x0, y0), (x1, y1) = known.min(axis=0) - radius, known.max(axis=0) + radius
    left, right = ax.get_xlim()
    bottom, top = ax.get_ylim()  # downwards: the larger one is at the bottom
    ax.set_xlim(min(left, x0), max(right, x1))
    ax.set_ylim(max(bottom, y1), min(top, y0))


def _underlay(ax: Axes, picture: _Picture) -> None:
    x, y = ax.get_xlim(), ax.get_ylim()
    half = 0.5 / picture.scale  # a pixel's centre is at a whole number
    height, width = np.array(picture.pixels.shape[:2]) / picture.scale - half
    ax.imshow(picture.pixels, extent=(-half, width, height, -half), zorder=0, cmap="gray")
    ax.set_xlim(x)
    ax.set_ylim(y)


def read_tissue(
    adata: AnnData, img_key: str | bool | None, library_id: str | None, *, sized: bool
) -> Tissue:
    """Read the tissue from `uns["spatial"][library]`, as `sc.pl.spatial` does.

    Parameters
    ----------
    adata
        Annotated data.
    img_key
        Which picture; `True`: `"hires"` or else `"lowres"` where there is one; `None`: none.
    library_id
        Which library; `None`: the only one.
    sized
        Whether the caller has said how large cells are.

    Raises
    ------
    KeyError, ValueError
        For a library or picture that is not there, and for entries that are not as they should be.
    """
    libraries = adata.uns.get("spatial")
    if libraries is None or (library_id is None and sized and not img_key):
        if library_id is not None:
            raise MissingKeyError(f"library_id={library_id!r}: adata.uns has no 'spatial'.")
        return Tissue()
    libraries = _mapping(libraries, "adata.uns['spatial']", "libraries")
    name = _library(libraries, library_id)
    if name is None:
        return Tissue()
    where = f"adata.uns['spatial'][{name!r}]"
    library = _mapping(libraries[name], where, "'images' and 'scalefactors'")
    scales = _mapping(
        library.get("scalefactors", {}), f"{where}['scalefactors']", "numbers by name"
    )
    images = _mapping(library.get("images", {}), f"{where}['images']", "pictures")
    spot = None if sized else scales.get("spot_diameter_fullres")
    if spot is not None:
        spot = _positive(spot, f"{where}['scalefactors']['spot_diameter_fullres']")
    return Tissue(_picture(images, scales, img_key, where) if img_key else None, spot)


def _library(libraries: Mapping[str, Any], library_id: str | None) -> str | None:
    """Return the name of the library that is shown, `None` where none can be chosen."""
    if library_id is not None:
        if library_id not in libraries:
            raise MissingKeyError(
                f"library_id={library_id!r} is not in adata.uns['spatial']."
                f"{nearest(str(library_id), libraries)} There are {listed(libraries)}."
            )
        return library_id
    if len(libraries) > 1:
        sc.logging.warning(
            f"adata.uns['spatial'] has {len(libraries)} libraries, {listed(libraries)}: no picture "
            "is drawn. library_id= chooses one; a film of its cells alone comes from a subset."
        )
    return next(iter(libraries)) if len(libraries) == 1 else None


def _picture(
    images: Mapping[str, Any], scales: Mapping[str, Any], img_key: str | bool, where: str
) -> _Picture | None:
    names = [n for n in ("hires", "lowres") if n in images] if img_key is True else [str(img_key)]
    if img_key is not True and img_key not in images:
        raise ValueError(
            f"img_key={img_key!r} is not in {where}['images'], which has {listed(images)}."
        )
    if not names:
        return None
    image = images[names[0]]
    try:
        pixels = np.asarray(image)
    except ValueError:  # rows of several lengths
        pixels = np.asarray(image, object)
    colors = pixels.ndim == 2 or (pixels.ndim == 3 and pixels.shape[2] in (3, 4))
    if not colors or pixels.dtype.kind not in "buif" or 0 in pixels.shape:
        raise ValueError(
            f"{where}['images'][{names[0]!r}] is {pixels.dtype} of shape {pixels.shape}; a picture "
            f"is (height, width, 3) numbers. {_WITHOUT}"
        )
    scale = scales.get(f"tissue_{names[0]}_scalef", 1.0)
    scale = _positive(scale, f"{where}['scalefactors']['tissue_{names[0]}_scalef']")
    return _Picture(pixels, scale)


def _mapping(value: Any, where: str, of: str) -> Mapping[str, Any]:
    if not isinstance(value, Mapping):
        raise ValueError(f"{where} is {type(value).__name__}; it should hold {of}. {_WITHOUT}")
    return value


def _positive(value: Any, where: str) -> float:
    value = value.item() if getattr(value, "size", 0) == 1 and hasattr(value, "item") else value
    if not is_number(value) or not 0 < float(value) < np.inf:
        raise ValueError(f"{where} is {value!r}; it should be a number above 0. {_WITHOUT}")
    return float(value)
