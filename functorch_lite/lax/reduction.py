"""Reductions by a function, and over windows, with JAX's arguments."""

from __future__ import annotations

import itertools
from collections.abc import Callable, Sequence
from typing import Any

from .. import dtypes
from .. import numpy as fnp
from ..errors import ArgumentError, DTypeError, ShapeError
from ..index_plan import host_value
from ..numpy.axes import axes_of
from ..numpy.extremes import flattened
from ..primitives import elementwise as e
from ..primitives import pooling, slicing
from ..promotion import as_operand, cast
from ..transforms.vmap import vmap
from ..tree import flatten, unflatten
from ..tree_def import PyTreeDef as TreeDef
from . import elementwise as ops
from .convolution import padtype_to_pads

__all__ = ["reduce", "reduce_window"]


def reduce(operands: Any, init_values: Any, computation: Callable[[Any, Any], Any], dimensions: Sequence[int]) -> Any:
    """Elements along axes combined by a function that is associative, in pairs.

    Args:
      operands: an array, or a pytree of arrays of one shape.
      init_values: likewise numbers; each is combined with the result once.
      computation: (combined so far, more) -> combined, for numbers or pytrees of them.
      dimensions: the axes.

    >>> import functorch_lite.numpy as fnp, functorch_lite.lax as lax
    >>> lax.reduce(fnp.array([[1.0, 5.0], [7.0, 3.0]]), 0.0, lambda a, b: a + b + a * b, (1,)).tolist()
    [11.0, 31.0]
    """
    xs, firsts, tree = _operands("reduce", operands, init_values)
    axes = axes_of("reduce", tuple(dimensions), xs[0].ndim)
    flat = [flattened(x, axes)[0] for x in xs]
    combined = _for_all(computation, tree, flat[0].ndim)
    while (n := flat[0].shape[-1]) > 1:
        pairs, rest = n // 2, [x[..., n // 2 * 2 :] for x in flat]
        flat = combined([x[..., : 2 * pairs : 2] for x in flat], [x[..., 1 : 2 * pairs : 2] for x in flat])
        flat = [fnp.concatenate([x, r], -1) for x, r in zip(flat, rest, strict=True)] if n % 2 else flat
    begin = [fnp.broadcast_to(s[..., None], (*x.shape[:-1], 1)) for s, x in zip(firsts, flat, strict=True)]
    out = combined(begin, flat) if flat[0].shape[-1] else begin
    return unflatten(tree, [x[..., 0] for x in out])


def _operands(name: str, operands: Any, init_values: Any) -> tuple[list[Any], list[Any], TreeDef]:
    """The arrays in a tree, all of one shape, what each starts from, and the tree."""
    leaves, tree = flatten(operands)
    starts, start_tree = flatten(init_values)
    xs = [as_operand(x) for x in leaves]
    if start_tree != tree or not xs:
        raise ArgumentError(f"{name} needs an initial value for each operand, got {start_tree} for {tree}.")
    if len({x.shape for x in xs}) > 1:
        raise ShapeError(f"{name} needs operands of one shape, got {', '.join(str(x.type) for x in xs)}.")
    firsts = [cast(as_operand(s), x.dtype) for s, x in zip(starts, xs, strict=True)]
    if any(s.ndim for s in firsts):
        raise ShapeError(f"{name} starts from a number, got {', '.join(str(s.type) for s in firsts)}.")
    return xs, firsts, tree


def _for_all(
    computation: Callable[[Any, Any], Any], tree: TreeDef, rank: int
) -> Callable[[Sequence[Any], Sequence[Any]], list[Any]]:
    """A function of numbers, for all elements of arrays that are given by the leaves of the trees."""
    for _ in range(rank):
        computation = vmap(computation)
    return lambda a, b: flatten(computation(unflatten(tree, a), unflatten(tree, b)))[0]


