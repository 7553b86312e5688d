"""Functions that move elements about: reshape, transpose, join, split, repeat, roll, flip, insert and delete."""

from __future__ import annotations

import math
import operator
from collections.abc import Sequence
from typing import Any

import numpy as np

from .. import dtypes
from ..array_type import Dim
from ..arrays import Array, from_host
from ..errors import ConcretizationTypeError, ShapeError
from ..index_plan import host_value
from ..indexing import getitem, take
from ..primitives import elementwise as e
from ..primitives import reduction, slicing, structural
from ..primitives.slicing import iota, rev, slice_
from ..promotion import as_operand, broadcast_shapes, cast, promote_dtypes
from ..tracing import Tracer
from .axes import axes_of, axis_of
from .elementwise import no_out

__all__ = [
    "append",
    "array_split",
    "atleast_1d",
    "atleast_2d",
    "atleast_3d",
    "block",
    "broadcast_arrays",
    "broadcast_to",
    "column_stack",
    "concat",
    "concatenate",
    "delete",
    "dsplit",
    "dstack",
    "expand_dims",
    "flip",
    "fliplr",
    "flipud",
    "hsplit",
    "hstack",
    "insert",
    "matrix_transpose",
    "moveaxis",
    "permute_dims",
    "put_along_axis",
    "ravel",
    "repeat",
    "reshape",
    "resize",
    "roll",
    "rollaxis",
    "rot90",
    "split",
    "squeeze",
    "stack",
    "swapaxes",
    "take",
    "take_along_axis",
    "tile",
    "transpose",
    "unstack",
    "vsplit",
    "vstack",
]


# Shapes.


def reshape(a: Any, shape: Any, order: str = "C", *, copy: bool | None = None) -> Any:
    """The same elements in another shape.

    Args:
      a: an array.
      shape: an integer or a sequence of them; one may be -1, and is found from the rest.
      order: "C": the last axis varies quickest; "F": the first does.
      copy: taken for NumPy's sake.

    Raises:
      ShapeError: if the elements do not fill the shape.
    """
    x = as_operand(a)
    wanted = _full_shape(x, tuple(shape) if isinstance(shape, (tuple, list)) else (shape,))
    if order == "F":
        return transpose(structural.reshape(transpose(x), shape=wanted[::-1]))
    if order not in ("C", "A"):
        raise ValueError(f"reshape: order must be 'C', 'F' or 'A', got {order!r}.")
    return x if x.shape == wanted else structural.reshape(x, shape=wanted)


def _full_shape(x: Any, shape: tuple[Any, ...]) -> tuple[Any, ...]:
    """A shape with -1 replaced by what is left."""
    shape = tuple(n if type(n) in (int, Dim) else operator.index(n) for n in shape)
    unknown = [i for i, n in enumerate(shape) if type(n) is int and n < 0]
    if not unknown:
        return shape
    if len(unknown) > 1 or shape[unknown[0]] != -1:
        raise ShapeError(f"reshape of {x.type} to {shape}: one length may be -1, others must not be negative.")
    here = [n for n in x.shape if type(n) is Dim]
    there = [n for n in shape if type(n) is Dim]
    for n in there:
        if n in here:
            here.remove(n)
    size = math.prod(n for n in x.shape if type(n) is not Dim)
    rest = math.prod(n for n in shape if type(n) is not Dim and n >= 0)
    if rest == 0 or size % rest or len(here) > 1 or (here and size != rest):
        raise ShapeError(
            f"reshape of {x.type} to {shape}: its elements do not fill that shape for any length in place of -1."
        )
    found = here[0] if here else size // rest
    return tuple(found if i == unknown[0] else n for i, n in enumerate(shape))


def ravel(a: Any, order: str = "C") -> Any:
    """All elements in one row; `order` as in `reshape` ("K" counts as "C")."""
    return reshape(a, -1 if as_operand(a).size else 0, "C" if order == "K" else order)


def transpose(a: Any, axes: Sequence[int] | None = None) -> Any:
    """`a` with its axes in another order.

    Args:
      a: an array.
      axes: axis i of the result is axis axes[i] of `a`; None: reversed.
    """
    x = as_operand(a)
    n = x.ndim
    order = tuple(range(n - 1, -1, -1)) if axes is None else axes_of("transpose", tuple(axes), n)
    if len(order) != n:
        raise ShapeError(f"transpose of {x.type}: axes {tuple(axes or ())} must name each of its {n} axes once.")
    return x if order == tuple(range(n)) else structural.transpose(x, permutation=order)


