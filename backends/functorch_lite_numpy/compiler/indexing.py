"""Writing where data says: the scatter family, and updates of a slice. (Gathers and dynamic slices have element rules.)

A scatter goes over the vectors of starts in their order, so updates of one element take effect one after the other.
Whatever the starts are, they are tested or clamped before anything is touched.
"""

from __future__ import annotations

import math
from collections.abc import Sequence
from typing import Any, NamedTuple

import numpy as np

from functorch_lite.extend import Equation

from . import scalars
from .functions import FunctionStep, at, chunks, combined, counted, lanes_of, load, number, store, stored_as, widened
from .segment import copy_memory
from .steps import ALL_KINDS
from .types import I64, constant, parts_of, real_dtype

__all__ = ["ScatterAddStep", "ScatterMaxStep", "ScatterMinStep", "ScatterMulStep", "ScatterStep", "UpdateSliceStep"]


class _Axis(NamedTuple):
    """A loop: how far apart its turns are in the indices (for a batch), the updates and the result."""

    length: int
    indices: int
    updates: int
    result: int


class _Start(NamedTuple):
    """A component of a start: its place in the vector, the last value inside, and the stride of its axis."""

    component: int
    last: int
    stride: int


def _strides(shape: Sequence[int], parts: int = 1) -> list[int]:
    return [parts * math.prod(shape[k + 1 :]) for k in range(len(shape))]


def _collapsed(axes: Sequence[_Axis]) -> list[_Axis]:
    """Neighbouring loops as one where all addresses run on."""
    out: list[_Axis] = []
    for axis in axes:
        if axis.length == 1:
            continue
        if out and all(out[-1][k] == axis.length * axis[k] for k in (1, 2, 3)):
            out[-1] = axis._replace(length=axis.length * out[-1].length)
        else:
            out.append(axis)
    return out


class _Windows(FunctionStep):
    """Windows of the first operand that are combined with updates. Complex numbers are one axis more, of their two parts."""

    kinds = ALL_KINDS
    op: str | None = None
    """The scalar instruction that combines an element with an update; None: the update replaces it."""

    @classmethod
    def accepts(cls, equation: Equation) -> bool:
        return cls.op is None or scalars.reduces(cls.op, equation.operands[0].type.dtype)

    def overlays(self, k: int) -> Sequence[int]:
        return (0,) if k == 0 else ()

    def emit(self, b: Any, operands: Sequence[Any], results: Sequence[Any], scratch: Any) -> None:
        t = self.equation.results[0].type
        if operands[0] is not results[0]:
            copy_memory(self.unit, b, results[0], operands[0], t.size * t.dtype.itemsize)
        super().emit(b, operands, results, scratch)

    def window(self, b: Any, axes: Sequence[_Axis], target: Any, source: Any, dtype: np.dtype) -> None:
        """Combine one window; `target` and `source` are the addresses of its first element."""
        if not axes:
            self.elements(b, target, source, dtype, 1)
            return
        axis, *rest = axes
        if not rest and axis.updates == axis.result == 1:
            self.row(b, target, source, dtype, axis.length)
            return
        with counted(b, axis.length) as i:
            here = at(b, target, b.mul(i, number(axis.result)), dtype)
            there = at(b, source, b.mul(i, number(axis.updates)), dtype)
            self.window(b, rest, here, there, dtype)

    def row(self, b: Any, target: Any, source: Any, dtype: np.dtype, length: int) -> None:
        if self.op is None:
            copy_memory(self.unit, b, target, source, length * dtype.itemsize)
            return
        for i, width in chunks(b, length, 2 * lanes_of(dtype)):
            self.elements(b, at(b, target, i, dtype), at(b, source, i, dtype), dtype, width)

    def elements(self, b: Any, target: Any, source: Any, dtype: np.dtype, width: int) -> None:
        value = load(b, source, dtype, width)
        if self.op is not None:
            value = combined(b, self.op, dtype, load(b, target, dtype, width), value)
        store(b, value, target, dtype)

    def clamped(self, b: Any, start: Any, last: int) -> Any:
        return scalars.intrinsic(b, "smin", scalars.intrinsic(b, "smax", start, number(0)), number(last))