def reduce_window(
    operand: Any,
    init_value: Any,
    computation: Callable[[Any, Any], Any] | str,
    window_dimensions: Sequence[int],
    window_strides: Sequence[int] | None = None,
    padding: Any = "VALID",
    base_dilation: Sequence[int] | None = None,
    window_dilation: Sequence[int] | None = None,
) -> Any:
    """The elements of each window combined.

    Args:
      operand: an array, or a pytree of arrays of one shape.
      init_value: a number, which is combined with each window once; likewise numbers.
      computation: (combined so far, more) -> combined, for numbers or pytrees of them; sums and extremes, which are
        `lax.add`, `lax.max` and `lax.min` (or "add", "max", "min"), are quicker than others.
      window_dimensions: the window's length along each axis.
      window_strides: the step along each axis; 1 by default.
      padding: "SAME", "VALID", or a pair for each axis.
      base_dilation: spacing of the operand's elements.
      window_dilation: spacing of the window's elements.

    >>> import functorch_lite.numpy as fnp, functorch_lite.lax as lax
    >>> lax.reduce_window(fnp.arange(4.0), 1.0, lambda a, b: a * b, (2,), (1,), "VALID").tolist()
    [0.0, 2.0, 6.0]
    """
    xs, starts, tree = _operands("reduce_window", operand, init_value)
    n = xs[0].ndim
    base, spread = tuple(base_dilation or (1,) * n), tuple(window_dilation or (1,) * n)
    steps = tuple(window_strides or (1,) * n)
    if isinstance(padding, str):
        reach = [1 + d * (k - 1) for k, d in zip(window_dimensions, spread, strict=True)]
        padding = padtype_to_pads(xs[0].shape, reach, steps, padding)
    places = {
        "window": tuple(window_dimensions),
        "strides": steps,
        "padding": tuple((int(a), int(b)) for a, b in padding),
        "base_dilation": base,
        "window_dilation": spread,
    }
    name = next((name for name, same in _SAME.items() if computation == name or computation in same), None)
    if name is None:
        if isinstance(computation, str):
            raise ArgumentError(
                f"reduce_window: no function is named {computation!r}: give {', '.join(_SAME)}, or one."
            )
        return unflatten(tree, _combined_windows(xs, starts, _for_all(computation, tree, n), **places))
    x, start = xs[0], starts[0]
    if name != "add" and dtypes.is_complex(x.dtype):
        raise DTypeError("complex numbers have no maximum or minimum.")
    reduced, combine = _WINDOWS[name]
    out, known = reduced(x, **places), host_value(start)
    return out if known is not None and known == reduced.fill(x.dtype) else combine(out, start)


_SAME = {
    "add": (vars(ops)["add"], fnp.add),
    "max": (vars(ops)["max"], fnp.maximum),
    "min": (vars(ops)["min"], fnp.minimum),
}
"""The functions that go by a name."""
_WINDOWS = {
    "add": (pooling.reduce_window_sum, e.add),
    "max": (pooling.reduce_window_max, e.max_),
    "min": (pooling.reduce_window_min, e.min_),
}


def _combined_windows(
    xs: Sequence[Any],
    starts: Sequence[Any],
    combined: Callable[[Sequence[Any], Sequence[Any]], list[Any]],
    window: tuple[int, ...],
    strides: tuple[int, ...],
    padding: tuple[tuple[int, int], ...],
    base_dilation: tuple[int, ...],
    window_dilation: tuple[int, ...],
) -> list[Any]:
    """One place of the window after the other, of all windows at once: a slice of the padded operand."""
    config = tuple((low, high, d - 1) for (low, high), d in zip(padding, base_dilation, strict=True))
    padded = [slicing.pad(x, s, config=config) for x, s in zip(xs, starts, strict=True)]
    reach = [1 + d * (k - 1) for k, d in zip(window, window_dilation, strict=True)]
    shape = [max(0, (n - r) // s + 1) for n, r, s in zip(padded[0].shape, reach, strides, strict=True)]
    out = [fnp.broadcast_to(s, shape) for s in starts]
    if 0 in shape:
        return out
    for place in itertools.product(*(range(0, r, d) for r, d in zip(reach, window_dilation, strict=True))):
        limit = tuple(at + s * (n - 1) + 1 for at, s, n in zip(place, strides, shape, strict=True))
        out = combined(out, [slicing.slice_(x, start=place, limit=limit, strides=strides) for x in padded])
    return out
