"""The distribution of 1, with probability `p`, and 0, as `jax.scipy.stats.bernoulli` names it."""

from __future__ import annotations

from typing import Any

from ... import numpy as fnp
from ..special import xlog1py, xlogy
from .located import operands

__all__ = ["cdf", "logpmf", "pmf", "ppf"]


def logpmf(k: Any, p: Any, loc: Any = 0) -> Any:
    """The logarithm of the probability of k."""
    x, chance, start = operands("bernoulli.logpmf", k, p, loc)
    x = x - start
    return fnp.where((x == 0) | (x == 1), xlogy(x, chance) + xlog1py(1 - x, -chance), -fnp.inf)


def pmf(k: Any, p: Any, loc: Any = 0) -> Any:
    """The probability of k."""
    return fnp.exp(logpmf(k, p, loc))


def cdf(k: Any, p: Any) -> Any:
    """The probability of at most k."""
    x, chance = operands("bernoulli.cdf", k, p)
    return fnp.where(x < 0, 0, fnp.where(x < 1, 1 - chance, 1))


def ppf(q: Any, p: Any) -> Any:
    """The least k with `cdf` at least q."""
    x, chance = operands("bernoulli.ppf", q, p)
    known = (x >= 0) & (x <= 1) & (chance >= 0) & (chance <= 1)
    return fnp.where(known, fnp.where(x <= 1 - chance, 0.0, 1.0), fnp.nan)
