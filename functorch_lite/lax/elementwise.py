"""The elementwise primitives as functions of arrays and numbers, by JAX's names; made from the primitives themselves.

They are strict: arrays must have one dtype and equally many axes (or none); axes of length 1 are stretched. A Python
number takes the dtype of the array that it stands beside.
"""

from __future__ import annotations

from collections.abc import Callable
from inspect import Parameter, Signature
from typing import Any

import numpy as np

from .. import dtypes
from ..arrays import Array
from ..dtype_lattice import promote_types, result_type
from ..errors import DTypeError
from ..primitives import elementwise as primitives
from ..primitives.base import Elementwise
from ..primitives.structural import broadcast_to
from ..promotion import as_operand, cast
from ..tracing import Tracer
from ..transforms.signature import by_position

__all__: list[str] = []

_NAMES = {
    "and": "bitwise_and",
    "or": "bitwise_or",
    "xor": "bitwise_xor",
    "not": "bitwise_not",
    "regularized_incomplete_beta": "betainc",
}
_OURS = ("mul_strong", "pow", "conj", "div_strong", "select", "convert", "bitcast_convert", "round", "round_away")
"""Primitives that have no function of their name in `jax.lax`, or one of another form (in `operations` and `compounds`)."""
_NUMBERS = (bool, int, float, complex)  # kept here, for `complex` becomes a function below


def strict_operands(what: str, xs: tuple[Any, ...]) -> list[Any]:
    """Arrays as they are; numbers in the dtype of the first array, or of their own if there is none."""
    first = next((x for x in xs if isinstance(x, (Array, Tracer, np.ndarray))), None)
    if first is None:
        return [as_operand(x, what) for x in xs]
    dtype = dtypes.as_dtype(first.dtype)
    return [number_like(x, dtype, what) if isinstance(x, _NUMBERS) else as_operand(x, what) for x in xs]


def stretched_operands(what: str, xs: tuple[Any, ...]) -> list[Any]:
    """`strict_operands`; those that have equally many axes are stretched along axes of length 1."""
    operands = strict_operands(what, xs)
    shapes = {tuple(x.shape) for x in operands if x.ndim}
    if len(shapes) < 2 or len({len(shape) for shape in shapes}) > 1:
        return operands
    lengths = [set(axis) - {1} for axis in zip(*shapes, strict=True)]
    if any(len(found) > 1 for found in lengths):  # the primitive refuses them
        return operands
    shape = tuple(next(iter(found), 1) for found in lengths)
    return [broadcast_to(x, shape) if x.ndim else x for x in operands]


def number_like(x: Any, dtype: np.dtype, what: str) -> Any:
    """A Python number in a dtype that can hold its kind of numbers.

    Raises:
      DTypeError: for others: nothing is rounded or wrapped unasked.
    """
    value = as_operand(x, what)
    if promote_types(dtype, value.dtype) != dtype and result_type(dtype, type(x)) != dtype:
        raise DTypeError(f"{what}, {x!r}, does not go into {dtypes.short_name(dtype)}: cast the array with astype.")
    return cast(value, dtype)


def _function(primitive: Elementwise, name: str) -> Callable[..., Any]:
    operands = primitive.operands
    make = {("x",): _of_one, ("x", "y"): _of_two}.get(operands, _of_any) if not primitive.params else _of_any
    function = make(primitive, f"an operand of {name}", operands)
    function.__name__ = function.__qualname__ = name
    function.__doc__ = (
        f"The primitive `{primitive.name}` on arrays of one dtype and shape (or rank 0), element by element."
    )
    return function


def _of_one(primitive: Elementwise, what: str, names: tuple[str, ...]) -> Callable[..., Any]:
    def function(x: Any) -> Any:
        return primitive(*strict_operands(what, (x,)))

    return function


def _of_two(primitive: Elementwise, what: str, names: tuple[str, ...]) -> Callable[..., Any]:
    def function(x: Any, y: Any) -> Any:
        return primitive(*stretched_operands(what, (x, y)))

    return function


def _of_any(primitive: Elementwise, what: str, names: tuple[str, ...]) -> Callable[..., Any]:
    """Of operands by other names, and with params."""
    params = sorted(primitive.params)  # by the alphabet is by position, in JAX
    positional = [Parameter(n, Parameter.POSITIONAL_OR_KEYWORD, annotation=Any) for n in (*names, *params)]
    signature = Signature(positional, return_annotation=Any)

    def function(*args: Any, **kwargs: Any) -> Any:
        args = by_position(function.__name__, signature, args, kwargs)
        return primitive(
            *stretched_operands(what, args[: len(names)]), **dict(zip(params, args[len(names) :], strict=True))
        )

    function.__signature__ = signature  # type: ignore[attr-defined]
    return function


for _value in list(vars(primitives).values()):
    if isinstance(_value, Elementwise) and _value.name not in _OURS:
        _name = _NAMES.get(_value.name, _value.name)
        globals()[_name] = _function(_value, _name)
        __all__ += [_name]
__all__ = sorted(set(__all__))
