"""Everything that can be known to fail, before any work starts."""

from __future__ import annotations

import math
import os
from pathlib import Path
from typing import TYPE_CHECKING

from ._budget import as_bytes
from ._formats import FORMATS
from ._setting import is_number
from ._targets import TARGETS

if TYPE_CHECKING:
    from ._formats import Format


def check(
    path: str | os.PathLike[str],
    *,
    loop: int = 0,
    quality: float | None = None,
    max_bytes: float | str | None = None,
    target: str | None = None,
    seconds: float | None = None,
    frames: int | None = None,
    fps: float | None = None,
    hold: float | None = None,
) -> None:
    """Raise now what :func:`write` would raise later.

    Parameters
    ----------
    path
        The file to be: its suffix and its folder.
    loop, quality, max_bytes, target
        As for :func:`write`.
    seconds, frames
        How long the film lasts and how many frames it has, if that is known already.
    fps, hold
        Frames a second and seconds of the last frame, for callers that build durations of them.

    Raises
    ------
    ValueError
        Unknown suffix or target, or a number that is out of range.
    FileNotFoundError, NotADirectoryError, IsADirectoryError, PermissionError
        No such folder, or nothing can be written there.
    RuntimeError
        The installed PyAV or Pillow lacks the encoder.

    Examples
    --------
    >>> from scanpy_anim.video import check
    >>> check("film.doc")  # doctest: +ELLIPSIS
    Traceback (most recent call last):
        ...
    ValueError: unknown suffix '.doc' of film.doc: use one of .gif, .mp4, ...
    """
    check_place(Path(path))
    check_encoder(format_of(path))
    check_numbers(loop=loop, quality=quality, fps=fps, hold=hold)
    if max_bytes is not None:
        as_bytes(max_bytes)
    if target is not None:
        check_target(target, format_of(path).suffix, seconds, frames)


def format_of(path: str | os.PathLike[str]) -> Format:
    """Look up the format by the suffix."""
    suffix = Path(path).suffix.lower()
    if suffix not in FORMATS:
        known = ", ".join(FORMATS)
        what = f"unknown suffix {suffix!r} of" if suffix else "no suffix in"
        raise ValueError(f"{what} {os.fspath(path)}: use one of {known}")
    return FORMATS[suffix]


def check_place(path: Path) -> None:
    """See that a file can be put there."""
    folder = path.resolve().parent
    if path.is_dir():
        raise IsADirectoryError(f"{path} is a folder: add a file name")
    if not folder.exists():
        raise FileNotFoundError(f"there is no folder {folder}: create it first")
    if not folder.is_dir():
        raise NotADirectoryError(f"{folder} is not a folder")
    if not os.access(folder, os.W_OK | os.X_OK):
        raise PermissionError(f"the folder {folder} is not writable")


def check_target(
    target: str, suffix: str, seconds: float | None, frames: int | None = None
) -> None:
    """See that a place takes films of this format and length."""
    if target not in TARGETS:
        raise ValueError(f"unknown target {target!r}: use one of {', '.join(TARGETS)}")
    place = TARGETS[target]
    if suffix not in place.max_bytes:
        known = ", ".join(place.max_bytes)
        raise ValueError(f"target {target!r} ({place.title}) takes {known}, not {suffix}")
    shortest, longest = place.seconds
    if seconds is not None and not shortest <= seconds <= longest:
        msg = (
            f"target {target!r} ({place.title}) takes films of {shortest:g} to {longest:g} "
            f"seconds, this one lasts {seconds:.4g}: change fps or hold"
        )
        raise ValueError(msg)
    most = place.max_frames.get(suffix, math.inf)
    if frames is not None and frames > most:
        msg = (
            f"target {target!r} ({place.title}) takes {suffix} films of {most} frames at most, "
            f"this one has {frames}: show fewer, or save as {next(iter(place.max_bytes))}"
        )
        raise ValueError(msg)


def check_encoder(format: Format) -> None:
    """See that the installed libraries can write the format."""
    if format.missing():
        msg = (
            f"the installed {format.library} cannot write {format.suffix}: it has no "
            f"{format.encoder} encoder. Save as {format.instead} instead, or install "
            f"{format.library} from PyPI (pip install --force-reinstall "
            f"{'av' if format.library == 'PyAV' else 'pillow'})"
        )
        raise RuntimeError(msg)


def check_numbers(
    *, loop: int, quality: float | None, fps: float | None = None, hold: float | None = None
) -> None:
    """See that the numbers are in range."""
    if not (is_number(loop) and 0 <= loop < 65_536 and loop == int(loop)):
        raise ValueError(f"loop must be 0 (for ever) or how often to play, not {loop!r}")
    if quality is not None and not (is_number(quality) and 0 <= quality <= 100):
        raise ValueError(f"quality must be between 0 and 100 (usual: 80), not {quality!r}")
    for name, number in (("fps", fps), ("hold", hold)):
        if number is not None and not (is_number(number) and 0 < number < math.inf):
            raise ValueError(f"{name} must be a positive number, not {number!r}")
