"""What a run that keeps its iterations stores under a key: written, cleared, recognised.

Any algorithm stores a :class:`Result`; films read one (`_read_result`), whoever wrote it.
`uns[key]` is its record:

`algorithm`
    Who wrote it, and alone may replace it: `"label_propagation"`, ...
`fields`
    What was written beside it, such as `"obsm/label_propagation"`, and the next run clears.
`iterations`
    What each column of `obsm[key]` holds: 0, 1, ..., `inf` for a limit.
`params`, `classes`, `seeds`, `labels`, `temperature` and more
    See `docs/stored.md`.
"""

from __future__ import annotations

from collections.abc import Mapping
from contextlib import contextmanager
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any

import numpy as np
from anndata import AnnData
from scipy import sparse

from scanpy_anim._checks import text
from scanpy_anim._decision import Decision

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator, Sequence

    from numpy.typing import NDArray

    from scanpy_anim._table import Table

_STORES = ("obs", "obsm", "obsp", "uns")
# names that h5ad, zarr or anndata keep for themselves
_RESERVED = ("_index", "dtype", "zarr.json", ".zarray", ".zattrs", ".zgroup", ".zmetadata")
# a file's name has 255 bytes; the longest of a result's fields is "_confidence" longer
_LONGEST = 240


@dataclass(frozen=True, eq=False)
class SeedCells:
    """Where a run started: a cell that seeds two classes is listed twice."""

    positions: NDArray[np.int64]
    classes: NDArray[np.int64]
    weights: NDArray[np.floating]


@dataclass(frozen=True, eq=False)
class Result:
    """A run under its key, as it is stored.

    Attributes
    ----------
    key
        Where: `uns[key]`, `obsm[key]` and fields named after it.
    algorithm
        Who made it.
    history
        `obsm[key]`: numbers `(n_obs, n_columns)`; with `classes` their scores
        `(n_obs, n_columns, n_classes)`, or codes of the best one `(n_obs, n_columns)`, -1: none.
    iterations
        What each column holds, `inf` for a limit; `None` where it is not known any more.
    classes
        Their names; empty for a single number a cell.
    colors
        Of the classes, where `uns[key + "_colors"]` has one for each; else `None`.
    confidence
        Next to codes: how sure, `(n_obs, n_columns)`.
    scores
        Scores of the last column, `(n_obs, n_classes)`, next to codes, and where labels are not
        decided from the history because float32 is too coarse for some cells (see
        `tl.propagate`).
    seeds
        Where it started, among the cells that there were then; see `_read_result.present_seeds`.
    params
        Arguments of the call.
    decision
        How scores became labels.
    details
        All else in the record.
    """

    key: str
    algorithm: str
    history: NDArray[Any] | Table
    iterations: NDArray[np.float64] | None
    classes: Sequence[str] = ()
    colors: Sequence[str] | None = None
    confidence: NDArray[np.floating] | Table | None = None
    scores: NDArray[np.floating] | Table | None = None
    seeds: SeedCells | None = None
    params: Mapping[str, Any] = field(default_factory=dict)
    decision: Decision = field(default_factory=Decision)
    details: Mapping[str, Any] = field(default_factory=dict)

    @property
    def n_columns(self) -> int:
        """Number of moments kept."""
        return self.history.shape[1]

    @property
    def holds_codes(self) -> bool:
        """Whether the history says which class each cell is of, rather than how much."""
        return bool(self.classes) and self.history.ndim == 2

    def write(self, adata: AnnData, also: Mapping[str, Any] | None = None) -> None:
        """Take the place of an earlier run, or leave everything as it was.

        `also` are further fields such as `{"obs/name": values}`. Colors that are there stay.
        """
        fields: dict[str, Any] = {f"obsm/{self.key}": self.history}
        if self.confidence is not None:
            fields[f"obsm/{self.key}_confidence"] = self.confidence
        if self.scores is not None:
            fields[f"obsm/{self.key}_scores"] = self.scores
        record: dict[str, Any] = {**self.details, "params": dict(self.params)}
        if self.iterations is not None:
            record["iterations"] = self.iterations
        if self.classes:
            record["classes"] = np.array(self.classes, dtype=object)
        if self.seeds is not None:
            record["seeds"] = {
                "positions": self.seeds.positions,
                "classes": self.seeds.classes,
                "weights": self.seeds.weights,
            }
            if not starts_with_seeds(self):
                fields[f"obsm/{self.key}_seeds"] = _per_cell(self.seeds, self)
        palette = f"{self.key}_colors"
        if self.colors and palette not in adata.uns:
            fields[f"uns/{palette}"] = list(self.colors)
            record["colors"] = np.array(self.colors, dtype=object)
        record["algorithm"] = self.algorithm
        record["fields"] = np.empty(0, dtype=object)
        fields |= also or {}
        former = _listed(adata.uns.get(self.key))
        with _all_or_nothing(adata, [*fields, *former], self.key):
            _clear(adata, self.key)
            write_fields(adata, self.key, fields, record)


def write_fields(
    adata: AnnData, key: str, fields: Mapping[str, Any], record: Mapping[str, Any]
) -> None:
    """Write fields such as `{"obs/name": values}` and, in place of it, the record that lists them.

    What a view has for a record is its parent's, and is not changed.
    """
    written = dict.fromkeys([*map(str, record["fields"]), *fields])
    with _all_or_nothing(adata, fields, key):
        for name, values in fields.items():
            store, _, within = name.partition("/")
            getattr(adata, store)[within] = values
        adata.uns[key] = {**record, "fields": np.array(list(written), dtype=object)}


