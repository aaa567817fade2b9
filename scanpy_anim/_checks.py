"""Arguments and arrays checked at the door, and names offered to the reader of an error message."""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping
from difflib import get_close_matches
from numbers import Real
from typing import TYPE_CHECKING, Any, TypeVar, get_args

import numpy as np

if TYPE_CHECKING:
    from collections.abc import Iterable

    from numpy.typing import NDArray

_Choice = TypeVar("_Choice", bound=str)


class MissingKeyError(KeyError):
    """A `KeyError` whose message reads as it was written, without quotes around it."""

    def __str__(self) -> str:
        return str(self.args[0])


def listed(names: Iterable[object], most: int = 8) -> str:
    """Spell names as a comma-separated list, the first `most` of them."""
    spelled = [repr(n) if isinstance(n, str) else str(n) for n in names]
    if not spelled:
        return "none"
    more = f", … ({len(spelled):,} in all)" if len(spelled) > most else ""
    return ", ".join(spelled[:most]) + more


_MOST_LETTERS = 10_000  # of a text that is drawn
_UNSAYABLE = re.compile("[\x00-\x08\x0b-\x1f\x7f-\x9f\ud800-\udfff\ufdd0-\ufdef\ufffe\uffff]")


def printable(text: str) -> str:
    """Strip what no file can say: control characters but tabs and line ends, halves of pairs."""
    return _UNSAYABLE.sub("", text)


def text_to_draw(name: str, value: object) -> None:
    """Refuse a text that would take minutes to draw and has no room in any figure."""
    if isinstance(value, str) and len(value) > _MOST_LETTERS:
        raise ValueError(f"{name} has {len(value):,} letters; {_MOST_LETTERS:,} at most.")


def nearest(name: str, names: Iterable[str], most: int = 3) -> str:
    """Offer the names that look like `name`: " Did you mean 'umap'?", or nothing."""
    close = get_close_matches(name, list(dict.fromkeys(map(str, names))), n=most, cutoff=0.6)
    return f" Did you mean {' or '.join(map(repr, close))}?" if close else ""


def is_whole(value: Any) -> bool:
    """Whether something is a whole number; True and False are not."""
    return isinstance(value, int | np.integer) and not isinstance(value, bool)


def is_number(value: Any) -> bool:
    """Whether something is a real number, infinite ones and NaN among them; a switch is not."""
    return isinstance(value, Real | np.number) and not isinstance(value, bool | complex)


def is_finite(value: Any) -> bool:
    """Whether something is a real number, neither infinite nor too large for a float."""
    try:
        return is_number(value) and bool(np.isfinite(float(value)))
    except OverflowError:
        return False


def is_list(value: Any) -> bool:
    """Whether something is a list or an array of single things: no word, mapping or table."""
    if isinstance(value, str | bytes | Mapping | Iterator) or not np.iterable(value):
        return False
    if hasattr(value, "ndim"):
        return bool(value.ndim == 1)
    return all(isinstance(each, str | bytes) or not np.iterable(each) for each in value)


def shortened(value: object, most: int = 60) -> str:
    """Spell a value on one line, of a table or a long list the beginning."""
    spelled = " ".join(repr(value).split())
    return spelled if len(spelled) <= most else f"{spelled[: most - 1]}…"


def whole(name: str, value: Any, *, least: int = 1, most: int | None = None) -> int:
    """Take a whole number from `least` to `most`."""
    if not is_whole(value) or value < least or (most is not None and value > most):
        reach = f"{least} or more" if most is None else f"from {least} to {most:,}"
        raise ValueError(f"{name}={shortened(value)}: a whole number, {reach}")
    return int(value)


def as_array(name: str, value: Any) -> NDArray[Any]:
    """Take an array, or what becomes one: rows of one length."""
    if hasattr(value, "__cuda_array_interface__"):
        raise TypeError(
            f"{name} is in the memory of a GPU ({type(value).__name__}): pass what `.get()` or "
            "`.copy_to_host()` gives"
        )
    try:
        return np.asarray(value)
    except ValueError as error:
        raise ValueError(f"{name} is no array: {error}") from None
    except MemoryError:
        raise
    except Exception as error:  # whatever an array of another package says
        raise TypeError(
            f"{name} ({type(value).__name__}) cannot be read as an array of numpy: {error}"
        ) from error


