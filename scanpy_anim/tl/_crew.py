"""Threads that share out the blocks of a kernel."""

from __future__ import annotations

from concurrent.futures import ThreadPoolExecutor
from itertools import count
from typing import TYPE_CHECKING, Any, Self

import numpy as np

if TYPE_CHECKING:
    from collections.abc import Callable

    from numpy.typing import NDArray

N_BLOCKS = 64
# turns that each thread takes: few enough to call, enough to end together
_TURNS = 4
# below this many weights a second thread costs more than it does
_WORTH_SHARING = 100_000


class Crew:
    """Runs ``kernel(first, last, bounds, ...)`` over all blocks, on as many threads as numba has.

    Which thread takes which block changes nothing in the result.
    """

    def __init__(
        self, indptr: NDArray[Any], n_threads: int | None = None, n_blocks: int = N_BLOCKS
    ) -> None:
        self.bounds = _cut(indptr, n_blocks)
        if n_threads is None:
            from numba import get_num_threads

            n_threads = get_num_threads() if indptr[-1] >= _WORTH_SHARING else 1
        self.n_threads = n_threads
        self._pool = ThreadPoolExecutor(n_threads - 1) if n_threads > 1 else None

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_: object) -> None:
        if self._pool is not None:
            self._pool.shutdown()

    def run(self, kernel: Callable[..., None], *arguments: Any) -> None:
        """Let everyone take the next blocks until none is left."""
        n_blocks = len(self.bounds) - 1
        if self._pool is None:
            kernel(0, n_blocks, self.bounds, *arguments)
            return
        at_once = max(1, n_blocks // (_TURNS * self.n_threads))
        following = count(0, at_once)

        def work() -> None:
            while (first := next(following)) < n_blocks:
                kernel(first, min(first + at_once, n_blocks), self.bounds, *arguments)

        others = [self._pool.submit(work) for _ in range(self.n_threads - 1)]
        work()
        for other in others:
            other.result()


def _cut(indptr: NDArray[Any], n_blocks: int) -> NDArray[np.int64]:
    """Rows cut into blocks of about equal work, the same cut for any number of threads."""
    shares = int(indptr[-1]) * np.arange(n_blocks + 1, dtype=np.int64) // n_blocks
    # in the type of indptr, or the whole of it is converted to search in it
    bounds = np.searchsorted(indptr, shares.astype(indptr.dtype)).astype(np.int64)
    bounds[-1] = len(indptr) - 1
    return bounds
