"""Arrays made from values: `array`, `asarray`, `zeros`, `full` and the like."""

from __future__ import annotations

import operator
from collections.abc import Callable, Sequence
from typing import Any

import numpy as np

from .. import dtypes
from ..array_type import Dim
from ..arrays import Array, from_host
from ..dtype_lattice import result_type
from ..errors import ArgumentError, DTypeError, NumberOverflowError, ProtocolError, ShapeError
from ..primitives.slicing import concatenate, iota
from ..primitives.structural import broadcast_in_dim, reshape
from ..promotion import as_operand, cast
from ..tracing import Tracer
from ..tree import flatten
from .dlpack import from_capsule

__all__ = [
    "array",
    "asarray",
    "astype",
    "copy",
    "empty",
    "empty_like",
    "from_dlpack",
    "frombuffer",
    "fromfunction",
    "full",
    "full_like",
    "ones",
    "ones_like",
    "zeros",
    "zeros_like",
]


def shape_of(shape: Any) -> tuple[Any, ...]:
    """A shape from an integer or a sequence of them."""
    if isinstance(shape, (np.ndarray, Array)) and shape.ndim:
        shape = np.asarray(shape).tolist()
    lengths = shape if isinstance(shape, (tuple, list)) else (shape,)
    found = tuple(n if type(n) is int else operator.index(n) if hasattr(n, "__index__") else n for n in lengths)
    if any(n < 0 if type(n) is int else type(n) is not Dim for n in found):
        raise ShapeError(f"a shape is an integer or a tuple of integers, none of them below zero; got {shape!r}.")
    return found


def filled(value: Any, shape: tuple[Any, ...], dtype: np.dtype) -> Any:
    """An array of one value."""
    return cast(broadcast_in_dim(dtype.type(value), shape=shape, dims=()), dtype, False)


def dtype_or(dtype: Any, default: np.dtype) -> np.dtype:
    """A dtype that was asked for, or the default."""
    return default if dtype is None else dtypes.as_dtype(dtype)


def array(
    object: Any,
    dtype: Any = None,
    *,
    copy: bool = True,
    order: str | None = "K",
    ndmin: int = 0,
    device: Any = None,
) -> Any:
    """An array of what `object` holds.

    Args:
      object: a number, an array, or nested sequences of these; arrays and tracers may stand inside sequences.
      dtype: the dtype; None: that of the object. Python's numbers have the default dtypes of their kinds.
      copy: whether an array gives an array of its own, which remains where the other one is donated or deleted; their memory,
        which never changes, is the same.
      order: "K", "C", "A" or None.
      ndmin: axes of length 1 are put in front until there are so many.
      device: where to put it.

    >>> array([1, 2.5])
    Array([1. , 2.5], dtype=float32)
    """
    x = _array(object, None if dtype is None else dtypes.as_dtype(dtype))
    if ndmin > x.ndim:
        x = reshape(x, shape=(1,) * (ndmin - x.ndim) + tuple(x.shape))
    return x.another() if copy and x is object and type(x) is Array else x


def _array(value: Any, dtype: np.dtype | None) -> Any:
    if isinstance(value, (list, tuple)):
        return _nested(value, dtype)
    if isinstance(value, np.ndarray) and value.dtype == object:
        return _nested(value.tolist(), dtype)
    if hasattr(value, "mask"):
        return as_operand(value)
    if not isinstance(value, (Array, Tracer, np.ndarray, np.generic, bool, int, float, complex)) and not hasattr(
        value, "__jax_array__"
    ):
        value = np.asarray(value)
    if dtype is None:
        return as_operand(value)
    if isinstance(value, (Array, Tracer)):
        return cast(value, dtype)
    if isinstance(value, (int, float, complex, np.ndarray, np.generic)):
        return from_host(_host_cast(value, dtype))
    return cast(as_operand(value), dtype)


def _host_cast(value: Any, dtype: np.dtype) -> Any:
    """A host value in a dtype; Python's integers must fit."""
    if type(value) is int and dtypes.is_integer(dtype):
        return np.asarray(value, dtype)[()]
    value = np.asarray(value)
    if dtypes.is_complex(value.dtype) and not dtypes.is_complex(dtype) and not dtypes.is_bool(dtype):
        value = value.real
    return value.astype(dtype)[()]


