"""Whether kernels are compiled already."""

from __future__ import annotations

from pathlib import Path


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
    from ._compositor_kernels import compose
    from ._painter_kernels import paint

    return any(_uncached(kernel) for kernel in (compose, paint))


def _uncached(kernel: object) -> bool:
    path = getattr(kernel, "stats").cache_path  # noqa: B009
    name = getattr(kernel, "__name__")  # noqa: B009
    return not path or not any(Path(path).glob(f"*.{name}-*.nbi"))
