"""Updates: an array with the elements of an index replaced by, or combined with, values."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import numpy as np

from . import dtypes, index_steps
from .array_type import ArrayType, Shape
from .arrays import type_of
from .dtype_lattice import scalar_type_of
from .errors import DTypeError, NonConcreteBooleanIndexError, ShapeError
from .index_plan import Plan, host_value, is_boolean, read_index
from .primitives import elementwise as e
from .primitives.addressing import GatherScatterMode, ScatterDimensionNumbers
from .primitives.dynamic_slicing import dynamic_update_slice
from .primitives.gathering import scatter, scatter_add
from .primitives.scattering import scatter_max, scatter_min, scatter_mul
from .primitives.slicing import pad, rev
from .primitives.structural import broadcast_in_dim, reshape
from .promotion import as_operand, cast

__all__ = ["update"]


_COMBINE: dict[str, tuple[Callable[..., Any], Any]] = {
    "set": (lambda x, v: v, scatter),
    "add": (e.add, scatter_add),
    "multiply": (e.mul, scatter_mul),
    "min": (e.min_, scatter_min),
    "max": (e.max_, scatter_max),
}

"""Name of an update -> what it does to elements, and the primitive that does it to several places at once."""


def update(
    how: str,
    x: Any,
    index: Any,
    values: Any,
    *,
    mode: str | None = None,
    indices_are_sorted: bool = False,
    unique_indices: bool = False,
    wrap_negative_indices: bool = True,
) -> Any:
    """`x` with the elements of an index combined with values; see `AtIndex`."""
    x = as_operand(x)
    mode = None if mode is None else GatherScatterMode.from_any(mode).value
    values = _values(how, x, values)
    if how == "subtract":
        how, values = "add", e.neg(values)
    combine, primitive = _COMBINE[how]
    mask = index[0] if isinstance(index, tuple) and len(index) == 1 else index
    if is_boolean(mask):
        chosen = _by_mask(combine, x, mask, values)
        if chosen is not None:
            return chosen
    plan = read_index(x.type, index, check=mode is None, wrap=wrap_negative_indices)
    if not plan.axes:
        old = None if how == "set" else index_steps.view(x, plan)
        return _put_back(x, plan, combine(old, _fit(values, plan.view, x.type)))
    joint = index_steps.joint_shape(x.type, plan)
    values = _fit(values, index_steps.result_shape(plan, joint), x.type)
    if 0 in values.shape:
        return x
    new = primitive(
        index_steps.view(x, plan),
        index_steps.stacked(x, plan, joint, wrap_negative_indices),
        values,
        dimension_numbers=ScatterDimensionNumbers(*index_steps.dimension_numbers(plan, joint)),
        mode=index_steps.mode_of(mode, plan, "fill"),
        indices_are_sorted=indices_are_sorted,
        unique_indices=unique_indices,
    )
    return _put_back(x, plan, new)


_ORDER = "biufc"


def _values(how: str, x: Any, values: Any) -> Any:
    """Values in the dtype of the array that they go into."""
    if how != "set" and dtypes.is_bool(x.dtype) and how not in ("min", "max"):
        raise DTypeError(
            f"x.at[...].{how} of {x.type}: booleans have no arithmetic; cast with astype, or use set, min or max."
        )
    python = type(values) in (bool, int, float, complex)
    given = scalar_type_of(values)[0] if python else None
    if given is None:
        values = as_operand(values, "the values of an update")
        given = values.dtype
    was, becomes = dtypes.kind(given), dtypes.kind(x.dtype)
    if _ORDER.index(was) > _ORDER.index(becomes) and not (was + becomes == "ui"):
        raise DTypeError(
            f"x.at[...].{how}: values of dtype {given} do not fit into {x.type} without loss. Cast one: "
            f"x.astype({given}), or the values with astype({x.dtype})."
        )
    return x.dtype.type(values) if python else cast(values, x.dtype, x.weak_type)


def _fit(values: Any, shape: Shape, x: ArrayType) -> Any:
    """Values stretched to the shape of the elements that they go to; extra axes of length 1 in front are dropped."""
    got = type_of(values).shape
    if got == shape and not isinstance(values, np.generic):
        return values
    own = got
    while len(own) > len(shape) and own[0] == 1:
        own = own[1:]
    if len(own) > len(shape) or any(n not in (1, m) for n, m in zip(own[::-1], shape[::-1], strict=False)):
        raise ShapeError(
            f"an update of {x}: values of shape {list(got)} do not broadcast to the shape {list(shape)} of the index."
        )
    values = values if own == got else reshape(values, shape=own)
    return broadcast_in_dim(values, shape=shape, dims=tuple(range(len(shape) - len(own), len(shape))))


def _by_mask(combine: Callable[..., Any], x: Any, mask: Any, values: Any) -> Any:
    """An update where a mask is true, if the values do not depend on how many that are; no mask needs to be known."""
    mask = as_operand(mask)
    if mask.shape != x.shape[: mask.ndim] or type_of(values).ndim > x.ndim - mask.ndim:
        if mask.shape == x.shape[: mask.ndim] and host_value(mask) is None:
            raise NonConcreteBooleanIndexError(
                f"an update of {x.type} where a mask {mask.type} is true, whose values are not known here: a value "
                "for each of them cannot be told apart. Give values that broadcast to the shape "
                f"{list(x.shape[mask.ndim :])}, or use where(mask, new, x)."
            )
        return None
    which = broadcast_in_dim(mask, shape=x.shape, dims=tuple(range(mask.ndim))) if mask.ndim < x.ndim else mask
    return e.select(which, x, combine(x, _fit(values, x.shape, x.type)))


def _put_back(x: Any, plan: Plan, new: Any) -> Any:
    """`x` with the view that a plan speaks of replaced."""
    piece = index_steps.piece_shape(plan)
    new = new if new.shape == piece else reshape(new, shape=piece)
    if plan.reversed:
        new = rev(new, dimensions=plan.reversed)
    if 0 in piece:
        return x
    if plan.takes_all(x.shape):
        return cast(new, x.dtype, x.weak_type)  # a constant is weak, the array need not be
    if all(step == 1 for step in plan.steps):
        return dynamic_update_slice(x, new, *map(np.int64, plan.starts))
    config = tuple(
        (a, n - a - (m - 1) * step - 1, step - 1)
        for n, m, a, step in zip(x.shape, piece, plan.starts, plan.steps, strict=True)
    )
    inside = pad(broadcast_in_dim(np.True_, shape=piece, dims=()), np.False_, config=config)
    return e.select(inside, x, pad(new, x.dtype.type(0), config=config))
