"""Differences, integrals, polynomials, windows, histograms, and functions applied along axes."""

from __future__ import annotations

import math
from collections.abc import Callable, Sequence
from typing import Any

import numpy as np

from .. import dtypes
from ..arrays import from_host, type_of
from ..direct import inexact
from ..errors import ShapeError
from ..index_plan import host_value
from ..primitives import elementwise as e
from ..promotion import as_operand, cast, promote, promote_dtypes
from ..transforms.vmap import vmap
from .axes import axes_of, axis_of
from .contraction import convolve
from .creation import arange, asarray, filled, linspace
from .elementwise import add, i0, like, remainder, subtract, true_divide
from .logic import not_equal, where3
from .manipulation import broadcast_to, concatenate, moveaxis, ravel, reshape, take
from .reductions import cumsum, max, min, sum
from .searching import bincount, searchsorted

__all__ = [
    "apply_along_axis",
    "apply_over_axes",
    "bartlett",
    "blackman",
    "diff",
    "ediff1d",
    "fill_diagonal",
    "gradient",
    "hamming",
    "hanning",
    "histogram",
    "histogram_bin_edges",
    "kaiser",
    "piecewise",
    "place",
    "poly",
    "polyadd",
    "polyder",
    "polyint",
    "polymul",
    "polysub",
    "polyval",
    "put",
    "ravel_multi_index",
    "trapezoid",
    "unravel_index",
    "unwrap",
]


def _piece(x: Any, axis: int, start: int | None, stop: int | None, step: int | None = None) -> Any:
    return x[(slice(None),) * axis + (slice(start, stop, step),)]


# Differences and integrals.


