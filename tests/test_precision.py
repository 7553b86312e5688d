"""Functions of short numbers against the same ones in 64 bits: ordinary, tiny, huge, subnormal, infinite, and no number.

A result is right if it is within a few units in the last place of what the 64-bit function gives anywhere within a few units
of the operands: what a function makes of the rounding of its operands, it need not know better.
"""

from __future__ import annotations

import itertools
import warnings
from collections.abc import Callable
from typing import Any

import numpy as np
import pytest

import functorch_lite.numpy as fnp
from functorch_lite import dtypes, nn
from functorch_lite.arrays import from_host
from functorch_lite.primitives import elementwise as e
from functorch_lite.primitives.base import Elementwise
from functorch_lite.scipy import special, stats

from .test_numpy import BINARY, UNARY

UNITS = 4
"""In the last place: of operands, and of results."""
DENSITIES = "logpdf pdf cdf logcdf sf logsf ppf isf"
OTHERWISE = {
    **dict.fromkeys(["lax nextafter", "numpy nextafter", "numpy spacing", "numpy nan_to_num"], "it asks for the dtype"),
    **dict.fromkeys(["lax igamma_grad_a", "lax random_gamma_grad"], "as many steps as the operands are large: slow"),
    **dict.fromkeys(["special beta", "special betaln", "special comb", "special poch"], "poles where sums are rounded"),
    "numpy sinc": "the sine of a multiple of pi that was rounded",
    "nn squareplus": "the square of what is large cancels or overflows",
    "nn gelu": "an approximation, which cancels far out",
    "nn glu": "not of single numbers",
}
"""Function -> why 64 bits give something else."""


def functions() -> dict[str, Callable[..., Any]]:
    """Name -> function of arrays of one dtype."""
    found: dict[str, Callable[..., Any]] = {}
    found |= {f"lax {p.name}": p for p in vars(e).values() if isinstance(p, Elementwise)}
    found |= {f"numpy {name}": getattr(fnp, name) for name in (*UNARY, *BINARY)}
    found |= {f"special {name}": getattr(special, name) for name in special.__all__}
    found |= {f"nn {name}": getattr(nn, name) for name in nn.activations.__all__}
    for law in ("norm", "cauchy", "laplace", "logistic", "expon", "uniform"):
        module = getattr(stats, law)
        found |= {f"{law} {name}": getattr(module, name) for name in DENSITIES.split() if hasattr(module, name)}
    return {name: f for name, f in found.items() if name not in OTHERWISE}


def values(dtype: np.dtype) -> np.ndarray:
    """Numbers of all sizes, of both signs."""
    info = dtypes.finfo(dtype)
    eps, tiny, largest = float(info.eps), float(info.tiny), float(info.max)
    found = [
        0.0,
        0.1,
        0.3,
        0.5,
        0.75,
        1 - eps / 2,
        1,
        1 + eps,
        1.5,
        2,
        2.5,
        3,
        4,
        5.3,
        7.3,
        12,
        30,
        88,
        100,
        1e3,
        2e4,
        1e9,
        1e30,
    ]
    found += [
        largest / 4,
        largest / 2,
        largest,
        tiny,
        tiny * 1.5,
        tiny / 4,
        float(info.smallest_subnormal),
        1e-2,
        1e-4,
        1e-10,
    ]
    found += [largest**0.5 * 1.1, tiny**0.5, *np.random.default_rng(0).normal(size=5), np.inf]
    found = [x for x in found if x <= largest or x == np.inf]
    return np.array([*found, *(-x for x in found), np.nan]).astype(dtype)  # fmt: skip


def grid(dtype: np.dtype, arity: int) -> list[np.ndarray]:
    some = values(dtype)[:: [1, 1, 4, 9][arity]]
    return [x.ravel() for x in np.meshgrid(*[some] * arity)]


def arity(f: Callable[..., Any], dtype: np.dtype) -> int | None:
    """How many floating operands a function takes; None if it takes none, or gives something else."""
    for n in (1, 2, 3):
        try:
            out = f(*[fnp.ones((2,), dtype)] * n)
        except (TypeError, ValueError):
            continue
        return n if getattr(out, "dtype", None) == dtype else None
    return None


