"""A film: how to draw its frames, how long each one is shown, what it says about itself."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from html import escape
from typing import TYPE_CHECKING, Any

import numpy as np

from scanpy_anim._checks import printable

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator, Sequence

    from numpy.typing import NDArray

#: An XMP packet (ISO 16684-1).
_PACKET = """<x:xmpmeta xmlns:x="adobe:ns:meta/">\
<rdf:RDF xmlns:rdf="http://www.w3.org/1999/02/22-rdf-syntax-ns#">\
<rdf:Description xmlns:dc="http://purl.org/dc/elements/1.1/" rdf:about="">\
<dc:title><rdf:Alt><rdf:li xml:lang="x-default">{title}</rdf:li></rdf:Alt></dc:title>\
<dc:description><rdf:Alt><rdf:li xml:lang="x-default">{text}</rdf:li></rdf:Alt></dc:description>\
</rdf:Description></rdf:RDF></x:xmpmeta>"""


@dataclass(frozen=True)
class Film:
    """Frames that can be drawn again and again, with everything a file needs to know about them.

    Parameters
    ----------
    render
        Called with a scale (1.0: the film's own resolution), gives an iterator of
        `(height, width, 3)` or `(height, width, 4)` uint8 frames, all of one size. It is
        called once for every pass over the film (gif: twice), and draws each frame when asked.
    durations
        Seconds that each frame is shown, the hold of the last one included.
    titles
        A text for each frame: what the player says under the picture and to screen readers.
    palette
        `(k, 3)` uint8 colors that a gif keeps exactly, the important ones first.
    background
        Color behind transparent frames, and of the padding that brings odd sizes to even ones.
    description
        What the film shows, in a sentence: the alternative text of the picture.
    metadata
        Written where the format has a place for it: `title`, `comment`, `software`, …
    alpha
        Whether the film is transparent where its fourth channel says so. False: every format shows
        it on the background, those that could store opacity too.
    size
        Width and height of the frames at scale 1.0, where known: frames that are too large for a
        format are then refused before the first is drawn.

    Raises
    ------
    ValueError
        If a duration is not positive and finite, there is none at all, or titles or palette do
        not fit.

    Examples
    --------
    >>> import numpy as np

    from scanpy_anim._checks import printable
    >>> from scanpy_anim.video import Film
    >>> def render(scale):
    ...     for level in (0, 128, 255):
    ...         yield np.full((8, 8, 3), level, np.uint8)
    >>> len(Film(render, durations=[0.1, 0.1, 1.0]))
    3
    """

    render: Callable[[float], Iterator[NDArray[np.uint8]]]
    durations: Sequence[float] | NDArray[np.floating]
    titles: Sequence[str] | None = None
    palette: NDArray[np.uint8] | None = None
    background: tuple[int, int, int] = (255, 255, 255)
    description: str = ""
    metadata: Mapping[str, str] = field(default_factory=dict)
    alpha: bool = True
    size: tuple[int, int] | None = None

    def __post_init__(self) -> None:
        durations = tuple(float(seconds) for seconds in self.durations)
        if not durations:
            raise ValueError("a film needs at least one frame: durations is empty")
        for number, seconds in enumerate(durations):
            if not 0 < seconds < np.inf:
                raise ValueError(
                    f"durations must be positive seconds, but durations[{number}] is {seconds}"
                )
        object.__setattr__(self, "durations", durations)
        if self.titles is not None and len(self.titles) != len(durations):
            raise ValueError(f"titles has {len(self.titles)} entries for {len(durations)} frames")
        check_metadata(self.metadata)
        said = {printable(k): printable(str(v)) for k, v in self.metadata.items() if v is not None}
        object.__setattr__(self, "metadata", said)
        object.__setattr__(self, "description", printable(self.description))
        if self.titles is not None:
            object.__setattr__(self, "titles", tuple(printable(str(t)) for t in self.titles))
        if self.palette is not None:
            palette = np.asarray(self.palette)
            if palette.ndim != 2 or palette.shape[1] != 3 or palette.dtype != np.uint8:
                raise ValueError(
                    f"palette must be (k, 3) uint8, not {palette.shape} {palette.dtype}"
                )

    def __len__(self) -> int:
        return len(self.durations)

    def frames(self, scale: float = 1.0) -> Iterator[NDArray[np.uint8]]:
        """Draw the frames anew, one by one, each checked against the first.

        Parameters
        ----------
        scale
            Resolution relative to the film's own.

        Yields
        ------
        `(height, width, 3 or 4)` uint8 arrays, as many as there are durations.

        Raises
        ------
        ValueError
            If a frame is not a uint8 picture, differs in shape from the first one, or there are
            fewer or more frames than durations.
        """
        first: tuple[int, ...] | None = None
        number = -1
        for number, frame in enumerate(self.render(scale)):
            if number == len(self):
                raise ValueError(f"there are more frames than the {len(self)} durations")
            _check_picture(frame, number)
            first = first or frame.shape
            if frame.shape != first:
                raise ValueError(f"frame {number} has the shape {frame.shape}, frame 0 had {first}")
            yield frame
        if number + 1 != len(self):
            raise ValueError(f"there are {len(self)} durations, but only {number + 1} frames")


def described(film: Film) -> str:
    """Write the metadata as lines of `name: text`."""
    return "\n".join(f"{name}: {text}" for name, text in film.metadata.items())


def xmp(film: Film) -> bytes:
    """Write the metadata as an XMP packet (ISO 16684-1): title, and the rest as description."""
    if not film.metadata:
        return b""
    title = film.metadata.get("title", "")
    rest = "\n".join(f"{k}: {text}" for k, text in film.metadata.items() if k != "title")
    return _PACKET.format(title=escape(title), text=escape(rest)).encode("utf-8")


def check_metadata(metadata: object) -> None:
    """See that metadata has names."""
    if metadata is None:
        return
    if not isinstance(metadata, Mapping):
        raise TypeError(f"metadata must be a dict such as {{'title': 'atlas'}}, not {metadata!r}")
    for name in metadata:
        if not isinstance(name, str) or not printable(name).strip():
            raise TypeError(f"metadata must have texts for names, but one is {name!r}")


def _check_picture(frame: Any, number: int) -> None:
    shape: Any = getattr(frame, "shape", ())
    dtype = getattr(frame, "dtype", type(frame))
    if len(shape) != 3 or shape[2] not in (3, 4) or dtype != np.uint8 or 0 in shape:
        raise ValueError(
            f"frame {number} must be (height, width, 3 or 4) uint8, not {shape} {dtype}"
        )


def opaque(
    frame: NDArray[np.uint8], background: tuple[int, int, int], multiple: int = 1
) -> NDArray[np.uint8]:
    """Lay a frame on the background, at sizes that are multiples of `multiple`.

    Parameters
    ----------
    frame
        `(height, width, 3 or 4)`.
    background
        Color behind it, and of the rows and columns that are added at the bottom and the right.
    multiple
        2 for codecs that need even sizes.

    Returns
    -------
    `(height, width, 3)`, contiguous; the frame itself if there is nothing to do.
    """
    if frame.shape[2] == 4:
        alpha = frame[..., 3:].astype(np.uint16)
        if alpha.min() == 255:
            frame = frame[..., :3]
        else:
            under = np.asarray(background, np.uint16) * (255 - alpha)
            frame = ((frame[..., :3] * alpha + under + 127) // 255).astype(np.uint8)
    height, width = (-(-side // multiple) * multiple for side in frame.shape[:2])
    if (height, width) == frame.shape[:2]:
        return np.ascontiguousarray(frame)
    padded = np.empty((height, width, 3), np.uint8)
    padded[:] = background
    padded[: frame.shape[0], : frame.shape[1]] = frame
    return padded
