"""Rows of exponentials, logarithms, powers, trigonometric and hyperbolic functions."""

from __future__ import annotations

import numpy as np

from functorch_lite.primitives import elementwise as e

from .elementwise import between, elementwise
from .row import FLOATS, INEXACT, normal

AWAY = between((0.3, 2.0))
INSIDE = between((-0.7, 0.7))

ROWS = [
    elementwise(e.exp, np.exp, INEXACT),
    elementwise(e.exp2, lambda x: np.exp2(x) if x.dtype.kind != "c" else np.exp(x * np.log(2)), INEXACT),
    elementwise(e.expm1, np.expm1, INEXACT),
    elementwise(e.log, np.log, INEXACT, AWAY),
    elementwise(e.log1p, np.log1p, INEXACT, INSIDE),
    elementwise(e.sqrt, np.sqrt, INEXACT, AWAY),
    elementwise(e.rsqrt, lambda x: 1 / np.sqrt(x), INEXACT, AWAY, tolerance=2.0),
    elementwise(e.cbrt, np.cbrt, FLOATS, AWAY, tolerance=2.0),
    elementwise(e.cbrt, np.cbrt, FLOATS, between((-2.0, -0.3)), what="of negative numbers", tolerance=2.0),
    elementwise(e.logistic, lambda x: 1 / (1 + np.exp(-x)), INEXACT, tolerance=2.0),
    elementwise(e.pow_, np.power, INEXACT, between((0.4, 2.0), (-2.0, 2.0)), tolerance=2.0),
    elementwise(e.sin, np.sin, INEXACT),
    elementwise(e.cos, np.cos, INEXACT),
    elementwise(e.tan, np.tan, INEXACT, INSIDE),
    elementwise(e.asin, np.arcsin, INEXACT, INSIDE),
    elementwise(e.acos, np.arccos, INEXACT, INSIDE),
    elementwise(e.atan, np.arctan, INEXACT, INSIDE),
    elementwise(e.sinh, np.sinh, INEXACT),
    elementwise(e.cosh, np.cosh, INEXACT),
    elementwise(e.tanh, np.tanh, INEXACT, INSIDE),
    elementwise(e.asinh, np.arcsinh, INEXACT, INSIDE),
    elementwise(e.acosh, np.arccosh, INEXACT, between((1.2, 4.0)), tolerance=4.0),
    elementwise(e.atanh, np.arctanh, INEXACT, INSIDE, tolerance=2.0),
    elementwise(e.atan2, np.arctan2, FLOATS, normal((2, 3), (2, 3), shift=1.0)),
    elementwise(
        e.atan2,
        lambda x, y: -1j * np.log((y + 1j * x) / np.sqrt(x * x + y * y)),
        ("complex64", "complex128"),
        between((0.5, 1.0), (0.5, 1.0)),
        what="of complex numbers",
        tolerance=2.0,
    ),
]
