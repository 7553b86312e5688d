"""Functions computed in double precision and rounded once: the same bits whoever computes them.

Libraries of mathematics differ in the last bit of a float32 logarithm: NumPy's from one processor to the next, and both from
compiled code. Of a double's last bit a float32 keeps nothing, but in one of some hundred million cases. So samplers give the
same numbers eagerly, compiled and on another machine. In float64 itself they agree within an ulp or two.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import numpy as np

from .. import numpy as fnp
from ..primitives import elementwise as e
from ..promotion import cast

__all__ = ["erf", "erf_inv", "exp", "lgamma", "log", "log1p", "power", "tan"]

_DOUBLE = np.dtype(np.float64)


def _rounded(function: Callable[..., Any]) -> Callable[..., Any]:
    def rounded(*operands: Any) -> Any:
        return cast(function(*(cast(x, _DOUBLE) for x in operands)), operands[0].dtype)

    return rounded


log, log1p, exp, tan = (_rounded(f) for f in (e.log, e.log1p, e.exp, e.tan))
erf, erf_inv, lgamma, power = (_rounded(f) for f in (e.erf, e.erf_inv, e.lgamma, fnp.power))
