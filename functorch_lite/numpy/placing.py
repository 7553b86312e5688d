"""Elements taken from and put at places: along an axis, on the diagonal, by a mask; insert and delete."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import numpy as np

from .. import dtypes
from ..arrays import Array, from_host, type_of
from ..errors import ArgumentError, ConcretizationTypeError, DTypeError, ShapeError, UnsupportedError
from ..index_plan import host_value
from ..indexing import getitem, take
from ..primitives import elementwise as e
from ..primitives import structural
from ..primitives.slicing import iota
from ..primitives.sorting import sort as sort_p
from ..promotion import as_operand, broadcast_shapes, cast
from ..tracing import Tracer
from .axes import axis_of
from .creation import asarray
from .cumulative import cumsum
from .division import remainder
from .joining import concatenate
from .logic import where3
from .operands import like
from .shaping import broadcast_to, moveaxis, ravel, reshape

__all__ = [
    "delete",
    "fill_diagonal",
    "insert",
    "place",
    "put",
    "put_along_axis",
    "take",
    "take_along_axis",
]


def along(name: str, arr: Any, indices: Any, axis: int | None) -> tuple[Any, Any, int]:
    """Array, indices and axis, all other axes broadcast; and the index that picks along the axis."""
    x, i = as_operand(arr), as_operand(indices)
    if not dtypes.is_integer(i.dtype):
        raise DTypeError(f"{name} needs indices of integer dtype, got {i.type}: cast with astype(int).")
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
      mode: out of range, as in `take`, or "one_hot": 0; by default known indices raise, and others are filled.
      fill_value: see `take`.
      wrap_negative_indices: whether negative indices count from the end; by default they do.
    """
    x, i, axis = along("take_along_axis", arr, indices, axis)
    one = lambda shape: tuple(1 if d == axis else n for d, n in enumerate(shape))  # noqa: E731
    rest = broadcast_shapes("take_along_axis", [one(x.shape), one(i.shape)])
    x = structural.broadcast_to(x, tuple(x.shape[axis] if d == axis else n for d, n in enumerate(rest)))
    i = structural.broadcast_to(i, tuple(i.shape[axis] if d == axis else n for d, n in enumerate(rest)))
    if mode is None and host_value(i) is None:
        mode = "fill"
    if mode == "one_hot":  # as a product with indicators of the places would give it
        mode, fill_value = "fill", 0
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
        raise ArgumentError("put_along_axis: arrays do not change: pass inplace=False, and use the result.")
    shape = as_operand(arr).shape
    x, i, axis = along("put_along_axis", arr, indices, axis)
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
      obj: which: an integer, a slice, integers, or a mask. Values must be known but for a single integer, and for integers
        of which none is there twice.
      axis: along which; None: `arr` is flattened first.
      assume_unique_indices: promises that no index is there twice.
    """
    x = as_operand(arr)
    if axis is None:
        x, axis = ravel(x), 0
    axis = axis_of("delete", axis, x.ndim)
    n = x.shape[axis]
    if _traced(obj) and dtypes.is_integer(obj.dtype) and (assume_unique_indices or not obj.ndim):
        stays = structural.broadcast_in_dim(np.True_, shape=(n,), dims=()).at[ravel(obj)].set(False)
        return take(x, _true_first(stays)[: n - obj.size], axis)
    return take(x, np.delete(np.arange(n), _known_places("delete", obj)), axis)


def _traced(x: Any) -> bool:
    """Whether it is an array whose values are not known here."""
    return isinstance(x, Tracer) and host_value(x) is None


def _true_first(mask: Any) -> Any:
    """The positions in a vector of booleans where it holds, in their order, then the others."""
    n = mask.shape[0]
    keys = cast(e.not_(mask), np.dtype(np.int8))
    places = iota(dtype=dtypes.position_dtype(n), shape=(n,), dimension=0)
    return sort_p(keys, places, dimension=0, is_stable=True, num_keys=1)[1]


def insert(arr: Any, obj: Any, values: Any, axis: int | None = None) -> Any:
    """`arr` with values put before some elements along an axis.

    Args:
      arr: an array.
      obj: before which: an integer, a slice or integers.
      values: what to put there, in the dtype of `arr`.
      axis: along which; None: `arr` is flattened first.
    """
    x, v = as_operand(arr), as_operand(values)
    v = cast(v, x.dtype)
    if axis is None:
        x, axis = ravel(x), 0
    axis = axis_of("insert", axis, x.ndim)
    where = obj if _traced(obj) else _known_places("insert", obj)
    if not isinstance(where, slice) and np.ndim(where) == 0 and v.ndim:
        v = moveaxis(reshape(v, (1,) * (x.ndim - v.ndim) + tuple(v.shape)), 0, axis)
    n = x.shape[axis]
    single = not isinstance(where, slice) and np.size(where) == 1
    v = reshape(v, (1,) * (x.ndim - v.ndim) + tuple(v.shape))
    count = v.shape[axis] if single else len(range(*where.indices(n))) if isinstance(where, slice) else np.size(where)
    v = broadcast_to(v, tuple(count if d == axis else m for d, m in enumerate(x.shape)))
    if isinstance(where, Tracer):
        places = _inserted(where, n, count)
    else:
        first = np.asarray(where).reshape(()).item() if single else where
        places = np.insert(np.arange(n), first, n + np.arange(count))
    return take(concatenate([x, v], axis), places, axis)


def _inserted(where: Any, n: int, count: int) -> Any:
    """The order in which n elements and the `count` ones behind them stand, once those are put before the elements `where`.

    Every element has a key: what is put before element i comes before it, in its own order.
    """
    dtype = dtypes.position_dtype(2 * n + 1)
    before = cast(broadcast_to(ravel(where), (count,)), dtype)
    before = where3(before < 0, before + n, before)
    keys = concatenate([2 * iota(dtype=dtype, shape=(n,), dimension=0) + 1, 2 * before])
    places = iota(dtype=dtypes.position_dtype(n + count), shape=(n + count,), dimension=0)
    return sort_p(keys, places, dimension=0, is_stable=True, num_keys=1)[1]


def _functional(name: str, inplace: bool) -> None:
    if inplace:
        raise ArgumentError(f"{name}: arrays do not change: pass inplace=False, and use the result.")


def fill_diagonal(a: Any, val: Any, wrap: bool = False, *, inplace: bool = True) -> Any:
    """`a` with its main diagonal replaced.

    Args:
      a: an array with at least two axes.
      val: what to put there.
      wrap: must be False.
      inplace: must be False, arrays do not change.
    """
    _functional("fill_diagonal", inplace)
    if wrap:
        raise UnsupportedError("fill_diagonal with wrap=True is not there.")
    x = as_operand(a)
    if x.ndim < 2:
        raise ShapeError(f"fill_diagonal needs at least 2 axes, got {type_of(x)}.")
    n = sorted(x.shape)[0]
    values = as_operand(val)
    return x.at[(np.arange(n),) * x.ndim].set(cast(values if not values.ndim else ravel(values)[:n], x.dtype))


def put(a: Any, ind: Any, v: Any, mode: str | None = None, *, inplace: bool = True) -> Any:
    """`a` with elements of the flattened array replaced.

    Args:
      a: an array.
      ind: positions in the flattened array.
      v: values, repeated as needed.
      mode: out of range: "clip", "wrap", or by default: dropped.
      inplace: must be False, arrays do not change.
    """
    _functional("put", inplace)
    x, places = as_operand(a), ravel(asarray(ind))
    values = ravel(asarray(v))
    if not places.size or not values.size:
        return x
    values = take(values, np.arange(places.shape[0]) % values.shape[0])
    if mode == "wrap":
        places = remainder(places, x.size)
    elif mode == "clip":
        places = e.min_(e.max_(places, like(places, 0)), like(places, x.size - 1))
    return reshape(ravel(x).at[places].set(cast(values, x.dtype), mode="drop"), x.shape)


def place(arr: Any, mask: Any, vals: Any, *, inplace: bool = True) -> Any:
    """`arr` with the first of `vals` where `mask` first holds, the second where it next holds, and so on.

    Args:
      arr: an array.
      mask: of its shape.
      vals: values, repeated as needed.
      inplace: must be False, arrays do not change.
    """
    _functional("place", inplace)
    x, m, values = as_operand(arr), ravel(asarray(mask)), ravel(asarray(vals))
    rank = cumsum(cast(m, dtypes.default_int())) - 1
    chosen = take(values, remainder(rank, values.shape[0]), mode="clip")
    return reshape(where3(m, cast(chosen, x.dtype), ravel(x)), x.shape)
