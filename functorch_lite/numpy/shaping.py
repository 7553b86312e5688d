"""The shape of arrays: reshape, transpose, move, add and drop axes, broadcast."""

from __future__ import annotations

import math
from collections.abc import Sequence
from typing import Any

from ..array_type import Dim
from ..errors import ArgumentError, ShapeError
from ..primitives import structural
from ..promotion import as_operand, broadcast_shapes
from .axes import axes_of, axis_of, integer

__all__ = [
    "atleast_1d",
    "atleast_2d",
    "atleast_3d",
    "broadcast_arrays",
    "broadcast_to",
    "expand_dims",
    "matrix_transpose",
    "moveaxis",
    "permute_dims",
    "ravel",
    "reshape",
    "rollaxis",
    "squeeze",
    "swapaxes",
    "transpose",
]


def reshape(a: Any, shape: Any, order: str = "C", *, copy: bool | None = None) -> Any:
    """The same elements in another shape.

    Args:
      a: an array.
      shape: an integer or a sequence of them; one may be -1, and is found from the rest.
      order: "C": the last axis varies quickest; "F": the first does.
      copy: taken for NumPy's sake.

    Raises:
      ShapeError: if the elements do not fill the shape.
    """
    x = as_operand(a)
    wanted = _full_shape(x, tuple(shape) if isinstance(shape, (tuple, list)) else (shape,))
    if order == "F":
        return transpose(structural.reshape(transpose(x), shape=wanted[::-1]))
    if order not in ("C", "A"):
        raise ArgumentError(f"reshape: order must be 'C', 'F' or 'A', got {order!r}.")
    return x if x.shape == wanted else structural.reshape(x, shape=wanted)


def _full_shape(x: Any, shape: tuple[Any, ...]) -> tuple[Any, ...]:
    """A shape with -1 replaced by what is left."""
    shape = tuple(n if type(n) in (int, Dim) else integer("reshape", "a length", n) for n in shape)
    unknown = [i for i, n in enumerate(shape) if type(n) is int and n < 0]
    if not unknown:
        return shape
    if len(unknown) > 1 or shape[unknown[0]] != -1:
        raise ShapeError(f"reshape of {x.type} to {shape}: one length may be -1, others must not be negative.")
    here = [n for n in x.shape if type(n) is Dim]
    there = [n for n in shape if type(n) is Dim]
    for n in there:
        if n in here:
            here.remove(n)
    size = math.prod(n for n in x.shape if type(n) is not Dim)
    rest = math.prod(n for n in shape if type(n) is not Dim and n >= 0)
    if rest == 0 or size % rest or len(here) > 1 or (here and size != rest):
        raise ShapeError(
            f"reshape of {x.type} to {shape}: its elements do not fill that shape for any length in place of -1."
        )
    found = here[0] if here else size // rest
    return tuple(found if i == unknown[0] else n for i, n in enumerate(shape))


def ravel(a: Any, order: str = "C") -> Any:
    """All elements in one row; `order` as in `reshape` ("K" counts as "C")."""
    return reshape(a, -1 if as_operand(a).size else 0, "C" if order == "K" else order)


def transpose(a: Any, axes: Sequence[int] | None = None) -> Any:
    """`a` with its axes in another order.

    Args:
      a: an array.
      axes: axis i of the result is axis axes[i] of `a`; None: reversed.
    """
    x = as_operand(a)
    n = x.ndim
    order = tuple(range(n - 1, -1, -1)) if axes is None else axes_of("transpose", axes, n)
    if len(order) != n:
        raise ShapeError(f"transpose of {x.type}: axes {order} must name each of its {n} axes once.")
    return x if order == tuple(range(n)) else structural.transpose(x, permutation=order)


def permute_dims(a: Any, /, axes: Sequence[int]) -> Any:
    """`a` with its axes in another order: axis i of the result is axis axes[i] of `a`."""
    return transpose(a, axes)


def matrix_transpose(x: Any, /) -> Any:
    """Matrices with rows and columns swapped: the last two axes."""
    x = as_operand(x)
    if x.ndim < 2:
        raise ShapeError(f"matrix_transpose needs at least 2 axes, got {x.type}.")
    return swapaxes(x, -1, -2)


