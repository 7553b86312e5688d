"""What a nest leaves behind: elements stored, values combined into memory, and reductions over the columns."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import numpy as np

from functorch_lite.extend_passes import Load, Reduction

from . import ir, scalars
from .float_bits import from_order, to_order
from .types import I1, I32, I64, constant, is_vector, join_lanes, lanes, memory_type, real_dtype, splat
from .values import Values, picked
from .vectors import read, scatter, write

__all__ = ["Partial", "accumulate", "finish", "reduced", "store"]


def store(v: Values, target: Load, value: Any, dtype: np.dtype) -> None:
    """Store a value of each lane that counts."""
    b = v.builder
    stride = v.lane_stride(target.address)
    if isinstance(value, tuple):
        _store_pairs(v, target, value, real_dtype(dtype), stride)
        return
    if stride == 0:
        write(b, v.pointer(b, target, dtype), v.scalar(value))
        return
    value = splat(b, value, v.lanes)
    if stride == 1:
        write(b, v.pointer(b, target, dtype), value, v.mask)
        return
    if dtype.kind == "b":
        value = b.zext(value, memory_type(dtype, v.lanes))
    pointers = b.gep(v.buffers[target.buffer], [v.number(b, target.address)], source_etype=memory_type(dtype))
    scatter(b, value, pointers, v.mask)


def _store_pairs(v: Values, target: Load, parts: Sequence[Any], dtype: np.dtype, stride: int | None) -> None:
    """The parts of complex numbers, or what else belongs side by side, to neighbouring places."""
    if stride != len(parts):
        for k, part in enumerate(parts):
            store(v, Load(target.buffer, target.address + k), part, dtype)
        return
    pointer = v.pointer(v.builder, target, dtype)
    for k, (piece, mask) in enumerate(_interleaved(v, parts)):
        write(v.builder, _further(v, pointer, k, dtype), piece, mask)


def _further(v: Values, pointer: Any, k: int, dtype: np.dtype) -> Any:
    """The address k vectors on."""
    return v.builder.gep(pointer, [constant(I64, k * v.lanes)], source_etype=memory_type(dtype))


def _interleaved(v: Values, parts: Sequence[Any]) -> list[tuple[Any, Any]]:
    """Parts as they lie side by side in memory, in vectors of as many lanes as each has; and the masks for them."""
    b, n, count = v.builder, v.lanes, len(parts)
    parts = [splat(b, part, n) for part in parts]
    x, y = parts[:2]
    if count > 2:
        x, y = join_lanes(b, x, y), join_lanes(b, parts[2], parts[-1])
    out = []
    for k in range(count):
        places = range(k * n, (k + 1) * n)
        picks = lanes(ir.VectorType(I32, n), [i // count + i % count * n for i in places])
        mask = None if v.mask is None else picked(b, v.mask, [i // count for i in places])
        out.append((b.shuffle_vector(x, y, picks), mask))
    return out


def accumulate(v: Values, r: Reduction) -> None:
    """Combine a reduction's value into memory, along the lanes."""
    assert r.target is not None
    value = v.value(r.node)
    if not isinstance(value, tuple):
        _accumulate_at(v, r.target, r.op, r.node.dtype, value)
        return
    dtype = real_dtype(r.node.dtype)
    if v.lane_stride(r.target.address) != 2:
        for k, part in enumerate(value):
            _accumulate_at(v, Load(r.target.buffer, r.target.address + k), r.op, dtype, part)
        return
    b, pointer = v.builder, v.pointer(v.builder, r.target, dtype)
    for k, (piece, mask) in enumerate(_interleaved(v, value)):
        here = _further(v, pointer, k, dtype)
        write(b, here, _combined(b, r.op, dtype, read(b, here, dtype, v.lanes, mask), piece), mask)


def _accumulate_at(v: Values, target: Load, op: str, dtype: np.dtype, value: Any) -> None:
    b = v.builder
    value = splat(b, value, v.lanes)
    old = splat(b, v.load_at(b, target, dtype, None), v.lanes)
    store(v, target, _combined(b, op, dtype, old, value), dtype)


