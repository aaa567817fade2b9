"""From stored scores to labels and probabilities, as often as one likes."""

from __future__ import annotations

from collections.abc import Mapping
from typing import TYPE_CHECKING, Any

import numpy as np
import pandas as pd
from scanpy import logging as logg

from scanpy_anim._names import MissingKeyError
from scanpy_anim.tl._calibration import FEWEST, apply_temperature
from scanpy_anim.tl._decision import class_mass_weights, column_names, decide, shares
from scanpy_anim.tl._held_out import fit_on_held_out
from scanpy_anim.tl._parameters import check_switches

if TYPE_CHECKING:
    from anndata import AnnData
    from numpy.typing import NDArray


def assign_labels(
    adata: AnnData,
    *,
    key: str = "label_propagation",
    class_mass: bool | None = None,
    calibrate: bool = False,
    min_confidence: float | None = None,
    copy: bool = False,
) -> AnnData | None:
    r"""Decide on a label for each cell from the scores of a propagation.

    :func:`label_propagation` calls this with its defaults. Call it again to decide otherwise
    without propagating again.

    The probability of class :math:`c` in cell :math:`i` is its share of the cell's scores in the
    last column of ``obsm[key]``, after class weights :math:`w_c` and a temperature :math:`T` when
    these are asked for:

    .. math:: p_{ic} = \frac{(w_c F_{ic})^{1/T}}{\sum_d (w_d F_{id})^{1/T}}

    Parameters
    ----------
    adata
        With the result of :func:`label_propagation` for several classes.
    key
        Its `key_added`.
    class_mass
        Weigh the classes so that each one's scores add up to its share of the seeds, class mass
        normalisation of [Zhu2003]_. It makes up for classes whose seeds happen to sit at
        well-connected places, and is what saves hard clamping when seeds are few. ``None``: with
        hard clamping.
    calibrate
        Fit the temperature on seeds that were held out in five folds [Guo2017]_, so that of the
        cells with a confidence of 0.8 about 80 % have the right label. Seeds of a class count by
        how many cells were found to be of it, as cells do not come evenly over the classes when
        seeds do. The graph is needed again for that. With fewer than 30 seeds to hold out it says
        so and leaves the shares as they are.
    min_confidence
        Cells below it stay without label, 0 to 1.
    copy
        Return a copy instead of writing into `adata`.

    Returns
    -------
    ``None``, or with `copy` the copy. Sets

    ``obs[key]`` : categorical
        Label; missing where no seed reaches the cell, or below `min_confidence`.
    ``obs[key + "_confidence"]`` : float64
        Probability of the most probable class, 0 where no seed reaches the cell.
    ``obsm[key + "_proba"]`` : DataFrame ``(n_obs, n_classes)``, float64
        Probability of each class; rows sum to 1, or 0 where no seed reaches the cell. Columns are
        the classes, with ``/`` and ``\`` spelled ``|`` because files cannot hold them in the name
        of a column; names that files reserve (``_index``, ``dtype``, ...) become ``class 3``. The
        names as they are: ``obs[key].cat.categories``, in the same order.
    ``uns[key]["temperature"]`` : float
        When calibrated.
    ``uns[key]["labels"]`` : dict
        ``class_mass``, and ``min_confidence`` if there is one.

    Raises
    ------
    KeyError
        There is no such propagation.
    ValueError
        It is of one class, or an argument is out of range.

    References
    ----------
    .. [Zhu2003] Zhu, Ghahramani and Lafferty (2003), Semi-supervised learning using Gaussian
       fields and harmonic functions, ICML.
    .. [Guo2017] Guo, Pleiss, Sun and Weinberger (2017), On calibration of modern neural networks,
       ICML.

    Examples
    --------
    >>> import scanpy as sc
    >>> import scanpy_anim as sca
    >>> adata = sc.datasets.pbmc68k_reduced()
    >>> adata.obs["few"] = adata.obs["bulk_labels"].where(adata.obs_names.str[0] == "A")
    >>> sca.tl.label_propagation(adata, "few")
    >>> sca.tl.assign_labels(adata, calibrate=True, min_confidence=0.5)
    >>> float(adata.uns["label_propagation"]["temperature"]) > 0
    True
    """
    check_switches(calibrate=calibrate, copy=copy)
    if class_mass is not None:
        check_switches(class_mass=class_mass)
    _require_labels(adata, key, min_confidence)
    require_in_memory(adata, copy=copy)
    start = logg.info("assigning labels")
    adata = adata.copy() if copy else adata
    added = assign(
        adata, key, class_mass=class_mass, calibrate=calibrate, min_confidence=min_confidence
    )
    logg.info("    finished", time=start, deep="added\n" + "\n".join(f"    {a}" for a in added))
    return adata if copy else None


