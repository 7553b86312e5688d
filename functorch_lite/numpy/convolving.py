"""Convolution and correlation of vectors."""

from __future__ import annotations

from typing import Any

from .. import dtypes
from ..arrays import type_of
from ..dtype_lattice import promote_types
from ..errors import ArgumentError, ShapeError
from ..primitives import elementwise as e
from ..primitives.convolution import conv
from ..promotion import cast, promote_dtypes
from .contraction import pair
from .operands import like
from .parts import conj
from .repeating import flip
from .shaping import reshape

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
    m, dtype = y.shape[0], x.dtype
    wide = dtypes.default_int() if dtypes.is_bool(dtype) else dtype
    if preferred_element_type is not None:
        dtype = dtypes.as_dtype(preferred_element_type)
        wide = promote_types(wide, dtype)
    before, after = {"full": (m - 1, m - 1), "same": (m // 2, (m - 1) // 2), "valid": (0, 0)}[mode]
    line, window = (reshape(cast(v, wide), (1, 1, -1)) for v in (x, flip(y)))
    steps: Any = {"strides": (1,), "lhs_dilation": (1,), "rhs_dilation": (1,), "groups": 1}
    out = reshape(conv(line, window, padding=((before, after),), **steps), (-1,))
    return e.ne(out, like(out, 0)) if dtypes.is_bool(dtype) else cast(out, dtype)


def correlate(a: Any, v: Any, mode: str = "valid", *, precision: Any = None, preferred_element_type: Any = None) -> Any:
    """The correlation of vectors: result[k] = sum over n of a[n + k] conj(v[n]); arguments as of `convolve`."""
    x, y = pair("correlate", a, v)
    if x.ndim == y.ndim == 1 and x.shape[0] < y.shape[0]:
        return flip(conj(correlate(y, x, mode, preferred_element_type=preferred_element_type)))
    return convolve(x, flip(conj(y)), mode, preferred_element_type=preferred_element_type)
