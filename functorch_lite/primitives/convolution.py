"""`conv`: convolution as networks have it (cross-correlation), dilated and grouped; its transposes are convolutions too."""

from __future__ import annotations

import itertools
import math
from collections.abc import Sequence
from typing import Any

from .. import dtypes
from ..array_type import ArrayType
from ..errors import DTypeError, ShapeError
from ..primitive import LinearOperand, Primitive, Zero
from .base import add
from .slicing import rev
from .structural import move_batch, move_to_front, reshape, transpose

__all__ = ["conv", "dilated_length", "out_space", "span", "spread_out"]

Pads = tuple[tuple[int, int], ...]


def dilated_length(n: int, dilation: int) -> int:
    """The length of n elements with `dilation - 1` zeros between neighbours."""
    return 0 if n == 0 else 1 + dilation * (n - 1)


class Conv(Primitive):
    """x (n, channels, *space) with w (outputs, channels / groups, *window) -> (n, outputs, *space).

    Per axis of space: x is dilated by `lhs_dilation`, padded by `padding` (negative cuts), and w, dilated by
    `rhs_dilation`, goes over it in steps of `strides`. 16-bit floats accumulate in 32 bits.
    """

    def infer(
        self,
        x: ArrayType,
        w: ArrayType,
        *,
        strides: tuple[int, ...],
        padding: Pads,
        lhs_dilation: tuple[int, ...],
        rhs_dilation: tuple[int, ...],
        groups: int,
    ) -> ArrayType:
        if x.dtype != w.dtype or dtypes.is_bool(x.dtype):
            raise DTypeError(f"convolution needs operands of one numeric dtype, got {x} and {w}: cast one with astype.")
        n = x.ndim - 2
        if n < 0 or w.ndim != x.ndim or not len(strides) == len(padding) == len(lhs_dilation) == len(rhs_dilation) == n:
            raise ShapeError(
                f"convolution of {x} with {w}: needs (n, channels, *space) and (outputs, channels / groups, *window) of "
                f"equal rank, and a stride, a padding and two dilations for each of {max(n, 0)} axes of space."
            )
        if groups < 1 or x.shape[1] != w.shape[1] * groups or w.shape[0] % groups:
            raise ShapeError(
                f"convolution of {x} with {w} in {groups} groups: the channels, {x.shape[1]}, must be {w.shape[1]} x {groups}, "
                f"and the outputs, {w.shape[0]}, divide into {groups} groups."
            )
        if min((*strides, *lhs_dilation, *rhs_dilation, 1)) < 1:
            raise ShapeError(f"convolution of {x}: strides and dilations must be positive.")
        space = out_space(x.shape[2:], w.shape[2:], strides, padding, lhs_dilation, rhs_dilation)
        return ArrayType((x.shape[0], w.shape[0], *space), x.dtype, x.weak and w.weak)

    def impl(
        self, xp: Any, x: Any, w: Any, *, strides: Any, padding: Pads, lhs_dilation: Any, rhs_dilation: Any, groups: int
    ) -> Any:
        wide = dtypes.accumulator_dtype(x.dtype)
        dtype, x, w = x.dtype, xp.astype(x, wide, copy=False), xp.astype(w, wide, copy=False)
        space = out_space(x.shape[2:], w.shape[2:], strides, padding, lhs_dilation, rhs_dilation)
        spread = spread_out(xp, x, padding, lhs_dilation)
        window = w.shape[2:]
        parts = [
            spread[(..., *map(span, at, rhs_dilation, space, strides))] for at in itertools.product(*map(range, window))
        ]
        n, channels, outputs = x.shape[0], x.shape[1], w.shape[0]
        k, size = math.prod(window), math.prod(space)
        if not parts or 0 in (n, size, outputs, channels):
            return xp.zeros((n, outputs, *space), dtype=dtype)
        columns = xp.reshape(xp.stack(parts, axis=2), (n, groups, channels // groups * k, size))
        rows = xp.reshape(w, (groups, outputs // groups, channels // groups * k))
        return xp.astype(xp.reshape(xp.matmul(rows, columns), (n, outputs, *space)), dtype, copy=False)

    def jvp(self, primals: Sequence[Any], tangents: Sequence[Any], **params: Any) -> tuple[Any, Any]:
        (x, w), (x_dot, w_dot) = primals, tangents
        terms = [] if isinstance(x_dot, Zero) else [self(x_dot, w, **params)]
        terms += [] if isinstance(w_dot, Zero) else [self(x, w_dot, **params)]
        return self(x, w, **params), terms[0] if len(terms) == 1 else add(*terms)

    def transpose(self, ct: Any, operands: Sequence[Any], **params: Any) -> Sequence[Any]:
        x, w = operands
        if isinstance(x, LinearOperand):
            return [_transpose_x(ct, x.type, w, **params), None]
        return [None, _transpose_w(ct, x, w.type, **params)]

    def batch(self, axis: Any, operands: Sequence[Any], dims: Sequence[Any], *, groups: int, **params: Any) -> Any:
        (x, w), (xd, wd) = operands, dims
        size = axis.size
        if wd is None:
            x = move_to_front(x, xd)
            out = self(reshape(x, shape=(size * x.shape[1], *x.shape[2:])), w, groups=groups, **params)
            return reshape(out, shape=(size, x.shape[1], *out.shape[1:])), 0
        if xd is None:  # outputs of the batch stand beside each other, within each group
            w = move_to_front(w, wd)
            outputs, rest = w.shape[1] // groups, w.shape[2:]
            w = reshape(w, shape=(size, groups, outputs, *rest))
            w = reshape(move_batch(w, 0, 1), shape=(groups * size * outputs, *rest))
            out = self(x, w, groups=groups, **params)
            out = reshape(out, shape=(out.shape[0], groups, size, outputs, *out.shape[2:]))
            out = move_batch(out, 2, 0)
            return reshape(out, shape=(size, out.shape[1], groups * outputs, *out.shape[4:])), 0
        x, w = (
            move_batch(move_to_front(x, xd), 0, 1),
            move_to_front(w, wd),
        )  # each element is a set of groups of its own
        x = reshape(x, shape=(x.shape[0], size * x.shape[2], *x.shape[3:]))
        w = reshape(w, shape=(size * w.shape[1], *w.shape[2:]))
        out = self(x, w, groups=groups * size, **params)
        return reshape(out, shape=(out.shape[0], size, out.shape[1] // size, *out.shape[2:])), 1


def out_space(space: Any, window: Any, strides: Any, padding: Any, lhs_dilation: Any, rhs_dilation: Any) -> Any:
    out = []
    for n, k, s, (low, high), ld, rd in zip(space, window, strides, padding, lhs_dilation, rhs_dilation, strict=True):
        room = dilated_length(n, ld) + low + high - dilated_length(k, rd)
        out.append(max(0, room // s + 1) if room >= 0 else 0)
    return tuple(out)


def span(start: int, dilation: int, n: int, stride: int) -> slice:
    """The elements that one element of the window meets."""
    first = start * dilation
    return slice(first, first + (n - 1) * stride + 1 if n else first, stride)


def spread_out(xp: Any, x: Any, padding: Any, dilation: Any, fill: Any = 0) -> Any:
    """X with `fill` between and around its elements along the last axes; negative padding cuts."""
    lead = x.shape[: x.ndim - len(padding)]
    lengths = [dilated_length(n, d) for n, d in zip(x.shape[len(lead) :], dilation, strict=True)]
    room = [n + max(0, low) + max(0, high) for n, (low, high) in zip(lengths, padding, strict=True)]
    out = x
    if room != list(x.shape[len(lead) :]):
        out = xp.full((*lead, *room), fill, dtype=x.dtype)
        inside = (
            slice(max(0, low), max(0, low) + n, d) for n, d, (low, _) in zip(lengths, dilation, padding, strict=True)
        )
        out[(..., *inside)] = x
    return out[(..., *(slice(max(0, -low), n - max(0, -high)) for n, (low, high) in zip(room, padding, strict=True)))]


def _transpose_x(
    ct: Any, x: ArrayType, w: Any, *, strides: Any, padding: Any, lhs_dilation: Any, rhs_dilation: Any, groups: int
) -> Any:
    """The cotangent of x: that of the result, dilated by the strides, with the window turned round."""
    outputs, channels, window = w.shape[0], w.shape[1], w.shape[2:]
    pads = []
    for n, k, out, s, (low, _), ld, rd in zip(
        x.shape[2:], window, ct.shape[2:], strides, padding, lhs_dilation, rhs_dilation, strict=True
    ):
        reach = dilated_length(k, rd)
        before = reach - low - 1
        pads.append((before, dilated_length(n, ld) + reach - 1 - dilated_length(out, s) - before))
    turned = rev(w, dimensions=tuple(range(2, w.ndim))) if window else w
    turned = reshape(turned, shape=(groups, outputs // groups, channels, *window))
    turned = reshape(move_batch(turned, 1, 2), shape=(groups * channels, outputs // groups, *window))
    return conv(
        ct,
        turned,
        strides=lhs_dilation,
        padding=tuple(pads),
        lhs_dilation=strides,
        rhs_dilation=rhs_dilation,
        groups=groups,
    )


def _transpose_w(
    ct: Any, x: Any, w: ArrayType, *, strides: Any, padding: Any, lhs_dilation: Any, rhs_dilation: Any, groups: int
) -> Any:
    """The cotangent of w: x with the cotangent of the result as the window, channels and batch exchanged."""
    n, channels, space = x.shape[0], x.shape[1] // groups, x.shape[2:]
    pads = []
    for m, k, out, s, (low, _), ld, rd in zip(
        space, w.shape[2:], ct.shape[2:], strides, padding, lhs_dilation, rhs_dilation, strict=True
    ):
        pads.append((low, dilated_length(out, s) - dilated_length(m, ld) + dilated_length(k, rd) - low - 1))
    grouped = reshape(x, shape=(n, groups, channels, *space))
    order = (2, 1, 0, *range(3, grouped.ndim))
    lhs = reshape(transpose(grouped, permutation=order), shape=(channels, groups * n, *space))
    rhs = transpose(ct, permutation=(1, 0, *range(2, ct.ndim)))
    out = conv(
        lhs,
        rhs,
        strides=rhs_dilation,
        padding=tuple(pads),
        lhs_dilation=lhs_dilation,
        rhs_dilation=strides,
        groups=groups,
    )
    return transpose(out, permutation=(1, 0, *range(2, out.ndim)))


conv = Conv("conv_general_dilated")
