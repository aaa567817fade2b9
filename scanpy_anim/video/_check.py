"""Everything that can be known to fail, before any work starts."""

from __future__ import annotations

import errno
import io
import math
import os
import stat
from pathlib import Path
from typing import IO, TYPE_CHECKING

from scanpy_anim._checks import is_number
from scanpy_anim.video._film import check_metadata
from scanpy_anim.video._fit_size import as_bytes
from scanpy_anim.video._formats import FORMATS
from scanpy_anim.video._targets import TARGETS

if TYPE_CHECKING:
    from collections.abc import Mapping

    from scanpy_anim.video._options import Format

_MOST_FPS = 1000
_KINDS = {
    stat.S_IFIFO: "a named pipe",
    stat.S_IFCHR: "a device",
    stat.S_IFBLK: "a device",
    stat.S_IFSOCK: "a socket",
}


def check(
    path: str | os.PathLike[str] | IO[bytes],
    *,
    format: str | None = None,
    loop: int = 0,
    quality: float | None = None,
    max_bytes: float | str | None = None,
    target: str | None = None,
    seconds: float | None = None,
    frames: int | None = None,
    fps: float | None = None,
    hold: float | None = None,
    size: tuple[int, int] | None = None,
    metadata: Mapping[str, object] | None = None,
) -> None:
    """Raise now what `write` would raise later.

    Parameters
    ----------
    path
        The file to be, its suffix and its folder; or a file opened for writing in binary.
    format, loop, quality, max_bytes, target
        As for `write`.
    seconds, frames
        How long the film lasts and how many frames it has, if that is known already.
    fps, hold
        Frames a second and seconds of the last frame, for callers that build durations of them.
    size
        Width and height of the frames, if that is known already.
    metadata
        What the file is to say of itself, for callers that build a film of it.

    Raises
    ------
    ValueError
        Unknown suffix or target, a number that is out of range, or frames too large for the
        format.
    TypeError
        Something that is neither a path nor a file opened for writing, or metadata without names.
    FileNotFoundError, NotADirectoryError, IsADirectoryError, PermissionError, OSError
        No such folder, or nothing can be written there.
    RuntimeError
        The installed PyAV or Pillow lacks the encoder.

    Examples
    --------
    >>> from scanpy_anim.video import check
    >>> check("film.doc")  # doctest: +ELLIPSIS
    Traceback (most recent call last):
        ...
    ValueError: unknown suffix '.doc' of filename 'film.doc': use one of .gif, .mp4, ...
    """
    if is_file(path):
        _check_file(path)
    else:
        _check_path(path)
    chosen = format_of(path, format)
    check_encoder(chosen)
    check_numbers(loop=loop, quality=quality)
    _check_times(chosen, fps, hold)
    check_metadata(metadata)
    if size is not None:
        chosen.check_size(*size)
    if max_bytes is not None:
        as_bytes(max_bytes)
    if target is not None:
        _check_target(target, chosen.suffix, seconds, frames)


def is_file(path: object) -> bool:
    """Whether this is a file object rather than the name of a file."""
    return not isinstance(path, str | os.PathLike) and hasattr(path, "write")


def format_of(path: str | os.PathLike[str] | IO[bytes], format: str | None = None) -> Format:
    """Look up the format: the one named, or that of the suffix."""
    known = ", ".join(FORMATS)
    if format is not None:
        if not isinstance(format, str) or (suffix := _suffixed(format)) not in FORMATS:
            raise ValueError(f"unknown format {format!r}: use one of {known}")
        return FORMATS[suffix]
    name = getattr(path, "name", "") if is_file(path) else os.fspath(path)  # type: ignore[arg-type]
    suffix = Path(name).suffix.lower() if isinstance(name, str) else ""
    if suffix in FORMATS:
        return FORMATS[suffix]
    if is_file(path):
        raise ValueError(f"a file object does not say its format: give format=, one of {known}")
    what = f"unknown suffix {suffix!r} of" if suffix else "no suffix in"
    raise ValueError(f"{what} filename {name!r}: use one of {known}")


def _suffixed(format: str) -> str:
    return "." + format.lower().removeprefix(".")


def _check_file(file: object) -> None:
    """See that a file object takes bytes."""
    if isinstance(file, io.TextIOBase):
        raise TypeError(f"filename is a text file, {file!r}: open it in binary, with mode 'wb'")
    if getattr(file, "closed", False):
        raise ValueError(f"filename is a closed file: {file!r}")
    writable = getattr(file, "writable", None)
    if writable is not None and not writable():
        raise ValueError(f"filename is not open for writing: {file!r}")


