"""From scores to shares, labels and confidence: arrays only."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import numpy as np

if TYPE_CHECKING:
    from numpy.typing import NDArray


def class_mass_weights(
    scores: NDArray[np.floating], seeded: NDArray[np.integer]
) -> NDArray[np.float64]:
    """Weight of each class that brings its mass to its share of the `seeded` cells.

    Class mass normalisation, Zhu, Ghahramani and Lafferty 2003, equation 9.
    """
    mass = scores.sum(axis=0, dtype=np.float64)
    wanted = seeded / seeded.sum()
    return np.divide(wanted, mass, out=np.zeros_like(mass), where=mass > 0)


def shares(
    scores: NDArray[np.floating], weights: NDArray[np.float64] | None = None
) -> NDArray[np.float64]:
    """Scores of each cell scaled to sum to 1; 0 in every class where no seed reaches it."""
    weighted = scores.astype(np.float64)
    if weights is not None:
        weighted *= weights
    total = weighted.sum(axis=1, keepdims=True)
    return np.divide(weighted, total, out=weighted, where=total > 0)


def decide(
    probability: NDArray[np.floating],
) -> tuple[NDArray[np.int64], NDArray[np.floating]]:
    """Best class of each cell (-1: none) and its probability (0: none)."""
    best = probability.argmax(axis=1)
    confidence = probability[np.arange(len(best)), best]
    return np.where(confidence > 0, best, -1), confidence


# h5ad and zarr keep the index under the first; anndata asks every table whether it has the second
_RESERVED = ("_index", "dtype", "zarr.json")


def column_names(classes: list[str], index_name: Any = None) -> list[str]:
    """Class names as h5ad and zarr can store them as columns of a DataFrame.

    A slash of either kind would be a path to them and becomes ``|``; what they reserve, and the
    name of the index, becomes ``class 3``.
    """
    names: list[str] = []
    for number, name in enumerate(classes):
        reserved = name in (*_RESERVED, index_name) or not name.strip(".") or name[:2] == ".z"
        column = name.replace("/", "|").replace("\\", "|")
        if reserved or len(name) > 120 or (column != name and column in classes):
            column = f"class {number}"
        while column in names:
            column += "|"
        names.append(column)
    return names
