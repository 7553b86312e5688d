"""Sums of products: dot, matmul, tensordot, kron, cross and friends."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from .. import dtypes
from ..errors import ShapeError
from ..primitives import elementwise as e
from ..primitives.contraction import dot_general
from ..primitives.structural import broadcast_to, reshape
from ..promotion import as_operand, broadcast_shapes, cast, promote, promote_dtypes
from .arithmetic import multiply
from .axes import axes_of, integer
from .joining import concatenate
from .operands import like, no_out
from .parts import conj
from .shaping import moveaxis, ravel

__all__ = [
    "cross",
    "dot",
    "inner",
    "kron",
    "matmul",
    "outer",
    "tensordot",
    "vdot",
]


def contract(x: Any, y: Any, contracting: Any, batch: Any = ((), ()), preferred: Any = None) -> Any:
    """`dot_general` of promoted operands; booleans by way of integers."""
    x, y = promote_dtypes(as_operand(x), as_operand(y))
    numbers = (tuple(map(tuple, contracting)), tuple(map(tuple, batch)))
    preferred = None if preferred is None else dtypes.as_dtype(preferred)
    if dtypes.is_bool(x.dtype):
        x, y = (cast(v, dtypes.default_int()) for v in (x, y))
        out = dot_general(x, y, dimension_numbers=numbers)
        return e.ne(out, like(out, 0)) if preferred is None else cast(out, preferred)
    if preferred is None or preferred == x.dtype:
        return dot_general(x, y, dimension_numbers=numbers)
    return dot_general(x, y, dimension_numbers=numbers, preferred=preferred)


def pair(name: str, a: Any, b: Any) -> list[Any]:
    """Two operands, not promoted yet."""
    return [as_operand(a, f"an operand of {name}"), as_operand(b, f"an operand of {name}")]


def dot(a: Any, b: Any, *, precision: Any = None, preferred_element_type: Any = None) -> Any:
    """The sum of products over the last axis of `a` and the last but one of `b` (its only one, if it is a vector).

    Args:
      a, b: arrays; of numbers, the product.
      precision: taken for JAX's sake.
      preferred_element_type: the dtype in which to add up, and of the result.
    """
    x, y = pair("dot", a, b)
    if not x.ndim or not y.ndim:
        out = multiply(x, y)
        return out if preferred_element_type is None else cast(out, dtypes.as_dtype(preferred_element_type))
    axis = max(y.ndim - 2, 0)
    if x.shape[-1] != y.shape[axis]:
        raise ShapeError(
            f"dot of {x.type} and {y.type}: the last axis of the first and axis {axis} of the second need equal lengths."
        )
    return contract(x, y, ((x.ndim - 1,), (axis,)), preferred=preferred_element_type)


def matmul(a: Any, b: Any, *, precision: Any = None, preferred_element_type: Any = None) -> Any:
    """The product of matrices; axes before the last two broadcast. Vectors count as a row (first operand) or a column.

    Args:
      a: [..., n, k] or [k].
      b: [..., k, m] or [k].
      precision: taken for JAX's sake.
      preferred_element_type: the dtype in which to add up, and of the result.

    Raises:
      ShapeError: for operands without axes, or if the lengths k differ.
    """
    x, y = pair("matmul", a, b)
    if not x.ndim or not y.ndim:
        raise ShapeError(f"matmul needs arrays with axes, got {x.type} and {y.type}: use multiply for numbers.")
    axis = max(y.ndim - 2, 0)
    if x.shape[-1] != y.shape[axis]:
        raise ShapeError(
            f"matmul of {x.type} and {y.type}: axis {x.ndim - 1} of the first and axis {axis} of the second need equal lengths."
        )
    k = ((x.ndim - 1,), (axis,))
    if y.ndim <= 2:
        return contract(x, y, k, preferred=preferred_element_type)
    if x.ndim == 1:
        return contract(y, x, (k[1], k[0]), preferred=preferred_element_type)
    if x.ndim == 2:
        out = contract(x, y, k, preferred=preferred_element_type)
        return moveaxis(out, 0, -2)
    lead = broadcast_shapes("matmul", [x.shape[:-2], y.shape[:-2]])
    x, y = broadcast_to(x, (*lead, *x.shape[-2:])), broadcast_to(y, (*lead, *y.shape[-2:]))
    n = len(lead)
    return contract(x, y, ((n + 1,), (n,)), (range(n), range(n)), preferred_element_type)


def vdot(a: Any, b: Any, *, precision: Any = None, preferred_element_type: Any = None) -> Any:
    """The sum of products of all elements, those of `a` conjugated."""
    return dot(conj(ravel(a)), ravel(b), preferred_element_type=preferred_element_type)


def inner(a: Any, b: Any, *, precision: Any = None, preferred_element_type: Any = None) -> Any:
    """The sum of products over the last axes."""
    x, y = pair("inner", a, b)
    if not x.ndim or not y.ndim:
        return dot(x, y, preferred_element_type=preferred_element_type)
    return contract(x, y, ((x.ndim - 1,), (y.ndim - 1,)), preferred=preferred_element_type)


def outer(a: Any, b: Any, out: None = None) -> Any:
    """The products of every element of `a` with every element of `b`: [size of a, size of b]."""
    no_out("outer", out)
    x, y = ravel(a), ravel(b)
    return multiply(reshape(x, shape=(x.shape[0], 1)), reshape(y, shape=(1, y.shape[0])))


def tensordot(a: Any, b: Any, axes: Any = 2, *, precision: Any = None, preferred_element_type: Any = None) -> Any:
    """The sum of products over several axes.

    Args:
      a, b: arrays.
      axes: how many: the last ones of `a` with the first ones of `b`; or (axes of `a`, axes of `b`).
      precision: taken for JAX's sake.
      preferred_element_type: the dtype in which to add up, and of the result.
    """
    x, y = pair("tensordot", a, b)
    if isinstance(axes, (tuple, list)):
        first, second = (
            axes_of("tensordot", tuple(i) if isinstance(i, (tuple, list)) else i, v.ndim)
            for i, v in zip(axes, (x, y), strict=True)
        )
    else:
        n = integer("tensordot", "axes", axes)
        if n > min(x.ndim, y.ndim):
            raise ShapeError(f"tensordot of {x.type} and {y.type} over {n} axes: there are not so many.")
        first, second = tuple(range(x.ndim - n, x.ndim)), tuple(range(n))
    return contract(x, y, (first, second), preferred=preferred_element_type)


def kron(a: Any, b: Any) -> Any:
    """The Kronecker product: `b` multiplied by each element of `a`, put side by side."""
    x, y = pair("kron", a, b)
    n = max(x.ndim, y.ndim)
    m, k = ((1,) * (n - v.ndim) + tuple(v.shape) for v in (x, y))
    out = multiply(reshape(x, shape=_interleaved(m, True)), reshape(y, shape=_interleaved(k, False)))
    return reshape(out, shape=tuple(i * j for i, j in zip(m, k, strict=True)))


def _interleaved(shape: Sequence[int], first: bool) -> tuple[int, ...]:
    """Each length with an axis of length 1 after it, or before it."""
    return tuple(n for length in shape for n in ((length, 1) if first else (1, length)))


def cross(a: Any, b: Any, axisa: int = -1, axisb: int = -1, axisc: int = -1, axis: int | None = None) -> Any:
    """The cross product of vectors of length 3 (or 2: the third component is 0; of two such, a number).

    Args:
      a, b: arrays that broadcast but for the axis of the vectors.
      axisa, axisb, axisc: the vectors' axis in `a`, in `b` and in the result.
      axis: all three of them.
    """
    if axis is not None:
        axisa = axisb = axisc = axis
    x, y = pair("cross", a, b)
    x, y = moveaxis(x, axisa, -1), moveaxis(y, axisb, -1)
    if x.shape[-1] not in (2, 3) or y.shape[-1] not in (2, 3):
        raise ShapeError(
            f"cross needs vectors of length 2 or 3, got {x.type} and {y.type} with the vectors along the last axis."
        )
    flat = x.shape[-1] == y.shape[-1] == 2
    (x0, x1, x2), (y0, y1, y2) = _components(x), _components(y)
    last = x0 * y1 - x1 * y0
    if flat:
        return last
    parts = promote("cross", x1 * y2 - x2 * y1, x2 * y0 - x0 * y2, last)
    out = parts[0].shape
    from_parts = [reshape(broadcast_to(p, out), shape=(*out, 1)) for p in parts]
    return moveaxis(concatenate(from_parts, -1), -1, axisc)


def _components(x: Any) -> list[Any]:
    parts = [x[..., i] for i in range(x.shape[-1])]
    return parts if len(parts) == 3 else [*parts, e.mul(parts[0], like(x, 0))]
