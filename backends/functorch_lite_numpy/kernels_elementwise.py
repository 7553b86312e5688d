"""Elementwise kernels that NumPy does quicker, or more exactly, than the primitives' general `impl`."""

from __future__ import annotations

import operator
from collections.abc import Callable
from types import SimpleNamespace
from typing import Any

import numpy as np

from functorch_lite.extend import kind, registry

__all__ = ["FAST", "OPERATORS", "TABLE"]

Kernel = Callable[..., Any]

OPERATORS: dict[str, Kernel] = {
    "add": operator.add,
    "sub": operator.sub,
    "mul": operator.mul,
    "div": operator.truediv,
    "neg": operator.neg,
}
"""For real floating operands: Python's operators, ten times quicker than the ufuncs on scalars."""

_SMALL = 512  # elements; up to here, counting them costs less than masking


def _strong(combine: Kernel) -> Callable[[Any, Any], Kernel]:
    """`combine` (x, y), zero where x is: made for operands of given types."""

    def make(types: Any, params: Any) -> Kernel:
        x, y = types
        zero = np.zeros((), x.dtype)
        scalar_zero = x.dtype.type(0)
        shape = x.shape or y.shape

        def of_scalars(x: Any, y: Any) -> Any:
            return combine(x, y) if x else scalar_zero

        def by_scalar(x: Any, y: Any) -> Any:
            return combine(x, y) if x else np.zeros(shape, zero.dtype)

        def of_few(x: Any, y: Any) -> Any:
            out = combine(x, y)
            if np.count_nonzero(x) != out.size:
                np.copyto(out, zero, where=np.equal(x, zero))
            return out

        def of_many(x: Any, y: Any) -> Any:
            out = combine(x, y)
            np.copyto(out, zero, where=np.equal(x, zero))
            return out

        if not shape:
            return of_scalars
        if not x.shape:
            return by_scalar
        return of_few if all(type(n) is int for n in shape) and x.size <= _SMALL else of_many

    return make


def _complex(types: Any, params: Any) -> Kernel:
    """X + iy, exact also where a part is infinite."""
    x, y = types
    dtype = np.dtype(np.complex128 if x.dtype.itemsize == 8 else np.complex64)
    if not x.shape and not y.shape:
        return lambda x, y: dtype.type(complex(x, y))
    first = bool(x.shape)

    def kernel(x: Any, y: Any) -> Any:
        out = np.empty(x.shape if first else y.shape, dtype)
        out.real = x
        out.imag = y
        return out

    return kernel


def _convert(types: Any, params: Any) -> Kernel:
    """A cast; from floats to integers saturating, NaN to 0."""
    source, dtype = types[0].dtype, params["dtype"]
    if kind(source) == "c" and kind(dtype) != "c":
        if kind(dtype) == "b":
            return lambda x: x != 0
        inner = _cast(np.zeros((), source).real.dtype, dtype)
        return lambda x: inner(x.real)
    return _cast(source, dtype)


def _cast(source: Any, dtype: Any) -> Kernel:
    if kind(source) != "f" or kind(dtype) not in "iu":
        return lambda x: x.astype(dtype)
    info = np.iinfo(dtype)
    wide = np.dtype(np.float32) if source.itemsize == 2 else source
    low, beyond = wide.type(info.min), wide.type(2.0 ** (info.bits - (info.min < 0)))

    def kernel(x: Any) -> Any:
        x = x.astype(wide, copy=False)
        inside = (x >= low) & (x < beyond)
        if inside.all():
            return x.astype(dtype)
        out = np.where(inside, x, 0).astype(dtype)
        out = np.where(x < low, dtype.type(info.min), out)
        return np.where(x >= beyond, dtype.type(info.max), out)[()]

    return kernel


def _population_count(types: Any, params: Any) -> Kernel:
    dtype = types[0].dtype
    unsigned = np.dtype(f"u{dtype.itemsize}")
    return lambda x: np.bitwise_count(x.view(unsigned)).astype(dtype)


def _shift_right(sign: str) -> Callable[[Any, Any], Kernel]:
    """Shift as integers with a sign ("i") or without ("u"); NumPy defines shifts by the width and more as we do."""

    def make(types: Any, params: Any) -> Kernel:
        dtype = types[0].dtype
        if dtype.kind == sign:
            return np.right_shift
        other = np.dtype(f"{sign}{dtype.itemsize}")
        return lambda x, n: np.right_shift(x.view(other), n.view(other)).view(dtype)

    return make


