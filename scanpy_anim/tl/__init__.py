"""Tools: algorithms on the neighbour graph that keep every iteration."""
