"""Functions of complex numbers as pairs: errors in units of the last place of the absolute value, and the ends."""

from __future__ import annotations

from typing import Any

import numpy as np
import pytest

pytest.importorskip("llvmlite", reason="the compiler needs llvmlite")

from functorch_lite_numpy.compiler.math import COMPLEX_TABLE

from .elementwise import elementwise

FUNCTIONS = {"abs": np.abs, "div": np.divide, "exp": np.exp, "log": np.log, "mul": np.multiply, "sqrt": np.sqrt}
FUNCTIONS |= {
    "cos": np.cos, "cosh": np.cosh, "exp2": np.exp2, "rsqrt": lambda x: 1 / np.sqrt(x), "sign": np.sign,
    "sin": np.sin, "sinh": np.sinh, "tan": np.tan, "tanh": np.tanh, "logistic": lambda x: 1 / (1 + np.exp(-x)),
}  # fmt: skip
INVERSE = {
    "acos": np.arccos, "acosh": np.arccosh, "asin": np.arcsin, "asinh": np.arcsinh, "atan": np.arctan, "atanh": np.arctanh,
}  # fmt: skip
FUNCTIONS |= INVERSE
GROWING = {"exp": 0, "cosh": 0, "sinh": 0, "logistic": 0, "cos": 1, "sin": 1}
"""The part that they grow with."""
ENDS = np.asarray([0.0, -0.0, 1.0, -1.0, 0.5, -2.0, np.inf, -np.inf, np.nan], np.float32)


def compiled(name: str, *parts: np.ndarray):
    """The absolute value, or the real and imaginary parts."""
    pairs = [(i, i + 1) for i in range(0, len(parts), 2)]

    def emit(b, *values):
        return COMPLEX_TABLE[name](b, *((values[i], values[j]) for i, j in pairs))

    found = elementwise(emit, len(parts), parts[0].dtype.type, 8, 1 if name == "abs" else 2)(*parts)
    return (found, np.zeros_like(found)) if name == "abs" else found


def exact(name: str, *parts: np.ndarray) -> Any:
    """By NumPy, in double precision."""
    numbers = []
    for i in range(0, len(parts), 2):
        z = np.empty(parts[i].shape, np.complex128)
        z.real, z.imag = parts[i], parts[i + 1]
        numbers.append(z)
    with np.errstate(all="ignore"):
        return np.asarray(FUNCTIONS[name](*numbers))


@pytest.mark.parametrize("name", sorted(FUNCTIONS.keys() - {"exp2"}))  # whose exponent is rounded
@pytest.mark.parametrize("spread", [0, 60])
def test_errors(name, spread):
    rng = np.random.default_rng(spread)
    count = 4 if name in ("mul", "div") else 2
    parts = [rng.standard_normal(50_000) * np.exp2(rng.uniform(-spread, spread, 50_000)) for _ in range(count)]
    if name in GROWING:
        parts[GROWING[name]] = rng.uniform(-80, 80, 50_000)
    parts = [p.astype(np.float32) for p in parts]
    real, imag = compiled(name, *parts)
    expected = exact(name, *parts)
    size = np.abs(expected)
    usual = (size < 1e38) & (size > 1e-30)
    assert usual.sum() > 30_000
    off = np.abs(real - expected.real) + np.abs(imag - expected.imag)
    limit = 6 if name in ("acosh", "logistic", "tan", "tanh") else 4
    assert np.max(off[usual] / np.spacing(size[usual].astype(np.float32))) <= limit


@pytest.mark.parametrize("dtype", [np.float32, np.float64])
def test_absolute_values_of_all_sizes(dtype):
    """From the smallest number to the largest: neither squares overflow, nor do they vanish."""
    rng, info = np.random.default_rng(2), np.finfo(dtype)
    exponents = rng.integers(info.minexp - info.nmant, info.maxexp, 50_000)
    signs = rng.choice([-1.0, 1.0], (2, 50_000))
    with np.errstate(over="ignore", under="ignore"):
        parts = np.ldexp(signs * rng.uniform(1, 2, (2, 50_000)), exponents + rng.integers(-14, 1, (2, 50_000))).astype(
            dtype
        )
        expected = np.hypot(*parts)
    found, _ = compiled("abs", *parts)
    np.testing.assert_array_max_ulp(found, expected, 2)


@pytest.mark.parametrize("name", FUNCTIONS)
def test_double_precision(name):
    rng = np.random.default_rng(1)
    parts = [rng.standard_normal(5_000) for _ in range(4 if name in ("mul", "div") else 2)]
    real, imag = compiled(name, *parts)
    expected = exact(name, *parts)
    off = np.abs(real - expected.real) + np.abs(imag - expected.imag)
    assert np.max(off / np.spacing(np.abs(expected))) <= 8  # NumPy's own errors are in it


