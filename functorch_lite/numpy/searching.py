"""Sorting, searching, sets and counting; `where`.

Where a result's shape depends on values, they must be known, or `size` be given.
"""

from __future__ import annotations

import math
from collections.abc import Sequence
from typing import Any, NamedTuple

import numpy as np

from .. import dtypes
from ..arrays import from_host, type_of
from ..errors import ConcretizationTypeError, DTypeError, ShapeError
from ..index_plan import host_value
from ..indexing import take
from ..primitives import elementwise as e
from ..primitives import reduction
from ..primitives.slicing import iota
from ..primitives.sorting import sort as sort_p
from ..primitives.structural import broadcast_in_dim, broadcast_to, reduce_sum, reshape
from ..promotion import as_operand, broadcast_shapes, cast, promote, promote_dtypes
from .axes import axis_of
from .creation import filled, ones
from .elementwise import like, no_out, remainder
from .logic import as_bool, isnan, less, where3
from .manipulation import concatenate, flip, moveaxis, ravel

__all__ = [
    "argpartition",
    "argsort",
    "argwhere",
    "bincount",
    "choose",
    "compress",
    "digitize",
    "extract",
    "flatnonzero",
    "in1d",
    "interp",
    "intersect1d",
    "isin",
    "ix_",
    "lexsort",
    "mask_indices",
    "nonzero",
    "partition",
    "searchsorted",
    "select",
    "setdiff1d",
    "setxor1d",
    "sort",
    "sort_complex",
    "union1d",
    "unique",
    "unique_all",
    "unique_counts",
    "unique_inverse",
    "unique_values",
    "where",
]

_INT32 = np.dtype(np.int32)


def _only(name: str, **options: Any) -> None:
    for option, value in options.items():
        if value is not None:
            raise NotImplementedError(f"{name}: {option}={value!r} has no meaning here; leave it out.")


# Sorting.


def _line(name: str, a: Any, axis: int | None) -> tuple[Any, int]:
    x = as_operand(a)
    if axis is None:
        return ravel(x), 0
    if not x.ndim:
        raise ShapeError(f"{name} needs an array with at least one axis, got {type_of(x)}.")
    return x, axis_of(name, axis, x.ndim)


def sort(
    a: Any,
    axis: int | None = -1,
    *,
    kind: None = None,
    order: None = None,
    stable: bool = True,
    descending: bool = False,
) -> Any:
    """Elements in rising order; NaN comes last.

    Args:
      a: an array.
      axis: along which; None: of the flattened array.
      kind, order: must be None.
      stable: taken for NumPy's sake.
      descending: whether to give falling order.
    """
    _only("sort", kind=kind, order=order)
    x, axis = _line("sort", a, axis)
    (out,) = sort_p(x, dimension=axis, is_stable=stable, num_keys=1)
    return flip(out, axis) if descending else out


def argsort(
    a: Any,
    axis: int | None = -1,
    *,
    kind: None = None,
    order: None = None,
    stable: bool = True,
    descending: bool = False,
    dtype: Any = None,
) -> Any:
    """The positions of elements in rising order; arguments as of `sort`. Equal elements keep their order."""
    _only("argsort", kind=kind, order=order)
    x, axis = _line("argsort", a, axis)
    x = flip(x, axis) if descending else x
    places = iota(dtype=_INT32, shape=tuple(x.shape), dimension=axis)
    _, out = sort_p(x, places, dimension=axis, is_stable=stable, num_keys=1)
    if descending:
        out = flip(e.sub(np.int32(x.shape[axis] - 1), out), axis)
    return cast(out, dtypes.default_int() if dtype is None else dtypes.as_dtype(dtype))


