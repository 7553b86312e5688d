"""The builder: a method for each instruction, which appends it as a line to a block."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from typing import Any

from .types import I1, IntType, PointerType, VectorType, VoidType
from .values import Alloca, Block, Constant, Function, Module, Phi, Switch, Value, aligned

__all__ = ["IRBuilder"]


def _binary(opcode: str) -> Callable[..., Value]:
    def emit(b: IRBuilder, x: Value, y: Value) -> Value:
        return b.append(x.type, f"{opcode} {x.type.text} {x.ref}, {y.ref}")

    return emit


def _compare(opcode: str, prefix: str) -> Callable[..., Value]:
    names = {op: prefix + name for op, name in _COMPARISONS.items()}
    if opcode == "icmp":
        names.update({"==": "eq", "!=": "ne"})
    else:
        names.update({"ord": "ord", "uno": "uno"})

    def emit(b: IRBuilder, op: str, x: Value, y: Value) -> Value:
        type = VectorType(I1, x.type.count) if isinstance(x.type, VectorType) else I1
        return b.append(type, f"{opcode} {names[op]} {x.type.text} {x.ref}, {y.ref}")

    return emit


_COMPARISONS = {"<": "lt", "<=": "le", ">": "gt", ">=": "ge", "==": "eq", "!=": "ne"}


def _cast(opcode: str) -> Callable[..., Value]:
    def emit(b: IRBuilder, x: Value, type: Any) -> Value:
        return x if x.type is type else b.append(type, f"{opcode} {x.typed} to {type.text}")

    return emit


_WEIGHTS = {
    None: "",
    True: ', !prof !{!"branch_weights", i32 99, i32 1}',
    False: ', !prof !{!"branch_weights", i32 1, i32 99}',
}


class IRBuilder:
    """Appends instructions to a block, and says which one."""

    def __init__(self, block: Block):
        self.block = block

    @property
    def function(self) -> Function:
        return self.block.function

    @property
    def module(self) -> Module:
        return self.block.function.module

    def name(self) -> str:
        """A name for a result."""
        function = self.block.function
        function.names += 1
        return f"%v{function.names}"

    def append(self, type: Any, text: str) -> Value:
        """Append an instruction; its result."""
        block = self.block
        function = block.function
        number = function.names = function.names + 1
        ref = f"%v{number}"
        block.lines.append(f"  {ref} = {text}")
        return Value(type, ref)

    # Where to write.

    def position_at_end(self, block: Block) -> None:
        self.block = block

    def append_basic_block(self, name: str = "") -> Block:
        return self.function.append_basic_block(name)

    @contextmanager
    def goto_entry_block(self) -> Iterator[None]:
        """Write to the first block of the function meanwhile."""
        here, self.block = self.block, self.function.blocks[0]
        yield
        self.block = here

    @contextmanager
    def if_then(self, condition: Value, likely: bool | None = None) -> Iterator[None]:
        """Code for when a condition holds; the builder stands inside, then behind."""
        then, done = self.append_basic_block("then"), self.append_basic_block("done")
        self.cbranch(condition, then, done, likely)
        with self._inside(then, done):
            yield
        self.position_at_end(done)

    @contextmanager
    def if_else(self, condition: Value) -> Iterator[tuple[Any, Any]]:
        """Two contexts: for when a condition holds, and when not."""
        then, otherwise, done = (self.append_basic_block(n) for n in ("then", "otherwise", "done"))
        self.cbranch(condition, then, otherwise)
        yield self._inside(then, done), self._inside(otherwise, done)
        self.position_at_end(done)

    @contextmanager
    def _inside(self, block: Block, done: Block) -> Iterator[None]:
        self.position_at_end(block)
        yield
        if self.block.terminator is None:
            self.branch(done)

    # The ends of blocks.

    def _end(self, terminator: Any) -> Any:
        assert self.block.terminator is None, f"{self.block.name} has an end already"
        self.block.terminator = terminator
        return terminator

    def branch(self, block: Block) -> None:
        self._end(f"br label %{block.name}")

    def cbranch(self, condition: Value, then: Block, otherwise: Block, likely: bool | None = None) -> None:
        self._end(f"br {condition.typed}, label %{then.name}, label %{otherwise.name}{_WEIGHTS[likely]}")

    def switch(self, value: Value, default: Block) -> Switch:
        return self._end(Switch(value, default))

    def ret(self, value: Value) -> None:
        self._end(f"ret {value.typed}")

    def ret_void(self) -> None:
        self._end("ret void")

    # Arithmetic.

    add, sub, mul = _binary("add"), _binary("sub"), _binary("mul")
    sdiv, udiv, srem, urem = _binary("sdiv"), _binary("udiv"), _binary("srem"), _binary("urem")
    shl, lshr, ashr = _binary("shl"), _binary("lshr"), _binary("ashr")
    and_, or_, xor = _binary("and"), _binary("or"), _binary("xor")
    fadd, fsub, fmul, fdiv = (_binary(op) for op in ("fadd", "fsub", "fmul", "fdiv"))
    icmp_signed, icmp_unsigned = _compare("icmp", "s"), _compare("icmp", "u")
    fcmp_ordered, fcmp_unordered = _compare("fcmp", "o"), _compare("fcmp", "u")
    trunc, zext, sext, bitcast = _cast("trunc"), _cast("zext"), _cast("sext"), _cast("bitcast")
    fptrunc, fpext, sitofp, uitofp = _cast("fptrunc"), _cast("fpext"), _cast("sitofp"), _cast("uitofp")
    fptosi = _cast("fptosi")
    ptrtoint, inttoptr = _cast("ptrtoint"), _cast("inttoptr")

    def neg(self, x: Value) -> Value:
        return self.append(x.type, f"sub {x.type.text} {'0' if isinstance(x.type, IntType) else x.type.zero}, {x.ref}")

    def fneg(self, x: Value) -> Value:
        return self.append(x.type, f"fneg {x.typed}")

    def not_(self, x: Value) -> Value:
        vector = isinstance(x.type, VectorType)
        scalar = x.type.element if vector else x.type
        ones = "true" if scalar is I1 else "-1"
        return self.append(x.type, f"xor {x.typed}, {f'splat ({scalar.text} {ones})' if vector else ones}")

    def select(self, condition: Value, x: Value, y: Value) -> Value:
        return self.append(x.type, f"select {condition.typed}, {x.typed}, {y.typed}")

    # Parts of vectors and structures.

    def extract_element(self, vector: Value, index: Value) -> Value:
        return self.append(vector.type.element, f"extractelement {vector.typed}, {index.typed}")

    def insert_element(self, vector: Value, value: Value, index: Value) -> Value:
        return self.append(vector.type, f"insertelement {vector.typed}, {value.typed}, {index.typed}")

    def shuffle_vector(self, x: Value, y: Value, mask: Value) -> Value:
        type = VectorType(x.type.element, mask.type.count)
        return self.append(type, f"shufflevector {x.typed}, {y.typed}, {mask.typed}")

    def extract_value(self, structure: Value, index: int) -> Value:
        return self.append(structure.type.elements[index], f"extractvalue {structure.typed}, {index}")

    def insert_value(self, structure: Value, value: Value, index: int) -> Value:
        return self.append(structure.type, f"insertvalue {structure.typed}, {value.typed}, {index}")

    # Memory.

    def alloca(self, type: Any, count: int | Value | None = None) -> Alloca:
        out = Alloca(type, self.name(), Constant(IntType(32), count) if isinstance(count, int) else count)
        self.block.lines.append(out)
        return out

    def load(self, pointer: Value, typ: Any = None, align: int | None = None) -> Value:
        """What is there; `typ` may be omitted for memory on the stack, and variables."""
        type = typ or getattr(pointer, "allocated_type", None) or pointer.value_type  # type: ignore[attr-defined]
        return self.append(type, f"load {type.text}, {pointer.typed}{aligned(align)}")

    def store(self, value: Value, pointer: Value, align: int | None = None) -> None:
        self.block.lines.append(f"  store {value.typed}, {pointer.typed}{aligned(align)}")

    def store_nontemporal(self, value: Value, pointer: Value, align: int) -> None:
        """Store past the caches; a fence must follow before others may read."""
        self.block.lines.append(f"  store {value.typed}, {pointer.typed}{aligned(align)}, !nontemporal !{{i32 1}}")

    def fence(self) -> None:
        """Have all stores so far done before anything behind."""
        self.block.lines.append("  fence seq_cst")

    def gep(self, pointer: Value, indices: Sequence[Value], source_etype: Any) -> Value:
        """A pointer moved; a vector of pointers if an index is one."""
        type: Any = pointer.type
        for index in indices:
            if isinstance(index.type, VectorType):
                type = VectorType(PointerType(), index.type.count)
        places = ", ".join([i.typed for i in indices])
        return self.append(type, f"getelementptr {source_etype.text}, {pointer.typed}, {places}")

    # Control.

    def phi(self, type: Any) -> Phi:
        out = Phi(type, self.name())
        self.block.phis.append(out)
        return out

    def call(self, function: Any, args: Sequence[Value], fastmath: Sequence[str] = ()) -> Any:
        """Call a function, or what a pointer to a function type points to; the result, None if there is none."""
        type = function.ftype if isinstance(function, Function) else function.type.pointee
        flags = "".join(f"{flag} " for flag in fastmath)
        given = ", ".join([a.typed for a in args])
        text = f"call {flags}{type.return_type.text} {function.ref}({given})"
        if isinstance(type.return_type, VoidType):
            self.block.lines.append(f"  {text}")
            return None
        return self.append(type.return_type, text)
