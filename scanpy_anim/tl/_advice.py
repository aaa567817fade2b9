"""What users should know before they believe results: of their seeds, and of what came of them."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import numpy as np
from scanpy import logging as logg

from scanpy_anim.tl._no_label import means_no_label

if TYPE_CHECKING:
    from collections.abc import Sequence

    from numpy.typing import NDArray

    from scanpy_anim.tl._outcome import Propagation
    from scanpy_anim.tl._signal import Seeds, SeedTable
# a truth value as text: cells of which it is false are no class
_SAID = ({"true", "false"}, {"yes", "no"}, {"false"}, {"no"})
_DENIED = frozenset({"false", "no"})
# share of cells that seed from which on hardly any is left to label
_NEARLY_ALL = 0.95
# share of labelled cells below which hard clamping is known to degenerate
_FEW = 0.01
# from here on the scores of a class hardly depend on where its seeds are, but on how many
_NEAR_ONE = 0.95
# times as many seeds as the middling class has
_UNEVEN = 3
# seeds of the middling class from which on a regression on them is worth it
_FEWEST_TO_LEARN_FROM = 3


def doubts_about_labels(
    told: str,
    names: list[str],
    counts: NDArray[np.int64],
    chosen: NDArray[np.int64],
    n_obs: int,
    unlabeled: Any,
) -> tuple[str, ...]:
    """Say where labels look like what people have before annotation; `told` is the argument."""
    doubts = []
    given = unlabeled if isinstance(unlabeled, list) else [] if unlabeled is None else [unlabeled]
    suspects = [c for c in chosen if means_no_label(names[c])]
    if len(names) <= 2 and {name.casefold() for name in names} in _SAID:
        suspects = [c for c in chosen if names[c].casefold() in _DENIED]
    if "+" in names:
        suspects = [c for c in suspects if names[c].strip() != "-"]
    if suspects and unlabeled != []:
        shown = [f"{names[c]!r} ({counts[c]} of {n_obs} cells)" for c in suspects]
        # what was passed stays, or its cells would have a label again
        meant = [*given, *(names[c] for c in suspects)]
        these = repr(meant[0]) if len(meant) == 1 else repr(meant)
        doubts.append(
            f"{told}: {', '.join(shown)} counts as a class, and will spread to other cells. If it "
            f"means that a cell has no label, pass unlabeled={these}; if not, unlabeled=[]"
        )
    n_seeds = int(counts[chosen].sum())
    if n_seeds >= _NEARLY_ALL * n_obs and not suspects:
        largest = chosen[np.argmax(counts[chosen])]
        advice = (
            f". If a value means that a cell has none, name it: unlabeled={names[largest]!r}, say, "
            f"the most frequent ({counts[largest]} cells)"
        )
        doubts.append(
            f"{told}: {n_seeds} of {n_obs} cells have a label, so that hardly any is left to be "
            f"labelled{advice if len(chosen) > 1 else ''}"
        )
    return tuple(doubts)


def doubts_about_classes(
    names: Sequence[str], counts: NDArray[np.int64], n_obs: int
) -> tuple[str, ...]:
    """Say which classes of a mapping or a table are called like cells without a label."""
    suspects = [c for c, name in enumerate(names) if means_no_label(name)]
    if not suspects:
        return ()
    shown = ", ".join(f"{names[c]!r} ({counts[c]} of {n_obs} cells)" for c in suspects[:5])
    return (
        f"seeds: {shown} counts as a class, and will spread to other cells. If it means that a "
        "cell has no label, leave it out of seeds",
    )


def doubts_about_cells(
    positions: NDArray[np.int64], weights: NDArray[np.floating], n_obs: int
) -> tuple[str, ...]:
    """Say where hardly a cell is left that the seeds of one class could reach."""
    if len(positions) < _NEARLY_ALL * n_obs or weights.min() < weights.max():
        return ()
    return (
        f"seeds: {len(positions)} of {n_obs} cells are seeds, hardly any is left to be reached",
    )


def count_of(seeds: Seeds) -> str:
    cells = f"{len(seeds.positions)} seed cell{'s' if len(seeds.positions) > 1 else ''}"
    return f"{cells} of {seeds.n_classes} classes" if seeds.n_classes > 1 else cells


def warn_of_outcome(
    outcome: Propagation, seeds: Seeds, tol: float, method: str, clamp: str
) -> None:
    """Say what a user should know before believing the results."""
    if method == "iterative" and tol > 0 and not outcome.converged:
        why = "memory for its history" if outcome.cut_short else f"max_iter={outcome.n_iter}"
        logg.warning(
            f"{why} ends the propagation with a residual of {outcome.residuals[-1]:.3g}, above "
            f"tol={tol:.3g}. The results are kept"
        )
    if outcome.limit is not None and not outcome.limit_converged:
        logg.warning(
            f"the limit is not quite reached: residual {outcome.limit_residual:.3g} after "
            f"{outcome.limit_iterations} iterations"
        )
    n_obs = len(outcome.scores)
    with_score = np.count_nonzero(outcome.scores.reshape(n_obs, -1).any(axis=1))
    went = outcome.n_iter > 0 or outcome.limit is not None
    if went and with_score <= len(seeds.positions) < n_obs:
        logg.warning(
            "the graph joins no seed to any other cell: only the seeds themselves have a score. "
            "neighbors_key= or obsp= choose another graph"
        )
    if clamp == "hard" and seeds.n_classes == 1 and len(np.unique(seeds.signal)) == 1:
        logg.warning("clamp='hard' with one class ends in the same score for all cells it reaches")
    elif clamp == "hard" and len(seeds.positions) < _FEW * n_obs:
        logg.warning(
            f"clamp='hard' with {len(seeds.positions)} seeds among {n_obs} cells degenerates to "
            "spikes at the seeds (Calder et al. 2020). clamp='soft' does not"
        )


def warn_of_uneven_seeds(seeds: Seeds, alpha: Any, clamp: str) -> None:
    """Near alpha 1 the bulk of the cells goes to the classes with most seeds."""
    if seeds.n_classes == 1 or clamp == "hard" or isinstance(alpha, str) or alpha < _NEAR_ONE:
        return
    counts = np.count_nonzero(seeds.signal, axis=0)
    counts = counts[counts > 0]
    if counts.max() > _UNEVEN * np.median(counts) or counts.max() > _UNEVEN**2 * counts.min():
        logg.warning(
            f"alpha={alpha:g} with {counts.min()} to {counts.max()} seeds a class hands most cells "
            "to the classes with most seeds; alpha='auto' chooses what names held-out seeds best"
        )


def warn_of_few_to_learn_from(seeds: SeedTable, prior: Any) -> None:
    """From a seed or two a class, features say less than the graph."""
    counts = seeds.counts()
    if isinstance(prior, str) and np.median(counts[counts > 0]) < _FEWEST_TO_LEARN_FROM:
        logg.warning(
            f"prior={prior!r} learns from {len(seeds.positions)} seeds of {seeds.n_classes} "
            "classes: with fewer than three a class, labels are mostly better without prior"
        )