def permute_dims(a: Any, /, axes: Sequence[int]) -> Any:
    """`a` with its axes in another order: axis i of the result is axis axes[i] of `a`."""
    return transpose(a, axes)


def matrix_transpose(x: Any, /) -> Any:
    """Matrices with rows and columns swapped: the last two axes."""
    x = as_operand(x)
    if x.ndim < 2:
        raise ShapeError(f"matrix_transpose needs at least 2 axes, got {x.type}.")
    return swapaxes(x, -1, -2)


def swapaxes(a: Any, axis1: int, axis2: int) -> Any:
    """`a` with two axes swapped."""
    x = as_operand(a)
    order = list(range(x.ndim))
    i, j = axis_of("swapaxes", axis1, x.ndim), axis_of("swapaxes", axis2, x.ndim)
    order[i], order[j] = j, i
    return transpose(x, order)


def moveaxis(a: Any, source: int | Sequence[int], destination: int | Sequence[int]) -> Any:
    """`a` with axes moved to other positions; the rest keep their order."""
    x = as_operand(a)
    from_, to = axes_of("moveaxis", source, x.ndim), axes_of("moveaxis", destination, x.ndim)
    if len(from_) != len(to):
        raise ShapeError(f"moveaxis of {x.type}: {len(from_)} axes cannot go to {len(to)} positions.")
    order = [i for i in range(x.ndim) if i not in from_]
    for d, s in sorted(zip(to, from_, strict=True)):
        order.insert(d, s)
    return transpose(x, order)


def rollaxis(a: Any, axis: int, start: int = 0) -> Any:
    """`a` with one axis moved back until it stands before `start`."""
    x = as_operand(a)
    axis = axis_of("rollaxis", axis, x.ndim)
    start = start + x.ndim if start < 0 else start
    if not 0 <= start <= x.ndim:
        raise ShapeError(f"rollaxis of {x.type}: start must lie between {-x.ndim} and {x.ndim}.")
    return moveaxis(x, axis, start - (start > axis))


def expand_dims(a: Any, axis: int | Sequence[int]) -> Any:
    """`a` with new axes of length 1 at the given positions of the result."""
    x = as_operand(a)
    count = len(axis) if isinstance(axis, (tuple, list)) else 1
    return structural.expand_dims(x, *axes_of("expand_dims", axis, x.ndim + count))


def squeeze(a: Any, axis: int | Sequence[int] | None = None) -> Any:
    """`a` without axes of length 1: all of them, or those named.

    Raises:
      ShapeError: if a named axis has another length.
    """
    x = as_operand(a)
    axes = tuple(i for i, n in enumerate(x.shape) if n == 1) if axis is None else axes_of("squeeze", axis, x.ndim)
    if any(x.shape[i] != 1 for i in axes):
        raise ShapeError(f"squeeze of {x.type} along axes {axes}: only axes of length 1 can be dropped.")
    return structural.squeeze(x, *axes) if axes else x


def broadcast_to(array: Any, shape: Any) -> Any:
    """`array` stretched to a shape: axes are aligned at the end, and those of length 1 stretched."""
    x = as_operand(array)
    shape = tuple(shape) if isinstance(shape, (tuple, list)) else (shape,)
    if x.ndim > len(shape) or any(n not in (1, m) for n, m in zip(x.shape[::-1], shape[::-1], strict=False)):
        raise ShapeError(f"broadcast_to: {x.type} cannot be stretched to {shape}: lengths must be equal, or 1.")
    return structural.broadcast_to(x, shape)


def broadcast_arrays(*args: Any) -> list[Any]:
    """Arrays stretched to the one shape that all of them broadcast to."""
    if not args:
        return []
    xs = [as_operand(x) for x in args]
    shape = broadcast_shapes("broadcast_arrays", [x.shape for x in xs])
    return [structural.broadcast_to(x, shape) for x in xs]


def _atleast(n: int, arys: Sequence[Any], fit: Any) -> Any:
    out = [x if x.ndim >= n else structural.reshape(x, shape=fit(x.shape)) for x in map(as_operand, arys)]
    return out[0] if len(out) == 1 else out


def atleast_1d(*arys: Any) -> Any:
    """Arrays with at least one axis; a list, if several are given."""
    return _atleast(1, arys, lambda shape: (1,))


def atleast_2d(*arys: Any) -> Any:
    """Arrays with at least two axes, new ones in front; a list, if several are given."""
    return _atleast(2, arys, lambda shape: (1,) * (2 - len(shape)) + shape)


