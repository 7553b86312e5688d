"""What `custom_jvp` and `custom_vjp` share: arguments that belong to the rule and others, checks of what a rule gives."""

from __future__ import annotations

import functools
import inspect
from collections.abc import Callable, Sequence
from typing import Any

from .. import dtypes
from ..array_type import ArrayType
from ..arrays import type_of
from ..errors import ArgumentTypeError, TransformationError
from ..primitive import Zero
from ..primitives.structural import instantiate
from ..promotion import as_operand, cast, flagged
from .edges import float0_zeros
from .signature import check_callable, function_name

__all__ = ["CustomFunction", "checked_derivative", "tangent_argument", "zero_from_primal"]


class CustomFunction:
    """A function whose arguments are either part of the rule (`nondiff_argnums`) or differentiated."""

    def __init__(
        self, fun: Callable[..., Any], nondiff_argnums: Sequence[int] = (), nondiff_argnames: Sequence[str] = ()
    ):
        check_callable(type(self).__name__, fun)
        functools.update_wrapper(self, fun)
        self.fun = fun
        names = _positional_names(fun)
        self.nondiff = tuple(sorted({*nondiff_argnums, *(names.index(n) for n in nondiff_argnames)}))

    def __call__(self, *args: Any, **kwargs: Any) -> Any:
        raise NotImplementedError

    def positional(self, args: Sequence[Any], kwargs: dict[str, Any]) -> list[Any]:
        """All arguments by position."""
        try:
            bound = inspect.signature(self.fun).bind(*args, **kwargs)
        except (TypeError, ValueError) as error:
            if not kwargs:
                return list(args)
            raise ArgumentTypeError(f"{function_name(self.fun)}: {error}") from None
        bound.apply_defaults()
        named = sorted(bound.kwargs.keys() & kwargs.keys())
        if named:
            raise ArgumentTypeError(
                f"{function_name(self.fun)} has a custom derivative and keyword-only arguments {named}: "
                "the rules take arguments by position, make these positional."
            )
        return list(bound.args)

    def separate(self, args: Sequence[Any]) -> tuple[list[Any], list[Any]]:
        """The arguments that are part of the rule, and the others."""
        return (
            [args[i] for i in self.nondiff],
            [x for i, x in enumerate(args) if i not in self.nondiff],
        )

    def joined(self, static: Sequence[Any], rest: Sequence[Any]) -> list[Any]:
        """The inverse of `separate`."""
        fixed, given = dict(zip(self.nondiff, static, strict=True)), iter(rest)
        n = len(static) + len(rest)
        return [fixed[i] if i in fixed else next(given) for i in range(n)]

    def __get__(self, instance: Any, owner: Any = None) -> Any:
        return self if instance is None else functools.partial(self, instance)


def _positional_names(fun: Callable[..., Any]) -> list[str]:
    try:
        return list(inspect.signature(fun).parameters)
    except (TypeError, ValueError):
        return []


def tangent_argument(t: Any, primal: ArrayType, symbolic: bool) -> Any:
    """A tangent or cotangent as the user's rule gets it, weak if the value it belongs to is."""
    if not isinstance(t, Zero):
        return flagged(t, primal.weak)
    if symbolic:
        return t
    return flagged(instantiate(t), primal.weak) if dtypes.is_inexact(primal.dtype) else float0_zeros(primal)


def checked_derivative(t: Any, primal: Any, what: str) -> Any:
    """A tangent or cotangent that the user's rule gave, of the type that `primal` calls for."""
    wanted = type_of(primal).tangent()
    if isinstance(t, Zero) or wanted.dtype == dtypes.float0:
        return Zero(wanted)
    found = as_operand(t, what)
    if found.shape != wanted.shape or not (dtypes.is_inexact(found.dtype) or found.weak_type):
        raise TransformationError(
            f"{what} has type {type_of(found)}, needed is {wanted}: that of the value it belongs to."
        )
    if found.dtype != wanted.dtype and not found.weak_type:
        raise TransformationError(f"{what} has type {type_of(found)}, needed is {wanted}: cast it with astype.")
    return cast(found, wanted.dtype, found.weak_type)


def zero_from_primal(val: Any, symbolic_zeros: bool = False) -> Any:
    """The zero tangent or cotangent of a value: an array, or with `symbolic_zeros` a `SymbolicZero`."""
    t = type_of(as_operand(val))
    if symbolic_zeros:
        return Zero(t.tangent())
    return instantiate(Zero(t.tangent())) if dtypes.is_inexact(t.dtype) else float0_zeros(t)
