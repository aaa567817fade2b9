"""The one place that knows about versions of other libraries."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from collections.abc import Callable

    from anndata import AnnData
    from matplotlib.axes import Axes


def embedding_function() -> Callable[..., Any]:
    """Return scanpy's `embedding`; 1.13 keeps the matplotlib plots under `sc.pl.legacy`."""
    import scanpy as sc

    return getattr(sc.pl, "legacy", sc.pl).embedding


def draw_embedding(adata: AnnData, basis: str, **kwargs: Any) -> Axes | list[Axes]:
    """Draw with `sc.pl.embedding`, neither showing nor saving, and return its axes.

    `save=False` rather than nothing: `sc.settings.autosave` would save and close the figure
    otherwise.
    """
    return embedding_function()(adata, basis=basis, show=False, save=False, **kwargs)


def layer_names(adata: AnnData) -> list[str]:
    """List the layers by name; anndata 0.13 counts `X` among them, as `None`."""
    return [name for name in adata.layers if name is not None]
