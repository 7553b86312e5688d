"""Derivatives as functions of functions: grad, value_and_grad, vjp, jvp, linearize, linear_transpose, Jacobians.

Complex derivatives follow JAX: for f: C -> R, `grad(f)(z)` is df/dx - i df/dy, so a descent step takes its conjugate;
holomorphic functions are differentiated with `holomorphic=True`.
"""

from __future__ import annotations

import functools
from collections.abc import Callable, Sequence
from typing import Any

import numpy as np

from .. import dtypes
from ..array_type import ArrayType
from ..arrays import type_of
from ..errors import DTypeError, ShapeError, TransformationError, transparent
from ..primitive import Zero
from ..primitives.structural import instantiate
from ..promotion import as_operand, cast, flagged, is_arraylike
from ..staging import evaluate, stage
from ..tree import flatten, flatten_up_to, unflatten
from .jvp import jvp_flat
from .linearize import Tape, linearize_flat, not_differentiable_input
from .signature import check_callable, function_name, normalized_argnums
from .transpose import backward_pass

__all__ = ["grad", "grad_and_value", "jvp", "linear_transpose", "linearize", "value_and_grad", "vjp"]


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
    if dtypes.is_complex(dtype) and not holomorphic and what.startswith("jac"):
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


def float0_zeros(t: ArrayType) -> np.ndarray:
    """What stands for the derivative by an integer array."""
    return np.zeros(t.shape, dtypes.float0)


def _cotangent_out(ct: Any, t: ArrayType) -> Any:
    """A cotangent as it is given to the user: arrays also where it is zero, `float0` for integers."""
    return instantiate(ct) if dtypes.is_inexact(t.dtype) else float0_zeros(t)


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
    positions = normalized_argnums(argnums, len(args), "grad")
    single = not isinstance(argnums, (tuple, list))
    leaves, tree = flatten(args[positions[0]] if single else tuple(args[i] for i in positions))
    operands = [as_operand(x, f"an argument of {function_name(fun)} to differentiate by") for x in leaves]
    for x in operands:
        check_input(x, holomorphic, allow_int, "grad")
    moving = [i for i, x in enumerate(operands) if dtypes.is_inexact(x.dtype)]
    aux: Any = None

    def function(*tracers: Any) -> list[Any]:
        nonlocal aux
        given = list(operands)
        for i, x in zip(moving, tracers, strict=True):
            given[i] = x
        subtree = unflatten(tree, given)
        full = list(args)
        for i, part in zip(positions, (subtree,) if single else subtree, strict=True):
            full[i] = part
        out = fun(*full, **kwargs)
        if has_aux:
            if not isinstance(out, (tuple, list)) or len(out) != 2:
                raise TransformationError(
                    f"grad with has_aux=True needs a pair from {function_name(fun)}, got {type(out).__name__}."
                )
            out, aux_tree = out
            aux_leaves, aux = flatten(aux_tree)
        else:
            aux_leaves = []
        if not is_arraylike(out):
            out_tree = flatten(out)[1]
            raise TransformationError(
                f"grad needs a function with a scalar result; {function_name(fun)} gave a {type(out).__name__} of "
                f"structure {out_tree}. Return the loss alone, or use has_aux=True for a pair (loss, anything)."
            )
        value = as_operand(out, f"the result of {function_name(fun)}")
        _check_scalar(value, fun, holomorphic)
        return [value, *(as_operand(x, "auxiliary data") for x in aux_leaves)]

    results, tape = linearize_flat(function, [operands[i] for i in moving])
    value = results[0]
    seed = value.dtype.type(1)
    no_aux = [Zero(t) for t in tape.out_types[1:]]
    cts = tape.pull_back([seed, *no_aux], consume=True)
    gradients: list[Any] = [None if dtypes.is_inexact(x.dtype) else float0_zeros(type_of(x)) for x in operands]
    for i, ct in zip(moving, cts, strict=True):
        gradients[i] = _gradient_out(ct, type_of(operands[i]))
    return value, unflatten(aux, results[1:]) if has_aux else None, unflatten(tree, gradients)


def _gradient_out(ct: Any, t: ArrayType) -> Any:
    """A gradient as it is given to the user; those by weak arguments are weak, others are not."""
    if not dtypes.is_inexact(t.dtype):
        return float0_zeros(t)
    return flagged(instantiate(ct), t.weak)


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

    @transparent
    @functools.wraps(fun)
    def gradient_and_value(*args: Any, **kwargs: Any) -> Any:
        value, aux, gradient = _value_and_grad(fun, args, kwargs, argnums, has_aux, False, False)
        return (gradient, (value, aux)) if has_aux else (gradient, value)

    return gradient_and_value


