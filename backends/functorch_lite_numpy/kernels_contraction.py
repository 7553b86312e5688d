"""Products of vectors and matrices: `np.dot` at once, where the general way through `tensordot` takes ten times as long."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import numpy as np

from functorch_lite.extend import registry

__all__ = ["FAST"]


def _dot_general(types: Any, params: Any) -> Callable[..., Any]:
    """A kernel for operands of these types."""
    x, y = types
    (xc, yc), (xb, _) = params["dimension_numbers"]
    simple = not xb and len(xc) == 1 and x.ndim <= 2 and y.ndim <= 2 and params.get("preferred") is None
    if not simple or x.dtype.itemsize < 4:  # 16-bit floats add up in 32 bits
        return registry["dot_general"].kernel(np, types, params)
    left, right = xc[0] < x.ndim - 1, yc[0] > 0
    if left:
        return (lambda x, y: np.dot(x.T, y.T)) if right else (lambda x, y: np.dot(x.T, y))
    return (lambda x, y: np.dot(x, y.T)) if right else np.dot


FAST = {"dot_general": _dot_general}
