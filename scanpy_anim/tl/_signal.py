"""The initial signal, cut down to the rows that are not zero."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import numpy as np
from scipy import sparse

from scanpy_anim.tl._cells import require_finite, require_range

if TYPE_CHECKING:
    from numpy.typing import NDArray


def compact_signal(signal: Any, n_obs: int) -> tuple[NDArray[np.int64], NDArray[np.float32]]:
    """Rows of the signal that are not zero: their positions and float32 values."""
    if not sparse.issparse(signal):
        signal = np.asarray(signal)
    if len(signal.shape) not in (1, 2) or signal.shape[0] != n_obs:
        raise ValueError(f"signal is of shape {signal.shape}, but the graph has {n_obs} nodes")
    if signal.dtype.kind not in "biuf":
        raise TypeError(f"signal of dtype {signal.dtype}: pass real numbers")
    if sparse.issparse(signal):
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
