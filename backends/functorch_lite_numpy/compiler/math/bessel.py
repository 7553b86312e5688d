"""The modified Bessel functions of the first kind of orders 0 and 1, times exp(-|x|).

Up to 8 by their power series, whose terms are all positive; beyond, a polynomial in 1 / x. Of float32 it is done in double
precision, with fewer terms, and up to 8 by a polynomial that has the exponential in it.
"""

from __future__ import annotations

import math
from typing import Any

from .exponential import exp
from .gamma import in_double_precision
from .vector import Vector

__all__ = ["TABLE"]

# exp(-x) I(x) sqrt(x) in 16 / x - 1 for x >= 8, by interpolation at Chebyshev's points: 2^-34 and 2^-57.
I0E32 = (
    0.4021765094304104, 0.0033605519772923567, 0.0001362168064095406, 1.114335783616667e-05, 1.4779039317130925e-06,
    2.9454355258644655e-07, 1.0581912143444269e-07, 4.87052699324228e-08, 1.4299052612198226e-09,
    -7.604476628119482e-09,
)  # fmt: skip
I0E64 = (
    0.4021765094450081, 0.0033605519836678944, 0.00013621607439186705, 1.1143033787545386e-05,
    1.4838475687894938e-06, 2.9735996224521226e-07, 8.872214307451732e-08, 3.932437699533459e-08,
    2.15488936175863e-08, 7.566352487698237e-09, -6.750552282740284e-09, -1.346629294837396e-08,
    -5.394456734259438e-09, 7.737147033780934e-09, 7.406235049001522e-09, -3.905230623712341e-09,
    -5.91556056510856e-09, 2.1053080134403423e-09, 3.5985362919394714e-09, -1.1448789558755036e-09,
    -1.5930354799216344e-09, 5.122212147228388e-10, 4.4789181847911815e-10, -1.5066113686101474e-10,
    -5.905024573995148e-11, 2.0820835852793106e-11,
)  # fmt: skip
I1E32 = (
    0.3893984590413705, -0.00974957718622692, -0.00021923654075302202, -1.5038903140823282e-05,
    -1.8286126404951484e-06, -3.4530445206404697e-07, -1.180581934125939e-07, -5.331069808950009e-08,
    -2.3366532025618313e-09, 7.805544285716195e-09,
)  # fmt: skip
I1E64 = (
    0.38939845902587233, -0.009749577193235768, -0.00021923576383382282, -1.5038547197358572e-05,
    -1.8349101357991557e-06, -3.4838567401229716e-07, -1.0001282610189342e-07, -4.312778920167609e-08,
    -2.337446787242448e-08, -8.43880090582137e-09, 6.737493433374833e-09, 1.408852075202545e-08,
    5.963645798166707e-09, -7.816968266767898e-09, -7.863004697555056e-09, 3.803814960536081e-09,
    6.202984113000443e-09, -1.992076551203188e-09, -3.75344338735913e-09, 1.0715528639398075e-09,
    1.657764699456319e-09, -4.798751536934023e-10, -4.6561597954216946e-10, 1.417650842869536e-10,
    6.135932778393812e-11, -1.9677083272584384e-11,
)  # fmt: skip
# exp(-x) I0(x) and exp(-x) I1(x) / x in x / 4 - 1, up to 8, likewise: 2^-33.
NEAR0 = (
    0.2070019212239867, -0.11300432654348828, 0.09451562842516041, -0.08904346645630873, 0.08734342458197082,
    -0.08496284076533661, 0.07927504492355045, -0.06954651412975588, 0.056778814790985566, -0.04295725075501792,
    0.030168286136064423, -0.019775351506074058, 0.01199119818260163, -0.006605936634764051,
    0.0035544414024135983, -0.0020461388965098723, 0.0009352321298116495, -0.00020636329707506994,
    0.00010271931878805943, -0.00013592006898095621, 4.9179807024730725e-05,
)  # fmt: skip
NEAR1 = (
    0.044687709875608835, -0.06112433799007499, 0.06805759989689755, -0.0684826091053086, 0.06376740463728496,
    -0.055279976798581335, 0.044674552725048805, -0.03367197055283874, 0.023686213041875678,
    -0.0155679877622009, 0.009582902619497388, -0.00554530937067591, 0.0030091916424835638,
    -0.0015172283196528769, 0.0007375935634886747, -0.0003684467431909782, 0.00015715397534503563,
    -4.077280388096948e-05, 1.7599730578225902e-05, -1.745472071400764e-05, 5.984122024648426e-06,
)  # fmt: skip
FAR = {(0, False): I0E32, (0, True): I0E64, (1, False): I1E32, (1, True): I1E64}
TERMS = 24
"""Of the power series: what is left out at 8 is below 2^-62."""
LARGE = 8.0


def _near(v: Vector, x: Any, order: int) -> Any:
    """Of 0 <= x <= 8 to the accuracy of float32."""
    t = v.fma(x, v.const(2 / LARGE), v.const(-1.0))
    near = v.polynomial(t, NEAR1 if order else NEAR0)
    return v.mul(near, x) if order else near


def _near_precisely(v: Vector, x: Any, order: int) -> Any:
    square = v.mul(x, x)
    missing = v.fma(x, x, v.neg(square))
    z = v.mul(square, v.const(0.25))
    near = v.horner(z, [1 / (math.factorial(k) * math.factorial(k + order)) for k in range(TERMS)])
    # What x^2 lost by rounding, times the derivative of the series' logarithm, which is about 1 / sqrt(z + 1).
    slope = v.div(v.const(0.25), v.sqrt(v.add(z, v.const(4.0 if order else 1.0))))
    near = v.fma(near, v.mul(missing, slope), near)
    if order:
        near = v.mul(near, v.mul(x, v.const(0.5)))
    return v.mul(near, exp(v.b, v.neg(x)))


def _scaled(v: Vector, x: Any, precise: bool, order: int) -> Any:
    a = v.abs(x)
    near = (_near_precisely if precise else _near)(v, v.at_most(a, LARGE), order)
    many = v.at_least(a, LARGE)
    t = v.sub(v.div(v.const(2 * LARGE), many), v.const(1.0))
    far = v.polynomial(t, FAR[order, precise])
    out = v.select(v.greater(a, v.const(LARGE)), v.div(far, v.sqrt(many)), near)
    out = v.with_sign_of(out, x) if order else out
    return v.select(v.is_nan(x), x, out)


TABLE = {
    "bessel_i0e": in_double_precision(lambda v, x, precise: _scaled(v, x, precise, 0)),
    "bessel_i1e": in_double_precision(lambda v, x, precise: _scaled(v, x, precise, 1)),
}
