"""Convolutions of single channels as sums of shifted arrays, which become part of loops.

    conv(x, w), a channel for each group   ->   sum over taps t of slice_t(pad(x)) * w[:, 0, t]

There is nothing that tiles of registers could share in those: each element of the result has its own few of x. As sums they go
along the axis that lies side by side, and with what is computed before and after. Not bit for bit: products are rounded.
"""

from __future__ import annotations

import itertools
import math
from collections.abc import Mapping, Sequence
from typing import Any

from .. import dtypes
from ..array_type import has_dim
from ..primitives.convolution import conv
from ..primitives.elementwise import add, mul
from ..primitives.slicing import pad, slice_
from ..primitives.structural import broadcast_in_dim, reshape, transpose
from ..program import Equation, Program, Var
from .rewrite import Rule, by_rules

__all__ = ["by_taps"]

MOST_TAPS = 25
"""Taps are written out."""
ELEMENTS = 256
"""Elements of the result, for each tap, that are worth it."""


def by_taps(program: Program) -> Program:
    """The program with sums for convolutions of single channels, also in bodies; itself if there are none."""
    return by_rules(program, _rule_of)


def _rule_of(equation: Equation, made: Mapping[Var, Equation]) -> Rule | None:
    """The sum, if each group has one channel and one output, nothing is between the elements of x, and there are few taps."""
    if equation.primitive is not conv:
        return None
    (x, w), result = (a.type for a in equation.operands), equation.results[0].type
    taps = math.prod(w.shape[2:]) if not has_dim((*x.shape, *w.shape)) else 0
    params = equation.params
    single = w.shape[0] == x.shape[1] == params["groups"] and set(params["lhs_dilation"]) <= {1}
    exact = dtypes.accumulator_dtype(result.dtype) == result.dtype
    if not (single and exact and 0 < taps <= MOST_TAPS and result.size >= ELEMENTS * taps):
        return None
    before = made.get(equation.operands[0]) if isinstance(equation.operands[0], Var) else None
    order = before.params["permutation"] if before is not None and before.primitive is transpose else range(x.ndim)
    return lambda x, w: [_sum(x, w, tuple(order), **params)]


def _sum(
    x: Any,
    w: Any,
    order: Sequence[int],
    *,
    strides: Any,
    padding: Any,
    rhs_dilation: Any,
    groups: int,
    lhs_dilation: Any,
) -> Any:
    """The sum of the taps, in the order of axes in which x lies: it is what a transpose, of that order, gives."""
    back = sorted(range(len(order)), key=lambda i: order[i])
    window = w.shape[2:]
    config = [(0, 0, 0), (0, 0, 0), *((*p, 0) for p in padding)]
    wide = pad(transpose(x, permutation=tuple(back)), x.dtype.type(0), config=tuple(config[i] for i in back))
    lengths = [wide.shape[i] for i in order]
    spans = [(k - 1) * r + 1 for k, r in zip(window, rhs_dilation, strict=True)]
    counts = [(n - span) // s + 1 for n, span, s in zip(lengths[2:], spans, strides, strict=True)]
    steps = (1, 1, *strides)
    shape = (*lengths[:2], *counts)
    total = None
    for tap in itertools.product(*map(range, window)):
        start = (0, 0, *(t * r for t, r in zip(tap, rhs_dilation, strict=True)))
        limit = tuple(a + (n - 1) * s + 1 for a, n, s in zip(start, shape, steps, strict=True))
        part = slice_(wide, **{k: tuple(v[i] for i in back) for k, v in _places(start, limit, steps).items()})
        ends = tuple(t + 1 for t in tap)
        factor = reshape(slice_(w, start=(0, 0, *tap), limit=(groups, 1, *ends)), shape=(groups,))
        factors = broadcast_in_dim(factor, shape=part.shape, dims=(order[1],))
        total = mul(part, factors) if total is None else add(total, mul(part, factors))
    return transpose(total, permutation=tuple(order))


def _places(start: Any, limit: Any, strides: Any) -> dict[str, Any]:
    places = {"start": start, "limit": limit}
    return places if all(s == 1 for s in strides) else {**places, "strides": strides}
