"""A progress bar over frames, when someone watches."""

from __future__ import annotations

import sys
from typing import TYPE_CHECKING

from ._setting import unwatched

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Iterator

    import numpy as np
    from numpy.typing import NDArray

SHORT = 1.0  # seconds without a bar


def watcher(
    title: str, total: int, progress: bool | None
) -> Callable[[Iterable[NDArray[np.uint8]]], Iterator[NDArray[np.uint8]]]:
    """Give what counts frames in a tqdm bar.

    Parameters
    ----------
    title
        Text in front of the bar.
    total
        Frames in a pass.
    progress
        True: a bar; False: none; None: one after a second, in a terminal or a notebook.
    """
    if progress is None:
        delay, progress = SHORT, sys.stderr.isatty() or "ipykernel" in sys.modules
    else:
        delay = 0.0
    if not progress:
        return unwatched

    def watch(frames: Iterable[NDArray[np.uint8]]) -> Iterator[NDArray[np.uint8]]:
        from tqdm import tqdm

        yield from tqdm(frames, title, total, unit="frame", delay=delay, leave=False)

    return watch
