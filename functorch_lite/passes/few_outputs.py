"""Convolutions to few outputs as products of matrices, whose results are shifted and added.

    conv(x, w)   ->   sum over taps t of slice_t(pad(y[t])),   y[t, o] = sum over channels c of w[o, c, t] x[c]

The outputs of a position would fill only a part of a vector; those of all taps fill several. Where x is dilated, as in the gradient
of a convolution with strides, positions with one remainder modulo the dilation meet the same taps: each remainder has a sum of its
own, and these are put between each other. Not bit for bit: sums are taken in another order.
"""

from __future__ import annotations

import functools
import itertools
import math
from collections.abc import Mapping, Sequence
from typing import Any, NamedTuple

from .. import dtypes
from ..array_type import has_dim
from ..primitives.contraction import dot_general
from ..primitives.convolution import conv
from ..primitives.elementwise import add
from ..primitives.slicing import concatenate, pad, slice_
from ..primitives.structural import reshape, transpose
from ..program import Equation, Program, Var
from .rewrite import Rule, by_rules

__all__ = ["by_few_outputs"]

MOST_TAPS = 49
"""Taps are written out."""
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
    plain = params["groups"] == 1 and set(params["strides"]) <= {1}
    exact = dtypes.accumulator_dtype(result.dtype) == result.dtype
    few = 2 * w.shape[0] * result.dtype.itemsize <= width and taps * w.shape[0] <= MOST_ROOM * w.shape[1]
    inside = all(n >= 0 for pair in params["padding"] for n in pair)
    many = math.prod(result.shape[2:]) * x.shape[0] >= POSITIONS
    if not (plain and exact and few and inside and many and 1 < taps <= MOST_TAPS):
        return None
    axes = _axes(x.shape[2:], w.shape[2:], result.shape[2:], params)
    return (lambda x, w: [_sum(x, w, axes)]) if all(all(axis.moves) for axis in axes) else None


class _Axis(NamedTuple):
    """An axis of the result.

    Attributes:
      length: how long it is.
      positions: so many have one remainder modulo the dilation.
      moves: for each remainder, the taps that it meets, and how far in front of x, or behind its start, they meet its first one.
    """

    length: int
    positions: int
    moves: list[list[tuple[int, int]]]

    @property
    def before(self) -> int:
        return -min(0, *(move for met in self.moves for _, move in met))

    def behind(self, n: int) -> int:
        """How far the taps go beyond x, of length n."""
        return max(0, *(move + self.positions - n for met in self.moves for _, move in met))


def _axes(space: Sequence[int], window: Sequence[int], result: Sequence[int], params: dict[str, Any]) -> list[_Axis]:
    """Those behind outputs and channels."""
    rows = zip(window, result, *(params[k] for k in ("padding", "lhs_dilation", "rhs_dilation")), strict=True)
    return [
        _Axis(
            length,
            -(-length // left),
            [
                [(t, (q + t * right - low) // left) for t in range(taps) if (q + t * right - low) % left == 0]
                for q in range(left)
            ],
        )
        for taps, length, (low, _), left, right in rows
    ]


def _sum(x: Any, w: Any, axes: Sequence[_Axis]) -> Any:
    """The sums of the taps' products, each moved to its place."""
    outputs, channels, *window = w.shape
    rows = reshape(transpose(w, permutation=(*range(2, w.ndim), 0, 1)), shape=(math.prod(window) * outputs, channels))
    products = dot_general(rows, x, dimension_numbers=(((1,), (1,)), ((), ())))
    config = ((0, 0, 0), (0, 0, 0), *((a.before, a.behind(n), 0) for a, n in zip(axes, x.shape[2:], strict=True)))
    wide = pad(products, x.dtype.type(0), config=config)
    shape = (outputs, x.shape[0], *(a.positions for a in axes))

    def part(tap: Sequence[tuple[int, int]]) -> Any:
        row = 0
        for (t, _), n in zip(tap, window, strict=True):
            row = row * n + t
        start = (row * outputs, 0, *(a.before + move for a, (_, move) in zip(axes, tap, strict=True)))
        return slice_(wide, start=start, limit=tuple(a + n for a, n in zip(start, shape, strict=True)))

    sums = []
    for met in itertools.product(*(a.moves for a in axes)):
        first, *others = map(part, itertools.product(*met))
        sums.append(reshape(functools.reduce(add, others, first), shape=(*shape, 1)))
    return _between(concatenate(*sums, dimension=len(shape)), axes)


def _between(sums: Any, axes: Sequence[_Axis]) -> Any:
    """The result, with the batch in front, of what the last axis has for each remainder."""
    d = len(axes)
    outputs, batch = sums.shape[:2]
    apart = reshape(sums, shape=(*sums.shape[:-1], *(len(a.moves) for a in axes)))
    permutation = (1, 0, *(k for i in range(d) for k in (2 + i, 2 + d + i)))
    joined = reshape(
        transpose(apart, permutation=permutation),
        shape=(batch, outputs, *(a.positions * len(a.moves) for a in axes)),
    )
    return slice_(joined, start=(0,) * (2 + d), limit=(batch, outputs, *(a.length for a in axes)))
