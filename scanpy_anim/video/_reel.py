"""A film as Pillow sees a multi-frame image, without ever holding more than one frame."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import numpy as np

if TYPE_CHECKING:
    from collections.abc import Iterator

    from numpy.typing import NDArray

    from ._film import Film
    from ._setting import Setting


def reel(film: Film, setting: Setting) -> Any:
    """Wrap a film as an image whose ``seek`` draws the next frame.

    Pillow's savers walk through ``n_frames`` of an image with ``seek``. Lists of images given as
    ``append_images`` they would keep in memory as a whole.
    """
    from PIL import Image

    frames, n_frames = stored(film, setting), len(film)
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


def stored(film: Film, setting: Setting) -> Iterator[NDArray[np.uint8]]:
    """Draw the frames for a format that can store opacity: without it where it says nothing."""
    for frame in setting.frames(film):
        yield frame if film.alpha else np.ascontiguousarray(frame[..., :3])


def _finish(frames: Iterator[NDArray[np.uint8]]) -> None:
    """Run the iterator to its end, where it complains of frames without a duration."""
    for _ in frames:
        pass
