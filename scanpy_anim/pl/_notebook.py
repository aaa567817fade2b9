"""Films in notebooks: a plain video element, and a figure that is not shown twice."""

from __future__ import annotations

import base64
import tempfile
from pathlib import Path
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from matplotlib.figure import Figure

    from scanpy_anim.video import Film


def video_element(film: Film, size: tuple[int, int]) -> str:
    """Return an HTML `<video>` element that holds the film as H.264."""
    from scanpy_anim import video

    with tempfile.TemporaryDirectory() as folder:
        path = Path(folder) / "film.mp4"
        video.write(film, path, progress=False)
        content = base64.b64encode(path.read_bytes()).decode()
    width, height = size
    return (
        f'<video width="{width}" height="{height}" controls autoplay loop muted playsinline>'
        f'<source type="video/mp4" src="data:video/mp4;base64,{content}"></video>'
    )


def close_shown_twice(figure: Figure) -> None:
    """Take the figure from pyplot where a notebook would show it once more as a picture.

    Only a figure that the caller made and gave as `ax` is still there.
    """
    import matplotlib as mpl

    if "inline" in mpl.get_backend():
        import matplotlib.pyplot as plt

        plt.close(figure)
