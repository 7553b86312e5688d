"""Differences, slopes, integrals and interpolation along axes."""

from __future__ import annotations

import math
from collections.abc import Sequence
from typing import Any

from .. import dtypes
from ..arrays import type_of
from ..direct import inexact
from ..errors import ArgumentError, ArgumentTypeError, ShapeError, UnsupportedError
from ..indexing import take
from ..primitives import elementwise as e
from ..promotion import as_operand, cast, promote, promote_dtypes
from .arithmetic import add, subtract, true_divide
from .axes import axes_of, axis_of, integer
from .cumulative import cumsum
from .division import remainder
from .joining import concatenate
from .logic import not_equal, where3
from .operands import like
from .reductions import sum
from .shaping import broadcast_to, moveaxis, ravel, reshape
from .sorting import argsort, searchsorted

__all__ = [
    "diff",
    "ediff1d",
    "gradient",
    "interp",
    "trapezoid",
    "unwrap",
]


def interp(x: Any, xp: Any, fp: Any, left: Any = None, right: Any = None, period: Any = None) -> Any:
    """The piecewise linear function through points, at x.

    Args:
      x: where.
      xp: the points' abscissas, rising (in any order if there is a period).
      fp: their ordinates.
      left: the value below the first point; None: its ordinate. "extrapolate": the first piece goes on.
      right: the value above the last point; None: its ordinate. "extrapolate": the last piece goes on.
      period: of the function; `left` and `right` are not used then.
    """
    x, xs = (cast(v, dtypes.to_inexact(v.dtype)) for v in promote_dtypes(as_operand(x), as_operand(xp)))
    fs = as_operand(fp)
    fs = cast(fs, dtypes.to_inexact(fs.dtype))
    if xs.ndim != 1 or xs.shape != fs.shape:
        raise ShapeError(f"interp needs points as two vectors of one length, got {type_of(xs)} and {type_of(fs)}.")
    if period is not None:
        if left is not None or right is not None:
            left = right = None
        length = abs(period)
        x, xs = remainder(x, length), remainder(xs, length)
        order = argsort(xs)
        xs, fs = take(xs, order), take(fs, order)
        xs = concatenate([xs[-1:] - length, xs, xs[:1] + length], 0)
        fs = concatenate([fs[-1:], fs, fs[:1]], 0)
    n = xs.shape[0]
    above = searchsorted(xs, x, "right")
    above = e.min_(e.max_(above, like(above, 1)), like(above, max(n - 1, 1)))
    below = e.sub(above, like(above, 1))
    x0, x1, f0, f1 = (take(v, i, mode="clip") for v in (xs, fs) for i in (below, above))
    gap = e.sub(x1, x0)
    flat = e.eq(gap, like(gap, 0))
    share = e.div(e.sub(x, x0), where3(flat, like(gap, 1), gap))
    x0f, rise = promote("interp", cast(share, fs.dtype), e.sub(f1, f0))
    out = where3(flat, f0, e.add(f0, e.mul(x0f, rise)))
    if not (isinstance(left, str) and left == "extrapolate"):
        out = where3(e.lt(x, xs[0]), fs[0] if left is None else left, out)
    if not (isinstance(right, str) and right == "extrapolate"):
        out = where3(e.gt(x, xs[-1]), fs[-1] if right is None else right, out)
    return out


def _piece(x: Any, axis: int, start: int | None, stop: int | None, step: int | None = None) -> Any:
    return x[(slice(None),) * axis + (slice(start, stop, step),)]


def diff(a: Any, n: int = 1, axis: int = -1, prepend: Any = None, append: Any = None) -> Any:
    """The differences of neighbours, a[i + 1] - a[i], n times.

    Args:
      a: an array.
      n: how many times.
      axis: along which.
      prepend, append: what to put before and after `a` first: arrays, or numbers.
    """
    x = as_operand(a)
    n = integer("diff", "n", n)
    if n < 0:
        raise ArgumentError(f"diff: n must not be negative, got {n}.")
    if n == 0:
        return x
    if not x.ndim:
        raise ShapeError(f"diff needs an array with at least one axis, got {type_of(x)}.")
    axis = axis_of("diff", axis, x.ndim)
    parts = []
    for v in (prepend, x, append):
        if v is not None:
            v = as_operand(v)
            parts.append(v if v.ndim else broadcast_to(v, tuple(1 if i == axis else m for i, m in enumerate(x.shape))))
    x = concatenate(parts, axis) if len(parts) > 1 else x
    for _ in range(min(n, x.shape[axis])):
        later, former = _piece(x, axis, 1, None), _piece(x, axis, None, -1)
        x = not_equal(later, former) if dtypes.is_bool(x.dtype) else e.sub(later, former)
    return x


