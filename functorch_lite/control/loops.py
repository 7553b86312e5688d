"""`fori_loop`, `map` and `associative_scan`, on top of `scan` and `while_loop`."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import numpy as np

from .. import dtypes
from ..arrays import from_host, type_of
from ..errors import ShapeError, TransformationError, transparent
from ..primitives import elementwise as e
from ..primitives.slicing import concatenate
from ..promotion import as_operand, promote_dtypes
from ..transforms.signature import check_callable
from ..transforms.vmap import vmap
from ..tree import flatten, unflatten
from .scan import run_scan
from .while_loop import while_loop

__all__ = ["fori_loop", "map"]


@transparent
def fori_loop(lower: Any, upper: Any, body_fun: Callable[[Any, Any], Any], init_val: Any, *, unroll: Any = None) -> Any:
    """`for i in range(lower, upper): val = body_fun(i, val)`, with a value that keeps its type.

    Reverse mode works also where the bounds are not known when the function is traced.

    Args:
      lower: integer scalar, the first index.
      upper: integer scalar, one past the last index.
      body_fun: (index, value) -> value.
      init_val: a pytree of arrays.
      unroll: how many turns a compiler may put into one; results do not depend on it.

    Returns:
      the value after the last turn.

    >>> import functorch_lite as fl
    >>> fl.lax.fori_loop(0, 5, lambda i, x: x + i, 0)
    Array(10, dtype=int32, weak_type=True)
    """
    check_callable("fori_loop", body_fun)
    low, high = promote_dtypes(
        as_operand(lower, "fori_loop's lower bound"), as_operand(upper, "fori_loop's upper bound")
    )
    dtype = type_of(low).dtype
    if type_of(low).shape or type_of(high).shape or not dtypes.is_integer(dtype):
        raise TransformationError(
            f"fori_loop needs bounds that are integer scalars, got {type_of(low)} and {type_of(high)}."
        )
    start, stop = _host(low), _host(high)
    if start is not None and stop is not None:
        weak = type_of(low).weak
        indices = from_host(np.arange(start, max(start, stop), dtype=dtype), weak_type=weak)
        turns = 1 if unroll is None or unroll is False else unroll
        last, _ = run_scan("fori_loop", lambda val, i: (body_fun(i, val), None), init_val, indices, unroll=turns)
        return last
    one = dtype.type(1)
    _, _, last = while_loop(
        lambda state: e.lt(state[0], state[1]),
        lambda state: (e.add(state[0], one), state[1], body_fun(state[0], state[2])),
        (low, high, init_val),
    )
    return last


def _host(x: Any) -> int | None:
    array = x.concrete()
    return None if array is None else int(array.backend.to_host(array.buffer))


@transparent
def map(f: Callable[[Any], Any], xs: Any, *, batch_size: int | None = None) -> Any:
    """Apply `f` to each row of `xs`, one after the other (or `batch_size` at once), and stack the results.

    Args:
      f: row -> results; pytrees.
      xs: a pytree of arrays with a common leading length.
      batch_size: how many rows to do at once, by `vmap`; needs memory for that many. None or 0: one.

    >>> import functorch_lite as fl, functorch_lite.numpy as fnp
    >>> fl.lax.map(lambda x: x * x, fnp.arange(3.0))
    Array([0., 1., 4.], dtype=float32)
    """
    check_callable("map", f)
    if not batch_size:
        return run_scan("map", lambda _, x: (None, f(x)), None, xs)[1]
    leaves, tree = flatten(xs)
    rows = [as_operand(x, "an array that map goes over") for x in leaves]
    if not rows or any(not x.shape for x in rows):
        raise ShapeError("map goes over the leading axis of arrays: give it at least one with an axis.")
    n = rows[0].shape[0]
    if not n:
        return map(f, xs)
    whole = n // batch_size * batch_size
    parts: list[list[Any]] = []
    out_tree: Any = None
    if whole:
        blocks = [x[:whole].reshape((whole // batch_size, batch_size, *x.shape[1:])) for x in rows]
        done = run_scan("map", lambda _, x: (None, vmap(f)(x)), None, unflatten(tree, blocks))[1]
        done_leaves, out_tree = flatten(done)
        parts.append([x.reshape((whole, *x.shape[2:])) for x in done_leaves])
    if whole < n:
        rest_leaves, out_tree = flatten(vmap(f)(unflatten(tree, [x[whole:] for x in rows])))
        parts.append(rest_leaves)
    from_parts = parts[0] if len(parts) == 1 else [concatenate(a, b, dimension=0) for a, b in zip(*parts, strict=True)]
    return unflatten(out_tree, from_parts)