def span(f: Callable[..., Any], xs: list[np.ndarray], eps: float) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
    """What the function gives in 64 bits: there, and at least and at most nearby."""
    wide = [x.astype(np.float64) for x in xs]
    moves = itertools.product([1.0, 1 - UNITS * eps, 1 + UNITS * eps], repeat=len(xs))
    found = [np.asarray(f(*(from_host(x * by) for x, by in zip(wide, move, strict=True)))) for move in moves]
    return found[0], np.fmin.reduce(found), np.fmax.reduce(found)


def wrong(found: np.ndarray, exact: np.ndarray, low: np.ndarray, high: np.ndarray, dtype: np.dtype) -> np.ndarray:
    """Where a result is none that the span allows. What is less than all normal numbers may be zero."""
    info = dtypes.finfo(dtype)
    largest, tiny = float(info.max), float(info.tiny)
    y = found.astype(np.float64)
    room = UNITS * float(info.eps) * np.fmax(abs(low), abs(high)) + tiny
    inside = (y >= low - room) & (y <= high + room)
    beyond = np.isinf(y) & ((y > 0) & (high > largest * 0.99) | (y < 0) & (low < -largest * 0.99))
    return ~(inside | beyond | (y == exact) | (np.isnan(y) & np.isnan(exact)))


@pytest.mark.parametrize("name", functions())
def test_as_in_64_bits(name: str) -> None:
    f = functions()[name]
    if (n := arity(f, np.dtype(np.float32))) is None:
        pytest.skip("it does not take floats to floats")
    for kind in map(dtypes.as_dtype, ["float32", "float16", "bfloat16"]):
        xs = grid(kind, n)
        with warnings.catch_warnings(action="error"):
            found = np.asarray(f(*map(from_host, xs)))
        with np.errstate(all="ignore"):
            exact, low, high = span(f, xs, float(dtypes.finfo(kind).eps))
            bad = wrong(found, exact, low, high, kind)
        cases = [(*(float(x[i]) for x in xs), "gives", float(found[i]), float(exact[i])) for i in np.flatnonzero(bad)]
        assert not cases, f"{len(cases)} of {bad.size} of {kind}: {cases[:10]}"


def plane() -> np.ndarray:
    """Complex numbers of many sizes and directions."""
    parts = np.array([0.0, 1e-30, 1e-4, 0.3, 1, 2.5, 7, 1e4, 1e15], np.float32)
    parts = np.concatenate([parts, -parts[1:]])
    return (parts[:, None] + 1j * parts).ravel().astype(np.complex64)


@pytest.mark.parametrize("name", functions())
def test_as_in_64_bits_of_complex_numbers(name: str) -> None:
    """In the plane, what is nearby is a circle."""
    f, x, eps = functions()[name], plane(), float(np.finfo(np.float32).eps)
    try:
        found = np.asarray(f(from_host(x)))
    except (TypeError, ValueError):
        pytest.skip("it does not take a complex number")
    wide = x.astype(np.complex128)
    with np.errstate(all="ignore"):
        exact = np.asarray(f(from_host(wide)))
        if found.dtype not in (np.complex64, np.float32):
            pytest.skip("it does not give numbers")
        nearby = [np.asarray(f(from_host(wide + UNITS * eps * abs(wide) * turn))) for turn in (1, -1, 1j, -1j)]
        room = np.fmax.reduce([abs(y - exact) for y in nearby]) + UNITS * eps * abs(exact) + float(np.finfo("f4").tiny)
        large = abs(exact) > 1e38
        bad = ~((abs(found.astype(np.complex128) - exact) <= room) | large | np.isnan(exact) & np.isnan(found))
    shown = [(complex(x[i]), "gives", found[i], exact[i]) for i in np.flatnonzero(bad)[:10]]
    assert not shown, f"{bad.sum()} of {bad.size}: {shown}"
