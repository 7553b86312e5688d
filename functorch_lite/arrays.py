"""`Array`: an immutable value on a backend. The eager trace, at the bottom of all traces, runs primitives on arrays.

An operand of a primitive is an `Array`, a `Tracer`, or a NumPy scalar, which is a constant known to the program.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import numpy as np

from .array_interface import ArrayInterface
from .array_type import ArrayType, Shape
from .backend import Backend, default_backend
from .errors import ArgumentTypeError, BackendError, DeletedArrayError, TransformationError
from .primitive import LinearOperand
from .program import Literal
from .tracing import Trace, Tracer, _Context, context, leaked

__all__ = ["Array", "EagerTrace", "Operand", "eager", "from_host", "is_concrete", "read_only", "type_of"]


class Array(ArrayInterface):
    """An immutable array: a buffer of a backend, with a dtype that is weak if it came from Python scalars only.

    Made by `functorch_lite.numpy.asarray` and friends. Nothing changes an array; `x.at[i].set(v)` gives a new one.
    Operators and methods are installed by `operators` and `numpy`.
    """

    __slots__ = ("__weakref__", "backend", "buffer", "number", "weak_type")

    buffer: Any
    weak_type: bool
    backend: Backend
    number: Any
    """The Python number that it was made of, in all its digits; not set on other arrays."""
    __array_priority__ = 1000

    def __init__(self, buffer: Any, weak_type: bool, backend: Backend):
        self.buffer = buffer
        self.weak_type = weak_type
        self.backend = backend

    @property
    def type(self) -> ArrayType:
        buffer = self.buffer
        return ArrayType.of(buffer.shape, buffer.dtype, self.weak_type)

    @property
    def signature(self) -> tuple[Shape, np.dtype, bool]:
        """Shape, dtype and weak flag: the type, as quick to make and to hash as can be."""
        buffer = self.buffer
        return buffer.shape, buffer.dtype, self.weak_type

    @property
    def shape(self) -> Shape:
        return self.buffer.shape

    @property
    def dtype(self) -> np.dtype:
        return self.buffer.dtype

    @property
    def ndim(self) -> int:
        return len(self.buffer.shape)

    @property
    def size(self) -> int:
        return self.type.size

    def concrete(self) -> Array:
        return self

    @property
    def device(self) -> Any:
        """Where it lives, in its backend's terms."""
        return self.backend.device(self.buffer)

    def devices(self) -> set[Any]:
        """The devices that hold it."""
        return {self.device}

    def another(self) -> Array:
        """An array of its own with the same buffer, which it keeps when this one is deleted."""
        out = Array(self.buffer, self.weak_type, self.backend)
        if hasattr(self, "number"):
            out.number = self.number
        return out

    def delete(self) -> None:
        """Give up the value: its memory is free for others, and any later use of the array is an error."""
        if not self.is_deleted():
            self.buffer = _Deleted(self.type)

    def is_deleted(self) -> bool:
        """Whether the value was given up, by `delete` or by donation to a jitted function."""
        return type(self.buffer) is _Deleted


class _Deleted:
    """Stands for a buffer that is gone."""

    __slots__ = ("_type",)

    def __init__(self, type: ArrayType):
        self._type = type

    def __getattr__(self, name: str) -> Any:
        raise DeletedArrayError(
            f"an array {self._type} is used after it was deleted, or donated to a jitted function (donate_argnums): keep "
            "what the function returned instead, or do not donate the array."
        )

    def _gone(self, *_: Any) -> Any:
        return self.buffer  # raises

    __add__ = __radd__ = __sub__ = __rsub__ = __mul__ = __rmul__ = __truediv__ = __rtruediv__ = __neg__ = _gone
    __array__ = _gone


Operand = Array | Tracer | np.generic


def from_host(value: Any, backend: Backend | None = None, weak_type: bool = False) -> Array:
    """An `Array` with a copy of a host array (or NumPy scalar) of a supported dtype."""
    backend = backend or default_backend()
    return Array(backend.from_host(value), weak_type, backend)


def read_only(host: np.ndarray) -> np.ndarray:
    """A view of a host array that cannot be written into, nor made to be.

    NumPy lets the writeable flag of a view be set again if its base is writeable; this one's base is a memoryview that
    is not (which costs less than to clear the flag).
    """
    bits = host if host.dtype.kind != "V" else host.view(f"u{host.dtype.itemsize}")  # bfloat16 has no format there
    view = np.asarray(bits.data.toreadonly())
    return view if bits is host else view.view(host.dtype)


