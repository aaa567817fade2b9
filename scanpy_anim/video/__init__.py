"""Frames to files: arrays in, bytes out."""
