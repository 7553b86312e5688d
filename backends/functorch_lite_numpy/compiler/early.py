"""A program's first calls, while the way in (`entry.py`) is yet to be made: the same by ctypes, in 20 microseconds or so.

To make the way in takes about as long as to make a small program, and the first result does not need it. So it comes afterwards, as
does all else that only later calls need. These functions pass calls on to it from then on.
"""

from __future__ import annotations

import ctypes
from collections.abc import Callable
from typing import Any

import numpy as np

from functorch_lite.extend import Program, has_dim

from .arena import ALIGNMENT
from .background import be_calm, hurry
from .entry import PASSED, PROGRAM, Code, code_of, entry, find_entry, native_call
from .linking import Library
from .sequences import with_sequences

__all__ = ["callable_of", "code_in", "make_callable"]


class Early:
    """The Python function of a program.

    Attributes:
      code: its table.
    """

    def __init__(self, code: Code, program: Program):
        hurry()
        self.code = code
        self._has_run = False
        self._native: Callable[..., tuple[Any, ...]] | None = None
        words = dict(zip(PROGRAM, code.tolist(), strict=True))
        self._n_operands, self._arena = words["n_operands"], words["arena"]
        self._is_long = bool(words["is_long"])
        rows = _words(words["passed"], words["n_passed"] * len(PASSED))
        self._passed = dict(zip(rows[:: len(PASSED)], rows[1 :: len(PASSED)], strict=True))
        types = [t for t in program.out_types if not has_dim(t.shape)]
        self._made = {k: t for k, t in enumerate(types) if k not in self._passed}
        self._n_results = len(types)

    def __call__(self, *buffers: Any) -> tuple[Any, ...]:
        if self._native is not None:
            return self._native(*buffers)
        run = native_call(self.code) if entry.is_done else self._run
        try:
            return run(*buffers)
        finally:
            if not self._has_run:
                self._has_run = True
                be_calm()
            if entry.is_done:
                self._native = native_call(self.code)

    def _run(self, *buffers: Any) -> tuple[Any, ...]:
        if len(buffers) != self._n_operands:
            raise SystemError(f"a program of {self._n_operands} operands was called with {len(buffers)}")
        operands = [np.require(x, requirements=["C", "A"]) for x in buffers]
        results = {k: np.empty(t.shape, t.dtype) for k, t in self._made.items()}
        arena = np.empty(self._arena + ALIGNMENT, np.uint8)
        start = -(-arena.ctypes.data // ALIGNMENT) * ALIGNMENT
        self._call(_pointers(operands), _pointers(results.values()), start)
        # [()]: a scalar where there are no axes, as NumPy returns it
        return tuple(results[k][()] if k in results else buffers[self._passed[k]] for k in range(self._n_results))

    def _call(self, *arguments: Any) -> None:
        """The machine code, without the GIL if it takes long."""
        prototype = ctypes.CFUNCTYPE if self._is_long else ctypes.PYFUNCTYPE
        call = prototype(None, *[ctypes.c_void_p] * 3)(int(self.code[PROGRAM.index("run")]))
        problem: BaseException | None = None
        try:
            call(*arguments)
        except SystemError as error:  # without the GIL ctypes does not see that a loop was left with an exception
            problem = error.__cause__ or error
        if problem is not None:
            raise problem


def _words(address: int, n: int) -> list[int]:
    return list((ctypes.c_int64 * n).from_address(address)) if n else []


def _pointers(arrays: Any) -> Any:
    places = [x.ctypes.data for x in arrays]
    return (ctypes.c_void_p * len(places))(*places)


def make_callable(library: Library, program: Program) -> Callable[..., tuple[Any, ...]]:
    """A Python function from operand buffers to a tuple of result buffers, of a program's code and signature."""
    code = code_of(library, program)
    if not find_entry():
        return callable_of(code, program)
    return with_sequences(native_call(code), program.in_types, program.out_types)


def callable_of(code: Code, program: Program) -> Callable[..., tuple[Any, ...]]:
    """The same of a program's table, where it was made just now."""
    return with_sequences(Early(code, program), program.in_types, program.out_types)


def code_in(run: Callable[..., Any]) -> Code | None:
    """The table of the program that such a function is of; None if it is of none alone."""
    code = run.code if isinstance(run, Early) else getattr(run, "__self__", None)
    return code if isinstance(code, Code) else None
