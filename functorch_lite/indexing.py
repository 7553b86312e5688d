"""Indexing: NumPy's language -> slices, gathers and scatters. `x[index]`, `take`, and the updates `x.at[index].set(v)`.

Out of range: an index whose value is known raises `OutOfBoundsError` (an IndexError), as in NumPy. One whose value is not known
(under `jit`, `vmap` ...) cannot: reading takes the nearest element ("clip"), writing leaves the element out ("drop"), as in JAX.
A `mode` given by name holds in both cases: "clip", "fill" or "drop", "promise_in_bounds".
"""

from __future__ import annotations

import math
from collections.abc import Callable, Iterator
from typing import Any

import numpy as np

from . import dtypes
from .array_type import ArrayType, Dim, Shape
from .arrays import Array, Operand, eager, from_host, type_of
from .errors import DTypeError, NonConcreteBooleanIndexError, OutOfBoundsError, ShapeError
from .index_plan import Plan, host_value, is_boolean, read_index
from .primitives import elementwise as e
from .primitives.addressing import GatherDimensionNumbers, GatherScatterMode, ScatterDimensionNumbers
from .primitives.dynamic_slicing import dynamic_slice, dynamic_update_slice
from .primitives.gathering import default_fill, gather, scatter, scatter_add, scatter_max, scatter_min, scatter_mul
from .primitives.slicing import concatenate, pad, rev, slice_
from .primitives.structural import broadcast_in_dim, reshape
from .promotion import as_operand, cast
from .tracing import Tracer, context

__all__ = ["At", "getitem", "install", "take"]


# Reading.


def getitem(
    x: Any,
    index: Any,
    *,
    mode: str | None = None,
    fill_value: Any = None,
    indices_are_sorted: bool = False,
    unique_indices: bool = False,
    wrap_negative_indices: bool = True,
) -> Operand:
    """`x[index]`, for any index that NumPy takes.

    Args:
      x: an array.
      index: integers, slices, None, ..., arrays of integers or booleans, or a tuple of these.
      mode: what to do out of range, see the top of this file.
      fill_value: what "fill" gives out of range: by default NaN, the least integer, the largest unsigned one, or True.
      indices_are_sorted: promises that arrays of indices are sorted.
      unique_indices: promises that no index is there twice; derivatives are quicker then.
      wrap_negative_indices: whether negative indices count from the end.

    Raises:
      OutOfBoundsError: (an IndexError) if a known index is out of range and no mode was given.
      NonConcreteBooleanIndexError: for a mask whose values are not known.

    >>> import functorch_lite.numpy as fnp
    >>> getitem(fnp.arange(5), slice(None, None, 2))
    Array([0, 2, 4], dtype=int32)
    """
    x = as_operand(x)
    plan = read_index(x.type, index, check=mode is None, wrap=wrap_negative_indices)
    view = _view(x, plan)
    if not plan.axes:
        return view
    joint = _joint_shape(x.type, plan)
    if 0 in joint or 0 in view.shape:
        shape = _result_shape(plan, joint)
        if math.prod(shape) == 0:
            return _full(x.dtype.type(0), shape, x.weak_type)
    return gather(
        view,
        _stacked(x, plan, joint, wrap_negative_indices),
        dimension_numbers=_numbers(plan, joint),
        slice_sizes=_sizes(plan),
        mode=_mode(mode, plan, "clip"),
        fill_value=_fill_value(fill_value, x.dtype),
        indices_are_sorted=indices_are_sorted,
        unique_indices=unique_indices,
    )


def _fill_value(value: Any, dtype: np.dtype) -> Any:
    """A fill value as a param: a Python number that equals itself."""
    if value is None:
        return None
    number = value.item() if hasattr(value, "item") else value
    return None if number != number and dtypes.is_inexact(dtype) else number


def _full(value: Any, shape: Shape, weak: bool) -> Operand:
    return cast(broadcast_in_dim(value, shape=shape, dims=()), value.dtype, weak)


def _mode(mode: Any, plan: Plan, unknown: str) -> str:
    """The mode of a gather or scatter: none is needed where all is known and was checked."""
    if mode is not None:
        return GatherScatterMode.from_any(mode).value
    return "promise_in_bounds" if all(isinstance(a, np.ndarray) for a in plan.arrays) else unknown


