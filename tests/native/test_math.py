"""The error of our mathematical functions, in units of the last place, over the whole range of operands."""

from __future__ import annotations

import numpy as np
import pytest

import functorch_lite as fl
from functorch_lite import lax

pytest.importorskip("llvmlite", reason="the compiler needs llvmlite")
special = pytest.importorskip("scipy.special")
mpmath = pytest.importorskip("mpmath", reason="references in high precision need mpmath")

BOUNDS = {
    **dict.fromkeys(("exp", "log", "log1p", "expm1", "sqrt", "rsqrt", "tanh", "logistic", "sin", "cos", "erf"), 2),
    **dict.fromkeys(("exp2", "sinh", "cosh", "tan", "asinh", "acosh", "atanh", "erfc", "atan", "asin", "acos"), 4),
}
SINGLE = {
    "acos": np.arccos, "acosh": np.arccosh, "asin": np.arcsin, "asinh": np.arcsinh, "atan": np.arctan, "atanh": np.arctanh,
    "erf": special.erf, "erfc": special.erfc, "logistic": lambda x: 1 / (1 + np.exp(-x)), "rsqrt": lambda x: 1 / np.sqrt(x),
}  # fmt: skip
DOUBLE = {
    "erf": mpmath.erf, "erfc": mpmath.erfc, "logistic": lambda x: 1 / (1 + mpmath.exp(-x)), "exp2": lambda x: mpmath.mpf(2) ** x,
    "rsqrt": lambda x: 1 / mpmath.sqrt(x),
}  # fmt: skip
ENDS = [0.0, -0.0, np.inf, -np.inf, np.nan, 1.0, -1.0, 0.5, -0.5, 2.0, 100.0, -100.0]


def compiled(name: str, x: np.ndarray, *others: np.ndarray) -> np.ndarray:
    function = getattr(lax, name)
    return np.asarray(fl.jit(lambda *xs: function(*xs))(*(fl.numpy.asarray(v) for v in (x, *others))))


def errors(found: np.ndarray, exact: np.ndarray) -> np.ndarray:
    """In units of the last place of the exact result, rounded; 0 where the bits are right."""
    rounded = exact.astype(found.dtype)
    unit = np.spacing(np.abs(np.where(np.isfinite(rounded), rounded, 1))).astype(exact.dtype)
    right = (found == rounded) | (np.isnan(found) & np.isnan(rounded))
    return np.where(right, 0, np.nan_to_num(np.abs(found.astype(exact.dtype) - exact) / unit, nan=np.inf))


def everywhere() -> np.ndarray:
    """Numbers of all exponents and both signs, and the special ones."""
    bits = np.linspace(0, 2**32 - 1, 300_007).astype(np.uint32)
    near = np.linspace(-10, 10, 100_003, dtype=np.float32)
    return np.concatenate([bits.view(np.float32), near, np.asarray(ENDS, np.float32)])


@pytest.mark.parametrize("name", BOUNDS)
def test_single_precision(name):
    x = everywhere()
    with np.errstate(all="ignore"):
        exact = SINGLE.get(name, getattr(np, name, None))(x.astype(np.float64))
        worst = errors(compiled(name, x), exact)
    at = int(np.argmax(worst))
    assert worst[at] <= BOUNDS[name], f"{name}({x[at]!r}) is {worst[at]} units off"


@pytest.mark.parametrize("name", BOUNDS)
def test_double_precision(name):
    rng = np.random.default_rng(0)
    x = np.concatenate([rng.standard_normal(60) * s for s in (1e-3, 0.1, 1, 5, 30, 300)])
    if name in ("acosh", "log", "sqrt", "rsqrt"):
        x = np.abs(x) + (name == "acosh")
    if name in ("asin", "acos", "atanh"):
        x = np.tanh(x)
    if name == "log1p":
        x = np.where(x < -0.99, -x, x)
    function = DOUBLE.get(name, getattr(mpmath, {"log1p": "log1p"}.get(name, name), None))
    found = compiled(name, x)
    with mpmath.workprec(160):
        for value, got in zip(x, found, strict=True):
            exact = function(mpmath.mpf(value))
            nearest = float(exact)
            if got == nearest or abs(nearest) == np.inf:
                continue
            off = abs((mpmath.mpf(float(got)) - exact) / mpmath.mpf(float(np.spacing(abs(nearest)))))
            assert off <= BOUNDS[name], f"{name}({value!r}) is {float(off)} units off"


@pytest.mark.parametrize("dtype", [np.float32, np.float64])
@pytest.mark.parametrize("name", BOUNDS)
def test_ends(name, dtype):
    x = np.asarray(ENDS, dtype)
    if dtype == np.float64 and name in ("erf", "erfc"):
        exact = SINGLE[name](x)
    else:
        with np.errstate(all="ignore"):
            exact = SINGLE.get(name, getattr(np, name, None))(x.astype(np.float64)).astype(dtype)
    found = compiled(name, x)
    np.testing.assert_allclose(found, exact, rtol=1e-6, atol=1e-44)
    zeros = (exact == 0) & (np.abs(x) < 1)
    np.testing.assert_array_equal(np.signbit(found[zeros]), np.signbit(exact[zeros]))


def test_vectors_and_scalars_give_the_same_bits():
    x = np.linspace(-3, 3, 37, dtype=np.float32)
    for name in BOUNDS:
        one_by_one = [compiled(name, x[i : i + 1])[0] for i in range(0, 37, 5)]
        np.testing.assert_array_equal(compiled(name, x)[::5], np.asarray(one_by_one))


@pytest.mark.parametrize("dtype", [np.float32, np.float64])
def test_powers(dtype):
    values = np.asarray([0.0, -0.0, 1, -1, 2, -2, 0.5, 3.7, -3, np.inf, -np.inf, np.nan, 1e-3, 1e3], dtype)
    x, y = (v.ravel() for v in np.meshgrid(values, values))
    with np.errstate(all="ignore"):
        np.testing.assert_allclose(compiled("pow", x, y), x**y, rtol=1e-6)
        for exponent in (0.5, -0.5, 1.5, -1.5, 2.5, -3.5):
            found = np.asarray(fl.jit(lambda x, e=exponent: x**e)(fl.numpy.asarray(values)))
            np.testing.assert_allclose(found, np.power(values, np.full_like(values, exponent)), rtol=1e-6)


@pytest.mark.parametrize("dtype", [np.float32, np.float64])
def test_angles(dtype):
    values = np.asarray([0.0, -0.0, 1, -1, 2.5, -2.5, np.inf, -np.inf, np.nan, 1e-3, -1e5], dtype)
    y, x = (v.ravel() for v in np.meshgrid(values, values))
    found, exact = compiled("atan2", y, x), np.arctan2(y, x)
    np.testing.assert_allclose(found, exact, rtol=1e-6)
    np.testing.assert_array_equal(np.signbit(found[~np.isnan(exact)]), np.signbit(exact[~np.isnan(exact)]))
