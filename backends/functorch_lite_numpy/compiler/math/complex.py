"""Functions of complex numbers, as pairs (real part, imaginary part), from those of real ones.

Nothing overflows or vanishes on the way, except in products: numbers are scaled by powers of two that the result gets
back. The error's two parts together are at most 4 units in the last place of the result's absolute value (6 for
acosh, tan, tanh and logistic; more for pow and exp2, whose exponents have errors of their own). Infinities and NaN are as NumPy has
them, which is C's way but for quotients by NaN (NaN); those of pow as C has them.
"""

from __future__ import annotations

from typing import Any

from .exponential import EXP32, EXP64, cosh, parts, sinh
from .exponential import expm1 as real_expm1
from .inverse_trigonometric import atan2
from .logarithm import log1p, of_parts, split
from .trigonometric import cos, sin, tan
from .vector import Vector

__all__ = ["TABLE", "div", "log", "mul", "sqrt"]

Pair = tuple[Any, Any]

LN2 = 0.6931471805599453


def mul(b: Any, x: Pair, y: Pair) -> Pair:
    """As NumPy: two products each, and their sum. (With a fused multiplication, x conj(x) would not be real.)"""
    v = Vector(b, x[0])
    return v.sub(v.mul(x[0], y[0]), v.mul(x[1], y[1])), v.add(v.mul(x[0], y[1]), v.mul(x[1], y[0]))


def div(b: Any, x: Pair, y: Pair) -> Pair:
    """The quotient x conj(y) / |y|^2, y scaled to about 1. By zero, as real numbers; by one infinite part, 0."""
    v = Vector(b, x[0])
    zero, infinity = v.const(0.0), v.const(float("inf"))
    k = b.select(v.greater(_sorted(v, x)[0], v.const(1.0)), v.iconst(4), v.iconst(-v.mantissa - 4))
    p, q = (v.mul(c, v.power_of_two(b.neg(k))) for c in x)
    (r, s), j = _scaled(v, y)
    square = v.fma(r, r, v.mul(s, s))
    real, imag = _difference(v, p, r, v.neg(q), s), _difference(v, q, r, p, s)
    n = b.sub(k, j)
    out = v.scaled(v.div(real, square), n), v.scaled(v.div(imag, square), n)
    by_zero = b.and_(v.equal(y[0], zero), v.equal(y[1], zero))
    size = v.abs(y[0])
    out = v.select(by_zero, v.div(x[0], size), out[0]), v.select(by_zero, v.div(x[1], size), out[1])
    one_end, (r, s) = _one_end(v, y)
    one_end = b.and_(one_end, b.and_(*(v.less(v.abs(c), infinity) for c in x)))
    one_end = b.and_(one_end, b.fcmp_ordered("ord", *y))
    real, imag = v.fma(x[0], r, v.mul(x[1], s)), v.fma(x[1], r, v.neg(v.mul(x[0], s)))
    return v.select(one_end, v.mul(real, zero), out[0]), v.select(one_end, v.mul(imag, zero), out[1])


def _one_end(v: Vector, x: Pair) -> tuple[Any, Pair]:
    """Whether just one part is infinite; and, if so, the number of size 1 in that direction."""
    ends = [v.equal(v.abs(c), v.const(float("inf"))) for c in x]
    units = [v.select(end, v.const(1.0), v.const(0.0)) for end in ends]
    real, imag = map(v.with_sign_of, units, x)
    return v.b.xor(*ends), (real, imag)


def _difference(v: Vector, x: Any, y: Any, z: Any, w: Any) -> Any:
    """X y - z w with what rounding took from z w (Kahan), if that is a number other than zero."""
    second = v.mul(z, w)
    out = v.fma(x, y, v.neg(second))
    lost = v.fma(v.neg(z), w, second)
    size = v.abs(lost)
    usual = v.b.and_(v.greater(size, v.const(0.0)), v.less(size, v.const(float("inf"))))
    return v.select(usual, v.add(out, lost), out)


def absolute(b: Any, x: Pair) -> Any:
    """The square root of the parts' squares. Only large and small numbers are scaled, each by one power of two: that takes
    far fewer instructions than scaling each by its own."""
    v = Vector(b, x[0])
    first, _ = _sorted(v, x)
    small, large = (v.const(2.0**n) for n in v.pick((-40, 60), (-400, 500)))
    up, down = (v.const(2.0**n) for n in v.pick((94, -70), (700, -600)))
    factor = v.select(v.less(first, small), up, v.select(v.greater(first, large), down, v.const(1.0)))
    inverse = v.as_float(b.sub(v.iconst(2 * v.bias << v.mantissa), v.as_int(factor)))
    real, imag = (v.mul(part, factor) for part in x)
    return _or_infinity(v, x, v.mul(_length(v, (real, imag)), inverse))


