"""Label propagation on the neighbour graph of an AnnData: read, propagate, store."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, Literal

from scanpy import logging as logg

from scanpy_anim._accessors import plain_key, plain_names
from scanpy_anim._checks import switch
from scanpy_anim._compiled import kept_functions
from scanpy_anim._lazy import plain, readable
from scanpy_anim.tl._advice import count_of, warn_of_outcome, warn_of_uneven_seeds
from scanpy_anim.tl._assign_labels import require_in_memory
from scanpy_anim.tl._graph import graph_name
from scanpy_anim.tl._options import Options
from scanpy_anim.tl._phases import require_phases
from scanpy_anim.tl._propagate import open_store, read_graph
from scanpy_anim.tl._propagation import run
from scanpy_anim.tl._seeds import resolve_seeds
from scanpy_anim.tl._start import LeftOpen, decide_start
from scanpy_anim.tl._stored_run import params_of, require_own_key, store_run
from scanpy_anim.tl._unlabeled import plain_values
from scanpy_anim.tl._walked import describe

if TYPE_CHECKING:
    from collections.abc import Sequence

    from anndata import AnnData

    from scanpy_anim.tl._options import Clamp, History, Method, Normalization


@kept_functions()
def label_propagation(
    adata: AnnData,
    seeds: Any,
    *,
    unlabeled: Any = None,
    prior: Any = None,
    alpha: float | Literal["auto"] = "auto",
    clamp: Clamp | Literal["auto"] = "auto",
    method: Method = "iterative",
    normalization: Normalization = "symmetric",
    tol: float = 1e-2,
    max_iter: int = 100,
    limit: bool = True,
    history: History = "scores",
    every: int = 1,
    iterations: Sequence[int] | Literal["log"] | None = None,
    neighbors_key: str | None = None,
    obsp: str | None = None,
    symmetrize: bool = False,
    history_store: Any = None,
    key_added: str = "label_propagation",
    copy: bool = False,
) -> AnnData | None:
    r"""Let labels of seed cells run over the neighbour graph, and keep every iteration.

    With the graph's weights :math:`A`, the row sums :math:`D` and the seed signal :math:`Y`, of
    one column a class,

    .. math::

        F_0 = Y, \qquad F_t = \alpha S F_{t-1} + (1 - \alpha) Y, \qquad
        r_t = \frac{\|F_t - F_{t-1}\|_F^2}{\|F_t\|_F^2}

    until the residual :math:`r_t` is at most `tol` [Zhou2003]_, where :math:`S` is

    - :math:`D^{-1/2} A D^{-1/2}` with `normalization="symmetric"`, where a cell that receives
      nothing has 1 in :math:`D`,
    - :math:`D^{-1} A` with `"random_walk"`: the mean of the neighbours,
    - :math:`A C^{-1}` with `"pagerank"`, :math:`C` the column sums: a walk that restarts at the
      seeds. The limit of a seed signal that sums to 1 is personalised PageRank [Page1999]_;
      what reaches cells that send to nobody goes back to the seeds.

    With `clamp="hard"` seeds keep their value and everyone else takes the mean of its
    neighbours, :math:`F_u \leftarrow D_u^{-1} (A_{uu} F_u + A_{ul} Y_l)`, whose limit is the
    harmonic function [Zhu2003]_.

    The published stopping rule looks at the seeds, which hold most of the norm, and stops long
    before the last cell is reached. The way makes the film; the labels are those of the limit,
    which follows as the last column: :math:`(1 - \alpha) (I - \alpha S)^{-1} Y`.

    Parameters
    ----------
    adata
        With a neighbour graph. Where that is a Dask array of CSR chunks of rows, as
        `anndata.experimental.read_lazy` gives, it is read block by block in each iteration, by
        whatever Dask scheduler is set, and never put together. What is left open, `"auto"`, is
        then soft clamping with an `alpha` of 0.8 for several classes, `prior` and `symmetrize`
        are refused.
    seeds
        Where to start from:

        - an `obs` column: categorical or string, a class per category, missing means unlabelled;
          boolean, one class, its True cells; or whole numbers, -1 where there is no label.
          `(column, [values])` takes only some values;
        - a label for each cell, of the same kinds: a Series, a Categorical, an array with gaps;
        - cells of one class: a list of `obs_names`, integer positions, a boolean mask, or
          `{cell: weight}`;
        - `{class: cells}`, cells as above; a cell may seed several classes;
        - the initial signal, `(n_obs,)` or `(n_obs, n_classes)`: float array, sparse matrix,
          Series or DataFrame. Non-zero rows are the seeds. Signals of one class may have both
          signs.

        Series and DataFrames are aligned on `obs_names`.
    unlabeled
        Value or values of a label column, or of a Series or an array of labels, that mean "no
        label", such as `"Unknown"`: such cells are no seeds. Missing labels never are, nor is -1
        among whole numbers. Without it, a class that is called like that is said as a warning;
        `[]` says that none is meant.
    prior
        What is known of each cell beforehand, with several classes: probabilities
        `(n_obs, n_classes)`, as an array in the order of the classes or as a DataFrame that names
        them; or the name of a representation, such as `"X_pca"`, from which a logistic regression
        on the seeds predicts them. What they get wrong at the seeds is propagated and corrected
        for, then the corrected probabilities are, with the seeds' own labels: Correct and Smooth
        [Huang2021]_. Clamping is soft. An `alpha` of `"auto"` is 0.8; with a representation 0.8,
        0.5 or 0.2, whichever names most of the seeds that are held out, a third at a time.
    alpha
        Weight of the neighbours against the seeds, between 0 and 1. Of no account with hard
        clamping. `"auto"`: 0.99 for one class; for several what is chosen with `clamp`.
    clamp
        Whether seeds are pulled back to their signal (`"soft"`) or held at it (`"hard"`).
        Holding degenerates to spikes at the seeds when they are few [Calder2020]_; with several
        classes, class mass normalisation makes up for much of it (see :func:`assign_labels`).
        `"auto"`: soft for one class, and where `alpha` is a number. For several classes a third
        of the seeds at a time is held out, and soft clamping with an `alpha` of 0.8 or 0.95, or
        hard clamping with or without class mass is taken, whichever names most of them. With
        fewer than three seeds of the middling class, or 15 to hold out, it is hard clamping with
        class mass where no class has more than three times the seeds of another, else an `alpha`
        of 0.8. What was taken, and why, is logged and stored in `params`.
    method
        `"iterative"` keeps the way; `"direct"` solves for the limit alone: two columns, the
        seed signal and the limit.
    normalization
        As above. Of no account with hard clamping.
    tol
        Residual at which to stop; 0 runs exactly `max_iter` iterations.
    max_iter
        Iterations at most. Ending there with a larger residual than `tol` is said as a warning.
    limit
        Append the converged solution.
    history
        With several classes: keep the `"scores"` of every class, or with `"labels"` only which
        class wins and by what share, which takes less memory by the number of classes.
    every
        Keep iterations 0, `every`, 2 `every`, ...
    iterations
        Keep these iterations, or with `"log"` 0, 1, 2, 4, 8, ...
    neighbors_key
        Graph of `uns[neighbors_key]`; the default is `uns["neighbors"]`.
    obsp
        Graph `obsp[obsp]`, any matrix of weights that are 0 or more. Row `i` of a directed
        graph lists the cells that cell `i` receives from.
    symmetrize
        Use :math:`(A + A^T) / 2` instead.
    history_store
        With a graph that is a Dask array: a folder, or a zarr group opened for writing, where the
        history goes as it grows, as arrays called `key_added`. By default it is kept in memory up
        to 256 MB, else in a folder of Dask's temporary directory that is removed when nothing
        refers to the results any more.
    key_added
        Name of the results.
    copy
        Return a copy instead of writing into `adata`.

    Returns
    -------
    `None`, or with `copy` the copy. Sets

    `obsm[key]` : float32 `(n_obs, n_frames)` or `(n_obs, n_frames, n_classes)`
        Scores, C order. Column `t` is the state after `t` iterations, column 0 the seed signal,
        the last one the limit. With `history="labels"`: codes of the winning class
        `(n_obs, n_frames)`, -1 where no seed has reached the cell; then also
        `obsm[key + "_confidence"]`, its share, and `obsm[key + "_scores"]`, the scores of the
        last column. (`anndata.concat(..., join="outer")` with an object that lacks the key fails
        for 3-D arrays.)
    `obs[key]` : float32, or categorical
        One class: the score of the last column. Several: the label, missing where no seed reaches
        the cell.
    `obs[key + "_confidence"]`, `obsm[key + "_proba"]`
        Several classes: see :func:`assign_labels`.
    `uns[key]` : dict
        `algorithm` and `fields`, what was written; `graph`, which `obsp` was walked on; `params`,
        the arguments, with `alpha` and `clamp` as they were chosen, and in `chosen` why;
        `classes`; `seeds`, their `positions`, `classes` and
        `weights`; `iterations`, what each column holds, `inf` for the limit; per iteration
        `residuals`, `unreached` (number of cells no seed has reached yet) and `flips` (share of
        cells whose best class changed); `n_iter`; `converged`; `limit`, `residual` and
        `n_iter` of the solver.
    `obsm[key + "_prior"]` : float32 `(n_obs, n_classes)`
        With `prior`: the probabilities before anything was propagated. Column 0 of `obsm[key]` is
        then the corrected ones, and the later columns smooth them.
    `uns[key + "_colors"]`
        The seed column's colors.

    Raises
    ------
    KeyError
        A column, cell, category or graph that is not there.
    ValueError, TypeError, IndexError
        An argument that makes no sense, said before work starts.
    MemoryError
        The history would not fit into memory.

    See Also
    --------
    assign_labels : decide on labels in another way, without propagating again.
    propagate : the same on arrays.

    References
    ----------
    .. [Zhou2003] Zhou, Bousquet, Lal, Weston and Schölkopf (2003), Learning with local and global
       consistency, NIPS.
    .. [Zhu2003] Zhu, Ghahramani and Lafferty (2003), Semi-supervised learning using Gaussian
       fields and harmonic functions, ICML.
    .. [Huang2021] Huang, He, Singh, Lim and Benson (2021), Combining label propagation and simple
       models out-performs graph neural networks, ICLR.
    .. [Page1999] Page, Brin, Motwani and Winograd (1999), The PageRank citation ranking.
    .. [Calder2020] Calder, Cook, Thorpe and Slepčev (2020), Poisson learning: graph based
       semi-supervised learning at very low label rates, ICML.

    Examples
    --------
    >>> import scanpy as sc
    >>> import scanpy_anim as sca
    >>> adata = sc.datasets.pbmc68k_reduced()
    >>> sca.tl.label_propagation(adata, {"B": ["AAAGCCTGGCTAAC-1"], "other": [1, 2]}, alpha=0.9)
    >>> adata.obsm["label_propagation"].shape[::2]
    (700, 2)
    >>> adata.obs["label_propagation"].cat.categories.to_list()
    ['B', 'other']
    """
    arguments = {
        "alpha": alpha,
        "clamp": clamp,
        "method": method,
        "normalization": normalization,
        "tol": tol,
        "max_iter": max_iter,
        "limit": limit,
        "history": history,
        "every": every,
        "iterations": iterations,
        "symmetrize": symmetrize,
    }
    left_open = LeftOpen(alpha, clamp, prior)
    options = Options.checked(**{**arguments, **left_open.of_one_class()})
    obsp = plain_key("obsp", obsp)
    require_in_memory(adata, copy=switch("copy", copy))
    adata, unlabeled = readable(adata), plain_values(unlabeled)
    resolved = resolve_seeds(adata, plain_names("seeds", seeds), unlabeled)
    require_own_key(adata, key_added, resolved, history)
    name = graph_name(adata, neighbors_key, obsp)
    stored = adata.obsp[name]
    searches = left_open.searches(resolved)
    options = require_phases(
        adata, stored, resolved.n_classes, options, searches=searches, prior=prior, copy=copy
    )
    before = left_open.read_prior(adata, resolved, stored, name)
    graph = read_graph(stored, adata.n_obs, symmetrize=options.symmetrize, name=f"obsp[{name!r}]")
    store = open_store(history_store, key_added, graph)

    for doubt in resolved.doubts:
        logg.warning(doubt)
    started = logg.info(f"propagating {count_of(resolved)}")
    start = decide_start(graph, resolved, left_open, before, options)
    del before
    outcome = run(graph, start.positions, start.signal, start.options, store)
    warn_of_outcome(outcome, resolved, tol, method, clamp)
    warn_of_uneven_seeds(resolved, alpha, clamp)
    others = {
        "neighbors_key": neighbors_key,
        "obsp": obsp,
        "key_added": key_added,
        "prior": prior,
        "unlabeled": unlabeled,
        "history_store": history_store,
    }
    params = params_of(arguments, others, resolved, start)
    walked = describe(stored, graph, name, symmetrized=options.symmetrize)

    adata = adata.copy() if copy else adata
    added = store_run(adata, key_added, outcome, resolved, params, walked, start.prior)
    logg.info("    finished", time=started, deep="added\n" + "\n".join(f"    {a}" for a in added))
    return plain(adata) if copy else None
