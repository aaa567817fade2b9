from __future__ import annotations

import numpy as np
import pytest

from scanpy_anim.video import Film

INK = np.array([[255, 255, 255], [0, 0, 0], [214, 39, 40], [31, 119, 180], [44, 160, 44]], np.uint8)


def dots(height: int, width: int, n_frames: int, channels: int = 3) -> np.ndarray:
    """Dots that stay where they are and change their color, one by one; a bar that does not."""
    rng = np.random.default_rng(7)
    rows, columns = rng.integers(8, height - 6, 40), rng.integers(2, width - 6, 40)
    frames = np.full((n_frames, height, width, channels), 255, np.uint8)
    frames[:, :4, :, :3] = INK[1]
    for number in range(n_frames):
        for dot, (row, column) in enumerate(zip(rows, columns, strict=True)):
            ink = INK[2 + (dot + (number * 40 // n_frames > dot)) % 3]
            frames[number, row : row + 4, column : column + 4, :3] = ink
    return frames


def film_of(frames: np.ndarray, **options: object) -> Film:
    settings: dict = {"durations": [0.1] * len(frames), "palette": INK} | options
    return Film(lambda scale: iter(frames), **settings)


@pytest.fixture
def frames() -> np.ndarray:
    return dots(96, 128, 12)


@pytest.fixture
def film(frames: np.ndarray) -> Film:
    return film_of(
        frames,
        durations=[0.1] * 11 + [1.5],
        titles=[f"iteration {number}" for number in range(12)],
        description="dots that change their color",
        metadata={"title": "dots", "comment": "alpha=0.99"},
    )
