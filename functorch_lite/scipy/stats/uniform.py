"""The uniform distribution from `loc` to `loc + scale`, as `jax.scipy.stats.uniform` names it."""

from __future__ import annotations

from typing import Any

from ... import numpy as fnp
from .located import operands, standard

__all__ = ["cdf", "logpdf", "pdf", "ppf"]


def logpdf(x: Any, loc: Any = 0, scale: Any = 1) -> Any:
    """The logarithm of the density."""
    z, width = standard("uniform.logpdf", x, loc, scale)
    return fnp.where((z >= 0) & (z <= 1), -fnp.log(width), -fnp.inf)


def pdf(x: Any, loc: Any = 0, scale: Any = 1) -> Any:
    """The density."""
    return fnp.exp(logpdf(x, loc, scale))


def cdf(x: Any, loc: Any = 0, scale: Any = 1) -> Any:
    """The probability of at most x."""
    return fnp.clip(standard("uniform.cdf", x, loc, scale)[0], 0, 1)


def ppf(q: Any, loc: Any = 0, scale: Any = 1) -> Any:
    """The inverse of `cdf`."""
    (p,) = operands("uniform.ppf", q)
    return fnp.where((p >= 0) & (p <= 1), p * scale + loc, fnp.nan)
