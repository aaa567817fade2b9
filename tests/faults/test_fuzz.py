"""Strange arguments: a clear error that names one of them, before work, with nothing changed."""

from __future__ import annotations

import os
from typing import TYPE_CHECKING

import pytest

from .fuzzing import KINDS

if TYPE_CHECKING:
    from pathlib import Path

CALLS = int(os.environ.get("FAULT_CALLS", "60"))
SEED = int(os.environ.get("FAULT_SEED", "0"))
# as a share of `CALLS`, by what a call takes; and how many of these are refused at least
HOW_MANY = {
    "saves": (4, 0.5),
    "propagations": (0.7, 0.25),
    "lazy": (0.3, 0.25),
    "arrays": (1, 0.25),
    "labels": (0.7, 0.25),
    "films": (1, 0.25),
    "film_saves": (0.7, 0.25),
    "pages": (0.7, 0.25),
    "side_by_side": (0.5, 0.25),
    "records": (0.7, 0.05),
    "tissues": (0.7, 0.1),
}


def test_every_kind_of_call_is_tried() -> None:
    assert set(HOW_MANY) == set(KINDS)


@pytest.mark.parametrize("kind", KINDS)
def test_strange_arguments(tmp_path: Path, monkeypatch: pytest.MonkeyPatch, kind: str) -> None:
    monkeypatch.chdir(tmp_path)
    share, refused = HOW_MANY[kind]
    outcomes = KINDS[kind](int(share * CALLS), SEED, str(tmp_path))
    assert sum(o.error is not None for o in outcomes) > refused * len(outcomes)
    assert not "\n".join(str(o) for o in outcomes if o.is_bad)
    assert not [path for path in tmp_path.iterdir() if ".part" in path.name]
