"""The other primitives as functions of arrays and numbers, with JAX's arguments."""

from __future__ import annotations

import operator
from collections.abc import Sequence
from typing import Any

import numpy as np

from .. import dtypes
from ..arrays import type_of
from ..errors import DTypeError, ShapeError
from ..numpy.axes import axes_of, integer
from ..primitives import contraction, dynamic_slicing, reduction, slicing, sorting, structural
from ..primitives import elementwise as e
from ..promotion import as_operand, cast, promote_dtypes
from .elementwise import strict_operands

__all__ = [
    "argmax",
    "argmin",
    "bitcast_convert_type",
    "broadcast",
    "broadcast_in_dim",
    "concatenate",
    "convert_element_type",
    "cumlogsumexp",
    "cummax",
    "cummin",
    "cumprod",
    "cumsum",
    "dot",
    "dot_general",
    "dynamic_index_in_dim",
    "dynamic_slice",
    "dynamic_slice_in_dim",
    "dynamic_update_index_in_dim",
    "dynamic_update_slice",
    "dynamic_update_slice_in_dim",
    "expand_dims",
    "full",
    "full_like",
    "index_in_dim",
    "iota",
    "pad",
    "reduce_and",
    "reduce_max",
    "reduce_min",
    "reduce_or",
    "reduce_prod",
    "reduce_sum",
    "reduce_xor",
    "reshape",
    "rev",
    "select",
    "slice",
    "slice_in_dim",
    "sort",
    "sort_key_val",
    "squeeze",
    "top_k",
    "transpose",
]


def convert_element_type(operand: Any, new_dtype: Any) -> Any:
    """A cast."""
    x = as_operand(operand)
    weak = isinstance(new_dtype, type) and new_dtype in (int, float, complex)
    return cast(x, dtypes.as_dtype(new_dtype), weak)


def bitcast_convert_type(operand: Any, new_dtype: Any) -> Any:
    """The same bits as another dtype."""
    return e.bitcast_convert(as_operand(operand), dtype=dtypes.as_dtype(new_dtype))


def select(pred: Any, on_true: Any, on_false: Any) -> Any:
    """`on_true` where `pred` holds, else `on_false`."""
    a, b = strict_operands("a case of select", (on_true, on_false))
    return e.select(as_operand(pred), b, a)


def _axis(axis: int, x: Any) -> int:
    """An axis counted from the front."""
    place = integer("axis", f"of {type_of(x)}", axis)
    if not -x.ndim <= place < x.ndim:
        raise ShapeError(f"axis {place} of {type_of(x)}: give one from {-x.ndim} to {x.ndim - 1}.")
    return place % x.ndim


def full(shape: Sequence[int], fill_value: Any, dtype: Any = None) -> Any:
    """An array with one value everywhere."""
    value = as_operand(fill_value)
    if value.shape:
        raise ShapeError(f"full needs a scalar to fill with, got {type_of(value)}.")
    value = value if dtype is None else cast(value, dtypes.as_dtype(dtype))
    return structural.broadcast_in_dim(value, shape=tuple(map(int, shape)), dims=())


def full_like(x: Any, fill_value: Any, dtype: Any = None, shape: Sequence[int] | None = None) -> Any:
    """An array of the shape and dtype of another, with one value everywhere."""
    like = as_operand(x)
    return full(like.shape if shape is None else shape, fill_value, like.dtype if dtype is None else dtype)


def broadcast(operand: Any, sizes: Sequence[int]) -> Any:
    """The array with new leading axes, along which it is constant."""
    x = as_operand(operand)
    sizes = tuple(sizes)
    return structural.broadcast_in_dim(x, shape=(*sizes, *x.shape), dims=tuple(range(len(sizes), len(sizes) + x.ndim)))


def broadcast_in_dim(operand: Any, shape: Sequence[int], broadcast_dimensions: Sequence[int]) -> Any:
    """Axis i of the operand becomes axis `broadcast_dimensions[i]` of a result of the given shape."""
    x, dims = as_operand(operand), tuple(broadcast_dimensions)
    if len(dims) == x.ndim and list(dims) != sorted(dims):
        x, dims = structural.transpose(x, permutation=tuple(map(int, np.argsort(dims)))), tuple(sorted(dims))
    return structural.broadcast_in_dim(x, shape=tuple(shape), dims=dims)


