"""Grids of points, and their places counted in one row."""

from __future__ import annotations

import math
from collections.abc import Sequence
from typing import Any

from .. import dtypes
from ..arrays import type_of
from ..errors import ArgumentError, ShapeError
from ..index_plan import host_value
from ..primitives import elementwise as e
from ..primitives.slicing import iota
from ..primitives.structural import broadcast_in_dim, reshape
from ..promotion import cast, promote
from .arithmetic import maximum, minimum
from .axes import integer
from .creation import asarray, concatenated, dtype_or, filled, ones_like, shape_of
from .division import remainder
from .logic import where3
from .operands import like
from .shaping import transpose

__all__ = [
    "indices",
    "meshgrid",
    "ravel_multi_index",
    "unravel_index",
    "vander",
]


def meshgrid(*xi: Any, copy: bool = True, sparse: bool = False, indexing: str = "xy") -> list[Any]:
    """Coordinate arrays of a grid.

    Args:
      *xi: the coordinates along each axis, each of rank 1.
      copy: taken for NumPy's sake.
      sparse: whether to leave the axes that do not vary at length 1.
      indexing: "xy": the first two axes are swapped, as pictures have them; "ij": they are not.
    """
    if indexing not in ("xy", "ij"):
        raise ArgumentError(f"meshgrid: indexing must be 'xy' or 'ij', got {indexing!r}.")
    lines = [asarray(x) for x in xi]
    if any(x.ndim > 1 for x in lines):
        raise ShapeError("meshgrid needs coordinates of rank 1.")
    rank = len(lines)
    places = list(range(rank))
    if indexing == "xy" and rank > 1:
        places[:2] = [1, 0]
    shape = [0] * rank
    for x, p in zip(lines, places, strict=True):
        shape[p] = x.size
    out = []
    for x, p in zip(lines, places, strict=True):
        x = reshape(x, shape=(x.size,))
        full_shape = tuple(x.size if i == p else 1 for i in range(rank)) if sparse else tuple(shape)
        out.append(broadcast_in_dim(x, shape=full_shape, dims=(p,)))
    return out


def indices(dimensions: Sequence[int], dtype: Any = None, sparse: bool = False) -> Any:
    """The index of each element of a grid along each axis: int[axes, *dimensions]; a tuple of arrays if `sparse`."""
    dtype, shape = dtype_or(dtype, dtypes.default_int()), shape_of(dimensions)
    if sparse:
        lines = [iota(dtype=dtype, shape=(n,), dimension=0) for n in shape]
        return tuple(
            broadcast_in_dim(x, shape=tuple(n if j == i else 1 for j, n in enumerate(shape)), dims=(i,))
            for i, x in enumerate(lines)
        )
    if not shape:
        return filled(0, (0,), dtype)
    return concatenated(
        [reshape(iota(dtype=dtype, shape=shape, dimension=i), shape=(1, *shape)) for i in range(len(shape))]
    )


def vander(x: Any, N: int | None = None, increasing: bool = False) -> Any:
    """The matrix of powers of the elements of a vector: column j holds x^(N - 1 - j), or x^j if `increasing`."""
    x = asarray(x)
    if x.ndim != 1:
        raise ShapeError(f"vander needs a vector, got {type_of(x)}.")
    n = x.shape[0] if N is None else N
    if dtypes.is_bool(x.dtype):
        x = cast(x, dtypes.default_int())
    powers = range(n) if increasing else range(n - 1, -1, -1)
    columns = [reshape(e.integer_pow(x, y=p) if p else ones_like(x), shape=(1, x.shape[0])) for p in powers]
    return transpose(concatenated(columns)) if columns else filled(0, (x.shape[0], 0), x.dtype)


def unravel_index(indices: Any, shape: Any) -> tuple[Any, ...]:
    """Positions in the flattened array -> positions along each axis of a shape; what is out of range is moved inwards."""
    flat = asarray(indices)
    shape = tuple(shape) if isinstance(shape, (tuple, list)) or getattr(shape, "ndim", 0) else (shape,)
    shape = [n if (known := host_value(n)) is None else integer("unravel_index", "a length", known) for n in shape]
    size, own = math.prod(shape), flat.dtype
    wide = dtypes.position_dtype(size) if isinstance(size, int) else dtypes.default_int()
    flat = flat if own.itemsize >= wide.itemsize else cast(flat, wide)
    if not dtypes.is_unsigned(flat.dtype):
        flat = maximum(flat, -size)
        flat = where3(flat < 0, flat + size, flat)
    flat = minimum(flat, size - 1)
    out = []
    for n in shape[::-1]:
        out.append(cast(remainder(flat, n), own))
        flat = flat // n
    return tuple(out[::-1])


def ravel_multi_index(
    multi_index: Sequence[Any], dims: Sequence[int], mode: str = "raise", order: str = "C", *, dtype: Any = None
) -> Any:
    """Positions along each axis of a shape -> positions in the flattened array.

    Args:
      multi_index: integers for each axis.
      dims: the shape.
      mode: out of range: "raise" (where values are known), "wrap" or "clip".
      order: "C" or "F".
      dtype: the dtype of the result.
    """
    places = promote("ravel_multi_index", *map(asarray, multi_index))
    if mode not in ("raise", "wrap", "clip"):
        raise ArgumentError(f"ravel_multi_index: mode must be 'raise', 'wrap' or 'clip', got {mode!r}.")
    fixed = []
    for p, n in zip(places, dims, strict=True):
        if mode == "raise":
            value = host_value(p)
            if value is not None and value.size and (value.min() < 0 or value.max() >= n):
                raise ArgumentError(f"ravel_multi_index: a position is out of range for an axis of length {n}.")
        fixed.append(
            remainder(p, n)
            if mode == "wrap"
            else e.min_(e.max_(p, like(p, 0)), like(p, n - 1))
            if mode == "clip"
            else p
        )
    pairs = list(zip(fixed, dims, strict=True))
    out: Any = None
    stride = 1
    for p, n in pairs[::-1] if order == "C" else pairs:
        out = p * stride if out is None else out + p * stride
        stride *= n
    return out if dtype is None else cast(out, dtypes.as_dtype(dtype))
