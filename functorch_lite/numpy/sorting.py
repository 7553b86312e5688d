"""Sorting, and searching in what is sorted."""

from __future__ import annotations

from typing import Any

import numpy as np

from .. import dtypes
from ..arrays import type_of
from ..errors import ArgumentError, ArgumentTypeError, ShapeError, UnsupportedError
from ..indexing import take
from ..primitives import elementwise as e
from ..primitives.slicing import iota
from ..primitives.sorting import sort as sort_p
from ..promotion import as_operand, cast, promote_dtypes
from .axes import axis_of
from .creation import filled
from .logic import isnan, less, where3
from .operands import like
from .repeating import flip
from .shaping import ravel

__all__ = [
    "argpartition",
    "argsort",
    "digitize",
    "lexsort",
    "partition",
    "searchsorted",
    "sort",
    "sort_complex",
]


_INT32 = np.dtype(np.int32)


def _only(name: str, **options: Any) -> None:
    for option, value in options.items():
        if value is not None:
            raise UnsupportedError(f"{name}: {option}={value!r} has no meaning here; leave it out.")


def line_of(name: str, a: Any, axis: int | None) -> tuple[Any, int]:
    """An array and the axis to work along: None flattens first."""
    x = as_operand(a)
    if axis is None:
        return ravel(x), 0
    if not x.ndim:
        raise ShapeError(f"{name} needs an array with at least one axis, got {type_of(x)}.")
    return x, axis_of(name, axis, x.ndim)


def sort(
    a: Any,
    axis: int | None = -1,
    *,
    kind: None = None,
    order: None = None,
    stable: bool = True,
    descending: bool = False,
) -> Any:
    """Elements in rising order; NaN comes last.

    Args:
      a: an array.
      axis: along which; None: of the flattened array.
      kind, order: must be None.
      stable: taken for NumPy's sake.
      descending: whether to give falling order.
    """
    _only("sort", kind=kind, order=order)
    x, axis = line_of("sort", a, axis)
    (out,) = sort_p(x, dimension=axis, is_stable=stable, num_keys=1)
    return flip(out, axis) if descending else out


def argsort(
    a: Any,
    axis: int | None = -1,
    *,
    kind: None = None,
    order: None = None,
    stable: bool = True,
    descending: bool = False,
    dtype: Any = None,
) -> Any:
    """The positions of elements in rising order; arguments as of `sort`. Equal elements keep their order."""
    _only("argsort", kind=kind, order=order)
    x, axis = line_of("argsort", a, axis)
    x = flip(x, axis) if descending else x
    n = x.shape[axis]
    places = iota(dtype=dtypes.position_dtype(n, least=_INT32), shape=tuple(x.shape), dimension=axis)
    _, out = sort_p(x, places, dimension=axis, is_stable=stable, num_keys=1)
    if descending:
        out = flip(e.sub(like(out, n - 1), out), axis)
    return cast(out, dtypes.position_dtype(n) if dtype is None else dtypes.as_dtype(dtype))


def lexsort(keys: Any, axis: int = -1) -> Any:
    """The positions that sort by the last key, where that is equal by the last but one, and so on.

    Args:
      keys: a sequence of arrays of one shape.
      axis: along which.
    """
    columns = [as_operand(k) for k in (keys if isinstance(keys, (tuple, list)) else list(as_operand(keys)))]
    if not columns:
        raise ArgumentTypeError("lexsort needs at least one key.")
    if not columns[0].ndim:
        return filled(0, (), dtypes.default_int())
    axis = axis_of("lexsort", axis, columns[0].ndim)
    n = columns[0].shape[axis]
    places = iota(dtype=dtypes.position_dtype(n, least=_INT32), shape=tuple(columns[0].shape), dimension=axis)
    out = sort_p(*columns[::-1], places, dimension=axis, is_stable=True, num_keys=len(columns))
    return cast(out[-1], dtypes.position_dtype(n))


def partition(a: Any, kth: int, axis: int = -1) -> Any:
    """`a` with the element of rank `kth` in its sorted place, smaller ones before it: sorted, in fact."""
    x, axis = line_of("partition", a, axis)
    axis_of("partition", kth, x.shape[axis])
    return sort(x, axis)


def argpartition(a: Any, kth: int, axis: int = -1) -> Any:
    """The positions that `partition` takes elements from."""
    x, axis = line_of("argpartition", a, axis)
    axis_of("argpartition", kth, x.shape[axis])
    return argsort(x, axis)


def sort_complex(a: Any) -> Any:
    """Elements as complex numbers in the order of their real parts, then their imaginary ones."""
    x = sort(a)
    return cast(x, dtypes.complex_dtype(x.dtype))


def _before(a: Any, b: Any) -> Any:
    """Whether a comes before b in sorted order, where NaN is last."""
    out = less(a, b)
    return e.or_(out, e.and_(isnan(b), e.not_(isnan(a)))) if dtypes.is_inexact(a.dtype) else out


def searchsorted(a: Any, v: Any, side: str = "left", sorter: Any = None, *, method: str = "scan") -> Any:
    """Where in a sorted vector values would go.

    Args:
      a: a vector in rising order (as `sorter` puts it).
      v: values.
      side: beside equal elements: "left": before them, "right": behind them.
      sorter: the positions that sort `a`.
      method: taken for JAX's sake.
    """
    if side not in ("left", "right"):
        raise ArgumentError(f"searchsorted: side must be 'left' or 'right', got {side!r}.")
    line, values = promote_dtypes(as_operand(a), as_operand(v))
    if line.ndim != 1:
        raise ShapeError(f"searchsorted needs a vector to search in, got {type_of(line)}.")
    if sorter is not None:
        line = take(line, sorter)
    n = line.shape[0]
    position = dtypes.position_dtype(2 * n, least=_INT32)  # two are added
    low, high = filled(0, tuple(values.shape), position), filled(n, tuple(values.shape), position)
    for _ in range(n.bit_length()):
        middle = e.shift_right_logical(e.add(low, high), position.type(1))
        found = take(line, middle, mode="clip")
        right = _before(found, values) if side == "left" else e.not_(_before(values, found))
        right, searching = e.and_(right, e.lt(low, high)), e.lt(low, high)
        low, high = (
            e.select(right, low, e.add(middle, position.type(1))),
            e.select(e.and_(searching, e.not_(right)), high, middle),
        )
    return cast(low, dtypes.position_dtype(n))


def digitize(x: Any, bins: Any, right: bool = False, *, method: str | None = None) -> Any:
    """The number of the bin that each value falls into, as `searchsorted`; `bins` may rise or fall.

    Args:
      x: values.
      bins: a vector of edges.
      right: whether a bin holds its right edge, not its left one.
      method: taken for JAX's sake.
    """
    edges = as_operand(bins)
    if edges.ndim != 1:
        raise ShapeError(f"digitize needs a vector of bins, got {type_of(edges)}.")
    side = "right" if not right else "left"
    if not edges.shape[0]:
        return filled(0, as_operand(x).shape, dtypes.default_int())
    rising = searchsorted(edges, x, side)
    falling = e.sub(like(rising, edges.shape[0]), searchsorted(flip(edges), x, side))
    return where3(e.ge(edges[-1], edges[0]), rising, falling)
