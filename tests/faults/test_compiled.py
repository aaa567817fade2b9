"""Compiled functions that numba keeps in files, when these files are no good."""

from __future__ import annotations

import importlib.util
from typing import TYPE_CHECKING

import numba
import pytest

import scanpy_anim as sca
from scanpy_anim._compiled import kept_functions

if TYPE_CHECKING:
    from pathlib import Path
    from types import ModuleType

CODE = """
from numba import njit

@njit(cache=True)
def add_one(x):
    return x + 1
"""


@pytest.fixture
def loaded(tmp_path: Path, monkeypatch: pytest.MonkeyPatch):
    """Load a module with a compiled function, anew each time."""
    (tmp_path / "counting.py").write_text(CODE)
    monkeypatch.setattr(numba.config, "CACHE_DIR", str(tmp_path / "cache"))

    def load() -> ModuleType:
        spec = importlib.util.spec_from_file_location("counting", tmp_path / "counting.py")
        module = importlib.util.module_from_spec(spec)
        spec.loader.exec_module(module)
        return module

    return load


@pytest.mark.parametrize("ending", ["nbi", "nbc"])
@pytest.mark.parametrize("content", [b"", b"\x80\x04", bytes(range(256))])
def test_a_damaged_cache_is_named_with_the_remedy(
    tmp_path: Path, loaded, ending: str, content: bytes
) -> None:
    assert loaded().add_one(1) == 2
    kept = list((tmp_path / "cache").rglob(f"*.{ending}"))
    assert kept
    for path in kept:
        path.write_bytes(content)
    with (
        pytest.raises(RuntimeError, match=r"cache of compiled functions in .*cache .*damaged") as e,
        kept_functions(),
    ):
        loaded().add_one(1)
    assert "NUMBA_CACHE_DIR" in str(e.value)
    assert "\n" not in str(e.value)


def test_a_full_disk_is_named_with_the_remedy(loaded, monkeypatch: pytest.MonkeyPatch) -> None:
    from numba.core import caching

    def full(*arguments: object) -> None:
        raise OSError(28, "No space left on device")

    monkeypatch.setattr(caching.os, "replace", full)
    with (
        pytest.raises(RuntimeError, match=r"No space left on device.*NUMBA_CACHE_DIR"),
        kept_functions(),
    ):
        loaded().add_one(1)


def test_other_errors_are_left_alone() -> None:
    with pytest.raises(ZeroDivisionError), kept_functions():
        raise ZeroDivisionError


@pytest.mark.parametrize(
    "function",
    [
        sca.tl.label_propagation,
        sca.tl.assign_labels,
        sca.tl.propagate,
        sca.pl.animate_embedding,
        sca.pl.EmbeddingAnimation.save,
    ],
)
def test_who_says_so(function) -> None:
    assert function.__wrapped__.__name__ == function.__name__
