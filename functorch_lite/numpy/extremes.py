"""The largest and smallest elements along axes, and where they are."""

from __future__ import annotations

import math
from collections.abc import Callable
from typing import Any

import numpy as np

from .. import dtypes
from ..arrays import type_of
from ..errors import ArgumentError
from ..primitives import elementwise as e
from ..primitives import reduction
from ..primitives.sorting import sort as sort_p
from ..primitives.structural import expand_dims, reshape
from ..promotion import as_operand, cast, promote
from .axes import axes_of, axis_of
from .creation import filled
from .logic import isnan, where3
from .operands import initial_operand, no_out
from .reductions import Axis, keep, masked, strong
from .shaping import moveaxis, ravel

__all__ = [
    "amax",
    "amin",
    "argmax",
    "argmin",
    "max",
    "min",
    "ptp",
]


def _lowest(dtype: np.dtype) -> Any:
    if dtypes.is_bool(dtype):
        return False
    if dtypes.is_complex(dtype):
        return complex(-math.inf, -math.inf)
    return -math.inf if dtypes.is_floating(dtype) else dtypes.iinfo(dtype).min


def _highest(dtype: np.dtype) -> Any:
    if dtypes.is_bool(dtype):
        return True
    if dtypes.is_complex(dtype):
        return complex(math.inf, math.inf)
    return math.inf if dtypes.is_floating(dtype) else dtypes.iinfo(dtype).max


def _extreme(
    name: str,
    primitive: Any,
    combine: Any,
    unit: Callable[[np.dtype], Any],
    a: Any,
    axis: Axis,
    keepdims: bool,
    initial: Any,
    where: Any,
) -> Any:
    x = strong(as_operand(a))
    axes = axes_of(name, axis, x.ndim)
    if where is not None and initial is None:
        raise ArgumentError(f"{name} with a mask `where` needs `initial`, which counts where nothing is left.")
    empty = [i for i in axes if x.shape[i] == 0]
    if empty and initial is None:
        raise ArgumentError(
            f"{name} of {type_of(x)} along axis {empty[0]} of length 0: there is nothing; give `initial`."
        )
    if where is not None:
        x = masked(x, where, unit(x.dtype))
    if dtypes.is_complex(x.dtype) and not empty:
        out = _complex_extreme(name, x, axes)
    elif empty:
        out = filled(unit(x.dtype), tuple(n for i, n in enumerate(x.shape) if i not in axes), x.dtype)
    else:
        out = primitive(x, axes=axes) if axes else x
    if initial is not None:
        out = combine(*promote(name, out, cast(initial_operand(name, initial), x.dtype)))
    return keep(out, axes, keepdims)


def _complex_extreme(name: str, x: Any, axes: tuple[int, ...]) -> Any:
    """By real parts, then imaginary ones: the last, or first, of a sorted line; NaN, if there is one."""
    x, _ = flattened(x, axes)
    nan, ordered = sort_p(isnan(x), x, dimension=x.ndim - 1, is_stable=True, num_keys=2)
    last = ordered[..., -1]
    return last if name == "max" else where3(nan[..., -1], last, ordered[..., 0])


def flattened(x: Any, axes: tuple[int, ...]) -> tuple[Any, tuple[Any, ...]]:
    """`x` with the axes joined to one, the last; and the lengths of the others."""
    kept = tuple(n for i, n in enumerate(x.shape) if i not in axes)
    x = moveaxis(x, axes, tuple(range(x.ndim - len(axes), x.ndim)))
    return reshape(x, shape=(*kept, math.prod(x.shape[len(kept) :]))), kept


def max(
    a: Any, axis: Axis = None, out: None = None, keepdims: bool = False, initial: Any = None, where: Any = None
) -> Any:
    """The largest element; NaN if there is one. Arguments as of `sum`; `where` needs `initial`."""
    no_out("max", out)
    return _extreme("max", reduction.reduce_max, e.max_, _lowest, a, axis, keepdims, initial, where)


def min(
    a: Any, axis: Axis = None, out: None = None, keepdims: bool = False, initial: Any = None, where: Any = None
) -> Any:
    """The smallest element; NaN if there is one. Arguments as of `sum`; `where` needs `initial`."""
    no_out("min", out)
    return _extreme("min", reduction.reduce_min, e.min_, _highest, a, axis, keepdims, initial, where)


amax, amin = max, min


def ptp(a: Any, axis: Axis = None, out: None = None, keepdims: bool = False) -> Any:
    """The largest element less the smallest."""
    no_out("ptp", out)
    return e.sub(max(a, axis, keepdims=keepdims), min(a, axis, keepdims=keepdims))


def _arg(name: str, primitive: Any, a: Any, axis: int | None, out: Any, keepdims: bool | None) -> Any:
    no_out(name, out)
    x = as_operand(a)
    rank = x.ndim
    if axis is None:
        x, place = ravel(x), 0
    else:
        place = axis_of(name, axis, rank)
    if not x.size and x.shape[place] == 0:
        raise ArgumentError(f"{name} of {type_of(x)}: there is nothing along an axis of length 0.")
    found = primitive(x, axis=place, index_dtype=dtypes.position_dtype(x.shape[place]))
    if not keepdims:
        return found
    return reshape(found, shape=(1,) * rank) if axis is None else expand_dims(found, place)


def argmax(a: Any, axis: int | None = None, out: None = None, keepdims: bool | None = None) -> Any:
    """The position of the largest element: the first, where there are several.

    Args:
      a: an array of real numbers; NaN counts as largest.
      axis: along which; None: of the flattened array.
      out: must be None, arrays do not change.
      keepdims: whether to leave the axis in, with length 1.
    """
    return _arg("argmax", reduction.argmax, a, axis, out, keepdims)


def argmin(a: Any, axis: int | None = None, out: None = None, keepdims: bool | None = None) -> Any:
    """The position of the smallest element; as `argmax`."""
    return _arg("argmin", reduction.argmin, a, axis, out, keepdims)
