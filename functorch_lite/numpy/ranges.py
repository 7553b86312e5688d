"""Arrays of evenly spaced numbers."""

from __future__ import annotations

import math
import operator
from typing import Any

import numpy as np

from .. import dtypes
from ..arrays import from_host
from ..dtype_lattice import result_type
from ..errors import ArgumentError
from ..primitives import elementwise as e
from ..primitives.structural import broadcast_in_dim, reshape
from ..promotion import cast, promote
from ..tracing import Tracer
from .axes import integer
from .creation import asarray, astype
from .logic import where3
from .operands import like
from .shaping import moveaxis

__all__ = [
    "arange",
    "geomspace",
    "linspace",
    "logspace",
]


def arange(start: Any, stop: Any = None, step: Any = None, dtype: Any = None, *, device: Any = None) -> Any:
    """start, start + step, ... below `stop` (above it for a negative step).

    Args:
      start: the first number; where it stands alone, the end, and 0 is the first.
      stop: the end, which is not reached.
      step: by default 1.
      dtype: by default that of the numbers: int32, or float32 if one is a float.
      device: where to put it.

    Raises:
      TracerIntegerConversionError: if a number is traced: the length must be known.

    >>> arange(1, 2, 0.25)
    Array([1.  , 1.25, 1.5 , 1.75], dtype=float32)
    """
    if stop is None:
        start, stop = 0, start
    numbers = [_number(x) for x in (start, stop, 1 if step is None else step)]
    if any(isinstance(x, complex) for x in numbers):
        raise ArgumentError(f"arange needs real numbers, got {', '.join(map(repr, numbers))}.")
    if dtype is None:
        found = [x for x in (start, stop, step) if x is not None]
        dtype = result_type(*found)
    dtype = dtypes.as_dtype(dtype)
    if not numbers[2]:
        raise ArgumentError(f"arange: the step must not be 0, from {numbers[0]} to {numbers[1]}.")
    host = np.arange(*numbers)
    if dtypes.is_floating(dtype) and host.dtype.kind == "f" and len(host):
        host = numbers[0] + np.arange(len(host)) * numbers[2]
    return from_host(host.astype(dtype))


def _number(x: Any) -> Any:
    """A known number; integers as Python's."""
    if isinstance(x, (bool, int, float)) and not isinstance(x, np.generic):
        return x
    if isinstance(x, Tracer):
        if dtypes.is_integer(x.dtype):
            return operator.index(x)
        return float(x)  # raises, and says why
    return np.asarray(x).item()


def linspace(
    start: Any,
    stop: Any,
    num: int = 50,
    endpoint: bool = True,
    retstep: bool = False,
    dtype: Any = None,
    axis: int = 0,
    *,
    device: Any = None,
) -> Any:
    """`num` numbers at equal distances from `start` to `stop`.

    Args:
      start, stop: the ends: numbers, or arrays that broadcast together.
      num: how many.
      endpoint: whether `stop` is the last of them.
      retstep: whether to give (numbers, distance).
      dtype: by default floating; for an integer dtype the numbers are rounded down.
      axis: where the new axis stands in the result.
      device: where to put it.

    >>> linspace(0, 1, 5)
    Array([0.  , 0.25, 0.5 , 0.75, 1.  ], dtype=float32)
    """
    num = integer("linspace", "num", num)
    if num < 0:
        raise ArgumentError(f"linspace: num must not be negative, got {num}.")
    target = dtypes.as_dtype(dtype) if dtype is not None else dtypes.to_inexact(result_type(start, stop, float))
    numbers = (*dtypes.PYTHON_SCALARS, np.generic)
    if isinstance(start, numbers) and isinstance(stop, numbers):
        host, step = np.linspace(start, stop, num, endpoint, retstep=True)
        found = from_host((np.floor(host) if dtypes.is_integer(target) else host).astype(target))
        return (found, asarray(step, dtypes.to_inexact(target))) if retstep else found
    within = np.dtype(np.float64) if dtypes.is_integer(target) else target if target.itemsize >= 4 else dtypes.float32
    a, b = promote("linspace", cast(asarray(start), within), cast(asarray(stop), within))
    shape = a.shape or b.shape
    a, b = (broadcast_in_dim(v, shape=(1, *shape), dims=tuple(range(1, len(v.shape) + 1))) for v in (a, b))
    intervals = num - 1 if endpoint else num
    out = cast(_between(a, b, num, max(intervals, 1), dtypes.is_integer(target)), target)
    out = moveaxis(out, 0, axis)
    if not retstep:
        return out
    step = e.div(e.sub(b, a), like(b, intervals or math.nan))
    return out, reshape(step, shape=tuple(shape))


def _between(a: Any, b: Any, num: int, intervals: int, whole: bool) -> Any:
    """The numbers of `linspace`, along a leading axis; `whole`: rounded down.

    These are multiples of the step, as NumPy has them: a mean of both ends may be less than an integer by a rounding.
    """
    column = (num, *(1,) * (a.ndim - 1))
    counts = np.arange(num).astype(dtypes.real_dtype(a.dtype))
    k = counts if whole else counts / counts.dtype.type(intervals)
    k = broadcast_in_dim(cast(from_host(k), a.dtype), shape=column, dims=(0,))
    if not whole:
        one_less = e.sub(like(k, 1), k)
        return e.add(e.mul(*promote("linspace", a, one_less)), e.mul(*promote("linspace", b, k)))
    step = e.div(e.sub(b, a), like(b, intervals))
    inside = e.add(*promote("linspace", e.mul(*promote("linspace", k, step)), a))
    return e.floor(where3(from_host(np.reshape(counts == intervals, column)), b, inside))


def logspace(
    start: Any, stop: Any, num: int = 50, endpoint: bool = True, base: Any = 10.0, dtype: Any = None, axis: int = 0
) -> Any:
    """`base` to the powers `linspace(start, stop, num)`."""
    exponents = linspace(start, stop, num, endpoint, axis=axis)
    out = e.pow_(*promote("logspace", cast(asarray(base), exponents.dtype), exponents))
    return out if dtype is None else astype(out, dtype)


def geomspace(start: Any, stop: Any, num: int = 50, endpoint: bool = True, dtype: Any = None, axis: int = 0) -> Any:
    """`num` numbers of equal ratios from `start` to `stop`, which have one sign."""
    target = dtypes.as_dtype(dtype) if dtype is not None else dtypes.to_inexact(result_type(start, stop, float))
    within = dtypes.to_inexact(target)
    a, b = promote("geomspace", cast(asarray(start), within), cast(asarray(stop), within))
    sign = e.sign(a)
    out = e.exp(linspace(e.log(e.div(a, sign)), e.log(e.div(b, sign)), num, endpoint, axis=0))
    out = e.mul(*promote("geomspace", out, sign))
    return cast(moveaxis(out, 0, axis), target)
