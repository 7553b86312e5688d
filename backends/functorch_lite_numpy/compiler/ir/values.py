"""Values of LLVM IR: constants, variables, functions and their blocks."""

from __future__ import annotations

from typing import Any

from .types import PointerType

__all__ = [
    "NEAR",
    "Alloca",
    "Block",
    "Constant",
    "Function",
    "GlobalValue",
    "GlobalVariable",
    "Module",
    "Phi",
    "Switch",
    "Undefined",
    "Value",
    "aligned",
]


POINTER = PointerType()


class Value:
    """Something that an instruction can take: `ref` is how it is written there, `typed` the same with its type."""

    __slots__ = ("ref", "type", "typed")

    def __init__(self, type: Any, ref: str):
        self.type = type
        self.ref = ref
        self.typed = f"{type.text} {ref}"


NEAR = "dso_local "
"""What is said of all that other modules see or have: it lies near enough for short addresses."""
Undefined: Any = object()


class Constant(Value):
    """A value known now.

    Args:
      type: its type.
      constant: a number; numbers, for a vector; constants, for an array or a structure; bytes, for an array of them; None: all
        bits zero.
    """

    __slots__ = ("constant",)

    def __init__(self, type: Any, constant: Any):
        self.type = type
        self.constant = constant
        self.ref = "undef" if constant is Undefined else type.zero if constant is None else type.literal(constant)
        self.typed = f"{type.text} {self.ref}"


class Argument(Value):
    """What a function is given."""

    __slots__ = ("attributes",)

    def __init__(self, type: Any, ref: str):
        super().__init__(type, ref)
        self.attributes: list[str] = []

    def add_attribute(self, name: str) -> None:
        self.attributes.append(name)

    def __str__(self) -> str:
        return " ".join([self.type.text, *self.attributes, self.ref])


class Phi(Value):
    """A value that depends on where the block was entered from."""

    __slots__ = ("incoming",)

    def __init__(self, type: Any, ref: str):
        super().__init__(type, ref)
        self.incoming: list[str] = []

    def add_incoming(self, value: Value, block: Block) -> None:
        self.incoming.append(f"[ {value.ref}, %{block.name} ]")

    def __str__(self) -> str:
        return f"  {self.ref} = phi {self.type.text} {', '.join(self.incoming)}"


class Alloca(Value):
    """Memory on the stack."""

    __slots__ = ("align", "allocated_type", "count")

    def __init__(self, type: Any, ref: str, count: Value | None, align: int | None = None):
        super().__init__(POINTER, ref)
        self.allocated_type = type
        self.count = count
        self.align = align

    def __str__(self) -> str:
        count = "" if self.count is None else f", {self.count.typed}"
        return f"  {self.ref} = alloca {self.allocated_type.text}{count}{aligned(self.align)}"


class Switch:
    """A jump by an integer."""

    def __init__(self, value: Value, default: Block):
        self.head = f"switch {value.typed}, label %{default.name}"
        self.cases: list[str] = []

    def add_case(self, value: Value, block: Block) -> None:
        self.cases.append(f"{value.typed}, label %{block.name}")

    def __str__(self) -> str:
        return f"{self.head} [ {' '.join(self.cases)} ]"


def aligned(align: int | None) -> str:
    return "" if align is None else f", align {align}"


class Module:
    """Functions and variables by name."""

    def __init__(self, name: str = ""):
        self.name = name
        self.globals: dict[str, Any] = {}

    @property
    def functions(self) -> list[Function]:
        return [v for v in self.globals.values() if isinstance(v, Function)]

    def __str__(self) -> str:
        return "\n".join(map(str, self.globals.values()))


class GlobalValue(Value):
    """What has a name in a module."""

    __slots__ = ("linkage", "name")

    def __init__(self, module: Module, name: str):
        super().__init__(POINTER, f'@"{name}"')
        if name in module.globals:
            raise ValueError(f"the module has a {name!r} already.")
        self.name = name
        self.linkage = ""
        module.globals[name] = self

    def declaration(self) -> str:
        """What a module says that finds it in another one."""
        raise NotImplementedError


class GlobalVariable(GlobalValue):
    __slots__ = ("align", "global_constant", "initializer", "value_type")

    def __init__(self, module: Module, type: Any, name: str):
        super().__init__(module, name)
        self.value_type = type
        self.initializer: Constant | None = None
        self.global_constant = False
        self.align: int | None = None

    def declaration(self) -> str:
        return f"{self.ref} = external {NEAR}{self._kind} {self.value_type.text}{aligned(self.align)}"

    @property
    def _kind(self) -> str:
        return "constant" if self.global_constant else "global"

    def __str__(self) -> str:
        if self.initializer is None:
            return self.declaration()
        linkage = f"{self.linkage} " if self.linkage else NEAR
        return f"{self.ref} = {linkage}{self._kind} {self.initializer.typed}{aligned(self.align)}"


class Function(GlobalValue):
    """A function; without blocks it is one from elsewhere."""

    __slots__ = ("args", "attributes", "blocks", "ftype", "module", "names")

    def __init__(self, module: Module, type: Any, name: str):
        super().__init__(module, name)
        self.module = module
        self.ftype = type
        self.args = [Argument(t, f"%x{i}") for i, t in enumerate(type.args)]
        self.attributes: set[str] = set()
        self.blocks: list[Block] = []
        self.names = 0

    def append_basic_block(self, name: str = "") -> Block:
        block = Block(self, name)
        self.blocks.append(block)
        return block

    def declaration(self) -> str:
        near = "" if self.name.startswith("llvm.") else NEAR
        return f"declare {near}{self.ftype.return_type.text} {self.ref}({', '.join(t.text for t in self.ftype.args)})"

    def __str__(self) -> str:
        if not self.blocks:
            return self.declaration()
        linkage = f"{self.linkage} " if self.linkage and self.linkage != "external" else NEAR
        head = f"define {linkage}{self.ftype.return_type.text} {self.ref}({', '.join(map(str, self.args))})"
        return "\n".join([" ".join([head, *sorted(self.attributes), "{"]), *map(str, self.blocks), "}"])


class Block:
    """Instructions one after the other, and where to go in the end."""

    __slots__ = ("function", "lines", "name", "phis", "terminator")

    def __init__(self, function: Function, name: str = ""):
        function.names += 1
        self.function = function
        self.name = f"{name or 'block'}.{function.names}"
        self.phis: list[Phi] = []
        self.lines: list[Any] = []
        self.terminator: Any = None

    def __str__(self) -> str:
        return "\n".join([f"{self.name}:", *map(str, (*self.phis, *self.lines)), f"  {self.terminator}"])
