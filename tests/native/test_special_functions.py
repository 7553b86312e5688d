"""The error of functions of several operands, which SciPy has for eager mode: against more digits, and SciPy at the ends."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import numpy as np
import pytest

import functorch_lite as fl
from functorch_lite import lax
from functorch_lite.primitives.special import random_gamma_grad
from functorch_lite.scipy import special

pytest.importorskip("llvmlite", reason="the compiler needs llvmlite")
scipy_special = pytest.importorskip("scipy.special")
mpmath = pytest.importorskip("mpmath", reason="references in high precision need mpmath")

from functorch_lite_numpy.compiler.math import TABLE  # noqa: E402

from .elementwise import elementwise  # noqa: E402

Operands = tuple[np.ndarray, ...]
GRID = np.asarray([0.0, -0.0, 1, 2, 3, 0.5, 1.5, -1, -2, -0.5, 1e-30, 100, 1e30, np.inf, -np.inf, np.nan])
NUMBER = 300


def spread(rng: np.random.Generator, low: float, high: float) -> np.ndarray:
    """Positive numbers, as many of each size."""
    return np.exp(rng.uniform(np.log(low), np.log(high), NUMBER))


def check_double(
    name: str, exact: Callable[..., Any], bound: float, *operands: np.ndarray, growing: float = 0.0
) -> None:
    """In vectors and one by one: the same bits, and at most so many units in the last place from what is right.

    Args:
      growing: and so many more for each unit of the result's logarithm.
    """
    found = elementwise(TABLE[name], len(operands), np.float64, 8)(*operands)
    np.testing.assert_array_equal(found, elementwise(TABLE[name], len(operands), np.float64, 1)(*operands))
    with mpmath.workprec(200):
        for got, *values in zip(found, *operands, strict=True):
            right = exact(*map(mpmath.mpf, values))
            if got != float(right) and abs(right) > 1e-290:
                off = abs((mpmath.mpf(got) - right) / mpmath.mpf(float(np.spacing(abs(float(right))))))
                allowed = bound + growing * abs(mpmath.log(abs(right)))
                assert off <= allowed, f"{name}{tuple(values)!r} = {got!r} is {float(off)} units off"


def check_single(name: str, scipy: Callable[..., np.ndarray], *operands: np.ndarray) -> None:
    """One rounding of what double precision gives."""
    operands = tuple(x.astype(np.float32) for x in operands)
    found = elementwise(TABLE[name], len(operands), np.float32, 16)(*operands)
    with np.errstate(over="ignore", under="ignore"):
        exact = scipy(*(x.astype(np.float64) for x in operands))
        off = np.abs(found - exact) / np.spacing(np.abs(exact.astype(np.float32)))
    usual = (np.abs(exact) < 1e38) & (np.abs(exact) > 1e-37)
    assert usual.mean() > 0.5
    assert np.max(off[usual]) < 0.51, tuple(x[usual][np.argmax(off[usual])] for x in operands)


def check_ends(name: str, scipy: Callable[..., np.ndarray], *operands: np.ndarray) -> None:
    for dtype in (np.float32, np.float64):
        found = elementwise(TABLE[name], len(operands), dtype, 8)(*(x.astype(dtype) for x in operands))
        with np.errstate(all="ignore"):
            wide = (x.astype(dtype).astype(np.float64) for x in operands)
            exact = scipy(*wide).astype(dtype)
        np.testing.assert_allclose(found, exact, 4e-7 if dtype == np.float32 else 1e-13)


# The zeta function.


def hurwitz(s: Any, q: Any) -> Any:
    """By Euler and Maclaurin, from 40 on."""
    total = mpmath.mpf(0)
    while q < 40:
        total += q**-s
        q += 1
    total += q ** (1 - s) / (s - 1) + q**-s / 2
    factor = s * q ** (-s - 1)
    for k in range(1, 40):
        term = mpmath.bernoulli(2 * k) / mpmath.factorial(2 * k) * factor
        total += term
        factor *= (s + 2 * k - 1) * (s + 2 * k) / q**2
        if abs(term) < abs(total) * mpmath.mpf(2) ** -90:
            break
    return total


def exponents(rng: np.random.Generator, kind: str) -> Operands:
    if kind == "usual":
        return 1 + spread(rng, 1e-5, 50), spread(rng, 0.01, 3000)
    if kind == "whole":
        return rng.integers(2, 30, NUMBER).astype(np.float64), spread(rng, 0.01, 3000)
    if kind == "large":
        return spread(rng, 20, 1000), spread(rng, 0.5, 1.9)
    return 1 + spread(rng, 0.05, 8), np.where(
        rng.random(NUMBER) < 0.5, spread(rng, 3e3, 1e25), spread(rng, 1e-25, 0.01)
    )


@pytest.mark.parametrize("kind", ["usual", "whole", "large", "far"])
def test_zeta(kind: str) -> None:
    s, q = exponents(np.random.default_rng(0), kind)
    check_double("zeta", hurwitz, 4, s, q)
    check_single("zeta", scipy_special.zeta, s, q)


def test_zeta_below_zero() -> None:
    """The terms of both sides cancel."""
    rng = np.random.default_rng(0)
    s, q = rng.integers(2, 12, NUMBER).astype(np.float64), -spread(rng, 0.01, 30)
    found = elementwise(TABLE["zeta"], 2, np.float64, 8)(s, q)
    sizes = scipy_special.zeta(s, q - np.floor(q)) + scipy_special.zeta(s, np.ceil(q) - q)
    assert np.max(np.abs(found - scipy_special.zeta(s, q)) / sizes) < 1e-15


def test_zeta_at_ends() -> None:
    s, q = (x.ravel() for x in np.meshgrid(GRID, GRID))
    usual = ~((s > 1e6) & (q > 1))  # SciPy: NaN
    check_ends("zeta", scipy_special.zeta, s[usual], q[usual])
    far = elementwise(TABLE["zeta"], 2, np.float64, 8)(np.full(4, np.inf), np.asarray([1.5, 2.0, 1e9, np.inf]))
    np.testing.assert_array_equal(far, np.zeros(4))


@pytest.mark.parametrize("order", [0, 1, 2, 3, 5, None])
def test_polygamma(order: int | None) -> None:
    """Of an order that the compiler knows, and of any."""
    x = spread(np.random.default_rng(1), 0.01, 3000).astype(np.float32)
    x = np.where(np.arange(NUMBER) % 4 == 0, -x / 100, x)  # not next to zeros
    n = np.arange(NUMBER) % 7 if order is None else np.full(NUMBER, order)
    f = special.polygamma if order is None else lambda n, x: special.polygamma(order, x)
    found = np.asarray(fl.jit(f)(n.astype(np.float32), x))
    exact = np.asarray(special.polygamma(n, x.astype(np.float64)))
    np.testing.assert_allclose(found, exact, 3e-7)


def test_orders_of_polygamma() -> None:
    """Only natural numbers; those with factorials that are too large give infinities."""
    n = np.asarray([-1, 0.5, np.nan, np.inf, 170, 171, 1e300, 0, 0, 5])
    x = np.asarray([2, 2, 2, 0.5, 0.5, 0.5, 0.5, np.nan, -1, 0])
    eager = np.asarray(special.polygamma(n, x))
    np.testing.assert_allclose(np.asarray(fl.jit(special.polygamma)(n, x)), eager, 1e-12)


# The incomplete gamma functions.


def shapes(rng: np.random.Generator, kind: str) -> Operands:
    if kind == "usual":
        a = spread(rng, 0.3, 63)
        return a, a * spread(rng, 0.1, 5)
    if kind == "large":
        a = spread(rng, 60, 5000)
        return a, a * spread(rng, 0.7, 1.4)
    if kind == "tail":
        return spread(rng, 0.5, 8.2), spread(rng, 10, 600)
    if kind == "far":
        a = spread(rng, 64, 500)
        return a, a * np.where(rng.random(NUMBER) < 0.5, 0.3, 2.4) * spread(rng, 0.8, 1.25)
    return spread(rng, 1e-8, 1.3), np.where(rng.random(NUMBER) < 0.5, spread(rng, 1e-20, 0.1), spread(rng, 0.1, 1.3))


@pytest.mark.parametrize("kind", ["usual", "large", "tail", "far", "small"])
@pytest.mark.parametrize("name", ["igamma", "igammac"])
def test_incomplete_gamma(name: str, kind: str) -> None:
    a, x = shapes(np.random.default_rng(2), kind)

    def exact(a: Any, x: Any) -> Any:
        ends = (0, x) if name == "igamma" else (x, mpmath.inf)
        return mpmath.gammainc(a, *ends, regularized=True)

    check_double(name, exact, 10, a[::2], x[::2], growing=5)
    check_single(name, scipy_special.gammainc if name == "igamma" else scipy_special.gammaincc, a, x)


def test_incomplete_gamma_of_very_large_shapes() -> None:
    """Six standard deviations around the mean, a normal distribution's with a third moment; SciPy gives up beyond 4.5."""
    a = np.asarray([1e10, 1e14, 1e30, 1e300]).repeat(3)
    z = np.asarray([-6.0, 0.5, 6.0] * 4)
    x = a + z * np.sqrt(a)
    z = (x - a) / np.sqrt(a)
    skew = (z * z - 1) / (3 * np.sqrt(a)) * np.exp(-z * z / 2) / np.sqrt(2 * np.pi)
    found = elementwise(TABLE["igamma"], 2, np.float64, 4)(a, x)
    np.testing.assert_allclose(found, scipy_special.ndtr(z) - skew, 1e-6)


