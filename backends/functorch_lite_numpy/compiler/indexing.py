"""Windows of a buffer that are combined with updates; updates of a slice. (Gathers and dynamic slices have element rules.)"""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any, NamedTuple

import numpy as np

from functorch_lite.extend import Equation

from . import scalars
from .functions import (
    FunctionStep,
    at,
    chunks,
    combined,
    combined_pairs,
    counted,
    lanes_of,
    load,
    load_pair,
    number,
    store,
    store_pair,
    stored_as,
    widened,
)
from .intrinsics import copy_memory, intrinsic
from .steps import ALL_KINDS
from .types import I64, constant, parts_of, real_dtype
from .views import strides_of

__all__ = ["Axis", "Start", "UpdateSliceStep", "Windows", "collapsed"]


class Axis(NamedTuple):
    """A loop: how far apart its turns are in the indices (for a batch), the updates and the result."""

    length: int
    indices: int
    updates: int
    result: int


class Start(NamedTuple):
    """A component of a start: its place in the vector, the last value inside, and the stride of its axis."""

    component: int
    last: int
    stride: int


def collapsed(axes: Sequence[Axis]) -> list[Axis]:
    """Neighbouring loops as one where all addresses run on."""
    out: list[Axis] = []
    for axis in axes:
        if axis.length == 1:
            continue
        if out and all(out[-1][k] == axis.length * axis[k] for k in (1, 2, 3)):
            out[-1] = axis._replace(length=axis.length * out[-1].length)
        else:
            out.append(axis)
    return out


class Windows(FunctionStep):
    """Windows of the first operand that are combined with updates.

    Complex numbers are one axis more, of their two parts, if these do not mix.
    """

    kinds = ALL_KINDS
    op: str | None = None
    """The scalar instruction that combines an element with an update; None: the update replaces it."""

    @classmethod
    def accepts(cls, equation: Equation) -> bool:
        dtype = equation.operands[0].type.dtype
        return cls.op is None or scalars.supports(cls.op, (dtype, dtype), dtype)

    @property
    def mixes(self) -> bool:
        """Whether the parts of complex numbers are combined together."""
        dtype = self.equation.operands[0].type.dtype
        return self.op is not None and not scalars.reduces(self.op, dtype)

    def overlays(self, k: int) -> Sequence[int]:
        return (0,) if k == 0 else ()

    def window(self, b: Any, axes: Sequence[Axis], target: Any, source: Any, dtype: np.dtype) -> None:
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
            copy_memory(b, target, source, length * dtype.itemsize)
            return
        for i, width in chunks(b, length, 2 * lanes_of(dtype)):
            self.elements(b, at(b, target, i, dtype), at(b, source, i, dtype), dtype, width)

    def elements(self, b: Any, target: Any, source: Any, dtype: np.dtype, width: int) -> None:
        if self.op is not None and self.mixes:
            old, new = (load_pair(b, p, dtype) for p in (target, source))
            store_pair(b, combined_pairs(b, self.op, old, new, dtype), target, dtype)
            return
        value = load(b, source, dtype, width)
        if self.op is not None:
            value = combined(b, self.op, dtype, load(b, target, dtype, width), value)
        store(b, value, target, dtype)

    def clamped(self, b: Any, start: Any, last: int) -> Any:
        return intrinsic(b, "smin", intrinsic(b, "smax", start, number(0)), number(last))


class UpdateSliceStep(Windows):
    """`dynamic_update_slice`: one window, whose start is moved inwards."""

    def emit(self, b: Any, operands: Sequence[Any], results: Sequence[Any], scratch: Any) -> None:
        t = self.equation.results[0].type
        if operands[0] is not results[0]:
            copy_memory(b, results[0], operands[0], t.size * t.dtype.itemsize)
        super().emit(b, operands, results, scratch)

    def write(self, b: Any, operands: Sequence[Any], results: Sequence[Any], scratch: Any) -> None:
        x, update, *starts = (a.type for a in self.equation.operands)
        dtype, parts = stored_as(real_dtype(x.dtype)), parts_of(x.dtype)
        strides, update_strides = strides_of(x.shape, parts), strides_of(update.shape, parts)
        target: Any = constant(I64, 0)
        for a, t in enumerate(starts):
            if update.shape[a] != x.shape[a]:
                start = widened(b, load(b, operands[2 + a], t.dtype), t.dtype)
                start = self.clamped(b, start, x.shape[a] - update.shape[a])
                target = b.add(target, b.mul(start, number(strides[a])))
        axes = [Axis(n, 0, u, r) for n, u, r in zip(update.shape, update_strides, strides, strict=True)]
        axes = collapsed([*axes, Axis(parts, 0, 1, 1)])
        self.window(b, axes, at(b, results[0], target, dtype), operands[1], dtype)