def reshape(operand: Any, new_sizes: Sequence[int], dimensions: Sequence[int] | None = None) -> Any:
    """The same elements in another shape; `dimensions` is the order in which axes are read."""
    x = as_operand(operand)
    if dimensions is not None:
        x = structural.transpose(x, permutation=tuple(dimensions))
    return structural.reshape(x, shape=tuple(map(int, new_sizes)))


def transpose(operand: Any, permutation: Sequence[int]) -> Any:
    """Axis i of the result is axis `permutation[i]` of the operand."""
    return structural.transpose(as_operand(operand), permutation=tuple(map(int, permutation)))


def expand_dims(array: Any, dimensions: Sequence[int]) -> Any:
    """New axes of length 1 at the given positions of the result."""
    x = as_operand(array)
    dimensions = tuple(dimensions)
    return structural.expand_dims(x, *axes_of("expand_dims", dimensions, x.ndim + len(dimensions)))


def squeeze(array: Any, dimensions: Sequence[int]) -> Any:
    """The array without the given axes, which have length 1."""
    x = as_operand(array)
    axes = tuple(_axis(d, x) for d in dimensions)
    if len(set(axes)) < len(axes):
        raise ShapeError(f"squeeze of {type_of(x)}: the axes {axes} name one axis twice.")
    if any(x.shape[a] != 1 for a in axes):
        raise ShapeError(f"squeeze of {type_of(x)}: the axes {axes} must have length 1.")
    return structural.squeeze(x, *axes)


def concatenate(operands: Sequence[Any], dimension: int) -> Any:
    """Arrays one after the other along an axis."""
    return slicing.concatenate(*map(as_operand, operands), dimension=dimension)


def pad(operand: Any, padding_value: Any, padding_config: Sequence[tuple[int, int, int]]) -> Any:
    """A value before, after and between the elements: (low, high, interior) for each axis; negative ones cut."""
    x = as_operand(operand)
    _, value = strict_operands("the padding value of pad", (x, padding_value))
    return slicing.pad(x, value, config=tuple(tuple(map(int, c)) for c in padding_config))


def slice(
    operand: Any, start_indices: Sequence[int], limit_indices: Sequence[int], strides: Sequence[int] | None = None
) -> Any:
    """The elements from start up to limit along each axis."""
    steps = None if strides is None else tuple(strides)
    return slicing.slice_(as_operand(operand), start=tuple(start_indices), limit=tuple(limit_indices), strides=steps)


def slice_in_dim(operand: Any, start_index: int | None, limit_index: int | None, stride: int = 1, axis: int = 0) -> Any:
    """The elements from start up to limit along one axis."""
    x = as_operand(operand)
    axis = _axis(axis, x)
    n = x.shape[axis]
    first, last = (v if v >= 0 else v + n for v in (start_index or 0, n if limit_index is None else limit_index))

    def at(value: int, others: Sequence[int]) -> tuple[int, ...]:
        return tuple(value if i == axis else v for i, v in enumerate(others))

    return slicing.slice_(x, start=at(first, (0,) * x.ndim), limit=at(last, x.shape), strides=at(stride, (1,) * x.ndim))


def index_in_dim(operand: Any, index: int, axis: int = 0, keepdims: bool = True) -> Any:
    """One element along an axis."""
    x = as_operand(operand)
    i = index + x.shape[axis] if index < 0 else index
    out = slice_in_dim(x, i, i + 1, 1, axis)
    return out if keepdims else squeeze(out, (axis,))


def rev(operand: Any, dimensions: Sequence[int]) -> Any:
    """The elements in reverse order along axes."""
    x = as_operand(operand)
    return slicing.rev(x, dimensions=tuple(_axis(d, x) for d in dimensions))


def iota(dtype: Any, size: int) -> Any:
    """0, 1, 2, ... up to `size`."""
    return slicing.iota(dtype=dtypes.as_dtype(dtype), shape=(int(size),), dimension=0)


def _starts(start_indices: Sequence[Any], shape: Sequence[int], allow_negative: bool | Sequence[bool]) -> list[Any]:
    """Start indices of one integer dtype; negative ones count from the end, where they may."""
    if len(start_indices) != len(shape):
        raise ShapeError(
            f"there are {len(start_indices)} start indices for an array of shape {tuple(shape)}: give one for each axis."
        )
    allowed = [allow_negative] * len(shape) if isinstance(allow_negative, bool) else list(allow_negative)
    found = [_from_end(i, n) if a else i for i, n, a in zip(start_indices, shape, allowed, strict=True)]
    found = [as_operand(i, "a start index") for i in found]
    for i in found:
        if i.shape or not dtypes.is_integer(i.dtype):
            raise DTypeError(f"start indices are integer scalars, got {type_of(i)}.")
    return promote_dtypes(*found) if found else []


