"""The palette of a film: what is reserved is exact, what does not change keeps its color."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from hypothesis.extra.numpy import arrays

from scanpy_anim.video import Film, write
from scanpy_anim.video._palette import CLEAR, _ColorIndex, _thinned, as_indices, packed

from .conftest import film_of
from .decoders import by_pillow

colors = arrays(np.uint8, st.tuples(st.integers(1, 60), st.just(3)))


@settings(max_examples=40, deadline=None)
@given(colors, colors)
def test_the_index_is_that_of_the_nearest(points: np.ndarray, palette: np.ndarray) -> None:
    index = _ColorIndex(palette)(packed(points[None], (0, 0, 0)))[0]
    distance = np.linalg.norm(points[:, None].astype(float) - palette, axis=-1)
    np.testing.assert_allclose(distance[np.arange(len(points)), index], distance.min(1))


@settings(max_examples=40, deadline=None)
@given(colors, st.integers(1, 40))
def test_thinning_keeps_the_first_and_adds_none(colors: np.ndarray, most: int) -> None:
    thin = _thinned(colors, most)
    assert 1 <= len(thin) <= most
    assert (thin[0] == colors[0]).all()
    assert {tuple(color) for color in thin} <= {tuple(color) for color in colors}
    if len(np.unique(colors, axis=0)) <= most:
        assert len(thin) == len(np.unique(colors, axis=0))


def test_the_index_depends_on_the_color_only() -> None:
    rng = np.random.default_rng(0)
    palette = rng.integers(0, 256, (200, 3), dtype=np.uint8)
    frames = rng.integers(0, 256, (4, 30, 40, 3), dtype=np.uint8)
    frames[1:, :20] = frames[0, :20]
    indices = list(as_indices(iter(frames), palette))
    find = _ColorIndex(palette)
    for frame, index in zip(frames, indices, strict=True):
        np.testing.assert_array_equal(index, find(packed(frame, (255, 255, 255))))
        assert (index != CLEAR).all()


def blended(n_frames: int) -> np.ndarray:
    """Soft blobs over a gradient that stays: far more than 255 colors, most of them still."""
    rows, columns = np.mgrid[:80, :100]
    still = np.stack([rows * 3, columns * 2, 255 - rows - columns], axis=-1) % 256
    frames = np.repeat(still[None], n_frames, axis=0).astype(float)
    for number in range(n_frames):
        light = np.exp(-((rows - 40) ** 2 + (columns - 20 - 5 * number) ** 2) / 90)[..., None]
        frames[number] += (np.array([255, 220, 0]) - frames[number]) * light.round(2)
    return frames.round().astype(np.uint8)


def test_unchanged_pixels_never_change_color(tmp_path: Path) -> None:
    frames = blended(12)
    write(film_of(frames), path := tmp_path / "film.gif")
    shown = by_pillow(path).frames
    same = (frames[1:] == frames[:-1]).all(-1)
    kept = (shown[1:] == shown[:-1]).all(-1)
    assert same.mean() > 0.3
    assert kept[same].all()
    error = np.abs(shown.astype(int) - frames).mean()
    assert error < 6, "255 colors are enough to tell them apart"


def test_reserved_colors_are_exact(tmp_path: Path) -> None:
    rng = np.random.default_rng(3)
    reserved = rng.integers(0, 256, (60, 3), dtype=np.uint8)
    frames = blended(4)
    frames[:, :2, :60] = np.repeat(reserved[None], 2, axis=0)
    write(film_of(frames, palette=reserved), path := tmp_path / "film.gif")
    shown = by_pillow(path).frames
    np.testing.assert_array_equal(shown[0, :2, :60], frames[0, :2, :60])


def test_few_colors_are_exact_without_being_named(tmp_path: Path) -> None:
    rng = np.random.default_rng(5)
    few = rng.integers(0, 256, (200, 3), dtype=np.uint8)
    frames = few[np.sort(rng.integers(0, 200, (3, 40, 60)), axis=-1)]
    write(film_of(frames, palette=None), path := tmp_path / "film.gif")
    np.testing.assert_array_equal(by_pillow(path).frames, frames)


def test_a_long_color_map_leaves_room_for_blends(tmp_path: Path) -> None:
    ramp = np.stack([np.arange(256), 255 - np.arange(256), np.full(256, 40)], 1).astype(np.uint8)
    frames = blended(4)
    frames[:, :2] = [10, 245, 40]
    palette = np.concatenate([[[255, 255, 255], [0, 0, 0]], ramp]).astype(np.uint8)
    write(film_of(frames, palette=palette), path := tmp_path / "film.gif")
    assert np.abs(by_pillow(path).frames.astype(int) - frames).mean() < 6


@pytest.mark.parametrize("quality", [0, 20, 40, 80])
def test_quality_is_the_number_of_colors(tmp_path: Path, quality: int) -> None:
    write(film_of(blended(3), palette=None), path := tmp_path / "film.gif", quality=quality)
    shown = by_pillow(path).frames.reshape(-1, 3)
    assert len(np.unique(shown, axis=0)) <= {0: 8, 20: 15, 40: 63, 80: 255}[quality]


def test_rendered_twice_and_no_more() -> None:
    calls = []

    def render(scale: float):
        calls.append(scale)
        yield from blended(2)

    import tempfile

    with tempfile.TemporaryDirectory() as folder:
        write(Film(render, [0.1, 0.1]), Path(folder) / "film.gif")
    assert calls == [1.0, 1.0]
