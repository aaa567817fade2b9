"""Strange arguments, and calls with them: what they raise, and what was changed by then."""

from __future__ import annotations

import datetime as dt
import re
import signal
import warnings
from contextlib import contextmanager, suppress
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

import numpy as np
import pandas as pd
import scipy.sparse as sp

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator, Mapping

    from anndata import AnnData

EXPECTED = (ValueError, TypeError, KeyError, IndexError, OSError, RuntimeError, MemoryError)


@dataclass
class Outcome:
    """What became of a call: a message without the argument's name is raw."""

    arguments: dict[str, Any]
    error: Exception | None = None
    raw: bool = False
    changed: str = ""
    late: bool = False

    @property
    def is_bad(self) -> bool:
        """Whether the call broke the rule."""
        return bool(self.raw or self.changed or self.late)

    def __str__(self) -> str:
        given = {name: short(value) for name, value in self.arguments.items()}
        error = f"{type(self.error).__name__}: {str(self.error)[:150]!r}" if self.error else "none"
        return f"{given} -> {error} {self.changed}{' after work' * self.late}"


def short(value: object) -> str:
    return f"{type(value).__name__} {value!r}"[:90].replace("\n", " ")


def strange(rng: np.random.Generator, n: int) -> Any:
    """Draw a value that nobody expects, or that somebody might try."""
    makers: list[Callable[[], Any]] = [
        lambda: None,
        lambda: bool(rng.integers(2)),
        lambda: int(
            rng.choice([-1, 0, 1, 2, 7, 10**6, 10**30], p=[0.2, 0.2, 0.2, 0.2, 0.1, 0.05, 0.05])
        ),
        lambda: float(rng.choice([-0.5, 0.0, 0.3, 1.0, 1e-300, 1e300, np.nan, np.inf, -np.inf])),
        lambda: str(
            rng.choice(["", " ", "umap", "no such", "1", "auto", "red", "a\0b", "<b>", "∞"])
        ),
        lambda: rng.bytes(3),
        lambda: complex(1, 2),
        list,
        dict,
        lambda: (),
        lambda: set(),
        object,
        lambda: print,
        lambda: [0, 1],
        lambda: ["louvain", 3],
        lambda: [None, None],
        lambda: [[1, 2], [3]],
        lambda: {"a": [0], "b": "c"},
        lambda: {1: 2},
        lambda: range(3),
        lambda: slice(0, 2),
        lambda: (i for i in range(2)),
        lambda: rng.random(n),
        lambda: rng.random((n, 3)),
        lambda: rng.random((n, 3, 2, 1)),
        lambda: rng.random(n + 1),
        lambda: np.full(n, np.nan),
        lambda: np.zeros(n),
        lambda: np.array("umap"),
        lambda: np.array(3),
        lambda: np.array([]),
        lambda: rng.random(n).astype(complex),
        lambda: rng.integers(-5, 2**62, n),
        lambda: rng.integers(0, 2, n).astype(bool),
        lambda: np.array(["a", None, 3] * n, object)[:n],
        lambda: np.zeros(n, [("a", "f4"), ("b", "i4")]),
        lambda: np.ma.masked_less(rng.random(n), 0.5),
        lambda: np.arange(n).astype("datetime64[D]"),
        lambda: sp.random(n, 3, 0.3, "csr", random_state=0),
        lambda: sp.csr_array(sp.random(n, 2, 0.3, random_state=0).astype(complex)),
        lambda: pd.Series(rng.random(n)),
        lambda: pd.Series(rng.random(3), index=["x", "y", "z"]),
        lambda: pd.Categorical(["a", "b"] * n)[:n],
        lambda: pd.Index(["a", "b"]),
        lambda: pd.DataFrame({"a": [1]}),
        lambda: pd.NA,
        lambda: pd.Timestamp("2026-01-01"),
        lambda: dt.date(2026, 1, 1),
        lambda: np.float32(0.5),
        lambda: np.int64(2),
        lambda: np.bool_(True),
        lambda: type,
    ]
    return makers[rng.integers(len(makers))]()


class Work:
    """Notes that work has begun: whatever is refused from then on is refused too late."""

    begun = False

    def begins(self) -> None:
        self.begun = True


class Hang(Exception):
    """A call took so long that it may never have ended."""


@contextmanager
def in_time(seconds: int = 60) -> Iterator[None]:
    """Raise in the midst of a call that does not end, where the system can do so."""
    if not hasattr(signal, "SIGALRM"):
        yield
        return

    def ring(*_: object) -> None:
        raise Hang(f"more than {seconds} seconds")

    before = signal.signal(signal.SIGALRM, ring)
    signal.alarm(seconds)
    try:
        yield
    finally:
        signal.alarm(0)
        signal.signal(signal.SIGALRM, before)


def names_its_argument(error: BaseException, names: Mapping[str, object]) -> bool:
    """Whether a message, or a note added to it, says which argument is meant."""
    text = " ".join([str(error), *getattr(error, "__notes__", ())])
    values = [repr(v) for v in names.values() if isinstance(v, str) and len(v) > 2]
    words = [rf"\b{re.escape(name)}\b" for name in names]
    return any(re.search(word, text) for word in words) or any(v in text for v in values)


