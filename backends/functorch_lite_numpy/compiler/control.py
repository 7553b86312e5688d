"""Loops with a known number of turns, as LLVM IR."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from typing import Any

from . import ir
from .types import I8, I64, constant, int64

__all__ = ["accumulated", "counted", "covered", "displaced"]


@contextmanager
def counted(b: Any, count: int) -> Iterator[Any]:
    """Code for each number below `count`, which is at least 1; the builder stands inside, and afterwards behind."""
    if count == 1:
        yield constant(I64, 0)
        return
    before, body, done = b.block, b.append_basic_block("turn"), b.append_basic_block("turned")
    b.branch(body)
    b.position_at_end(body)
    i = b.phi(I64)
    i.add_incoming(constant(I64, 0), before)
    yield i
    following = b.add(i, constant(I64, 1))
    i.add_incoming(following, b.block)
    b.cbranch(b.icmp_unsigned("<", following, constant(I64, count)), body, done)
    b.position_at_end(done)


@contextmanager
def covered(b: Any, count: int, length: int) -> Iterator[Any]:
    """Code for the starts of pieces that cover `count`, at least `length`; the last may overlap the one before."""
    with counted(b, -(-count // length)) as i:
        if count <= length:
            yield i
            return
        start, end = b.mul(i, constant(I64, length)), constant(I64, count - length)
        yield start if count % length == 0 else b.select(b.icmp_unsigned("<", start, end), start, end)


def accumulated(
    b: Any, count: Any, values: Sequence[Any], turn: Callable[[Any, Sequence[Any]], Sequence[Any]]
) -> Sequence[Any]:
    """What becomes of `values` when `turn(i, values)` is done for each i below `count`, at least 1."""
    before, body, done = b.block, b.append_basic_block("sum"), b.append_basic_block("summed")
    b.branch(body)
    b.position_at_end(body)
    i = b.phi(I64)
    i.add_incoming(constant(I64, 0), before)
    phis = [b.phi(v.type) for v in values]
    for phi, v in zip(phis, values, strict=True):
        phi.add_incoming(v, before)
    out = turn(i, phis)
    for phi, v in zip(phis, out, strict=True):
        phi.add_incoming(v, b.block)
    following = b.add(i, constant(I64, 1))
    i.add_incoming(following, b.block)
    b.cbranch(b.icmp_unsigned("<", following, int64(count)), body, done)
    b.position_at_end(done)
    return out


def displaced(b: Any, pointer: Any, index: Any, step: int) -> Any:
    """The address `index * step` bytes on."""
    known = isinstance(index, ir.Constant)
    step = index.constant * step if known else step
    if step == 0:
        return pointer
    offset = constant(I64, step) if known else b.mul(index, constant(I64, step))
    return b.gep(pointer, [offset], source_etype=I8)