def _check_path(path: object) -> None:
    """See that a file can be put there."""
    if not isinstance(path, str | os.PathLike) or not isinstance(os.fspath(path), str):
        raise TypeError(
            f"filename must be a path, or a file opened with mode 'wb' beside format=, not {path!r}"
        )
    name = os.fspath(path)
    if not name or "\0" in name:
        raise ValueError(
            f"filename must be the name of a file, without null characters, not {name!r}"
        )
    place = Path(name)
    mode = _mode(place)
    if mode is None:
        _check_folder(place)
    elif stat.S_ISDIR(mode):
        raise IsADirectoryError(f"filename {name} is a folder: add the name of a file")
    elif not stat.S_ISREG(mode):
        kind = _KINDS.get(stat.S_IFMT(mode), "no regular file")
        raise OSError(
            f"{name} is {kind}, which cannot be replaced by a film: "
            "save to a file, or open it with mode 'wb' and give the file and format="
        )
    else:
        _check_folder(place)
        # without any right to write it is protected from everyone, whatever root may do
        if not stat.S_IMODE(mode) & 0o222 or not os.access(place, os.W_OK):
            raise PermissionError(f"{name} is write-protected: choose another name, or unlock it")


def _mode(path: Path) -> int | None:
    """Look up type and permissions of what is there, through links; None if there is nothing."""
    try:
        return path.stat().st_mode
    except (FileNotFoundError, NotADirectoryError):
        return None
    except PermissionError:
        raise PermissionError(f"nobody may look into the folder of {path}") from None
    except OSError as error:
        if error.errno == errno.ELOOP:
            raise OSError(
                error.errno, f"{path} is a symbolic link that leads in a circle"
            ) from None
        if error.errno == errno.ENAMETOOLONG:
            raise OSError(error.errno, f"the file name is too long: {path.name!r}") from None
        raise


def _check_folder(path: Path) -> None:
    """See that the folder exists and can be written to."""
    folder = path.resolve().parent if path.is_symlink() else path.absolute().parent
    if not folder.exists():
        raise FileNotFoundError(f"there is no folder {folder}: create it first")
    if not folder.is_dir():
        raise NotADirectoryError(f"{folder} is not a folder")
    if not os.access(folder, os.W_OK | os.X_OK):
        raise PermissionError(
            f"the folder {folder} is not writable: {path.name} cannot be put there"
        )


def _check_target(target: str, suffix: str, seconds: float | None, frames: int | None) -> None:
    """See that a site takes films of this format and length."""
    if not isinstance(target, str) or target not in TARGETS:
        raise ValueError(f"unknown target {target!r}: use one of {', '.join(TARGETS)}")
    site = TARGETS[target]
    if suffix not in site.max_bytes:
        known = ", ".join(site.max_bytes)
        raise ValueError(f"target {target!r} ({site.title}) takes {known}, not {suffix}")
    shortest, longest = site.seconds
    if seconds is not None and not shortest <= seconds <= longest:
        raise ValueError(
            f"target {target!r} ({site.title}) takes films of {shortest:g} to {longest:g} "
            f"seconds, this one lasts {seconds:.4g}: change fps or hold"
        )
    most = site.max_frames.get(suffix, math.inf)
    if frames is not None and frames > most:
        raise ValueError(
            f"target {target!r} ({site.title}) takes {suffix} films of {most} frames at most, "
            f"this one has {frames}: show fewer, or save as {next(iter(site.max_bytes))}"
        )


def check_encoder(format: Format) -> None:
    """See that the installed libraries can write the format."""
    if format.missing():
        raise RuntimeError(
            f"the installed {format.library} cannot write {format.suffix}: it has no "
            f"{format.encoder} encoder. Save as {format.instead} instead, or install "
            f"{format.library} from PyPI (pip install --force-reinstall "
            f"{'av' if format.library == 'PyAV' else 'pillow'})"
        )


def check_numbers(*, loop: int, quality: float | None) -> None:
    """See that loop and quality are in range."""
    if not (is_number(loop) and 0 <= loop < 65_536 and loop == int(loop)):
        raise ValueError(f"loop must be 0 (for ever) or how often to play, not {loop!r}")
    if quality is not None and not (is_number(quality) and 0 <= quality <= 100):
        raise ValueError(f"quality must be between 0 and 100 (usual: 80), not {quality!r}")


def _check_times(format: Format, fps: float | None, hold: float | None) -> None:
    """See that frames are shown for a time that the format can store."""
    for name, number in (("fps", fps), ("hold", hold)):
        if number is not None and not (is_number(number) and 0 < number < math.inf):
            raise ValueError(f"{name} must be a positive number, not {number!r}")
    longest = format.max_seconds
    if fps is not None and not 1 / longest <= fps <= _MOST_FPS:
        raise ValueError(
            f"fps must be between {1 / longest:.2g} and {_MOST_FPS:,}, not {fps!r}: {format.title} "
            f"shows a frame for {longest:,.6g} seconds at most, and {format.max_fps:.3g} frames "
            "a second"
        )
    if hold is not None and hold > longest:
        raise ValueError(
            f"hold must be {longest:,.6g} seconds at most, not {hold!r}: {format.title} shows no "
            "frame for longer"
        )


def check_durations(format: Format, durations: tuple[float, ...]) -> None:
    """See that no frame is shown for longer than the format can store."""
    if (most := max(durations)) > format.max_seconds:
        raise ValueError(
            f"durations must be {format.max_seconds:,.6g} seconds at most for {format.title}, but "
            f"durations[{durations.index(most)}] is {most:,.6g}: change fps or hold"
        )
