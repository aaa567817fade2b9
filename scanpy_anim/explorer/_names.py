"""Names of cells: barcodes in two bits a base, all others as text."""

from __future__ import annotations

import json
from typing import TYPE_CHECKING, Any, NamedTuple

import numpy as np
from numba import njit

from scanpy_anim.explorer._coordinates import byte_planes

if TYPE_CHECKING:
    from collections.abc import Sequence

    from numpy.typing import NDArray

#: Bytes of names, deflated, that a page holds without being asked to.
MOST_NAMES = 1_000_000
_MOST_FORMS = 1 << 16
_FEWEST_BASES, _MOST_LETTERS = 8, 128  # of a barcode; of a name that holds one
_NO_BASE = 4
_CODES = np.full(256, _NO_BASE, np.uint8)
_CODES[list(b"ACGT")] = range(4)


class Texts(NamedTuple):
    """A text for each cell, what a page has to know to read it, and it deflated, if it was."""

    header: dict[str, Any]
    content: bytes
    packed: str | None = None


def pack_names(names: Sequence[str], order: NDArray[np.intp] | None = None) -> Texts:
    """Pack names, those at some positions if `order` is given, as barcodes where all hold one."""
    found = _barcodes(names, order)
    if found is not None:
        return found
    return pack_texts(names if order is None else [names[i] for i in order.tolist()])


def _barcodes(names: Sequence[str], order: NDArray[np.intp] | None) -> Texts | None:
    """Pack names that hold a run of bases each; `None`: one has none, or they are no shorter."""
    lengths = list(map(len, names))
    width = max(lengths, default=0)
    if not _FEWEST_BASES <= width <= _MOST_LETTERS:
        return None
    try:
        letters = np.array(names, f"S{width}").view(np.uint8).reshape(len(names), width)
    except UnicodeEncodeError:
        return None
    if np.count_nonzero(letters) < sum(lengths):  # "\0" is no letter at the end of such a text
        return None
    if order is not None:
        letters = letters[order]
    factors = np.random.default_rng(0).integers(1, 1 << 63, width + 1, np.uint64)
    first, last, sums, bases = _runs(letters, factors)
    _, examples, numbers = np.unique(sums, return_index=True, return_inverse=True)
    n_forms = len(examples)
    if n_forms > min(_MOST_FORMS, max(256, len(letters) / 4)):
        return None  # what stands around the bases tells cells apart, too
    alike = _are_alike(letters, first, last, examples[numbers])
    if not alike or (last - first < _FEWEST_BASES).any():
        return None
    forms = [
        [_text(letters[i, : first[i]]), int(last[i] - first[i]), _text(letters[i, last[i] :])]
        for i in examples
    ]
    wide = n_forms > 256
    header = {"kind": "barcodes", "forms": forms, "wide": int(wide)}
    around = byte_planes(numbers.astype(np.uint16 if wide else np.uint8))
    return Texts(header, around + _two_bits(bases))


def _text(letters: NDArray[np.uint8]) -> str:
    return letters.tobytes().rstrip(b"\0").decode("ascii")


@njit(nogil=True, cache=True, error_model="numpy")
def _runs(
    letters: NDArray[np.uint8], factors: NDArray[np.uint64]
) -> tuple[NDArray[np.int64], NDArray[np.int64], NDArray[np.uint64], NDArray[np.uint8]]:
    """Return the ends of each row's first long run of bases, a sum of what is around, the bases."""
    n, width = letters.shape
    first, last = np.zeros(n, np.int64), np.zeros(n, np.int64)
    sums, bases, count = np.zeros(n, np.uint64), np.empty(n * width, np.uint8), 0
    for i in range(n):
        start = 0
        for k in range(width + 1):
            if k < width and _CODES[letters[i, k]] < _NO_BASE:
                continue
            if k - start >= _FEWEST_BASES:
                first[i], last[i] = start, k
                break
            start = k + 1
        sums[i] = factors[width] * np.uint64(last[i] - first[i])
        for k in range(width):
            if first[i] <= k < last[i]:
                bases[count] = _CODES[letters[i, k]]
                count += 1
            else:
                sums[i] += factors[k] * np.uint64(letters[i, k])
    return first, last, sums, bases[:count]


@njit(nogil=True, cache=True, error_model="numpy")
def _are_alike(
    letters: NDArray[np.uint8],
    first: NDArray[np.int64],
    last: NDArray[np.int64],
    examples: NDArray[np.int64],
) -> bool:
    """Whether each row and its example are the same but for the bases."""
    for i in range(len(letters)):
        e = examples[i]
        if first[i] != first[e] or last[i] != last[e]:
            return False
        for k in range(letters.shape[1]):
            if not first[i] <= k < last[i] and letters[i, k] != letters[e, k]:
                return False
    return True


def _two_bits(codes: NDArray[np.uint8]) -> bytes:
    """Return four bases a byte, the first one in the highest bits."""
    codes = np.pad(codes, (0, -len(codes) % 4)).reshape(-1, 4)
    return (codes[:, 0] << 6 | codes[:, 1] << 4 | codes[:, 2] << 2 | codes[:, 3]).tobytes()


def pack_texts(texts: Sequence[str]) -> Texts:
    """Pack any texts, lone surrogates among them, as JSON."""
    return Texts({"kind": "text"}, json.dumps(list(texts), separators=(",", ":")).encode("ascii"))


def pack_numbers(numbers: Sequence[float]) -> Texts:
    """Pack numbers, NaN where there is none."""
    return Texts({"kind": "numbers"}, byte_planes(np.asarray(numbers, np.float32)))


def pack_categories(codes: Sequence[int], names: Sequence[str]) -> Texts:
    """Pack codes into a list of names, -1 where there is none."""
    wide = len(names) > 255
    shifted = (np.asarray(codes) + 1).astype(np.uint16 if wide else np.uint8)
    header = {"kind": "categories", "names": list(names), "wide": int(wide)}
    return Texts(header, byte_planes(shifted))
