"""One step of the recurrence, compiled: multiply, scale, restart, and measure the change.

Imported when a propagation runs, because it brings numba. The rows are cut into a fixed number of
blocks, whose sums are added up in order: one thread and many give the same bits. The kernels
release the GIL and are called from ordinary Python threads, as numba's own threading layers are
not all safe when several Python threads enter them.
"""

from __future__ import annotations

from typing import Any

import numpy as np
from numba import njit

N_BLOCKS = 64


@njit(cache=True, nogil=True)
def step_vector(
    indptr: Any,
    indices: Any,
    weights: Any,
    gain: Any,
    scale: Any,
    seeds: Any,
    restart: Any,
    signal: Any,
    new: Any,
    history: Any,
    slot: int,
    bounds: Any,
    worker: int,
    n_workers: int,
    sums: Any,
) -> None:
    for block in range(worker, len(bounds) - 1, n_workers):
        change = 0.0
        total = 0.0
        unreached = 0
        seed = np.searchsorted(seeds, bounds[block])
        for i in range(bounds[block], bounds[block + 1]):
            value = np.float32(0)
            for p in range(indptr[i], indptr[i + 1]):
                value += weights[p] * signal[indices[p]]
            value *= gain[i]
            if seed < len(seeds) and seeds[seed] == i:
                value += restart[seed]
                seed += 1
            new[i] = value * scale[i]
            if slot >= 0:
                history[i, slot] = value
            difference = np.float64(value) - np.float64(signal[i] / scale[i])
            change += difference * difference
            total += np.float64(value) * np.float64(value)
            unreached += value == 0
        sums[block, 0] = change
        sums[block, 1] = total
        sums[block, 2] = unreached


@njit(cache=True, nogil=True)
def step_matrix(
    indptr: Any,
    indices: Any,
    weights: Any,
    gain: Any,
    scale: Any,
    seeds: Any,
    restart: Any,
    signal: Any,
    new: Any,
    history: Any,
    slot: int,
    labels: Any,
    bounds: Any,
    worker: int,
    n_workers: int,
    sums: Any,
) -> None:
    n_classes = signal.shape[1]
    for block in range(worker, len(bounds) - 1, n_workers):
        change = 0.0
        total = 0.0
        unreached = 0
        flips = 0
        seed = np.searchsorted(seeds, bounds[block])
        for i in range(bounds[block], bounds[block + 1]):
            row = new[i]
            row[:] = np.float32(0)
            for p in range(indptr[i], indptr[i + 1]):
                weight = weights[p]
                source = signal[indices[p]]
                for c in range(n_classes):
                    row[c] += weight * source[c]
            for c in range(n_classes):
                row[c] *= gain[i]
            if seed < len(seeds) and seeds[seed] == i:
                for c in range(n_classes):
                    row[c] += restart[seed, c]
                seed += 1
            if slot >= 0:
                for c in range(n_classes):
                    history[i, slot, c] = row[c]
            label = -1
            best = np.float32(0)
            unscale = np.float32(1) / scale[i]
            for c in range(n_classes):
                value = row[c]
                if value > best:
                    best = value
                    label = c
                difference = np.float64(value) - np.float64(signal[i, c] * unscale)
                change += difference * difference
                total += np.float64(value) * np.float64(value)
                row[c] = value * scale[i]
            flips += label != labels[i]
            unreached += label < 0
            labels[i] = label
        sums[block, 0] = change
        sums[block, 1] = total
        sums[block, 2] = unreached
        sums[block, 3] = flips