def _rem(types: Any, params: Any) -> Kernel:
    """The sign is the dividend's; of integers, the remainder by zero is the dividend."""
    if kind(types[0].dtype) in "iu":
        return lambda x, y: np.where(y == 0, x, np.fmod(x, y))[()]
    return registry["rem"].kernel(np, types, params)


def _exp2(types: Any, params: Any) -> Kernel:
    """Of complex numbers by NumPy: each part by itself is multiplied with log 2, so that 0 stays 0 beside infinity."""
    return np.exp2 if kind(types[0].dtype) == "c" else registry["exp2"].kernel(np, types, params)


def _expm1(types: Any, params: Any) -> Kernel:
    """Of a large number with imaginary part 0, NumPy's imaginary part is inf * 0; of infinite ones, both parts are NaN."""
    if kind(types[0].dtype) != "c":
        return registry["expm1"].kernel(np, types, params)

    def kernel(x: Any) -> Any:
        out: Any = np.array(np.expm1(x))
        out.imag = np.where(x.imag == 0, x.imag, out.imag)
        return np.where(np.isinf(x.real), np.exp(x) - 1, out)[()]

    return kernel


def _log1p(types: Any, params: Any) -> Kernel:
    """Of complex numbers near zero, NumPy takes the logarithm of |1 + x|, which has lost their digits."""
    if kind(types[0].dtype) != "c":
        return registry["log1p"].kernel(np, types, params)

    def kernel(x: Any) -> Any:
        out: Any = np.array(np.log1p(x))
        close = np.maximum(np.abs(x.real), np.abs(x.imag)) < 0.25
        out.real = np.where(close, np.log1p(x.real * (x.real + 2) + x.imag * x.imag) / 2, out.real)
        return out[()]

    return kernel


def _pow(types: Any, params: Any) -> Kernel:
    """Where the exponent is 0.5 for all, NumPy takes the square root, which has another result for -0 and minus infinity."""
    if kind(types[0].dtype) != "f":
        return registry["pow"].kernel(np, types, params)

    def kernel(x: Any, y: Any) -> Any:
        out = np.power(x, y)
        if out.size and not any(y.strides) and y[(0,) * y.ndim] == 0.5:
            out = np.where(np.isneginf(x), x.dtype.type(np.inf), out + x.dtype.type(0))[()]
        return out

    return kernel


def _sign(types: Any, params: Any) -> Kernel:
    return (lambda x: np.copysign(np.sign(x), x)) if kind(types[0].dtype) == "f" else np.sign


def _copy(x: Any) -> Any:
    return x if isinstance(x, np.generic) else x.copy()


_HOST = SimpleNamespace(to_host=np.asarray, from_host=lambda x: x[()])
"""What primitives need that work on the bits of host arrays."""


def _bitcast_convert(types: Any, params: Any) -> Kernel:
    dtype = params["dtype"]
    if types[0].dtype.itemsize == dtype.itemsize:
        return lambda x: x.view(dtype)
    return registry["bitcast_convert"].kernel(_HOST, types, params)


def _reduce_precision(types: Any, params: Any) -> Kernel:
    return registry["reduce_precision"].kernel(_HOST, types, params)


TABLE: dict[str, Kernel] = {
    "copy": _copy,
    "ge": np.greater_equal,
    "gt": np.greater,
    "le": np.less_equal,
    "lt": np.less,
    "max": np.maximum,
    "min": np.minimum,
    "shift_left": np.left_shift,  # NumPy defines shifts by the width and more as we do
}

FAST: dict[str, Callable[[Any, Any], Kernel]] = {
    "bitcast_convert": _bitcast_convert,
    "complex": _complex,
    "convert": _convert,
    "div_strong": _strong(operator.truediv),
    "exp2": _exp2,
    "expm1": _expm1,
    "log1p": _log1p,
    "mul_strong": _strong(operator.mul),
    "population_count": _population_count,
    "pow": _pow,
    "reduce_precision": _reduce_precision,
    "rem": _rem,
    "shift_right_arithmetic": _shift_right("i"),
    "shift_right_logical": _shift_right("u"),
    "sign": _sign,
}
