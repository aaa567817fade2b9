"""A file that fits: sizes, targets, and what is said about the choice."""

from __future__ import annotations

import math
from dataclasses import replace
from datetime import date
from typing import TYPE_CHECKING
from urllib.parse import urlparse

import numpy as np
import pytest
from PIL import Image

from scanpy_anim.video import FORMATS, TARGETS, Film, check, write
from scanpy_anim.video._fit_size import as_bytes

from .conftest import film_of
from .decoders import by_pillow, by_pyav

if TYPE_CHECKING:
    from pathlib import Path


def noisy(side: int = 96, n_frames: int = 4) -> Film:
    """Noise does not compress: a film that is large at any quality."""
    noise = np.random.default_rng(0).integers(0, 256, (n_frames, side, side, 3), dtype=np.uint8)

    def render(scale: float):
        yield from noise[:, : round(side * scale), : round(side * scale)]

    return Film(render, [0.5] * n_frames)


@pytest.mark.parametrize(
    ("text", "number"),
    [
        ("15MB", 15_000_000),
        ("1.5 mb", 1_500_000),
        ("10MiB", 10 * 2**20),
        ("900 kB", 900_000),
        ("1000", 1000),
        (2500, 2500),
        (1e6, 1_000_000),
    ],
)
def test_sizes(text: str | float, number: int) -> None:
    assert as_bytes(text) == number


@pytest.mark.parametrize("wrong", ["", "big", "15 XB", 0, -1, math.nan, math.inf, "-3MB"])
def test_sizes_that_are_none(tmp_path: Path, film: Film, wrong: str | float) -> None:
    with pytest.raises(ValueError, match="max_bytes must be"):
        write(film, tmp_path / "film.gif", max_bytes=wrong)
    assert list(tmp_path.iterdir()) == []


@pytest.mark.parametrize("small", [2, 34, "7", "0.02 kB"])
def test_sizes_that_no_film_has_are_said_before_work(tmp_path: Path, small: str | float) -> None:
    def render(scale: float):
        pytest.fail("a frame was drawn")
        yield

    with pytest.raises(ValueError, match="no film has fewer than 35 bytes"):
        write(Film(render, [0.5]), tmp_path / "film.gif", max_bytes=small)


@pytest.mark.parametrize("suffix", list(FORMATS))
@pytest.mark.parametrize("share", [0.75, 0.25])
def test_it_fits(tmp_path: Path, suffix: str, share: float) -> None:
    path = tmp_path / f"film{suffix}"
    side = 96 if suffix != ".html" else 192  # the player itself is 12 kB
    free = write(noisy(side), path)
    most = int(free.size * share)
    written = write(noisy(side), path, max_bytes=most)
    assert written.size == path.stat().st_size <= most
    assert written.size > most / 6, "as large as it may be, about"
    assert (written.quality, written.scale) < (free.quality, free.scale + 1e-9)
    assert f"within {most:,} bytes" in written.notes[-1]
    assert ("colors" in written.notes[-1]) == (suffix == ".gif")
    if suffix in (".gif", ".webp", ".apng", ".avif"):
        shown = by_pillow(path).frames.shape[1]
    elif suffix != ".html":
        shown = by_pyav(path).frames.shape[1]
    else:
        shown = round(side * written.scale)
    assert abs(shown - side * written.scale) <= 1


def test_a_gif_loses_colors_before_pixels(tmp_path: Path) -> None:
    free = write(noisy(), path := tmp_path / "film.gif")
    shown = {1.0: len(np.unique(by_pillow(path).frames.reshape(-1, 3), axis=0))}
    for share, smaller in ((0.95, False), (0.4, True)):
        written = write(noisy(), path, max_bytes=int(free.size * share))
        assert (written.scale < 1) == smaller
        frames = by_pillow(path).frames
        shown[share] = len(np.unique(frames.reshape(-1, 3), axis=0))
        assert (frames.shape[1] < 96) == smaller
    assert shown[1.0] > 240 > shown[0.95] > 60


def test_nothing_is_lost_when_it_fits_anyway(tmp_path: Path, film: Film) -> None:
    free = write(film, tmp_path / "free.gif")
    written = write(film, tmp_path / "film.gif", max_bytes="15MB")
    assert (tmp_path / "free.gif").read_bytes() == (tmp_path / "film.gif").read_bytes()
    assert written.notes == free.notes == ()


