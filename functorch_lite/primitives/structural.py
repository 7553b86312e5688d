"""Primitives that move elements without computing: broadcast (and its adjoint, the sum), reshape, transpose, copy.

The helpers at the bottom move batch dimensions about; every batch rule stands on them.
"""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence
from typing import Any

from .. import dtypes
from ..array_type import ArrayType, Dim, Shape
from ..arrays import type_of
from ..errors import DTypeError, ShapeError
from ..primitive import Primitive, Zero

__all__ = [
    "BroadcastInDim",
    "Structural",
    "axes_without",
    "batch_place",
    "broadcast_in_dim",
    "broadcast_to",
    "expand_dims",
    "instantiate",
    "move_batch",
    "move_to_front",
    "place_batch",
    "reduce_sum",
    "reshape",
    "squeeze",
    "transpose",
    "zeros",
]


class Structural(Primitive):
    """A primitive of one operand that is linear in it."""

    def jvp(self, primals: Sequence[Any], tangents: Sequence[Any], **params: Any) -> tuple[Any, Any]:
        return self(primals[0], **params), self(tangents[0], **params)


class BroadcastInDim(Structural):
    """Operand's axis i becomes axis `dims[i]` of a result of shape `shape`; length 1 is stretched."""

    may_alias = True

    def is_identity(self, types: Sequence[ArrayType], params: Mapping[str, Any]) -> bool:
        return types[0].shape == params["shape"] and params["dims"] == tuple(range(types[0].ndim))

    def element(self, at: Any, index: Any, *, shape: Shape, dims: tuple[int, ...]) -> Any:  # type: ignore[override]
        lengths = at.types[0].shape
        return at.operand(0, [at.zero if n == 1 else index[d] for n, d in zip(lengths, dims, strict=True)])

    def infer(self, x: ArrayType, *, shape: Shape, dims: tuple[int, ...]) -> ArrayType:
        fits = len(dims) == x.ndim and all(0 <= d < len(shape) for d in dims) and list(dims) == sorted(set(dims))
        if not fits or any(n not in (1, shape[d]) for n, d in zip(x.shape, dims, strict=True)):
            raise ShapeError(
                f"broadcast_in_dim cannot stretch {x} to shape {shape} with its axes at {dims}: give one increasing "
                "position per axis, and lengths that are equal or 1."
            )
        return x.update(shape=shape)

    def impl(self, xp: Any, x: Any, *, shape: Shape, dims: tuple[int, ...]) -> Any:
        full = [1] * len(shape)
        for n, d in zip(x.shape, dims, strict=True):
            full[d] = n
        return xp.broadcast_to(xp.reshape(x, tuple(full)), shape)

    def transpose(self, ct: Any, operands: Sequence[Any], *, shape: Shape, dims: tuple[int, ...]) -> Sequence[Any]:
        x = operands[0].type
        stretched = [d for n, d in zip(x.shape, dims, strict=True) if n != shape[d]]
        summed = tuple(d for d in range(len(shape)) if d not in dims or d in stretched)
        out = reduce_sum(ct, axes=summed) if summed else ct
        return [reshape(out, shape=x.shape)] if stretched else [out]

    def batch(self, axis: Any, operands: Any, bdims: Any, *, shape: Shape, dims: tuple[int, ...]) -> tuple[Any, Any]:
        place = batch_place(shape)
        before = sum(d < place for d in dims)
        x = place_batch(operands[0], bdims[0], before)
        moved = [d + (d >= place) for d in dims]
        shape = (*shape[:place], x.shape[before], *shape[place:])
        return self(x, shape=shape, dims=(*moved[:before], place, *moved[before:])), place


class Reshape(Structural):
    """The same elements, in row-major order, in another shape."""

    may_alias = True

    def is_identity(self, types: Sequence[ArrayType], params: Mapping[str, Any]) -> bool:
        return types[0].shape == params["shape"]

    def element(self, at: Any, index: Any, *, shape: Shape) -> Any:  # type: ignore[override]
        return at.reshaped(0, index)

    def infer(self, x: ArrayType, *, shape: Shape) -> ArrayType:
        if not _same_size(x.shape, shape):
            raise ShapeError(
                f"cannot reshape {x} ({_product(x.shape)} elements) to {shape} ({_product(shape)} elements)."
            )
        return x.update(shape=shape)

    def impl(self, xp: Any, x: Any, *, shape: Shape) -> Any:
        return xp.reshape(x, shape)

    def transpose(self, ct: Any, operands: Sequence[Any], *, shape: Shape) -> Sequence[Any]:
        return [self(ct, shape=operands[0].type.shape)]

    def batch(self, axis: Any, operands: Any, bdims: Any, *, shape: Shape) -> tuple[Any, Any]:
        x = move_to_front(operands[0], bdims[0])
        return self(x, shape=(x.shape[0], *shape)), 0


def _product(shape: Shape) -> Any:
    return math.prod(shape) if not any(type(n) is Dim for n in shape) else "*".join(map(str, shape))


def _same_size(a: Shape, b: Shape) -> bool:
    """Whether the products agree, unknown lengths cancelling against themselves."""
    unknown = [sorted(n.name for n in s if type(n) is Dim) for s in (a, b)]
    known = [math.prod(n for n in s if type(n) is not Dim) for s in (a, b)]
    return unknown[0] == unknown[1] and known[0] == known[1]