def _operands(tree: Any, what: str) -> tuple[list[Any], Any]:
    leaves, structure = flatten(tree)
    return [as_operand(x, what) for x in leaves], structure


def _tangents(tree: Any, structure: Any, primals: Sequence[Any], what: str, tangent: str) -> list[Any]:
    """Tangents or cotangents handed in by the user, checked against the primals."""
    found = flatten_up_to(structure, tree)
    out: list[Any] = []
    for x, t in zip(primals, found, strict=True):
        wanted = type_of(x).tangent()
        if wanted.dtype == dtypes.float0:
            out.append(Zero(wanted))
            continue
        given = as_operand(t, f"a {tangent} given to {what}")
        if given.shape != wanted.shape:
            raise ShapeError(f"{what}: a {tangent} has type {given.type}, needed is {wanted}, the type of its primal.")
        if given.dtype != wanted.dtype:
            if not given.weak_type:
                raise DTypeError(
                    f"{what}: a {tangent} has type {given.type}, needed is {wanted}, the type of its primal: cast it."
                )
            given = cast(given, wanted.dtype)
        out.append(given)
    return out


@transparent
def jvp(fun: Callable[..., Any], primals: Sequence[Any], tangents: Sequence[Any], has_aux: bool = False) -> Any:
    """The value of `fun` and its derivative along `tangents`: f(x), f'(x) x_dot.

    Args:
      fun: takes and gives pytrees of arrays.
      primals: a tuple or list of arguments.
      tangents: a tuple or list of the same structure.
      has_aux: whether `fun` gives a pair of its value and auxiliary data.

    Returns:
      `(value, tangent)`, or `(value, tangent, aux)`.

    >>> import functorch_lite as fl, functorch_lite.numpy as fnp
    >>> y, y_dot = fl.jvp(fnp.sin, (0.0,), (2.0,))
    >>> float(y), float(y_dot)
    (0.0, 2.0)
    """
    if not isinstance(primals, (tuple, list)) or not isinstance(tangents, (tuple, list)):
        raise TransformationError(
            f"jvp takes tuples or lists of primals and of tangents, got {type(primals).__name__} and "
            f"{type(tangents).__name__}: write jvp(f, (x,), (x_dot,))."
        )
    operands, structure = _operands(tuple(primals), "a primal given to jvp")
    dots = _tangents(tuple(tangents), structure, operands, "jvp", "tangent")
    flat = _FlatFunction(fun, structure, has_aux)
    values, out_dots = jvp_flat(flat, operands, dots)
    value, aux, n = flat.results(values)
    tangent = unflatten(
        flat.out_tree, [_cotangent_out(t, type_of(x)) for t, x in zip(out_dots[:n], values[:n], strict=True)]
    )
    return (value, tangent, aux) if has_aux else (value, tangent)


class _FlatFunction:
    """`fun` on operands, remembering the structure of its result."""

    def __init__(self, fun: Callable[..., Any], structure: Any, has_aux: bool):
        self.fun = fun
        self.structure = structure
        self.has_aux = has_aux
        self.n_aux = 0
        self.out_tree: Any = None
        self.aux_tree: Any = None

    def __call__(self, *xs: Any) -> list[Any]:
        out = self.fun(*unflatten(self.structure, xs))
        aux: list[Any] = []
        if self.has_aux:
            out, rest = out
            aux, self.aux_tree = _operands(rest, "auxiliary data")
            self.n_aux = len(aux)
        outs, self.out_tree = _operands(out, f"a result of {function_name(self.fun)}")
        return [*outs, *aux]

    def results(self, values: Sequence[Any]) -> tuple[Any, Any, int]:
        """The value, the auxiliary data, and how many leaves the value has."""
        n = len(values) - self.n_aux
        aux = unflatten(self.aux_tree, values[n:]) if self.has_aux else None
        return unflatten(self.out_tree, values[:n]), aux, n


class Pullback:
    """The function that `vjp` gives: cotangents of the results -> cotangents of the arguments."""

    def __init__(self, tape: Tape, in_tree: Any, out_tree: Any, results: Sequence[Any], name: str):
        self.tape = tape
        self.in_tree = in_tree
        self.out_tree = out_tree
        self.out_types = [type_of(x) for x in results]
        self.name = name

    def __call__(self, cotangent: Any) -> tuple[Any, ...]:
        like = [_TypeOnly(t) for t in self.out_types]
        cts = _tangents(cotangent, self.out_tree, like, f"the function that vjp of {self.name} gave", "cotangent")
        n_rest = len(self.tape.outs) - len(cts)
        rest = [Zero(t) for t in self.tape.out_types[len(cts) :]] if n_rest else []
        ins = self.tape.pull_back([*cts, *rest])
        return unflatten(self.in_tree, [_gradient_out(ct, t) for ct, t in zip(ins, self.tape.in_types, strict=True)])


