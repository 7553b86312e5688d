"""Cauchy's distribution about `loc`, as `jax.scipy.stats.cauchy` names it."""

from __future__ import annotations

import math
from typing import Any

from ... import dtypes
from ... import numpy as fnp
from .located import logarithm, operands, standard

__all__ = ["cdf", "isf", "logcdf", "logpdf", "logsf", "pdf", "ppf", "sf"]


def logpdf(x: Any, loc: Any = 0, scale: Any = 1) -> Any:
    """The logarithm of the density."""
    z, width = standard("cauchy.logpdf", x, loc, scale)
    far = abs(z) > float(dtypes.finfo(z.dtype).eps) ** -0.5  # the square might overflow, and 1 is nothing beside it
    square = fnp.log1p(fnp.where(far, 0, z) ** 2)
    return -fnp.where(far, 2 * fnp.log(fnp.where(far, abs(z), 1)), square) - fnp.log(math.pi * width)


def pdf(x: Any, loc: Any = 0, scale: Any = 1) -> Any:
    """The density."""
    z, width = standard("cauchy.pdf", x, loc, scale)
    return 1 / (math.pi * width * (1 + z * z))


def cdf(x: Any, loc: Any = 0, scale: Any = 1) -> Any:
    """The probability of at most x."""
    return fnp.arctan2(1, -standard("cauchy.cdf", x, loc, scale)[0]) / math.pi


def logcdf(x: Any, loc: Any = 0, scale: Any = 1) -> Any:
    """The logarithm of `cdf`."""
    return logarithm(cdf(x, loc, scale), sf(x, loc, scale))


def sf(x: Any, loc: Any = 0, scale: Any = 1) -> Any:
    """The probability of more than x."""
    return fnp.arctan2(1, standard("cauchy.sf", x, loc, scale)[0]) / math.pi


def logsf(x: Any, loc: Any = 0, scale: Any = 1) -> Any:
    """The logarithm of `sf`."""
    return logarithm(sf(x, loc, scale), cdf(x, loc, scale))


def ppf(q: Any, loc: Any = 0, scale: Any = 1) -> Any:
    """The inverse of `cdf`."""
    (p,) = operands("cauchy.ppf", q)
    return _quantile(p, 1 - p) * scale + loc


def isf(q: Any, loc: Any = 0, scale: Any = 1) -> Any:
    """The inverse of `sf`."""
    (p,) = operands("cauchy.isf", q)
    return _quantile(1 - p, p) * scale + loc


def _quantile(below: Any, above: Any) -> Any:
    """Where the standard distribution has two shares on either side: from the smaller one, which has more digits."""
    tail = fnp.where(below < above, below, above)
    out = fnp.where(tail > 0.25, fnp.tan(math.pi * (0.5 - tail)), 1 / fnp.tan(math.pi * tail))
    return fnp.where(tail < 0, fnp.nan, fnp.where(below < above, -out, out))
