"""References of `anndata.acc` (anndata 0.13 and later) wherever a name is taken.

`A.obs["n_genes"]` is the column's name, `A.obsm["X_umap"]` the key's; `A.X[:, "CD3D"]` and
`A.layers["counts"][:, "CD3D"]` say where a gene's values come from, too. They are known by their
parts, so that older versions of anndata need not know them.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

import numpy as np
import pandas as pd

from scanpy_anim._checks import MissingKeyError, listed, nearest
from scanpy_anim._lazy import gene, plain

if TYPE_CHECKING:
    from anndata import AnnData


@dataclass(frozen=True)
class CellValues:
    """One value a cell that a reference stands for, from a matrix rather than by a name.

    Attributes
    ----------
    name
        What to call it: the gene, or key and column.
    store
        `"X"`, `"layers"` or `"obsm"`.
    key
        Within `layers` or `obsm`; `None`: `X`.
    index
        Gene, or number or name of the column.
    """

    name: str
    store: str
    key: str | None
    index: Any

    def read(self, adata: AnnData) -> pd.Series:
        """Return the values, named."""
        if self.store == "obsm":
            table = adata.obsm[self.key]
            column = table.iloc[:, self.index] if hasattr(table, "iloc") else table[:, self.index]
            values = column.toarray() if hasattr(column, "toarray") else np.asarray(column)
            return pd.Series(values.ravel(), index=adata.obs_names, name=self.name)
        if self.index not in adata.var_names:
            raise MissingKeyError(
                f"{self.index!r} is no gene of adata.{nearest(self.index, adata.var_names)} "
                f"There are {listed(adata.var_names)}."
            )
        if plain(adata) is not adata:
            return gene(adata, str(self.index), self.key, use_raw=False).rename(self.name)
        matrix = adata[:, self.index]
        part = matrix.X if self.key is None else matrix.layers[self.key]
        values = part.toarray() if hasattr(part, "toarray") else np.asarray(part)
        return pd.Series(values.ravel(), index=adata.obs_names, name=self.name)


def _is_reference(value: object) -> bool:
    """Whether something is a reference of `anndata.acc`, to one value a cell or to a table."""
    return type(value).__module__.partition(".")[0] == "anndata" and (
        (hasattr(value, "acc") and hasattr(value, "idx"))
        or (hasattr(value, "k") and hasattr(value, "ref_class"))
        or (hasattr(value, "dim") and hasattr(value, "ref_class"))
    )


def _plain_name(argument: str, value: Any) -> Any:
    """Return the name or `CellValues` that a reference stands for; anything else as it is.

    Raises
    ------
    TypeError
        When it refers to nothing that has a value, or a row, for each cell.
    """
    if not _is_reference(value):
        return value
    accessor, index = getattr(value, "acc", value), getattr(value, "idx", None)
    kind = type(accessor).__name__
    if kind == "MetaAcc" and accessor.dim == "obs" and isinstance(index, str):
        return index
    if kind == "LayerAcc" and isinstance(index, tuple) and isinstance(index[1], str):
        store = "X" if accessor.k is None else "layers"
        return CellValues(index[1], store, accessor.k, index[1])
    if kind == "MultiAcc" and accessor.dim == "obs":
        if index is None:
            return accessor.k
        return CellValues(f"{accessor.k} {index}", "obsm", accessor.k, index)
    raise TypeError(
        f"{argument}={value!r}: a reference to one value a cell, such as A.obs['n_genes'] or "
        "A.X[:, 'CD3D'], or to a table of cells, such as A.obsm['X_umap']."
    )


def plain_key(argument: str, value: Any) -> Any:
    """Return the key of the table or graph of cells that a reference stands for; else `value`."""
    if not _is_reference(value):
        return value
    if type(value).__name__ in ("MultiAcc", "GraphAcc") and value.dim == "obs":
        return value.k
    raise TypeError(f"{argument}={value!r}: a key, or a reference such as A.obsm[...], A.obsp[...]")


def plain_names(argument: str, value: Any) -> Any:
    """Return `_plain_name` of a reference or of each in a list; anything else as it is."""
    if isinstance(value, list | tuple) and any(_is_reference(v) for v in value):
        return [_plain_name(argument, v) for v in value]
    return _plain_name(argument, value)