def _view(x: Any, plan: Plan) -> Any:
    """The static part of an index: slices, reversed axes, dropped and new axes."""
    if not plan.takes_all(x.shape):
        x = _piece(x, plan)
    if plan.reversed:
        x = rev(x, dimensions=plan.reversed)
    return x if x.shape == plan.view else reshape(x, shape=plan.view)


def _piece(x: Any, plan: Plan) -> Any:
    if any(step != 1 for step in plan.steps):
        return slice_(x, start=plan.starts, limit=plan.limits, strides=plan.steps)
    if type(x) is not Array and x.concrete() is not None:
        # Rules are kept by params: with the start among the operands, x[i] in a Python loop under grad finds its rule again.
        return dynamic_slice(x, *map(np.int64, plan.starts), sizes=_piece_shape(plan))
    return slice_(x, start=plan.starts, limit=plan.limits)


def _piece_shape(plan: Plan) -> Shape:
    return tuple(
        b if type(b) is Dim else -((a - b) // step) for a, b, step in zip(plan.starts, plan.limits, plan.steps, strict=True)
    )


def _joint_shape(type: ArrayType, plan: Plan) -> Shape:
    """The shape that the arrays of an index broadcast to."""
    if len(plan.arrays) == 1:
        return plan.arrays[0].shape
    try:
        return np.broadcast_shapes(*(a.shape for a in plan.arrays))
    except ValueError:
        shapes = " and ".join(str(list(a.shape)) for a in plan.arrays)
        raise OutOfBoundsError(
            f"index of {type} by arrays of shapes {shapes}: they do not broadcast; lengths must be equal, or 1."
        ) from None


def _rest(plan: Plan) -> Shape:
    return tuple(n for i, n in enumerate(plan.view) if i not in plan.axes)


def _result_shape(plan: Plan, joint: Shape) -> Shape:
    rest = _rest(plan)
    return (*rest[: plan.spot], *joint, *rest[plan.spot :])


def _stacked(x: Any, plan: Plan, joint: Shape, wrap: bool) -> Operand:
    """The vectors of indices, int[*joint, axes]."""
    if all(isinstance(a, np.ndarray) for a in plan.arrays):
        host = [np.broadcast_to(a, joint)[..., None] for a in plan.arrays]
        backend = x.concrete().backend if x.concrete() is not None else None
        return from_host(host[0] if len(host) == 1 else np.concatenate(host, -1), backend)
    lengths = [plan.view[a] for a in plan.axes]
    dtype = _common_dtype(plan.arrays, lengths)
    columns = []
    for a, n in zip(plan.arrays, lengths, strict=True):
        column = _column(a, n, dtype, wrap)
        dims = tuple(range(len(joint) - column.ndim, len(joint)))
        columns.append(broadcast_in_dim(column, shape=(*joint, 1), dims=dims))
    return concatenate(*columns, dimension=len(joint)) if len(columns) > 1 else columns[0]


def _common_dtype(arrays: tuple[Any, ...], lengths: list[Any]) -> np.dtype:
    small = all(a.dtype.itemsize <= 4 and a.dtype != np.uint32 or isinstance(a, np.ndarray) for a in arrays)
    return np.dtype(np.int32 if small and all(n < 2**31 for n in lengths) else np.int64)


def _column(array: Any, n: int, dtype: np.dtype, wrap: bool) -> Operand:
    """One array of indices in the common dtype, negative ones counted from the end."""
    if isinstance(array, np.ndarray):
        bounds = np.iinfo(dtype)
        return from_host(np.clip(array, bounds.min, bounds.max).astype(dtype))
    if array.dtype == np.uint64:
        array = e.min_(array, np.uint64(np.iinfo(np.int64).max))
    unsigned = dtypes.is_unsigned(array.dtype)
    array = cast(array, dtype)
    if unsigned or not wrap:
        return array
    return e.select(e.lt(array, dtype.type(0)), array, e.add(array, dtype.type(n)))


def _numbers(plan: Plan, joint: Shape) -> GatherDimensionNumbers:
    kept = len(plan.view) - len(plan.axes)
    offset = tuple(i if i < plan.spot else i + len(joint) for i in range(kept))
    return GatherDimensionNumbers(offset, plan.axes, plan.axes)


def _sizes(plan: Plan) -> Shape:
    return tuple(1 if i in plan.axes else n for i, n in enumerate(plan.view))


def take(
    a: Any,
    indices: Any,
    axis: int | None = None,
    out: None = None,
    mode: str | None = None,
    unique_indices: bool = False,
    indices_are_sorted: bool = False,
    fill_value: Any = None,
) -> Operand:
    """Elements of `a` along an axis: result[..., i, ...] = a[..., indices[i], ...].

    Args:
      a: an array.
      indices: integers of any shape; negative ones count from the end.
      axis: the axis; None: `a` is flattened first.
      out: must be None, arrays do not change.
      mode: out of range, "fill" gives `fill_value`, "clip" the nearest element, "wrap" counts round. By default known
        indices raise, and others are filled.
      unique_indices: promises that no index is there twice.
      indices_are_sorted: promises that the indices are sorted.
      fill_value: by default NaN, the least integer, the largest unsigned one, or True.

    Raises:
      OutOfBoundsError: (an IndexError) if a known index is out of range and no mode was given.

    >>> import functorch_lite.numpy as fnp
    >>> take(fnp.arange(5), fnp.asarray([3, -1]))
    Array([3, 4], dtype=int32)
    """
    if out is not None:
        raise NotImplementedError("take: arrays do not change, so `out` must be None: use the result.")
    x, indices = as_operand(a, "the array of take"), _as_indices(indices)
    if axis is None:
        x, axis = reshape(x, shape=(math.prod(x.shape),)), 0
    if not -x.ndim <= axis < x.ndim:
        raise ShapeError(f"take from {x.type} along axis {axis}: there is no such axis.")
    axis %= x.ndim
    value = host_value(indices)
    if mode == "wrap":
        indices = _modulo(indices if value is None else from_host(value), x.shape[axis])
        mode = "promise_in_bounds"
    elif mode == "raise":
        if value is None:
            raise NotImplementedError("take: mode='raise' needs known indices, these are traced: use 'clip' or 'fill'.")
        mode = None
    elif mode is None and value is None:
        mode = "fill"
    index = (*(slice(None),) * axis, indices)
    return getitem(
        x, index, mode=mode, fill_value=fill_value, unique_indices=unique_indices, indices_are_sorted=indices_are_sorted
    )


def _as_indices(indices: Any) -> Any:
    if not isinstance(indices, (Array, Tracer)):
        indices = np.asarray(indices)
        indices = indices if indices.size else indices.astype(np.int64)
    if not dtypes.is_integer(indices.dtype):
        raise DTypeError(f"take needs indices of integer dtype, got {indices.dtype}: cast with astype(int).")
    return indices


def _modulo(indices: Any, n: int) -> Any:
    if n == 0 and indices.size:
        raise OutOfBoundsError("take: there is nothing to take from an axis of length 0.")
    indices = cast(indices, np.dtype(np.int64))
    n = np.int64(max(n, 1))
    remainder = e.sub(indices, e.mul(e.div(indices, n), n))
    return e.select(e.lt(remainder, np.int64(0)), remainder, e.add(remainder, n))


# Writing.


class At:
    """`x.at`: updates, each of which gives a new array. `x.at[index]` takes any index that `x[index]` takes.

    >>> import functorch_lite.numpy as fnp
    >>> fnp.arange(4).at[1].set(7)
    Array([0, 7, 2, 3], dtype=int32)
    """

    __slots__ = ("array",)

    def __init__(self, array: Any):
        self.array = array

    def __getitem__(self, index: Any) -> AtIndex:
        return AtIndex(self.array, index)

    def __repr__(self) -> str:
        return f"At({self.array!r})"


class AtIndex:
    """`x.at[index]`: what can be done there.

    All methods take `mode` ("drop" or "fill": leave out what is out of range; "clip": use the nearest element;
    "promise_in_bounds"; by default, known indices raise, and others are dropped), `indices_are_sorted`, `unique_indices` (which
    promise something about arrays of indices) and `wrap_negative_indices`. Where indices repeat, all updates take effect;
    of `set`, the last.
    """

    __slots__ = ("array", "index")

    def __init__(self, array: Any, index: Any):
        self.array = array
        self.index = index

    def get(self, *, fill_value: Any = None, **options: Any) -> Operand:
        """The elements: `x[index]`, with the options of `getitem`."""
        return getitem(self.array, self.index, fill_value=fill_value, **options)

    def set(self, values: Any, **options: Any) -> Operand:
        """x[index] = values."""
        return update("set", self.array, self.index, values, **options)

    def add(self, values: Any, **options: Any) -> Operand:
        """x[index] += values."""
        return update("add", self.array, self.index, values, **options)

    def subtract(self, values: Any, **options: Any) -> Operand:
        """x[index] -= values."""
        return update("subtract", self.array, self.index, values, **options)

    def multiply(self, values: Any, **options: Any) -> Operand:
        """x[index] *= values. The derivative by the values needs `unique_indices=True` for arrays of indices."""
        return update("multiply", self.array, self.index, values, **options)

    mul = multiply

    def divide(self, values: Any, **options: Any) -> Operand:
        """x[index] /= values; integers become floats."""
        return self.array / update("multiply", _ones_like(self.array), self.index, values, **options)

    def power(self, values: Any, **options: Any) -> Operand:
        """x[index] **= values."""
        return self.array ** update("multiply", _ones_like(self.array), self.index, values, **options)

    def min(self, values: Any, **options: Any) -> Operand:
        """x[index] = minimum(x[index], values)."""
        return update("min", self.array, self.index, values, **options)

    def max(self, values: Any, **options: Any) -> Operand:
        """x[index] = maximum(x[index], values)."""
        return update("max", self.array, self.index, values, **options)

    def apply(self, func: Callable[[Any], Any], **options: Any) -> Operand:
        """x[index] = func(x[index]); once, also where an index repeats."""
        values = getitem(self.array, self.index, **options)
        return self.set(func(values), **options)

    def __repr__(self) -> str:
        return f"AtIndex({self.array!r}, {self.index!r})"


_COMBINE: dict[str, tuple[Callable[..., Any], Any]] = {
    "set": (lambda x, v: v, scatter),
    "add": (e.add, scatter_add),
    "multiply": (e.mul, scatter_mul),
    "min": (e.min_, scatter_min),
    "max": (e.max_, scatter_max),
}
"""Name of an update -> what it does to elements, and the primitive that does it to several places at once."""


def update(
    how: str,
    x: Any,
    index: Any,
    values: Any,
    *,
    mode: str | None = None,
    indices_are_sorted: bool = False,
    unique_indices: bool = False,
    wrap_negative_indices: bool = True,
) -> Operand:
    """`x` with the elements of an index combined with values; see `AtIndex`."""
    x = as_operand(x)
    values = _values(how, x, values)
    if how == "subtract":
        how, values = "add", e.neg(values)
    combine, primitive = _COMBINE[how]
    mask = index[0] if isinstance(index, tuple) and len(index) == 1 else index
    if is_boolean(mask):
        chosen = _by_mask(combine, x, mask, values)
        if chosen is not None:
            return chosen
    plan = read_index(x.type, index, check=mode is None, wrap=wrap_negative_indices)
    if not plan.axes:
        old = None if how == "set" else _view(x, plan)
        return _put_back(x, plan, combine(old, _fit(values, plan.view, x.type)))
    joint = _joint_shape(x.type, plan)
    values = _fit(values, _result_shape(plan, joint), x.type)
    if 0 in values.shape:
        return x
    new = primitive(
        _view(x, plan),
        _stacked(x, plan, joint, wrap_negative_indices),
        values,
        dimension_numbers=ScatterDimensionNumbers(*_numbers(plan, joint)),
        mode=_mode(mode, plan, "fill"),
        indices_are_sorted=indices_are_sorted,
        unique_indices=unique_indices,
    )
    return _put_back(x, plan, new)


_ORDER = "biufc"


def _values(how: str, x: Any, values: Any) -> Operand:
    """Values in the dtype of the array that they go into."""
    if how != "set" and dtypes.is_bool(x.dtype) and how not in ("min", "max"):
        raise DTypeError(f"x.at[...].{how} of {x.type}: booleans have no arithmetic; cast with astype, or use set, min or max.")
    python = type(values) in (bool, int, float, complex)
    given = dtypes.scalar_type_of(values)[0] if python else None
    if given is None:
        values = as_operand(values, "the values of an update")
        given = values.dtype
    was, becomes = dtypes.kind(given), dtypes.kind(x.dtype)
    if _ORDER.index(was) > _ORDER.index(becomes) and not (was + becomes == "ui"):
        raise DTypeError(
            f"x.at[...].{how}: values of dtype {given} do not fit into {x.type} without loss. Cast one: x.astype({given}), or the "
            f"values with astype({x.dtype})."
        )
    return x.dtype.type(values) if python else cast(values, x.dtype, x.weak_type)


def _ones_like(x: Any) -> Operand:
    x = as_operand(x)
    return _full(x.dtype.type(1), x.shape, x.weak_type)


def _fit(values: Any, shape: Shape, x: ArrayType) -> Operand:
    """Values stretched to the shape of the elements that they go to; extra axes of length 1 in front are dropped."""
    got = type_of(values).shape
    if got == shape and not isinstance(values, np.generic):
        return values
    own = got
    while len(own) > len(shape) and own[0] == 1:
        own = own[1:]
    if len(own) > len(shape) or any(n not in (1, m) for n, m in zip(own[::-1], shape[::-1], strict=False)):
        raise ShapeError(f"an update of {x}: values of shape {list(got)} do not broadcast to the shape {list(shape)} of the index.")
    values = values if own == got else reshape(values, shape=own)
    return broadcast_in_dim(values, shape=shape, dims=tuple(range(len(shape) - len(own), len(shape))))


def _by_mask(combine: Callable[..., Any], x: Any, mask: Any, values: Any) -> Operand | None:
    """An update where a mask is true, if the values do not depend on how many that are; no mask needs to be known."""
    mask = as_operand(mask)
    if mask.shape != x.shape[: mask.ndim] or type_of(values).ndim > x.ndim - mask.ndim:
        if mask.shape == x.shape[: mask.ndim] and host_value(mask) is None:
            raise NonConcreteBooleanIndexError(
                f"an update of {x.type} where a mask {mask.type} is true, whose values are not known here: a value for each of "
                f"them cannot be told apart; give values that broadcast to {list(x.shape[mask.ndim :])}, or use where(mask, new, x)."
            )
        return None
    which = broadcast_in_dim(mask, shape=x.shape, dims=tuple(range(mask.ndim))) if mask.ndim < x.ndim else mask
    return e.select(which, x, combine(x, _fit(values, x.shape, x.type)))


def _put_back(x: Any, plan: Plan, new: Any) -> Any:
    """`x` with the view that a plan speaks of replaced."""
    piece = _piece_shape(plan)
    new = new if new.shape == piece else reshape(new, shape=piece)
    if plan.reversed:
        new = rev(new, dimensions=plan.reversed)
    if plan.takes_all(x.shape) or 0 in piece:
        return new if 0 not in piece else x
    if all(step == 1 for step in plan.steps):
        return dynamic_update_slice(x, new, *map(np.int64, plan.starts))
    config = tuple(
        (a, n - a - (m - 1) * step - 1, step - 1)
        for n, m, a, step in zip(x.shape, piece, plan.starts, plan.steps, strict=True)
    )
    inside = pad(_full(np.True_, piece, False), np.False_, config=config)
    return e.select(inside, x, pad(new, x.dtype.type(0), config=config))


# What arrays and tracers get.

_BASIC = frozenset({int, slice, type(None), type(Ellipsis)})


def _array_getitem(x: Array, index: Any) -> Operand:
    """`x[index]`: outside of transformations, static indices go straight to the buffer."""
    if context.trace is eager:
        kind = type(index)
        if kind is int or kind is slice or (kind is tuple and all(type(i) in _BASIC for i in index)):
            try:
                return Array(x.buffer[index], x.weak_type, x.backend)
            except (IndexError, TypeError):
                pass  # the slow way finds out, and says it in full
    return getitem(x, index)


def _iterate(x: Any) -> Iterator[Any]:
    """The rows, one after the other."""
    if not x.shape:
        raise TypeError(f"iteration over an array of rank 0, {x.type}.")
    return (x[i] for i in range(x.shape[0]))


def install() -> None:
    """Give arrays and tracers `x[index]`, `x.at` and iteration."""
    Array.__getitem__ = _array_getitem  # type: ignore[attr-defined]
    Tracer.__getitem__ = getitem  # type: ignore[attr-defined]
    for cls in (Array, Tracer):
        cls.__iter__ = _iterate  # type: ignore[attr-defined]
        cls.at = property(At, doc=At.__doc__)  # type: ignore[attr-defined]


install()
