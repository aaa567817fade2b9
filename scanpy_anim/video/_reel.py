"""A film as Pillow sees a multi-frame image, without ever holding more than one frame."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from collections.abc import Iterator

    import numpy as np
    from numpy.typing import NDArray


def reel(frames: Iterator[NDArray[np.uint8]], n_frames: int) -> Any:
    """Wrap an iterator of frames as an image whose ``seek`` draws the next one.

    Pillow's savers walk through ``n_frames`` of an image with ``seek``. Lists of images given as
    ``append_images`` they would keep in memory as a whole.
    """
    from PIL import Image

    picture: Any = Image.fromarray(next(frames))
    at = 0

    def seek(number: int) -> None:
        nonlocal at
        if number >= n_frames:
            raise EOFError
        if number == at + 1:
            picture.paste(Image.fromarray(next(frames)))
            at = number
            if number == n_frames - 1:
                _finish(frames)

    picture.seek, picture.tell = seek, lambda: at
    picture.n_frames, picture.is_animated = n_frames, n_frames > 1
    if n_frames == 1:
        _finish(frames)
    return picture


def _finish(frames: Iterator[NDArray[np.uint8]]) -> None:
    """Run the iterator to its end, where it complains of frames without a duration."""
    for _ in frames:
        pass
