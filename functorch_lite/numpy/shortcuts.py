"""What does the same as the loop of a method of a ufunc, but quicker: `add.reduce` is `sum`."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any, NamedTuple

import numpy as np

from .. import dtypes
from ..primitives import elementwise as e
from ..primitives import reduction
from ..promotion import as_operand, cast
from . import cumulative, extremes, reductions
from .logic import as_bool, where3

__all__ = ["SHORTCUTS", "Shortcuts"]


class Shortcuts(NamedTuple):
    """What does the same as a loop over a function, but quicker."""

    reduce: Callable[..., Any] | None = None
    """(x, axis, dtype, keepdims, initial, where) -> the reduced array."""
    accumulate: Callable[..., Any] | None = None
    """(x, axis, dtype) -> the running combinations."""
    update: str | None = None
    """The name of the update in `x.at[index]`."""


def _in_dtype(function: Callable[..., Any]) -> Callable[..., Any]:
    """The reduction of a function that has no argument `dtype`."""

    def reduce(x: Any, axis: Any, dtype: Any, keepdims: bool, initial: Any, where: Any) -> Any:
        x = x if dtype is None else cast(x, dtypes.as_dtype(dtype))
        return function(x, axis, keepdims=keepdims, initial=initial, where=where)

    return reduce


def _summing(function: Callable[..., Any]) -> Callable[..., Any]:
    def reduce(x: Any, axis: Any, dtype: Any, keepdims: bool, initial: Any, where: Any) -> Any:
        return function(x, axis, dtype, None, keepdims, initial, where)

    return reduce


def _bits(primitive: Any, combine: Any, unit: int, prepare: Callable[[Any], Any] = as_operand) -> Callable[..., Any]:
    """The reduction by an operation of bits, of what `prepare` makes of the operand."""

    def reduce(x: Any, axis: Any, keepdims: bool, initial: Any, where: Any) -> Any:
        x = prepare(x)
        if where is not None:
            x = where3(where, x, np.asarray(unit).astype(x.dtype)[()])
        out = primitive(x, axes=axis) if axis else x
        if initial is not None:
            out = combine(out, cast(prepare(as_operand(initial)), x.dtype))
        return reductions.keep(out, axis, keepdims)

    return _in_dtype(reduce)


def _running(primitive: Any) -> Callable[..., Any]:
    """The running largest or smallest elements; of booleans, as numbers."""

    def accumulate(x: Any, axis: int, dtype: Any) -> Any:
        x = x if dtype is None else cast(x, dtypes.as_dtype(dtype))
        if dtypes.is_bool(x.dtype):
            return as_bool(primitive(cast(x, np.dtype(np.uint8)), axis=axis, reverse=False))
        return primitive(x, axis=axis, reverse=False)

    return accumulate


SHORTCUTS = {
    "add": Shortcuts(_summing(reductions.sum), cumulative.cumsum, "add"),
    "multiply": Shortcuts(_summing(reductions.prod), cumulative.cumprod, "multiply"),
    "subtract": Shortcuts(update="subtract"),
    "maximum": Shortcuts(_in_dtype(extremes.max), _running(reduction.cummax), "max"),
    "minimum": Shortcuts(_in_dtype(extremes.min), _running(reduction.cummin), "min"),
    "bitwise_and": Shortcuts(_bits(reduction.reduce_and, e.and_, -1)),
    "bitwise_or": Shortcuts(_bits(reduction.reduce_or, e.or_, 0)),
    "bitwise_xor": Shortcuts(_bits(reduction.reduce_xor, e.xor, 0)),
    "logical_and": Shortcuts(_bits(reduction.reduce_and, e.and_, -1, as_bool)),
    "logical_or": Shortcuts(_bits(reduction.reduce_or, e.or_, 0, as_bool)),
    "logical_xor": Shortcuts(_bits(reduction.reduce_xor, e.xor, 0, as_bool)),
}
"""Name of a ufunc in NumPy -> its shortcuts."""