def _nested(values: Sequence[Any], dtype: np.dtype | None) -> Any:
    """An array of nested sequences. Leaves that are arrays decide the dtype together with the numbers."""
    leaves = flatten(values)[0]
    if not any(isinstance(x, (Array, Tracer)) for x in leaves):
        try:
            host = np.asarray(values)
        except ValueError:
            raise ShapeError(
                f"array: nested sequences of one level need equal lengths, got {values!r:.60}: pad the shorter ones."
            ) from None
        if host.dtype == object:
            kinds = sorted({type(x).__name__ for x in host.ravel().tolist()})
            if kinds == ["int"]:
                raise NumberOverflowError("array: an integer does not fit 64 bits: write it as a float.")
            raise DTypeError(f"array: the nested sequences hold {', '.join(kinds)}; needed are numbers.")
        strong = any(isinstance(x, (np.ndarray, np.generic)) for x in leaves)
        if dtype is None:
            kind = host.dtype.kind
            dtype = (
                result_type(*leaves)
                if strong
                else dtypes.as_dtype({"b": bool, "i": int, "u": int, "f": float, "c": complex}.get(kind, host.dtype))
            )
        if dtypes.is_integer(dtype) and host.dtype.kind in "iu" and host.size and not strong:
            limits = np.iinfo(dtype)
            if host.max() > limits.max or host.min() < limits.min:
                raise NumberOverflowError(f"array: an integer does not fit {dtype.name}: give a wider dtype.")
        return from_host(_host_cast(host, dtype))
    dtype = dtype or result_type(*leaves)
    return _stacked(values, dtype)


def _stacked(values: Any, dtype: np.dtype) -> Any:
    if not isinstance(values, (list, tuple)):
        return _array(values, dtype)
    from_rows = [_stacked(v, dtype) for v in values]
    shapes = {tuple(v.shape) for v in from_rows}
    if len(shapes) > 1:
        raise ShapeError(
            f"array: the elements of a sequence have shapes {' and '.join(str(list(s)) for s in shapes)}; they must be equal."
        )
    if not from_rows:
        return filled(0, (0,), dtype)
    rows = [reshape(v, shape=(1, *v.shape)) for v in from_rows]
    return concatenated(rows)


def concatenated(rows: Sequence[Any]) -> Any:
    """Arrays joined along their first axis."""
    return concatenate(*rows, dimension=0) if len(rows) > 1 else rows[0]


def asarray(
    a: Any, dtype: Any = None, order: str | None = None, *, copy: bool | None = None, device: Any = None
) -> Any:
    """`a` as an array; the same as `array`.

    Args:
      a: a number, an array, or nested sequences of these.
      dtype: the dtype; None: that of `a`.
      order: taken for NumPy's sake.
      copy: as of `array`; False raises where a copy is needed.
      device: where to put it.

    Raises:
      ValueError: if `copy` is False and `a` is not an array already.
    """
    if copy is False and not isinstance(a, (Array, Tracer)):
        raise ArgumentError(f"asarray: a {type(a).__name__} has to be copied, but copy=False was given.")
    if dtype is None and isinstance(a, (Array, Tracer)) and not copy:
        return a
    return array(a, dtype, copy=bool(copy))


def copy(a: Any, order: str | None = None) -> Any:
    """An array of its own with the same value: it remains where the other one is donated or deleted."""
    return array(a)


def astype(x: Any, dtype: Any, /, *, copy: bool = False, device: Any = None) -> Any:
    """`x` in another dtype: floats to integers drop what follows the point, complex to real the imaginary part.

    Args:
      x: an array.
      dtype: the dtype; None: the default float.
      copy: whether to give an array of its own where the dtype is the same already, as `array` does.
      device: where to put it.
    """
    out = cast(as_operand(x), dtype_or(dtype, dtypes.default_float()), False)
    return out.another() if copy and out is x and type(out) is Array else out


