"""A unit of native code: one LLVM module with its kernels, constants, and the addresses it needs at run time.

Addresses of the outside (BLAS, NumPy's C functions) are never written into code: they stand in variables of the module, which
are set once it is loaded. So the code can be kept on disk.
"""

from __future__ import annotations

import threading
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from typing import Any

import numpy as np

from ..forking import whole
from ..threads import threads as processors
from . import engine, ir, processor
from .inlining import mark_inlined
from .linking import joined
from .parts import Part, parts, whole_part
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
        self.losses: dict[str, float] = {}
        """About how many nanoseconds functions take longer in a draft, in a run, as far as it was told."""
        self.inner: set[str] = set()
        """Functions that do nearly all of the work of those that call them."""
        self.turns = 1.0
        """How often what is emitted now will be called in a run."""

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

    def loses(self, function: str, loss: float) -> None:
        """Tell that a call of a function, with what it calls, takes so many nanoseconds longer in a draft."""
        if loss:
            self.losses[function] = self.losses.get(function, 0.0) + self.turns * loss

    @contextmanager
    def repeated(self, turns: float) -> Iterator[None]:
        """What is emitted meanwhile is called so many times."""
        before, self.turns = self.turns, self.turns * turns
        yield
        self.turns = before

    def text(self) -> str:
        return str(self.module)

    def source(self, hurried: bool = False) -> Source:
        """What LLVM is given; the unit is used up.

        Args:
          hurried: whether there is a draft.
        """
        inlined = mark_inlined(self.module, self.bodies)
        losses = self.losses if hurried else None
        joins = processor.joins()
        texts = parts(self.module, inlined, losses, self.inner) if joins else [whole_part(self.module, losses)]
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


class Source:
    """What LLVM is given for a unit.

    Attributes:
      needed: the names of what is outside.
      parts: the modules.
    """

    def __init__(self, needed: Sequence[str], parts: Sequence[Part]):
        self.needed = needed
        self.parts = parts
        self._codes: dict[tuple[str, int], bytes] = {}

    @property
    def has_draft(self) -> bool:
        return any(part.draft != part.level for part in self.parts)

    def compiled(self) -> bytes:
        """The machine code, to be kept and `linked`."""
        return self._compiled([(part.text, part.level) for part in self.parts])

    def draft(self) -> bytes:
        """The same with less pains taken: LLVM needs a third of the time, and the code does the same in more."""
        return self._compiled([(part.text, part.draft) for part in self.parts])

    def _compiled(self, wanted: Sequence[tuple[str, int]]) -> bytes:
        new = [each for each in wanted if each not in self._codes]
        self._codes.update(zip(new, compiled(new), strict=True))
        return joined(self.needed, [self._codes[each] for each in wanted])


def compiled(texts: Sequence[tuple[str, int]]) -> list[bytes]:
    """The machine code of texts, each with its level; by a thread for each, where there are several processors."""
    codes: list[bytes | Exception] = [b""] * len(texts)

    def make(i: int) -> None:
        try:
            codes[i] = engine.machine_code(*texts[i])
        except Exception as problem:
            codes[i] = problem

    alone = processors() == 1 or whole.is_inside()
    others = [] if alone else [threading.Thread(target=make, args=(i,)) for i in range(1, len(texts))]
    for thread in others:
        thread.start()
    for i in range(len(texts) if alone else min(len(texts), 1)):
        make(i)
    for thread in others:
        thread.join()
    for code in codes:
        if isinstance(code, Exception):
            raise code
    return codes  # type: ignore[return-value]
