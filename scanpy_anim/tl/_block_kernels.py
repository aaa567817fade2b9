"""Compiled loops over the rows of one block: a look, what lies around a product, paths.

As in `_step_kernels`; the products themselves are those of that module.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np
from numba import njit

if TYPE_CHECKING:
    from scanpy_anim._arrays import Bools, Floats, Int, Ints

U = np.uint64


@njit(cache=True, nogil=True, fastmath={"contract", "reassoc"})
def finish_rows(
    scores: Floats,
    before: Floats,
    gain: Floats,
    scale: Floats,
    seeds: Ints,
    signal: Floats,
    restart: Floats,
    found: Bools,
    labels: Ints,
    best: Floats,
) -> tuple[float, float, float]:
    """From `A G` to `scale * F`, in place; `|F - F_old|^2`, `|F|^2` and the least row reached.

    `before` is `G`; `labels` and `best` are filled unless they are empty. A row is as large as its
    largest entry.
    """
    change, total, least, seed = 0.0, 0.0, np.inf, 0
    for i in range(len(scores)):
        own = gain[i]
        for c in range(scores.shape[1]):
            scores[i, c] *= own
        if seed < len(seeds) and seeds[seed] == i:
            for c in range(scores.shape[1]):
                scores[i, c] += restart[c] * signal[seed, c]
            seed += 1
        label, highest, largest = -1, np.float32(0), np.float32(0)
        for c in range(scores.shape[1]):
            value = scores[i, c]
            label = c if value > highest else label
            highest = max(highest, value)
            difference = np.float64(value) - np.float64(before[i, c] / scale[i])
            change += difference * difference
            total += np.float64(value) * np.float64(value)
            scores[i, c] = value * scale[i]
            largest = max(largest, abs(scores[i, c]))
        if len(labels):
            labels[i], best[i] = label, highest
        if found[i]:
            least = min(least, np.float64(largest))
    return change, total, least


@njit(cache=True, nogil=True)
def look_rows(
    first: int, indptr: Ints, indices: Ints, data: Floats, bits: Ints, sums: Floats
) -> tuple[float, float, np.uint64]:
    """Sum up rows; smallest positive and largest weight, and what is to balance over all rows.

    Each weight above the diagonal adds a number made up of it and of its place, and the same one
    below the diagonal takes it away: nothing is left where the graph is its own transpose, however
    small the weights that differ.
    """
    smallest, largest, balance = np.inf, 0.0, U(0)
    for i in range(len(sums)):
        total, here = 0.0, U(first + i)
        for p in range(indptr[i], indptr[i + 1]):
            weight = data[p]
            total += weight
            if weight > 0:
                largest, smallest = max(largest, weight), min(smallest, weight)
                there = U(indices[p])
                if here < there:
                    balance += _mixed(_mixed((here << U(32)) ^ there) ^ bits[p])
                elif there < here:
                    balance -= _mixed(_mixed((there << U(32)) ^ here) ^ bits[p])
        sums[i] = total
    return smallest, largest, balance


@njit(cache=True, nogil=True)
def _mixed(x: np.uint64) -> np.uint64:
    """Make up a number from another (splitmix64: Steele, Lea and Flood 2014)."""
    x = (x + U(1)) * U(0x9E3779B97F4A7C15)
    x = (x ^ (x >> U(30))) * U(0xBF58476D1CE4E5B9)
    x = (x ^ (x >> U(27))) * U(0x94D049BB133111EB)
    return x ^ (x >> U(31))


@njit(cache=True, nogil=True)
def reach_rows(indptr: Ints, indices: Ints, data: Floats, reached: Bools, found: Bools) -> None:
    """Mark the rows that receive from a cell that is reached."""
    for i in range(len(found)):
        if found[i]:
            continue
        for p in range(indptr[i], indptr[i + 1]):
            if data[p] > 0 and reached[indices[p]]:
                found[i] = True
                break


@njit(cache=True, nogil=True)
def mark_columns(indices: Ints, marks: Ints, before: Ints) -> Int:
    """Mark the columns that occur, a bit each; how many bits lie before each word, and in all."""
    for p in range(len(indices)):
        column = U(indices[p])
        marks[column >> U(6)] |= U(1) << (column & U(63))
    n = U(0)
    for word in range(len(marks)):
        before[word] = n
        n += _count_bits(marks[word])
    return n


@njit(cache=True, nogil=True)
def send_rows(
    indices: Ints, data: Floats, marks: Ints, before: Ints, columns: Ints, sent: Floats
) -> None:
    """Add up what each marked column sends, in the order of the columns."""
    for p in range(len(data)):
        column = U(indices[p])
        word = column >> U(6)
        lower = (U(1) << (column & U(63))) - U(1)
        place = U(before[word]) + _count_bits(marks[word] & lower)
        columns[place] = column
        sent[place] += data[p]


@njit(cache=True, nogil=True)
def add_columns(columns: Ints, part: Floats, sent: Floats) -> None:
    for k in range(len(columns)):
        sent[columns[k]] += part[k]


@njit(inline="always")
def _count_bits(word: np.uint64) -> np.uint64:
    """How many bits are set (Warren, Hacker's Delight, 5-1)."""
    word -= (word >> U(1)) & U(0x5555555555555555)
    word = (word & U(0x3333333333333333)) + ((word >> U(2)) & U(0x3333333333333333))
    word = (word + (word >> U(4))) & U(0x0F0F0F0F0F0F0F0F)
    return (word * U(0x0101010101010101)) >> U(56)
