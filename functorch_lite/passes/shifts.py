"""Convolutions as sums of shifted slices: where the taps of a window meet x, without the zeros between its elements.

Position p of the result meets tap t at element (p * stride + t * rhs_dilation - low) / lhs_dilation of x, if that is one. So
where x is dilated, positions with one remainder modulo the dilation meet the same taps: each remainder has a sum of its own, and
these are put between each other.
"""

from __future__ import annotations

import functools
import itertools
from collections.abc import Callable, Mapping, Sequence
from typing import Any, NamedTuple

from ..primitives.elementwise import add
from ..primitives.slicing import concatenate, pad, slice_
from ..primitives.structural import reshape, transpose

__all__ = ["MOST_TAPS", "Axis", "axes_of", "padded", "sliced", "summed", "whole"]

MOST_TAPS = 49
"""Taps are written out."""


class Axis(NamedTuple):
    """An axis of the result.

    Attributes:
      length: how long it is.
      positions: so many have one remainder.
      step: from what one of them meets to what the next one does.
      moves: for each remainder the taps that it meets, and where they meet its first position.
    """

    length: int
    positions: int
    step: int
    moves: list[list[tuple[int, int]]]

    @property
    def before(self) -> int:
        """How far the taps begin in front of x."""
        return -min(0, *(move for met in self.moves for _, move in met))

    def behind(self, n: int) -> int:
        """How far they go beyond x, of length n."""
        last = (self.positions - 1) * self.step + 1
        return max(0, *(move + last - n for met in self.moves for _, move in met))


def whole(n: int) -> Axis:
    """An axis that no window goes along."""
    return Axis(n, n, 1, [[(0, 0)]])


def axes_of(window: Sequence[int], space: Sequence[int], params: Mapping[str, Any]) -> list[Axis] | None:
    """Those of space; None if a position meets no tap, or where there are both strides and a dilated x.

    Args:
      window: its lengths.
      space: those of the result.
      params: the convolution's.
    """
    names = ("strides", "padding", "lhs_dilation", "rhs_dilation")
    axes: list[Axis] = []
    for taps, length, stride, (low, _), left, right in zip(window, space, *(params[k] for k in names), strict=True):
        moves = [
            [(t, (q + t * right - low) // left) for t in range(taps) if (q + t * right - low) % left == 0]
            for q in range(left)
        ]
        if not all(moves) or min(stride, left) > 1:
            return None
        axes.append(Axis(length, -(-length // left), stride, moves))
    return axes


def padded(x: Any, axes: Sequence[Axis]) -> Any:
    """X with zeros wherever the taps go."""
    return pad(x, x.dtype.type(0), config=tuple((a.before, a.behind(n), 0) for a, n in zip(axes, x.shape, strict=True)))


def sliced(wide: Any, axes: Sequence[Axis], moves: Sequence[int]) -> Any:
    """What taps with these moves meet of a padded x."""
    start = tuple(a.before + move for a, move in zip(axes, moves, strict=True))
    limit = tuple(s + (a.positions - 1) * a.step + 1 for a, s in zip(axes, start, strict=True))
    strides = tuple(a.step for a in axes)
    return slice_(wide, start=start, limit=limit, **({} if {*strides} <= {1} else {"strides": strides}))


def summed(axes: Sequence[Axis], term: Callable[[tuple[int, ...], tuple[int, ...]], Any]) -> Any:
    """The result: for each position the sum over the taps that it meets of a term, of all axes' taps and moves."""
    sums = []
    for met in itertools.product(*(a.moves for a in axes)):
        terms = [term(*map(tuple, zip(*taps, strict=True))) for taps in itertools.product(*met)]
        sums.append(functools.reduce(add, terms))
    return sums[0] if len(sums) == 1 else _between_each_other(sums, axes)


def _between_each_other(sums: Sequence[Any], axes: Sequence[Axis]) -> Any:
    shape, counts = sums[0].shape, [len(a.moves) for a in axes]
    together = concatenate(*(reshape(x, shape=(*shape, 1)) for x in sums), dimension=len(shape))
    apart = transpose(
        reshape(together, shape=(*shape, *counts)),
        permutation=tuple(k for i in range(len(shape)) for k in (i, len(shape) + i)),
    )
    joined = reshape(apart, shape=tuple(n * count for n, count in zip(shape, counts, strict=True)))
    return slice_(joined, start=(0,) * len(shape), limit=tuple(a.length for a in axes))
