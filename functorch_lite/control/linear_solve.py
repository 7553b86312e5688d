"""`custom_linear_solve`: a linear system, solved as the user says, with derivatives that are linear systems themselves.

For A x = b: A x_dot = b_dot - A_dot x, and the cotangent of b solves A^T b_bar = x_bar. How the system was solved is never
differentiated.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import Any, NamedTuple

from ..arrays import type_of
from ..errors import TransformationError, transparent
from ..primitive import LinearOperand, Zero
from ..primitives import elementwise as e
from ..primitives.structural import batch_place, instantiate, place_batch
from ..program import Program
from ..staging import evaluate, stage
from ..transforms.batching import batch_program
from ..transforms.call import ProgramCall
from ..transforms.jvp import jvp_program
from ..transforms.linear_maps import linear_transpose
from ..transforms.signature import check_callable
from .bodies import split
from .unknowns import Unknown

__all__ = ["custom_linear_solve"]


class _System(NamedTuple):
    """A linear map and how its systems are solved: programs of their constants, and of x or b."""

    matvec: Program
    solve: Program
    n_matvec: int
    n_solve: int

    @property
    def n_consts(self) -> int:
        return self.n_matvec + self.n_solve


class LinearSolve(ProgramCall):
    """Operands: constants of the system, those of the transposed one, b. Results: x, and auxiliary ones.

    The param `program` solves; `system` and `transposed` (None where unknown) say what derivatives need.
    """

    splits = False
    linearize = None  # type: ignore[assignment]  # by `jvp`

    def jvp(  # type: ignore[override]
        self,
        primals: Sequence[Any],
        tangents: Sequence[Any],
        *,
        program: Program,
        system: _System,
        transposed: _System | None,
    ) -> Any:
        out = self(*primals, program=program, system=system, transposed=transposed)
        consts, back, b = _parts(primals, system, transposed)
        consts_dot, _, b_dot = _parts(tangents, system, transposed)
        x = out[: len(b)]
        rhs = [instantiate(t) for t in b_dot]
        nonzeros = tuple(not isinstance(t, Zero) for t in consts_dot[: system.n_matvec])
        if any(nonzeros):
            pushed, has = jvp_program(system.matvec, (*nonzeros, *(False for _ in x)))
            dots = [t for t, nz in zip(consts_dot, nonzeros, strict=False) if nz]
            moved = iter(evaluate(pushed, *consts[: system.n_matvec], *x, *dots)[len(x) :])
            rhs = [e.sub(r, next(moved)) if h else r for r, h in zip(rhs, has, strict=True)]
        x_dot = _bind(system, transposed, consts, back, rhs)
        return out, [*x_dot, *(Zero(type_of(a).tangent()) for a in out[len(b) :])]

    def transpose(  # type: ignore[override]
        self,
        cts: Any,
        operands: Sequence[Any],
        *,
        program: Program,
        system: _System,
        transposed: _System | None,
    ) -> Sequence[Any]:
        if transposed is None:
            raise TransformationError(
                "custom_linear_solve in reverse mode (grad, vjp) solves transposed systems: give transpose_solve, or "
                "symmetric=True."
            )
        consts, back, b = _parts(operands, system, transposed)
        if not all(isinstance(x, LinearOperand) for x in b):
            raise TransformationError("custom_linear_solve is linear in all of b together.")
        b_bar = _bind(transposed, system, back, consts, [instantiate(ct) for ct in cts[: len(b)]])
        return [*(None for _ in consts), *(None for _ in back), *b_bar]

    def batch(  # type: ignore[override]
        self,
        axis: Any,
        operands: Sequence[Any],
        dims: Sequence[Any],
        *,
        program: Program,
        system: _System,
        transposed: _System | None,
    ) -> Any:
        consts, back, b = _parts(operands, system, transposed)
        consts_d, back_d, b_d = _parts(dims, system, transposed)
        places = [batch_place(t.shape) for t in program.in_types[len(consts) + len(back) :]]
        b = [place_batch(x, d, at, axis.size) for x, d, at in zip(b, b_d, places, strict=True)]

        def batched(s: _System, own: Sequence[Any]) -> _System:
            def whole(p: Program, d: Sequence[Any]) -> Program:
                return batch_program(p, axis, (*d, *places), True)[0]

            for_matvec, for_solve = split(own, s.n_matvec)
            return s._replace(matvec=whole(s.matvec, for_matvec), solve=whole(s.solve, for_solve))

        new = None if transposed is None else batched(transposed, back_d)
        out = _bind(batched(system, consts_d), new, consts, back, b, aux=True)
        return out, [batch_place(t.shape) for t in program.out_types]

    def axis_names(self, params: dict[str, Any]) -> frozenset[Any]:
        systems = [s for s in (params["system"], params["transposed"]) if s is not None]
        return frozenset().union(*(p.axis_names for s in systems for p in (s.matvec, s.solve)))


def _parts(values: Sequence[Any], system: _System, transposed: _System | None) -> list[list[Any]]:
    """What belongs to the constants of the system, of the transposed one, and to b."""
    return split(values, system.n_consts, 0 if transposed is None else transposed.n_consts)


def _bind(
    system: _System,
    transposed: _System | None,
    consts: Sequence[Any],
    back: Sequence[Any],
    b: Sequence[Any],
    aux: bool = False,
) -> list[Any]:
    """Solve for `b`; without what a solver gives besides, unless it is wanted."""
    operands = [*consts, *back, *b]
    types = tuple(type_of(x) for x in operands)

    def make() -> Program:
        def solve(*xs: Any) -> list[Any]:
            given = (*xs[system.n_matvec : system.n_consts], *xs[len(xs) - len(b) :])
            out = evaluate(system.solve, *given)
            return out if aux else out[: len(b)]

        return stage(solve, types, name=system.solve.name).program

    program = system.solve.remember(("linear solve", types, system.n_matvec, aux), make)
    return linear_solve_p(*operands, program=program, system=system, transposed=transposed)


linear_solve_p = LinearSolve("linear_solve")


@transparent
def custom_linear_solve(
    matvec: Callable[[Any], Any],
    b: Any,
    solve: Callable[..., Any],
    transpose_solve: Callable[..., Any] | None = None,
    symmetric: bool = False,
    has_aux: bool = False,
) -> Any:
    """The solution of `matvec(x) = b`, found by `solve`; its derivatives are those of the solution, however it is found.

    Args:
      matvec: a linear function, to pytrees of its argument's structure, shapes and dtypes; what it closes over can be
        differentiated by.
      b: a pytree of arrays.
      solve: (matvec, b) -> x.
      transpose_solve: (vecmat, b) -> x, for the transposed map; without it there is no reverse mode.
      symmetric: whether the map is its own transpose, and `solve` serves for both.
      has_aux: whether `solve` gives a pair of x and auxiliary data, which have no derivative.

    Returns:
      x, or a pair of x and auxiliary data.

    Raises:
      TypeError: if `matvec` or `solve` gives another structure or type than that of `b`.

    >>> import functorch_lite as fl, functorch_lite.numpy as fnp
    >>> def halved(a, b):
    ...     return fl.lax.custom_linear_solve(lambda x: a * x, b, lambda _, b: b / fl.lax.stop_gradient(a), symmetric=True)
    >>> [float(g) for g in fl.grad(halved, (0, 1))(2.0, 6.0)]
    [-1.5, 0.5]
    """
    for f in (matvec, solve):
        check_callable("custom_linear_solve", f)
    unknown = Unknown("custom_linear_solve", "b", b, has_aux)
    forward, consts = _system(unknown, matvec, solve, ("matvec", "solve"))
    transposed, back = None, []
    if symmetric or transpose_solve is not None:
        vecmat = matvec if symmetric else _transposed(matvec, b)
        names = "the transposed matvec", "transpose_solve"
        transposed, back = _system(unknown, vecmat, transpose_solve or solve, names)
    return unknown.result(_bind(forward, transposed, consts, back, unknown.operands, aux=True))


def _system(
    unknown: Unknown, matvec: Callable[[Any], Any], solve: Callable[..., Any], names: tuple[str, str]
) -> tuple[_System, list[Any]]:
    """The programs, and their constants."""
    first = unknown.staged(lambda x: unknown.checked(matvec(x), names[0]), names[0])
    second = unknown.staged(lambda b: unknown.solution(solve(matvec, b), names[1]), names[1])
    consts = [*first.hoisted, *second.hoisted]
    return _System(first.program, second.program, len(first.hoisted), len(second.hoisted)), consts


def _transposed(matvec: Callable[[Any], Any], b: Any) -> Callable[[Any], Any]:
    back = linear_transpose(matvec, b)
    return lambda y: back(y)[0]