def lexsort(keys: Any, axis: int = -1) -> Any:
    """The positions that sort by the last key, where that is equal by the last but one, and so on.

    Args:
      keys: a sequence of arrays of one shape.
      axis: along which.
    """
    columns = [as_operand(k) for k in (keys if isinstance(keys, (tuple, list)) else list(as_operand(keys)))]
    if not columns:
        raise TypeError("lexsort needs at least one key.")
    if not columns[0].ndim:
        return filled(0, (), dtypes.default_int())
    axis = axis_of("lexsort", axis, columns[0].ndim)
    places = iota(dtype=_INT32, shape=tuple(columns[0].shape), dimension=axis)
    out = sort_p(*columns[::-1], places, dimension=axis, is_stable=True, num_keys=len(columns))
    return cast(out[-1], dtypes.default_int())


def partition(a: Any, kth: int, axis: int = -1) -> Any:
    """`a` with the element of rank `kth` in its sorted place, smaller ones before it: sorted, in fact."""
    x, axis = _line("partition", a, axis)
    axis_of("partition", kth, x.shape[axis])
    return sort(x, axis)


def argpartition(a: Any, kth: int, axis: int = -1) -> Any:
    """The positions that `partition` takes elements from."""
    x, axis = _line("argpartition", a, axis)
    axis_of("argpartition", kth, x.shape[axis])
    return argsort(x, axis)


def sort_complex(a: Any) -> Any:
    """Elements as complex numbers in the order of their real parts, then their imaginary ones."""
    x = sort(a, 0)
    return cast(x, dtypes.complex_dtype(x.dtype))


def _before(a: Any, b: Any) -> Any:
    """Whether a comes before b in sorted order, where NaN is last."""
    out = less(a, b)
    return e.or_(out, e.and_(isnan(b), e.not_(isnan(a)))) if dtypes.is_inexact(a.dtype) else out


def searchsorted(a: Any, v: Any, side: str = "left", sorter: Any = None, *, method: str = "scan") -> Any:
    """Where in a sorted vector values would go.

    Args:
      a: a vector in rising order (as `sorter` puts it).
      v: values.
      side: beside equal elements: "left": before them, "right": behind them.
      sorter: the positions that sort `a`.
      method: taken for JAX's sake.
    """
    if side not in ("left", "right"):
        raise ValueError(f"searchsorted: side must be 'left' or 'right', got {side!r}.")
    line, values = promote_dtypes(as_operand(a), as_operand(v))
    if line.ndim != 1:
        raise ShapeError(f"searchsorted needs a vector to search in, got {type_of(line)}.")
    if sorter is not None:
        line = take(line, sorter)
    n = line.shape[0]
    low, high = filled(0, tuple(values.shape), _INT32), filled(n, tuple(values.shape), _INT32)
    for _ in range(n.bit_length()):
        middle = e.shift_right_logical(e.add(low, high), np.int32(1))
        found = take(line, middle, mode="clip")
        right = _before(found, values) if side == "left" else e.not_(_before(values, found))
        right, searching = e.and_(right, e.lt(low, high)), e.lt(low, high)
        low, high = (
            e.select(right, low, e.add(middle, np.int32(1))),
            e.select(e.and_(searching, e.not_(right)), high, middle),
        )
    return cast(low, dtypes.default_int())


def digitize(x: Any, bins: Any, right: bool = False, *, method: str | None = None) -> Any:
    """The number of the bin that each value falls into, as `searchsorted`; `bins` may rise or fall.

    Args:
      x: values.
      bins: a vector of edges.
      right: whether a bin holds its right edge, not its left one.
      method: taken for JAX's sake.
    """
    edges = as_operand(bins)
    if edges.ndim != 1:
        raise ShapeError(f"digitize needs a vector of bins, got {type_of(edges)}.")
    side = "right" if not right else "left"
    if not edges.shape[0]:
        return filled(0, as_operand(x).shape, dtypes.default_int())
    rising = searchsorted(edges, x, side)
    falling = e.sub(like(rising, edges.shape[0]), searchsorted(flip(edges), x, "right" if side == "left" else "left"))
    return where3(e.ge(edges[-1], edges[0]), rising, falling)