def snapshot(adata: AnnData) -> dict[str, Any]:
    """Copy everything that a call could change."""
    copy = {f"obs.{k}": adata.obs[k].copy() for k in adata.obs}
    for kind in ("obsm", "obsp", "uns", "varm", "layers"):
        for key, value in getattr(adata, kind).items():
            whole = isinstance(value, np.ndarray | pd.DataFrame) or sp.issparse(value)
            copy[f"{kind}.{key}"] = value.copy() if whole else repr(value)
    return copy


def changed_fields(before: dict[str, Any], after: dict[str, Any]) -> str:
    """Name what was changed; colors of categories are scanpy's to write."""
    for name in before.keys() | after.keys():
        if name.endswith("_colors"):
            continue
        if (name in before) != (name in after):
            return f"{name} {'gone' if name in before else 'new'}"
        one, other = before[name], after[name]
        if type(one) is not type(other):
            same = False
        elif sp.issparse(one):
            same = (one != other).nnz == 0
        elif isinstance(one, pd.Series):
            same = one.equals(other) or (one.astype(str) == other.astype(str)).all()
        elif isinstance(one, np.ndarray | pd.DataFrame):
            one, other = np.asarray(one), np.asarray(other)
            same = one.shape == other.shape and one.tobytes() == other.tobytes()
        else:
            same = one == other
        if not same:
            return f"{name} changed"
    return ""


def try_calls(
    call: Callable[..., object],
    fuzzed: list[str],
    n_calls: int,
    seed: int,
    *,
    adata: AnnData | None = None,
    usual: Mapping[str, Any] = {},
    work: Work | None = None,
) -> list[Outcome]:
    """Call with one to three strange arguments, again and again; `work` says when it began."""
    rng = np.random.default_rng(seed)
    n = 5 if adata is None else adata.n_obs
    outcomes = []
    for _ in range(n_calls):
        chosen = rng.choice(fuzzed, rng.choice([1, 2, 3], p=[0.7, 0.2, 0.1]), replace=False)
        arguments = {str(name): strange(rng, n) for name in chosen}
        outcome = Outcome(arguments)
        before = snapshot(adata) if adata is not None else {}
        work = work or Work()
        work.begun = False
        try:
            with warnings.catch_warnings(), in_time():
                warnings.simplefilter("ignore")
                call(**{**usual, **arguments})
        except EXPECTED as error:
            outcome.error = error
            outcome.raw = not names_its_argument(error, arguments)
            outcome.late = work.begun
        except Exception as error:
            outcome.error, outcome.raw = error, True
        if adata is not None and outcome.error is not None:
            outcome.changed = changed_fields(before, snapshot(adata))
        outcomes.append(outcome)
    return outcomes


def _entries(tree: Mapping[str, Any], path: tuple[str, ...] = ()) -> list[tuple[str, ...]]:
    """List where something stands in nested mappings."""
    found = []
    for name, value in tree.items():
        found.append((*path, name))
        if isinstance(value, dict):
            found += _entries(value, (*path, name))
    return found


def _edited(tree: Any, path: tuple[str, ...], value: Any) -> dict[str, Any]:
    """Copy nested mappings with another value at one place; `...`: nothing there."""
    first, *rest = path
    if rest:
        return {**tree, first: _edited(tree[first], tuple(rest), value)}
    return {name: old for name, old in tree.items() if name != first} | (
        {} if value is ... else {first: value}
    )


def try_edited(
    places: list[str],
    work: Mapping[str, Callable[[AnnData], object]],
    adata: AnnData,
    n_calls: int,
    seed: int,
) -> list[Outcome]:
    """Change what is stored by hand, at one place or two, and then work with it.

    `places` are entries such as `"uns/key"`; a message must name one of them.
    """
    rng = np.random.default_rng(seed)
    outcomes = []
    for _ in range(n_calls):
        edited = adata.copy()
        given: dict[str, Any] = {}
        for _ in range(rng.choice([1, 2], p=[0.8, 0.2])):
            store, key = places[rng.integers(len(places))].split("/")
            value = ... if rng.random() < 0.15 else strange(rng, adata.n_obs)
            stored = getattr(edited, store)[key]
            if not isinstance(stored, dict):
                with suppress(Exception):  # anndata refuses other lengths
                    getattr(edited, store)[key] = value
                    given[f"{store}/{key}"] = value
                continue
            paths = [(), *_entries(stored)]
            path = paths[rng.integers(len(paths))]
            if value is ... and not path:
                continue
            edited.uns[key] = _edited(stored, path, value) if path else value
            given["/".join(map(str, (store, key, *path)))] = value
        name = list(work)[rng.integers(len(work))]
        outcome = Outcome({"work": name, **given})
        before = snapshot(edited)
        try:
            with warnings.catch_warnings(), in_time():
                warnings.simplefilter("ignore")
                work[name](edited)
        except EXPECTED as error:
            said = " ".join([str(error), *getattr(error, "__notes__", ())])
            outcome.error = error
            outcome.raw = not any(repr(place.split("/")[1]) in said for place in places)
            outcome.raw = outcome.raw and not said.startswith("color=")
        except Exception as error:
            outcome.error, outcome.raw = error, True
        if outcome.error is not None:
            outcome.changed = changed_fields(before, snapshot(edited))
        outcomes.append(outcome)
    return outcomes
