"""Fourier transforms of lengths that are powers of two: several at a time, one in each lane. (Others: `fourier_lines.py`.)

    for each axis:  for each group of transforms:   loaded, lanes side by side -> passes over scratch memory -> stored

Each pass makes from two halves or four quarters of the numbers what the next one takes in order (Stockham's way). A real
row is taken as half as many complex numbers; what that mixes is parted after the transform, or mixed before the backward one.

In scratch memory a complex number is a vector of real parts and one of imaginary parts.
"""

from __future__ import annotations

import math
from collections.abc import Sequence
from typing import Any, ClassVar

import numpy as np

from functorch_lite.extend import Equation

from . import ir, processor
from .control import displaced
from .fourier_lines import has_lines, transforms_of_lines
from .fourier_plan import Sweep, sweeps
from .grids import counted
from .intrinsics import intrinsic
from .memory import aligned
from .packing import pack
from .pieces import in_pieces, memory, range_of, turns_of
from .steps import Step
from .types import I32, I64, PTR, constant, int64, lanes, register_type, splat
from .unit import Unit
from .vectors import run_mask, store

__all__ = ["FftStep"]

LEAST, MOST = 8, 4096
"""Lengths; scratch memory of longer ones leaves the second-level cache."""
STRIP = 256
"""So many bytes of neighbouring columns are loaded at a time: less often from the same page."""
SPEED = 20
"""Operations in a nanosecond."""
FEW = 1 << 16
"""More numbers are left to SciPy, which shares them among threads, unless our own code does them."""
PIECE = 100e3
"""Nanoseconds of work that a piece has at least: each needs scratch memory."""


class FftStep(Step):
    """`fft`: along each axis several at a time, if there are as many as lanes; of few numbers, else, one after the other."""

    kinds: ClassVar[str] = "fc"
    drafted = 0.04

    @classmethod
    def accepts(cls, equation: Equation) -> bool:
        dtype, found = _real(equation), sweeps(equation)
        if all(_in_lanes(s, dtype) for s in found):
            return True
        size = max(a.type.size for a in (*equation.operands, *equation.results))
        return size <= FEW and all(_in_lanes(s, dtype) or has_lines(s, dtype) for s in found)

    def __init__(self, unit: Unit, equation: Equation):
        super().__init__(unit, equation)
        self.dtype = _real(equation)
        self.sweeps = sweeps(equation)
        x, y = equation.operands[0].type, equation.results[0].type
        self.whole = max(x.size * x.dtype.itemsize, y.size * y.dtype.itemsize)
        self.places = self.find_places()
        self.scratch = max((1 + k for k in self.places if k is not None), default=0) * aligned(self.whole)
        self.functions = [
            unit.shared(("fft", s, self.dtype), lambda s=s: _transforms(unit, s, self.dtype)) for s in self.sweeps
        ]

    @property
    def duration(self) -> float:
        return sum(_duration(s, self.dtype) for s in self.sweeps)

    def emit(self, b: Any, operands: Sequence[Any], results: Sequence[Any], scratch: Any) -> None:
        source = operands[0]
        for place, function in zip(self.places, self.functions, strict=True):
            target = results[0] if place is None else displaced(b, scratch, constant(I64, place), aligned(self.whole))
            b.call(function, [source, target])
            source = target

    def find_places(self) -> list[int | None]:
        """Where each sweep leaves its numbers: in the result (None), or in a part of the scratch memory. Columns stay in place."""
        places: list[int | None] = [None]
        for s in self.sweeps[:0:-1]:
            stays = s.inner > 1 and _in_lanes(s, self.dtype)
            places.append(places[-1] if stays else 1 if places[-1] == 0 else 0)
        return places[::-1]


def _real(equation: Equation) -> np.dtype:
    """The dtype of real and imaginary parts."""
    return np.finfo(equation.operands[0].type.dtype).dtype


def _in_lanes(s: Sweep, dtype: np.dtype) -> bool:
    """Whether our own code does it: powers of two, as many as there are lanes."""
    across = s.outer if s.inner == 1 else s.inner
    return LEAST <= s.n <= MOST and s.n & (s.n - 1) == 0 and across >= _width(dtype)


def _transforms(unit: Unit, s: Sweep, dtype: np.dtype) -> Any:
    return Transforms(unit, s, dtype).function if _in_lanes(s, dtype) else transforms_of_lines(unit, s, dtype)


def _width(dtype: np.dtype) -> int:
    return processor.vector_bytes() // dtype.itemsize


def _duration(s: Sweep, dtype: np.dtype) -> float:
    return 5 * s.count * s.length * (math.log2(max(s.length, 1)) + 4) * dtype.itemsize / 4 / SPEED