# Where elements are.


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
        raise ValueError("where takes one argument, or all three: condition, x and y.")
    if size is not None or fill_value is not None:
        raise ValueError("where: size and fill_value go with one argument only.")
    return where3(condition, x, y)


def _unknown(name: str, x: Any) -> ConcretizationTypeError:
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
        return tuple(from_host(i.astype(dtypes.default_int())) for i in np.nonzero(value))
    if size is None:
        raise _unknown("nonzero", x)
    mask = ravel(as_bool(x))
    count = _count(mask)
    order = argsort(e.not_(mask)) if mask.shape[0] else filled(0, (0,), dtypes.default_int())
    flat = _resized(order, size)
    there = e.lt(iota(dtype=_INT32, shape=(size,), dimension=0), count)
    fills = fill_value if isinstance(fill_value, (tuple, list)) else [0 if fill_value is None else fill_value] * x.ndim
    out = []
    for i, fill in enumerate(fills):
        inner = max(math.prod(x.shape[i + 1 :]), 1)
        place = e.rem(e.div(flat, like(flat, inner)), like(flat, max(x.shape[i], 1)))
        out.append(where3(there, place, cast(as_operand(fill), place.dtype)))
    return tuple(out)


def _count(mask: Any) -> Any:
    return reduce_sum(cast(mask, _INT32), axes=tuple(range(mask.ndim)))


def _resized(x: Any, size: int, fill: Any = 0) -> Any:
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
    x, axis = _line("compress", a, axis)
    mask = as_bool(condition)
    places = flatnonzero(mask, size=size)
    found = take(x, places, axis)
    if size is None:
        return found
    there = e.lt(iota(dtype=_INT32, shape=(size,), dimension=0), _count(mask))
    return where3(
        broadcast_in_dim(there, shape=tuple(found.shape), dims=(axis,)), found, cast(as_operand(fill_value), x.dtype)
    )


def mask_indices(n: int, mask_func: Any, k: int = 0, *, size: int | None = None) -> tuple[Any, ...]:
    """Where `mask_func(ones((n, n)), k)` is not zero."""
    return nonzero(mask_func(ones((n, n)), k), size=size)


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


# Choosing.


