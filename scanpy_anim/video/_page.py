"""The player, and a page around it: HTML that carries the whole film and needs nothing else."""

from __future__ import annotations

from base64 import b64encode
from dataclasses import replace
from hashlib import sha256
from html import escape
from importlib.resources import files
from io import BytesIO
from typing import TYPE_CHECKING

from PIL import Image

from scanpy_anim._html import page_around, script_safe
from scanpy_anim.video._film import opaque
from scanpy_anim.video._stream import encode_for_player
from scanpy_anim.video._timing import starts

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

    import numpy as np
    from numpy.typing import NDArray

    from scanpy_anim.video._film import Film
    from scanpy_anim.video._options import Frames, Options

_STILL_SIDE = 640  # pixels of the picture shown where scripts do not run
_FEW_COLORS = 1 << 13  # of it: a png of more is larger than a jpeg, and its palette takes long

_FRAGMENT = """\
<div class="scanpy-anim" data-film="{key}" data-lm-suppress-shortcuts="true">
<video src="data:video/webm;base64,{video}" controls muted playsinline{loop} \
width="{width}" height="{height}" style="max-width:100%;height:auto">
<img src="data:{kind};base64,{still}" alt="{alt}" width="{width}" height="{height}" \
style="max-width:100%;height:auto">
</video>
</div>
<script>
(() => {{
const film = {film};
const style = {style};
{script}
for (const host of document.querySelectorAll('[data-film="{key}"]')) scanpyAnim(host, film, style);
}})();
</script>"""


#: Of a page that holds a film: a margin, where there is room.
_AROUND = """\
body { margin: 0; padding: 1rem; }
main { max-width: 100%; }
@media (max-width: 40rem) { body { padding: 0; } }"""


def encode_page(film: Film, path: Path, options: Options) -> list[str]:
    """Write a page that needs nothing but itself.

    Returns
    -------
    Sentences worth telling the user.
    """
    title = film.metadata.get("title") or film.description or "film"
    player = player_fragment(film, options, page=True)
    page = page_around(player, title, film.metadata, style=_AROUND)
    path.write_text(page, encoding="utf-8")
    return []


def player_fragment(film: Film, options: Options, *, page: bool = False) -> str:
    """Return the player of a film, encoded as asked for; a page of its own it fills."""
    ending: list[tuple[tuple[int, int], str, bytes]] = []

    def keeping(frames: Frames) -> Iterator[NDArray[np.uint8]]:
        for frame in options.progress(frames):
            last = frame
            yield frame
        # the encoder still has its hands full by then
        final = opaque(last, film.background)
        ending.append((final.shape[:2], *still_picture(final)))

    stream = BytesIO()
    encode_for_player(film, stream, replace(options, progress=keeping))
    ((height, width), kind, still), *_ = ending
    begin = starts(film.durations, 1000) / 1000
    video = _base64(stream.getvalue())
    content = {
        "starts": begin.tolist(),
        "titles": list(film.titles or []),
        "description": film.description,
        "loop": options.loop,
        "width": width,
        "height": height,
        "page": page,
    }
    described = script_safe(content)
    room = files(__package__)
    return _FRAGMENT.format(
        key=sha256((described + video).encode()).hexdigest()[:16],
        video=video,
        loop="" if options.loop else " loop",
        kind=kind,
        still=_base64(still),
        alt=escape(film.description or "film"),
        width=width,
        height=height,
        film=described,
        style=script_safe(room.joinpath("player.css").read_text("utf-8")),
        script=room.joinpath("player.js").read_text("utf-8").strip(),
    )


def still_png(frame: NDArray[np.uint8]) -> bytes:
    """Encode one frame as a PNG of at most 640 pixels a side: for where no film can play.

    Parameters
    ----------
    frame
        `(height, width, 3)`.
    """
    png = BytesIO()
    _small(frame).quantize(256, dither=Image.Dither.NONE).save(png, "PNG", optimize=True)
    return png.getvalue()


def still_picture(frame: NDArray[np.uint8]) -> tuple[str, bytes]:
    """Encode one frame for where the film cannot play: png or jpeg, whichever is smaller.

    At most 640 pixels a side, as `still_png`.
    """
    picture, jpeg = _small(frame), BytesIO()
    picture.save(jpeg, "JPEG", quality=75, progressive=True, optimize=True)
    smallest = "image/jpeg", jpeg.getvalue()
    if picture.getcolors(_FEW_COLORS) is None:
        return smallest
    return min(smallest, ("image/png", still_png(frame)), key=lambda still: len(still[1]))


def _small(frame: NDArray[np.uint8]) -> Image.Image:
    picture = Image.fromarray(frame)
    picture.thumbnail((_STILL_SIDE, _STILL_SIDE), Image.Resampling.LANCZOS)
    return picture


def _base64(content: bytes) -> str:
    return b64encode(content).decode("ascii")
