"""Reductions over windows, and what the derivative of the extreme ones needs: picking, for each window, where it is."""

from __future__ import annotations

import functools
import itertools
from collections.abc import Callable, Sequence
from typing import Any

import numpy as np

from .. import dtypes
from ..array_type import ArrayType
from ..errors import DTypeError, ShapeError
from ..primitive import LinearOperand, NotLinear, Primitive, Zero
from .base import kind
from .convolution import dilated_length, out_space, span, spread_out
from .structural import Structural, move_to_front

__all__ = ["reduce_window_max", "reduce_window_min", "reduce_window_sum", "select_and_gather", "select_and_scatter_add"]

Window = dict[str, Any]
"""window, strides, padding, base_dilation, window_dilation: a number (padding: a pair) for each axis."""


def _shape(name: str, x: ArrayType, p: Window) -> tuple[int, ...]:
    if any(len(p[k]) != x.ndim for k in ("window", "strides", "padding", "base_dilation", "window_dilation")):
        raise ShapeError(f"{name} of {x} needs a window length, stride, padding and dilations for each of its {x.ndim} axes.")
    if min((*p["window"], *p["strides"], *p["base_dilation"], *p["window_dilation"], 1)) < 1:
        raise ShapeError(f"{name} of {x}: window lengths, strides and dilations must be positive.")
    return out_space(x.shape, p["window"], p["strides"], p["padding"], p["base_dilation"], p["window_dilation"])


def _places(p: Window, out: Sequence[int]) -> list[tuple[slice, ...]]:
    """For each element of the window, what it meets."""
    return [
        tuple(map(span, at, p["window_dilation"], out, p["strides"])) for at in itertools.product(*map(range, p["window"]))
    ]


def _spread(xp: Any, x: Any, p: Window, fill: Any) -> Any:
    """x dilated and padded, with `fill` in the gaps."""
    return spread_out(xp, x, p["padding"], p["base_dilation"], fill)


def _fold(x: Any, p: Window, out: Sequence[int], combine: Callable[[Any, Any], Any]) -> Any:
    """The elements of each window combined, an axis after the other."""
    for axis, (k, s, d, n) in enumerate(zip(p["window"], p["strides"], p["window_dilation"], out, strict=True)):
        before = (slice(None),) * axis
        x = functools.reduce(combine, (x[(*before, span(i, d, n, s), ...)] for i in range(k)))
    return x


def _batched(params: Window) -> Window:
    return {
        "window": (1, *params["window"]),
        "strides": (1, *params["strides"]),
        "padding": ((0, 0), *params["padding"]),
        "base_dilation": (1, *params["base_dilation"]),
        "window_dilation": (1, *params["window_dilation"]),
    }


class ReduceWindow(Primitive):
    """A reduction over each window.

    Args:
      name: of the primitive.
      accepts: kinds of dtype.
      function: the namespace's function of two.
      fill: the element that changes nothing, from the dtype.
    """

    def __init__(self, name: str, accepts: str, function: str, fill: Callable[[Any], Any]):
        super().__init__(name)
        self.accepts, self.function, self.fill = accepts, function, fill

    def infer(self, x: ArrayType, **p: Any) -> ArrayType:
        if kind(x.dtype) not in self.accepts:
            raise DTypeError(f"{self.name} of {x}: this dtype has no such reduction, cast with astype.")
        return x.update(shape=_shape(self.name, x, p))

    def impl(self, xp: Any, x: Any, **p: Any) -> Any:
        dtype = x.dtype
        wide = xp.astype(x, dtypes.accumulator_dtype(dtype), copy=False)
        spread = _spread(xp, wide, p, self.fill(dtype))
        out = out_space(x.shape, p["window"], p["strides"], p["padding"], p["base_dilation"], p["window_dilation"])
        return xp.astype(_fold(spread, p, out, getattr(xp, self.function)), dtype)

    def batch(self, axis: Any, operands: Any, dims: Any, **p: Any) -> tuple[Any, Any]:
        return self(move_to_front(operands[0], dims[0]), **_batched(p)), 0


class _WindowSum(Structural, ReduceWindow):
    def transpose(self, ct: Any, operands: Sequence[Any], **p: Any) -> Sequence[Any]:
        pads = []
        for n, out, k, s, (low, _), bd, wd in zip(
            operands[0].type.shape, ct.shape, p["window"], p["strides"], p["padding"], p["base_dilation"],
            p["window_dilation"], strict=True,
        ):  # fmt: skip
            reach = dilated_length(k, wd)
            before = reach - low - 1
            pads.append((before, dilated_length(n, bd) + reach - 1 - dilated_length(out, s) - before))
        back = {**p, "strides": p["base_dilation"], "base_dilation": p["strides"], "padding": tuple(pads)}
        return [self(ct, **back)]


