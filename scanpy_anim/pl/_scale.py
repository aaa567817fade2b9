"""From values to what the colour map sees: rank, value or logarithm, with limits of the film."""

from __future__ import annotations

import copy
from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass, field, replace
from typing import TYPE_CHECKING, Any, Literal

import numpy as np
from numpy.typing import NDArray

if TYPE_CHECKING:
    from scanpy_anim.pl._source import Continuous

ScaleName = Literal["rank", "linear", "log"] | Callable[[NDArray], NDArray]
_BOUNDS = ("vmin", "vmax", "vcenter", "norm")


@dataclass(frozen=True, eq=False)
class Scale:
    """How numbers become positions on the colour map.

    Attributes
    ----------
    kind
        `"rank"`: the cell's rank within the frame, ties averaged (`scipy.stats.rankdata`),
        from the frame's lowest (0) to its highest (1). `"linear"`: the value. `"log"`: the
        value on a logarithmic colour scale. A function: what it makes of the values.
    bounds
        `vmin`, `vmax`, `vcenter`, `norm` as in `sc.pl.embedding`.
    per_frame
        Whether limits that are not numbers are resolved in each frame on its own.
    """

    kind: ScaleName = "rank"
    bounds: Mapping[str, Any] = field(default_factory=dict)
    per_frame: bool = False

    def __post_init__(self) -> None:
        if self.kind not in ("rank", "linear", "log") and not callable(self.kind):
            raise ValueError(f"scale={self.kind!r}: 'rank', 'linear', 'log' or a function.")
        self._check_norms(_each(self.bounds.get("norm")))
        lowest = [v for v in _each(self.bounds.get("vmin")) if isinstance(v, int | float)]
        if self.kind == "log" and any(v <= 0 for v in lowest):
            raise ValueError(f"vmin={self.bounds['vmin']!r}: scale='log' starts above 0.")

    def _check_norms(self, norms: Sequence[Any]) -> None:
        from matplotlib.colors import Normalize

        for norm in norms:
            if not isinstance(norm, Normalize):
                raise TypeError(
                    f"norm={norm!r}: a matplotlib.colors.Normalize, such as LogNorm(); "
                    "scale='log' has a logarithm, too."
                )
            if self.kind == "log":
                raise ValueError("scale='log' brings its own norm; norm= goes with scale='linear'.")
            for name in _BOUNDS[:3]:
                if self.bounds.get(name) is not None:
                    raise ValueError(
                        f"norm=, {name}={self.bounds[name]!r}: the norm has limits of its own; "
                        "give one of the two."
                    )

    def of_panels(self, n: int) -> list[Scale]:
        """Return the scale of each of `n` panels: lists of limits hold one for each."""
        each = [dict(self.bounds) for _ in range(n)]
        for name, value in self.bounds.items():
            if not isinstance(value, list | tuple):
                continue
            if len(value) not in (1, n):
                raise ValueError(
                    f"{name}={value!r} has {len(value)} entries; there {_panels(n)}, "
                    "frames of one panel share their limits (or per_frame=True)."
                )
            for i, bounds in enumerate(each):
                bounds[name] = value[i % len(value)]
        return [replace(self, bounds=bounds) for bounds in each]

    @property
    def plain_rank(self) -> bool:
        """Whether colours are ranks over the whole colour map, nothing else asked."""
        return self.kind == "rank" and all(self.bounds.get(b) is None for b in _BOUNDS)

    def shown(self, values: NDArray[np.floating]) -> NDArray[np.floating]:
        """Return what is coloured: scaled ranks, the values, or the function's result."""
        if self.kind == "rank":
            return scaled_ranks(values)
        if callable(self.kind):
            result = np.asarray(self.kind(values))
            if result.shape != values.shape:
                raise ValueError(
                    f"scale: the function gave shape {result.shape} for values of {values.shape}."
                )
            return result
        return values

    def limits(
        self, source: Continuous, frames: Iterable[int], mask: NDArray[np.bool_] | None = None
    ) -> dict[str, Any]:
        """Resolve the limits over `frames` and the cells of `mask`, for `sc.pl.embedding`."""
        if self.plain_rank:
            return {"vmin": 0.0, "vmax": 1.0}
        film = _Film(self, source, list(frames), mask)
        norm = self.bounds.get("norm")
        if norm is not None:
            norm = copy.copy(norm)
            norm.vmin = film.lowest if norm.vmin is None else norm.vmin
            norm.vmax = film.highest if norm.vmax is None else norm.vmax
            return {"norm": norm}
        vmin, vmax, vcenter = (film.bound(name, self.bounds.get(name)) for name in _BOUNDS[:3])
        vmin = film.lowest if vmin is None else vmin
        vmax = film.highest if vmax is None else vmax
        if self.kind == "log":
            from matplotlib.colors import LogNorm

            return {"norm": LogNorm(vmin, vmax)}
        return {"vmin": vmin, "vmax": vmax, **({} if vcenter is None else {"vcenter": vcenter})}


@dataclass(eq=False)
class _Film:
    """The values of all frames together, as far as limits ask for them."""

    scale: Scale
    source: Continuous
    frames: list[int]
    mask: NDArray[np.bool_] | None
    _range: tuple[float, float] | None = None

    def values(self, i: int) -> NDArray[np.floating]:
        values = self.source.read(i)
        values = self.scale.shown(values if self.mask is None else values[self.mask])
        usable = np.isfinite(values)
        if self.scale.kind == "log":
            usable &= values > 0
        return values[usable]

    @property
    def range(self) -> tuple[float, float]:
        if self._range is None:
            parts = [v for v in map(self.values, self.frames) if v.size]
            if parts:
                self._range = float(min(p.min() for p in parts)), float(max(p.max() for p in parts))
            else:
                self._range = (1.0, 10.0) if self.scale.kind == "log" else (0.0, 1.0)
        return self._range

    @property
    def lowest(self) -> float:
        return self.range[0]

    @property
    def highest(self) -> float:
        return self.range[1]

    def bound(self, name: str, value: Any) -> float | None:
        """Resolve a number, a percentile such as "p99" or a function of all values."""
        if value is None:
            return None
        if isinstance(value, str):
            try:
                percentile = float(value.removeprefix("p")) if value.startswith("p") else None
            except ValueError:
                percentile = None
            if percentile is None or not 0 <= percentile <= 100:
                raise ValueError(
                    f"{name}={value!r}: a number, a percentile such as 'p99', a function."
                )
            together = self._together()
            return float(np.percentile(together, percentile)) if together.size else None
        return float(value(self._together())) if callable(value) else float(value)

    def _together(self) -> NDArray[np.floating]:
        return np.concatenate([self.values(i) for i in self.frames])


def _each(value: Any) -> list[Any]:
    """Return a limit, or those in a list, without those that are left open."""
    values = value if isinstance(value, list | tuple) else [value]
    return [v for v in values if v is not None]


def _panels(n: int) -> str:
    return "is one panel" if n == 1 else f"are {n} panels"


def scaled_ranks(values: NDArray[np.floating]) -> NDArray[np.float64]:
    """Rank values, ties averaged, scaled to 0 for the lowest and 1 for the highest; NaN stays."""
    from scipy.stats import rankdata

    ranks = rankdata(values, nan_policy="omit")
    known = ranks[~np.isnan(ranks)]
    if known.size == 0 or known.min() == known.max():
        return np.where(np.isnan(ranks), np.nan, 0.0)
    return (ranks - known.min()) / (known.max() - known.min())
