"""Turn an algorithm running over a single-cell atlas into a short movie."""

from scanpy_anim._compiled import kept_functions
from scanpy_anim._version import __version__

with kept_functions():
    from scanpy_anim import pl, tl

__all__ = ["__version__", "pl", "tl"]
