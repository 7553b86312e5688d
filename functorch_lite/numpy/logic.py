"""Questions: comparisons, logic, what is NaN or infinite, whether arrays are equal or close; and `where` of three operands."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import numpy as np

from .. import dtypes
from ..direct import binary, directly_on_two
from ..primitives import elementwise as e
from ..primitives import reduction
from ..primitives.structural import broadcast_in_dim
from ..promotion import as_operand, broadcast_shapes, cast, promote
from .arithmetic import add
from .creation import asarray
from .operands import Universal, like, named, no_out, real_operand, with_methods
from .parts import imag

__all__ = [
    "allclose",
    "array_equal",
    "array_equiv",
    "equal",
    "greater",
    "greater_equal",
    "isclose",
    "iscomplex",
    "iscomplexobj",
    "isfinite",
    "isinf",
    "isnan",
    "isneginf",
    "isposinf",
    "isreal",
    "isrealobj",
    "less",
    "less_equal",
    "logical_and",
    "logical_not",
    "logical_or",
    "logical_xor",
    "not_equal",
]


def _comparison(name: str, primitive: Any, doc: str) -> Universal:
    return named(binary(name, primitive, "biufc"), name, doc)


equal = _comparison("equal", e.eq, "x == y, elementwise.")
not_equal = _comparison("not_equal", e.ne, "x != y, elementwise.")


def _ordering(name: str, primitive: Any, doc: str) -> Universal:
    """A comparison; complex numbers go by their real parts, then by their imaginary ones."""

    def function(x: Any, y: Any, /) -> Any:
        x, y = promote(name, x, y)
        if not dtypes.is_complex(x.dtype):
            return primitive(x, y)
        a, b = e.real(x), e.real(y)
        return e.select(e.eq(a, b), primitive(a, b), primitive(e.imag(x), e.imag(y)))

    return named(directly_on_two(primitive, "biuf", function), name, doc)


less = _ordering("less", e.lt, "x < y, elementwise.")
less_equal = _ordering("less_equal", e.le, "x <= y, elementwise.")
greater = _ordering("greater", e.gt, "x > y, elementwise.")
greater_equal = _ordering("greater_equal", e.ge, "x >= y, elementwise.")


def as_bool(x: Any) -> Any:
    """Whether each element is not zero."""
    x = as_operand(x)
    return x if dtypes.is_bool(x.dtype) else e.ne(x, like(x, 0))


def _logical(name: str, primitive: Any, doc: str) -> Universal:
    def function(x: Any, y: Any, /) -> Any:
        return primitive(*promote(name, as_bool(x), as_bool(y)))

    return named(function, name, doc)


logical_and = _logical("logical_and", e.and_, "Whether both x and y are true (not zero), elementwise.")
logical_or = _logical("logical_or", e.or_, "Whether x or y is true (not zero), elementwise.")
logical_xor = _logical("logical_xor", e.xor, "Whether just one of x and y is true (not zero), elementwise.")


@with_methods
def logical_not(x: Any, /) -> Any:
    """Whether x is false (zero), elementwise."""
    return e.not_(as_bool(x))


def _by_parts(name: str, real_part: Callable[[Any], Any], combine: str, else_: bool, doc: str) -> Universal:
    """A question that complex numbers answer by their parts, and integers always in one way."""

    def function(x: Any, /) -> Any:
        x = as_operand(x)
        if dtypes.is_floating(x.dtype):
            return real_part(x)
        if dtypes.is_complex(x.dtype):
            return getattr(e, combine)(real_part(e.real(x)), real_part(e.imag(x)))
        return e.eq(x, x) if else_ else e.ne(x, x)

    return named(function, name, doc)


isnan = _by_parts("isnan", lambda x: e.ne(x, x), "or_", False, "Whether x is not a number, elementwise.")
isfinite = _by_parts(
    "isfinite", lambda x: e.is_finite(x), "and_", True, "Whether x is neither infinite nor NaN, elementwise."
)
isinf = _by_parts(
    "isinf", lambda x: e.eq(e.abs_(x), like(x, np.inf)), "or_", False, "Whether x is infinite, elementwise."
)


def isposinf(x: Any, /, out: None = None) -> Any:
    """Whether x is plus infinity, elementwise."""
    no_out("isposinf", out)
    x = real_operand("isposinf", x)
    return e.eq(x, like(x, np.inf)) if dtypes.is_floating(x.dtype) else e.ne(x, x)


def isneginf(x: Any, /, out: None = None) -> Any:
    """Whether x is minus infinity, elementwise."""
    no_out("isneginf", out)
    x = real_operand("isneginf", x)
    return e.eq(x, like(x, -np.inf)) if dtypes.is_floating(x.dtype) else e.ne(x, x)


def iscomplex(x: Any) -> Any:
    """Whether the imaginary part is not zero, elementwise."""
    return as_bool(imag(x))


def isreal(x: Any) -> Any:
    """Whether the imaginary part is zero, elementwise."""
    return logical_not(imag(x))


def iscomplexobj(x: Any) -> bool:
    """Whether `x` has a complex dtype: an array, nested sequences, a scalar type such as `complex64`; None has not.

    >>> iscomplexobj([1.0, 2j]), iscomplexobj(None)
    (True, False)
    """
    dtype = getattr(x, "dtype", None)
    return x is not None and dtypes.is_complex(dtype if isinstance(dtype, np.dtype) else asarray(x).dtype)


def isrealobj(x: Any) -> bool:
    """Whether `x` has a dtype that is not complex."""
    return not iscomplexobj(x)


def isclose(a: Any, b: Any, rtol: Any = 1e-05, atol: Any = 1e-08, equal_nan: bool = False) -> Any:
    """Whether |a - b| <= atol + rtol |b|, elementwise; infinities are close to themselves only.

    Args:
      a, b: arrays that broadcast together.
      rtol: the relative tolerance.
      atol: the absolute tolerance.
      equal_nan: whether NaN is close to NaN.
    """
    a, b = promote("isclose", a, b)
    if not dtypes.is_inexact(a.dtype):
        dtype = dtypes.default_float() if dtypes.is_bool(a.dtype) or a.dtype.itemsize < 4 else np.dtype(np.float64)
        a, b = cast(a, dtype), cast(b, dtype)
    bound = add(atol, e.mul(e.abs_(cast(b, a.dtype)), e.abs_(b).dtype.type(rtol)))
    out = e.and_(less_equal(e.abs_(e.sub(a, b)), bound), e.and_(isfinite(a), isfinite(b)))
    out = e.or_(out, e.eq(a, b))
    return e.or_(out, e.and_(isnan(a), isnan(b))) if equal_nan else out


def all_of(x: Any) -> Any:
    """Whether all elements of a boolean array are true."""
    return reduction.reduce_and(x, axes=tuple(range(x.ndim)))


def allclose(a: Any, b: Any, rtol: Any = 1e-05, atol: Any = 1e-08, equal_nan: bool = False) -> Any:
    """Whether all elements are close, see `isclose`."""
    return all_of(isclose(a, b, rtol, atol, equal_nan))


def array_equal(a1: Any, a2: Any, equal_nan: bool = False) -> Any:
    """Whether two arrays have one shape and equal elements.

    Args:
      a1, a2: arrays, or nested sequences.
      equal_nan: whether NaN equals NaN.
    """
    a, b = asarray(a1), asarray(a2)
    if a.shape != b.shape:
        return as_operand(np.False_)
    a, b = promote("array_equal", a, b)
    same = e.eq(a, b)
    return all_of(e.or_(same, e.and_(isnan(a), isnan(b))) if equal_nan else same)


def array_equiv(a1: Any, a2: Any) -> Any:
    """Whether two arrays broadcast together and are then equal."""
    try:
        return all_of(equal(asarray(a1), asarray(a2)))
    except ValueError:
        return as_operand(np.False_)


def where3(condition: Any, x: Any, y: Any) -> Any:
    """`x` where `condition` holds, else `y`; all broadcast together."""
    condition = as_bool(condition)
    x, y = promote("where", x, y)
    shapes = [v.shape for v in (condition, x, y)]
    full = {s for s in shapes if s}
    if len(full) > 1:
        shape = broadcast_shapes("where", shapes)
        condition, x, y = (
            v
            if s in ((), shape)
            else broadcast_in_dim(v, shape=shape, dims=tuple(range(len(shape) - len(s), len(shape))))
            for v, s in zip((condition, x, y), shapes, strict=True)
        )
    return e.select(condition, y, x)
