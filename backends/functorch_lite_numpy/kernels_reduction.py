"""Reductions and cumulative operations by the ufuncs' own methods, and sorts of one operand."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import numpy as np

from functorch_lite.extend import kind, registry

__all__ = ["FAST"]

Make = Callable[[Any, Any], Callable[..., Any]]


def _narrow(dtype: np.dtype) -> bool:
    return dtype.itemsize == 2 and kind(dtype) == "f"


def _widened(run: Callable[[Any], Any], dtype: np.dtype) -> Callable[[Any], Any]:
    """`run` for operands of the dtype; 16-bit floats are computed in 32 bits and rounded once."""
    return (lambda x: run(x.astype(np.float32)).astype(dtype)) if _narrow(dtype) else run


def _reduction(ufunc: np.ufunc) -> Make:
    def make(types: Any, params: Any) -> Callable[..., Any]:
        axes, dtype = params["axes"], types[0].dtype
        if ufunc is np.multiply:  # NumPy would take wider integers
            return _widened(lambda x: np.multiply.reduce(x, axes, x.dtype), dtype)
        return lambda x: ufunc.reduce(x, axes)

    return make


def _arg(method: str) -> Make:
    def make(types: Any, params: Any) -> Callable[..., Any]:
        axis, dtype = params["axis"], params["index_dtype"]
        return lambda x: getattr(x, method)(axis).astype(dtype)

    return make


def _cumulative(ufunc: np.ufunc) -> Make:
    def make(types: Any, params: Any) -> Callable[..., Any]:
        axis, dtype = params["axis"], types[0].dtype
        if not params["reverse"]:
            return _widened(lambda x: ufunc.accumulate(x, axis, x.dtype), dtype)
        turned = (*(slice(None),) * axis, slice(None, None, -1))
        return _widened(lambda x: ufunc.accumulate(x[turned], axis, x.dtype)[turned], dtype)

    return make


def _sort(types: Any, params: Any) -> Callable[..., Any]:
    """One operand needs no positions; and no stable sort, unless there are zeros of both signs."""
    axis, of = params["dimension"], kind(types[0].dtype)
    if len(types) > 1 or of == "c" or types[0].dtype.kind == "V":
        return registry["sort"].kernel(np, types, params)
    if of != "f" or not params["is_stable"]:
        return lambda x: (np.sort(x, axis),)

    def of_floats(x: Any) -> Any:
        out = np.sort(x, axis)
        if not (out == 0).any():
            return (out,)
        negative = np.signbit(x[x == 0])  # NumPy's vector code may have changed the signs in `out`
        return (np.sort(x, axis, kind="stable") if negative.any() and not negative.all() else out,)

    return of_floats


def _top_k(types: Any, params: Any) -> Callable[..., Any]:
    """Few of many by partition, which does not say which of equal elements come first: if that matters, by sorting."""
    k, n, dtype = params["k"], types[0].shape[-1], types[0].dtype
    general = registry["top_k"].kernel(np, types, params)
    place = registry["top_k"].infer(*types, **params)[1].dtype
    if not 0 < 8 * k <= n or kind(dtype) == "b" or dtype.kind == "V":
        return general

    def kernel(x: Any) -> Any:
        order = np.sort(np.argpartition(x, n - k, -1)[..., n - k :], -1)
        values = np.take_along_axis(x, order, -1)
        least = values.min(-1, keepdims=True)  # NaN, if there is one
        if not np.array_equal((x >= least).sum(-1), np.full(x.shape[:-1], k)):
            return general(x)
        descending = k - 1 - np.argsort(values[..., ::-1], -1, kind="stable")[..., ::-1]
        order = np.take_along_axis(order, descending, -1)
        return np.take_along_axis(x, order, -1), order.astype(place)

    return kernel


FAST: dict[str, Make] = {
    "argmax": _arg("argmax"),
    "argmin": _arg("argmin"),
    "cumlogsumexp": _cumulative(np.logaddexp),
    "cummax": _cumulative(np.maximum),
    "cummin": _cumulative(np.minimum),
    "cumprod": _cumulative(np.multiply),
    "cumsum": _cumulative(np.add),
    "reduce_and": _reduction(np.bitwise_and),
    "reduce_max": _reduction(np.maximum),
    "reduce_min": _reduction(np.minimum),
    "reduce_or": _reduction(np.bitwise_or),
    "reduce_prod": _reduction(np.multiply),
    "reduce_xor": _reduction(np.bitwise_xor),
    "sort": _sort,
    "top_k": _top_k,
}
