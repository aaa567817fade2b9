"""The player: HTML that carries the whole film and plays without network or kernel."""

from __future__ import annotations

import json
from base64 import b64encode
from dataclasses import replace
from hashlib import sha256
from html import escape
from importlib.resources import files
from io import BytesIO
from typing import TYPE_CHECKING

from ._check import check_encoder, check_numbers
from ._clock import starts
from ._film import opaque
from ._formats import FORMATS
from ._setting import QUALITY, Setting
from ._webm import encode_for_player

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator

    import numpy as np
    from numpy.typing import NDArray

    from ._film import Film

STILL_SIDE = 640  # pixels of the picture shown where scripts do not run

FRAGMENT = """\
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


def player(film: Film, *, loop: int = 0, quality: float | None = None) -> str:
    """Give the HTML that plays a film in a notebook's output or anywhere on a page.

    The film is a VP9 stream (every current browser decodes it, also those without licensed
    codecs) in the fragment itself, with a key frame every 60 frames, so that scrubbing is exact
    and quick. Where scripts do not run (an untrusted notebook) the browser's own controls play
    it; where videos are not let through either (GitHub's view of a notebook) the last frame is
    shown as a picture. Players on one page do not know of each other; texts are escaped; equal
    films give equal bytes.

    Parameters
    ----------
    film
        What to show.
    loop
        How often it plays before it stops; 0: for ever.
    quality
        0 to 100, as for :func:`write`.

    Returns
    -------
    An HTML fragment.

    Raises
    ------
    ValueError
        If a number is out of range, or frames do not fit together.
    RuntimeError
        If the installed PyAV has no VP9 encoder.
    """
    check_encoder(page := FORMATS[".html"])
    check_numbers(loop=loop, quality=quality)
    chosen = QUALITY if quality is None else round(quality)
    return player_fragment(film, Setting(page, quality=chosen, loop=int(loop)))


def player_fragment(film: Film, setting: Setting) -> str:
    """Give the player of a film at a setting."""
    last: list[NDArray[np.uint8]] = []

    def keeping(frames: Iterable[NDArray[np.uint8]]) -> Iterator[NDArray[np.uint8]]:
        for frame in setting.watch(frames):
            last[:] = [frame]
            yield frame

    stream = BytesIO()
    encode_for_player(film, stream, replace(setting, watch=keeping))
    final = opaque(last[0], film.background)
    height, width = final.shape[:2]
    kind, still = still_picture(final)
    begin = starts(film.durations, 1000) / 1000
    video = _base64(stream.getvalue())
    content = {
        "starts": begin.tolist(),
        "titles": list(film.titles or []),
        "description": film.description,
        "loop": setting.loop,
        "width": width,
        "height": height,
    }
    described = script_safe(content)
    room = files(__package__)
    return FRAGMENT.format(
        key=sha256((described + video).encode()).hexdigest()[:16],
        video=video,
        loop="" if setting.loop else " loop",
        kind=kind,
        still=_base64(still),
        alt=escape(film.description or "film"),
        width=width,
        height=height,
        film=described,
        style=script_safe(room.joinpath("player.css").read_text("utf-8")),
        script=room.joinpath("player.js").read_text("utf-8").strip(),
    )


def script_safe(content: object) -> str:
    """Write JSON that nothing within can break out of a script element."""
    text = json.dumps(content, separators=(",", ":"))
    return text.replace("&", r"\u0026").replace("<", r"\u003c").replace(">", r"\u003e")


def still_picture(frame: NDArray[np.uint8]) -> tuple[str, bytes]:
    """Encode one frame for where the film cannot play: png or jpeg, whichever is smaller."""
    from PIL import Image

    picture = Image.fromarray(frame)
    picture.thumbnail((STILL_SIDE, STILL_SIDE), Image.Resampling.LANCZOS)
    png, jpeg = BytesIO(), BytesIO()
    picture.quantize(256, dither=Image.Dither.NONE).save(png, "PNG", optimize=True)
    picture.save(jpeg, "JPEG", quality=85, subsampling=0, optimize=True)
    if len(png.getvalue()) <= len(jpeg.getvalue()):
        return "image/png", png.getvalue()
    return "image/jpeg", jpeg.getvalue()


def _base64(content: bytes) -> str:
    return b64encode(content).decode("ascii")
