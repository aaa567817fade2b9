"""From stored scores to labels and probabilities, as often as one likes."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np
import pandas as pd
from scanpy import logging as logg

from scanpy_anim.tl._decision import class_mass_weights, column_names, decide, shares

if TYPE_CHECKING:
    from anndata import AnnData


def assign_labels(
    adata: AnnData,
    *,
    key: str = "label_propagation",
    class_mass: bool | None = None,
    min_confidence: float | None = None,
    copy: bool = False,
) -> AnnData | None:
    """Decide on a label for each cell from the scores of a propagation."""
    adata = adata.copy() if copy else adata
    start = logg.info("assigning labels")
    added = assign(adata, key, class_mass=class_mass, min_confidence=min_confidence)
    logg.info("    finished", time=start, deep="added\n" + "\n".join(f"    {a}" for a in added))
    return adata if copy else None


def assign(
    adata: AnnData,
    key: str,
    *,
    class_mass: bool | None = None,
    min_confidence: float | None = None,
) -> list[str]:
    """Write label, confidence and probabilities of a stored propagation, and say what."""
    record = adata.uns[key]
    scores = np.asarray(adata.obsm[key])[:, -1]
    if class_mass is None:
        class_mass = record["params"]["clamp"] == "hard"
    weights = None
    if class_mass:
        seeded = np.bincount(record["seeds"]["classes"], minlength=scores.shape[1])
        weights = class_mass_weights(scores, seeded)
    probability = shares(scores, weights)
    labels, confidence = decide(probability)
    if min_confidence is not None:
        labels = np.where(confidence >= min_confidence, labels, -1)
    classes = [str(name) for name in record["classes"]]
    adata.obs[key] = pd.Categorical.from_codes(labels, categories=pd.Index(classes))
    adata.obs[f"{key}_confidence"] = confidence
    adata.obsm[f"{key}_proba"] = pd.DataFrame(
        probability, index=adata.obs_names, columns=pd.Index(column_names(classes))
    )
    return [
        f"'{key}', labels (adata.obs)",
        f"'{key}_confidence', probability of the label (adata.obs)",
        f"'{key}_proba', probability of each class (adata.obsm)",
    ]
