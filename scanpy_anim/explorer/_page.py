"""The page: parts that no script runs, a poster, and the player that reads them."""

from __future__ import annotations

import re
from base64 import b64encode
from functools import cache
from hashlib import sha256
from html import escape
from importlib.resources import files
from typing import TYPE_CHECKING, Any

from scanpy_anim._html import page_around, script_safe
from scanpy_anim.explorer._encode import encode

if TYPE_CHECKING:
    from collections.abc import Callable

    from scanpy_anim.explorer._contents import Contents, Poster
    from scanpy_anim.explorer._parts import Parts

#: The player's files, in the order in which they stand in one function, and which pages hold them
#: (`None`: all), by what the header says of one of their panels.
_JS: dict[str, Callable[[dict[str, Any]], object] | None] = {
    "compositor.js": None,
    "decode.js": None,
    "curve.js": lambda panel: not panel.keys() & {"follows", "stops", "turn"},
    "deltas.js": lambda panel: panel.keys() & {"like", "stops", "turn"},
    "barcodes.js": lambda panel: (panel["names"] or {}).get("kind") == "barcodes",
    "several.js": lambda panel: "like" in panel,
    "moving.js": lambda panel: "stops" in panel,
    "turning.js": lambda panel: "turn" in panel,
    "ordering.js": lambda panel: "turn" in panel or "sorted" in panel,
    "colors.js": None,
    "scores.js": lambda panel: panel["kind"] == "scores",
    "blending.js": lambda panel: panel["kind"] == "scores" and _blends(panel),
    "labels.js": lambda panel: panel["kind"] == "labels",
    "camera.js": None,
    "elements.js": None,
    "export.js": None,
    "drawing.js": None,
    "playing.js": None,
    "reading.js": None,
    "keys.js": None,
    "panel.js": None,
    "explorer.js": None,
}
_CSS = "explorer.css"

_FRAGMENT = """\
<div class="scanpy-anim-explorer" data-scanpy-anim="explorer" data-script="{key}"{alone}>
{poster}
<noscript><p>This is the last frame: the page plays where scripts run.</p></noscript>
<script>
(() => {{
const style = {style};
{script}
function scanpyAnimStart() {{
  for (const host of document.querySelectorAll('[data-script="{key}"]')) {{
    scanpyAnimExplore(host, style); // pages of other kinds have other scripts
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
    script = _player_script(header)
    return _FRAGMENT.format(
        alone=' data-page="1"' if alone else "",
        poster=poster_element(contents.poster, contents.description) if contents.poster else "",
        parts="\n".join(_elements(header, parts)),
        style=script_safe(files(__package__).joinpath(_CSS).read_text("utf-8")),
        script=script,
        key=sha256(script.encode()).hexdigest()[:8],
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


def _player_script(header: dict[str, Any]) -> str:
    """Return those of the player's files, joined, that a page with this header needs."""
    panels = header.get("panels", [header])
    needed = [name for name, holds in _JS.items() if holds is None or any(map(holds, panels))]
    return "\n".join(map(_stripped, needed))


def _blends(panel: dict[str, Any]) -> bool:
    """Whether scores of a panel are ever other than those of one frame that has all cells."""
    between = any(first != second and weight for first, second, weight, *_ in panel["moments"])
    return between or "sorted" in panel or any(plane["missing"] for plane in panel["planes"])


@cache
def _stripped(name: str) -> str:
    """Return one of the player's files without comments and indentation."""
    text = files(__package__).joinpath(name).read_text("utf-8")
    lines = (line.strip() for line in re.sub(r"/\*.*?\*/", "", text, flags=re.S).splitlines())
    return "\n".join(line for line in lines if line and not line.startswith("//"))


def _elements(header: dict[str, Any], parts: Parts) -> list[str]:
    """Return a script that does not run for the header and each part."""
    inert = '<script type="text/plain" data-part="{}">{}</script>'
    texts = [inert.format(name, text) for name, text in parts.texts.items()]
    return [inert.format("header", script_safe(header)), *texts]
