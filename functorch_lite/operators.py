"""What Python itself asks of arrays and tracers: `bool(x)`, `int(x)`, `len(x)`, `np.asarray(x)`, `repr(x)`; and how a
function becomes an operator or a method. The functions are those of `numpy`, handed in by `numpy.methods`.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import numpy as np

from . import dtypes
from .arrays import Array, read_only
from .direct import directly_on_two
from .errors import (
    ArgumentError,
    ConcretizationTypeError,
    DTypeError,
    ImmutableArrayError,
    ProtocolError,
    ShapeError,
    TracerArrayConversionError,
    TracerBoolConversionError,
    TracerIntegerConversionError,
)
from .tracing import Tracer

__all__ = ["install", "install_method", "install_operator"]

_COMPARISONS = frozenset({"eq", "ne", "lt", "le", "gt", "ge"})
"""Operators that Python reflects by itself."""

_OPERANDS = (Tracer, Array, int, float, complex, np.generic, np.ndarray)


def _takes(y: Any) -> bool:
    return isinstance(y, _OPERANDS) or hasattr(y, "__jax_array__")


def _operator(function: Callable[[Any, Any], Any], reflected: bool) -> Callable[[Any, Any], Any]:
    def method(x: Any, y: Any) -> Any:
        if not _takes(y):
            return NotImplemented
        return function(y, x) if reflected else function(x, y)

    return method


def install_operator(name: str, function: Callable[[Any, Any], Any]) -> None:
    """Make `function` the operator `__name__` of arrays and tracers, and `__rname__` if it is no comparison."""
    for reflected in (False,) if name in _COMPARISONS else (False, True):
        method = _operator(function, reflected)
        primitive, kinds = getattr(function, "direct", (None, ""))
        if primitive is not None:
            method = directly_on_two(primitive, kinds, method, reflected)
        install_method(f"__r{name}__" if reflected else f"__{name}__", method)


def install_method(name: str, function: Any) -> None:
    """Make `function` a method (or property) of arrays and tracers."""
    for cls in (Array, Tracer):
        setattr(cls, name, function)


def _host(x: Any, error: type[ConcretizationTypeError], doing: str, cure: str) -> np.ndarray:
    """The value behind `x` as a host array, or an error that says what to do."""
    array = x.concrete()
    if array is None:
        raise error(
            f"{doing} needs a value, but this is a {type(x).__name__} of type {x.type}: its value is not known while a "
            f"function is traced. {cure}"
        )
    return array.backend.to_host(array.buffer)


def _bool(x: Any) -> bool:
    value = _host(
        x,
        TracerBoolConversionError,
        "`if` (or bool())",
        "Use functorch_lite.numpy.where or lax.cond, or mark the argument static (static_argnums).",
    )
    if value.size != 1:
        raise ArgumentError(f"the truth value of {x.type} is ambiguous: use .any() or .all().")
    return bool(value.reshape(()))


def _index(x: Any) -> int:
    if not dtypes.is_integer(x.dtype) or x.ndim:
        raise DTypeError(f"only a scalar of integer dtype can be an index, got {x.type}.")
    value = _host(
        x,
        TracerIntegerConversionError,
        "an index or a length",
        "Use lax.fori_loop, take or lax.dynamic_slice, or mark the argument static (static_argnums).",
    )
    return int(value)


def _number(kind: type) -> Callable[[Any], Any]:
    def convert(x: Any) -> Any:
        if x.size != 1:
            raise ShapeError(f"{kind.__name__}() needs an array of one element, got {x.type}.")
        if kind is int and dtypes.is_integer(x.dtype):
            return int(
                _host(x, ConcretizationTypeError, "int()", "Use astype(int) to stay inside the function.").reshape(())
            )
        if not isinstance(x, Array):
            raise ConcretizationTypeError(
                f"{kind.__name__}() of a {type(x).__name__} of type {x.type} would cut off its derivative, or needs a value "
                "that is not known: use functions of functorch_lite.numpy (exp for math.exp), astype for a cast, or "
                "lax.stop_gradient and debug.print to look at it."
            )
        return kind(x.backend.to_host(x.buffer).reshape(()).item())

    return convert


def _array(x: Any, dtype: Any = None, copy: bool | None = None) -> np.ndarray:
    if not isinstance(x, Array):
        raise TracerArrayConversionError(
            f"NumPy (np.asarray or an np. function) was given a {type(x).__name__} of type {x.type}: it cannot be traced. "
            "Use the function of that name in functorch_lite.numpy, or wrap the call in pure_callback."
        )
    host = np.asarray(x.backend.to_host(x.buffer))
    if dtype is not None and host.dtype != dtype:
        return host.astype(dtype)
    if copy:
        return host.copy()
    return read_only(host)


def _setitem(x: Any, index: Any, value: Any) -> None:
    raise ImmutableArrayError("arrays are immutable: write x = x.at[index].set(value) instead of x[index] = value.")


def _hash(x: Any) -> int:
    what = f"an array {x.type}" if isinstance(x, Array) else f"a {type(x).__name__} of type {x.type}"
    raise ProtocolError(
        f"{what} cannot be hashed (key of a dict, member of a set, static argument): use its "
        "position or name as the key, or x.tobytes()."
    )


def _repr(x: Array) -> str:
    host = np.asarray(x.backend.to_host(x.buffer))
    prefix = "Array("
    if dtypes.is_supported(host.dtype) and host.dtype.kind == "V":
        body = np.array2string(host.astype(np.float32), separator=", ", prefix=prefix)
    else:
        body = np.array2string(host, separator=", ", prefix=prefix)
    shape = f", shape={tuple(x.shape)}" if not host.size and x.shape != (0,) else ""
    weak = ", weak_type=True" if x.weak_type else ""
    return f"{prefix}{body}{shape}, dtype={x.dtype}{weak})"


def _str(x: Array) -> str:
    host = np.asarray(x.backend.to_host(x.buffer))
    return str(host.astype(np.float32) if host.dtype.kind == "V" else host)


def _tracer_repr(x: Tracer) -> str:
    value = x.concrete()
    return f"{type(x).__name__}({x.type})" if value is None else f"{type(x).__name__}({value!r})"


def _format(x: Any, spec: str) -> str:
    """`f"{loss:.3f}"`: a scalar as its number."""
    if not spec:
        return str(x)
    value = _host(x, ConcretizationTypeError, f"the format {spec!r}", "Use debug.print to look at it.")
    return format(value if x.shape else value.item(), spec)


def _length(x: Any) -> int:
    if not x.shape:
        raise ShapeError(f"len() of an array of rank 0, {x.type}: it has no leading axis.")
    return x.shape[0]


def install() -> None:
    """Give arrays and tracers what Python asks of them."""
    methods = {
        "__bool__": _bool,
        "__index__": _index,
        "__int__": _number(int),
        "__float__": _number(float),
        "__complex__": _number(complex),
        "__array__": _array,
        "__format__": _format,
        "__setitem__": _setitem,
        "__hash__": _hash,
        "__len__": _length,
    }
    for name, method in methods.items():
        install_method(name, method)
    Array.__repr__ = _repr  # type: ignore[method-assign]
    Array.__str__ = _str  # type: ignore[method-assign]
    Tracer.__repr__ = _tracer_repr  # type: ignore[method-assign]


install()
