"""The operators of `Array` and `Tracer`, from one table; and the functions behind them, which promote and broadcast.

On arrays that already have one dtype, `x + y` goes straight to the backend's kernel: no trace is active, the kernel is
at hand, and the backend's own broadcasting serves. Everything else takes the functions' way.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import numpy as np

from . import dtypes
from .array_type import ArrayType
from .arrays import Array, eager, type_of
from .errors import (
    ArgumentError,
    ConcretizationTypeError,
    DTypeError,
    ImmutableArrayError,
    TracerArrayConversionError,
    TracerBoolConversionError,
    TracerIntegerConversionError,
)
from .primitive import Primitive
from .primitives import elementwise as e
from .promotion import promote, promote_dtypes
from .tracing import Tracer, context

__all__ = ["binary", "comparison_names", "install"]


def binary(name: str, primitive: Primitive) -> Callable[[Any, Any], Any]:
    """The promoting function of two operands over an elementwise primitive."""

    def function(x: Any, y: Any, /) -> Any:
        x, y = promote(name, x, y)
        return primitive(x, y)

    function.__name__ = function.__qualname__ = name
    return function


def inexact(*operands: Any) -> list[Any]:
    """Operands promoted, integers and booleans to the default float."""
    if len(operands) == 1 and isinstance(operands[0], (Array, Tracer)) and operands[0].dtype.kind in "fc":
        return [operands[0]]
    return floating(promote_dtypes(*operands))


def floating(promoted: list[Any]) -> list[Any]:
    """Operands of one dtype; integers and booleans in the default float."""
    dtype = dtypes.to_inexact(type_of(promoted[0]).dtype)
    return [x if type_of(x).dtype == dtype else e.convert(x, dtype=dtype, weak=type_of(x).weak) for x in promoted]


add = binary("add", e.add)
subtract = binary("subtract", e.sub)
multiply = binary("multiply", e.mul)


def true_divide(x: Any, y: Any, /) -> Any:
    """X / y; integers become floats first."""
    x, y = promote("true_divide", x, y)
    return e.div(*(x, y) if type_of(x).dtype.kind in "fc" else floating([x, y]))


_FAST_KINDS = {"add": "iufc", "subtract": "iufc", "multiply": "iufc", "true_divide": "fc"}
"""Functions whose primitive may run at once, and on which kinds of dtype."""


def _method(function: Callable[[Any, Any], Any], reflected: bool) -> Callable[[Any, Any], Any]:
    def method(x: Any, y: Any) -> Any:
        if not _takes(y):
            return NotImplemented
        return function(y, x) if reflected else function(x, y)

    return method


_OPERANDS = (Tracer, Array, int, float, complex, np.generic, np.ndarray)


def _takes(y: Any) -> bool:
    return isinstance(y, _OPERANDS) or hasattr(y, "__jax_array__")


def _fast_method(
    function: Callable[[Any, Any], Any], primitive: Primitive, kinds: str, slow: Any
) -> Callable[[Any, Any], Any]:
    """An operator of `Array`: at once where nothing is traced and both have one dtype, else `slow`."""
    kernels: dict[Any, Any] = {}

    def method(x: Any, y: Any) -> Any:
        if type(y) is Array and context.trace is eager:
            a, b = x.buffer, y.buffer
            if a.dtype is b.dtype and x.backend is y.backend:
                kernel = kernels.get((a.dtype, x.backend))
                if kernel is None:
                    kernel = kernels[a.dtype, x.backend] = _direct_kernel(primitive, kinds, a.dtype, x.backend)
                if kernel:
                    try:
                        return Array(kernel(a, b), x.weak_type and y.weak_type, x.backend)
                    except ValueError:
                        return slow(x, y)  # shapes do not broadcast: the slow way says so in full
        elif type(y) is float and context.trace is eager:
            a = x.buffer
            if a.dtype.kind == "f" and not x.weak_type:
                kernel = kernels.get((a.dtype, x.backend))
                if kernel is None:
                    kernel = kernels[a.dtype, x.backend] = _direct_kernel(primitive, kinds, a.dtype, x.backend)
                if kernel:
                    return Array(kernel(a, a.dtype.type(y)), False, x.backend)
        return slow(x, y)

    method.__name__ = function.__name__
    return method


def _direct_kernel(primitive: Primitive, kinds: str, dtype: Any, backend: Any) -> Any:
    """The guarded kernel for two operands of a dtype; False where there is none."""
    if dtype.kind not in kinds or not backend.broadcasts or not backend.has_kernel(primitive):
        return False
    t = ArrayType((), dtype)
    return backend.guard(backend.kernel(primitive, (t, t), {}))


_BINARY: dict[str, tuple[Callable[[Any, Any], Any], Primitive | None]] = {
    "add": (add, e.add),
    "sub": (subtract, e.sub),
    "mul": (multiply, e.mul),
    "truediv": (true_divide, e.div),
}
"""The name of a Python operator -> the function, and the primitive that it is on operands of one dtype."""


def install_binary(name: str, function: Callable[[Any, Any], Any], primitive: Primitive | None = None) -> None:
    """Make `function` the operator `__name__` (and `__rname__`) of arrays and tracers."""
    forward, backward = _method(function, False), _method(function, True)
    for cls in (Array, Tracer):
        setattr(cls, f"__{name}__", forward)
        setattr(cls, f"__r{name}__", backward)
    kinds = _FAST_KINDS.get(function.__name__)
    if kinds and primitive is not None:
        setattr(Array, f"__{name}__", _fast_method(function, primitive, kinds, forward))


def install_method(name: str, function: Callable[..., Any]) -> None:
    """Make `function` a method (or property) of arrays and tracers."""
    for cls in (Array, Tracer):
        setattr(cls, name, function)


def comparison_names() -> tuple[str, ...]:
    """The comparisons, which have no reflected form of their own."""
    return ("eq", "ne", "lt", "le", "gt", "ge")


def _compare(name: str, primitive: Primitive) -> Callable[[Any, Any], Any]:
    function = binary(name, primitive)

    def method(x: Any, y: Any) -> Any:
        return function(x, y) if _takes(y) else NotImplemented

    return method


def _neg(x: Any) -> Any:
    return e.neg(x)


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
            raise TypeError(f"{kind.__name__}() needs an array of one element, got {x.type}.")
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
    view = host.view()
    view.flags.writeable = False
    return view


def _setitem(x: Any, index: Any, value: Any) -> None:
    raise ImmutableArrayError("arrays are immutable: write x = x.at[index].set(value) instead of x[index] = value.")


def _hash(x: Any) -> int:
    raise TypeError(
        f"a {type(x).__name__} cannot be hashed (key of a dict, member of a set, static argument): use its "
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
        raise TypeError(f"len() of an array of rank 0, {x.type}.")
    return x.shape[0]


def install() -> None:
    """Give arrays and tracers their operators."""
    for name, (function, primitive) in _BINARY.items():
        install_binary(name, function, primitive)
    for name in comparison_names():
        install_method(f"__{name}__", _compare(name, getattr(e, name)))
    methods = {
        "__neg__": _neg,
        "__pos__": lambda x: x,
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
