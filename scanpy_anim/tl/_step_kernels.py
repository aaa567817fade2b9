"""One step of the recurrence, compiled: multiply, scale, restart, and measure the change.

The rows are cut into a fixed number of blocks whose sums are added up in order, so that one
thread and many give the same bits. The kernels release the GIL and are called from ordinary
Python threads (see `_threads`): numba's own threading layers are not all safe when several Python
threads enter them.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np
from numba import njit

from scanpy_anim.tl._product_kernels import U, add_single, multiply

if TYPE_CHECKING:
    from scanpy_anim._arrays import Floats, Int, Ints

# entries in work at a time, well within a core's first cache
_AT_ONCE = 2048
# scores below it may have lost what float32 does not hold
_FAINT = np.float32(1e-30)


@njit(cache=True, nogil=True, fastmath={"contract", "reassoc"})
def step_vector(
    first: int,
    last: int,
    bounds: Ints,
    indptr: Ints,
    indices: Ints,
    weights: Floats,
    gain: Floats,
    scale: Floats,
    seeds: Ints,
    first_seeds: Ints,
    rows: Floats,
    restart: Floats,
    source: Floats,
    target: Floats,
    sums: Floats,
) -> None:
    """Compute `target = scale * F` of the next iteration for the blocks from `first` up to `last`.

    `first_seeds` says for each block which of the seeds is its first. `sums` receives, a row a
    block, `|F - F_old|^2`, `|F|^2`, the number of zeros, and of other entries next to nothing in
    its last column.
    """
    for block in range(first, last):
        change = 0.0
        total = 0.0
        unreached = 0
        faint = 0
        seed = first_seeds[block]
        for start in range(bounds[block], bounds[block + 1], _AT_ONCE):
            end = min(start + _AT_ONCE, bounds[block + 1])
            # one thing after the other: tight loops, which become vectors
            for i in range(U(start), U(end)):
                target[i] = gain[i] * add_single(indptr, indices, weights, source, i)
            while seed < first_seeds[block + 1] and seeds[seed] < end:
                target[U(seeds[seed])] += restart[0] * rows[seed, 0]
                seed += 1
            for i in range(U(start), U(end)):
                value = target[i]
                difference = np.float64(value) - np.float64(source[i] / scale[i])
                change += difference * difference
                total += np.float64(value) * np.float64(value)
                unreached += value == np.float32(0)
                faint += abs(value) < _FAINT
                target[i] = value * scale[i]
        sums[block, 0] = change
        sums[block, 1] = total
        sums[block, 2] = unreached
        sums[block, 4] = faint - unreached


@njit(cache=True, nogil=True, fastmath={"contract", "reassoc"})
def step_matrix(
    first: int,
    last: int,
    bounds: Ints,
    indptr: Ints,
    indices: Ints,
    weights: Floats,
    gain: Floats,
    scale: Floats,
    seeds: Ints,
    first_seeds: Ints,
    rows: Floats,
    restart: Floats,
    source: Floats,
    target: Floats,
    labels: Ints,
    sums: Floats,
) -> None:
    """As :func:`step_vector` for several classes at once, and how many cells changed label."""
    n_classes = U(source.shape[1])
    at_once = max(1, _AT_ONCE // source.shape[1])
    for block in range(first, last):
        change = 0.0
        total = 0.0
        unreached = 0
        flips = 0
        faint = 0
        seed = first_seeds[block]
        for start in range(bounds[block], bounds[block + 1], at_once):
            end = min(start + at_once, bounds[block + 1])
            multiply(start, end, indptr, indices, weights, source, target, start)
            for i in range(U(start), U(end)):
                for c in range(n_classes):
                    target[i, c] *= gain[i]
            while seed < first_seeds[block + 1] and seeds[seed] < end:
                for c in range(n_classes):
                    target[U(seeds[seed]), c] += restart[c] * rows[seed, c]
                seed += 1
            for i in range(U(start), U(end)):
                label, best = _first_best(target, i)
                faint += 1 if best < _FAINT else 0
                flips += label != labels[i]
                unreached += label < 0
                labels[i] = label
            for i in range(U(start), U(end)):
                unscale = np.float32(1) / scale[i]
                for c in range(n_classes):
                    value = np.float64(target[i, c])
                    difference = value - np.float64(source[i, c] * unscale)
                    change += difference * difference
                    total += value * value
                    target[i, c] *= scale[i]
        sums[block, 0] = change
        sums[block, 1] = total
        sums[block, 2] = unreached
        sums[block, 3] = flips
        sums[block, 4] = faint - unreached


@njit(cache=True, nogil=True)
def _first_best(scores: Floats, i: Int) -> tuple[int, np.floating]:
    """First class with the highest score of row `i`, -1 where none is positive, and that score."""
    label = -1
    best = scores.dtype.type(0)
    for c in range(scores.shape[1]):
        # no branch: which class is ahead is anyone's guess
        label = c if scores[i, c] > best else label
        best = max(best, scores[i, c])
    return label, best


@njit(cache=True, nogil=True)
def reach_further(indptr: Ints, indices: Ints, weights: Floats, steps: Ints, step: int) -> int:
    """Mark the cells that receive from one marked below `step` for the first time; their number.

    `steps` is how far each cell is from the seeds, -1 where that is not known yet.
    """
    found = 0
    for i in range(len(steps)):
        if steps[i] >= 0:
            continue
        for p in range(indptr[i], indptr[i + 1]):
            if weights[p] > 0 and 0 <= steps[indices[p]] < step:
                steps[i] = step
                found += 1
                break
    return found
