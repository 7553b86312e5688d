"""Iterative solvers of A x = b for a matrix or a linear function of pytrees: what they give can be differentiated.

Each is an algorithm on vectors, given to `lax.custom_linear_solve`: derivatives solve a further system by the same one.
"""

from __future__ import annotations

from collections.abc import Callable
from functools import partial
from typing import Any

from ... import dtypes, lax
from ... import numpy as fnp
from ...arrays import type_of
from ...direct import inexact
from ...errors import ArgumentError, DTypeError, ShapeError
from ...flatten_util import ravel_pytree
from ...promotion import as_operand, cast
from ...tree import map as tree_map
from ...tree import structure

__all__ = ["bicgstab", "cg", "gmres"]

_ARGUMENTS = """
    Args:
      A: a square matrix, or a linear function of pytrees like `b`{kind}.
      b: a pytree of arrays.
      x0: where to begin; zeros if omitted.
      tol, atol: it ends when the residual's norm is at most the larger of tol * norm(b) and atol.{restart}
      maxiter: how many {turns} there are at most; by default ten for each element of `b`.
      M: a preconditioner, near the inverse of A: a matrix or a linear function.{method}

    Returns:
      x, like `b`, and None, where SciPy's function says how it ended.
"""


def _explained(
    summary: str, example: str, kind: str = "", restart: str = "", turns: str = "turns", method: str = ""
) -> str:
    return (
        f"{summary}\n{_ARGUMENTS.format(kind=kind, restart=restart, turns=turns, method=method)}\n    {example}\n    "
    )


def _solved(
    name: str, algorithm: Callable[..., Any], A: Any, b: Any, x0: Any, M: Any, maxiter: Any, symmetric: bool
) -> tuple[Any, None]:
    """`algorithm(matvec, b, x0=, maxiter=, M=)` on vectors, as a differentiable function of A and b."""
    b = tree_map(lambda x: inexact(as_operand(x, f"the b of {name}"))[0], b)
    if x0 is not None and structure(x0) != structure(b):
        raise ArgumentError(f"{name}: x0 must have the structure of b, {structure(b)}, got {structure(x0)}.")
    vector, unravel = ravel_pytree(b)
    start = fnp.zeros_like(vector) if x0 is None else cast(ravel_pytree(x0)[0], vector.dtype)
    if start.shape != vector.shape:
        raise ShapeError(f"{name}: x0 must have the shapes of b, which has {vector.size} elements; got {start.size}.")

    def on_vectors(linear: Any, what: str) -> Callable[[Any], Any]:
        f = _linear_map(name, what, linear)
        return lambda v: cast(ravel_pytree(f(unravel(v)))[0], vector.dtype)

    precondition = (lambda v: v) if M is None else on_vectors(M, "M")
    solve = partial(algorithm, x0=start, maxiter=10 * vector.size if maxiter is None else maxiter, M=precondition)
    x = lax.custom_linear_solve(
        on_vectors(A, "A"),
        vector,
        solve,
        solve,
        symmetric=symmetric and not dtypes.is_complex(vector.dtype),
    )
    return unravel(x), None


def _linear_map(name: str, what: str, linear: Any) -> Callable[[Any], Any]:
    if callable(linear):
        return linear
    matrix = as_operand(linear, f"the {what} of {name}")
    if matrix.ndim != 2 or matrix.shape[0] != matrix.shape[1]:
        raise ShapeError(f"{name}: {what} must be a square matrix or a function, got {type_of(matrix)}.")
    return lambda v: fnp.dot(matrix, v)


def _square(x: Any) -> Any:
    """The squared norm of a vector."""
    return fnp.vdot(x, x).real


def _bound(b: Any, tol: Any, atol: Any) -> Any:
    """What the squared norm of the residual must come down to."""
    return fnp.maximum(fnp.square(tol) * _square(b), fnp.square(atol))


