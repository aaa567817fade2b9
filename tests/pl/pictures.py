"""Pictures drawn by matplotlib, and how far two of them are apart."""

from __future__ import annotations

import numpy as np


def drawn_by_matplotlib(figure) -> np.ndarray:
    from matplotlib.backends.backend_agg import FigureCanvasAgg

    canvas = FigureCanvasAgg(figure)
    canvas.draw()
    return np.asarray(canvas.buffer_rgba())[..., :3].copy()


def largest_difference(a, b) -> np.ndarray:
    return np.abs(a.astype(int) - b.astype(int)).max(axis=-1)
