"""Dtypes: which there are, what they are called, and which belong together.

What mixed operands promote to is in `dtype_lattice.py`.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import ml_dtypes
import numpy as np

from . import config
from .errors import DTypeError

__all__ = [
    "BY_SHORT_NAME",
    "KINDS",
    "PYTHON_SCALARS",
    "accumulator_dtype",
    "as_dtype",
    "bfloat16",
    "bool_",
    "can_cast",
    "complex64",
    "complex128",
    "complex_dtype",
    "default_complex",
    "default_float",
    "default_int",
    "defaults",
    "extended",
    "finfo",
    "float0",
    "float16",
    "float32",
    "float64",
    "iinfo",
    "int8",
    "int16",
    "int32",
    "int64",
    "is_bool",
    "is_complex",
    "is_floating",
    "is_inexact",
    "is_integer",
    "is_numeric",
    "is_supported",
    "is_unsigned",
    "issubdtype",
    "itemsize",
    "kind",
    "prng_key",
    "real_dtype",
    "short_name",
    "tangent_dtype",
    "to_inexact",
    "uint8",
    "uint16",
    "uint32",
    "uint64",
]

bool_ = np.dtype(np.bool_)
int8, int16, int32, int64 = map(np.dtype, (np.int8, np.int16, np.int32, np.int64))
uint8, uint16, uint32, uint64 = map(np.dtype, (np.uint8, np.uint16, np.uint32, np.uint64))
float16, bfloat16, float32, float64 = map(np.dtype, (np.float16, ml_dtypes.bfloat16, np.float32, np.float64))
complex64, complex128 = map(np.dtype, (np.complex64, np.complex128))
float0 = np.dtype([("float0", np.void, 0)])
"""The dtype of the tangents of integers and booleans: there is nothing to say, so it takes no bytes."""

BY_SHORT_NAME = {
    **{"bool": bool_, "i8": int8, "i16": int16, "i32": int32, "i64": int64},
    **{"u8": uint8, "u16": uint16, "u32": uint32, "u64": uint64},
    **{"f16": float16, "bf16": bfloat16, "f32": float32, "f64": float64, "c64": complex64, "c128": complex128},
}
_NAMES = {dtype: short for short, dtype in BY_SHORT_NAME.items()}
_SUPPORTED = ", ".join(dtype.name for dtype in _NAMES)

# By NumPy's type number. C's `long` and `long long` are two numbers for one dtype; each is mapped to ours.
_OURS = {dtype.num: ours for dtype in map(np.dtype, "bBhHiIlLqQ") for ours in _NAMES if ours == dtype}
_OURS |= {dtype.num: dtype for dtype in _NAMES}
_KIND = {num: "f" if dtype == bfloat16 else dtype.kind for num, dtype in _OURS.items()}
_INTEGER = frozenset(num for num, kind in _KIND.items() if kind in "iu")
_UNSIGNED = frozenset(num for num, kind in _KIND.items() if kind == "u")
_FLOATING = frozenset(num for num, kind in _KIND.items() if kind == "f")
_COMPLEX = frozenset(num for num, kind in _KIND.items() if kind == "c")
_INEXACT = _FLOATING | _COMPLEX
_NUMERIC = _INTEGER | _INEXACT
_BOOL = bool_.num


class extended(np.generic):
    """The family of dtypes that no array has: as in JAX, keys are of it."""


class prng_key(extended):
    """What keys have for a dtype, so that they can be told from the words of raw ones; it holds no numbers.

    >>> import functorch_lite as fl
    >>> issubdtype(fl.random.key(0).dtype, prng_key), issubdtype(fl.random.PRNGKey(0).dtype, prng_key)
    (True, False)
    """


# -- defaults --------------------------------------------------------------------------------------------------------

defaults = config.current
"""The default dtypes here, in a hashable tuple."""


def default_float() -> np.dtype:
    """The dtype of floats that are given none."""
    return defaults().float


def default_int() -> np.dtype:
    """The dtype of integers that are given none."""
    return defaults().int


def position_dtype(*lengths: int, least: Any = None) -> np.dtype:
    """The dtype of positions along axes of these lengths: the default of integers (or `least`), where they fit."""
    dtype = default_int() if least is None else np.dtype(least)
    return dtype if max(lengths, default=0) <= np.iinfo(dtype).max else np.dtype(np.int64)


def default_complex() -> np.dtype:
    """The dtype of complex numbers that are given none."""
    return defaults().complex


# -- names and kinds -------------------------------------------------------------------------------------------------

_USUAL: dict[Any, np.dtype] = {key: dtype for dtype in _NAMES for key in (dtype, dtype.type, dtype.name)}
_USUAL |= {dtype.type: _OURS[dtype.num] for dtype in map(np.dtype, "bBhHiIlLqQ")}
_USUAL[bool] = bool_
PYTHON_SCALARS: dict[type, str] = {t: t.__name__ for t in (int, float, complex)}
"""Python's numbers, and what their dtypes are called in `defaults()`."""
_PYTHON: dict[Any, str] = PYTHON_SCALARS | {name: name for name in PYTHON_SCALARS.values()}


