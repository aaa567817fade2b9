"""What is propagated, and how: what a call leaves open is decided, a prior becomes the signal."""

from __future__ import annotations

from dataclasses import dataclass, replace
from typing import TYPE_CHECKING, Any, get_args

from scanpy import logging as logg

from scanpy_anim._checks import choice
from scanpy_anim._table import is_dask
from scanpy_anim.tl._advice import warn_of_few_to_learn_from
from scanpy_anim.tl._blocks import BlockGraph
from scanpy_anim.tl._choice import by_rule, choose
from scanpy_anim.tl._options import Clamp
from scanpy_anim.tl._prior import PRIOR_ALPHA, correct, nonzero_rows, regress, resolve_prior
from scanpy_anim.tl._prior_choice import choose_smoothing

if TYPE_CHECKING:
    import numpy as np
    from anndata import AnnData
    from numpy.typing import NDArray
    from scipy import sparse

    from scanpy_anim.tl._choice import Choice
    from scanpy_anim.tl._options import Options
    from scanpy_anim.tl._signal import Seeds


@dataclass(frozen=True, slots=True)
class LeftOpen:
    """Arguments that `"auto"` leaves open, as they were passed, and the prior that they go with."""

    alpha: Any
    clamp: Any
    prior: Any

    def of_one_class(self) -> dict[str, Any]:
        """Take what one class takes, which several may change."""
        known: tuple[str, ...] = ("auto", *get_args(Clamp))
        clamp = "soft" if choice("clamp", self.clamp, known) == "auto" else self.clamp
        if isinstance(self.alpha, str) and self.alpha != "auto":
            raise ValueError(f"alpha={self.alpha!r} must be a number between 0 and 1, or 'auto'")
        return {"alpha": 0.99 if isinstance(self.alpha, str) else self.alpha, "clamp": clamp}

    def searches(self, seeds: Seeds) -> bool:
        """Whether alpha, and perhaps clamp, are left open and are to be chosen."""
        open_alpha = seeds.n_classes > 1 and self.clamp != "hard" and isinstance(self.alpha, str)
        return open_alpha and self.prior is None

    def read_prior(
        self, adata: AnnData, seeds: Seeds, graph: Any, name: str
    ) -> NDArray[np.float64] | None:
        """Probabilities that were passed, or features to predict them by; `None` without prior."""
        if self.prior is None:
            return None
        if seeds.n_classes == 1:
            raise ValueError("prior shares cells out among several classes, the seeds are of one")
        if self.clamp == "hard":
            raise ValueError(
                "clamp='hard' holds the seeds alone, with prior every cell has a signal"
            )
        found = resolve_prior(adata, self.prior, seeds.classes)
        if is_dask(graph):
            raise ValueError(f"prior needs the graph in memory, and obsp[{name!r}] is a Dask array")
        return found

    def learns(self) -> bool:
        """Whether a prior is learned at the seeds, from features."""
        return isinstance(self.prior, str)


@dataclass(frozen=True, eq=False)
class Start:
    """What is propagated, and how.

    Attributes
    ----------
    options
        With alpha and clamp as they were chosen.
    positions, signal
        Cells with a signal, ascending, and their rows.
    chosen
        How alpha and clamp were chosen, where they were.
    prior
        Probabilities before anything is propagated, with prior.
    """

    options: Options
    positions: NDArray[np.int64]
    signal: NDArray[np.float32]
    chosen: Choice | None = None
    prior: NDArray[np.float64] | None = None


def decide_start(
    graph: sparse.csr_array | BlockGraph,
    seeds: Seeds,
    left_open: LeftOpen,
    before: NDArray[np.float64] | None,
    options: Options,
) -> Start:
    """Choose what is left open, or with a prior make it the signal.

    `before` holds the probabilities that were passed, or the features to predict them by.
    """
    # a prior is refused with a graph in blocks
    if before is None or isinstance(graph, BlockGraph):
        return _chosen(graph, seeds, left_open, options)
    table, chosen = seeds.table(), None
    if isinstance(left_open.alpha, str):
        options = replace(options, alpha=PRIOR_ALPHA)
        if left_open.learns():
            chosen = choose_smoothing(graph, before, table, options)
            options = replace(options, alpha=chosen.taken.alpha)
            logg.info(f"    with alpha={options.alpha:g}: {chosen.why}")
    if left_open.learns():
        warn_of_few_to_learn_from(table, left_open.prior)
        before = regress(before, table)
    cells, signal = nonzero_rows(correct(graph, before, table, options))
    return Start(options, cells, signal, chosen, before)


def _chosen(
    graph: sparse.csr_array | BlockGraph, seeds: Seeds, left_open: LeftOpen, options: Options
) -> Start:
    """Choose what several classes leave open; a number for alpha means soft clamping."""
    if not left_open.searches(seeds):
        return Start(options, seeds.positions, seeds.signal)
    if isinstance(graph, BlockGraph):
        chosen = by_rule()
    else:
        nothing_to_hold = len(seeds.positions) == graph.shape[0]
        soft_only = left_open.clamp == "soft" or nothing_to_hold
        chosen = choose(
            graph,
            seeds.table(),
            soft_only=soft_only or options.normalization == "pagerank",
            normalization=options.normalization,
        )
    taken = chosen.taken
    options = replace(options, alpha=taken.alpha, clamp=taken.clamp, class_mass=taken.class_mass)
    logg.info(f"    with {taken}: {chosen.why}")
    return Start(options, seeds.positions, seeds.signal, chosen)
