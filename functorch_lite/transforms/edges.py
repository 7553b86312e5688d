"""What passes between users and derivatives: tangents and cotangents in their types, float0, auxiliary data."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import Any, NamedTuple

import numpy as np

from .. import dtypes
from ..array_type import ArrayType
from ..arrays import type_of
from ..dtype_lattice import lattice_result
from ..errors import DTypeError, ShapeError
from ..primitive import Zero
from ..primitives.structural import instantiate
from ..promotion import as_operand, cast, flagged
from ..tracing import Tracer
from ..tree import flatten, flatten_up_to, register_pytree_node, unflatten
from .signature import normalized_argnums

__all__ = [
    "Aux",
    "Differentiated",
    "FlatCall",
    "flatten_without_float0",
    "float0_zeros",
    "given_cotangents",
    "given_tangents",
    "gradient_out",
    "is_float0",
    "operands_of",
    "tangent_out",
]


def operands_of(tree: Any, what: str) -> tuple[list[Any], Any]:
    """The leaves of a pytree as operands, and its structure."""
    leaves, structure = flatten(tree)
    return [as_operand(x, what) for x in leaves], structure


class Differentiated(NamedTuple):
    """The arguments of a call that are differentiated by."""

    positions: tuple[int, ...]
    single: bool
    operands: list[Any]
    """Their leaves."""
    tree: Any
    """The structure of the argument, or of a tuple of them."""

    @classmethod
    def of(cls, args: Sequence[Any], argnums: Any, what: str) -> Differentiated:
        """Those at `argnums`; errors speak of a call of `what`."""
        positions = normalized_argnums(argnums, len(args), what)
        single = not isinstance(argnums, (tuple, list))
        part = args[positions[0]] if single else tuple(args[i] for i in positions)
        return cls(positions, single, *operands_of(part, f"an argument that {what} differentiates by"))

    def put_into(self, args: Sequence[Any], part: Any) -> list[Any]:
        """All arguments, with `part` (a pytree of the structure `tree`) in place of these."""
        full = list(args)
        if self.single:
            full[self.positions[0]] = part
        else:
            for i, x in zip(self.positions, part, strict=True):
                full[i] = x
        return full


class FlatCall:
    """A call of a user's function with pytrees as a function of operands, which gives a list of them.

    Args:
      fun: the function.
      structure: that of `(args, kwargs)`, without static arguments.
      what: a result, in errors.
      fill_in: (args, kwargs) -> the same with the static arguments, where there are any.

    Attributes:
      out_tree: the structure of the result, once it was called.
    """

    __slots__ = ("fill_in", "fun", "out_tree", "structure", "what")

    def __init__(self, fun: Callable[..., Any], structure: Any, what: str, fill_in: Callable[..., Any] | None = None):
        self.fun = fun
        self.structure = structure
        self.what = what
        self.fill_in = fill_in
        self.out_tree: Any = None

    def __call__(self, *operands: Any) -> list[Any]:
        args, kwargs = unflatten(self.structure, operands)
        if self.fill_in is not None:
            args, kwargs = self.fill_in(args, kwargs)
        leaves, self.out_tree = flatten_without_float0(self.fun(*args, **kwargs))
        return [as_operand(x, self.what) for x in leaves]


def is_float0(x: Any) -> bool:
    """Whether it stands for the derivative of, or by, an integer array."""
    return isinstance(x, np.ndarray) and x.dtype == dtypes.float0


def flatten_without_float0(tree: Any) -> tuple[list[Any], Any]:
    """The leaves of a pytree and its structure, of which float0 arrays are a part."""
    leaves, structure = flatten(tree)
    if not any(map(is_float0, leaves)):
        return leaves, structure
    return flatten(unflatten(structure, [_Float0(x.shape) if is_float0(x) else x for x in leaves]))


class _Float0:
    """The place of a float0 array in the structure of what a function gives: its shape says all of it."""

    __slots__ = ("shape",)

    def __init__(self, shape: tuple[int, ...]):
        self.shape = shape


register_pytree_node(_Float0, lambda x: ((), x.shape), lambda shape, _: np.zeros(shape, dtypes.float0))


def float0_zeros(t: ArrayType) -> np.ndarray:
    """What stands for the derivative of, or by, an integer array."""
    return np.zeros(t.shape, dtypes.float0)


def tangent_out(t: Any, primal: ArrayType) -> Any:
    """A tangent as users get it: an array also where it is known to be zero."""
    if not dtypes.is_inexact(primal.dtype):
        return float0_zeros(primal)
    t = instantiate(t)
    return flagged(t, type_of(t).weak)


def gradient_out(ct: Any, primal: ArrayType) -> Any:
    """A cotangent as users get it: weak if the argument that it belongs to is."""
    return flagged(instantiate(ct), primal.weak) if dtypes.is_inexact(primal.dtype) else float0_zeros(primal)


def given_tangents(tree: Any, structure: Any, primals: Sequence[ArrayType], what: str, tangent: str) -> list[Any]:
    """Tangents or cotangents that the user hands in, checked against the types of what they belong to."""
    found = flatten_up_to(structure, tree, f"the {tangent} given to {what}")
    return [_given(t, p, p.tangent(), what, tangent) for t, p in zip(found, primals, strict=True)]


def given_cotangents(tree: Any, structure: Any, types: Sequence[ArrayType], what: str) -> list[Any]:
    """Cotangents of results of a function that is linear itself: they have the very types of the results, also integers."""
    found = flatten_up_to(structure, tree, f"the cotangent given to {what}")
    return [_given(ct, t, t, what, "cotangent") for ct, t in zip(found, types, strict=True)]


def _given(t: Any, primal: ArrayType, wanted: ArrayType, what: str, tangent: str) -> Any:
    if wanted.dtype == dtypes.float0:
        given_dtype = getattr(t, "dtype", None)
        if given_dtype != dtypes.float0 and not (tangent == "cotangent" and given_dtype == primal.dtype):
            raise DTypeError(
                f"{what}: {primal} has no derivative, its {tangent} must be an array of dtype float0, got {_type_name(t)}: "
                f"give np.zeros({primal.shape}, functorch_lite.float0)."
            )
        return Zero(wanted)
    if getattr(t, "dtype", None) == dtypes.float0:
        raise DTypeError(f"{what}: a {tangent} has dtype float0, needed is {wanted}, the type of its primal.")
    given = as_operand(t, f"a {tangent} given to {what}")
    if given.shape != wanted.shape:
        raise ShapeError(f"{what}: a {tangent} has type {given.type}, needed is {wanted}, the type of its primal.")
    if given.dtype != wanted.dtype:
        becomes, _ = lattice_result([(given.dtype, True), (wanted.dtype, wanted.weak)])
        if not given.weak_type or becomes != wanted.dtype:
            raise DTypeError(
                f"{what}: a {tangent} has type {given.type}, needed is {wanted}, the type of its primal: cast it."
            )
        given = cast(given, wanted.dtype)
    return given


def _type_name(x: Any) -> str:
    return (
        str(type_of(as_operand(x))) if isinstance(x, (bool, int, float, complex)) else str(getattr(x, "dtype", type(x)))
    )


class Aux:
    """Auxiliary data of any kind. Tracers in it are taken out, to be replaced by their values in the end."""

    def __init__(self, data: Any):
        self.leaves, self.tree = flatten(data)
        self.traced = [i for i, x in enumerate(self.leaves) if isinstance(x, Tracer)]

    @property
    def tracers(self) -> list[Tracer]:
        """Those taken out."""
        return [self.leaves[i] for i in self.traced]

    def finished(self, values: Sequence[Any]) -> Any:
        """The data with values in place of the tracers."""
        leaves = list(self.leaves)
        for i, x in zip(self.traced, values, strict=True):
            leaves[i] = x
        return unflatten(self.tree, leaves)
