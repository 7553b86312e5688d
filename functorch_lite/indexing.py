"""Indexing: NumPy's language -> slices, gathers and scatters. `x[index]`, `take`, and the updates `x.at[index].set(v)`.

Out of range: an index whose value is known raises `OutOfBoundsError` (an IndexError), as in NumPy. One whose value is
not known (under `jit`, `vmap` ...) cannot: reading takes the nearest element ("clip"), writing leaves the element out
("drop"), as in JAX. A `mode` given by name holds in both cases: "clip", "fill" or "drop", "promise_in_bounds".
"""

from __future__ import annotations

import math
from collections.abc import Callable, Iterator
from typing import Any

import numpy as np

from . import dtypes, index_steps
from .array_type import Shape
from .arrays import Array, eager, from_host
from .errors import DTypeError, OutOfBoundsError, ShapeError, UnsupportedError
from .index_plan import host_value, read_index
from .index_update import update
from .primitives import elementwise as e
from .primitives.addressing import GatherScatterMode
from .primitives.gathering import gather
from .primitives.structural import broadcast_in_dim, reshape
from .promotion import as_operand, cast
from .tracing import Tracer, context

__all__ = ["At", "AtIndex", "getitem", "install", "take"]


def getitem(
    x: Any,
    index: Any,
    *,
    mode: str | None = None,
    fill_value: Any = None,
    indices_are_sorted: bool = False,
    unique_indices: bool = False,
    wrap_negative_indices: bool = True,
) -> Any:
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
    mode = None if mode is None else GatherScatterMode.from_any(mode).value
    plan = read_index(x.type, index, check=mode is None, wrap=wrap_negative_indices)
    view = index_steps.view(x, plan)
    if not plan.axes:
        return view
    joint = index_steps.joint_shape(x.type, plan)
    if 0 in joint or 0 in view.shape:
        shape = index_steps.result_shape(plan, joint)
        if math.prod(shape) == 0:
            return _full(x.dtype.type(0), shape, x.weak_type)
    return gather(
        view,
        index_steps.stacked(x, plan, joint, wrap_negative_indices),
        dimension_numbers=index_steps.dimension_numbers(plan, joint),
        slice_sizes=index_steps.slice_sizes(plan),
        mode=index_steps.mode_of(mode, plan, "clip"),
        fill_value=_fill_value(fill_value, x.dtype),
        indices_are_sorted=indices_are_sorted,
        unique_indices=unique_indices,
    )


def _fill_value(value: Any, dtype: np.dtype) -> Any:
    """A fill value as a param: a Python number that equals itself."""
    if value is None:
        return None
    number = np.asarray(value).item()
    return None if number != number and dtypes.is_inexact(dtype) else number


def _full(value: Any, shape: Shape, weak: bool) -> Any:
    return cast(broadcast_in_dim(value, shape=shape, dims=()), value.dtype, weak)


