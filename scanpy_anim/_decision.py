"""From scores to shares, labels and confidence, in films as in `obs`: arrays only."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

import numpy as np
from numba import njit

from scanpy_anim._threads import spread

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping

    from numpy.typing import NDArray

    from scanpy_anim._arrays import Floats, Ints

# rows that one thread takes at a time
_ROWS = 16_384


@dataclass(frozen=True, eq=False)
class Decision:
    """How scores become labels and confidence, the same in `obs` and in every frame of a film.

    Attributes
    ----------
    seeded
        Number of seeds of each class, where classes are scaled to them; else `None`.
    class_weights
        `(n_columns, n_classes)` weight of each class in each stored column, where classes are
        scaled: the mass of a class is that of all cells, also when a film shows some of them.
    temperature
        Exponents of the shares are divided by it.
    shares, confidences
        Increasing knots of the map from the best class's share to its calibrated confidence, linear
        between them; `None`: the confidence is the share.
    min_confidence
        Below it a cell is without label.
    """

    seeded: NDArray[np.integer] | None = None
    class_weights: NDArray[np.float64] | None = None
    temperature: float | None = None
    shares: NDArray[np.float64] | None = None
    confidences: NDArray[np.float64] | None = None
    min_confidence: float = 0.0

    @classmethod
    def from_record(cls, record: Mapping[str, Any]) -> Decision:
        """Read the decision that :func:`scanpy_anim.tl.assign_labels` stored."""
        how, n_classes = record.get("labels", {}), len(np.atleast_1d(record.get("classes", ())))
        seeded = None
        if how.get("class_mass"):
            seeded = np.bincount(record["seeds"]["classes"], minlength=n_classes)
        weights, calibration = record.get("class_weights"), record.get("calibration", {})
        temperature = record.get("temperature")
        return cls(
            seeded,
            None if weights is None else np.asarray(weights, dtype=np.float64),
            None if temperature is None else float(temperature),
            calibration.get("shares"),
            calibration.get("confidences"),
            float(how.get("min_confidence", 0.0)),
        )

    def of(
        self, scores: NDArray[Any], column: int | None = None
    ) -> tuple[NDArray[np.int64], NDArray[np.float64]]:
        """Label of each cell (-1: none) and its confidence, from the scores of one moment.

        Scores of a cell may be scaled by any number, unless classes are scaled and `column` does
        not say by which of the stored weights.
        """
        labels, confidence = decide(scores, self.weights(scores, column), self.temperature)
        confidence = self.calibrated(confidence)
        if self.min_confidence > 0:
            labels[confidence < self.min_confidence] = -1
        return labels, confidence

    def probability(self, scores: NDArray[Any], column: int | None = None) -> NDArray[np.float64]:
        """Probability of every class in each cell, the best one's being its confidence."""
        probability = shares(scores, self.weights(scores, column), self.temperature)
        if self.shares is None:
            return probability
        labels, share = decide(probability)
        reached = labels >= 0
        confidence = self.calibrated(share)
        n_classes = probability.shape[1]
        # less sure: mixed with equal shares; surer: what others give goes to the best class
        softer, even = reached & (confidence < share), 1 / n_classes
        kept = np.ones(len(share))
        np.divide(confidence - even, share - even, out=kept, where=softer & (share > even))
        np.divide(1 - confidence, 1 - share, out=kept, where=reached & (confidence > share))
        probability *= kept[:, None]
        probability[softer] += ((1 - kept[softer]) * even)[:, None]
        probability[reached, labels[reached]] = confidence[reached]
        return probability

    def calibrated(self, share: NDArray[np.float64]) -> NDArray[np.float64]:
        """Confidence for the share of the best class; 0 stays 0, where there is none."""
        if self.shares is None or self.confidences is None:
            return share
        return np.where(share > 0, np.interp(share, self.shares, self.confidences), 0)

    def weights(
        self, scores: NDArray[Any], column: int | None = None
    ) -> NDArray[np.float64] | None:
        """Weight of each class in a stored column, or in these scores of all cells."""
        if self.seeded is None:
            return None
        if column is not None and self.class_weights is not None:
            return self.class_weights[column]
        return class_mass_weights(scores, self.seeded)


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
    scores: NDArray[Any],
    weights: NDArray[np.float64] | None = None,
    temperature: float | None = None,
) -> NDArray[np.float64]:
    """Scores of each cell scaled to sum to 1; 0 in every class where no seed reaches it.

    A `temperature` sharpens (below 1) or softens (above 1) them.
    """
    probability = np.empty(scores.shape)
    _for_each(scores, _share_rows, _weights(scores, weights), _power(temperature), probability)
    return probability


