"""Every example in a public docstring runs, and gives what it says."""

from __future__ import annotations

import doctest
import inspect
from typing import TYPE_CHECKING

import matplotlib.pyplot as plt
import pytest

import scanpy_anim as sca
from scanpy_anim import raster, video
from scanpy_anim.pl._writer import FilmWriter

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

#: Whose docstring must hold an example; the examples of all others run too.
SHOWN = {
    "scanpy_anim.pl.animate_embedding",
    "scanpy_anim.pl.EmbeddingAnimation",
    "scanpy_anim.pl.side_by_side",
    "scanpy_anim.pl.EmbeddingAnimation.filmstrip",
    "scanpy_anim.pl.EmbeddingAnimation.frames",
    "scanpy_anim.pl.EmbeddingAnimation.save",
    "scanpy_anim.pl.EmbeddingAnimation.still",
    "scanpy_anim.pl._writer.FilmWriter",
    "scanpy_anim.raster.PointLayer",
    "scanpy_anim.raster.rank_levels",
    "scanpy_anim.raster.value_levels",
    "scanpy_anim.tl.assign_labels",
    "scanpy_anim.tl.label_propagation",
    "scanpy_anim.tl.propagate",
    "scanpy_anim.video.Film",
    "scanpy_anim.video.check",
    "scanpy_anim.video.write",
}


def _public() -> Iterator[tuple[str, object]]:
    """Public functions and classes, and what these classes define themselves."""
    for room in (sca.tl, sca.pl, raster, video):
        for name in room.__all__:
            thing = getattr(room, name)
            if callable(thing):
                yield from _with_methods(f"{room.__name__}.{name}", thing)
    yield from _with_methods("scanpy_anim.pl._writer.FilmWriter", FilmWriter)


def _with_methods(name: str, thing: object) -> Iterator[tuple[str, object]]:
    yield name, thing
    if inspect.isclass(thing):
        for member, value in vars(thing).items():
            if not member.startswith("_") and callable(value):
                yield f"{name}.{member}", value


def _examples(name: str, thing: object) -> doctest.DocTest:
    parser = doctest.DocTestParser()
    return parser.get_doctest(inspect.getdoc(thing) or "", {}, name, None, None)


PUBLIC = dict(_public())
PARSED = {name: _examples(name, thing) for name, thing in PUBLIC.items()}
EXAMPLES = {name: test for name, test in PARSED.items() if test.examples}


@pytest.mark.parametrize("name", EXAMPLES)
def test_examples_run(name: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(tmp_path)
    told: list[str] = []
    runner = doctest.DocTestRunner(optionflags=doctest.ELLIPSIS)
    try:
        runner.run(EXAMPLES[name], out=told.append)
    finally:
        plt.close("all")
    assert runner.summarize(verbose=False).failed == 0, "".join(told)


def test_public_things_are_documented() -> None:
    assert not [name for name, thing in PUBLIC.items() if not inspect.getdoc(thing)]


def test_examples_are_there() -> None:
    assert not SHOWN - set(EXAMPLES)
