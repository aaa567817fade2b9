"""Label propagation on the neighbour graph of an AnnData: read, propagate, store.

What is stored under ``key`` (`key_added`):

``obsm[key]``
    float32, C order, ``(n_obs, n_frames)`` for one class, ``(n_obs, n_frames, n_classes)`` for
    several.
``obs[key]``, ``obs[key + "_confidence"]``, ``obsm[key + "_proba"]``
    The outcome; the last two for several classes only. Written by ``assign_labels``.
``uns[key]``
    ``params``
        Arguments of the call that are not None; ``seeds`` when an obs column was named.
    ``classes``
        Array of str, one a class; absent for one class.
    ``seeds``
        ``positions``: int array; ``classes``: int array, index of the class of each position
        (0 for one class). A cell that seeds two classes is listed twice.
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
``uns[key + "_colors"]``
    Colours of the classes, when the seeds are a column that has them.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import TYPE_CHECKING, Any, Literal

import numpy as np
from scanpy import logging as logg

from scanpy_anim.tl._assign_labels import assign
from scanpy_anim.tl._graph import as_csr, choose_graph
from scanpy_anim.tl._keep import kept_iterations
from scanpy_anim.tl._parameters import check_parameters
from scanpy_anim.tl._propagation import Propagation, propagate
from scanpy_anim.tl._seeds import Seeds, resolve_seeds

if TYPE_CHECKING:
    from collections.abc import Sequence

    from anndata import AnnData

    from scanpy_anim.tl._parameters import Clamp, History, Method, Normalization


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
    """Let labels of seed cells run over the neighbour graph, and keep every iteration."""
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
    kept_iterations(every, iterations, max_iter)
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
    _warn(outcome, tol, method, max_iter)
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
    if not isinstance(key, str) or not key or "/" in key:
        raise ValueError(f"key_added={key!r} must be a name without '/'")
    spelled = seeds.spelling if isinstance(seeds.spelling, str) else (seeds.spelling or ("",))[0]
    if key == spelled:
        raise ValueError(f"key_added={key!r} is the column of the seeds: choose another name")
    record = adata.uns.get(key)
    ours = isinstance(record, Mapping) and {"params", "seeds", "iterations"} <= set(record)
    if (key in adata.obs or key in adata.obsm or key in adata.uns) and not ours:
        raise ValueError(
            f"key_added={key!r} would replace what adata has under that name, which "
            "label_propagation has not made: choose another name"
        )


def _warn(outcome: Propagation, tol: float, method: str, max_iter: int) -> None:
    if method == "iterative" and tol > 0 and not outcome.converged:
        logg.warning(
            f"max_iter={max_iter} ends the propagation with a residual of "
            f"{outcome.residuals[-1]:.3g}, above tol={tol:.3g}. The results are kept"
        )


def _store(
    adata: AnnData, key: str, outcome: Propagation, seeds: Seeds, params: dict[str, Any]
) -> list[str]:
    """Write everything in one go, and say what."""
    rows, classes = np.nonzero(seeds.signal)
    record: dict[str, Any] = {
        "params": params,
        "seeds": {"positions": seeds.positions[rows], "classes": classes},
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
    adata.uns[key] = record
    added = [f"'{key}', scores (adata.obsm), {outcome.history.shape[1]} frames"]
    if seeds.n_classes == 1:
        adata.obs[key] = np.ascontiguousarray(outcome.history[:, -1])
        return [*added, f"'{key}', score (adata.obs)", f"'{key}', parameters (adata.uns)"]
    if seeds.colors:
        adata.uns[f"{key}_colors"] = list(seeds.colors)
    return [*added, *assign(adata, key), f"'{key}', parameters (adata.uns)"]


def _clear(adata: AnnData, key: str) -> None:
    """Forget an earlier result of the same name, so that nothing stale stays next to the new."""
    for store, names in (
        (adata.obs, (key, f"{key}_confidence")),
        (adata.obsm, (key, f"{key}_proba", f"{key}_confidence", f"{key}_scores")),
        (adata.uns, (key, f"{key}_colors")),
    ):
        for name in names:
            if name in store:
                del store[name]
