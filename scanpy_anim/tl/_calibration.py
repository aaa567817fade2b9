"""Confidence that means what it says, fitted on seeds that were held out: arrays only.

Of two ways the one that held-out seeds like best is taken, or none: a logistic curve from the best
class's share to how often it is right (Platt 1999, on the log odds as in Kull, Silva Filho and
Flach, AISTATS 2017), or one temperature for all shares, `p_c^(1/T) / sum_d p_d^(1/T)` (Guo, Pleiss,
Sun and Weinberger, ICML 2017), and then such a curve. Both have an offset, which brings the mean
confidence of held-out seeds to their accuracy; a temperature alone has none and stays below it.
Three numbers at most: isotonic curves and curves a class, tried on the sets of `docs/labels.md`,
overfit some hundred seeds. Each is drawn towards the share as it is, and none changes a label.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, Literal

import numpy as np
from scipy.special import chdtrc, expit, logit

from scanpy_anim._decision import decide

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator

    from numpy.typing import NDArray

N_FOLDS = 5
# fewer held-out seeds than this say next to nothing about a temperature
FEWEST = 40
_RANGE = (1e-2, 1e2)
# shares and confidences closer to 0 and 1 than this are not told from them
_EDGE = 1e-6
_EDGE_OF_LOSS = 1e-3
# so many seeds are taken to be right as often as the share says, whatever those held out say
_BEFOREHAND, _BEFOREHAND_OF_CLASSES = 10, 20
# standard errors that the loss has to fall by (Breiman, Friedman, Olshen and Stone 1984)
_SURE = 1.0
_KNOTS = 129
# chance at which held-out seeds are taken to come in other proportions than cells
_UNLIKELY = 0.01


@dataclass(frozen=True, eq=False)
class _Calibration:
    """From shares to confidence, and what held-out seeds said to it.

    Attributes
    ----------
    method
        `"logistic"`, after a temperature or without, or `"none"`: the share is as good as can be.
    temperature
        1 without.
    slope, offset
        Of the logistic curve on the log odds of the share; 1 and 0 without.
    loss_before, loss_after
        Logarithmic loss of the share and of the confidence, on seeds that were held out once more.
    """

    method: Literal["logistic", "temperature, logistic", "none"]
    temperature: float = 1.0
    slope: float = 1.0
    offset: float = 0.0
    loss_before: float = np.nan
    loss_after: float = np.nan

    @property
    def bends(self) -> bool:
        """Whether there is a curve."""
        return self.method.endswith("logistic")

    def knots(self, n_classes: int) -> tuple[NDArray[np.float64], NDArray[np.float64]]:
        """Shares of the best class, from the least possible one up, and their confidence."""
        first, last = logit(np.array([1 / n_classes, 1 - _EDGE]))
        at = np.linspace(first, last, _KNOTS - 1)
        shares = np.append(expit(at), 1.0)
        confidences = expit(self.slope * np.append(at, at[-1]) + self.offset)
        # the best class is not less probable than one picked blindly
        return shares, np.maximum(confidences, 1 / n_classes)

    def storable(self, n_classes: int) -> dict[str, Any]:
        """Put it as files can hold it."""
        stored: dict[str, Any] = {
            "method": self.method,
            "loss_before": self.loss_before,
            "loss_after": self.loss_after,
        }
        if self.bends:
            stored["shares"], stored["confidences"] = self.knots(n_classes)
        return stored


def folds(
    classes: NDArray[np.integer], n_folds: int = N_FOLDS
) -> Iterator[tuple[NDArray[np.intp], NDArray[np.intp]]]:
    """Seeds to keep and seeds to hold out, each class spread evenly over the folds.

    A class with a single seed is never held out: without it there would be no such class.
    """
    random = np.random.default_rng(0)
    fold = np.full(len(classes), -1)
    for c in np.unique(classes):
        members = random.permutation(np.flatnonzero(classes == c))
        if len(members) > 1:
            fold[members] = (np.arange(len(members)) + random.integers(n_folds)) % n_folds
    for f in range(n_folds):
        held_out = np.flatnonzero(fold == f)
        if len(held_out):
            yield np.flatnonzero(fold != f), held_out


def drawn_otherwise(named: NDArray[np.integer], found: NDArray[np.integer]) -> bool:
    """Whether seeds come in other proportions than cells: chi-squared of what both are named.

    Seeds drawn at random are named like the cells, be the names right or wrong.
    """
    seen = np.bincount(named[named >= 0], minlength=len(found)).astype(np.float64)
    expected = (found + 0.5) / (found + 0.5).sum() * seen.sum()
    # one more, for classes hardly ever found
    statistic = ((seen - expected) ** 2 / (expected + 1)).sum()
    return bool(chdtrc(len(found) - 1, statistic) < _UNLIKELY)


def calibrate(
    shares: NDArray[np.float64], truth: NDArray[np.integer], weights: NDArray[np.float64]
) -> _Calibration:
    """Fit what lowers the loss of held-out seeds, each left out of the fit that it is asked of.

    Only what does so by more than chance is taken.
    """
    fold = np.random.default_rng(0).permutation(len(truth)) % N_FOLDS
    labels, share = decide(shares)
    right = labels == truth
    losses = [_loss(share, right)]
    for fit in _FITS:
        confidence = np.empty(len(truth))
        for f in range(N_FOLDS):
            kept, out = fold != f, fold == f
            confidence[out] = _apply(fit(shares[kept], truth[kept], weights[kept]), shares[out])
        losses.append(_loss(confidence, right))
    means = [float(np.average(loss, weights=weights)) for loss in losses]
    best = int(np.argmin(means))
    gain = weights * (losses[0] - losses[best])
    if best == 0 or gain.mean() <= _SURE * gain.std() / len(gain) ** 0.5:
        return _Calibration("none", loss_before=means[0], loss_after=means[0])
    taken = _FITS[best - 1](shares, truth, weights)
    return _Calibration(
        taken.method, taken.temperature, taken.slope, taken.offset, means[0], means[best]
    )


def _fit_temperature(
    probability: NDArray[np.float64],
    truth: NDArray[np.integer],
    weights: NDArray[np.float64] | None = None,
) -> float:
    """Temperature of the highest likelihood of held-out labels, by golden section on its log.

    The likelihood is concave in `1 / T`. A class that got no share at all counts as a share of
    one in a million: a likelihood of zero would let a single cell decide. Some seeds' worth of
    labels as the shares say is added, which leaves few seeds little to say and keeps the
    temperature away from 0 where all are right.
    """
    floored = np.maximum(probability, _EDGE)
    floored /= floored.sum(axis=1, keepdims=True)
    logits, n_seeds = np.log(floored), len(truth)
    wanted = _BEFOREHAND_OF_CLASSES / n_seeds * floored
    wanted[np.arange(n_seeds), truth] += 1 if weights is None else weights

    def loss(log_temperature: float) -> float:
        scaled = logits / np.exp(log_temperature)
        scaled -= scaled.max(axis=1, keepdims=True)
        scaled -= np.log(np.exp(scaled).sum(axis=1, keepdims=True))
        return -float((wanted * scaled).sum())

    low, high = np.log(_RANGE[0]), np.log(_RANGE[1])
    ratio = (5**0.5 - 1) / 2
    while high - low > 1e-4:
        left, right = high - ratio * (high - low), low + ratio * (high - low)
        if loss(left) <= loss(right):
            high = right
        else:
            low = left
    return float(np.exp((low + high) / 2))


def _fit_logistic(
    share: NDArray[np.float64], right: NDArray[np.bool_], weights: NDArray[np.float64]
) -> tuple[float, float]:
    """Slope and offset on the log odds of a share of how often it is right, by Newton's method.

    Some seeds' worth of right and wrong as the share says is added, which leaves few seeds little
    to say and keeps the curve finite where all are right.
    """
    odds = logit(np.clip(share, _EDGE, 1 - _EDGE))
    design = np.column_stack([odds, np.ones(len(odds))])
    added = _BEFOREHAND / len(odds)
    weight = weights + added
    target = (weights * right + added * share) / weight
    start = np.array([1.0, 0.0])
    curve = start.copy()
    for _ in range(50):
        said = expit(design @ curve)
        slope = design.T @ (weight * (said - target)) + 0.1 * (curve - start)
        bend = (design.T * (weight * said * (1 - said))) @ design + 0.1 * np.eye(2)
        step = np.clip(np.linalg.solve(bend, slope), -1, 1)
        curve -= step
        if np.abs(step).max() < 1e-8:
            break
    # more share is never less confidence
    return max(float(curve[0]), 0.02), float(curve[1])


def _by_logistic(
    shares: NDArray[np.float64], truth: NDArray[np.integer], weights: NDArray[np.float64]
) -> _Calibration:
    labels, share = decide(shares)
    slope, offset = _fit_logistic(share, labels == truth, weights)
    return _Calibration("logistic", slope=slope, offset=offset)


def _by_both(
    shares: NDArray[np.float64], truth: NDArray[np.integer], weights: NDArray[np.float64]
) -> _Calibration:
    temperature = _fit_temperature(shares, truth, weights)
    labels, share = decide(shares, temperature=temperature)
    slope, offset = _fit_logistic(share, labels == truth, weights)
    return _Calibration("temperature, logistic", temperature, slope, offset)


_FITS: tuple[Callable[..., _Calibration], ...] = (_by_logistic, _by_both)


def _apply(calibration: _Calibration, shares: NDArray[np.float64]) -> NDArray[np.float64]:
    _, share = decide(shares, temperature=calibration.temperature)
    if not calibration.bends:
        return share
    return np.where(share > 0, np.interp(share, *calibration.knots(shares.shape[1])), 0)


def _loss(confidence: NDArray[np.float64], right: NDArray[np.bool_]) -> NDArray[np.float64]:
    """Logarithmic loss of each confidence; that of a sure error is not infinite."""
    said = np.where(right, confidence, 1 - confidence)
    return -np.log(np.clip(said, _EDGE_OF_LOSS, 1))
