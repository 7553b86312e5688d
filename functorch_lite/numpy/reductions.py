"""Sums, products and questions over axes: sum, prod, all, any."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import Any

import numpy as np

from .. import dtypes
from ..errors import ArgumentError
from ..primitives import elementwise as e
from ..primitives import reduction
from ..primitives.structural import expand_dims, reduce_sum
from ..promotion import as_operand, cast
from .axes import axes_of
from .logic import as_bool, where3
from .operands import initial_operand, like, no_out

__all__ = [
    "all",
    "any",
    "count_nonzero",
    "prod",
    "sum",
]


Axis = int | Sequence[int] | None


def keep(out: Any, axes: tuple[int, ...], keepdims: bool) -> Any:
    """A reduced array, with the reduced axes put back if they are to be kept."""
    return expand_dims(out, *axes) if keepdims and axes else out


def masked(x: Any, where: Any, value: Any) -> Any:
    """`x` with `value` where `where`, which is boolean, does not hold."""
    if where is None:
        return x
    where = as_operand(where, "the argument where")
    if not dtypes.is_bool(where.dtype):
        raise ArgumentError(f"the argument where must be boolean, got {where.type}: compare it, as in where != 0.")
    return where3(where, x, like(x, value))


def strong(x: Any) -> Any:
    """`x` without its weak flag."""
    return cast(x, x.dtype, False)


def summed_dtype(dtype: np.dtype, promote_integers: bool) -> np.dtype:
    """The dtype of a sum: small integers and booleans become the default integer."""
    if dtypes.is_bool(dtype):
        return dtypes.default_int()
    wide = dtypes.default_int()
    if promote_integers and dtypes.is_integer(dtype) and dtype.itemsize < wide.itemsize:
        return np.dtype(f"uint{8 * wide.itemsize}") if dtypes.is_unsigned(dtype) else wide
    return dtype


def _fold(
    name: str,
    primitive: Callable[..., Any],
    combine: Callable[..., Any],
    unit: Any,
    a: Any,
    axis: Axis,
    dtype: Any,
    keepdims: bool,
    initial: Any,
    where: Any,
    promote_integers: bool,
) -> Any:
    """A sum or a product."""
    x = as_operand(a)
    if (
        dtype is None and initial is None and where is None and x.dtype.kind in "fc" and not x.weak_type
    ):  # the usual case, quickly
        axes = tuple(range(x.ndim)) if axis is None else axes_of(name, axis, x.ndim)
        return keep(primitive(x, axes=axes) if axes else x, axes, keepdims)
    target = dtypes.as_dtype(dtype) if dtype is not None else summed_dtype(x.dtype, promote_integers)
    if dtypes.is_bool(target):
        return _keep_bool(name, x, axis, keepdims, initial, where)
    axes = axes_of(name, axis, x.ndim)
    wide = dtypes.accumulator_dtype(target) if dtype is not None and x.dtype != target else target
    x = masked(cast(x, wide, False), where, unit)
    out = primitive(x, axes=axes) if axes else x
    if initial is not None:
        out = combine(out, cast(initial_operand(name, initial), wide, False))
    return keep(cast(out, target, False), axes, keepdims)


def _keep_bool(name: str, x: Any, axis: Axis, keepdims: bool, initial: Any, where: Any) -> Any:
    if name == "sum":
        out = any(x, axis, keepdims=keepdims, where=where)
        return out if initial is None else e.or_(out, as_bool(initial))
    out = all(x, axis, keepdims=keepdims, where=where)
    return out if initial is None else e.and_(out, as_bool(initial))


def sum(
    a: Any,
    axis: Axis = None,
    dtype: Any = None,
    out: None = None,
    keepdims: bool = False,
    initial: Any = None,
    where: Any = None,
    promote_integers: bool = True,
) -> Any:
    """The sum of elements.

    Args:
      a: an array.
      axis: along which axis or axes; None: all.
      dtype: the dtype in which to add up, and of the result. By default that of `a`, but int32 for booleans and small integers.
      out: must be None, arrays do not change.
      keepdims: whether to leave the axes in, with length 1.
      initial: a number to start from.
      where: a mask; elements where it is false are left out.
      promote_integers: whether small integers become int32.

    >>> sum(np.ones((2, 3), np.float32), axis=0)
    Array([2., 2., 2.], dtype=float32)
    """
    no_out("sum", out)
    return _fold("sum", reduce_sum, e.add, 0, a, axis, dtype, keepdims, initial, where, promote_integers)


def prod(
    a: Any,
    axis: Axis = None,
    dtype: Any = None,
    out: None = None,
    keepdims: bool = False,
    initial: Any = None,
    where: Any = None,
    promote_integers: bool = True,
) -> Any:
    """The product of elements; arguments as of `sum`."""
    no_out("prod", out)
    return _fold("prod", reduction.reduce_prod, e.mul, 1, a, axis, dtype, keepdims, initial, where, promote_integers)


def count_nonzero(a: Any, axis: Axis = None, keepdims: bool = False) -> Any:
    """How many elements are not zero."""
    x = as_bool(a)
    return sum(x, axis, dtypes.position_dtype(x.size), keepdims=keepdims)


def _logical(name: str, primitive: Any, unit: bool, a: Any, axis: Axis, keepdims: bool, where: Any) -> Any:
    x = masked(as_bool(a), where, unit)
    axes = axes_of(name, axis, x.ndim)
    return keep(primitive(x, axes=axes) if axes else x, axes, keepdims)


def all(a: Any, axis: Axis = None, out: None = None, keepdims: bool = False, *, where: Any = None) -> Any:
    """Whether all elements are true (not zero); arguments as of `sum`."""
    no_out("all", out)
    return _logical("all", reduction.reduce_and, True, a, axis, keepdims, where)


def any(a: Any, axis: Axis = None, out: None = None, keepdims: bool = False, *, where: Any = None) -> Any:
    """Whether some element is true (not zero); arguments as of `sum`."""
    no_out("any", out)
    return _logical("any", reduction.reduce_or, False, a, axis, keepdims, where)
