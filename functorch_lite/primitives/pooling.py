"""Reductions over windows.

The derivative of a maximum over windows moves values from (and, transposed, to) the element of each window that is the
largest: the number of that element is found once, in the forward pass, and is all that is kept for the backward pass.
"""

from __future__ import annotations

import functools
import itertools
import math
from collections.abc import Callable, Sequence
from typing import Any

import numpy as np

from .. import dtypes
from ..array_type import ArrayType
from ..errors import DTypeError, ShapeError
from ..primitive import LinearOperand, NotLinear, Primitive, ZeroDerivative
from .base import kind
from .convolution import dilated_length, out_space, span, spread_out
from .structural import Structural, move_to_front

__all__ = [
    "reduce_window_max",
    "reduce_window_min",
    "reduce_window_sum",
    "window_pick",
    "window_place",
    "window_put",
]

Window = dict[str, Any]
"""window, strides, padding, base_dilation, window_dilation: a number (padding: a pair) for each axis."""


def _shape(name: str, x: ArrayType, p: Window) -> tuple[int, ...]:
    if any(len(p[k]) != x.ndim for k in ("window", "strides", "padding", "base_dilation", "window_dilation")):
        raise ShapeError(
            f"{name} of {x} needs a window length, stride, padding and dilations for each of its {x.ndim} axes."
        )
    if min((*p["window"], *p["strides"], *p["base_dilation"], *p["window_dilation"], 1)) < 1:
        raise ShapeError(f"{name} of {x}: window lengths, strides and dilations must be positive.")
    return out_space(x.shape, p["window"], p["strides"], p["padding"], p["base_dilation"], p["window_dilation"])


def _places(p: Window, out: Sequence[int]) -> list[tuple[slice, ...]]:
    """For each element of the window, what it meets."""
    return [
        tuple(map(span, at, p["window_dilation"], out, p["strides"]))
        for at in itertools.product(*map(range, p["window"]))
    ]


def _spread(xp: Any, x: Any, p: Window, fill: Any) -> Any:
    """X dilated and padded, with `fill` in the gaps."""
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
        where = window_place(primals[0], largest=self.function == "maximum", **p)
        return self(primals[0], **p), window_pick(tangents[0], where, **p)


def _lowest(dtype: Any) -> Any:
    return -np.inf if dtypes.is_floating(dtype) else np.iinfo(dtype).min


def _highest(dtype: Any) -> Any:
    return np.inf if dtypes.is_floating(dtype) else np.iinfo(dtype).max


reduce_window_sum = _WindowSum("reduce_window_sum", "iufc", "add", lambda dtype: 0)
reduce_window_max = _WindowExtreme("reduce_window_max", "iuf", "maximum", _lowest)
reduce_window_min = _WindowExtreme("reduce_window_min", "iuf", "minimum", _highest)


# Where the extreme of a window is, and moving values between windows and that element of them.


class WindowPlace(ZeroDerivative, Primitive):
    """For each window of x the number of the element that is its extreme: the first, in row-major order, if several."""

    def infer(self, x: ArrayType, *, largest: bool, **p: Any) -> ArrayType:
        few = math.prod(p["window"]) <= np.iinfo(np.uint8).max
        return ArrayType(_shape(self.name, x, p), np.dtype(np.uint8 if few else np.int32))

    def impl(self, xp: Any, x: Any, *, largest: bool, **p: Any) -> Any:
        out = self.infer(ArrayType(x.shape, x.dtype), largest=largest, **p)
        shape, dtype = out.shape, out.dtype
        spread = _spread(xp, x, p, (_lowest if largest else _highest)(x.dtype))
        best = _fold(spread, p, shape, xp.maximum if largest else xp.minimum)
        gaps = None if spread.shape == x.shape else _spread(xp, xp.zeros(x.shape, dtype=xp.bool), p, True)
        number = xp.zeros(shape, dtype=dtype)
        for i, place in reversed(list(enumerate(_places(p, shape)))):
            part = spread[place]
            hit = part == best
            if dtypes.is_floating(x.dtype):
                hit = hit | (part != part)  # NaN is the extreme wherever there is one
            if gaps is not None:
                hit = hit & ~gaps[place]  # elements may equal what fills the gaps
            number = xp.where(hit, xp.asarray(i, dtype=dtype), number)
        return number

    def batch(self, axis: Any, operands: Any, dims: Any, *, largest: bool, **p: Any) -> tuple[Any, Any]:
        return self(move_to_front(operands[0], dims[0]), largest=largest, **_batched(p)), 0


