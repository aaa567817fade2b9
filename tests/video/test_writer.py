"""The matplotlib writer: anyone's animation, through our encoders."""

from __future__ import annotations

import subprocess
import sys
from typing import TYPE_CHECKING

import matplotlib as mpl
import numpy as np
import pytest
import scanpy as sc
from matplotlib.animation import FuncAnimation, writers
from matplotlib.figure import Figure

from scanpy_anim.pl._writer import FilmWriter
from scanpy_anim.video import FORMATS

from .decoders import by_pillow, by_pyav

if TYPE_CHECKING:
    from pathlib import Path


@pytest.fixture(autouse=True)
def _agg():
    with mpl.rc_context({"backend": "agg"}):
        yield


def animation(figure: Figure, n_frames: int = 5) -> FuncAnimation:
    axes = figure.add_axes((0, 0, 1, 1))
    axes.set_axis_off()
    axes.set(xlim=(0, n_frames), ylim=(0, 1))
    (bar,) = axes.bar([0.5], [1], width=1, color="#d62728")

    def draw(number: int) -> list:
        bar.set_x(number)
        return [bar]

    return FuncAnimation(figure, draw, frames=n_frames, interval=200)


def canvas(**options: object) -> Figure:
    from matplotlib.backends.backend_agg import FigureCanvasAgg

    figure = Figure(figsize=(2, 1), dpi=50, **options)
    FigureCanvasAgg(figure)
    return figure


@pytest.mark.parametrize("suffix", list(FORMATS))
def test_it_writes_every_format(tmp_path: Path, suffix: str) -> None:
    path = tmp_path / f"film{suffix}"
    animation(canvas()).save(path, writer="scanpy_anim", metadata={"title": "bars"})
    assert b"bars" in path.read_bytes()
    assert [entry.name for entry in tmp_path.iterdir()] == [path.name]


def test_the_frames_are_matplotlibs(tmp_path: Path) -> None:
    animation(canvas()).save(tmp_path / "ours.apng", writer="scanpy_anim", fps=4)
    animation(canvas()).save(tmp_path / "theirs.apng", writer="pillow", fps=4)
    ours, theirs = by_pillow(tmp_path / "ours.apng"), by_pillow(tmp_path / "theirs.apng")
    np.testing.assert_array_equal(ours.frames, theirs.frames)
    assert len(ours.frames) == 5
    assert ours.durations == pytest.approx([0.25] * 5)


def test_options(tmp_path: Path) -> None:
    writer = FilmWriter(fps=10, hold=2.0, quality=100)
    animation(canvas()).save(path := tmp_path / "film.mp4", writer=writer, dpi=100)
    decoded = by_pyav(path)
    assert decoded.durations == pytest.approx([0.1] * 4 + [2.0])
    assert decoded.frames.shape[1:3] == (100, 200)
    small = FilmWriter(fps=10, max_bytes=2000)
    animation(canvas()).save(path := tmp_path / "film.gif", writer=small, dpi=100)
    assert path.stat().st_size <= 2000


def test_what_was_rounded_or_chosen_is_told(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    told: list[str] = []
    monkeypatch.setattr(sc.logging, "warning", told.append)
    animation(canvas(), 3).save(tmp_path / "film.gif", writer=FilmWriter(fps=60, loop=1))
    small = FilmWriter(fps=10, max_bytes=2000)
    animation(canvas()).save(tmp_path / "film.apng", writer=small, dpi=400)
    assert len(told) == 2
    assert "0.02 s (50 frames a second)" in told[0]
    assert "to stay within 2,000 bytes" in told[1]


def test_an_error_while_drawing_leaves_the_old_file(tmp_path: Path) -> None:
    (path := tmp_path / "film.gif").write_bytes(b"old")
    figure = canvas()

    def draw(number: int) -> list:
        if number == 3:
            raise ZeroDivisionError
        return []

    with pytest.raises(ZeroDivisionError):
        FuncAnimation(figure, draw, frames=5).save(path, writer="scanpy_anim")
    assert path.read_bytes() == b"old"
    assert [entry.name for entry in tmp_path.iterdir()] == [path.name]


def test_bad_input_is_found_before_the_first_frame(tmp_path: Path) -> None:
    drawn = []
    figure = canvas()
    film = FuncAnimation(
        figure, lambda number: drawn.append(number) or [], init_func=list, frames=3
    )
    with pytest.raises(ValueError, match=r"unknown suffix '\.doc'"):
        film.save(tmp_path / "film.doc", writer="scanpy_anim")
    with pytest.raises(FileNotFoundError):
        film.save(tmp_path / "missing" / "film.gif", writer="scanpy_anim")
    with pytest.raises(ValueError, match="hold must be"):
        film.save(tmp_path / "film.gif", writer=FilmWriter(hold=-1))
    for wrong in (0, -1, float("nan"), "fast"):
        with pytest.raises(ValueError, match=f"fps must be a positive number, not {wrong!r}"):
            film.save(tmp_path / "film.gif", writer=FilmWriter(fps=wrong))
    with pytest.raises(ValueError, match="fps must be a positive number, not 0"):
        film.save(tmp_path / "film.gif", writer="scanpy_anim", fps=0)
    assert drawn == []
    film.save(tmp_path / "film.gif", writer="scanpy_anim")


def test_registering_loads_no_encoder() -> None:
    assert "scanpy_anim" in writers.list()
    code = (
        "import sys, scanpy_anim, matplotlib.animation as a\n"
        "assert a.writers['scanpy_anim'].isAvailable()\n"
        "assert 'av' not in sys.modules\n"
    )
    subprocess.run([sys.executable, "-c", code], check=True)
