"""`NumpyBackend`: NumPy's namespace, and what NumPy does faster than by its general functions."""

from __future__ import annotations

import functools
import os
import warnings
from collections.abc import Callable
from types import ModuleType
from typing import Any

import numpy as np

from functorch_lite.extend import Backend, Namespace

from .forking import imported
from .kernels import FAST, OPERATORS, TABLE
from .quiet import quiet

__all__ = ["NumpyBackend"]


@functools.cache
def import_compiler() -> ModuleType | ImportError | None:
    """The compiler, None if it is turned off, or the error of its import."""
    if os.environ.get("FUNCTORCH_LITE_COMPILER") == "off":
        return None
    try:
        compiler = imported(".compiler", __package__)  # it needs llvmlite
        compiler.import_ahead()
    except ImportError as error:
        return error
    return compiler


@functools.cache
def load_compiler() -> Any:
    """The compiler, or None if LLVM is not installed or this is no machine for it: then a warning says so once."""
    compiler = import_compiler()
    if compiler is None:
        return None
    if isinstance(compiler, ImportError):
        obstacle = f"{compiler}. To change that: pip install llvmlite"
    else:
        obstacle = compiler.obstacle()
    if obstacle is not None:
        _say_why(obstacle)
        return None
    return compiler


@functools.cache
def _say_why(obstacle: str) -> None:
    """Once."""
    warnings.warn(f"jit runs NumPy calls, not machine code: {obstacle}", RuntimeWarning, stacklevel=4)


def _special() -> Any:
    import scipy.special  # on first use: SciPy takes longer to import than all of this library

    return scipy.special


class NumpyBackend(Backend):
    """Arrays in the memory of the host, computed by NumPy."""

    name = "numpy"
    table = TABLE

    def __init__(self) -> None:
        super().__init__(Namespace(np, _special))
        import_compiler()

    def from_host(self, array: Any) -> Any:
        return array if isinstance(array, np.generic) else np.array(array)

    def to_host(self, buffer: Any) -> np.ndarray:
        return np.asarray(buffer)

    def literal(self, value: np.generic) -> Any:
        return value

    def guard(self, run: Callable[..., Any]) -> Callable[..., Any]:
        return quiet(run)

    def prepare(self) -> None:
        compiler = import_compiler()
        if isinstance(compiler, ModuleType):
            compiler.get_ready()

    def compile(self, program: Any) -> Callable[..., Any]:
        """Machine code, if there is a compiler; else, and where that fails, planned calls of kernels."""
        compiler = load_compiler()
        if compiler is None:
            return self.interpret(program)
        try:
            return compiler.compile_native(program, self)
        except MemoryError:
            raise
        except compiler.LLVMMissing as problem:
            _say_why(str(problem))
            return self.interpret(program)
        except Exception as error:
            warnings.warn(
                f"compiling {program.name!r} to machine code failed ({type(error).__name__}: {error}); it runs as NumPy "
                "calls. Please report this, with the program that `jit(f).lower(...)` shows.",
                RuntimeWarning,
                stacklevel=2,
            )
            return self.interpret(program)

    def fast_path(self, run: Callable[..., Any], operands: Any, results: Any) -> Callable[..., Any] | None:
        compiler = load_compiler()
        return None if compiler is None else compiler.fast_path(run, operands, results, self)

    def describe(self, program: Any) -> dict[str, Callable[[], str]]:
        compiler = load_compiler()
        return {} if compiler is None else compiler.making("reading").describe(program)

    def steps(self, program: Any) -> Any:
        compiler = load_compiler()
        return super().steps(program) if compiler is None else compiler.making("reading").steps(program, self)

    def has_kernel(self, primitive: Any) -> bool:
        namespace = getattr(primitive, "namespace", None) or ""
        return namespace.startswith("special.") or super().has_kernel(primitive)  # SciPy is not imported to say so

    def kernel(self, primitive: Any, types: Any, params: Any) -> Callable[..., Any]:
        if all(t.dtype.kind == "f" for t in types):
            fast = OPERATORS.get(primitive.name)
            if fast is not None:
                return fast
        make = FAST.get(primitive.name)
        if make is not None:
            return make(types, params)
        return super().kernel(primitive, types, params)