class Transpose(Structural):
    """Axis i of the result is axis `permutation[i]` of the operand."""

    may_alias = True

    def is_identity(self, types: Sequence[ArrayType], params: Mapping[str, Any]) -> bool:
        return params["permutation"] == tuple(range(types[0].ndim))

    def element(self, at: Any, index: Any, *, permutation: tuple[int, ...]) -> Any:  # type: ignore[override]
        return at.operand(0, [index[permutation.index(i)] for i in range(len(permutation))])

    def infer(self, x: ArrayType, *, permutation: tuple[int, ...]) -> ArrayType:
        if sorted(permutation) != list(range(x.ndim)):
            raise ShapeError(f"transpose of {x} needs a permutation of its {x.ndim} axes, not {permutation}.")
        return x.update(shape=tuple(x.shape[p] for p in permutation))

    def impl(self, xp: Any, x: Any, *, permutation: tuple[int, ...]) -> Any:
        return xp.permute_dims(x, permutation)

    def transpose(self, ct: Any, operands: Sequence[Any], *, permutation: tuple[int, ...]) -> Sequence[Any]:
        inverse = [0] * len(permutation)
        for i, p in enumerate(permutation):
            inverse[p] = i
        return [self(ct, permutation=tuple(inverse))]

    def batch(self, axis: Any, operands: Any, bdims: Any, *, permutation: tuple[int, ...]) -> tuple[Any, Any]:
        b = bdims[0]
        shifted = tuple(p + (p >= b) for p in permutation)
        return self(operands[0], permutation=(b, *shifted)), 0


class ReduceSum(Structural):
    """The sum along `axes`. Sums of 16-bit floats accumulate in 32 bits."""

    combines = "add"

    def is_identity(self, types: Sequence[ArrayType], params: Mapping[str, Any]) -> bool:
        return not params["axes"]

    def infer(self, x: ArrayType, *, axes: tuple[int, ...]) -> ArrayType:
        if dtypes.is_bool(x.dtype):
            raise DTypeError(f"reduce_sum of {x}: booleans have no sum, cast to an integer dtype first.")
        return x.update(shape=axes_without(self.name, x, axes))

    def impl(self, xp: Any, x: Any, *, axes: tuple[int, ...]) -> Any:
        wide = dtypes.accumulator_dtype(x.dtype)
        return xp.astype(xp.sum(x, axis=axes, dtype=wide), x.dtype, copy=False)

    def transpose(self, ct: Any, operands: Sequence[Any], *, axes: tuple[int, ...]) -> Sequence[Any]:
        shape = operands[0].type.shape
        kept = tuple(d for d in range(len(shape)) if d not in axes)
        return [broadcast_in_dim(ct, shape=shape, dims=kept)]

    def batch(self, axis: Any, operands: Any, bdims: Any, *, axes: tuple[int, ...]) -> tuple[Any, Any]:
        b = bdims[0]
        moved = tuple(a + (a >= b) for a in axes)
        return self(operands[0], axes=moved), b - sum(a < b for a in moved)


def axes_without(name: str, x: ArrayType, axes: tuple[int, ...]) -> Shape:
    """The shape of `x` without `axes`, which must be distinct axes of it, counted from the front."""
    if len(set(axes)) != len(axes) or not all(0 <= a < x.ndim for a in axes):
        raise ShapeError(f"{name} of {x} over axes {axes}: need distinct axes between 0 and {x.ndim - 1}.")
    return tuple(n for i, n in enumerate(x.shape) if i not in axes)


broadcast_in_dim = BroadcastInDim("broadcast_in_dim")
reshape = Reshape("reshape")
transpose = Transpose("transpose")
reduce_sum = ReduceSum("reduce_sum")


# Helpers of rules.


def broadcast_to(x: Any, shape: Shape) -> Any:
    """`x` stretched to `shape` as NumPy would: axes are aligned at the end."""
    if x.shape == shape:
        return x
    return broadcast_in_dim(x, shape=shape, dims=tuple(range(len(shape) - len(x.shape), len(shape))))


def expand_dims(x: Any, *axes: int) -> Any:
    """`x` with new axes of length 1 at the given positions of the result."""
    rest = iter(type_of(x).shape)
    ndim = len(type_of(x).shape) + len(axes)
    return reshape(x, shape=tuple(1 if i in axes else next(rest) for i in range(ndim)))


def squeeze(x: Any, *axes: int) -> Any:
    """`x` without the given axes, which have length 1."""
    return reshape(x, shape=tuple(n for i, n in enumerate(x.shape) if i not in axes))


def move_batch(x: Any, source: int, target: int) -> Any:
    """`x` with axis `source` moved to position `target`."""
    if source == target:
        return x
    permutation = [i for i in range(x.ndim) if i != source]
    permutation.insert(target, source)
    return transpose(x, permutation=tuple(permutation))


def move_to_front(x: Any, dim: int | None, size: Any = None) -> Any:
    """`x` with its batch dimension at the front; made by broadcasting to `size` if it has none."""
    return place_batch(x, dim, 0, size)


def place_batch(x: Any, dim: int | None, target: int, size: Any = None) -> Any:
    """`x` with its batch dimension at position `target`; made by broadcasting to `size` if it has none."""
    if dim is not None:
        return move_batch(x, dim, target)
    shape = type_of(x).shape
    dims = tuple(i for i in range(len(shape) + 1) if i != target)
    return broadcast_in_dim(x, shape=(*shape[:target], size, *shape[target:]), dims=dims)


def batch_place(shape: Shape) -> int:
    """Where values of a shape have their batch dimension where it is to have a certain place, as in loops.

    That is the front, but behind unknown lengths: what is stacked along these stays stacked.
    """
    return max((k + 1 for k, n in enumerate(shape) if type(n) is Dim), default=0)


def zeros(type: ArrayType) -> Any:
    """An array of zeros of a type."""
    return broadcast_in_dim(type.dtype.type(0), shape=type.shape, dims=())


def instantiate(t: Any) -> Any:
    """A tangent or cotangent as an array, also if it is a symbolic zero."""
    return zeros(t.type) if isinstance(t, Zero) else t
