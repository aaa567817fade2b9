"""From values to colour levels by matplotlib's plain Normalize and Colormap."""

# mypy: allow-untyped-defs, allow-untyped-calls

from __future__ import annotations

import numpy as np
from numba import njit


@njit(nogil=True, cache=True, error_model="numpy")
def linear_levels(values, vmin, span, n_levels, levels, first, last):
    """Fill in the levels `first` .. `last`, rounding after each step as matplotlib does."""
    kind = values.dtype.type
    top = kind(n_levels)
    for i in range(first, last):
        place = kind(np.float64(values[i]) - vmin)
        place = kind(np.float64(place) / span)
        place = kind(place * top)
        if place >= kind(0) and place < top:
            levels[i] = np.uint16(place)
        elif place == top:
            levels[i] = n_levels - 1
        elif place < kind(0):
            levels[i] = n_levels  # under
        elif place > top:
            levels[i] = n_levels + 1  # over
        else:
            levels[i] = n_levels + 2  # NaN
