"""gather and scatter: windows of an array whose places are given by an array of indices, read, written or added to.

`addressing` explains dimension numbers and modes. gather and scatter_add are each other's adjoint. Scatters that are not linear
in operand and updates together are in `scattering`.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from typing import Any, ClassVar

import numpy as np

from .. import dtypes
from ..array_type import ArrayType, Shape
from ..arrays import type_of
from ..errors import DTypeError, ShapeError
from ..primitive import LinearOperand, Primitive, Zero
from .addressing import (
    GatherDimensionNumbers,
    GatherScatterMode,
    Layout,
    ScatterDimensionNumbers,
    default_fill,
    gathered_shape,
    window_sizes,
)
from .base import add
from .elementwise import eq, select
from .slicing import iota
from .structural import instantiate, move_to_front, reshape, zeros

__all__ = [
    "GatherDimensionNumbers",
    "GatherScatterMode",
    "Scatter",
    "ScatterDimensionNumbers",
    "gather",
    "read_params",
    "scatter",
    "scatter_add",
]


def _up(axes: tuple[int, ...]) -> tuple[int, ...]:
    return tuple(a + 1 for a in axes)


class Gather(Primitive):
    """Windows of shape `slice_sizes` of the first operand, at the starts that the second holds. Linear in the first.

    Params: dimension_numbers, slice_sizes, mode ("clip", "fill", "promise_in_bounds"), fill_value (by default
    `default_fill`), indices_are_sorted and unique_indices, which promise something about the indices.
    """

    locates = 1

    def infer(
        self,
        x: ArrayType,
        indices: ArrayType,
        *,
        dimension_numbers: GatherDimensionNumbers,
        slice_sizes: Shape,
        mode: str = "fill",
        fill_value: Any = None,
        indices_are_sorted: bool = False,
        unique_indices: bool = False,
    ) -> ArrayType:
        return x.update(shape=gathered_shape(self.name, x, indices, dimension_numbers, slice_sizes))

    def kernel(self, xp: Any, types: Sequence[ArrayType], params: Mapping[str, Any]) -> Callable[..., Any]:
        x, indices = types
        layout = Layout(x.shape, indices.shape, params["dimension_numbers"], params["slice_sizes"])
        mode, dtype = params.get("mode", "fill"), x.dtype
        fill = params.get("fill_value")
        fill = default_fill(dtype) if fill is None else fill

        def gather(x: Any, indices: Any) -> Any:
            numbers, inside = layout.numbers_of_rows(xp, indices, mode)
            out = layout.take(xp, x, numbers)
            if inside is None or xp.all(inside):
                return out
            return xp.where(layout.spread_mask(xp, inside), out, xp.asarray(fill, dtype=dtype))

        return gather

    def impl(self, xp: Any, x: Any, indices: Any, **params: Any) -> Any:
        types = [ArrayType(b.shape, b.dtype) for b in (x, indices)]
        return self.kernel(xp, types, params)(x, indices)

    def element(  # type: ignore[override]
        self,
        at: Any,
        index: Any,
        *,
        dimension_numbers: GatherDimensionNumbers,
        slice_sizes: Shape,
        mode: str = "fill",
        fill_value: Any = None,
        **promises: Any,
    ) -> Any:
        offset, collapsed, index_map, x_batching, i_batching = dimension_numbers
        x = at.types[0]
        window = iter([index[k] for k in offset])
        batch = [i for k, i in enumerate(index) if k not in offset]
        places = [at.zero if a in collapsed or a in x_batching else next(window) for a in range(x.ndim)]
        for a, b in zip(x_batching, i_batching, strict=True):
            places[a] = batch[b]
        inside = None
        for k, a in enumerate(index_map):
            last = x.shape[a] - slice_sizes[a]
            start = at.index(at.operand(1, [*batch, at.zero + k]))
            if mode == "fill":
                inside = at.both(inside, at.inside(start, 0, last + 1))
            if last:
                places[a] = places[a] + (start if mode == "fill" else at.clamped(start, 0, last))
        fill = default_fill(x.dtype) if fill_value is None else fill_value
        return at.where(inside, lambda: at.operand(0, places), lambda: at.literal(fill, x.dtype))

    def jvp(self, primals: Sequence[Any], tangents: Sequence[Any], **params: Any) -> tuple[Any, Any]:
        x, indices = primals
        out = self(x, indices, **params)
        if isinstance(tangents[0], Zero):
            return out, Zero(out.type.tangent())
        return out, self(tangents[0], indices, **{**params, "fill_value": 0})

    def transpose(self, ct: Any, operands: Sequence[Any], **params: Any) -> Sequence[Any]:
        x, indices = operands
        if isinstance(ct, Zero):
            return [Zero(x.type), None]
        del params["slice_sizes"]
        params.pop("fill_value", None)
        params["dimension_numbers"] = ScatterDimensionNumbers(*params["dimension_numbers"])
        return [scatter_add(zeros(x.type), indices, ct, **params), None]

    def batch(
        self,
        axis: Any,
        operands: Sequence[Any],
        dims: Sequence[Any],
        *,
        dimension_numbers: GatherDimensionNumbers,
        slice_sizes: Shape,
        **params: Any,
    ) -> tuple[Any, Any]:
        (x, indices), (b, i) = operands, dims
        offset, collapsed, index_map, x_batching, i_batching = dimension_numbers
        if b is not None:
            x = move_to_front(x, b)
            collapsed, index_map, x_batching = _up(collapsed), _up(index_map), _up(x_batching)
        if i is not None:
            indices, i_batching = move_to_front(indices, i), _up(i_batching)
            params["indices_are_sorted"] = False
        if b is not None and i is not None:
            x_batching, i_batching = (0, *x_batching), (0, *i_batching)
            slice_sizes = (min(1, axis.size), *slice_sizes)
        elif b is not None:
            slice_sizes = (x.shape[0], *slice_sizes)
        elif i is not None:
            params["unique_indices"] = False
        offset = (0, *_up(offset)) if i is None else _up(offset)
        numbers = GatherDimensionNumbers(offset, collapsed, index_map, x_batching, i_batching)
        return self(x, indices, dimension_numbers=numbers, slice_sizes=slice_sizes, **params), 0


class Scatter(Primitive):
    """The first operand with windows changed at the starts that the second holds, by the third's updates.

    Params: dimension_numbers, mode, indices_are_sorted, unique_indices. Where indices repeat, updates take effect one
    after the other. This class is what the family shares; `scatter` itself writes the updates.
    """

    ufunc: ClassVar[str | None] = None
    """The namespace's function that combines an element with an update; None: the update replaces it."""
    accepts: ClassVar[str] = "biufc"

    def infer(
        self,
        x: ArrayType,
        indices: ArrayType,
        updates: ArrayType,
        *,
        dimension_numbers: ScatterDimensionNumbers,
        mode: str = "fill",
        indices_are_sorted: bool = False,
        unique_indices: bool = False,
    ) -> ArrayType:
        if x.dtype != updates.dtype or dtypes.kind(x.dtype) not in self.accepts:
            numeric, real = "b" not in self.accepts, "c" not in self.accepts
            raise DTypeError(
                f"{self.name} of {x} by updates {updates} needs one dtype for both"
                f"{', numeric' * numeric}{', not complex' * real}: cast with astype."
            )
        if len(dimension_numbers.update_window_dims) + indices.ndim - 1 != updates.ndim or not all(
            0 <= d < updates.ndim for d in dimension_numbers.update_window_dims
        ):
            raise ShapeError(
                f"{self.name} of {x} by {indices} and updates {updates}: {dimension_numbers} does not fit."
            )
        sizes = window_sizes(x.shape, updates.shape, dimension_numbers)
        needed = gathered_shape(self.name, x, indices, dimension_numbers.reversed(), sizes)
        if needed != updates.shape:
            raise ShapeError(f"{self.name} of {x} by {indices} needs updates of shape {needed}, got {updates}.")
        return x.update(weak=x.weak and updates.weak)

    def kernel(self, xp: Any, types: Sequence[ArrayType], params: Mapping[str, Any]) -> Callable[..., Any]:
        unique = params.get("unique_indices", False)
        if hasattr(getattr(xp, self.ufunc or "add"), "at"):  # buffers can be changed in place
            return self.over_rows(xp, types, params, _writer(xp, self.ufunc, unique))
        run = self.over_rows(np, types, params, _writer(np, self.ufunc, unique))
        return lambda *buffers: xp.from_host(run(*map(xp.to_host, buffers)))

    def impl(self, xp: Any, *buffers: Any, **params: Any) -> Any:
        return self.kernel(xp, [ArrayType(b.shape, b.dtype) for b in buffers], params)(*buffers)

    def over_rows(
        self, xp: Any, types: Sequence[ArrayType], params: Mapping[str, Any], write: Callable[[Any, Any, Any], None]
    ) -> Callable[..., Any]:
        """A kernel, from a function that does the work on a matrix.

        Args:
          xp: the namespace: one whose buffers can be changed in place and picked from by masks.
          types: of the operands.
          params: of the operation.
          write: (matrix, numbers of rows, rows): combines the rows of those numbers with the given rows, in place.
        """
        x, indices, updates = types
        numbers = params["dimension_numbers"]
        layout = Layout(x.shape, indices.shape, numbers.reversed(), window_sizes(x.shape, updates.shape, numbers))
        mode, dtype = params.get("mode", "fill"), x.dtype
        wide = dtypes.accumulator_dtype(dtype) if self.ufunc in ("add", "multiply") else dtype
        nothing = not layout.count or not updates.size

        def scatter(x: Any, indices: Any, updates: Any) -> Any:
            if nothing:
                return xp.asarray(x, copy=True)
            rows, inside = layout.numbers_of_rows(xp, indices, mode)
            out = xp.empty((layout.rows, layout.row_size), dtype=wide)
            out[...] = layout.as_rows(xp, x)
            news = layout.updates_as_rows(xp, updates)
            if inside is not None and not xp.all(inside):
                kept = layout.mask_of_rows(xp, inside)
                rows, news = rows[kept], news[kept]
            write(out, rows, news if wide is dtype else xp.astype(news, wide))
            return layout.from_rows(xp, xp.astype(out, dtype, copy=False))

        return scatter

    def batch(
        self, axis: Any, operands: Sequence[Any], dims: Sequence[Any], *, dimension_numbers: Any, **params: Any
    ) -> tuple[Any, Any]:
        (x, indices, updates), (b, i, u) = operands, dims
        window, inserted, index_map, x_batching, i_batching = dimension_numbers
        x, updates = move_to_front(x, b, axis.size), move_to_front(updates, u, axis.size)
        inserted, index_map, x_batching = _up(inserted), _up(index_map), _up(x_batching)
        if i is None:
            window = (0, *_up(window))
        else:
            indices = move_to_front(indices, i)
            params["indices_are_sorted"] = False
            window, x_batching, i_batching = _up(window), (0, *x_batching), (0, *_up(i_batching))
        numbers = ScatterDimensionNumbers(window, inserted, index_map, x_batching, i_batching)
        return self(x, indices, updates, dimension_numbers=numbers, **params), 0


