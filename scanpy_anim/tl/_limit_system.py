"""The equations of the limit, and what multiplies with them.

With `G = F / unscale` every mode of propagation ends where `(D - alpha A) G = B`:

=============  =================  ========================  ==============
mode           D                  B                         unscale
=============  =================  ========================  ==============
symmetric      row sums d         (1 - alpha) d^1/2 Y       d^1/2
random_walk    row sums d         (1 - alpha) d Y           1
pagerank       column sums c      (1 - alpha) Y             c
hard           row sums d         what held seeds send      1
=============  =================  ========================  ==============

(alpha is 1 with hard clamping; a sum of zero counts as one). `D - alpha A` is a nonsingular
M-matrix: nothing off the diagonal is positive, its inverse has no negative entry. Sums are taken
in float64 here, because what `D` is wrong by comes back times `1 / (1 - alpha)`.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import numpy as np

from scanpy_anim._threads import RowBlocks
from scanpy_anim.tl import _limit_kernels as kernels
from scanpy_anim.tl._limit_bound import mark_rough
from scanpy_anim.tl._product_kernels import receive
from scanpy_anim.tl._sums import received_by, row_sums, sent_by

if TYPE_CHECKING:
    from numpy.typing import NDArray
    from scipy import sparse

    from scanpy_anim.tl._iteration import Problem
    from scanpy_anim.tl._limit_bound import Bound
    from scanpy_anim.tl._options import Options

# degrees between which float32 neither overflows nor vanishes on the way
_NARROW = (1e-12, 1e12)
# nearer to 1 than this, the difference of two float32 numbers decides
_NARROW_GAP = 1e-4
# share of the accuracy that is left to what is wrong elsewhere
_MINOR = 1e-3
_MOST_SLACK = 500.0


class System:
    """`(D - alpha A) X = B` for a few classes, with rows of degree zero held."""

    def __init__(
        self,
        graph: sparse.csr_array,
        degree: NDArray[np.float64],
        alpha: float,
        *,
        symmetric: bool,
        by_columns: bool = False,
        unscale: NDArray[np.float64] | None = None,
    ) -> None:
        self.graph = graph
        self.degree = degree
        self.inverse = ratio(np.ones_like(degree), degree)
        self.alpha = alpha
        self.symmetric = symmetric
        # whether `degree` are sums of columns that differ from those of rows
        self.by_columns = by_columns and not symmetric
        self.unscale = np.ones_like(degree) if unscale is None else unscale
        self.blocks = RowBlocks(graph.indptr)
        self.arrays = (graph.indptr, graph.indices, graph.data)
        free = degree[degree > 0]
        # whether float32 holds what is made of degrees, and serves for directions
        self.moderate = bool(len(free) and free.min() > _NARROW[0] and free.max() < _NARROW[1])
        self.narrow = self.moderate and (alpha == 1 or 1 - alpha > _NARROW_GAP)

    @property
    def n_obs(self) -> int:
        """Number of rows."""
        return len(self.degree)

    def _sums(self, n_columns: int) -> NDArray[np.float64]:
        return np.zeros((len(self.blocks.bounds) - 1, n_columns))

    def zeros(self, n_classes: int, dtype: Any = np.float64) -> NDArray[Any]:
        """Zeros that may be multiplied with the graph."""
        return np.zeros((self.n_obs, n_classes), dtype=dtype)

    def apply(self, x: NDArray[np.floating], out: NDArray[np.floating]) -> NDArray[np.float64]:
        """`out = (D - alpha A) x`, and `<x, out>` of each class."""
        sums = self._sums(x.shape[1])
        how = (*self.arrays, self.degree, self.alpha)
        if x.shape[1] == 1:
            self.blocks.run(kernels.apply_vector, *how, x[:, 0], out[:, 0], sums)
        else:
            self.blocks.run(kernels.apply_system, *how, x, out, sums)
        return sums.sum(axis=0)

    def true_residual(
        self, seeds: NDArray[np.int64], right: NDArray[np.float64], x: NDArray[np.float64]
    ) -> NDArray[np.float64]:
        """`B - (D - alpha A) x` in float64, 0 where rows are held; `B` is `right` at the seeds."""
        residual = np.zeros(x.shape)
        if x.any():
            if x.shape[1] == 1:
                # a kernel that is compiled already
                self.blocks.run(receive, *self.arrays, x[:, 0], residual[:, 0])
                residual *= self.alpha
                residual -= self.degree[:, None] * x
                residual[self.degree == 0] = 0
            else:
                # negated to the last bit
                how = (*self.arrays, -self.degree, -self.alpha)
                self.blocks.run(kernels.apply_system, *how, x, residual, self._sums(x.shape[1]))
        residual[seeds] += np.where(self.degree[seeds, None] > 0, right, 0)
        return residual

    def squared_norm(self, residual: NDArray[np.float64]) -> NDArray[np.float64]:
        """`<r, D^-1 r>` of each class; infinite where it is no number."""
        norm = np.einsum("ic,ic,i->c", residual, residual, self.inverse)
        return np.where(np.isfinite(norm), norm, np.inf)

    def advance(
        self,
        length: NDArray[np.float64],
        direction: NDArray[np.floating],
        image: NDArray[np.floating],
        x: NDArray[np.floating],
        residual: NDArray[np.floating],
    ) -> NDArray[np.float64]:
        """Go along a direction; the new `<r, D^-1 r>` of each class."""
        sums = self._sums(x.shape[1])
        kernel: Any = kernels.advance
        arrays: tuple[NDArray[Any], ...] = (direction, image, x, residual)
        if x.shape[1] == 1:
            kernel, arrays = kernels.advance_vector, tuple(a[:, 0] for a in arrays)
        self.blocks.run(kernel, self.inverse, length, *arrays, sums)
        return sums.sum(axis=0)

    def turn(
        self,
        share: NDArray[np.float64],
        residual: NDArray[np.floating],
        direction: NDArray[np.floating],
    ) -> None:
        """Take the next direction, `D^-1 r + share * direction`."""
        kernel: Any = kernels.turn
        arrays: tuple[NDArray[Any], ...] = (residual, direction)
        if direction.shape[1] == 1:
            kernel, arrays = kernels.turn_vector, tuple(a[:, 0] for a in arrays)
        self.blocks.run(kernel, self.inverse, share, *arrays)

    def rough(
        self, bound: Bound, x: NDArray[np.float64], residual: NDArray[np.floating]
    ) -> NDArray[np.bool_]:
        """Which entries are not right by their own residual, or too small for float64."""
        marks = np.zeros(x.shape, dtype=np.bool_)
        spans = bound.spans(x)
        how = (self.degree, spans, bound.strictness)
        self.blocks.run(mark_rough, *how, x, residual, marks)
        return marks

    def trusted(
        self, bound: Bound, x: NDArray[np.float64], residual: NDArray[np.float64]
    ) -> NDArray[np.bool_]:
        """Which entries are right although others are not.

        They are by their own residual, and so much larger than those of the others that these,
        which change no entry by more than `h_i max(r / (D h)) / (1 - gamma)`, do not matter.
        """
        rough = self.rough(bound, x, residual)
        others = np.where(rough, np.abs(residual) * self.inverse[:, None], 0).max(axis=0, initial=0)
        spread = bound.steps * np.exp(min(bound.slack, _MOST_SLACK))
        return ~rough & (x > others * spread / (_MINOR * bound.accuracy))

    def relax(
        self,
        rows: NDArray[np.int64],
        seeds: NDArray[np.int64],
        right: NDArray[np.float64],
        bound: Bound,
        spans: NDArray[np.float64],
        x: NDArray[np.float64],
    ) -> int:
        """Iterate once on some rows, in place; how many of their entries were not right."""
        how = (*self.arrays, self.degree, self.alpha, seeds, right, spans, bound.strictness)
        return int(kernels.relax(rows, *how, x))

    def sweep(
        self,
        seeds: NDArray[np.int64],
        right: NDArray[np.float64],
        bound: Bound,
        x: NDArray[np.float64],
        new: NDArray[np.float64],
        marks: NDArray[np.bool_],
    ) -> tuple[float, int]:
        """Set `new = D^-1 (alpha A x + B)`; the residual, and how many of `x` were not right.

        `marks` receives which rows these are in.
        """
        sums, spans = self._sums(3), bound.spans(x)
        self.blocks.run(
            kernels.sweep,
            *self.arrays,
            self.degree,
            self.alpha,
            self.unscale,
            seeds,
            np.searchsorted(seeds, self.blocks.bounds),
            right,
            spans,
            bound.strictness,
            x,
            new,
            marks,
            sums,
        )
        change, norm, rough = sums.sum(axis=0)
        return (change / norm if norm > 0 else 0.0), int(rough)


def set_up_system(problem: Problem, options: Options) -> tuple[System, NDArray[np.float64]]:
    """Equations of a mode, and what is on their right side at the seeds for a signal of one."""
    graph, seeds = problem.graph, problem.seeds
    n_obs = graph.shape[0]
    received = row_sums(graph)
    symmetric = is_symmetric(graph)
    by_columns = options.normalization == "pagerank" and options.clamp == "soft"
    degree = sent_by(graph, np.ones(n_obs)) if by_columns and not symmetric else received
    degree = np.where(degree > 0, degree, 1.0)
    if options.clamp == "hard":
        degree[seeds] = 0
        return System(graph, degree, 1.0, symmetric=symmetric), np.zeros(len(seeds))
    alpha, gap = float(options.alpha), 1 - float(options.alpha)
    if by_columns:
        how = {"symmetric": symmetric, "by_columns": True}
        return System(graph, degree, alpha, unscale=degree, **how), np.full(len(seeds), gap)
    if options.normalization == "random_walk":
        return System(graph, degree, alpha, symmetric=symmetric), gap * degree[seeds]
    root = np.sqrt(degree)
    return System(graph, degree, alpha, symmetric=symmetric, unscale=root), gap * root[seeds]


def is_symmetric(graph: sparse.csr_array) -> bool:
    """Whether rows and columns weigh a random vector alike, each row by its own measure.

    A row of small weights must not hide behind the large ones of others.
    """
    probe = np.random.default_rng(0).random(graph.shape[0])
    rows, columns = received_by(graph, probe), sent_by(graph, probe)
    return bool((np.abs(rows - columns) <= 1e-6 * np.minimum(rows, columns)).all())


def ratio(above: NDArray[np.float64], below: NDArray[np.float64]) -> NDArray[np.float64]:
    """Quotient of two arrays, 0 where the second is."""
    return np.divide(above, below, out=np.zeros_like(above), where=below != 0)
