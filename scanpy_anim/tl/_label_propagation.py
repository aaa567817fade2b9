"""Label propagation on the neighbour graph of an AnnData: read, propagate, store.

What is stored under ``key`` (`key_added`):

``obsm[key]``
    float32, C order, ``(n_obs, n_frames)`` for one class, ``(n_obs, n_frames, n_classes)`` for
    several.
``obs[key]``, ``obs[key + "_confidence"]``, ``obsm[key + "_proba"]``
    The outcome; the last two for several classes only. Written by ``assign_labels``.
``obsm[key + "_confidence"]``, ``obsm[key + "_scores"]``
    With ``history="labels"`` only, where ``obsm[key]`` holds integer codes ``(n_obs, n_frames)``:
    float32 share of the winner, of the same shape, and float32 scores ``(n_obs, n_classes)`` of
    the last column.
``uns[key]``
    ``params``
        Arguments of the call that are not None; ``seeds`` when an obs column was named.
    ``classes``
        Array of str, one a class; absent for one class.
    ``seeds``
        ``positions``: int array; ``classes``: int array, index of the class of each position
        (0 for one class); ``weights``: float array. A cell that seeds two classes is listed
        twice.
    ``iterations``
        Float array, what each column of ``obsm[key]`` holds: 0 is the seed signal, ``inf`` the
        limit.
    ``residuals``, ``unreached``, ``flips``
        One entry an iteration, the first one for iteration 1, kept or not; ``flips`` is absent
        for one class.
    ``n_iter``, ``converged``
        int, bool.
    ``limit``
        ``residual`` and ``n_iter`` of the solver; absent without limit.
    ``labels``, ``temperature``
        How the labels were decided, see ``assign_labels``; several classes only.
``uns[key + "_colors"]``
    Colours of the classes, when the seeds are a column that has them.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import TYPE_CHECKING, Any, Literal

import numpy as np
from scanpy import logging as logg

from scanpy_anim.tl._assign_labels import assign, require_in_memory
from scanpy_anim.tl._graph import as_csr, choose_graph
from scanpy_anim.tl._keep import kept_iterations
from scanpy_anim.tl._parameters import check_parameters, check_switches
from scanpy_anim.tl._propagation import Propagation, propagate
from scanpy_anim.tl._seeds import Seeds, resolve_seeds

if TYPE_CHECKING:
    from collections.abc import Sequence

    from anndata import AnnData

    from scanpy_anim.tl._parameters import Clamp, History, Method, Normalization


# share of labelled cells below which hard clamping is known to degenerate
_FEW = 0.01


def label_propagation(
    adata: AnnData,
    seeds: Any,
    *,
    alpha: float = 0.99,
    clamp: Clamp = "soft",
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

    - :math:`D^{-1/2} A D^{-1/2}` with ``normalization="symmetric"``,
    - :math:`D^{-1} A` with ``"random_walk"``: the mean of the neighbours,
    - :math:`A C^{-1}` with ``"pagerank"``, :math:`C` the column sums: a walk that restarts at the
      seeds. The limit of a seed signal that sums to 1 is personalised PageRank [Page1999]_;
      what reaches cells that send to nobody goes back to the seeds.

    With ``clamp="hard"`` seeds keep their value and everyone else takes the mean of its
    neighbours, :math:`F_u \leftarrow D_u^{-1} (A_{uu} F_u + A_{ul} Y_l)`, whose limit is the
    harmonic function [Zhu2003]_.

    The published stopping rule looks at the seeds, which hold most of the norm, and stops long
    before the last cell is reached. The way makes the film; the labels are those of the limit,
    which follows as the last column: :math:`(1 - \alpha) (I - \alpha S)^{-1} Y`.

    Parameters
    ----------
    adata
        With a neighbour graph.
    seeds
        Where to start from:

        - an ``obs`` column: categorical or string, a class per category, missing means unlabelled;
          or boolean. ``(column, [categories])`` takes only some categories;
        - cells of one class: a list of ``obs_names``, integer positions, a boolean mask, or
          ``{cell: weight}``;
        - ``{class: cells}``, cells as above; a cell may seed several classes;
        - the initial signal, ``(n_obs,)`` or ``(n_obs, n_classes)``: float array, sparse matrix,
          Series or DataFrame. Non-zero rows are the seeds. Signals of one class may have both
          signs.

        Series and DataFrames are aligned on ``obs_names``.
    alpha
        Weight of the neighbours against the seeds, between 0 and 1. Of no account with hard
        clamping.
    clamp
        Whether seeds are pulled back to their signal (``"soft"``) or held at it (``"hard"``).
        Holding degenerates to spikes at the seeds when they are few [Calder2020]_; with several
        classes, class mass normalisation makes up for much of it (see :func:`assign_labels`).
    method
        ``"iterative"`` keeps the way; ``"direct"`` solves for the limit alone: two columns, the
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
        With several classes: keep the ``"scores"`` of every class, or with ``"labels"`` only which
        class wins and by what share, which takes less memory by the number of classes.
    every
        Keep iterations 0, `every`, 2 `every`, ...
    iterations
        Keep these iterations, or with ``"log"`` 0, 1, 2, 4, 8, ...
    neighbors_key
        Graph of ``uns[neighbors_key]``; the default is ``uns["neighbors"]``.
    obsp
        Graph ``obsp[obsp]``, any matrix of weights that are 0 or more. Row ``i`` of a directed
        graph lists the cells that cell ``i`` receives from.
    symmetrize
        Use :math:`(A + A^T) / 2` instead.
    key_added
        Name of the results.
    copy
        Return a copy instead of writing into `adata`.

    Returns
    -------
    ``None``, or with `copy` the copy. Sets

    ``obsm[key]`` : float32 ``(n_obs, n_frames)`` or ``(n_obs, n_frames, n_classes)``
        Scores, C order. Column ``t`` is the state after ``t`` iterations, column 0 the seed signal,
        the last one the limit. With ``history="labels"``: codes of the winning class
        ``(n_obs, n_frames)``, -1 where no seed has reached the cell; then also
        ``obsm[key + "_confidence"]``, its share, and ``obsm[key + "_scores"]``, the scores of the
        last column. (``anndata.concat(..., join="outer")`` with an object that lacks the key fails
        for 3-D arrays.)
    ``obs[key]`` : float32, or categorical
        One class: the score of the last column. Several: the label, missing where no seed reaches
        the cell.
    ``obs[key + "_confidence"]``, ``obsm[key + "_proba"]``
        Several classes: see :func:`assign_labels`.
    ``uns[key]`` : dict
        ``params``, the arguments; ``classes``; ``seeds``, their ``positions``, ``classes`` and
        ``weights``; ``iterations``, what each column holds, ``inf`` for the limit; per iteration
        ``residuals``, ``unreached`` (number of cells with no score yet) and ``flips`` (share of
        cells whose best class changed); ``n_iter``; ``converged``; ``limit``, ``residual`` and
        ``n_iter`` of the solver.
    ``uns[key + "_colors"]``
        The seed column's colours.

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
    arguments = {name: value for name, value in locals().items() if name not in ("adata", "seeds")}
    check_parameters(
        alpha=alpha,
        clamp=clamp,
        method=method,
        normalization=normalization,
        tol=tol,
        max_iter=max_iter,
        history=history,
    )
    check_switches(limit=limit, symmetrize=symmetrize, copy=copy)
    kept_iterations(every, iterations, max_iter)
    require_in_memory(adata, copy=copy)
    resolved = resolve_seeds(adata, seeds)
    _require_own_key(adata, key_added, resolved)
    graph = as_csr(choose_graph(adata, neighbors_key, obsp), adata.n_obs)

    start = logg.info(f"propagating {_count(resolved)}")
    outcome = propagate(
        graph,
        _signal(resolved, adata.n_obs),
        alpha=alpha,
        clamp=clamp,
        method=method,
        normalization=normalization,
        tol=tol,
        max_iter=max_iter,
        limit=limit,
        history=history,
        every=every,
        iterations=iterations,
        symmetrize=symmetrize,
    )
    _warn(outcome, resolved, tol, method, clamp)
    params = {
        name: value for name, value in arguments.items() if value is not None and name != "copy"
    }
    if resolved.spelling is not None:
        params["seeds"] = _storable(resolved.spelling)
    if iterations is not None:
        params["iterations"] = _storable(iterations)

    adata = adata.copy() if copy else adata
    added = _store(adata, key_added, outcome, resolved, params)
    logg.info("    finished", time=start, deep="added\n" + "\n".join(f"    {a}" for a in added))
    return adata if copy else None


def _count(seeds: Seeds) -> str:
    cells = f"{len(seeds.positions)} seed cell{'s' if len(seeds.positions) > 1 else ''}"
    return f"{cells} of {seeds.n_classes} classes" if seeds.n_classes > 1 else cells


def _signal(seeds: Seeds, n_obs: int) -> Any:
    from scipy import sparse

    rows, columns = np.nonzero(seeds.signal)
    weights = seeds.signal[rows, columns]
    shape = (n_obs, seeds.n_classes)
    return sparse.csr_array((weights, (seeds.positions[rows], columns)), shape=shape)


def _storable(value: Any) -> Any:
    return value if isinstance(value, str) else np.array(value)


def _require_own_key(adata: AnnData, key: str, seeds: Seeds) -> None:
    """Never write over a column that is not ours."""
    if not isinstance(key, str) or not key.strip(".") or "/" in key or "\\" in key:
        raise ValueError(f"key_added={key!r} must be a name without slashes")
    if key in ("_index", adata.obs_names.name):
        raise ValueError(f"key_added={key!r} is the name of the index of adata.obs: choose another")
    spelled = seeds.spelling if isinstance(seeds.spelling, str) else (seeds.spelling or ("",))[0]
    if key == spelled:
        raise ValueError(f"key_added={key!r} is the column of the seeds: choose another name")
    record = adata.uns.get(key)
    ours = isinstance(record, Mapping) and {"params", "seeds", "iterations"} <= set(record)
    if ours:
        return
    taken = [
        f"{store}[{name!r}]"
        for store, name in (*_fields(key), ("uns", key))
        if name in getattr(adata, store)
    ]
    if taken:
        raise ValueError(
            f"key_added={key!r} would replace {', '.join(taken)}, which label_propagation has not "
            "made: choose another name"
        )


def _warn(outcome: Propagation, seeds: Seeds, tol: float, method: str, clamp: str) -> None:
    """Say what a user should know before believing the results."""
    if method == "iterative" and tol > 0 and not outcome.converged:
        why = "memory for its history" if outcome.cut_short else f"max_iter={outcome.n_iter}"
        logg.warning(
            f"{why} ends the propagation with a residual of {outcome.residuals[-1]:.3g}, above "
            f"tol={tol:.3g}. The results are kept"
        )
    if outcome.limit is not None and not outcome.limit_converged:
        logg.warning(
            f"the limit is not quite reached: residual {outcome.limit_residual:.3g} after "
            f"{outcome.limit_iterations} iterations"
        )
    n_obs = len(outcome.scores)
    if clamp == "hard" and seeds.n_classes == 1 and len(np.unique(seeds.signal)) == 1:
        logg.warning("clamp='hard' with one class ends in the same score for all cells it reaches")
    elif clamp == "hard" and len(seeds.positions) < _FEW * n_obs:
        logg.warning(
            f"clamp='hard' with {len(seeds.positions)} seeds among {n_obs} cells degenerates to "
            "spikes at the seeds (Calder et al. 2020). clamp='soft' does not"
        )


def _store(
    adata: AnnData, key: str, outcome: Propagation, seeds: Seeds, params: dict[str, Any]
) -> list[str]:
    """Write everything in one go, and say what."""
    rows, classes = np.nonzero(seeds.signal)
    record: dict[str, Any] = {
        "params": params,
        "seeds": {
            "positions": seeds.positions[rows],
            "classes": classes,
            "weights": seeds.signal[rows, classes],
        },
        "iterations": outcome.iterations,
        "residuals": outcome.residuals,
        "unreached": outcome.unreached,
        "n_iter": outcome.n_iter,
        "converged": outcome.converged,
    }
    if outcome.limit is not None:
        record["limit"] = {
            "residual": outcome.limit_residual,
            "n_iter": outcome.limit_iterations,
        }
    if seeds.n_classes > 1:
        record["classes"] = np.array(seeds.classes, dtype=object)
        record["flips"] = outcome.flips
    _clear(adata, key)
    adata.obsm[key] = outcome.history
    if outcome.confidence is not None:
        adata.obsm[f"{key}_confidence"] = outcome.confidence
        adata.obsm[f"{key}_scores"] = outcome.scores
    adata.uns[key] = record
    kind = "scores" if outcome.confidence is None else "labels"
    added = [f"'{key}', {kind} (adata.obsm), {outcome.history.shape[1]} frames"]
    if seeds.n_classes == 1:
        adata.obs[key] = np.ascontiguousarray(outcome.history[:, -1])
        return [*added, f"'{key}', score (adata.obs)", f"'{key}', parameters (adata.uns)"]
    if seeds.colors:
        adata.uns[f"{key}_colors"] = list(seeds.colors)
    return [*added, *assign(adata, key), f"'{key}', parameters (adata.uns)"]


def _clear(adata: AnnData, key: str) -> None:
    """Forget an earlier result of the same name, so that nothing stale stays next to the new."""
    for store, name in (*_fields(key), ("uns", key), ("uns", f"{key}_colors")):
        if name in getattr(adata, store):
            del getattr(adata, store)[name]


def _fields(key: str) -> list[tuple[str, str]]:
    """Where the results for the cells are."""
    of_cells = [("obs", suffix) for suffix in ("", "_confidence")]
    of_cells += [("obsm", suffix) for suffix in ("", "_proba", "_confidence", "_scores")]
    return [(store, f"{key}{suffix}") for store, suffix in of_cells]