@pytest.mark.parametrize("name", ["igamma", "igammac"])
def test_incomplete_gamma_at_ends(name: str) -> None:
    a, x = (x.ravel() for x in np.meshgrid(GRID, GRID))
    check_ends(name, scipy_special.gammainc if name == "igamma" else scipy_special.gammaincc, a, x)


# Their derivatives by the shape.


@pytest.mark.parametrize("name", ["igamma_grad_a", "random_gamma_grad"])
@pytest.mark.parametrize("kind", ["usual", "large", "small"])
def test_derivatives_by_the_shape(name: str, kind: str) -> None:
    """Against eager mode, which has the same formulas."""
    a, x = shapes(np.random.default_rng(3), kind)
    x = a + (x - a) * np.minimum(1, 4 / np.sqrt(a))
    found = elementwise(TABLE[name], 2, np.float64, 8)(a, x)
    np.testing.assert_array_equal(found, elementwise(TABLE[name], 2, np.float64, 1)(a, x))
    function = getattr(lax, name)
    eager = np.asarray(function(a, x))
    np.testing.assert_allclose(found, eager, 1e-11 if kind == "large" else 1e-13)
    check_single(name, lambda a, x: np.asarray(function(a, x)), a, x)


@pytest.mark.parametrize("name", ["igamma_grad_a", "random_gamma_grad"])
def test_derivatives_by_the_shape_at_ends(name: str) -> None:
    a, x = (x.ravel() for x in np.meshgrid(GRID, GRID))
    check_ends(name, lambda a, x: np.asarray(getattr(lax, name)(a, x)), a, x)


