"""The page that holds the scores, as an object: shown in a notebook, saved as a file."""

from __future__ import annotations

from html import escape
from pathlib import Path
from typing import IO, TYPE_CHECKING, Any

import scanpy as sc

from scanpy_anim import explorer, video
from scanpy_anim.video._atomic import copied_to, replacing
from scanpy_anim.video._check import format_of, is_file

if TYPE_CHECKING:
    import os
    from collections.abc import Mapping

_ROOM = 190  # pixels of buttons and words around the cells

_IN_NOTEBOOK = """\
<div style="position:relative;max-width:{width}px">
{poster}
<iframe srcdoc="{page}" sandbox="allow-scripts allow-downloads" \
allow="fullscreen; clipboard-write" title="{title}" loading="lazy" width="100%" height="{height}" \
style="border:0;display:block;position:absolute;top:0;left:0"></iframe>
<div style="height:{room}px"></div>
</div>"""


class Explorer:
    """A page on which a film runs on the cells themselves, as `EmbeddingAnimation.explore` makes.

    It shows itself at the end of a notebook's cell. What it holds was read when it was made.

    Examples
    --------
    >>> import scanpy as sc, scanpy_anim as sca
    >>> adata = sc.datasets.pbmc68k_reduced()
    >>> sca.tl.label_propagation(adata, [0, 1])
    >>> page = sca.pl.animate_embedding(adata).explore(hover=["n_genes", "louvain"])
    >>> page.save("atlas.html")
    """

    def __init__(self, contents: explorer.Contents, metadata: Mapping[str, str]) -> None:
        self._html = explorer.page(contents, dict(metadata))
        assert contents.poster is not None
        self._title, self._poster = contents.title, contents.poster
        self._description, self._view = contents.description, contents.view
        self._several = bool(contents.others)
        self._size = contents.positions.shape[-2], len(contents.moments)
        panels = [contents, *contents.others]
        for note in dict.fromkeys(panel.names_note for panel in panels if panel.names_note):
            sc.logging.warning(note)

    def __repr__(self) -> str:
        n_cells, n_frames = self._size
        return (
            f"Explorer of {self._title!r}: {n_cells:,} cells, {n_frames} "
            f"frame{'s' * (n_frames > 1)}, {len(self._html) / 1e6:.2f} MB"
        )

    def to_html(self) -> str:
        """Return the whole page."""
        return self._html

    def save(self, filename: str | os.PathLike[str] | IO[bytes], format: str | None = None) -> None:
        """Write the page: complete, or not at all.

        Parameters
        ----------
        filename
            A name that ends in `.html`, or a file opened with mode `"wb"`. A file that is there
            is replaced only once the new one is complete.
        format
            `"html"`, whatever the suffix.

        Raises
        ------
        ValueError, TypeError, OSError
            For another suffix, a folder that is missing or not writable.
        """
        check_page(filename, format)
        page = self._html.encode("utf-8", "xmlcharrefreplace")
        opened = copied_to(filename) if is_file(filename) else replacing(Path(filename))  # type: ignore[arg-type]
        with opened as draft:
            draft.write_bytes(page)

    def _repr_html_(self) -> str:
        view, poster = self._view, self._poster
        height = round((poster.height if self._several else view.height) + _ROOM)
        return _IN_NOTEBOOK.format(
            width=max(round(view.width * 1.5), poster.width),
            poster=explorer.poster_element(poster, self._description),
            page=escape(self._html),
            title=escape(self._title),
            height=height,
            room=max(height - poster.height, 0),
        )

    def _repr_mimebundle_(self, **_: Any) -> dict[str, Any]:
        """Show the last frame where no page can be shown."""
        poster = {self._poster.kind: self._poster.content}
        return {"text/html": self._repr_html_(), "text/plain": repr(self), **poster}


def check_page(filename: Any, format: str | None = None) -> None:
    """See that a page can be written there."""
    chosen = "html" if format is None and is_file(filename) else format
    video.check(filename, format=chosen)
    if format_of(filename, chosen).suffix != ".html":
        raise ValueError(
            f"{filename}: a page that holds the scores (interactive=True) is .html; other suffixes "
            "are films."
        )
