"""The scalar instructions: what each of the primitives' `scalar` names is in LLVM IR, for scalars and vectors alike.

An instruction takes a `Context` (the IR builder, the dtypes of operands and result, the params) and its operands. What has
no entry here, or not for the dtype, is not fused: `supports` says so.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import Any, NamedTuple

import numpy as np

from . import float_bits, ir, pairs
from .intrinsics import intrinsic
from .math import COMPLEX_TABLE as COMPLEX
from .math import TABLE as MATH
from .types import I1, constant, is_half, is_vector, kind_of, register_type, supported, width_of

__all__ = ["Context", "emit", "identity", "is_dear", "reduces", "supports"]

_SINGLE = np.dtype(np.float32)


class Context(NamedTuple):
    """What an instruction knows beside its operands."""

    builder: Any
    dtypes: Sequence[np.dtype]
    result: np.dtype
    params: dict[str, Any]

    @property
    def kind(self) -> str:
        return self.dtypes[0].kind

    def like(self, value: Any, number: Any) -> Any:
        """A constant of the type of a value."""
        return constant(value.type, number)


def _by_kind(floating: str | None = None, integral: str | None = None, boolean: str | None = None) -> Any:
    """A builder's method by the kind of the operands."""
    names = {"f": floating, "i": integral, "u": integral, "b": boolean}

    def emit_(c: Context, *args: Any) -> Any:
        return getattr(c.builder, names[c.kind])(*args)  # type: ignore[arg-type]

    emit_.kinds = "".join(k for k, name in names.items() if name)  # type: ignore[attr-defined]
    return emit_


def _kinds(kinds: str) -> Callable[[Any], Any]:
    def mark(function: Any) -> Any:
        function.kinds = kinds
        return function

    return mark


def _compare(op: str) -> Any:
    @_kinds("fiub")
    def emit_(c: Context, x: Any, y: Any) -> Any:
        if c.kind == "f":
            return (c.builder.fcmp_unordered if op == "!=" else c.builder.fcmp_ordered)(op, x, y)
        return (c.builder.icmp_signed if c.kind == "i" else c.builder.icmp_unsigned)(op, x, y)

    return emit_


def _extremum_of_numbers(b: Any, name: str, x: Any, y: Any) -> Any:
    """The larger or smaller of two single numbers: LLVM's own instruction branches by their signs, which may be anything."""
    size = 32 if x.type == register_type(_SINGLE) else 64
    bits = [b.bitcast(z, ir.IntType(size)) for z in (x, y)]
    equal = b.bitcast(b.and_(*bits) if name == "max" else b.or_(*bits), x.type)  # of zeros of two signs, the right one
    out = b.select(b.fcmp_ordered(">" if name == "max" else "<", x, y), x, y)
    out = b.select(b.fcmp_ordered("==", x, y), equal, out)
    return b.select(b.fcmp_unordered("uno", x, x), x, out)


def _extremum(name: str) -> Any:
    @_kinds("fiub")
    def emit_(c: Context, x: Any, y: Any) -> Any:
        if c.kind == "f" and not is_vector(x):
            return _extremum_of_numbers(c.builder, name, x, y)
        if c.kind == "f":
            return intrinsic(c.builder, f"{name}imum", x, y)
        if c.kind == "b":
            return (c.builder.or_ if name == "max" else c.builder.and_)(x, y)
        return intrinsic(c.builder, f"{'s' if c.kind == 'i' else 'u'}{name}", x, y)

    return emit_


@_kinds("fiu")
def _neg(c: Context, x: Any) -> Any:
    return c.builder.fneg(x) if c.kind == "f" else c.builder.neg(x)


@_kinds("fiu")
def _abs(c: Context, x: Any) -> Any:
    if c.kind == "f":
        return intrinsic(c.builder, "fabs", x)
    return x if c.kind == "u" else c.builder.select(c.builder.icmp_signed("<", x, c.like(x, 0)), c.builder.neg(x), x)


@_kinds("fiu")
def _sign(c: Context, x: Any) -> Any:
    if c.kind == "f":
        one = intrinsic(c.builder, "copysign", c.like(x, 1.0), x)
        zero = c.builder.fcmp_ordered("==", x, c.like(x, 0.0))
        nan = c.builder.fcmp_unordered("uno", x, x)
        return c.builder.select(c.builder.or_(zero, nan), x, one)
    zero, one = c.like(x, 0), c.like(x, 1)
    positive = c.builder.zext(c.builder.icmp_unsigned("!=", x, zero), x.type)
    if c.kind == "u":
        return positive
    return c.builder.select(
        c.builder.icmp_signed("<", x, zero),
        c.like(x, -1),
        c.builder.select(c.builder.icmp_signed(">", x, zero), one, zero),
    )


def _strong(op: str) -> Any:
    @_kinds("f")
    def emit_(c: Context, x: Any, y: Any) -> Any:
        zero = c.builder.fcmp_ordered("==", x, c.like(x, 0.0))
        return c.builder.select(zero, c.like(x, 0.0), getattr(c.builder, op)(x, y))

    return emit_