@pytest.mark.parametrize("kind", ["usual", "small"])
def test_gradients_of_gamma_variates_are_right(kind: str) -> None:
    a, x = (y[::10] for y in shapes(np.random.default_rng(4), kind))
    found = np.asarray(fl.jit(lambda a, x: random_gamma_grad(a, x))(a, x))
    with mpmath.workdps(90):
        for got, s, y in zip(found, map(mpmath.mpf, a), map(mpmath.mpf, x), strict=True):
            h = s * mpmath.mpf(10) ** -9
            p = [mpmath.gammainc(s + k * h, 0, y, regularized=True) for k in (-2, -1, 1, 2)]
            by_shape = (8 * (p[2] - p[1]) - (p[3] - p[0])) / (12 * h)
            density = y ** (s - 1) * mpmath.exp(-y) / mpmath.gamma(s)
            assert abs(got * density / by_shape + 1) < 1e-12, (s, y)


# The incomplete beta function.


def beta_operands(rng: np.random.Generator, kind: str) -> Operands:
    low, high = {"small": (1e-3, 1), "usual": (0.3, 30), "large": (20, 2000), "mixed": (0.01, 1000)}[kind]
    a, b = spread(rng, low, high), spread(rng, low, high)
    mean = a / (a + b)
    width = 3 * np.sqrt(mean * (1 - mean) / (a + b + 1))
    near = np.clip(mean + width * rng.standard_normal(NUMBER), 1e-9, 1 - 1e-9)
    return a, b, np.where(rng.random(NUMBER) < 0.3, rng.random(NUMBER), near)


@pytest.mark.parametrize("kind", ["small", "usual", "large", "mixed"])
def test_incomplete_beta(kind: str) -> None:
    a, b, x = beta_operands(np.random.default_rng(5), kind)
    name = "regularized_incomplete_beta"

    def exact(a: Any, b: Any, x: Any) -> Any:
        with mpmath.workprec(400):
            return mpmath.betainc(a, b, 0, x, regularized=True)

    check_double(name, exact, 30, a[::2], b[::2], x[::2], growing=12)
    check_single(name, scipy_special.betainc, a, b, x)


def test_incomplete_beta_at_ends() -> None:
    shapes_ = np.asarray([0.0, 1.0, 2.5, -1.0, np.inf, -np.inf, np.nan, 1e-30, 1e30])
    a, b, x = (y.ravel() for y in np.meshgrid(shapes_, shapes_, [0.0, 0.3, 1.0, -0.1, 1.1, np.nan]))
    check_ends("regularized_incomplete_beta", scipy_special.betainc, a, b, x)