def atleast_3d(*arys: Any) -> Any:
    """Arrays with at least three axes: (n,) becomes (1, n, 1), (m, n) becomes (m, n, 1); a list, if several are given."""
    return _atleast(3, arys, lambda shape: ((1, 1, 1), (1, *shape, 1), (*shape, 1))[len(shape)])


# Joining and splitting.


def _items(name: str, arrays: Any) -> list[Any]:
    if isinstance(arrays, (Array, Tracer, np.ndarray)):
        arrays = unstack(arrays)
    items = list(arrays)
    if not items:
        raise ValueError(f"{name} needs at least one array.")
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
        raise ValueError("block: lists must be nested equally deep everywhere, and not be empty.")
    return depths.pop() + 1


def append(arr: Any, values: Any, axis: int | None = None) -> Any:
    """`arr` with `values` after it along an axis (None: both are flattened)."""
    return concatenate([as_operand(arr), as_operand(values)], axis)


def _pieces(x: Any, ends: Sequence[int], axis: int) -> list[Any]:
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
        return _pieces(x, [int(i) for i in np.asarray(indices_or_sections)], axis)
    sections = operator.index(indices_or_sections)
    if sections <= 0 or (equal and n % sections):
        raise ShapeError(
            f"{name} of {x.type}: axis {axis} cannot be split into {sections} equal parts; array_split takes unequal ones."
        )
    size, more = divmod(n, sections)
    ends = np.cumsum([size + (i < more) for i in range(sections)])
    return _pieces(x, [int(i) for i in ends[:-1]], axis)


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


# Repeating and moving along axes.


def tile(A: Any, reps: Any) -> Any:
    """`A` repeated as a whole, `reps[i]` times along axis i."""
    x = as_operand(A)
    counts = tuple(reps) if isinstance(reps, (tuple, list)) else (operator.index(reps),)
    n = max(x.ndim, len(counts))
    counts = (1,) * (n - len(counts)) + counts
    shape = (1,) * (n - x.ndim) + tuple(x.shape)
    wide = tuple(m for pair in zip(counts, shape, strict=True) for m in pair)
    spread = structural.broadcast_in_dim(structural.reshape(x, shape=shape), shape=wide, dims=tuple(range(1, 2 * n, 2)))
    return structural.reshape(spread, shape=tuple(c * m for c, m in zip(counts, shape, strict=True)))


def repeat(a: Any, repeats: Any, axis: int | None = None, *, total_repeat_length: int | None = None) -> Any:
    """Each element repeated.

    Args:
      a: an array.
      repeats: how often: a number, or one for each element along the axis.
      axis: along which; None: `a` is flattened first.
      total_repeat_length: the length of the result, which must be given where `repeats` is traced; what is too long is cut off,
        what is too short is filled with the last element.

    Raises:
      ConcretizationTypeError: if the length of the result is not known.
    """
    x = as_operand(a)
    if axis is None or not x.ndim:
        x, axis = ravel(x), 0 if axis is None else axis
    axis = axis_of("repeat", axis, x.ndim)
    n = x.shape[axis]
    known = host_value(repeats) if isinstance(repeats, (Array, Tracer)) else np.asarray(repeats)
    if known is not None:
        places = np.repeat(np.arange(n), known)
        if total_repeat_length is not None:
            last = places[-1] if len(places) else 0
            places = np.append(places, np.full(max(total_repeat_length - len(places), 0), last, places.dtype))[
                :total_repeat_length
            ]
        if known.size == 1 and total_repeat_length is None:
            return _repeat_evenly(x, int(known.reshape(())), axis)
        return take(x, places, axis)
    if total_repeat_length is None:
        raise ConcretizationTypeError(
            "repeat: the repeats are traced, so the result's length is not known: give total_repeat_length."
        )
    counts = structural.broadcast_to(as_operand(repeats), (n,))
    ends = _running_sum(counts)
    columns = structural.broadcast_in_dim(ends, shape=(n, total_repeat_length), dims=(0,))
    places = iota(dtype=columns.dtype, shape=(n, total_repeat_length), dimension=1)
    which = structural.reduce_sum(cast(e.le(columns, places), np.dtype(np.int32)), axes=(0,))
    return take(x, e.min_(which, np.int32(n - 1)), axis, mode="clip")


def _running_sum(x: Any) -> Any:

    return reduction.cumsum(x, axis=0, reverse=False)


def _repeat_evenly(x: Any, count: int, axis: int) -> Any:
    shape = tuple(x.shape)
    spread = structural.broadcast_in_dim(
        x,
        shape=(*shape[: axis + 1], count, *shape[axis + 1 :]),
        dims=tuple(i + (i > axis) for i in range(len(shape))),
    )
    return structural.reshape(spread, shape=(*shape[:axis], shape[axis] * count, *shape[axis + 1 :]))


