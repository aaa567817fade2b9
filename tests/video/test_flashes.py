"""Flashes: by the numbers of WCAG 2.3.1, and against another program's verdicts."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np
import pytest

from scanpy_anim.video import Film, write
from scanpy_anim.video._flashes import FlashCheck

if TYPE_CHECKING:
    from collections.abc import Sequence
    from pathlib import Path

    from numpy.typing import NDArray

WHITE, BLACK, GRAY = (255, 255, 255), (0, 0, 0), (128, 128, 128)
HEIGHT, WIDTH = 192, 256


def verdict(
    frames: Sequence[NDArray[np.uint8]], fps: float = 10, *, loops: bool = False, **options: object
) -> tuple[float, str] | None:
    film = Film(lambda scale: iter(frames), [1 / fps] * len(frames), **options)  # type: ignore[arg-type]
    check = FlashCheck(film, loops=loops)
    shown = list(check.watching(iter)(film.frames()))
    assert len(shown) == len(frames)
    return check.found


def alternating(
    *colors: tuple[int, int, int], n: int = 20, part: tuple[slice, slice] | None = None
) -> NDArray[np.uint8]:
    frames = np.zeros((n, HEIGHT, WIDTH, 3), np.uint8)
    frames[:] = colors[0]
    for number in range(n):
        where = part or (slice(None), slice(None))
        frames[number][where] = colors[number % len(colors)]
    return frames


def luminance_of(code: int) -> float:
    level = code / 255
    return level / 12.92 if level <= 0.03928 else ((level + 0.055) / 1.055) ** 2.4


def test_more_than_three_flashes_a_second() -> None:
    # seven opposing changes, the first at the second frame
    assert verdict(alternating(BLACK, WHITE), 10) == pytest.approx((0.7, ""))
    assert verdict(alternating(BLACK, WHITE), 7) is not None
    assert verdict(alternating(BLACK, WHITE), 6) is None, "three flashes in any one second"
    assert verdict(alternating(BLACK, WHITE, n=7)) is None, "there are six changes only"
    assert verdict(alternating(BLACK, WHITE, n=8)) is not None


@pytest.mark.parametrize("dark", [0, 100, 200])
def test_changes_of_a_tenth_of_the_luminance(dark: int) -> None:
    codes = np.arange(dark, 256)
    changes = np.array([luminance_of(code) for code in codes]) - luminance_of(dark)
    enough = int(codes[changes >= 0.1][0])
    assert verdict(alternating((dark,) * 3, (enough,) * 3)) is not None
    assert verdict(alternating((dark,) * 3, (enough - 1,) * 3)) is None


def test_what_is_bright_in_both_frames_is_no_flash() -> None:
    bright = next(code for code in range(256) if luminance_of(code) >= 0.8)
    assert verdict(alternating((bright,) * 3, WHITE)) is None
    assert verdict(alternating((bright - 2,) * 3, WHITE)) is not None


def test_red_flashes_without_a_change_of_luminance() -> None:
    assert luminance_of(148) * 0.7152 == pytest.approx(0.2126, abs=0.01)
    found = verdict(alternating((255, 0, 0), (0, 148, 0)))
    assert found == pytest.approx((0.7, "red "))
    assert verdict(alternating((140, 100, 100), (100, 112, 100))) is None, "no saturated red"


@pytest.mark.parametrize(
    ("parts", "flashes"),
    [
        ([(slice(64, 104), slice(96, 136))], True),
        ([(slice(64, 96), slice(96, 120)), (slice(64, 96), slice(136, 160))], True),
        ([(slice(64, 88), slice(96, 120)), (slice(64, 88), slice(136, 160))], False),
        ([(slice(64, 96), slice(96, 128))], False),
    ],
    ids=["one, enough", "two, enough", "two, too small", "one, too small"],
)
def test_a_quarter_of_ten_degrees(parts: list[tuple[slice, slice]], flashes: bool) -> None:
    """A field is 341 × 256 of 1024 × 768: on this film, 85 × 64 pixels, and a quarter 1,364."""
    frames = np.max([alternating(GRAY, WHITE, part=part) for part in parts], axis=0)
    assert (verdict(frames) is not None) == flashes


def test_flashes_far_apart_do_not_add_up() -> None:
    corners = alternating(GRAY, GRAY)
    for rows in (slice(0, 24), slice(HEIGHT - 24, HEIGHT)):
        for columns in (slice(0, 24), slice(WIDTH - 24, WIDTH)):
            corners[1::2, rows, columns] = 255
    assert verdict(corners) is None


def test_loops_are_judged_looping() -> None:
    two = alternating(BLACK, WHITE, n=2)
    assert verdict(two) is None
    assert verdict(two, loops=True) is not None
    assert verdict(two, 3, loops=True) is None
    calm = np.repeat(alternating(BLACK, WHITE, n=6), [1, 1, 1, 1, 1, 20], axis=0)
    assert verdict(calm, loops=True) is None


def test_the_films_own_timing() -> None:
    frames = alternating(BLACK, WHITE, n=12)
    slow_then_fast = [0.5] * 4 + [0.05] * 8
    film = Film(lambda scale: iter(frames), slow_then_fast)
    check = FlashCheck(film, loops=False)
    list(check.watching(iter)(film.frames()))
    assert check.found == pytest.approx((2.0 + 0.05 * 5, ""), abs=0.06)


@pytest.mark.parametrize("seed", range(3))
def test_noise_is_no_flash(seed: int) -> None:
    noise = np.random.default_rng(seed).integers(0, 256, (30, HEIGHT * 3, WIDTH * 3), np.uint8)
    assert verdict(np.repeat(noise[..., None], 3, axis=-1)) is None


def test_clear_frames_flash_on_their_background() -> None:
    frames = np.zeros((20, HEIGHT, WIDTH, 4), np.uint8)
    frames[1::2, ..., 3] = 255
    assert verdict(frames) is not None
    assert verdict(frames, background=BLACK) is None
    assert verdict(frames, alpha=False) is None


@pytest.mark.parametrize("shape", [(1, 1), (4, 7), (40, 30), (33, 47), (1000, 1000)])
def test_any_size(shape: tuple[int, int]) -> None:
    frames = np.zeros((20, *shape, 3), np.uint8)
    frames[1::2] = 255
    assert verdict(frames) is not None
    assert verdict(frames // 255) is None


@pytest.mark.parametrize("suffix", [".gif", ".mp4", ".apng", ".html"])
def test_saving_says_when_and_what_to_do(tmp_path: Path, suffix: str) -> None:
    frames = alternating(BLACK, WHITE)
    written = write(Film(lambda scale: iter(frames), [0.1] * 20), tmp_path / f"film{suffix}")
    (note,) = [note for note in written.notes if "flashes" in note]
    assert "second 0.7" in note
    assert "fps=" in note
    assert write(Film(lambda scale: iter(frames), [0.2] * 20), tmp_path / "film.gif").notes == ()


def ramps(fps: int) -> NDArray[np.uint8]:
    levels = 127.5 - 127.5 * np.cos(np.arange(3 * fps) / fps * 2 * np.pi)
    return np.repeat(levels.astype(np.uint8), HEIGHT * WIDTH * 3).reshape(-1, HEIGHT, WIDTH, 3)


MADE = {
    "black and white": (alternating(BLACK, WHITE, n=40), 10),
    "six a second": (alternating(BLACK, WHITE, n=40), 6),
    "eight a second": (alternating(BLACK, WHITE, n=40), 8),
    "three frames a second": (alternating(BLACK, WHITE, n=12), 3),
    "every other frame": (np.repeat(alternating(BLACK, WHITE, n=30), 2, axis=0), 20),
    "every fourth frame": (np.repeat(alternating(BLACK, WHITE, n=12), 4, axis=0), 20),
    "grays": (alternating(GRAY, (180, 180, 180), n=40), 10),
    "close grays": (alternating(GRAY, (136, 136, 136), n=40), 10),
    "bright": (alternating((235, 235, 235), WHITE, n=40), 10),
    "red and black": (alternating((255, 0, 0), BLACK, n=40), 10),
    "red and green": (alternating((255, 0, 0), (0, 148, 0), n=40), 10),
    "red and blue": (alternating((200, 0, 0), (0, 0, 200), n=40), 10),
    "red twice a second": (alternating((255, 0, 0), BLACK, n=10), 2),
    "blue and black": (alternating((0, 0, 255), BLACK, n=40), 10),
    "half of the picture": (
        alternating(BLACK, WHITE, n=40, part=(slice(None), slice(0, WIDTH // 2))),
        10,
    ),
    "a corner": (alternating(BLACK, WHITE, n=40, part=(slice(0, 16), slice(0, 16))), 10),
    "still": (alternating(GRAY, GRAY, n=40), 10),
    "one cut": (np.repeat(alternating(BLACK, WHITE, n=2), 20, axis=0), 10),
    "one wave a second": (ramps(20), 20),
    "yellow and purple": (alternating((253, 231, 37), (68, 1, 84), n=40), 10),
}


@pytest.mark.parametrize("name", list(MADE))
def test_another_program_agrees(name: str) -> None:
    """Whole frames, where both measure the same; the other one takes a quarter of the picture."""
    pytest.importorskip("iris_pse_detection", exc_type=ImportError)
    from iris_pse_detection import Configuration
    from iris_pse_detection.flash_detection import FlashDetection

    frames, fps = MADE[name]
    theirs = FlashDetection(fps, (HEIGHT, WIDTH), Configuration())
    for number, frame in enumerate(frames):
        theirs.set_current_frame(np.ascontiguousarray(frame[..., ::-1]))
        theirs.analyse_frame(number)
    assert (verdict(frames, fps) is not None) == theirs.flash_fail
