"""`ArrayType`: what is known of an array before it has a value. Printed as `f32[3,4]`.

A dimension is an integer, or a `Dim`: the length of something that only the run decides (the number of turns of a
`while_loop`). A `Dim` stands for one unknown length: two dimensions are the same only if they are the same `Dim`.
"""

from __future__ import annotations

import itertools
import math
from collections.abc import Sequence
from typing import Any

import numpy as np

from . import dtypes
from .recent import Recent

__all__ = ["ArrayType", "Dim", "Shape", "fit_dims", "has_dim", "rename_dims"]

_dim_names = itertools.count()


class Dim:
    """A length that is known only at run time; hashed and compared by identity."""

    __slots__ = ("name",)

    def __init__(self) -> None:
        self.name = f"n{next(_dim_names)}"

    def __repr__(self) -> str:
        return self.name


Shape = tuple[Any, ...]
"""Lengths along each axis: integers, and `Dim` where only the run decides."""


def has_dim(shape: Shape) -> bool:
    """Whether some length of `shape` is unknown before the run."""
    return Dim in map(type, shape)


def fit_dims(formal: Sequence[ArrayType], actual: Sequence[ArrayType]) -> dict[Dim, Any] | None:
    """What the unknown dimensions of `formal` are if its types are to be `actual`; None if they do not fit."""
    dims: dict[Dim, Any] = {}
    if len(formal) != len(actual):
        return None
    for f, a in zip(formal, actual, strict=True):
        if f.dtype != a.dtype or len(f.shape) != len(a.shape):
            return None
        for m, n in zip(f.shape, a.shape, strict=True):
            if type(m) is Dim:
                dims.setdefault(m, n)
            elif m != n and type(n) is not Dim:
                return None
    return dims


def rename_dims(types: Sequence[ArrayType], dims: dict[Dim, Any]) -> list[ArrayType]:
    """Types with unknown dimensions replaced as `dims` says; one that is not there gets a fresh name (noted in `dims`)."""

    def fresh(n: Any) -> Any:
        return dims.setdefault(n, Dim()) if type(n) is Dim else n

    return [t.update(shape=tuple(map(fresh, t.shape))) if has_dim(t.shape) else t for t in types]


class ArrayType:
    """Shape, dtype and weak flag of an array.

    Args:
      shape: the length along each axis.
      dtype: a NumPy dtype (see `functorch_lite.dtypes`).
      weak: whether the dtype gives way to another operand's in promotion, as that of a Python scalar does.

    >>> import numpy as np
    >>> ArrayType((3, 4), np.dtype("float32"))
    f32[3,4]
    """

    __slots__ = ("_hash", "dtype", "shape", "weak")

    shape: Shape
    dtype: np.dtype
    weak: bool

    def __init__(self, shape: Shape, dtype: np.dtype, weak: bool = False):
        self.shape = shape
        self.dtype = dtype
        self.weak = weak
        self._hash = hash((shape, dtype, weak))

    @property
    def ndim(self) -> int:
        return len(self.shape)

    @property
    def size(self) -> int:
        return math.prod(self.shape)

    def update(
        self, *, shape: Shape | None = None, dtype: np.dtype | None = None, weak: bool | None = None
    ) -> ArrayType:
        """This type with some of its parts replaced."""
        return ArrayType(
            self.shape if shape is None else shape,
            self.dtype if dtype is None else dtype,
            self.weak if weak is None else weak,
        )

    def tangent(self) -> ArrayType:
        """The type of tangents of values of this type (`float0` for integers and booleans)."""
        return ArrayType(self.shape, dtypes.tangent_dtype(self.dtype), self.weak)

    def matches(self, other: ArrayType) -> bool:
        """Whether shape and dtype agree; weak flags may differ."""
        return self.shape == other.shape and self.dtype == other.dtype

    @staticmethod
    def of(shape: Shape, dtype: np.dtype, weak: bool) -> ArrayType:
        """The type of a value, without making it anew each time."""
        key = (shape, dtype, weak)
        found = _known_types.get(key)
        if found is None:
            found = _known_types.recall(key) or _known_types.remember(key, ArrayType(shape, dtype, weak))
        return found

    def __eq__(self, other: object) -> bool:
        return self is other or (
            isinstance(other, ArrayType)
            and self._hash == other._hash
            and self.shape == other.shape
            and self.dtype == other.dtype
            and self.weak == other.weak
        )

    def __hash__(self) -> int:
        return self._hash

    def __repr__(self) -> str:
        return f"{dtypes.short_name(self.dtype)}[{','.join(map(str, self.shape))}]"

    def __reduce__(self) -> Any:
        return ArrayType, (self.shape, self.dtype, self.weak)


_known_types = Recent(8192)