def _cg(matvec: Any, b: Any, *, x0: Any, maxiter: Any, M: Any, tol: Any, atol: Any) -> Any:
    bound = _bound(b, tol, atol)

    def goes_on(state: Any) -> Any:
        _, r, _, _, k = state
        return (_square(r) > bound) & (k < maxiter)

    def turn(state: Any) -> Any:
        x, r, gamma, p, k = state
        q = matvec(p)
        alpha = gamma / fnp.vdot(p, q).real
        r = r - alpha * q
        z = M(r)
        new = fnp.vdot(r, z).real
        return x + alpha * p, r, new, z + new / gamma * p, k + 1

    r = b - matvec(x0)
    z = M(r)
    return lax.while_loop(goes_on, turn, (x0, r, fnp.vdot(r, z).real, z, 0))[0]


def cg(
    A: Any, b: Any, x0: Any = None, *, tol: Any = 1e-5, atol: Any = 0.0, maxiter: Any = None, M: Any = None
) -> tuple[Any, None]:
    return _solved("cg", partial(_cg, tol=tol, atol=atol), A, b, x0, M, maxiter, True)


cg.__doc__ = _explained(
    "Solves A x = b by conjugate gradients, for a Hermitian positive definite A.",
    """>>> import functorch_lite.numpy as fnp
    >>> cg(fnp.array([[4.0, 1.0], [1.0, 3.0]]), fnp.array([1.0, 2.0]))[0].round(3).tolist()
    [0.09099999815225601, 0.6359999775886536]""",
    kind=", Hermitian and positive definite",
)


def _bicgstab(matvec: Any, b: Any, *, x0: Any, maxiter: Any, M: Any, tol: Any, atol: Any) -> Any:
    bound = _bound(b, tol, atol)

    def goes_on(state: Any) -> Any:
        r, k = state[1], state[-1]
        return (_square(r) > bound) & (k < maxiter) & (k >= 0)

    def turn(state: Any) -> Any:
        x, r, rho, alpha, omega, p, q, k = state
        new = fnp.vdot(shadow, r)
        p = r + new / rho * (alpha / omega) * (p - omega * q)
        p_hat = M(p)
        q = matvec(p_hat)
        alpha = new / fnp.vdot(shadow, q)
        s = r - alpha * q
        done = _square(s) < bound
        s_hat = M(s)
        t = matvec(s_hat)
        omega = fnp.where(done, 0, fnp.vdot(t, s) / fnp.vdot(t, t))
        broken = (new == 0) | (alpha == 0) | ((omega == 0) & ~done)
        return x + alpha * p_hat + omega * s_hat, s - omega * t, new, alpha, omega, p, q, fnp.where(broken, -1, k + 1)

    shadow = b - matvec(x0)
    one, zeros = fnp.ones((), b.dtype), fnp.zeros_like(b)
    return lax.while_loop(goes_on, turn, (x0, shadow, one, one, one, zeros, zeros, 0))[0]


def bicgstab(
    A: Any, b: Any, x0: Any = None, *, tol: Any = 1e-5, atol: Any = 0.0, maxiter: Any = None, M: Any = None
) -> tuple[Any, None]:
    return _solved("bicgstab", partial(_bicgstab, tol=tol, atol=atol), A, b, x0, M, maxiter, False)


bicgstab.__doc__ = _explained(
    "Solves A x = b by stabilised biconjugate gradients, for any invertible A.",
    """>>> import functorch_lite.numpy as fnp
    >>> bicgstab(fnp.array([[2.0, 1.0], [0.0, 4.0]]), fnp.array([3.0, 4.0]))[0].round(3).tolist()
    [1.0, 1.0]""",
)


