"""Sums of neighbours' rows, many classes at a time, held in the processor's vector registers.

numba compiles a loop over a few classes through memory: for each neighbour the sums are loaded,
added to and stored. This one loop is what a propagation of several classes spends its time on, so
it is written in LLVM's own language, where a vector of sums stays where it is. LLVM cuts the
vectors to what the processor has.
"""

from __future__ import annotations

from math import prod
from typing import Any

import numpy as np
from llvmlite import ir
from numba import njit, types
from numba.core import cgutils
from numba.extending import intrinsic

from scanpy_anim.tl._prefetch import expect_neighbors, prefetch

U = np.uint64
# classes read at a time, at the most
LANES = 16
# neighbours whose rows are fetched before their turn comes
_AHEAD = 12
_WORD, _INT = ir.IntType(64), ir.IntType(32)


@njit(cache=True, nogil=True)
def add_neighbors(
    start: Any, end: Any, indices: Any, weights: Any, source: Any, width: Any, row: Any
) -> None:
    """``row[c] = sum_p weights[p] * source[indices[p] * width + c]``, `p` from `start` to `end`.

    Rows are read, and `row` written, up to ``LANES - 1`` entries over their end: `source` comes
    from :func:`padded`, and `row` has so many entries more.
    """
    c = U(0)
    while c + U(8) < width:
        _add_16(start, end, indices, weights, source, width, c, row)
        c += U(16)
    if c + U(4) < width:
        _add_8(start, end, indices, weights, source, width, c, row)
        c += U(8)
    if c < width:
        _add_4(start, end, indices, weights, source, width, c, row)


# the order of the sum is the compiler's, so that it can keep many gathers in flight; it depends on
# nothing but the length of the row
@njit(cache=True, nogil=True, fastmath={"contract", "reassoc"})
def add_single(start: Any, end: Any, indices: Any, weights: Any, source: Any) -> Any:
    """As :func:`add_neighbors` for one class: the sum."""
    expect_neighbors(indices, weights, start)
    total = source.dtype.type(0)
    for p in range(start, end):
        total += weights[p] * source[U(indices[p])]
    return total


def padded(shape: tuple[int, ...], dtype: Any) -> Any:
    """Zeros that may be read ``LANES`` entries over their end."""
    size = prod(shape)
    return np.zeros(size + LANES, dtype=dtype)[:size].reshape(shape)


def _adding(lanes: int) -> Any:
    """Intrinsic that adds up `lanes` classes from `column` on."""

    @intrinsic
    def add(  # type: ignore[no-untyped-def]
        typing, start, end, indices, weights, source, width, column, row
    ):
        signature = types.void(start, end, indices, weights, source, width, column, row)

        def generate(context: Any, builder: Any, signature: Any, values: Any) -> Any:
            _Loop(context, builder, signature.args, values, lanes).write()
            return context.get_dummy_value()

        return signature, generate

    return add


class _Loop:
    """Writes the loop: two vectors of sums, of the even and the odd neighbours."""

    def __init__(self, context: Any, builder: Any, kinds: Any, values: Any, lanes: int) -> None:
        self.builder = builder
        self.start, self.end, self.width, self.column = (values[i] for i in (0, 1, 5, 6))
        arrays = [context.make_array(kinds[i])(context, builder, values[i]) for i in (2, 3, 4, 7)]
        self.indices, self.weights, self.source, self.row = (array.data for array in arrays)
        self.last = builder.sub(arrays[0].nitems, _WORD(1))
        self.number = context.get_value_type(kinds[4].dtype)
        self.vector = ir.VectorType(self.number, lanes)
        self.alignment = context.get_abi_sizeof(self.number)
        self.lanes = lanes

    def write(self) -> None:
        builder = self.builder
        sums = [cgutils.alloca_once(builder, self.vector) for _ in range(2)]
        for half in sums:
            builder.store(ir.Constant(self.vector, [0.0] * self.lanes), half)
        at = cgutils.alloca_once_value(builder, self.start)
        pairs, pair, rest, single, done = (
            builder.append_basic_block(name) for name in ("pairs", "pair", "rest", "single", "done")
        )
        builder.branch(pairs)
        builder.position_at_end(pairs)
        p = builder.load(at)
        after = builder.add(p, _WORD(2))
        builder.cbranch(builder.icmp_unsigned("<=", after, self.end), pair, rest)
        builder.position_at_end(pair)
        self._add(sums[0], p)
        self._add(sums[1], builder.add(p, _WORD(1)))
        builder.store(after, at)
        builder.branch(pairs)
        builder.position_at_end(rest)
        builder.cbranch(builder.icmp_unsigned("<", p, self.end), single, done)
        builder.position_at_end(single)
        self._add(sums[0], p)
        builder.branch(done)
        builder.position_at_end(done)
        total = builder.fadd(*(builder.load(half) for half in sums))
        self._store(total, builder.gep(self.row, [self.column]))

    def _add(self, sums: Any, p: Any) -> None:
        """Add neighbour `p`'s row, times its weight, to `sums`."""
        builder = self.builder
        weight = builder.load(builder.gep(self.weights, [p]))
        if weight.type != self.number:
            weight = builder.fpext(weight, self.number)
        everywhere = ir.Constant(ir.VectorType(_INT, self.lanes), [0] * self.lanes)
        one = builder.insert_element(ir.Constant(self.vector, ir.Undefined), weight, _INT(0))
        spread = builder.shuffle_vector(one, one, everywhere)
        if self.lanes >= 8:
            self._fetch(builder.add(p, _WORD(_AHEAD)))
        row = builder.load(builder.bitcast(self._place(p), self.vector.as_pointer()))
        row.align = self.alignment
        product = builder.fmul(spread, row, flags=["contract"])
        builder.store(builder.fadd(builder.load(sums), product, flags=["contract"]), sums)

    def _place(self, p: Any) -> Any:
        """Where the row of neighbour `p` lies."""
        builder = self.builder
        neighbor = builder.load(builder.gep(self.indices, [p]))
        if neighbor.type != _WORD:
            neighbor = builder.zext(neighbor, _WORD)
        place = builder.add(builder.mul(neighbor, self.width), self.column)
        return builder.gep(self.source, [place])

    def _fetch(self, p: Any) -> None:
        """Bring both ends of a row that comes later into the cache."""
        builder = self.builder
        exists = builder.icmp_unsigned("<", p, self.last)
        place = self._place(builder.select(exists, p, self.last))
        for end in (place, builder.gep(place, [_WORD(self.lanes - 1)])):
            prefetch(builder, end, to_write=False)

    def _store(self, total: Any, place: Any) -> None:
        store = self.builder.store(total, self.builder.bitcast(place, self.vector.as_pointer()))
        store.align = self.alignment


_add_4, _add_8, _add_16 = (_adding(lanes) for lanes in (4, 8, 16))
