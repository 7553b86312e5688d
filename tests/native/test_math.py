"""The error of our mathematical functions, in units of the last place, over the whole range of operands."""

from __future__ import annotations

import functools
import importlib
from pathlib import Path

import numpy as np
import pytest

import functorch_lite as fl
from functorch_lite import lax

pytest.importorskip("llvmlite", reason="the compiler needs llvmlite")
special = pytest.importorskip("scipy.special")
mpmath = pytest.importorskip("mpmath", reason="references in high precision need mpmath")


from functorch_lite_numpy.compiler import math, processor  # noqa: E402
from functorch_lite_numpy.compiler.math import TABLE  # noqa: E402

from .elementwise import elementwise  # noqa: E402

BOUNDS = {
    **dict.fromkeys(("exp", "log", "log1p", "expm1", "rsqrt", "tanh", "logistic", "sin", "cos", "erf"), 2),
    **dict.fromkeys(("exp2", "cbrt"), 2),
    **dict.fromkeys(("digamma", "lgamma", "bessel_i0e", "bessel_i1e"), 4),
    **dict.fromkeys(("sinh", "cosh", "tan", "asinh", "acosh", "atanh", "erfc", "erf_inv", "atan", "asin", "acos"), 4),
}
PAIRS = {"pow": 4, "atan2": 4}
EXACT = {"rem": np.fmod, "nextafter": np.nextafter}
GAMMA_FAMILY = ("polygamma", "zeta", "igamma", "igammac", "igamma_grad_a", "random_gamma_grad")
OPERANDS = {**dict.fromkeys((*PAIRS, *GAMMA_FAMILY), 2), "regularized_incomplete_beta": 3}
SINGLE = {
    "acos": np.arccos, "acosh": np.arccosh, "asin": np.arcsin, "asinh": np.arcsinh, "atan": np.arctan,
    "atanh": np.arctanh, "atan2": np.arctan2, "erf": special.erf, "erfc": special.erfc, "pow": np.power,
    "logistic": lambda x: 1 / (1 + np.exp(-x)), "rsqrt": lambda x: 1 / np.sqrt(x),
    "erf_inv": lambda x: np.copysign(special.erfinv(x), x), "digamma": special.digamma,
    "lgamma": lambda x: np.where(np.isinf(x), np.inf, special.gammaln(x)),
    "bessel_i0e": special.i0e, "bessel_i1e": lambda x: np.copysign(special.i1e(x), x),
}  # fmt: skip
DOUBLE = {
    "logistic": lambda x: 1 / (1 + mpmath.exp(-x)), "exp2": lambda x: mpmath.mpf(2) ** x, "erf_inv": mpmath.erfinv,
    "lgamma": mpmath.loggamma, "bessel_i0e": lambda x: mpmath.besseli(0, x) * mpmath.exp(-abs(x)),
    "bessel_i1e": lambda x: mpmath.besseli(1, x) * mpmath.exp(-abs(x)),
    "rsqrt": lambda x: 1 / mpmath.sqrt(x), "cbrt": lambda x: mpmath.sign(x) * mpmath.cbrt(abs(x)), "pow": mpmath.power,
}  # fmt: skip
DOMAIN = {
    "acos": (-1, 1), "acosh": (1, np.inf), "asin": (-1, 1), "atanh": (-1, 1), "erf_inv": (-1, 1), "erfc": (-30, 27.2),
    "log": (0, np.inf), "log1p": (-1, np.inf), "rsqrt": (0, np.inf), "exp": (-745, 709), "exp2": (-1074, 1023),
    "expm1": (-800, 709), "sinh": (-710, 710), "cosh": (-710, 710), "logistic": (-745, 1000), "tanh": (-1000, 1000),
    "erf": (-30, 30), "digamma": (0, np.inf), "lgamma": (0, 1e300), "bessel_i0e": (-1e6, 1e6),
    "bessel_i1e": (-1e6, 1e6),
}  # fmt: skip
BELOW_ZERO = ("digamma", "lgamma")
"""Their terms cancel there."""
ENDS = [0.0, -0.0, np.inf, -np.inf, np.nan, 1.0, -1.0, 0.5, -0.5, 2.0, 100.0, -100.0]
GRID = [0.0, -0.0, 1, -1, 2, -2, 3, 0.5, 3.7, -3, 2.5, -2.5, 1e-3, 1e3, -1e3, 1e30, -1e30, 1e-40, -1e-40, 2**24 + 1]
GRID += [np.inf, -np.inf, np.nan]


