"""Arrays from and to files and texts, in NumPy's formats, by NumPy's own functions."""

from __future__ import annotations

from collections.abc import Iterable
from typing import Any

import numpy as np

from .. import dtypes
from ..arrays import Array, from_host
from .creation import asarray

__all__ = ["array_repr", "array_str", "fromfile", "fromiter", "fromstring", "load", "save", "savez"]


def _host(x: Any) -> np.ndarray:
    return np.asarray(asarray(x))


def _wanted(dtype: Any) -> np.dtype:
    return dtypes.default_float() if dtype is float else dtypes.as_dtype(dtype)


def save(file: Any, arr: Any, allow_pickle: bool = True) -> None:
    """Write an array to a file in NumPy's .npy format.

    >>> import io
    >>> file = io.BytesIO()
    >>> save(file, [1, 2])
    >>> file.seek(0), load(file).tolist()
    (0, [1, 2])
    """
    np.save(file, _host(arr), allow_pickle=allow_pickle)


def savez(file: Any, *args: Any, allow_pickle: bool = True, **kwds: Any) -> None:
    """Write several arrays to a file in NumPy's .npz format, named arr_0, arr_1, ... or by keyword."""
    arrays = {f"arr_{i}": x for i, x in enumerate(args)} | kwds
    np.savez(file, allow_pickle=allow_pickle, **{k: _host(x) for k, x in arrays.items()})


def load(file: Any, *args: Any, **kwargs: Any) -> Any:
    """The array in a .npy file; of a .npz file NumPy's mapping from names to arrays. Arguments as of `numpy.load`."""
    out = np.load(file, *args, **kwargs)
    return from_host(out) if isinstance(out, np.ndarray) else out


def fromfile(file: Any, dtype: Any = float, count: int = -1, sep: str = "", offset: int = 0) -> Any:
    """An array from the bytes, or with `sep` from the text, of a file; arguments as of `numpy.fromfile`."""
    return from_host(np.fromfile(file, _wanted(dtype), count, sep, offset))


def fromiter(iter: Iterable[Any], dtype: Any, count: int = -1) -> Any:
    """A vector of what an iterable gives.

    >>> fromiter((i * i for i in range(4)), int).tolist()
    [0, 1, 4, 9]
    """
    return from_host(np.fromiter(iter, dtypes.as_dtype(dtype), count))


def fromstring(string: str, dtype: Any = float, count: int = -1, *, sep: str) -> Any:
    """A vector of the numbers in a text.

    >>> fromstring("1 2 3", int, sep=" ").tolist()
    [1, 2, 3]
    """
    return from_host(np.fromstring(string, _wanted(dtype), count, sep=sep))


def array_repr(
    arr: Any, max_line_width: int | None = None, precision: int | None = None, suppress_small: bool | None = None
) -> str:
    """The array as `repr` shows it, with a format of its own.

    >>> array_repr(asarray([1.0, 2.5]), precision=1)
    'Array([1. , 2.5], dtype=float32)'
    """
    return _shown(repr, arr, max_line_width, precision, suppress_small)


def array_str(
    a: Any, max_line_width: int | None = None, precision: int | None = None, suppress_small: bool | None = None
) -> str:
    """The array as `str` shows it, with a format of its own."""
    return _shown(str, a, max_line_width, precision, suppress_small)


def _shown(show: Any, x: Any, width: int | None, precision: int | None, suppress: bool | None) -> str:
    given = {"linewidth": width, "precision": precision, "suppress": suppress}
    with np.printoptions(**{k: v for k, v in given.items() if v is not None}):
        return show(x if isinstance(x, Array) else asarray(x))
