"""When an entry of the limit is right: how large its own residual may be.

Let `x` solve but for `rho_i = |B - (D - alpha A) x|_i / (D x)_i`, and let
`h > 0` with `alpha A h <= gamma D h`. A step `i -> j` of the chain with the probabilities
`alpha A_ij x_j / (D x)_i` leads back where the score came from. `log(x_j / h_j)` grows along it by
`log(1 / gamma)` at least a step, on average (the log-sum inequality), and has nowhere to go beyond
its maximum. So a walk from `i` takes

    T_i <= 1 + (1 + log max(x / h) - log(x_i / h_i)) / log(1 / gamma)

steps at most, on average, until it ends at a seed, and as the relative error of `x_i` is the sum of
`rho` along it, it is at most `T_i max(rho)`. Each `rho_i` is held against the largest `T` of its
class: against its own, they could add up to a multiple. With row sums in `D`, `h = 1` and
`gamma = alpha` serve. Else `h = t`, where `(D - alpha A) t >= D / 2`, and
`gamma = 1 - 1 / (2 max t)`.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np
from numba import njit

if TYPE_CHECKING:
    from numpy.typing import NDArray

    from scanpy_anim._arrays import Bools, Floats, Ints
# what rounding may have done to a row's sum, relative
ROUNDING = 1e-15
# below it float64 itself loses digits
TINIEST = 1e-290
# relative error that is called right, in every entry; with hard clamping classes are added up
ACCURACY, HARD_ACCURACY = 9e-5, 5e-6


@dataclass(frozen=True, slots=True)
class Bound:
    """How large the own residual of an entry may be: `T` of the module, and the accuracy.

    Attributes
    ----------
    steps
        `1 / log(1 / gamma)`.
    slack
        `log(max h / min h)`, 0 where `h` is 1.
    accuracy
        Relative error that is allowed.
    """

    steps: float
    slack: float
    accuracy: float

    def spans(self, x: NDArray[np.float64]) -> NDArray[np.float64]:
        """Largest `T_i / steps` of each class, among entries that float64 holds."""
        lowest = x.min(axis=0, initial=np.inf)
        if not (lowest >= TINIEST).all():
            lowest = x.min(axis=0, initial=np.inf, where=x >= TINIEST)
        highest = np.maximum(x.max(axis=0, initial=0), TINIEST)
        return self.span(np.log(highest) - np.log(np.minimum(lowest, highest)))

    def span(self, logs: NDArray[np.float64]) -> NDArray[np.float64]:
        """Compute the largest `T_i / steps` from `log(max x / min x)`."""
        return logs + self.slack + 1 + 1 / self.steps

    @property
    def strictness(self) -> float:
        """`accuracy / steps`, which is to be above `rho_i` times the span."""
        return self.accuracy / self.steps


@njit(cache=True, nogil=True)
def is_rough(change: float, value: float, span: float, strictness: float) -> bool:
    """Whether an entry that its row would change so much may be wrong.

    Rounding counts as a change; what is too small for float64 is not right either.
    """
    if value < TINIEST:
        return bool(change > 0 or value > 0)
    return bool((change + ROUNDING * value) * span > strictness * value)


@njit(cache=True, nogil=True)
def mark_rough(
    first: int,
    last: int,
    bounds: Ints,
    degree: Floats,
    spans: Floats,
    strictness: float,
    x: Floats,
    residual: Floats,
    marks: Bools,
) -> None:
    """Entries whose own residual is too large for what they hold, into `marks`."""
    for i in range(bounds[first], bounds[last]):
        if degree[i] == 0:
            continue
        inverse = 1 / degree[i]
        for c in range(x.shape[1]):
            change = abs(residual[i, c]) * inverse
            marks[i, c] = is_rough(change, x[i, c], spans[c], strictness)
