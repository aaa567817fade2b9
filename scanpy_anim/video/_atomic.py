"""Files that appear complete or not at all."""

from __future__ import annotations

import os
import stat
import tempfile
from contextlib import contextmanager, suppress
from pathlib import Path
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Iterator


@contextmanager
def replacing(path: Path) -> Iterator[Path]:
    """Give a neighbour of ``path`` to write to; on success it takes the place of ``path``.

    On any exception, Ctrl-C included, the neighbour is removed and ``path`` is as it was. A
    killed process leaves the neighbour behind (its name starts with a dot), but no half file
    under the name asked for. A link keeps pointing to where it points.

    Parameters
    ----------
    path
        The file to be.

    Yields
    ------
    An empty file in the same folder, with the same suffix.
    """
    path = path.resolve()
    handle, name = tempfile.mkstemp(
        prefix=f".{path.stem[:64]}.", suffix=f".part{path.suffix}", dir=path.parent
    )
    os.close(handle)
    draft = Path(name)
    try:
        yield draft
        draft.chmod(_mode(path))
        _to_disk(draft)
        draft.replace(path)
    except BaseException as error:
        with suppress(FileNotFoundError):
            draft.unlink()
        if isinstance(error, OSError):
            error.add_note(f"while writing {path}: nothing was changed there")
        raise


def _mode(path: Path) -> int:
    """Permissions that the file has, or that a new one would get."""
    if path.exists():
        return stat.S_IMODE(path.stat().st_mode)
    mask = os.umask(0)
    os.umask(mask)
    return 0o666 & ~mask


def _to_disk(path: Path) -> None:
    """Have the content on the disk before the name points to it."""
    with path.open("rb+") as file:
        os.fsync(file.fileno())
