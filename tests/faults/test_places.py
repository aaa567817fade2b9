"""Where a film is to go: files, open files, and what is neither."""

from __future__ import annotations

import errno
import gzip
import io
import os
import socket
import sys
import time
from pathlib import Path

import numpy as np
import pytest

from scanpy_anim.video import FORMATS, Film, check, write

from ..video.conftest import dots, film_of
from ..video.decoders import by_pillow

SUFFIXES = list(FORMATS)


def undrawable() -> Film:
    """A film that no frame may be asked of."""

    def render(scale: float):
        raise AssertionError("a frame was drawn before the arguments were checked")
        yield

    return Film(render, [0.1, 0.1])


def refused(path: object, kind: type[Exception], words: str, **options: object) -> None:
    for refuses in (lambda: write(undrawable(), path, **options), lambda: check(path, **options)):
        with pytest.raises(kind, match=words):
            refuses()


def names(folder: Path) -> list[str]:
    return sorted(entry.name for entry in folder.iterdir())


@pytest.mark.parametrize("suffix", SUFFIXES)
def test_an_open_file_gets_what_a_path_gets(tmp_path: Path, suffix: str) -> None:
    film = film_of(dots(40, 60, 3))
    size = write(film, path := tmp_path / f"film{suffix}").size
    for spelled in (suffix, suffix[1:], suffix.upper()):
        written = write(film, memory := io.BytesIO(b"x" * 3), format=spelled)
        assert memory.getvalue() == path.read_bytes()
        assert (written.path, written.size) == (None, size)
    with (tmp_path / "raw").open("wb", buffering=0) as raw:
        raw.write(b"before")
        write(film, raw, format=suffix)
        raw.write(b"after")
    assert (tmp_path / "raw").read_bytes() == b"before" + path.read_bytes() + b"after"
    with gzip.open(tmp_path / "film.gz", "wb") as packed:
        write(film, packed, format=suffix)
    assert gzip.decompress((tmp_path / "film.gz").read_bytes()) == path.read_bytes()
    with (tmp_path / f"named{suffix}").open("wb") as named:
        write(film, named)  # its name says the format
    assert (tmp_path / f"named{suffix}").read_bytes() == path.read_bytes()


def test_files_of_other_file_systems(tmp_path: Path) -> None:
    fsspec = pytest.importorskip("fsspec")
    film = film_of(dots(40, 60, 3))
    write(film, path := tmp_path / "film.gif")
    with fsspec.open("memory://film.gif", "wb") as remote:
        write(film, remote, format="gif")
    with fsspec.open("memory://film.gif", "rb") as remote:
        assert remote.read() == path.read_bytes()
    refused(fsspec.open("memory://film.gif", "wb"), TypeError, "filename must be a path, or a file")


def test_an_error_writes_nothing_into_an_open_file() -> None:
    frames = dots(40, 60, 3)
    with pytest.raises(ValueError, match="3 frames"):
        write(Film(lambda scale: iter(frames), [0.1] * 4), memory := io.BytesIO(), format="gif")
    assert memory.getvalue() == b""


def test_a_disk_that_is_full_while_an_open_file_is_written(tmp_path: Path) -> None:
    class Full(io.RawIOBase):
        def writable(self) -> bool:
            return True

        def write(self, content: object) -> int:
            raise OSError(errno.ENOSPC, "no space left")

    with pytest.raises(OSError, match="no space left"):
        write(film_of(dots(40, 60, 2)), Full(), format="gif")


def test_open_files_that_do_not_work(tmp_path: Path) -> None:
    refused(io.BytesIO(), ValueError, r"give format=, one of \.gif, \.mp4")
    refused(io.StringIO(), TypeError, "open it in binary, with mode 'wb'", format="gif")
    (closed := io.BytesIO()).close()
    refused(closed, ValueError, "closed file", format="gif")
    (tmp_path / "film.gif").touch()
    with (tmp_path / "film.gif").open("rb") as reading:
        refused(reading, ValueError, "not open for writing", format="gif")
    for unknown in ("doc", "", 3, True, [], "gif "):
        refused(io.BytesIO(), ValueError, "unknown format", format=unknown)
    for thing in (3, None, b"film.gif", ["film.gif"], np.zeros(3), object()):
        refused(thing, TypeError, "filename must be a path", format="gif")


def test_a_format_overrules_the_suffix(tmp_path: Path) -> None:
    for name in ("film", "film.mp4", "film.dat"):
        write(film_of(dots(40, 60, 3)), tmp_path / name, format="gif")
        assert (tmp_path / name).read_bytes()[:4] == b"GIF8"


