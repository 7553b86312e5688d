"""What a gradient transformation is, how they chain, and how updates are applied."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any, NamedTuple

from ..promotion import as_operand, cast
from ..tree import map as tree_map

__all__ = ["EmptyState", "GradientTransformation", "apply_updates", "chain", "identity", "set_to_zero", "zeros_like"]


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


def zeros_like(params: Any) -> Any:
    """Zeros of the shapes and dtypes of the leaves."""
    from_operands = tree_map(as_operand, params)
    return tree_map(lambda p: p * p.dtype.type(0), from_operands)


def identity() -> GradientTransformation:
    """Leaves updates as they are."""
    return GradientTransformation(lambda params: EmptyState(), lambda updates, state, params=None: (updates, state))


def set_to_zero() -> GradientTransformation:
    """Makes all updates zero: the parameters stay."""

    def update(updates: Any, state: Any, params: Any = None) -> tuple[Any, Any]:
        return zeros_like(updates), state

    return GradientTransformation(lambda params: EmptyState(), update)


def chain(*transformations: GradientTransformation) -> GradientTransformation:
    """One transformation after the other; the state is the tuple of theirs."""

    def init(params: Any) -> Any:
        return tuple(t.init(params) for t in transformations)

    def update(updates: Any, state: Any, params: Any = None) -> tuple[Any, Any]:
        if len(state) != len(transformations):
            raise ValueError(
                f"chain: the state has {len(state)} parts, but there are {len(transformations)} transformations: use the "
                "state that this optimiser's init gave."
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
    """

    def apply(p: Any, u: Any) -> Any:
        if u is None:
            return p
        p = as_operand(p)
        return cast(p + u, p.dtype)

    return tree_map(apply, params, updates, is_leaf=lambda x: x is None)
