"""Polynomials as vectors of coefficients, that of the highest power first."""

from __future__ import annotations

from typing import Any

import numpy as np

from ..arrays import from_host
from ..direct import inexact
from ..index_plan import host_value
from ..promotion import as_operand, cast, promote_dtypes
from .arithmetic import add
from .convolving import convolve
from .creation import asarray, filled
from .joining import concatenate
from .shaping import broadcast_to

__all__ = [
    "poly",
    "polyadd",
    "polyder",
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
    a, b = promote_dtypes(as_operand(a1), as_operand(a2))
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
    a, b = promote_dtypes(as_operand(a1), as_operand(a2))
    if trim_leading_zeros:
        a, b = (
            v[min(int(np.argmax(np.append(np.asarray(host_value(v)) != 0, True))), v.shape[0] - 1) :] for v in (a, b)
        )
    return convolve(a, b)


def polyder(p: Any, m: int = 1) -> Any:
    """The coefficients of the m-th derivative of a polynomial."""
    p = inexact(as_operand(p))[0]
    for _ in range(m):
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
    p = inexact(as_operand(p))[0]
    constants = broadcast_to(cast(as_operand(0 if k is None else asarray(k)), p.dtype), (m,)) if m else None
    for i in range(m):
        p = concatenate([p / from_host(np.arange(p.shape[0], 0, -1).astype(p.dtype)), constants[i : i + 1]], 0)  # type: ignore[index]
    return p


def poly(seq_of_zeros: Any) -> Any:
    """The coefficients of the polynomial with given zeros, of which the first is 1."""
    zeros_ = inexact(as_operand(seq_of_zeros))[0]
    if zeros_.ndim != 1:
        raise NotImplementedError("poly takes a vector of zeros; matrices are not supported yet.")
    out = filled(1, (1,), zeros_.dtype)
    for i in range(zeros_.shape[0]):
        out = convolve(out, concatenate([filled(1, (1,), zeros_.dtype), -zeros_[i : i + 1]], 0))
    return out
