"""Kernels by primitive name, where NumPy has something quicker or more exact than the primitive's general `impl`."""

from __future__ import annotations

import operator
from typing import Any

import numpy as np

from . import kernels_indexing, kernels_random

__all__ = ["FAST", "OPERATORS", "TABLE"]

OPERATORS: dict[str, Any] = {
    "add": operator.add,
    "sub": operator.sub,
    "mul": operator.mul,
    "div": operator.truediv,
    "neg": operator.neg,
}
"""For real floating operands: Python's operators, ten times quicker than the ufuncs on scalars."""


def mul_strong(x: Any, y: Any) -> Any:
    """x * y, zero where x is."""
    return np.where(x == 0, x.dtype.type(0), x * y)[()]


def div_strong(x: Any, y: Any) -> Any:
    """x / y, zero where x is."""
    return np.where(x == 0, x.dtype.type(0), x / y)[()]


def complex_(x: Any, y: Any) -> Any:
    """x + iy, exact also where a part is infinite."""
    out = np.empty(np.broadcast(x, y).shape, np.result_type(x.dtype, np.complex64))
    out.real = x
    out.imag = y
    return out[()]


TABLE: dict[str, Any] = {
    "div_strong": div_strong,
    "mul_strong": mul_strong,
    "complex": complex_,
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


def _reduce_sum(types: Any, params: Any) -> Any:
    axes, dtype = params["axes"], types[0].dtype
    if dtype.kind == "f" and dtype.itemsize == 2 or dtype.kind == "V":
        return lambda x: np.add.reduce(x, axes, np.float32).astype(dtype)
    return lambda x: np.add.reduce(x, axes, dtype)


def _transpose(types: Any, params: Any) -> Any:
    permutation = params["permutation"]
    return lambda x: x.transpose(permutation)


def _reshape(types: Any, params: Any) -> Any:
    shape = params["shape"]
    return lambda x: x.reshape(shape)


FAST: dict[str, Any] = {
    "broadcast_in_dim": _broadcast_in_dim,
    "reduce_sum": _reduce_sum,
    "reshape": _reshape,
    "transpose": _transpose,
    **kernels_indexing.FAST,
}
"""(operand types, params) -> a kernel made for them."""
