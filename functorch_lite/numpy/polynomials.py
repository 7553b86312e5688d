"""Polynomials as vectors of coefficients, that of the highest power first."""

from __future__ import annotations

from typing import Any

import numpy as np

from .. import dtypes
from ..arrays import from_host
from ..direct import inexact
from ..errors import ArgumentError, ShapeError, UnsupportedError
from ..index_plan import host_value
from ..primitives import elementwise as e
from ..promotion import as_operand, cast, promote_dtypes
from .arithmetic import add
from .axes import integer
from .contraction import matmul
from .convolving import convolve
from .creation import asarray, filled
from .grids import vander
from .joining import concatenate, stack, trim_zeros
from .reductions import sum as sum_
from .shaping import atleast_1d, broadcast_to
from .solving import inv, lstsq

__all__ = [
    "poly",
    "polyadd",
    "polyder",
    "polydiv",
    "polyfit",
    "polyint",
    "polymul",
    "polysub",
    "polyval",
]


def polyval(p: Any, x: Any, *, unroll: int = 16) -> Any:
    """The value of a polynomial, sum over i of p[i] x^(n - 1 - i), by Horner's rule.

    Args:
      p: coefficients.
      x: where.
      unroll: taken for JAX's sake.
    """
    p, x = promote_dtypes(as_operand(p), as_operand(x))
    out = broadcast_to(p[0] * 0, x.shape)
    for i in range(p.shape[0]):
        out = add(out * x, p[i])
    return out


def polyadd(a1: Any, a2: Any) -> Any:
    """The coefficients of the sum of two polynomials."""
    a, b = promote_dtypes(atleast_1d(a1), atleast_1d(a2))
    n = max(a.shape[0], b.shape[0])
    return add(*(concatenate([filled(0, (n - v.shape[0],), v.dtype), v], 0) for v in (a, b)))


def polysub(a1: Any, a2: Any) -> Any:
    """The coefficients of the difference of two polynomials."""
    return polyadd(a1, -as_operand(a2))


def polymul(a1: Any, a2: Any, *, trim_leading_zeros: bool = False) -> Any:
    """The coefficients of the product of two polynomials.

    Args:
      a1, a2: coefficients.
      trim_leading_zeros: whether to drop zeros in front, whose values must be known.
    """
    a, b = promote_dtypes(atleast_1d(a1), atleast_1d(a2))
    if trim_leading_zeros:
        a, b = (
            v[min(int(np.argmax(np.append(np.asarray(host_value(v)) != 0, True))), v.shape[0] - 1) :] for v in (a, b)
        )
    return convolve(a, b)


def polyder(p: Any, m: int = 1) -> Any:
    """The coefficients of the m-th derivative of a polynomial."""
    p = inexact(atleast_1d(p))[0]
    for _ in range(min(integer("polyder", "m", m), p.shape[0])):
        n = p.shape[0]
        p = p[:-1] * from_host(np.arange(n - 1, 0, -1).astype(p.dtype)) if n > 1 else p[:0]
    return p


def polyint(p: Any, m: int = 1, k: Any = None) -> Any:
    """The coefficients of the m-th integral of a polynomial.

    Args:
      p: coefficients.
      m: how many times.
      k: the constants of integration, by default 0.
    """
    p = inexact(atleast_1d(p))[0]
    m = integer("polyint", "m", m)
    constants = broadcast_to(cast(as_operand(0 if k is None else asarray(k)), p.dtype), (m,)) if m else None
    for i in range(m):
        p = concatenate([p / from_host(np.arange(p.shape[0], 0, -1).astype(p.dtype)), constants[i : i + 1]], 0)  # type: ignore[index]
    return p


def poly(seq_of_zeros: Any) -> Any:
    """The coefficients of the polynomial with given zeros, of which the first is 1."""
    zeros_ = inexact(as_operand(seq_of_zeros))[0]
    if zeros_.ndim != 1:
        raise UnsupportedError("poly takes a vector of zeros; matrices are not supported yet.")
    out = filled(1, (1,), zeros_.dtype)
    for i in range(zeros_.shape[0]):
        out = convolve(out, concatenate([filled(1, (1,), zeros_.dtype), -zeros_[i : i + 1]], 0))
    return out


def polydiv(u: Any, v: Any, *, trim_leading_zeros: bool = False) -> tuple[Any, Any]:
    """Quotient and rest of the division of a polynomial by another.

    Args:
      u, v: coefficients of dividend and divisor, whose first is not 0.
      trim_leading_zeros: whether to drop zeros in front of the rest, whose values must be known.

    >>> import functorch_lite.numpy as fnp
    >>> [x.tolist() for x in polydiv(fnp.array([1.0, 3.0, 5.0]), fnp.array([1.0, 1.0]))]
    [[1.0, 2.0], [0.0, 0.0, 3.0]]
    """
    rest, divisor = promote_dtypes(*inexact(asarray(u), asarray(v)))
    n, quotient = divisor.shape[0], []
    for k in range(rest.shape[0] - n + 1):
        factor = rest[k] / divisor[0]
        quotient.append(factor)
        rest = rest.at[k : k + n].add(-factor * divisor)
    found = stack(quotient) if quotient else filled(0, (1,), rest.dtype)
    return found, trim_zeros(rest, "f") if trim_leading_zeros else rest


def polyfit(
    x: Any, y: Any, deg: int, rcond: float | None = None, full: bool = False, w: Any = None, cov: Any = False
) -> Any:
    """The coefficients of the polynomial that comes nearest to points, by least squares.

    Args:
      x: [n], where.
      y: [n], the values; or [n, k], several of them.
      deg: the degree.
      rcond: singular values below `rcond` times the largest count as 0; None: n times the dtype's epsilon.
      full: whether to give (coefficients, residuals, rank, singular values, rcond).
      w: weights of the values, [n].
      cov: whether to give (coefficients, their covariance); "unscaled": not scaled by the residuals.

    >>> import functorch_lite.numpy as fnp
    >>> polyfit(fnp.arange(4.0), 2 * fnp.arange(4.0) + 1, 1).round(3).tolist()
    [2.0, 1.0]
    """
    place, values = inexact(as_operand(x), as_operand(y))
    if place.ndim != 1 or values.ndim not in (1, 2) or values.shape[0] != place.shape[0] or not place.shape[0]:
        raise ShapeError(f"polyfit needs points [n] and values [n] or [n, k], got {place.type} and {values.type}.")
    deg = integer("polyfit", "deg", deg)
    if deg < 0:
        raise ArgumentError(f"polyfit: a degree is not negative, got {deg}.")
    n, order = place.shape[0], deg + 1
    rcond = n * float(dtypes.finfo(place.dtype).eps) if rcond is None else rcond
    powers = vander(place, order)
    if w is not None:
        (weights,) = inexact(as_operand(w))
        powers = powers * weights[:, None]
        values = values * (weights if values.ndim == 1 else weights[:, None])
    scale = e.sqrt(sum_(powers * powers, 0))
    found, residuals, rank, singular = lstsq(powers / scale, values, rcond)
    found = (found.T / scale).T
    if full:
        return found, residuals, rank, singular, asarray(rcond)
    if not cov:
        return found
    covariance = inv(matmul(powers.T, powers / scale) / scale[:, None]) / (scale * scale[:, None])
    factor: Any = 1
    if cov != "unscaled":
        if n <= order:
            raise ArgumentError(f"polyfit: {n} points leave nothing to estimate a covariance of {order} numbers by.")
        factor = residuals / (n - order)
    return found, covariance * factor if values.ndim == 1 else covariance[..., None] * factor