@functools.cache
def loop(name: str, dtype: type, width: int):
    return elementwise(TABLE[name], OPERANDS.get(name, 1), dtype, width)


def compiled(name: str, *arrays: np.ndarray) -> np.ndarray:
    """In vectors; some of it again one by one, with the same bits."""
    dtype = arrays[0].dtype.type
    out = loop(name, dtype, processor.vector_bytes() // arrays[0].itemsize * 2)(*arrays)
    same_bits(loop(name, dtype, 1)(*(np.ascontiguousarray(a[::7]) for a in arrays)), out[::7])
    return out


def same_bits(found: np.ndarray, expected: np.ndarray) -> None:
    number = ~np.isnan(expected)
    np.testing.assert_array_equal(np.isnan(found), ~number)
    np.testing.assert_array_equal(found[number], expected[number])
    np.testing.assert_array_equal(np.signbit(found[number]), np.signbit(expected[number]))


def check(name: str, found: np.ndarray, exact: np.ndarray, bound: float, *operands: np.ndarray) -> None:
    """Against a more precise reference: the error in units of the last place, and the signs of zeros."""
    largest = np.finfo(found.dtype).max
    with np.errstate(all="ignore"):
        rounded = exact.astype(found.dtype)
    below = np.nextafter(largest, found.dtype.type(0))
    unit = np.spacing(np.minimum(np.abs(np.where(np.isfinite(rounded), rounded, below)), below)).astype(exact.dtype)
    right = (found == rounded) | (np.isnan(found) & np.isnan(rounded))
    with np.errstate(all="ignore"):
        near = np.where(np.isinf(found), np.copysign(largest, found), found)
        off = np.where(right, 0, np.nan_to_num(np.abs(near.astype(exact.dtype) - exact) / unit, nan=np.inf))
    at = int(np.argmax(off))
    assert off[at] <= bound, f"{name}{tuple(x[at] for x in operands)!r} = {found[at]!r} is {off[at]} units off"
    zeros = (rounded == 0) & (found == 0)
    np.testing.assert_array_equal(np.signbit(found[zeros]), np.signbit(rounded[zeros]))


def check_double(name: str, found: np.ndarray, bound: float, *operands: np.ndarray) -> None:
    function = DOUBLE.get(name) or getattr(mpmath, name)
    with mpmath.workprec(160):
        for got, *values in zip(found, *operands, strict=True):
            exact = function(*(mpmath.mpf(float(v)) for v in values))
            nearest = float(exact)
            if got == nearest:
                continue
            nearest = min(abs(nearest), 2.0**1023)
            off = abs((mpmath.mpf(float(got)) - exact) / mpmath.mpf(float(np.spacing(nearest))))
            assert off <= bound, f"{name}{tuple(values)!r} = {got!r} is {float(off)} units off"


def everywhere(points: int, dtype: type = np.float32, seed: int = 0) -> np.ndarray:
    """Numbers of all exponents and both signs, usual ones, those near 0 and 1, and the special ones."""
    rng = np.random.default_rng(seed)
    bits = rng.integers(0, 2**64, points, dtype=np.uint64)
    anything = bits.view(np.float64) if dtype == np.float64 else (bits >> np.uint64(32)).astype(np.uint32).view(dtype)
    usual = [rng.uniform(-s, s, points // 5) for s in (1, 8, 90)]
    near = [np.exp(rng.uniform(-40, 0, points // 10)) * rng.choice([-1, 1], points // 10) for _ in range(2)]
    near[1] = np.sign(near[1]) * (1 - np.abs(near[1]) / 2)
    tiny = np.arange(20) * np.finfo(dtype).smallest_subnormal
    with np.errstate(over="ignore"):
        return np.concatenate([np.asarray(p, dtype) for p in (anything, *usual, *near, tiny, ENDS, GRID)])


def reference(name: str):
    return SINGLE.get(name) or getattr(np, name)


@pytest.mark.parametrize("name", BOUNDS)
def test_single_precision(name):
    x = everywhere(700_000)
    x = x[~(x < 0)] if name in BELOW_ZERO else x
    with np.errstate(all="ignore"):
        exact = reference(name)(x.astype(np.float64))
    check(name, compiled(name, x), exact, BOUNDS[name], x)


@pytest.mark.parametrize("name", BOUNDS)
def test_double_precision(name):
    low, high = DOMAIN.get(name, (-np.inf, np.inf))
    x = everywhere(1_000, np.float64)
    x = x[(x > low) & (x < high)]
    assert x.size > 300
    check_double(name, compiled(name, x), BOUNDS[name], x)


@pytest.mark.parametrize("dtype", [np.float32, np.float64])
@pytest.mark.parametrize("name", BOUNDS)
def test_ends(name, dtype):
    x = np.asarray(ENDS, dtype)
    with np.errstate(all="ignore"):
        exact = reference(name)(x.astype(np.float64)).astype(dtype)
    found = compiled(name, x)
    np.testing.assert_allclose(found, exact, rtol=1e-6, atol=1e-44)
    infinite = np.isinf(x) | (exact == 0)
    same_bits(found[infinite & (np.abs(x) != 100)], exact[infinite & (np.abs(x) != 100)])


@pytest.mark.parametrize("dtype", [np.float32, np.float64])
@pytest.mark.parametrize("name", BELOW_ZERO)
def test_terms_that_cancel(name, dtype):
    rng = np.random.default_rng(0)
    x = -np.concatenate([rng.uniform(0, 40, 1000), np.exp(rng.uniform(-30, 6, 1000))]).astype(dtype)
    function = {"lgamma": lambda x: mpmath.log(abs(mpmath.gamma(x))), "digamma": mpmath.digamma}[name]
    with mpmath.workprec(160):
        exact = np.asarray([float(function(mpmath.mpf(float(v)))) for v in x])
    terms = 1 + np.abs(exact) + np.abs(x) * np.log(2 + np.abs(x))
    assert np.max(np.abs(compiled(name, x) - exact) / terms) < 4 * np.finfo(dtype).eps


@pytest.mark.parametrize("name", PAIRS)
def test_pairs_in_single_precision(name):
    x, y = everywhere(500_000), everywhere(500_000, seed=1)
    if name == "pow":
        usual = np.abs(np.where((x == 0) | ~np.isfinite(x), 2, x)).astype(np.float64)
        exponents = np.random.default_rng(2).uniform(-150, 130, x.size) / (np.log2(usual) + 1e-9)
        y[::2] = exponents[::2].astype(np.float32)
        x[::3] = np.abs(x[::3])
    with np.errstate(all="ignore"):
        exact = reference(name)(x.astype(np.float64), y.astype(np.float64))
    check(name, compiled(name, x, y), exact, 2, x, y)


@pytest.mark.parametrize("name", PAIRS)
def test_pairs_in_double_precision(name):
    rng = np.random.default_rng(2)
    x, y = (rng.standard_normal(1500) * np.exp(rng.uniform(-30, 30, 1500)) for _ in range(2))
    if name == "pow":
        x = np.abs(x)
        y = rng.uniform(-1074, 1023, 1500) / np.log2(x)
    check_double(name, compiled(name, x, y), PAIRS[name], x, y)


@pytest.mark.parametrize("dtype", [np.float32, np.float64])
@pytest.mark.parametrize("name", PAIRS)
def test_pairs_at_ends(name, dtype):
    x, y = (v.ravel() for v in np.meshgrid(np.asarray(GRID, dtype), np.asarray(GRID, dtype)))
    found = compiled(name, x, y)
    with np.errstate(all="ignore"):
        wide = (v.astype(np.float64) for v in (x, y))
        exact = reference(name)(*wide).astype(dtype)
    np.testing.assert_allclose(found, exact, rtol=1e-6)
    number = ~np.isnan(exact)
    np.testing.assert_array_equal(np.signbit(found[number]), np.signbit(exact[number]))


@pytest.mark.parametrize("name", TABLE)
def test_processors_without_an_instruction_for_powers_of_two_give_the_same_bits(name, monkeypatch):
    count = OPERANDS.get(name, 1)
    loop.cache_clear()
    operands = {t: [everywhere(4_000, t, seed) for seed in range(count)] for t in (np.float32, np.float64)}
    expected = {t: loop(name, t, 4)(*x) for t, x in operands.items()}
    monkeypatch.setattr(processor, "vector_bytes", lambda: 16)
    loop.cache_clear()
    for t, x in operands.items():
        same_bits(loop(name, t, 4)(*x), expected[t])
    loop.cache_clear()


def test_hardest_angles():
    """Next to multiples of pi/2, where most bits cancel; large angles, and small ones in the same vectors."""
    largest = np.finfo(np.float64).max
    hard = np.asarray([5.319372648326541e255, 6381956970095103 * 2.0**797, 1e22, 1e300, largest, 3.0, 1e9, -1e15])
    for name in ("sin", "cos", "tan"):
        check_double(name, loop(name, np.float64, 8)(hard), BOUNDS[name], hard)
    single = np.asarray([16367173 * 2.0**72, 3.4e38, 1e10, 0.5, 4.8e4, 5e4, -1e20, np.inf], np.float32)
    for name in ("sin", "cos", "tan"):
        with np.errstate(all="ignore"):
            exact = getattr(np, name)(single.astype(np.float64))
        check(name, loop(name, np.float32, 8)(single), exact, BOUNDS[name], single)


# Through jit.


def jitted(name: str, *arrays: np.ndarray) -> np.ndarray:
    function = getattr(lax, name)
    return np.asarray(fl.jit(lambda *xs: function(*xs))(*(fl.numpy.asarray(a) for a in arrays)))


@pytest.mark.parametrize("dtype", [np.float32, np.float64])
@pytest.mark.parametrize("name", EXACT)
def test_exact(name, dtype):
    ends = [v.ravel() for v in np.meshgrid(np.asarray(GRID, dtype), np.asarray(GRID, dtype))]
    for x, y in ((everywhere(100_000, dtype), everywhere(100_000, dtype, seed=1)), ends):
        with np.errstate(all="ignore"):
            same_bits(jitted(name, x, y), EXACT[name](x, y))


@pytest.mark.parametrize("name", [*BOUNDS, *PAIRS])
def test_programs_compute_the_same(name):
    x, y = (np.linspace(a, 3, 37, dtype=np.float32) for a in (-3, -2))
    operands = (x, y) if name in PAIRS else (x,)
    same_bits(jitted(name, *operands), compiled(name, *operands))


@pytest.mark.parametrize("dtype", [np.float32, np.float64])
@pytest.mark.parametrize("exponent", [0.5, -0.5, 1.5, -1.5, 2.5, -2.5, 3.5, -3.5, 4.5])
def test_known_exponents(exponent, dtype):
    """Odd multiples of 1/2 are powers of a square root."""
    x = everywhere(20_000, dtype)
    found = np.asarray(fl.jit(lambda x: x**exponent)(fl.numpy.asarray(x)))
    with np.errstate(all="ignore"):
        exact = np.power(x.astype(np.longdouble), np.longdouble(exponent))
    check("pow", found, exact, 4, x)


@pytest.mark.parametrize("module", sorted(path.stem for path in Path(math.__file__).parent.glob("[a-z]*.py")))
def test_the_index_has_all_functions_of_a_module(module: str) -> None:
    found = getattr(importlib.import_module(f"{math.__name__}.{module}"), "TABLE", {})
    assert {**math.MODULES, **math.COMPLEX_MODULES}.get(module, "").split() == sorted(found)
