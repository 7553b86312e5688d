"""Angles of any size modulo pi/2, after Payne and Hanek: the product with as many bits of 2/pi as matter, in integers.

x = m 2^e with a whole number m. Those bits of 2/pi that give multiples of 4 are passed over; the next 192 times m are
x (2/pi) modulo 4, to more than 2^-130. As this is rare, it is a function in the module, which takes lane after lane.
"""

from __future__ import annotations

from typing import Any

from .. import ir
from ..types import I64, constant
from .vector import Vector

__all__ = ["reduced"]

TWO_OVER_PI = bytes.fromhex(
    "0000000000000000a2f9836e4e441529fc2757d1f534ddc0db6295993c439041fe5163abdebbc561b7246e3a424dd2e006492eea09d1921cfe1deb1cb129a73e"
    "e88235f52ebb4484e99c7026b45f7e413991d639835339f49c845f8bbdf9283b1ff897ffde05980fef2f118b5a0a6d1f6d367ecf27cb09b74f463f669e5fea2d"
    "7527bac7ebe5f17b3d0739f78a5292ea6bfb5fb11f8d5d0856033046fc7b6bab"
)
"""64 bits of zeros, then those behind the point."""
HALF_PI = (1.5707963267948966, 6.123233995736766e-17)
I128 = ir.IntType(128)
DOUBLE = ir.DoubleType()


def reduced(v: Vector, x: Any) -> tuple[Any, Any, Any]:
    """N, an integer of which the last two bits count, and r in two parts: x = n pi/2 + r. Of finite |x| > 1."""
    out = v.b.call(_function(v), [x])
    n, r, low = (v.b.extract_value(out, i) for i in range(3))
    return n, r, low


def _function(v: Vector) -> Any:
    """The function for a type: a loop over the lanes."""
    module, name = v.b.module, f"large_angles.{v.suffix}"
    if name in module.globals:
        return module.globals[name]
    types = (v.int, v.type, v.type)
    result = ir.LiteralStructType(types)
    function = ir.Function(module, ir.FunctionType(result, [v.type]), name)
    function.linkage = "internal"
    function.attributes.add("noinline")
    function.attributes.add("cold")
    (x,) = function.args
    b = ir.IRBuilder(function.append_basic_block("entry"))
    if v.count == 1:
        b.ret(_struct(b, result, _one(b, x)))
        return function
    start, loop, done = b.block, function.append_basic_block("lane"), function.append_basic_block("done")
    b.branch(loop)
    b.position_at_end(loop)
    i = b.phi(I64)
    i.add_incoming(constant(I64, 0), start)
    vectors = [b.phi(type) for type in types]
    one = _one(b, b.extract_element(x, i))
    filled = [b.insert_element(vector, value, i) for vector, value in zip(vectors, one, strict=True)]
    for vector, value in zip(vectors, filled, strict=True):
        vector.add_incoming(constant(vector.type, 0), start)
        vector.add_incoming(value, loop)
    following = b.add(i, constant(I64, 1))
    i.add_incoming(following, loop)
    b.cbranch(b.icmp_unsigned("<", following, constant(I64, v.count)), loop, done)
    b.position_at_end(done)
    b.ret(_struct(b, result, filled))
    return function


def _struct(b: Any, type: Any, values: Any) -> Any:
    out: Any = ir.Constant(type, ir.Undefined)
    for i, value in enumerate(values):
        out = b.insert_value(out, value, i)
    return out


def _one(b: Any, x: Any) -> tuple[Any, Any, Any]:
    if isinstance(x.type, ir.DoubleType):
        return _of_double(b, x)
    n, r, low = _of_double(b, b.fpext(x, DOUBLE))
    single = b.fptrunc(r, x.type)
    rest = b.fadd(b.fsub(r, b.fpext(single, DOUBLE)), low)
    return b.trunc(n, ir.IntType(32)), single, b.fptrunc(rest, x.type)


def _of_double(b: Any, x: Any) -> tuple[Any, Any, Any]:
    v = Vector(b, x)
    bits = v.as_int(x)
    m = b.or_(b.and_(bits, v.iconst(2**52 - 1)), v.iconst(2**52))
    exponent = b.and_(b.lshr(bits, v.iconst(52)), v.iconst(0x7FF))
    # e + 62, where the bits of weight 2 are; the lanes that are not large stay inside the table.
    place = b.sub(exponent, v.iconst(1075 - 62))
    place = b.select(b.icmp_signed("<", place, v.iconst(0)), v.iconst(0), place)
    high, low = _product(v, m, place)
    # In `high` a quarter of a turn is 2^62. What is left over, from -1/2 to 1/2 of it, in units of 2^-64 and 2^-128.
    n = b.lshr(b.add(high, v.iconst(2**61)), v.iconst(62))
    high, low = v.intrinsic("fshl", high, low, v.iconst(2)), b.shl(low, v.iconst(2))
    first, second = v.to_float(b.and_(high, v.iconst(-2048))), v.to_float(b.and_(high, v.iconst(2047)))  # exact
    second = v.fma(v.to_float(b.lshr(low, v.iconst(1))), v.const(2.0**-63), second)
    total = v.add(first, second)
    rest = v.sub(second, v.sub(total, first))
    unit = v.with_sign_of(v.const(2.0**-64), x)
    total, rest = v.mul(total, unit), v.mul(rest, unit)
    r = v.mul(total, v.const(HALF_PI[0]))
    lost = v.fma(total, v.const(HALF_PI[0]), v.neg(r))
    lost = v.add(lost, v.fma(total, v.const(HALF_PI[1]), v.mul(rest, v.const(HALF_PI[0]))))
    return b.select(b.icmp_signed("<", bits, v.iconst(0)), b.neg(n), n), r, lost


def _product(v: Vector, m: Any, place: Any) -> tuple[Any, Any]:
    """The first 128 of the last 192 bits, in two words, of m times the 192 bits of 2/pi from a place on."""
    b = v.b
    word, shift = b.lshr(place, v.iconst(6)), b.and_(place, v.iconst(63))
    table = _table(b.module)
    words = [b.load(b.gep(table, [b.add(word, v.iconst(i))], source_etype=I64), typ=I64) for i in range(4)]
    first, second, third = (v.intrinsic("fshl", words[i], words[i + 1], shift) for i in range(3))
    low = b.add(b.mul(m, second), _high_word(b, m, third))
    carry = b.zext(b.icmp_unsigned("<", low, b.mul(m, second)), I64)
    return b.add(b.add(b.mul(m, first), _high_word(b, m, second)), carry), low


def _high_word(b: Any, x: Any, y: Any) -> Any:
    """Of the product of two words."""
    return b.trunc(b.lshr(b.mul(b.zext(x, I128), b.zext(y, I128)), constant(I128, 64)), I64)


def _table(module: Any) -> Any:
    name = "two_over_pi"
    if name not in module.globals:
        words = [int.from_bytes(TWO_OVER_PI[i : i + 8], "big") for i in range(0, len(TWO_OVER_PI), 8)]
        type = ir.ArrayType(I64, len(words))
        variable: Any = ir.GlobalVariable(module, type, name)
        variable.initializer = ir.Constant(type, [ir.Constant(I64, w) for w in words])
        variable.global_constant = True
        variable.linkage = "internal"
    return module.globals[name]
