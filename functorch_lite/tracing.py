"""Traces, tracers and the current trace.

A **trace** says what a primitive means in one world: run it now (`arrays.EagerTrace`), value with tangent
(`transforms.jvp`), value with a tape of linear programs (`transforms.linearize`), value with a batch axis
(`transforms.vmap`), a new equation of a program (`staging`). Each trace knows its parent, the world it was started
in. There is no stack of levels: the *context* decides which trace meaning is taken from, and a trace treats every
operand that is not one of its own tracers as a constant, which its parent knows how to handle.

The path of an operation: `bind(primitive, *operands, **params)` -> `context.trace.process(...)` -> a rule of the
primitive, run with `context.trace` set to the parent -> ... -> the eager trace, where buffers meet kernels.
"""

from __future__ import annotations

import threading
from collections.abc import Iterable
from types import TracebackType
from typing import Any

from .array_interface import ArrayInterface
from .array_type import ArrayType, Shape
from .errors import UnboundAxisError, UnexpectedTracerError

__all__ = ["NamedAxes", "Trace", "Tracer", "axis_size", "bind", "context", "use_trace"]


class Trace:
    """One meaning of the primitives. Subclasses implement `process`."""

    __slots__ = ("alive", "parent")

    def __init__(self, parent: Trace | None):
        self.parent = parent
        self.alive = True

    def process(self, primitive: Any, operands: tuple[Any, ...], params: dict[str, Any]) -> Any:
        """What `primitive` means here: a value, or a list of values where `primitive.multiple_results`."""
        raise NotImplementedError

    def axis_size(self, name: Any) -> int | None:
        """The size of the named axis that this trace stands for, or None if it stands for another or for none."""
        return None

    def axes(self) -> tuple[tuple[Any, int], ...]:
        """The named axes in scope, innermost first."""
        return () if self.parent is None else self.parent.axes()


class NamedAxes(Trace):
    """The world outside, with named axes of which only the sizes are known: for looking at programs that speak of them."""

    __slots__ = ("named",)

    def __init__(self, parent: Trace, named: Iterable[tuple[Any, int]]):
        super().__init__(parent)
        self.named = tuple(named)

    def process(self, primitive: Any, operands: tuple[Any, ...], params: dict[str, Any]) -> Any:
        assert self.parent is not None
        with use_trace(self.parent):
            return self.parent.process(primitive, operands, params)

    def axes(self) -> tuple[tuple[Any, int], ...]:
        return *reversed(self.named), *super().axes()


class _Context(threading.local):
    """Per thread: the trace that gives primitives their meaning. `arrays` sets the class attribute: the bottom."""

    trace: Trace = Trace(None)


context = _Context()


class use_trace:
    """`with use_trace(trace):` primitives mean what `trace` says; it is dead afterwards if `closing`."""

    __slots__ = ("closing", "previous", "trace")

    def __init__(self, trace: Trace, *, closing: bool = False):
        self.trace = trace
        self.closing = closing

    def __enter__(self) -> Trace:
        self.previous = context.trace
        context.trace = self.trace
        return self.trace

    def __exit__(self, kind: type[BaseException] | None, error: BaseException | None, tb: TracebackType | None) -> None:
        context.trace = self.previous
        if self.closing:
            self.trace.alive = False


def bind(primitive: Any, *operands: Any, **params: Any) -> Any:
    """Apply `primitive` in the current trace. Everything a user calls ends here."""
    return context.trace.process(primitive, operands, params)


def axis_size(name: Any) -> int:
    """The size of the named axis `name` in scope.

    Raises:
      NameError: if no enclosing transformation names such an axis.
    """
    for known, size in context.trace.axes():
        if known == name:
            return size
    raise UnboundAxisError(f"no axis is named {name!r} here; name one with vmap(f, axis_name={name!r})")


class Tracer(ArrayInterface):
    """Stands for an array inside a transformation. Operators and methods are installed by `operators`."""

    __slots__ = ("__weakref__", "owner")

    owner: Trace
    """The trace that made it. (Not `trace`: arrays have a method of that name.)"""
    __array_priority__ = 1000

    @property
    def type(self) -> ArrayType:
        raise NotImplementedError

    @property
    def signature(self) -> tuple[Shape, Any, bool]:
        """Shape, dtype and weak flag."""
        t = self.type
        return t.shape, t.dtype, t.weak

    @property
    def shape(self) -> Shape:
        return self.type.shape

    @property
    def dtype(self) -> Any:
        return self.type.dtype

    @property
    def ndim(self) -> int:
        return len(self.type.shape)

    @property
    def size(self) -> int:
        return self.type.size

    @property
    def weak_type(self) -> bool:
        return self.type.weak

    def concrete(self) -> Any:
        """The `Array` behind this tracer, or None where only the type is known."""
        return None


def leaked(tracer: Tracer) -> UnexpectedTracerError:
    """The error for a tracer met outside the transformation that made it."""
    kind = type(tracer).__name__
    if tracer.owner.alive:
        return UnexpectedTracerError(
            f"a {kind} of type {tracer.type} was used where the transformation that made it does not reach: a function with a "
            "custom derivative (or its rule), whose arguments do not depend on the value, closes over it. Pass it as an argument."
        )
    return UnexpectedTracerError(
        f"a {kind} of type {tracer.type} was used after the transformation that made it had ended, or outside of it. "
        "It was probably stored in a global, an attribute or a list by a function under grad, vmap or jit. "
        "Return the value from the function instead of storing it."
    )
