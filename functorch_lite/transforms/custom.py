"""`custom_jvp` and `custom_vjp`: functions with the user's own derivative; `stop_gradient`."""

from __future__ import annotations

import functools
import inspect
from collections.abc import Callable, Sequence
from typing import Any, NamedTuple

import numpy as np

from .. import dtypes
from ..array_type import ArrayType
from ..arrays import from_host, type_of
from ..errors import TransformationError, transparent
from ..primitive import Zero
from ..primitives.base import add
from ..primitives.structural import broadcast_to, instantiate
from ..promotion import as_operand, cast, flagged, is_arraylike
from ..tree import flatten, unflatten
from .capture import closure_convert
from .custom_rules import Rule, custom_jvp_p, custom_vjp_p
from .edges import float0_zeros, operands_of
from .signature import check_callable, function_name

__all__ = ["CustomVJPPrimal", "custom_gradient", "custom_jvp", "custom_vjp", "stop_gradient", "zero_from_primal"]


class _Function:
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
            raise TypeError(f"{function_name(self.fun)}: {error}") from None
        bound.apply_defaults()
        if bound.kwargs:
            raise TypeError(
                f"{function_name(self.fun)} has a custom derivative and keyword-only arguments {sorted(bound.kwargs)}: "
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


def _tangent_argument(t: Any, primal: ArrayType, symbolic: bool) -> Any:
    """A tangent or cotangent as the user's rule gets it, weak if the value it belongs to is."""
    if not isinstance(t, Zero):
        return flagged(t, primal.weak)
    if symbolic:
        return t
    return flagged(instantiate(t), primal.weak) if dtypes.is_inexact(primal.dtype) else float0_zeros(primal)


def _checked(t: Any, primal: Any, what: str) -> Any:
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


class custom_jvp(_Function):
    """A function with its own forward derivative; reverse mode transposes it.

    Args:
      fun: the function.
      nondiff_argnums: positions of arguments that are handed to the rule as they are (functions, options).
      nondiff_argnames: names of such arguments.

    >>> import functorch_lite as fl, functorch_lite.numpy as fnp
    >>> @fl.custom_jvp
    ... def f(x):
    ...     return fnp.sin(x)
    >>> @f.defjvp
    ... def f_jvp(primals, tangents):
    ...     (x,), (x_dot,) = primals, tangents
    ...     return f(x), 10.0 * x_dot
    >>> float(fl.grad(f)(1.0))
    10.0
    """

    rule: Callable[..., Any] | None = None
    symbolic_zeros = False

    def defjvp(self, jvp: Callable[..., Any], symbolic_zeros: bool = False) -> Callable[..., Any]:
        """Set the rule: (*nondiff, primals, tangents) -> (result, tangent of the result).

        With `symbolic_zeros`, tangents known to be zero come as `Zero` objects; else as arrays of zeros.
        """
        self.rule = jvp
        self.symbolic_zeros = symbolic_zeros
        return jvp

    def defjvps(self, *jvps: Callable[..., Any] | None) -> None:
        """Set a rule per argument: (tangent, result, *primals) -> its contribution; None for zero."""
        if self.nondiff:
            raise TypeError("defjvps does not go with nondiff_argnums: use defjvp.")

        def jvp(primals: Sequence[Any], tangents: Sequence[Any]) -> tuple[Any, Any]:
            out = self(*primals)
            total = None
            for rule, t in zip(jvps, tangents, strict=True):
                if rule is not None and not isinstance(t, Zero):
                    term = as_operand(rule(t, out, *primals))
                    term = broadcast_to(cast(term, type_of(out).dtype), type_of(out).shape)
                    total = term if total is None else add(total, term)
            return out, Zero(type_of(out).tangent()) if total is None else total

        self.defjvp(jvp, symbolic_zeros=True)

    @transparent
    def __call__(self, *args: Any, **kwargs: Any) -> Any:
        if self.rule is None:
            raise AttributeError(f"no derivative rule is defined for {function_name(self.fun)}: give one with defjvp.")
        rule, symbolic = self.rule, self.symbolic_zeros
        static, dynamic = self.separate(self.positional(args, kwargs))
        operands, in_tree = operands_of(dynamic, f"an argument of {function_name(self.fun)}")
        types = [type_of(x) for x in operands]
        name = function_name(self.fun)
        out_tree: Any = None

        def fun(*xs: Any) -> list[Any]:
            nonlocal out_tree
            outs, out_tree = operands_of(self.fun(*self.joined(static, unflatten(in_tree, xs))), f"a result of {name}")
            return outs

        def jvp(primals: Sequence[Any], tangents: Sequence[Any]) -> tuple[list[Any], list[Any]]:
            nonlocal out_tree
            xs = [flagged(x, t.weak) for x, t in zip(primals, types, strict=True)]
            dots = [_tangent_argument(t, x, symbolic) for t, x in zip(tangents, types, strict=True)]
            pair = rule(*static, tuple(unflatten(in_tree, xs)), tuple(unflatten(in_tree, dots)))
            if not isinstance(pair, (tuple, list)) or len(pair) != 2:
                raise TransformationError(
                    f"the jvp rule of {name} must give a pair (result, tangent), got {type(pair).__name__}."
                )
            outs, out_tree = operands_of(pair[0], f"a result of the jvp rule of {name}")
            found, dot_tree = flatten(pair[1])
            if dot_tree != out_tree:
                raise TransformationError(
                    f"the jvp rule of {name} must give a tangent of its result's structure, {out_tree}, got {dot_tree}."
                )
            what = f"a tangent given by the jvp rule of {name}"
            return outs, [_checked(t, x, what) for t, x in zip(found, outs, strict=True)]

        params = {"fun": Rule(fun, name), "jvp": Rule(jvp, f"{name}_jvp"), "program": None, "n_hoisted": 0}
        out = custom_jvp_p(*operands, **params)
        return unflatten(out_tree, out)


class custom_vjp(_Function):
    """A function with its own reverse derivative, as a pair of functions.

    Args:
      fun: the function.
      nondiff_argnums: positions of arguments that are handed to the backward rule as they are.
      nondiff_argnames: names of such arguments.

    >>> import functorch_lite as fl, functorch_lite.numpy as fnp
    >>> @fl.custom_vjp
    ... def clip_gradient(x):
    ...     return x
    >>> clip_gradient.defvjp(lambda x: (x, None), lambda _, ct: (fnp.clip(ct, -1.0, 1.0),))
    >>> float(fl.grad(lambda x: 5.0 * clip_gradient(x))(1.0))
    1.0
    """

    fwd: Callable[..., Any] | None = None
    bwd: Callable[..., Any] | None = None
    symbolic_zeros = False

    def defvjp(self, fwd: Callable[..., Any], bwd: Callable[..., Any], symbolic_zeros: bool = False) -> None:
        """Set the rules: `fwd(*args) -> (result, residuals)`; `bwd(*nondiff, residuals, cotangent) -> cotangents`.

        `bwd` gives a tuple with an item per argument that is not in `nondiff_argnums`; None is zero. With
        `symbolic_zeros`, cotangents known to be zero come as `Zero` objects, and `fwd` gets arguments that have the
        attributes `value` and `perturbed`.
        """
        self.fwd, self.bwd, self.symbolic_zeros = fwd, bwd, symbolic_zeros

    @transparent
    def __call__(self, *args: Any, **kwargs: Any) -> Any:
        name = function_name(self.fun)
        if self.fwd is None or self.bwd is None:
            raise AttributeError(f"no derivative rule is defined for {name}: give one with defvjp.")
        fwd_rule, bwd_rule, symbolic = self.fwd, self.bwd, self.symbolic_zeros
        static, dynamic = self.separate(self.positional(args, kwargs))
        operands, in_tree = operands_of(dynamic, f"an argument of {name}")
        out_tree: Any = None
        left: _Left | None = None
        types = [type_of(x) for x in operands]

        def fun(*xs: Any) -> list[Any]:
            nonlocal out_tree
            outs, out_tree = operands_of(self.fun(*self.joined(static, unflatten(in_tree, xs))), f"a result of {name}")
            return outs

        def fwd(xs: Sequence[Any], nonzeros: Sequence[bool]) -> tuple[list[Any], list[Any]]:
            nonlocal out_tree, left
            values: list[Any] = [flagged(x, t.weak) for x, t in zip(xs, types, strict=True)]
            if symbolic:
                values = [CustomVJPPrimal(x, m) for x, m in zip(values, nonzeros, strict=True)]
            pair = fwd_rule(*self.joined(static, unflatten(in_tree, values)))
            if not isinstance(pair, (tuple, list)) or len(pair) != 2:
                raise TransformationError(
                    f"the fwd rule of {name} must give a pair (result, residuals), got {type(pair).__name__}."
                )
            outs, out_tree = operands_of(pair[0], f"a result of the fwd rule of {name}")
            leaves, tree = flatten(pair[1])
            arrays = [is_arraylike(x) for x in leaves]
            residuals = [as_operand(x) if a else x for x, a in zip(leaves, arrays, strict=True)]
            kept = [x.weak_type if a else x for x, a in zip(residuals, arrays, strict=True)]
            left = _Left([type_of(x) for x in outs], tree, arrays, kept)
            return outs, [x for x, a in zip(residuals, arrays, strict=True) if a]

        def bwd(residuals: Sequence[Any], cts: Sequence[Any]) -> list[Any]:
            assert left is not None
            given = iter(residuals)
            leaves = [flagged(next(given), k) if a else k for a, k in zip(left.arrays, left.kept, strict=True)]
            ct = unflatten(out_tree, [_tangent_argument(c, t, symbolic) for c, t in zip(cts, left.types, strict=True)])
            found = bwd_rule(*static, unflatten(left.tree, leaves), ct)
            return _argument_cotangents(found, in_tree, types, name)

        params = {"fun": Rule(fun, name), "fwd": Rule(fwd, f"{name}_fwd"), "bwd": Rule(bwd, name)}
        out = custom_vjp_p(*operands, program=None, n_hoisted=0, **params)
        return unflatten(out_tree, out)


class _Left(NamedTuple):
    """What the fwd rule left for the bwd rule, beside the residuals that are arrays."""

    types: list[ArrayType]
    """Of the results."""
    tree: Any
    """The structure of the residuals."""
    arrays: list[bool]
    """Which of them are arrays."""
    kept: list[Any]
    """The weak flags of those; the others themselves."""


class CustomVJPPrimal:
    """An argument as `fwd` gets it with `symbolic_zeros`: a value, and whether it is differentiated."""

    __slots__ = ("perturbed", "value")

    def __init__(self, value: Any, perturbed: bool):
        self.value = value
        self.perturbed = perturbed


def _argument_cotangents(found: Any, in_tree: Any, types: Sequence[Any], name: str) -> list[Any]:
    """What `bwd` gave, a leaf per argument leaf: None anywhere stands for zero."""
    arguments = in_tree.children()
    if not isinstance(found, (tuple, list)) or len(found) != len(arguments):
        n = len(found) if isinstance(found, (tuple, list)) else type(found).__name__
        raise TransformationError(
            f"the bwd rule of {name} must give a tuple with a cotangent for each of its {len(arguments)} arguments, got {n}."
        )
    out: list[Any] = []
    for i, (part, tree) in enumerate(zip(found, arguments, strict=True)):
        own = types[len(out) : len(out) + tree.num_leaves]
        if part is None:
            out.extend(Zero(t.tangent()) for t in own)
            continue
        leaves, structure = flatten(part, is_leaf=lambda x: x is None)
        if len(leaves) != len(own):
            raise TransformationError(
                f"the bwd rule of {name} must give a cotangent of the structure of argument {i}, {tree}, got {structure}."
            )
        what = f"a cotangent given by the bwd rule of {name}"
        out.extend(
            Zero(t.tangent()) if ct is None else _checked(ct, _Typed(t), what)
            for ct, t in zip(leaves, own, strict=True)
        )
    return out


class _Typed:
    """Has a type, as an operand has."""

    __slots__ = ("type",)

    def __init__(self, type: Any):
        self.type = type


def custom_gradient(fun: Callable[..., Any]) -> Callable[..., Any]:
    """A function with its own reverse derivative, which it gives along with its value.

    Args:
      fun: gives a pair: the value, and a function of its cotangent that gives the cotangents of the arguments (a tuple, or the
        cotangent itself where there is one argument).

    >>> import functorch_lite as fl
    >>> @fl.custom_gradient
    ... def square(x):
    ...     return x * x, lambda ct: 10.0 * ct * x
    >>> float(square(3.0)), float(fl.grad(square)(3.0))
    (9.0, 30.0)
    """
    check_callable("custom_gradient", fun)

    @custom_vjp
    @functools.wraps(fun)
    def value(*args: Any) -> Any:
        return fun(*args)[0]

    def fwd(*args: Any) -> tuple[Any, Any]:
        out, rule = fun(*args)
        leaves, tree = flatten(out)
        types = [type_of(as_operand(x)) for x in leaves]
        example = unflatten(tree, [from_host(np.zeros(t.shape, t.dtype)) for t in types])
        converted, consts = closure_convert(rule, example)
        return out, (_Converted(converted, len(args)), consts)

    def bwd(residuals: Any, ct: Any) -> tuple[Any, ...]:
        rule, consts = residuals
        found = rule.function(ct, *consts)
        alone = rule.n_args == 1 and not (isinstance(found, (tuple, list)) and len(found) == 1)
        return (found,) if alone else tuple(found)

    value.defvjp(fwd, bwd)
    return value


class _Converted:
    """The rule of a `custom_gradient`, without closure, as a residual that is no array."""

    def __init__(self, function: Callable[..., Any], n_args: int):
        self.function = function
        self.n_args = n_args


def zero_from_primal(x: Any, symbolic_zeros: bool = False) -> Any:
    """The zero tangent or cotangent of a value: an array, or with `symbolic_zeros` a `SymbolicZero`."""
    t = type_of(as_operand(x))
    if symbolic_zeros:
        return Zero(t.tangent())
    return instantiate(Zero(t.tangent())) if dtypes.is_inexact(t.dtype) else float0_zeros(t)


def stop_gradient(x: Any) -> Any:
    """`x`, a constant for differentiation.

    Args:
      x: a pytree of arrays.

    >>> import functorch_lite as fl
    >>> float(fl.grad(lambda x: x * fl.lax.stop_gradient(x))(3.0))
    3.0
    """
    leaves, tree = flatten(x)
    return unflatten(tree, [_stopped(as_operand(v)) if is_arraylike(v) else v for v in leaves])


def _stopped(x: Any) -> Any:
    rule = {"fun": _IDENTITY, "jvp": _NO_TANGENT, "program": None, "n_hoisted": 0}
    return custom_jvp_p(x, **rule)[0] if dtypes.is_inexact(x.dtype) else x


_IDENTITY = Rule(lambda x: [x], "stop_gradient")
_NO_TANGENT = Rule(lambda xs, _: (list(xs), [Zero(type_of(x).tangent()) for x in xs]), "stop_gradient_jvp")
