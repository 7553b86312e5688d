"""What the samplers are given: shapes, dtypes, and parameters that stretch to the shape."""

from __future__ import annotations

from typing import Any

import numpy as np

from .. import dtypes, promotion
from ..array_type import Shape
from ..arrays import type_of
from ..errors import DTypeError, ShapeError
from ..primitives.structural import broadcast_in_dim
from ..promotion import as_operand, broadcast_shapes

__all__ = ["cast", "checked_shape", "float_dtype", "integer_dtype", "operands", "result_shape", "stretched"]


def cast(x: Any, dtype: np.dtype) -> Any:
    """An operand in another dtype, unless it has it."""
    return promotion.cast(x, dtype)


def checked_shape(shape: Any, name: str) -> Shape:
    """A shape that a user gave: integers, none negative."""
    if isinstance(shape, (int, np.integer)):
        shape = (shape,)
    try:
        out = tuple([n if type(n) is int else n.__index__() for n in shape])
    except (TypeError, AttributeError):
        raise DTypeError(f"{name}: a shape is a tuple of integers, got {shape!r}.") from None
    if out and min(out) < 0:
        raise ShapeError(f"{name}: the shape {out} has a negative length.")
    return out


def result_shape(shape: Any, name: str, *parts: Any) -> Shape:
    """The shape of the result, to which the parameters must stretch; None: the shape they have together."""
    shapes = [p.shape for p in parts]
    if shape is None:
        return broadcast_shapes(name, shapes or [()])
    out = checked_shape(shape, name)
    for own in shapes:
        if own and own != out and broadcast_shapes(name, [out, own]) != out:
            raise ShapeError(f"{name}: a parameter of shape {own} does not stretch to the shape {out} asked for.")
    return out


def float_dtype(dtype: Any, name: str) -> np.dtype:
    """A floating dtype; the default one for None."""
    if dtype is None:
        return dtypes.default_float()
    found = dtypes.as_dtype(dtype)
    if not dtypes.is_floating(found):
        raise DTypeError(f"{name} gives floats, but the dtype asked for is {dtypes.short_name(found)}.")
    return found


def integer_dtype(dtype: Any, name: str) -> np.dtype:
    """An integer dtype; the default one for None."""
    if dtype is None:
        return dtypes.default_int()
    found = dtypes.as_dtype(dtype)
    if not dtypes.is_integer(found):
        raise DTypeError(f"{name} gives integers, but the dtype asked for is {dtypes.short_name(found)}.")
    return found


def operands(name: str, **parameters: Any) -> list[Any]:
    """Parameters as arrays of real numbers."""
    out = []
    for what, value in parameters.items():
        x = as_operand(value, f"{what} of {name}")
        if dtypes.is_complex(x.dtype):
            raise DTypeError(f"{name}: {what} must be real, got {type_of(x)}.")
        out.append(x)
    return out


def stretched(x: Any, shape: Shape, dtype: np.dtype) -> Any:
    """A parameter in the shape and dtype of the result."""
    x = cast(x, dtype)
    own = x.shape
    if own == shape:
        return x
    return broadcast_in_dim(x, shape=shape, dims=tuple(range(len(shape) - len(own), len(shape))))
