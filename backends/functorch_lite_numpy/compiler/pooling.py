"""Reductions over windows, and what their derivatives do: direct loops, in vectors along the last axis.

All of them go over the windows' elements ("taps") of each position of the result, in row-major order, and differ in
what they do with an element. Along the last axis, which tap meets which element is known for each lane beforehand,
strides, padding and dilation included: see `load_pattern`. Along the others it is found at run time, row by row.
`window_put` is such a loop too, with the window turned round, strides for dilation and dilation for strides.

Axes that windows leave alone are merged with their neighbours.
"""

from __future__ import annotations

import math
from collections.abc import Sequence
from contextlib import ExitStack
from typing import Any, NamedTuple

from functorch_lite.extend import Equation

from . import ir, processor, scalars
from .grids import address, counted, nested
from .pieces import in_pieces, range_of, turns_of
from .steps import Step
from .types import I1, I64, PTR, constant, memory_type, splat
from .unit import Unit
from .vectors import load, load_pattern, mask_of, run_mask, store

__all__ = ["WindowStep"]

UNROLLED = 256
"""Up to so many loads along the last axis are written out."""


class _Axis(NamedTuple):
    """Lengths of operand, window and result, and how they meet."""

    n: int
    window: int
    out: int
    stride: int
    low: int
    base: int
    dilation: int

    @property
    def trivial(self) -> bool:
        return self.window == self.stride == self.base == 1 and self.low == 0 and self.n == self.out

    @property
    def whole(self) -> bool:
        """Whether windows meet elements only."""
        last = (self.out - 1) * self.stride + (self.window - 1) * self.dilation - self.low
        return (self.base == 1 or self.n == 1 == self.out == self.window) and self.low <= 0 and last < self.n

    def place(self, i: int, tap: int) -> int | None:
        """The element that a position's tap meets; None for a gap."""
        at = i * self.stride + tap * self.dilation - self.low
        return at // self.base if at >= 0 and at % self.base == 0 and at // self.base < self.n else None


def axes_of(equation: Equation) -> list[_Axis]:
    """The axes of an equation, merged; of `window_put` with the roles of its sides exchanged."""
    p = equation.params
    if equation.primitive.name == "window_put":
        inner, outer = equation.operands[0].type.shape, p["shape"]
        axes = []
        for n, m, k, s, (low, _), b, d in _rows(inner, outer, p):
            axes.append(_Axis(n, k, m, b, (k - 1) * d - low, s, d))
    else:
        shapes = equation.operands[0].type.shape, equation.results[0].type.shape
        axes = [_Axis(n, k, m, s, low, b, d) for n, m, k, s, (low, _), b, d in _rows(*shapes, p)]
    merged: list[_Axis] = []
    for a in axes:
        if merged and a.trivial and merged[-1].trivial:
            a = a._replace(n=a.n * merged[-1].n, out=a.out * merged[-1].out)
            merged.pop()
        merged.append(a)
    return merged or [_Axis(1, 1, 1, 1, 0, 1, 1)]


def _rows(n: Any, m: Any, p: dict[str, Any]) -> Any:
    return zip(n, m, p["window"], p["strides"], p["padding"], p["base_dilation"], p["window_dilation"], strict=True)


