"""The machine code of the way from Python into a program; see `entry.py`."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from typing import Any

from . import ir
from .entry import PASSED, PROGRAM, RESULT
from .grids import counted
from .objects import ARRAY_DATA, ARRAY_FLAGS, OBJECT_TYPE, SCALAR_DATA, TUPLE_ITEMS
from .parts import hurried
from .recycling_code import new_array
from .types import I8, I32, I64, NULL, PTR, constant
from .unit import Unit
from .working_memory import working_memory

__all__ = ["machine_code"]

CONTIGUOUS_ALIGNED = 0x0101


class _Emitter:
    """Emits the function into a unit; LLVM takes no pains with it."""

    def __init__(self, unit: Unit):
        self.unit = unit
        self.new_array = new_array(unit)
        self.function = hurried(unit.function("entry", PTR, [PTR, PTR, I64], "external"))
        self.b = b = ir.IRBuilder(self.function.append_basic_block("entry"))
        self.failed = self.function.append_basic_block("failed")
        program = b.load(self.at(self.function.args[0], ARRAY_DATA), typ=PTR)
        self.words = self.row(program, PROGRAM, constant(I64, 0))
        self.n_operands, self.n_results = self.words["n_operands"], self.words["n_results"]
        self.data = b.alloca(PTR, self.n_operands)
        """Where the operands' numbers are."""
        self.copies = b.alloca(PTR, self.n_operands)
        """Copies that were made of operands, which are given back in the end; null: none."""
        self.results = b.alloca(PTR, self.n_results)
        self.places = b.alloca(PTR, self.n_results)
        """Where the results' numbers belong."""

    def run(self) -> None:
        self.check_count()
        self.clear(self.copies, self.n_operands)
        self.clear(self.results, self.n_results)
        self.read_operands()
        self.make_results()
        self.run_program()
        self.release(self.copies, self.n_operands)
        self.return_results()
        self.write_failure()

    # Pieces of code

    def call(self, api: str, name: str, result: Any, *args: Any) -> Any:
        return self.unit.call_outside(self.b, f"{api}.{name}", result, args)

    def at(self, pointer: Any, offset: int) -> Any:
        return self.b.gep(pointer, [constant(I64, offset)], source_etype=I8)

    def item(self, pointers: Any, i: Any) -> Any:
        return self.b.gep(pointers, [i], source_etype=PTR)

    def row(self, table: Any, names: Sequence[str], k: Any) -> dict[str, Any]:
        """The words of row k of a table, by name."""
        b = self.b
        start = b.gep(table, [b.mul(k, constant(I64, 8 * len(names)))], source_etype=I8)
        pointers = ("run", "results", "passed", "dtype", "shape")
        return {
            name: b.load(self.at(start, 8 * j), typ=PTR if name in pointers else I64) for j, name in enumerate(names)
        }

    def leave_if(self, condition: Any) -> None:
        """With the exception that is set."""
        go_on = self.b.append_basic_block("go_on")
        self.b.cbranch(condition, self.failed, go_on)
        self.b.position_at_end(go_on)

    def leave_if_null(self, pointer: Any) -> None:
        self.leave_if(self.b.icmp_unsigned("==", pointer, NULL))

    def clear(self, pointers: Any, n: Any) -> None:
        with counted(self.b, n) as i:
            self.b.store(NULL, self.item(pointers, i))

    def release(self, pointers: Any, n: Any) -> None:
        with counted(self.b, n) as i:
            self.call("python", "Py_DecRef", ir.VoidType(), self.b.load(self.item(pointers, i), typ=PTR))

    def says(self, word: str) -> Any:
        """Whether a word of the program is not zero."""
        return self.b.icmp_unsigned("!=", self.words[word], constant(I64, 0))

    # What is done, in order

    def check_count(self) -> None:
        b = self.b
        with b.if_then(b.icmp_signed("!=", self.function.args[2], self.n_operands)):
            self.call("python", "PyErr_BadInternalCall", ir.VoidType())
            b.ret(NULL)

    def read_operands(self) -> None:
        """The data pointers of the operands; what is not contiguous is copied."""
        b = self.b
        with counted(b, self.n_operands) as i:
            x = b.load(self.item(self.function.args[1], i), typ=PTR)
            place = self.item(self.data, i)
            array_type = self.unit.outside(b, "numpy.PyArray_Type")
            is_array = b.icmp_unsigned("==", b.load(self.at(x, OBJECT_TYPE), typ=PTR), array_type)
            with b.if_else(is_array) as (then, otherwise):
                with then:
                    b.store(b.load(self.at(x, ARRAY_DATA), typ=PTR), place)
                    flags = b.and_(b.load(self.at(x, ARRAY_FLAGS), typ=I32), constant(I32, CONTIGUOUS_ALIGNED))
                    with b.if_then(b.icmp_unsigned("!=", flags, constant(I32, CONTIGUOUS_ALIGNED))):
                        copy = self.call("numpy", "PyArray_NewCopy", PTR, x, constant(I32, 0))
                        b.store(copy, self.item(self.copies, i))
                        self.leave_if_null(copy)
                        b.store(b.load(self.at(copy, ARRAY_DATA), typ=PTR), place)
                with otherwise:
                    b.store(self.at(x, SCALAR_DATA), place)

    def make_results(self) -> None:
        """New arrays."""
        b = self.b
        with counted(b, self.n_results) as k:
            row = self.row(self.words["results"], RESULT, k)
            descriptor = b.load(row["dtype"], typ=PTR)
            self.call("python", "Py_IncRef", ir.VoidType(), descriptor)
            made = b.call(self.new_array, [descriptor, row["ndim"], row["shape"], row["bytes"]])
            b.store(made, self.item(self.results, k))
            self.leave_if_null(made)
            b.store(b.load(self.at(made, ARRAY_DATA), typ=PTR), self.item(self.places, k))

    def run_program(self) -> None:
        b = self.b
        with working_memory(self.unit, b, self.words["arena"], self.leave_if_null) as arena, self.without_gil():
            type = ir.PointerType(ir.FunctionType(ir.VoidType(), [PTR, PTR, PTR]))
            b.call(b.bitcast(self.words["run"], type), [self.data, self.places, arena])
        with b.if_then(self.says("is_interruptible")):  # a loop that was interrupted ends early, with the exception set
            self.leave_if(b.icmp_unsigned("!=", self.call("python", "PyErr_Occurred", PTR), NULL))

    @contextmanager
    def without_gil(self) -> Iterator[None]:
        """Gives up the GIL meanwhile, if it is for long."""
        b = self.b
        with b.goto_entry_block():
            state = b.alloca(PTR)
        with b.if_then(self.says("is_long")):
            b.store(self.call("python", "PyEval_SaveThread", PTR), state)
        yield
        with b.if_then(self.says("is_long")):
            self.call("python", "PyEval_RestoreThread", ir.VoidType(), b.load(state))

    def return_results(self) -> None:
        """A tuple of them, as NumPy returns them: scalars where there are no axes."""
        b, n_passed = self.b, self.words["n_passed"]
        out = self.call("python", "PyTuple_New", PTR, b.add(self.n_results, n_passed))
        self.leave_if_null(out)
        items = self.at(out, TUPLE_ITEMS)
        with counted(b, self.n_results) as k:
            row = self.row(self.words["results"], RESULT, k)
            result, place = b.load(self.item(self.results, k), typ=PTR), self.item(items, row["place"])
            b.store(result, place)
            with b.if_then(b.icmp_unsigned("==", row["ndim"], constant(I64, 0))):
                b.store(self.call("numpy", "PyArray_Return", PTR, result), place)
        with counted(b, n_passed) as k:
            row = self.row(self.words["passed"], PASSED, k)
            operand = b.load(self.item(self.function.args[1], row["operand"]), typ=PTR)
            self.call("python", "Py_IncRef", ir.VoidType(), operand)
            b.store(operand, self.item(items, row["place"]))
        b.ret(out)

    def write_failure(self) -> None:
        self.b.position_at_end(self.failed)
        self.release(self.copies, self.n_operands)
        self.release(self.results, self.n_results)
        self.b.ret(NULL)


def machine_code() -> bytes:
    unit = Unit()
    _Emitter(unit).run()
    return unit.compiled()