def _combined(b: Any, op: str, dtype: np.dtype, x: Any, y: Any) -> Any:
    return scalars.emit(op, scalars.Context(b, (dtype, dtype), dtype, {}), (x, y))


class Partial:
    """What a reduction over the columns has combined so far in each lane, in memory that LLVM makes registers.

    It has a form of its own there (`own`, `value`): booleans are bytes, for vectors of bits that live from turn to turn LLVM takes
    apart; of floats whose extreme is asked for there are integers in their order, which take one instruction where floats take six.
    """

    def __init__(self, values: Values, r: Reduction, width: int):
        self.values = values
        self.reduction = r
        self.width = width
        dtype, op = r.node.dtype, r.op
        # Other processors have no such instructions for integers of 64 bits.
        of_long = dtype == np.float64 and values.vector_bytes == 64
        self.in_order = op in ("max", "min") and (dtype == np.float32 or of_long)
        self.dtype = np.dtype(f"u{dtype.itemsize}") if self.in_order else dtype
        """What is combined."""
        self.type = memory_type(self.dtype, width)
        self.start = constant(self.type, scalars.identity(op, self.dtype))
        """What changes nothing."""
        self.pointer = self.room()
        values.row_builder.store(self.start, self.pointer)

    def own(self, b: Any, x: Any) -> Any:
        """Values of the nest in the form that they have here."""
        if self.in_order:
            return to_order(b, x, self.reduction.op)
        return b.zext(x, self.type) if self.dtype.kind == "b" else x

    def value(self, b: Any, x: Any) -> Any:
        """And back: a single one."""
        if self.in_order:
            return from_order(b, self.reduction.node.dtype, x, self.reduction.op)
        return b.trunc(x, I1) if self.dtype.kind == "b" else x

    def room(self) -> Any:
        """Memory for as many lanes."""
        entry = self.values.builders[0]
        with entry.goto_entry_block():
            return entry.alloca(self.type)

    def load(self, b: Any) -> Any:
        return b.load(self.pointer, typ=self.type)

    def combined(self, b: Any, x: Any, y: Any) -> Any:
        return _combined(b, self.reduction.op, self.dtype, x, y)

    def take(self, value: Any) -> None:
        """Combine the value of this turn; lanes beyond the end do not count."""
        v, b = self.values, self.values.builder
        x = self.own(b, splat(b, value, v.lanes))
        if v.mask is not None:
            x = b.select(v.mask, x, self.start)
        b.store(self.combined(b, self.load(b), x), self.pointer)

    def across(self, b: Any, x: Any, width: int) -> Any:
        """The lanes of x combined, by halves, until there are no more than that."""
        while is_vector(x) and x.type.count > width:
            n = x.type.count // 2
            undefined, type = ir.Constant(x.type, ir.Undefined), ir.VectorType(I32, n)
            low, high = (b.shuffle_vector(x, undefined, lanes(type, range(k, k + n))) for k in (0, n))
            x = self.combined(b, low, high)
        return b.extract_element(x, constant(I32, 0)) if is_vector(x) and width == 1 else x


def finish(v: Values, r: Reduction, partials: Sequence[Partial]) -> None:
    """Combine what is there for whole vectors and for the rest, which has no more lanes, and then all lanes."""
    b = v.row_builder
    total = partials[0].load(b)
    for rest in partials[1:]:
        total = rest.combined(b, rest.across(b, total, rest.width), rest.load(b))
    last = partials[-1]
    reduced(v, r, last.value(b, last.across(b, total, 1)))


def reduced(v: Values, r: Reduction, value: Any) -> None:
    """The result of a reduction over the columns: it is a value of the row, or goes on into memory."""
    if r.target is None:
        v.results[r.number] = value
        return
    b = v.row_builder
    pointer = v.pointer(b, r.target, r.node.dtype)
    write(b, pointer, _combined(b, r.op, r.node.dtype, read(b, pointer, r.node.dtype), value))
