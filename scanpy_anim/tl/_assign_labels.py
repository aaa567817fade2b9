"""From stored scores to labels and probabilities, as often as one likes."""

from __future__ import annotations

from typing import TYPE_CHECKING

from scanpy import logging as logg

from scanpy_anim._accessors import plain_key
from scanpy_anim._checks import MissingKeyError, number, switch, text
from scanpy_anim._compat import require_anndata
from scanpy_anim._compiled import kept_functions
from scanpy_anim._lazy import plain, readable
from scanpy_anim._read_result import reading_record
from scanpy_anim._results import is_ours, is_own, keys_of
from scanpy_anim.tl._decide_labels import assign
from scanpy_anim.tl._stored_run import ALGORITHM

if TYPE_CHECKING:
    from anndata import AnnData


@kept_functions()
def assign_labels(
    adata: AnnData,
    *,
    key: str = "label_propagation",
    class_mass: bool | None = None,
    calibrate: bool = False,
    min_confidence: float | None = None,
    coverage: float | None = None,
    copy: bool = False,
) -> AnnData | None:
    r"""Decide on a label for each cell from the scores of a propagation.

    :func:`label_propagation` calls this with its defaults. Call it again to decide otherwise
    without propagating again.

    The share of class :math:`c` in cell :math:`i` is that of the cell's scores in the last column
    of `obsm[key]`, after class weights :math:`w_c` and a temperature :math:`T` when these are asked
    for:

    .. math:: p_{ic} = \frac{(w_c F_{ic})^{1/T}}{\sum_d (w_d F_{id})^{1/T}}

    A cell's confidence is the share of its label. That says how the scores are divided, not how
    often such a label is right: for this it has to be calibrated.

    Parameters
    ----------
    adata
        With the result of :func:`label_propagation` for several classes.
    key
        Its `key_added`.
    class_mass
        Weigh the classes so that each one's scores add up to its share of the seeds, class mass
        normalisation of [Zhu2003]_. It makes up for classes whose seeds happen to sit at
        well-connected places, and is what saves hard clamping when seeds are few. `None`: with
        hard clamping, unless `clamp="auto"` found that it does better without.
    calibrate
        Make confidence a probability: of the cells with a confidence of 0.8 about 80 % should have
        the right label. Fitted on seeds that are held out in five folds (ten when they are few),
        with the graph, as a logistic curve from the share to how often it is right [Platt1999]_,
        with a temperature [Guo2017]_ before it or without, whichever has the smaller loss on seeds
        left out of the fit; where that is not smaller by a standard error, the share stays. Labels
        stay as they are. When held-out seeds are named in other proportions than the cells, as
        where seeds are picked evenly over the classes, they count by how large their class is
        among the cells [Saerens2002]_. With fewer than 40 seeds to hold out it says so and leaves
        the shares as they are; and from few seeds it cannot be better than these are typical. Where
        large classes have few seeds and small ones many, held-out seeds hardly tell: draw seeds
        from the cells, or as many from each class.
    min_confidence
        Cells below it stay without label, 0 to 1.
    coverage
        Store for each cell the set of labels that holds the true one with this probability, such
        as 0.9, by conformal prediction on seeds that are held out fold by fold [Sadinle2019]_, with
        which each cell is compared in one of the folds [Linusson2017]_: for each class where enough
        of its seeds can be held out (20 for 0.9), for the others together. Cells of which no label,
        or many, can be said to be the true one are those to look at. By which fold a cell is asked,
        and what is on the border of a set, chance decides, the same in every call.
    copy
        Return a copy instead of writing into `adata`.

    Returns
    -------
    `None`, or with `copy` the copy. Sets

    `obs[key]` : categorical
        Label; missing where no seed reaches the cell, or below `min_confidence`.
    `obs[key + "_confidence"]` : float64
        Share of the label, or when calibrated its probability; 0 where no seed reaches the cell.
    `obsm[key + "_proba"]` : DataFrame `(n_obs, n_classes)`, float64
        Share, or calibrated probability, of each class; rows sum to 1, or 0 where no seed reaches
        the cell. Columns are
        the classes, with slashes and backslashes spelled `|` because files cannot hold them in
        the name of a column; names that files reserve (`_index`, `dtype`, ...) become `class 3`.
        The names as they are: `obs[key].cat.categories`, in the same order.
    `obs[key + "_set_size"]` : int64, `obsm[key + "_set"]` : bool `(n_obs, n_classes)`
        With `coverage`: how many labels a cell's set has, and which; all of them where no seed
        reaches the cell.
    `uns[key]["temperature"]` : float
        When calibrated; 1 where another way was taken.
    `uns[key]["calibration"]` : dict
        When calibrated: `method`, `"logistic"`, `"temperature, logistic"` or `"none"`;
        `loss_before` and `loss_after`, of held-out seeds; `held_out`, their number; `weighed`,
        whether they count by the size of their class; for the curve `shares` and the
        `confidences` they stand for.
    `uns[key]["labels"]` : dict
        `class_mass`, and `min_confidence` and `coverage` if there is one.
    `uns[key]["class_weights"]` : float64 `(n_columns, n_classes)`
        With class mass: the weight of each class in each column of `obsm[key]`, or in the last one
        alone where labels are stored.

    Raises
    ------
    KeyError
        There is no such propagation.
    ValueError
        It is of one class, or an argument is out of range.

    References
    ----------
    .. [Zhu2003] Zhu, Ghahramani and Lafferty (2003), Semi-supervised learning using Gaussian
       fields and harmonic functions, ICML.
    .. [Guo2017] Guo, Pleiss, Sun and Weinberger (2017), On calibration of modern neural networks,
       ICML.
    .. [Platt1999] Platt (1999), Probabilistic outputs for support vector machines and comparisons
       to regularized likelihood methods, Advances in large margin classifiers.
    .. [Saerens2002] Saerens, Latinne and Decaestecker (2002), Adjusting the outputs of a classifier
       to new a priori probabilities, Neural Computation.
    .. [Sadinle2019] Sadinle, Lei and Wasserman (2019), Least ambiguous set-valued classifiers with
       bounded error levels, Journal of the American Statistical Association.
    .. [Linusson2017] Linusson, Norinder, Boström, Johansson and Löfström (2017), On the calibration
       of aggregated conformal predictors, COPA.

    Examples
    --------
    >>> import scanpy as sc
    >>> import scanpy_anim as sca
    >>> adata = sc.datasets.pbmc68k_reduced()
    >>> adata.obs["few"] = adata.obs["bulk_labels"].where(adata.obs_names.str[0] == "A")
    >>> sca.tl.label_propagation(adata, "few")
    >>> sca.tl.assign_labels(adata, calibrate=True, min_confidence=0.5)
    >>> float(adata.uns["label_propagation"]["temperature"]) > 0
    True
    >>> sca.tl.assign_labels(adata, coverage=0.9)
    >>> bool((adata.obs["label_propagation_set_size"] <= 10).all())
    True
    """
    switch("calibrate", calibrate)
    switch("copy", copy)
    if class_mass is not None:
        switch("class_mass", class_mass)
    if coverage is not None:
        number("coverage", coverage, most=1, within=True)
    key = plain_key("key", key)
    require_in_memory(adata, copy=copy)
    adata = readable(adata)
    _require_labels(adata, key, min_confidence)
    if coverage is not None:
        _require_free_sets(adata, key)
    start = logg.info("assigning labels")
    adata = adata.copy() if copy else adata
    added = assign(
        adata,
        key,
        class_mass=class_mass,
        calibrate=calibrate,
        min_confidence=min_confidence,
        coverage=coverage,
    )
    logg.info("    finished", time=start, deep="added\n" + "\n".join(f"    {a}" for a in added))
    return plain(adata) if copy else None