def type_of(x: Operand) -> ArrayType:
    """The type of an operand; a constant is weak, it has been cast to what it stands beside."""
    return ArrayType.of((), x.dtype, True) if isinstance(x, np.generic) else x.type


def operand_of(literal: Literal) -> Operand:
    """The constant that a literal stands for; what is not weak stays a literal when it is staged again."""
    if literal.type.weak:
        return literal.value
    out = from_host(literal.value)
    out.number = literal.value.item()
    return out


def is_concrete(x: Any) -> bool:
    """Whether `x` is an operand with a value, not a tracer."""
    return type(x) is Array or isinstance(x, np.generic)


class EagerTrace(Trace):
    """Runs primitives now. At the first time with operands of given types, the type rule is checked and the kernel
    looked up; both are remembered."""

    __slots__ = ()

    def process(self, primitive: Any, operands: tuple[Any, ...], params: dict[str, Any]) -> Any:
        backend = None
        constants = False
        key: list[Any] = [primitive, *params.items()] if params else [primitive]
        buffers = []
        for x in operands:
            if type(x) is Array:
                if backend is not x.backend:
                    if backend is not None:
                        raise two_backends(operands)
                    backend = x.backend
                buffer = x.buffer
                buffers.append(buffer)
                key += buffer.shape, buffer.dtype, x.weak_type
            elif isinstance(x, np.generic):
                constants = True
                buffers.append(x)
                key.append(x.dtype)
            else:
                raise leaked(x) if isinstance(x, Tracer) else _not_an_operand(primitive, x)
        if primitive.evaluate is not None:
            return primitive.evaluate(*operands, **params)
        if backend is None:
            backend = default_backend()
        remembered = backend.eager_kernels
        found = tuple(key)
        entry = remembered.get(found)
        if entry is None:
            entry = remembered.recall(found) or remembered.remember(
                found, self.prepare(backend, primitive, operands, params)
            )
        kernel, weak = entry
        if kernel is None:
            return primitive.expand(*operands, **params)
        if constants:
            buffers = [backend.literal(x) if isinstance(x, np.generic) else x for x in buffers]
        out = kernel(*buffers)
        if primitive.multiple_results:
            return [Array(o, w, backend) for o, w in zip(out, weak, strict=True)]
        return Array(out, weak, backend)

    def prepare(
        self, backend: Backend, primitive: Any, operands: Sequence[Operand], params: dict[str, Any]
    ) -> tuple[Any, Any]:
        """The guarded kernel (None: expand) and the weak flags of the results, after checking the types."""
        types = [type_of(x) for x in operands]
        inferred = primitive.infer(*types, **params)
        weak = [t.weak for t in inferred] if primitive.multiple_results else inferred.weak
        if not backend.has_kernel(primitive):
            require_expansion(backend, primitive)
            return None, weak
        return backend.guard(backend.kernel(primitive, types, params)), weak


def require_expansion(backend: Backend, primitive: Any) -> None:
    """Raise unless `primitive` can be expressed in simpler ones."""
    if primitive.expand is None:
        raise BackendError(
            f"the backend {backend.name!r} has no kernel for {primitive.name!r}. Give it one: an entry {primitive.name!r} "
            "in the backend's `table`, a function of that name in its namespace, or an `expand` rule of the primitive."
        )


def two_backends(operands: Sequence[Any]) -> BackendError:
    """The error for operands that live in two places."""
    names = sorted({x.backend.name for x in operands if type(x) is Array})
    return BackendError(
        f"operands live on two backends, {' and '.join(names)}: move one with device_put(x, {names[0]!r})."
    )


def _not_an_operand(primitive: Any, x: Any) -> TypeError:
    if isinstance(x, LinearOperand):
        return TransformationError(
            f"only linear functions can be transposed, but this one takes {primitive.name} of two values that both depend on "
            "its arguments: use vjp, or linearize first."
        )
    return ArgumentTypeError(
        f"{primitive.name} takes arrays, not {type(x).__module__}.{type(x).__qualname__}: "
        "use functorch_lite.numpy, or convert with functorch_lite.numpy.asarray."
    )


eager = EagerTrace(None)
_Context.trace = eager
context.trace = eager