class Transforms:
    """The function (ptr source, ptr target) of a sweep."""

    def __init__(self, unit: Unit, sweep: Sweep, dtype: np.dtype):
        self.unit, self.sweep, self.dtype = unit, sweep, dtype
        self.width, self.size = _width(dtype), dtype.itemsize
        self.vector = register_type(dtype, self.width)
        self.buffer = (sweep.length + 1) * 2 * self.width * self.size
        self.function = unit.function(unit.name("transforms"), ir.VoidType(), [PTR, PTR])
        b = ir.IRBuilder(self.function.append_basic_block("entry"))
        across = sweep.outer if sweep.inner == 1 else sweep.inner
        self.side_by_side = (
            1 if sweep.inner == 1 else min(max(1, STRIP // (2 * processor.vector_bytes())), across // self.width)
        )
        """So many vectors of columns are loaded at a time."""
        step = self.side_by_side * self.width
        self.groups = -(-across // step)
        """Of transforms that are done together; the last may overlap the one before, whose columns it does not store again."""
        self.step, self.last = step, across - step
        total = self.groups * (1 if sweep.inner == 1 else sweep.outer)
        turns = turns_of(total, _duration(sweep, dtype), PIECE)

        def piece(b: Any, pointers: Sequence[Any], k: Any) -> None:
            begin, end = range_of(b, k, turns, total)
            needed = (self.side_by_side + 1) * self.buffer
            with memory(unit, b, needed) as own, counted(b, b.sub(end, begin)) as i:
                self.group(b, pointers[0], pointers[1], b.add(begin, i), own)

        in_pieces(unit, b, -(-total // turns), list(self.function.args), piece)
        b.ret_void()

    def group(self, b: Any, source: Any, target: Any, i: Any, own: Any) -> None:
        """As many transforms as lanes, or some times as many; in memory of its own, one buffer more than those."""
        s = self.sweep
        if s.inner == 1:
            self.rows(b, source, target, self.start(b, i), own, self.next_to(b, own, 1))
            return
        groups = constant(I64, self.groups)
        outer = b.udiv(i, groups)
        place = b.add(b.mul(outer, constant(I64, s.n * s.inner)), self.start(b, b.urem(i, groups)))
        loaded = [self.next_to(b, own, j + 1) for j in range(self.side_by_side)]
        self.load_columns(b, displaced(b, source, place, 2 * self.size), loaded)
        # Else each result lies where the one before was loaded, the first where nothing was.
        stays = self.passes % 2 == 0
        with counted(b, self.side_by_side) as j:
            self.transform(b, self.next_to(b, loaded[0], j), own if stays else self.next_to(b, own, j))
        results = loaded if stays else [own, *loaded[:-1]]
        there, done = displaced(b, target, place, 2 * self.size), self.groups * self.step - s.inner
        if not done:
            self.store_columns(b, results, there)
            return
        with b.if_else(b.icmp_unsigned("==", b.urem(i, groups), b.sub(groups, constant(I64, 1)))) as (last, others):
            with last:
                self.store_columns(b, results, there, done)
            with others:
                self.store_columns(b, results, there)

    def next_to(self, b: Any, x: Any, j: Any) -> Any:
        """So many buffers on."""
        return displaced(b, x, int64(j), self.buffer)

    @property
    def passes(self) -> int:
        """From one buffer to the other and back."""
        return -(-(self.sweep.length.bit_length() - 1) // 2)

    def start(self, b: Any, i: Any) -> Any:
        """The first of the transforms of a group."""
        begin, last = b.mul(i, constant(I64, self.step)), constant(I64, self.last)
        return b.select(b.icmp_unsigned("<", begin, last), begin, last)

    def rows(self, b: Any, source: Any, target: Any, first: Any, x: Any, y: Any) -> None:
        """Transforms of rows; each is a run of numbers in memory."""
        s, width = self.sweep, self.width
        n = {"rfft": (s.n, s.n + 2), "irfft": (s.n + 2, s.n)}.get(s.kind, (2 * s.n, 2 * s.n))
        here = displaced(b, source, first, n[0] * self.size)
        pack(self.unit, b, self.dtype, [(n[0], 1), (width, n[0])], here, x)
        if s.kind == "irfft":
            self.mix(b, x)
        out = self.transform(b, x, y)
        if s.kind == "rfft":
            self.part(b, out)
        pack(self.unit, b, self.dtype, [(width, 1), (n[1], width)], out, displaced(b, target, first, n[1] * self.size))

    # Numbers in scratch memory.

    def at(self, b: Any, x: Any, i: Any) -> Any:
        return displaced(b, x, i, 2 * self.width * self.size)

    def load(self, b: Any, x: Any) -> tuple[Any, Any]:
        imaginary = displaced(b, x, constant(I64, 1), self.width * self.size)
        return b.load(x, typ=self.vector, align=64), b.load(imaginary, typ=self.vector, align=self.size)

    def store(self, b: Any, value: tuple[Any, Any], x: Any) -> None:
        b.store(value[0], x, align=64)
        b.store(value[1], displaced(b, x, constant(I64, 1), self.width * self.size), align=self.size)

    def load_columns(self, b: Any, source: Any, buffers: Sequence[Any]) -> None:
        """Neighbouring numbers of each row, real and imaginary parts taken apart."""
        w = self.width
        parts = [lanes(ir.VectorType(I32, w), [2 * k + part for k in range(w)]) for part in (0, 1)]
        with counted(b, self.sweep.n) as i:
            here = displaced(b, source, i, self.sweep.inner * 2 * self.size)
            for j, x in enumerate(buffers):
                places = [displaced(b, here, constant(I64, 2 * j + k), w * self.size) for k in (0, 1)]
                low, high = (b.load(place, typ=self.vector, align=self.size) for place in places)
                re, im = (b.shuffle_vector(low, high, mask) for mask in parts)
                self.store(b, (re, im), self.at(b, x, i))

    def store_columns(self, b: Any, buffers: Sequence[Any], target: Any, first: int = 0) -> None:
        """The opposite, from a column on."""
        w = self.width
        halves = [[k // 2 + w * (k % 2) for k in range(first, first + w)] for first in (0, w)]
        masks = [lanes(ir.VectorType(I32, w), half) for half in halves]
        with counted(b, self.sweep.n) as i:
            here = displaced(b, target, i, self.sweep.inner * 2 * self.size)
            for j, x in enumerate(buffers):
                re, im = self.load(b, self.at(b, x, i))
                for k, mask in enumerate(masks):
                    place = displaced(b, here, constant(I64, 2 * j + k), w * self.size)
                    done = min(max(2 * first - (2 * j + k) * w, 0), w)
                    if done < w:
                        store(b, b.shuffle_vector(re, im, mask), place, run_mask(done, w - done, w))

    # Transforms of what lies in scratch memory.

    def transform(self, b: Any, x: Any, y: Any) -> Any:
        """Passes from one buffer to the other; gives the one with the result."""
        n, apart, backwards = self.sweep.length, 1, self.sweep.sign > 0
        table, second = self.turns(n), constant(I64, 3 if backwards else 1)
        while n > 4:
            function = self.unit.shared(("quarters", self.dtype), self.quarters)
            b.call(function, [x, y, table, second, constant(I64, n // 4), constant(I64, apart)])
            n, apart, x, y = n // 4, 4 * apart, y, x
        function = self.unit.shared(("last", self.dtype, n), lambda: self.ends(n))
        scale = constant(register_type(self.dtype), 1 / self.sweep.length if backwards else 1.0)
        b.call(function, [x, y, second, constant(I64, self.sweep.length // n), scale])
        return y

    def pass_function(self, name: str, arguments: Sequence[Any]) -> Any:
        function = self.unit.function(self.unit.name(name), ir.VoidType(), [PTR, PTR, *arguments])
        for argument in function.args[:2]:
            argument.add_attribute("noalias")
        return function

    def quarters(self) -> Any:
        """A function (ptr x, ptr y, ptr table, i64 second, i64 m, i64 apart): a pass over so many transforms of length 4 m.

        The second quarter is at place 1, the fourth at 3; backwards the other way round.
        """
        function = self.pass_function("quarters", [PTR, I64, I64, I64])
        x, y, table, second, m, apart = function.args
        b = ir.IRBuilder(function.append_basic_block("entry"))
        places = _in_order(b, second)
        with counted(b, m) as p:
            first = b.mul(p, apart)
            turns = [self.turn(b, table, b.mul(first, constant(I64, k))) for k in (1, 2, 3)]
            sources = [self.at(b, x, b.add(first, b.mul(b.mul(m, apart), k))) for k in places]
            targets = [
                self.at(b, y, b.mul(apart, b.add(b.mul(p, constant(I64, 4)), constant(I64, k)))) for k in range(4)
            ]
            with counted(b, apart) as q:
                one, two, three, four = _of_four(b, [self.load(b, self.at(b, s, q)) for s in sources])
                turned = [_times(b, z, w) for z, w in zip((two, three, four), turns, strict=True)]
                for value, target in zip([one, *turned], targets, strict=True):
                    self.store(b, value, self.at(b, target, q))
        b.ret_void()
        return function

    def ends(self, n: int) -> Any:
        """A function (ptr x, ptr y, i64 second, i64 apart, real scale): the last pass, over transforms of length n, 4 or 2."""
        function = self.pass_function("ends", [I64, I64, register_type(self.dtype)])
        x, y, second, apart, scale = function.args
        b = ir.IRBuilder(function.append_basic_block("entry"))
        factor = splat(b, scale, self.width)
        places = [constant(I64, k) for k in range(n)]
        with counted(b, apart) as q:
            sources, targets = (
                [self.at(b, z, b.add(q, b.mul(apart, k))) for k in order]
                for z, order in ((x, _in_order(b, second) if n == 4 else places), (y, places))
            )
            values = [self.load(b, source) for source in sources]
            values = _of_four(b, values) if n == 4 else [_add(b, *values), _sub(b, *values)]
            for (re, im), target in zip(values, targets, strict=True):
                self.store(b, (b.fmul(re, factor), b.fmul(im, factor)), target)
        b.ret_void()
        return function

    def turns(self, n: int) -> Any:
        """The table of exp(sign 2 pi i k / n)."""
        angles = self.sweep.sign * 2 * np.pi * np.arange(n) / n
        table = np.stack([np.cos(angles), np.sin(angles)], -1)
        return self.unit.constant(table.astype(self.dtype))

    def turn(self, b: Any, table: Any, k: Any) -> tuple[Any, Any]:
        """An item of it, the same for all lanes."""
        here, scalar = displaced(b, table, k, 2 * self.size), register_type(self.dtype)
        there = displaced(b, here, constant(I64, 1), self.size)
        re, im = (splat(b, b.load(p, typ=scalar, align=self.size), self.width) for p in (here, there))
        return re, im

    # Rows of real numbers, of which the even ones are the real parts and the odd ones the imaginary parts.

    def part(self, b: Any, x: Any) -> None:
        """In place: from the transform of such numbers that of the real ones, one number more."""
        half = self.sweep.length
        self.store(b, self.load(b, x), self.at(b, x, constant(I64, half)))
        table = self.turns(self.sweep.n)
        with counted(b, half // 2 + 1) as k:
            here, there = self.at(b, x, k), self.at(b, x, b.sub(constant(I64, half), k))
            z, mirrored = self.load(b, here), _conj(b, self.load(b, there))
            even, (re, im) = _scaled(b, _add(b, z, mirrored), 0.5), _scaled(b, _sub(b, z, mirrored), 0.5)
            odd = _times(b, (im, b.fneg(re)), self.turn(b, table, k))
            self.store(b, _conj(b, _sub(b, even, odd)), there)
            self.store(b, _add(b, even, odd), here)

    def mix(self, b: Any, x: Any) -> None:
        """In place: the opposite of `part`."""
        half = self.sweep.length
        zero = constant(self.vector, 0.0)
        for k in (0, half):  # of real numbers these are real
            end = self.at(b, x, constant(I64, k))
            self.store(b, (self.load(b, end)[0], zero), end)
        table = self.turns(self.sweep.n)
        with counted(b, half // 2 + 1) as k:
            here, there = self.at(b, x, k), self.at(b, x, b.sub(constant(I64, half), k))
            z, mirrored = self.load(b, here), _conj(b, self.load(b, there))
            even, odd = _scaled(b, _add(b, z, mirrored), 0.5), _scaled(b, _sub(b, z, mirrored), 0.5)
            re, im = _times(b, odd, self.turn(b, table, k))
            turned = (b.fneg(im), re)  # times i
            self.store(b, _conj(b, _sub(b, even, turned)), there)
            self.store(b, _add(b, even, turned), here)


def _in_order(b: Any, second: Any) -> list[Any]:
    """The places of quarters, by that of the second."""
    return [constant(I64, 0), second, constant(I64, 2), b.sub(constant(I64, 4), second)]


def _of_four(b: Any, values: Sequence[Any]) -> list[Any]:
    """A transform of length 4."""
    a, c, d, e = values
    even, odd = _add(b, a, d), _sub(b, a, d)
    sum_, (re, im) = _add(b, c, e), _sub(b, c, e)
    turned = (b.fneg(im), re)  # times i
    return [_add(b, even, sum_), _sub(b, odd, turned), _sub(b, even, sum_), _add(b, odd, turned)]


def _add(b: Any, x: Any, y: Any) -> Any:
    return tuple(b.fadd(u, v) for u, v in zip(x, y, strict=True))


def _sub(b: Any, x: Any, y: Any) -> Any:
    return tuple(b.fsub(u, v) for u, v in zip(x, y, strict=True))


def _conj(b: Any, x: Any) -> Any:
    return x[0], b.fneg(x[1])


def _scaled(b: Any, x: Any, factor: float) -> Any:
    return tuple(b.fmul(v, constant(v.type, factor)) for v in x)


def _times(b: Any, x: Any, y: Any) -> Any:
    re = intrinsic(b, "fmuladd", x[0], y[0], b.fneg(b.fmul(x[1], y[1])))
    return re, intrinsic(b, "fmuladd", x[0], y[1], b.fmul(x[1], y[0]))
