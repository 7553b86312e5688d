"""Gradients as functions of functions: `grad`, `value_and_grad`, `grad_and_value`.

Complex derivatives follow JAX: for f: C -> R, `grad(f)(z)` is df/dx - i df/dy, so a descent step takes its conjugate;
holomorphic functions are differentiated with `holomorphic=True`.
"""

from __future__ import annotations

import functools
from collections.abc import Callable, Sequence
from typing import Any

from .. import dtypes
from ..arrays import type_of
from ..errors import DTypeError, ShapeError, TransformationError, transparent
from ..primitive import Zero
from ..promotion import as_operand, is_arraylike
from ..tree import flatten, unflatten
from .edges import Aux, Differentiated, gradient_out
from .linearize import linearize_flat
from .signature import check_callable, function_name

__all__ = ["check_input", "grad", "grad_and_value", "value_and_grad"]


def check_input(x: Any, holomorphic: bool, allow_int: bool, what: str) -> None:
    dtype = x.dtype
    if dtype.kind == "f" and not holomorphic:
        return
    if holomorphic and not dtypes.is_complex(dtype):
        raise DTypeError(
            f"{what} with holomorphic=True needs complex inputs, got {type_of(x)}: cast with astype(complex)."
        )
    if not dtypes.is_inexact(dtype) and not allow_int:
        raise DTypeError(
            f"{what} needs inputs of floating or complex dtype, got {type_of(x)}: an integer has no derivative. Pass "
            "1.0 instead of 1, cast with astype(float), leave the argument out of argnums, or set allow_int=True."
        )
    if dtypes.is_complex(dtype) and not holomorphic and what == "jacfwd":
        raise DTypeError(f"{what} of complex inputs, {type_of(x)}, needs holomorphic=True.")


def _check_scalar(x: Any, function: Any, holomorphic: bool) -> None:
    if not holomorphic and x.shape == () and x.dtype.kind == "f":
        return
    t = type_of(x)
    if t.shape != ():
        raise ShapeError(
            f"grad needs a function with a scalar result; {function_name(function)} gave {t}. Reduce it (sum, mean), or "
            "use jacrev, vjp, or vmap(grad(...)) for a gradient per element."
        )
    if holomorphic and not dtypes.is_complex(t.dtype):
        raise DTypeError(f"grad with holomorphic=True needs a complex result, {function_name(function)} gave {t}.")
    if not holomorphic and not dtypes.is_floating(t.dtype):
        raise DTypeError(
            f"grad needs a function with a real floating result; {function_name(function)} gave {t}. "
            + (
                "Take its real part, or set holomorphic=True."
                if dtypes.is_complex(t.dtype)
                else "Cast the result with astype(float)."
            )
        )


def value_and_grad(
    fun: Callable[..., Any],
    argnums: int | Sequence[int] = 0,
    has_aux: bool = False,
    holomorphic: bool = False,
    allow_int: bool = False,
) -> Callable[..., Any]:
    """A function that gives the value of `fun` and its gradient.

    Args:
      fun: gives a scalar, or, with `has_aux`, a pair of a scalar and anything.
      argnums: the position or positions of the arguments to differentiate by.
      has_aux: whether `fun` gives auxiliary data beside its value.
      holomorphic: whether `fun` is a holomorphic function of complex arguments.
      allow_int: whether integer arguments may be differentiated by; their gradient has dtype `float0`.

    Returns:
      a function with the arguments of `fun` that gives `(value, gradient)`, or `((value, aux), gradient)`. The
      gradient has the structure of the argument, a tuple of them if `argnums` is one.

    Raises:
      TypeError: if an input is not differentiable, or the result not a real scalar.

    >>> import functorch_lite as fl
    >>> fl.value_and_grad(lambda x: x**3)(2.0)
    (Array(8., dtype=float32, weak_type=True), Array(12., dtype=float32, weak_type=True))
    """
    check_callable("value_and_grad", fun)

    @transparent
    @functools.wraps(fun)
    def value_and_gradient(*args: Any, **kwargs: Any) -> Any:
        value, aux, gradient = _value_and_grad(fun, args, kwargs, argnums, has_aux, holomorphic, allow_int)
        return ((value, aux), gradient) if has_aux else (value, gradient)

    return value_and_gradient


