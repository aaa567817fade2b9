"""HTML that carries all it needs: what `video`'s and `explorer`'s pages have in common."""

from __future__ import annotations

import json
from html import escape
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Mapping

_PAGE = """<!DOCTYPE html>
<html lang="en">
<head>
<meta charset="utf-8">
<meta name="viewport" content="width=device-width, initial-scale=1">
<meta name="color-scheme" content="light dark">
<link rel="icon" href="data:,">
<title>{title}</title>
{meta}<style>
{style}
</style>
</head>
<body>
<main>
{player}
</main>
</body>
</html>
"""


def page_around(player: str, title: str, metadata: Mapping[str, str], *, style: str) -> str:
    """Return a page that holds a player and nothing else.

    Parameters
    ----------
    player
        HTML.
    title, metadata
        What the page is called, and what it says of itself.
    style
        Of the page around the player.
    """
    meta = "".join(
        f'<meta name="{escape(name)}" content="{escape(text)}">\n'
        for name, text in metadata.items()
        if name != "title"
    )
    return _PAGE.format(title=escape(title), meta=meta, style=style, player=player)


def script_safe(content: object) -> str:
    """Write JSON that nothing within can break out of a script element, in ASCII."""
    text = json.dumps(content, separators=(",", ":"), allow_nan=False)
    return text.replace("&", r"\u0026").replace("<", r"\u003c").replace(">", r"\u003e")
