"""The double exponential distribution about `loc`, as `jax.scipy.stats.laplace` names it."""

from __future__ import annotations

from typing import Any

from ... import numpy as fnp
from .located import standard

__all__ = ["cdf", "logpdf", "pdf"]


def logpdf(x: Any, loc: Any = 0, scale: Any = 1) -> Any:
    """The logarithm of the density."""
    z, width = standard("laplace.logpdf", x, loc, scale)
    return -fnp.abs(z) - fnp.log(2 * width)


def pdf(x: Any, loc: Any = 0, scale: Any = 1) -> Any:
    """The density."""
    return fnp.exp(logpdf(x, loc, scale))


def cdf(x: Any, loc: Any = 0, scale: Any = 1) -> Any:
    """The probability of at most x."""
    (z, _) = standard("laplace.cdf", x, loc, scale)
    half = fnp.exp(fnp.where(z <= 0, z, -z)) / 2
    return fnp.where(z <= 0, half, 1 - half)
