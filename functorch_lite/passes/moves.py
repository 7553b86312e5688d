"""What only moves elements: where in its operand an equation reads each element of its result.

This is asked of the primitive's `element` rule, by running it on axes instead of indices.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from ..program import Equation

__all__ = ["reads_flat", "source_axes"]


class _NotAMove(Exception):
    """An element rule that does more than to read its operand at the same place."""


class _ReadsFlat(_NotAMove):
    """A reshape that does more than to add or drop axes of length 1."""


class _Probe:
    """Stands for `passes.elements.Elements`, to see where an element rule reads its operand. An index is an axis or None."""

    zero = None

    def __init__(self, equation: Equation):
        self.types = [a.type for a in equation.operands]
        self.shape = equation.results[0].type.shape

    def operand(self, i: int, index: Sequence[Any]) -> list[Any]:
        return list(index)

    def reshaped(self, i: int, index: Sequence[Any]) -> list[Any]:
        lengths = [n for n in self.types[i].shape if n != 1]
        if lengths != [n for n in self.shape if n != 1]:
            raise _ReadsFlat
        rest = iter([k for k, n in zip(index, self.shape, strict=True) if n != 1])
        return [None if n == 1 else next(rest) for n in self.types[i].shape]

    def of(self, dtype: Any, op: str, x: Any) -> Any:
        return x

    def __getattr__(self, name: str) -> Any:
        raise _NotAMove


class _Axis(int):
    """A result's axis; any arithmetic on it means that elements do not stay in place."""

    def _moved(self, other: Any) -> Any:
        raise _NotAMove

    __add__ = __sub__ = __mul__ = _moved


def source_axes(equation: Equation) -> list[int | None] | None:
    """For each axis of the operand, the axis of the result that it becomes (None: of length 1); None if it is otherwise."""
    shape = equation.results[0].type.shape
    probe = _Probe(equation)
    try:
        found = equation.primitive.element(probe, [_Axis(k) for k in range(len(shape))], **equation.params)  # type: ignore[misc]
    except _NotAMove:
        return None
    if not isinstance(found, list):
        return None
    return [None if k is None or n == 1 else int(k) for k, n in zip(found, probe.types[0].shape, strict=True)]


def reads_flat(equation: Equation) -> bool:
    """Whether an element rule reads its operand by the place in memory, so that it must be a buffer."""
    index = [_Axis(k) for k in range(len(equation.results[0].type.shape))]
    try:
        equation.primitive.element(_Probe(equation), index, **equation.params)  # type: ignore[misc]
    except _ReadsFlat:
        return True
    except _NotAMove:
        return False
    return False