def require_in_memory(adata: AnnData, *, copy: bool) -> None:
    """Refuse what anndata would refuse only when the work is done."""
    require_anndata(adata)
    if adata.isbacked and (copy or adata.is_view):
        what = "copy=True of" if copy else "adata is a view of"
        raise ValueError(
            f"{what} cells that stay in a file ({adata.filename}) would need another file: "
            "run `adata = adata.to_memory()` first"
        )


def _require_labels(adata: AnnData, key: str, min_confidence: float | None) -> None:
    if not is_ours(adata, text("key", key), ALGORITHM):
        found = keys_of(adata, ALGORITHM)
        raise MissingKeyError(
            f"key={key!r} is not a propagation stored in adata.uns, which has "
            f"{found or 'none: run `sca.tl.label_propagation(adata, seeds)` first'}"
        )
    if key not in adata.obsm:
        raise MissingKeyError(
            f"key={key!r}: the scores adata.obsm[{key!r}] are gone, propagate again"
        )
    with reading_record(key):
        codes = str(adata.uns[key].get("params", {}).get("history")) == "labels"
    if codes and f"{key}_scores" not in adata.obsm:
        raise MissingKeyError(f"key={key!r}: adata.obsm['{key}_scores'] is gone, propagate again")
    if "classes" not in adata.uns[key]:
        raise ValueError(
            f"key={key!r} is a propagation of one class, whose scores are in adata.obs[{key!r}]: "
            "labels, class_mass and calibrate need several classes"
        )
    if min_confidence is not None:
        number("min_confidence", min_confidence, least=0, most=1)


def _require_free_sets(adata: AnnData, key: str) -> None:
    """Refuse to write sets over what is no earlier set of labels."""
    names = {f"obs/{key}_set_size": adata.obs, f"obsm/{key}_set": adata.obsm}
    for field, store in names.items():
        where, _, within = field.partition("/")
        if within in store and not is_own(adata, adata.uns[key], field):
            raise ValueError(
                f"coverage= would replace adata.{where}[{within!r}], which is no earlier set of "
                "labels: give it another name"
            )
