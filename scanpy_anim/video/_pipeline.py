"""Work that another thread does, in order, while this one prepares what comes next."""

from __future__ import annotations

from contextlib import contextmanager, suppress
from contextvars import copy_context
from queue import SimpleQueue
from threading import Semaphore, Thread
from typing import TYPE_CHECKING, Generic, TypeVar

from scanpy_anim._threads import thread_count

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator

_T = TypeVar("_T")
_AHEAD = 2  # not done yet: memory does not grow with what is handed over


@contextmanager
def handed_over(work: Callable[[_T], None]) -> Iterator[Callable[[_T], None]]:
    """Give a function that has `work` done by another thread, in the order of the calls.

    All is done once the block is over. What `work` raises is raised by a later call or at the end
    of the block; after that, or where the block itself raises, no more is begun. Where one thread
    is all there is, it does the work at once.
    """
    worker = _Worker(work) if thread_count() > 1 else None
    try:
        if worker is None or not worker.start():
            yield work
        else:
            yield worker.take
            worker.finish()
    finally:
        if worker is not None:
            worker.stop()


class _Worker(Generic[_T]):
    """A thread, and what waits for it."""

    def __init__(self, work: Callable[[_T], None]) -> None:
        self._work = work
        self._waiting: SimpleQueue[tuple[_T] | None] = SimpleQueue()
        self._room = Semaphore(_AHEAD)
        self._error: BaseException | None = None
        self._stopped = False
        run = copy_context().run  # limits of the caller hold
        self._thread = Thread(target=run, args=(self._do,), name="scanpy_anim encoder")

    def start(self) -> bool:
        """Begin to wait for work, if the system allows one more thread."""
        try:
            self._thread.start()
        except RuntimeError:
            return False
        return True

    def take(self, item: _T) -> None:
        """Hand something over, as soon as there is room."""
        self._room.acquire()
        self._raise_error()
        self._waiting.put((item,))

    def finish(self) -> None:
        """Wait until all is done."""
        self._waiting.put(None)
        self._thread.join()
        self._raise_error()

    def stop(self) -> None:
        """Wait for no more than what is being done: it uses what the caller is about to close."""
        self._stopped = True
        self._waiting.put(None)
        while self._thread.is_alive():
            with suppress(KeyboardInterrupt):  # a second one: the first is being raised
                self._thread.join()

    def _do(self) -> None:
        while (item := self._waiting.get()) is not None:
            if not self._stopped:
                try:
                    self._work(*item)
                except BaseException as error:
                    self._error, self._stopped = error, True
            self._room.release()

    def _raise_error(self) -> None:
        if self._error is not None:
            raise self._error
