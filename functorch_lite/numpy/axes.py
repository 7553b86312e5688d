"""Axes as users name them -> positions counted from the front."""

from __future__ import annotations

import operator
from typing import Any

from ..errors import ConcretizationTypeError, DTypeError, ShapeError

__all__ = ["axes_of", "axis_of", "integer", "integers"]


def integer(name: str, what: str, value: Any) -> int:
    """A number that says how many, or where, as Python's integer.

    Raises:
      DTypeError: if it is none.

    >>> integer("eye", "N", 3)
    3
    """
    try:
        return operator.index(value)
    except ConcretizationTypeError:
        raise
    except TypeError:
        raise DTypeError(f"{name}: {what} must be an integer, got {value!r} of type {type(value).__name__}.") from None


def integers(name: str, what: str, values: Any) -> tuple[int, ...]:
    """Several of them, or one.

    >>> integers("tile", "reps", 2)
    (2,)
    """
    return tuple(integer(name, what, n) for n in (values if isinstance(values, (tuple, list)) else (values,)))


def axis_of(name: str, axis: Any, ndim: int) -> int:
    """An axis counted from the front.

    Raises:
      ShapeError: if there is no such axis.
    """
    place = integer(name, "axis", axis)
    if not -ndim <= place < ndim:
        raise ShapeError(f"{name}: axis {place} of an array with {ndim} axes: give one from {-ndim} to {ndim - 1}.")
    return place % ndim


def axes_of(name: str, axis: Any, ndim: int) -> tuple[int, ...]:
    """Axes counted from the front, of one or several; None means all.

    Raises:
      ShapeError: if there is no such axis, or one is there twice.
    """
    if axis is None:
        return tuple(range(ndim))
    if isinstance(axis, (tuple, list, range)) or getattr(axis, "ndim", 0) == 1:
        found = tuple(axis_of(name, a, ndim) for a in axis)
        if len(set(found)) != len(found):
            raise ShapeError(f"{name}: axes {tuple(axis)} name one axis twice.")
        return found
    return (axis_of(name, axis, ndim),)
