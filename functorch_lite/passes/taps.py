"""Convolutions of single channels as sums of shifted arrays, which become part of loops.

    conv(x, w), a channel for each group   ->   sum over taps t of slice_t(pad(x)) * w[:, 0, t]

There is nothing that tiles of registers could share in those: each element of the result has its own few of x. As sums they go
along the axis that lies side by side, and with what is computed before and after. Where the window is large and positions are
few, as in the gradient by the window of such a convolution,

    conv(x, w)   ->   for each position p sum over taps of slice_p(pad(x)) * w

Not bit for bit: products are rounded.
"""

from __future__ import annotations

import itertools
import math
from collections.abc import Mapping, Sequence
from typing import Any

from .. import dtypes
from ..array_type import has_dim
from ..primitives.convolution import conv
from ..primitives.elementwise import mul
from ..primitives.slicing import concatenate, slice_
from ..primitives.structural import broadcast_in_dim, reduce_sum, reshape, transpose
from ..program import Equation, Program, Var
from .rewrite import Rule, by_rules
from .shifts import MOST_TAPS, Axis, axes_of, padded, sliced, summed, whole

__all__ = ["by_taps"]

ELEMENTS = 256
"""Elements of the result, for each tap, that are worth it."""


def by_taps(program: Program) -> Program:
    """The program with sums for convolutions of single channels, also in bodies; itself if there are none."""
    return by_rules(program, _rule_of)


def _rule_of(equation: Equation, made: Mapping[Var, Equation]) -> Rule | None:
    """The sum, if each group has one channel and one output, and there are few taps or positions."""
    if equation.primitive is not conv:
        return None
    (x, w), result = (a.type for a in equation.operands), equation.results[0].type
    exact = dtypes.accumulator_dtype(result.dtype) == result.dtype
    if has_dim((*x.shape, *w.shape)) or not exact or w.shape[0] != equation.params["groups"]:
        return None
    taps, positions = math.prod(w.shape[2:]), math.prod(result.shape[2:])
    if w.shape[1] == 1 and 0 < taps <= MOST_TAPS and result.size >= ELEMENTS * taps:
        return _few_taps(equation, made)
    if x.shape[0] == 1 and 0 < positions <= MOST_TAPS and w.size >= ELEMENTS * positions:
        return _few_positions(equation)
    return None


def _few_taps(equation: Equation, made: Mapping[Var, Equation]) -> Rule | None:
    (x, w), result = (a.type for a in equation.operands), equation.results[0].type
    space = axes_of(w.shape[2:], result.shape[2:], equation.params)
    if space is None:
        return None
    before = made.get(equation.operands[0]) if isinstance(equation.operands[0], Var) else None
    order = before.params["permutation"] if before is not None and before.primitive is transpose else range(x.ndim)
    return lambda x, w: [_sum(x, w, space, tuple(order))]


def _sum(x: Any, w: Any, space: Sequence[Axis], order: Sequence[int]) -> Any:
    """The sum of the taps, in the order of axes in which x lies: it is what a transpose, of that order, gives."""
    back = sorted(range(len(order)), key=lambda i: order[i])
    groups = x.shape[1]
    axes = [(whole(x.shape[0]), whole(groups), *space)[i] for i in back]
    wide = padded(transpose(x, permutation=tuple(back)), axes)

    def term(taps: tuple[int, ...], moves: tuple[int, ...]) -> Any:
        part = sliced(wide, axes, moves)
        tap = tuple(taps[i] for i in order[2:])
        ends = tuple(t + 1 for t in tap)
        factor = reshape(slice_(w, start=(0, 0, *tap), limit=(groups, 1, *ends)), shape=(groups,))
        return mul(part, broadcast_in_dim(factor, shape=part.shape, dims=(order[1],)))

    return transpose(summed(axes, term), permutation=tuple(order))


def _few_positions(equation: Equation) -> Rule | None:
    """The same the other way round: w is what goes over x, and the result is the window."""
    w, result = equation.operands[1].type, equation.results[0].type
    given = equation.params
    params = {**given, "strides": given["rhs_dilation"], "rhs_dilation": given["strides"]}
    space = None if {*given["lhs_dilation"]} - {1} else axes_of(result.shape[2:], w.shape[2:], params)
    return None if space is None else lambda x, w: [_positions(x, w, space, result.shape)]


def _positions(x: Any, w: Any, space: Sequence[Axis], shape: Sequence[int]) -> Any:
    axes = [*map(whole, w.shape[:2]), *space]
    wide = padded(reshape(x, shape=(*w.shape[:2], *x.shape[2:])), axes)
    places = itertools.product(*(a.moves[0] for a in space))
    sums = [
        reduce_sum(mul(sliced(wide, axes, (0, 0, *(move for _, move in place))), w), axes=tuple(range(1, w.ndim)))
        for place in places
    ]
    columns = concatenate(*(reshape(x, shape=(w.shape[0], 1)) for x in sums), dimension=1)
    return reshape(columns, shape=tuple(shape))
