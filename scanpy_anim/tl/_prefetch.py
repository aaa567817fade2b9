"""Telling the processor which memory will be needed soon.

Rows that lie far apart are not foreseen by the processor, which then waits for each of them. numba
has no word for telling it, so that it is said in LLVM's own language.
"""

from __future__ import annotations

from typing import Any

import numpy as np
from llvmlite import ir
from numba import njit, types
from numba.core import cgutils
from numba.extending import intrinsic

U = np.uint64
# entries of four bytes in a line of the cache
LINE = U(16)
_INT = ir.IntType(32)
_POINTER = ir.IntType(8).as_pointer()


def prefetch(builder: Any, place: Any, *, to_write: bool, once: bool = False) -> None:
    """Write the instruction that brings what lies at `place` into the cache.

    What is needed `once` shall not drive out what is there.
    """
    kind = ir.FunctionType(ir.VoidType(), [_POINTER, _INT, _INT, _INT])
    function = cgutils.get_or_insert_function(builder.module, kind, "llvm.prefetch.p0i8")
    # how long to keep it; data rather than instructions
    how = [_INT(int(to_write)), _INT(0 if once else 3), _INT(1)]
    builder.call(function, [builder.bitcast(place, _POINTER), *how])


def _expecting(*, to_write: bool, once: bool = False) -> Any:
    """Intrinsic that brings the entry at a place of an array, counted from its start."""

    @intrinsic
    def expect(typing, array, place):  # type: ignore[no-untyped-def]
        def generate(context: Any, builder: Any, signature: Any, values: Any) -> Any:
            entries = context.make_array(signature.args[0])(context, builder, values[0]).data
            place = builder.gep(entries, [values[1]])
            prefetch(builder, place, to_write=to_write, once=once)
            return context.get_dummy_value()

        return types.void(array, place), generate

    return expect


expect_entry = _expecting(to_write=False)
_expect_once = _expecting(to_write=False, once=True)
_expect_to_write = _expecting(to_write=True)
# entries of the graph that are fetched before their turn comes
_AHEAD = U(16) * LINE


@njit(cache=True, nogil=True)
def expect_neighbors(indices: Any, weights: Any, p: Any) -> None:
    """Bring the two lines of the graph that lie far ahead of entry `p`, to be read once.

    The signal, which is read from again and again, stays in the cache. Fetching beyond the end of
    an array does nothing.
    """
    for line in (p + _AHEAD, p + _AHEAD + LINE):
        _expect_once(indices, line)
        _expect_once(weights, line)


@njit(cache=True, nogil=True)
def expect_row(history: Any, row: Any, slot: Any) -> None:
    """Bring ``history[row, slot]`` into the cache, soon to be written."""
    width = U(history.shape[2])
    start = (row * U(history.shape[1]) + slot) * width
    c = U(0)
    while c < width:
        _expect_to_write(history, start + c)
        c += LINE
    _expect_to_write(history, start + width - U(1))
