"""Tasks on the blocks of a graph, run by whatever Dask scheduler the user has set.

One task a block, and a graph of tasks that is as large in the last iteration as in the first. With
threads, tasks see the one vector there is, and put what they find where it belongs; on a cluster
it is scattered, workers have it from each other, and what comes back is put in place as it comes.
"""

from __future__ import annotations

import sys
from dataclasses import dataclass
from functools import partial
from importlib import util
from typing import TYPE_CHECKING, Any, Protocol

from scanpy import logging as logg

from scanpy_anim._threads import limit_threads

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator, Sequence

_PACKAGE = __package__.partition(".")[0]
# times that what a lost worker held is scattered anew
_ATTEMPTS = 4


@dataclass(frozen=True, slots=True, eq=False)
class _Block:
    """Rows of a graph, and how their chunks are had.

    Attributes
    ----------
    rows
        Which rows.
    starts
        First row of each chunk.
    keys, tasks
        Dask's own recipe of each chunk, as far as it is needed.
    held
        What of it a cluster holds already: futures by their key.
    """

    rows: slice
    starts: Sequence[int]
    keys: Sequence[Any]
    tasks: dict[Any, Any]
    held: dict[Any, Any]

    def chunks(self, held: Sequence[Any] = ()) -> Iterator[tuple[int, Any]]:
        """First row and chunk, one after the other; `held` are the values of what is held."""
        from dask.local import get_sync
        from dask.optimization import cull

        known = {**self.tasks, **dict(zip(self.held, held, strict=True))}
        for start, key in zip(self.starts, self.keys, strict=True):
            yield start, get_sync(cull(known, [key])[0], key)

    def bare(self) -> _Block:
        """Without futures, which travel beside it."""
        return _Block(self.rows, self.starts, self.keys, self.tasks, dict.fromkeys(self.held))


class _Scheduler(Protocol):
    """Runs work on all blocks."""

    def run(
        self,
        work: Callable[..., Any],
        blocks: Sequence[_Block],
        shared: tuple[Any, ...],
        each: Callable[[slice], tuple[Any, ...]],
        sink: Callable[[slice, Any], None],
    ) -> None:
        """Call `work(chunks, rows, *shared, *each(rows))`, and `sink(rows, outcome)` with it."""


class _Local:
    """Threads, processes or neither, of this machine."""

    def __init__(self, get: Callable[..., Any]) -> None:
        import dask.local
        import dask.threaded

        self._get = get
        self._sees_memory = get in (dask.threaded.get, dask.local.get_sync)

    def run(
        self,
        work: Callable[..., Any],
        blocks: Sequence[_Block],
        shared: tuple[Any, ...],
        each: Callable[[slice], tuple[Any, ...]],
        sink: Callable[[slice, Any], None],
    ) -> None:
        """Call `work(chunks, rows, *shared, *each(rows))`, and `sink(rows, outcome)` with it."""
        outcome = partial(_deliver, sink) if self._sees_memory else _perform
        tasks = {
            ("block", i): (partial(outcome, work, block, (), shared, each(block.rows)),)
            for i, block in enumerate(blocks)
        }
        found = self._get(tasks, list(tasks))
        if not self._sees_memory:
            for block, part in zip(blocks, found, strict=True):
                sink(block.rows, part)


