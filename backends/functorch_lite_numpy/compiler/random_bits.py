"""Random bits and floats: threefry on vectors of counters, and what is made of the words, in one pass.

A normal number is a polynomial of a logarithm. That is NumPy's own, called on a block of numbers that stays in the
cache, so compiled and eager draws have the same bits; the polynomial is the one of `erf_inv`, emitted by evaluating
its definition on vectors.
"""

from __future__ import annotations

import math
from collections.abc import Callable, Sequence
from typing import Any

import ml_dtypes
import numpy as np

from functorch_lite.extend import Equation, registry

from . import ir
from .float_bits import from_half, to_half
from .functions import FunctionStep, at, counted, lanes_of, load, number, store, vectors
from .intrinsics import intrinsic
from .outside import ufunc_loop
from .pieces import in_pieces, memory, turns_of
from .types import I32, I64, PTR, constant, is_half, lanes, register_type, splat, width_of
from .vectors import gather

__all__ = ["WORD", "BitsStep", "FoldInStep", "NormalStep", "SplitStep", "UniformStep", "threefry", "uniform"]

ROTATIONS = ((13, 15, 26, 6), (17, 29, 16, 24))
PARITY = 0x1BD11BDA
WORD = np.dtype(np.uint32)
BYTE = np.dtype(np.uint8)
MANY = 16
"""From so many counters on each key has vectors of its own."""
BLOCK = 1024
"""Logarithms are taken of so many numbers at once."""
NANOSECONDS = 3.0
"""Of a draw, for one thread."""
FIRST = constant(I64, 0)


def threefry(b: Any, k0: Any, k1: Any, x0: Any, x1: Any) -> tuple[Any, Any]:
    """Twenty rounds, on vectors of words."""
    type = x1.type
    keys = (k0, k1, b.xor(b.xor(k0, k1), constant(type, PARITY)))
    x0, x1 = b.add(x0, k0), b.add(x1, k1)
    for i in range(5):
        for r in ROTATIONS[i % 2]:
            x0 = b.add(x0, x1)
            x1 = b.xor(intrinsic(b, "fshl", x1, x1, constant(type, r)), x0)
        x0 = b.add(x0, keys[(i + 1) % 3])
        x1 = b.add(x1, b.add(keys[(i + 2) % 3], constant(type, i + 1)))
    return x0, x1


