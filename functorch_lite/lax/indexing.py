"""gather and the scatter family, with JAX's arguments: windows of an array whose places are given by an array of indices."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import Any

from ..errors import ShapeError
from ..primitives import elementwise as e
from ..primitives import gathering, scattering
from ..primitives.addressing import (
    GatherDimensionNumbers,
    GatherScatterMode,
    ScatterDimensionNumbers,
    window_sizes,
)
from ..promotion import as_operand, cast

__all__ = [
    "GatherDimensionNumbers",
    "GatherScatterMode",
    "ScatterDimensionNumbers",
    "gather",
    "scatter",
    "scatter_add",
    "scatter_apply",
    "scatter_max",
    "scatter_min",
    "scatter_mul",
    "scatter_sub",
]


def _numbers(numbers: Any) -> Any:
    """Dimension numbers with tuples for lists."""
    return type(numbers)(*map(tuple, numbers))


def gather(
    operand: Any,
    start_indices: Any,
    dimension_numbers: GatherDimensionNumbers,
    slice_sizes: Sequence[int],
    *,
    unique_indices: bool = False,
    indices_are_sorted: bool = False,
    mode: str | GatherScatterMode | None = None,
    fill_value: Any = None,
) -> Any:
    """Windows of an array, at places given by an array of indices.

    Args:
      operand: the array.
      start_indices: integers; the last axis holds the place of one window.
      dimension_numbers: how the axes belong together.
      slice_sizes: the shape of a window.
      unique_indices, indices_are_sorted: promises about the indices.
      mode: what becomes of a window that sticks out, see `GatherScatterMode`; None: it is filled.
      fill_value: what it is filled with; None: NaN, the least integer, the largest unsigned one, or True.

    >>> import functorch_lite.numpy as fnp
    >>> rows = GatherDimensionNumbers(offset_dims=(1,), collapsed_slice_dims=(0,), start_index_map=(0,))
    >>> gather(fnp.arange(6).reshape(3, 2), fnp.array([[2], [0]]), rows, (1, 2)).tolist()
    [[4, 5], [0, 1]]
    """
    return gathering.gather(
        as_operand(operand),
        as_operand(start_indices),
        dimension_numbers=_numbers(dimension_numbers),
        slice_sizes=tuple(map(int, slice_sizes)),
        mode=GatherScatterMode.from_any(mode).value,
        fill_value=fill_value,
        indices_are_sorted=indices_are_sorted,
        unique_indices=unique_indices,
    )


def _scatter(primitive: Any, name: str, doc: str) -> Callable[..., Any]:
    def function(
        operand: Any,
        scatter_indices: Any,
        updates: Any,
        dimension_numbers: ScatterDimensionNumbers,
        *,
        indices_are_sorted: bool = False,
        unique_indices: bool = False,
        mode: str | GatherScatterMode | None = None,
    ) -> Any:
        x = as_operand(operand)
        news = updates if hasattr(updates, "dtype") else cast(as_operand(updates), x.dtype)
        return primitive(
            x,
            as_operand(scatter_indices),
            as_operand(news),
            dimension_numbers=_numbers(dimension_numbers),
            mode=GatherScatterMode.from_any(mode).value,
            indices_are_sorted=indices_are_sorted,
            unique_indices=unique_indices,
        )

    function.__name__ = function.__qualname__ = name
    function.__doc__ = f"""{doc}

    Args:
      operand: the array.
      scatter_indices: integers; the last axis holds the place of one window.
      updates: the windows; of the dtype of `operand`.
      dimension_numbers: how the axes belong together.
      indices_are_sorted, unique_indices: promises about the indices.
      mode: what becomes of a window that sticks out, see `GatherScatterMode`; None: it is left out.
    """
    return function


scatter = _scatter(
    gathering.scatter,
    "scatter",
    "An array with windows replaced; where several fall on an element, the last one stays.",
)
scatter_add = _scatter(gathering.scatter_add, "scatter_add", "An array with windows added to it.")
scatter_mul = _scatter(scattering.scatter_mul, "scatter_mul", "An array with windows multiplied into it.")
scatter_min = _scatter(
    scattering.scatter_min, "scatter_min", "An array, and where windows fall on it the smaller numbers."
)
scatter_max = _scatter(
    scattering.scatter_max, "scatter_max", "An array, and where windows fall on it the larger numbers."
)
scatter_sub = _scatter(
    lambda x, indices, updates, **params: gathering.scatter_add(x, indices, e.neg(updates), **params),
    "scatter_sub",
    "An array with windows subtracted from it.",
)


def scatter_apply(
    operand: Any,
    scatter_indices: Any,
    func: Callable[[Any], Any],
    dimension_numbers: ScatterDimensionNumbers,
    *,
    update_shape: Sequence[int] = (),
    indices_are_sorted: bool = False,
    unique_indices: bool = False,
    mode: str | GatherScatterMode | None = None,
) -> Any:
    """An array with a function applied to the elements of windows: once, also where several windows overlap.

    Args:
      operand: the array.
      scatter_indices: integers; the last axis holds the place of one window.
      func: takes and gives an array.
      dimension_numbers: how the axes belong together.
      update_shape: the shape that updates would have.
      indices_are_sorted, unique_indices: promises about the indices.
      mode: what becomes of a window that sticks out, see `GatherScatterMode`; None: it is left out.
    """
    x, numbers = as_operand(operand), _numbers(dimension_numbers)
    sizes = window_sizes(x.shape, tuple(update_shape), numbers)
    promises = {"unique_indices": unique_indices, "indices_are_sorted": indices_are_sorted, "mode": mode}
    new = as_operand(func(gather(x, scatter_indices, numbers.reversed(), sizes, fill_value=0, **promises)))
    if new.shape != tuple(update_shape):
        raise ShapeError(f"scatter_apply: the function gave {new.type} for windows of shape {tuple(update_shape)}.")
    return scatter(x, scatter_indices, cast(new, x.dtype), numbers, **promises)
