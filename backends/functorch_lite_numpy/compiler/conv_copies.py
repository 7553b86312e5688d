"""What a convolution copies: filters, in the order in which tiles read them, and x where it needs zeros."""

from __future__ import annotations

import math
from collections.abc import Sequence
from typing import Any, NamedTuple

from .conv_plan import Plan
from .grids import address, counted, nested
from .intrinsics import intrinsic
from .squares import square
from .types import I64, constant, int64
from .vectors import first_lanes, load, load_apart, run_mask, store
from .views import row_major

__all__ = ["Chunk", "copy_image", "pack_filters"]


class Chunk(NamedTuple):
    """Some taps: the first channel and row of the window, and how many of each."""

    number: Any
    channel: Any
    row: Any
    sizes: list[Any]

    def values(self) -> list[Any]:
        return [self.number, self.channel, self.row, *self.sizes]

    @classmethod
    def of(cls, values: Sequence[Any]) -> Chunk:
        number, channel, row, *sizes = values
        return cls(number, channel, row, sizes)


def pack_filters(plan: Plan, b: Any, w: Any, target: Any, chunk: Chunk) -> None:
    """The filters of a chunk, as (blocks, taps, outputs of a block), with zeros for outputs that there are not."""
    strides = plan.w.strides
    starts = [(chunk.channel, strides[1]), *([(chunk.row, strides[2])] if plan.axes else [])]
    flat = plan.axes and strides[0] != 1 and strides[2:] == row_major(plan.w.shape[2:]).strides
    with counted(b, plan.blocks) as block, counted(b, plan.tile.vectors) as v:
        first = b.add(b.mul(block, constant(I64, plan.block)), b.mul(v, constant(I64, plan.lanes)))
        source = address(b, w, plan.scalar, [(first, strides[0]), *starts])
        goal = address(b, target, plan.scalar, [(block, plan.taps * plan.block), (v, plan.lanes)])
        pack = _pack_squares if flat else _pack_taps
        pack(plan, b, source, goal, chunk, b.sub(constant(I64, plan.outputs), first))


def _pack_taps(plan: Plan, b: Any, source: Any, goal: Any, chunk: Chunk, outputs: Any) -> None:
    """Tap by tap, a vector of outputs."""
    extents = [*chunk.sizes, *(a.window for a in plan.axes[1:])]
    mask = first_lanes(b, outputs, plan.lanes)
    with nested(b, extents) as at:
        place = address(b, source, plan.scalar, list(zip(at, plan.w.strides[1:], strict=True)))
        tap: Any = constant(I64, 0)
        for i, n in zip(at, extents, strict=True):
            tap = b.add(b.mul(tap, int64(n)), i)
        packed = load_apart(b, place, plan.vector, plan.w.strides[0], mask)
        store(b, packed, address(b, goal, plan.scalar, [(tap, plan.block)]))


def _pack_squares(plan: Plan, b: Any, source: Any, goal: Any, chunk: Chunk, outputs: Any) -> None:
    """Where a channel's window is contiguous: squares of outputs and taps, transposed."""
    channels, rows = chunk.sizes
    count = b.mul(int64(rows), constant(I64, math.prod(a.window for a in plan.axes[1:])))
    n = plan.lanes
    with counted(b, channels) as c:
        start = address(b, source, plan.scalar, [(c, plan.w.strides[1])])
        taps = b.gep(goal, [b.mul(b.mul(c, count), constant(I64, plan.block))], source_etype=plan.scalar)
        with counted(b, count, step=n) as t:
            place = address(b, start, plan.scalar, [(t, 1)])
            target = address(b, taps, plan.scalar, [(t, plan.block)])
            args = [
                place,
                constant(I64, plan.w.strides[0]),
                outputs,
                b.sub(count, t),
                target,
                constant(I64, plan.block),
            ]
            b.call(square(plan.unit, plan.vector), args)


def copy_image(plan: Plan, b: Any, x: Any, target: Any, count: Any, row: Any, rows: Any) -> None:
    """What a chunk reads of x, between zeros (which are there already)."""
    lows = [constant(I64, a.kept[0]) for a in plan.axes]
    lengths: list[Any] = [a.kept[1] - a.kept[0] for a in plan.axes]
    if 0 in lengths:
        return
    first = plan.axes[0]
    if first.lhs == 1 and plan.chunk[1] < first.window:  # only the rows that this part of the window meets
        start = b.sub(b.mul(row, constant(I64, first.rhs)), constant(I64, first.low))
        reach = b.add(
            b.mul(rows, constant(I64, first.rhs)), constant(I64, (first.out - 1) * first.stride + 1 - first.rhs)
        )
        lows[0] = intrinsic(b, "smax", lows[0], start)
        high = intrinsic(b, "smin", constant(I64, first.kept[1]), b.add(start, reach))
        lengths[0] = intrinsic(b, "smax", b.sub(high, lows[0]), constant(I64, 0))
    to = [s * a.lhs for s, a in zip(plan.source.strides[2:], plan.axes, strict=True)]
    shift = sum(s * a.low for s, a in zip(plan.source.strides[2:], plan.axes, strict=True))
    lead = zip((plan.tile.box[0], count), plan.x.strides[:2], plan.source.strides[:2], strict=True)
    terms = [(n, s, t, constant(I64, 0)) for n, s, t in lead]
    terms += [(n, s, t, low) for n, s, t, low in zip(lengths, plan.x.strides[2:], to, lows, strict=True)]
    terms.sort(key=lambda term: term[1] == term[2] == 1)  # runs of what lies side by side last
    with nested(b, [n for n, *_ in terms[:-1]]) as at:
        at = [b.add(i, low) for i, (*_, low) in zip(at, terms[:-1], strict=True)] + [terms[-1][3]]
        source = address(b, x, plan.scalar, [(i, s) for i, (_, s, _, _) in zip(at, terms, strict=True)])
        goal = address(b, target, plan.scalar, [(i, t) for i, (_, _, t, _) in zip(at, terms, strict=True)], shift)
        n, s, t, _ = terms[-1]
        if s == t == 1:
            _copy_run(plan, b, source, goal, n)
        else:
            with counted(b, n) as i:
                element = b.load(address(b, source, plan.scalar, [(i, s)]), typ=plan.scalar)
                b.store(element, address(b, goal, plan.scalar, [(i, t)]))


def _copy_run(plan: Plan, b: Any, source: Any, target: Any, n: Any) -> None:
    """Elements that lie side by side; straight code for a few vectors of them."""
    if isinstance(n, int) and n <= 4 * plan.lanes:
        for i in range(0, n, plan.lanes):
            mask = run_mask(0, min(n - i, plan.lanes), plan.lanes)
            store(
                b,
                load(b, address(b, source, plan.scalar, [], i), plan.vector, mask),
                address(b, target, plan.scalar, [], i),
                mask,
            )
        return
    with counted(b, n, step=plan.lanes) as i:
        mask = first_lanes(b, b.sub(int64(n), i), plan.lanes)
        part = load(b, address(b, source, plan.scalar, [(i, 1)]), plan.vector, mask)
        store(b, part, address(b, target, plan.scalar, [(i, 1)]), mask)
