"""`associative_scan`: all prefixes of an associative operation, in logarithmic depth."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import Any

from ..errors import ShapeError, TransformationError, transparent
from ..primitives.slicing import concatenate, rev, slice_
from ..primitives.structural import expand_dims, reshape
from ..promotion import as_operand, cast
from ..tree import flatten, unflatten

__all__ = ["associative_scan"]


@transparent
def associative_scan(fn: Callable[[Any, Any], Any], elems: Any, reverse: bool = False, axis: int = 0) -> Any:
    """All prefixes x0, x0.x1, x0.x1.x2, ... of an associative operation along an axis.

    Args:
      fn: (a, b) -> a.b, associative, on pytrees of arrays that have any length along the axis.
      elems: a pytree of arrays with a common length along the axis.
      reverse: whether to go from the end to the start.
      axis: the axis.

    Raises:
      TypeError: if `fn` is not a function, or does not keep the structure.
      ValueError: if the lengths differ.

    >>> import functorch_lite as fl, functorch_lite.numpy as fnp
    >>> fl.lax.associative_scan(lambda a, b: a + b, fnp.arange(4.0))
    Array([0., 1., 3., 6.], dtype=float32)
    """
    if not callable(fn):
        raise TransformationError(
            f"associative_scan: the first argument must be a function, got a {type(fn).__name__}."
        )
    leaves, tree = flatten(elems)
    arrays = [as_operand(x, "an array of associative_scan") for x in leaves]
    if not arrays or any(not -x.ndim <= axis < x.ndim for x in arrays):
        raise ShapeError(
            f"associative_scan along axis {axis} of arrays {[str(x.type) for x in arrays]}: they need that axis."
        )
    axis = axis % arrays[0].ndim
    if len({x.shape[axis] for x in arrays}) > 1:
        raise ShapeError(f"associative_scan: lengths along axis {axis} differ: {[str(x.type) for x in arrays]}.")
    if reverse:
        arrays = [rev(x, dimensions=(axis,)) for x in arrays]

    def combine(a: Sequence[Any], b: Sequence[Any]) -> list[Any]:
        out, out_tree = flatten(fn(unflatten(tree, a), unflatten(tree, b)))
        if out_tree != tree:
            raise TransformationError(
                f"associative_scan: the function must keep the structure {tree}, gave {out_tree}."
            )
        return [cast(as_operand(x), y.dtype) for x, y in zip(out, a, strict=True)]

    out = _prefixes(combine, arrays, axis)
    return unflatten(tree, [rev(x, dimensions=(axis,)) for x in out] if reverse else out)


def _prefixes(combine: Callable[..., list[Any]], elems: list[Any], axis: int) -> list[Any]:
    """Combine neighbours, solve half the problem, and fill in between."""
    n = elems[0].shape[axis]
    if n < 2:
        return elems
    odd = _prefixes(combine, combine(_every_other(elems, 0, n - 1, axis), _every_other(elems, 1, n, axis)), axis)
    before = [_cut(x, 0, (n - 1) // 2, axis) for x in odd]
    first = [_cut(x, 0, 1, axis) for x in elems]
    if n == 2:
        even = first
    else:
        rest = combine(before, _every_other(elems, 2, n, axis))
        even = [concatenate(a, b, dimension=axis) for a, b in zip(first, rest, strict=True)]
    return [_interleaved(a, b, axis) for a, b in zip(even, odd, strict=True)]


def _cut(x: Any, start: int, stop: int, axis: int, step: int = 1) -> Any:
    def at(value: int, otherwise: Sequence[int]) -> tuple[int, ...]:
        return tuple(value if i == axis else n for i, n in enumerate(otherwise))

    return slice_(x, start=at(start, (0,) * x.ndim), limit=at(stop, x.shape), strides=at(step, (1,) * x.ndim))


def _every_other(elems: Sequence[Any], start: int, stop: int, axis: int) -> list[Any]:
    return [_cut(x, start, stop, axis, 2) for x in elems]


def _interleaved(a: Any, b: Any, axis: int) -> Any:
    """a0, b0, a1, b1, ...; `a` may be one longer."""
    m = b.shape[axis]
    pairs = concatenate(expand_dims(_cut(a, 0, m, axis), axis + 1), expand_dims(b, axis + 1), dimension=axis + 1)
    flat = reshape(pairs, shape=(*b.shape[:axis], 2 * m, *b.shape[axis + 1 :]))
    return flat if a.shape[axis] == m else concatenate(flat, _cut(a, m, m + 1, axis), dimension=axis)
