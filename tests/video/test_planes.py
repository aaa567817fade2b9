"""Brightness and color of frames are those of BT.709, whatever the size and number of threads."""

from __future__ import annotations

import numpy as np
import pytest

from scanpy_anim._threads import limit_threads
from scanpy_anim.video._planes import to_video

av = pytest.importorskip("av")
RGB = np.array([0.2126, 0.7152, 0.0722])


def closed_form(frame: np.ndarray) -> list[np.ndarray]:
    """ITU-R BT.709-6, 8 bits, limited range, not rounded; color of the mean of four pixels."""
    rgb = frame[..., :3] / 255
    luma = rgb @ RGB
    quarter = rgb.reshape(len(rgb) // 2, 2, -1, 2, 3).mean(axis=(1, 3))
    grey = quarter @ RGB
    blue = (quarter[..., 2] - grey) / (2 * (1 - RGB[2]))
    red = (quarter[..., 0] - grey) / (2 * (1 - RGB[0]))
    return [16 + 219 * luma, 128 + 224 * blue, 128 + 224 * red]


def planes_of(frame: np.ndarray) -> list[np.ndarray]:
    video = to_video(av, frame)
    return [
        np.frombuffer(p, np.uint8).reshape(-1, p.line_size)[: p.height, : p.width].astype(float)
        for p in video.planes
    ]


@pytest.mark.parametrize(("height", "width", "channels"), [(2, 2, 3), (64, 90, 4), (302, 34, 3)])
def test_planes_are_those_of_the_standard(height, width, channels):
    frame = np.random.default_rng(0).integers(0, 256, (height, width, channels), np.uint8)
    frame[..., 3:] = 255
    for ours, exact in zip(planes_of(frame), closed_form(frame), strict=True):
        assert np.abs(ours - exact).max() < 0.52


def test_every_corner_of_the_colors_and_every_grey_is_exact():
    corners = np.array([[r, g, b] for r in (0, 255) for g in (0, 255) for b in (0, 255)], np.uint8)
    greys = np.repeat(np.arange(256, dtype=np.uint8), 3).reshape(-1, 3)
    frame = np.repeat(np.repeat(np.concatenate([corners, greys])[None], 2, axis=0), 2, axis=1)
    luma, blue, red = planes_of(frame)
    for ours, exact in zip((luma, blue, red), closed_form(frame), strict=True):
        np.testing.assert_allclose(ours, np.rint(exact), atol=0)
    assert (blue[:, 8:] == 128).all()
    assert (red[:, 8:] == 128).all()
    assert (luma.min(), luma.max(), blue.min(), red.max()) == (16, 235, 16, 240)


def test_threads_and_layout_change_nothing():
    frame = np.random.default_rng(1).integers(0, 256, (600, 400, 3), np.uint8)
    with limit_threads(1):
        alone = planes_of(frame)
    turned = np.ascontiguousarray(frame[::-1])[::-1]
    turned.flags.writeable = False
    for other in (planes_of(frame), planes_of(turned)):
        for a, b in zip(alone, other, strict=True):
            np.testing.assert_array_equal(a, b)
