"""The system of equations of the limit, and what its solvers do with it.

See ``_limit`` for where it comes from.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import numpy as np

if TYPE_CHECKING:
    from scanpy_anim.tl._crew import Crew
    from scanpy_anim.tl._recurrence import Recurrence

Array = Any


class System:
    """``(D - alpha A) X = B`` for a few classes, with rows of degree zero held."""

    def __init__(self, graph: Any, crew: Crew, recurrence: Recurrence, symmetric: bool) -> None:
        from scanpy_anim.tl import _kernels, _limit_kernels

        self.kernels, self.receive = _limit_kernels, _kernels.receive
        self.crew = crew
        self.arrays = (graph.indptr, graph.indices, graph.data)
        self.alpha = recurrence.alpha
        self.scale = recurrence.scale
        self.symmetric = symmetric
        through = recurrence.gain.astype(np.float64) * recurrence.scale
        self.degree = np.divide(self.alpha, through, out=np.zeros_like(through), where=through > 0)
        self.inverse = ratio(np.ones_like(self.degree), self.degree)
        # an entry is right to a ten-thousandth at worst when its residual is this small
        self.accuracy = 1e-4 * max(1 - self.alpha, 1e-3)

    def padded(self, n_classes: int, dtype: Any = np.float64) -> Array:
        """Zeros that may be multiplied with the graph."""
        from scanpy_anim.tl._gather import padded

        return padded((len(self.degree), n_classes), dtype)

    def _sums(self, n_columns: int) -> Array:
        return np.zeros((len(self.crew.bounds) - 1, n_columns))

    def apply(self, x: Array, out: Array) -> Array:
        """``out = (D - alpha A) x``, and ``<x, out>`` of each class."""
        sums = self._sums(x.shape[1])
        how = (*self.arrays, self.degree, self.alpha)
        if x.shape[1] == 1:
            self.crew.run(self.kernels.apply_vector, *how, x[:, 0], out[:, 0], sums)
        else:
            self.crew.run(self.kernels.apply_system, *how, x, x.reshape(-1), out, sums)
        return sums.sum(axis=0)

    def _negative_image(self, x: Array) -> Array:
        """``(alpha A - D) x``; for one class with a kernel that is compiled already."""
        out = np.empty(x.shape)
        if x.shape[1] > 1:
            self.apply(x, out)
            return np.negative(out, out=out)
        self.crew.run(self.receive, *self.arrays, x[:, 0], out[:, 0])
        out *= self.alpha
        out -= self.degree[:, None] * x
        out[self.degree == 0] = 0
        return out

    def true_residual(self, seeds: Array, right: Array, x: Array) -> tuple[Array, Array, Array]:
        """Residual, its squared norm, and that of the right-hand side, of each class.

        Norms are those of ``D^-1``. With held cells, the right-hand side is what they send.
        """
        at_zero = not x.any()
        residual = np.zeros(x.shape) if at_zero else self._negative_image(x)
        degree = self.degree[seeds, None]
        residual[seeds] += np.where(degree > 0, right, 0)
        norm = np.einsum("ic,ic,i->c", residual, residual, self.inverse)
        squares = np.divide(right**2, degree, out=np.zeros(right.shape), where=degree > 0)
        goal = np.maximum(norm if at_zero else 0, squares.sum(axis=0))
        return residual, np.where(np.isfinite(norm), norm, np.inf), np.where(goal > 0, goal, 1)

    def advance(
        self, length: Array, along: Array, image: Array, x: Array, residual: Array
    ) -> Array:
        """Go along a direction; the new ``<r, D^-1 r>`` of each class."""
        sums = self._sums(x.shape[1])
        kernel, arrays = self.kernels.advance, (along, image, x, residual)
        if x.shape[1] == 1:
            kernel, arrays = self.kernels.advance_vector, tuple(a[:, 0] for a in arrays)
        self.crew.run(kernel, self.inverse, length, *arrays, sums)
        return sums.sum(axis=0)

    def turn(self, share: Array, residual: Array, along: Array) -> None:
        """Take the next direction."""
        kernel, arrays = self.kernels.turn, (residual, along)
        if along.shape[1] == 1:
            kernel, arrays = self.kernels.turn_vector, tuple(a[:, 0] for a in arrays)
        self.crew.run(kernel, self.inverse, share, *arrays)

    def rough(self, x: Array, residual: Array) -> int:
        """Count entries not yet right by their own residual."""
        kernel, sums = self.kernels.count_rough, self._sums(1)
        self.crew.run(kernel, self.degree, self.accuracy, x, residual, sums)
        return int(sums.sum())

    def sweep(self, seeds: Array, rows: Array, x: Array, new: Array) -> tuple[float, int]:
        """Iterate plainly once; the residual, and how many entries still changed."""
        sums = self._sums(3)
        self.crew.run(
            self.kernels.sweep,
            *self.arrays,
            self.degree,
            self.alpha,
            self.scale,
            seeds,
            np.searchsorted(seeds, self.crew.bounds),
            rows,
            self.accuracy,
            x,
            x.reshape(-1),
            new,
            sums,
        )
        change, norm, rough = sums.sum(axis=0)
        return (change / norm if norm > 0 else 0.0), int(rough)


def ratio(above: Array, below: Array) -> Array:
    """Quotient of two arrays, 0 where the second is."""
    return np.divide(above, below, out=np.zeros_like(above), where=below != 0)
