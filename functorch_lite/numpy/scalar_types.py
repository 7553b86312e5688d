"""Dtypes as one calls them: `float32(x)` makes an array, `dtype=float32` names the dtype. Constants, questions about dtypes."""

from __future__ import annotations

import math
from collections.abc import Sequence
from typing import Any

import ml_dtypes
import numpy as np

from .. import dtypes
from ..array_interface import ArrayInterface
from ..arrays import Array
from ..dtype_lattice import promote_types, result_type
from ..dtypes import can_cast, finfo, iinfo, issubdtype
from ..promotion import as_operand, cast
from ..tracing import Tracer
from .axes import axes_of

__all__ = [
    "bfloat16",
    "bool",
    "bool_",
    "can_cast",
    "cdouble",
    "complex64",
    "complex128",
    "complex_",
    "complexfloating",
    "csingle",
    "double",
    "dtype",
    "e",
    "euler_gamma",
    "finfo",
    "float16",
    "float32",
    "float64",
    "float_",
    "floating",
    "generic",
    "iinfo",
    "inexact",
    "inf",
    "int8",
    "int16",
    "int32",
    "int64",
    "int_",
    "integer",
    "isdtype",
    "isscalar",
    "issubdtype",
    "iterable",
    "nan",
    "ndarray",
    "ndim",
    "newaxis",
    "number",
    "pi",
    "promote_types",
    "result_type",
    "shape",
    "signedinteger",
    "single",
    "size",
    "uint",
    "uint8",
    "uint16",
    "uint32",
    "uint64",
    "unsignedinteger",
]

e = float(np.e)
euler_gamma = float(np.euler_gamma)
inf = float("inf")
nan = float("nan")
newaxis = None
pi = float(np.pi)


class ScalarType(type):
    """The class of `float32` and its like: calling one makes an array of that dtype, and it counts as the dtype itself."""

    dtype: np.dtype

    def __call__(cls, x: Any = 0) -> Any:
        return cast(as_operand(x if isinstance(x, (Array, Tracer)) else np.asarray(x, cls.dtype)), cls.dtype)

    def __eq__(cls, other: Any) -> Any:
        return cls is other or (
            isinstance(other, (type, np.dtype, str)) and not isinstance(other, ScalarType) and _same(cls.dtype, other)
        )

    def __hash__(cls) -> int:
        return hash(cls.dtype.type)

    def __instancecheck__(cls, x: Any) -> Any:
        return isinstance(x, cls.dtype.type)


def _same(dtype: np.dtype, other: Any) -> Any:
    try:
        return dtype == np.dtype(other)
    except (TypeError, ValueError, SyntaxError):  # NumPy reads strings as descriptions of dtypes
        return False


def _scalar_type(dtype: Any) -> Any:
    dtype = np.dtype(dtype)
    doc = f"The dtype {dtype.name}; {dtype.name}(x) makes an array of it."
    return ScalarType(dtype.name, (), {"dtype": dtype, "__doc__": doc, "__module__": "functorch_lite.numpy"})


bool_ = bool = _scalar_type(np.bool_)
int8, int16, int32, int64 = map(_scalar_type, (np.int8, np.int16, np.int32, np.int64))
uint8, uint16, uint32, uint64 = map(_scalar_type, (np.uint8, np.uint16, np.uint32, np.uint64))
bfloat16 = _scalar_type(ml_dtypes.bfloat16)
float16, float32, float64 = map(_scalar_type, (np.float16, np.float32, np.float64))
complex64, complex128 = map(_scalar_type, (np.complex64, np.complex128))
single, double, csingle, cdouble = float32, float64, complex64, complex128
int_, uint, float_, complex_ = int32, uint32, float32, complex64

generic, number, integer, signedinteger, unsignedinteger = (
    np.generic,
    np.number,
    np.integer,
    np.signedinteger,
    np.unsignedinteger,
)
inexact, floating, complexfloating = np.inexact, np.floating, np.complexfloating
dtype = np.dtype
ndarray = ArrayInterface


def isdtype(dtype: Any, kind: Any) -> Any:
    """Whether a dtype is of a kind of the array API.

    Args:
      dtype: a dtype.
      kind: "bool", "signed integer", "unsigned integer", "integral", "real floating", "complex floating", "numeric", a dtype,
        or a tuple of these.

    >>> isdtype("bfloat16", "real floating")
    True
    """
    if isinstance(kind, tuple):
        return any(isdtype(dtype, k) for k in kind)
    found = dtypes.as_dtype(dtype)
    return (
        dtypes.KINDS[kind](found) if isinstance(kind, str) and kind in dtypes.KINDS else found == dtypes.as_dtype(kind)
    )


def isscalar(element: Any) -> Any:
    """Whether `element` is a number, or an array of rank 0."""
    if isinstance(element, (Array, Tracer, np.ndarray)):
        return element.ndim == 0
    return np.isscalar(element)


def iterable(y: Any) -> Any:
    """Whether one can iterate over `y`."""
    try:
        iter(y)
    except TypeError:
        return False
    return True


def shape(a: Any) -> tuple[Any, ...]:
    """The lengths of the axes of `a`."""
    return tuple(a.shape) if hasattr(a, "shape") else np.shape(a)


def ndim(a: Any) -> int:
    """How many axes `a` has."""
    return len(shape(a))


def size(a: Any, axis: int | Sequence[int] | None = None) -> int:
    """How many elements `a` has, in all or along axes."""
    lengths = shape(a)
    return math.prod(lengths[i] for i in axes_of("size", axis, len(lengths)))
