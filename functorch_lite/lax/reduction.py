"""Reductions by a function, and over windows, with JAX's arguments."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import Any

import numpy as np

from .. import dtypes
from .. import numpy as fnp
from ..errors import ArgumentError, DTypeError, ShapeError, UnsupportedError
from ..index_plan import host_value
from ..numpy.axes import axes_of
from ..numpy.extremes import flattened
from ..primitives import elementwise as e
from ..primitives import pooling
from ..promotion import as_operand, cast
from ..transforms.vmap import vmap
from ..tree import flatten, unflatten
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
    leaves, tree = flatten(operands)
    starts, start_tree = flatten(init_values)
    xs = [as_operand(x) for x in leaves]
    if start_tree != tree or not xs:
        raise ArgumentError(f"reduce needs an initial value for each operand, got {start_tree} for {tree}.")
    if len({x.shape for x in xs}) > 1:
        raise ShapeError(f"reduce needs operands of one shape, got {', '.join(str(x.type) for x in xs)}.")
    axes = axes_of("reduce", tuple(dimensions), xs[0].ndim)
    firsts = [cast(as_operand(s), x.dtype) for s, x in zip(starts, xs, strict=True)]
    flat = [flattened(x, axes)[0] for x in xs]
    for_all = computation
    for _ in range(flat[0].ndim):
        for_all = vmap(for_all)

    def combined(a: Sequence[Any], b: Sequence[Any]) -> list[Any]:
        return flatten(for_all(unflatten(tree, a), unflatten(tree, b)))[0]

    while (n := flat[0].shape[-1]) > 1:
        pairs, rest = n // 2, [x[..., n // 2 * 2 :] for x in flat]
        flat = combined([x[..., : 2 * pairs : 2] for x in flat], [x[..., 1 : 2 * pairs : 2] for x in flat])
        flat = [fnp.concatenate([x, r], -1) for x, r in zip(flat, rest, strict=True)] if n % 2 else flat
    begin = [fnp.broadcast_to(s[..., None], (*x.shape[:-1], 1)) for s, x in zip(firsts, flat, strict=True)]
    out = combined(begin, flat) if flat[0].shape[-1] else begin
    return unflatten(tree, [x[..., 0] for x in out])


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
    """A sum, maximum or minimum over each window.

    Args:
      operand: an array.
      init_value: a number, which is combined with each window once.
      computation: `lax.add`, `lax.max` or `lax.min` (or "add", "max", "min").
      window_dimensions: the window's length along each axis.
      window_strides: the step along each axis; 1 by default.
      padding: "SAME", "VALID", or a pair for each axis.
      base_dilation: spacing of the operand's elements.
      window_dilation: spacing of the window's elements.

    Raises:
      NotImplementedError: for other computations.
    """
    x = as_operand(operand)
    n = x.ndim
    base, spread = tuple(base_dilation or (1,) * n), tuple(window_dilation or (1,) * n)
    steps = tuple(window_strides or (1,) * n)
    if isinstance(padding, str):
        reach = [1 + d * (k - 1) for k, d in zip(window_dimensions, spread, strict=True)]
        padding = padtype_to_pads(x.shape, reach, steps, padding)
    name = computation if isinstance(computation, str) else getattr(computation, "__name__", "?")
    if name not in _WINDOWS:
        raise UnsupportedError(f"reduce_window of {x.type} with {name}: available are {', '.join(_WINDOWS)}.")
    if name != "add" and dtypes.is_complex(x.dtype):
        raise DTypeError("complex numbers have no maximum or minimum.")
    start = cast(as_operand(init_value), x.dtype)
    if start.ndim:
        raise ShapeError(f"reduce_window starts from a number, got {start.type}.")
    reduced, combine = _WINDOWS[name]
    out = reduced(
        x,
        window=tuple(window_dimensions),
        strides=steps,
        padding=tuple((int(a), int(b)) for a, b in padding),
        base_dilation=base,
        window_dilation=spread,
    )
    known = host_value(start)
    return out if known is not None and known == _unit(name, x.dtype) else combine(out, start)


_WINDOWS = {
    "add": (pooling.reduce_window_sum, e.add),
    "max": (pooling.reduce_window_max, e.max_),
    "min": (pooling.reduce_window_min, e.min_),
}


def _unit(name: str, dtype: np.dtype) -> Any:
    """What a reduction may start from without a change."""
    if name == "add":
        return 0
    if dtypes.is_floating(dtype):
        return -np.inf if name == "max" else np.inf
    limits = np.iinfo(dtype)
    return limits.min if name == "max" else limits.max
