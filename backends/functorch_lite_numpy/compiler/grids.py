"""Counted loops and nests of them, written with one builder."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from contextlib import ExitStack, contextmanager
from typing import Any

from .types import I64, constant, int64

__all__ = ["address", "counted", "nested", "total"]


@contextmanager
def counted(b: Any, n: Any, first: Any = 0, step: int = 1) -> Iterator[Any]:
    """Code for each of `first`, `first` + `step`, ... below `n`; gives the index. One turn alone needs no loop."""
    if isinstance(n, int) and isinstance(first, int) and first + step >= n > first:
        yield constant(I64, first)
        return
    first, n = int64(first), int64(n)
    function = b.function
    head, body, done = (function.append_basic_block(f"loop.{part}") for part in ("head", "body", "done"))
    before = b.block
    b.branch(head)
    b.position_at_end(head)
    i = b.phi(I64)
    i.add_incoming(first, before)
    b.cbranch(b.icmp_signed("<", i, n), body, done)
    b.position_at_end(body)
    yield i
    i.add_incoming(b.add(i, constant(I64, step)), b.block)
    b.branch(head)
    b.position_at_end(done)


@contextmanager
def nested(b: Any, extents: Sequence[int]) -> Iterator[list[Any]]:
    """A loop for each extent, the last innermost."""
    with ExitStack() as stack:
        yield [stack.enter_context(counted(b, n)) for n in extents]


def total(b: Any, terms: Sequence[tuple[Any, int]], start: Any = 0) -> Any:
    """The start plus the sum of values times numbers."""
    out = int64(start)
    for value, factor in terms:
        if factor:
            out = b.add(out, value if factor == 1 else b.mul(value, constant(I64, factor)))
    return out


def address(b: Any, pointer: Any, type: Any, terms: Sequence[tuple[Any, int]], start: Any = 0) -> Any:
    """A pointer moved by so many elements of a type."""
    return b.gep(pointer, [total(b, terms, start)], source_etype=type)
