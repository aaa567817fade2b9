"""Plots: films of an embedding."""

from typing import Any

from matplotlib.animation import writers

from ._animate_embedding import animate_embedding

__all__ = ["EmbeddingAnimation", "animate_embedding"]


def __getattr__(name: str) -> object:
    """Load the film's class when asked for: it brings celluloid and the renderer."""
    if name == "EmbeddingAnimation":
        from ._animation import EmbeddingAnimation

        return EmbeddingAnimation
    raise AttributeError(f"module {__name__!r} has no attribute {name!r}")


@writers.register("scanpy_anim")  # type: ignore[arg-type]  # it makes a real one
class _Writer:
    """The name under which any matplotlib animation finds our encoders, loaded when asked for."""

    def __new__(cls, *args: Any, **kwargs: Any) -> Any:
        from ._writer import FilmWriter

        return FilmWriter(*args, **kwargs)

    @staticmethod
    def isAvailable() -> bool:  # matplotlib's name
        """Say that it can be used: its encoders come with the package."""
        return True