def _value_and_grad(
    fun: Any, args: Any, kwargs: Any, argnums: Any, has_aux: bool, holomorphic: bool, allow_int: bool
) -> tuple[Any, Any, Any]:
    chosen = Differentiated.of(args, argnums, "grad")
    for x in chosen.operands:
        check_input(x, holomorphic, allow_int, "grad")
    aux: Aux | None = None

    def function(*tracers: Any) -> list[Any]:
        nonlocal aux
        out = fun(*chosen.put_into(args, unflatten(chosen.tree, tracers)), **kwargs)
        if has_aux:
            if not isinstance(out, (tuple, list)) or len(out) != 2:
                raise TransformationError(
                    f"grad with has_aux=True needs a pair from {function_name(fun)}, got {type(out).__name__}."
                )
            out, data = out
            aux = Aux(data)
        if not is_arraylike(out):
            out_tree = flatten(out)[1]
            raise TransformationError(
                f"grad needs a function with a scalar result; {function_name(fun)} gave a {type(out).__name__} of "
                f"structure {out_tree}. Return the loss alone, or use has_aux=True for a pair (loss, anything)."
            )
        value = as_operand(out, "the result of a function under grad")
        _check_scalar(value, fun, holomorphic)
        return [value] if aux is None else [value, *aux.tracers]

    results, tape = linearize_flat(function, chosen.operands)
    seeds = [results[0].dtype.type(1), *(Zero(t) for t in tape.out_types[1:])]
    gradients = map(gradient_out, tape.pull_back(seeds, consume=True), tape.in_types)
    return results[0], None if aux is None else aux.finished(results[1:]), unflatten(chosen.tree, gradients)


def grad(
    fun: Callable[..., Any],
    argnums: int | Sequence[int] = 0,
    has_aux: bool = False,
    holomorphic: bool = False,
    allow_int: bool = False,
) -> Callable[..., Any]:
    """A function that gives the gradient of `fun`; arguments as of `value_and_grad`.

    Returns:
      a function with the arguments of `fun` that gives the gradient, or, with `has_aux`, `(gradient, aux)`.

    >>> import functorch_lite as fl, functorch_lite.numpy as fnp
    >>> fl.grad(fnp.tanh)(0.5)
    Array(0.7864477, dtype=float32, weak_type=True)
    """
    check_callable("grad", fun)

    @transparent
    @functools.wraps(fun)
    def gradient(*args: Any, **kwargs: Any) -> Any:
        _, aux, out = _value_and_grad(fun, args, kwargs, argnums, has_aux, holomorphic, allow_int)
        return (out, aux) if has_aux else out

    return gradient


def grad_and_value(
    fun: Callable[..., Any], argnums: int | Sequence[int] = 0, has_aux: bool = False
) -> Callable[..., Any]:
    """As `value_and_grad`, in the order of `torch.func.grad_and_value`: `(gradient, value)` or `(gradient, (value, aux))`.

    >>> import functorch_lite as fl
    >>> gradient, value = fl.grad_and_value(lambda x: x * x)(3.0)
    >>> float(gradient), float(value)
    (6.0, 9.0)
    """
    check_callable("grad_and_value", fun)

    @transparent
    @functools.wraps(fun)
    def gradient_and_value(*args: Any, **kwargs: Any) -> Any:
        value, aux, gradient = _value_and_grad(fun, args, kwargs, argnums, has_aux, False, False)
        return (gradient, (value, aux)) if has_aux else (gradient, value)

    return gradient_and_value
