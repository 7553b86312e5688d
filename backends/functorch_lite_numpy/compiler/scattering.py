"""The scatter family: writing where data says.

A scatter goes over the vectors of starts in their order, so updates of one element take effect one after the other.
Whatever the starts are, they are tested or clamped before anything is touched.

How threads share the work is one of several ways (`scatter_ways.py`), none of which depends on how many there are.
"""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence
from typing import Any

from functorch_lite.extend import Equation

from .filling import clear
from .functions import at, counted, load, number, stored_as, widened
from .indexing import Axis, Start, Windows, collapsed
from .intrinsics import copy_memory
from .scatter_ways import BYTE, Batches, Copies, SortedTurns, Way
from .types import I1, constant, parts_of, real_dtype
from .views import strides_of

__all__ = ["ScatterAddStep", "ScatterMaxStep", "ScatterMinStep", "ScatterMulStep", "ScatterStep"]

WIDE = 64
"""Windows of so many bytes are worth being sorted."""
NEAR = 1 << 20
"""A result of up to so many bytes stays in a cache; then it is best to go over the updates as they lie."""


class ScatterStep(Windows):
    """`scatter` and its kin. A window that is promised to lie inside, and does not, is left out."""

    clears = (0,)
    computes = 1

    def __init__(self, unit: Any, equation: Equation):
        super().__init__(unit, equation)
        x, indices, updates = (a.type for a in equation.operands)
        numbers = equation.params["dimension_numbers"]
        self.dtype, self.index_dtype, parts = stored_as(real_dtype(x.dtype)), indices.dtype, parts_of(x.dtype)
        strides, update_strides = strides_of(x.shape, parts), strides_of(updates.shape, parts)
        windows = numbers.update_window_dims
        left_out = (*numbers.inserted_window_dims, *numbers.operand_batching_dims)
        kept = [a for a in range(x.ndim) if a not in left_out]
        sizes = {a: updates.shape[d] for a, d in zip(kept, windows, strict=True)}
        window = [Axis(sizes[a], 0, update_strides[d], strides[a]) for a, d in zip(kept, windows, strict=True)]
        self.window_axes = collapsed([*window, Axis(1 if self.mixes else parts, 0, 1, 1)])
        along = dict(zip(numbers.scatter_indices_batching_dims, numbers.operand_batching_dims, strict=True))
        batch_dims = [d for d in range(updates.ndim) if d not in windows]
        self.batch = collapsed(
            [
                Axis(updates.shape[d], n, update_strides[d], strides[along[k]] if k in along else 0)
                for k, (d, n) in enumerate(zip(batch_dims, strides_of(indices.shape), strict=False))
            ]
        )
        self.starts = {
            a: Start(k, x.shape[a] - sizes.get(a, 1), strides[a])
            for k, a in enumerate(numbers.scatter_dims_to_operand_dims)
        }
        self.rows: int = max(x.shape[:1], default=1)
        self.row_bytes = x.size // self.rows * x.dtype.itemsize
        self.size = x.size * parts
        self.way = self.chosen(sizes)
        self.scratch = 0 if self.way is None else self.way.scratch

    def chosen(self, sizes: Mapping[int, int]) -> Way | None:
        """How threads share the work; None if they do not."""
        window, size = math.prod(sizes.values()) * self.dtype.itemsize, self.size * self.dtype.itemsize
        goes_to_rows = [a.result for a in self.batch] == [0] and 0 in self.starts and sizes.get(0, 1) == 1
        if self.mixes:  # others go over parts
            return Batches.of(self)
        if window >= WIDE and size > NEAR and goes_to_rows:
            return SortedTurns.of(self)
        return Batches.of(self) or Copies.of(self)

    def write(self, b: Any, operands: Sequence[Any], results: Sequence[Any], scratch: Any) -> None:
        pointers = [*operands, *results]
        if self.way is None:
            self.all_turns(b, pointers)
        else:
            self.way.write(b, pointers, scratch)

    def all_turns(self, b: Any, pointers: Sequence[Any]) -> None:
        self.prepare(b, pointers, number(0), number(self.rows))
        self.turns(b, pointers, self.batch, [number(0)] * 3)

    def prepare(self, b: Any, pointers: Sequence[Any], begin: Any, end: Any) -> None:
        """Have in some rows of the result what the first operand has there, if that is not the same memory."""
        start, size = (b.mul(n, number(self.row_bytes)) for n in (begin, b.sub(end, begin)))
        source, target = (at(b, p, start, BYTE) for p in (pointers[0], pointers[-1]))
        if 0 in self.cleared:
            clear(self.unit, b, target, size)
            return
        with b.if_then(b.icmp_unsigned("!=", source, target)):
            copy_memory(b, target, source, size)

    def turns(self, b: Any, pointers: Sequence[Any], axes: Sequence[Axis], places: Sequence[Any]) -> None:
        """All updates of a batch; `places` are where it begins in the indices, the updates, and the result."""
        if axes:
            with counted(b, axes[0].length) as i:
                self.turns(b, pointers, axes[1:], self.moved(b, places, axes[0], i))
            return
        _, *indices, updates, result = pointers
        here, source, target = places
        inside: Any = constant(I1, 1)
        for start in self.starts.values():
            place, fits = self.start(b, indices, here, start)
            target = b.add(target, b.mul(place, number(start.stride)))
            inside = b.and_(inside, fits)
        with b.if_then(inside):
            addresses = at(b, result, target, self.dtype), at(b, updates, source, self.dtype)
            self.window(b, self.window_axes, *addresses, self.dtype)

    def moved(self, b: Any, places: Sequence[Any], axis: Axis, i: Any) -> list[Any]:
        return [b.add(p, b.mul(i, number(n))) for p, n in zip(places, axis[1:], strict=True)]

    def start(self, b: Any, indices: Sequence[Any], vector: Any, start: Start) -> tuple[Any, Any]:
        """A component of the vector of a start, and whether the window is inside; `indices` may be what they are made of."""
        place = b.add(vector, number(start.component))
        if self.computed is None:
            (buffer,) = indices
            index = load(b, at(b, buffer, place, self.index_dtype), self.index_dtype)
        else:
            index = self.computed.element(self.unit, b, indices, place)
        found = widened(b, index, self.index_dtype)
        if self.equation.params.get("mode", "fill") == "clip":
            return self.clamped(b, found, start.last), constant(I1, 1)
        return found, b.icmp_unsigned("<=", found, number(start.last))


class ScatterAddStep(ScatterStep):
    op = "add"


class ScatterMaxStep(ScatterStep):
    op = "max"


class ScatterMinStep(ScatterStep):
    op = "min"


class ScatterMulStep(ScatterStep):
    op = "mul"
