"""Files that appear complete or not at all."""

from __future__ import annotations

import errno
import os
import re
import stat
import tempfile
import time
from contextlib import contextmanager, suppress
from hashlib import sha256
from pathlib import Path
from typing import IO, TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Iterator

_STEM_BYTES = 64
_ABANDONED = 24 * 3600.0  # seconds without a byte
_LOST = (errno.ENOSPC, errno.EDQUOT, errno.EIO, errno.EFBIG)  # the content did not arrive
_BLOCK = 1 << 20


@contextmanager
def replacing(path: Path) -> Iterator[Path]:
    """Give a neighbour of `path` to write to; on success it takes the place of `path`.

    On any exception, Ctrl-C included, the neighbour is removed and `path` is as it was. A
    killed process leaves the neighbour behind (its name starts with a dot), but no half file
    under the name asked for; the next one to write there removes it once it is a day old. A link
    keeps pointing to where it points.

    Parameters
    ----------
    path
        The file to be.

    Yields
    ------
    An empty file in the same folder, with the same suffix.
    """
    path = path.resolve()
    _remove_abandoned(path)
    try:
        handle, name = tempfile.mkstemp(
            prefix=_prefix(path), suffix=f".part{path.suffix}", dir=path.parent
        )
    except OSError as error:  # by the name that was asked for, not by the draft's
        raise OSError(error.errno, error.strerror, str(path)) from None
    os.close(handle)
    draft = Path(name)
    try:
        yield draft
        with suppress(OSError):  # network mounts may know no permissions
            draft.chmod(_mode(path))
        _to_disk(draft)
        draft.replace(path)
    except BaseException as error:
        with suppress(OSError):
            draft.unlink()
        if isinstance(error, OSError):
            error.add_note(f"while writing {path}: nothing was changed there")
        raise


@contextmanager
def copied_to(file: IO[bytes]) -> Iterator[Path]:
    """Give a temporary file to write to; on success its content goes into an open file.

    Until then nothing is written there.

    Parameters
    ----------
    file
        Opened for writing in binary.

    Yields
    ------
    An empty file in the folder for temporary files.
    """
    with tempfile.TemporaryDirectory(prefix="scanpy-anim-") as folder:
        draft = Path(folder) / "film.part"
        draft.touch()
        yield draft
        with draft.open("rb") as content:
            while block := content.read(_BLOCK):
                rest = memoryview(block)
                while rest:  # files without a buffer may take less than they are given
                    written = file.write(rest)
                    rest = rest[len(rest) if written is None else written :]


def _prefix(path: Path) -> str:
    """Begin the name of a draft as that of its target, in few enough bytes for any folder."""
    stem = os.fsencode(path.stem)
    if len(stem) <= _STEM_BYTES:
        return f".{path.stem}."
    short = stem[:_STEM_BYTES].decode("utf-8", "ignore")
    return f".{short}-{sha256(stem).hexdigest()[:8]}."


def _remove_abandoned(path: Path) -> None:
    """Remove the drafts of this target that processes left behind when they were killed."""
    pattern = re.compile(
        re.escape(_prefix(path)) + "[a-z0-9_]{8}" + re.escape(f".part{path.suffix}")
    )
    old = time.time() - _ABANDONED
    with suppress(OSError), os.scandir(path.parent) as entries:
        for entry in entries:
            if pattern.fullmatch(entry.name) and entry.is_file(follow_symlinks=False):
                with suppress(OSError):
                    if entry.stat(follow_symlinks=False).st_mtime < old:
                        Path(entry.path).unlink()


def _mode(path: Path) -> int:
    """Permissions that the file has, or that a new one would get."""
    if path.exists():
        return stat.S_IMODE(path.stat().st_mode)
    mask = os.umask(0)
    os.umask(mask)
    return 0o666 & ~mask


def _to_disk(path: Path) -> None:
    """Have the content on the disk before the name points to it, where the folder can do so."""
    try:
        with path.open("rb+") as file:
            os.fsync(file.fileno())
    except OSError as error:
        if error.errno in _LOST:
            raise
