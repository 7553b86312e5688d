"""A pytree as one vector, and back, under the name of `jax.flatten_util`."""

from __future__ import annotations

from typing import Any, NamedTuple

import numpy as np

from . import dtypes
from . import numpy as fnp
from .array_type import ArrayType
from .arrays import type_of
from .dtype_lattice import result_type
from .errors import ArgumentError, DTypeError
from .promotion import as_operand, cast
from .tree import flatten, unflatten
from .tree_def import PyTreeDef

__all__ = ["ravel_pytree"]


class _Unravel(NamedTuple):
    """The function back from a vector. Equal for trees of one structure and types, so it can be a static argument."""

    tree: PyTreeDef
    types: tuple[ArrayType, ...]
    dtype: np.dtype | None
    """What the vector must have; None where the leaves are of one dtype, which they then take from the vector."""

    def __call__(self, flat: Any) -> Any:
        vector = as_operand(flat, "the vector to unravel")
        sizes = [t.size for t in self.types]
        if vector.shape != (sum(sizes),):
            raise ArgumentError(f"unravel takes a vector of {sum(sizes)} elements, got {type_of(vector)}.")
        if self.dtype is not None and vector.dtype != self.dtype:
            raise DTypeError(
                f"unravel takes a vector of {self.dtype.name} for leaves of several dtypes, got {vector.dtype.name}: use astype."
            )
        ends = np.cumsum(sizes)
        return unflatten(
            self.tree, [self._leaf(vector[e - t.size : e], t) for e, t in zip(ends, self.types, strict=True)]
        )

    def _leaf(self, part: Any, t: ArrayType) -> Any:
        leaf = fnp.reshape(part, t.shape)
        if self.dtype is None:
            return leaf
        return cast(leaf if dtypes.is_complex(t.dtype) else fnp.real(leaf), t.dtype)


def ravel_pytree(pytree: Any) -> tuple[Any, _Unravel]:
    """The leaves of a pytree, one after the other in a vector, and the function that makes such a pytree of a vector.

    Args:
      pytree: of arrays and numbers. What has several dtypes is promoted; a tree without leaves gives float32[0].

    Returns:
      the vector, and a function of vectors of its length: of its dtype too, if the leaves have several.

    >>> import functorch_lite.numpy as fnp
    >>> flat, unravel = ravel_pytree({"w": fnp.ones((1, 2)), "b": 3.0})
    >>> flat
    Array([3., 1., 1.], dtype=float32)
    >>> unravel(flat)["w"]
    Array([[1., 1.]], dtype=float32)
    """
    leaves, tree = flatten(pytree)
    values = [as_operand(x, "a leaf given to ravel_pytree") for x in leaves]
    types = tuple(type_of(x).update(weak=False) for x in values)
    if not values:
        return fnp.zeros(0, dtypes.float32), _Unravel(tree, types, None)
    found = {t.dtype for t in types}
    dtype = result_type(*found)
    flat = fnp.concatenate([fnp.ravel(cast(x, dtype)) for x in values])
    return flat, _Unravel(tree, types, dtype if len(found) > 1 else None)