def select(condlist: Sequence[Any], choicelist: Sequence[Any], default: Any = 0) -> Any:
    """For each place, the choice whose condition is the first to hold; else the default."""
    if len(condlist) != len(choicelist) or not condlist:
        raise ValueError(
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
            raise ValueError(
                f"choose: there are {n} choices, but one from {value.min()} to {value.max()} was asked for."
            )
    which = remainder(which, n) if mode == "wrap" else e.min_(e.max_(which, like(which, 0)), like(which, n - 1))
    shape = broadcast_shapes("choose", [which.shape, *(x.shape for x in items)])
    result = broadcast_to(items[0], shape)
    for i, x in enumerate(items[1:], 1):
        result = where3(e.eq(which, like(which, i)), x, result)
    return result


def interp(x: Any, xp: Any, fp: Any, left: Any = None, right: Any = None, period: Any = None) -> Any:
    """The piecewise linear function through points, at x.

    Args:
      x: where.
      xp: the points' abscissas, rising (in any order if there is a period).
      fp: their ordinates.
      left: the value below the first point; None: its ordinate. "extrapolate": the first piece goes on.
      right: the value above the last point; None: its ordinate. "extrapolate": the last piece goes on.
      period: of the function; `left` and `right` are not used then.
    """
    x, xs = (cast(v, dtypes.to_inexact(v.dtype)) for v in promote_dtypes(as_operand(x), as_operand(xp)))
    fs = as_operand(fp)
    fs = cast(fs, dtypes.to_inexact(fs.dtype))
    if xs.ndim != 1 or xs.shape != fs.shape:
        raise ShapeError(f"interp needs points as two vectors of one length, got {type_of(xs)} and {type_of(fs)}.")
    if period is not None:
        if left is not None or right is not None:
            left = right = None
        length = abs(period)
        x, xs = remainder(x, length), remainder(xs, length)
        order = argsort(xs)
        xs, fs = take(xs, order), take(fs, order)
        xs = concatenate([xs[-1:] - length, xs, xs[:1] + length], 0)
        fs = concatenate([fs[-1:], fs, fs[:1]], 0)
    n = xs.shape[0]
    above = searchsorted(xs, x, "right")
    above = e.min_(e.max_(above, like(above, 1)), like(above, max(n - 1, 1)))
    below = e.sub(above, like(above, 1))
    x0, x1, f0, f1 = (take(v, i, mode="clip") for v in (xs, fs) for i in (below, above))
    gap = e.sub(x1, x0)
    flat = e.eq(gap, like(gap, 0))
    share = e.div(e.sub(x, x0), where3(flat, like(gap, 1), gap))
    x0f, rise = promote("interp", cast(share, fs.dtype), e.sub(f1, f0))
    out = where3(flat, f0, e.add(f0, e.mul(x0f, rise)))
    if not (isinstance(left, str) and left == "extrapolate"):
        out = where3(e.lt(x, xs[0]), fs[0] if left is None else left, out)
    if not (isinstance(right, str) and right == "extrapolate"):
        out = where3(e.gt(x, xs[-1]), fs[-1] if right is None else right, out)
    return out


# Counting.


def bincount(x: Any, weights: Any = None, minlength: int = 0, *, length: int | None = None) -> Any:
    """How often each of 0, 1, 2, ... is there; or the sum of its weights.

    Args:
      x: integers; negative ones count as 0.
      weights: one for each.
      minlength: the least length of the result.
      length: the length of the result; larger numbers are left out. Needed where `x` is traced.
    """
    x = as_operand(x)
    if not dtypes.is_integer(x.dtype) and not dtypes.is_bool(x.dtype):
        raise DTypeError(f"bincount needs integers, got {type_of(x)}: cast with astype(int).")
    x = cast(ravel(x), dtypes.default_int()) if dtypes.is_bool(x.dtype) else ravel(x)
    if length is None:
        value = host_value(x)
        if value is None:
            raise ConcretizationTypeError(
                f"bincount of {type_of(x)}, whose values are not known here: give the result's `length`."
            )
        length = max(int(value.max()) + 1 if value.size else 0, minlength)
    w = filled(1, (), dtypes.default_int()) if weights is None else ravel(weights)
    return filled(0, (length,), w.dtype).at[e.max_(x, like(x, 0))].add(w, mode="drop")


# Sets.


class UniqueAll(NamedTuple):
    """What `unique_all` gives."""

    values: Any
    indices: Any
    inverse_indices: Any
    counts: Any


class UniqueCounts(NamedTuple):
    """What `unique_counts` gives."""

    values: Any
    counts: Any


class UniqueInverse(NamedTuple):
    """What `unique_inverse` gives."""

    values: Any
    inverse_indices: Any


def unique(
    ar: Any,
    return_index: bool = False,
    return_inverse: bool = False,
    return_counts: bool = False,
    axis: int | None = None,
    *,
    equal_nan: bool = True,
    size: int | None = None,
    fill_value: Any = None,
    sorted: bool = True,
) -> Any:
    """The distinct elements, sorted.

    Args:
      ar: an array.
      return_index: whether to give where each is found first.
      return_inverse: whether to give which of them each element is.
      return_counts: whether to give how often each is there.
      axis: compare slices along this axis (their values must be known); None: elements.
      equal_nan: whether all NaN are one.
      size: how many to give. Needed where `ar` is traced.
      fill_value: for missing ones; by default the smallest element.
      sorted: taken for the array API's sake.

    Returns:
      The elements; or a tuple of them and what else was asked for.
    """
    x = as_operand(ar)
    value = host_value(x)
    if value is None and (size is None or axis is not None):
        raise _unknown("unique", x)
    if value is not None:
        found = _known_unique(x, value, axis, equal_nan, size, fill_value)
    else:
        found = _traced_unique(x, equal_nan, size, fill_value)
    chosen = [
        part for part, wanted in zip(found, (True, return_index, return_inverse, return_counts), strict=True) if wanted
    ]
    return chosen[0] if len(chosen) == 1 else tuple(chosen)


def _known_unique(
    x: Any, value: Any, axis: int | None, equal_nan: bool, size: int | None, fill_value: Any
) -> tuple[Any, ...]:
    host = value.astype(np.float32) if dtypes.is_floating(x.dtype) and x.dtype.kind == "V" else value
    _, index, inverse, counts = np.unique(
        host, return_index=True, return_inverse=True, return_counts=True, axis=axis, equal_nan=equal_nan
    )
    place = 0 if axis is None else axis_of("unique", axis, x.ndim)
    source = ravel(x) if axis is None else x
    default_int = dtypes.default_int()
    if axis is not None:
        inverse = inverse.reshape(-1)
    out = take(source, index, place)
    index_, counts_ = from_host(index.astype(default_int)), from_host(counts.astype(default_int))
    if size is not None:
        fill = out[(slice(None),) * place + (slice(0, 1),)] if fill_value is None else fill_value
        moved = moveaxis(out, place, 0)
        fill = moveaxis(fill, place, 0) if fill_value is None else fill
        out = moveaxis(_resized(moved, size, fill), 0, place)
        index_, counts_ = _resized(index_, size, index_[0] if len(index) else 0), _resized(counts_, size)
    return out, index_, from_host(inverse.astype(default_int)), counts_


def _traced_unique(x: Any, equal_nan: bool, size: int | None, fill_value: Any) -> tuple[Any, ...]:
    shape, x = tuple(x.shape), ravel(x)
    n, default_int = x.shape[0], dtypes.default_int()
    order = argsort(x)
    ordered = take(x, order, mode="clip")
    a, b = ordered[:-1], ordered[1:]
    differ = e.ne(a, b)
    if equal_nan and dtypes.is_inexact(x.dtype):
        differ = e.and_(differ, e.not_(e.and_(isnan(a), isnan(b))))
    new = concatenate([filled(True, (min(n, 1),), np.dtype(bool)), differ], 0)
    number = e.sub(reduction.cumsum(cast(new, default_int), axis=0, reverse=False), like(filled(0, (), default_int), 1))
    first = flatnonzero(new, size=size, fill_value=n)
    there = e.lt(first, like(first, n))
    values = take(ordered, first, mode="clip")
    values = where3(there, values, ordered[0] if fill_value is None else cast(as_operand(fill_value), x.dtype))
    index = take(order, where3(there, first, 0), mode="clip")
    inverse = reshape(filled(0, (n,), default_int).at[order].set(number), shape=shape)
    counts = filled(0, (size,), default_int).at[number].add(1, mode="drop")  # type: ignore[arg-type]
    return values, index, inverse, counts


def unique_all(x: Any, /, *, size: int | None = None, fill_value: Any = None) -> UniqueAll:
    """The distinct elements, where each is first, which each element is, and how often; NaN are all different."""
    return UniqueAll(*unique(x, True, True, True, equal_nan=False, size=size, fill_value=fill_value))


def unique_counts(x: Any, /, *, size: int | None = None, fill_value: Any = None) -> UniqueCounts:
    """The distinct elements, and how often each is there; NaN are all different."""
    return UniqueCounts(*unique(x, return_counts=True, equal_nan=False, size=size, fill_value=fill_value))


def unique_inverse(x: Any, /, *, size: int | None = None, fill_value: Any = None) -> UniqueInverse:
    """The distinct elements, and which of them each element is; NaN are all different."""
    return UniqueInverse(*unique(x, return_inverse=True, equal_nan=False, size=size, fill_value=fill_value))


def unique_values(x: Any, /, *, size: int | None = None, fill_value: Any = None) -> Any:
    """The distinct elements; NaN are all different."""
    return unique(x, equal_nan=False, size=size, fill_value=fill_value)


def isin(
    element: Any, test_elements: Any, assume_unique: bool = False, invert: bool = False, *, method: str = "auto"
) -> Any:
    """Whether each element is one of others.

    Args:
      element: an array.
      test_elements: what to compare with.
      assume_unique: taken for NumPy's sake.
      invert: whether to ask the opposite.
      method: taken for JAX's sake.
    """
    x, others = promote_dtypes(as_operand(element), as_operand(test_elements))
    others = ravel(others)
    n = others.shape[0]
    wide = broadcast_in_dim(x, shape=(*x.shape, n), dims=tuple(range(x.ndim)))
    same = e.eq(wide, broadcast_to(others, (*x.shape, n)))
    out = reduction.reduce_or(same, axes=(x.ndim,))
    return e.not_(out) if invert else out


in1d = isin


def _fits(name: str, out: Any, size: int | None, fill_value: Any) -> Any:
    if size is None:
        return out
    fill = (out[0] if out.shape[0] else 0) if fill_value is None else fill_value
    return _resized(out, size, fill)


def _known_pair(name: str, a: Any, b: Any) -> list[Any]:
    pair = promote_dtypes(as_operand(a), as_operand(b))
    for x in pair:
        if host_value(x) is None:
            raise _unknown(name, x)
    return [ravel(x) for x in pair]


def union1d(ar1: Any, ar2: Any, *, size: int | None = None, fill_value: Any = None) -> Any:
    """The distinct elements of two arrays, sorted; `size` and `fill_value` as of `unique`."""
    return unique(concatenate([as_operand(ar1), as_operand(ar2)], None), size=size, fill_value=fill_value)


def setdiff1d(
    ar1: Any, ar2: Any, assume_unique: bool = False, *, size: int | None = None, fill_value: Any = None
) -> Any:
    """The distinct elements of `ar1` that are not in `ar2`, sorted; their values must be known."""
    x, y = _known_pair("setdiff1d", ar1, ar2)
    x = x if assume_unique else unique(x)
    fill_value = 0 if fill_value is None else fill_value
    return _fits("setdiff1d", take(x, nonzero(isin(x, y, invert=True))[0]), size, fill_value)


def setxor1d(
    ar1: Any, ar2: Any, assume_unique: bool = False, *, size: int | None = None, fill_value: Any = None
) -> Any:
    """The distinct elements that are in just one of two arrays, sorted; their values must be known."""
    x, y = _known_pair("setxor1d", ar1, ar2)
    parts = [setdiff1d(x, y, assume_unique), setdiff1d(y, x, assume_unique)]
    return _fits("setxor1d", sort(concatenate(parts, 0)), size, fill_value)


def intersect1d(
    ar1: Any,
    ar2: Any,
    assume_unique: bool = False,
    return_indices: bool = False,
    *,
    size: int | None = None,
    fill_value: Any = None,
) -> Any:
    """The distinct elements that are in both of two arrays, sorted; their values must be known.

    Args:
      ar1, ar2: arrays.
      assume_unique: taken for NumPy's sake.
      return_indices: whether to give where each is first, in `ar1` and in `ar2`, too.
      size: how many to give.
      fill_value: for missing ones.
    """
    x, y = _known_pair("intersect1d", ar1, ar2)
    known: list[Any] = [host_value(x), host_value(y)]
    _, i, j = np.intersect1d(*known, return_indices=True)
    out = _fits("intersect1d", take(x, i), size, fill_value)
    if not return_indices:
        return out
    places = [
        _resized(p, size, len(v)) if size else p
        for p, v in ((from_host(k.astype(dtypes.default_int())), v) for k, v in ((i, x), (j, y)))
    ]
    return (out, *places)