class _Draws(FunctionStep):
    """What is made of the words of blocks 0, 1, ..., n-1 under each key."""

    @classmethod
    def accepts(cls, equation: Equation) -> bool:
        return all(v.type.size < 1 << 31 for v in equation.results)

    def __init__(self, unit: Any, equation: Equation):
        super().__init__(unit, equation)
        self.keys = equation.operands[0].type.size // 2
        self.count = math.prod(equation.params.get("shape", ()))
        self.result = equation.results[0].type.dtype

    def write(self, b: Any, operands: Sequence[Any], results: Sequence[Any], scratch: Any) -> None:
        if self.count < MANY:
            self.draw(b, operands, results[0], None, self.keys * self.count, scratch)
            return
        size = results_of(self.equation) // self.keys
        with counted(b, self.keys) as key:
            row = at(b, results[0], b.mul(key, number(size)), self.result)
            pair = [at(b, operands[0], b.add(b.mul(key, number(2)), number(k)), WORD) for k in range(2)]
            self.share(b, operands, row, pair, scratch)

    @property
    def duration(self) -> float:
        return NANOSECONDS * results_of(self.equation)

    def share(self, b: Any, operands: Sequence[Any], row: Any, pair: Sequence[Any], scratch: Any) -> None:
        """All draws under the key at two places; many are shared among threads, in pieces of which the last may overlap."""
        n = self.count
        length = min(n, -(-turns_of(n, NANOSECONDS * n) // BLOCK) * BLOCK)

        def piece(b: Any, pointers: Sequence[Any], k: Any) -> None:
            *operands, row, first_word, second_word = pointers
            key = [load(b, p, WORD) for p in (first_word, second_word)]
            begin = intrinsic(b, "umin", b.mul(k, number(length)), number(n - length))
            with memory(self.unit, b, self.scratch) as own:
                self.draw(b, operands, row, key, length, own, begin)

        if length < n:
            in_pieces(self.unit, b, -(-n // length), [*operands, row, *pair], piece)
        else:
            self.draw(b, operands, row, [load(b, p, WORD) for p in pair], n, scratch)

    def draw(
        self, b: Any, operands: Sequence[Any], out: Any, key: Any, n: int, scratch: Any, first: Any = FIRST
    ) -> None:
        """Draw n times, from the first counter on: under one key, or (None) under all keys in turn."""
        with vectors(b, n, self.width(n)) as (i, width):
            i = b.add(first, i)
            self.put(b, out, i, n, self.make(b, *self.words(b, operands, i, width, key, n)))

    def width(self, n: int) -> int:
        return min(4 * lanes_of(WORD), 1 << (n - 1).bit_length())

    def words(self, b: Any, operands: Sequence[Any], i: Any, width: int, key: Any, n: int) -> tuple[Any, Any]:
        """The words of draws i, i+1, ..."""
        type = register_type(WORD, width)
        numbers = b.trunc(i, I32)
        if width > 1:
            numbers = b.add(splat(b, numbers, width), lanes(type, range(width)))
        if key is not None:
            k0, k1 = (splat(b, k, width) for k in key)
            return threefry(b, k0, k1, constant(type, 0), numbers)
        numbers = intrinsic(b, "umin", numbers, constant(type, n - 1))
        which = b.udiv(numbers, constant(type, self.count))
        k0, k1 = (self.pick(b, operands[0], b.add(b.add(which, which), constant(type, k)), width) for k in range(2))
        return threefry(b, k0, k1, constant(type, 0), self.counter(b, operands, numbers, which, width))

    def counter(self, b: Any, operands: Sequence[Any], numbers: Any, which: Any, width: int) -> Any:
        return b.sub(numbers, b.mul(which, constant(which.type, self.count)))

    def pick(self, b: Any, base: Any, places: Any, width: int) -> Any:
        """Words at those places."""
        if width == 1:
            return load(b, at(b, base, b.zext(places, I64), WORD), WORD)
        pointers = b.gep(base, [b.zext(places, register_type(np.dtype(np.int64), width))], source_etype=I32)
        return gather(b, pointers, places.type)

    def put(self, b: Any, out: Any, i: Any, n: int, value: Any) -> None:
        put(b, at(b, out, i, self.result), value, self.result, n)

    def make(self, b: Any, x0: Any, x1: Any) -> Any:
        """The vector of results."""
        raise NotImplementedError


def results_of(equation: Equation) -> int:
    return equation.results[0].type.size


def put(b: Any, pointer: Any, value: Any, dtype: np.dtype, n: int) -> None:
    """Store a vector, or no more than n elements of it."""
    if not isinstance(value.type, ir.VectorType) or value.type.count <= n:
        store(b, value, pointer, dtype)
        return
    for k in range(n):
        store(b, b.extract_element(value, constant(I32, k)), at(b, pointer, k, dtype), dtype)


def whole_words(b: Any, x0: Any, x1: Any, dtype: np.dtype) -> Any:
    """Both words as an unsigned integer."""
    type = register_type(dtype, getattr(x0.type, "count", 1))
    if dtype.itemsize == 8:
        return b.or_(b.shl(b.zext(x0, type), constant(type, 32)), b.zext(x1, type))
    mixed = b.xor(x0, x1)
    return mixed if dtype.itemsize == 4 else b.trunc(mixed, type)


def uniform(b: Any, x0: Any, x1: Any, dtype: np.dtype) -> Any:
    """A random mantissa under the exponent of 1, less 1; that of a 16-bit float is given as float32, and is one exactly."""
    info, wide = ml_dtypes.finfo(dtype), computed_in(dtype)
    drawn = 8 if info.nmant < 8 else int(info.bits)
    bits = whole_words(b, x0, x1, np.dtype(f"u{drawn // 8}"))
    mantissa = b.lshr(bits, constant(bits.type, drawn - int(info.nmant)))
    one = int(np.ones((), wide).view(f"u{wide.itemsize}"))
    whole = register_type(np.dtype(f"u{wide.itemsize}"), width_of(bits))
    if wide != dtype:
        mantissa = b.shl(b.zext(mantissa, whole), constant(whole, int(np.finfo(wide).nmant - info.nmant)))
    type = register_type(wide, width_of(bits))
    return b.fsub(b.bitcast(b.or_(mantissa, constant(whole, one)), type), constant(type, 1.0))


def computed_in(dtype: np.dtype) -> np.dtype:
    """What floats of a dtype are computed in."""
    return np.dtype(np.float32) if is_half(dtype) else dtype


def rounded(b: Any, x: Any, dtype: np.dtype) -> Any:
    """A number as an element of a dtype that it is computed for."""
    return to_half(b, dtype, x) if is_half(dtype) else x


class BitsStep(_Draws):
    """`random_bits`."""

    def make(self, b: Any, x0: Any, x1: Any) -> Any:
        return whole_words(b, x0, x1, self.result)


class UniformStep(_Draws):
    """`random_uniform`."""

    kinds = "ufh"

    def make(self, b: Any, x0: Any, x1: Any) -> Any:
        return rounded(b, uniform(b, x0, x1, self.result), self.result)


class SplitStep(_Draws):
    """`random_split`: both words, one after the other."""

    def make(self, b: Any, x0: Any, x1: Any) -> Any:
        width = getattr(x0.type, "count", 1)
        if width == 1:
            type = ir.VectorType(I32, 2)
            pair = b.insert_element(ir.Constant(type, ir.Undefined), x0, constant(I32, 0))
            return b.insert_element(pair, x1, constant(I32, 1))
        mixed = [k // 2 + width * (k % 2) for k in range(2 * width)]
        return b.shuffle_vector(x0, x1, lanes(ir.VectorType(I32, 2 * width), mixed))

    def put(self, b: Any, out: Any, i: Any, n: int, value: Any) -> None:
        put(b, at(b, out, b.add(i, i), WORD), value, WORD, 2 * n)


class FoldInStep(SplitStep):
    """`random_fold_in`: the data are the counters."""

    def counter(self, b: Any, operands: Sequence[Any], numbers: Any, which: Any, width: int) -> Any:
        return self.pick(b, operands[1], numbers, width)


class _Lanes:
    """A vector under construction, as the array that a definition in Python computes with."""

    def __init__(self, b: Any, value: Any, dtype: np.dtype):
        self.b, self.value, self.dtype = b, value, dtype

    def _with(self, method: str, other: Any, *more: Any) -> Any:
        other = other.value if isinstance(other, _Lanes) else constant(self.value.type, float(self.dtype.type(other)))
        return _Lanes(self.b, getattr(self.b, method)(*more, self.value, other), self.dtype)

    def __neg__(self) -> Any:
        return _Lanes(self.b, self.b.fneg(self.value), self.dtype)

    def __add__(self, other: Any) -> Any:
        return self._with("fadd", other)

    def __sub__(self, other: Any) -> Any:
        return self._with("fsub", other)

    def __mul__(self, other: Any) -> Any:
        return self._with("fmul", other)

    def __lt__(self, other: Any) -> Any:
        return self._with("fcmp_ordered", other, "<")

    def __eq__(self, other: Any) -> Any:
        return self._with("fcmp_ordered", other, "==")


class _LogarithmWanted(Exception):
    """Its argument is what the logarithm is wanted of."""


class _Namespace:
    """The functions that the definition of `erf_inv` calls; logarithms are given, or (None) asked for."""

    def __init__(self, logarithm: Any = None):
        self.logarithm = logarithm

    def log1p(self, x: Any) -> Any:
        if self.logarithm is None:
            raise _LogarithmWanted(x)
        return _Lanes(x.b, self.logarithm, x.dtype)

    def sqrt(self, x: Any) -> Any:
        return _Lanes(x.b, intrinsic(x.b, "sqrt", x.value), x.dtype)

    def abs(self, x: Any) -> Any:
        return _Lanes(x.b, intrinsic(x.b, "fabs", x.value), x.dtype)

    def full_like(self, x: Any, value: float) -> Any:
        return _Lanes(x.b, constant(x.value.type, float(x.dtype.type(value))), x.dtype)

    def where(self, mask: Any, x: Any, y: Any) -> Any:
        return _Lanes(x.b, x.b.select(mask.value, x.value, y.value), x.dtype)


class NormalStep(_Draws):
    """`random_normal`: three passes over each block."""

    kinds = "ufh"

    @classmethod
    def accepts(cls, equation: Equation) -> bool:
        dtype = computed_in(equation.results[0].type.dtype)
        return super().accepts(equation) and ufunc_loop("log1p", dtype) != 0

    def __init__(self, unit: Any, equation: Equation):
        super().__init__(unit, equation)
        self.wide = computed_in(self.result)
        self.scratch = 2 * BLOCK * self.wide.itemsize + 48  # and what the call needs: pointers, the length, steps
        self.erf_inv: Callable[..., Any] = registry["erf_inv"].own_impl  # type: ignore[attr-defined]

    def draw(
        self, b: Any, operands: Sequence[Any], out: Any, key: Any, n: int, scratch: Any, first: Any = FIRST
    ) -> None:
        size = -(-n // -(-n // BLOCK))
        dtype, width = self.wide, self.width(size)
        numbers = at(b, scratch, BLOCK, dtype)
        with vectors(b, n, size) as (start, _):
            start = b.add(first, start)
            block = at(b, out, start, self.result)
            with vectors(b, size, width) as (i, _):
                words = self.words(b, operands, b.add(start, i), width, key, n)
                x = self.centred(b, uniform(b, *words, self.result))
                put(b, at(b, numbers, i, dtype), x, dtype, size)
                put(b, at(b, scratch, i, dtype), self.wanted(b, x), dtype, size)
            self.logarithms(b, scratch, size)
            width = min(width, lanes_of(dtype))
            with vectors(b, size, width) as (i, _):
                x, logarithm = (load(b, at(b, p, i, dtype), dtype, width) for p in (numbers, scratch))
                put(b, at(b, block, i, self.result), self.finished(b, x, logarithm), self.result, size)

    def centred(self, b: Any, u: Any) -> Any:
        """In (-1, 1)."""
        low = float(np.nextafter(self.result.type(-1), self.result.type(0)))
        return self.as_result(b, b.fadd(b.fmul(u, constant(u.type, 2.0)), constant(u.type, low)))

    def as_result(self, b: Any, x: Any) -> Any:
        """What a number becomes in the dtype of the result, in the dtype that it is computed in."""
        return from_half(b, self.result, to_half(b, self.result, x)) if is_half(self.result) else x

    def wanted(self, b: Any, x: Any) -> Any:
        try:
            self.erf_inv(_Namespace(), _Lanes(b, x, self.wide))
        except _LogarithmWanted as wanted:
            return wanted.args[0].value
        raise AssertionError("erf_inv is defined by log1p")

    def logarithms(self, b: Any, pointer: Any, n: int) -> None:
        """log1p of n numbers, in place."""
        arguments, length, steps = (at(b, pointer, 2 * BLOCK * self.wide.itemsize + 16 * k, BYTE) for k in range(3))
        for k in range(2):
            b.store(pointer, b.gep(arguments, [number(k)], source_etype=PTR))
            b.store(number(self.wide.itemsize), b.gep(steps, [number(k)], source_etype=I64))
        b.store(number(n), length)
        nothing = ir.Constant(PTR, None)
        self.unit.call_outside(b, f"ufunc.log1p.{self.wide.name}", ir.VoidType(), [arguments, length, steps, nothing])

    def finished(self, b: Any, x: Any, logarithm: Any) -> Any:
        y = self.as_result(b, self.erf_inv(_Namespace(logarithm), _Lanes(b, x, self.wide)).value)
        return rounded(b, b.fmul(y, constant(y.type, float(self.result.type(math.sqrt(2))))), self.result)
