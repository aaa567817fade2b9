"""Cells renumbered so that neighbours lie next to each other in memory."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, NamedTuple

import numpy as np
from scipy import sparse

from scanpy_anim.tl._crew import Crew

if TYPE_CHECKING:
    from numpy.typing import NDArray

# signals that fit into a core's cache gain nothing; what does not fit into the last one gains most
_CACHE_BYTES, _LAST_CACHE_BYTES = 1 << 20, 1 << 25
# classes times iterations from which walking faster pays for sorting first, and for the memory
# that a second graph takes
_WORTH_SORTING, _WORTH_SORTING_BEYOND = 250, 100


class Renumbered(NamedTuple):
    """A graph whose row ``i`` is row ``order[i]`` of the original, which is at ``place[order]``."""

    graph: Any
    order: NDArray[np.int32]
    place: NDArray[np.int32]


def worth_renumbering(n_obs: int, n_classes: int, n_iter: float) -> bool:
    """Whether so much walking pays for sorting first."""
    size = 4 * n_obs * n_classes
    enough = _WORTH_SORTING if size <= _LAST_CACHE_BYTES else _WORTH_SORTING_BEYOND
    return size > _CACHE_BYTES and n_classes * n_iter > enough


def renumber(graph: Any, n_threads: int | None) -> Renumbered:
    """Graph in breadth-first order; indices within a row are not sorted.

    An iteration gets as fast as with reverse Cuthill-McKee, which takes longer to find.
    """
    from scanpy_anim.tl import _order_kernels

    order = np.empty(graph.shape[0], dtype=np.int32)
    place = np.full(graph.shape[0], -1, dtype=np.int32)
    _order_kernels.visit(graph.indptr, graph.indices, order, place)
    indptr = np.zeros_like(graph.indptr)
    np.cumsum(np.diff(graph.indptr)[order], out=indptr[1:])
    indices, weights = np.empty_like(graph.indices), np.empty_like(graph.data)
    with Crew(indptr, n_threads) as crew:
        crew.run(
            _order_kernels.permute,
            graph.indptr,
            graph.indices,
            graph.data,
            order,
            place,
            indptr,
            indices,
            weights,
        )
    return Renumbered(sparse.csr_array((weights, indices, indptr), shape=graph.shape), order, place)
