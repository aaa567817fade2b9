"""Threads over kernels that release the interpreter lock: one pool, and one limit, for everyone."""

from __future__ import annotations

import os
from concurrent.futures import ThreadPoolExecutor, wait
from contextlib import contextmanager
from contextvars import ContextVar
from threading import Lock, Semaphore
from typing import TYPE_CHECKING, Any, TypeVar

import numba
import numpy as np

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Iterator
    from concurrent.futures import Future

    from numpy.typing import NDArray

_T = TypeVar("_T")
_R = TypeVar("_R")

_N_BLOCKS = 64
# turns that each thread takes: few enough to call, enough to end together
_TURNS = 4
# below this many weights a second thread costs more than it does
_WORTH_SHARING = 100_000
# seconds that others have to begin before the calling thread does something else
_PATIENCE = 0.001

_limit: ContextVar[int | None] = ContextVar("scanpy_anim_threads", default=None)
_pool: ThreadPoolExecutor | None = None
_opening = Lock()


def thread_count() -> int:
    """How many threads work: numba's, on the processors this process may use, unless limited."""
    limit = _limit.get()
    return limit if limit is not None else min(_numba_threads(), _processors())


@contextmanager
def limit_threads(count: int | None) -> Iterator[None]:
    """Work with `count` threads inside the block (None: no other limit than there was).

    Results are the same for any number.
    """
    token = _limit.set(_limit.get() if count is None else count)
    try:
        yield
    finally:
        _limit.reset(token)


def spread(
    work: Callable[[_T], _R],
    parts: Iterable[_T],
    meanwhile: Callable[[], None] | None = None,
) -> list[_R]:
    """Call `work` once for each part and return the results in the order of the parts.

    The calling thread takes its turns too, and waits for nobody who has not begun: calls from
    several threads at once, or from inside `work`, cannot hold each other up.

    Parameters
    ----------
    work, parts
        What is done, and what with.
    meanwhile
        Called before by the calling thread, the others at work already: they then have kernels
        to do, for which they do not need the interpreter.
    """
    parts = list(parts)
    n_threads = min(thread_count(), len(parts) + (meanwhile is not None))
    if n_threads < 2:
        if meanwhile is not None:
            meanwhile()
        return [work(part) for part in parts]
    results: list[Any] = [None] * len(parts)
    following = iter(list(enumerate(parts)))
    at_work = Semaphore(0)

    def take_turns() -> None:
        # what `work` itself would share out stays on its thread
        with limit_threads(1):
            try:
                for i, part in following:
                    at_work.release()
                    results[i] = work(part)
            except BaseException:
                _exhaust(following)
                raise

    helpers = _ask_for_help(take_turns, n_threads - 1)
    try:
        if meanwhile is not None:
            for _ in helpers:
                at_work.acquire(timeout=_PATIENCE)  # else they wait for the interpreter
            _first(meanwhile, following)
        take_turns()
    finally:
        begun = [helper for helper in helpers if not helper.cancel()]
        wait(begun)
    for helper in begun:
        helper.result()
    return results


class RowBlocks:
    """Rows of a sparse matrix cut into blocks of about equal work, for kernels to go through.

    The cut does not depend on the number of threads: what a kernel sums up a block at a time has
    the same bits for any number.
    """

    def __init__(self, indptr: NDArray[np.integer], n_blocks: int = _N_BLOCKS) -> None:
        self.bounds = _cut(indptr, n_blocks)
        self._worth_sharing = bool(indptr[-1] >= _WORTH_SHARING)

    def run(self, kernel: Callable[..., None], *arguments: Any) -> None:
        """Call `kernel(first, last, bounds, *arguments)` until all blocks have been gone through.

        Without a limit, little work is done by one thread.
        """
        n_blocks = len(self.bounds) - 1
        n_threads = thread_count() if self._worth_sharing or _limit.get() is not None else 1
        at_once = max(1, n_blocks // (_TURNS * n_threads)) if n_threads > 1 else n_blocks

        def go_through(first: int) -> None:
            kernel(first, min(first + at_once, n_blocks), self.bounds, *arguments)

        spread(go_through, range(0, n_blocks, at_once))


def _cut(indptr: NDArray[np.integer], n_blocks: int) -> NDArray[np.int64]:
    shares = int(indptr[-1]) * np.arange(n_blocks + 1, dtype=np.int64) // n_blocks
    # in the type of indptr, or the whole of it is converted to search in it
    bounds = np.searchsorted(indptr, shares.astype(indptr.dtype)).astype(np.int64)
    bounds[-1] = len(indptr) - 1
    return bounds


def _numba_threads() -> int:
    """Read numba's number of threads without starting numba's threads, which are not used."""
    try:
        numba.threading_layer()  # type: ignore[attr-defined]
    except ValueError:
        # not started, so that nobody has set another number
        return int(numba.config.NUMBA_NUM_THREADS)  # type: ignore[attr-defined]
    return int(numba.get_num_threads())


def _processors() -> int:
    if hasattr(os, "sched_getaffinity"):
        return max(1, len(os.sched_getaffinity(0)))
    return os.cpu_count() or 1


def _ask_for_help(work: Callable[[], None], n_helpers: int) -> list[Future[None]]:
    """Submit the work so many times; not at all where no thread can be started."""
    helpers: list[Future[None]] = []
    try:
        for _ in range(n_helpers):
            helpers.append(_executor().submit(work))  # noqa: PERF401
    except RuntimeError:
        # the interpreter is shutting down, or the system allows no more threads
        pass
    return helpers


def _executor() -> ThreadPoolExecutor:
    global _pool
    with _opening:
        if _pool is None:
            _pool = ThreadPoolExecutor(max(1, _processors() - 1), thread_name_prefix="scanpy_anim")
        return _pool


def _first(errand: Callable[[], None], following: Iterator[Any]) -> None:
    try:
        errand()
    except BaseException:
        _exhaust(following)
        raise


def _exhaust(iterator: Iterator[Any]) -> None:
    for _ in iterator:
        pass


def _forget_pool() -> None:
    """Start anew in a forked child, which has none of its parent's threads."""
    global _pool, _opening
    _pool, _opening = None, Lock()


if hasattr(os, "register_at_fork"):
    os.register_at_fork(after_in_child=_forget_pool)
