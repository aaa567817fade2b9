"""What becomes of functions that numba compiles once and keeps in files."""

from __future__ import annotations

from contextlib import contextmanager
from pathlib import Path
from typing import TYPE_CHECKING

import numba

if TYPE_CHECKING:
    from collections.abc import Iterator

_CACHING = Path("numba", "core", "caching.py").parts


@contextmanager
def kept_functions() -> Iterator[None]:
    """Say in one sentence what is wrong where numba cannot read or write its compiled functions.

    Raises
    ------
    RuntimeError
        If its cache is full, damaged or not writable: names the folder and the remedy.
    """
    try:
        yield
    except Exception as error:
        if not _comes_from_cache(error):
            raise
        folder = numba.config.CACHE_DIR or f"{Path(__file__).parent} (its __pycache__ folders)"  # type: ignore[attr-defined]
        raise RuntimeError(
            f"numba's cache of compiled functions in {folder} is full, damaged or not writable "
            f"({type(error).__name__}: {error}): delete its .nbi and .nbc files, or set the "
            "environment variable NUMBA_CACHE_DIR to another folder with room, and start Python "
            "anew"
        ) from error


def _comes_from_cache(error: BaseException) -> bool:
    """Whether an error was raised where numba reads and writes compiled functions."""
    step = error.__traceback__
    while step is not None:
        if Path(step.tb_frame.f_code.co_filename).parts[-3:] == _CACHING:
            return True
        step = step.tb_next
    return False
