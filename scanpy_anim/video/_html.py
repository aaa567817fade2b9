"""One self-contained page around the player."""

from __future__ import annotations

from html import escape
from typing import TYPE_CHECKING

from ._player import player_fragment

if TYPE_CHECKING:
    from pathlib import Path

    from ._film import Film
    from ._setting import Setting

PAGE = """<!DOCTYPE html>
<html lang="en">
<head>
<meta charset="utf-8">
<meta name="viewport" content="width=device-width, initial-scale=1">
<meta name="color-scheme" content="light dark">
<link rel="icon" href="data:,">
<title>{title}</title>
{meta}<style>
body {{ margin: 0; padding: 1rem; }}
main {{ margin: 0 auto; width: fit-content; max-width: 100%; }}
@media (max-width: 40rem) {{ body {{ padding: 0; }} }}
</style>
</head>
<body>
<main>
{player}
</main>
</body>
</html>
"""


def encode(film: Film, path: Path, setting: Setting) -> list[str]:
    """Write a page that needs nothing but itself.

    Returns
    -------
    Sentences worth telling the user.
    """
    title = film.metadata.get("title") or film.description or path.stem
    meta = "".join(
        f'<meta name="{escape(name)}" content="{escape(text)}">\n'
        for name, text in film.metadata.items()
        if name != "title"
    )
    page = PAGE.format(title=escape(title), meta=meta, player=player_fragment(film, setting))
    path.write_text(page, encoding="utf-8")
    return []