def test_a_write_protected_file_is_said_by_its_own_name(tmp_path: Path) -> None:
    (path := tmp_path / "kept.gif").write_bytes(b"old")
    path.chmod(0o444)
    refused(path, PermissionError, r"kept\.gif is write-protected")
    (tmp_path / "link.gif").symlink_to(path)
    refused(tmp_path / "link.gif", PermissionError, r"link\.gif is write-protected")
    assert path.read_bytes() == b"old"
    assert names(tmp_path) == ["kept.gif", "link.gif"]


@pytest.mark.skipif(sys.platform == "win32", reason="has no such files")
def test_what_is_no_file(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(tmp_path)
    os.mkfifo("pipe.gif")
    refused("pipe.gif", OSError, r"pipe\.gif is a named pipe")
    refused("/dev/null", OSError, "/dev/null is a device", format="gif")
    with socket.socket(socket.AF_UNIX) as bound:
        bound.bind("socket.gif")
        refused("socket.gif", OSError, r"socket\.gif is a socket")
    Path("a.gif").symlink_to("b.gif")
    Path("b.gif").symlink_to("a.gif")
    refused("a.gif", OSError, r"a\.gif is a symbolic link that leads in a circle")
    Path("folder.gif").mkdir()
    refused("folder.gif", IsADirectoryError, r"folder\.gif is a folder")
    Path("lost.gif").symlink_to("missing/film.gif")
    refused("lost.gif", FileNotFoundError, "there is no folder .*missing")
    refused("film\0.gif", ValueError, "null character")
    refused("", ValueError, "filename must be the name of a file.*not ''")
    refused("a" * 300 + ".gif", OSError, "name is too long")
    refused("a.gif/film.gif", OSError, r"a\.gif")


@pytest.mark.parametrize("stem", ["f" * 240, "ü" * 120, "細" * 80, "a.b." * 60, " ", "-", "~"])
def test_names_as_long_as_they_may_be(tmp_path: Path, stem: str) -> None:
    path = tmp_path / f"{stem}.gif"
    assert len(os.fsencode(path.name)) <= 255
    write(film_of(dots(40, 60, 2)), path)
    write(film_of(dots(40, 60, 2)), path)
    assert names(tmp_path) == [path.name]


@pytest.mark.parametrize("number", [errno.EINVAL, errno.EPERM, errno.ENOTSUP])
@pytest.mark.parametrize("what", ["chmod", "fsync"])
def test_folders_that_cannot_do_everything_keep_the_film(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, what: str, number: int
) -> None:
    def fail(*arguments: object, **options: object) -> None:
        raise OSError(number, "not here")

    monkeypatch.setattr(*((Path, "chmod") if what == "chmod" else (os, "fsync")), fail)
    (path := tmp_path / "film.gif").write_bytes(b"old")
    write(film_of(dots(40, 60, 2)), path)
    assert len(by_pillow(path).frames) == 2
    assert names(tmp_path) == ["film.gif"]


def test_content_that_did_not_arrive_is_an_error(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    def fail(handle: int) -> None:
        raise OSError(errno.ENOSPC, "no space left")

    monkeypatch.setattr(os, "fsync", fail)
    (path := tmp_path / "film.gif").write_bytes(b"old")
    with pytest.raises(OSError, match="no space left"):
        write(film_of(dots(40, 60, 2)), path)
    assert path.read_bytes() == b"old"
    assert names(tmp_path) == ["film.gif"]


def test_a_folder_that_vanishes(tmp_path: Path) -> None:
    (folder := tmp_path / "folder").mkdir()

    def render(scale: float):
        for number, frame in enumerate(dots(40, 60, 4)):
            if number == 3:
                for entry in folder.iterdir():
                    entry.unlink()
                folder.rmdir()
            yield frame

    with pytest.raises(FileNotFoundError) as raised:
        write(Film(render, [0.1] * 4), folder / "film.apng")
    assert "nothing was changed there" in raised.value.__notes__[0]


def test_what_killed_processes_left_is_removed_after_a_day(tmp_path: Path) -> None:
    day = 24 * 3600
    left = {
        ".film.abcd1234.part.gif": (day * 1.1, True),
        ".film.abcd1235.part.gif": (day * 0.9, False),
        ".film.abcd1234.part.mp4": (day * 9, False),
        ".other.abcd1234.part.gif": (day * 9, False),
        ".film.a.abcd1234.part.gif": (day * 9, False),
        ".film.part.gif": (day * 9, False),
        "film.abcd1234.part.gif": (day * 9, False),
    }
    for name, (age, _) in left.items():
        (tmp_path / name).touch()
        os.utime(tmp_path / name, (time.time() - age,) * 2)
    write(film_of(dots(40, 60, 2)), tmp_path / "film.gif")
    kept = [name for name, (_, removed) in left.items() if not removed]
    assert names(tmp_path) == sorted([*kept, "film.gif"])
