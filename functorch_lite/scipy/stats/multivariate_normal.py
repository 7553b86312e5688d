"""The normal distribution of vectors, as `jax.scipy.stats.multivariate_normal` names it."""

from __future__ import annotations

import math
from typing import Any

from ... import numpy as fnp
from ...direct import inexact
from ...errors import ShapeError, UnsupportedError
from ...numpy import linalg
from ...promotion import as_operand
from ..linalg import solve_triangular

__all__ = ["logpdf", "pdf"]


def logpdf(x: Any, mean: Any, cov: Any, allow_singular: None = None) -> Any:
    """The logarithm of the density at x.

    Args:
      x: float[..., n].
      mean: float[n], or a number.
      cov: the covariances, float[n, n] positive definite; or a number, the variance of one variable.
      allow_singular: not there: None.

    Returns:
      float[...].

    Raises:
      ShapeError: if the shapes do not fit.
    """
    if allow_singular is not None:
        raise UnsupportedError("multivariate_normal needs a covariance that is not singular: allow_singular=None.")
    v, m, c = inexact(as_operand(x), as_operand(mean), as_operand(cov))
    if not m.ndim:
        return -((v - m) ** 2) / c / 2 - (math.log(2 * math.pi) + fnp.log(c)) / 2
    n = m.shape[-1]
    if not c.ndim:
        return -fnp.sum((v - m) ** 2, -1) / c / 2 - n / 2 * (math.log(2 * math.pi) + fnp.log(c))
    if c.ndim < 2 or c.shape[-2:] != (n, n):
        raise ShapeError(f"multivariate_normal: the mean {m.type} needs covariances [{n}, {n}], got {c.type}.")
    factor = linalg.cholesky(c)
    lead = fnp.broadcast_shapes((v - m).shape[:-1], c.shape[:-2])
    rest = fnp.broadcast_to(v - m, (*lead, n))[..., None]
    z = solve_triangular(factor, rest, lower=True)[..., 0]
    size = fnp.sum(fnp.log(fnp.diagonal(factor, axis1=-2, axis2=-1)), -1)
    return -fnp.sum(z * z, -1) / 2 - n / 2 * math.log(2 * math.pi) - size


def pdf(x: Any, mean: Any, cov: Any) -> Any:
    """The density at x; arguments as of `logpdf`."""
    return fnp.exp(logpdf(x, mean, cov))
