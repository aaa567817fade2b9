"""One thing shown in parts: a frame for each category, or cells that appear along a number."""

from __future__ import annotations

from dataclasses import dataclass, replace
from typing import TYPE_CHECKING, Any

import numpy as np

from scanpy_anim._checks import listed, whole
from scanpy_anim.pl._source import Categorical, Continuous

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence

    from numpy.typing import NDArray

    from scanpy_anim.pl._source import Source

#: Frames of a reveal, where nothing else is asked for and there are as many different numbers.
_FRAMES = 40
#: Frames that a film can be asked for: a day and more of it.
MOST_FRAMES = 1_000_000


@dataclass(frozen=True, eq=False)
class Parts:
    """Which cells each frame shows, and what to call it."""

    labels: Sequence[str]
    shown: Callable[[int], NDArray[np.bool_]]

    def of(self, source: Source) -> Source:
        """Return what the source shows in its last frame, part by part; the rest is missing."""
        if source.n_frames > 1 and not source.stored:
            raise ValueError(
                f"groupby= and along= show one thing in parts; color has {source.n_frames} frames. "
                "Name one column, gene or result."
            )
        values = source.read(source.n_frames - 1)
        whole_film: dict[str, Any] = {
            "n_frames": len(self.labels),
            "labels": list(self.labels),
            "iterations": None,
            "seeds": None,
            "stored": False,
            "in_parts": True,
        }
        if isinstance(source, Continuous):
            return replace(
                source, read=lambda i: np.where(self.shown(i), values, np.nan), **whole_film
            )
        confidence, last = source.confidence, source.n_frames - 1
        names = source.names(last)
        return replace(
            source,
            read=lambda i: np.where(self.shown(i), values, -1),
            confidence=None if confidence is None else lambda i: confidence(last),
            frame_names=lambda i: names,
            **whole_film,
        )


def parts_by_group(groups: Source) -> Parts:
    """Make a frame for each category of a column, in their order, or for each of its numbers."""
    values = groups.read(0)
    if isinstance(groups, Categorical):
        present = [k for k in range(len(groups.categories)) if (values == k).any()]
        names = [groups.categories[k] for k in present]
        members: list[NDArray[np.bool_]] = [values == k for k in present]
    else:
        distinct = np.unique(values[np.isfinite(values)])
        if len(distinct) > _FRAMES:
            raise ValueError(
                f"groupby={groups.name!r} has {len(distinct)} different numbers, and a frame for "
                f"each is not what you want: along={groups.name!r} reveals cells as it grows."
            )
        names = _spelled(distinct, 6)
        members = [values == value for value in distinct]
    if not names:
        raise ValueError(f"groupby={groups.name!r} has no value in any cell.")
    return Parts(names, members.__getitem__)


def parts_along(numbers: Source, n_frames: int | None, *, cumulative: bool) -> Parts:
    """Let cells appear as a number grows, in equal steps of it.

    Parameters
    ----------
    numbers
        Of each cell; cells without any, or with an infinite one, never appear.
    n_frames
        How many frames; `None`: 40, or one for each different number where they are fewer.
    cumulative
        Whether cells stay once they have appeared.
    """
    if isinstance(numbers, Categorical):
        raise TypeError(
            f"along={numbers.name!r} holds categories ({listed(numbers.categories, 4)}): "
            f"groupby={numbers.name!r} shows a frame for each."
        )
    values = numbers.read(0)
    distinct = np.unique(values[np.isfinite(values)])
    if not len(distinct):
        raise ValueError(f"along={numbers.name!r} has no finite number in any cell.")
    if n_frames is None and len(distinct) <= _FRAMES:
        ends = distinct
    else:
        n = whole("n_frames", _FRAMES if n_frames is None else n_frames, most=MOST_FRAMES)
        ends = np.linspace(distinct[0], distinct[-1], n + 1)[1:]
        ends[-1] = distinct[-1]
    starts = np.append(-np.inf, ends[:-1])
    low, *high = _spelled(np.append(distinct[0], ends), 3)
    if cumulative:
        labels = [f"{numbers.name} ≤ {end}" for end in high]
    else:
        labels = [
            f"{numbers.name} {first} – {end}"
            for first, end in zip([low, *high], high, strict=False)
        ]

    def shown(i: int) -> NDArray[np.bool_]:
        with np.errstate(invalid="ignore"):
            below = values <= ends[i]
            return below & np.isfinite(values) & (cumulative | (values > starts[i]))

    return Parts(labels, shown)


def _spelled(numbers: NDArray[Any], digits: int) -> list[str]:
    """Spell numbers with so many digits, or more where it takes these to tell them apart.

    All digits before the point are given, up to 15: years and dates are read as what they are.
    """
    n_distinct = len(np.unique(numbers))
    for least in range(digits, 17):
        rounded = [_rounded(float(number), least) for number in numbers]
        if len(set(rounded)) >= n_distinct:
            break
    return [
        np.format_float_positional(number, trim="-")
        if 1e-4 <= abs(number) < 1e15
        else f"{number:g}"
        for number in rounded
    ]


def _rounded(number: float, digits: int) -> float:
    before_point = len(f"{abs(number):.0f}")
    return 0.0 + float(f"{number:.{max(digits, before_point) if before_point <= 15 else digits}g}")
