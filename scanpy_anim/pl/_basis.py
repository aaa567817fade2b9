"""Which embedding."""

from __future__ import annotations

from typing import TYPE_CHECKING

from scanpy_anim._names import MissingKeyError, listed, nearest

if TYPE_CHECKING:
    from anndata import AnnData


def basis_key(adata: AnnData, basis: str) -> str:
    """Find an embedding in obsm as scanpy does: by its name, or with `X_` before it."""
    for key in (basis, f"X_{basis}"):
        if key in adata.obsm:
            return key
    raise MissingKeyError(
        f"basis={basis!r}: neither {basis!r} nor 'X_{basis}' is in adata.obsm."
        f"{nearest(basis, adata.obsm)} "
        f"There are {listed(adata.obsm)}. A UMAP comes from sc.tl.umap(adata)."
    )
