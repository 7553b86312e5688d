"""Diagonals of matrices: taken, made, summed."""

from __future__ import annotations

from typing import Any

import numpy as np

from ..errors import ShapeError
from ..indexing import getitem
from ..promotion import as_operand
from .axes import axis_of, integer
from .creation import filled
from .operands import no_out
from .reductions import sum as sum_
from .shaping import moveaxis, ravel

__all__ = [
    "diag",
    "diagflat",
    "diagonal",
    "trace",
]


def diagonal(a: Any, offset: int = 0, axis1: int = 0, axis2: int = 1) -> Any:
    """The diagonals of matrices, along a new last axis.

    Args:
      a: an array with at least two axes.
      offset: which diagonal; positive: above the main one.
      axis1, axis2: the axes of rows and of columns.
    """
    x = as_operand(a)
    if x.ndim < 2:
        raise ShapeError(f"diagonal needs at least 2 axes, got {x.type}.")
    x = moveaxis(x, (axis_of("diagonal", axis1, x.ndim), axis_of("diagonal", axis2, x.ndim)), (x.ndim - 2, x.ndim - 1))
    k = integer("diagonal", "offset", offset)
    rows, columns = x.shape[-2:]
    n = max(0, min(rows + min(k, 0), columns - max(k, 0)))
    i = np.arange(n)
    return getitem(x, (Ellipsis, i + max(-k, 0), i + max(k, 0)))


def trace(a: Any, offset: int = 0, axis1: int = 0, axis2: int = 1, dtype: Any = None, out: None = None) -> Any:
    """The sum of a diagonal; arguments as of `diagonal` and `sum`."""
    no_out("trace", out)
    return sum_(diagonal(a, offset, axis1, axis2), -1, dtype)


def diag(v: Any, k: int = 0) -> Any:
    """The matrix with a vector on diagonal `k`; or the diagonal `k` of a matrix."""
    x = as_operand(v)
    if x.ndim == 2:
        return diagonal(x, k)
    if x.ndim != 1:
        raise ShapeError(f"diag needs a vector or a matrix, got {x.type}.")
    k = integer("diag", "k", k)
    n = x.shape[0] + abs(k)
    i = np.arange(x.shape[0])
    return filled(0, (n, n), x.dtype).at[i + max(-k, 0), i + max(k, 0)].set(x)


def diagflat(v: Any, k: int = 0) -> Any:
    """The matrix with all elements of an array on diagonal `k`."""
    return diag(ravel(v), k)
