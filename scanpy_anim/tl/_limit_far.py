"""Entries that are too small for a solver to see, or for float64 to hold; one class at a time.

What is right already is held, and what it sends is the right-hand side for the rest: among these
the largest is of the order of one again, after a common power of two has been taken out. So the
solution is found piece by piece outwards from the seeds, each piece with an exponent of its own.
A held value's relative error is handed on but not made larger, as the inverse of an M-matrix has
no negative entry.
"""

from __future__ import annotations

import math
from typing import TYPE_CHECKING, NamedTuple

import numpy as np
from numba import njit
from scipy import sparse

from scanpy_anim.tl._limit_bound import ROUNDING, Bound
from scanpy_anim.tl._limit_direct import factorize, is_affordable, spread_from
from scanpy_anim.tl._limit_krylov import solve_by_krylov, sweep_until_right
from scanpy_anim.tl._limit_system import System

if TYPE_CHECKING:
    from numpy.typing import NDArray

    from scanpy_anim._arrays import Bools, Floats, Ints

# how far below the largest of a piece its entries are taken where factors know each one's digits
_DEPTH = 1e-200
# steps that a first piece reaches when there are many cells left, and how many are many
_REACH, _MANY = 512, 30_000
# how far above what the end of a piece holds its entries are taken
_BEFORE_END = 1e10
_MAX_PIECES = 20_000
# of the elimination of a piece, as `_limit_direct` counts them
_MOST_OPERATIONS = 6e8
# sweeps within which fewer entries must be wrong where pieces meet
_PATIENCE = 100
# exponent of zero
_NOWHERE = -(1 << 40)


class Scaled(NamedTuple):
    """`mantissas * 2**exponents`."""

    mantissas: NDArray[np.float64]
    exponents: NDArray[np.int64]

    def log2(self) -> NDArray[np.float64]:
        """Logarithm, rounded down; minus infinity of zero."""
        exponents = np.frexp(self.mantissas)[1] - 1.0 + self.exponents
        return np.where(self.mantissas > 0, exponents, -np.inf)


def solve_outwards(
    system: System,
    seeds: NDArray[np.int64],
    right: NDArray[np.float64],
    bound: Bound,
    x: NDArray[np.float64],
    trusted: NDArray[np.bool_],
) -> tuple[Scaled, int]:
    """One class's solution, from `x` where it is `trusted`; how many entries are not right."""
    outward = _Outward(system, seeds, right, bound, x, trusted)
    for _ in range(_MAX_PIECES):
        if not outward.go_on():
            break
    return outward.x, outward.polish()


def reached_from(system: System, seeds: NDArray[np.int64]) -> NDArray[np.int64]:
    """Cells that the seeds send to, directly or through others, ascending; seeds included."""
    everywhere = np.ones(system.n_obs, dtype=np.bool_)
    return np.sort(_spread(_receivers(system), seeds, everywhere)[0])


def _receivers(system: System) -> sparse.csr_array:
    """Graph whose row `j` lists whom cell `j` sends to, not whom it receives from."""
    return system.graph if system.symmetric else sparse.csr_array(system.graph.T)


def _spread(
    receivers: sparse.csr_array, start: NDArray[np.int64], allowed: NDArray[np.bool_]
) -> tuple[NDArray[np.int64], NDArray[np.int32]]:
    n_obs = len(allowed)
    level = np.full(n_obs, -1, dtype=np.int32)
    order = np.empty(n_obs, dtype=np.int64)
    pattern = (receivers.indptr, receivers.indices, receivers.data)
    n_visited = spread_from(*pattern, start, allowed, level, order, n_obs)
    return order[:n_visited], level