def _writer(xp: Any, name: str | None, unique: bool) -> Callable[[Any, Any, Any], None]:
    """Writes rows into a matrix by the indexing of NumPy and its kin."""
    ufunc = getattr(xp, name) if name else None

    def write(out: Any, rows: Any, news: Any) -> None:
        if ufunc is None:
            out[rows] = news
        elif unique:
            out[rows] = ufunc(out[rows], news)
        else:  # element by element: `at` is several times quicker on one axis than on two
            columns = out.shape[1]
            flat = rows if columns == 1 else xp.reshape(rows[:, None] * columns + xp.arange(columns), (-1,))
            ufunc.at(xp.reshape(out, (-1,)), flat, xp.reshape(news, (-1,)))

    return write


def read_params(scatter_params: dict[str, Any], shape: Shape, updates: Shape, fill_value: Any = 0) -> dict[str, Any]:
    """The params of the gather that reads what a scatter writes."""
    numbers = scatter_params["dimension_numbers"]
    return {
        **scatter_params,
        "dimension_numbers": numbers.reversed(),
        "slice_sizes": window_sizes(shape, updates, numbers),
        "fill_value": fill_value,
    }


def _types(operands: Sequence[Any]) -> list[ArrayType]:
    return [x.type if isinstance(x, LinearOperand) else type_of(x) for x in operands]


