"""What is written over each frame."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import TYPE_CHECKING, Any

import numpy as np

from scanpy_anim._checks import is_list, listed, printable, text_to_draw

if TYPE_CHECKING:
    from scanpy_anim.pl._options import PlotOptions
    from scanpy_anim.pl._source import Source
    from scanpy_anim.pl._timeline import Moment

FrameTitle = str | Sequence[object] | Callable[[int], object] | None
_FIELDS = ("frame", "iteration", "name", "n_frames")


def frame_names(source: Source) -> list[str]:
    """Name each frame of a source: iteration, gene, column, or its number."""
    if source.labels is not None:
        return [str(label) for label in source.labels]
    if source.iterations is not None:
        return [_iteration(t) for t in source.iterations]
    return [f"frame {i}" for i in range(source.n_frames)] if source.n_frames > 1 else [source.name]


def _iteration(t: float) -> str:
    return "limit" if np.isinf(t) else f"iteration {int(t)}"


def frame_titles(title: FrameTitle, source: Source) -> list[str] | None:
    """Spell out the text over each frame of a source, or `None` where there is none.

    Raises
    ------
    ValueError
        When a list is of another length than the frames, or a format names unknown fields.
    """
    texts = _spelled(title, source)
    for i, text in enumerate(texts or ()):
        text_to_draw(f"frame_title of frame {i}", text)
    return None if texts is None else [printable(text) for text in texts]


def _spelled(title: FrameTitle, source: Source) -> list[str] | None:
    """Spell out the texts as they were asked for."""
    if title is None:
        return None
    names = frame_names(source)
    if isinstance(title, str):
        if title != "auto":
            return [_formatted(title, i, names[i], source) for i in range(source.n_frames)]
        return None if set(names) == {source.name} else names  # where the stage says it
    if callable(title):
        return [_called(title, i) for i in range(source.n_frames)]
    if not is_list(title):
        raise TypeError(
            f"frame_title={title!r}: a format string, a list with a text for each frame, a "
            "function of the frame's number, or None."
        )
    texts = [str(t) for t in title]
    if len(texts) != source.n_frames:
        raise ValueError(f"frame_title has {len(texts)} texts; there are {source.n_frames} frames.")
    return texts


def _listed_titles(
    title: object, frame_title: FrameTitle, n_frames: int, n_panels: int
) -> FrameTitle:
    """Take a list in scanpy's `title` for the frames' texts, where it has one for each of them.

    Raises
    ------
    ValueError
        When a list has as many titles neither as there are panels nor as there are frames.
    """
    if not is_list(title):
        return frame_title
    texts = list(title)  # type: ignore[call-overload]
    if len(texts) == n_panels:
        return frame_title
    given = isinstance(frame_title, str) and frame_title == "auto"
    if len(texts) == n_frames and given:
        return [str(t) for t in texts]
    panels = "is one panel" if n_panels == 1 else f"are {n_panels} panels"
    raise ValueError(
        f"title has {len(texts)} entries; there {panels}. Texts over each of the {n_frames} frames "
        "are frame_title=."
    )


def _called(title: Callable[[int], object], i: int) -> str:
    try:
        return str(title(i))
    except Exception as error:
        error.add_note(f"raised by frame_title({i}), the function that titles frame {i}")
        raise


def moment_titles(
    texts: Sequence[str], moments: Sequence[Moment], ways: bool, limit: int | None = None
) -> list[str]:
    """Name each moment after the nearer frame, or after both ends of its way.

    Parameters
    ----------
    texts
        Of the frames.
    moments
        Of the film.
    ways
        Whether all that lies between two frames is a way.
    limit
        The frame to which there is a way, however the others are named; `None`: none.
    """
    return [
        f"{texts[m.first]} → {texts[m.second]}"
        if m.weight and (ways or limit in (m.first, m.second)) and texts[m.first] != texts[m.second]
        else texts[m.nearest]
        for m in moments
    ]


def _formatted(title: str, i: int, name: str, source: Source) -> str:
    iteration: Any = i if source.iterations is None else source.iterations[i]
    iteration = "limit" if np.isinf(iteration) else int(iteration)
    fields = {"frame": i, "iteration": iteration, "name": name, "n_frames": source.n_frames}
    try:
        return title.format(**fields)
    except (KeyError, IndexError, ValueError, AttributeError, TypeError) as error:
        raise ValueError(
            f"frame_title={title!r} does not fit frame {i} ({error}): a format string may use "
            f"{listed(_FIELDS)}; iteration is the word 'limit' in the last frame of a propagation."
        ) from error


def parted_titles(
    options: PlotOptions, frame_title: FrameTitle, n_frames: int, n_panels: int
) -> tuple[PlotOptions, FrameTitle]:
    """Tell titles of panels, which are scanpy's, from a list of titles of frames."""
    if options.dimensions:
        return options, frame_title
    texts = _listed_titles(options.title, frame_title, n_frames, n_panels)
    return (options if texts is frame_title else options.without("title")), texts
