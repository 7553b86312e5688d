"""Passes: program -> program. `executable` is the way from a program to a callable over a backend's buffers."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from ..backend import Backend
from ..lowering import compile_program
from ..program import Program, dead_code
from .algebra import rewrite_algebra
from .expand import expand
from .fold import fold
from .simplify import simplified, simplify

__all__ = ["executable", "expand", "fold", "optimized", "rewrite_algebra", "simplify"]


def optimized(program: Program, backend: Backend) -> Program:
    """The program as it is given to the backend."""
    return program.remember(("optimized", backend), lambda: _optimized(program, backend))


def _optimized(program: Program, backend: Backend) -> Program:
    simple = rewrite_algebra(simplified(program), keeping_bits=True)
    return dead_code(fold(expand(simple, backend), backend))


def executable(
    program: Program, backend: Backend, *, guarded: bool = True, compiled: bool | None = None
) -> Callable[..., tuple[Any, ...]]:
    """A callable from operand buffers to a tuple of result buffers.

    Args:
      program: what to run.
      backend: where.
      guarded: whether it sets up the surroundings that the kernels need, or the caller has done so.
      compiled: whether the backend's compiler may take its time; by default, if the program calls one that the user
        wanted compiled.
    """
    if compiled is None:
        compiled = any(e.primitive.compiles for e in program.equations)
    if compiled:
        return program.remember(("compiled", backend), lambda: backend.compile(optimized(program, backend)))
    # What kernels are called for is needed but once: kept, it would be most of what gradients of many shapes take.
    if guarded:
        return program.remember(("executable", backend), lambda: backend.interpret(_optimized(program, backend)))
    return program.remember(("unguarded", backend), lambda: compile_program(_optimized(program, backend), backend))