class _TypeOnly:
    """Has a type, as an operand has."""

    __slots__ = ("type",)

    def __init__(self, type: ArrayType):
        self.type = type


@transparent
def vjp(fun: Callable[..., Any], *primals: Any, has_aux: bool = False) -> Any:
    """The value of `fun` and the function that pulls cotangents back: y_bar -> f'(x)^T y_bar.

    Args:
      fun: takes and gives pytrees of arrays.
      *primals: its arguments.
      has_aux: whether `fun` gives a pair of its value and auxiliary data.

    Returns:
      `(value, pullback)`, or `(value, pullback, aux)`; `pullback(cotangent)` is a tuple, an item per argument.

    >>> import functorch_lite as fl, functorch_lite.numpy as fnp
    >>> y, pullback = fl.vjp(lambda x, y: x * y, 2.0, 3.0)
    >>> [float(g) for g in pullback(1.0)]
    [3.0, 2.0]
    """
    operands, structure = _operands(primals, "a primal given to vjp")
    flat = _FlatFunction(fun, structure, has_aux)
    results, tape = linearize_flat(flat, operands)
    value, aux, n = flat.results(results)
    pullback = Pullback(tape, structure, flat.out_tree, results[:n], function_name(fun))
    return (value, pullback, aux) if has_aux else (value, pullback)


@transparent
def linearize(fun: Callable[..., Any], *primals: Any, has_aux: bool = False) -> Any:
    """The value of `fun` and its derivative there as a linear function, computed without evaluating `fun` again.

    Returns:
      `(value, push_forward)`, or `(value, push_forward, aux)`.

    >>> import functorch_lite as fl, functorch_lite.numpy as fnp
    >>> y, push_forward = fl.linearize(fnp.exp, 0.0)
    >>> float(push_forward(3.0))
    3.0
    """
    operands, structure = _operands(primals, "a primal given to linearize")
    flat = _FlatFunction(fun, structure, has_aux)
    results, tape = linearize_flat(flat, operands)
    value, aux, n = flat.results(results)
    program, residuals = stage(
        lambda *dots: [instantiate(t) for t in tape.push_forward(*dots)[:n]],
        [t.tangent() for t in tape.in_types],
        name=f"linearized {function_name(fun)}",
    )

    def push_forward(*tangents: Any) -> Any:
        dots = _tangents(tangents, structure, operands, "linearize", "tangent")
        return unflatten(flat.out_tree, evaluate(program, *residuals, *map(instantiate, dots)))

    return (value, push_forward, aux) if has_aux else (value, push_forward)


@transparent
def linear_transpose(fun: Callable[..., Any], *primals: Any) -> Callable[[Any], tuple[Any, ...]]:
    """The transpose of a linear function: `<fun(x), y_bar> = <x, transpose(y_bar)>`.

    Args:
      fun: linear in all of its arguments.
      *primals: arrays, or anything with shape and dtype, of the types of the arguments.

    Returns:
      a function of a cotangent of the result that gives a tuple of cotangents of the arguments.

    >>> import functorch_lite as fl
    >>> (x_bar,) = fl.linear_transpose(lambda x: 3 * x, 1.0)(2.0)
    >>> float(x_bar)
    6.0
    """
    leaves, structure = flatten(primals)
    types = [
        ArrayType(tuple(x.shape), dtypes.as_dtype(x.dtype)) if hasattr(x, "shape") else type_of(as_operand(x))
        for x in leaves
    ]
    for t in types:
        if not dtypes.is_inexact(t.dtype):
            raise not_differentiable_input(t)
    flat = _FlatFunction(fun, structure, False)
    program, hoisted = stage(flat, types, name=function_name(fun))
    linear = (False,) * len(hoisted) + (True,) * len(types)

    def transposed(cotangent: Any) -> tuple[Any, ...]:
        like = [_TypeOnly(t) for t in program.out_types]
        cts = _tangents(cotangent, flat.out_tree, like, "linear_transpose", "cotangent")
        ins = backward_pass(program, linear, hoisted, cts)
        return unflatten(structure, [instantiate(ct) for ct in ins])

    return transposed
