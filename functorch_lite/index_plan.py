"""NumPy's indexing language, read: an index becomes a `Plan` of static slices and of arrays of indices.

    x[i, ::2, None, idx, ...]   ->   slices of x, a reshape, then a gather along some axes of that

NumPy's rule for several arrays: they are broadcast together, and the axes of the broadcast stand where the arrays were
if these stood side by side (integers count as arrays then), else in front.
"""

from __future__ import annotations

import operator
from collections.abc import Sequence
from typing import Any, NamedTuple

import numpy as np

from . import dtypes
from .array_type import ArrayType, Dim, Shape
from .arrays import Array
from .errors import DTypeError, NonConcreteBooleanIndexError, OutOfBoundsError, ShapeError
from .tracing import Tracer

__all__ = ["Plan", "host_value", "is_boolean", "read_index"]


class Plan(NamedTuple):
    """What an index means for an array of a given type.

    Args:
      starts, limits, steps: the static slice of each axis.
      reversed: axes of the slice to reverse.
      view: the shape of the slice after integers' axes were dropped and new ones were made.
      axes: axes of the view that arrays of indices run along.
      arrays: those arrays: host arrays of int64 within range, or operands whose value is not known.
      spot: where in the result the broadcast axes of the arrays stand.
    """

    starts: tuple[Any, ...]
    limits: tuple[Any, ...]
    steps: tuple[int, ...]
    reversed: tuple[int, ...]
    view: Shape
    axes: tuple[int, ...]
    arrays: tuple[Any, ...]
    spot: int

    def takes_all(self, shape: Shape) -> bool:
        """Whether the slices are the whole array."""
        return self.limits == shape and not any(self.starts) and all(s == 1 for s in self.steps)


def host_value(x: Any) -> np.ndarray | None:
    """The value of an array as a host array; None if it is not known."""
    if isinstance(x, (Array, Tracer)):
        array = x.concrete()
        return None if array is None else np.asarray(array.backend.to_host(array.buffer))
    return np.asarray(x)


def is_boolean(item: Any) -> bool:
    """Whether an item of an index is a mask."""
    return isinstance(item, (bool, np.bool_)) or (
        isinstance(item, (Array, Tracer, np.ndarray)) and dtypes.is_bool(item.dtype)
    )


def _items(type: ArrayType, index: Any) -> list[Any]:
    """The parts of an index: int, slice, None, Ellipsis, or array; lists have become arrays, 0-d integers ints."""
    items = []
    for item in index if isinstance(index, tuple) else (index,):
        if isinstance(item, (list, tuple, range)):
            item = _from_sequence(type, item)
        elif hasattr(item, "__jax_array__"):
            item = item.__jax_array__()
        if item is None or item is Ellipsis or isinstance(item, slice) or is_boolean(item):
            items.append(item)
        elif isinstance(item, (Array, Tracer, np.ndarray)):
            if not dtypes.is_integer(item.dtype):
                raise _wrong_kind(type, f"an array of dtype {item.dtype}")
            value = host_value(item) if not item.ndim else None
            items.append(item if value is None else int(value))
        elif hasattr(item, "__index__"):
            items.append(operator.index(item))
        else:
            raise _wrong_kind(type, repr(item))
    return items


def _from_sequence(type: ArrayType, item: Any) -> np.ndarray:
    if any(isinstance(leaf, (Array, Tracer)) for leaf in item):
        raise DTypeError(
            f"index of {type}: a list that holds arrays; stack them into one with functorch_lite.numpy.array."
        )
    array = np.asarray(item)
    return array if array.size else array.astype(np.int64)


def _wrong_kind(type: ArrayType, what: str) -> DTypeError:
    return DTypeError(
        f"index of {type}: got {what}; an index is made of integers, slices, None, ..., and arrays (or lists) of "
        "integers or booleans. Cast with astype(int) if that is meant."
    )


def _without_ellipsis(type: ArrayType, items: list[Any]) -> tuple[list[Any], set[int]]:
    """Items with an ellipsis replaced by full slices (and added at the end); where it stood, though it may be empty."""
    used = sum(0 if i is None or i is Ellipsis else _consumed(i) for i in items)
    where = [k for k, item in enumerate(items) if item is Ellipsis]
    if len(where) > 1:
        raise OutOfBoundsError(f"index of {type}: there can be one ellipsis (...), got {len(where)}.")
    if used > type.ndim:
        raise OutOfBoundsError(f"too many indices for {type}: it has {type.ndim} axes, the index speaks of {used}.")
    whole = [slice(None)] * (type.ndim - used)
    if not where:
        return items + whole, set()
    k = where[0]
    return items[:k] + whole + items[k + 1 :], set() if whole else {k}


def _consumed(item: Any) -> int:
    """How many axes an item of an index speaks of."""
    return np.ndim(item) if isinstance(item, (bool, np.bool_)) else item.ndim if is_boolean(item) else 1


