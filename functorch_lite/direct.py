"""Elementwise functions of what users write: they promote and broadcast; and where they need not, they are quick.

Outside of transformations, arrays that already have one dtype go straight to the backend's kernel: no trace is active,
the kernel is at hand, and the backend's own broadcasting serves. Everything else takes the long way, by `promotion`.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from . import dtypes
from .array_type import ArrayType
from .arrays import Array, eager, type_of
from .backend import Backend
from .primitive import Primitive
from .primitives import elementwise as e
from .promotion import already_fit, as_operand, promote, promote_dtypes
from .tracing import Tracer, context

__all__ = ["binary", "directly", "directly_on_two", "floating", "inexact", "unary"]

_ARRAYS = (Array, Tracer)


class Kernels(dict[Any, Any]):
    """dtype -> the guarded kernel of an elementwise primitive on a backend; None where operands have to go the long way.

    Args:
      primitive: the operation, without params.
      arity: how many operands it has.
      kinds: the kinds of dtype that mean to it what they mean to NumPy.
      backend: where; by default where it is first asked for.
    """

    __slots__ = ("arity", "backend", "elsewhere", "keeps_weak", "kinds", "primitive")

    def __init__(self, primitive: Primitive, arity: int, kinds: str, backend: Backend | None = None):
        self.primitive = primitive
        self.arity = arity
        self.kinds = kinds
        self.backend = backend
        self.elsewhere: dict[Backend, Kernels] = {}
        self.keeps_weak = False

    def on(self, backend: Backend) -> Kernels:
        """Those of another backend."""
        if self.backend is None:
            self.backend = backend
        if self.backend is backend:
            return self
        if backend not in self.elsewhere:
            self.elsewhere[backend] = Kernels(self.primitive, self.arity, self.kinds, backend)
        return self.elsewhere[backend]

    def __missing__(self, dtype: Any) -> Any:
        kernel, backend = None, self.backend
        assert backend is not None
        if dtype.kind in self.kinds and backend.broadcasts and backend.has_kernel(self.primitive):
            types = [ArrayType((), dtype, True)] * self.arity
            self.keeps_weak = self.primitive.infer(*types).weak
            kernel = backend.guard(backend.kernel(self.primitive, types, {}))
        self[dtype] = kernel
        return kernel


def directly(primitive: Primitive, kinds: str, otherwise: Callable[[Any], Any]) -> Callable[[Any], Any]:
    """`primitive` of an array of these kinds of dtype at once, where nothing is traced; else `otherwise`."""
    kernels = Kernels(primitive, 1, kinds)

    def function(x: Any, /) -> Any:
        if type(x) is Array and context.trace is eager:
            buffer, backend = x.buffer, x.backend
            known = kernels if backend is kernels.backend else kernels.on(backend)
            kernel = known[buffer.dtype]
            if kernel is not None:
                return Array(kernel(buffer), x.weak_type and known.keeps_weak, backend)
        elif isinstance(x, Tracer) and x.dtype.kind in kinds:
            return context.trace.process(primitive, (x,), {})
        return otherwise(x)

    return function


_SCALAR_KINDS: dict[type, str] = {float: "f", int: "fiu"}
"""A Python number -> the kinds of arrays beside which it takes their dtype."""


def directly_on_two(
    primitive: Primitive, kinds: str, otherwise: Callable[[Any, Any], Any], reflected: bool = False
) -> Callable[[Any, Any], Any]:
    """As `directly`, of two operands: an array, and another of the same dtype or a Python number.

    The same goes for tracers: where there is nothing to promote, `primitive` is bound at once.

    Args:
      reflected: whether the first operand of the function is the second of the primitive.
    """
    kernels = Kernels(primitive, 2, kinds)

    def function(x: Any, y: Any, /) -> Any:
        if type(x) is Array and context.trace is eager:
            a, backend = x.buffer, x.backend
            dtype = a.dtype
            known = kernels if backend is kernels.backend else kernels.on(backend)
            try:
                if type(y) is Array:
                    b = y.buffer
                    if dtype is b.dtype and backend is y.backend:
                        kernel = known[dtype]
                        if kernel is not None:
                            weak = x.weak_type and y.weak_type and known.keeps_weak
                            return Array(kernel(b, a) if reflected else kernel(a, b), weak, backend)
                elif not x.weak_type and dtype.kind in _SCALAR_KINDS.get(type(y), ""):
                    kernel = known[dtype]
                    if kernel is not None:
                        b = dtype.type(y)
                        return Array(kernel(b, a) if reflected else kernel(a, b), False, backend)
            except (ValueError, OverflowError):
                pass  # shapes do not broadcast, or a number does not fit: the long way says so in full
        elif isinstance(x, Tracer):
            fit = already_fit(x, y)
            if fit is not None and x.dtype.kind in kinds:
                return context.trace.process(primitive, (fit[1], fit[0]) if reflected else fit, {})
        return otherwise(x, y)

    function.direct = primitive, kinds  # type: ignore[attr-defined]  # for operators made of it
    return function


def unary(primitive: Primitive) -> Callable[[Any], Any]:
    """The function of one operand over an elementwise primitive of floats; integers become floats."""

    def promoting(x: Any, /) -> Any:
        if isinstance(x, _ARRAYS) and x.dtype.kind in "fc":
            return primitive(x)
        return primitive(inexact(as_operand(x))[0])

    return directly(primitive, "fc", promoting)


def binary(name: str, primitive: Primitive, kinds: str = "iufc") -> Callable[[Any, Any], Any]:
    """The promoting function of two operands over an elementwise primitive."""

    def promoting(x: Any, y: Any, /) -> Any:
        x, y = promote(name, x, y)
        return primitive(x, y)

    function = directly_on_two(primitive, kinds, promoting)
    function.__name__ = function.__qualname__ = name
    return function


def inexact(*operands: Any) -> list[Any]:
    """Operands promoted, integers and booleans to the default float."""
    if len(operands) == 1 and isinstance(operands[0], _ARRAYS) and operands[0].dtype.kind in "fc":
        return [operands[0]]
    return floating(promote_dtypes(*operands))


def floating(promoted: list[Any]) -> list[Any]:
    """Operands of one dtype; integers and booleans in the default float."""
    dtype = dtypes.to_inexact(type_of(promoted[0]).dtype)
    return [x if type_of(x).dtype == dtype else e.convert(x, dtype=dtype, weak=type_of(x).weak) for x in promoted]
