"""The initial signal: the rows of seed cells, a column a class."""

from __future__ import annotations

from collections import Counter
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

import numpy as np
from scipy import sparse

from scanpy_anim._cells import Cells, empty, in_full, read_cells
from scanpy_anim._checks import as_array, require_finite, require_range
from scanpy_anim._table import in_memory
from scanpy_anim.tl._peak import require_room

if TYPE_CHECKING:
    import pandas as pd
    from numpy.typing import NDArray

# of the largest weight
_FAINT = 1e-12
# times as many seeds as the smallest class has
_UNEVEN = 3.0


@dataclass(frozen=True, slots=True)
class Seeds:
    """The initial signal, seed rows only.

    Attributes
    ----------
    positions
        `(n_seeds,)` cells with a non-zero row, ascending.
    signal
        `(n_seeds, n_classes)` float32, their rows.
    classes
        Names of the classes; empty for one class, which needs no name.
    colors
        One color a class where the seeds are a column that has them.
    spelling
        How the seeds were written, when that is an obs column.
    doubts
        What a user should be told before believing what comes of these seeds.
    """

    positions: NDArray[np.int64]
    signal: NDArray[np.float32]
    classes: tuple[str, ...] = ()
    colors: tuple[str, ...] = ()
    spelling: str | tuple[str, ...] | None = None
    doubts: tuple[str, ...] = ()

    @property
    def n_classes(self) -> int:
        """Number of columns of the signal."""
        return self.signal.shape[1]

    def table(self) -> SeedTable:
        """Class by class: a cell that seeds two classes is listed twice."""
        rows, classes = np.nonzero(self.signal)
        weights = self.signal[rows, classes]
        return SeedTable(self.positions[rows], classes, weights, self.n_classes)


def from_matrix(obs_names: pd.Index, signal: Any, names: tuple[str, ...] | None) -> Seeds:
    if signal.ndim == 2 and 1 in signal.shape and signal.shape[0] != len(obs_names):
        return one_class(read_cells(obs_names, signal))
    if signal.shape[0] != len(obs_names):
        raise ValueError(
            f"seeds is a signal of {signal.shape[0]} rows, but there are {len(obs_names)} cells"
        )
    if signal.dtype.kind not in "biuf":
        raise TypeError(f"seeds of dtype {signal.dtype} are not a signal: pass numbers")
    compressed = sparse.csr_array(in_full(signal)).astype(np.float64)
    if not np.isfinite(compressed.data).all():
        require_finite(compressed.toarray(), "seeds")
    compressed.eliminate_zeros()
    require_range(compressed.data, "seeds")
    names = names or tuple(map(str, range(signal.shape[1])))
    require_distinct(list(names), "class names")
    if len(names) > 1:
        _require_shares(compressed, names)
    positions = np.flatnonzero(np.diff(compressed.indptr))
    if not len(positions):
        raise empty("seeds")
    require_room(*compressed.shape)
    rows = compressed[positions].astype(np.float32).toarray()
    several = len(names) > 1
    return Seeds(
        positions,
        rows,
        classes=names if several else (),
        doubts=_faint_classes(rows, names) if several else (),
    )


def _faint_classes(rows: NDArray[np.float32], names: tuple[str, ...]) -> tuple[str, ...]:
    """Say which classes weigh so little that float32 loses their scores beside the others'."""
    size = rows.max(axis=0)
    faint = [name for name, s in zip(names, size, strict=True) if s < _FAINT * size.max()]
    if not faint:
        return ()
    return (
        f"seeds: classes {faint[:5]} weigh less than {_FAINT:g} of the heaviest one, so that "
        "hardly a cell becomes theirs, and scores of iterations may be too small for float32: "
        "weights of all classes should be of one order",
    )


def _require_shares(signal: sparse.csr_array, names: tuple[str, ...]) -> None:
    """Several classes share a cell out, so that none may be negative or without seeds."""
    if (signal.data < 0).any():
        raise ValueError(
            "seeds of several classes must not be negative: signals of both signs need a call each"
        )
    used = np.bincount(signal.indices, minlength=len(names)) > 0
    if not used.all():
        without = [name for name, is_used in zip(names, used, strict=True) if not is_used]
        raise ValueError(f"seeds: classes without any seed cell: {without[:5]}")


