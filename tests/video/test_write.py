"""Writing as a whole: bad input, files that are complete or absent, notes."""

from __future__ import annotations

import math
import os
from typing import TYPE_CHECKING

import numpy as np
import pytest

from scanpy_anim.video import FORMATS, Film, check, write

from .conftest import dots, film_of

if TYPE_CHECKING:
    from pathlib import Path

SUFFIXES = list(FORMATS)


def names(folder: Path) -> list[str]:
    return [entry.name for entry in folder.iterdir()]


def broken_film(error: BaseException) -> Film:
    def render(scale: float):
        for number, frame in enumerate(dots(40, 60, 8)):
            if number == 5:
                raise error
            yield frame

    return Film(render, [0.1] * 8)


@pytest.mark.parametrize("suffix", SUFFIXES)
@pytest.mark.parametrize("error", [ZeroDivisionError("frame 5"), KeyboardInterrupt()])
def test_an_error_leaves_the_old_file_and_nothing_else(
    tmp_path: Path, suffix: str, error: BaseException
) -> None:
    path = tmp_path / f"film{suffix}"
    path.write_bytes(b"old")
    with pytest.raises(type(error)):
        write(broken_film(error), path)
    assert path.read_bytes() == b"old"
    assert names(tmp_path) == [path.name]


@pytest.mark.parametrize("suffix", SUFFIXES)
def test_an_existing_file_is_replaced_as_a_whole(tmp_path: Path, film: Film, suffix: str) -> None:
    path = tmp_path / f"film{suffix}"
    path.write_bytes(b"old")
    path.chmod(0o604)
    reader = path.open("rb")
    write(film, path)
    assert reader.read() == b"old", "who reads the old file keeps reading the old file"
    reader.close()
    assert path.stat().st_size > 100
    assert path.stat().st_mode & 0o777 == 0o604
    assert names(tmp_path) == [path.name]


def test_a_new_file_gets_the_usual_permissions(tmp_path: Path, film: Film) -> None:
    (usual := tmp_path / "usual").touch()
    write(film, path := tmp_path / "film.gif")
    assert path.stat().st_mode == usual.stat().st_mode


def test_a_link_keeps_pointing(tmp_path: Path, film: Film) -> None:
    (tmp_path / "real.gif").write_bytes(b"old")
    (tmp_path / "link.gif").symlink_to(tmp_path / "real.gif")
    write(film, tmp_path / "link.gif")
    assert (tmp_path / "link.gif").is_symlink()
    assert (tmp_path / "real.gif").stat().st_size > 100


@pytest.mark.parametrize("suffix", SUFFIXES)
def test_frames_that_do_not_fit_together(tmp_path: Path, suffix: str) -> None:
    path = tmp_path / f"film{suffix}"
    frames = dots(40, 60, 4)
    for wrong, words in [
        ([*frames[:2], frames[2][:, :-2], frames[3]], r"frame 2 .*\(40, 58, 3\).*\(40, 60, 3\)"),
        (frames[:3], "4 durations, but only 3 frames"),
        ([*frames, frames[0]], "more frames than the 4 durations"),
        ([*frames[:3], frames[3] / 255.0], "frame 3 must be .* uint8, not .*float64"),
        ([], "4 durations, but only 0 frames"),
    ]:
        with pytest.raises(ValueError, match=words):
            write(Film(lambda scale, wrong=wrong: iter(wrong), [0.1] * 4), path)
    assert names(tmp_path) == []


@pytest.mark.parametrize("seconds", [0, -1, math.nan, math.inf])
def test_durations_must_be_positive(seconds: float) -> None:
    with pytest.raises(ValueError, match=r"durations\[1\] is"):
        film_of(dots(40, 60, 2), durations=[1, seconds])
    with pytest.raises(ValueError, match="fps must be a positive number"):
        check("x.gif", fps=seconds)
    with pytest.raises(ValueError, match="hold must be a positive number"):
        check("x.gif", hold=seconds)


def test_durations_that_are_no_numbers() -> None:
    with pytest.raises(ValueError, match="fps must be a positive number, not 'fast'"):
        check("x.gif", fps="fast")