def as_dtype(spec: Any) -> np.dtype:
    """The dtype that `spec` means, in the machine's byte order.

    Args:
      spec: a dtype, a scalar type, a name, something with a `dtype`, or Python's `bool`, `int`, `float` or `complex`:
        these have the default dtype of their kind.

    Raises:
      TypeError: if that is no dtype, or none that is supported.

    >>> as_dtype("bfloat16"), as_dtype(">f8"), as_dtype(float)
    (dtype(bfloat16), dtype('float64'), dtype('float32'))
    """
    try:
        known = _USUAL.get(spec)
    except TypeError:  # not hashable
        known = None
    return _parse(spec) if known is None else known


def _parse(spec: Any) -> np.dtype:
    """`as_dtype` of what is not in the table of the usual specifications."""
    if isinstance(spec, (type, str)) and spec in _PYTHON:
        return getattr(defaults(), _PYTHON[spec])
    dtype = spec
    if isinstance(spec, str):
        try:
            dtype = np.dtype(spec)
        except (TypeError, ValueError, SyntaxError, Warning):  # "," is a SyntaxError, "a" a warning (made an error)
            raise _unsupported(spec) from None
    elif not isinstance(spec, np.dtype):
        dtype = getattr(spec, "dtype", None)
    if not isinstance(dtype, np.dtype) or dtype.num not in _OURS:
        raise _unsupported(spec)
    return _OURS[dtype.num]


def _unsupported(spec: Any) -> TypeError:
    is_scalar_type = isinstance(spec, type) and issubclass(spec, np.generic)
    if is_scalar_type and issubclass(spec, extended):
        return DTypeError(f"{spec.__name__} is no dtype of arrays: what random.key_data(keys) gives are numbers.")
    if is_scalar_type and not spec.__subclasses__():
        spec = np.dtype(spec)
    if isinstance(spec, np.dtype):
        came, cure = f"the dtype {spec}", _CURES.get(spec.char, _CURES.get(spec.kind, ""))
        if spec == float0:
            came, cure = "float0", "It marks tangents of integers and booleans, which there is nothing to compute with."
    elif is_scalar_type:
        came, cure = f"the scalar type {spec.__name__}", "Name one dtype, not a family."
    elif isinstance(getattr(spec, "dtype", None), np.dtype):
        return _unsupported(spec.dtype)
    else:
        came, cure = repr(spec), "Give a dtype, a NumPy scalar type or a name such as 'float32'."
    return DTypeError(f"{came} is not a supported dtype. There are {_SUPPORTED}. {cure}".rstrip())


_CURES = {
    "O": "Convert the objects to numbers first.",
    "U": "Encode text as integers first.",
    "S": "Encode text as integers first.",
    "M": "Subtract a moment and divide by a unit, as (t - t[0]) / np.timedelta64(1, 's').",
    "m": "Divide by a unit, as t / np.timedelta64(1, 's').",
    "g": "Use float64: x.astype('float64').",
    "G": "Use complex128: x.astype('complex128').",
    "V": "Pass the fields as separate arrays, in a dict for instance.",
}


def short_name(dtype: np.dtype) -> str:
    """The name in types and programs: 'f32', 'bf16', 'i32', 'u8', 'c64', 'bool'.

    >>> short_name(complex64)
    'c64'
    """
    return _NAMES.get(dtype) or ("float0" if dtype == float0 else dtype.name)


def is_supported(dtype: np.dtype) -> bool:
    """Whether arrays can have this dtype."""
    return dtype.num in _OURS


def is_bool(dtype: np.dtype) -> bool:
    """Whether it is the boolean dtype."""
    return dtype.num == _BOOL


def is_integer(dtype: np.dtype) -> bool:
    """Whether it is a signed or unsigned integer; booleans are not."""
    return dtype.num in _INTEGER


def is_unsigned(dtype: np.dtype) -> bool:
    """Whether it is an unsigned integer."""
    return dtype.num in _UNSIGNED


def is_floating(dtype: np.dtype) -> bool:
    """Whether it is a real float, bfloat16 included."""
    return dtype.num in _FLOATING


def is_complex(dtype: np.dtype) -> bool:
    """Whether it is complex."""
    return dtype.num in _COMPLEX