class ScatterStep(_Windows):
    """`scatter` and its kin. A window that is promised to lie inside, and does not, is left out."""

    def write(self, b: Any, operands: Sequence[Any], results: Sequence[Any], scratch: Any) -> None:
        x, indices, updates = (a.type for a in self.equation.operands)
        numbers = self.equation.params["dimension_numbers"]
        dtype, parts, index_dtype = stored_as(real_dtype(x.dtype)), parts_of(x.dtype), indices.dtype
        strides, update_strides = _strides(x.shape, parts), _strides(updates.shape, parts)
        windows = numbers.update_window_dims
        left_out = (*numbers.inserted_window_dims, *numbers.operand_batching_dims)
        kept = [a for a in range(x.ndim) if a not in left_out]
        sizes = {a: updates.shape[d] for a, d in zip(kept, windows, strict=True)}
        window = [_Axis(sizes[a], 0, update_strides[d], strides[a]) for a, d in zip(kept, windows, strict=True)]
        window.append(_Axis(parts, 0, 1, 1))
        along = dict(zip(numbers.scatter_indices_batching_dims, numbers.operand_batching_dims, strict=True))
        batch_dims = [d for d in range(updates.ndim) if d not in windows]
        batch = [
            _Axis(updates.shape[d], n, update_strides[d], strides[along[k]] if k in along else 0)
            for k, (d, n) in enumerate(zip(batch_dims, _strides(indices.shape), strict=False))
        ]
        starts = [
            _Start(k, x.shape[a] - sizes.get(a, 1), strides[a])
            for k, a in enumerate(numbers.scatter_dims_to_operand_dims)
        ]
        clip = self.equation.params.get("mode", "fill") == "clip"

        def each(axes: Sequence[_Axis], places: Sequence[Any]) -> None:
            if axes:
                with counted(b, axes[0].length) as i:
                    each(axes[1:], [b.add(p, b.mul(i, number(n))) for p, n in zip(places, axes[0][1:], strict=True)])
                return
            here, source, target = places
            inside: Any = None
            for component, last, stride in starts:
                place = b.add(here, number(component))
                start = widened(b, load(b, at(b, operands[1], place, index_dtype), index_dtype), index_dtype)
                if clip:
                    start = self.clamped(b, start, last)
                else:
                    fits = b.icmp_unsigned("<=", start, number(last))
                    inside = fits if inside is None else b.and_(inside, fits)
                target = b.add(target, b.mul(start, number(stride)))

            def update() -> None:
                self.window(
                    b, _collapsed(window), at(b, results[0], target, dtype), at(b, operands[2], source, dtype), dtype
                )

            if inside is None:
                update()
            else:
                with b.if_then(inside):
                    update()

        each(_collapsed(batch), [number(0)] * 3)


class UpdateSliceStep(_Windows):
    """`dynamic_update_slice`: one window, whose start is moved inwards."""

    def write(self, b: Any, operands: Sequence[Any], results: Sequence[Any], scratch: Any) -> None:
        x, update, *starts = (a.type for a in self.equation.operands)
        dtype, parts = stored_as(real_dtype(x.dtype)), parts_of(x.dtype)
        strides, update_strides = _strides(x.shape, parts), _strides(update.shape, parts)
        target: Any = constant(I64, 0)
        for a, t in enumerate(starts):
            if update.shape[a] != x.shape[a]:
                start = widened(b, load(b, operands[2 + a], t.dtype), t.dtype)
                start = self.clamped(b, start, x.shape[a] - update.shape[a])
                target = b.add(target, b.mul(start, number(strides[a])))
        axes = [_Axis(n, 0, u, r) for n, u, r in zip(update.shape, update_strides, strides, strict=True)]
        axes = _collapsed([*axes, _Axis(parts, 0, 1, 1)])
        self.window(b, axes, at(b, results[0], target, dtype), operands[1], dtype)


class ScatterAddStep(ScatterStep):
    op = "add"


class ScatterMaxStep(ScatterStep):
    op = "max"


class ScatterMinStep(ScatterStep):
    op = "min"


class ScatterMulStep(ScatterStep):
    op = "mul"
