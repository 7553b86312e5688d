"""Axes as users name them -> positions counted from the front."""

from __future__ import annotations

import operator
from collections.abc import Sequence
from typing import Any

from ..errors import ShapeError

__all__ = ["axes_of", "axis_of"]


def axis_of(name: str, axis: Any, ndim: int) -> int:
    """An axis counted from the front.

    Raises:
      ShapeError: if there is no such axis.
    """
    place = operator.index(axis)
    if not -ndim <= place < ndim:
        raise ShapeError(f"{name}: axis {place} of an array with {ndim} axes: give one from {-ndim} to {ndim - 1}.")
    return place % ndim


def axes_of(name: str, axis: int | Sequence[int] | None, ndim: int) -> tuple[int, ...]:
    """Axes counted from the front; None means all.

    Raises:
      ShapeError: if there is no such axis, or one is there twice.
    """
    if axis is None:
        return tuple(range(ndim))
    if isinstance(axis, (tuple, list)):
        found = tuple(axis_of(name, a, ndim) for a in axis)
        if len(set(found)) != len(found):
            raise ShapeError(f"{name}: axes {tuple(axis)} name one axis twice.")
        return found
    return (axis_of(name, axis, ndim),)
