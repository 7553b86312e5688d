"""The Poisson distribution with mean `mu`, as `jax.scipy.stats.poisson` names it."""

from __future__ import annotations

from typing import Any

from ... import numpy as fnp
from ..special import gammaincc, gammaln, xlogy
from .located import guarded, operands

__all__ = ["cdf", "logpmf", "pmf"]


def logpmf(k: Any, mu: Any, loc: Any = 0) -> Any:
    """The logarithm of the probability of k."""
    x, rate, start = operands("poisson.logpmf", k, mu, loc)
    x = x - start
    inside = (x >= 0) & (fnp.floor(x) == x)
    return guarded(inside, lambda v, r: xlogy(v, r) - gammaln(v + 1) - r, x, rate)


def pmf(k: Any, mu: Any, loc: Any = 0) -> Any:
    """The probability of k."""
    return fnp.exp(logpmf(k, mu, loc))


def cdf(k: Any, mu: Any, loc: Any = 0) -> Any:
    """The probability of at most k."""
    x, rate, start = operands("poisson.cdf", k, mu, loc)
    x = x - start
    return guarded(x >= 0, lambda v, r: gammaincc(fnp.floor(v) + 1, r), x, rate, outside=0.0)
