"""Mathematical functions as straight vector code: for float32 and float64, scalars and vectors alike.

`TABLE` gives, by the primitive's name, a function (builder, *values) -> value, with the same bits for scalars and
vectors. Errors in units of the last place (see tests/native/test_math.py): at most 2 for exp, exp2, log, log1p, expm1, rsqrt,
cbrt, tanh, logistic, sin, cos, erf, pow of float32; 4 for the others (lgamma, digamma and zeta: above zero; of several
operands see tests/native/test_special_functions.py). Infinities, NaN, signed zeros and subnormal numbers are handled, in
operands and results; nothing is flushed to zero.

There are few branches (`branching.py`), rarely taken: angles beyond 4.8e4 (1e9 in double precision), zeta functions below
zero. Nothing calls the system's library, given a processor with fused multiply-add.

The polynomials are minimax, by Remez's algorithm in 160 bits or more, of the functions, on the ranges and to the
errors that stand beside them; the errors are relative unless it says otherwise.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import Any

from ...forking import imported

__all__ = ["COMPLEX_MODULES", "COMPLEX_TABLE", "MODULES", "TABLE"]

MODULES = {
    "bessel": "bessel_i0e bessel_i1e",
    "error_function": "erf erfc",
    "exponential": "cosh exp exp2 expm1 logistic sinh tanh",
    "gamma": "digamma lgamma",
    "gamma_ratio": "igamma_grad_a random_gamma_grad",
    "incomplete_beta": "regularized_incomplete_beta",
    "incomplete_gamma": "igamma igammac",
    "inverse_error_function": "erf_inv",
    "inverse_trigonometric": "acos asin atan atan2",
    "logarithm": "acosh asinh atanh log log1p",
    "power": "cbrt pow rsqrt",
    "trigonometric": "cos sin tan",
    "zeta": "polygamma zeta",
}
COMPLEX_MODULES = {
    "complex": "abs cos cosh div exp exp2 expm1 log log1p logistic max min mul pow rsqrt sign sin sinh sqrt tan tanh",
    "complex_inverse": "acos acosh asin asinh atan atan2 atanh",
}
"""Which functions each module has: it is imported when a program first needs one."""


def _late(module: str, name: str) -> Callable[..., Any]:
    def function(b: Any, *values: Any) -> Any:
        return imported(f".{module}", __name__).TABLE[name](b, *values)

    return function


def _table(modules: Mapping[str, str]) -> dict[str, Callable[..., Any]]:
    return {name: _late(module, name) for module, names in modules.items() for name in names.split()}


TABLE = _table(MODULES)
COMPLEX_TABLE = _table(COMPLEX_MODULES)
"""By the primitive's name, functions of complex numbers as pairs of real ones."""
