"""What a film's methods are given: whose argument it is, and whether it is a number that works."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np

if TYPE_CHECKING:
    from collections.abc import Mapping

LEAST_DPI = 10  # FreeType refuses letters of less than a pixel

#: Arguments of `matplotlib.animation.Animation.save` that ours does not have itself.
MATPLOTLIBS = (
    "codec",
    "bitrate",
    "extra_args",
    "extra_anim",
    "savefig_kwargs",
    "progress_callback",
)


def check_arguments(
    writer: object, ours: Mapping[str, object], matplotlib: Mapping[str, object]
) -> None:
    """See that nobody's arguments are dropped without a word."""
    for name in matplotlib:
        if name not in MATPLOTLIBS:
            raise TypeError(f"save() has no argument {name}=. It takes {', '.join(ours)}, …")
        if writer is None:
            raise TypeError(
                f"{name}= is an argument of matplotlib's writers: name one, such as "
                "writer='ffmpeg', or leave it out."
            )
    given = [name for name, value in ours.items() if value is not None]
    if writer is not None and given:
        raise TypeError(
            f"{given[0]}= is not known to matplotlib's writers: leave out writer={writer!r}, "
            f"or {given[0]}=."
        )


def is_count(number: object) -> bool:
    """Say whether something is a whole number: True and False are not."""
    return isinstance(number, int | np.integer) and not isinstance(number, bool)


def checked_dpi(dpi: float | str) -> float:
    """See that a resolution is one in which text can be drawn."""
    number = isinstance(dpi, int | float | np.number) and not isinstance(dpi, bool)
    if not (number and LEAST_DPI <= float(dpi) < np.inf):
        raise ValueError(
            f'dpi={dpi!r}: dots per inch, {LEAST_DPI} or more (usual: 100 to 300), or "figure".'
        )
    return float(dpi)
