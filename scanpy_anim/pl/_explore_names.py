"""What a page tells of each cell: its name, and columns of `obs`."""

from __future__ import annotations

from collections.abc import Iterable
from typing import TYPE_CHECKING, Any

import numpy as np
import pandas as pd

from scanpy_anim import explorer
from scanpy_anim._accessors import plain_names
from scanpy_anim.pl._explore_check import column

if TYPE_CHECKING:
    from collections.abc import Sequence

    from numpy.typing import NDArray

    from scanpy_anim.explorer import Texts

_MOST_CATEGORIES = 1 << 16


def names_of(obs: Any, names: str | bool | None, order: NDArray[np.intp]) -> tuple[Any, str, str]:
    """Return the names of the cells, why there are none, and what they are.

    Parameters
    ----------
    obs
        Of the AnnData.
    names
        `"auto"`, a column's name, `True`: in any case; `None` or `False`: none.
    order
        Cells in drawing order.
    """
    names = plain_names("names", names)
    if not (names is None or isinstance(names, str | bool | np.bool_)):
        raise TypeError(f"names={names!r}: 'auto', True, None or a column of adata.obs.")
    if names is None or (not isinstance(names, str) and not names):
        return None, "", ""
    if obs is None:
        return None, "The names of the cells are not known any more.", ""
    asked = names not in ("auto", True)
    texts = column(obs, names, "names") if asked else obs.index
    packed = explorer.pack_names(list(map(str, np.asarray(texts, object).tolist())), order)
    if names == "auto":
        packed = packed._replace(packed=explorer.packed(packed.content))
        size = len(packed.packed or "")
        if size > explorer.MOST_NAMES * 4 / 3:
            note = (
                f"The names of {len(order):,} cells are left out: they would take "
                f"{size / 1e6:.1f} MB. names=True keeps them."
            )
            return None, note, ""
    return packed, "", str(names) if asked else "cell"


def hover_of(
    obs: Any, hover: str | Sequence[str] | None, order: NDArray[np.intp]
) -> dict[str, Texts]:
    """Return what else is told of each cell: columns of `obs` by name."""
    if hover is None:
        return {}
    hover = plain_names("hover", hover)
    if not isinstance(hover, Iterable) or getattr(hover, "ndim", 1) == 0:
        raise TypeError(f"hover={hover!r}: columns of adata.obs.")
    wanted = [hover] if isinstance(hover, str) else list(hover)
    columns = [(name, column(obs, name, "hover")) for name in wanted]
    return {name: _packed(values, order) for name, values in dict(columns).items()}


def _packed(values: Any, order: NDArray[np.intp]) -> Texts:
    """Pack numbers as such, few distinct values as categories, others as text."""
    series = pd.Series(np.asarray(values) if not hasattr(values, "dtype") else values)
    series = series.iloc[order].reset_index(drop=True)
    boolean = pd.api.types.is_bool_dtype(series.dtype)
    if pd.api.types.is_numeric_dtype(series.dtype) and not boolean:
        if np.iscomplexobj(series):
            return explorer.pack_texts(series.astype(str).tolist())
        return explorer.pack_numbers(series.to_numpy(dtype=np.float64, na_value=np.nan))
    codes, known = pd.factorize(series, sort=False)
    if len(known) < _MOST_CATEGORIES and len(known) <= max(256, len(series) // 4):
        return explorer.pack_categories(codes, [str(name) for name in known])
    return explorer.pack_texts(["" if code < 0 else str(known[code]) for code in codes])
