"""Whether kernels are compiled already."""

from __future__ import annotations

from pathlib import Path

from scanpy_anim.raster._compose import compose_kernel
from scanpy_anim.raster._paint import paint_kernel


def needs_compiling() -> bool:
    """Whether drawing will compile its kernels first: seconds, once for an installation.

    Returns
    -------
    False once compiled kernels are found on disk.

    Examples
    --------
    >>> from scanpy_anim.raster import needs_compiling
    >>> if needs_compiling():
    ...     print("the first picture takes a few seconds more")  # doctest: +SKIP
    """
    return all(_uncached(kernel) for kernel in (compose_kernel, paint_kernel))


def _uncached(kernel: object) -> bool:
    stats = getattr(kernel, "stats", None)  # None: numba is told not to compile
    if stats is None:
        return False
    return not any(Path(stats.cache_path).glob(f"*.{getattr(kernel, '__name__', '')}-*.nbi"))
