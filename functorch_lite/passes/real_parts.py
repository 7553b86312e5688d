"""Convolutions and sums of windows of complex numbers by those of real numbers.

A convolution becomes one with twice the channels and twice the outputs, so not bit for bit:

    x + i y, u + i v   ->   [x, y] * [u, -v],  [x, y] * [v, u]
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from .. import dtypes
from ..array_type import has_dim
from ..primitives.arithmetic import neg
from ..primitives.convolution import conv
from ..primitives.parts import complex_, imag, real
from ..primitives.pooling import reduce_window_sum
from ..primitives.slicing import concatenate, slice_
from ..primitives.structural import reshape
from ..program import Equation, Program, Var
from .rewrite import Rule, by_rules

__all__ = ["by_real_parts"]


def by_real_parts(program: Program) -> Program:
    """The program with real convolutions and sums for complex ones, also in bodies; itself if there are none."""
    return by_rules(program, _rule_of)


def _rule_of(equation: Equation, made: Mapping[Var, Equation]) -> Rule | None:
    primitive, params = equation.primitive, equation.params
    if primitive not in (conv, reduce_window_sum):
        return None
    types = [a.type for a in equation.operands]
    if not dtypes.is_complex(types[0].dtype) or any(has_dim(t.shape) for t in types):
        return None
    if primitive is conv:
        return lambda x, w: [_convolution(x, w, params)]
    return lambda x: [complex_(primitive(real(x), **params), primitive(imag(x), **params))]


def _convolution(x: Any, w: Any, params: Mapping[str, Any]) -> Any:
    groups, n = params["groups"], x.shape[0]
    channels, outputs = w.shape[1], w.shape[0] // groups
    x = reshape(x, shape=(n, groups, channels, *x.shape[2:]))
    w = reshape(w, shape=(groups, outputs, *w.shape[1:]))
    both = concatenate(real(x), imag(x), dimension=2)
    u, v = real(w), imag(w)
    rows = concatenate(concatenate(u, neg(v), dimension=2), concatenate(v, u, dimension=2), dimension=1)
    out = conv(
        reshape(both, shape=(n, groups * 2 * channels, *x.shape[3:])),
        reshape(rows, shape=(groups * 2 * outputs, 2 * channels, *w.shape[3:])),
        **params,
    )
    space = out.shape[2:]
    out = reshape(out, shape=(n, groups, 2 * outputs, *space))

    def part(k: int) -> Any:
        start = (0, 0, k * outputs, *(0 for _ in space))
        taken = slice_(out, start=start, limit=(n, groups, (k + 1) * outputs, *space))
        return reshape(taken, shape=(n, groups * outputs, *space))

    return complex_(part(0), part(1))
