"""Arithmetic on LLVM values as it stands in formulas: a thin layer over the IR builder."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from .. import ir, processor
from ..intrinsics import call_named, suffix
from ..types import constant

__all__ = ["Vector"]


class Vector:
    """The operations of a formula, on values of the type of `like`: float or double, or a vector of them."""

    def __init__(self, builder: Any, like: Any):
        self.b = builder
        self.type = like.type
        self.scalar = like.type.element if isinstance(like.type, ir.VectorType) else like.type
        self.count = like.type.count if isinstance(like.type, ir.VectorType) else 1
        self.double = isinstance(self.scalar, ir.DoubleType)
        self.bits = 64 if self.double else 32
        self.mantissa = 52 if self.double else 23
        self.bias = 1023 if self.double else 127
        self.int = self.shaped(ir.IntType(self.bits))

    @property
    def suffix(self) -> str:
        """The type in the names of intrinsics."""
        return suffix(self.type)

    def shaped(self, scalar: Any) -> Any:
        """A type with as many lanes."""
        return ir.VectorType(scalar, self.count) if self.count > 1 else scalar

    def pick(self, single: Any, double: Any) -> Any:
        """What goes with the precision."""
        return double if self.double else single

    # Floats.

    def const(self, x: float) -> Any:
        return constant(self.type, x)

    def known(self, x: Any) -> float | None:
        """The number that a value is in all lanes, if that is known now."""
        if not isinstance(x, ir.Constant):
            return None
        first, *others = x.constant if isinstance(x.type, ir.VectorType) else [x.constant]
        return first if all(c == first for c in others) else None

    def add(self, x: Any, y: Any) -> Any:
        return self.b.fadd(x, y)

    def sub(self, x: Any, y: Any) -> Any:
        return self.b.fsub(x, y)

    def mul(self, x: Any, y: Any) -> Any:
        return self.b.fmul(x, y)

    def div(self, x: Any, y: Any) -> Any:
        return self.b.fdiv(x, y)

    def neg(self, x: Any) -> Any:
        return self.b.fneg(x)

    def fma(self, x: Any, y: Any, z: Any) -> Any:
        """The product and the sum, rounded once."""
        return self.intrinsic("fma", x, y, z)

    def abs(self, x: Any) -> Any:
        return self.intrinsic("fabs", x)

    def sqrt(self, x: Any) -> Any:
        return self.intrinsic("sqrt", x)

    def with_sign_of(self, x: Any, y: Any) -> Any:
        return self.intrinsic("copysign", x, y)

    def two_sum(self, x: Any, y: Any) -> tuple[Any, Any]:
        """The sum, and what rounding took from it."""
        total = self.add(x, y)
        added = self.sub(total, x)
        return total, self.add(self.sub(x, self.sub(total, added)), self.sub(y, added))

    def polynomial(self, x: Any, coefficients: Sequence[float]) -> Any:
        """The sum of coefficients[i] x^i, by Horner's rule; a long one as two in x^2, side by side."""
        if len(coefficients) >= 12:
            square = self.mul(x, x)
            even, odd = (self.horner(square, coefficients[i::2]) for i in (0, 1))
            return self.fma(odd, x, even)
        return self.horner(x, coefficients)

    def horner(self, x: Any, coefficients: Sequence[float]) -> Any:
        out = self.const(coefficients[-1])
        for c in reversed(coefficients[:-1]):
            out = self.fma(out, x, self.const(c))
        return out

    def less(self, x: Any, y: Any) -> Any:
        return self.b.fcmp_ordered("<", x, y)

    def greater(self, x: Any, y: Any) -> Any:
        return self.b.fcmp_ordered(">", x, y)

    def equal(self, x: Any, y: Any) -> Any:
        return self.b.fcmp_ordered("==", x, y)

    def is_nan(self, x: Any) -> Any:
        return self.b.fcmp_unordered("uno", x, x)

    def select(self, mask: Any, x: Any, y: Any) -> Any:
        return self.b.select(mask, x, y)

    def at_least(self, x: Any, low: float) -> Any:
        """NaN stays."""
        return self.select(self.less(x, self.const(low)), self.const(low), x)

    def at_most(self, x: Any, high: float) -> Any:
        """NaN stays."""
        return self.select(self.greater(x, self.const(high)), self.const(high), x)

    def clamp(self, x: Any, low: float, high: float) -> Any:
        """`x` kept between two bounds; NaN stays."""
        return self.at_most(self.at_least(x, low), high)

    # Bits and integers.

    def iconst(self, n: int) -> Any:
        return constant(self.int, n)

    def as_int(self, x: Any) -> Any:
        """The bits."""
        return self.b.bitcast(x, self.int)

    def as_float(self, x: Any) -> Any:
        return self.b.bitcast(x, self.type)

    def nearest(self, x: Any, factor: float) -> tuple[Any, Any]:
        """The integer nearest to x times factor, as an integer and as a float; of less than 2^22 (2^51).

        The sum with 1.5 2^23 (1.5 2^52) has the integer in its last bits. (Conversions that define what NaN gives would
        be a call for each lane.)
        """
        shift = 1.5 * 2.0**self.mantissa
        total = self.fma(x, self.const(factor), self.const(shift))
        bits = self.iconst(self.pick(0x4B400000, 0x4338000000000000))
        return self.b.sub(self.as_int(total), bits), self.sub(total, self.const(shift))

    def to_float(self, n: Any) -> Any:
        return self.b.sitofp(n, self.type)

    def power_of_two(self, n: Any) -> Any:
        """2^n for an integer n that is a normal exponent."""
        return self.as_float(
            self.b.add(self.b.shl(n, self.iconst(self.mantissa)), self.iconst(self.bias << self.mantissa))
        )

    def scaled(self, x: Any, n: Any) -> Any:
        """X 2^n, rounded once: it may be subnormal or overflow."""
        if processor.vector_bytes() == 64:  # AVX-512 has an instruction; elsewhere it would be a call for each lane.
            return self.intrinsic("ldexp", x, self.b.trunc(n, self.shaped(ir.IntType(32))) if self.double else n)
        half = self.b.ashr(n, self.iconst(1))
        return self.mul(self.mul(x, self.power_of_two(half)), self.power_of_two(self.b.sub(n, half)))

    def intrinsic(self, name: str, *args: Any) -> Any:
        """A call of an LLVM intrinsic that is overloaded in the type of its first operand (ldexp: in both)."""
        type = args[0].type
        full = f"llvm.{name}.{suffix(type)}" + (f".{suffix(args[1].type)}" if name == "ldexp" else "")
        return call_named(self.b, full, type, args)
