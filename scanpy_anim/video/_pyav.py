"""PyAV, imported when it is first needed, without losing a Ctrl-C on the way."""

from __future__ import annotations

import signal
import threading
from contextlib import contextmanager
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from collections.abc import Iterator


def load_av() -> Any:
    """Import PyAV, or take it as it is."""
    with _interrupted_afterwards():
        import av
        import av.codec
    return av


@contextmanager
def _interrupted_afterwards() -> Iterator[None]:
    """Let a Ctrl-C wait until the block is over.

    While Python imports, it calls functions out of which no exception gets (callbacks of weak
    references to its locks): a `KeyboardInterrupt` raised there would be printed and forgotten.
    """
    handler = signal.getsignal(signal.SIGINT)
    if threading.current_thread() is not threading.main_thread() or not callable(handler):
        yield  # signals are the main thread's
        return
    pressed: list[tuple[Any, ...]] = []
    signal.signal(signal.SIGINT, lambda *given: pressed.append(given))
    try:
        yield
    finally:
        signal.signal(signal.SIGINT, handler)
        if pressed:
            handler(*pressed[0])
