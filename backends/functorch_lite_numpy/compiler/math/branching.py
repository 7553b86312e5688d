"""Branches and loops in vector code: what few lanes need, what is repeated until all lanes are done, functions that are called."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import Any

from .. import ir
from ..types import I64, any_lane, constant
from .vector import Vector

__all__ = ["called", "repeated", "until_done", "where_any"]


def where_any(v: Vector, mask: Any, usual: Sequence[Any], rare: Callable[[], Sequence[Any]]) -> list[Any]:
    """In the lanes of the mask the values that `rare` computes, which it does only if there are any."""
    b, before = v.b, v.b.block
    with b.if_then(any_lane(b, mask), likely=False):
        mended = [v.select(mask, x, y) for x, y in zip(rare(), usual, strict=True)]
        end = b.block
    return _joined(b, before, usual, end, mended)


def _joined(b: Any, block: Any, values: Sequence[Any], other: Any, others: Sequence[Any]) -> list[Any]:
    """The values that come from one block or the other."""
    joined = []
    for x, y in zip(values, others, strict=True):
        phi = b.phi(x.type)
        phi.add_incoming(x, block)
        phi.add_incoming(y, other)
        joined.append(phi)
    return joined


def until_done(
    v: Vector,
    active: Any,
    start: Sequence[Any],
    turn: Callable[[Any, Sequence[Any]], tuple[Any, Sequence[Any]]],
    most: int,
) -> list[Any]:
    """What turns make of values, lane by lane.

    Args:
      v: arithmetic.
      active: the lanes that have any turns to do.
      start: the values before.
      turn: of its number, as a float, from 1 on, and of values: the lanes that go on, and the new values. A lane that has
        finished keeps its values, so that they do not depend on its neighbours.
      most: turns that are done at most.
    """
    b, before = v.b, v.b.block
    loop, done = b.append_basic_block("turn"), b.append_basic_block("done")
    b.cbranch(any_lane(b, active), loop, done)
    b.position_at_end(loop)
    types = [active.type, v.type, *(x.type for x in start)]
    phis = [b.phi(type) for type in types]
    for phi, x in zip(phis, [active, v.const(1.0), *start], strict=True):
        phi.add_incoming(x, before)
    going, k, *values = phis
    more, new = turn(k, values)
    new = [v.select(going, x, y) for x, y in zip(new, values, strict=True)]
    more = b.and_(b.and_(going, more), v.less(k, v.const(float(most))))
    for phi, x in zip(phis, [more, v.add(k, v.const(1.0)), *new], strict=True):
        phi.add_incoming(x, b.block)
    end = b.block
    b.cbranch(any_lane(b, more), loop, done)
    b.position_at_end(done)
    return _joined(b, before, start, end, new)


def repeated(b: Any, count: int, start: Sequence[Any], turn: Callable[[Sequence[Any]], Sequence[Any]]) -> list[Any]:
    """What so many turns make of values."""
    before, loop, done = b.block, b.append_basic_block("turn"), b.append_basic_block("done")
    b.branch(loop)
    b.position_at_end(loop)
    first = constant(I64, 0)
    i, *values = [b.phi(x.type) for x in (first, *start)]
    new = list(turn(values))
    following = b.add(i, constant(I64, 1))
    for phi, x, y in zip([i, *values], [first, *start], [following, *new], strict=True):
        phi.add_incoming(x, before)
        phi.add_incoming(y, b.block)
    b.cbranch(b.icmp_unsigned("<", following, constant(I64, count)), loop, done)
    b.position_at_end(done)
    return new


def called(v: Vector, name: str, write: Callable[..., Any], *operands: Any, **settings: Any) -> Any:
    """A call of a function that the module has once for each settings: `write` (Vector, *values, **settings) -> value.

    For what is long, has loops, or is needed in several places.
    """
    module, name = v.b.module, ".".join([name, *(f"{key}={value}" for key, value in settings.items()), v.suffix])
    if name not in module.globals:
        function = ir.Function(module, ir.FunctionType(v.type, [x.type for x in operands]), name)
        function.linkage = "internal"
        function.attributes.add("noinline")
        b = ir.IRBuilder(function.append_basic_block("entry"))
        b.ret(write(Vector(b, operands[0]), *function.args, **settings))
    return v.b.call(module.globals[name], operands)
