"""Which embedding, and which of its dimensions."""

from __future__ import annotations

from itertools import combinations
from numbers import Integral
from typing import TYPE_CHECKING, Any

import numpy as np

from scanpy_anim._checks import MissingKeyError, listed, nearest

if TYPE_CHECKING:
    from anndata import AnnData


def basis_key(adata: AnnData, basis: str) -> str:
    """Find an embedding in obsm as scanpy does: by its name, or with `X_` before it."""
    if not isinstance(basis, str):
        raise TypeError(f"basis={basis!r}: the name of an embedding in adata.obsm, or several.")
    for key in (basis, f"X_{basis}"):
        if key in adata.obsm:
            return key
    raise MissingKeyError(
        f"basis={basis!r}: neither {basis!r} nor 'X_{basis}' is in adata.obsm."
        f"{nearest(basis, adata.obsm)} "
        f"There are {listed(adata.obsm)}. A UMAP comes from sc.tl.umap(adata)."
    )


def read_dimensions(
    adata: AnnData, basis: str, n: int, *, components: Any = None, dimensions: Any = None
) -> list[tuple[int, ...]]:
    """Read which `n` dimensions each panel shows, counted from 0, as `sc.pl.embedding` does.

    Parameters
    ----------
    adata, basis
        Annotated data, and the name of one embedding.
    n
        How many dimensions a panel has.
    components
        `"1,2"`, counted from 1, a list of such, or `"all"`.
    dimensions
        `(0, 1)`, or a list of such. Default: the first `n`.

    Raises
    ------
    KeyError, TypeError, ValueError
        For what cannot be read, and dimensions that the embedding does not have.
    """
    values = adata.obsm[basis_key(adata, basis)]
    shape = values.shape
    if len(shape) != 2 or shape[1] < n:
        what = "projection='3d' turns" if n == 3 else "a film shows"
        raise ValueError(
            f"basis={basis!r} has shape {shape}; {n} dimensions are needed, which {what}."
        )
    if hasattr(values, "tocsr"):
        raise TypeError(f"basis={basis!r} is sparse; coordinates are an array of numbers.")
    dtype = values.dtype if hasattr(values, "dtype") else np.asarray(values).dtype
    if dtype.kind not in "biuf":
        raise TypeError(f"basis={basis!r} holds {dtype}; coordinates are numbers.")
    if components is not None and dimensions is not None:
        raise ValueError(f"components={components!r}, dimensions={dimensions!r}: one of the two.")
    for name, asked in (("components", components), ("dimensions", dimensions)):
        if asked is not None and not np.iterable(asked):
            raise TypeError(f"{name}={asked!r}: dimensions={tuple(range(n))} or a list of such.")
    if components is None:
        spelled, panels = f"dimensions={dimensions!r}", _of_numbers(dimensions, n)
    else:
        spelled, panels = f"components={components!r}", _of_text(components, shape[1], n)
    for panel in panels:
        if len(panel) != n or not all(isinstance(d, Integral) for d in panel):
            example = ", ".join(map(str, range(n)))
            raise ValueError(
                f"{spelled}: {n} dimensions a panel, such as dimensions=({example}), "
                "or components with a comma between, counted from 1."
            )
        if not all(-shape[1] <= d < shape[1] for d in panel):
            raise ValueError(f"{spelled}: basis={basis!r} has {shape[1]} dimensions.")
    return panels


def _of_numbers(dimensions: Any, n: int) -> list[tuple[int, ...]]:
    if dimensions is None:
        return [tuple(range(n))]
    if all(isinstance(d, Integral) for d in dimensions):
        return [tuple(dimensions)]
    return [tuple(panel) if np.iterable(panel) else (panel,) for panel in dimensions]


def _of_text(components: Any, n_dimensions: int, n: int) -> list[tuple[int, ...]]:
    if components == "all":
        return list(combinations(range(n_dimensions), n))
    texts = [components] if isinstance(components, str) else components
    return [tuple(_from_one(part) for part in str(text).split(",")) for text in texts]


def _from_one(part: str) -> Any:
    """Return a component's number counted from 0; what is no number stays as it is."""
    return int(part) - 1 if part.strip().isdecimal() else part
