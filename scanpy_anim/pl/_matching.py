"""Clusterings side by side in time: which cluster of one frame is which of the next."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np
from scipy.optimize import linear_sum_assignment

if TYPE_CHECKING:
    from collections.abc import Sequence

    from numpy.typing import NDArray


def are_numbered(names: Sequence[Sequence[str]]) -> bool:
    """Whether the categories of each frame are the numbers of clusters.

    Some may be absent, as in a subset of the cells, but most are there: days and years are none.
    """
    for frame in names:
        if not frame or not all(name.isdecimal() for name in frame):
            return False
        numbers = set(map(int, frame))
        if len(numbers) < len(frame) or max(numbers) > max(2 * len(frame) - 1, 1):
            return False
    return len(names) > 1


def match_clusters(
    codes: Sequence[NDArray[np.integer]], names: Sequence[Sequence[str]]
) -> tuple[list[str], list[NDArray[np.int64]]]:
    """Give clusters of successive frames that share most cells one identity.

    Each frame is matched to the one before by the assignment with the largest number of shared
    cells (Kuhn 1955). What is not matched is new.

    Parameters
    ----------
    codes
        `(n_obs,)` numbers of the cluster of each cell in each frame; -1: none.
    names
        Of the clusters of each frame.

    Returns
    -------
    The names of the identities: that of a cluster where it first appears, or another number
    where that is taken; and for each frame the identity of each of its clusters.
    """
    identities = list(names[0])
    tables = [np.arange(len(names[0]))]
    for before, now, own in zip(codes[:-1], codes[1:], names[1:], strict=True):
        earlier = np.append(tables[-1], -1)[before]  # identities in the frame before
        both = (earlier >= 0) & (now >= 0)
        shared = np.zeros((len(own), len(identities)), np.int64)
        np.add.at(shared, (now[both], earlier[both]), 1)
        table = np.full(len(own), -1, np.int64)
        for cluster, identity in zip(*linear_sum_assignment(-shared), strict=True):
            if shared[cluster, identity]:
                table[cluster] = identity
        for cluster in np.flatnonzero(table < 0).tolist():
            table[cluster] = len(identities)
            identities.append(_free(own[cluster], identities))
        tables.append(table)
    return identities, tables


def _free(name: str, taken: Sequence[str]) -> str:
    """Return a name that is not taken: the same, the next number, or numbered."""
    if name not in taken:
        return name
    if name.isdecimal():
        return str(max((int(t) for t in taken if t.isdecimal()), default=-1) + 1)
    number = 2
    while f"{name} ({number})" in taken:
        number += 1
    return f"{name} ({number})"
