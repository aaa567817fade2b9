"""Threads over kernels that release the interpreter lock."""

from __future__ import annotations

import os
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager
from contextvars import ContextVar
from typing import TYPE_CHECKING, TypeVar

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Iterator

_T = TypeVar("_T")
_R = TypeVar("_R")

_limit: ContextVar[int | None] = ContextVar("raster_threads", default=None)
_pool: ThreadPoolExecutor | None = None


def thread_count() -> int:
    """How many threads draw: the processors this process may use, unless limited."""
    limit = _limit.get()
    return limit if limit is not None else _processors()


@contextmanager
def limit_threads(count: int) -> Iterator[None]:
    """Draw with `count` threads inside the block. Pictures are the same for any number."""
    token = _limit.set(count)
    try:
        yield
    finally:
        _limit.reset(token)


def spread(work: Callable[[_T], _R], parts: Iterable[_T]) -> list[_R]:
    """Call `work` once for each part and return the results in the order of the parts."""
    parts = list(parts)
    if thread_count() == 1 or len(parts) < 2:
        return [work(part) for part in parts]
    return list(_executor().map(work, parts))


def _processors() -> int:
    wanted = os.environ.get("NUMBA_NUM_THREADS")
    allowed = len(os.sched_getaffinity(0)) if hasattr(os, "sched_getaffinity") else os.cpu_count()
    return max(1, min(int(wanted), allowed or 1) if wanted else allowed or 1)


def _executor() -> ThreadPoolExecutor:
    global _pool
    if _pool is None:
        _pool = ThreadPoolExecutor(_processors(), thread_name_prefix="raster")
    return _pool


def _forget_pool() -> None:
    """Start anew in a forked child, which has none of its parent's threads."""
    global _pool
    _pool = None


if hasattr(os, "register_at_fork"):
    os.register_at_fork(after_in_child=_forget_pool)
