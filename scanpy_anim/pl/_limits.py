"""The ends of a color map, as values: numbers, percentiles, functions, norms."""

from __future__ import annotations

import copy
from collections.abc import Callable, Iterable, Iterator, Mapping
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

import numpy as np

if TYPE_CHECKING:
    from matplotlib.colors import Normalize
    from numpy.typing import NDArray

BOUNDS = ("vmin", "vmax", "vcenter", "norm")
_BLOCK = 1 << 16
Frames = Callable[[], Iterable["NDArray[np.floating]"]]


@dataclass(frozen=True, eq=False)
class Limits:
    """`vmin`, `vmax`, `vcenter` and `norm` of one panel, as `sc.pl.embedding` takes them.

    Attributes
    ----------
    vmin, vmax, vcenter
        A number, a percentile such as `"p99"`, a function of all values; `None`: open.
    norm
        A norm of the caller's, whose open ends are filled.
    per_frame
        Whether what is not a number is resolved in each frame on its own.
    """

    vmin: Any = None
    vmax: Any = None
    vcenter: Any = None
    norm: Normalize | None = None
    per_frame: bool = False

    def __post_init__(self) -> None:
        self._check_norm()
        for name in BOUNDS[:3]:
            _check_bound(name, getattr(self, name))
        low, center, high = (_number(v) for v in (self.vmin, self.vcenter, self.vmax))
        pairs = (("vmin", low), ("vcenter", center)), (("vcenter", center), ("vmax", high))
        for (a, lower), (b, upper) in (*pairs, (("vmin", low), ("vmax", high))):
            if lower is not None and upper is not None and lower > upper:
                raise ValueError(f"{a}={lower!r}, {b}={upper!r}: {a} is above {b}.")

    def _check_norm(self) -> None:
        from matplotlib.colors import Normalize

        if self.norm is None:
            return
        if not isinstance(self.norm, Normalize):
            raise TypeError(
                f"norm={self.norm!r}: a matplotlib.colors.Normalize, such as LogNorm(); "
                "scale='log' has a logarithm, too."
            )
        for name in BOUNDS[:3]:
            if getattr(self, name) is not None:
                raise ValueError(
                    f"norm=, {name}={getattr(self, name)!r}: the norm has limits of its own; "
                    "give one of the two."
                )

    @property
    def given(self) -> list[str]:
        """Name those that were asked for."""
        return [name for name in BOUNDS if getattr(self, name) is not None]

    def norm_of(self, frames: Frames, default: type[Normalize]) -> Normalize:
        """Return a norm with both ends set: as asked, or to hold the values of `frames`.

        Parameters
        ----------
        frames
            Gives the usable values, frame by frame; asked again for each pass over them.
        default
            Class of the norm where the caller has none.
        """
        norm = self._asked(frames, default)
        ends = _ends(frames())
        if not ends.size:
            ends = np.array([1.0, 10.0] if default.__name__ == "LogNorm" else [0.0, 1.0])
        low, high = norm.vmin, norm.vmax
        norm.autoscale_None(ends)
        if norm.vmin is not None and norm.vmax is not None and norm.vmin > norm.vmax:
            if low is None:  # the values are all beyond the one end that was asked for
                norm.vmin = high
            else:
                norm.vmax = low
        return norm

    def _asked(self, frames: Frames, default: type[Normalize]) -> Normalize:
        from matplotlib.colors import TwoSlopeNorm

        if self.norm is not None:
            return copy.copy(self.norm)
        vmin, vmax, vcenter = (_resolved(n, getattr(self, n), frames) for n in BOUNDS[:3])
        if vcenter is None:
            return default(vmin, vmax)
        try:
            return TwoSlopeNorm(vcenter, vmin, vmax)
        except ValueError as error:
            raise ValueError(f"vmin={vmin}, vcenter={vcenter}, vmax={vmax}: {error}.") from None

    def fixed(self) -> tuple[float | None, float | None]:
        """Return the ends that are the same in every frame: numbers."""
        if self.norm is not None:
            return self.norm.vmin, self.norm.vmax
        return _number(self.vmin), _number(self.vmax)


def limits_of_panels(
    bounds: Mapping[str, Any], n_sources: int, n_panels: int, *, per_frame: bool
) -> list[Limits]:
    """Return the limits of each panel: a list of limits holds one for each, or for each source.

    Parameters
    ----------
    bounds
        `vmin`, `vmax`, `vcenter`, `norm`, as given.
    n_sources, n_panels
        How many things are shown; in how many panels: one may be in several, of other dimensions.
    per_frame
        As in `Limits`.
    """
    each = [dict(bounds) for _ in range(n_panels)]
    for name, value in bounds.items():
        if not isinstance(value, list | tuple):
            continue
        if len(value) not in (1, n_sources, n_panels):
            there = "is one panel" if n_panels == 1 else f"are {n_panels} panels"
            raise ValueError(
                f"{name}={value!r} has {len(value)} entries; there {there}, "
                "frames of one panel share their limits (or per_frame=True)."
            )
        repeats = n_panels // len(value) if len(value) in (1, n_sources) else 1
        for i, panel in enumerate(each):
            panel[name] = value[i // repeats]
    return [Limits(**panel, per_frame=per_frame) for panel in each]


def _check_bound(name: str, value: Any) -> None:
    """Refuse what is neither a number, nor a percentile, nor a function."""
    if value is None or callable(value) or _number(value) is not None:
        return
    if not isinstance(value, str) or _percentile(value) is None:
        raise ValueError(f"{name}={value!r}: a number, a percentile such as 'p99', a function.")


def _number(value: Any) -> float | None:
    """Return a finite number as such; `None` for anything else."""
    if isinstance(value, bool | np.bool_ | str) or callable(value):
        return None
    try:
        number = float(value)
    except (TypeError, ValueError):
        return None
    return number if np.isfinite(number) else None


def _percentile(value: str) -> float | None:
    try:
        share = float(value.removeprefix("p")) if value.startswith("p") else np.nan
    except ValueError:
        return None
    return share if 0 <= share <= 100 else None


def _resolved(name: str, value: Any, frames: Frames) -> float | None:
    """Return a limit as a number, from all values where it depends on them."""
    number = _number(value)
    if value is None or number is not None:
        return number
    parts = list(frames())
    together = np.concatenate(parts) if parts else np.empty(0)
    if isinstance(value, str):
        share = _percentile(value)
        return (
            float(np.percentile(together, share)) if together.size and share is not None else None
        )
    if not together.size:
        return None
    try:
        result = value(together)
    except Exception as error:
        error.add_note(f"raised by the function that is {name}=")
        raise
    number = _number(result)
    if number is None:
        raise ValueError(f"{name}: the function gave {result!r}, no finite number.")
    return number


def _ends(frames: Iterable[NDArray[np.floating]]) -> NDArray[np.float64]:
    """Return lowest, lowest positive and highest values: all that norms look at."""
    ends: list[float] = []
    for values in frames:
        if not values.size:
            continue
        low, high = values.min(), values.max()
        ends += [low, high]
        if low <= 0 < high:
            ends += [part.min() for part in _positive(values)]
    return np.asarray(ends, dtype=np.float64)


def _positive(values: NDArray[np.floating]) -> Iterator[NDArray[np.floating]]:
    """Give the positive values, some at a time: a copy of all would be slow."""
    for first in range(0, values.size, _BLOCK):
        block = values[first : first + _BLOCK]
        if (positive := block[block > 0]).size:
            yield positive
