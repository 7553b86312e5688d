"""Gauss's elimination with row exchanges on stacks of matrices, over any namespace that keeps to the array API."""

from __future__ import annotations

from typing import Any

from .. import dtypes

__all__ = ["eliminated"]


def eliminated(xp: Any, x: Any) -> tuple[Any, Any, Any]:
    """L and U in one matrix, the pivots, the permutation: what the primitive `lu` gives.

    A step for each column, on all matrices together: good for many small ones, or where there is no LAPACK.

    Args:
      xp: the namespace.
      x: floating or complex [..., n, m].
    """
    *lead, n, m = x.shape
    rows = xp.reshape(xp.arange(n, dtype=xp.int32), (n,))
    places = xp.broadcast_to(rows, (*lead, n))
    pivots = []
    for k in range(min(n, m)):
        chosen = _largest(xp, x[..., k:, k]) + k
        order = xp.where(rows == k, chosen, xp.where(rows == chosen, xp.asarray(k, dtype=xp.int32), rows))
        order = xp.astype(order, xp.int64)
        places = xp.take_along_axis(places, order, axis=-1)
        x = xp.take_along_axis(x, xp.broadcast_to(order[..., None], (*lead, n, m)), axis=-2)
        pivots.append(chosen)
        pivot = x[..., k, k][..., None]
        column = xp.where(rows > k, x[..., :, k], xp.zeros_like(x[..., :, k]))
        singular = pivot == 0
        factors = xp.where(singular, column, column / xp.where(singular, xp.ones_like(pivot), pivot))
        row = xp.where(xp.arange(m) > k, x[..., k, :], xp.zeros_like(x[..., k, :]))
        x = x - factors[..., :, None] * row[..., None, :]
        below = (rows > k)[:, None] & (xp.arange(m) == k)[None, :]
        x = xp.where(below, factors[..., :, None], x)
    done = xp.concat(pivots, axis=-1) if pivots else xp.zeros((*lead, 0), dtype=xp.int32)
    return x, xp.astype(done, xp.int32), places


def _largest(xp: Any, column: Any) -> Any:
    """The place of the largest number by LAPACK's measure, as int32[..., 1]."""
    complex_ = dtypes.is_complex(column.dtype)
    size = xp.abs(xp.real(column)) + xp.abs(xp.imag(column)) if complex_ else xp.abs(column)
    return xp.astype(xp.argmax(size, axis=-1, keepdims=True), xp.int32)