def flip(m: Any, axis: int | Sequence[int] | None = None) -> Any:
    """`m` with the order of elements reversed along axes (None: all)."""
    x = as_operand(m)
    axes = axes_of("flip", axis, x.ndim)
    return rev(x, dimensions=axes) if axes else x


def fliplr(m: Any) -> Any:
    """`m` reversed along its second axis."""
    return flip(m, 1)


def flipud(m: Any) -> Any:
    """`m` reversed along its first axis."""
    return flip(m, 0)


def rot90(m: Any, k: int = 1, axes: tuple[int, int] = (0, 1)) -> Any:
    """`m` turned by k right angles in the plane of two axes, from the first towards the second."""
    x = as_operand(m)
    first, second = axes_of("rot90", tuple(axes), x.ndim)
    if k % 4 == 2:
        return flip(x, (first, second))
    if k % 4 == 1:
        return swapaxes(flip(x, second), first, second)
    return flip(swapaxes(x, first, second), second) if k % 4 else x


def roll(a: Any, shift: Any, axis: int | Sequence[int] | None = None) -> Any:
    """`a` with elements moved along axes; those that leave at one end come back at the other.

    Args:
      a: an array.
      shift: by how many places: an integer (which may be traced), or one for each axis.
      axis: along which; None: `a` is flattened, and given its shape back.
    """
    x = as_operand(a)
    if axis is None:
        return reshape(roll(ravel(x), shift, 0), x.shape)
    axes = [axis_of("roll", i, x.ndim) for i in (axis if isinstance(axis, (tuple, list)) else [axis])]
    if isinstance(shift, (Array, Tracer, np.ndarray)):
        shifts = (
            [shift] * len(axes) if not shift.ndim else [shift[i if shift.shape[0] > 1 else 0] for i in range(len(axes))]
        )
    else:
        shifts = list(shift) if isinstance(shift, (tuple, list)) else [shift] * len(axes)
        if len(axes) == 1 < len(shifts):
            axes = axes * len(shifts)
    if len(shifts) != len(axes):
        raise ShapeError(f"roll of {x.type}: {len(shifts)} shifts for {len(axes)} axes.")
    for s, i in zip(shifts, axes, strict=True):
        x = _roll(x, s, i)
    return x


def _roll(x: Any, shift: Any, axis: int) -> Any:
    n = x.shape[axis]
    if n == 0:
        return x
    known = host_value(shift) if isinstance(shift, (Array, Tracer)) else shift
    if known is not None:
        cut = -int(known) % n
        return concatenate(_pieces(x, [cut], axis)[::-1], axis) if cut else x
    places = e.sub(iota(dtype=np.dtype(np.int32), shape=(n,), dimension=0), cast(as_operand(shift), np.dtype(np.int32)))
    return take(x, places, axis, mode="wrap")


