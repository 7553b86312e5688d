"""A unit of native code: one LLVM module with its kernels, constants, and the addresses it needs at run time.

Addresses of the outside (BLAS, NumPy's C functions) are never written into code: they stand in variables of the module, which
are set once it is loaded. So the code can be kept on disk.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import Any, TypeVar

import numpy as np

from ..threads import threads as processors
from . import ir, processor
from .linking import joined
from .losses import Losses
from .parts import Cutter, Part, whole_part
from .types import I8, PTR, new_function
from .workers import Workers

__all__ = ["Source", "Unit"]

T = TypeVar("T")


class Unit:
    """Collects what becomes one library of machine code."""

    def __init__(self, has_draft: bool = False, meanwhile: bool = False) -> None:
        """An empty unit.

        Args:
          has_draft: whether little may be taken pains with for the time being.
          meanwhile: whether functions are compiled while others are written; then they cannot be read any more.
        """
        self.module = ir.Module("functorch_lite")
        self.functions: dict[Any, tuple[Any, dict[str, None]]] = {}
        """Functions of nests and steps, by what they do; and the names of all that was written for these."""
        self.noted: dict[str, None] = {}
        """The names of functions that were written, or shared, since somebody began to look."""
        self.needed: dict[str, None] = {}
        """The names of what is outside."""
        self.constants: dict[Any, Any] = {}
        self.names = 0
        self.bodies: list[str] = []
        """The functions that loops call in each turn."""
        self.awaited: set[str] = set()
        """Functions that are called by one that is yet to be written."""
        self.interruptible = False
        """Whether it may end early, with a Python exception set."""
        self.say_lack: Callable[[Any], None] | None = None
        """What writes that there is no memory, into the function of a piece that is being written."""
        self.losses = Losses()
        self.workers = workers = Workers(processors() - 1)
        early = meanwhile and processors() > 1 and processor.joins()
        begin = (lambda part: workers.begin(part.text, part.draft)) if early else None
        self.cutter = Cutter(self.module, has_draft, begin)

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
        found = self.functions.get(key)
        if found is None:
            found = self.functions[key] = self.noting(make)
        made, names = found
        self.noted.update(names)
        return made

    def function(self, name: str, result: Any, arguments: Sequence[Any], linkage: str = "internal") -> Any:
        self.noted[name] = None
        return new_function(self.module, name, result, arguments, linkage)

    def noting(self, make: Callable[[], T]) -> tuple[T, dict[str, None]]:
        """What a call gives, and the names of the functions that it writes, or shares."""
        before, self.noted = self.noted, {}
        made, names = make(), self.noted
        self.noted = before
        return made, names

    def settle(self, rest: bool = False) -> None:
        """Have functions compiled while others are written, if there are enough of them; `rest`: that is all."""
        awaited = () if rest else self.awaited
        inlined = self.cutter.take(self.bodies, self.losses, awaited, rest)
        if inlined:
            for key in [key for key, (_, names) in self.functions.items() if not inlined.keys().isdisjoint(names)]:
                del self.functions[key]

    def text(self) -> str:
        return str(self.module)

    def source(self) -> Source:
        """What LLVM is given; the unit is used up."""
        if processor.joins():
            self.settle(rest=True)
            parts = self.cutter.parts
        else:
            parts = [whole_part(self.module, self.losses, self.cutter.has_draft)]
        self.forget_code()
        return Source(list(self.needed), parts, self.workers)

    def compiled(self) -> bytes:
        """The machine code, to be kept and `linked`; the unit is used up."""
        return self.source().compiled()

    def forget_code(self) -> None:
        """Take the module apart: blocks and functions refer to each other, and Python would have to look for such circles."""
        for function in self.module.functions:
            function.blocks.clear()
        self.module.globals.clear()


class Source:
    """What LLVM is given for a unit.

    Attributes:
      needed: the names of what is outside.
      parts: the modules.
    """

    def __init__(self, needed: Sequence[str], parts: Sequence[Part], workers: Workers):
        self.needed = needed
        self.parts = parts
        self._workers = workers

    @property
    def has_draft(self) -> bool:
        return any(part.draft != part.level for part in self.parts)

    def compiled(self, between: Callable[[], object] | None = None) -> bytes:
        """The machine code, to be kept and `linked`; if `between` is given it is called before each part, and no thread begun."""
        return self._compiled([(part.text, part.level) for part in self.parts], between)

    def draft(self) -> bytes:
        """The same with less pains taken: LLVM needs a third of the time, and the code does the same in more."""
        return self._compiled([(part.text, part.draft) for part in self.parts])

    def _compiled(self, wanted: Sequence[tuple[str, int]], between: Callable[[], object] | None = None) -> bytes:
        for each in wanted:
            self._workers.add(*each) if between else self._workers.begin(*each)
        self._workers.finish(between)
        return joined(self.needed, [self._workers.codes[each] for each in wanted])
