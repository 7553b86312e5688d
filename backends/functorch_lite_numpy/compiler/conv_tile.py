"""A tile of a convolution: the code that sums it up in registers, and the code that writes it to its places."""

from __future__ import annotations

import itertools
from collections.abc import Callable, Sequence
from typing import Any

from . import ir, words
from .conv_plan import Plan
from .grids import address, counted, nested, total
from .intrinsics import intrinsic
from .squares import square
from .types import I1, I32, I64, PTR, constant, splat
from .vectors import first_lanes, load, run_mask, store
from .views import row_major

__all__ = ["fill_table", "tile_function", "write_function"]


def tile_function(plan: Plan) -> Any:
    """The function that sums up a tile."""
    strides = (plan.source.strides[0], *(s * a.stride for s, a in zip(plan.source.strides[2:], plan.axes, strict=True)))
    return _shared(plan, "tile", strides, _tile)


def write_function(plan: Plan) -> Any:
    """The function that writes a tile."""
    return _shared(plan, "write", (plan.out.strides[0], *plan.out.strides[2:]), _write)


def _shared(plan: Plan, what: str, strides: Sequence[int], make: Callable[[Plan, Sequence[int]], Any]) -> Any:
    """A function of the tile, which others of the same form share; it is made from the places of its positions."""
    places = tuple(
        sum(i * s for i, s in zip(at, strides, strict=True)) for at in itertools.product(*map(range, plan.tile.box))
    )
    steps = (plan.source.strides[1], plan.area) if what == "tile" else plan.out.strides[1]
    key = (what, plan.dtype, plan.words, plan.lanes, plan.tile.vectors, places, steps)
    return plan.unit.shared(key, lambda: make(plan, places))


def _tile(plan: Plan, places: Sequence[int]) -> Any:
    """`void tile(ptr x, ptr table, ptr filters, ptr sums, i64 channels, i64 begin, i64 end, i1 first)`.

    sums += the taps' products; or = if first: of each channel, those from `begin` to `end`. The table says where
    each finds its element of x, from the first tap's.
    """
    f = plan.unit.function(plan.unit.name("tile"), ir.VoidType(), [PTR] * 4 + [I64] * 3 + [I1])
    plan.unit.losses.inner.add(f.name)
    x, table, filters, sums, channels, begin, end, first = f.args
    b = ir.IRBuilder(f.append_basic_block("entry"))
    count = len(places) * plan.tile.vectors
    names = ("again", "channel", "channel.taps", "tap", "tap.body", "tap.done", "done")
    again, channel, enter, head, body, after, done = (f.append_basic_block(n) for n in names)
    entry = b.block
    b.cbranch(first, channel, again)
    b.position_at_end(again)
    old = _vectors(plan, b, sums, count)
    b.branch(channel)

    b.position_at_end(channel)
    c, image, weights = b.phi(I64), b.phi(PTR), b.phi(PTR)
    outer = [b.phi(plan.vector) for _ in range(count)]
    zero = ir.Constant(plan.vector, None)
    for before, initial in ((entry, [zero] * count), (again, old)):
        for phi, v in zip((c, image, weights, *outer), (constant(I64, 0), x, filters, *initial), strict=True):
            phi.add_incoming(v, before)
    b.cbranch(b.icmp_signed("<", c, channels), enter, done)
    b.position_at_end(enter)
    b.branch(head)

    b.position_at_end(head)
    k = b.phi(I64)
    values = [b.phi(plan.vector) for _ in range(count)]
    for phi, v in zip((k, *values), (begin, *outer), strict=True):
        phi.add_incoming(v, enter)
    b.cbranch(b.icmp_signed("<", k, end), body, after)
    b.position_at_end(body)
    new = _with_tap(plan, b, places, (image, table, weights), k, values)
    for phi, v in zip((k, *values), (b.add(k, constant(I64, 1)), *new), strict=True):
        phi.add_incoming(v, body)
    b.branch(head)

    b.position_at_end(after)
    following = (
        b.add(c, constant(I64, 1)),
        address(b, image, plan.scalar, [], plan.source.strides[1]),
        address(b, weights, plan.scalar, [], plan.area * plan.block),
    )
    for phi, v in zip((c, image, weights, *outer), (*following, *values), strict=True):
        phi.add_incoming(v, after)
    b.branch(channel)
    b.position_at_end(done)
    for i, v in enumerate(outer):
        b.store(v, address(b, sums, plan.vector, [], i), align=plan.lanes * plan.size)
    b.ret_void()
    return f