def zeros(shape: Any, dtype: Any = None, *, device: Any = None) -> Any:
    """An array of zeros; of the default float dtype if none is given."""
    return filled(0, shape_of(shape), dtype_or(dtype, dtypes.default_float()))


def ones(shape: Any, dtype: Any = None, *, device: Any = None) -> Any:
    """An array of ones; of the default float dtype if none is given."""
    return filled(1, shape_of(shape), dtype_or(dtype, dtypes.default_float()))


def empty(shape: Any, dtype: Any = None, *, device: Any = None) -> Any:
    """An array whose elements mean nothing: zeros."""
    return zeros(shape, dtype)


def full(shape: Any, fill_value: Any, dtype: Any = None, *, device: Any = None) -> Any:
    """An array of one value, or of an array that is stretched.

    Args:
      shape: an integer or a sequence of integers.
      fill_value: a number, or an array that broadcasts to the shape.
      dtype: the dtype; None: that of the value.
      device: where to put it.
    """
    value, shape = asarray(fill_value, dtype), shape_of(shape)
    return broadcast_in_dim(value, shape=shape, dims=tuple(range(len(shape) - value.ndim, len(shape))))


def _like(a: Any, dtype: Any, shape: Any) -> tuple[Any, np.dtype, bool]:
    """Shape, dtype and weak flag of what is made in the likeness of `a`, where others are not given."""
    found = (
        a
        if hasattr(a, "shape") and hasattr(a, "dtype")
        else as_operand(np.asarray(a) if isinstance(a, (list, tuple)) else a)
    )
    lengths = tuple(found.shape) if shape is None else shape_of(shape)
    weak = dtype is None and getattr(found, "weak_type", False)
    return lengths, dtype_or(dtype, dtypes.as_dtype(found.dtype)), weak


def zeros_like(a: Any, dtype: Any = None, shape: Any = None, *, device: Any = None) -> Any:
    """Zeros in the shape and dtype of `a`, or those given."""
    shape, dtype, weak = _like(a, dtype, shape)
    return cast(filled(0, shape, dtype), dtype, weak)


def ones_like(a: Any, dtype: Any = None, shape: Any = None, *, device: Any = None) -> Any:
    """Ones in the shape and dtype of `a`, or those given."""
    shape, dtype, weak = _like(a, dtype, shape)
    return cast(filled(1, shape, dtype), dtype, weak)


def empty_like(prototype: Any, dtype: Any = None, shape: Any = None, *, device: Any = None) -> Any:
    """An array whose elements mean nothing (zeros), in the shape and dtype of `prototype`, or those given."""
    return zeros_like(prototype, dtype, shape)


def full_like(a: Any, fill_value: Any, dtype: Any = None, shape: Any = None, *, device: Any = None) -> Any:
    """One value in the shape and dtype of `a`, or those given."""
    shape, dtype, weak = _like(a, dtype, shape)
    return cast(full(shape, fill_value, dtype), dtype, weak)


def fromfunction(function: Callable[..., Any], shape: Any, *, dtype: Any = float, **kwargs: Any) -> Any:
    """`function` of the indices along each axis of a grid."""
    shape = shape_of(shape)
    dtype = dtypes.as_dtype(dtype)
    return function(*(iota(dtype=dtype, shape=shape, dimension=i) for i in range(len(shape))), **kwargs)


def frombuffer(buffer: Any, dtype: Any = float, count: int = -1, offset: int = 0) -> Any:
    """A vector of the numbers in a buffer of bytes."""
    return asarray(np.frombuffer(buffer, dtypes.as_dtype(dtype), count, offset))


def from_dlpack(x: Any, /, *, device: Any = None, copy: bool | None = None) -> Any:
    """An array of what another library's array holds, by the DLPack protocol: a copy, for the other one may change.

    Args:
      x: what has `__dlpack__`, on the CPU.
      device, copy: taken for the standard's sake.
    """
    if not hasattr(x, "__dlpack__"):
        raise ProtocolError(
            f"from_dlpack needs an array with the method __dlpack__, got a {type(x).__name__}: use asarray."
        )
    return asarray(x) if isinstance(x, (Array, Tracer)) else asarray(from_capsule(x))