def number(
    name: str, value: Any, *, least: float = 0.0, most: float = np.inf, within: bool = False
) -> float:
    """Take a finite number from `least` to `most`, or `within` them, both excluded."""
    good = is_finite(value) and least <= value <= most
    if not good or (within and value in (least, most)):
        if np.isinf(most):
            raise ValueError(f"{name}={shortened(value)} must be a number, {least:g} or more")
        ends = ", both excluded" if within else ""
        raise ValueError(f"{name}={shortened(value)} must lie between {least:g} and {most:g}{ends}")
    return float(value)


def switch(name: str, value: Any) -> bool:
    """Take True or False, and nothing that merely counts as one of them."""
    if not isinstance(value, bool | np.bool_):
        raise TypeError(f"{name}={shortened(value)} must be True or False")
    return bool(value)


def text(name: str, value: Any) -> str:
    """Take a string, such as the name of something stored."""
    if not isinstance(value, str):
        raise TypeError(f"{name}={shortened(value)} must be a string, not {type(value).__name__}")
    return str(value)


def choice(name: str, value: _Choice, known: Any) -> _Choice:
    """Take one of the `known` words: a sequence of them, or a `Literal`."""
    words = list(get_args(known) or known)
    if not isinstance(value, str) or value not in words:
        raise ValueError(f"{name}={shortened(value)} is unknown: choose one of {words}")
    return value


def few(values: Iterable[Any], most: int = 5) -> str:
    """Spell values as Python does, the first `most` of them."""
    shown = list(values)
    more = f", ... ({len(shown)} in all)" if len(shown) > most else ""
    return ", ".join(map(repr, shown[:most])) + more


def require_own_memory(values: Any, name: str) -> None:
    """Refuse arrays whose numbers are elsewhere: not computed yet, in a file, on another device."""
    home, kind = type(values).__module__.partition(".")[0], type(values).__name__
    where = {
        "dask": ("a Dask array, not computed yet", "compute()"),
        "xarray": ("read lazily", "to_memory()"),
        "cupy": ("in the memory of a GPU", "get()"),
        "cupyx": ("in the memory of a GPU", "get()"),
        "torch": ("a tensor", "cpu().numpy()"),
        "jax": ("a JAX array", "__array__()"),
        "jaxlib": ("a JAX array", "__array__()"),
        "h5py": ("in a file", "[()]"),
        "zarr": ("in a file", "[...]"),
        "sparse": ("a sparse array of another package", "to_scipy_sparse()"),
    }.get(home)
    if where is None and home == "anndata" and "Dataset" in kind:
        where = ("in a file", "to_memory()")
    if where is not None:
        what, call = where
        call = call if call.startswith("[") else f".{call}"
        raise TypeError(
            f"{name} is {what} ({kind}); this runs on arrays in memory: pass what `{call}` gives"
        )


def require_finite(values: NDArray[Any], name: str, hint: str = "") -> None:
    """Refuse NaN and infinite values, and say where they are."""
    bad = np.argwhere(~np.isfinite(values))
    if len(bad):
        where = few(tuple(map(int, at)) if len(at) > 1 else int(at[0]) for at in bad)
        raise ValueError(
            f"{name}: {len(bad)} of {values.size} values are NaN or infinite, at {where}{hint}"
        )


def require_range(values: NDArray[Any], name: str) -> None:
    """Refuse numbers that float32, which everything is computed in, would make infinite or zero."""
    size = np.abs(values[np.flatnonzero(values)].astype(np.float64))
    wrong = size[(size > np.finfo(np.float32).max) | (size < np.finfo(np.float32).tiny)]
    if len(wrong):
        raise ValueError(
            f"{name}: weights of size {few(map(float, wrong))} are beyond float32, which holds "
            "1e-37 to 3e38: scale them"
        )
