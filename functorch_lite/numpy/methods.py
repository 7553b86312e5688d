"""Methods, properties and operators of arrays and tracers that are functions of this face: `x.sum()`, `x.T`, `x @ y`, `x ** 2`."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import numpy as np

from .. import dtypes
from ..arrays import Array, eager
from ..errors import ConcretizationTypeError, ShapeError, UnsupportedError
from ..index_plan import host_value
from ..operators import install_method, install_operator
from ..primitives import elementwise as e
from ..promotion import cast
from ..tracing import Tracer, context
from . import (
    arithmetic,
    bitwise,
    choosing,
    contraction,
    creation,
    cumulative,
    diagonals,
    division,
    extremes,
    joining,
    logic,
    moments,
    parts,
    placing,
    reductions,
    repeating,
    rounding,
    shaping,
    sorting,
)

__all__ = ["install"]


def _reshape(x: Any, *shape: Any, order: str = "C") -> Any:
    """The same elements in another shape: `x.reshape(2, 3)` or `x.reshape((2, 3))`."""
    return shaping.reshape(x, shape[0] if len(shape) == 1 else shape, order)


def _transpose(x: Any, *axes: Any) -> Any:
    """`x` with its axes in another order: `x.transpose(1, 0)`, `x.transpose((1, 0))`, or reversed."""
    if len(axes) == 1 and (axes[0] is None or isinstance(axes[0], (tuple, list))):
        axes = tuple(axes[0] or ())
    return shaping.transpose(x, axes or None)


def _reversed_axes(x: Any) -> Any:
    """`x` with its axes reversed; outside of transformations, that of a matrix is a view and nothing more."""
    if type(x) is Array and context.trace is eager:
        buffer = x.buffer
        if len(buffer.shape) == 2:
            return Array(buffer.T, x.weak_type, x.backend)
    return shaping.transpose(x)


def _flatten(x: Any, order: str = "C") -> Any:
    """All elements in one row."""
    return shaping.ravel(x, order)


def _clip(x: Any, min: Any = None, max: Any = None) -> Any:
    """Each element moved into [min, max]."""
    return arithmetic.clip(x, min, max)


def _astype(x: Any, dtype: Any, copy: bool = False, device: Any = None) -> Any:
    """`x` in another dtype."""
    return creation.astype(x, dtype, copy=copy)


def _known(x: Any, doing: str) -> Any:
    value = host_value(x) if x.concrete() is not None else None
    if value is None or (isinstance(x, Tracer) and dtypes.is_inexact(x.dtype)):
        raise ConcretizationTypeError(
            f"{doing} of a {type(x).__name__} of type {x.type}: its value is not known here, or its derivative would be lost. "
            "Return the value from the function, or use debug.print."
        )
    return np.asarray(value)


def _item(x: Any, *args: int) -> Any:
    """An element as a Python number: the only one, or that at an index."""
    if not args and x.size != 1:
        raise ShapeError(f"item() needs an array of one element, or an index: got {x.type}. tolist() gives all.")
    return _known(x, "item()").item(*args)


def _tolist(x: Any) -> Any:
    """The elements as nested lists of Python numbers."""
    return _known(x, "tolist()").tolist()


def _tobytes(x: Any, order: str = "C") -> bytes:
    """The elements' bytes."""
    return _known(x, "tobytes()").tobytes(order)


def _view_of_pairs(x: Any, new: np.dtype) -> Any:
    """`_view` of or as complex numbers."""
    if dtypes.is_complex(x.dtype):
        parts = joining.stack([e.real(x), e.imag(x)], -1)
        if not x.ndim:
            return _view(parts, new)[0]
        return _view(shaping.reshape(parts, (*x.shape[:-1], 2 * x.shape[-1])), new)
    if not x.ndim:
        return _view_of_pairs(shaping.reshape(x, (1,)), new)[0]
    parts = _view(x, dtypes.real_dtype(new))
    return e.complex_(parts[..., ::2], parts[..., 1::2])


