"""The machine code of the way in for `Array`s; see `fast_path.py`."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from . import ir
from .fast_path import HEAD, OPERAND
from .grids import counted
from .objects import ARRAY_DATA, ARRAY_DTYPE, ARRAY_NDIM, ARRAY_SHAPE, OBJECT_TYPE, TUPLE_ITEMS
from .types import I8, I32, I64, NULL, PTR, constant
from .unit import Unit

__all__ = ["machine_code"]


class _Emitter:
    """Emits the function into a unit."""

    def __init__(self, unit: Unit, slots: Mapping[str, int]):
        self.unit = unit
        self.function = unit.function("arrays", PTR, [PTR, PTR, I64], "external")
        self.b = ir.IRBuilder(self.function.append_basic_block("entry"))
        self.refused = self.function.append_basic_block("refused")
        self.table = self.load(self.function.args[0], ARRAY_DATA)
        self.slots = slots

    def run(self) -> None:
        b, n = self.b, self.function.args[2]
        self.need(n, self.word("n_operands", I64))
        buffers = b.alloca(PTR, n)
        with counted(b, n) as i:
            x = b.load(b.gep(self.function.args[1], [i], source_etype=PTR), typ=PTR)
            row = b.gep(self.word("operands"), [b.mul(i, constant(I64, 8 * len(OPERAND)))], source_etype=I8)
            b.store(self.checked(x, row), b.gep(buffers, [i], source_etype=PTR))
        with counted(b, n) as i:  # another thread may give up an array meanwhile
            self.call("Py_IncRef", ir.VoidType(), b.load(b.gep(buffers, [i], source_etype=PTR), typ=PTR))
        entry = self.word("entry", ir.PointerType(ir.FunctionType(PTR, [PTR, PTR, I64])))
        out = b.call(entry, [self.word("code"), buffers, n])
        with counted(b, n) as i:
            self.call("Py_DecRef", ir.VoidType(), b.load(b.gep(buffers, [i], source_etype=PTR), typ=PTR))
        with b.if_then(b.icmp_unsigned("==", out, NULL)):
            b.ret(NULL)
        with counted(b, self.word("n_results", I64)) as k:
            self.wrap(out, k)
        b.ret(out)
        b.position_at_end(self.refused)
        answer = self.word("not_implemented")
        self.call("Py_IncRef", ir.VoidType(), answer)
        b.ret(answer)

    def checked(self, x: Any, row: Any) -> Any:
        """The buffer of an operand, if that is an `Array` of the type that its row in the table tells."""
        b = self.b
        dtype, scalar, weak, ndim, shape = (self.load(row, 8 * k) for k in range(len(OPERAND)))
        self.need(self.load(x, OBJECT_TYPE), self.word("array"))
        self.need(self.load(x, self.slots["weak_type"]), weak)
        self.need(self.load(x, self.slots["backend"]), self.word("backend"))
        buffer = self.load(x, self.slots["buffer"])
        kind = self.load(buffer, OBJECT_TYPE)
        with b.if_else(b.icmp_unsigned("==", kind, self.word("ndarray"))) as (array, other):
            with array:
                self.need(self.load(buffer, ARRAY_DTYPE), dtype)
                rank = b.ptrtoint(ndim, I64)
                self.need(b.sext(self.load(buffer, ARRAY_NDIM, I32), I64), rank)
                given = self.load(buffer, ARRAY_SHAPE)
                with counted(b, rank) as d:
                    here, there = (b.load(b.gep(p, [d], source_etype=I64), typ=I64) for p in (given, shape))
                    self.need(here, there)
            with other:
                self.need(kind, scalar)  # null where the program takes no scalar
        return buffer

    def wrap(self, out: Any, k: Any) -> None:
        """Put an `Array` into the tuple, in place of its buffer."""
        b = self.b
        place = b.gep(b.gep(out, [constant(I64, TUPLE_ITEMS)], source_etype=I8), [k], source_etype=PTR)
        made = self.call("PyType_GenericAlloc", PTR, self.word("array"), constant(I64, 0))
        with b.if_then(b.icmp_unsigned("==", made, NULL)):
            self.call("Py_DecRef", ir.VoidType(), out)
            b.ret(NULL)
        weak, backend = b.load(b.gep(self.word("results"), [k], source_etype=PTR), typ=PTR), self.word("backend")
        self.call("Py_IncRef", ir.VoidType(), weak)
        self.call("Py_IncRef", ir.VoidType(), backend)
        for name, value in (("buffer", b.load(place, typ=PTR)), ("weak_type", weak), ("backend", backend)):
            b.store(value, b.gep(made, [constant(I64, self.slots[name])], source_etype=I8))
        b.store(made, place)

    def word(self, name: str, type: Any = PTR) -> Any:
        return self.load(self.table, 8 * HEAD.index(name), type)

    def load(self, pointer: Any, offset: int, type: Any = PTR) -> Any:
        return self.b.load(self.b.gep(pointer, [constant(I64, offset)], source_etype=I8), typ=type)

    def need(self, value: Any, wanted: Any) -> None:
        """Go on if they are equal."""
        go_on = self.function.append_basic_block("equal")
        self.b.cbranch(self.b.icmp_unsigned("==", value, wanted), go_on, self.refused)
        self.b.position_at_end(go_on)

    def call(self, name: str, result: Any, *args: Any) -> Any:
        return self.unit.call_outside(self.b, f"python.{name}", result, args)


def machine_code(slots: Mapping[str, int]) -> bytes:
    """Of the function, for `Array`s that hold their slots there."""
    unit = Unit()
    _Emitter(unit, slots).run()
    return unit.compiled()
