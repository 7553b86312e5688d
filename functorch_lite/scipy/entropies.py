"""Products with logarithms, zero where the factor is; entropies; Box-Cox transforms."""

from __future__ import annotations

import math
from collections.abc import Callable
from typing import Any

from .. import dtypes
from .. import numpy as fnp
from ..numpy.operands import in_32_bits, like
from ..primitives import elementwise as e
from ..transforms.custom_jvp import custom_jvp
from .operands import real_operands

__all__ = ["boxcox", "boxcox1p", "entr", "kl_div", "rel_entr", "xlog1py", "xlogy"]


def _vanishes(x: Any, y: Any) -> Any:
    """Whether x is 0, and y a number at all."""
    return e.and_(e.eq(x, like(x, 0)), e.eq(y, y))


def _times_log(log: Callable[[Any], Any], argument: Callable[[Any], Any]) -> Callable[[Any, Any], Any]:
    """(x, y) -> x log(y), 0 where x is 0, for a logarithm whose derivative is 1 / argument(y)."""

    @custom_jvp
    def product(x: Any, y: Any) -> Any:
        return e.select(_vanishes(x, y), e.mul(x, log(y)), fnp.zeros_like(x))

    @product.defjvp
    def product_jvp(primals: Any, tangents: Any) -> Any:
        (x, y), (x_dot, y_dot) = primals, tangents
        return product(x, y), e.add(e.mul(x_dot, log(y)), e.mul(y_dot, e.div(x, argument(y))))

    return product


_xlogy = _times_log(e.log, lambda y: y)
_xlog1py = _times_log(e.log1p, lambda y: e.add(y, like(y, 1)))


def xlogy(x: Any, y: Any) -> Any:
    """X log(y), 0 where x is 0.

    >>> import functorch_lite.scipy.special as special
    >>> float(special.xlogy(0.0, 0.0))
    0.0
    """
    return _xlogy(*real_operands("xlogy", x, y))


def xlog1py(x: Any, y: Any) -> Any:
    """X log(1 + y), 0 where x is 0."""
    return _xlog1py(*real_operands("xlog1py", x, y))


@custom_jvp
def _entr(x: Any) -> Any:
    return fnp.where(x < 0, -math.inf, e.neg(_xlogy(x, x)))


@_entr.defjvp
def _entr_jvp(primals: Any, tangents: Any) -> Any:
    (x,), (t,) = primals, tangents
    return _entr(x), e.neg(e.mul(t, e.add(e.log(x), like(x, 1))))


def entr(x: Any) -> Any:
    """-x log(x), 0 at x = 0, -inf for negative x."""
    return _entr(*real_operands("entr", x))


def _positive(p: Any, q: Any) -> tuple[Any, Any, Any]:
    """Where both are positive, and each of them there; 1 elsewhere."""
    both = (p > 0) & (q > 0)
    return both, fnp.where(both, p, 1), fnp.where(both, q, 1)


def _log_ratio(a: Any, b: Any) -> Any:
    """log(a / b), exact where they are close, also where the ratio overflows or underflows."""
    ratio = a / b
    outside = (ratio < float(dtypes.finfo(ratio.dtype).tiny)) | (ratio == math.inf)
    far = fnp.where(outside, fnp.log(a) - fnp.log(b), fnp.log(ratio))
    return fnp.where(fnp.abs(ratio - 1) < 0.5, fnp.log1p((a - b) / b), far)


@custom_jvp
def _rel_entr(p: Any, q: Any) -> Any:
    both, a, b = _positive(p, q)
    outside = fnp.where((p == 0) & (q >= 0), 0, fnp.where((p == p) & (q == q), math.inf, math.nan))
    return fnp.where(both, a * _log_ratio(a, b), fnp.astype(outside, p.dtype))


@_rel_entr.defjvp
def _rel_entr_jvp(primals: Any, tangents: Any) -> Any:
    (p, q), (p_dot, q_dot) = primals, tangents
    both, a, b = _positive(p, q)
    return _rel_entr(p, q), fnp.where(both, p_dot * (_log_ratio(a, b) + 1) - q_dot * (a / b), 0)


def rel_entr(p: Any, q: Any) -> Any:
    """P log(p / q), 0 for p = 0; infinite where an operand is negative, or q alone is 0."""
    return in_32_bits(_rel_entr, *real_operands("rel_entr", p, q))


def kl_div(p: Any, q: Any) -> Any:
    """P log(p / q) - p + q, q for p = 0; infinite where a finite operand is negative, or q alone is 0."""
    return in_32_bits(lambda a, b: _rel_entr(a, b) + (b - a), *real_operands("kl_div", p, q))


def boxcox(x: Any, lmbda: Any) -> Any:
    """(x^lmbda - 1) / lmbda; log(x) for lmbda = 0."""
    return in_32_bits(lambda v, power: _boxcox(e.log(v), power), *real_operands("boxcox", x, lmbda))


def boxcox1p(x: Any, lmbda: Any) -> Any:
    """((1 + x)^lmbda - 1) / lmbda; log(1 + x) for lmbda = 0."""
    return in_32_bits(lambda v, power: _boxcox(e.log1p(v), power), *real_operands("boxcox1p", x, lmbda))


def _boxcox(logarithm: Any, power: Any) -> Any:
    """expm1(power * logarithm) / power; where the product is so small that it may have lost its digits, the logarithm."""
    info = dtypes.finfo(logarithm.dtype)
    small = fnp.abs(power * logarithm) < float(info.tiny) / float(info.eps)
    some = fnp.where(small, 1, power)
    return fnp.where(small, logarithm * (1 + power * logarithm / 2), fnp.expm1(some * logarithm) / some)
