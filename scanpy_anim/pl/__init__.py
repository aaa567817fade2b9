"""Plots: films of an embedding."""

from ._animate_embedding import animate_embedding

__all__ = ["EmbeddingAnimation", "animate_embedding"]


def __getattr__(name: str) -> object:
    """Load the film's class when asked for: it brings matplotlib's animations."""
    if name == "EmbeddingAnimation":
        from ._animation import EmbeddingAnimation

        return EmbeddingAnimation
    raise AttributeError(f"module {__name__!r} has no attribute {name!r}")
