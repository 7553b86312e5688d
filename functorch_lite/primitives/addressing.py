"""Where the windows of a gather or scatter lie in an array: from vectors of indices to numbers of rows.

An operand is looked at as a matrix. Its rows are numbered by the *addressed* axes, those along which a window is not
the whole axis; a row holds all of the other axes. A gather then takes rows, a scatter writes rows, whatever the
dimension numbers are, and rows are as long as can be.
"""

from __future__ import annotations

import enum
import math
from typing import Any, NamedTuple

import numpy as np

from .. import dtypes
from ..array_type import ArrayType, Shape
from ..errors import ArgumentError, DTypeError, ShapeError

__all__ = [
    "GatherDimensionNumbers",
    "GatherScatterMode",
    "Layout",
    "ScatterDimensionNumbers",
    "default_fill",
    "gathered_shape",
    "window_sizes",
]

Axes = tuple[int, ...]


class GatherScatterMode(enum.StrEnum):
    """What becomes of a window that sticks out of the array.

    CLIP moves it inwards. FILL_OR_DROP gives a fill value instead (gather) or leaves it out (scatter).
    PROMISE_IN_BOUNDS says that there is none; if there is one all the same, the result is not specified (it may be an
    IndexError), but no foreign memory is touched.
    """

    CLIP = "clip"
    FILL_OR_DROP = "fill"
    PROMISE_IN_BOUNDS = "promise_in_bounds"

    @staticmethod
    def from_any(mode: Any) -> GatherScatterMode:
        """The mode for a name ("drop" is another for "fill") or None, which is "fill".

        Raises:
          ValueError: for any other name.

        >>> GatherScatterMode.from_any("drop").value
        'fill'
        """
        if mode is None or mode == "drop":
            return GatherScatterMode.FILL_OR_DROP
        try:
            return GatherScatterMode(mode)
        except ValueError:
            raise ArgumentError(
                f"no index mode is named {mode!r}: use 'clip', 'fill' (or 'drop') or 'promise_in_bounds'."
            ) from None


class GatherDimensionNumbers(NamedTuple):
    """How the axes of operand, indices and result of a gather belong together.

    The last axis of the indices holds the vectors of starts.

    Args:
      offset_dims: axes of the result that run over a window; the others are the indices' axes.
      collapsed_slice_dims: operand's axes along which windows have length 1, and that are left out of the result.
      start_index_map: the operand's axis that each component of a start belongs to.
      operand_batching_dims: operand's axes that run along with axes of the indices, left out as well.
      start_indices_batching_dims: those axes of the indices.
    """

    offset_dims: Axes
    collapsed_slice_dims: Axes
    start_index_map: Axes
    operand_batching_dims: Axes = ()
    start_indices_batching_dims: Axes = ()


class ScatterDimensionNumbers(NamedTuple):
    """How the axes of operand, indices and updates of a scatter belong together; the reverse of a gather's.

    Args:
      update_window_dims: axes of the updates that run over a window.
      inserted_window_dims: operand's axes along which windows have length 1, and that the updates do not have.
      scatter_dims_to_operand_dims: the operand's axis that each component of a start belongs to.
      operand_batching_dims: operand's axes that run along with axes of the indices.
      scatter_indices_batching_dims: those axes of the indices.
    """

    update_window_dims: Axes
    inserted_window_dims: Axes
    scatter_dims_to_operand_dims: Axes
    operand_batching_dims: Axes = ()
    scatter_indices_batching_dims: Axes = ()

    def reversed(self) -> GatherDimensionNumbers:
        """The gather that reads what this scatter writes."""
        return GatherDimensionNumbers(*self)


def _distinct(axes: Axes, ndim: int) -> bool:
    return len(set(axes)) == len(axes) and all(0 <= a < ndim for a in axes)


