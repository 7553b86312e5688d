"""Rows of the special functions; the reference is SciPy, and numerical derivatives of it."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import numpy as np
import scipy.special

from functorch_lite.primitives import elementwise as e

from .elementwise import between, elementwise
from .row import FLOATS, normal

INSIDE = between((-0.7, 0.7))
POSITIVE = between((0.6, 4.0))
TWO = between((0.6, 4.0), (0.6, 4.0))


def _wide(function: Callable[..., Any]) -> Callable[..., Any]:
    """In float64."""
    return lambda *xs: function(*(x.astype(np.float64) for x in xs))


def _orders(rng: np.random.Generator, dtype: np.dtype) -> tuple[np.ndarray, ...]:
    return np.array([[0, 1, 2], [3, 0, 1]], dtype), *POSITIVE(rng, dtype)


def _by_shape(a: Any, x: Any) -> Any:
    h = 1e-4
    p = scipy.special.gammainc
    return (8 * (p(a + h, x) - p(a - h, x)) - (p(a + 2 * h, x) - p(a - 2 * h, x))) / (12 * h)


def _per_sample(a: Any, x: Any) -> Any:
    return -_by_shape(a, x) / np.exp((a - 1) * np.log(x) - x - scipy.special.gammaln(a))


S = scipy.special

ROWS = [
    elementwise(e.erf, _wide(S.erf), FLOATS),
    elementwise(e.erfc, _wide(S.erfc), FLOATS),
    elementwise(e.erf_inv, _wide(S.erfinv), FLOATS, INSIDE, tolerance=2.0),
    elementwise(e.lgamma, _wide(S.gammaln), FLOATS, POSITIVE, tolerance=2.0),
    elementwise(e.lgamma, _wide(S.gammaln), FLOATS, between((-0.8, -0.2)), what="of negative numbers", tolerance=8.0),
    elementwise(e.digamma, _wide(S.digamma), FLOATS, POSITIVE, tolerance=4.0),
    elementwise(e.polygamma, _wide(S.polygamma), FLOATS, _orders, differentiable=(1,), tolerance=10.0),
    elementwise(
        e.zeta,
        _wide(S.zeta),
        FLOATS,
        between((2.0, 4.0), (0.6, 4.0)),
        jax="zeta",
        tolerance=10.0,
        order=2,
    ),
    elementwise(e.igamma, _wide(S.gammainc), FLOATS, TWO, differentiable=(1,), tolerance=8.0),
    elementwise(e.igamma, _wide(S.gammainc), FLOATS, TWO, what="by its shape", order=1, tolerance=8.0),
    elementwise(e.igammac, _wide(S.gammaincc), FLOATS, TWO, differentiable=(1,), tolerance=8.0),
    elementwise(e.igammac, _wide(S.gammaincc), FLOATS, TWO, what="by its shape", order=1, tolerance=8.0),
    elementwise(e.igamma_grad_a, _wide(_by_shape), FLOATS, TWO, differentiable=(), tolerance=1e4),
    elementwise(e.random_gamma_grad, _wide(_per_sample), FLOATS, TWO, differentiable=(), tolerance=1e5),
    elementwise(
        e.regularized_incomplete_beta,
        _wide(S.betainc),
        FLOATS,
        between((0.6, 3.0), (0.6, 3.0), (0.1, 0.9)),
        differentiable=(2,),
        jax="betainc",
        tolerance=8.0,
    ),
    elementwise(e.bessel_i0e, _wide(S.i0e), FLOATS),
    elementwise(e.bessel_i1e, _wide(S.i1e), FLOATS, normal((2, 3), shift=2.0)),
]
