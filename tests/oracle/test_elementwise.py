"""Elementwise functions of `numpy` and `lax`."""

from .harness import ALL, FLOATS, INEXACT, INTS, KINDS, NARROW, REALS, calls, normal, positive, suite, uniform

ints = normal(3, 4)
CASES = [
    *calls(ALL, """
        np.add(x, y)
        np.multiply(x, y)
        np.negative(x)
        np.abs(x)
        np.square(x)
        np.sin(x)
        np.maximum(x, y)
        np.floor(x)
        np.equal(x, y)
        np.less(x, y)
        np.isfinite(x)
        np.real(x)
        np.where(x > y, x, y)
    """, x=normal(3, 4), y=normal(4)),
    *calls(KINDS, """
        np.subtract(x, y)
        np.positive(x)
        np.conjugate(x)
        np.imag(x)
        np.angle(x)
        np.cos(x)
        np.sinh(x)
        np.cosh(x)
        np.tanh(x)
        np.exp(x)
        np.exp2(x)
        np.expm1(x)
        np.sinc(x)
        np.minimum(x, y)
        np.fmax(x, y)
        np.fmin(x, y)
        np.not_equal(x, y)
        np.less_equal(x, y)
        np.greater(x, y)
        np.greater_equal(x, y)
        np.logical_and(x, y)
        np.logical_or(x, y)
        np.logical_xor(x, y)
        np.logical_not(x)
        np.isnan(x)
        np.isinf(x)
        np.isneginf(x)
        np.isposinf(x)
        np.isreal(x)
        np.iscomplex(x)
        np.isclose(x, y)
        np.isclose(x, x, equal_nan=True)
        np.allclose(x, y)
        np.array_equal(x, x)
        np.array_equiv(x, y)
        np.nan_to_num(x)
        np.clip(x, -1, 1)
        np.clip(x, min=-1)
        np.clip(x, max=2)
        np.rint(x)
        np.ceil(x)
        np.trunc(x)
        np.signbit(x)
        np.fabs(x)
        np.deg2rad(x)
        np.rad2deg(x)
        np.heaviside(x, y)
        np.float_power(x * x + 1, 2)
        np.choose(np.array([[0, 1, 0, 1]] * 3), [x, x + x], mode='clip')
        np.select([x > 1, x < -1], [x, x * 2], y)
        np.piecewise(x, [x > 0, x < 0], [1, 2, 3])
        np.piecewise(x, [x > 0], [lambda v: v * 2, lambda v: v])
        np.bitwise_and(x, y)
        np.bitwise_or(x, y)
        np.bitwise_xor(x, y)
        np.invert(x)
        np.i0(x)
        np.ptp(x, axis=1)
        np.spacing(x)
        np.iscomplexobj(x)
    """, x=normal(3, 4), y=normal(4)),
    *calls(KINDS, """
        np.divide(x, y)
        np.true_divide(x, y)
        np.floor_divide(x, y)
        np.remainder(x, y)
        np.mod(x, y)
        np.fmod(x, y)
        np.divmod(x, y)
        np.power(x, 2)
        np.power(x, 3.0)
        np.power(2, x)
        np.sqrt(y)
        np.cbrt(y)
        np.reciprocal(y)
        np.log(y)
        np.log2(y)
        np.log10(y)
        np.log1p(y)
        np.hypot(x, y)
        np.logaddexp(x, y)
        np.logaddexp2(x, y)
        np.copysign(x, y)
        np.ldexp(x, 2)
        np.tan(y)
        np.arctan(y)
        np.arcsinh(y)
        np.arccosh(y + 2)
    """, x=normal(3, 4), y=positive(4), factor=4),
    *calls(NARROW, """
        np.divide(x, y)
        np.floor_divide(x, y)
        np.remainder(x, y)
        np.power(x, 2)
        np.sqrt(y)
        np.exp(x)
        np.tanh(x)
        np.log1p(y)
        np.round(x)
        np.arctan2(x, y)
        np.logaddexp(x, y)
        np.cbrt(y)
        np.clip(x, 1, 5)
        np.hypot(x, y)
    """, x=normal(3, 4), y=positive(4), factor=4),
    *calls(INEXACT, """
        np.arcsin(x)
        np.arccos(x)
        np.arctanh(x)
        np.unwrap(x)
        np.modf(x)
        np.frexp(x)
        np.nextafter(x, x + 1)
        np.nextafter(x, np.inf)
        lax.erf(x)
        lax.erfc(x)
        lax.erf_inv(x)
    """, x=uniform(-0.9, 0.9, 3, 4), factor=4),
    *calls("int32 uint32 int8 bool", """
        np.bitwise_and(x, 3)
        np.left_shift(x, n)
        np.right_shift(x, n)
        np.bitwise_count(x)
        np.gcd(x, y)
        np.lcm(x, y)
        np.bitwise_not(x)
        x & y
        x | y
        x ^ y
        ~x
        x << 2
        x >> 1
        lax.shift_right_logical(x, n)
        lax.shift_right_arithmetic(x, n)
        lax.shift_left(x, n)
        lax.population_count(x)
        lax.clz(x)
    """, x=normal(3, 4), y=positive(3, 4), n=uniform(0, 6, 3, 4)),
    *calls(KINDS, """
        x + y
        x - y
        x * y
        x / y
        x // y
        x % y
        x ** 2
        x ** 0.5
        2 ** x
        x == y
        x < y
        -x
        +x
        abs(x)
        x @ y
        1 - x
        1.5 * x
        (2 + 1j) * x
        3 / y
        7 // y
        7 % y
        divmod(x, y)
        True + x
        x.T
        x.real
        x.imag
        x.conj()
        x.astype('float16')
        x.astype('int32')
        x.astype(bool)
        x.astype('complex64')
        x.clip(0, 1)
    """, x=normal(3, 4), y=positive(4)),
    *calls(f"{KINDS} float16", """
        lax.add(x, y)
        lax.sub(x, y)
        lax.mul(x, y)
        lax.div(x, y)
        lax.rem(x, y)
        lax.max(x, y)
        lax.min(x, y)
        lax.neg(x)
        lax.abs(x)
        lax.exp(x)
        lax.exp2(x)
        lax.expm1(x)
        lax.log(y)
        lax.log1p(y)
        lax.sqrt(y)
        lax.rsqrt(y)
        lax.cbrt(y)
        lax.square(x)
        lax.integer_pow(x, 3)
        lax.integer_pow(y, -2)
        lax.pow(y, x)
        lax.logistic(x)
        lax.tanh(x)
        lax.tan(y)
        lax.sin(x)
        lax.cos(x)
        lax.floor(x)
        lax.ceil(x)
        lax.round(x)
        lax.is_finite(x)
        lax.select(x > y, x, y)
        lax.eq(x, y)
        lax.ne(x, y)
        lax.lt(x, y)
        lax.ge(x, y)
        lax.nextafter(x, y)
        lax.atan2(x, y)
        lax.atan(x)
        lax.asinh(x)
        lax.acosh(y + 1)
        lax.convert_element_type(x, np.float32)
        lax.convert_element_type(x, np.int32)
        lax.convert_element_type(x, bool)
        lax.bitwise_and(x, y)
        lax.bitwise_not(x)
        lax.real(x)
        lax.reciprocal(y)
        lax.mulhi(x, y)
    """, x=normal(3, 4), y=positive(3, 4), factor=4),
    *calls(FLOATS, """
        lax.lgamma(y)
        lax.digamma(y)
        lax.polygamma(1.0, y)
        lax.igamma(y, z)
        lax.igammac(y, z)
        lax.betainc(y, z, np.array([0.2, 0.4, 0.6, 0.9]))
        lax.zeta(y + 1.0, z)
        lax.bessel_i0e(x)
        lax.bessel_i1e(x)
        lax.complex(x, y)
        lax.reduce_precision(x, 5, 10)
        lax.bitcast_convert_type(x, np.int32)
        lax.bitcast_convert_type(x, np.int8)
        lax.bitcast_convert_type(np.arange(8, dtype=np.int8).reshape(2, 4), np.int32)
        np.angle(lax.complex(x, y), deg=True)
        np.interp(x, np.array([-2.0, -1.0, 0.5, 2.0]), y)
        np.nan_to_num(np.array([np.nan, np.inf, -np.inf, 1.0]) * y, nan=3.0, posinf=4.0, neginf=5.0)
        np.polyval(y, x)
        np.where(x > 0, np.sqrt(np.where(x > 0, x, 1.0)), x)
        np.unwrap(x, period=2.0)
    """, x=normal(4), y=positive(4), z=positive(4), factor=64),
    *calls(REALS, """
        np.abs(x, y)
        np.add(x)
        np.add(x, np.zeros(5))
        np.sin('a')
        np.add(x, [1, 2, 3])
        np.add(x, None)
        lax.add(x, y)
        lax.add(x, x.astype('int8'))
        lax.rem(x, 'b')
        x @ 3
        np.round(x, 'a')
        np.left_shift(x, 1.5)
        np.gcd(x, 2.5)
        lax.exp(True)
        lax.bitcast_convert_type(x, np.int8) + np.zeros(7)
    """, x=normal(3, 4), y=normal(4)),
    *calls("int32 float32 float16", """
        np.arctan2(x, y)
        np.round(x)
        np.round(x, 1)
        x.round(1)
        np.sign(x)
        lax.sign(x)
        lax.clamp(np.zeros_like(x), x, y)
        np.power(y, np.abs(x))
        round(x)
    """, x=normal(3, 4), y=positive(3, 4)),
    *calls("complex64", """
        np.sign(x)
        lax.sign(x)
    """, x=normal(3, 4), derivatives=False),
    *calls("complex64", "lax.conj(x)", x=normal(3, 4)),
    *calls("float32", """
        np.round(100 * x, -1)
        lax.select(x, x, x)
    """, x=normal(3, 4)),
    *calls(INTS, "np.power(x, -1)", x=positive(3)),
]  # fmt: skip
test_elementwise = suite(CASES)
