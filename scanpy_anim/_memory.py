"""How much memory can be had: asked before work starts, by propagation and films alike.

The least of what the machine has left, of what the control groups that this process is in leave it
(containers, Slurm, systemd: version 1 or 2, each group above it counts), and of the limits that
`ulimit` sets.
"""

from __future__ import annotations

import os
from pathlib import Path
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator

#: Of what is free; the rest is for what this process and others do meanwhile.
SHARE = 0.9
_ROOT = Path("/")
# version 1 says so, in pages, where there is no limit
_UNLIMITED = 2**60


def free_bytes(root: Path = _ROOT) -> int | None:
    """Memory that can be had without swapping, `None` where the system does not tell."""
    known = [_available(root), *_left_in_groups(root), *_left_by_limits(root)]
    sizes = [size for size in known if size is not None]
    return max(0, min(sizes)) if sizes else None


def require(name: str, size: int, free: int, instead: str = "do without") -> None:
    """Refuse what takes more than there is, by name."""
    if size > SHARE * free:
        raise MemoryError(
            f"{name} takes {spelled(size)} at its peak, but {spelled(free)} are free: {instead}, "
            "or run where there is more memory"
        )


def spelled(size: float) -> str:
    """Spell a size with three digits: 1.23 GB."""
    units = ["bytes", "kB", "MB", "GB", "TB", "PB", "EB"]
    while size >= 1000 and len(units) > 1:
        size /= 1000
        units.pop(0)
    return f"{size:.3g} {units[0]}"


def _available(root: Path) -> int | None:
    try:
        for line in (root / "proc/meminfo").read_text().splitlines():
            if line.startswith("MemAvailable:"):
                return int(line.split()[1]) * 1024
        return os.sysconf("SC_AVPHYS_PAGES") * os.sysconf("SC_PAGE_SIZE")
    except (OSError, ValueError, AttributeError):
        return None


def _left_in_groups(root: Path) -> Iterator[int]:
    """Ask every group that this process is in, and those around it, what they still allow."""
    try:
        lines = (root / "proc/self/cgroup").read_text().splitlines()
    except OSError:
        lines = ["0::/"]
    for line in lines:
        _, controllers, path = line.split(":", 2)
        top = root / "sys/fs/cgroup"
        ask: Callable[[Path], int | None] = _left_in_group
        if "memory" in controllers.split(","):
            top, ask = top / "memory", _left_in_former_group
        elif controllers:
            continue
        # a container may see its own group as the top, whatever its path is outside
        parts = [part for part in path.split("/") if part not in ("", ".", "..")]
        for depth in range(len(parts) + 1):
            left = ask(top.joinpath(*parts[:depth]))
            if left is not None:
                yield left


def _left_in_group(group: Path) -> int | None:
    """Ask a group of version 2; file cache makes room when it is needed."""
    try:
        limit = (group / "memory.max").read_text().strip()
        if limit == "max":
            return None
        used = int((group / "memory.current").read_text())
        return int(limit) - used + _cached(group, ("inactive_file", "active_file"))
    except (OSError, ValueError):
        return None


def _left_in_former_group(group: Path) -> int | None:
    """Ask a group of version 1."""
    try:
        limit = int((group / "memory.limit_in_bytes").read_text())
        if limit >= _UNLIMITED:
            return None
        used = int((group / "memory.usage_in_bytes").read_text())
        return limit - used + _cached(group, ("total_inactive_file", "total_active_file"))
    except (OSError, ValueError):
        return None


def _cached(group: Path, names: tuple[str, ...]) -> int:
    entries = (line.split() for line in (group / "memory.stat").read_text().splitlines())
    return sum(int(entry[1]) for entry in entries if len(entry) > 1 and entry[0] in names)


def _left_by_limits(root: Path) -> Iterator[int]:
    """Ask what `ulimit -v` and `ulimit -d` leave to this process."""
    try:
        import resource

        page = os.sysconf("SC_PAGE_SIZE")
        sizes = [int(size) * page for size in (root / "proc/self/statm").read_text().split()]
    except (ImportError, OSError, ValueError):
        return
    for limit, used in ((resource.RLIMIT_AS, sizes[0]), (resource.RLIMIT_DATA, sizes[5])):
        most, _ = resource.getrlimit(limit)
        if most != resource.RLIM_INFINITY:
            yield most - used
