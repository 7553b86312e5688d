"""What a gradient transformation is, how they chain, and how updates are applied."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any, NamedTuple

import numpy as np

from .. import numpy as fnp
from ..errors import ArgumentError
from ..promotion import as_operand, cast
from ..tree import map as tree_map

__all__ = ["EmptyState", "GradientTransformation", "apply_updates", "chain", "identity", "set_to_zero"]


class GradientTransformation(NamedTuple):
    """A pair of pure functions.

    Args:
      init: params -> state.
      update: (updates, state, params=None) -> (new updates, new state).
    """

    init: Callable[[Any], Any]
    update: Callable[..., tuple[Any, Any]]


class EmptyState(NamedTuple):
    """The state of a transformation that needs none."""


def full_like(params: Any, value: Any, dtype: Any = None) -> Any:
    """Arrays of one value, of the shapes and dtypes of the leaves; strong ones, as updates will be."""

    def fill(p: Any) -> Any:
        p = as_operand(p)
        return fnp.full(p.shape, value, p.dtype if dtype is None else dtype)

    return tree_map(fill, params)


def zeros_like(params: Any, dtype: Any = None) -> Any:
    """Zeros of the shapes and dtypes of the leaves."""
    return full_like(params, 0, dtype)


def cast_tree(tree: Any, dtype: Any) -> Any:
    """The leaves in another dtype, unless it is None."""
    return tree if dtype is None else tree_map(lambda x: fnp.astype(x, dtype), tree)


def count_zero() -> Any:
    """The number of steps at the start."""
    return as_operand(np.int32(0))


def identity() -> GradientTransformation:
    """Leaves updates as they are.

    >>> identity().update(2.0, EmptyState())
    (2.0, EmptyState())
    """
    return GradientTransformation(lambda params: EmptyState(), lambda updates, state, params=None: (updates, state))


def set_to_zero() -> GradientTransformation:
    """Makes all updates zero: the parameters stay.

    >>> float(set_to_zero().update(2.0, EmptyState())[0])
    0.0
    """

    def update(updates: Any, state: Any, params: Any = None) -> tuple[Any, Any]:
        return zeros_like(updates), state

    return GradientTransformation(lambda params: EmptyState(), update)


def chain(*transformations: GradientTransformation) -> GradientTransformation:
    """One transformation after the other; the state is the tuple of theirs.

    Raises:
      ValueError: if a state is given that has not as many parts.

    >>> both = chain(set_to_zero(), identity())
    >>> both.init(1.0)
    (EmptyState(), EmptyState())
    """

    def init(params: Any) -> Any:
        return tuple(t.init(params) for t in transformations)

    def update(updates: Any, state: Any, params: Any = None) -> tuple[Any, Any]:
        if len(state) != len(transformations):
            raise ArgumentError(
                f"chain: the state has {len(state)} parts, but there are {len(transformations)} transformations: use "
                "the state that this optimiser's init gave."
            )
        new = []
        for transformation, own in zip(transformations, state, strict=True):
            updates, own = transformation.update(updates, own, params)
            new.append(own)
        return updates, tuple(new)

    return GradientTransformation(init, update)


def apply_updates(params: Any, updates: Any) -> Any:
    """`params + updates`, leaf by leaf, in the dtypes of the params; an update that is None leaves its leaf.

    Args:
      params: a pytree of arrays.
      updates: a pytree of the same structure.

    >>> {k: float(v) for k, v in apply_updates({"b": 2.0, "w": 1.0}, {"b": None, "w": 0.5}).items()}
    {'b': 2.0, 'w': 1.5}
    """

    def apply(p: Any, u: Any) -> Any:
        if u is None:
            return p
        p = as_operand(p)
        return cast(p + u, p.dtype)

    return tree_map(apply, params, updates, is_leaf=lambda x: x is None)