def gathered_shape(name: str, x: ArrayType, indices: ArrayType, numbers: GatherDimensionNumbers, sizes: Shape) -> Shape:
    """The shape of what a gather takes, after checking that its numbers fit together."""
    if indices.dtype.kind not in "iu" or not indices.ndim:
        raise DTypeError(f"{name} of {x} needs indices of integer dtype, vectors along the last axis; got {indices}.")
    offset, collapsed, index_map, x_batching, i_batching = numbers
    left_out = (*collapsed, *x_batching)
    rank = len(offset) + indices.ndim - 1
    wrong = None
    if len(sizes) != x.ndim:
        wrong = f"{x.ndim} slice sizes"
    elif any(not 0 <= m <= n for m, n in zip(sizes, x.shape, strict=True) if m is not n):
        wrong = "slice sizes that are not larger than the array"
    elif not _distinct(left_out, x.ndim) or any(sizes[a] > 1 for a in left_out):
        wrong = "distinct axes to leave out, along which the slice size is 1"
    elif not _distinct((*index_map, *x_batching), x.ndim) or len(index_map) != indices.shape[-1]:
        wrong = "an axis of the array for each component of an index, distinct from the others and the batching axes"
    elif not _distinct(offset, rank) or list(offset) != sorted(offset) or len(offset) != x.ndim - len(left_out):
        wrong = f"an increasing position in the result, of rank {rank}, for each axis that is not left out"
    elif not _distinct(i_batching, indices.ndim - 1) or [x.shape[a] for a in x_batching] != [
        indices.shape[a] for a in i_batching
    ]:
        wrong = "batching axes of equal lengths in the array and the indices"
    if wrong:
        raise ShapeError(f"{name} of {x} by indices {indices} with sizes {sizes} and {numbers} needs {wrong}.")
    batch = iter(indices.shape[:-1])
    window = iter([m for a, m in enumerate(sizes) if a not in left_out])
    return tuple(next(window) if i in offset else next(batch) for i in range(rank))


def default_fill(dtype: Any) -> Any:
    """What stands for an element that is not there: NaN, the least integer, the largest unsigned one, or True."""
    if dtypes.is_inexact(dtype):
        return math.nan
    if dtypes.is_bool(dtype):
        return True
    info = dtypes.iinfo(dtype)
    return info.max if dtypes.is_unsigned(dtype) else info.min


def window_sizes(shape: Shape, updates: Shape, numbers: ScatterDimensionNumbers) -> Shape:
    """The shape of a scatter's windows, in an operand of the given one: 1 along what is left out, 0 in an empty batch."""
    lengths = iter([updates[d] for d in numbers.update_window_dims])
    batching, left_out = numbers.operand_batching_dims, numbers.inserted_window_dims
    return tuple(
        int(n != 0) if a in batching else 1 if a in left_out else next(lengths, 0) for a, n in enumerate(shape)
    )


