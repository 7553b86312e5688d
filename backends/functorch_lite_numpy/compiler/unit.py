"""A unit of native code: one LLVM module with its kernels, constants, and the addresses it needs at run time.

Addresses of the outside (BLAS, NumPy's C functions) are never written into code: they stand in variables of the module, which
are set once it is loaded. So the code can be kept on disk.
"""

from __future__ import annotations

import threading
from collections.abc import Callable, Sequence
from typing import Any, NamedTuple

import numpy as np

from ..forking import whole
from ..threads import threads as processors
from . import engine, ir, processor
from .inlining import mark_inlined
from .linking import joined
from .parts import Part, parts
from .types import I8, PTR, new_function

__all__ = ["Source", "Unit"]


class Unit:
    """Collects what becomes one library of machine code."""

    def __init__(self) -> None:
        self.module = ir.Module("functorch_lite")
        self.functions: dict[Any, Any] = {}
        """Functions of nests and steps, by what they do."""
        self.needed: dict[str, None] = {}
        """The names of what is outside."""
        self.constants: dict[Any, Any] = {}
        self.names = 0
        self.bodies: list[str] = []
        """The functions that loops call in each turn."""
        self.interruptible = False
        """Whether there is a loop that may end early, with a Python exception set."""

    def name(self, prefix: str) -> str:
        self.names += 1
        return f"{prefix}{self.names}"

    def constant(self, value: np.ndarray) -> Any:
        """A pointer to an array that is part of the code."""
        data = np.ascontiguousarray(value).tobytes()
        key = (data, value.dtype)
        if key not in self.constants:
            type = ir.ArrayType(I8, len(data))
            variable: Any = ir.GlobalVariable(self.module, type, self.name("constant"))
            variable.initializer = ir.Constant(type, bytearray(data))
            variable.global_constant = True
            variable.linkage = "internal"
            variable.align = 64
            self.constants[key] = variable
        return self.constants[key]

    def call_outside(self, b: Any, name: str, result: Any, args: Sequence[Any]) -> Any:
        """A call of a C function outside."""
        type = ir.PointerType(ir.FunctionType(result, [a.type for a in args]))
        return b.call(self.outside(b, name, type), args)

    def outside(self, b: Any, name: str, type: Any = PTR) -> Any:
        """A pointer to something outside, by the name that `outside.address` knows."""
        return b.load(self.outside_variable(name), typ=type)

    def outside_variable(self, name: str) -> Any:
        """The variable that holds it."""
        if name not in self.needed:
            variable: Any = ir.GlobalVariable(self.module, PTR, f"outside.{name}")
            variable.initializer = ir.Constant(PTR, None)
            self.needed[name] = None
        return self.module.globals[f"outside.{name}"]

    def shared(self, key: Any, make: Callable[[], Any]) -> Any:
        """The function that `make` appends for a key; the same one from then on."""
        if key not in self.functions:
            self.functions[key] = make()
        return self.functions[key]

    def function(self, name: str, result: Any, arguments: Sequence[Any], linkage: str = "internal") -> Any:
        return new_function(self.module, name, result, arguments, linkage)

    def text(self) -> str:
        return str(self.module)

    def source(self) -> Source:
        """What LLVM is given; the unit is used up."""
        inlined = mark_inlined(self.module, self.bodies)
        texts = parts(self.module, inlined) if processor.joins() else [Part(self.text(), 2)]
        self.forget_code()
        return Source(list(self.needed), texts)

    def compiled(self) -> bytes:
        """The machine code, to be kept and `linked`; the unit is used up."""
        return self.source().compiled()

    def forget_code(self) -> None:
        """Take the module apart: blocks and functions refer to each other, and Python would have to look for such circles."""
        for function in self.module.functions:
            function.blocks.clear()
        self.module.globals.clear()


class Source(NamedTuple):
    """What LLVM is given for a unit.

    Attributes:
      needed: the names of what is outside.
      parts: the modules.
    """

    needed: list[str]
    parts: list[Part]

    def compiled(self) -> bytes:
        """The machine code, to be kept and `linked`."""
        return joined(self.needed, compiled(self.parts))

    def hurried(self) -> Source:
        """The same, with no pains taken: LLVM needs a third of the time, and the code does the same in more."""
        return Source(self.needed, [Part(part.text, 0) for part in self.parts])


def compiled(parts: Sequence[Part]) -> list[bytes]:
    """The machine code of each part; by a thread for each, where there are several processors."""
    codes: list[bytes | Exception] = [b""] * len(parts)

    def make(i: int) -> None:
        text, level = parts[i]
        try:
            codes[i] = engine.machine_code(text, level)
        except Exception as problem:
            codes[i] = problem

    alone = processors() == 1 or whole.is_inside()
    others = [] if alone else [threading.Thread(target=make, args=(i,)) for i in range(1, len(parts))]
    for thread in others:
        thread.start()
    for i in range(len(parts) if alone else 1):
        make(i)
    for thread in others:
        thread.join()
    for code in codes:
        if isinstance(code, Exception):
            raise code
    return codes  # type: ignore[return-value]