class _Last:
    """How the last axis is done: vectors from the left, of which those in the middle are alike and can be a loop.

    Attributes:
      lanes: of a vector.
      head, tail: positions at which vectors before and behind the loop start.
      turns: how often the loop goes over `group` positions, from `start`; each turn `shift` elements further.
    """

    def __init__(self, axis: _Axis, lanes: int):
        self.axis, self.lanes = axis, lanes
        a = axis
        group = lanes * (a.base // math.gcd(lanes * a.stride, a.base))
        reach = (a.window - 1) * a.dilation
        first = -(-max(0, a.low) // (group * a.stride))
        length = 1 + a.base * (a.n - 1)
        last = max(
            first, min(a.out // group, (length - 1 + a.low - reach - (group - 1) * a.stride) // (group * a.stride) + 1)
        )
        if last - first < 4:
            last = first = 0
        self.group, self.start, self.turns = group, first * group, last - first
        self.shift = group * a.stride // a.base
        self.head = list(range(0, self.start, lanes))
        self.tail = list(range(last * group, a.out, lanes))

    @property
    def loads(self) -> int:
        return (len(self.head) + len(self.tail) + (self.group // self.lanes if self.turns else 0)) * self.axis.window

    def places(self, first: int, tap: int) -> list[int | None]:
        return [self.axis.place(first + i, tap) if first + i < self.axis.out else None for i in range(self.lanes)]


def last_axis(equation: Equation, axes: Sequence[_Axis]) -> _Last:
    size = max(a.type.dtype.itemsize for a in equation.operands)
    lanes = processor.vector_bytes() // size
    while lanes > 4 and lanes // 2 >= axes[-1].out:
        lanes //= 2
    return _Last(axes[-1], lanes)


class WindowStep(Step):
    """One of the primitives: a function `void windows(ptr operand0, ..., ptr result)`."""

    def __init__(self, unit: Unit, equation: Equation):
        super().__init__(unit, equation)
        self.axes = axes_of(equation)
        types = [(a.type.shape, a.type.dtype) for a in equation.operands]
        key = ("windows", equation.primitive.name, *types, *sorted(equation.params.items()))
        self.function = unit.shared(key, self.make)

    @classmethod
    def accepts(cls, equation: Equation) -> bool:
        dtype = equation.operands[0].type.dtype
        return dtype.kind in "fiu" and last_axis(equation, axes_of(equation)).loads <= UNROLLED

    def emit(self, b: Any, operands: Sequence[Any], results: Sequence[Any], scratch: Any) -> None:
        b.call(self.function, [*operands, *results])

    def make(self) -> Any:
        equation = self.equation
        self.last = last_axis(equation, self.axes)
        self.dtypes = [a.type.dtype for a in equation.operands]
        self.dtype = equation.results[0].type.dtype
        self.vectors = [ir.VectorType(memory_type(t), self.last.lanes) for t in self.dtypes]
        f = self.unit.function(self.unit.name("windows"), ir.VoidType(), [PTR] * (len(self.dtypes) + 1))
        for argument in f.args:
            argument.add_attribute("noalias")
        b = ir.IRBuilder(f.append_basic_block("entry"))
        count = self.axes[0].out if self.axes[1:] else 1
        turns = turns_of(count, self.duration)

        def piece(b: Any, pointers: Sequence[Any], k: Any) -> None:
            begin, end = range_of(b, k, turns, count)
            with counted(b, b.sub(end, begin)) as i, nested(b, [a.out for a in self.axes[1:-1]]) as at:
                self.line(b, pointers, [b.add(begin, i), *at] if self.axes[1:] else [])

        in_pieces(self.unit, b, -(-count // turns), f.args, piece)
        b.ret_void()
        return f

    @property
    def duration(self) -> float:
        return math.prod(a.out * a.window for a in self.axes) / 4

    def line(self, b: Any, pointers: Sequence[Any], at: Sequence[Any]) -> None:
        """All positions along the last axis, at places along the others."""
        row: Any = constant(I64, 0)
        for i, a in zip(at, self.axes, strict=False):
            row = b.add(b.mul(row, constant(I64, a.out)), i)
        start = b.mul(row, constant(I64, self.axes[-1].out))
        last = self.last
        for first in last.head:
            self.vector(b, pointers, at, start, first, constant(I64, 0))
        if last.turns:
            with counted(b, last.turns) as turn:
                here = b.add(start, b.mul(turn, constant(I64, last.group)))
                shift = b.mul(turn, constant(I64, last.shift))
                for first in range(last.start, last.start + last.group, last.lanes):
                    self.vector(b, pointers, at, here, first, shift)
        for first in last.tail:
            self.vector(b, pointers, at, start, first, constant(I64, 0))

    def vector(self, b: Any, pointers: Sequence[Any], at: Sequence[Any], here: Any, first: int, shift: Any) -> None:
        """A vector of the result, from `first` positions behind `here` on."""
        outer = self.axes[:-1]
        mask = run_mask(0, min(self.last.lanes, self.axes[-1].out - first), self.last.lanes)
        here = b.add(here, constant(I64, first))
        taps = _TAPS[self.equation.primitive.name](self, b)
        taps.start(
            [address(b, p, memory_type(t), [(here, 1)]) for p, t in zip(pointers, self.dtypes, strict=False)], mask
        )
        with ExitStack() as stack:
            rows: Any = constant(I64, 0)
            number: Any = constant(I64, 0)
            for i, a in zip(at, outer, strict=True):
                k = stack.enter_context(counted(b, a.window))
                place = b.add(b.mul(i, constant(I64, a.stride)), b.mul(k, constant(I64, a.dilation)))
                place = b.sub(place, constant(I64, a.low))
                if not a.whole:
                    met = b.icmp_unsigned("<", place, constant(I64, 1 + a.base * (a.n - 1)))
                    if a.base > 1:
                        met = b.and_(met, b.icmp_unsigned("==", b.urem(place, constant(I64, a.base)), constant(I64, 0)))
                        place = b.udiv(place, constant(I64, a.base))
                    stack.enter_context(b.if_then(met))
                rows = b.add(b.mul(rows, constant(I64, a.n)), place)
                number = b.add(b.mul(number, constant(I64, a.window)), k)
            a = self.axes[-1]
            starts = [
                address(b, p, v.element, [(rows, a.n), (shift, 1)])
                for p, v in zip(pointers[:-1], self.vectors, strict=True)
            ]
            number = b.mul(number, constant(I64, a.window))
            for k in range(a.window):
                places = self.last.places(first, k)
                if any(p is not None for p in places):
                    taps.tap(starts, places, b.add(number, constant(I64, k)))
        store(b, taps.result(), address(b, pointers[-1], memory_type(self.dtype), [(here, 1)]), mask)


class _Taps:
    """What is done with the elements of the windows of a vector of positions."""

    def __init__(self, windows: WindowStep, b: Any):
        self.windows, self.b = windows, b
        self.lanes = windows.last.lanes
        self.type = windows.vectors[0]
        self.kind = windows.dtypes[0].kind

    def variable(self, type: Any, value: Any) -> Any:
        """A variable, with a value to start with."""
        with self.b.goto_entry_block():
            slot = self.b.alloca(type)
        self.b.store(value, slot)
        return slot

    def get(self, slot: Any, type: Any) -> Any:
        return self.b.load(slot, typ=type)

    def zero(self, type: Any) -> Any:
        return constant(type, 0 if isinstance(type.element, ir.IntType) else 0.0)

    def operand(self, i: int, starts: Sequence[Any], places: Sequence[int | None], other: Any = None) -> Any:
        type = self.windows.vectors[i]
        return load_pattern(self.b, starts[i], type, places, self.zero(type) if other is None else other)

    def start(self, own: Sequence[Any], mask: Any) -> None:
        """Before the first tap. `own`: pointers to the operands at the position itself, for those of its shape."""
        raise NotImplementedError

    def tap(self, starts: Sequence[Any], places: Sequence[int | None], number: Any) -> None:
        raise NotImplementedError

    def result(self) -> Any:
        raise NotImplementedError


class _Reduction(_Taps):
    """All elements combined."""

    op: str

    def start(self, own: Sequence[Any], mask: Any) -> None:
        self.identity = constant(self.type, scalars.identity(self.op, self.windows.dtypes[0]))
        self.total = self.variable(self.type, self.identity)

    def tap(self, starts: Sequence[Any], places: Sequence[int | None], number: Any) -> None:
        dtype = self.windows.dtypes[0]
        context = scalars.Context(self.b, (dtype, dtype), dtype, {})
        x = self.operand(0, starts, places, self.identity)
        self.b.store(scalars.emit(self.op, context, [self.get(self.total, self.type), x]), self.total)

    def result(self) -> Any:
        return self.get(self.total, self.type)


class _Sum(_Reduction):
    op = "add"


class _Max(_Reduction):
    op = "max"


class _Min(_Reduction):
    op = "min"


class _Place(_Taps):
    """The number of the first element that is the extreme; NaN is."""

    def start(self, own: Sequence[Any], mask: Any) -> None:
        self.numbers = ir.VectorType(memory_type(self.windows.dtype), self.lanes)
        largest = self.windows.equation.params["largest"]
        self.comparison = ">" if largest else "<"
        self.identity = constant(self.type, scalars.identity("max" if largest else "min", self.windows.dtypes[0]))
        self.best = self.variable(self.type, self.identity)
        self.number = self.variable(self.numbers, self.zero(self.numbers))
        self.flags = ir.VectorType(I1, self.lanes)
        self.found = self.variable(self.flags, constant(self.flags, 0))

    def tap(self, starts: Sequence[Any], places: Sequence[int | None], number: Any) -> None:
        b = self.b
        x = self.operand(0, starts, places, self.identity)
        best, found = self.get(self.best, self.type), self.get(self.found, self.flags)
        better = b.or_(self.better(x, best), b.not_(found))
        there = mask_of([p is not None for p in places])
        better = b.and_(better, there)
        b.store(b.select(better, x, best), self.best)
        b.store(b.or_(found, there), self.found)
        here = splat(b, b.trunc(number, self.numbers.element), self.lanes)
        b.store(b.select(better, here, self.get(self.number, self.numbers)), self.number)

    def better(self, x: Any, best: Any) -> Any:
        b = self.b
        if self.kind != "f":
            return (b.icmp_signed if self.kind == "i" else b.icmp_unsigned)(self.comparison, x, best)
        beyond = b.fcmp_unordered(self.comparison, x, best)  # true if x is NaN
        return b.and_(beyond, b.fcmp_ordered("ord", best, best))

    def result(self) -> Any:
        return self.get(self.number, self.numbers)


class _Pick(_Taps):
    """The element with the number that the position has."""

    def start(self, own: Sequence[Any], mask: Any) -> None:
        self.number = load(self.b, own[1], self.windows.vectors[1], mask)
        self.value = self.variable(self.type, self.zero(self.type))

    def tap(self, starts: Sequence[Any], places: Sequence[int | None], number: Any) -> None:
        b = self.b
        hit = b.icmp_unsigned("==", self.number, splat(b, b.trunc(number, self.number.type.element), self.lanes))
        x = self.operand(0, starts, places)
        b.store(b.select(hit, x, self.get(self.value, self.type)), self.value)

    def result(self) -> Any:
        return self.get(self.value, self.type)


class _Put(_Taps):
    """The sum of those positions' values that have this element's number."""

    def start(self, own: Sequence[Any], mask: Any) -> None:
        self.total = self.variable(self.type, self.zero(self.type))
        self.count = math.prod(self.windows.equation.params["window"])

    def tap(self, starts: Sequence[Any], places: Sequence[int | None], number: Any) -> None:
        b = self.b
        numbers = self.windows.vectors[1]
        there = mask_of([p is not None for p in places])
        given = self.operand(1, starts, places)
        wanted = b.trunc(b.sub(constant(I64, self.count - 1), number), numbers.element)
        hit = b.and_(b.icmp_unsigned("==", given, splat(b, wanted, self.lanes)), there)
        x = b.select(hit, self.operand(0, starts, places), self.zero(self.type))
        old = self.get(self.total, self.type)
        b.store(b.fadd(old, x) if self.kind == "f" else b.add(old, x), self.total)

    def result(self) -> Any:
        return self.get(self.total, self.type)


_TAPS: dict[str, type[_Taps]] = {
    "reduce_window_sum": _Sum,
    "reduce_window_max": _Max,
    "reduce_window_min": _Min,
    "window_pick": _Pick,
    "window_place": _Place,
    "window_put": _Put,
}
