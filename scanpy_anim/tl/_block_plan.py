"""How many classes are taken at a time on a graph in blocks, and what memory that takes."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

from scanpy_anim._memory import free_bytes, spelled

if TYPE_CHECKING:
    from scanpy_anim.tl._options import Options

# of what is free; the rest is for blocks and for others
_SHARE = 0.8
# bytes a cell and class of an iteration, for two signals; and a cell, for the scaling and who is
# reached, with several classes for labels too
_OF_CLASS, _OF_CELL, _OF_CELL_SEVERAL = 8, 6, 18
# and of the limit: the vectors of conjugate gradients in float64, on directed graphs of BiCGSTAB;
# degrees
_OF_CLASS_LIMIT, _OF_CLASS_DIRECTED, _OF_CELL_LIMIT = 52, 80, 26


@dataclass(frozen=True, slots=True)
class Plan:
    """Classes that are taken at a time, on the way and in the limit, and what that takes."""

    on_the_way: int
    in_the_limit: int
    sizes: tuple[tuple[int, int], ...]

    @classmethod
    def of(
        cls,
        n_obs: int,
        n_classes: int,
        options: Options,
        *,
        signed: bool,
        directed: bool = False,
    ) -> Plan:
        """As many as fit; a class of both signs is solved for as two.

        Raises
        ------
        MemoryError
            Not even the vectors of one class do.
        """
        of_cell = _OF_CELL_SEVERAL if n_classes > 1 else _OF_CELL
        sizes = [(_OF_CLASS, of_cell)]
        if options.limit:
            one = _OF_CLASS_DIRECTED if directed else _OF_CLASS_LIMIT
            sizes.append((one * (1 + signed), _OF_CELL_LIMIT))
        free = free_bytes()
        if free is None:
            return cls(n_classes, n_classes, tuple(sizes))
        fitting = [int((_SHARE * free / n_obs - cell) // one) for one, cell in sizes]
        for (one, cell), count, what in zip(sizes, fitting, ("way", "limit"), strict=False):
            if count < 1:
                without = "without it (limit=False), or " if what == "limit" else ""
                raise MemoryError(
                    f"the vectors of one class take {spelled(n_obs * (one + cell))} on {n_obs} "
                    f"cells for the {what}, but {spelled(free)} are free: run {without}on a "
                    "machine with more memory"
                )
        return cls(min(n_classes, fitting[0]), min(n_classes, fitting[-1]), tuple(sizes))

    def bytes(self, n_obs: int) -> int:
        """Count what the vectors take at most."""
        counts = (self.on_the_way, self.in_the_limit)
        taken = zip(counts, self.sizes, strict=False)
        return n_obs * max(count * of_class + of_cell for count, (of_class, of_cell) in taken)
