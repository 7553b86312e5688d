"""Every exception a user can meet, each with its cure, and the user's own source line.

A message says what came, what was needed and what to do. Classes derive from the built-in exception that a NumPy
user would expect (`TypeError`, `ValueError`, ...), so that existing `except` clauses keep working.
"""

from __future__ import annotations

import contextlib
import functools
import os
import sys
from collections.abc import Callable, Iterator
from contextvars import ContextVar
from types import CodeType, FrameType, TracebackType
from typing import Any, NamedTuple

__all__ = [
    "ArgumentError",
    "ArgumentTypeError",
    "BackendError",
    "ConcretizationTypeError",
    "DTypeError",
    "DeletedArrayError",
    "ImmutableArrayError",
    "MissingRuleError",
    "NonConcreteBooleanIndexError",
    "NumberOverflowError",
    "OutOfBoundsError",
    "ProgramError",
    "ProtocolError",
    "ShapeError",
    "TracerArrayConversionError",
    "TracerBoolConversionError",
    "TracerIntegerConversionError",
    "TransformationError",
    "UnboundAxisError",
    "UnexpectedTracerError",
    "UnsupportedError",
]


_scopes: ContextVar[str] = ContextVar("functorch_lite_scopes", default="")


@contextlib.contextmanager
def named_scope(name: str) -> Iterator[None]:
    """Name a part of a program: errors, and the tables of `jit(f).lower(x).profile(x)`, say in which they are.

    >>> import functorch_lite as fl
    >>> with fl.named_scope("encoder"), fl.named_scope("attention"):
    ...     print(str(user_line(0)).split(") ")[1])
    in encoder/attention
    """
    outer = _scopes.get()
    token = _scopes.set(f"{outer}/{name}" if outer else name)
    try:
        yield
    finally:
        _scopes.reset(token)


class SourceLine(NamedTuple):
    """Where in the user's code something was written, and in which named scopes."""

    code: CodeType
    line: int
    scope: str = ""

    def __str__(self) -> str:
        scope = f" in {self.scope}" if self.scope else ""
        return f"{self.code.co_filename}:{self.line} ({self.code.co_name}){scope}"


_OURS = ("functorch_lite", "importlib", "contextlib")
"""The modules whose frames are not the user's."""


def _is_ours(frame: FrameType) -> bool:
    return frame.f_globals.get("__name__", "").startswith(_OURS)


def user_line(skip: int = 1) -> SourceLine | None:
    """The innermost line on the stack that is not the library's own.

    Args:
      skip: how many frames above this function are known to be ours.
    """
    frame: FrameType | None = sys._getframe(skip)
    while frame is not None and frame.f_globals.get("__name__", "").startswith(_OURS):
        frame = frame.f_back
    return None if frame is None else SourceLine(frame.f_code, frame.f_lineno, _scopes.get())


def hide_our_frames(error: BaseException) -> None:
    """Take the library's own frames out of a traceback that is on its way to the user.

    With the environment variable FUNCTORCH_LITE_TRACEBACK=full they stay.
    """
    if os.environ.get("FUNCTORCH_LITE_TRACEBACK") == "full":
        return
    frames: list[TracebackType] = []
    trace = error.__traceback__
    while trace is not None:
        if not _is_ours(trace.tb_frame):
            frames.append(trace)
        trace = trace.tb_next
    kept: TracebackType | None = None
    for frame in reversed(frames):
        kept = TracebackType(kept, frame.tb_frame, frame.tb_lasti, frame.tb_lineno)
    error.__traceback__ = kept


def transparent(function: Callable[..., Any]) -> Callable[..., Any]:
    """`function`, a way from the user's code through ours to the user's again: errors show the user's lines alone."""

    @functools.wraps(function)
    def through(*args: Any, **kwargs: Any) -> Any:
        try:
            return function(*args, **kwargs)
        except Exception as error:
            hide_our_frames(error)
            raise

    through.__wrapped__ = getattr(function, "__wrapped__", function)  # type: ignore[attr-defined]
    return through


class _Located(Exception):
    """Adds the user's line to the message."""

    def __init__(self, message: str, *, at: SourceLine | None = None):
        at = at or user_line(2)
        super().__init__(message if at is None else f"{message}\n  at {at}")


class ShapeError(_Located, TypeError, ValueError):
    """Operands' shapes, or an axis, do not fit an operation."""


class DTypeError(_Located, TypeError):
    """An operand's dtype does not fit an operation."""


class ArgumentError(_Located, ValueError):
    """An argument has a value that says nothing here: an axis to map that no argument has, a length below zero."""


class ArgumentTypeError(_Located, TypeError):
    """An argument is nothing that a function takes, or there are too few or too many of them."""


class UnsupportedError(_Located, NotImplementedError):
    """Something that JAX or NumPy has, and this library does not; or a derivative of what has none."""


class UnboundAxisError(_Located, NameError):
    """No transformation in scope names the axis."""


class NumberOverflowError(_Located, OverflowError):
    """A Python integer does not fit the dtype that it goes into."""


class MissingRuleError(_Located, AttributeError):
    """A function with `custom_jvp` or `custom_vjp` was called before its derivative was defined."""


class ProtocolError(_Located, TypeError):
    """Python asked of an array, a key or a tracer what it cannot do: a hash, a pickle, a length."""


class ImmutableArrayError(_Located, TypeError):
    """Arrays never change: `x[i] = v` is `x = x.at[i].set(v)`."""


class TransformationError(_Located, TypeError):
    """A transformation was asked for something that has no meaning, as `grad` of a function with a vector result."""


class ConcretizationTypeError(_Located, TypeError):
    """A value was needed where only its type is known (inside `jit`, `vmap`, or the body of a loop)."""


class TracerBoolConversionError(ConcretizationTypeError):
    """`if x:` where `x` is a tracer without a value: use `where`, `cond`, or mark the argument static."""


class TracerIntegerConversionError(ConcretizationTypeError):
    """`range(x)` or `list[x]` where `x` is a tracer without a value: use `fori_loop`, `take`, or a static argument."""


class TracerArrayConversionError(ConcretizationTypeError):
    """A tracer was handed to code that needs a NumPy array: use `functorch_lite.numpy`, or `pure_callback`."""


class NonConcreteBooleanIndexError(ConcretizationTypeError):
    """`x[mask]` where the mask's values, and so the result's shape, are not known: use `where`."""


class OutOfBoundsError(_Located, IndexError):
    """An index whose value is known is out of range, or does not fit the array: as NumPy, so that no wrong element is read."""


class UnexpectedTracerError(_Located, TypeError):
    """A tracer outlived the transformation that made it: return it from the function instead of storing it."""


class DeletedArrayError(_Located, RuntimeError):
    """An array was used whose memory has been given away: keep what the function it was donated to returned."""


class BackendError(_Located, RuntimeError):
    """A backend is missing, broken, of another version, or lacks an operation; or operands live on two backends."""


class ProgramError(_Located, AssertionError):
    """A program breaks the rules of its own grammar: a defect of a pass or a primitive, please report it."""