def _view(x: Any, dtype: Any = None, type: Any = None) -> Any:
    """The same bytes read as another dtype; the last axis grows or shrinks if the sizes differ.

    A complex number is read as its real part and its imaginary one.
    """
    if type is not None:
        raise UnsupportedError("x.view(type=...) has no meaning here: give a dtype.")
    if dtype is None:
        return x
    new = dtypes.as_dtype(dtype)
    if new == x.dtype:
        return cast(x, new, False)
    if dtypes.is_bool(x.dtype):
        return _view(creation.astype(x, np.uint8), new)
    if dtypes.is_bool(new):
        return e.ne(_view(x, np.uint8), np.uint8(0))
    small, large = sorted((x.dtype.itemsize, new.itemsize))
    ratio = large // small
    if ratio > 1 and (not x.ndim or (new.itemsize == large and x.shape[-1] % ratio)):
        raise ShapeError(f"view of {x.type} as {new}: the last axis must be a multiple of {ratio} long.")
    if dtypes.is_complex(x.dtype) or dtypes.is_complex(new):
        return _view_of_pairs(x, new)
    if ratio == 1:
        return e.bitcast_convert(x, dtype=new)
    if new.itemsize == large:
        return e.bitcast_convert(shaping.reshape(x, (*x.shape[:-1], x.shape[-1] // ratio, ratio)), dtype=new)
    return shaping.reshape(e.bitcast_convert(x, dtype=new), (*x.shape[:-1], x.shape[-1] * ratio))


def _byteswap(x: Any) -> Any:
    """The bytes of each number in the opposite order; a complex number is two numbers."""
    if x.dtype.itemsize == 1:
        return x
    if dtypes.is_complex(x.dtype):
        return e.complex_(_byteswap(e.real(x)), _byteswap(e.imag(x)))
    octets = e.bitcast_convert(x, dtype=np.dtype(np.uint8))
    return e.bitcast_convert(repeating.flip(octets, -1), dtype=x.dtype)


def _round(x: Any, decimals: int = 0) -> Any:
    return rounding.round(x, decimals)


def _python_round(x: Any, decimals: int | None = None) -> Any:
    rounded = rounding.round(x, decimals or 0)
    return creation.astype(rounded, int) if decimals is None else rounded  # as of Python's floats


def _ready(x: Any) -> Any:
    """`x`, once it is computed."""
    return x


_METHODS: dict[str, Callable[..., Any]] = {
    "all": reductions.all,
    "any": reductions.any,
    "argmax": extremes.argmax,
    "argmin": extremes.argmin,
    "argpartition": sorting.argpartition,
    "argsort": sorting.argsort,
    "astype": _astype,
    "byteswap": _byteswap,
    "block_until_ready": _ready,
    "choose": choosing.choose,
    "clip": _clip,
    "compress": lambda x, condition, axis=None, **options: choosing.compress(condition, x, axis, **options),
    "conj": parts.conj,
    "conjugate": parts.conj,
    "copy": creation.copy,
    "cumprod": cumulative.cumprod,
    "cumsum": cumulative.cumsum,
    "diagonal": diagonals.diagonal,
    "dot": contraction.dot,
    "flatten": _flatten,
    "item": _item,
    "max": extremes.max,
    "mean": moments.mean,
    "min": extremes.min,
    "nonzero": choosing.nonzero,
    "prod": reductions.prod,
    "ptp": extremes.ptp,
    "ravel": shaping.ravel,
    "repeat": repeating.repeat,
    "reshape": _reshape,
    "round": _round,
    "searchsorted": sorting.searchsorted,
    "sort": sorting.sort,
    "squeeze": shaping.squeeze,
    "std": moments.std,
    "sum": reductions.sum,
    "swapaxes": shaping.swapaxes,
    "take": placing.take,
    "tobytes": _tobytes,
    "tolist": _tolist,
    "trace": diagonals.trace,
    "transpose": _transpose,
    "var": moments.var,
    "view": _view,
    "__abs__": arithmetic.abs,
    "__neg__": arithmetic.negative,
    "__pos__": arithmetic.positive,
    "__invert__": bitwise.invert,
    "__round__": _python_round,
}

_PROPERTIES: dict[str, Callable[[Any], Any]] = {
    "T": _reversed_axes,
    "mT": shaping.matrix_transpose,
    "real": parts.real,
    "imag": parts.imag,
    "itemsize": lambda x: x.dtype.itemsize,
    "nbytes": lambda x: x.size * x.dtype.itemsize,
    "flat": shaping.ravel,
}

_OPERATORS: dict[str, Callable[[Any, Any], Any]] = {
    "add": arithmetic.add,
    "sub": arithmetic.subtract,
    "mul": arithmetic.multiply,
    "truediv": arithmetic.true_divide,
    "floordiv": division.floor_divide,
    "mod": division.remainder,
    "divmod": division.divmod,
    "pow": arithmetic.power,
    "matmul": contraction.matmul,
    "and": bitwise.bitwise_and,
    "or": bitwise.bitwise_or,
    "xor": bitwise.bitwise_xor,
    "lshift": bitwise.left_shift,
    "rshift": bitwise.right_shift,
    "eq": logic.equal,
    "ne": logic.not_equal,
    "lt": logic.less,
    "le": logic.less_equal,
    "gt": logic.greater,
    "ge": logic.greater_equal,
}
"""Every operator of two operands: its name in Python -> the function."""


def install() -> None:
    """Give arrays and tracers their methods, properties and operators."""
    for name, function in _METHODS.items():
        install_method(name, function)
    for name, function in _PROPERTIES.items():
        install_method(name, property(function))  # type: ignore[arg-type]
    for name, function in _OPERATORS.items():
        install_operator(name, function)
