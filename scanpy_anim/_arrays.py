"""Arrays that compiled functions take, of whatever width: what their entries are."""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

Ints = NDArray[np.integer]
Floats = NDArray[np.floating]
Bools = NDArray[np.bool_]
#: One number, as Python or a compiled function counts.
Int = int | np.integer
