"""A convolution of a dilated x (the gradient of one with strides) as several of x itself: no zeros are multiplied.

Along an axis dilated by d, positions of the result with one remainder modulo d meet the same taps, every d-th; these
are a convolution of their own, of part of the window to part of the result.
"""

from __future__ import annotations

import itertools
import math
from collections.abc import Iterator, Sequence
from typing import Any, NamedTuple

from .views import View

__all__ = ["Part", "phases"]


class Part(NamedTuple):
    """One of the convolutions."""

    x: View
    w: View
    out: View
    params: dict[str, Any]


class _Phase(NamedTuple):
    """Along an axis: the first position and tap, how many, and what replaces the padding and the dilation of x."""

    position: int
    positions: int
    tap: int
    taps: int
    step: int
    low: int
    dilation: int


def phases(x: View, w: View, out: View, params: dict[str, Any]) -> list[Part]:
    """The convolutions whose results together are the result; positions that meet no tap are in none, and zero."""
    rows = zip(
        out.shape[2:],
        w.shape[2:],
        *(params[k] for k in ("strides", "padding", "lhs_dilation", "rhs_dilation")),
        strict=True,
    )
    choices = [list(_axis_phases(n, k, s, low, left, right)) for n, k, s, (low, _), left, right in rows]
    return [_part(x, w, out, params, chosen) for chosen in itertools.product(*choices)]


def _axis_phases(n: int, k: int, stride: int, low: int, left: int, right: int) -> Iterator[_Phase]:
    if left == 1 or stride != 1 or math.gcd(left, right) != 1:
        yield _Phase(0, n, 0, k, 1, low, left)
        return
    for position in range(min(left, n)):
        tap = (low - position) * pow(right, -1, left) % left
        if tap < k:
            moved = (low - position - tap * right) // left
            yield _Phase(position, -(-(n - position) // left), tap, -(-(k - tap) // left), left, moved, 1)


def _part(x: View, w: View, out: View, params: dict[str, Any], chosen: Sequence[_Phase]) -> Part:
    padding = tuple((p.low, 0) for p in chosen)  # what is behind the end follows from the result's length
    changed = {**params, "padding": padding, "lhs_dilation": tuple(p.dilation for p in chosen)}
    some_w = _every(w, [(p.tap, p.taps, p.step) for p in chosen])
    return Part(x, some_w, _every(out, [(p.position, p.positions, p.step) for p in chosen]), changed)


def _every(view: View, slices: Sequence[tuple[int, int, int]]) -> View:
    """Some elements along the axes of space: (first, how many, step)."""
    shape = (*view.shape[:2], *(n for _, n, _ in slices))
    strides = (*view.strides[:2], *(s * step for s, (_, _, step) in zip(view.strides[2:], slices, strict=True)))
    offset = view.offset + sum(s * first for s, (first, _, _) in zip(view.strides[2:], slices, strict=True))
    return View(shape, strides, offset)
