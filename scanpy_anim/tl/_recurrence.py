"""All modes of propagation as one recurrence in different scalings.

With ``G = scale * F`` every mode is

    F  <-  gain * (A G)  +  restart * Y

=============  =====================  ==============  ============
mode           gain                   scale           restart
=============  =====================  ==============  ============
symmetric      alpha * d^-1/2         d^-1/2          1 - alpha
random_walk    alpha * d^-1           1               1 - alpha
pagerank       alpha                  c^-1            1 - alpha
hard           d^-1, 0 at the seeds   1               1
=============  =====================  ==============  ============

where ``d`` are the row sums of the graph (what a cell receives) and ``c`` the column sums (what
it sends). A sum of zero counts as one, so that nothing is divided by zero.
"""

from __future__ import annotations

from dataclasses import dataclass, replace
from typing import TYPE_CHECKING, Any

import numpy as np

from scanpy_anim.tl._crew import Crew

if TYPE_CHECKING:
    from numpy.typing import NDArray

    from scanpy_anim.tl._parameters import Mode


# what is sent is added up in so many parts, each by one thread
_PARTS = 4


@dataclass(frozen=True, slots=True)
class Recurrence:
    """``F <- gain * (A G) + restart * Y`` with ``G = scale * F``.

    Attributes
    ----------
    gain
        ``(n_obs,)`` float32.
    scale
        ``(n_obs,)`` float32, never zero.
    restart
        Weight of the seed signal.
    alpha
        Weight of the neighbours; 1 with hard clamping.
    dangling
        Cells that send to nobody, whose mass goes back to the seeds (pagerank only).
    """

    gain: NDArray[np.float32]
    scale: NDArray[np.float32]
    restart: float
    alpha: float
    dangling: NDArray[np.int64]

    def renumbered(self, order: NDArray[np.int32], place: NDArray[np.int32]) -> Recurrence:
        """Recurrence of the same cells in another order."""
        return replace(
            self,
            gain=self.gain[order],
            scale=self.scale[order],
            dangling=np.sort(place[self.dangling]).astype(np.int64),
        )


def set_up_recurrence(
    graph: Any, seeds: NDArray[np.int64], mode: Mode, n_threads: int | None = None
) -> Recurrence:
    """Scalings of the mode asked for."""
    alpha, clamp, normalization = mode.alpha, mode.clamp, mode.normalization
    none = np.empty(0, dtype=np.int64)
    if normalization == "pagerank" and clamp == "soft":
        sent = sent_by(graph, np.ones(graph.shape[0]), n_threads)
        gain = np.full(len(sent), alpha, dtype=np.float32)
        dangling = np.flatnonzero(sent == 0)
        return Recurrence(gain, _reciprocal(sent), 1 - alpha, alpha, dangling)
    received = _row_sums(graph, n_threads)
    if clamp == "hard":
        gain = _reciprocal(received)
        gain[seeds] = 0
        return Recurrence(gain, np.ones_like(gain), 1.0, 1.0, none)
    if normalization == "random_walk":
        gain = _reciprocal(received, alpha)
        return Recurrence(gain, np.ones_like(gain), 1 - alpha, alpha, none)
    root = np.sqrt(received)
    return Recurrence(_reciprocal(root, alpha), _reciprocal(root), 1 - alpha, alpha, none)


def _row_sums(graph: Any, n_threads: int | None) -> NDArray[np.float64]:
    from scanpy_anim.tl._kernels import add_rows

    sums = np.empty(graph.shape[0])
    with Crew(graph.indptr, n_threads) as crew:
        crew.run(add_rows, graph.indptr, graph.data, sums)
    return sums


def received_by(
    graph: Any, sent: NDArray[np.float64], n_threads: int | None = None
) -> NDArray[np.float64]:
    """Multiply, ``A sent``: what each cell receives when cell ``j`` sends ``sent[j]``."""
    from scanpy_anim.tl._kernels import receive

    received = np.empty(graph.shape[0])
    with Crew(graph.indptr, n_threads) as crew:
        crew.run(receive, graph.indptr, graph.indices, graph.data, sent, received)
    return received


def sent_by(
    graph: Any, held: NDArray[np.float64], n_threads: int | None = None
) -> NDArray[np.float64]:
    """Multiply, ``A^T held``, without a transposed copy."""
    from scanpy_anim.tl._kernels import send

    parts = np.zeros((_PARTS, graph.shape[1]))
    with Crew(graph.indptr, n_threads, n_blocks=_PARTS) as crew:
        crew.run(send, graph.indptr, graph.indices, graph.data, held, parts)
    return parts.sum(axis=0)


def _reciprocal(sums: NDArray[np.float64], times: float = 1.0) -> NDArray[np.float32]:
    return (times / np.where(sums > 0, sums, 1.0)).astype(np.float32)