def _with_tap(
    plan: Plan, b: Any, places: Sequence[int], pointers: Sequence[Any], k: Any, sums: Sequence[Any]
) -> list[Any]:
    """The sums with the products of tap k: of each place's element of x with all outputs."""
    image, table, weights = pointers
    tap = b.load(b.gep(table, [k], source_etype=I32), typ=I32)
    moved = b.gep(image, [b.sext(tap, I64)], source_etype=plan.scalar)
    row = b.gep(weights, [b.mul(k, constant(I64, plan.block))], source_etype=plan.scalar)
    outputs = _vectors(plan, b, row, plan.tile.vectors)
    new: list[Any] = []
    for place in places:
        element = splat(b, b.load(address(b, moved, plan.scalar, [], place), typ=plan.scalar), plan.lanes)
        new += [_multiply_add(plan, b, element, w, sums[len(new) + v]) for v, w in enumerate(outputs)]
    return new


def _multiply_add(plan: Plan, b: Any, x: Any, y: Any, total: Any) -> Any:
    if plan.dtype.kind == "f":
        return intrinsic(b, "fma", x, y, total)
    return b.add((words.multiply if plan.words else ir.IRBuilder.mul)(b, x, y), total)


def _vectors(plan: Plan, b: Any, start: Any, count: int) -> list[Any]:
    """So many vectors that lie side by side."""
    align = plan.lanes * plan.size
    return [b.load(address(b, start, plan.vector, [], i), typ=plan.vector, align=align) for i in range(count)]


def fill_table(plan: Plan, b: Any, table: Any) -> None:
    """Where each tap of a chunk finds its element of x."""
    strides = (
        plan.source.strides[1],
        *(s * a.rhs for s, a in zip(plan.source.strides[2:], plan.axes, strict=True)),
    )
    with nested(b, plan.chunk) as at:
        tap = total(b, list(zip(at, row_major(plan.chunk).strides, strict=True)))
        place = total(b, list(zip(at, strides, strict=True)))
        b.store(b.trunc(place, I32), address(b, table, I32, [(tap, 1)]))


def _write(plan: Plan, places: Sequence[int]) -> Any:
    """`void write(ptr sums, ptr out, i64 outputs)`: the sums of a tile to their places."""
    f = plan.unit.function(plan.unit.name("write"), ir.VoidType(), [PTR, PTR, I64])
    sums, out, outputs = f.args
    b = ir.IRBuilder(f.append_basic_block("entry"))
    write = _write_lanes if plan.out.strides[1] == 1 else _write_squares
    with counted(b, plan.tile.vectors) as v:
        left = b.sub(outputs, b.mul(v, constant(I64, plan.lanes)))
        start = address(b, sums, plan.scalar, [(v, plan.lanes)])
        target = address(b, out, plan.scalar, [(v, plan.lanes * plan.out.strides[1])])
        write(plan, b, start, target, left, places)
    b.ret_void()
    return f


def _write_lanes(plan: Plan, b: Any, start: Any, target: Any, left: Any, places: Sequence[int]) -> None:
    """Where outputs lie side by side: a vector of them at each place."""

    def store_all(mask: Any) -> None:
        for p, place in enumerate(places):
            sums = load(b, address(b, start, plan.scalar, [], p * plan.block), plan.vector)
            store(b, sums, address(b, target, plan.scalar, [], place), mask)

    few = b.icmp_signed("<", left, constant(I64, plan.lanes))
    with b.if_else(few) as (then, otherwise):
        with then:
            store_all(first_lanes(b, left, plan.lanes))
        with otherwise:
            store_all(None)


def _write_squares(plan: Plan, b: Any, start: Any, target: Any, left: Any, places: Sequence[int]) -> None:
    """Else squares of them are turned, so that what belongs to an output lies side by side."""
    with b.goto_entry_block():
        slot: Any = b.alloca(plan.vector, plan.lanes)
    slot.align = 64
    buffer, n = b.bitcast(slot, PTR), constant(I64, plan.lanes)
    for first in range(0, len(places), plan.lanes):
        sums = address(b, start, plan.scalar, [], first * plan.block)
        b.call(square(plan.unit, plan.vector), [sums, constant(I64, plan.block), n, n, buffer, n])
        with counted(b, intrinsic(b, "smin", left, n)) as o:
            row = load(b, address(b, buffer, plan.vector, [(o, 1)]), plan.vector)
            for lane, count in _runs(places[first : first + plan.lanes]):
                place = address(b, target, plan.scalar, [(o, plan.out.strides[1])], places[first + lane] - lane)
                store(b, row, place, run_mask(lane, count, plan.lanes))


def _runs(places: Sequence[int]) -> list[tuple[int, int]]:
    """Where places follow each other: (first, how many)."""
    out: list[tuple[int, int]] = []
    for i, place in enumerate(places):
        if i and place == places[i - 1] + 1:
            first, n = out.pop()
            out.append((first, n + 1))
        else:
            out.append((i, 1))
    return out