class _Cluster:
    """Workers of a `distributed.Client`."""

    def __init__(self, client: Any) -> None:
        self._client = client
        self._require_package()

    def run(
        self,
        work: Callable[..., Any],
        blocks: Sequence[_Block],
        shared: tuple[Any, ...],
        each: Callable[[slice], tuple[Any, ...]],
        sink: Callable[[slice, Any], None],
    ) -> None:
        """Call `work(chunks, rows, *shared, *each(rows))`, and `sink(rows, outcome)` with it.

        A task whose worker is lost is done again by another, which Dask sees to; what was
        scattered may be lost with the last worker that had it, and is then scattered anew.
        """
        from concurrent.futures import CancelledError

        left = dict(enumerate(blocks))
        for attempt in range(1, _ATTEMPTS + 1):
            self._require_running()
            try:
                self._attempt(work, left, shared, each, sink)
            except (CancelledError, OSError, TimeoutError) as error:
                self._require_running(error)
                if attempt == _ATTEMPTS:
                    raise RuntimeError(
                        f"workers of {self._client} were lost {_ATTEMPTS} times with "
                        f"{len(left)} blocks left to do: see the memory limit of the workers"
                    ) from error
                logg.warning(f"lost a worker: {len(left)} blocks are done again")
            else:
                return

    def _attempt(
        self,
        work: Callable[..., Any],
        left: dict[int, _Block],
        shared: tuple[Any, ...],
        each: Callable[[slice], tuple[Any, ...]],
        sink: Callable[[slice, Any], None],
    ) -> None:
        """Do what is left, and strike off what is done."""
        from distributed import KilledWorker, as_completed

        client = self._client
        futures: dict[Any, int] = {}
        try:
            # to one worker, from which others have it when they need it: to wait until all have it
            # is to wait for those that are lost
            sent = client.scatter([shared], hash=False)
            for i, block in left.items():
                how = (work, block.bare(), list(block.held.values()), *sent, each(block.rows))
                futures[client.submit(_perform, *how, pure=False)] = i
            for future, part in as_completed(futures, with_results=True):
                sink(left.pop(futures[future]).rows, part)
                future.release()
        except KilledWorker as error:
            raise RuntimeError(
                f"a block of the graph ended worker after worker ({error}): give workers more "
                "memory, or read the graph in chunks of fewer rows"
            ) from error
        finally:
            if client.status == "running":
                client.cancel(list(futures))

    def _require_running(self, cause: BaseException | None = None) -> None:
        if self._client.status != "running":
            raise RuntimeError(
                f"the Dask client is {self._client.status}, its scheduler went away: connect "
                "again (`client = distributed.Client(...)`). Nothing was written"
            ) from cause

    def _require_package(self) -> None:
        """Name workers that cannot import the package, which tasks are made of."""
        self._require_running()
        found = self._client.run(util.find_spec, _PACKAGE, on_error="return")
        without = [worker for worker, spec in found.items() if getattr(spec, "name", 0) != _PACKAGE]
        if without:
            raise RuntimeError(
                f"workers without {_PACKAGE}: {', '.join(sorted(without)[:5])}"
                f"{f' and {len(without) - 5} more' if len(without) > 5 else ''}. Install it where "
                "they run, in the version that is here"
            )


def _perform(
    work: Callable[..., Any],
    block: _Block,
    held: Sequence[Any],
    shared: tuple[Any, ...],
    own: tuple[Any, ...],
) -> Any:
    """Work on one block, on one thread: Dask has as many blocks in work as there are."""
    with limit_threads(1):
        return work(block.chunks(held), block.rows, *shared, *own)


def _deliver(
    sink: Callable[[slice, Any], None], work: Callable[..., Any], block: _Block, *how: Any
) -> None:
    sink(block.rows, _perform(work, block, *how))


def choose_scheduler() -> _Scheduler:
    """Take the scheduler that Dask itself would: what is set, the client that there is, threads."""
    import dask.base
    import dask.threaded

    get = dask.base.get_scheduler() or dask.threaded.get
    client = getattr(get, "__self__", None)
    distributed = sys.modules.get("distributed")
    if distributed is not None and isinstance(client, distributed.Client):
        return _Cluster(client)
    return _Local(get)


def blocks_of(array: Any, fewest_rows: int) -> list[_Block]:
    """Chunks of rows, several a block where they have few rows."""
    from dask.optimization import cull

    tasks = dict(array.__dask_graph__())
    sizes = array.chunks[0]
    blocks: list[_Block] = []
    first, row, start, starts = 0, 0, 0, []
    for k, size in enumerate(sizes):
        starts.append(row)
        row += size
        if row - start >= fewest_rows or k == len(sizes) - 1:
            keys = [(array.name, i, 0) for i in range(first, k + 1)]
            needed = cull(tasks, keys)[0]
            held = {
                key: getattr(task, "value", task)
                for key, task in needed.items()
                if _is_future(task)
            }
            needed = {key: task for key, task in needed.items() if key not in held}
            blocks.append(_Block(slice(start, row), starts, keys, dict(needed), held))
            first, start, starts = k + 1, row, []
    return blocks


def _is_future(task: Any) -> bool:
    distributed = sys.modules.get("distributed")
    return distributed is not None and isinstance(getattr(task, "value", task), distributed.Future)