def exp(b: Any, x: Pair) -> Pair:
    """exp(re) (cos(im) + i sin(im)), the power of two last: a small cosine may meet an overflowing exponential."""
    v = Vector(b, x[0])
    infinity = v.const(float("inf"))
    n, s = parts(v, v.clamp(x[0], v.pick(-170.0, -1400.0), v.pick(170.0, 1400.0)), v.pick(EXP32, EXP64))
    size = v.add(s, v.const(1.0))
    real, imag = (v.scaled(v.mul(size, f(b, x[1])), n) for f in (cos, sin))
    imag = v.select(v.equal(x[1], v.const(0.0)), x[1], imag)
    # Where the angle is unknown: nothing of exp(-inf), infinity of exp(inf).
    lost = v.is_nan(real)
    nothing, all_ = b.and_(lost, v.equal(x[0], v.neg(infinity))), b.and_(lost, v.equal(x[0], infinity))
    real = v.select(nothing, v.const(0.0), v.select(all_, infinity, real))
    return real, v.select(nothing, v.const(0.0), imag)


def expm1(b: Any, x: Pair) -> Pair:
    """exp(re) cos(im) - 1 = expm1(re) cos(im) - 2 sin(im / 2)^2."""
    v = Vector(b, x[0])
    real, imag = exp(b, x)
    half = sin(b, v.mul(x[1], v.const(0.5)))
    small = v.fma(real_expm1(b, x[0]), cos(b, x[1]), v.mul(v.mul(half, half), v.const(-2.0)))
    return v.select(v.less(v.abs(x[0]), v.const(1.0)), small, v.sub(real, v.const(1.0))), imag


def exp2(b: Any, x: Pair) -> Pair:
    v = Vector(b, x[0])
    return exp(b, (v.mul(x[0], v.const(LN2)), v.mul(x[1], v.const(LN2))))


def logistic(b: Any, x: Pair) -> Pair:
    """1 / (1 + exp(-x))."""
    v = Vector(b, x[0])
    one, zero = v.const(1.0), v.const(0.0)
    real, imag = exp(b, (v.neg(x[0]), v.neg(x[1])))
    return div(b, (one, zero), (v.add(one, real), imag))


def complex_sinh(b: Any, x: Pair) -> Pair:
    v = Vector(b, x[0])
    real = _real_times(v, sinh(b, x[0]), cos(b, x[1]), x[0])
    return v.select(v.equal(x[0], v.const(0.0)), x[0], real), _times(v, cosh(b, x[0]), sin(b, x[1]))


def complex_cosh(b: Any, x: Pair) -> Pair:
    v = Vector(b, x[0])
    imag = _times(v, sinh(b, x[0]), sin(b, x[1]))
    lost = b.and_(v.equal(x[0], v.const(0.0)), v.is_nan(imag))
    return _real_times(v, cosh(b, x[0]), cos(b, x[1]), x[0]), v.select(lost, v.const(0.0), imag)


def complex_sin(b: Any, x: Pair) -> Pair:
    """Sinh, with the parts of its operand and result exchanged."""
    imag, real = complex_sinh(b, (x[1], x[0]))
    return real, imag


def complex_cos(b: Any, x: Pair) -> Pair:
    """cosh(i x)."""
    return complex_cosh(b, (Vector(b, x[0]).neg(x[1]), x[0]))


def complex_tanh(b: Any, x: Pair) -> Pair:
    """With t = tan(im), s = sinh(re): (sqrt(1 + s^2) s (1 + t^2) + i t) / (1 + (1 + t^2) s^2) (Kahan).

    Beyond some size s is taken as that of the size's end: the real part is 1 there, and the imaginary one lost beside it.
    """
    v = Vector(b, x[0])
    one = v.const(1.0)
    most = v.pick(12.0, 22.0)
    s, t = sinh(b, v.clamp(x[0], -most, most)), tan(b, x[1])
    beta = v.fma(t, t, one)
    below = v.fma(v.mul(beta, s), s, one)
    real = v.div(v.mul(v.mul(beta, v.sqrt(v.fma(s, s, one))), s), below)
    imag = v.div(t, below)
    real, imag = (v.select(v.equal(c, v.const(0.0)), c, out) for c, out in zip(x, (real, imag), strict=True))
    end = v.equal(v.abs(x[0]), v.const(float("inf")))
    return v.select(end, v.with_sign_of(one, x[0]), real), v.select(end, v.with_sign_of(v.const(0.0), imag), imag)