class Layout:
    """The addresses of a gather (or, with its numbers reversed, of a scatter) for given types.

    Args:
      shape: of the operand.
      indices: shape of the indices.
      numbers: of the gather.
      sizes: of a window.
    """

    def __init__(self, shape: Shape, indices: Shape, numbers: GatherDimensionNumbers, sizes: Shape):
        offset, collapsed, self.index_map, self.x_batching, self.i_batching = numbers
        left_out = (*collapsed, *self.x_batching)
        self.shape, self.sizes, self.batch = shape, sizes, indices[:-1]
        self.addressed = tuple(a for a in range(len(shape)) if a in left_out or sizes[a] != shape[a])
        self.passed = tuple(a for a in range(len(shape)) if a not in self.addressed)
        self.row_shape = tuple(shape[a] for a in self.passed)
        self.row_size = math.prod(self.row_shape)
        self.rows = math.prod(shape[a] for a in self.addressed)
        self.strides = {a: math.prod(shape[b] for b in self.addressed if b > a) for a in self.addressed}
        self.spread = tuple(a for a in self.addressed if a not in left_out)
        """Addressed axes along which windows are longer than a point."""
        self.window = tuple(sizes[a] for a in self.spread)
        self.count = math.prod(self.batch) * math.prod(self.window)
        self.order = self._order(offset, left_out)
        self.inverse = tuple(self.order.index(i) for i in range(len(self.order)))

    def _order(self, offset: Axes, left_out: Axes) -> Axes:
        """Axis i of the result is axis order[i] of: batch axes, spread axes, row's axes."""
        inner = [*self.spread, *self.passed]
        kept = iter([a for a in range(len(self.shape)) if a not in left_out])
        batch = iter(range(len(self.batch)))
        rank = len(offset) + len(self.batch)
        return tuple(len(self.batch) + inner.index(next(kept)) if i in offset else next(batch) for i in range(rank))

    def numbers_of_rows(self, xp: Any, indices: Any, mode: str) -> tuple[Any, Any]:
        """Row numbers, int64[count], within the operand (unless that was promised); and whether each window lies inside
        (bool[batch], None unless the mode asks for it)."""
        indices = _signed(xp, indices)
        total: Any = None
        inside: Any = None
        for k, a in enumerate(self.index_map):
            start, last = indices[..., k], self.shape[a] - self.sizes[a]
            if mode == "fill":
                fits = (start >= 0) & (start <= last)
                inside = fits if inside is None else inside & fits
            if a in self.strides:
                term = start if mode == "promise_in_bounds" else xp.clip(start, 0, last)
                term = term * self.strides[a] if self.strides[a] != 1 else term
                total = term if total is None else total + term
        for a, b in zip(self.x_batching, self.i_batching, strict=True):
            line = np.arange(self.shape[a]) * self.strides[a]
            term = _host_constant(xp, line.reshape([-1 if i == b else 1 for i in range(len(self.batch))]))
            total = term if total is None else total + term
        if total is None:
            total = xp.zeros(self.batch, dtype=xp.int64)
        if self.spread:
            total = xp.reshape(total, (*total.shape, *(1 for _ in self.spread))) + _host_constant(xp, self._steps())
        full = (*self.batch, *self.window)
        return xp.reshape(total if total.shape == full else xp.broadcast_to(total, full), (-1,)), inside

    def _steps(self) -> np.ndarray:
        """From a window's first row to its others."""
        steps = np.zeros((), np.int64)
        for a in self.spread:
            steps = steps[..., None] + np.arange(self.sizes[a]) * self.strides[a]
        return steps

    def take(self, xp: Any, x: Any, numbers: Any) -> Any:
        """The rows of those numbers, as a gather's result."""
        first = self.addressed[0] if self.addressed else 0
        if self.addressed == tuple(range(first, first + len(self.addressed))):
            before = self.shape[:first]
            behind = self.shape[first + len(self.addressed) :]
            flat = x if len(self.addressed) == 1 else xp.reshape(x, (*before, self.rows, *behind))
        else:
            first, before = 0, ()
            flat = xp.reshape(xp.permute_dims(x, (*self.addressed, *self.passed)), (self.rows, *self.row_shape))
        taken = xp.take(flat, numbers, axis=first)
        shaped = xp.reshape(taken, (*before, *self.batch, *self.window, *self.row_shape[len(before) :]))
        lead, points = len(before), len(self.batch) + len(self.window)
        # Axis j of (batch, spread, row) stands in `shaped` behind the row's axes that come before the addressed ones.
        places = (*range(lead, lead + points), *range(lead), *range(lead + points, shaped.ndim))
        order = tuple(places[j] for j in self.order)
        return shaped if order == tuple(range(len(order))) else xp.permute_dims(shaped, order)

    def spread_mask(self, xp: Any, inside: Any) -> Any:
        """bool[batch] -> something that broadcasts against the result of a gather."""
        ones = (1,) * (len(self.order) - len(self.batch))
        return xp.permute_dims(xp.reshape(inside, (*self.batch, *ones)), self.order)

    def as_rows(self, xp: Any, x: Any) -> Any:
        """The operand as a matrix."""
        return xp.reshape(xp.permute_dims(x, (*self.addressed, *self.passed)), (self.rows, self.row_size))

    def from_rows(self, xp: Any, rows: Any) -> Any:
        """A matrix as the operand."""
        axes = (*self.addressed, *self.passed)
        shaped = xp.reshape(rows, tuple(self.shape[a] for a in axes))
        return xp.permute_dims(shaped, tuple(axes.index(i) for i in range(len(axes))))

    def updates_as_rows(self, xp: Any, updates: Any) -> Any:
        """What a scatter writes, a row for each of the row numbers."""
        return xp.reshape(xp.permute_dims(updates, self.inverse), (self.count, self.row_size))

    def mask_of_rows(self, xp: Any, inside: Any) -> Any:
        """bool[batch] -> bool[count]."""
        column = xp.reshape(inside, (*self.batch, *(1 for _ in self.window)))
        return xp.reshape(xp.broadcast_to(column, (*self.batch, *self.window)), (-1,))


def _signed(xp: Any, indices: Any) -> Any:
    """Indices as int64; what does not fit is surely out of range and stays so."""
    if indices.dtype == np.int64:
        return indices
    if indices.dtype == np.uint64:
        indices = xp.minimum(indices, xp.asarray(np.iinfo(np.int64).max, dtype=indices.dtype))
    return xp.astype(indices, xp.int64)


def _host_constant(xp: Any, array: np.ndarray) -> Any:
    return xp.from_host(array) if hasattr(xp, "from_host") else xp.asarray(array)
