"""The factorisation that exchanges columns."""

from __future__ import annotations

from typing import Any

import numpy as np

from .. import numpy as fnp
from ..control.loops import fori_loop
from ..primitives import linalg as p
from ..transforms.custom_jvp import stop_gradient
from .operations import dynamic_index_in_dim

__all__ = ["column_order", "pivoted_qr"]


def pivoted_qr(x: Any, full_matrices: bool) -> tuple[Any, Any, Any]:
    """X[..., order] = Q R with the absolute values on R's diagonal descending: Q, R, and the order, int32[..., m]."""
    order = column_order(x)
    q, r = p.qr(fnp.take_along_axis(x, order[..., None, :], -1), full_matrices=full_matrices)
    return q, r, order


def column_order(x: Any) -> Any:
    """The columns as LAPACK's geqp3 exchanges them: the next is the one that is longest across those before it.

    Args:
      x: inexact[..., n, m].

    Returns:
      int32[..., m].
    """
    x = stop_gradient(x)
    *lead, n, m = x.shape
    places = fnp.arange(m, dtype=np.int32)
    order = fnp.broadcast_to(places, (*lead, m))

    def step(i: Any, carry: tuple[Any, Any]) -> tuple[Any, Any]:
        rest, order = carry
        lengths = fnp.linalg.norm(rest, axis=-2)
        longest = fnp.argmax(fnp.where(places < i, -1, lengths), -1, keepdims=True).astype(np.int32)
        exchanged = fnp.where(places == i, longest, fnp.where(places == longest, i, places))
        rest, order = fnp.take_along_axis(rest, exchanged[..., None, :], -1), fnp.take_along_axis(order, exchanged, -1)
        column = dynamic_index_in_dim(rest, i, -1)
        length = fnp.linalg.norm(column, axis=-2, keepdims=True)
        unit = fnp.where(length == 0, 0, column / fnp.where(length == 0, 1, length))
        return rest - unit * fnp.sum(fnp.conj(unit) * rest, -2, keepdims=True), order

    return fori_loop(0, np.int32(min(n, m)), step, (x, order))[1] if x.size else order