def diff(a: Any, n: int = 1, axis: int = -1, prepend: Any = None, append: Any = None) -> Any:
    """The differences of neighbours, a[i + 1] - a[i], n times.

    Args:
      a: an array.
      n: how many times.
      axis: along which.
      prepend, append: what to put before and after `a` first: arrays, or numbers.
    """
    x = as_operand(a)
    if n < 0:
        raise ValueError(f"diff: n must not be negative, got {n}.")
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
    for _ in range(n):
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
        raise NotImplementedError("gradient: edge_order must be 1.")
    x = inexact(as_operand(f))[0]
    axes = axes_of("gradient", axis, x.ndim)
    steps = [1.0] * len(axes) if not varargs else list(varargs) * len(axes) if len(varargs) == 1 else list(varargs)
    if len(steps) != len(axes):
        raise TypeError(f"gradient: {len(steps)} distances were given for {len(axes)} axes.")
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
      dx: the distance.
      axis: along which.
    """
    if x is None:
        y, widths = inexact(as_operand(y))[0], dx
    else:
        y, places = inexact(as_operand(y), as_operand(x))
        widths = moveaxis(diff(places, axis=axis), axis, -1) if places.ndim > 1 else diff(places)
    y = moveaxis(y, axis, -1)
    heights = add(y[..., 1:], y[..., :-1])
    return sum(heights * widths, -1) * 0.5


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
    if dtypes.is_integer(x.dtype):
        half, rest = divmod(period, 2)
        even = rest == 0
    else:
        half, even = period / 2, True
    jump = remainder(step + half, period) - half
    if even:
        jump = where3(e.and_(jump == -half, step > 0), jump * 0 + half, jump)
    jump = where3(abs(step) < (half if discont is None else discont), 0, jump - step)
    return concatenate([_piece(x, axis, None, 1), _piece(x, axis, 1, None) + cumsum(jump, axis)], axis)


# Polynomials: coefficients, that of the highest power first.


def polyval(p: Any, x: Any, *, unroll: int = 16) -> Any:
    """The value of a polynomial, sum over i of p[i] x^(n - 1 - i), by Horner's rule.

    Args:
      p: coefficients.
      x: where.
      unroll: taken for JAX's sake.
    """
    p, x = promote_dtypes(as_operand(p), as_operand(x))
    out = broadcast_to(p[0] * 0, x.shape)
    for i in range(p.shape[0]):
        out = add(out * x, p[i])
    return out


def polyadd(a1: Any, a2: Any) -> Any:
    """The coefficients of the sum of two polynomials."""
    a, b = promote_dtypes(as_operand(a1), as_operand(a2))
    n = builtins_max(a.shape[0], b.shape[0])
    return add(*(concatenate([filled(0, (n - v.shape[0],), v.dtype), v], 0) for v in (a, b)))


def polysub(a1: Any, a2: Any) -> Any:
    """The coefficients of the difference of two polynomials."""
    return polyadd(a1, -as_operand(a2))


def polymul(a1: Any, a2: Any, *, trim_leading_zeros: bool = False) -> Any:
    """The coefficients of the product of two polynomials.

    Args:
      a1, a2: coefficients.
      trim_leading_zeros: whether to drop zeros in front, whose values must be known.
    """
    a, b = promote_dtypes(as_operand(a1), as_operand(a2))
    if trim_leading_zeros:
        a, b = (
            v[builtins_min(int(np.argmax(np.append(np.asarray(host_value(v)) != 0, True))), v.shape[0] - 1) :]
            for v in (a, b)
        )
    return convolve(a, b)


def polyder(p: Any, m: int = 1) -> Any:
    """The coefficients of the m-th derivative of a polynomial."""
    p = inexact(as_operand(p))[0]
    for _ in range(m):
        n = p.shape[0]
        p = p[:-1] * from_host(np.arange(n - 1, 0, -1).astype(p.dtype)) if n > 1 else p[:0]
    return p


def polyint(p: Any, m: int = 1, k: Any = None) -> Any:
    """The coefficients of the m-th integral of a polynomial.

    Args:
      p: coefficients.
      m: how many times.
      k: the constants of integration, by default 0.
    """
    p = inexact(as_operand(p))[0]
    constants = broadcast_to(cast(as_operand(0 if k is None else asarray(k)), p.dtype), (m,)) if m else None
    for i in range(m):
        p = concatenate([p / from_host(np.arange(p.shape[0], 0, -1).astype(p.dtype)), constants[i : i + 1]], 0)  # type: ignore[index]
    return p


def poly(seq_of_zeros: Any) -> Any:
    """The coefficients of the polynomial with given zeros, of which the first is 1."""
    zeros_ = inexact(as_operand(seq_of_zeros))[0]
    if zeros_.ndim != 1:
        raise NotImplementedError("poly takes a vector of zeros; matrices are not supported yet.")
    out = filled(1, (1,), zeros_.dtype)
    for i in range(zeros_.shape[0]):
        out = convolve(out, concatenate([filled(1, (1,), zeros_.dtype), -zeros_[i : i + 1]], 0))
    return out


def builtins_max(*values: int) -> int:
    """The largest of integers."""
    return sorted(values)[-1]


def builtins_min(*values: int) -> int:
    """The smallest of integers."""
    return sorted(values)[0]


# Windows.


def _window(name: str, host: Callable[[int], Any], doc: str) -> Callable[[int], Any]:
    def function(M: int) -> Any:
        return from_host(np.asarray(host(M)).astype(dtypes.default_float()))

    function.__name__ = function.__qualname__ = name
    function.__doc__ = f"{doc}, with M points, of the default float dtype."
    return function


bartlett = _window("bartlett", np.bartlett, "The triangular window")
blackman = _window("blackman", np.blackman, "The Blackman window")
hamming = _window("hamming", np.hamming, "The Hamming window")
hanning = _window("hanning", np.hanning, "The Hann window")


def kaiser(M: int, beta: Any) -> Any:
    """The Kaiser window of a given shape, with M points, of the default float dtype."""
    beta = cast(as_operand(beta), dtypes.default_float())
    if M == 1:
        return filled(1, (1,), beta.dtype)
    place = 2 * arange(M, dtype=beta.dtype) / (M - 1) - 1
    inside = 1 - place * place
    root = e.sqrt(e.max_(inside, like(inside, 0)))
    return i0(beta * root) / i0(beta)


# Histograms.


def histogram_bin_edges(a: Any, bins: Any = 10, range: Any = None, weights: Any = None) -> Any:
    """The edges of the bins that `histogram` counts in."""
    x = as_operand(a)
    if not isinstance(bins, int):
        edges = asarray(bins)
        if edges.ndim == 1:
            return edges
        bins = int(edges)
    x = inexact(ravel(x))[0]
    if range is None:
        low, high = (min(x), max(x)) if x.size else (like(x, 0), like(x, 1))
    else:
        low, high = (cast(as_operand(v), x.dtype) for v in range)
    same = e.eq(low, high)
    low, high = where3(same, e.sub(low, like(low, 0.5)), low), where3(same, e.add(high, like(high, 0.5)), high)
    return linspace(low, high, bins + 1, dtype=x.dtype)


def histogram(
    a: Any, bins: Any = 10, range: Any = None, weights: Any = None, density: bool | None = None
) -> tuple[Any, Any]:
    """How many values fall into each bin.

    Args:
      a: values.
      bins: how many, of equal width; or their edges.
      range: (lowest, highest) edge; by default the least and the largest value.
      weights: what each value counts.
      density: whether to scale so that the integral is 1.

    Returns:
      (counts as floats, edges). The last bin holds both its edges.
    """
    x = inexact(ravel(a))[0]
    edges = histogram_bin_edges(a, bins, range, weights)
    x, edges_ = promote_dtypes(x, edges)
    n = edges_.shape[0] - 1
    w = filled(1, tuple(x.shape), x.dtype) if weights is None else ravel(weights)
    place = searchsorted(edges_, x, "right")
    place = where3(e.eq(x, edges_[-1]), n, place)
    inside = e.and_(e.ge(place, like(place, 1)), e.le(place, like(place, n)))
    counts = bincount(where3(inside, place - 1, n), where3(inside, w, w * 0), length=n + 1)[:n]
    if density:
        counts = true_divide(counts, diff(edges_)) / sum(counts)
    return counts, edges


# Functions along axes, and pieces.


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
    for _ in range(x.ndim - 1 - axis):
        mapped = vmap(mapped, in_axes=1, out_axes=-1)
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
        raise ValueError(
            f"piecewise: {len(conditions)} conditions need as many functions, or one more; got {len(functions)}."
        )
    default = functions.pop() if len(functions) > len(conditions) else 0

    def value(f: Any) -> Any:
        return cast(asarray(f(x, *args, **kw) if callable(f) else f), x.dtype)

    out = broadcast_to(value(default), x.shape)
    for condition, f in zip(conditions, functions, strict=True):
        out = where3(condition, value(f), out)
    return out


def _functional(name: str, inplace: bool) -> None:
    if inplace:
        raise ValueError(f"{name}: arrays do not change: pass inplace=False, and use the result.")


def fill_diagonal(a: Any, val: Any, wrap: bool = False, *, inplace: bool = True) -> Any:
    """`a` with its main diagonal replaced.

    Args:
      a: an array with at least two axes.
      val: what to put there.
      wrap: must be False.
      inplace: must be False, arrays do not change.
    """
    _functional("fill_diagonal", inplace)
    if wrap:
        raise NotImplementedError("fill_diagonal with wrap=True is not there.")
    x = as_operand(a)
    if x.ndim < 2:
        raise ShapeError(f"fill_diagonal needs at least 2 axes, got {type_of(x)}.")
    n = sorted(x.shape)[0]
    values = as_operand(val)
    return x.at[(np.arange(n),) * x.ndim].set(cast(values if not values.ndim else ravel(values)[:n], x.dtype))


def put(a: Any, ind: Any, v: Any, mode: str | None = None, *, inplace: bool = True) -> Any:
    """`a` with elements of the flattened array replaced.

    Args:
      a: an array.
      ind: positions in the flattened array.
      v: values, repeated as needed.
      mode: out of range: "clip", "wrap", or by default: dropped.
      inplace: must be False, arrays do not change.
    """
    _functional("put", inplace)
    x, places = as_operand(a), ravel(asarray(ind))
    values = ravel(asarray(v))
    if not places.size or not values.size:
        return x
    values = take(values, np.arange(places.shape[0]) % values.shape[0])
    if mode == "wrap":
        places = remainder(places, x.size)
    elif mode == "clip":
        places = e.min_(e.max_(places, like(places, 0)), like(places, x.size - 1))
    return reshape(ravel(x).at[places].set(cast(values, x.dtype), mode="drop"), x.shape)


def place(arr: Any, mask: Any, vals: Any, *, inplace: bool = True) -> Any:
    """`arr` with the first of `vals` where `mask` first holds, the second where it next holds, and so on.

    Args:
      arr: an array.
      mask: of its shape.
      vals: values, repeated as needed.
      inplace: must be False, arrays do not change.
    """
    _functional("place", inplace)
    x, m, values = as_operand(arr), ravel(asarray(mask)), ravel(asarray(vals))
    rank = cumsum(cast(m, dtypes.default_int())) - 1
    chosen = take(values, remainder(rank, values.shape[0]), mode="clip")
    return reshape(where3(m, cast(chosen, x.dtype), ravel(x)), x.shape)


def unravel_index(indices: Any, shape: Any) -> tuple[Any, ...]:
    """Positions in the flattened array -> positions along each axis of a shape."""
    shape = tuple(shape) if isinstance(shape, (tuple, list)) else (shape,)
    flat = asarray(indices)
    size = math.prod(shape)
    flat = e.min_(e.max_(flat, like(flat, -size)), like(flat, size - 1))
    flat = where3(flat < 0, flat + size, flat)
    out = []
    for n in shape[::-1]:
        out.append(remainder(flat, n))
        flat = flat // n
    return tuple(out[::-1])


def ravel_multi_index(
    multi_index: Sequence[Any], dims: Sequence[int], mode: str = "raise", order: str = "C", *, dtype: Any = None
) -> Any:
    """Positions along each axis of a shape -> positions in the flattened array.

    Args:
      multi_index: integers for each axis.
      dims: the shape.
      mode: out of range: "raise" (where values are known), "wrap" or "clip".
      order: "C" or "F".
      dtype: the dtype of the result.
    """
    places = promote("ravel_multi_index", *map(asarray, multi_index))
    if mode not in ("raise", "wrap", "clip"):
        raise ValueError(f"ravel_multi_index: mode must be 'raise', 'wrap' or 'clip', got {mode!r}.")
    fixed = []
    for p, n in zip(places, dims, strict=True):
        if mode == "raise":
            value = host_value(p)
            if value is not None and value.size and (value.min() < 0 or value.max() >= n):
                raise ValueError(f"ravel_multi_index: a position is out of range for an axis of length {n}.")
        fixed.append(
            remainder(p, n)
            if mode == "wrap"
            else e.min_(e.max_(p, like(p, 0)), like(p, n - 1))
            if mode == "clip"
            else p
        )
    pairs = list(zip(fixed, dims, strict=True))
    out: Any = None
    stride = 1
    for p, n in pairs[::-1] if order == "C" else pairs:
        out = p * stride if out is None else out + p * stride
        stride *= n
    return out if dtype is None else cast(out, dtypes.as_dtype(dtype))
