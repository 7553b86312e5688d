"""erf and erfc.

Of |x| < 1: x + x times a minimax polynomial (Remez) of erf(x) / x - 1 in x^2. Beyond, on [1, 4], a polynomial of erf in
(2 |x| - 5) / 3, by interpolation at Chebyshev's points (2^-26); in double precision 1 - exp(-Q(|x|)), where Q approximates
-log(erfc) on [1, 6] to the accuracy that 1 - erfc needs. erfc of x > 0.5 is
exp(-x^2) S(p) / (1 + 2 x), p = (x - 2) / (x + 2), with the square in two parts.
"""

from __future__ import annotations

from typing import Any

from .exponential import EXP32, EXP64, exp_moderate, parts
from .vector import Vector

__all__ = ["TABLE", "scaled_erfc"]

SMALL32 = (
    0.12837916706315908, -0.376126384838165, 0.11283782747307264, -0.026865445827310094, 0.005221074894045103,
    -0.0008484711674057049, 0.00011270546083773074, -9.680140872389878e-06,
)  # fmt: skip
SMALL64 = (
    0.1283791670955126, -0.37612638903183754, 0.1128379167095512, -0.026866170645129868, 0.005223977625423609,
    -0.0008548327021955959, 0.00012055332903810164, -1.4925647594438514e-05, 1.6462045979588596e-06,
    -1.6364649540901175e-07, 1.4792469569931715e-08, -1.2164968299530404e-09, 8.710464642769984e-11,
    -4.2331290466051114e-12,
)  # fmt: skip
LARGE32 = (
    0.999593047982555, 0.003267270355306891, -0.012252830409892758, 0.028187406266242877, -0.0436514785727652,
    0.04638958373278701, -0.03186845073341878, 0.00957930563355203, 0.006637864138699411, -0.010411845236463657,
    0.0046670288066926685, 0.0015429110747725804, -0.002032798774481577, 9.497238351300817e-05,
    0.00025800609880068196,
)  # fmt: skip
LARGE64 = (
    -4.570809170047263e-08, 1.1283797220518037, 0.6366165800104332, 0.10278418121152479, -0.019158163329720167,
    -0.00015176928887243943, 0.0016094455137619648, -0.00048512779919209013, -7.74877860533212e-05,
    0.00014798357412135833, -8.515654139029454e-05, 3.3450507162774715e-05, -1.0165297564018786e-05,
    2.4889806433978793e-06, -4.978388492799164e-07, 8.142525996731229e-08, -1.0809784511978885e-08,
    1.1474519414849802e-09, -9.506250886258979e-11, 5.918623489683346e-12, -2.602427347986699e-13,
    7.197650980077479e-15, -9.407107536955281e-17,
)  # fmt: skip
# S on [0, 10.2] and [0, 27.3]: 2^-26 and 2^-54.
ERFC32 = (
    1.276978391720779, -0.09276389021980103, -0.16603134648644705, 0.16405297781506029, -0.05420525730311747,
    -0.008043216225425455, 0.008639036682022443, 0.0012693876214237068, -0.0012555431098148014,
    -0.00036065527191491613, 2.933340875787501e-05,
)  # fmt: skip
ERFC64 = (
    1.2769783815525289, -0.09276382658574638, -0.16603039761531224, 0.16405128003348615, -0.05422000099063111,
    -0.008034015083894964, 0.008722653841610136, 0.001271338987057264, -0.001456813516169421, -0.00045434098082320815,
    0.00020636396825860276, 0.00015103966022208843, -1.4942020956120557e-06, -3.6423216304033814e-05,
    -1.354312022678194e-05, 3.7037439434853584e-06, 5.3327528918833905e-06, 1.531343203917709e-06,
    -8.534247496177089e-07, -8.905479987622722e-07, -1.1480390263008697e-07, 2.0449612752794065e-07,
    8.018834847362458e-08, -1.8293641313830104e-08, -1.1074918758694937e-08,
)  # fmt: skip


def _inside(v: Vector, x: Any) -> Any:
    return v.fma(x, v.polynomial(v.mul(x, x), v.pick(SMALL32, SMALL64)), x)


def erf(b: Any, x: Any) -> Any:
    v = Vector(b, x)
    a = v.abs(x)
    if v.double:
        outside = v.sub(v.const(1.0), exp_moderate(v, v.neg(v.polynomial(v.clamp(a, 1.0, 6.0), LARGE64))))
    else:
        outside = v.polynomial(v.fma(a, v.const(2 / 3), v.const(-5 / 3)), LARGE32)
        outside = v.select(v.greater(a, v.const(3.92)), v.const(1.0), outside)
    return v.select(v.less(a, v.const(1.0)), _inside(v, x), v.with_sign_of(outside, x))


def scaled_erfc(v: Vector, x: Any) -> Any:
    """exp(x^2) erfc(x) for 0 <= x <= 10.2 (27.3 in double precision); what is larger is taken for that."""
    two = v.const(2.0)
    x = v.at_most(x, v.pick(10.2, 27.3))
    p = v.div(v.sub(x, two), v.add(x, two))
    return v.div(v.polynomial(p, v.pick(ERFC32, ERFC64)), v.fma(x, two, v.const(1.0)))


def erfc(b: Any, x: Any) -> Any:
    v = Vector(b, x)
    one, two = v.const(1.0), v.const(2.0)
    a = v.at_most(v.abs(x), v.pick(10.2, 27.3))
    square = v.mul(a, a)
    n, s = parts(v, v.neg(square), v.pick(EXP32, EXP64), low=v.neg(v.fma(a, a, v.neg(square))))
    factor = scaled_erfc(v, a)
    tail = v.scaled(v.fma(factor, s, factor), n)
    out = v.select(v.less(x, v.const(0.0)), v.sub(two, tail), tail)
    return v.select(v.less(a, v.const(0.5)), v.sub(one, _inside(v, x)), out)


TABLE = {"erf": erf, "erfc": erfc}
