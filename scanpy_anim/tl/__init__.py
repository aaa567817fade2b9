"""Tools: algorithms on the neighbour graph that keep every iteration."""

from scanpy_anim.tl._assign_labels import assign_labels
from scanpy_anim.tl._label_propagation import label_propagation
from scanpy_anim.tl._propagation import Propagation, propagate

__all__ = ["Propagation", "assign_labels", "label_propagation", "propagate"]
