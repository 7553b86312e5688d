"""What mixed operands promote to.

Promotion joins nodes of a lattice: one node for each dtype, and three for *weak* numbers, those that nobody gave a
dtype (Python's `1`, `1.5`, `1j`). A weak number gives way to any dtype of its own or a stronger kind; where only weak
numbers decide, the default dtype of the kind does (see `functorch_lite.config`).

    bool -> i*          i* -> u8 i8       u8 -> u16 i16    u16 -> u32 i32    u32 -> u64 i64
    i8 -> i16 -> i32 -> i64               i64 u64 -> f*    f* -> f16 bf16 c*
    f16 bf16 -> f32     f32 -> f64 c64    f64 -> c128      c* -> c64 -> c128

>>> promote_types("int32", "float16")  # kinds mix without widening
dtype('float16')
>>> result_type(np.ones(3, np.int8), 1.5)  # a weak float is stronger than any integer: the default float
dtype('float32')
"""

from __future__ import annotations

import functools
from collections.abc import Sequence
from typing import Any

import numpy as np

from . import config
from .dtypes import (
    BY_SHORT_NAME,
    PYTHON_SCALARS,
    as_dtype,
    bool_,
    complex128,
    defaults,
    float64,
    int64,
    kind,
    short_name,
)
from .errors import DTypeError

__all__ = ["lattice_result", "promote_types", "result_type", "scalar_operand", "scalar_type_of"]

# Each node with those directly above it.
_STEPS = {
    **{"bool": ("i*",), "i*": ("u8", "i8")},
    **{"u8": ("u16", "i16"), "u16": ("u32", "i32"), "u32": ("u64", "i64"), "u64": ("f*",)},
    **{"i8": ("i16",), "i16": ("i32",), "i32": ("i64",), "i64": ("f*",)},
    **{"f*": ("f16", "bf16", "c*"), "f16": ("f32",), "bf16": ("f32",), "f32": ("f64", "c64"), "f64": ("c128",)},
    **{"c*": ("c64",), "c64": ("c128",), "c128": ()},
}


def _reachable(node: str) -> frozenset[str]:
    return frozenset({node}).union(*map(_reachable, _STEPS[node]))


_ABOVE = {node: _reachable(node) for node in _STEPS}
_WEAK = {"b": "bool", "i": "i*", "u": "i*", "f": "f*", "c": "c*"}


def _join(nodes: frozenset[str]) -> str:
    """The least node above all `nodes`: the one above which lies all that lies above every one of them."""
    common = frozenset.intersection(*(_ABOVE[node] for node in nodes))
    return next(node for node in common if _ABOVE[node] == common)


@functools.lru_cache(4096)
def _lattice_result(pairs: tuple[tuple[np.dtype, bool], ...], defaults: config.Defaults) -> tuple[np.dtype, bool]:
    first, first_weak = pairs[0]
    if all(dtype == first for dtype, _ in pairs):
        return first, first_weak and first != bool_ and all(weak for _, weak in pairs)
    all_weak = all(weak for _, weak in pairs)
    # Among weak numbers only, the dtypes they carry are joined.
    node = _join(frozenset(_WEAK[kind(d)] if weak and not all_weak else short_name(as_dtype(d)) for d, weak in pairs))
    if node.endswith("*"):
        return {"f*": defaults.float, "i*": defaults.int, "c*": defaults.complex}[node], True
    return BY_SHORT_NAME[node], all_weak and node != "bool"


def lattice_result(pairs: Sequence[tuple[np.dtype, bool]]) -> tuple[np.dtype, bool]:
    """What operands promote to.

    Args:
      pairs: of each operand its dtype, and whether that is weak; at least one.

    Returns:
      The common dtype, and whether it is weak.

    Raises:
      TypeError: if one of different dtypes is not supported.

    >>> from functorch_lite.dtypes import float32, int8
    >>> lattice_result([(int8, False), (float32, True)])
    (dtype('float32'), True)
    """
    return _lattice_result(tuple(pairs), defaults())


def promote_types(a: Any, b: Any) -> np.dtype:
    """The common dtype of two strong operands.

    >>> promote_types("uint8", "int8"), promote_types("float16", "bfloat16"), promote_types("int64", "float32")
    (dtype('int16'), dtype('float32'), dtype('float32'))
    """
    return _lattice_result(((as_dtype(a), False), (as_dtype(b), False)), defaults())[0]


_UNASKED = {float64: "float", int64: "int", complex128: "complex"}
"""The dtypes that NumPy makes unasked, and what those of their kinds are called in `defaults()`."""


def scalar_type_of(x: Any) -> tuple[np.dtype, bool]:
    """Dtype and weak flag of a scalar: Python's numbers are weak with the default dtype of their kind, NumPy's not.

    Raises:
      TypeError: for anything but a number.

    >>> scalar_type_of(2), scalar_type_of(np.float64(2)), scalar_type_of(True)
    ((dtype('int32'), True), (dtype('float64'), False), (dtype('bool'), False))
    """
    name = PYTHON_SCALARS.get(type(x))
    if name is not None:
        return getattr(defaults(), name), True
    if isinstance(x, np.generic):
        return as_dtype(x.dtype), False
    if isinstance(x, bool):
        return bool_, False
    for python, name in PYTHON_SCALARS.items():
        if isinstance(x, python):
            return getattr(defaults(), name), True
    raise DTypeError(f"a number was needed, got {x!r} of type {type(x).__name__}: convert it to an array or a number.")


def scalar_operand(x: Any) -> tuple[np.dtype, bool]:
    """Dtype and weak flag of a scalar beside an array, where NumPy's 64-bit signed scalars are weak too.

    NumPy makes float64 and int64 unasked (`np.sqrt(2)`, `np.prod(shape)`): they must not widen a program of float32.

    >>> scalar_operand(np.sqrt(2)), scalar_operand(np.float16(2))
    ((dtype('float32'), True), (dtype('float16'), False))
    """
    if isinstance(x, np.generic):
        name = _UNASKED.get(as_dtype(x.dtype))
        if name is not None:
            return getattr(defaults(), name), True
    return scalar_type_of(x)


def result_type(*args: Any) -> np.dtype:
    """The dtype of an operation on arrays, scalars and dtypes, as promotion of operands would find it.

    Args:
      *args: arrays, numbers, dtypes and what means one; `int`, `float` and `complex` stand for Python numbers.

    Raises:
      TypeError: for an argument that has no dtype, or if there is none.

    >>> result_type(np.ones(3, np.float16), np.float64(2.0)), result_type("int8", float)
    (dtype('float16'), dtype('float32'))
    """
    if not args:
        raise DTypeError("result_type needs at least one array, number or dtype.")
    has_array = any(_is_array(x) for x in args)
    return lattice_result([_pair(x, has_array) for x in args])[0]


def _is_array(x: Any) -> bool:
    return not isinstance(x, (type, str, np.dtype, np.generic)) and hasattr(x, "dtype")


def _pair(x: Any, beside_array: bool) -> tuple[np.dtype, bool]:
    if isinstance(x, (np.generic, bool, int, float, complex)):
        return scalar_operand(x) if beside_array else scalar_type_of(x)
    weak = x in PYTHON_SCALARS if isinstance(x, type) else bool(getattr(x, "weak_type", False))
    return as_dtype(x), weak
