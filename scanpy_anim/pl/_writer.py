"""Our encoders for any matplotlib animation: `animation.save(path, writer="scanpy_anim")`."""

from __future__ import annotations

import tempfile
import zlib
from contextlib import contextmanager
from io import BytesIO
from pathlib import Path
from typing import IO, TYPE_CHECKING, Any

import matplotlib as mpl
import numpy as np
import scanpy as sc
from matplotlib.animation import AbstractMovieWriter, writers
from matplotlib.colors import to_rgb
from PIL import Image

from scanpy_anim.video import Film, check, write

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping
    from os import PathLike

    from matplotlib.figure import Figure
    from numpy.typing import NDArray


@writers.register("scanpy_anim")
class FilmWriter(AbstractMovieWriter):
    """Writes any matplotlib animation in the formats of `scanpy_anim.video`.

    matplotlib hands over one frame after the other and never the same one twice, while a gif
    needs two passes. So the frames wait, compressed, in a temporary file that has no name; memory
    holds one at a time, and nothing bears the name asked for before all are drawn.

    Parameters
    ----------
    fps
        Frames a second; `matplotlib.animation.Animation.save` takes it from the animation.
    codec
        Ignored: the suffix of the file decides.
    bitrate
        Ignored; see `quality`.
    metadata
        Written where the format has a place for it.
    hold
        Seconds that the last frame stays; None: as long as the others.
    loop, quality, max_bytes, target, progress
        As for `scanpy_anim.video.write`.

    Examples
    --------
    >>> import matplotlib.pyplot as plt
    >>> from matplotlib.animation import FuncAnimation
    >>> import scanpy_anim
    >>> fig, ax = plt.subplots()
    >>> (line,) = ax.plot([0, 1], [0, 1])
    >>> def draw(number):
    ...     line.set_ydata([0, number])
    ...     return [line]
    >>> FuncAnimation(fig, draw, frames=5).save("line.mp4", writer="scanpy_anim")
    >>> plt.close(fig)
    """

    def __init__(
        self,
        fps: float = 5,
        codec: str | None = None,
        bitrate: int | None = None,
        metadata: Mapping[str, str] | None = None,
        *,
        hold: float | None = None,
        loop: int = 0,
        quality: float | None = None,
        max_bytes: float | str | None = None,
        target: str | None = None,
        progress: bool | None = None,
    ) -> None:
        known: Any = {"fps": fps, "metadata": metadata, "codec": codec, "bitrate": bitrate}
        super().__init__(**known)
        self._hold = hold
        self._choices: dict[str, Any] = {
            "loop": loop,
            "quality": quality,
            "max_bytes": max_bytes,
            "target": target,
        }
        self._progress = progress
        self._spool: IO[bytes] | None = None
        self._sizes: list[int] = []
        self._shape = (0, 0)

    @classmethod
    def isAvailable(cls) -> bool:
        """Say that it can be used: its encoders come with the package."""
        return True

    def setup(self, fig: Figure, outfile: str | PathLike[str], dpi: float | None = None) -> None:
        """Check everything that can be checked, and get ready for the first frame."""
        check(outfile, fps=self.fps, hold=self._hold, metadata=self.metadata, **self._choices)
        super().setup(fig, Path(outfile), dpi)
        self._spool = tempfile.TemporaryFile()  # noqa: SIM115 (closed by saving)
        self._sizes = []

    def grab_frame(self, **savefig_kwargs: Any) -> None:
        """Draw the figure as it is now."""
        assert self._spool is not None, "setup() comes first"
        width, height = self.frame_size
        self._shape = (height, width)
        drawn = BytesIO()
        with mpl.rc_context({"savefig.bbox": None}):  # frames of one size, as matplotlib's writers
            self.fig.savefig(drawn, format="rgba", dpi=self.dpi, **savefig_kwargs)
        if drawn.tell() != width * height * 4:
            raise ValueError(
                f"frame {len(self._sizes)} is not {width} × {height} pixels: "
                "bbox_inches='tight' gives every frame its own size"
            )
        rgba = np.frombuffer(drawn.getbuffer(), np.uint8).reshape(height, width, 4)
        content = zlib.compress(rgba[..., :3].tobytes(), 1)  # save() never draws transparent
        self._sizes.append(self._spool.write(content))

    @contextmanager
    def saving(
        self,
        fig: Figure,
        outfile: str | PathLike[str],
        dpi: float | None,
        *args: Any,
        **kwargs: Any,
    ) -> Iterator[FilmWriter]:
        """Set up, take frames, write: or, on an error, leave everything as it was."""
        self.setup(fig, outfile, dpi, *args, **kwargs)
        try:
            yield self
            self.finish()
        finally:
            self._close()

    def finish(self) -> None:
        """Write the file; what it could not hold as asked is told."""
        each = 1 / self.fps
        film = Film(
            self._frames,
            [each] * (len(self._sizes) - 1) + [each if self._hold is None else self._hold],
            background=_background(self.fig),
            metadata={name: str(text) for name, text in self.metadata.items()},
        )
        written = write(film, Path(self.outfile), progress=self._progress, **self._choices)
        for note in written.notes:
            sc.logging.warning(note)
        self._close()

    def _frames(self, scale: float) -> Iterator[NDArray[np.uint8]]:
        assert self._spool is not None, "setup() comes first"
        at = 0
        height, width = (max(1, round(side * scale)) for side in self._shape)
        for size in self._sizes:
            self._spool.seek(at)
            pixels = np.frombuffer(zlib.decompress(self._spool.read(size)), np.uint8)
            frame = pixels.reshape(*self._shape, 3)
            at += size
            if scale != 1:
                picture = Image.fromarray(frame).resize((width, height), Image.Resampling.LANCZOS)
                frame = np.asarray(picture)
            yield frame

    def _close(self) -> None:
        if self._spool is not None:
            self._spool.close()
            self._spool = None


def _background(fig: Figure) -> tuple[int, int, int]:
    red, green, blue = (round(255 * level) for level in to_rgb(fig.get_facecolor()))
    return red, green, blue
