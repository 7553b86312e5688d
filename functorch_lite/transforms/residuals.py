"""What reverse mode keeps of a function: the values that its forward pass stores for the backward pass."""

from __future__ import annotations

import inspect
from collections.abc import Callable
from typing import Any

from .. import dtypes
from ..arrays import type_of
from ..errors import transparent
from ..program import Atom, Equation, Var
from ..promotion import as_operand
from ..staging import StagingTrace
from ..tracing import context, use_trace
from ..tree import flatten_with_path
from ..tree_paths import keystr
from .edges import FlatCall
from .linearize import linearize_flat
from .signature import check_callable, function_name

__all__ = ["print_saved_residuals", "saved_residuals"]


def _argument_names(f: Callable[..., Any], args: tuple[Any, ...], kwargs: dict[str, Any]) -> list[str]:
    """A name for each leaf of the arguments: that of the parameter, and the path in it."""
    try:
        names = list(inspect.signature(f).bind(*args, **kwargs).arguments)
    except (TypeError, ValueError):
        names = []
    names += [f"args[{i}]" for i in range(len(names), len(args))]
    parts = [*zip(names, args, strict=False), *kwargs.items()]
    return [f"{name}{keystr(path)}" for name, x in parts for path, _ in flatten_with_path(x)[0]]


@transparent
def saved_residuals(f: Callable[..., Any], *args: Any, **kwargs: Any) -> list[tuple[Any, str]]:
    """The values that reverse mode keeps of `f` until its backward pass: their types, and where they come from.

    Args:
      f: takes and gives pytrees of arrays.
      *args, **kwargs: its arguments; those that are floating or complex are differentiated by.

    >>> import functorch_lite as fl, functorch_lite.numpy as fnp
    >>> [str(t) for t, _ in saved_residuals(lambda x: fnp.sin(fnp.sin(x)), fnp.ones(3))]
    ['f32[3]', 'f32[3]']
    >>> saved_residuals(fl.checkpoint(lambda x: fnp.sin(fnp.sin(x))), fnp.ones(3))
    [(f32[3], 'from the argument x')]
    """
    check_callable("saved_residuals", f)
    pairs, structure = flatten_with_path((args, kwargs))
    operands = [as_operand(x, f"an argument of {function_name(f)}") for _, x in pairs]
    types = [type_of(x) for x in operands]
    trace = StagingTrace(context.trace)
    inputs = [trace.new_input(t) for t in types]
    marked = [x for x, t in zip(inputs, types, strict=True) if dtypes.is_inexact(t.dtype)]
    flat = FlatCall(f, structure, f"a result of {function_name(f)}")

    def function(*tracers: Any) -> list[Any]:
        given = iter(tracers)
        return flat(*(next(given) if dtypes.is_inexact(t.dtype) else x for x, t in zip(inputs, types, strict=True)))

    with use_trace(trace, closing=True):
        _, tape = linearize_flat(function, marked)
        known = trace.finish(tape.split()[0], function_name(f))
    made = {v: e for e in known.equations for v in e.results}
    arguments = zip(known.inputs[len(trace.hoisted) :], _argument_names(f, args, kwargs), strict=True)
    origins = {v: f"from the argument {name}" for v, name in arguments}
    return [(a.type, _origin(a, origins, made)) for a in dict.fromkeys(known.outputs)]


def _origin(a: Atom, origins: dict[Var, str], made: dict[Var, Equation]) -> str:
    if not isinstance(a, Var):
        return "from a literal"
    return _made_by(made[a]) if a in made else origins.get(a, "from a constant")


def _made_by(equation: Equation) -> str:
    name = (
        f"named {equation.params['name']!r}" if equation.primitive.name == "name" else f"output of {equation.primitive}"
    )
    return f"{name} from {equation.source}" if equation.source else name


def print_saved_residuals(f: Callable[..., Any], *args: Any, **kwargs: Any) -> None:
    """Print what `saved_residuals` finds, a line for each value.

    Args:
      f: takes and gives pytrees of arrays.
      *args, **kwargs: its arguments.

    >>> import functorch_lite.numpy as fnp
    >>> print_saved_residuals(lambda w, x: w["a"] * x, {"a": fnp.ones(2)}, fnp.ones(2))
    f32[2] from the argument x
    f32[2] from the argument w['a']
    """
    for type, origin in saved_residuals(f, *args, **kwargs):
        print(type, origin)