class _Reader:
    """Collects a plan, item by item."""

    def __init__(self, type: ArrayType, check: bool, wrap: bool):
        self.type, self.check, self.wrap = type, check, wrap
        self.axis = 0
        self.starts: list[Any] = []
        self.limits: list[Any] = []
        self.steps: list[int] = []
        self.reversed: list[int] = []
        self.view: list[Any] = []
        self.axes: list[int] = []
        self.arrays: list[Any] = []
        self.wrong: list[OutOfBoundsError] = []

    def whole(self, start: Any = 0, limit: Any = None, step: int = 1) -> None:
        """Take a slice of the axis at hand."""
        self.starts.append(start)
        self.limits.append(self.type.shape[self.axis] if limit is None else limit)
        self.steps.append(step)
        self.axis += 1

    def known(self, what: str) -> int:
        n = self.type.shape[self.axis]
        if type(n) is Dim:
            raise ShapeError(f"{what} of axis {self.axis} of {self.type}: its length is known only at run time.")
        return n

    def integer(self, i: int) -> None:
        n = self.known("an integer index")
        wrapped = i + n if i < 0 and self.wrap else i
        if 0 <= wrapped < n:
            return self.whole(wrapped, wrapped + 1)
        if self.check:
            raise out_of_bounds(self.type, self.axis, i)
        self.along(np.asarray(wrapped), n)  # a gather knows what to do out of range
        return self.whole()

    def slice(self, item: slice) -> None:
        if item == slice(None):
            self.view.append(self.type.shape[self.axis])
            return self.whole()
        start, stop, step = item.indices(self.known("a slice"))
        length = len(range(start, stop, step))
        if step < 0:
            self.reversed.append(self.axis)
            start, step = start + (length - 1) * step, -step
        self.view.append(length)
        if not length:
            return self.whole(0, 0)
        return self.whole(start, start + (length - 1) * step + 1, step)

    def array(self, item: Any) -> None:
        """An array of integers along the axis at hand."""
        n = self.known("an array as an index")
        value = host_value(item)
        if value is None:
            self.along(item, n)
        else:
            self.along(self.in_range(value, n), n)
        self.whole()

    def in_range(self, value: np.ndarray, n: int) -> np.ndarray:
        """Known indices with negative ones counted from the end; notes what is out of range if asked to."""
        if value.dtype == np.uint64:
            value = np.minimum(value, np.iinfo(np.int64).max)
        value = value.astype(np.int64)
        if not value.size:
            return value
        least, most = value.min(), value.max()
        if self.check and (most >= n or least < (-n if self.wrap else 0)):
            bad = value[(value >= n) | (value < (-n if self.wrap else 0))]
            self.wrong.append(out_of_bounds(self.type, self.axis, int(bad.flat[0])))
        return np.where(value < 0, value + n, value) if least < 0 and self.wrap else value

    def along(self, array: Any, n: Any) -> None:
        self.axes.append(len(self.view))
        self.arrays.append(array)
        self.view.append(n)

    def mask(self, item: Any) -> None:
        """An array of booleans: the indices of what is true."""
        value = host_value(item)
        if value is None:
            raise NonConcreteBooleanIndexError(
                f"index of {self.type} by a mask {item.type} whose values are not known here: the result's shape would "
                "depend on them. Use where(mask, x, y), x.at[mask].set(v), or nonzero(mask, size=n)."
            )
        shape = self.type.shape[self.axis : self.axis + value.ndim]
        if value.ndim > len(shape) or any(m not in (0, n) for m, n in zip(value.shape, shape, strict=True)):
            raise OutOfBoundsError(
                f"index of {self.type} by a mask of shape {value.shape}: it needs the shape {shape} of the axes that "
                f"it stands for, from axis {self.axis} on."
            )
        if not value.ndim:
            return self.along(np.zeros(int(value), np.int64), 1)
        for found in value.nonzero():
            self.along(found, self.type.shape[self.axis])
            self.whole()


def read_index(type: ArrayType, index: Any, *, check: bool = True, wrap: bool = True) -> Plan:
    """What `index` means for an array of a type.

    Args:
      type: of the array.
      index: anything that NumPy takes.
      check: whether known indices must be in range.
      wrap: whether negative indices count from the end.

    Raises:
      OutOfBoundsError: (an IndexError) for an index out of range, too many indices, or a mask of a wrong shape.
      NonConcreteBooleanIndexError: for a mask without known values.
      DTypeError: for what is no index.

    >>> plan = read_index(ArrayType((4, 5), np.dtype("float32")), (1, slice(None, None, 2)))
    >>> plan.starts, plan.limits, plan.steps, plan.view
    ((1, 0), (2, 5), (1, 2), (3,))
    """
    items, gaps = _without_ellipsis(type, _items(type, index))
    reader = _Reader(type, check, wrap)
    mixed = any(isinstance(i, (Array, Tracer, np.ndarray, bool, np.bool_)) for i in items)
    advanced: list[int] = []
    spot = 0
    for k, item in enumerate(items):
        fancy = mixed and not (item is None or isinstance(item, slice))
        if fancy:
            if not advanced:
                spot = len(reader.view)
            advanced.append(k)
        if item is None:
            reader.view.append(1)
        elif isinstance(item, slice):
            reader.slice(item)
        elif is_boolean(item):
            reader.mask(item)
        elif isinstance(item, int):
            reader.integer(item)
        else:
            reader.array(item)
    if reader.wrong and all(a.size for a in reader.arrays):  # where nothing is taken, NumPy lets it pass
        raise reader.wrong[0]
    if advanced and (_apart(advanced) or any(advanced[0] < gap <= advanced[-1] for gap in gaps)):
        spot = 0
    return Plan(
        tuple(reader.starts), tuple(reader.limits), tuple(reader.steps), tuple(reader.reversed),
        tuple(reader.view), tuple(reader.axes), tuple(reader.arrays), spot,
    )  # fmt: skip


def _apart(places: Sequence[int]) -> bool:
    return places[-1] - places[0] + 1 != len(places)


def out_of_bounds(type: ArrayType, axis: int, index: int) -> OutOfBoundsError:
    """The error for an index that an axis does not have."""
    return OutOfBoundsError(
        f"index {index} is out of bounds for axis {axis} of {type}, with length {type.shape[axis]}."
    )
