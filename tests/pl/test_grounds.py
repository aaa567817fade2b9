"""Figures without a background, or with half of one: on white, in every format alike."""

from __future__ import annotations

import io
from typing import TYPE_CHECKING

import matplotlib as mpl
import numpy as np
import pytest
from PIL import Image

import scanpy_anim as sca

if TYPE_CHECKING:
    from pathlib import Path

GROUNDS = ["none", (1, 0, 0, 0.5), (0, 0, 0.5, 0.1), "#ffee88", (0, 0, 0, 0.9)]


def film_on(pbmc, ground: object, axes: object = "none") -> sca.pl.EmbeddingAnimation:
    pbmc.obsm["s"] = np.random.default_rng(0).random((pbmc.n_obs, 3))
    options = {"figure.facecolor": ground, "axes.facecolor": axes, "figure.figsize": (3, 2.4)}
    with mpl.rc_context(options):
        return sca.pl.animate_embedding(pbmc, color="s", alpha=0.5, fps=2)


def laid_on(picture: np.ndarray, color: tuple[int, int, int]) -> np.ndarray:
    alpha = picture[..., 3:] / 255
    return picture[..., :3] * alpha + np.array(color) * (1 - alpha)


@pytest.mark.parametrize("ground", GROUNDS, ids=str)
def test_frames_are_the_figure_on_white(pbmc, ground: object) -> None:
    film = film_on(pbmc, ground)
    film.still(0).savefig(drawn := io.BytesIO(), format="png", dpi=60)
    expected = laid_on(np.array(Image.open(drawn).convert("RGBA")), (255, 255, 255))
    off = np.abs(next(film.frames(dpi=60)) - expected)
    assert off.mean() < 0.6
    assert np.median(off) <= 1


@pytest.mark.parametrize("suffix", ["gif", "webp", "apng", "avif"])
@pytest.mark.parametrize("ground", GROUNDS, ids=str)
def test_files_are_the_frames(pbmc, tmp_path: Path, ground: object, suffix: str) -> None:
    film = film_on(pbmc, ground)
    film.save(path := tmp_path / f"film.{suffix}", dpi=60)
    with Image.open(path) as picture:
        shown = np.array(picture.convert("RGBA"))
    off = np.abs(laid_on(shown, (0, 255, 0)) - next(film.frames(dpi=60)))
    assert off.mean() < 6  # color at half the resolution; in another ground it is 20 and more


@pytest.mark.parametrize("suffix", ["webp", "apng", "avif"])
def test_transparent_files_leave_the_ground_out(pbmc, tmp_path: Path, suffix: str) -> None:
    film = film_on(pbmc, "white")
    film.save(path := tmp_path / f"film.{suffix}", dpi=60, transparent=True)
    with Image.open(path) as picture:
        shown = np.array(picture.convert("RGBA"))
    assert (shown[..., 3] < 20).mean() > 0.5
    off = np.abs(laid_on(shown, (255, 255, 255)) - next(film.frames(dpi=60)))
    assert off.mean() < 4, "on white it is what it was drawn as"
