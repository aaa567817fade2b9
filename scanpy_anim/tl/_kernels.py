"""One step of the recurrence, compiled: multiply, scale, restart, and measure the change.

Imported when a propagation runs, because it brings numba. The rows are cut into a fixed number of
blocks whose sums are added up in order, so that one thread and many give the same bits. The
kernels release the GIL and are called from ordinary Python threads (see ``_crew``): numba's own
threading layers are not all safe when several Python threads enter them.

``first_seeds`` says for each block which of the seeds is its first.

Everything unsigned, so that numba does not look for negative indices; ``contract`` lets a product
and a sum be one instruction.
"""

from __future__ import annotations

from typing import Any

import numpy as np
from numba import njit

from scanpy_anim.tl._columns import BLOCK
from scanpy_anim.tl._gather import LANES, add_neighbors, add_single
from scanpy_anim.tl._prefetch import expect_row

U = np.uint64
_BLOCK = U(BLOCK)
# rows in work at a time, well within a core's first cache
_ROWS = 2048
# cells whose row of the history is fetched before their turn comes
_AHEAD = U(8)


# the order of a block's sums is the compiler's, and the same for any number of threads
@njit(cache=True, nogil=True, fastmath={"contract", "reassoc"})
def step_vector(
    first: int,
    last: int,
    bounds: Any,
    indptr: Any,
    indices: Any,
    weights: Any,
    gain: Any,
    scale: Any,
    seeds: Any,
    first_seeds: Any,
    rows: Any,
    restart: Any,
    signal: Any,
    new: Any,
    history: Any,
    slot: int,
    sums: Any,
) -> None:
    """Compute ``new = scale * F`` of the next iteration for the blocks from `first` up to `last`.

    `sums` receives, a row a block, ``|F - F_old|^2``, ``|F|^2`` and the number of zeros; F goes to
    column `slot` of the history (see ``_columns``) when `slot` is not negative.
    """
    sent = np.empty(_ROWS, dtype=np.float32)
    for block in range(first, last):
        change = 0.0
        total = 0.0
        unreached = 0
        seed = first_seeds[block]
        for start in range(bounds[block], bounds[block + 1], _ROWS):
            end = min(start + _ROWS, bounds[block + 1])
            # sums first, the rest afterwards: two tight loops are faster than a long one
            for i in range(U(start), U(end)):
                sent[i - U(start)] = add_single(
                    U(indptr[i]), U(indptr[i + U(1)]), indices, weights, signal
                )
            for i in range(U(start), U(end)):
                value = sent[i - U(start)] * gain[i]
                if seed < len(seeds) and U(seeds[seed]) == i:
                    value += restart[0] * rows[seed, 0]
                    seed += 1
                new[i] = value * scale[i]
                if slot >= 0:
                    history[i // _BLOCK, U(slot), i % _BLOCK] = value
                difference = np.float64(value) - np.float64(signal[i] / scale[i])
                change += difference * difference
                total += np.float64(value) * np.float64(value)
                unreached += value == np.float32(0)
        sums[block, 0] = change
        sums[block, 1] = total
        sums[block, 2] = unreached


@njit(cache=True, nogil=True, fastmath={"contract"})
def step_matrix(
    first: int,
    last: int,
    bounds: Any,
    indptr: Any,
    indices: Any,
    weights: Any,
    gain: Any,
    scale: Any,
    seeds: Any,
    first_seeds: Any,
    rows: Any,
    restart: Any,
    source: Any,
    target: Any,
    history: Any,
    slot: int,
    order: Any,
    labels: Any,
    sums: Any,
) -> None:
    """As :func:`step_vector` for several classes at once, and how many cells changed label.

    `source` and `target` are the signals, flat and padded (see ``_gather``). Cell ``i`` is row
    ``order[i]`` of the history, or row ``i`` when `order` is empty.
    """
    n_classes = U(rows.shape[1])
    row = np.empty(rows.shape[1] + LANES, dtype=np.float32)
    changes = np.empty(rows.shape[1])
    totals = np.empty(rows.shape[1])
    for block in range(first, last):
        for c in range(n_classes):
            changes[c] = 0
            totals[c] = 0
        unreached = 0
        flips = 0
        seed = first_seeds[block]
        for i in range(U(bounds[block]), U(bounds[block + 1])):
            add_neighbors(
                U(indptr[i]), U(indptr[i + U(1)]), indices, weights, source, n_classes, row
            )
            if slot >= 0:
                later = min(i + _AHEAD, U(len(gain)) - U(1))
                expect_row(history, U(order[later]) if len(order) else later, U(slot))
            factor = gain[i]
            for c in range(n_classes):
                row[c] *= factor
            if seed < len(seeds) and U(seeds[seed]) == i:
                for c in range(n_classes):
                    row[c] += restart[c] * rows[seed, c]
                seed += 1
            factor = scale[i]
            unscale = np.float32(1) / factor
            start = i * n_classes
            for c in range(n_classes):
                value = np.float64(row[c])
                difference = value - np.float64(source[start + c] * unscale)
                changes[c] += difference * difference
                totals[c] += value * value
                target[start + c] = row[c] * factor
            if slot >= 0:
                h = U(order[i]) if len(order) else i
                for c in range(n_classes):
                    history[h, U(slot), c] = row[c]
            label = -1
            best = np.float32(0)
            for c in range(rows.shape[1]):
                # no branch: which class is ahead is anyone's guess
                label = c if row[c] > best else label
                best = max(best, row[c])
            flips += label != labels[i]
            unreached += label < 0
            labels[i] = label
        change = 0.0
        total = 0.0
        for c in range(n_classes):
            change += changes[c]
            total += totals[c]
        sums[block, 0] = change
        sums[block, 1] = total
        sums[block, 2] = unreached
        sums[block, 3] = flips


@njit(cache=True, nogil=True)
def decide_rows(
    first: int,
    last: int,
    bounds: Any,
    signal: Any,
    weights: Any,
    order: Any,
    codes: Any,
    confidence: Any,
    slot: int,
) -> None:
    """Best class of each row of `signal` and its share; -1 and 0 without any.

    Cell ``i`` is row ``order[i]`` of the columns, or row ``i`` when `order` is empty.
    """
    for block in range(first, last):
        for i in range(bounds[block], bounds[block + 1]):
            label = -1
            best = 0.0
            total = 0.0
            for c in range(signal.shape[1]):
                value = signal[i, c] * weights[c]
                total += value
                if value > best:
                    best = value
                    label = c
            h = order[i] if len(order) else i
            codes[h // BLOCK, slot, h % BLOCK] = label
            confidence[h // BLOCK, slot, h % BLOCK] = best / total if label >= 0 else 0.0


@njit(cache=True, nogil=True, fastmath={"contract", "reassoc"})
def receive(
    first: int, last: int, bounds: Any, indptr: Any, indices: Any, weights: Any, sent: Any, out: Any
) -> None:
    """``out = A sent``, in float64."""
    for i in range(U(bounds[first]), U(bounds[last])):
        total = 0.0
        for p in range(U(indptr[i]), U(indptr[i + U(1)])):
            total += weights[p] * sent[U(indices[p])]
        out[i] = total


@njit(cache=True, nogil=True, fastmath={"reassoc"})
def add_rows(first: int, last: int, bounds: Any, indptr: Any, weights: Any, out: Any) -> None:
    """Sum of each row's weights, in float64."""
    for i in range(U(bounds[first]), U(bounds[last])):
        total = 0.0
        for p in range(U(indptr[i]), U(indptr[i + U(1)])):
            total += weights[p]
        out[i] = total


@njit(cache=True, nogil=True, fastmath={"contract"})
def send(
    first: int, last: int, bounds: Any, indptr: Any, indices: Any, weights: Any, held: Any, out: Any
) -> None:
    """``out[block] += A^T held`` of the rows of each block, in float64."""
    for block in range(first, last):
        for i in range(U(bounds[block]), U(bounds[block + 1])):
            for p in range(U(indptr[i]), U(indptr[i + U(1)])):
                out[block, U(indices[p])] += weights[p] * held[i]
