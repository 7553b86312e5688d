"""What transformations need to know about a function's arguments: names, static ones, `argnums`."""

from __future__ import annotations

import inspect
from collections.abc import Callable, Sequence
from typing import Any, NamedTuple

from ..errors import ArgumentError, ArgumentTypeError, TransformationError

__all__ = ["StaticArguments", "by_position", "check_callable", "function_name", "normalized_argnums"]


def function_name(function: Any) -> str:
    """The function's own name, for messages."""
    return getattr(function, "__name__", None) or type(function).__name__


def check_callable(what: str, function: Any) -> None:
    """Raise TypeError for what is no function, at the place where it is given."""
    if not callable(function):
        raise TransformationError(
            f"{what} needs a function, got {function!r:.60} of type {type(function).__name__}: give the function itself, not a "
            "result of calling it."
        )


def by_position(
    name: str, signature: inspect.Signature, args: Sequence[Any], kwargs: dict[str, Any]
) -> tuple[Any, ...]:
    """The arguments of a call in the order of the parameters, which are all positional.

    Raises:
      TypeError: if there are too few or too many, or names that it does not know.
    """
    try:
        return signature.bind(*args, **kwargs).args
    except TypeError as error:
        raise TransformationError(f"{name}({', '.join(signature.parameters)}): {error}.") from None


def normalized_argnums(argnums: Any, n: int, what: str) -> tuple[int, ...]:
    """Positions of arguments, counted from the front.

    Raises:
      TypeError: if they are not integers.
      ValueError: if there are fewer than that many positional arguments.
    """
    if argnums == 0 and n and type(argnums) is int:
        return (0,)
    positions = argnums if isinstance(argnums, (tuple, list)) else (argnums,)
    found = []
    for p in positions:
        if not hasattr(p, "__index__"):
            raise TransformationError(f"{what}: argnums must be an integer or a tuple of integers, got {argnums!r}.")
        i = p.__index__()
        if not -n <= i < n:
            raise ArgumentError(
                f"{what}: argnums is {argnums!r}, but the call has {n} positional arguments: pass what to differentiate by "
                "in its place, not by name."
            )
        found.append(i % n)
    if len({*found}) < len(found):
        raise ArgumentError(f"{what}: argnums is {argnums!r}, which names an argument twice: name each once.")
    return tuple(found)


class StaticArguments(NamedTuple):
    """Which arguments are part of the signature."""

    argnums: tuple[int, ...]
    argnames: frozenset[str]

    @staticmethod
    def of(function: Callable[..., Any], argnums: Any, argnames: Any) -> StaticArguments:
        """From the arguments of `jit`; names follow from positions and the other way round, where possible."""
        check_callable("jit", function)
        nums = () if argnums is None else (argnums,) if isinstance(argnums, int) else tuple(argnums)
        names = () if argnames is None else (argnames,) if isinstance(argnames, str) else tuple(argnames)
        if not all(isinstance(i, int) for i in nums):
            raise ArgumentTypeError(f"jit: static_argnums (or donate_argnums) must be integers, got {argnums!r}.")
        if not nums and not names:
            return StaticArguments((), frozenset())
        try:
            parameters = list(inspect.signature(function).parameters.values())
        except (TypeError, ValueError):
            parameters = []
        positional = [p.name for p in parameters if p.kind in (p.POSITIONAL_ONLY, p.POSITIONAL_OR_KEYWORD)]
        if argnums is None:
            nums = tuple(positional.index(name) for name in names if name in positional)
        if argnames is None and parameters:
            names = tuple(positional[i] for i in nums if -len(positional) <= i < len(positional))
        known = {p.name for p in parameters}
        if parameters and not any(p.kind is p.VAR_POSITIONAL for p in parameters):
            beyond = [i for i in nums if not -len(positional) <= i < len(positional)]
            if beyond:
                raise ArgumentError(
                    f"jit: {beyond[0]} in static_argnums (or donate_argnums) is no position of {function_name(function)}, "
                    f"which takes {len(positional)} positional arguments: count from 0."
                )
        if parameters and not any(p.kind is p.VAR_KEYWORD for p in parameters) and not set(names) <= known:
            raise ArgumentError(f"jit: static_argnames {sorted(set(names) - known)} are no parameters of the function.")
        return StaticArguments(nums, frozenset(names))

    def __bool__(self) -> bool:
        return bool(self.argnums or self.argnames)

    def split(self, args: Sequence[Any], kwargs: dict[str, Any]) -> tuple[Any, tuple[Any, dict[str, Any]]]:
        """The static arguments (hashable), and the others."""
        where = {i % len(args) for i in self.argnums if -len(args) <= i < len(args)} if args else set()
        statics = (
            tuple((i, args[i]) for i in sorted(where)),
            tuple((k, kwargs[k]) for k in sorted(kwargs) if k in self.argnames),
        )
        for position, value in (*statics[0], *statics[1]):
            try:
                hash(value)
            except TypeError:
                raise ArgumentError(
                    f"jit: the static argument {position!r} is of type {type(value).__name__}, which cannot be hashed: pass a "
                    "hashable value (a tuple for a list), or leave the argument out of static_argnums."
                ) from None
        rest = tuple(x for i, x in enumerate(args) if i not in where)
        typed = tuple((k, type(v), v) for k, v in (*statics[0], *statics[1]))
        return (typed, len(args)), (rest, {k: v for k, v in kwargs.items() if k not in self.argnames})

    def join(self, statics: Any, args: Sequence[Any], kwargs: dict[str, Any]) -> tuple[list[Any], dict[str, Any]]:
        """The inverse of `split`."""
        typed, n = statics
        fixed = {k: v for k, _, v in typed if isinstance(k, int)}
        rest = iter(args)
        joined = [fixed[i] if i in fixed else next(rest) for i in range(n)]
        return joined, {**kwargs, **{k: v for k, _, v in typed if isinstance(k, str)}}
