"""What a program's machine code says of it to the way in (`entry.py`): a table, and a function that finds its operands in memory.

    void run(ptr operands, ptr results, ptr arena)

`operands` and `results` are arrays of pointers to the numbers; the headers of results that are sequences stand behind the
operands. The table is a variable, `program`; all its words have 8 bytes.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

import numpy as np

from functorch_lite.extend import ArrayType, has_dim

from . import ir
from .entry import PROGRAM
from .parts import hurried, hurried_if_straight
from .segment import Segment
from .types import I64, NULL, PTR, constant, int64
from .unit import Unit

__all__ = ["emit_signature"]

LONG = 50e3
"""Nanoseconds of work from which on the GIL is given up."""


def emit_signature(unit: Unit, segment: Segment, passed: Mapping[int, int] | None = None) -> None:
    """Append both to the unit.

    Args:
      unit: to which the segment belongs.
      segment: what the program does.
      passed: results that are not the segment's: each with the operand that is given back.
    """
    segment.hurry_small_nests()
    hurried_if_straight(segment.function)
    passed = passed or {}
    types = [a.type for a in segment.program.outputs]
    places = [k for k in range(len(types) + len(passed)) if k not in passed]
    grown = {k for k, t in zip(places, types, strict=True) if has_dim(t.shape)}
    order = [k for k in range(len(types) + len(passed)) if k not in grown]
    dtypes = {dtype: dtype.name for dtype in {t.dtype for t in types}}
    pairs = zip(places, types, strict=True)
    results = [_result(unit, t, dtypes[t.dtype], order.index(k)) for k, t in pairs if k not in grown]
    words = {
        "run": _runner(unit, segment),
        "n_operands": len(segment.program.inputs) + len(grown),
        "n_results": len(results),
        "n_passed": len(passed),
        "results": _table(unit, results),
        "passed": _table(unit, [(order.index(k), operand) for k, operand in passed.items()]),
        "arena": segment.arena,
        "is_long": int(segment.duration >= LONG),
        "is_interruptible": int(unit.interruptible),
    }
    _variable(unit, "program", _structure([words[name] for name in PROGRAM])).linkage = ""


def _runner(unit: Unit, segment: Segment) -> Any:
    function = hurried(unit.function("run", ir.VoidType(), [PTR, PTR, PTR]))
    b = ir.IRBuilder(function.append_basic_block("entry"))
    operands, results, arena = function.args

    def items(pointers: Any, n: int) -> list[Any]:
        return [b.load(b.gep(pointers, [constant(I64, i)], source_etype=PTR), typ=PTR) for i in range(n)]

    grown = [has_dim(a.type.shape) for a in segment.program.outputs]
    n_in, n_grown = len(segment.program.inputs), sum(grown)
    given, others = items(operands, n_in + n_grown), iter(items(results, len(grown) - n_grown))
    headers = iter(given[n_in:])
    b.call(segment.function, [*given[:n_in], *(next(headers if g else others) for g in grown), arena])
    b.ret_void()
    return function


def _result(unit: Unit, type: ArrayType, dtype: str, place: int) -> tuple[Any, ...]:
    shape = unit.constant(np.asarray(type.shape, np.int64)) if type.shape else NULL
    return unit.outside_variable(f"dtype.{dtype}"), type.ndim, shape, type.size * type.dtype.itemsize, place


def _structure(words: Sequence[Any]) -> ir.Constant:
    values = [int64(w) for w in words]
    return ir.Constant(ir.LiteralStructType([v.type for v in values]), values)


def _table(unit: Unit, rows: Sequence[Sequence[Any]]) -> Any:
    """A pointer to the rows."""
    if not rows:
        return NULL
    structures = [_structure(row) for row in rows]
    type = ir.ArrayType(structures[0].type, len(rows))
    return _variable(unit, unit.name("table"), ir.Constant(type, structures))


def _variable(unit: Unit, name: str, value: ir.Constant) -> Any:
    variable: Any = ir.GlobalVariable(unit.module, value.type, name)
    variable.initializer, variable.linkage = value, "internal"
    return variable