def _from_end(index: Any, n: Any) -> Any:
    """An index counted from the front, of an axis of length n."""
    if isinstance(index, (int, np.integer)):
        return index + n if index < 0 else index
    i = as_operand(index, "a start index")
    if type(n) is not int or i.shape or not np.issubdtype(i.dtype, np.signedinteger):
        return i
    if n > np.iinfo(i.dtype).max:
        i = cast(i, np.dtype(np.int64), i.weak_type)
    return e.select(e.lt(i, i.dtype.type(0)), i, e.add(i, i.dtype.type(n)))


def dynamic_slice(
    operand: Any,
    start_indices: Any,
    slice_sizes: Sequence[int],
    *,
    allow_negative_indices: bool | Sequence[bool] = True,
) -> Any:
    """The piece of shape `slice_sizes` that begins at indices known at run time, moved inwards if it sticks out.

    Args:
      operand: an array.
      start_indices: an integer for each axis.
      slice_sizes: the shape of the piece.
      allow_negative_indices: whether negative indices count from the end (for all axes, or for each); else they are moved
        inwards as well.
    """
    x = as_operand(operand)
    starts = _starts(list(start_indices), x.shape, allow_negative_indices)
    return dynamic_slicing.dynamic_slice(x, *starts, sizes=tuple(map(operator.index, slice_sizes)))


def dynamic_update_slice(
    operand: Any, update: Any, start_indices: Any, *, allow_negative_indices: bool | Sequence[bool] = True
) -> Any:
    """The operand with the piece that begins at indices known at run time replaced; indices as of `dynamic_slice`."""
    x, piece = strict_operands("an operand of dynamic_update_slice", (operand, update))
    starts = _starts(list(start_indices), x.shape, allow_negative_indices)
    return dynamic_slicing.dynamic_update_slice(x, piece, *starts)


def dynamic_slice_in_dim(
    operand: Any, start_index: Any, slice_size: int, axis: int = 0, *, allow_negative_indices: bool = True
) -> Any:
    """`dynamic_slice` along one axis."""
    x = as_operand(operand)
    axis = _axis(axis, x)
    starts = [start_index if i == axis else 0 for i in range(x.ndim)]
    sizes = [slice_size if i == axis else n for i, n in enumerate(x.shape)]
    return dynamic_slice(x, starts, sizes, allow_negative_indices=allow_negative_indices)


def dynamic_index_in_dim(
    operand: Any, index: Any, axis: int = 0, keepdims: bool = True, *, allow_negative_indices: bool = True
) -> Any:
    """One element along an axis, at an index known at run time."""
    out = dynamic_slice_in_dim(operand, index, 1, axis, allow_negative_indices=allow_negative_indices)
    return out if keepdims else squeeze(out, (axis,))


def dynamic_update_slice_in_dim(
    operand: Any, update: Any, start_index: Any, axis: int, *, allow_negative_indices: bool = True
) -> Any:
    """`dynamic_update_slice` along one axis."""
    x = as_operand(operand)
    axis = _axis(axis, x)
    starts = [start_index if i == axis else 0 for i in range(x.ndim)]
    return dynamic_update_slice(x, update, starts, allow_negative_indices=allow_negative_indices)


def dynamic_update_index_in_dim(
    operand: Any, update: Any, index: Any, axis: int, *, allow_negative_indices: bool = True
) -> Any:
    """One element along an axis replaced, at an index known at run time."""
    x, new = as_operand(operand), as_operand(update)
    axis = _axis(axis, x)
    if new.ndim != x.ndim:
        new = expand_dims(new, (axis,))
    return dynamic_update_slice_in_dim(x, new, index, axis, allow_negative_indices=allow_negative_indices)


def dot_general(
    lhs: Any, rhs: Any, dimension_numbers: Any, precision: Any = None, preferred_element_type: Any = None
) -> Any:
    """Sums of products over contracted axes, with batch axes: ((x's contracted, y's), (x's batch, y's)).

    Operands of two dtypes are promoted to one.
    """
    (xc, yc), (xb, yb) = dimension_numbers
    numbers = ((tuple(xc), tuple(yc)), (tuple(xb), tuple(yb)))
    x, y = promote_dtypes(*strict_operands("an operand of dot_general", (lhs, rhs)))
    preferred = None if preferred_element_type is None else dtypes.as_dtype(preferred_element_type)
    return contraction.dot_general(x, y, dimension_numbers=numbers, preferred=preferred)


