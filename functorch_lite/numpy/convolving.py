"""Convolution and correlation of vectors."""

from __future__ import annotations

from typing import Any

import numpy as np

from ..arrays import from_host, type_of
from ..errors import ArgumentError, ShapeError
from ..indexing import getitem
from ..primitives.slicing import pad as pad_p
from ..promotion import promote_dtypes
from .contraction import dot, pair
from .operands import like
from .parts import conj
from .repeating import flip

__all__ = [
    "convolve",
    "correlate",
]


def convolve(a: Any, v: Any, mode: str = "full", *, precision: Any = None, preferred_element_type: Any = None) -> Any:
    """The convolution of vectors: result[k] = sum over j of a[k - j] v[j].

    Args:
      a, v: vectors.
      mode: "full"; "same": as long as the longer one; "valid": only where they overlap fully.
      precision: taken for JAX's sake.
      preferred_element_type: the dtype in which to add up, and of the result.
    """
    x, y = promote_dtypes(*pair("convolve", a, v))
    if x.ndim != 1 or y.ndim != 1 or not x.shape[0] or not y.shape[0]:
        raise ShapeError(f"convolve and correlate need vectors that are not empty, got {type_of(x)} and {type_of(y)}.")
    if mode not in ("full", "same", "valid"):
        raise ArgumentError(f"convolve: mode must be 'full', 'same' or 'valid', got {mode!r}.")
    x, y = (x, y) if x.shape[0] >= y.shape[0] else (y, x)
    n, m = x.shape[0], y.shape[0]
    first, length = {"full": (0, n + m - 1), "same": ((m - 1) // 2, n), "valid": (m - 1, n - m + 1)}[mode]
    padded = pad_p(x, like(x, 0), config=((m - 1, m - 1, 0),))
    places = first + np.arange(length)[:, None] + np.arange(m)
    return dot(getitem(padded, from_host(places)), flip(y), preferred_element_type=preferred_element_type)


def correlate(a: Any, v: Any, mode: str = "valid", *, precision: Any = None, preferred_element_type: Any = None) -> Any:
    """The correlation of vectors: result[k] = sum over n of a[n + k] conj(v[n]); arguments as of `convolve`."""
    x, y = pair("correlate", a, v)
    if x.ndim == y.ndim == 1 and x.shape[0] < y.shape[0]:
        return flip(conj(correlate(y, x, mode, preferred_element_type=preferred_element_type)))
    return convolve(x, flip(conj(y)), mode, preferred_element_type=preferred_element_type)
