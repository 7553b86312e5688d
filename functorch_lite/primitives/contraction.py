"""`dot_general`: sums of products over shared axes, with batch axes. Matrix products, einsum and friends end here."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

from .. import dtypes
from ..array_type import ArrayType
from ..dtype_lattice import promote_types
from ..errors import DTypeError, ShapeError
from ..primitive import LinearOperand, Primitive, Zero
from .base import add
from .casting import convert
from .structural import move_to_front, reduce_sum, transpose

__all__ = ["dot_general"]

Dims = tuple[tuple[tuple[int, ...], tuple[int, ...]], tuple[tuple[int, ...], tuple[int, ...]]]


class DotGeneral(Primitive):
    """`dimension_numbers` = ((x's contracting axes, y's), (x's batch axes, y's)).

    The result's axes: batch axes, the rest of x's, the rest of y's. Products of 16-bit floats accumulate in 32 bits;
    `preferred` is the dtype of the result, if another than the operands'.
    """

    def infer(self, x: ArrayType, y: ArrayType, *, dimension_numbers: Dims, preferred: Any = None) -> ArrayType:
        (xc, yc), (xb, yb) = dimension_numbers
        if x.dtype != y.dtype or dtypes.is_bool(x.dtype):
            raise DTypeError(f"dot_general needs operands of one numeric dtype, got {x} and {y}: cast one with astype.")
        for a, b, what in ((xc, yc, "contracted"), (xb, yb, "batch")):
            if len(a) != len(b) or any(x.shape[i] != y.shape[j] for i, j in zip(a, b, strict=False)):
                raise ShapeError(
                    f"dot_general of {x} and {y}: the {what} axes {a} and {b} need equal lengths, got "
                    f"{tuple(x.shape[i] for i in a)} and {tuple(y.shape[j] for j in b)}."
                )
        shape = tuple(x.shape[i] for i in xb) + _rest(x.shape, xc + xb) + _rest(y.shape, yc + yb)
        return ArrayType(shape, preferred or x.dtype, x.weak and y.weak)

    def flops(self, types: Sequence[ArrayType], results: Sequence[ArrayType], params: Mapping[str, Any]) -> float:
        summed = params["dimension_numbers"][0][0]
        return 2.0 * results[0].size * _size(types[0].shape[i] for i in summed)

    def impl(self, xp: Any, x: Any, y: Any, *, dimension_numbers: Dims, preferred: Any = None) -> Any:
        (xc, yc), (xb, yb) = dimension_numbers
        dtype = preferred or x.dtype
        wide = dtypes.accumulator_dtype(x.dtype)
        if wide != x.dtype or preferred is not None:
            wide = promote_types(wide, dtype)
            x, y = xp.astype(x, wide), xp.astype(y, wide)
        if not xb:
            return xp.astype(xp.tensordot(x, y, axes=(xc, yc)), dtype, copy=False)
        batch = tuple(x.shape[i] for i in xb)
        xr, yr = _rest(x.shape, xc + xb), _rest(y.shape, yc + yb)
        left = xp.permute_dims(x, xb + _others(x.ndim, xc + xb) + xc)
        right = xp.permute_dims(y, yb + yc + _others(y.ndim, yc + yb))
        k = _size(y.shape[j] for j in yc)
        out = xp.matmul(xp.reshape(left, (*batch, _size(xr), k)), xp.reshape(right, (*batch, k, _size(yr))))
        return xp.astype(xp.reshape(out, batch + xr + yr), dtype, copy=False)

    def jvp(self, primals: Sequence[Any], tangents: Sequence[Any], **params: Any) -> tuple[Any, Any]:
        (x, y), (x_dot, y_dot) = primals, tangents
        out = self(x, y, **params)
        terms = [] if isinstance(x_dot, Zero) else [self(x_dot, y, **params)]
        terms += [] if isinstance(y_dot, Zero) else [self(x, y_dot, **params)]
        return out, terms[0] if len(terms) == 1 else add(*terms)

    def transpose(
        self, ct: Any, operands: Sequence[Any], *, dimension_numbers: Dims, preferred: Any = None
    ) -> Sequence[Any]:
        x, y = operands
        (xc, yc), (xb, yb) = dimension_numbers
        if isinstance(x, LinearOperand):
            return [self._transpose_left(ct, x.type, y, dimension_numbers), None]
        swapped = ((yc, xc), (yb, xb))
        n = len(xb)
        x_rest, y_rest = x.ndim - len(xc) - n, y.type.ndim - len(yc) - n
        order = (*range(n), *range(n + x_rest, n + x_rest + y_rest), *range(n, n + x_rest))
        return [None, self._transpose_left(transpose(ct, permutation=order), y.type, x, swapped)]

    def _transpose_left(self, ct: Any, x: ArrayType, y: Any, dimension_numbers: Dims) -> Any:
        (xc, yc), (xb, yb) = dimension_numbers
        n = len(xb)
        x_kept, y_kept = _others(x.ndim, xc + xb), _others(y.ndim, yc + yb)
        ct_y_axes = tuple(range(ct.ndim - len(y_kept), ct.ndim))
        preferred = None
        if ct.dtype != y.dtype:  # the result was asked for in a wider dtype: multiply in that, and come back
            y, preferred = convert(y, dtype=ct.dtype, weak=False), x.dtype
        dot = self(ct, y, dimension_numbers=((ct_y_axes, y_kept), (tuple(range(n)), yb)), preferred=preferred)
        # The result's axes: batch, x's kept ones, then y's contracted ones in y's order.
        yc_sorted = sorted(range(len(yc)), key=lambda i: yc[i])
        now = [*xb, *x_kept, *(xc[i] for i in yc_sorted)]
        return transpose(dot, permutation=tuple(now.index(i) for i in range(x.ndim)))

    def batch(
        self, axis: Any, operands: Sequence[Any], dims: Sequence[Any], *, dimension_numbers: Dims, preferred: Any = None
    ) -> tuple[Any, Any]:
        (x, y), (xd, yd) = operands, dims
        (xc, yc), (xb, yb) = dimension_numbers
        if xd is not None and yd is not None:
            x, y = move_to_front(x, xd), move_to_front(y, yd)
            up = tuple(tuple(i + 1 for i in axes) for axes in (xc, yc, xb, yb))
            numbers = ((up[0], up[1]), ((0, *up[2]), (0, *up[3])))
            return self(x, y, dimension_numbers=numbers, preferred=preferred), 0
        if yd is None:
            x = move_to_front(x, xd)
            numbers = ((tuple(i + 1 for i in xc), yc), (tuple(i + 1 for i in xb), yb))
            return self(x, y, dimension_numbers=numbers, preferred=preferred), len(xb)
        y = move_to_front(y, yd)
        numbers = ((xc, tuple(i + 1 for i in yc)), (xb, tuple(i + 1 for i in yb)))
        return self(x, y, dimension_numbers=numbers, preferred=preferred), x.ndim - len(xc)

    def batch_sum(
        self, axis: Any, operands: Sequence[Any], dims: Sequence[Any], *, dimension_numbers: Dims, preferred: Any = None
    ) -> Any:
        """The batch is one more axis to sum over; an operand that it does not have is the same for all."""
        (x, y), (xd, yd) = operands, dims
        (xc, yc), batch = dimension_numbers
        if xd is None or yd is None:
            x, y = (z if d is None else reduce_sum(z, axes=(d,)) for z, d in ((x, xd), (y, yd)))
            return self(x, y, dimension_numbers=dimension_numbers, preferred=preferred)
        x, y = move_to_front(x, xd), move_to_front(y, yd)
        xc, yc, xb, yb = (tuple(i + 1 for i in axes) for axes in (xc, yc, *batch))
        return self(x, y, dimension_numbers=(((0, *xc), (0, *yc)), (xb, yb)), preferred=preferred)


def _rest(shape: Sequence[Any], without: tuple[int, ...]) -> tuple[Any, ...]:
    return tuple(n for i, n in enumerate(shape) if i not in without)


def _others(ndim: int, without: tuple[int, ...]) -> tuple[int, ...]:
    return tuple(i for i in range(ndim) if i not in without)


def _size(lengths: Any) -> int:
    size = 1
    for n in lengths:
        size *= n
    return size


dot_general = DotGeneral("dot_general")
