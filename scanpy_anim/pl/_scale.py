"""From values to what the color map sees: ranks, values, logarithms, or a function of them."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from functools import partial
from typing import TYPE_CHECKING, Any, ClassVar, Literal, NamedTuple, Protocol

import numpy as np
from numpy.typing import NDArray

from scanpy_anim._checks import switch
from scanpy_anim.pl._limits import Limits, limits_of_panels
from scanpy_anim.pl._source import Continuous
from scanpy_anim.raster import rank_levels, value_levels

if TYPE_CHECKING:
    from matplotlib.colors import Normalize

    from scanpy_anim.pl._source import Source

ScaleName = Literal["auto", "rank", "linear", "log"] | Callable[[NDArray], NDArray]
_KINDS = ("auto", "rank", "linear", "log")


class _BarText(NamedTuple):
    """What a color bar says: what it shows, and where it has ticks (`None`: where they are)."""

    label: str | None = None
    ticks: tuple[float, ...] | None = None
    tick_labels: tuple[str, ...] | None = None


class Scale(Protocol):
    """What a color scale is asked for: which values have a color, and which one."""

    #: Whether values that part from each other jump in color, however close they still are.
    jumps: ClassVar[bool]

    @property
    def limits(self) -> Limits:
        """Return the ends of the color map, as they were asked for."""

    def is_plain(self, norm: Normalize) -> bool:
        """Whether a cell's color depends on its own value alone, and every valid value has one."""

    def shown(self, values: NDArray[np.floating]) -> NDArray[np.floating]:
        """Return what is colored, in the units of the color bar."""

    def valid(self, values: NDArray[np.floating]) -> NDArray[np.bool_]:
        """Return which values have a color."""

    def norm(
        self, source: Continuous, frames: Iterable[int], mask: NDArray[np.bool_] | None = None
    ) -> Normalize:
        """Return the norm of a whole film: of some frames, of the cells of `mask`."""

    def levels(
        self, values: NDArray[np.floating], norm: Normalize, n: int
    ) -> NDArray[np.unsignedinteger]:
        """Return the row of a color table of `n` colors for each value of a frame."""

    def bar(self, source: Continuous, norm: Normalize, *, titled: bool) -> _BarText:
        """Say what the color bar shows; `titled`: the panel's title says so already."""


@dataclass(frozen=True, eq=False)
class _Linear:
    """Colors by the value."""

    limits: Limits = field(default_factory=Limits)
    jumps: ClassVar[bool] = False

    def __post_init__(self) -> None:
        """Refuse limits that the scale cannot have: a plain one has any."""

    def is_plain(self, norm: Normalize) -> bool:
        """Whether a cell's color depends on its own value alone, and every valid value has one."""
        plain = type(norm) is self._norm_class() and not norm.clip
        return type(self) in (_Linear, _Log) and plain and not self.limits.per_frame

    def shown(self, values: NDArray[np.floating]) -> NDArray[np.floating]:
        """Return what is colored, in the units of the color bar."""
        return values

    def valid(self, values: NDArray[np.floating]) -> NDArray[np.bool_]:
        """Return which values have a color."""
        return np.isfinite(values)

    def norm(
        self, source: Continuous, frames: Iterable[int], mask: NDArray[np.bool_] | None = None
    ) -> Normalize:
        """Return the norm of a whole film: of some frames, of the cells of `mask`."""
        chosen = list(frames)

        def usable() -> Iterable[NDArray[np.floating]]:
            for i in chosen:
                values = source.read(i)
                yield self._usable(self.shown(values if mask is None else values[mask]))

        return self.limits.norm_of(usable, self._norm_class())

    def _usable(self, shown: NDArray[np.floating]) -> NDArray[np.floating]:
        valid = self.valid(shown)
        return shown if valid.all() else shown[valid]

    def _norm_class(self) -> type[Normalize]:
        from matplotlib.colors import Normalize

        return Normalize

    def levels(
        self, values: NDArray[np.floating], norm: Normalize, n: int
    ) -> NDArray[np.unsignedinteger]:
        """Return the row of a color table for each value of a frame, as matplotlib takes it.

        Parameters
        ----------
        values
            Of all cells; NaN where there is none.
        norm
            Of the film; replaced by the frame's own with `per_frame`.
        n
            Number of colors in the map.
        """
        shown = self.shown(values)
        if self.limits.per_frame:
            usable = self._usable(shown)
            norm = self.limits.norm_of(lambda: [usable], self._norm_class())
        return value_levels(shown, norm, n)

    def bar(self, source: Continuous, norm: Normalize, *, titled: bool) -> _BarText:
        """Say what the color bar shows; `titled`: the panel's title says so already."""
        same = source.labels is None or source.in_parts
        named = same and source.n_frames > 1 and not titled
        ticks: tuple[float, ...] | None = None
        labels: tuple[str, ...] | None = None
        if self.limits.per_frame and None in self.limits.fixed():
            ticks = (norm.vmin, norm.vmax)  # type: ignore[assignment]
            words = zip(self.limits.fixed(), ("low", "high"), strict=True)
            labels = tuple(word if end is None else f"{end:g}" for end, word in words)
        return _BarText(source.name if named else None, ticks, labels)


