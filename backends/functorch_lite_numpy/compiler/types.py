"""dtypes as LLVM types, in registers and in memory; constants and vectors of them."""

from __future__ import annotations

from functools import lru_cache
from typing import Any

import ml_dtypes
import numpy as np

from . import ir

__all__ = [
    "I1",
    "I8",
    "I16",
    "I32",
    "I64",
    "NULL",
    "PTR",
    "any_lane",
    "constant",
    "int64",
    "is_half",
    "is_vector",
    "join_lanes",
    "kind_of",
    "lanes",
    "literal",
    "memory_type",
    "new_function",
    "parts_of",
    "real_dtype",
    "register_type",
    "splat",
    "supported",
    "take_lanes",
    "width_of",
]

I1, I8, I16, I32, I64 = (ir.IntType(n) for n in (1, 8, 16, 32, 64))
PTR = ir.PointerType()
NULL = ir.Constant(PTR, None)

_HALVES = frozenset((np.dtype(np.float16), np.dtype(ml_dtypes.bfloat16)))
_FLOATS = {np.dtype(np.float32): ir.FloatType(), np.dtype(np.float64): ir.DoubleType()}
_SUPPORTED = frozenset((*_HALVES, *_FLOATS, *map(np.dtype, "?bhilqBHILQFD")))


def new_function(module: Any, name: str, result: Any, arguments: Any, linkage: str = "internal") -> Any:
    """A function without blocks."""
    function: Any = ir.Function(module, ir.FunctionType(result, arguments), name)
    function.linkage = linkage
    return function


def is_half(dtype: np.dtype) -> bool:
    """Whether it is one of the 16-bit floats: code moves their bits, and computes with what they are as float32."""
    return dtype in _HALVES


def kind_of(dtype: np.dtype) -> str:
    """b, i, u, f, c; h for 16-bit floats."""
    return "h" if is_half(dtype) else dtype.kind


def real_dtype(dtype: np.dtype) -> np.dtype:
    """The dtype of a complex number's parts; of the others, itself."""
    return np.dtype(f"f{dtype.itemsize // 2}") if dtype.kind == "c" else dtype


def parts_of(dtype: np.dtype) -> int:
    """How many real numbers a number is."""
    return 2 if dtype.kind == "c" else 1


def supported(dtype: np.dtype) -> bool:
    """Whether values of the dtype can be held in registers."""
    return dtype in _SUPPORTED


def register_type(dtype: np.dtype, width: int = 1) -> Any:
    """The type of a value, or of a vector of them; 16-bit floats are integers there."""
    scalar = I1 if dtype.kind == "b" else _FLOATS.get(dtype) or ir.IntType(8 * dtype.itemsize)
    return scalar if width == 1 else ir.VectorType(scalar, width)


def memory_type(dtype: np.dtype, width: int = 1) -> Any:
    """The type of an element of a buffer: booleans are bytes there."""
    scalar = I8 if dtype.kind == "b" else register_type(dtype)
    return scalar if width == 1 else ir.VectorType(scalar, width)


def is_vector(value: Any) -> bool:
    return isinstance(value.type, ir.VectorType)


def width_of(value: Any) -> int:
    """How many lanes a value has."""
    return value.type.count if is_vector(value) else 1


class Splat(ir.Constant):
    """A constant with one value in all lanes: short to write and quick to read."""

    def __init__(self, type: Any, value: ir.Constant):
        ir.Value.__init__(self, type, f"splat ({value.typed})")
        self.constant = (value.constant,) * type.count


def literal(dtype: np.dtype, value: np.generic) -> ir.Constant:
    """A number of a dtype."""
    type = register_type(dtype)
    if is_half(dtype):
        return constant(type, int(np.asarray(value).view(np.uint16)))
    return constant(type, int(value) if dtype.kind == "b" else value.item())


def constant(type: Any, value: Any) -> ir.Constant:
    """A number, in each lane if the type is a vector."""
    if isinstance(type, ir.IntType):
        return _integer(type, value)
    if isinstance(type, ir.VectorType):
        return Splat(type, constant(type.element, value))
    return ir.Constant(type, value)


def int64(i: Any) -> Any:
    """A number, or a value that is one, as a value of 64 bits."""
    return constant(I64, i) if isinstance(i, int) else i


@lru_cache(1 << 9)
def _integer(type: ir.IntType, value: int) -> ir.Constant:
    """An integer: a few are used all the time."""
    return ir.Constant(type, int(value))


def lanes(type: Any, values: Any) -> ir.Constant:
    """A vector constant."""
    return ir.Constant(type, tuple(values))


def any_lane(builder: Any, mask: Any) -> Any:
    """Whether a mask holds for any lane."""
    if not is_vector(mask):
        return mask
    if mask.type.count == 1:
        return builder.extract_element(mask, constant(I1, 0))
    bits = ir.IntType(mask.type.count)
    return builder.icmp_unsigned("!=", builder.bitcast(mask, bits), constant(bits, 0))


def take_lanes(builder: Any, value: Any, first: int, width: int) -> Any:
    """Some lanes of a vector, one after the other."""
    places = lanes(ir.VectorType(I32, width), range(first, first + width))
    return builder.shuffle_vector(value, ir.Constant(value.type, ir.Undefined), places)


def join_lanes(builder: Any, x: Any, y: Any) -> Any:
    """The lanes of one vector, then those of another."""
    return builder.shuffle_vector(x, y, lanes(ir.VectorType(I32, 2 * x.type.count), range(2 * x.type.count)))


def splat(builder: Any, value: Any, width: int) -> Any:
    """A scalar in each lane."""
    if width == 1 or is_vector(value):
        return value
    type = ir.VectorType(value.type, width)
    if isinstance(value, ir.Constant):
        return Splat(type, value)
    one = builder.insert_element(ir.Constant(type, ir.Undefined), value, ir.Constant(I32, 0))
    mask = constant(ir.VectorType(I32, width), 0)
    return builder.shuffle_vector(one, ir.Constant(type, ir.Undefined), mask)