def resize(a: Any, new_shape: Any) -> Any:
    """The elements of `a`, repeated or cut off so that they fill a shape."""
    shape = tuple(new_shape) if isinstance(new_shape, (tuple, list)) else (new_shape,)
    x, size = ravel(a), math.prod(shape)
    if size == 0 or x.size == 0:
        return cast(structural.broadcast_in_dim(x.dtype.type(0), shape=shape, dims=()), x.dtype)
    x = tile(x, -(-size // x.size))
    return reshape(slice_(x, start=(0,), limit=(size,)), shape)


# Along an axis, by indices.


def _along(name: str, arr: Any, indices: Any, axis: int | None) -> tuple[Any, Any, int]:
    """Array, indices and axis, all other axes broadcast; and the index that picks along the axis."""
    x, i = as_operand(arr), as_operand(indices)
    if not dtypes.is_integer(i.dtype):
        raise TypeError(f"{name} needs indices of integer dtype, got {i.type}: cast with astype(int).")
    if axis is None:
        x, axis = ravel(x), 0
    axis = axis_of(name, axis, x.ndim)
    if i.ndim != x.ndim:
        raise ShapeError(f"{name}: array and indices need equally many axes, got {x.type} and {i.type}.")
    return x, i, axis


def _index_along(shape: Sequence[Any], indices: Any, axis: int) -> tuple[Any, ...]:
    index = []
    for d, n in enumerate(shape):
        if d == axis:
            index.append(indices)
        else:
            index.append(
                from_host(np.arange(n, dtype=np.int32).reshape([n if k == d else 1 for k in range(len(shape))]))
            )
    return tuple(index)


def take_along_axis(
    arr: Any,
    indices: Any,
    axis: int | None = -1,
    mode: Any = None,
    fill_value: Any = None,
    *,
    wrap_negative_indices: bool | None = None,
) -> Any:
    """Elements picked along an axis, separately for each position of the other axes.

    Args:
      arr: an array.
      indices: integers, with as many axes as `arr`; the other axes broadcast.
      axis: along which; None: `arr` is flattened first.
      mode: out of range, as in `take`; by default known indices raise, and others are filled.
      fill_value: see `take`.
      wrap_negative_indices: whether negative indices count from the end; by default they do.
    """
    x, i, axis = _along("take_along_axis", arr, indices, axis)
    one = lambda shape: tuple(1 if d == axis else n for d, n in enumerate(shape))  # noqa: E731
    rest = broadcast_shapes("take_along_axis", [one(x.shape), one(i.shape)])
    x = structural.broadcast_to(x, tuple(x.shape[axis] if d == axis else n for d, n in enumerate(rest)))
    i = structural.broadcast_to(i, tuple(i.shape[axis] if d == axis else n for d, n in enumerate(rest)))
    if mode is None and host_value(i) is None:
        mode = "fill"
    index = _index_along(x.shape, i, axis)
    return getitem(x, index, mode=mode, fill_value=fill_value, wrap_negative_indices=wrap_negative_indices is not False)


def put_along_axis(
    arr: Any, indices: Any, values: Any, axis: int | None, inplace: bool = True, *, mode: Any = None
) -> Any:
    """`arr` with elements along an axis replaced, the opposite of `take_along_axis`.

    Args:
      arr: an array.
      indices: integers, with as many axes as `arr`.
      values: broadcast to the indices' shape.
      axis: along which; None: `arr` is flattened, and given its shape back.
      inplace: must be False, arrays do not change.
      mode: out of range, as in `x.at[i].set`.
    """
    if inplace:
        raise ValueError("put_along_axis: arrays do not change: pass inplace=False, and use the result.")
    shape = as_operand(arr).shape
    x, i, axis = _along("put_along_axis", arr, indices, axis)
    i = structural.broadcast_to(i, tuple(i.shape[d] if d == axis else n for d, n in enumerate(x.shape)))
    return reshape(x.at[_index_along(x.shape, i, axis)].set(values, mode=mode), shape)


def _known_places(name: str, obj: Any) -> Any:
    value = host_value(obj) if isinstance(obj, (Array, Tracer)) else obj
    if value is None:
        raise ConcretizationTypeError(
            f"{name}: the places are traced, so the result's shape is not known: give them as constants."
        )
    return value


def delete(arr: Any, obj: Any, axis: int | None = None, *, assume_unique_indices: bool = False) -> Any:
    """`arr` without some elements along an axis.

    Args:
      arr: an array.
      obj: which: an integer, a slice, integers, or a mask; their values must be known.
      axis: along which; None: `arr` is flattened first.
      assume_unique_indices: promises that no index is there twice.
    """
    x = as_operand(arr)
    if axis is None:
        x, axis = ravel(x), 0
    axis = axis_of("delete", axis, x.ndim)
    places = np.delete(np.arange(x.shape[axis]), _known_places("delete", obj))
    return take(x, places, axis)


def insert(arr: Any, obj: Any, values: Any, axis: int | None = None) -> Any:
    """`arr` with values put before some elements along an axis.

    Args:
      arr: an array.
      obj: before which: an integer, a slice or integers; their values must be known.
      values: what to put there, in the dtype of `arr`.
      axis: along which; None: `arr` is flattened first.
    """
    x, v = as_operand(arr), as_operand(values)
    v = cast(v, x.dtype)
    if axis is None:
        x, axis = ravel(x), 0
    axis = axis_of("insert", axis, x.ndim)
    where = _known_places("insert", obj)
    if not isinstance(where, slice) and np.ndim(where) == 0 and v.ndim:
        v = moveaxis(reshape(v, (1,) * (x.ndim - v.ndim) + tuple(v.shape)), 0, axis)
    n = x.shape[axis]
    single = not isinstance(where, slice) and np.size(where) == 1
    v = reshape(v, (1,) * (x.ndim - v.ndim) + tuple(v.shape))
    count = v.shape[axis] if single else len(range(*where.indices(n))) if isinstance(where, slice) else np.size(where)
    v = broadcast_to(v, tuple(count if d == axis else m for d, m in enumerate(x.shape)))
    places = np.insert(
        np.arange(n), where if not single else np.asarray(where).reshape(()).item(), n + np.arange(count)
    )
    return take(concatenate([x, v], axis), places, axis)