def ediff1d(ary: Any, to_end: Any = None, to_begin: Any = None) -> Any:
    """The differences of neighbours of the flattened array, with more elements before and after."""
    out = diff(ravel(ary))
    parts = [
        None if to_begin is None else cast(ravel(to_begin), out.dtype),
        out,
        None if to_end is None else cast(ravel(to_end), out.dtype),
    ]
    return concatenate([p for p in parts if p is not None], 0)


def gradient(f: Any, *varargs: Any, axis: int | Sequence[int] | None = None, edge_order: int | None = None) -> Any:
    """The slopes of sampled values: central differences, one-sided at the ends.

    Args:
      f: the values.
      *varargs: the distance of samples: one for all axes, or one for each; a number, or a vector of coordinates.
      axis: along which axis or axes; None: all.
      edge_order: must be 1 or None.

    Returns:
      An array; a list of them where there are several axes.
    """
    if edge_order not in (None, 1):
        raise UnsupportedError("gradient: edge_order must be 1.")
    x = inexact(as_operand(f))[0]
    axes = axes_of("gradient", axis, x.ndim)
    steps = [1.0] * len(axes) if not varargs else list(varargs) * len(axes) if len(varargs) == 1 else list(varargs)
    if len(steps) != len(axes):
        raise ArgumentTypeError(f"gradient: {len(steps)} distances were given for {len(axes)} axes.")
    found = [_slopes(x, i, h) for i, h in zip(axes, steps, strict=True)]
    return found[0] if len(found) == 1 else found


def _slopes(x: Any, axis: int, h: Any) -> Any:
    n = x.shape[axis]
    if n < 2:
        raise ShapeError(f"gradient of {type_of(x)} along axis {axis}: at least 2 values are needed.")
    h = as_operand(h)
    steps = diff(h) if h.ndim else None
    if steps is not None:
        column = tuple(-1 if i == axis else 1 for i in range(x.ndim))
        steps = reshape(cast(steps, x.dtype), column)
        first, last = _piece(steps, axis, None, 1), _piece(steps, axis, -1, None)
        d1, d2 = _piece(steps, axis, None, -1), _piece(steps, axis, 1, None)
        middle = (
            _piece(x, axis, None, -2) * (-d2 / (d1 * (d1 + d2)))
            + _piece(x, axis, 1, -1) * ((d2 - d1) / (d1 * d2))
            + _piece(x, axis, 2, None) * (d1 / (d2 * (d1 + d2)))
        )
    else:
        first = last = h = cast(h, x.dtype)
        middle = true_divide(subtract(_piece(x, axis, 2, None), _piece(x, axis, None, -2)), h * 2)
    left = true_divide(subtract(_piece(x, axis, 1, 2), _piece(x, axis, 0, 1)), first)
    right = true_divide(subtract(_piece(x, axis, n - 1, n), _piece(x, axis, n - 2, n - 1)), last)
    return concatenate([left, middle, right], axis)


def trapezoid(y: Any, x: Any = None, dx: Any = 1.0, axis: int = -1) -> Any:
    """The integral of sampled values by the trapezoidal rule.

    Args:
      y: the values.
      x: where they were taken; None: at distance `dx`.
      dx: the distance, or distances that broadcast with those of the values.
      axis: along which.
    """
    if x is None:
        y, widths = inexact(as_operand(y))[0], dx
    else:
        y, places = inexact(as_operand(y), as_operand(x))
        widths = diff(places, axis=axis if places.ndim > 1 else -1)
        if places.ndim == 1:
            widths = moveaxis(reshape(widths, (-1,) + (1,) * (y.ndim - 1)), 0, axis)
    place = axis_of("trapezoid", axis, y.ndim)
    heights = add(_piece(y, place, 1, None), _piece(y, place, None, -1))
    return sum(heights * widths, axis) * 0.5


def unwrap(p: Any, discont: Any = None, axis: int = -1, period: Any = 2 * math.pi) -> Any:
    """Angles without jumps: multiples of the period are added where neighbours differ by more than half of it.

    Args:
      p: angles.
      discont: jumps that are smaller are left; by default half the period.
      axis: along which.
      period: what counts as one turn.
    """
    x = as_operand(p)
    axis = axis_of("unwrap", axis, x.ndim)
    step = diff(x, axis=axis)
    if dtypes.is_integer(x.dtype) and dtypes.is_integer(as_operand(period).dtype):
        half, rest = divmod(period, 2)
        even = rest == 0
    else:
        half, even = period / 2, True
    jump = remainder(step + half, period) - half
    if even:
        jump = where3(e.and_(jump == -half, step > 0), jump * 0 + half, jump)
    jump = where3(abs(step) < (period / 2 if discont is None else discont), 0, jump - step)
    return concatenate([_piece(x, axis, None, 1), _piece(x, axis, 1, None) + cumsum(jump, axis)], axis)
