"""Student's distribution with `df` degrees of freedom, as `jax.scipy.stats.t` names it."""

from __future__ import annotations

import math
from typing import Any

from ... import numpy as fnp
from ..special import gammaln
from .located import standard

__all__ = ["logpdf", "pdf"]


def logpdf(x: Any, df: Any, loc: Any = 0, scale: Any = 1) -> Any:
    """The logarithm of the density."""
    z, n, width = standard("t.logpdf", x, df, loc, scale)
    norm = gammaln((n + 1) / 2) - gammaln(n / 2) - fnp.log(n * math.pi) / 2 - fnp.log(width)
    return norm - (n + 1) / 2 * fnp.log1p(z * z / n)


def pdf(x: Any, df: Any, loc: Any = 0, scale: Any = 1) -> Any:
    """The density."""
    return fnp.exp(logpdf(x, df, loc, scale))
