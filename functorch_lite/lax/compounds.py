"""Functions of elements that are made of several primitives: rounding by a method, choices among several, high words."""

from __future__ import annotations

import enum
from typing import Any

import numpy as np

from .. import dtypes
from ..arrays import type_of
from ..errors import ArgumentError, DTypeError, ShapeError
from ..primitives import elementwise as e
from ..promotion import as_operand, cast
from .elementwise import stretched_operands, strict_operands

__all__ = ["Precision", "RoundingMethod", "conj", "mulhi", "pow", "reciprocal", "round", "select_n"]


class Precision(enum.Enum):
    """What a product of matrices may lose; taken everywhere for JAX's sake: here they are always as precise as their dtype."""

    DEFAULT = 0
    HIGH = 1
    HIGHEST = 2


class RoundingMethod(enum.IntEnum):
    """Where `round` moves what lies in the middle: away from zero, or to the even neighbour."""

    AWAY_FROM_ZERO = 0
    TO_NEAREST_EVEN = 1


def round(x: Any, rounding_method: RoundingMethod = RoundingMethod.AWAY_FROM_ZERO) -> Any:
    """Floats rounded to whole numbers; halves away from zero, unless the method says otherwise.

    >>> import functorch_lite.numpy as fnp
    >>> round(fnp.array([0.5, -2.5])).tolist(), round(fnp.array([0.5, -2.5]), RoundingMethod.TO_NEAREST_EVEN).tolist()
    ([1.0, -3.0], [0.0, -2.0])
    """
    away = RoundingMethod(rounding_method) is RoundingMethod.AWAY_FROM_ZERO
    return (e.round_away if away else e.round_)(as_operand(x))


def conj(x: Any) -> Any:
    """The complex conjugate, elementwise; of a real number it is that number as a complex one.

    >>> conj(1 + 2j).item()
    (1-2j)
    """
    (x,) = strict_operands("the operand of conj", (x,))
    return e.conj(x) if dtypes.is_complex(x.dtype) else cast(x, dtypes.complex_dtype(x.dtype), x.weak_type)


def pow(x: Any, y: Any) -> Any:
    """Floats or complex numbers to powers of their dtype, or to integers, elementwise.

    >>> pow(2.0, 3).item()
    8.0
    """
    base, exponent = as_operand(x), as_operand(y)
    if dtypes.is_integer(exponent.dtype) and dtypes.is_inexact(base.dtype):
        y = cast(exponent, base.dtype)
    return e.pow_(*stretched_operands("an operand of pow", (x, y)))


def reciprocal(x: Any) -> Any:
    """1 / x of floats or complex numbers, elementwise.

    Raises:
      DTypeError: for integers and booleans, which have none.

    >>> reciprocal(4.0).item()
    0.25
    """
    (x,) = strict_operands("the operand of reciprocal", (x,))
    if not dtypes.is_inexact(x.dtype):
        raise DTypeError(f"reciprocal needs floats or complex numbers, got {type_of(x)}: cast with astype.")
    return e.div(x.dtype.type(1), x)


def select_n(which: Any, *cases: Any) -> Any:
    """From several arrays of one type, the element of that one which `which` names.

    Args:
      which: booleans (of two cases, the second where true) or integers, of rank 0 or of the shape of the cases.
      *cases: the arrays. Numbers outside of 0, 1, ... name the first or the last.

    >>> import functorch_lite.numpy as fnp
    >>> select_n(fnp.array([0, 2, 1]), *(fnp.full(3, c) for c in (10, 20, 30))).tolist()
    [10, 30, 20]
    """
    if not cases:
        raise ArgumentError("select_n needs at least one case to choose from.")
    place, found = as_operand(which), strict_operands("a case of select_n", cases)
    types = [type_of(x) for x in found]
    if any((t.shape, t.dtype) != (types[0].shape, types[0].dtype) for t in types):
        raise ShapeError(f"select_n needs cases of one shape and dtype, got {', '.join(map(str, types))}.")
    if dtypes.is_bool(place.dtype):
        if len(found) > 2:
            raise ArgumentError(f"select_n by booleans chooses between two cases, got {len(found)}.")
        place = cast(place, np.dtype(np.int32))
    elif not dtypes.is_integer(place.dtype):
        raise DTypeError(f"select_n needs booleans or integers to choose by, got {type_of(place)}.")
    out = found[0]
    for i, case in enumerate(found[1:], 1):
        out = e.select(e.ge(place, place.dtype.type(i)), out, case)
    return out


def mulhi(x: Any, y: Any, /) -> Any:
    """The high words of products of integers: x y / 2^n rounded down, for a dtype of n bits.

    >>> import functorch_lite.numpy as fnp
    >>> mulhi(fnp.array([1 << 30, -1], "int32"), fnp.array([12, 1], "int32")).tolist()
    [3, -1]
    """
    x, y = stretched_operands("an operand of mulhi", (x, y))
    if not dtypes.is_integer(x.dtype):
        raise DTypeError(f"mulhi needs integers, got {type_of(x)}: cast with astype.")
    n, kind = 8 * x.dtype.itemsize, "u" if dtypes.is_unsigned(x.dtype) else "i"
    if n < 64:
        wide = np.dtype(f"{kind}8")
        product = e.mul(cast(x, wide), cast(y, wide))
        return cast(_shifted(product, n), x.dtype)
    # Halves of 32 bits; the lower ones count as unsigned. No sum below overflows.
    half = x.dtype.type((1 << 32) - 1)
    (x1, x0), (y1, y0) = ((_shifted(v, 32), e.and_(v, half)) for v in (x, y))
    low = e.shift_right_logical(e.mul(x0, y0), x.dtype.type(32))
    middle = e.add(e.mul(x1, y0), low)
    other = e.add(e.mul(x0, y1), e.and_(middle, half))
    return e.add(e.add(e.mul(x1, y1), _shifted(middle, 32)), _shifted(other, 32))


def _shifted(x: Any, n: int) -> Any:
    """X / 2^n rounded down."""
    shift = e.shift_right_logical if dtypes.is_unsigned(x.dtype) else e.shift_right_arithmetic
    return shift(x, x.dtype.type(n))
