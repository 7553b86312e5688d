"""Convolutions to few outputs as products of matrices, whose results are shifted and added.

    conv(x, w)   ->   sum over taps t of slice_t(pad(y[t])),   y[t, o] = sum over channels c of w[o, c, t] x[c]

The outputs of a position would fill only a part of a vector; those of all taps fill several. Not bit for bit: sums are taken in
another order.
"""

from __future__ import annotations

import itertools
import math
from collections.abc import Mapping
from typing import Any

from .. import dtypes
from ..array_type import has_dim
from ..primitives.contraction import dot_general
from ..primitives.convolution import conv
from ..primitives.elementwise import add
from ..primitives.slicing import pad, slice_
from ..primitives.structural import reshape, transpose
from ..program import Equation, Program, Var
from .rewrite import Rule, by_rules
from .taps import MOST_TAPS

__all__ = ["by_few_outputs"]

POSITIONS = 1 << 10
"""Fewer are not worth it."""
MOST_ROOM = 2
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
    plain = params["groups"] == 1 and {*params["strides"], *params["lhs_dilation"]} <= {1}
    exact = dtypes.accumulator_dtype(result.dtype) == result.dtype
    few = 2 * w.shape[0] * result.dtype.itemsize <= width and taps * w.shape[0] <= MOST_ROOM * w.shape[1]
    inside = all(n >= 0 for pair in params["padding"] for n in pair)
    many = math.prod(result.shape[2:]) * x.shape[0] >= POSITIONS
    if not (plain and exact and few and inside and many and 1 < taps <= MOST_TAPS):
        return None
    return lambda x, w: [_sum(x, w, result.shape[2:], **params)]


def _sum(x: Any, w: Any, space: Any, *, padding: Any, rhs_dilation: Any, **_: Any) -> Any:
    """The sum of the taps' products, each moved to its place."""
    outputs, channels, *window = w.shape
    rows = reshape(transpose(w, permutation=(*range(2, w.ndim), 0, 1)), shape=(math.prod(window) * outputs, channels))
    products = dot_general(rows, x, dimension_numbers=(((1,), (1,)), ((), ())))
    wide = pad(products, x.dtype.type(0), config=((0, 0, 0), (0, 0, 0), *((*p, 0) for p in padding)))
    total = None
    for k, tap in enumerate(itertools.product(*map(range, window))):
        start = (k * outputs, 0, *(t * r for t, r in zip(tap, rhs_dilation, strict=True)))
        shape = (outputs, x.shape[0], *space)
        part = slice_(wide, start=start, limit=tuple(a + n for a, n in zip(start, shape, strict=True)))
        total = part if total is None else add(total, part)
    return transpose(total, permutation=(1, 0, *range(2, x.ndim)))