class _Moving(Primitive):
    """Two operands: values, in which it is linear, and for each window the number of an element of it."""

    def jvp(self, primals: Sequence[Any], tangents: Sequence[Any], **p: Any) -> tuple[Any, Any]:
        return self(*primals, **p), self(tangents[0], primals[1], **p)  # the numbers have no tangent


class WindowPick(_Moving):
    """For each window of t, the element with the given number."""

    def infer(self, t: ArrayType, number: ArrayType, **p: Any) -> ArrayType:
        if number.shape != _shape(self.name, t, p):
            raise ShapeError(f"{self.name} of windows of {t} needs a number for each window, got {number}.")
        return ArrayType(number.shape, t.dtype)

    def impl(self, xp: Any, t: Any, number: Any, **p: Any) -> Any:
        spread = _spread(xp, t, p, 0)
        out = xp.zeros(number.shape, dtype=t.dtype)
        for i, place in enumerate(_places(p, number.shape)):
            out = xp.where(number == i, spread[place], out)
        return out

    def transpose(self, ct: Any, operands: Sequence[Any], **p: Any) -> Sequence[Any]:
        t, number = operands
        assert isinstance(t, LinearOperand)
        return [window_put(ct, number, shape=t.type.shape, **p), None]

    def batch(self, axis: Any, operands: Any, dims: Any, **p: Any) -> tuple[Any, Any]:
        t, number = (move_to_front(v, d, axis.size) for v, d in zip(operands, dims, strict=True))
        return self(t, number, **_batched(p)), 0


class WindowPut(_Moving):
    """An array of the given shape: zero, plus, for each window, the element of t at the element with the given number."""

    def infer(self, t: ArrayType, number: ArrayType, *, shape: tuple[int, ...], **p: Any) -> ArrayType:
        if not t.shape == number.shape == _shape(self.name, ArrayType(shape, t.dtype), p):
            raise ShapeError(
                f"{self.name} into {shape} needs an element and a number for each window, got {t} and {number}."
            )
        return ArrayType(shape, t.dtype)

    def impl(self, xp: Any, t: Any, number: Any, *, shape: tuple[int, ...], **p: Any) -> Any:
        base, zero = p["base_dilation"], xp.zeros((), dtype=t.dtype)
        lengths = [dilated_length(n, d) for n, d in zip(shape, base, strict=True)]
        total = xp.zeros([max(0, n + a + b) for n, (a, b) in zip(lengths, p["padding"], strict=True)], dtype=t.dtype)
        for i, place in enumerate(_places(p, t.shape)):
            total[place] += xp.where(number == i, t, zero)
        back = spread_out(xp, total, tuple((-a, -b) for a, b in p["padding"]), (1,) * t.ndim)
        return xp.asarray(back[tuple(slice(None, None, d) for d in base)], copy=True)

    def transpose(self, ct: Any, operands: Sequence[Any], *, shape: tuple[int, ...], **p: Any) -> Sequence[Any]:
        assert isinstance(operands[0], LinearOperand)
        return [window_pick(ct, operands[1], **p), None]

    def batch(self, axis: Any, operands: Any, dims: Any, *, shape: tuple[int, ...], **p: Any) -> tuple[Any, Any]:
        t, number = (move_to_front(v, d, axis.size) for v, d in zip(operands, dims, strict=True))
        return self(t, number, shape=(axis.size, *shape), **_batched(p)), 0


window_place = WindowPlace("window_place")
window_pick = WindowPick("window_pick")
window_put = WindowPut("window_put")