class _Outward:
    """What is known of one class's solution, and the next piece of it."""

    def __init__(
        self,
        system: System,
        seeds: NDArray[np.int64],
        right: NDArray[np.float64],
        bound: Bound,
        x: NDArray[np.float64],
        trusted: NDArray[np.bool_],
    ) -> None:
        self.system, self.bound = system, bound
        self.right = np.zeros(system.n_obs)
        self.right[seeds] = right
        self.right[system.degree == 0] = 0
        self.receivers = _receivers(system)
        self.x = Scaled(np.where(trusted, x, 0.0), np.zeros(system.n_obs, dtype=np.int64))
        free = system.degree > 0
        sources = np.flatnonzero((self.right > 0) | (~free & (x > 0)))
        reached, _ = self._spread(sources, free)
        self.pending = np.zeros(system.n_obs, dtype=np.bool_)
        self.pending[reached] = True
        self.known = ~free | (self.pending & trusted & (x > 0))
        self.pending &= ~self.known
        self.reach = _REACH

    def go_on(self) -> bool:
        """Solve for the next piece; False when there is none, or nothing came of it."""
        rows = np.flatnonzero(self.pending)
        if not len(rows):
            return False
        sent, exponents = self._sent_to(rows)
        arriving = sent > 0
        if not arriving.any():
            return False
        shift = int(exponents[arriving].max())
        right = np.zeros(self.system.n_obs)
        right[rows] = np.ldexp(sent, np.clip(exponents - shift, -2000, 0).astype(np.int64))
        cells, level, is_end = rows, None, np.zeros(len(rows), dtype=np.bool_)
        if len(rows) > _MANY:
            cells, level = self._spread(rows[arriving], self.pending)
            cells = np.sort(cells[level[cells] <= self.reach])
            is_end = level[cells] == self.reach
        found, depth = self._solve(cells, right[cells])
        # what lies beyond the end would have sent back no more than the end holds
        end = found[is_end].max(initial=0)
        kept = cells[(found > depth * found.max(initial=0)) & (found > _BEFORE_END * end)]
        self.x.mantissas[cells] = found
        self.x.exponents[cells] = shift
        self.known[kept] = True
        self.pending[kept] = False
        if level is None or self.reach > self.system.n_obs:
            return len(kept) > 0
        self.reach = 2 * int(level[kept].max()) + 16 if len(kept) else 2 * self.reach
        return True

    def _solve(
        self, cells: NDArray[np.int64], right: NDArray[np.float64]
    ) -> tuple[NDArray[np.float64], float]:
        """Solution on these cells, and down to which share of its largest it is to be trusted."""
        system = self.system
        part = System(
            sparse.csr_array(system.graph[cells][:, cells]),
            system.degree[cells],
            system.alpha,
            symmetric=system.symmetric,
        )
        # the farther alpha is from 1, the fewer iterations do as well
        most = _MOST_OPERATIONS / max(1 - system.alpha, 1e-4) ** 0.5
        factors = factorize(part, np.arange(part.n_obs)) if is_affordable(part, most) else None
        if factors is not None:
            return factors.solve(right[:, None])[:, 0], _DEPTH
        x, sources = part.zeros(1), np.flatnonzero(right)
        how = (sources, right[sources, None], self.bound, x)
        solve_by_krylov(part, *how)
        sweep_until_right(part, *how)
        residual = part.true_residual(sources, right[sources, None], x)
        return np.where(part.trusted(self.bound, x, residual), x, 0)[:, 0], 0.0

    def _spread(
        self, start: NDArray[np.int64], allowed: NDArray[np.bool_]
    ) -> tuple[NDArray[np.int64], NDArray[np.int32]]:
        """Cells that `start` sends to, on the way through allowed ones, and how far they are."""
        return _spread(self.receivers, start, allowed)

    def _sent_to(self, rows: NDArray[np.int64]) -> tuple[NDArray[np.float64], NDArray[np.int64]]:
        """Compute what known entries and seeds send to `rows`, and the exponents of that."""
        sent, exponents = np.empty(len(rows)), np.empty(len(rows), dtype=np.int64)
        how = (*self.system.arrays, self.system.alpha, self.right, self.known)
        _send_scaled(rows, *how, *self.x, sent, exponents)
        return sent, exponents

    def polish(self) -> int:
        """Iterate plainly where pieces meet; how many entries are not right in the end."""
        fewest, since = self.system.n_obs + 1, 0
        while True:
            rows, mantissas, exponents = self._rough()
            fewest, since = (len(rows), 0) if len(rows) < fewest else (fewest, since + 1)
            if not len(rows) or since > _PATIENCE:
                return len(rows)
            self.x.mantissas[rows] = mantissas
            self.x.exponents[rows] = exponents

    def _rough(self) -> tuple[NDArray[np.int64], NDArray[np.float64], NDArray[np.int64]]:
        """Find entries that are not right, as in `_limit_system`, and what they should be.

        That is a mantissa and an exponent.
        """
        rows = np.flatnonzero((self.pending | self.known) & (self.system.degree > 0))
        sent, exponents = self._sent_to(rows)
        mantissas, own = self.x.mantissas[rows], self.x.exponents[rows]
        new = sent * self.system.inverse[rows]
        shift = np.clip(exponents - own, -2000, 2000).astype(np.int64)
        with np.errstate(over="ignore"):
            value = np.ldexp(new, shift)
        change = np.abs(value - mantissas) + ROUNDING * mantissas
        logs = self.x.log2()[self.x.mantissas > 0] * np.log(2)
        # one more, as logarithms are rounded down
        span = self.bound.span(np.ptp(logs) + 1 if len(logs) else np.zeros(()))
        with np.errstate(invalid="ignore"):
            # what is infinite or no number compares as not right
            right = (mantissas > 0) & (change * span <= self.bound.strictness * mantissas)
        exponents[sent == 0] = 0
        return rows[~right], new[~right], exponents[~right]


@njit(cache=True, nogil=True)
def _send_scaled(
    rows: Ints,
    indptr: Ints,
    indices: Ints,
    weights: Floats,
    alpha: float,
    right: Floats,
    known: Bools,
    mantissas: Floats,
    exponents: Ints,
    sent: Floats,
    sent_exponents: Ints,
) -> None:
    """`sent * 2**sent_exponents = alpha A x + B` for some rows, where `x` is `known`.

    `x = mantissas * 2**exponents` may be far outside the range of float64; `sent` is below the
    number of neighbours.
    """
    for k in range(len(rows)):
        i = rows[k]
        highest = _NOWHERE
        if right[i] > 0:
            highest = math.frexp(right[i])[1]
        for p in range(indptr[i], indptr[i + 1]):
            j = indices[p]
            if known[j] and mantissas[j] > 0 and weights[p] > 0:
                product = alpha * np.float64(weights[p]) * mantissas[j]
                highest = max(highest, math.frexp(product)[1] + exponents[j])
        total = 0.0
        if highest > _NOWHERE:
            total = math.ldexp(right[i], -highest)
            for p in range(indptr[i], indptr[i + 1]):
                j = indices[p]
                if known[j]:
                    product = alpha * np.float64(weights[p]) * mantissas[j]
                    total += math.ldexp(product, max(exponents[j] - highest, -1100))
        sent[k] = total
        sent_exponents[k] = highest
