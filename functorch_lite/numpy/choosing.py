"""Where elements are, and choices among them."""

from __future__ import annotations

import math
from collections.abc import Sequence
from typing import Any

import numpy as np

from .. import dtypes
from ..arrays import from_host, type_of
from ..errors import ArgumentError, ConcretizationTypeError, ShapeError
from ..index_plan import host_value
from ..indexing import take
from ..primitives import elementwise as e
from ..primitives.slicing import iota
from ..primitives.structural import broadcast_in_dim, broadcast_to, reduce_sum, reshape
from ..promotion import as_operand, broadcast_shapes, cast, promote_dtypes
from .axes import integers
from .creation import filled, ones
from .division import remainder
from .joining import concatenate
from .logic import as_bool, where3
from .operands import like, no_out
from .shaping import ravel
from .sorting import argsort, line_of

__all__ = [
    "argwhere",
    "choose",
    "compress",
    "extract",
    "flatnonzero",
    "ix_",
    "mask_indices",
    "nonzero",
    "select",
    "where",
]


_INT32 = np.dtype(np.int32)


def where(condition: Any, x: Any = None, y: Any = None, /, *, size: int | None = None, fill_value: Any = None) -> Any:
    """`x` where `condition` holds, else `y`. With one argument, `nonzero(condition)`.

    Args:
      condition: an array; what is not zero counts as true.
      x, y: arrays or numbers; all three broadcast together.
      size, fill_value: as of `nonzero`.

    >>> where(np.array([True, False]), 1.0, 2.0)
    Array([1., 2.], dtype=float32, weak_type=True)
    """
    if x is None and y is None:
        return nonzero(condition, size=size, fill_value=fill_value)
    if x is None or y is None:
        raise ArgumentError("where takes one argument, or all three: condition, x and y.")
    if size is not None or fill_value is not None:
        raise ArgumentError("where: size and fill_value go with one argument only.")
    return where3(condition, x, y)


def unknown_size(name: str, x: Any) -> ConcretizationTypeError:
    """The error of a function whose result has as many elements as values say that are not known."""
    return ConcretizationTypeError(
        f"{name} of a {type(x).__name__} of type {x.type}: the result's shape depends on values that are not "
        "known here. Give `size`."
    )


def nonzero(a: Any, *, size: int | None = None, fill_value: Any = None) -> tuple[Any, ...]:
    """The positions of elements that are not zero: for each axis, a vector.

    Args:
      a: an array with at least one axis.
      size: how many positions to give: further ones are left out, missing ones filled. Needed where `a` is traced.
      fill_value: for missing positions: a number, or one for each axis; 0 by default.

    Raises:
      ConcretizationTypeError: if the values are not known and `size` is not given.
    """
    x = as_operand(a)
    if not x.ndim:
        raise ShapeError(f"nonzero needs an array with at least one axis, got {type_of(x)}: use atleast_1d.")
    value = host_value(x)
    if value is not None and size is None:
        return tuple(from_host(i.astype(dtypes.position_dtype(*x.shape))) for i in np.nonzero(value))
    if size is None:
        raise unknown_size("nonzero", x)
    mask = ravel(as_bool(x))
    count = count_true(mask)
    order = argsort(e.not_(mask)) if mask.shape[0] else filled(0, (0,), dtypes.default_int())
    flat = resized(order, size)
    there = e.lt(iota(dtype=count.dtype, shape=(size,), dimension=0), count)
    fills = fill_value if isinstance(fill_value, (tuple, list)) else [0 if fill_value is None else fill_value] * x.ndim
    out = []
    for i, fill in enumerate(fills):
        inner = max(math.prod(x.shape[i + 1 :]), 1)
        place = e.rem(e.div(flat, like(flat, inner)), like(flat, max(x.shape[i], 1)))
        other = like(place, fill) if isinstance(fill, int) else cast(as_operand(fill), place.dtype)
        out.append(where3(there, place, other))
    return tuple(out)


def count_true(mask: Any) -> Any:
    """How many elements are true."""
    return reduce_sum(cast(mask, dtypes.position_dtype(mask.size, least=_INT32)), axes=tuple(range(mask.ndim)))


def resized(x: Any, size: int, fill: Any = 0) -> Any:
    """The first `size` elements, with more put behind if there are too few."""
    n = x.shape[0]
    if n >= size:
        return x[:size]
    return concatenate([x, broadcast_to(cast(as_operand(fill), x.dtype), (size - n, *x.shape[1:]))], 0)


def flatnonzero(a: Any, *, size: int | None = None, fill_value: Any = None) -> Any:
    """The positions of elements of the flattened array that are not zero; arguments as of `nonzero`."""
    return nonzero(ravel(a), size=size, fill_value=fill_value)[0]