@contextmanager
def _all_or_nothing(adata: AnnData, fields: Iterable[str], key: str) -> Iterator[None]:
    """Put fields and the record back as they were when anything comes between, Ctrl-C too."""
    if not isinstance(adata, AnnData) or adata.is_view:  # files; what is still the parent's
        yield
        return
    named = (name.partition("/") for name in (*fields, f"uns/{key}"))
    places = [(getattr(adata, store), within) for store, _, within in named]
    former = [place.get(within) for place, within in places]
    try:
        yield
    except BaseException:
        for (place, within), value in zip(places, former, strict=True):
            if value is not None:
                place[within] = value
            elif within in place:
                del place[within]
        raise


def _clear(adata: AnnData, key: str) -> None:
    """Take away what the record under the key says that it wrote, and the record."""
    record = adata.uns.get(key)
    for name in _listed(record):
        store, _, within = name.partition("/")
        if within == f"{key}_colors" and not _as_written(adata, record, within):
            continue
        if within in getattr(adata, store):
            del getattr(adata, store)[within]
    if is_record(record):
        del adata.uns[key]


def is_ours(adata: AnnData, key: str, algorithm: str) -> bool:
    """Whether the algorithm wrote the record under the key."""
    record = adata.uns.get(key)
    return is_record(record) and str(record["algorithm"]) == algorithm


def keys_of(adata: AnnData, algorithm: str) -> list[str]:
    """Keys of the runs of an algorithm."""
    return [key for key in adata.uns if is_ours(adata, key, algorithm)]


def require_free(adata: AnnData, key: Any, algorithm: str, fields: Iterable[str]) -> None:
    """Refuse, before work starts, a key that files cannot hold or whose fields are the user's."""
    _require_name(adata, text("key_added", key))
    ours = is_ours(adata, key, algorithm)
    own = set(_listed(adata.uns.get(key))) if ours else set()
    taken = []
    for name in (*fields, *([] if ours else [f"uns/{key}"])):
        store, _, within = name.partition("/")
        if within in getattr(adata, store) and name not in own:
            columns = getattr(adata, store)
            # of anndata's lazy annotations, only what they are made of lets columns be deleted
            kept = f"{store}.ds" if getattr(columns, "is_lazy", False) else store
            taken.append(f"adata.{kept}[{within!r}]")
    if taken:
        raise ValueError(
            f"key_added={key!r} would replace {', '.join(_shown(t) for t in taken)},"
            f" of which no record in adata.uns[{key!r}] says that {algorithm} made them: choose "
            "another name. Where they are an earlier result whose record was lost "
            f"(`anndata.concat` drops uns), run `del {', '.join(taken)}` first"
        )


def _shown(taken: str) -> str:
    return taken.removeprefix("adata.").replace("obs.ds[", "obs[")


def _require_name(adata: AnnData, key: Any) -> None:
    """Refuse a name under which h5ad or zarr could not hold a result."""
    if not key.strip(".") or "/" in key or "\\" in key:
        raise ValueError(f"key_added={key!r} must be a name without slashes")
    if key in ("_index", adata.obs_names.name):
        raise ValueError(f"key_added={key!r} is the name of the index of adata.obs: choose another")
    size = len(key.encode(errors="replace"))
    if key in _RESERVED or "\0" in key or key.encode(errors="replace").decode() != key:
        raise ValueError(f"key_added={key!r} is a name that h5ad and zarr cannot hold")
    if size > _LONGEST:
        raise ValueError(
            f"key_added={key[:20]!r}... has {size} bytes; files hold {_LONGEST} at most"
        )


def is_record(record: Any) -> bool:
    """Whether something is the record of an algorithm's run."""
    return isinstance(record, Mapping) and {"algorithm", "fields"} <= set(record)


def is_own(adata: AnnData, record: Any, field: str) -> bool:
    """Whether a field such as `"obsm/name"` is there, and the record says that it wrote it."""
    store, _, within = field.partition("/")
    return within in getattr(adata, store) and field in _listed(record)


def _listed(record: Any) -> list[str]:
    """Fields that a record says it wrote, so far as they could be fields."""
    if not is_record(record):
        return []
    names = [str(name) for name in np.atleast_1d(np.asarray(record["fields"], dtype=object))]
    return [name for name in names if name.partition("/")[0] in _STORES and name.partition("/")[2]]


def _as_written(adata: AnnData, record: Mapping[str, Any], palette: str) -> bool:
    """Whether the colors are those that the run took over, not others set since."""
    now = [str(color) for color in np.atleast_1d(adata.uns.get(palette, ()))]
    return now == [str(color) for color in np.atleast_1d(record.get("colors", ()))]


def starts_with_seeds(result: Result) -> bool:
    """Whether column 0 is the signal of the seeds alone."""
    iterations = result.iterations
    if "prior" in result.params:
        return False
    return iterations is not None and len(iterations) > 0 and iterations[0] == 0


def _per_cell(seeds: SeedCells, result: Result) -> sparse.csr_matrix:
    """Seeds as a table that goes with the cells, where column 0 of the history does not."""
    shape = (len(result.history), max(1, len(result.classes)))
    return sparse.csr_matrix((seeds.weights, (seeds.positions, seeds.classes)), shape=shape)
