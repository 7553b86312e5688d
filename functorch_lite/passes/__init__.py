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
from .simplify import simplify

__all__ = ["executable", "expand", "fold", "optimized", "rewrite_algebra", "simplify"]


def optimized(program: Program, backend: Backend) -> Program:
    """The program as it is given to the backend."""
    return program.remember(
        ("optimized", backend), lambda: dead_code(fold(expand(_simplified(program), backend), backend))
    )


def _simplified(program: Program) -> Program:
    return rewrite_algebra(simplify(program), keeping_bits=True)


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
    if guarded:
        return program.remember(("executable", backend), lambda: backend.interpret(optimized(program, backend)))
    return program.remember(("unguarded", backend), lambda: compile_program(optimized(program, backend), backend))
