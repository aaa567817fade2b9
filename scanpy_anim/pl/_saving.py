"""A film becomes a file: what `save` was asked for, checked; frames handed to the encoders."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, Literal

import matplotlib as mpl
import numpy as np
import scanpy as sc

from scanpy_anim import video
from scanpy_anim._checks import choice, is_number, switch
from scanpy_anim.pl._explorer import check_page

if TYPE_CHECKING:
    from collections.abc import Mapping

    from matplotlib.figure import Figure

    from scanpy_anim.pl._footage import Footage

_LEAST_DPI = 10  # FreeType refuses letters of less than a pixel

#: Ours that matplotlib's writers do not have.
_OURS = (
    "hold",
    "loop",
    "quality",
    "transparent",
    "bbox_inches",
    "max_bytes",
    "target",
    "format",
    "progress",
)
#: Ours that have to do with pictures.
_OF_PICTURES = ("quality", "transparent", "bbox_inches", "max_bytes", "target")

#: Arguments of `matplotlib.animation.Animation.save` that ours does not have itself.
_MATPLOTLIBS = (
    "codec",
    "bitrate",
    "extra_args",
    "extra_anim",
    "savefig_kwargs",
    "progress_callback",
)


@dataclass(frozen=True, eq=False)
class SaveOptions:
    """What is asked of a file, each as of `EmbeddingAnimation.save`; `None`: nothing."""

    fps: float | None = None
    dpi: float | str | None = None
    hold: float | None = None
    loop: int | None = None
    quality: float | None = None
    transparent: bool | None = None
    bbox_inches: Literal["tight", "standard"] | None = None
    max_bytes: int | str | None = None
    target: str | None = None
    metadata: Mapping[str, str] | None = None
    format: str | None = None
    progress: bool | None = None

    def resolution(self, figure: Figure) -> float:
        """Return the dots per inch of the frames."""
        dpi = mpl.rcParams["savefig.dpi"] if self.dpi is None else self.dpi
        return figure.dpi if isinstance(dpi, str) and dpi == "figure" else checked_dpi(dpi)

    @property
    def tight(self) -> bool:
        """Whether margins are cut off."""
        asked = self.bbox_inches
        return (mpl.rcParams["savefig.bbox"] if asked is None else asked) == "tight"

    def check_page(self, filename: Any, writer: object) -> None:
        """See that a page that holds the scores is not asked for what pictures have."""
        given = {"writer": writer, **{name: getattr(self, name) for name in _OF_PICTURES}}
        for name, value in given.items():
            if value is not None:
                raise ValueError(
                    f"interactive=True, {name}={value!r}: the page holds the scores, not pictures; "
                    f"leave out {name}=, or interactive=True."
                )
        check_page(filename, self.format)
        loop = 0 if self.loop is None else self.loop
        timing: Any = {"loop": loop, "fps": self.fps, "hold": self.hold}
        video.check(filename, format=self.format, metadata=self.metadata, **timing)


def check_arguments_of_save(
    writer: object, asked: SaveOptions, matplotlib: Mapping[str, object]
) -> None:
    """See that nobody's arguments are dropped without a word."""
    for name in matplotlib:
        if name not in _MATPLOTLIBS:
            raise TypeError(f"save() has no argument {name}=. It takes {', '.join(_OURS)}, …")
        if writer is None:
            raise TypeError(
                f"{name}= is an argument of matplotlib's writers: name one, such as "
                "writer='ffmpeg', or leave it out."
            )
    for name in ("transparent", "progress"):
        if getattr(asked, name) is not None:
            switch(name, getattr(asked, name))
    if writer is not None and not (isinstance(writer, str) or hasattr(writer, "saving")):
        raise TypeError(f"writer={writer!r}: a writer of matplotlib, or its name.")
    if asked.bbox_inches is not None:
        choice("bbox_inches", asked.bbox_inches, ("tight", "standard"))
    given = [name for name in _OURS if getattr(asked, name) is not None]
    if writer is not None and given:
        raise TypeError(
            f"{given[0]}= is not known to matplotlib's writers: leave out writer={writer!r}, "
            f"or {given[0]}=."
        )


def save_film(
    footage: Footage, filename: Any, asked: SaveOptions, *, progress: bool | None
) -> None:
    """Write a film; `progress` is what it was made with."""
    choices: Any = {
        "loop": 0 if asked.loop is None else asked.loop,
        "quality": asked.quality,
        "max_bytes": asked.max_bytes,
        "target": asked.target,
        "format": asked.format,
    }
    video.check(filename, fps=asked.fps, hold=asked.hold, metadata=asked.metadata, **choices)
    clear = asked.transparent
    film = footage.as_video(
        asked.resolution(footage.figure),
        footage.timeline.seconds(asked.fps, asked.hold),
        transparent=mpl.rcParams["savefig.transparent"] if clear is None else clear,
        metadata=asked.metadata,
        tight=asked.tight,
    )
    start = sc.logging.info(f"saving {len(footage)} frames")
    shown = progress if asked.progress is None else asked.progress
    written = video.write(film, filename, **choices, progress=shown)
    for note in written.notes:
        sc.logging.warning(note)  # scanpy shows no less by default
    sc.logging.info(
        "    finished", time=start, deep=f"wrote {filename}, {written.size / 1e6:.2f} MB"
    )


def checked_dpi(dpi: float | str) -> float:
    """See that a resolution is one in which text can be drawn."""
    if not (is_number(dpi) and _LEAST_DPI <= float(dpi) < np.inf):
        raise ValueError(
            f'dpi={dpi!r}: dots per inch, {_LEAST_DPI} or more (usual: 100 to 300), or "figure".'
        )
    return float(dpi)