def one_class(cells: Cells, spelling: str | None = None) -> Seeds:
    if not len(cells.positions):
        raise empty("seeds")
    require_range(cells.weights, "seeds")
    order = np.argsort(cells.positions, kind="stable")
    signal = cells.weights[order, None].astype(np.float32)
    return Seeds(cells.positions[order], signal, spelling=spelling)


def require_distinct(names: list[str], what: str) -> None:
    twice = sorted(name for name, count in Counter(names).items() if count > 1)
    if twice:
        raise ValueError(f"{what} name the same class more than once: {twice[:5]}")


@dataclass(frozen=True, eq=False)
class SeedTable:
    """Seeds by position; a cell that seeds two classes is listed twice."""

    positions: NDArray[np.integer]
    classes: NDArray[np.integer]
    weights: NDArray[np.floating]
    n_classes: int

    def of(self, rows: NDArray[np.integer]) -> SeedTable:
        """Take some of them."""
        return SeedTable(
            self.positions[rows], self.classes[rows], self.weights[rows], self.n_classes
        )

    def counts(self) -> NDArray[np.int64]:
        """Seeds of each class."""
        return np.bincount(self.classes, minlength=self.n_classes)

    def signal(self, n_obs: int) -> Any:
        """Seed signal, sparse, a column a class."""
        shape = (n_obs, self.n_classes)
        return sparse.csr_array((self.weights, (self.positions, self.classes)), shape=shape)

    def alone(self) -> NDArray[np.intp]:
        """Those whose cell seeds no other class: the others' label is no truth to learn from."""
        return np.flatnonzero(np.bincount(self.positions)[self.positions] == 1)

    def uneven(self) -> bool:
        """Whether some class has several times as many seeds as others."""
        counts = self.counts()
        counts = counts[counts > 0]
        return bool(counts.max() > _UNEVEN * counts.min())


def nonzero_rows_of(signal: Any, n_obs: int) -> tuple[NDArray[np.int64], NDArray[np.float32]]:
    """Rows of the signal that are not zero: their positions and float32 values."""
    signal = in_memory(signal)
    if not sparse.issparse(signal):
        signal = as_array("signal", signal)
    if len(signal.shape) not in (1, 2) or signal.shape[0] != n_obs:
        raise ValueError(f"signal is of shape {signal.shape}, but the graph has {n_obs} nodes")
    if not n_obs:
        raise ValueError("graph has no nodes, and signal no rows")
    if signal.dtype.kind not in "biuf":
        raise TypeError(f"signal of dtype {signal.dtype}: pass real numbers")
    if sparse.issparse(signal):
        signal = in_full(signal)
        rows = sparse.csr_array(signal if signal.ndim == 2 else signal.reshape(-1, 1))
        # stored zeros count here, and are dropped below
        positions = np.flatnonzero(np.diff(rows.indptr))
        values = rows[positions].toarray()
        seeding = (values != 0).any(axis=1)
        positions, values = positions[seeding], values[seeding]
    else:
        dense = signal.reshape(n_obs, -1)
        # NaN counts as not zero, and is found below
        positions = np.flatnonzero((dense != 0).any(axis=1))
        values = dense[positions]
    _require_numbers(values, positions, signal)
    if not len(positions):
        raise ValueError("signal is zero everywhere: no seed to start from")
    return positions.astype(np.int64), values.astype(np.float32)


def _require_numbers(values: NDArray[Any], positions: NDArray[Any], signal: Any) -> None:
    """Refuse NaN, infinite and what float32 cannot hold, and say where in the whole signal."""
    if not np.isfinite(values).all():
        whole = np.zeros((signal.shape[0], values.shape[1]))
        whole[positions] = values
        require_finite(whole if signal.ndim == 2 else whole[:, 0], "signal")
    require_range(values.ravel(), "signal")