def test_a_film_checks_what_comes_with_it() -> None:
    with pytest.raises(ValueError, match="at least one frame"):
        film_of(dots(40, 60, 0))
    with pytest.raises(ValueError, match="titles has 1 entries for 2 frames"):
        film_of(dots(40, 60, 2), titles=["a"])
    with pytest.raises(ValueError, match=r"palette must be \(k, 3\) uint8"):
        film_of(dots(40, 60, 2), palette=np.ones((3, 3)))


def test_places_that_do_not_work(tmp_path: Path, film: Film) -> None:
    with pytest.raises(ValueError, match=r"unknown suffix '\.doc'.*\.gif, \.mp4"):
        write(film, tmp_path / "film.doc")
    with pytest.raises(ValueError, match="no suffix in"):
        write(film, tmp_path / "film")
    with pytest.raises(FileNotFoundError, match=r"there is no folder .*missing: create it"):
        write(film, tmp_path / "missing" / "film.gif")
    (tmp_path / "file").touch()
    with pytest.raises(NotADirectoryError):
        write(film, tmp_path / "file" / "film.gif")
    (tmp_path / "folder.gif").mkdir()
    with pytest.raises(IsADirectoryError):
        write(film, tmp_path / "folder.gif")


def test_a_folder_without_write_permission(
    tmp_path: Path, film: Film, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(os, "access", lambda path, mode: False)  # root may write anywhere
    with pytest.raises(PermissionError, match="not writable"):
        write(film, tmp_path / "film.gif")


@pytest.mark.parametrize(
    "wrong",
    [
        {"loop": -1},
        {"loop": 1.5},
        {"loop": True},
        {"quality": 101},
        {"quality": math.nan},
        {"quality": "high"},
        {"loop": "once"},
        {"quality": True},
    ],
)
def test_numbers_out_of_range(tmp_path: Path, film: Film, wrong: dict) -> None:
    with pytest.raises(ValueError, match=f"{next(iter(wrong))} must be"):
        write(film, tmp_path / "film.gif", **wrong)


@pytest.mark.parametrize("suffix", SUFFIXES)
def test_a_missing_encoder_names_another_format(
    tmp_path: Path, film: Film, suffix: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    import av.codec
    from PIL import features

    monkeypatch.setattr(av.codec, "codecs_available", set())
    monkeypatch.setattr(features, "check", lambda name: False)
    with pytest.raises(RuntimeError, match=r"Save as \.\w+ instead, or install"):
        write(film, tmp_path / f"film{suffix}")


@pytest.mark.parametrize("suffix", [".mp4", ".webm", ".html"])
def test_a_frame_too_large_for_the_codec(tmp_path: Path, suffix: str) -> None:
    wide = np.zeros((2, 70_000, 3), np.uint8)
    with pytest.raises(ValueError, match=r"70,000 × 2 pixels is too large for .*16,384"):
        write(Film(lambda scale: iter([wide]), [1.0]), tmp_path / f"film{suffix}")


def test_a_gif_says_how_it_rounds(tmp_path: Path) -> None:
    frames = dots(40, 60, 3)
    written = write(film_of(frames, durations=[1 / 60] * 3), tmp_path / "film.gif")
    assert "0.02 s (50 frames a second)" in written.notes[0]
    frames[:] = 255
    assert write(film_of(frames, durations=[0.04] * 3), tmp_path / "film.gif").notes == ()


def test_a_bar_when_asked(tmp_path: Path, film: Film, capsys: pytest.CaptureFixture[str]) -> None:
    write(film, tmp_path / "film.mp4")
    assert capsys.readouterr() == ("", "")
    write(film, tmp_path / "film.mp4", progress=True)
    assert "/12 [" in capsys.readouterr().err


def test_a_folder_that_takes_no_files_is_told_by_the_targets_name(
    film: Film, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    def refuse(**given: object) -> None:
        raise PermissionError(13, "Permission denied", str(tmp_path / ".draft"))

    monkeypatch.setattr("tempfile.mkstemp", refuse)
    with pytest.raises(PermissionError, match=r"film\.gif") as told:
        write(film, tmp_path / "film.gif")
    assert told.value.filename == str(tmp_path.resolve() / "film.gif")