def argwhere(a: Any, *, size: int | None = None, fill_value: Any = None) -> Any:
    """The positions of elements that are not zero, as rows; arguments as of `nonzero`."""
    x = as_operand(a)
    if not x.ndim:
        found = nonzero(reshape(x, shape=(1,)), size=size, fill_value=fill_value)[0]
        return filled(0, (found.shape[0], 0), dtypes.default_int())
    return concatenate([reshape(i, shape=(i.shape[0], 1)) for i in nonzero(x, size=size, fill_value=fill_value)], 1)


def extract(condition: Any, arr: Any, *, size: int | None = None, fill_value: Any = 0) -> Any:
    """The elements of `arr` where `condition` holds; `size` and `fill_value` as of `nonzero`."""
    return compress(ravel(condition), ravel(arr), size=size, fill_value=fill_value)


def compress(
    condition: Any, a: Any, axis: int | None = None, *, size: int | None = None, fill_value: Any = 0, out: None = None
) -> Any:
    """The slices of `a` along an axis where a vector `condition` holds.

    Args:
      condition: a vector, not longer than the axis.
      a: an array.
      axis: along which; None: `a` is flattened first.
      size, fill_value: as of `nonzero`.
      out: must be None, arrays do not change.
    """
    no_out("compress", out)
    x, axis = line_of("compress", a, axis)
    mask = as_bool(condition)
    places = flatnonzero(mask, size=size)
    found = take(x, places, axis)
    if size is None:
        return found
    count = count_true(mask)
    there = e.lt(iota(dtype=count.dtype, shape=(size,), dimension=0), count)
    return where3(
        broadcast_in_dim(there, shape=tuple(found.shape), dims=(axis,)), found, cast(as_operand(fill_value), x.dtype)
    )


def mask_indices(n: int, mask_func: Any, k: int = 0, *, size: int | None = None) -> tuple[Any, ...]:
    """Where `mask_func(ones((n, n)), k)` is not zero."""
    return nonzero(mask_func(ones(integers("mask_indices", "n", (n, n))), k), size=size)


def ix_(*args: Any) -> tuple[Any, ...]:
    """Arrays of indices that together pick the crossings of rows, columns and so on."""
    out = []
    for i, x in enumerate(map(as_operand, args)):
        if x.ndim != 1:
            raise ShapeError(f"ix_ needs vectors, got {type_of(x)}.")
        if dtypes.is_bool(x.dtype):
            (x,) = nonzero(x)
        out.append(reshape(x, shape=tuple(x.size if j == i else 1 for j in range(len(args)))))
    return tuple(out)


def select(condlist: Sequence[Any], choicelist: Sequence[Any], default: Any = 0) -> Any:
    """For each place, the choice whose condition is the first to hold; else the default."""
    if len(condlist) != len(choicelist) or not condlist:
        raise ArgumentError(
            f"select needs as many choices as conditions, and at least one; got {len(choicelist)} and {len(condlist)}."
        )
    *choices, out = promote_dtypes(*map(as_operand, choicelist), as_operand(default))
    for condition, choice in zip(condlist[::-1], choices[::-1], strict=True):
        out = where3(condition, choice, out)
    return out


def choose(a: Any, choices: Any, out: None = None, mode: str = "raise") -> Any:
    """For each place, the element there of the choice that `a` names.

    Args:
      a: integers.
      choices: a sequence of arrays, or an array whose first axis counts them; all broadcast together.
      out: must be None, arrays do not change.
      mode: out of range, "clip" takes the nearest, "wrap" counts round, "raise" raises (where values are known).
    """
    no_out("choose", out)
    which = as_operand(a)
    items = promote_dtypes(
        *map(as_operand, choices if isinstance(choices, (tuple, list)) else list(as_operand(choices)))
    )
    n = len(items)
    if mode == "raise":
        value = host_value(which)
        if value is None:
            raise ConcretizationTypeError(
                "choose: the choices are traced, so they cannot be checked: give mode='clip' or 'wrap'."
            )
        if value.size and (value.min() < 0 or value.max() >= n):
            raise ArgumentError(
                f"choose: there are {n} choices, but one from {value.min()} to {value.max()} was asked for."
            )
    which = remainder(which, n) if mode == "wrap" else e.min_(e.max_(which, like(which, 0)), like(which, n - 1))
    shape = broadcast_shapes("choose", [which.shape, *(x.shape for x in items)])
    result = broadcast_to(items[0], shape)
    for i, x in enumerate(items[1:], 1):
        result = where3(e.eq(which, like(which, i)), x, result)
    return result
