"""Whole Jacobians: a tangent or cotangent for each element of a basis, all at once by `vmap`."""

from __future__ import annotations

import functools
from collections.abc import Callable, Sequence
from typing import Any

import numpy as np

from .. import dtypes
from ..arrays import from_host, type_of
from ..errors import DTypeError, transparent
from ..primitives.structural import reshape, zeros
from ..promotion import flagged
from ..tree import flatten, unflatten
from .edges import Aux, Differentiated
from .grad import check_input
from .linear_maps import jvp, vjp
from .signature import check_callable, function_name
from .vmap import vmap

__all__ = ["hessian", "jacfwd", "jacrev"]


def _basis(leaves: Sequence[Any]) -> list[Any]:
    """For leaves with n elements in all: arrays of leading length n, whose rows are the unit vectors."""
    sizes = [x.size for x in leaves]
    total = sum(sizes)
    out, start = [], 0
    for x, n in zip(leaves, sizes, strict=True):
        rows = np.zeros((total, n), type_of(x).dtype)
        rows[np.arange(start, start + n), np.arange(n)] = 1
        out.append(from_host(rows.reshape((total, *x.shape))))
        start += n
    return out


def _split_columns(x: Any, leaves: Sequence[Any]) -> list[Any]:
    """Columns of a Jacobian, along its last axis, in the shapes of the leaves."""
    shape, out, start = x.shape[:-1], [], 0
    for leaf in leaves:
        part = x if len(leaves) == 1 else x[..., start : start + leaf.size]
        out.append(reshape(part, shape=(*shape, *leaf.shape)))
        start += leaf.size
    return out


def _without_float0(derivatives: Sequence[Any], values: Sequence[Any]) -> list[Any]:
    """Derivatives of, or by, integers as zeros of their dtype."""
    return [
        flagged(zeros(type_of(x)), x.weak_type) if getattr(d, "dtype", None) == dtypes.float0 else d
        for d, x in zip(derivatives, values, strict=True)
    ]


def jacfwd(
    fun: Callable[..., Any], argnums: int | Sequence[int] = 0, has_aux: bool = False, holomorphic: bool = False
) -> Callable[..., Any]:
    """The Jacobian of `fun` by forward mode, a column at a time (all at once by `vmap`): for few inputs, many outputs.

    Args:
      fun: takes and gives pytrees of arrays.
      argnums: the position or positions of the arguments to differentiate by.
      has_aux: whether `fun` gives a pair of its value and auxiliary data.
      holomorphic: whether `fun` is a holomorphic function of complex arguments.

    Returns:
      a function with the arguments of `fun`; for a result of shape (m, ...) and an argument of shape (n, ...) it gives
      an array of shape (m, ..., n, ...), in pytrees: the result's structure outside, the argument's inside.

    >>> import functorch_lite as fl, functorch_lite.numpy as fnp
    >>> fl.jacfwd(lambda x: x * x)(fnp.arange(2.0))
    Array([[0., 0.],
           [0., 2.]], dtype=float32)
    """
    check_callable("jacfwd", fun)

    @transparent
    @functools.wraps(fun)
    def jacobian(*args: Any, **kwargs: Any) -> Any:
        chosen = Differentiated.of(args, argnums, "jacfwd")
        leaves, tree = chosen.operands, chosen.tree
        for x in leaves:
            check_input(x, holomorphic, False, "jacfwd")

        def function(part: Any) -> Any:
            return fun(*chosen.put_into(args, part), **kwargs)

        primal = unflatten(tree, leaves)
        aux = Aux(None)
        out_tree: Any = None
        weak: list[bool] = []

        def push(tangent: Any) -> Any:
            nonlocal aux, out_tree
            value, dots, *rest = jvp(function, (primal,), (tangent,), has_aux=has_aux)
            aux = Aux(rest[0] if has_aux else None)
            outs, out_tree = flatten(value)
            weak[:] = [x.weak_type for x in outs]
            return _without_float0(flatten(dots)[0], outs), aux.tracers

        columns, values = vmap(push, out_axes=(-1, None))(unflatten(tree, _basis(leaves)))
        rows = [
            unflatten(tree, [flagged(part, w) for part in _split_columns(x, leaves)])
            for x, w in zip(columns, weak, strict=True)
        ]
        jac = unflatten(out_tree, rows)
        return (jac, aux.finished(values)) if has_aux else jac

    return jacobian


def jacrev(
    fun: Callable[..., Any],
    argnums: int | Sequence[int] = 0,
    has_aux: bool = False,
    holomorphic: bool = False,
    allow_int: bool = False,
) -> Callable[..., Any]:
    """The Jacobian of `fun` by reverse mode, a row at a time (all at once by `vmap`): for many inputs, few outputs.

    Arguments and result as of `jacfwd`; `allow_int` lets integer arguments be differentiated by, to zeros.

    >>> import functorch_lite as fl, functorch_lite.numpy as fnp
    >>> fl.jacrev(lambda x: x * x)(fnp.arange(2.0))
    Array([[0., 0.],
           [0., 2.]], dtype=float32)
    """
    check_callable("jacrev", fun)

    @transparent
    @functools.wraps(fun)
    def jacobian(*args: Any, **kwargs: Any) -> Any:
        chosen = Differentiated.of(args, argnums, "jacrev")
        leaves, tree = chosen.operands, chosen.tree
        for x in leaves:
            check_input(x, holomorphic, allow_int, "jacrev")

        def function(part: Any) -> Any:
            return fun(*chosen.put_into(args, part), **kwargs)

        out = vjp(function, unflatten(tree, leaves), has_aux=has_aux)
        value, pullback = out[0], out[1]
        outs, out_tree = flatten(value)
        for x in outs:
            if not (dtypes.is_complex(x.dtype) if holomorphic else dtypes.is_floating(x.dtype)):
                wanted = "complex" if holomorphic else "real floating"
                raise DTypeError(
                    f"jacrev needs {wanted} results, {function_name(fun)} gave {type_of(x)}: cast with astype."
                )

        def pull(cotangent: Any) -> list[Any]:
            return _without_float0(flatten(pullback(cotangent))[0], leaves)

        ins = vmap(pull)(unflatten(out_tree, _basis(outs)))
        parts = [_split_rows(g, outs) for g in ins]
        jac = unflatten(out_tree, [unflatten(tree, [p[i] for p in parts]) for i in range(len(outs))])
        return (jac, out[2]) if has_aux else jac

    return jacobian


def _split_rows(g: Any, outs: Sequence[Any]) -> list[Any]:
    """Rows of a Jacobian, along its first axis, in the shapes of the results."""
    parts, start = [], 0
    for x in outs:
        part = g if len(outs) == 1 else g[start : start + x.size]
        parts.append(reshape(part, shape=(*x.shape, *g.shape[1:])))
        start += x.size
    return parts


def hessian(
    fun: Callable[..., Any], argnums: int | Sequence[int] = 0, has_aux: bool = False, holomorphic: bool = False
) -> Callable[..., Any]:
    """The matrix of second derivatives of `fun`, forward over reverse. Arguments as of `jacfwd`.

    >>> import functorch_lite as fl, functorch_lite.numpy as fnp
    >>> fl.hessian(lambda x: fnp.sum(x**3))(fnp.arange(2.0))
    Array([[0., 0.],
           [0., 6.]], dtype=float32)
    """
    check_callable("hessian", fun)
    inner = jacrev(fun, argnums, has_aux=has_aux, holomorphic=holomorphic)
    return jacfwd(inner, argnums, has_aux=has_aux, holomorphic=holomorphic)