def take(
    a: Any,
    indices: Any,
    axis: int | None = None,
    out: None = None,
    mode: str | None = None,
    unique_indices: bool = False,
    indices_are_sorted: bool = False,
    fill_value: Any = None,
) -> Any:
    """Elements of `a` along an axis: result[..., i, ...] = a[..., indices[i], ...].

    Args:
      a: an array.
      indices: integers of any shape; negative ones count from the end (not so where the mode is "clip").
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
    >>> take(fnp.arange(5), [3, -1])
    Array([3, 4], dtype=int32)
    """
    if out is not None:
        raise UnsupportedError("take: arrays do not change, so `out` must be None: use the result.")
    x, indices = as_operand(a, "the array of take"), _as_indices(indices)
    if axis is None:
        x, axis = reshape(x, shape=(math.prod(x.shape),)), 0
    if not -x.ndim <= axis < x.ndim:
        raise ShapeError(f"take from {x.type} along axis {axis}: there is no such axis.")
    place = axis % x.ndim
    value = host_value(indices)
    if mode == "wrap":
        indices = _modulo(indices if value is None else from_host(value), x.shape[place])
        mode = "promise_in_bounds"
    elif mode == "raise":
        if value is None:
            raise UnsupportedError("take: mode='raise' needs known indices, these are traced: use 'clip' or 'fill'.")
        mode = None
    elif mode is None and value is None:
        mode = "fill"
    return getitem(
        x,
        (*(slice(None),) * place, indices),
        mode=mode,
        fill_value=fill_value,
        unique_indices=unique_indices,
        indices_are_sorted=indices_are_sorted,
        wrap_negative_indices=mode != "clip",
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
    length = np.int64(max(n, 1))
    remainder = e.sub(indices, e.mul(e.div(indices, length), length))
    return e.select(e.lt(remainder, np.int64(0)), remainder, e.add(remainder, length))


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
    "promise_in_bounds"; by default, known indices raise, and others are dropped), `indices_are_sorted`,
    `unique_indices` (which promise something about arrays of indices) and `wrap_negative_indices`. Where indices
    repeat, all updates take effect; of `set`, the last.
    """

    __slots__ = ("array", "index")

    def __init__(self, array: Any, index: Any):
        self.array = array
        self.index = index

    def get(self, *, fill_value: Any = None, **options: Any) -> Any:
        """The elements: `x[index]`, with the options of `getitem`."""
        return getitem(self.array, self.index, fill_value=fill_value, **options)

    def set(self, values: Any, **options: Any) -> Any:
        """x[index] = values."""
        return update("set", self.array, self.index, values, **options)

    def add(self, values: Any, **options: Any) -> Any:
        """x[index] += values."""
        return update("add", self.array, self.index, values, **options)

    def subtract(self, values: Any, **options: Any) -> Any:
        """x[index] -= values."""
        return update("subtract", self.array, self.index, values, **options)

    def multiply(self, values: Any, **options: Any) -> Any:
        """x[index] *= values. The derivative by the values needs `unique_indices=True` for arrays of indices."""
        return update("multiply", self.array, self.index, values, **options)

    mul = multiply

    def divide(self, values: Any, **options: Any) -> Any:
        """x[index] /= values; integers become floats."""
        return self.array / update("multiply", _ones_like(self.array), self.index, values, **options)

    def power(self, values: Any, **options: Any) -> Any:
        """x[index] **= values."""
        return self.array ** update("multiply", _ones_like(self.array), self.index, values, **options)

    def min(self, values: Any, **options: Any) -> Any:
        """x[index] = minimum(x[index], values)."""
        return update("min", self.array, self.index, values, **options)

    def max(self, values: Any, **options: Any) -> Any:
        """x[index] = maximum(x[index], values)."""
        return update("max", self.array, self.index, values, **options)

    def apply(self, func: Callable[[Any], Any], **options: Any) -> Any:
        """x[index] = func(x[index]); once, also where an index repeats."""
        values = getitem(self.array, self.index, **options)
        return self.set(func(values), **options)

    def __repr__(self) -> str:
        return f"AtIndex({self.array!r}, {self.index!r})"


def _ones_like(x: Any) -> Any:
    x = as_operand(x)
    return _full(x.dtype.type(1), x.shape, x.weak_type)


_BASIC = frozenset({int, slice, type(None), type(Ellipsis)})


def _array_getitem(x: Array, index: Any) -> Any:
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
        raise ShapeError(f"iteration over an array of rank 0, {x.type}: it has no leading axis.")
    return (x[i] for i in range(x.shape[0]))


def install() -> None:
    """Give arrays and tracers `x[index]`, `x.at` and iteration."""
    Array.__getitem__ = _array_getitem  # type: ignore[attr-defined]
    Tracer.__getitem__ = getitem  # type: ignore[attr-defined]
    for cls in (Array, Tracer):
        cls.__iter__ = _iterate  # type: ignore[attr-defined]
        cls.at = property(At, doc=At.__doc__)  # type: ignore[attr-defined]


install()
