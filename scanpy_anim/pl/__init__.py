"""Plots: films of an embedding."""