@_kinds("fiu")
def _div(c: Context, x: Any, y: Any) -> Any:
    """Of integers: x / 0 has all bits set, INT_MIN / -1 wraps."""
    b = c.builder
    if c.kind == "f":
        return b.fdiv(x, y)
    zero = b.icmp_unsigned("==", y, c.like(y, 0))
    if c.kind == "u":
        return b.select(zero, c.like(x, -1), b.udiv(x, b.select(zero, c.like(y, 1), y)))
    minus = b.icmp_signed("==", y, c.like(y, -1))
    quotient = b.sdiv(x, b.select(b.or_(zero, minus), c.like(y, 1), y))
    return b.select(zero, c.like(x, -1), b.select(minus, b.neg(x), quotient))


@_kinds("i")
def _floor_div(c: Context, x: Any, y: Any) -> Any:
    """For indices: by a positive number, rounded down."""
    b = c.builder
    quotient = b.sdiv(x, y)
    below = b.icmp_signed("<", b.srem(x, y), c.like(x, 0))
    return b.add(quotient, b.sext(below, x.type))


@_kinds("fiubh")
def _select(c: Context, which: Any, on_false: Any, on_true: Any) -> Any:
    return c.builder.select(which, on_true, on_false)


@_kinds("fiub")
def _clamp(c: Context, low: Any, x: Any, high: Any) -> Any:
    return _extremum("min")(c, _extremum("max")(c, x, low), high)


@_kinds("fiu")
def _square(c: Context, x: Any) -> Any:
    return c.builder.fmul(x, x) if c.kind == "f" else c.builder.mul(x, x)


@_kinds("fiu")
def _integer_pow(c: Context, x: Any) -> Any:
    """By squaring, as the eager kernel."""
    mul = c.builder.fmul if c.kind == "f" else c.builder.mul
    y = c.params["y"]
    one = c.like(x, 1.0 if c.kind == "f" else 1)
    out, factor, n = None, x, abs(y)
    while n:
        if n & 1:
            out = factor if out is None else mul(out, factor)
        n >>= 1
        if n:
            factor = mul(factor, factor)
    out = one if out is None else out
    return c.builder.fdiv(one, out) if y < 0 else out


@_kinds("f")
def _is_finite(c: Context, x: Any) -> Any:
    return c.builder.fcmp_ordered("<", intrinsic(c.builder, "fabs", x), c.like(x, float("inf")))


def _rounded(name: str) -> Any:
    @_kinds("f")
    def emit_(c: Context, x: Any) -> Any:
        return intrinsic(c.builder, name, x)

    return emit_


def _shift(op: str) -> Any:
    """A count beyond the width (as an unsigned number) leaves zeros, or copies of the sign."""

    @_kinds("iu")
    def emit_(c: Context, x: Any, n: Any) -> Any:
        b = c.builder
        bits = c.dtypes[0].itemsize * 8
        inside = b.icmp_unsigned("<", n, c.like(n, bits))
        if op == "ashr":
            return b.ashr(x, b.select(inside, n, c.like(n, bits - 1)))
        return b.select(inside, getattr(b, op)(x, b.select(inside, n, c.like(n, 0))), c.like(x, 0))

    return emit_


@_kinds("iu")
def _population_count(c: Context, x: Any) -> Any:
    return intrinsic(c.builder, "ctpop", x)


@_kinds("iu")
def _leading_zeros(c: Context, x: Any) -> Any:
    return intrinsic(c.builder, "ctlz", x, constant(I1, 0))


@_kinds("fiu")
def _rem(c: Context, x: Any, y: Any) -> Any:
    """Of integers: by zero it is x, by -1 always 0."""
    b = c.builder
    if c.kind == "f":
        return float_bits.remainder(b, x, y)
    zero = b.icmp_unsigned("==", y, c.like(y, 0))
    bad = zero if c.kind == "u" else b.or_(zero, b.icmp_signed("==", y, c.like(y, -1)))
    rest = (b.urem if c.kind == "u" else b.srem)(x, b.select(bad, c.like(y, 1), y))
    return b.select(zero, x, rest)


_rem.dear = True  # type: ignore[attr-defined]


@_kinds("fh")
def _next_after(c: Context, x: Any, y: Any) -> Any:
    return float_bits.next_after(c.builder, c.dtypes[0], x, y)


@_kinds("f")
def _round_away(c: Context, x: Any) -> Any:
    return float_bits.round_away(c.builder, x)


@_kinds("fh")
def _reduce_precision(c: Context, x: Any) -> Any:
    return float_bits.reduced(c.builder, c.dtypes[0], x, **c.params)


@_kinds("fiuh")
def _bitcast(c: Context, x: Any) -> Any:
    return c.builder.bitcast(x, register_type(c.result, width_of(x)))