def assign(
    adata: AnnData,
    key: str,
    *,
    class_mass: bool | None = None,
    calibrate: bool = False,
    min_confidence: float | None = None,
) -> list[str]:
    """Write label, confidence and probabilities of a stored propagation, and say what."""
    record = adata.uns[key]
    if class_mass is None:
        class_mass = record["params"]["clamp"] == "hard"
    scores = stored_scores(adata, key)
    weights = None
    if class_mass:
        seeded = np.bincount(record["seeds"]["classes"], minlength=scores.shape[1])
        weights = class_mass_weights(scores, seeded)
    probability = shares(scores, weights)
    temperature = None
    if calibrate:
        _require_same_cells(adata, key)
        temperature = fit_on_held_out(adata, record, decide(probability)[0], weights)
    if temperature is not None:
        probability = apply_temperature(probability, temperature)
    elif calibrate:
        logg.warning(
            f"calibrate=True needs {FEWEST} seeds that can be held out, and there are fewer: "
            "the confidence stays the share of the scores"
        )
    _write(adata, key, probability, min_confidence)
    decision: dict[str, Any] = {"class_mass": bool(class_mass)}
    if min_confidence is not None:
        decision["min_confidence"] = float(min_confidence)
    record["labels"] = decision
    record.pop("temperature", None)
    if temperature is not None:
        record["temperature"] = temperature
    return [
        f"'{key}', labels (adata.obs)",
        f"'{key}_confidence', probability of the label (adata.obs)",
        f"'{key}_proba', probability of each class (adata.obsm)",
    ]


def stored_scores(adata: AnnData, key: str) -> NDArray[np.float32]:
    """Scores ``(n_obs, n_classes)`` of the last column, however the history is kept."""
    if f"{key}_scores" in adata.obsm:
        return np.asarray(adata.obsm[f"{key}_scores"])
    return np.asarray(adata.obsm[key])[:, -1]


def require_in_memory(adata: AnnData, *, copy: bool) -> None:
    """Refuse what anndata would refuse only when the work is done."""
    if adata.isbacked and (copy or adata.is_view):
        what = "copy=True of" if copy else "adata is a view of"
        raise ValueError(
            f"{what} cells that stay in a file ({adata.filename}) would need another file: "
            "run `adata = adata.to_memory()` first"
        )


def _require_same_cells(adata: AnnData, key: str) -> None:
    """Seeds are stored as positions, which a subset or another order of cells makes wrong."""
    record, history = adata.uns[key], adata.obsm[key]
    positions, classes = (np.asarray(record["seeds"][name]) for name in ("positions", "classes"))
    same = positions.max() < adata.n_obs
    if same and record["iterations"][0] == 0:
        # column 0 is the seeds' signal, and goes with the cells
        first = np.asarray(history[:, 0])
        seeded = first >= 0 if first.ndim == 1 else first.any(axis=1)
        same = np.array_equal(np.flatnonzero(seeded), np.unique(positions))
        if same and first.ndim == 2:
            same = (first[positions, classes] > 0).all()
    if not same:
        raise ValueError(
            f"calibrate=True needs the seeds, but uns[{key!r}]['seeds'] are positions among other "
            "cells than adata has now (a subset, or another order): calibrate before, or run "
            "`sca.tl.label_propagation` again"
        )


def _write(
    adata: AnnData, key: str, probability: NDArray[np.float64], min_confidence: float | None
) -> None:
    labels, confidence = decide(probability)
    if min_confidence is not None:
        labels = np.where(confidence >= min_confidence, labels, -1)
    classes = [str(name) for name in adata.uns[key]["classes"]]
    adata.obs[key] = pd.Categorical.from_codes(labels, categories=pd.Index(classes))
    adata.obs[f"{key}_confidence"] = confidence
    columns = pd.Index(column_names(classes, adata.obs_names.name))
    adata.obsm[f"{key}_proba"] = pd.DataFrame(
        probability, index=adata.obs_names, columns=columns, copy=False
    )


def _require_labels(adata: AnnData, key: str, min_confidence: float | None) -> None:
    found = [
        name
        for name, value in adata.uns.items()
        if isinstance(value, Mapping) and {"params", "seeds", "iterations"} <= set(value)
    ]
    if key not in found:
        raise MissingKeyError(
            f"key={key!r} is not a propagation stored in adata.uns, which has "
            f"{found or 'none: run `sca.tl.label_propagation(adata, seeds)` first'}"
        )
    if key not in adata.obsm:
        raise MissingKeyError(
            f"key={key!r}: the scores adata.obsm[{key!r}] are gone, propagate again"
        )
    if adata.uns[key]["params"].get("history") == "labels" and f"{key}_scores" not in adata.obsm:
        raise MissingKeyError(f"key={key!r}: adata.obsm['{key}_scores'] is gone, propagate again")
    if "classes" not in adata.uns[key]:
        raise ValueError(
            f"key={key!r} is a propagation of one class, whose scores are in adata.obs[{key!r}]: "
            "labels, class_mass and calibrate need several classes"
        )
    if min_confidence is None:
        return
    number = isinstance(min_confidence, int | float | np.number)
    if not number or isinstance(min_confidence, bool) or not 0 <= min_confidence <= 1:
        raise ValueError(f"min_confidence={min_confidence!r} must lie between 0 and 1")
