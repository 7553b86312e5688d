"""HIPS/autograd with the names that `programs.py` asks a library for. Loops are Python's; it has no vmap and no convolutions."""

from __future__ import annotations

from collections.abc import Callable
from types import SimpleNamespace
from typing import Any

import autograd
import autograd.numpy as anp
import numpy as np
from autograd.scipy.linalg import solve_triangular
from autograd.scipy.special import erf

import functorch_lite as fl

__all__ = ["LACKING", "interface"]

LACKING = (AttributeError, NotImplementedError, TypeError)
"""What a program raises that needs what autograd has not: a function, a gradient, NumPy's ways of giving axes."""


def vjp(f: Callable[..., Any], *args: Any) -> tuple[Any, Callable[[Any], Any]]:
    pull, value = autograd.make_vjp(lambda args: f(*args))(args)
    return value, pull


def fori_loop(begin: int, end: int, body: Any, state: Any) -> Any:
    for i in range(begin, end):
        state = body(i, state)
    return state


def scan(body: Any, state: Any, xs: Any, length: int | None = None) -> tuple[Any, Any]:
    ys = []
    for x in [None] * (length or 0) if xs is None else xs:
        state, y = body(state, x)
        ys.append(y)
    return state, None if ys[0] is None else anp.stack(ys)


def triangular_solve(a: Any, b: Any, left_side: bool, lower: bool) -> Any:
    if not left_side:
        raise NotImplementedError
    return solve_triangular(a, b, lower=lower)


def log_softmax(x: Any) -> Any:
    x = x - anp.max(x, axis=-1, keepdims=True)
    return x - anp.log(anp.sum(anp.exp(x), axis=-1, keepdims=True))


def gelu(x: Any) -> Any:
    return 0.5 * x * (1 + anp.tanh(float(np.sqrt(2 / np.pi)) * (x + 0.044715 * x**3)))


interface = SimpleNamespace(
    numpy=anp,
    tree=fl.tree,
    grad=autograd.grad,
    value_and_grad=autograd.value_and_grad,
    vjp=vjp,
    hessian=autograd.hessian,
    jacfwd=autograd.jacobian,
    jacrev=autograd.jacobian,
    lax=SimpleNamespace(
        erf=erf, fori_loop=fori_loop, scan=scan, linalg=SimpleNamespace(triangular_solve=triangular_solve)
    ),
    nn=SimpleNamespace(
        log_softmax=log_softmax,
        softmax=lambda x: anp.exp(log_softmax(x)),
        gelu=gelu,
        relu=lambda x: anp.maximum(x, 0),
        sigmoid=lambda x: 0.5 * (anp.tanh(0.5 * x) + 1),
        one_hot=lambda labels, n: np.eye(n, dtype=np.float32)[labels],
    ),
)
