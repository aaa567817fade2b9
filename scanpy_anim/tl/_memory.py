"""How much memory a history will take, and whether it is there: asked before work starts."""

from __future__ import annotations

import os
from pathlib import Path

# the rest is for the graph's neighbours in memory: signals, the solver, other programs
_SHARE = 0.9


def fitting_columns(n_obs: int, bytes_each: int, wanted: int, *, exact: bool) -> int:
    """Columns of ``n_obs * bytes_each`` that fit, `wanted` at most.

    Raises
    ------
    MemoryError
        Not even three fit, or not all of them although `exact` means that all will come.
    """
    column = n_obs * bytes_each
    free = free_bytes()
    if free is None:
        return wanted
    fitting = int(_SHARE * free) // max(column, 1)
    if fitting >= wanted:
        return wanted
    if exact or fitting < 3:
        raise MemoryError(
            f"the history would take {_spell(wanted * column)} ({wanted} columns of "
            f"{_spell(column)}), but {_spell(free)} are free. Keep fewer iterations "
            "(every=10, iterations='log', a smaller max_iter), or only the winning class "
            "(history='labels')"
        )
    return fitting


def free_bytes() -> int | None:
    """Memory that can be had without swapping, None where the system does not tell."""
    known = [size for size in (_available(), _left_in_group()) if size is not None]
    return min(known) if known else None


def _available() -> int | None:
    try:
        for line in Path("/proc/meminfo").read_text().splitlines():
            if line.startswith("MemAvailable:"):
                return int(line.split()[1]) * 1024
        return os.sysconf("SC_AVPHYS_PAGES") * os.sysconf("SC_PAGE_SIZE")
    except (OSError, ValueError, AttributeError):
        return None


def _left_in_group() -> int | None:
    """Ask what a container is still allowed (cgroup v2)."""
    group = Path("/sys/fs/cgroup")
    try:
        limit = (group / "memory.max").read_text().strip()
        used = int((group / "memory.current").read_text())
        cache = [
            int(line.split()[1])
            for line in (group / "memory.stat").read_text().splitlines()
            if line.startswith("inactive_file ")
        ]
    except (OSError, ValueError):
        return None
    return None if limit == "max" else max(0, int(limit) - used + sum(cache))


def _spell(size: float) -> str:
    units = ["bytes", "kB", "MB", "GB", "TB"]
    while size >= 1000 and len(units) > 1:
        size /= 1000
        units.pop(0)
    return f"{size:.3g} {units[0]}"
