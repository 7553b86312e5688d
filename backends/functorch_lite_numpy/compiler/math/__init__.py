"""Mathematical functions as straight vector code: for float32 and float64, scalars and vectors alike.

`TABLE` gives, by the primitive's name, a function (builder, *values) -> value. Errors in units of the last place (measured in
tests/backends/test_native_math.py): at most 2 for exp, log, log1p, expm1, sqrt, rsqrt, tanh, logistic, sin, cos, erf; 4 for
the others. Infinities, NaN, signed zeros and subnormal numbers are handled, in operands and results.
"""

from . import error_function, exponential, inverse_trigonometric, logarithm, power, trigonometric

__all__ = ["TABLE"]

TABLE = {
    **exponential.TABLE,
    **logarithm.TABLE,
    **power.TABLE,
    **trigonometric.TABLE,
    **inverse_trigonometric.TABLE,
    **error_function.TABLE,
}