def dot(
    lhs: Any, rhs: Any, *, dimension_numbers: Any = None, precision: Any = None, preferred_element_type: Any = None
) -> Any:
    """The product of vectors and matrices, or with dimension numbers that of `dot_general`."""
    x, y = strict_operands("an operand of dot", (lhs, rhs))
    if dimension_numbers is not None:
        return dot_general(x, y, dimension_numbers, precision, preferred_element_type)
    if not (1 <= x.ndim <= 2 and 1 <= y.ndim <= 2):
        raise ShapeError(f"dot needs vectors or matrices, got {type_of(x)} and {type_of(y)}: use dot_general.")
    numbers = (((x.ndim - 1,), (0,)), ((), ()))
    return dot_general(x, y, numbers, preferred_element_type=preferred_element_type)


def _axes(x: Any, axes: Any) -> tuple[int, ...]:
    return tuple(range(x.ndim)) if axes is None else tuple(_axis(a, x) for a in axes)


def _reducer(primitive: Any) -> Any:
    def reduce(operand: Any, axes: Sequence[int]) -> Any:
        x = as_operand(operand)
        return primitive(x, axes=_axes(x, axes))

    reduce.__name__ = reduce.__qualname__ = primitive.name
    reduce.__doc__ = f"The primitive `{primitive.name}` along axes."
    return reduce


reduce_sum = _reducer(structural.reduce_sum)
reduce_max = _reducer(reduction.reduce_max)
reduce_min = _reducer(reduction.reduce_min)
reduce_prod = _reducer(reduction.reduce_prod)
reduce_and = _reducer(reduction.reduce_and)
reduce_or = _reducer(reduction.reduce_or)
reduce_xor = _reducer(reduction.reduce_xor)


def _cumulative(primitive: Any) -> Any:
    def cumulative(operand: Any, axis: int = 0, reverse: bool = False) -> Any:
        x = as_operand(operand)
        return primitive(x, axis=_axis(axis, x), reverse=bool(reverse))

    cumulative.__name__ = cumulative.__qualname__ = primitive.name
    cumulative.__doc__ = f"The primitive `{primitive.name}` along an axis, from the end if `reverse`."
    return cumulative


cumsum = _cumulative(reduction.cumsum)
cumprod = _cumulative(reduction.cumprod)
cummax = _cumulative(reduction.cummax)
cummin = _cumulative(reduction.cummin)
cumlogsumexp = _cumulative(reduction.cumlogsumexp)


def argmax(operand: Any, axis: int, index_dtype: Any) -> Any:
    """The position of the first largest element along an axis."""
    x = as_operand(operand)
    return reduction.argmax(x, axis=_axis(axis, x), index_dtype=_position_dtype(index_dtype))


def argmin(operand: Any, axis: int, index_dtype: Any) -> Any:
    """The position of the first smallest element along an axis."""
    x = as_operand(operand)
    return reduction.argmin(x, axis=_axis(axis, x), index_dtype=_position_dtype(index_dtype))


def _position_dtype(dtype: Any) -> np.dtype:
    found = dtypes.as_dtype(dtype)
    if not dtypes.is_integer(found):
        raise DTypeError(f"positions are integers, but the index_dtype given is {dtypes.short_name(found)}.")
    return found


def sort(operand: Any, dimension: int = -1, is_stable: bool = True, num_keys: int = 1) -> Any:
    """An array in order along an axis; several arrays (a tuple) in the order of the first `num_keys`."""
    several = isinstance(operand, (tuple, list))
    xs = [as_operand(x) for x in (operand if several else (operand,))]
    out = sorting.sort(*xs, dimension=_axis(dimension, xs[0]), is_stable=is_stable, num_keys=num_keys)
    return tuple(out) if several else out[0]


def sort_key_val(keys: Any, values: Any, dimension: int = -1, is_stable: bool = True) -> tuple[Any, Any]:
    """Keys in order along an axis, and values in the order of the keys."""
    k, v = sort((keys, values), dimension, is_stable, 1)
    return k, v


def top_k(operand: Any, k: int, *, axis: int = -1) -> Any:
    """The k largest elements along an axis, the largest first, and their positions."""
    x = as_operand(operand)
    last = structural.move_batch(x, _axis(axis, x), x.ndim - 1)
    values, positions = sorting.top_k(last, k=int(k))
    return [structural.move_batch(v, x.ndim - 1, _axis(axis, x)) for v in (values, positions)]
