"""The growing history against a plain stack of its columns."""

from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from scanpy_anim._threads import limit_threads
from scanpy_anim.tl._history import _BLOCK, Columns


@settings(max_examples=60, deadline=None)
@given(
    n_obs=st.sampled_from([1, 2, _BLOCK - 1, _BLOCK, _BLOCK + 1, 5 * _BLOCK, 1000]),
    width=st.sampled_from([(), (2,), (5,)]),
    expected=st.integers(1, 12),
    n_columns=st.integers(1, 30),
    seed=st.integers(0, 100),
)
def test_columns_come_back_side_by_side(
    n_obs: int, width: tuple[int, ...], expected: int, n_columns: int, seed: int
) -> None:
    random = np.random.default_rng(seed)
    columns = Columns(n_obs, width, np.float32, expected=expected, most=30)
    wanted = []
    for t in range(n_columns):
        if t % 3:
            column = random.random((n_obs, *width), dtype=np.float32)
            columns.put(column)
        else:
            rows = np.unique(random.integers(n_obs, size=min(n_obs, 4)))
            column = np.full((n_obs, *width), -1, dtype=np.float32)
            column[rows] = random.random((len(rows), *width), dtype=np.float32)
            columns.put_rows(rows, column[rows], elsewhere=-1)
        wanted.append(column)
    found = columns.finish()
    assert found.flags.c_contiguous
    np.testing.assert_array_equal(found, np.stack(wanted, axis=1))


@pytest.mark.parametrize("width", [(), (3,)])
def test_room_that_was_not_needed_is_given_back(width: tuple[int, ...]) -> None:
    columns = Columns(10_000, width, np.float32, expected=16, most=100)
    columns.put(np.ones((10_000, *width), dtype=np.float32))
    found = columns.finish()
    owner = found
    while owner.base is not None:
        owner = owner.base
    assert owner.nbytes < 2 * found.nbytes


def test_blocks_turned_on_several_threads_are_the_same() -> None:
    n_obs = 40 * _BLOCK
    random = np.random.default_rng(0)
    wanted = [random.random(n_obs, dtype=np.float32) for _ in range(12)]
    for n_threads in (1, 3):
        columns = Columns(n_obs, (), np.float32, expected=12, most=12)
        for column in wanted:
            columns.put(column)
        with limit_threads(n_threads):
            found = columns.finish()
        np.testing.assert_array_equal(found, np.stack(wanted, axis=1))
