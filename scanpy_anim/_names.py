"""Names offered to the reader of an error message."""

from __future__ import annotations

from difflib import get_close_matches
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Iterable


class MissingKeyError(KeyError):
    """A `KeyError` whose message reads as it was written, without quotes around it."""

    def __str__(self) -> str:
        return str(self.args[0])


def listed(names: Iterable[object], most: int = 8) -> str:
    """Spell names as a comma-separated list, the first `most` of them."""
    spelled = [repr(n) if isinstance(n, str) else str(n) for n in names]
    if not spelled:
        return "none"
    more = f", … ({len(spelled):,} in all)" if len(spelled) > most else ""
    return ", ".join(spelled[:most]) + more


def nearest(name: str, names: Iterable[str], most: int = 3) -> str:
    """Offer the names that look like `name`: " Did you mean 'umap'?", or nothing."""
    close = get_close_matches(name, list(dict.fromkeys(map(str, names))), n=most, cutoff=0.6)
    return f" Did you mean {' or '.join(map(repr, close))}?" if close else ""
