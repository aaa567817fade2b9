"""Turn an algorithm running over a single-cell atlas into a short movie."""

__version__ = "0.1.0"

from . import pl, tl

__all__ = ["__version__", "pl", "tl"]
