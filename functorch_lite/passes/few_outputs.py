"""Convolutions to few outputs as products of matrices, whose results are shifted and added.

    conv(x, w)   ->   sum over taps t of slice_t(pad(y[t])),   y[t, o] = sum over channels c of w[o, c, t] x[c]

The outputs of a position would fill only a part of a vector; those of all taps fill several. Not bit for bit: sums are taken in
another order.
"""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence
from typing import Any

import numpy as np

from .. import dtypes
from ..array_type import has_dim
from ..primitives.contraction import dot_general
from ..primitives.convolution import conv
from ..primitives.structural import reshape, transpose
from ..program import Equation, Program, Var
from .rewrite import Rule, by_rules
from .shifts import MOST_TAPS, Axis, axes_of, padded, sliced, summed, whole

__all__ = ["by_few_outputs"]

POSITIONS = 1 << 10
"""Fewer are not worth it."""
MOST_ROOM = 4
"""The products take up to so many times the room of x."""


def by_few_outputs(program: Program, width: int) -> Program:
    """The program with products for convolutions whose outputs fill at most half of a vector, of so many bytes, also in bodies;
    itself if there are none."""
    return by_rules(program, lambda equation, made: _rule_of(equation, made, width))


def _rule_of(equation: Equation, made: Mapping[Var, Equation], width: int) -> Rule | None:
    """The sum, if there are several channels and few taps, and all positions of x are met."""
    if equation.primitive is not conv:
        return None
    (x, w), result = (a.type for a in equation.operands), equation.results[0].type
    if has_dim((*x.shape, *w.shape)) or result.dtype.kind != "f":
        return None
    params, taps = equation.params, math.prod(w.shape[2:])
    plain = params["groups"] == 1 and {*params["strides"]} <= {1}
    exact = dtypes.accumulator_dtype(result.dtype) == result.dtype
    few = 2 * w.shape[0] * result.dtype.itemsize <= width and taps * w.shape[0] <= MOST_ROOM * w.shape[1]
    inside = all(n >= 0 for pair in params["padding"] for n in pair)
    many = math.prod(result.shape[2:]) * x.shape[0] >= POSITIONS
    if not (plain and exact and few and inside and many and 1 < taps <= MOST_TAPS):
        return None
    axes = axes_of(w.shape[2:], result.shape[2:], params)
    return None if axes is None else lambda x, w: [_sum(x, w, axes)]


def _sum(x: Any, w: Any, space: Sequence[Axis]) -> Any:
    """The sum of the taps' products, each moved to its place."""
    outputs, channels, *window = w.shape
    rows = reshape(transpose(w, permutation=(*range(2, w.ndim), 0, 1)), shape=(math.prod(window) * outputs, channels))
    products = dot_general(rows, x, dimension_numbers=(((1,), (1,)), ((), ())))
    batch = whole(x.shape[0])
    wide = padded(products, [whole(products.shape[0]), batch, *space])
    axes = [whole(outputs), batch, *space]

    def term(taps: tuple[int, ...], moves: tuple[int, ...]) -> Any:
        first = int(np.ravel_multi_index(taps[2:], window)) * outputs
        return sliced(wide, axes, (first, *moves[1:]))

    return transpose(summed(axes, term), permutation=(1, 0, *range(2, x.ndim)))
