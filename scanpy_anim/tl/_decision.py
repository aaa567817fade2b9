"""From scores to shares, labels and confidence: arrays only."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import numpy as np

from scanpy_anim.tl._crew import Crew

if TYPE_CHECKING:
    from collections.abc import Callable

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


def shares(scores: NDArray[Any], weights: NDArray[np.float64] | None = None) -> NDArray[np.float64]:
    """Scores of each cell scaled to sum to 1; 0 in every class where no seed reaches it."""
    from scanpy_anim.tl._decision_kernels import share_rows

    if scores.dtype not in (np.float32, np.float64):
        scores = scores.astype(np.float64)
    probability = np.empty(scores.shape)
    weights = np.ones(scores.shape[1]) if weights is None else weights
    _for_each(scores, share_rows, weights, probability)
    return probability


def decide(probability: NDArray[np.float64]) -> tuple[NDArray[np.int64], NDArray[np.float64]]:
    """Best class of each cell (-1: none) and its probability (0: none)."""
    from scanpy_anim.tl._decision_kernels import best_of_rows

    n_obs = len(probability)
    labels, confidence = np.empty(n_obs, dtype=np.int64), np.empty(n_obs)
    _for_each(probability, best_of_rows, labels, confidence)
    return labels, confidence


def _for_each(rows: NDArray[Any], kernel: Callable[..., None], *arguments: Any) -> None:
    """Run a kernel over the rows of a matrix, on as many threads as are worth it."""
    with Crew(np.arange(len(rows) + 1) * rows.shape[1]) as crew:
        crew.run(kernel, rows, *arguments)


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
