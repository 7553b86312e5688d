"""`custom_root`: a root found as the user says, with the derivatives that the implicit function theorem gives it.

Where f(c, x) = 0, the tangent of x is that of -f by c, divided by the derivative of f by x; how x was found plays no part.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import Any

from ..errors import transparent
from ..staging import evaluate
from ..transforms.custom_function import zero_from_primal
from ..transforms.custom_jvp import custom_jvp
from ..transforms.linear_maps import jvp, linearize
from ..transforms.signature import check_callable
from ..tree import leaves, unflatten
from .unknowns import Unknown

__all__ = ["custom_root"]


@transparent
def custom_root(
    f: Callable[[Any], Any],
    initial_guess: Any,
    solve: Callable[..., Any],
    tangent_solve: Callable[..., Any],
    has_aux: bool = False,
) -> Any:
    """A root of `f`, found by `solve`; its derivatives by what `f` closes over are those of the root, however it is found.

    Args:
      f: x -> a pytree of the structure, shapes and dtypes of x.
      initial_guess: a pytree of arrays, of which the root does not depend.
      solve: (f, initial_guess) -> x where f(x) is zero.
      tangent_solve: (g, y) -> x where g(x) = y, for a linear function g; linear in y. For a scalar: `lambda g, y: y / g(1.0)`.
      has_aux: whether `solve` gives a pair of x and auxiliary data, which have no derivative.

    Returns:
      x, or a pair of x and auxiliary data.

    Raises:
      TypeError: if `f`, `solve` or `tangent_solve` gives another structure or type than that of the guess.

    >>> import functorch_lite as fl
    >>> def root(c):
    ...     newton = lambda f, x: fl.lax.fori_loop(0, 6, lambda _, x: x - f(x) / fl.grad(f)(x), x)
    ...     return fl.lax.custom_root(lambda x: x**2 - c, c, newton, lambda g, y: y / g(1.0))
    >>> [round(float(x), 4) for x in fl.value_and_grad(root)(4.0)]
    [2.0, 0.25]
    """
    for function in (f, solve, tangent_solve):
        check_callable("custom_root", function)
    unknown = Unknown("custom_root", "initial_guess", initial_guess, has_aux)
    n, tree = len(unknown.operands), unknown.tree
    residual = unknown.staged(lambda x: unknown.checked(f(x), "f"), "f")
    solver = unknown.staged(lambda x: unknown.solution(solve(f, x), "solve"), "solve")

    @custom_jvp
    def root(f_consts: Sequence[Any], solve_consts: Sequence[Any], guess: Sequence[Any]) -> list[Any]:
        return evaluate(solver.program, *solve_consts, *guess)

    @root.defjvp
    def root_jvp(primals: Any, tangents: Any) -> Any:
        consts, out = primals[0], root(*primals)

        def by_root(x: Any) -> Any:
            return unflatten(tree, evaluate(residual.program, *consts, *leaves(x)))

        _, moved = jvp(lambda c: evaluate(residual.program, *c, *out[:n]), (consts,), (tangents[0],))
        _, push_forward = linearize(by_root, unflatten(tree, out[:n]))
        x_dot = unknown.checked(tangent_solve(push_forward, unflatten(tree, moved)), "tangent_solve")
        return out, [*(-t for t in x_dot), *map(zero_from_primal, out[n:])]

    return unknown.result(root(residual.hoisted, solver.hoisted, unknown.operands))