def swapaxes(a: Any, axis1: int, axis2: int) -> Any:
    """`a` with two axes swapped."""
    x = as_operand(a)
    order = list(range(x.ndim))
    i, j = axis_of("swapaxes", axis1, x.ndim), axis_of("swapaxes", axis2, x.ndim)
    order[i], order[j] = j, i
    return transpose(x, order)


def moveaxis(a: Any, source: int | Sequence[int], destination: int | Sequence[int]) -> Any:
    """`a` with axes moved to other positions; the rest keep their order."""
    x = as_operand(a)
    from_, to = axes_of("moveaxis", source, x.ndim), axes_of("moveaxis", destination, x.ndim)
    if len(from_) != len(to):
        raise ShapeError(f"moveaxis of {x.type}: {len(from_)} axes cannot go to {len(to)} positions.")
    order = [i for i in range(x.ndim) if i not in from_]
    for d, s in sorted(zip(to, from_, strict=True)):
        order.insert(d, s)
    return transpose(x, order)


def rollaxis(a: Any, axis: int, start: int = 0) -> Any:
    """`a` with one axis moved back until it stands before `start`."""
    x = as_operand(a)
    axis = axis_of("rollaxis", axis, x.ndim)
    start = start + x.ndim if start < 0 else start
    if not 0 <= start <= x.ndim:
        raise ShapeError(f"rollaxis of {x.type}: start must lie between {-x.ndim} and {x.ndim}.")
    return moveaxis(x, axis, start - (start > axis))


def expand_dims(a: Any, axis: int | Sequence[int]) -> Any:
    """`a` with new axes of length 1 at the given positions of the result."""
    x = as_operand(a)
    count = len(axis) if isinstance(axis, (tuple, list)) else 1
    return structural.expand_dims(x, *axes_of("expand_dims", axis, x.ndim + count))


def squeeze(a: Any, axis: int | Sequence[int] | None = None) -> Any:
    """`a` without axes of length 1: all of them, or those named.

    Raises:
      ShapeError: if a named axis has another length.
    """
    x = as_operand(a)
    axes = tuple(i for i, n in enumerate(x.shape) if n == 1) if axis is None else axes_of("squeeze", axis, x.ndim)
    if any(x.shape[i] != 1 for i in axes):
        raise ShapeError(f"squeeze of {x.type} along axes {axes}: only axes of length 1 can be dropped.")
    return structural.squeeze(x, *axes) if axes else x


def broadcast_to(array: Any, shape: Any) -> Any:
    """`array` stretched to a shape: axes are aligned at the end, and those of length 1 stretched."""
    x = as_operand(array)
    shape = tuple(shape) if isinstance(shape, (tuple, list)) else (shape,)
    if x.ndim > len(shape) or any(n not in (1, m) for n, m in zip(x.shape[::-1], shape[::-1], strict=False)):
        raise ShapeError(f"broadcast_to: {x.type} cannot be stretched to {shape}: lengths must be equal, or 1.")
    return structural.broadcast_to(x, shape)


def broadcast_arrays(*args: Any) -> list[Any]:
    """Arrays stretched to the one shape that all of them broadcast to."""
    if not args:
        return []
    xs = [as_operand(x) for x in args]
    shape = broadcast_shapes("broadcast_arrays", [x.shape for x in xs])
    return [structural.broadcast_to(x, shape) for x in xs]


def _atleast(n: int, arys: Sequence[Any], fit: Any) -> Any:
    out = [x if x.ndim >= n else structural.reshape(x, shape=fit(x.shape)) for x in map(as_operand, arys)]
    return out[0] if len(out) == 1 else out


def atleast_1d(*arys: Any) -> Any:
    """Arrays with at least one axis; a list, if several are given."""
    return _atleast(1, arys, lambda shape: (1,))


def atleast_2d(*arys: Any) -> Any:
    """Arrays with at least two axes, new ones in front; a list, if several are given."""
    return _atleast(2, arys, lambda shape: (1,) * (2 - len(shape)) + shape)


def atleast_3d(*arys: Any) -> Any:
    """Arrays with at least three axes: (n,) becomes (1, n, 1), (m, n) becomes (m, n, 1); a list, if several are given."""
    return _atleast(3, arys, lambda shape: ((1, 1, 1), (1, *shape, 1), (*shape, 1))[len(shape)])
