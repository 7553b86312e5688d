"""`debug_nans` and `debug_infs`: a trace that runs primitives as its parent does, and looks at what they give."""

from __future__ import annotations

import contextlib
from collections.abc import Callable, Iterator
from typing import Any

import numpy as np

from .. import dtypes
from ..arrays import Array
from ..errors import user_line
from ..program import Program, Var
from ..staging import evaluate
from ..tracing import Trace, context, use_trace

__all__ = ["debug_infs", "debug_nans"]


class CheckingTrace(Trace):
    """Raises where an operation gives what `is_bad` finds."""

    __slots__ = ("is_bad", "what")

    def __init__(self, parent: Trace, is_bad: Callable[[Any], Any], what: str):
        super().__init__(parent)
        self.is_bad = is_bad
        self.what = what

    def process(self, primitive: Any, operands: tuple[Any, ...], params: dict[str, Any]) -> Any:
        assert self.parent is not None
        with use_trace(self.parent):
            out = self.parent.process(primitive, operands, params)
        if any(map(self.found_in, out if primitive.multiple_results else [out])):
            program = params.get("program")
            if isinstance(program, Program):
                self.run_by_steps(program, operands)
            raise FloatingPointError(f"{primitive} gave {self.what}\n  at {user_line()}")
        return out

    def found_in(self, x: Any) -> bool:
        """Whether a result is bad; tracers have no values to look at."""
        if type(x) is not Array or not dtypes.is_inexact(x.dtype):
            return False
        return bool(np.any(self.is_bad(np.asarray(x.backend.to_host(x.buffer)))))

    def run_by_steps(self, program: Program, operands: tuple[Any, ...]) -> None:
        """Raise for the equation of a compiled program that gives what is bad."""
        values: dict[Var, Any] = dict(zip(program.inputs, operands, strict=True))
        for equation in program.equations:
            inputs = list(dict.fromkeys(a for a in equation.operands if isinstance(a, Var)))
            alone = Program(inputs, [equation], equation.results, program.name)
            try:
                with use_trace(self):
                    out = evaluate(alone, *(values[v] for v in inputs))
            except FloatingPointError:
                if equation.source is None or equation.primitive.subprograms:
                    raise
                raise FloatingPointError(f"{equation.primitive} gave {self.what}\n  at {equation.source}") from None
            values.update(zip(equation.results, out, strict=True))


@contextlib.contextmanager
def debug_nans(enabled: bool = True) -> Iterator[None]:
    """A scope in which an operation that gives NaN raises, with the line where it stands; also inside of jitted functions.

    Everything runs slower: each result is looked at.

    Args:
      enabled: False turns the checks off, inside such a scope.

    Raises:
      FloatingPointError: where the first NaN arises.

    >>> import functorch_lite as fl, functorch_lite.numpy as fnp
    >>> with fl.debug_nans():
    ...     fl.jit(lambda x: fnp.log(x) + 1.0)(-1.0)
    Traceback (most recent call last):
      ...
    FloatingPointError: log gave NaN
      at ...
    """
    with _checked(np.isnan, "NaN", enabled):
        yield


@contextlib.contextmanager
def debug_infs(enabled: bool = True) -> Iterator[None]:
    """As `debug_nans`, for infinities.

    >>> import functorch_lite as fl, functorch_lite.numpy as fnp
    >>> with fl.debug_infs():
    ...     fnp.float32(1.0) / fnp.zeros(2)
    Traceback (most recent call last):
      ...
    FloatingPointError: div gave an infinity
      at ...
    """
    with _checked(np.isinf, "an infinity", enabled):
        yield


def _checked(is_bad: Callable[[Any], Any], what: str, enabled: bool) -> use_trace:
    trace: Trace = context.trace
    if enabled:
        return use_trace(CheckingTrace(trace, is_bad, what))
    while isinstance(trace, CheckingTrace) and trace.what == what and trace.parent is not None:
        trace = trace.parent
    return use_trace(trace)
