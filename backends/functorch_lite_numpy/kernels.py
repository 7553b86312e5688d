"""Kernels by primitive name, where NumPy has something quicker or more exact than the primitive's general `impl`."""

from __future__ import annotations

from typing import Any

import numpy as np

from . import (
    kernels_contraction,
    kernels_convolution,
    kernels_elementwise,
    kernels_indexing,
    kernels_linalg,
    kernels_random,
    kernels_reduction,
    kernels_sum,
)
from .kernels_elementwise import OPERATORS

__all__ = ["FAST", "OPERATORS", "TABLE"]

TABLE: dict[str, Any] = {
    **kernels_elementwise.TABLE,
    **kernels_linalg.TABLE,
    **kernels_random.TABLE,
}


def _broadcast_in_dim(types: Any, params: Any) -> Any:
    shape, dims = params["shape"], params["dims"]
    if not types[0].shape:
        return lambda x: (
            np.ndarray(shape, x.dtype, np.asarray(x), 0, (0,) * len(shape))
            if x.dtype.kind != "V"
            else np.broadcast_to(x, shape)
        )
    full = [1] * len(shape)
    for n, d in zip(types[0].shape, dims, strict=True):
        full[d] = n
    return lambda x: np.broadcast_to(x.reshape(full), shape)


def _transpose(types: Any, params: Any) -> Any:
    permutation = params["permutation"]
    return lambda x: x.transpose(permutation)


def _reshape(types: Any, params: Any) -> Any:
    shape = params["shape"]
    return lambda x: x.reshape(shape)


FAST: dict[str, Any] = {
    **kernels_elementwise.FAST,
    "broadcast_in_dim": _broadcast_in_dim,
    "reduce_sum": kernels_sum.reduce_sum,
    "reshape": _reshape,
    "transpose": _transpose,
    **kernels_contraction.FAST,
    **kernels_convolution.FAST,
    **kernels_indexing.FAST,
    **kernels_random.FAST,
    **kernels_reduction.FAST,
}
"""(operand types, params) -> a kernel made for them."""
