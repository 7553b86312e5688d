"""Functions of the bits of integers, elementwise."""

from __future__ import annotations

from typing import Any

import numpy as np

from .. import dtypes
from ..primitives import elementwise as e
from ..promotion import as_operand, cast
from .arithmetic import abs, binary_function
from .operands import numbers, with_methods

__all__ = [
    "bitwise_and",
    "bitwise_count",
    "bitwise_invert",
    "bitwise_left_shift",
    "bitwise_not",
    "bitwise_or",
    "bitwise_right_shift",
    "bitwise_xor",
    "invert",
    "left_shift",
    "right_shift",
]


bitwise_and = binary_function("bitwise_and", e.and_, "biu", "The bits that are set in both x and y, elementwise.")


bitwise_or = binary_function("bitwise_or", e.or_, "biu", "The bits that are set in x, in y or in both, elementwise.")


bitwise_xor = binary_function("bitwise_xor", e.xor, "biu", "The bits that are set in just one of x and y, elementwise.")


@with_methods
def invert(x: Any, /) -> Any:
    """The bits that are not set in x, elementwise; of booleans, `not`."""
    return e.not_(as_operand(x))


bitwise_not = bitwise_invert = invert


@with_methods
def bitwise_count(x: Any, /) -> Any:
    """How many bits are set in |x|, elementwise, as uint8."""
    x = as_operand(x)
    if dtypes.is_bool(x.dtype):
        return cast(x, np.dtype(np.uint8))
    return cast(e.population_count(abs(x)), np.dtype(np.uint8))


@with_methods
def left_shift(x: Any, y: Any, /) -> Any:
    """X 2**y of integers, by shifting bits, elementwise."""
    return e.shift_left(*numbers("left_shift", x, y))


@with_methods
def right_shift(x1: Any, x2: Any, /) -> Any:
    """floor(x1 / 2**x2) of integers, by shifting bits, elementwise."""
    x, y = numbers("right_shift", x1, x2)
    return (e.shift_right_logical if dtypes.is_unsigned(x.dtype) else e.shift_right_arithmetic)(x, y)


bitwise_left_shift, bitwise_right_shift = left_shift, right_shift
