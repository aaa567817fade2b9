"""What a film says about itself, in the forms that files have for it."""

from __future__ import annotations

from html import escape
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from ._film import Film

PACKET = """<x:xmpmeta xmlns:x="adobe:ns:meta/">\
<rdf:RDF xmlns:rdf="http://www.w3.org/1999/02/22-rdf-syntax-ns#">\
<rdf:Description xmlns:dc="http://purl.org/dc/elements/1.1/" rdf:about="">\
<dc:title><rdf:Alt><rdf:li xml:lang="x-default">{title}</rdf:li></rdf:Alt></dc:title>\
<dc:description><rdf:Alt><rdf:li xml:lang="x-default">{text}</rdf:li></rdf:Alt></dc:description>\
</rdf:Description></rdf:RDF></x:xmpmeta>"""


def described(film: Film) -> str:
    """Write the metadata as lines of ``name: text``."""
    return "\n".join(f"{name}: {text}" for name, text in film.metadata.items())


def xmp(film: Film) -> bytes:
    """Write the metadata as an XMP packet (ISO 16684-1): title, and the rest as description."""
    if not film.metadata:
        return b""
    title = film.metadata.get("title", "")
    rest = "\n".join(f"{k}: {text}" for k, text in film.metadata.items() if k != "title")
    return PACKET.format(title=escape(title), text=escape(rest)).encode("utf-8")
