"""The page: parts that no script runs, a poster, and the player that reads them."""

from __future__ import annotations

import re
from base64 import b64encode
from functools import cache
from html import escape
from importlib.resources import files
from typing import TYPE_CHECKING, Any

from scanpy_anim._html import page_around, script_safe
from scanpy_anim.explorer._encode import encode

if TYPE_CHECKING:
    from scanpy_anim.explorer._contents import Contents, Poster
    from scanpy_anim.explorer._parts import Parts

#: The player's files, in the order in which they stand in one function.
_JS = (
    "compositor.js",
    "decode.js",
    "moving.js",
    "colors.js",
    "camera.js",
    "elements.js",
    "beside.js",
    "export.js",
    "drawing.js",
    "playing.js",
    "reading.js",
    "keys.js",
    "panel.js",
    "explorer.js",
)
_CSS = "explorer.css"

_FRAGMENT = """\
<div class="scanpy-anim-explorer" data-scanpy-anim="explorer"{alone}>
{poster}
<noscript><p>This is the last frame: the page plays where scripts run.</p></noscript>
<script>
(() => {{
const style = {style};
{script}
function scanpyAnimStart() {{
  for (const host of document.querySelectorAll('[data-scanpy-anim="explorer"]')) {{
    scanpyAnimExplore(host, style);
  }}
}}
if (document.readyState === "loading") {{
  document.addEventListener("DOMContentLoaded", scanpyAnimStart); // as a file that is cut off does
}} else scanpyAnimStart();
}})();
</script>
{parts}
<script type="text/plain" data-part="end"></script>
</div>"""


def fragment(contents: Contents, *, alone: bool = False) -> str:
    """Return the HTML that shows some contents, in any page or `alone` in one of its own."""
    header, parts = encode(contents)
    script = _player_script()
    return _FRAGMENT.format(
        alone=' data-page="1"' if alone else "",
        poster=poster_element(contents.poster, contents.description) if contents.poster else "",
        parts="\n".join(_elements(header, parts)),
        style=script_safe(files(__package__).joinpath(_CSS).read_text("utf-8")),
        script=script,
    )


def page(contents: Contents, meta: dict[str, str] | None = None) -> str:
    """Return a page that holds everything it needs; `meta` is what it says of itself."""
    player = fragment(contents, alone=True)
    return page_around(player, contents.title, meta or {}, style="body { margin: 0; }")


def poster_element(poster: Poster, description: str) -> str:
    """Return the picture that is there before any script runs."""
    content = b64encode(poster.content).decode("ascii")
    return (
        f'<img class="poster" src="data:{poster.kind};base64,{content}" '
        f'alt="{escape(description)}" width="{poster.width}" height="{poster.height}" '
        'style="max-width:100%;height:auto">'
    )


@cache
def _player_script() -> str:
    """Return the player's files, one after the other, without comments and indentation."""
    folder = files(__package__)
    text = "\n".join(folder.joinpath(name).read_text("utf-8") for name in _JS)
    lines = (line.strip() for line in re.sub(r"/\*.*?\*/", "", text, flags=re.S).splitlines())
    return "\n".join(line for line in lines if line and not line.startswith("//"))


def _elements(header: dict[str, Any], parts: Parts) -> list[str]:
    """Return a script that does not run for the header and each part."""
    inert = '<script type="text/plain" data-part="{}">{}</script>'
    texts = [inert.format(name, text) for name, text in parts.texts.items()]
    return [inert.format("header", script_safe(header)), *texts]
