"""`functorch_lite.scipy.special`: functions of mathematics and statistics, as `jax.scipy.special` names them.

They work element by element. Integers become floats; operands broadcast. Those of one idea have modules of their own: `entropies`,
`gammas`, `normal`.
"""

from __future__ import annotations

from collections.abc import Callable
from inspect import Parameter, Signature
from typing import TYPE_CHECKING, Any

from ..nn.normalising import log_softmax as _log_softmax
from ..nn.normalising import logsumexp
from ..nn.normalising import softmax as _softmax
from ..numpy.operands import in_32_bits, like, named
from ..primitives import elementwise as e
from ..transforms.custom_jvp import custom_jvp
from ..transforms.signature import by_position
from . import entropies, gammas, normal
from .entropies import *  # noqa: F403
from .gammas import *  # noqa: F403
from .normal import *  # noqa: F403
from .operands import real_operands

__all__ = ["expit", "i0", "i1", "log_softmax", "logit", "logsumexp", "softmax"]
__all__ += [*entropies.__all__, *gammas.__all__, *normal.__all__]


def _by_primitive(name: str, primitive: Any, doc: str, operands: str = "x") -> Callable[..., Any]:
    signature = Signature([Parameter(n, Parameter.POSITIONAL_OR_KEYWORD, annotation=Any) for n in operands.split()])

    def function(*args: Any, **kwargs: Any) -> Any:
        return primitive(*real_operands(name, *by_position(name, signature, args, kwargs)))

    made = named(function, name, f"{doc}, elementwise; integers become floats.")
    made.__signature__ = signature  # type: ignore[attr-defined]
    made.__module__ = __name__
    return made


_TABLE = {
    "erf": (e.erf, "The error function, 2 / sqrt(pi) times the integral of exp(-t^2) from 0 to x", "x"),
    "erfc": (e.erfc, "1 - erf(x), exact also for large x", "x"),
    "erfinv": (e.erf_inv, "The inverse of erf", "x"),
    "gammaln": (e.lgamma, "The logarithm of the absolute value of the gamma function", "x"),
    "digamma": (e.digamma, "The derivative of gammaln", "x"),
    "polygamma": (e.polygamma, "The n-th derivative of digamma at x, for natural numbers n", "n x"),
    "gammainc": (e.igamma, "The regularised lower incomplete gamma function P(a, x)", "a x"),
    "gammaincc": (e.igammac, "The regularised upper incomplete gamma function Q(a, x) = 1 - P(a, x)", "a x"),
    "betainc": (e.regularized_incomplete_beta, "The regularised incomplete beta function I(a, b, x)", "a b x"),
    "i0e": (e.bessel_i0e, "The modified Bessel function of order 0, times exp(-|x|)", "x"),
    "i1e": (e.bessel_i1e, "The modified Bessel function of order 1, times exp(-|x|)", "x"),
}
"""Name -> primitive, what it is, its operands."""

for _name, (_primitive, _doc, _operands) in _TABLE.items():
    globals()[_name] = _by_primitive(_name, _primitive, _doc, _operands)
    __all__ += [_name]


def i0(x: Any) -> Any:
    """The modified Bessel function of the first kind and order 0."""
    return in_32_bits(lambda v: e.mul(e.exp(e.abs_(v)), e.bessel_i0e(v)), *real_operands("i0", x))


def i1(x: Any) -> Any:
    """The modified Bessel function of the first kind and order 1."""
    return in_32_bits(lambda v: e.mul(e.exp(e.abs_(v)), e.bessel_i1e(v)), *real_operands("i1", x))


def expit(x: Any) -> Any:
    """1 / (1 + exp(-x)), the inverse of `logit`."""
    return e.logistic(*real_operands("expit", x, real=False))


@custom_jvp
def _logit(x: Any) -> Any:
    return e.log(e.div(x, e.sub(like(x, 1), x)))


@_logit.defjvp
def _logit_jvp(primals: Any, tangents: Any) -> Any:
    (x,), (t,) = primals, tangents
    return _logit(x), e.div(t, e.mul(x, e.sub(like(x, 1), x)))


def logit(x: Any) -> Any:
    """log(x / (1 - x)), the inverse of `expit`."""
    return in_32_bits(_logit, *real_operands("logit", x))


def softmax(x: Any, /, *, axis: Any = None) -> Any:
    """exp(x) over its sum along axes; None: all."""
    return _softmax(x, axis=axis)


def log_softmax(x: Any, /, *, axis: Any = None) -> Any:
    """The logarithm of `softmax`."""
    return _log_softmax(x, axis=axis)


if TYPE_CHECKING:  # names made from the table, which a type checker cannot see

    def __getattr__(name: str) -> Any: ...
