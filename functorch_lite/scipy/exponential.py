"""The exponential function of matrices, and its derivative."""

from __future__ import annotations

import math
from typing import Any

from .. import numpy as fnp
from ..control.loops import fori_loop
from ..direct import inexact
from ..numpy import linalg as _linalg
from ..numpy.factorisations import matrices
from ..promotion import as_operand
from ..transforms.linear_maps import jvp

__all__ = [
    "expm",
    "expm_frechet",
]


_DEGREE = 13
_PADE = [
    math.factorial(2 * _DEGREE - k)
    * math.factorial(_DEGREE)
    / (math.factorial(2 * _DEGREE) * math.factorial(k))
    / math.factorial(_DEGREE - k)
    for k in range(_DEGREE + 1)
]
"""Coefficients of Padé's approximation q(x) / q(-x) of the exponential function."""
_REACH = 5.37
"""The 1-norm up to which it is exact in double precision."""


def expm(A: Any, *, upper_triangular: bool = False, max_squarings: int = 16) -> Any:
    """The exponential function of matrices, the sum of A^k / k!.

    By Padé's approximation of degree 13 for A / 2^s, squared s times.

    Args:
      A: inexact[..., n, n].
      upper_triangular: taken for JAX's sake.
      max_squarings: a matrix whose norm needs more gives NaN.

    >>> import functorch_lite.numpy as fnp, functorch_lite.scipy.linalg as linalg
    >>> linalg.expm(fnp.array([[0.0, 2.0], [0.0, 0.0]])).round(4).tolist()
    [[1.0, 2.0], [0.0, 1.0]]
    """
    x = matrices("expm", A, square=True)
    size = _linalg.norm(x, 1, axis=(-2, -1))
    steps = fnp.maximum(0, fnp.ceil(fnp.log2(fnp.maximum(size, _REACH) / _REACH)))
    y = x * fnp.astype(fnp.exp2(-steps), x.dtype)[..., None, None]
    one = fnp.eye(x.shape[-1], dtype=x.dtype)
    square = fnp.matmul(y, y)
    odd, even = one * _PADE[-1], one * _PADE[-2]
    for k in range(_DEGREE - 2, 0, -2):
        odd, even = fnp.matmul(square, odd) + one * _PADE[k], fnp.matmul(square, even) + one * _PADE[k - 1]
    odd = fnp.matmul(y, odd)
    out = _linalg.solve(even - odd, even + odd)

    def squared(i: Any, out: Any) -> Any:
        return fnp.where((i < steps)[..., None, None], fnp.matmul(out, out), out)

    turns = fnp.minimum(fnp.max(steps, initial=0), max_squarings)
    out = fori_loop(0, fnp.astype(fnp.nan_to_num(turns), "int32"), squared, out)
    return fnp.where((steps <= max_squarings)[..., None, None], out, fnp.nan)


def expm_frechet(A: Any, E: Any, *, method: str | None = None, compute_expm: bool = True) -> Any:
    """The derivative of `expm` at A along E: (expm(A), derivative), or the derivative alone.

    Args:
      A, E: inexact[..., n, n].
      method: taken for SciPy's sake.
      compute_expm: whether expm(A) is wanted too.
    """
    x, direction = inexact(as_operand(A), as_operand(E))
    value, derivative = jvp(expm, (x,), (direction,))
    return (value, derivative) if compute_expm else derivative
