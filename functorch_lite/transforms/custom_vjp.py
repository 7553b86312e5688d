"""`custom_vjp` and `custom_gradient`: functions with the user's own reverse derivative."""

from __future__ import annotations

import functools
from collections.abc import Callable, Sequence
from typing import Any, NamedTuple

import numpy as np

from ..array_type import ArrayType
from ..arrays import from_host, type_of
from ..errors import MissingRuleError, TransformationError, transparent
from ..primitive import Zero
from ..promotion import as_operand, flagged, is_arraylike
from ..tree import LEAF, flatten, unflatten
from .capture import closure_convert
from .custom_function import CustomFunction, checked_derivative, tangent_argument
from .custom_rules import Rule, custom_vjp_p
from .edges import is_float0, operands_of
from .signature import check_callable, function_name

__all__ = ["CustomVJPPrimal", "custom_gradient", "custom_vjp"]


class custom_vjp(CustomFunction):
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

    def defvjp(
        self,
        fwd: Callable[..., Any],
        bwd: Callable[..., Any],
        symbolic_zeros: bool = False,
        optimize_remat: bool = False,
    ) -> None:
        """Set the rules: `fwd(*args) -> (result, residuals)`; `bwd(*nondiff, residuals, cotangent) -> cotangents`.

        `bwd` gives a tuple with an item per argument that is not in `nondiff_argnums`; None is zero. With
        `symbolic_zeros`, cotangents known to be zero come as `Zero` objects, and `fwd` gets arguments that have the
        attributes `value` and `perturbed`. `optimize_remat` is taken for JAX's sake: what nobody needs of `fwd` is left out
        of compiled programs in any case.
        """
        self.fwd, self.bwd, self.symbolic_zeros = fwd, bwd, symbolic_zeros

    @transparent
    def __call__(self, *args: Any, **kwargs: Any) -> Any:
        name = function_name(self.fun)
        if self.fwd is None or self.bwd is None:
            raise MissingRuleError(f"no derivative rule is defined for {name}: give one with defvjp.")
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
            ct = unflatten(out_tree, [tangent_argument(c, t, symbolic) for c, t in zip(cts, left.types, strict=True)])
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
        leaves = _leaves_or_none(part, tree)
        if len(leaves) != len(own):
            structure = flatten(part, is_leaf=lambda x: x is None)[1]
            raise TransformationError(
                f"the bwd rule of {name} must give a cotangent of the structure of argument {i}, {tree}, got {structure}."
            )
        what = f"a cotangent given by the bwd rule of {name}"
        out.extend(
            Zero(t.tangent()) if ct is None else checked_derivative(ct, _Typed(t), what)
            for ct, t in zip(leaves, own, strict=True)
        )
    return out


def _leaves_or_none(part: Any, tree: Any) -> list[Any]:
    """The leaves of a cotangent for an argument of this structure; None stands for all leaves of its part of it."""
    if part is None:
        return [None] * tree.num_leaves
    children, parts = tree.children(), flatten(part, is_leaf=lambda x: x is not part)[0]
    if len(children) != len(parts) or tree == LEAF:
        return flatten(part, is_leaf=lambda x: x is None)[0]
    return [leaf for p, t in zip(parts, children, strict=True) for leaf in _leaves_or_none(p, t)]


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
        return out, (_Converted(converted, len(args), types), consts)

    def bwd(residuals: Any, ct: Any) -> tuple[Any, ...]:
        rule, consts = residuals
        leaves, tree = flatten(ct)  # the rule was captured with integers in the places of what has no derivative
        cts = [np.zeros(t.shape, t.dtype) if is_float0(x) else x for x, t in zip(leaves, rule.types, strict=True)]
        found = rule.function(unflatten(tree, cts), *consts)
        alone = rule.n_args == 1 and not (isinstance(found, (tuple, list)) and len(found) == 1)
        return (found,) if alone else tuple(found)

    value.defvjp(fwd, bwd)
    return value


class _Converted:
    """The rule of a `custom_gradient`, without closure, as a residual that is no array."""

    def __init__(self, function: Callable[..., Any], n_args: int, types: Sequence[ArrayType]):
        self.function = function
        self.n_args = n_args
        self.types = types