class _WindowExtreme(NotLinear, ReduceWindow):
    def jvp(self, primals: Sequence[Any], tangents: Sequence[Any], **p: Any) -> tuple[Any, Any]:
        largest = self.function == "maximum"
        return self(primals[0], **p), select_and_gather(tangents[0], primals[0], largest=largest, **p)


def _lowest(dtype: Any) -> Any:
    return -np.inf if dtypes.is_floating(dtype) else np.iinfo(dtype).min


def _highest(dtype: Any) -> Any:
    return np.inf if dtypes.is_floating(dtype) else np.iinfo(dtype).max


reduce_window_sum = _WindowSum("reduce_window_sum", "iufc", "add", lambda dtype: 0)
reduce_window_max = _WindowExtreme("reduce_window_max", "iuf", "maximum", _lowest)
reduce_window_min = _WindowExtreme("reduce_window_min", "iuf", "minimum", _highest)


class _Selecting(Primitive):
    """Two operands: the values to move, in which it is linear, and those whose extreme says where."""

    def jvp(self, primals: Sequence[Any], tangents: Sequence[Any], **p: Any) -> tuple[Any, Any]:
        (t, x), (t_dot, _) = primals, tangents
        out = self(t, x, **p)
        return out, Zero(out.type) if isinstance(t_dot, Zero) else self(t_dot, x, **p)

    def batch(self, axis: Any, operands: Any, dims: Any, *, largest: bool, **p: Any) -> tuple[Any, Any]:
        t, x = (move_to_front(v, d, axis.size) for v, d in zip(operands, dims, strict=True))
        return self(t, x, largest=largest, **_batched(p)), 0

    def hits(self, xp: Any, x: Any, largest: bool, p: Window) -> Any:
        """For each element of the window: what it meets, and where it is the first extreme of its window."""
        spread = _spread(xp, x, p, (_lowest if largest else _highest)(x.dtype))
        out = out_space(x.shape, p["window"], p["strides"], p["padding"], p["base_dilation"], p["window_dilation"])
        best = _fold(spread, p, out, xp.maximum if largest else xp.minimum)
        free = xp.ones(out, dtype=xp.bool)
        for place in _places(p, out):
            part = spread[place]
            hit = free & ((part == best) | ((part != part) & (best != best)))
            free = free & ~hit
            yield place, hit


class SelectAndGather(_Selecting):
    """For each window of `x`, the element of `t` at the place of the extreme (the first one)."""

    def infer(self, t: ArrayType, x: ArrayType, *, largest: bool, **p: Any) -> ArrayType:
        if t.shape != x.shape:
            raise ShapeError(f"{self.name} needs operands of one shape, got {t} and {x}.")
        return ArrayType(_shape(self.name, x, p), t.dtype)

    def impl(self, xp: Any, t: Any, x: Any, *, largest: bool, **p: Any) -> Any:
        values = spread_out(xp, t, p["padding"], p["base_dilation"])
        out: Any = None
        for place, hit in self.hits(xp, x, largest, p):
            part = values[place]
            part = xp.where(hit, part, xp.zeros_like(part))
            out = part if out is None else out + part
        return out

    def transpose(self, ct: Any, operands: Sequence[Any], **p: Any) -> Sequence[Any]:
        t, x = operands
        assert isinstance(t, LinearOperand)
        return [select_and_scatter_add(ct, x, **p), None]


class SelectAndScatterAdd(_Selecting):
    """Adds each element of `t` to the place of the extreme of its window of `x`."""

    def infer(self, t: ArrayType, x: ArrayType, *, largest: bool, **p: Any) -> ArrayType:
        if t.shape != _shape(self.name, x, p):
            raise ShapeError(f"{self.name} of windows of {x} needs an element for each window, got {t}.")
        return ArrayType(x.shape, t.dtype)

    def impl(self, xp: Any, t: Any, x: Any, *, largest: bool, **p: Any) -> Any:
        pads = p["padding"]
        full = tuple(
            max(0, dilated_length(n, d) + low + high) for n, d, (low, high) in zip(x.shape, p["base_dilation"], pads, strict=True)
        )
        total = xp.zeros(full, dtype=t.dtype)
        for place, hit in self.hits(xp, x, largest, p):
            total[place] = total[place] + xp.where(hit, t, xp.zeros_like(t))
        back = spread_out(xp, total, tuple((-low, -high) for low, high in pads), (1,) * x.ndim)
        return xp.asarray(back[tuple(slice(None, None, d) for d in p["base_dilation"])], copy=True)

    def transpose(self, ct: Any, operands: Sequence[Any], **p: Any) -> Sequence[Any]:
        t, x = operands
        assert isinstance(t, LinearOperand)
        return [select_and_gather(ct, x, **p), None]


select_and_gather = SelectAndGather("select_and_gather")
select_and_scatter_add = SelectAndScatterAdd("select_and_scatter_add")
