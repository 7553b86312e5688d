"""Functions that give the same bits eagerly and compiled, so that samplers do.

Libraries of mathematics differ in the last bit of a float32 logarithm: NumPy's from one processor to the next, and both from
compiled code. Of a double's last bit a float32 keeps nothing, but in one of some hundred million cases; so up to float32
functions of an element are computed in double precision and rounded once. Float64 itself, sums and linear algebra are done
by the kernels of eager mode wherever they stand.
"""

from __future__ import annotations

import functools
from collections.abc import Callable
from typing import Any

import numpy as np

from .. import numpy as fnp
from ..arrays import eager
from ..primitives import elementwise as e
from ..promotion import cast
from ..tracing import context
from ..transforms.jit import jit

__all__ = ["erf", "erf_inv", "exactly", "exp", "lgamma", "log", "log1p", "power", "sum_last", "tan"]

_DOUBLE = np.dtype(np.float64)


def exactly(function: Callable[..., Any]) -> Callable[..., Any]:
    """The function by the kernels of eager mode, in a compiled program too; it takes arrays alone."""
    staged = jit(function, exact=True)

    @functools.wraps(function)
    def exact(*operands: Any) -> Any:
        return (function if context.trace is eager else staged)(*operands)

    return exact


def _rounded(function: Callable[..., Any]) -> Callable[..., Any]:
    exact = exactly(function)

    def rounded(*operands: Any) -> Any:
        dtype = operands[0].dtype
        if dtype == _DOUBLE:
            return exact(*operands)
        return cast(function(*(cast(x, _DOUBLE) for x in operands)), dtype)

    return rounded


log, log1p, exp, tan = (_rounded(f) for f in (e.log, e.log1p, e.exp, e.tan))
erf, erf_inv, lgamma, power = (_rounded(f) for f in (e.erf, e.erf_inv, e.lgamma, fnp.power))


@exactly
def sum_last(x: Any) -> Any:
    """The sum along the last axis."""
    return fnp.sum(x, axis=-1)
