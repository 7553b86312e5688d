"""erf_inv.

With w = -log(1 - x^2), erf_inv(x) / x is a polynomial (Remez) in w - a near the middle, in sqrt(w) - a further out:
the shape of M. Giles, "Approximating the erfinv function" (2010), fitted anew, for the ranges that each precision
has. Where a polynomial begins, two numbers stand for the first coefficient.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from .logarithm import of_parts, split
from .vector import Vector

__all__ = ["TABLE"]

# In w - 2.5 up to w = 5, and in sqrt(w) - 3 up to w = 16: 2^-27.
CENTRE32 = (
    1.5014094114303589, -5.214804200060782e-08, 0.2466402861551334, -0.004177386780262967, -0.0012527418827847385,
    0.0002183444386644381, -4.963345163344226e-06, -3.462704544194612e-06, 4.661700656174056e-07,
    2.3232626124197976e-08, -8.79101277088445e-09,
)  # fmt: skip
TAIL32 = (
    2.832976818084717, -2.205420342160596e-08, 1.0016750741504024, 0.009445655296795892, -0.007639174532933928,
    0.005683475157613523, -0.003588180605118976, 0.0014949436806630174, -7.432975429185386e-05,
    -0.00031791122464421527, 0.00012745147053255023,
)  # fmt: skip
# In w - 3.125 up to w = 6.25, in sqrt(w) - 3.25 up to w = 16, in sqrt(w) - 5 up to w = 36: 2^-55.
CENTRE64 = (
    1.6536545626831027, 6.715850255983175e-18, 0.24015818242558826, -0.006033670871427754, -0.000740702534153955,
    0.00018673420802425663, -1.3882523395791368e-05, -1.365469184435244e-06, 4.234788190774864e-07,
    -2.9070382774527e-08, -4.112661977760671e-09, 1.0512183982503975e-09, -5.4142389971332935e-11,
    -1.2976958238079698e-11, 2.6303545761042455e-12, -8.117009416738869e-14, -3.998977978122775e-14,
    6.5947006593766314e-15, -4.2865386377554444e-17, -1.3003910463744108e-16, 1.5759758650314522e-17,
    1.144412325395095e-18, -3.575489558391693e-19, -1.0090825839360439e-21, 3.3757328014519464e-21,
)  # fmt: skip
MIDDLE64 = (
    3.0838856104922208, -1.3141363628825878e-16, 1.0052589676941657, 0.005370914553570911, -0.003751208508262949,
    0.002491442097018259, -0.0016882755342517285, 0.0009532893630764235, -0.0003550378308282612,
    2.4031263121961903e-05, 6.828724879973002e-05, -4.731901551484091e-05, 1.2464433134274657e-05,
    2.925823981889751e-06, -3.984077306464885e-06, 1.498546292819548e-06, -3.0265832023395084e-08,
    -2.7118687547515004e-07, 1.3394217567246827e-07, 6.343778362725914e-10, -1.6187391293389684e-08,
)  # fmt: skip
TAIL64 = (
    4.849906401408584, -2.444719781465588e-16, 1.0103004648645462, -0.00013871931835357003, -0.0002150301198613247,
    7.5995277390118e-05, -1.9681770256462362e-05, 4.526059747628524e-06, -9.930320324092217e-07,
    2.2901589795326828e-07, -6.754779965788966e-08, 2.9124572416594352e-08, -1.527019332157806e-08,
    7.643049609449052e-09, -3.4558133806938606e-09, 1.4909971118113203e-09, -4.459961798742361e-10,
    -2.2986070378585854e-11, 4.4752233941541994e-11,
)  # fmt: skip


def erf_inv(b: Any, x: Any) -> Any:
    v = Vector(b, x)
    w = _minus_log_one_less_square(v, x)
    root = v.sqrt(w)
    if v.double:
        tail = _either(v, v.less(root, v.const(4.0)), _piece(v, root, 3.25, MIDDLE64), _piece(v, root, 5.0, TAIL64))
    else:
        tail = _piece(v, root, 3.0, TAIL32)
    centre = _piece(v, w, v.pick(2.5, 3.125), v.pick(CENTRE32, CENTRE64))
    base, more = _either(v, v.less(w, v.const(v.pick(5.0, 6.25))), centre, tail)
    factor = v.add(base, more)
    out = v.fma(x, factor, v.mul(x, v.add(v.sub(base, factor), more)))
    size, one = v.abs(x), v.const(1.0)
    out = v.select(v.less(size, one), out, v.const(float("inf")))
    return v.select(b.fcmp_unordered(">", size, one), v.const(float("nan")), v.with_sign_of(out, x))


def _piece(v: Vector, x: Any, about: float, coefficients: Sequence[float]) -> tuple[Any, Any]:
    """A polynomial as a sum of its first coefficient and the rest."""
    high, low, *others = coefficients
    t = v.sub(x, v.const(about))
    return v.const(high), v.fma(t, v.polynomial(t, others), v.const(low))


def _either(v: Vector, mask: Any, x: tuple[Any, Any], y: tuple[Any, Any]) -> tuple[Any, Any]:
    return v.select(mask, x[0], y[0]), v.select(mask, x[1], y[1])


def _minus_log_one_less_square(v: Vector, x: Any) -> Any:
    """-log(1 - x^2), of the number as rounded, and what was lost over it."""
    one = v.const(1.0)
    square = v.mul(x, x)
    first = v.sub(one, square)
    rest = v.sub(v.sub(v.sub(one, first), square), v.fma(x, x, v.neg(square)))
    left = v.add(first, rest)
    lost = v.add(v.sub(first, left), rest)
    e, f = split(v, left)
    return v.neg(of_parts(v, e, f, v.div(lost, left)))


TABLE = {"erf_inv": erf_inv}