class _LinearScatter(Scatter):
    """A scatter that is linear in operand and updates together."""

    def jvp(self, primals: Sequence[Any], tangents: Sequence[Any], **params: Any) -> tuple[Any, Any]:
        out = self(*primals, **params)
        x_dot, _, updates_dot = tangents
        if isinstance(x_dot, Zero) and isinstance(updates_dot, Zero):
            return out, Zero(out.type.tangent())
        return out, self(instantiate(x_dot), primals[1], instantiate(updates_dot), **params)

    def transpose(self, ct: Any, operands: Sequence[Any], **params: Any) -> Sequence[Any]:
        wanted = [isinstance(x, LinearOperand) for x in operands]
        types = _types(operands)
        if isinstance(ct, Zero):
            return [Zero(t) if w else None for t, w in zip(types, wanted, strict=True)]
        x_ct, updates_ct = self.pull_back(ct, operands[1], types[2], wanted, params)
        return [x_ct, None, updates_ct]

    def pull_back(self, ct: Any, indices: Any, updates: ArrayType, wanted: list[bool], params: dict[str, Any]) -> Any:
        """Cotangents of operand and updates."""
        raise NotImplementedError


class ScatterSet(_LinearScatter):
    __doc__ = Scatter.__doc__

    def pull_back(self, ct: Any, indices: Any, updates: ArrayType, wanted: list[bool], params: dict[str, Any]) -> Any:
        read = read_params(params, ct.shape, updates.shape)
        if params.get("unique_indices"):
            x_ct = self(ct, indices, zeros(updates), **params) if wanted[0] else None
            return x_ct, gather(ct, indices, **read) if wanted[2] else None
        # Of several updates of one element the last has won: number them, and look who is there.
        int32 = np.dtype(np.int32)
        order = add(iota(dtype=int32, shape=(updates.size,), dimension=0), int32.type(1))
        order = reshape(order, shape=updates.shape)
        written = self(zeros(ArrayType(ct.shape, int32)), indices, order, **params)
        zero = ct.dtype.type(0)
        x_ct = select(eq(written, int32.type(0)), zero, ct) if wanted[0] else None
        if not wanted[2]:
            return x_ct, None
        won = eq(gather(written, indices, **read), order)
        return x_ct, select(won, zero, gather(ct, indices, **read))


class ScatterAdd(_LinearScatter):
    """As `scatter`, but the updates are added to what is there. Sums of 16-bit floats accumulate in 32 bits."""

    ufunc = "add"
    accepts = "iufc"

    def pull_back(self, ct: Any, indices: Any, updates: ArrayType, wanted: list[bool], params: dict[str, Any]) -> Any:
        read = gather(ct, indices, **read_params(params, ct.shape, updates.shape)) if wanted[2] else None
        return ct if wanted[0] else None, read


gather = Gather("gather")
scatter = ScatterSet("scatter")
scatter_add = ScatterAdd("scatter_add")