def decide(
    scores: NDArray[Any],
    weights: NDArray[np.float64] | None = None,
    temperature: float | None = None,
) -> tuple[NDArray[np.int64], NDArray[np.float64]]:
    """Best class of each cell (-1: none) and its share (0: none), in one pass over the scores."""
    n_obs = len(scores)
    labels, confidence = np.empty(n_obs, dtype=np.int64), np.empty(n_obs)
    weights, power = _weights(scores, weights), _power(temperature)
    _for_each(scores, decide_rows, weights, power, np.empty(0, np.int32), labels, confidence)
    return labels, confidence


def _weights(scores: NDArray[Any], weights: NDArray[np.float64] | None) -> NDArray[np.float64]:
    return np.ones(scores.shape[1]) if weights is None else weights


def _power(temperature: float | None) -> float:
    return 1.0 if temperature is None else 1.0 / temperature


def _for_each(rows: NDArray[Any], kernel: Callable[..., None], *arguments: Any) -> None:
    """Run a kernel over the rows of a matrix, on as many threads as are worth it."""
    if rows.dtype not in (np.float32, np.float64):
        rows = rows.astype(np.float64)
    bounds = np.array([*range(0, len(rows), _ROWS), len(rows)])
    spread(lambda b: kernel(b, b + 1, bounds, rows, *arguments), range(len(bounds) - 1))


# h5ad and zarr keep the index under the first; anndata asks every table whether it has the second
_RESERVED = ("_index", "dtype", "zarr.json")


def column_names(classes: list[str], index_name: Any = None) -> list[str]:
    """Class names as h5ad and zarr can store them as columns of a DataFrame.

    A slash of either kind would be a path to them and becomes `|`; what they reserve, and the
    name of the index, becomes `class 3`.
    """
    names: dict[str, None] = {}
    given = set(classes)
    for number, name in enumerate(classes):
        reserved = name in (*_RESERVED, index_name) or not name.strip(".") or name[:2] == ".z"
        column = name.replace("/", "|").replace("\\", "|")
        if reserved or len(name) > 120 or (column != name and column in given):
            column = f"class {number}"
        while column in names:
            column += "|"
        names[column] = None
    return list(names)


# numpy goes through rows of a few numbers one by one, at the cost of a step of a propagation
@njit(cache=True, nogil=True)
def _share_rows(
    first: int,
    last: int,
    bounds: Ints,
    scores: Floats,
    weights: Floats,
    power: float,
    probability: Floats,
) -> None:
    """`(scores * weights)^power`, each row scaled to sum to 1; 0 where no score is positive."""
    for i in range(bounds[first], bounds[last]):
        best = 0.0
        for c in range(scores.shape[1]):
            best = max(best, scores[i, c] * weights[c])
        total = 0.0
        for c in range(scores.shape[1]):
            # relative to the best one, which no power makes too large or too small
            value = scores[i, c] * weights[c] / best if best > 0 else 0.0
            value = max(value, 0.0) ** power if power != 1 else value
            probability[i, c] = value
            total += value
        for c in range(scores.shape[1]):
            probability[i, c] = probability[i, c] / total if best > 0 else 0.0


@njit(cache=True, nogil=True)
def decide_rows(
    first: int,
    last: int,
    bounds: Ints,
    scores: Floats,
    weights: Floats,
    power: float,
    order: Ints,
    labels: Ints,
    confidence: Floats,
) -> None:
    """Best class of each row and its share as in :func:`_share_rows`; -1 and 0 without any.

    Cell `i` is entry `order[i]` of the outcome, or entry `i` when `order` is empty.
    """
    for i in range(bounds[first], bounds[last]):
        label = -1
        best = 0.0
        total = 0.0
        for c in range(scores.shape[1]):
            value = scores[i, c] * weights[c]
            total += value
            # no branch: which class is ahead is anyone's guess
            label = c if value > best else label
            best = max(best, value)
        if power != 1 and label >= 0:
            total = 0.0
            for c in range(scores.shape[1]):
                total += max(scores[i, c] * weights[c] / best, 0.0) ** power
            best = 1.0
        h = order[i] if len(order) else i
        labels[h] = label
        confidence[h] = best / total if label >= 0 else 0.0