def _gmres(
    matvec: Any, b: Any, *, x0: Any, maxiter: Any, M: Any, tol: Any, atol: Any, restart: int, stepwise: bool
) -> Any:
    n = min(restart, b.size)
    norm_b = fnp.sqrt(_square(b))
    preconditioned = fnp.sqrt(_square(M(b)))
    bound = preconditioned * fnp.minimum(1, fnp.maximum(tol, atol / fnp.where(norm_b == 0, 1, norm_b)))
    tiny = fnp.finfo(b.dtype).eps

    def arnoldi(k: Any, basis: Any, h: Any) -> tuple[Any, Any]:
        """One more vector of the basis (its rows), orthogonal to the others, and the column of H that belongs to it."""
        v = M(matvec(basis[k]))
        size = fnp.sqrt(_square(v))
        column = fnp.zeros(n + 1, b.dtype)
        for _ in range(2):  # once more for what rounding left
            along = basis.conj() @ v
            v, column = v - along @ basis, column + along
        length = fnp.sqrt(_square(v))
        length = fnp.where(length > tiny * size, length, 0)
        v = fnp.where(length > 0, v / fnp.where(length > 0, length, 1), 0)
        return basis.at[k + 1].set(v), h.at[:, k].set(column.at[k + 1].add(length.astype(b.dtype)))

    def fitted(h: Any, beta: Any) -> tuple[Any, Any]:
        rhs = fnp.zeros(n + 1, b.dtype).at[0].set(beta.astype(b.dtype))
        y = fnp.linalg.lstsq(h, rhs)[0]
        return y, fnp.sqrt(_square(rhs - h @ y))

    def turn(state: Any) -> Any:
        x, r, beta, k = state
        basis = fnp.zeros((n + 1, b.size), b.dtype).at[0].set(r / fnp.where(beta == 0, 1, beta))
        h = fnp.zeros((n + 1, n), b.dtype)
        if stepwise:
            _, basis, h, _ = lax.while_loop(
                lambda s: (s[0] < n) & (s[3] > bound),
                lambda s: (s[0] + 1, *(new := arnoldi(*s[:3])), fitted(new[1], beta)[1]),
                (0, basis, h, beta),
            )
        else:
            basis, h = lax.fori_loop(0, n, lambda i, s: arnoldi(i, *s), (basis, h))
        x = x + fitted(h, beta)[0] @ basis[:n]
        r = M(b - matvec(x))
        return x, r, fnp.sqrt(_square(r)), k + 1

    r = M(b - matvec(x0))
    start = (x0, r, fnp.sqrt(_square(r)), 0)
    return lax.while_loop(lambda s: (s[2] > bound) & (s[3] < maxiter), turn, start)[0]


def gmres(
    A: Any,
    b: Any,
    x0: Any = None,
    *,
    tol: Any = 1e-5,
    atol: Any = 0.0,
    restart: int = 20,
    maxiter: Any = None,
    M: Any = None,
    solve_method: str = "batched",
) -> tuple[Any, None]:
    if solve_method not in ("batched", "incremental"):
        raise ArgumentError(f"gmres: solve_method is {solve_method!r}, but must be 'batched' or 'incremental'.")
    if isinstance(restart, bool) or not isinstance(restart, int) or restart < 1:
        raise DTypeError(f"gmres: restart is a positive integer, got {restart!r}.")
    algorithm = partial(_gmres, tol=tol, atol=atol, restart=restart, stepwise=solve_method == "incremental")
    return _solved("gmres", algorithm, A, b, x0, M, maxiter, False)


gmres.__doc__ = _explained(
    "Solves A x = b by the generalised minimal residual method, for any invertible A.",
    """>>> import functorch_lite.numpy as fnp
    >>> gmres(fnp.array([[2.0, 1.0], [0.0, 4.0]]), fnp.array([3.0, 4.0]))[0].round(3).tolist()
    [1.0, 1.0]""",
    restart="\n      restart: of how many vectors the basis is, after which it starts anew.",
    turns="restarts",
    method="\n      solve_method: 'incremental' looks at the residual after each vector, 'batched' after each restart.",
)
