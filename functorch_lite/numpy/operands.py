"""What functions of this face do first with their operands: make them floating, refuse complex ones, and the like."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any, Protocol
from typing import cast as cast_type

import numpy as np

from .. import dtypes
from ..arrays import Array, type_of
from ..direct import floating, inexact
from ..errors import DTypeError, ShapeError, UnsupportedError
from ..primitives import elementwise as e
from ..primitives.reduction import reduce_or
from ..primitives.structural import broadcast_in_dim
from ..promotion import as_operand, cast, promote
from ..tracing import Tracer

ARRAYS = (Array, Tracer)


class Universal(Protocol):
    """What type checkers are to know of a function that NumPy calls a ufunc; `universal` gives it the methods."""

    nin: int
    nout: int
    nargs: int
    identity: Any
    reduce: Callable[..., Any]
    accumulate: Callable[..., Any]
    at: Callable[..., Any]
    reduceat: Callable[..., Any]
    outer: Callable[..., Any]

    def __call__(self, *operands: Any) -> Any: ...


def with_methods(function: Callable[..., Any]) -> Universal:
    """The function itself, for type checkers one that has the methods of a ufunc."""
    return cast_type("Universal", function)


def named(function: Callable[..., Any], name: str, doc: str) -> Universal:
    """Give a function made from a table its name and docstring."""
    function.__name__ = function.__qualname__ = name
    function.__module__ = "functorch_lite.numpy"
    function.__doc__ = doc
    return with_methods(function)


def no_out(name: str, out: Any) -> None:
    """Raise if an `out` argument was given."""
    if out is not None:
        raise UnsupportedError(f"{name}: arrays do not change, so `out` must be None: use the result.")


def initial_operand(name: str, initial: Any) -> Any:
    """What a reduction starts from, a number."""
    start = as_operand(initial)
    if start.ndim:
        raise ShapeError(f"{name}: initial must be a number, got {type_of(start)}.")
    return start


def small_integers(x: Any, limit: int) -> Any:
    """Integers as int32, those beyond +-`limit` moved there."""
    if x.dtype.itemsize >= 4:
        x = e.min_(x, like(x, limit))
        x = x if dtypes.is_unsigned(x.dtype) else e.max_(x, like(x, -limit))
    return cast(x, np.dtype(np.int32))


def in_32_bits(function: Callable[..., Any], *operands: Any) -> Any:
    """`function(*operands)`, operands of one dtype: where that has 16 bits, computed in 32 and rounded once, at the end.

    Of several steps of which each rounds, or overflows, a result of 16 bits keeps few digits.
    """
    dtype = operands[0].dtype
    wide = dtypes.accumulator_dtype(dtype)
    if wide == dtype:
        return function(*operands)
    out = function(*(cast(x, wide) for x in operands))
    return tuple(cast(y, dtype) for y in out) if isinstance(out, tuple) else cast(out, dtype)


def inexact_operand(x: Any) -> Any:
    """An operand that is floating or complex."""
    return inexact(as_operand(x))[0]


def inexact_pair(name: str, x: Any, y: Any) -> list[Any]:
    """Two operands promoted, floating or complex."""
    return floating(promote(name, x, y))


def floating_pair(name: str, x: Any, y: Any) -> list[Any]:
    """Two operands promoted, floating and not complex."""
    x, y = inexact_pair(name, x, y)
    if dtypes.is_complex(x.dtype):
        raise DTypeError(
            f"{name} is not defined for complex numbers, got {type_of(x)} and {type_of(y)}: pass real ones."
        )
    return [x, y]


def real_operand(name: str, x: Any) -> Any:
    """An operand that is not complex."""
    x = as_operand(x)
    if dtypes.is_complex(x.dtype):
        raise DTypeError(f"{name} is not defined for complex numbers, got {type_of(x)}: pass real ones.")
    return x


def like(x: Any, value: Any) -> Any:
    """A constant of the dtype of `x`."""
    return x.dtype.type(value)


def numbers(name: str, x: Any, y: Any) -> list[Any]:
    """Two operands promoted, booleans to integers."""
    x, y = promote(name, x, y)
    return [cast(v, dtypes.default_int()) for v in (x, y)] if dtypes.is_bool(x.dtype) else [x, y]


def of_one_shape(x: Any, y: Any) -> list[Any]:
    """Two promoted operands, of which one may be a single number: both of the shape of the other, and strong."""
    shape = type_of(x).shape or type_of(y).shape
    return [cast(broadcast_in_dim(v, shape=shape, dims=tuple(range(type_of(v).ndim))), v.dtype) for v in (x, y)]


def anywhere(x: Any) -> Any:
    """Whether any element of booleans is true."""
    return reduce_or(x, axes=tuple(range(type_of(x).ndim)))


def zeros_of(x: Any) -> Any:
    """Zeros of the type of `x`, without a derivative."""
    from_type = type_of(x)
    return cast(
        broadcast_in_dim(from_type.dtype.type(0), shape=from_type.shape, dims=()), from_type.dtype, from_type.weak
    )