class _Log(_Linear):
    """Colors by the logarithm of the value; what is not above 0 has none."""

    def __post_init__(self) -> None:
        limits = self.limits
        if limits.norm is not None:
            raise ValueError("scale='log' brings its own norm; norm= goes with scale='linear'.")
        if limits.vcenter is not None:
            raise ValueError(
                f"vcenter={limits.vcenter!r}: scale='log' has no center; scale='linear' has."
            )
        for name, end in zip(("vmin", "vmax"), limits.fixed(), strict=True):
            if end is not None and end <= 0:
                raise ValueError(f"{name}={getattr(limits, name)!r}: scale='log' starts above 0.")

    def valid(self, values: NDArray[np.floating]) -> NDArray[np.bool_]:
        """Return which values have a color: those above 0."""
        with np.errstate(invalid="ignore"):
            return np.isfinite(values) & (values > 0)

    def _norm_class(self) -> type[Normalize]:
        from matplotlib.colors import LogNorm

        return LogNorm


@dataclass(frozen=True, eq=False)
class _Function(_Linear):
    """Colors by what a function makes of a frame's values."""

    function: Callable[[NDArray], NDArray] = np.asarray

    def shown(self, values: NDArray[np.floating]) -> NDArray[np.floating]:
        """Return the function's result."""
        try:
            result = np.asarray(self.function(values))
        except Exception as error:
            error.add_note("raised by the function that is scale=")
            raise
        if result.shape != values.shape or result.dtype.kind not in "biuf":
            raise ValueError(
                f"scale: the function gave shape {result.shape} ({result.dtype}) for values of "
                f"{values.shape}."
            )
        return result

    def bar(self, source: Continuous, norm: Normalize, *, titled: bool) -> _BarText:
        """Name the function and what it was taken of."""
        one = source.labels is None or source.in_parts or source.n_frames == 1
        subject = source.name if one else "value"
        return (
            super()
            .bar(source, norm, titled=True)
            ._replace(label=f"{_function_name(self.function)}({subject})")
        )


class _Rank(_Linear):
    """Colors by the rank within the frame, ties averaged (`scipy.stats.rankdata`).

    The frame's lowest has the lower end of the color map, its highest the upper end. Limits would
    be values, and ranks have none.
    """

    jumps: ClassVar[bool] = True

    def __post_init__(self) -> None:
        for name in self.limits.given:
            raise ValueError(
                f"{name}={getattr(self.limits, name)!r}, scale='rank': limits are values, and "
                "ranks have none; scale='linear' shows values."
            )

    def norm(
        self, source: Continuous, frames: Iterable[int], mask: NDArray[np.bool_] | None = None
    ) -> Normalize:
        """Return a norm from 0, the frame's lowest, to 1, its highest."""
        return self._norm_class()(0.0, 1.0)

    def levels(
        self, values: NDArray[np.floating], norm: Normalize, n: int
    ) -> NDArray[np.unsignedinteger]:
        """Return the row of a color table for the rank of each value."""
        return rank_levels(values, n)

    def bar(self, source: Continuous, norm: Normalize, *, titled: bool) -> _BarText:
        """Say that ranks are shown, from low to high."""
        return _BarText("rank", (0.0, 1.0), ("low", "high"))


@dataclass(frozen=True)
class ScaleChoice:
    """What the caller asked for: `scale` and `per_frame`.

    `"auto"` is ranks for what an algorithm stored, unless limits ask for values, and linear for
    all else.
    """

    kind: ScaleName = "auto"
    per_frame: bool = False

    def __post_init__(self) -> None:
        if not (callable(self.kind) or (isinstance(self.kind, str) and self.kind in _KINDS)):
            raise ValueError(f"scale={self.kind!r}: 'auto', 'rank', 'linear', 'log' or a function.")
        switch("per_frame", self.per_frame)

    def of_panels(self, sources: Sequence[Source], bounds: Mapping[str, Any]) -> list[Scale]:
        """Return the scale of each panel, from what it shows and the limits that were given."""
        n_sources = len({id(source) for source in sources})
        each = limits_of_panels(bounds, n_sources, len(sources), per_frame=self.per_frame)
        return [_scale(self.kind, lim, s) for lim, s in zip(each, sources, strict=True)]


def _scale(kind: ScaleName, limits: Limits, source: Source) -> Scale:
    if callable(kind):
        return _Function(limits, kind)
    if kind == "auto":
        ranked = isinstance(source, Continuous) and source.stored
        kind = "rank" if ranked and not limits.given and not limits.per_frame else "linear"
    return {"rank": _Rank, "linear": _Linear, "log": _Log}[kind](limits)


def _function_name(function: Callable[..., object]) -> str:
    """Return what to call a function on a color bar."""
    while isinstance(function, partial):
        function = function.func
    name = getattr(function, "__name__", type(function).__name__)
    return "scale" if name == "<lambda>" else name
