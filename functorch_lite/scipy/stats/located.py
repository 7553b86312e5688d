"""What the families' modules share: operands, their standard form, densities that vanish outside of an interval."""

from __future__ import annotations

import math
from collections.abc import Callable
from typing import Any

import numpy as np

from ... import dtypes
from ... import numpy as fnp
from ...arrays import from_host
from ...direct import inexact
from ...errors import DTypeError
from ...promotion import promote

__all__ = ["guarded", "logarithm", "operands", "standard"]


def operands(name: str, *xs: Any) -> list[Any]:
    """Operands of one floating dtype and one shape.

    Raises:
      DTypeError: for complex numbers.
    """
    found = inexact(*promote(name, *xs))
    if dtypes.is_complex(found[0].dtype):
        raise DTypeError(f"{name} is a function of real numbers, got complex ones: pass their real parts.")
    shape = max((x.shape for x in found), key=len)
    return [fnp.broadcast_to(from_host(x) if isinstance(x, np.generic) else x, shape) for x in found]


def standard(name: str, x: Any, *rest: Any) -> list[Any]:
    """Z = (x - loc) / scale, the shapes, and scale; `rest` holds the shapes, then loc and scale."""
    v, *shapes, loc, scale = operands(name, x, *rest)
    return [(v - loc) / scale, *shapes, scale]


def guarded(inside: Any, value: Callable[..., Any], *xs: Any, outside: float = -math.inf, safe: float = 0.5) -> Any:
    """`value(*xs)` where `inside` holds, `outside` elsewhere; derivatives elsewhere are 0, not NaN."""
    first, *rest = xs
    return fnp.where(inside, value(fnp.where(inside, first, safe), *rest), outside)


def logarithm(share: Any, rest: Any) -> Any:
    """The logarithm of a probability; `rest` is what it lacks of 1, whose digits count where that is little."""
    near = rest < 0.5
    return fnp.where(near, fnp.log1p(-fnp.where(near, rest, 0)), fnp.log(fnp.where(near, 1, share)))
