"""Arrays joined to one, and split into several."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import numpy as np

from .. import dtypes
from ..arrays import Array, type_of
from ..errors import ArgumentError, ConcretizationTypeError, ShapeError
from ..index_plan import host_value
from ..indexing import getitem
from ..primitives import slicing, structural
from ..promotion import as_operand, cast, promote_dtypes
from ..tracing import Tracer
from .axes import axes_of, axis_of, integer
from .creation import asarray
from .operands import no_out
from .shaping import atleast_1d, atleast_2d, atleast_3d, ravel, reshape, transpose

__all__ = [
    "append",
    "array_split",
    "block",
    "column_stack",
    "concat",
    "concatenate",
    "dsplit",
    "dstack",
    "hsplit",
    "hstack",
    "split",
    "stack",
    "trim_zeros",
    "unstack",
    "vsplit",
    "vstack",
]


def _items(name: str, arrays: Any) -> list[Any]:
    if isinstance(arrays, (Array, Tracer, np.ndarray)):
        arrays = unstack(arrays)
    items = list(arrays)
    if not items:
        raise ArgumentError(f"{name} needs at least one array.")
    return items


def concatenate(arrays: Any, axis: int | None = 0, dtype: Any = None) -> Any:
    """Arrays one after the other.

    Args:
      arrays: a sequence of arrays with equal shapes but along `axis`; they are promoted to one dtype.
      axis: along which; None: they are flattened first.
      dtype: the dtype of the result.
    """
    items = _items("concatenate", arrays)
    xs = [cast(as_operand(x), dtypes.as_dtype(dtype)) for x in items] if dtype is not None else _promoted(items)
    if axis is None:
        xs, axis = [ravel(x) for x in xs], 0
    axis = axis_of("concatenate", axis, xs[0].ndim)
    return xs[0] if len(xs) == 1 else slicing.concatenate(*xs, dimension=axis)


def _promoted(items: Sequence[Any]) -> list[Any]:
    return promote_dtypes(*map(as_operand, items))


def concat(arrays: Any, /, *, axis: int | None = 0) -> Any:
    """Arrays one after the other, see `concatenate`."""
    return concatenate(arrays, axis)


def stack(arrays: Any, axis: int = 0, out: None = None, dtype: Any = None) -> Any:
    """Arrays of one shape side by side along a new axis.

    Args:
      arrays: a sequence of arrays.
      axis: where the new axis stands in the result.
      out: must be None, arrays do not change.
      dtype: the dtype of the result.
    """
    no_out("stack", out)
    xs = [as_operand(x) for x in _items("stack", arrays)]
    if any(x.shape != xs[0].shape for x in xs):
        raise ShapeError(f"stack needs arrays of one shape, got {', '.join(str(x.type) for x in xs)}.")
    axis = axis_of("stack", axis, xs[0].ndim + 1)
    return concatenate([structural.expand_dims(x, axis) for x in xs], axis, dtype)


def vstack(tup: Any, dtype: Any = None) -> Any:
    """Arrays below each other: along the first axis; vectors count as rows."""
    return concatenate([atleast_2d(x) for x in _items("vstack", tup)], 0, dtype)


def hstack(tup: Any, dtype: Any = None) -> Any:
    """Arrays beside each other: along the second axis, vectors along their only one."""
    xs = [atleast_1d(x) for x in _items("hstack", tup)]
    return concatenate(xs, 0 if xs[0].ndim == 1 else 1, dtype)


def dstack(tup: Any, dtype: Any = None) -> Any:
    """Arrays behind each other: along the third axis."""
    return concatenate([atleast_3d(x) for x in _items("dstack", tup)], 2, dtype)


def column_stack(tup: Any) -> Any:
    """Arrays beside each other; vectors count as columns."""
    return concatenate(
        [transpose(atleast_2d(x)) if x.ndim < 2 else x for x in map(as_operand, _items("column_stack", tup))], 1
    )


def block(arrays: Any) -> Any:
    """An array from nested lists of blocks: the innermost lists are joined along the last axis, those around them before it."""
    depth = _depth(arrays)

    def rank(blocks: Any) -> int:
        return (
            max(map(rank, blocks))
            if isinstance(blocks, list)
            else np.ndim(blocks)
            if not hasattr(blocks, "ndim")
            else blocks.ndim
        )

    n = max(depth, rank(arrays))

    def join(blocks: Any, level: int) -> Any:
        if isinstance(blocks, list):
            return concatenate([join(b, level + 1) for b in blocks], axis=level - depth)
        x = as_operand(blocks)
        return reshape(x, (1,) * (n - x.ndim) + tuple(x.shape))

    return join(arrays, 0)


def _depth(blocks: Any) -> int:
    if not isinstance(blocks, list):
        return 0
    depths = {_depth(b) for b in blocks}
    if len(depths) != 1:
        raise ArgumentError("block: lists must be nested equally deep everywhere, and not be empty.")
    return depths.pop() + 1


def append(arr: Any, values: Any, axis: int | None = None) -> Any:
    """`arr` with `values` after it along an axis (None: both are flattened)."""
    return concatenate([as_operand(arr), as_operand(values)], axis)


def pieces(x: Any, ends: Sequence[int], axis: int) -> list[Any]:
    """`x` cut along an axis at the places `ends`."""
    out, begin = [], 0
    for end in [*ends, x.shape[axis]]:
        index = [slice(None)] * x.ndim
        index[axis] = slice(begin, end)
        out.append(getitem(x, tuple(index)))
        begin = end
    return out


def _split(name: str, ary: Any, indices_or_sections: Any, axis: int, equal: bool) -> list[Any]:
    x = as_operand(ary)
    axis = axis_of(name, axis, x.ndim)
    n = x.shape[axis]
    if hasattr(indices_or_sections, "__len__") and np.ndim(indices_or_sections):
        return pieces(x, [int(i) for i in np.asarray(indices_or_sections)], axis)
    sections = integer(name, "the number of sections", indices_or_sections)
    if sections <= 0 or (equal and n % sections):
        raise ShapeError(
            f"{name} of {x.type}: axis {axis} cannot be split into {sections} equal parts; array_split takes unequal ones."
        )
    size, more = divmod(n, sections)
    ends = np.cumsum([size + (i < more) for i in range(sections)])
    return pieces(x, [int(i) for i in ends[:-1]], axis)


def split(ary: Any, indices_or_sections: Any, axis: int = 0) -> list[Any]:
    """Pieces of an array.

    Args:
      ary: an array.
      indices_or_sections: how many equal pieces; or where to cut.
      axis: along which.
    """
    return _split("split", ary, indices_or_sections, axis, equal=True)


def array_split(ary: Any, indices_or_sections: Any, axis: int = 0) -> list[Any]:
    """Pieces of an array, as `split`; the first ones are longer by 1 if they cannot be equal."""
    return _split("array_split", ary, indices_or_sections, axis, equal=False)


def vsplit(ary: Any, indices_or_sections: Any) -> list[Any]:
    """Pieces along the first axis, see `split`."""
    return split(ary, indices_or_sections, 0)


def hsplit(ary: Any, indices_or_sections: Any) -> list[Any]:
    """Pieces along the second axis (of vectors: the only one), see `split`."""
    x = as_operand(ary)
    return split(x, indices_or_sections, 0 if x.ndim == 1 else 1)


def dsplit(ary: Any, indices_or_sections: Any) -> list[Any]:
    """Pieces along the third axis, see `split`."""
    return split(ary, indices_or_sections, 2)


def unstack(x: Any, /, *, axis: int = 0) -> tuple[Any, ...]:
    """The slices of an array along an axis, without that axis."""
    x = as_operand(x)
    if not x.ndim:
        raise ShapeError(f"unstack needs at least one axis, got {x.type}.")
    axis = axis_of("unstack", axis, x.ndim)
    before = (slice(None),) * axis
    return tuple(getitem(x, (*before, i)) for i in range(x.shape[axis]))


def trim_zeros(filt: Any, trim: str = "fb", axis: int | Sequence[int] | None = None) -> Any:
    """An array without the zeros at its ends, where its values are known.

    Args:
      filt: an array.
      trim: "f": at the front; "b": at the back; "fb": both.
      axis: along which axes; None: all.

    >>> trim_zeros([0, 0, 1, 0, 2, 0]).tolist()
    [1, 0, 2]
    """
    x = asarray(filt)
    value = host_value(x)
    if value is None:
        raise ConcretizationTypeError(
            f"trim_zeros of {type_of(x)}, whose values are not known here: the result's shape depends on them."
        )
    ends = trim.lower()
    index: list[Any] = [slice(None)] * x.ndim
    for i in axes_of("trim_zeros", axis, x.ndim):
        there = np.flatnonzero((value != 0).any(tuple(k for k in range(x.ndim) if k != i)))
        first, last = (int(there[0]), int(there[-1]) + 1) if there.size else (0, 0)
        index[i] = slice(first if "f" in ends or not there.size else 0, last if "b" in ends or not there.size else None)
    return getitem(x, tuple(index))
