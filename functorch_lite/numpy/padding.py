"""`pad`: an array with a border, in any of NumPy's ways."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from itertools import pairwise
from typing import Any

import numpy as np

from ..arrays import type_of
from ..errors import ArgumentError, ShapeError, UnsupportedError
from ..indexing import getitem, take
from ..primitives.slicing import pad as pad_p
from ..primitives.slicing import rev
from ..primitives.structural import broadcast_to
from ..promotion import as_operand, cast
from ..transforms.vmap import vmap
from .axes import integer
from .extremes import max as max_
from .extremes import min as min_
from .joining import concatenate
from .moments import mean
from .quantiles import median
from .ranges import linspace
from .rounding import round as round_
from .shaping import moveaxis

__all__ = ["pad"]

MOST_PIECES = 8
"""Of a border: what is far longer than the array is looked up, place by place."""

_COPYING = ("edge", "reflect", "symmetric", "wrap")
_STATISTICS = {"maximum": max_, "minimum": min_, "mean": mean, "median": median}
_OPTIONS = {
    "constant": "constant_values",
    "linear_ramp": "end_values",
    "reflect": "reflect_type",
    "symmetric": "reflect_type",
    **dict.fromkeys(_STATISTICS, "stat_length"),
}
"""The option that a mode takes, where it takes one."""


def pad(array: Any, pad_width: Any, mode: str | Callable[..., Any] = "constant", **kwargs: Any) -> Any:
    """`array` with elements put before and after it along each axis.

    Args:
      array: an array.
      pad_width: how many: a number, (before, after), one such pair for each axis, or a dict from axes to these.
      mode: "constant" (with `constant_values`), "edge", "linear_ramp" (with `end_values`), "maximum", "minimum", "mean" or
        "median" (with `stat_length`), "reflect" or "symmetric" (with `reflect_type`), "wrap", "empty"; or a function
        (vector, widths, axis, kwargs) -> vector.
      **kwargs: what the mode takes.

    >>> pad(np.arange(3, dtype=np.int32), (1, 2), mode="reflect")
    Array([1, 0, 1, 2, 1, 0], dtype=int32)
    """
    x = as_operand(array)
    widths = _widths(x, pad_width)
    if callable(mode):
        return _by_function(x, widths, mode, kwargs)
    if mode not in (*_OPTIONS, "edge", "wrap", "empty"):
        raise UnsupportedError(f"pad: there is no mode {mode!r}; use one of NumPy's.")
    unknown = sorted(kwargs.keys() - {_OPTIONS.get(mode)})
    if unknown:
        raise ArgumentError(f"pad: mode {mode!r} takes {_OPTIONS.get(mode, 'no options')}, but {unknown} was given.")
    if mode in ("constant", "empty"):
        return _constant(x, widths, kwargs.get("constant_values", 0))
    if mode in ("reflect", "symmetric") and kwargs.get("reflect_type", "even") == "odd":
        return _odd(x, widths, mode)
    for axis, (before, after) in enumerate(widths):
        if before or after:
            x = _along(x, axis, before, after, mode, kwargs)
    return x


def _pairs(value: Any, ndim: int, what: str) -> list[tuple[Any, Any]]:
    """(before, after) for each axis, from a number, a pair, or pairs."""
    items = value if isinstance(value, (tuple, list, np.ndarray)) else [value]
    if all(not np.ndim(v) for v in items):
        items = [items]
    if all(np.ndim(v) == 1 and 1 <= len(v) <= 2 for v in items) and len(items) in (1, ndim):
        pairs = [(v[0], v[-1]) for v in items]
        return pairs * ndim if len(pairs) == 1 else pairs
    raise ShapeError(f"pad: {what} {value!r} must be a number, a pair, or a pair for each of {ndim} axes.")


def _widths(x: Any, pad_width: Any) -> list[tuple[int, int]]:
    if isinstance(pad_width, dict):
        given = {axis % x.ndim: v for axis, v in pad_width.items()}
        pad_width = [_pairs(given.get(i, 0), 1, "pad_width")[0] for i in range(x.ndim)]
    pairs = _pairs(np.asarray(pad_width).tolist(), x.ndim, "pad_width") if x.ndim else []
    widths = [(integer("pad", "a width", a), integer("pad", "a width", b)) for a, b in pairs]
    if any(n < 0 for pair in widths for n in pair):
        raise ArgumentError(f"pad of {type_of(x)}: widths must not be negative, got {pad_width!r}.")
    return widths


def _constant(x: Any, widths: Sequence[tuple[int, int]], values: Any) -> Any:
    if isinstance(values, (tuple, list, np.ndarray)):
        for axis, ((before, after), (low, high)) in enumerate(
            zip(widths, _pairs(values, x.ndim, "constant_values"), strict=True)
        ):
            for n, value, at in ((before, low, 0), (after, high, 1)):
                config = tuple(((n, 0, 0) if at == 0 else (0, n, 0)) if i == axis else (0, 0, 0) for i in range(x.ndim))
                x = pad_p(x, cast(as_operand(value), x.dtype, x.weak_type), config=config)
        return x
    value = cast(as_operand(values), x.dtype, x.weak_type)
    return pad_p(x, value, config=tuple((a, b, 0) for a, b in widths))


def _along(x: Any, axis: int, before: int, after: int, mode: str, options: dict[str, Any]) -> Any:
    n = x.shape[axis]
    if n == 0:
        raise ShapeError(
            f"pad of {type_of(x)} in mode {mode!r}: an axis of length 0 can only be padded with constants."
        )
    if mode in _COPYING:
        places = np.pad(np.arange(n), (before, after), mode=mode)  # type: ignore[call-overload]
        return concatenate([*_taken(x, places[:before], axis), x, *_taken(x, places[before + n :], axis)], axis)
    if mode == "linear_ramp":
        low, high = _pairs(options.get("end_values", 0), x.ndim, "end_values")[axis]
        first, last = _run(x, np.array([0]), axis), _run(x, np.array([n - 1]), axis)
        return concatenate(
            [_ramp(low, first, before, axis), x, rev(_ramp(high, last, after, axis), dimensions=(axis,))], axis
        )
    lengths = options.get("stat_length")
    low, high = (None, None) if lengths is None else _pairs(lengths, x.ndim, "stat_length")[axis]
    parts = [
        _statistic(x, mode, axis, slice(0, low), before),
        x,
        _statistic(x, mode, axis, slice(n - min(high, n) if high else 0, n), after),
    ]
    return concatenate(parts, axis)


def _taken(x: Any, places: np.ndarray, axis: int) -> list[Any]:
    """The elements at known places, in pieces: slices, forwards or backwards, and repeated elements; in one if these are many."""
    cuts = [0]
    while cuts[-1] < len(places) and len(cuts) <= MOST_PIECES:
        rest = places[cuts[-1] :]
        lengths = [int(np.argmin([*(rest == rest[0] + step * np.arange(len(rest))), False])) for step in (0, 1, -1)]
        cuts.append(cuts[-1] + max(lengths))
    if cuts[-1] < len(places):
        return [take(x, places, axis)]
    return [_run(x, places[a:b], axis) for a, b in pairwise(cuts)]


def _run(x: Any, places: np.ndarray, axis: int) -> Any:
    """The elements at places that are all the same, or one behind or before the other."""
    first, last = sorted((int(places[0]), int(places[-1])))
    part = getitem(x, (*[slice(None)] * axis, slice(first, last + 1)))
    if first == last:
        return broadcast_to(part, tuple(len(places) if i == axis else m for i, m in enumerate(x.shape)))
    return part if places[0] == first else rev(part, dimensions=(axis,))


def _ramp(end: Any, edge: Any, n: int, axis: int) -> Any:
    """N numbers from `end` towards `edge`, which is not reached."""
    start = broadcast_to(cast(as_operand(end), edge.dtype), edge.shape)
    line = linspace(start, edge, n, endpoint=False, dtype=edge.dtype, axis=0)
    return moveaxis(line, 0, axis).reshape(tuple(n if i == axis else m for i, m in enumerate(edge.shape)))


def _statistic(x: Any, mode: str, axis: int, part: slice, n: int) -> Any:
    index = (slice(None),) * axis + (part,)
    value = _STATISTICS[mode](x[index], axis, keepdims=True)
    if np.issubdtype(x.dtype, np.integer):
        value = round_(value)
    return broadcast_to(cast(value, x.dtype), tuple(n if i == axis else m for i, m in enumerate(x.shape)))


def _odd(x: Any, widths: Sequence[tuple[int, int]], mode: str) -> Any:
    """Reflections through the edges, 2 edge - mirrored, as often as it takes; "reflect" does not repeat the edge itself."""
    skip = 1 if mode == "reflect" else 0
    for axis, (before, after) in enumerate(widths):
        while before or after:
            n = x.shape[axis]
            low, high = min(before, max(n - skip, 1)), min(after, max(n - skip, 1))
            first, last = _run(x, np.array([0]), axis), _run(x, np.array([n - 1]), axis)
            left = 2 * first - take(x, np.minimum(np.arange(low)[::-1] + skip, n - 1), axis)
            right = 2 * last - take(x, np.maximum(n - 1 - skip - np.arange(high), 0), axis)
            x = concatenate([left, x, right], axis)
            before, after = before - low, after - high
    return x


def _by_function(
    x: Any, widths: Sequence[tuple[int, int]], function: Callable[..., Any], options: dict[str, Any]
) -> Any:
    x = _constant(x, widths, 0)
    for axis, pair in enumerate(widths):

        def line(v: Any, axis: int = axis, pair: Any = pair) -> Any:
            return function(v, pair, axis, options)

        for _ in range(x.ndim - 1):
            line = vmap(line, in_axes=0, out_axes=0)
        x = moveaxis(line(moveaxis(x, axis, -1)), -1, axis)
    return x
