"""Sharing out: everything done once, in order, whoever asks and whatever goes wrong."""

from __future__ import annotations

import os
import subprocess
import sys
import threading
import time

import numpy as np
import pytest

from scanpy_anim._threads import RowBlocks, limit_threads, spread, thread_count


@pytest.mark.parametrize("count", [1, 2, 3, 8])
def test_results_come_in_the_order_of_the_parts(count: int) -> None:
    def late(part: int) -> int:
        time.sleep(0.002 * (part % 3))
        return part**2

    with limit_threads(count):
        assert spread(late, range(20)) == [part**2 for part in range(20)]
    assert spread(late, []) == []


@pytest.mark.parametrize("count", [1, 2, 3])
@pytest.mark.parametrize("parts", [0, 1, 2, 20])
def test_an_errand_is_run_once_by_the_caller_before_its_own_turns(count: int, parts: int) -> None:
    ran: list[int] = []
    took: list[int] = []

    def errand() -> None:
        assert threading.get_ident() not in took
        ran.append(threading.get_ident())

    def turn(part: int) -> int:
        took.append(threading.get_ident())
        return part

    with limit_threads(count):
        assert spread(turn, range(parts), errand) == list(range(parts))
    assert ran == [threading.get_ident()]


def test_an_error_of_the_errand_ends_the_work() -> None:
    def fail() -> None:
        raise ValueError("the errand")

    done: list[int] = []
    with limit_threads(2), pytest.raises(ValueError, match="the errand"):
        spread(lambda part: (time.sleep(0.01), done.append(part)), range(100), fail)
    assert len(done) < 100


def test_work_that_shares_out_work_comes_to_an_end() -> None:
    def outer(part: int) -> int:
        assert thread_count() == 1
        return sum(spread(lambda inner: part * inner, range(10)))

    with limit_threads(4):
        assert spread(outer, range(50)) == [45 * part for part in range(50)]
        assert thread_count() == 4


def test_many_callers_at_once() -> None:
    found: dict[int, list[int]] = {}

    def call(number: int) -> None:
        with limit_threads(3):
            found[number] = spread(lambda part: number * part, range(40))

    callers = [threading.Thread(target=call, args=(number,)) for number in range(12)]
    for caller in callers:
        caller.start()
    for caller in callers:
        caller.join(timeout=30)
    assert found == {number: [number * part for part in range(40)] for number in range(12)}


def test_an_error_reaches_the_caller_and_ends_the_work() -> None:
    done: list[int] = []

    def fail(part: int) -> None:
        if part == 5:
            raise ValueError("the fifth")
        time.sleep(0.001)
        done.append(part)

    with limit_threads(2):
        with pytest.raises(ValueError, match="the fifth"):
            spread(fail, range(1000))
        assert len(done) < 500
        assert spread(abs, [-1, -2, -3]) == [1, 2, 3]


def test_limits_nest_and_end() -> None:
    before = thread_count()
    with limit_threads(5):
        with limit_threads(None):
            assert thread_count() == 5
        with limit_threads(2):
            assert thread_count() == 2
        assert thread_count() == 5
    assert thread_count() == before


@pytest.mark.parametrize("n_threads", [1, 2, 3, 200])
@pytest.mark.parametrize("n_rows", [0, 1, 5, 300])
def test_every_row_is_gone_through_once(n_rows: int, n_threads: int) -> None:
    random = np.random.default_rng(0)
    indptr = np.r_[0, np.cumsum(random.integers(4, size=n_rows))].astype(np.int32)
    times = np.zeros(n_rows, dtype=int)

    def kernel(first: int, last: int, bounds: np.ndarray, times: np.ndarray) -> None:
        for block in range(first, last):
            times[bounds[block] : bounds[block + 1]] += 1

    with limit_threads(n_threads):
        RowBlocks(indptr).run(kernel, times)
    assert (times == 1).all()


def told(code: str, **environment: str) -> str:
    """What a fresh interpreter prints."""
    outcome = subprocess.run(
        [sys.executable, "-W", "ignore", "-c", code],
        env=os.environ | environment,
        capture_output=True,
        text=True,
        check=True,
        timeout=120,
    )
    return outcome.stdout.strip()


COUNT = "from scanpy_anim._threads import thread_count; "


def test_numbas_number_of_threads_holds() -> None:
    assert told(COUNT + "print(thread_count())", NUMBA_NUM_THREADS="1") == "1"
    code = "import numba; numba.set_num_threads(1); " + COUNT + "print(thread_count())"
    assert told(code) == "1"


@pytest.mark.skipif(not hasattr(os, "sched_setaffinity"), reason="Linux only")
def test_processors_of_the_process_hold() -> None:
    code = COUNT + "import os; os.sched_setaffinity(0, {min(os.sched_getaffinity(0))}); "
    assert told(code + "print(thread_count())") == "1"


def test_numbas_threads_are_neither_started_nor_needed() -> None:
    code = COUNT + (
        "import numba, numpy as np; from scanpy_anim.tl import propagate; "
        "propagate(np.ones((4, 4)), np.eye(4)[0], n_threads=2); thread_count()\n"
        "try: print(numba.threading_layer())\n"
        "except ValueError: print('not started')"
    )
    assert told(code, NUMBA_THREADING_LAYER="tbb") == "not started"


@pytest.mark.skipif(not hasattr(os, "fork"), reason="no fork here")
def test_a_forked_child_has_threads_of_its_own() -> None:
    code = (
        "import os; from scanpy_anim._threads import limit_threads, spread\n"
        "with limit_threads(3):\n"
        "    spread(abs, range(9)); child = os.fork()\n"
        "    found = spread(abs, range(-9, 0))\n"
        "    if child: print(os.waitstatus_to_exitcode(os.waitpid(child, 0)[1]))\n"
        "    else: os._exit(found != list(range(9, 0, -1)))"
    )
    assert told(code) == "0"