WITH_SIGNS = ["exp", "log", "sqrt", "mul"]
"""Functions whose zeros have NumPy's signs, too."""


@pytest.mark.parametrize(
    "name", ["abs", *WITH_SIGNS, "cos", "cosh", "exp2", "sign", "sin", "sinh", "tan", "tanh", *INVERSE]
)
def test_ends(name):
    parts = [p.ravel() for p in np.meshgrid(*[ENDS] * (4 if name == "mul" else 2))]
    expected = exact(name, *parts)
    for found, wanted in zip(compiled(name, *parts), (expected.real, expected.imag), strict=True):
        np.testing.assert_allclose(found, wanted, rtol=1e-6)
        sure = ~np.isnan(wanted) & (name in WITH_SIGNS) & ~((wanted == 0) & np.isinf(parts[0]))
        np.testing.assert_array_equal(np.signbit(found[sure]), np.signbit(wanted[sure]))


def test_quotients_at_ends():
    """As NumPy: also by zero, by infinity, by NaN."""
    finite = ENDS[np.isfinite(ENDS)]
    x = [p.ravel() for p in np.meshgrid(finite, finite, ENDS, ENDS)]
    expected = exact("div", *x)
    both = np.isinf(x[2]) & np.isinf(x[3])
    for found, wanted in zip(compiled("div", *x), (expected.real, expected.imag), strict=True):
        np.testing.assert_allclose(found[~both], wanted[~both], rtol=1e-6)


def test_products_with_the_conjugate_are_real():
    x, y = (np.random.default_rng(2).standard_normal(50_000).astype(np.float32) for _ in range(2))
    real, imag = compiled("mul", x, y, x, -y)
    assert not imag.any()
    np.testing.assert_array_equal(real, x * x + y * y)


@pytest.mark.parametrize("name", ["expm1", "log1p"])
def test_functions_near_zero(name):
    """By their series, in double precision; NumPy's own lose digits."""
    rng = np.random.default_rng(3)
    x, y = (rng.standard_normal(10_000).astype(np.float32) * np.float32(1e-4) for _ in range(2))
    z = x + 1j * y.astype(np.float64)
    series = z + z**2 / 2 + z**3 / 6 + z**4 / 24 if name == "expm1" else z - z**2 / 2 + z**3 / 3 - z**4 / 4
    real, imag = compiled(name, x, y)
    off = np.abs(real - series.real) + np.abs(imag - series.imag)
    assert np.max(off / np.spacing(np.abs(series).astype(np.float32))) <= 4
    far = compiled(name, x * 1e4, y * 1e4)
    expected = getattr(np, name)(z * 1e4)
    np.testing.assert_allclose(far[0] + 1j * far[1], expected, rtol=1e-6, atol=1e-6)


def test_nothing_overflows_on_the_way():
    big, tiny = np.float32(2e38), np.float32(1e-40)
    z = np.asarray([big, tiny], np.float32)
    np.testing.assert_allclose(compiled("abs", z, z)[0], np.hypot(z.astype(np.float64), z), rtol=1e-5)
    np.testing.assert_allclose(compiled("div", z, z, z, z), [[1, 1], [0, 0]])
    real, imag = compiled("exp", np.asarray([95.0], np.float32), np.asarray([1e-3], np.float32))
    assert np.isinf(real[0])
    assert imag[0] == pytest.approx(np.exp(95.0) * np.sin(np.float64(np.float32(1e-3))), rel=1e-6)


@pytest.mark.parametrize("name", INVERSE)
def test_sides_of_branch_cuts(name):
    """They follow the signs of zeros; next to the branch points nothing is lost."""
    line = np.asarray([-3.0, -1.0, -0.5, -0.0, 0.0, 0.5, 1.0, 3.0])
    near = 1 + np.asarray([-1e-6, 0.0, 1e-6])
    x = np.concatenate([line, line, [0.0, -0.0] * 8, near, near]).astype(np.float32)
    y = np.concatenate([[0.0] * 8, [-0.0] * 8, line.repeat(2), [1e-8] * 3, [-1e-30] * 3]).astype(np.float32)
    real, imag = compiled(name, x, y)
    expected = exact(name, x, y)
    np.testing.assert_allclose(real, expected.real, rtol=1e-6)
    np.testing.assert_allclose(imag, expected.imag, rtol=1e-6)
    for found, wanted in ((real, expected.real), (imag, expected.imag)):
        np.testing.assert_array_equal(np.signbit(found), np.signbit(wanted))
