"""Values of a label column that mean "no label": read, and found among its categories."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from typing import Any

import numpy as np
import pandas as pd

from scanpy_anim._checks import MissingKeyError, is_number, nearest


def plain_values(unlabeled: Any) -> Any:
    """Return a value, or a list of values, from whatever holds them."""
    if isinstance(unlabeled, np.ndarray) and unlabeled.ndim == 0:
        return unlabeled.item()
    if isinstance(unlabeled, Mapping):
        return unlabeled  # and is refused, as no value is one
    if isinstance(unlabeled, set | frozenset):
        return sorted(unlabeled, key=str)
    single = isinstance(unlabeled, str | bytes) or not isinstance(unlabeled, Iterable)
    return unlabeled if single else list(unlabeled)


def without_label(
    categories: pd.Index, names: list[str], unlabeled: Any, column: str
) -> tuple[list[int], tuple[str, ...]]:
    """Numbers of the categories that mean no label, and a doubt about values that do not occur."""
    asked = unlabeled if isinstance(unlabeled, list) else [unlabeled]
    if not all(pd.api.types.is_scalar(value) for value in asked):
        raise TypeError(f"unlabeled={unlabeled!r} must be a value, or several, of {column!r}")
    # missing labels are none in any case
    missing = [value for value in asked if pd.isna(value)]
    spelled = {str(value) for value in asked}
    # 1 and 1.0 are the same label, True is another
    numbers = [value for value in asked if is_number(value) and not pd.isna(value)]
    found = [
        number
        for number, (name, value) in enumerate(zip(names, categories, strict=True))
        if name in spelled or (is_number(value) and value in numbers)
    ]
    if asked and not found and not missing:
        meant = nearest(str(asked[0]), names)
        raise MissingKeyError(
            f"unlabeled={unlabeled!r}: {column!r} has no such value.{meant} It has {names[:20]}"
        )
    said = {names[number] for number in found}
    numbered = [categories[number] for number in found if is_number(categories[number])]
    absent = [v for v in asked if str(v) not in said and not pd.isna(v) and v not in numbered]
    if not absent:
        return found, ()
    meant = nearest(str(absent[0]), names)
    shown = ", ".join(map(repr, absent[:5]))
    return found, (f"unlabeled: {column!r} has no value {shown}.{meant}",)
