"""`vmap`: a function of one element becomes a function of a batch."""

from __future__ import annotations

import functools
from collections.abc import Callable, Sequence
from typing import Any

from ..arrays import type_of
from ..errors import ArgumentError, ShapeError, TransformationError, transparent
from ..promotion import as_operand, is_arraylike
from ..tree import broadcast_prefix, flatten, unflatten
from .batching import BatchAxis, batch_flat, move_result
from .edges import float0_zeros, is_float0
from .signature import check_callable, function_name

__all__ = ["vmap"]


def vmap(
    fun: Callable[..., Any],
    in_axes: int | Sequence[Any] | None = 0,
    out_axes: Any = 0,
    axis_name: Any = None,
    axis_size: int | None = None,
) -> Callable[..., Any]:
    """Map `fun` over an axis of its arguments, without a loop: each operation is done for the whole batch at once.

    Args:
      fun: takes and gives pytrees of arrays.
      in_axes: which axis of each positional argument is the batch: an integer for all, or a tuple with an integer, None
        (not batched) or a pytree prefix of these per argument. Keyword arguments are batched along axis 0.
      out_axes: where the batch axis stands in the results; a pytree prefix of the result.
      axis_name: a name for the axis, for `lax.psum` and the other collectives.
      axis_size: the size of the batch, needed where no argument has the axis.

    Returns:
      the function of batches.

    Raises:
      ValueError: if the sizes of the batch axes differ, or an axis is not there.

    >>> import functorch_lite as fl, functorch_lite.numpy as fnp
    >>> fl.vmap(fnp.dot)(fnp.ones((3, 2)), fnp.ones((3, 2)))
    Array([2., 2., 2.], dtype=float32)
    """
    check_callable("vmap", fun)
    if isinstance(in_axes, list):
        in_axes = tuple(in_axes)
    if not (in_axes is None or isinstance(in_axes, (int, tuple))):
        raise TransformationError(
            f"vmap: in_axes must be an integer, None or a tuple with an item per argument, got {in_axes!r}."
        )

    @transparent
    @functools.wraps(fun)
    def batched(*args: Any, **kwargs: Any) -> Any:
        if isinstance(in_axes, tuple) and len(in_axes) != len(args):
            raise ArgumentError(
                f"vmap: in_axes has {len(in_axes)} items, {function_name(fun)} was called with {len(args)} positional "
                "arguments: give one item per argument."
            )
        leaves, tree = flatten((args, kwargs))
        axes = broadcast_prefix((in_axes, 0), (args, kwargs), is_leaf=lambda x: x is None)
        mapped = [i for i, (x, d) in enumerate(zip(leaves, axes, strict=True)) if d is not None or is_arraylike(x)]
        operands = [as_operand(leaves[i], f"an argument of the vmapped function {function_name(fun)}") for i in mapped]
        dims = [_checked_axis(x, axes[i]) for x, i in zip(operands, mapped, strict=True)]
        axis = BatchAxis(_batch_size(operands, dims, axis_size, fun), axis_name)
        out_tree: Any = None
        out: Any = None
        outs: list[Any] = []
        what = f"a result of {function_name(fun)}"

        def flat(*xs: Any) -> list[Any]:
            nonlocal out_tree, out, outs
            given = list(leaves)  # what is no array, and not mapped over, is passed as it is
            for i, x in zip(mapped, xs, strict=True):
                given[i] = x
            call_args, call_kwargs = unflatten(tree, given)
            out = fun(*call_args, **call_kwargs)
            outs, out_tree = flatten(out)
            return [as_operand(x.astype(bool) if is_float0(x) else x, what) for x in outs]

        values, found = batch_flat(flat, axis, operands, dims)
        targets = broadcast_prefix(out_axes, out, is_leaf=lambda x: x is None)
        moved = [move_result(x, d, to, axis, what) for x, d, to in zip(values, found, targets, strict=True)]
        return unflatten(
            out_tree, [float0_zeros(x.type) if is_float0(y) else x for x, y in zip(moved, outs, strict=True)]
        )

    return batched


def _checked_axis(x: Any, d: Any) -> int | None:
    if d is None:
        return None
    ndim = type_of(x).ndim
    if not hasattr(d, "__index__"):
        raise TransformationError(f"vmap: in_axes must hold integers and None, got {d!r}.")
    if not -ndim <= d < ndim:
        raise ShapeError(f"vmap: in_axes has axis {d} for an argument of type {type_of(x)}, which has {ndim} axes.")
    return d % ndim


def _batch_size(operands: Sequence[Any], dims: Sequence[int | None], axis_size: int | None, fun: Any) -> Any:
    sizes = [(x.shape[d], x, d) for x, d in zip(operands, dims, strict=True) if d is not None]
    if not sizes and axis_size is None:
        raise ArgumentError(
            f"vmap of {function_name(fun)}: no argument has a batch axis (in_axes is None everywhere): give axis_size."
        )
    size = axis_size if axis_size is not None else sizes[0][0]
    if any(n != size for n, _, _ in sizes):
        found = ", ".join(f"{type_of(x)} has {n} along axis {d}" for n, x, d in sizes)
        wanted = "" if axis_size is None else f"; axis_size is {axis_size}"
        raise ShapeError(f"vmap of {function_name(fun)}: the batch axes need one size; {found}{wanted}.")
    return size