@pytest.mark.parametrize("suffix", list(FORMATS))
def test_nothing_fits(tmp_path: Path, suffix: str) -> None:
    (path := tmp_path / f"film{suffix}").write_bytes(b"old")
    with pytest.raises(ValueError, match="not even quality 48 at 25% of the size fits") as raised:
        write(noisy(), path, max_bytes=300)
    assert (".mp4" in str(raised.value)) == (suffix in (".gif", ".webp", ".apng", ".html"))
    assert path.read_bytes() == b"old"
    assert [entry.name for entry in tmp_path.iterdir()] == [path.name]


def test_targets_are_looked_up() -> None:
    for name, target in TARGETS.items():
        assert target.name == name
        assert str(date.fromisoformat(target.looked_up)) == target.looked_up
        assert urlparse(target.source.split()[0]).scheme == "https"
        assert set(target.max_bytes) <= set(FORMATS)
        for limits in (target.max_frames, target.max_pixels, target.max_film_pixels):
            assert set(limits) <= set(target.max_bytes)


def test_a_target_shrinks_large_frames(tmp_path: Path) -> None:
    def render(scale: float):
        shape = (round(1200 * scale), round(3000 * scale), 3)
        yield from (np.full(shape, level, np.uint8) for level in (0, 90))

    written = write(Film(render, [1.0, 1.0]), path := tmp_path / "film.mp4", target="slides")
    assert by_pyav(path).frames.shape[1:3] == (768, 1920)
    assert written.notes == ("quality 80, 64% of the size, to fit the target",)


@pytest.mark.parametrize(
    ("target", "n_frames", "most"), [("mastodon", 2, 921_600), ("x", 30, 1_000_000)]
)
def test_a_target_limits_the_pixels_of_a_gif(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, target: str, n_frames: int, most: int
) -> None:
    """Of a frame, or of all together: 300 million, here a tenth of them for a tenth of frames."""
    if film_pixels := TARGETS[target].max_film_pixels:
        assert film_pixels == {".gif": 300_000_000}
        tenth = replace(TARGETS[target], max_film_pixels={".gif": 30_000_000})
        monkeypatch.setitem(TARGETS, target, tenth)

    def render(scale: float):
        shape = (round(1020 * scale), round(1270 * scale), 3)
        yield from (np.full(shape, number % 2, np.uint8) for number in range(n_frames))

    write(Film(render, [0.1] * n_frames), path := tmp_path / "film.gif", target=target)
    with Image.open(path) as picture:
        width, height = picture.size
    assert 0.98 * most < width * height <= most
    assert TARGETS[target].scale(1270, 1020, n_frames, ".mp4") == 1.0


def test_what_a_target_does_not_take(tmp_path: Path, frames: np.ndarray) -> None:
    film = film_of(frames)
    with pytest.raises(ValueError, match="unknown target 'myspace': use one of slides, x,"):
        write(film, tmp_path / "film.mp4", target="myspace")
    with pytest.raises(ValueError, match=r"'linkedin' .* takes \.mp4, not \.gif"):
        write(film, tmp_path / "film.gif", target="linkedin")
    with pytest.raises(ValueError, match=r"'bluesky' .* takes \.mp4, \.webm, \.gif, not \.avif"):
        write(film, tmp_path / "film.avif", target="bluesky")
    with pytest.raises(ValueError, match=r"3 to 600 seconds, this one lasts 1\.2"):
        write(film, tmp_path / "film.mp4", target="linkedin")
    with pytest.raises(ValueError, match=r"0\.5 to 1200 seconds, this one lasts 1300"):
        check(tmp_path / "film.mp4", target="x", seconds=1300)
    many = film_of(np.repeat(frames[:1, :8, :8], 351, axis=0))
    with pytest.raises(ValueError, match=r"\.gif films of 350 frames at most, this one has 351"):
        write(many, tmp_path / "film.gif", target="x")
    assert list(tmp_path.iterdir()) == []


def test_a_target_keeps_to_its_bytes(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    small = replace(TARGETS["github"], max_bytes={".gif": 40_000})
    monkeypatch.setitem(TARGETS, "github", small)
    assert write(noisy(), tmp_path / "film.gif", target="github").size <= 40_000
    assert write(noisy(), tmp_path / "a.gif", target="github", max_bytes=20_000).size <= 20_000
