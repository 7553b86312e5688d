"""Mathematical functions as straight vector code: for float32 and float64, scalars and vectors alike.

`TABLE` gives, by the primitive's name, a function (builder, *values) -> value, with the same bits for scalars and
vectors. Errors in units of the last place (see tests/native/test_math.py): at most 2 for exp, exp2, log, log1p, expm1, rsqrt,
cbrt, tanh, logistic, sin, cos, erf, pow of float32; 4 for the others (lgamma, digamma and zeta: above zero; of several
operands see tests/native/test_special_functions.py); round_away, rem and nextafter are exact. Infinities, NaN, signed zeros and
subnormal numbers are handled, in operands and results; nothing is flushed to zero.

There are few branches (`branching.py`), rarely taken: angles beyond 4.8e4 (1e9 in double precision), remainders of quotients
that exceed the mantissa, zeta functions below zero. Nothing calls the system's library, given a processor with fused
multiply-add.

The polynomials are minimax, by Remez's algorithm in 160 bits or more, of the functions, on the ranges and to the
errors that stand beside them; the errors are relative unless it says otherwise.
"""

from . import (
    bessel,
    error_function,
    exponential,
    gamma,
    gamma_ratio,
    incomplete_beta,
    incomplete_gamma,
    inverse_error_function,
    inverse_trigonometric,
    logarithm,
    power,
    rounding,
    trigonometric,
    zeta,
)
from .complex import COMPLEX_TABLE as ELEMENTARY
from .complex_inverse import INVERSE_TABLE

__all__ = ["COMPLEX_TABLE", "TABLE"]

COMPLEX_TABLE = {**ELEMENTARY, **INVERSE_TABLE}
"""By the primitive's name, functions of complex numbers as pairs of real ones."""

TABLE = {
    **exponential.TABLE,
    **logarithm.TABLE,
    **power.TABLE,
    **rounding.TABLE,
    **trigonometric.TABLE,
    **inverse_trigonometric.TABLE,
    **error_function.TABLE,
    **inverse_error_function.TABLE,
    **gamma.TABLE,
    **bessel.TABLE,
    **zeta.TABLE,
    **incomplete_gamma.TABLE,
    **incomplete_beta.TABLE,
    **gamma_ratio.TABLE,
}