def complex_tan(b: Any, x: Pair) -> Pair:
    """Tanh, with the parts of its operand and result exchanged."""
    imag, real = complex_tanh(b, (x[1], x[0]))
    return real, imag


def _times(v: Vector, x: Any, y: Any) -> Any:
    """X y, and zero where y is, even if x is infinite."""
    return v.select(v.equal(y, v.const(0.0)), v.with_sign_of(y, v.mul(v.with_sign_of(v.const(1.0), x), y)), v.mul(x, y))


def _real_times(v: Vector, size: Any, cosine: Any, x: Any) -> Any:
    """The real part of sinh or cosh of numbers of real part x: infinite where x is, whatever the angle."""
    lost = v.b.and_(v.is_nan(cosine), v.equal(v.abs(x), v.const(float("inf"))))
    return v.select(lost, v.const(float("inf")), _times(v, size, cosine))


def complex_log1p(b: Any, x: Pair) -> Pair:
    """Near zero, log1p(re (re + 2) + im^2) / 2 and the angle."""
    v = Vector(b, x[0])
    one = v.const(1.0)
    moved = v.add(x[0], one), x[1]
    first, _ = _sorted(v, x)
    close = v.less(first, v.const(0.25))
    excess = v.fma(x[0], v.add(x[0], v.const(2.0)), v.mul(x[1], x[1]))
    near = v.mul(log1p(b, v.select(close, excess, one)), v.const(0.5))
    real, imag = log(b, moved)
    return v.select(close, near, real), imag


def sign(b: Any, x: Pair) -> Pair:
    """X / |x|; zero of zero; of one infinite part, the direction of that."""
    v = Vector(b, x[0])
    size = absolute(b, x)
    nothing = v.equal(size, v.const(0.0))
    one_end, units = _one_end(v, x)
    real, imag = (
        v.select(one_end, unit, v.select(nothing, v.const(0.0), v.div(part, size)))
        for part, unit in zip(x, units, strict=True)
    )
    return real, imag


def rsqrt(b: Any, x: Pair) -> Pair:
    v = Vector(b, x[0])
    return div(b, (v.const(1.0), v.const(0.0)), sqrt(b, x))


def power(b: Any, x: Pair, y: Pair) -> Pair:
    """exp(y log x). 0^0 = 1; zero to a power of positive real part is zero."""
    v = Vector(b, x[0])
    zero, one, nan = v.const(0.0), v.const(1.0), v.const(float("nan"))
    nothing = b.and_(v.equal(x[0], zero), v.equal(x[1], zero))
    logarithm = log(b, (v.select(nothing, one, x[0]), x[1]))
    out = exp(b, mul(b, y, logarithm))
    no_power = b.and_(v.equal(y[0], zero), v.equal(y[1], zero))
    of_zero = v.select(v.greater(y[0], zero), zero, nan), v.select(v.greater(y[0], zero), zero, nan)
    real, imag = (v.select(nothing, special, usual) for special, usual in zip(of_zero, out, strict=True))
    return v.select(no_power, one, real), v.select(no_power, zero, imag)


def log(b: Any, x: Pair) -> Pair:
    """The logarithm of |x|, which near 1 is log1p(|x|^2 - 1) / 2, and the angle."""
    v = Vector(b, x[0])
    one, half = v.const(1.0), v.const(0.5)
    scaled, k = _scaled(v, x)
    e, f = split(v, _length(v, scaled))
    far = of_parts(v, b.add(e, k), f)
    first, second = _sorted(v, x)
    excess = v.fma(v.sub(first, one), v.add(first, one), v.mul(second, second))
    close = b.and_(v.greater(first, half), v.less(first, v.const(2.0)))
    near = v.mul(log1p(b, v.select(close, excess, one)), half)
    real = v.select(v.equal(first, v.const(0.0)), v.const(float("-inf")), v.select(close, near, far))
    real = v.select(b.fcmp_unordered("uno", *x), v.const(float("nan")), real)
    return _or_infinity(v, x, real), atan2(b, x[1], x[0])


