"""Work that another thread does, in order, while the caller prepares what comes next."""

from __future__ import annotations

from threading import Event, Thread, current_thread
from typing import TYPE_CHECKING

import pytest

from scanpy_anim._threads import limit_threads, thread_count
from scanpy_anim.video import Film, write
from scanpy_anim.video._pipeline import handed_over

if TYPE_CHECKING:
    from pathlib import Path


@pytest.mark.parametrize("threads", [1, 2])
def test_work_is_done_in_order_and_over_with_the_block(threads: int) -> None:
    done: list[int] = []
    with limit_threads(threads), handed_over(done.append) as take:
        for i in range(100):
            take(i)
    assert done == list(range(100))


def test_another_thread_does_it_under_the_caller_s_limit() -> None:
    met: list[tuple[Thread, int]] = []

    def work(_: None) -> None:
        met.append((current_thread(), thread_count()))

    with limit_threads(3), handed_over(work) as take:
        take(None)
    ((thread, count),) = met
    assert thread is not current_thread()
    assert not thread.is_alive()
    assert count == 3


def test_a_single_thread_does_it_itself_at_once() -> None:
    met: list[Thread] = []
    with limit_threads(1), handed_over(lambda _: met.append(current_thread())) as take:
        take(None)
        assert met == [current_thread()]


def test_where_no_thread_can_be_started_the_caller_does_it(monkeypatch) -> None:
    def refuse(self: Thread) -> None:
        raise RuntimeError("can't start new thread")

    monkeypatch.setattr(Thread, "start", refuse)
    met: list[Thread] = []
    with limit_threads(2), handed_over(lambda _: met.append(current_thread())) as take:
        take(None)
    assert met == [current_thread()]


def test_an_interrupt_while_the_thread_begins_leaves_none_behind(monkeypatch) -> None:
    """One that waits for ever would keep Python from ending."""
    begun: list[Thread] = []
    start = Thread.start

    def interrupted(self: Thread) -> None:
        start(self)
        begun.append(self)
        raise KeyboardInterrupt

    monkeypatch.setattr(Thread, "start", interrupted)
    with limit_threads(2), pytest.raises(KeyboardInterrupt), handed_over(print):
        pass
    (thread,) = begun
    thread.join(timeout=10)
    assert not thread.is_alive()


def test_the_caller_waits_for_what_is_not_done() -> None:
    """However slow the work is, no more than two pieces wait or are at work."""
    begun, most = 0, 0
    resting = Event()

    def work(i: int) -> None:
        nonlocal most
        resting.wait(0.01)
        most = max(most, begun - i)

    with limit_threads(2), handed_over(work) as take:
        for i in range(20):
            begun = i
            take(i)
    assert most <= 2  # the one at work, the next, and the caller with the one after it


def test_an_error_of_the_work_is_raised_and_ends_it() -> None:
    done: list[int] = []

    def work(i: int) -> None:
        if i == 3:
            raise ZeroDivisionError("frame 3")
        done.append(i)

    def hand_over_many() -> None:
        with limit_threads(2), handed_over(work) as take:
            for i in range(1000):
                take(i)

    with pytest.raises(ZeroDivisionError, match="frame 3"):
        hand_over_many()
    assert done == [0, 1, 2]


def test_an_error_of_the_last_piece_is_raised_too() -> None:
    with (
        pytest.raises(ZeroDivisionError),
        limit_threads(2),
        handed_over(lambda i: 1 // i) as take,
    ):
        take(0)


@pytest.mark.parametrize("error", [ZeroDivisionError, KeyboardInterrupt])
def test_nothing_is_at_work_after_an_error_of_the_caller(error: type[BaseException]) -> None:
    """What the work uses may be closed then."""
    at_work, go_on = Event(), Event()
    done: list[int] = []
    workers: list[Thread] = []

    def work(i: int) -> None:
        workers.append(current_thread())
        at_work.set()
        go_on.wait()
        done.append(i)

    def fail_meanwhile() -> None:
        with limit_threads(2), handed_over(work) as take:
            take(0)
            take(1)
            at_work.wait()
            go_on.set()
            raise error

    with pytest.raises(error):
        fail_meanwhile()
    assert not any(worker.is_alive() for worker in workers)
    assert done in ([0], [0, 1])


@pytest.mark.parametrize("suffix", [".mp4", ".mov", ".webm", ".html"])
def test_files_are_the_same_for_any_number_of_threads(
    tmp_path: Path, film: Film, suffix: str
) -> None:
    files = []
    for threads in (1, 2, 3):
        with limit_threads(threads):
            write(film, tmp_path / f"film{threads}{suffix}")
        files.append((tmp_path / f"film{threads}{suffix}").read_bytes())
    assert files[0] == files[1] == files[2]
