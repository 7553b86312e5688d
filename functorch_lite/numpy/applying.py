"""Functions applied along axes and to pieces."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import Any

from ..errors import ArgumentError
from ..promotion import as_operand, cast
from ..transforms.vmap import vmap
from .axes import axis_of
from .creation import asarray
from .logic import where3
from .shaping import broadcast_to, reshape

__all__ = [
    "apply_along_axis",
    "apply_over_axes",
    "piecewise",
]


def apply_along_axis(func1d: Callable[..., Any], axis: int, arr: Any, *args: Any, **kwargs: Any) -> Any:
    """`func1d` of every line of an array along an axis.

    Args:
      func1d: a function of a vector (and `*args`, `**kwargs`).
      axis: along which.
      arr: an array.
    """
    x = as_operand(arr)
    axis = axis_of("apply_along_axis", axis, x.ndim)

    def function(line: Any) -> Any:
        return asarray(func1d(line, *args, **kwargs))

    mapped: Callable[[Any], Any] = function
    for i in range(1, x.ndim - axis):
        mapped = vmap(mapped, in_axes=i, out_axes=-1)
    for _ in range(axis):
        mapped = vmap(mapped, in_axes=0, out_axes=0)
    return mapped(x)


def apply_over_axes(func: Callable[[Any, int], Any], a: Any, axes: Sequence[int]) -> Any:
    """`func(a, axis)` for several axes in turn, the axes kept in with length 1."""
    x = as_operand(a)
    every: Sequence[int] = axes if isinstance(axes, (tuple, list)) else [axes]  # type: ignore[list-item]
    for axis in every:
        out = func(x, axis_of("apply_over_axes", axis, x.ndim))
        shape = tuple(1 if i == axis % x.ndim else n for i, n in enumerate(x.shape))
        x = out if out.ndim == x.ndim else reshape(out, shape)
    return x


def piecewise(x: Any, condlist: Any, funclist: Sequence[Any], *args: Any, **kw: Any) -> Any:
    """For each element, the function whose condition holds (the last of those).

    Args:
      x: an array.
      condlist: conditions, of the shape of `x`.
      funclist: a function of arrays or a number for each condition; one more is for where none holds (by default 0).
      *args, **kw: further arguments of the functions.
    """
    x = as_operand(x)
    conditions = [as_operand(c) for c in (condlist if isinstance(condlist, (tuple, list)) else [condlist])]
    functions = list(funclist)
    if len(functions) not in (len(conditions), len(conditions) + 1):
        raise ArgumentError(
            f"piecewise: {len(conditions)} conditions need as many functions, or one more; got {len(functions)}."
        )
    default = functions.pop() if len(functions) > len(conditions) else 0

    def value(f: Any) -> Any:
        return cast(asarray(f(x, *args, **kw) if callable(f) else f), x.dtype)

    out = broadcast_to(value(default), x.shape)
    for condition, f in zip(conditions, functions, strict=True):
        out = where3(condition, value(f), out)
    return out
