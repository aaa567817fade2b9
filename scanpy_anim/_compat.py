"""The one place that knows about versions of other libraries."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from anndata import AnnData
    from matplotlib.axes import Axes


def draw_embedding(adata: AnnData, basis: str, **kwargs: Any) -> Axes | list[Axes]:
    """Draw with `sc.pl.embedding`, neither showing nor saving, and return its axes.

    scanpy 1.13 keeps the matplotlib plots under `sc.pl.legacy`. `save=False` rather than
    nothing: `sc.settings.autosave` would save and close the figure otherwise.
    """
    import scanpy as sc

    plots = getattr(sc.pl, "legacy", sc.pl)
    return plots.embedding(adata, basis=basis, show=False, save=False, **kwargs)
