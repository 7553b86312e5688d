"""What users hand us -> operands of primitives: conversion, promotion of dtypes, broadcasting. The only place for it."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import numpy as np

from . import dtypes
from .array_type import Dim, Shape
from .arrays import Array, Operand, from_host, type_of
from .dtype_lattice import lattice_result, scalar_operand, scalar_type_of
from .errors import ArgumentError, DTypeError, NumberOverflowError, ShapeError
from .primitives.elementwise import convert
from .primitives.structural import broadcast_in_dim
from .tracing import Tracer

__all__ = [
    "already_fit",
    "as_operand",
    "broadcast_shapes",
    "cast",
    "flagged",
    "is_arraylike",
    "promote",
    "promote_dtypes",
]

_ARRAYS = (Array, Tracer)


def is_arraylike(x: Any) -> bool:
    """Whether `x` is an array, a tracer, or a host array or scalar of a supported dtype."""
    return isinstance(x, (Array, Tracer, np.ndarray, np.generic, bool, int, float, complex)) or hasattr(
        x, "__jax_array__"
    )


def as_operand(x: Any, what: str = "argument") -> Array | Tracer:
    """An array or tracer for what a user handed in.

    Python scalars become weak arrays of the default dtype; host arrays are copied.

    Raises:
      TypeError: for anything that is not a number or an array.
      ValueError: for a masked array.
    """
    if type(x) is Array or isinstance(x, Tracer):
        return x
    if isinstance(x, (bool, int, float, complex)) and not isinstance(x, np.generic):
        dtype, weak = scalar_type_of(x)
        out = from_host(_scalar(x, dtype), weak_type=weak)
        out.number = x
        return out
    if isinstance(x, (np.ndarray, np.generic)):
        if hasattr(x, "mask"):
            raise ArgumentError(f"{what} is a masked array, whose mask would be lost: fill it with x.filled(value).")
        dtype = dtypes.as_dtype(x.dtype)
        return from_host(x if dtype == x.dtype else x.astype(dtype))
    if hasattr(x, "__jax_array__"):
        return as_operand(x.__jax_array__(), what)
    kind = f"{type(x).__module__}.{type(x).__qualname__}".removeprefix("builtins.")
    raise DTypeError(
        f"{what} must be an array or a number, got a {kind}: convert it with functorch_lite.numpy.asarray."
    )


def _scalar(x: Any, dtype: np.dtype) -> np.generic:
    """A Python scalar in a dtype; integers must fit."""
    if isinstance(x, int) and not isinstance(x, bool) and dtypes.is_integer(dtype):
        info = np.iinfo(dtype)
        if not info.min <= x <= info.max:
            raise NumberOverflowError(
                f"the Python integer {x} does not fit {dtypes.short_name(dtype)}: use a wider dtype."
            )
    return dtype.type(x)


def cast(x: Operand, dtype: np.dtype, weak: bool = False) -> Any:
    """`x` in another dtype, unless it has it."""
    type = type_of(x)
    if type.dtype == dtype and type.weak == weak:
        return x
    if isinstance(x, Array) and hasattr(x, "number") and not _beyond(x.number, dtype):
        value = _scalar(x.number, dtype)  # rounded once, to the dtype that it is wanted in
        out = from_host(value, x.backend, weak)
        out.number = x.number if weak and _is_kind(x.number, dtype) else value.item()
        return out
    return convert(x, dtype=dtype, weak=weak)


def _is_kind(number: Any, dtype: np.dtype) -> bool:
    """Whether numbers of this kind stay what they are in a dtype, but for rounding."""
    if isinstance(number, complex):
        return dtypes.is_complex(dtype)
    return not isinstance(number, float) or dtypes.is_inexact(dtype)


def _beyond(number: Any, dtype: np.dtype) -> bool:
    """Whether a dtype has no number near to it: it is cast as arrays are, which wrap around or lose an imaginary part."""
    if isinstance(number, complex):
        return not dtypes.is_complex(dtype)
    if not dtypes.is_integer(dtype):
        return False
    limits = np.iinfo(dtype)
    return not limits.min <= number <= limits.max


def flagged(x: Operand, weak: bool) -> Array | Tracer:
    """`x` as users get it, an array or tracer, with this weak flag."""
    if isinstance(x, np.generic):
        return from_host(x, weak_type=weak)
    if type(x) is Array:
        return x if x.weak_type == weak else Array(x.buffer, weak, x.backend)
    return cast(x, x.dtype, weak)


def _of_one_dtype(operands: Sequence[Any]) -> bool:
    """Whether there is nothing to promote: arrays of one dtype, all weak or none."""
    first = operands[0]
    if not isinstance(first, (Array, Tracer)):
        return False
    dtype, weak = first.dtype, first.weak_type
    return all(isinstance(x, (Array, Tracer)) and x.dtype == dtype and x.weak_type == weak for x in operands[1:])


def promote_dtypes(*operands: Any) -> list[Any]:
    """Operands in their common dtype. A Python scalar becomes a constant of the program.

    NumPy's 64-bit scalars are weak beside arrays, see `dtype_lattice.scalar_operand`.
    """
    if _of_one_dtype(operands):
        return list(operands)
    found, pairs = [], []
    arrays = any(isinstance(x, (Array, Tracer, np.ndarray)) for x in operands)
    for x in operands:
        if type(x) is not Array and not isinstance(x, Tracer):
            if isinstance(x, (bool, int, float, complex, np.generic)):
                pairs.append(scalar_operand(x) if arrays else scalar_type_of(x))
                found.append(x)
                continue
            x = as_operand(x)
        pairs.append((x.dtype, x.weak_type))
        found.append(x)
    dtype, weak = lattice_result(pairs)
    return [
        cast(x, dtype, weak) if isinstance(x, (Array, Tracer)) else _constant(x, dtype, weak, arrays) for x in found
    ]


def _constant(x: Any, dtype: np.dtype, weak: bool, beside_array: bool) -> Any:
    value = _scalar(x, dtype) if not isinstance(x, np.generic) else x.astype(dtype)
    return value if beside_array else from_host(value, weak_type=weak)


def broadcast_shapes(name: str, shapes: Sequence[Shape]) -> Shape:
    """The shape that all `shapes` stretch to, as NumPy defines it.

    Raises:
      ShapeError: if two lengths differ and neither is 1.
    """
    out: list[Any] = []
    rank = max(map(len, shapes))
    for axis in range(-rank, 0):
        length: Any = 1
        for shape in shapes:
            n = shape[axis] if -axis <= len(shape) else 1
            if type(n) is Dim or n != 1:
                if (type(length) is Dim or length != 1) and n != length:
                    raise ShapeError(
                        f"{name}: shapes {' and '.join(str(list(s)) for s in shapes)} do not broadcast: aligned at the "
                        f"end, lengths {length} and {n} of axis {axis} differ and neither is 1."
                    )
                length = n
        out.append(length)
    return tuple(out)


def _beside(x: Any, y: Any) -> Any:
    """The Python number `y` in the dtype of the array `x`, if it takes that for certain; else None."""
    _, dtype, weak = x.signature
    if weak:
        return None
    if dtype.kind == "f":
        return dtype.type(y)
    return _scalar(y, dtype) if type(y) is int and dtype.kind in "iu" else None


def already_fit(x: Any, y: Any) -> tuple[Any, Any] | None:
    """The two operands as they are if they need no promotion, a Python number as a constant: the common cases, quickly."""
    if isinstance(x, _ARRAYS):
        if isinstance(y, _ARRAYS):
            first, second = x.signature, y.signature
            if first == second or (first[1:] == second[1:] and not (first[0] and second[0])):
                return x, y
        elif type(y) is float or type(y) is int:
            number = _beside(x, y)
            return None if number is None else (x, number)
    elif (type(x) is float or type(x) is int) and isinstance(y, _ARRAYS):
        number = _beside(y, x)
        return None if number is None else (number, y)
    return None


def promote(name: str, *operands: Any) -> list[Any]:
    """Operands in one dtype and one shape (those of rank 0 stay so): what elementwise primitives take."""
    if len(operands) == 2:
        pair = already_fit(*operands)
        if pair is not None:
            return list(pair)
    promoted = promote_dtypes(*operands)
    shapes = [() if isinstance(x, np.generic) else x.shape for x in promoted]
    full = {s for s in shapes if s != ()}
    if len(full) <= 1:
        return promoted
    shape = broadcast_shapes(name, shapes)
    return [
        x if s in ((), shape) else broadcast_in_dim(x, shape=shape, dims=tuple(range(len(shape) - len(s), len(shape))))
        for x, s in zip(promoted, shapes, strict=True)
    ]
