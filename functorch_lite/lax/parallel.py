"""Collectives: what the members of a named axis do together."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from .. import dtypes
from ..arrays import type_of
from ..errors import ArgumentError, ShapeError, UnsupportedError
from ..primitives import collectives as c
from ..primitives import elementwise as e
from ..promotion import as_operand, cast
from ..tracing import axis_size as size_of_axis
from ..tree import map as tree_map

__all__ = [
    "all_gather",
    "axis_index",
    "axis_size",
    "pmax",
    "pmean",
    "pmin",
    "ppermute",
    "pshuffle",
    "psum",
    "psum_scatter",
]


def _names(axis_name: Any) -> tuple[Any, ...]:
    names = tuple(axis_name) if isinstance(axis_name, (tuple, list)) else (axis_name,)
    for name in names:
        size_of_axis(name)
    return names


def _one_name(axis_name: Any, what: str) -> Any:
    names = _names(axis_name)
    if len(names) != 1:
        raise ArgumentError(f"{what} works along one named axis, got {axis_name!r}: call it for one after the other.")
    return names[0]


def _no_groups(axis_index_groups: Any, what: str) -> None:
    if axis_index_groups is not None:
        raise UnsupportedError(f"{what}: axis_index_groups is not available: use an axis for each group.")


def _each(x: Any, axis_name: Any, primitive: Any) -> Any:
    names = _names(axis_name)

    def apply(leaf: Any) -> Any:
        value = as_operand(leaf)
        if primitive is c.psum and dtypes.is_bool(value.dtype):
            value = cast(value, dtypes.default_int())
        for name in names:
            value = primitive(value, axis_name=name)
        return value

    return tree_map(apply, x)


def psum(x: Any, axis_name: Any, *, axis_index_groups: Any = None) -> Any:
    """The sum over a named axis (or several), which each member gets.

    Args:
      x: a pytree of arrays.
      axis_name: a name given to `vmap`, or a tuple of names.

    Raises:
      NameError: if no enclosing transformation names the axis.

    >>> import functorch_lite as fl, functorch_lite.numpy as fnp
    >>> fl.vmap(lambda x: x / fl.lax.psum(x, "i"), axis_name="i")(fnp.ones(4))
    Array([0.25, 0.25, 0.25, 0.25], dtype=float32)
    """
    _no_groups(axis_index_groups, "psum")
    return _each(x, axis_name, c.psum)


def pmean(x: Any, axis_name: Any, *, axis_index_groups: Any = None) -> Any:
    """The mean over a named axis (or several)."""
    _no_groups(axis_index_groups, "pmean")
    n = axis_size(axis_name)

    def divided(total: Any) -> Any:
        dtype = dtypes.to_inexact(type_of(total).dtype)
        return e.div(cast(total, dtype, type_of(total).weak), dtype.type(n))

    return tree_map(divided, psum(x, axis_name))


def pmax(x: Any, axis_name: Any, *, axis_index_groups: Any = None) -> Any:
    """The largest over a named axis (or several)."""
    _no_groups(axis_index_groups, "pmax")
    return _each(x, axis_name, c.pmax)


def pmin(x: Any, axis_name: Any, *, axis_index_groups: Any = None) -> Any:
    """The smallest over a named axis (or several)."""
    _no_groups(axis_index_groups, "pmin")
    return _each(x, axis_name, c.pmin)


def axis_size(axis_name: Any) -> int:
    """The number of members of a named axis; of several, the product."""
    n = 1
    for name in _names(axis_name):
        n *= size_of_axis(name)
    return n


def axis_index(axis_name: Any) -> Any:
    """Each member's position along a named axis; along several, in row-major order."""
    index: Any = None
    for name in _names(axis_name):
        own = c.axis_index(axis_name=name)
        index = own if index is None else e.add(e.mul(index, own.dtype.type(size_of_axis(name))), own)
    return index


def all_gather(x: Any, axis_name: Any, *, axis_index_groups: Any = None, axis: int = 0, tiled: bool = False) -> Any:
    """The values of all members, which each member gets.

    Args:
      x: a pytree of arrays.
      axis_name: the named axis, or several, whose members are counted in row-major order.
      axis: where the new axis stands in the results.
      tiled: whether to put the values one after the other along `axis` instead.
    """
    _no_groups(axis_index_groups, "all_gather")
    names = _names(axis_name)

    def gather(leaf: Any) -> Any:
        value = as_operand(leaf)
        position = axis % (value.ndim + (not tiled))
        for i, name in enumerate(reversed(names)):
            # The first gathering makes the axis, the others put their parts one after the other along it.
            own = tiled or i > 0
            value = c.all_gather(value, axis_name=name, dimension=position, tiled=own, size=size_of_axis(name))
        return value

    return tree_map(gather, x)


def psum_scatter(
    x: Any, axis_name: Any, *, scatter_dimension: int = 0, axis_index_groups: Any = None, tiled: bool = False
) -> Any:
    """The sum over a named axis, of which each member gets its part along `scatter_dimension`."""
    _no_groups(axis_index_groups, "psum_scatter")
    name = _one_name(axis_name, "psum_scatter")
    n = size_of_axis(name)

    def scatter(leaf: Any) -> Any:
        value = as_operand(leaf)
        length = value.shape[scatter_dimension]
        if length % n if tiled else length != n:
            raise ShapeError(
                f"psum_scatter of {type_of(value)}: axis {scatter_dimension} does not divide into {n} parts, one for "
                f"each member of axis {name!r}" + ("." if tiled else " (of length 1: tiled=True for longer ones).")
            )
        return c.reduce_scatter(value, axis_name=name, dimension=scatter_dimension % value.ndim, tiled=tiled, size=n)

    return tree_map(scatter, x)


def ppermute(x: Any, axis_name: Any, perm: Sequence[tuple[int, int]]) -> Any:
    """Sends values along a named axis: each pair (source, destination); who receives nothing gets zeros.

    Raises:
      ValueError: if a member sends or receives twice, or does not exist.
    """
    name = _one_name(axis_name, "ppermute")
    n = size_of_axis(name)
    pairs = tuple((int(a), int(b)) for a, b in perm)
    sources, targets = [a for a, _ in pairs], [b for _, b in pairs]
    if len(set(sources)) < len(sources) or len(set(targets)) < len(targets):
        raise ArgumentError(f"ppermute: each member sends and receives at most once, got {list(pairs)}.")
    if any(not 0 <= i < n for i in (*sources, *targets)):
        raise ArgumentError(f"ppermute: the members of axis {name!r} are 0 to {n - 1}, got {list(pairs)}.")
    return tree_map(lambda leaf: c.ppermute(as_operand(leaf), axis_name=name, perm=pairs), x)


def pshuffle(x: Any, axis_name: Any, perm: Sequence[int]) -> Any:
    """Member i gets the value of member `perm[i]`."""
    return ppermute(x, axis_name, [(source, target) for target, source in enumerate(perm)])