@_kinds("fiubh")
def _convert(c: Context, x: Any) -> Any:
    b, source, target = c.builder, c.dtypes[0], c.result
    type = register_type(target, width_of(x))
    if source == target:
        return x
    if is_half(source):
        return _convert(c._replace(dtypes=[_SINGLE]), float_bits.from_half(b, source, x))
    if is_half(target):
        single = float_bits.rounded_to_odd(b, x) if source == np.float64 else _convert(c._replace(result=_SINGLE), x)
        return float_bits.to_half(b, target, single)
    if target.kind == "b":
        zero = c.like(x, 0.0 if source.kind == "f" else 0)
        return b.fcmp_unordered("!=", x, zero) if source.kind == "f" else b.icmp_unsigned("!=", x, zero)
    if source.kind == "f" and target.kind == "f":
        return b.fpext(x, type) if target.itemsize > source.itemsize else b.fptrunc(x, type)
    if target.kind == "f":
        return (b.sitofp if source.kind == "i" else b.uitofp)(x, type)
    if source.kind == "f":
        return float_bits.to_integer(b, target, x)
    if source.kind == "b" or source.itemsize < target.itemsize:
        return (b.sext if source.kind == "i" else b.zext)(x, type)
    return x if source.itemsize == target.itemsize else b.trunc(x, type)


@_kinds("fiubh")
def _copy(c: Context, x: Any) -> Any:
    return x


def _math(name: str) -> Any:
    @_kinds("f")
    def emit_(c: Context, *args: Any) -> Any:
        return MATH[name](c.builder, *args)

    emit_.dear = True  # type: ignore[attr-defined]
    return emit_


@_kinds("fiub")
def _not(c: Context, x: Any) -> Any:
    return c.builder.xor(x, c.like(x, 1 if c.kind == "b" else -1))


def _of_pairs(name: str) -> Any:
    """A function of complex numbers, whose parts are operands of their own; it gives both parts."""

    @_kinds("f")
    def emit_(c: Context, *args: Any) -> Any:
        return COMPLEX[name](c.builder, *zip(args[::2], args[1::2], strict=True))

    emit_.dear = True  # type: ignore[attr-defined]
    return emit_


_TABLE: dict[str, Any] = {
    **{f"complex_{name}": _of_pairs(name) for name in COMPLEX},
    **{name: _math(name) for name in MATH},
    "abs": _abs,
    "add": _by_kind("fadd", "add"),
    "and": _by_kind(None, "and_", boolean="and_"),
    "bitcast": _bitcast,
    "ceil": _rounded("ceil"),
    "clamp": _clamp,
    "clz": _leading_zeros,
    "convert": _convert,
    "copy": _copy,
    "div": _div,
    "div_strong": _strong("fdiv"),
    "eq": _compare("=="),
    "floor": _rounded("floor"),
    "floor_div": _floor_div,
    "ge": _compare(">="),
    "gt": _compare(">"),
    "integer_pow": _integer_pow,
    "is_finite": _is_finite,
    "le": _compare("<="),
    "lt": _compare("<"),
    "max": _extremum("max"),
    "min": _extremum("min"),
    "mul": _by_kind("fmul", "mul"),
    "mul_strong": _strong("fmul"),
    "ne": _compare("!="),
    "neg": _neg,
    "nextafter": _next_after,
    "not": _not,
    "or": _by_kind(None, "or_", boolean="or_"),
    "population_count": _population_count,
    "reduce_precision": _reduce_precision,
    "rem": _rem,
    "round": _rounded("roundeven"),
    "round_away": _round_away,
    "select": _select,
    "shift_left": _shift("shl"),
    "shift_right_arithmetic": _shift("ashr"),
    "shift_right_logical": _shift("lshr"),
    "sign": _sign,
    "sqrt": _rounded("sqrt"),
    "square": _square,
    "sub": _by_kind("fsub", "sub"),
    "trunc": _rounded("trunc"),
    "xor": _by_kind(None, "xor", boolean="xor"),
}


def supports(op: str, operands: Sequence[np.dtype], result: np.dtype) -> bool:
    """Whether there is such an instruction for these dtypes."""
    if not supported(result) or not all(map(supported, operands)):
        return False
    kinds = {kind_of(d) for d in operands}
    if "c" in kinds or result.kind == "c":
        return pairs.supports(op)
    found = _TABLE.get(op)
    return found is not None and kinds.issubset(found.kinds)


def reduces(op: str, dtype: np.dtype) -> bool:
    """Whether elements of the dtype can be combined in any order, on their own."""
    return pairs.reduces(op) if dtype.kind == "c" else supports(op, (dtype, dtype), dtype)


def is_dear(op: str) -> bool:
    """Whether an instruction costs as much as many others."""
    return getattr(_TABLE.get(op), "dear", False)


def emit(op: str, context: Context, args: Sequence[Any]) -> Any:
    """Append an instruction; all operands have the same number of lanes."""
    return _TABLE[op](context, *args)


def identity(op: str, dtype: np.dtype) -> Any:
    """What changes nothing when combined by `op`."""
    if op in ("add", "or", "xor"):
        return 0.0 if dtype.kind == "f" else 0
    if op == "mul":
        return 1.0 if dtype.kind == "f" else 1
    if op == "and":
        return 1 if dtype.kind == "b" else -1
    low = op == "max"
    if dtype.kind == "f":
        return float("-inf") if low else float("inf")
    if dtype.kind == "b":
        return 0 if low else 1
    info = np.iinfo(dtype)
    return int(info.min if low else info.max)
