"""The carry of a loop, as code: a small one lies on the stack, where it can become registers; of a large one there are two copies
that take turns.
"""

from __future__ import annotations

from collections.abc import Container, Sequence
from typing import Any

from functorch_lite.extend import ArrayType

from . import ir
from .intrinsics import copy_memory
from .memory import ON_STACK, aligned
from .sequences import byte_count
from .types import I8, PTR, int64
from .unit import Unit

__all__ = ["Carry", "moved"]


def moved(b: Any, pointer: Any, offset: Any) -> Any:
    """So many bytes on."""
    return b.gep(pointer, [int64(offset)], source_etype=I8)


class Carry:
    """The memory of a loop's carry: where a turn reads it and where it writes the next."""

    def __init__(
        self,
        unit: Unit,
        b: Any,
        types: Sequence[ArrayType],
        results: Sequence[Any],
        scratch: Any,
        stays: Container[int] = (),
    ):
        self.unit = unit
        self.sizes = [byte_count(t) for t in types]
        self.results = results
        self.small = [n <= ON_STACK and k not in stays for k, n in enumerate(self.sizes)]
        self.now: list[Any] = []
        self.next: list[Any] = []
        offset = 0
        for k, (n, small, result) in enumerate(zip(self.sizes, self.small, results, strict=True)):
            if k in stays:  # changed in place
                pair = [result, result]
            elif small:
                pair = [b.alloca(ir.ArrayType(I8, n)) for _ in range(2)]
                for p in pair:
                    p.align = 64
            else:
                pair = [result, moved(b, scratch, offset)]
                offset += aligned(n)
            self.now.append(pair[0])
            self.next.append(pair[1])

    @staticmethod
    def scratch(types: Sequence[ArrayType], stays: Container[int]) -> int:
        """How many bytes the second copies take."""
        return sum(aligned(byte_count(t)) for k, t in enumerate(types) if k not in stays and byte_count(t) > ON_STACK)

    def start(self, b: Any, operands: Sequence[Any]) -> None:
        for p, x, n in zip(self.now, operands, self.sizes, strict=True):
            copy_memory(b, p, x, n)

    def enter(self, b: Any, before: Any) -> None:
        """At the head of the loop: the copies that have changed places."""
        self.first = list(zip(self.now, self.next, strict=True))
        self.phis = []
        for i, small in enumerate(self.small):
            if not small:
                pair = (b.phi(PTR), b.phi(PTR))
                for phi, p in zip(pair, self.first[i], strict=True):
                    phi.add_incoming(p, before)
                self.now[i], self.next[i] = pair
                self.phis.append(pair)

    def turn(self, b: Any) -> None:
        """At the end of a turn."""
        for p, q, n, small in zip(self.now, self.next, self.sizes, self.small, strict=True):
            if small:
                copy_memory(b, p, q, n)
        for now, later in self.phis:
            now.add_incoming(later, b.block)
            later.add_incoming(now, b.block)

    def finish(self, b: Any) -> None:
        """Behind the loop: the last carry into the results."""
        for p, result, n, small in zip(self.now, self.results, self.sizes, self.small, strict=True):
            if small:
                copy_memory(b, result, p, n)
            else:
                elsewhere = b.icmp_unsigned("!=", p, result)
                with b.if_then(elsewhere):
                    copy_memory(b, result, p, n)
