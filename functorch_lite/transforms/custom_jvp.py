"""`custom_jvp`: a function with the user's own forward derivative; and `stop_gradient`, which has none."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import Any

from .. import dtypes
from ..arrays import type_of
from ..errors import ArgumentTypeError, MissingRuleError, TransformationError, transparent
from ..primitive import Zero
from ..primitives.base import add
from ..primitives.structural import broadcast_to
from ..promotion import as_operand, cast, flagged, is_arraylike
from ..tree import flatten, unflatten
from .custom_function import CustomFunction, checked_derivative, tangent_argument
from .custom_rules import Rule, custom_jvp_p
from .edges import operands_of
from .signature import function_name

__all__ = ["custom_jvp", "stop_gradient"]


class custom_jvp(CustomFunction):
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
            raise ArgumentTypeError("defjvps does not go with nondiff_argnums: use defjvp.")

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
            raise MissingRuleError(
                f"no derivative rule is defined for {function_name(self.fun)}: give one with defjvp."
            )
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
            dots = [tangent_argument(t, x, symbolic) for t, x in zip(tangents, types, strict=True)]
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
            return outs, [checked_derivative(t, x, what) for t, x in zip(found, outs, strict=True)]

        params = {"fun": Rule(fun, name), "jvp": Rule(jvp, f"{name}_jvp"), "program": None, "n_hoisted": 0}
        out = custom_jvp_p(*operands, **params)
        return unflatten(out_tree, out)


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
_NO_TANGENT = Rule(
    lambda xs, _: ([*map(_stopped, xs)], [Zero(type_of(x).tangent()) for x in xs]),  # stopped for outer derivatives too
    "stop_gradient_jvp",
)