def sqrt(b: Any, x: Pair) -> Pair:
    """With w = sqrt((|x| + |re|) / 2): w + i im / (2 w), or of a negative real part |im| / (2 w) +- i w."""
    v = Vector(b, x[0])
    zero, half, infinity = v.const(0.0), v.const(0.5), v.const(float("inf"))
    (p, q), k = _scaled(v, x, even=True)
    w = v.sqrt(v.mul(v.add(_length(v, (p, q)), v.abs(p)), half))
    other = v.div(v.mul(v.abs(q), half), w)
    k = b.ashr(k, v.iconst(1))
    w, other = v.scaled(w, k), v.scaled(other, k)
    other = v.select(v.equal(v.abs(x[0]), infinity), v.select(v.is_nan(x[1]), x[1], zero), other)
    w = v.select(v.equal(v.abs(x[0]), infinity), infinity, w)
    left = b.icmp_signed("<", v.as_int(x[0]), v.iconst(0))
    real, imag = v.select(left, other, w), v.with_sign_of(v.select(left, w, other), x[1])
    nothing = b.and_(v.equal(x[0], zero), v.equal(x[1], zero))
    real, imag = v.select(nothing, zero, real), v.select(nothing, x[1], imag)
    end = v.equal(v.abs(x[1]), infinity)
    return v.select(end, infinity, real), v.select(end, x[1], imag)


def _extremum(name: str) -> Any:
    def emit(b: Any, x: Pair, y: Pair) -> Pair:
        """By the real parts, then by the imaginary ones, as in NumPy: the first if they are equal, and NaN if there is one."""
        v = Vector(b, x[0])
        ahead: Any = getattr(v, name)
        tied = b.and_(v.equal(x[0], y[0]), b.or_(ahead(x[1], y[1]), v.equal(x[1], y[1])))
        wins = b.and_(b.or_(ahead(x[0], y[0]), tied), b.not_(v.is_nan(y[1])))
        wins = b.or_(wins, b.fcmp_unordered("uno", *x))
        return v.select(wins, x[0], y[0]), v.select(wins, x[1], y[1])

    return emit


def _sorted(v: Vector, x: Pair) -> Pair:
    """The larger and the smaller of the parts' sizes."""
    p, q = (v.abs(c) for c in x)
    swap = v.less(p, q)
    return v.select(swap, q, p), v.select(swap, p, q)


def _scaled(v: Vector, x: Pair, even: bool = False) -> tuple[Pair, Any]:
    """X / 2^k, whose larger part is about 1, and k; zero, infinity and NaN as they are."""
    b = v.b
    first, _ = _sorted(v, x)
    tiny = v.less(first, v.const(2.0 ** (1 - v.bias)))
    power = v.mantissa + 1
    lifted = v.select(tiny, v.mul(first, v.const(2.0**power)), first)
    k = b.sub(b.lshr(v.as_int(lifted), v.iconst(v.mantissa)), v.iconst(v.bias))
    k = b.select(tiny, b.sub(k, v.iconst(power)), k)
    k = b.select(v.equal(first, v.const(0.0)), v.iconst(0), k)
    k = b.and_(k, v.iconst(-2)) if even else k
    down = b.neg(k)
    return (v.scaled(x[0], down), v.scaled(x[1], down)), k


def _length(v: Vector, x: Pair) -> Any:
    return v.sqrt(v.fma(x[0], x[0], v.mul(x[1], x[1])))


def _or_infinity(v: Vector, x: Pair, out: Any) -> Any:
    """Infinity where a part is infinite, even if the other is NaN."""
    infinity = v.const(float("inf"))
    end = v.b.or_(*(v.equal(v.abs(c), infinity) for c in x))
    return v.select(end, infinity, out)


TABLE = {
    "abs": absolute,
    "cos": complex_cos,
    "cosh": complex_cosh,
    "div": div,
    "exp": exp,
    "exp2": exp2,
    "expm1": expm1,
    "log": log,
    "log1p": complex_log1p,
    "logistic": logistic,
    "max": _extremum("greater"),
    "min": _extremum("less"),
    "mul": mul,
    "pow": power,
    "rsqrt": rsqrt,
    "sign": sign,
    "sin": complex_sin,
    "sinh": complex_sinh,
    "sqrt": sqrt,
    "tan": complex_tan,
    "tanh": complex_tanh,
}
"""By the primitive's name, functions (builder, *pairs) -> pair (abs: a number)."""