def is_inexact(dtype: np.dtype) -> bool:
    """Whether it is a float or complex: the dtypes that have derivatives."""
    return dtype.num in _INEXACT


def is_numeric(dtype: np.dtype) -> bool:
    """Whether it is anything supported but boolean."""
    return dtype.num in _NUMERIC


KINDS: dict[str, Callable[[np.dtype], bool]] = {
    "bool": is_bool,
    "signed integer": lambda d: is_integer(d) and not is_unsigned(d),
    "unsigned integer": is_unsigned,
    "integral": is_integer,
    "real floating": is_floating,
    "complex floating": is_complex,
    "numeric": is_numeric,
}
"""What the array API standard calls kinds of dtypes -> whether one is of the kind."""


def kind(dtype: np.dtype) -> str:
    """One letter for the kind: 'b', 'i', 'u', 'f' (bfloat16 too) or 'c'.

    Raises:
      TypeError: if the dtype is not supported.
    """
    try:
        return _KIND[dtype.num]
    except KeyError:
        raise _unsupported(dtype) from None


def itemsize(dtype: np.dtype) -> int:
    """Bytes of one element."""
    return dtype.itemsize


# -- companions ------------------------------------------------------------------------------------------------------


def real_dtype(dtype: np.dtype) -> np.dtype:
    """The dtype of a number's real part; a dtype that is not complex is its own."""
    if dtype.num not in _COMPLEX:
        return dtype
    return float64 if dtype.itemsize == 16 else float32


def complex_dtype(dtype: np.dtype) -> np.dtype:
    """The complex dtype that holds it; booleans and integers go by the default float."""
    real = to_inexact(dtype)
    if real.num in _COMPLEX:
        return real
    return complex128 if real.itemsize == 8 else complex64


def to_inexact(dtype: np.dtype) -> np.dtype:
    """The dtype of a division: itself if inexact, else the default float."""
    return dtype if dtype.num in _INEXACT else default_float()


def accumulator_dtype(dtype: np.dtype) -> np.dtype:
    """The dtype in which sums are formed: float32 for 16-bit floats, else itself."""
    return float32 if dtype.num in _FLOATING and dtype.itemsize == 2 else dtype


def tangent_dtype(dtype: np.dtype) -> np.dtype:
    """The dtype of tangents: itself if inexact, else `float0`."""
    return dtype if dtype.num in _INEXACT else float0


def finfo(dtype: Any) -> Any:
    """Limits of a float dtype, as `numpy.finfo` (of a complex dtype: of its parts).

    Raises:
      TypeError: if the dtype is not inexact.

    >>> float(finfo("bfloat16").max)
    3.3895313892515355e+38
    """
    dtype = as_dtype(dtype)
    if not is_inexact(dtype):
        raise DTypeError(f"finfo needs a float or complex dtype, got {dtype.name}: iinfo describes integers.")
    return ml_dtypes.finfo(dtype) if dtype == bfloat16 else np.finfo(dtype)


def iinfo(int_type: Any) -> np.iinfo:
    """Limits of an integer dtype, as `numpy.iinfo`.

    Raises:
      TypeError: if the dtype is not an integer.

    >>> iinfo("int8").max
    127
    """
    dtype = as_dtype(int_type)
    if not is_integer(dtype):
        raise DTypeError(f"iinfo needs an integer dtype, got {dtype.name}: finfo describes floats.")
    return np.iinfo(dtype)


def can_cast(from_: Any, to: Any, casting: Any = "safe") -> bool:
    """Whether a cast is allowed under a rule of NumPy: 'no', 'equiv', 'safe', 'same_kind' or 'unsafe'."""
    return bool(np.can_cast(as_dtype(from_), as_dtype(to), casting))


def issubdtype(arg1: Any, arg2: Any) -> bool:
    """Whether a dtype belongs to a family, such as `numpy.floating`; bfloat16 is a float.

    Args:
      arg1: a dtype, anything that means one, or a family.
      arg2: one of NumPy's abstract scalar types, or a dtype.

    >>> issubdtype("bfloat16", np.floating), issubdtype("int8", np.inexact)
    (True, False)
    """
    dtype, family = arg1, arg2
    if not isinstance(dtype, (type, str, np.dtype)) and hasattr(dtype, "dtype"):
        dtype = dtype.dtype
    if not isinstance(family, (type, str, np.dtype)) and hasattr(family, "dtype"):
        family = family.dtype
    if isinstance(family, type) and issubclass(np.floating, family) and dtype in (bfloat16, bfloat16.type, "bfloat16"):
        return True
    return bool(np.issubdtype(dtype, family))
