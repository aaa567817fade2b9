"""Points to pixels: arrays only, and the matplotlib artist on top."""
