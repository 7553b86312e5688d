"""`call`: an equation that runs a program. What `jit` leaves in a program; inlined when the whole is compiled."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from ..array_type import ArrayType, fit_dims, rename_dims
from ..arrays import Array, two_backends, type_of
from ..backend import Backend, default_backend
from ..errors import ProgramError
from ..passes import executable
from ..primitive import LinearOperand, Primitive, Zero
from ..program import Equation, Program, Var
from .batching import batch_program
from .jvp import jvp_program
from .linearize import linearize_program
from .tape import Linearization
from .transpose import transpose_program

__all__ = ["ProgramCall", "as_call", "call", "exact_call", "only_backend", "run_equation", "run_program"]


def only_backend(operands: Sequence[Any]) -> Backend:
    """The backend of the operands, all of which have values; the default where none is an array."""
    backends = {x.backend for x in operands if type(x) is Array}
    if len(backends) > 1:
        raise two_backends(operands)
    return backends.pop() if backends else default_backend()


def run_program(program: Program, operands: Sequence[Any], *, compiled: bool | None = None) -> list[Array]:
    """Make the program executable on the operands' backend (once), and run it."""
    backend = only_backend(operands)
    buffers = [x.buffer if type(x) is Array else backend.literal(x) for x in operands]
    out = executable(program, backend, compiled=compiled)(*buffers)
    return [Array(b, t.weak, backend) for b, t in zip(out, program.out_types, strict=True)]


def run_equation(primitive: Primitive, operands: Sequence[Any], params: dict[str, Any]) -> list[Array]:
    """Run a primitive that carries programs on operands that have values; what is compiled is kept with its program."""
    first = params[primitive.subprograms[0]]
    carrier: Program = first if isinstance(first, Program) else first[0]
    types = tuple(type_of(x) for x in operands)

    def make() -> Program:
        inputs = [Var(t) for t in types]
        results = [Var(t) for t in primitive.infer(*types, **params)]
        return Program(inputs, [Equation(primitive, inputs, params, results)], results, primitive.name)

    return run_program(carrier.remember(("run", primitive, types, *params.items()), make), operands)


class ProgramCall(Primitive):
    """A primitive that means its one program; its rules transform the program and call the result."""

    multiple_results = True
    subprograms = ("program",)
    inlines = True

    def infer(self, *types: ArrayType, program: Program, **params: Any) -> list[ArrayType]:
        dims = fit_dims(program.in_types, types)
        if dims is None:
            raise ProgramError(f"{self.name} of a program of {program.in_types} got operands of {types}")
        return rename_dims(program.out_types, dims)

    def evaluate(self, *operands: Any, program: Program, **params: Any) -> list[Any]:  # type: ignore[override]
        return run_program(program, operands, compiled=self.compiles)

    def lower(self, context: Any, equation: Equation) -> Any:
        return context.compile(equation.params["program"])

    def jvp(self, primals: Sequence[Any], tangents: Sequence[Any], *, program: Program, **params: Any) -> Any:
        nonzeros = tuple(not isinstance(t, Zero) for t in tangents)
        jvp, has = jvp_program(program, nonzeros)
        out = self(*primals, *(t for t in tangents if not isinstance(t, Zero)), program=jvp, **params)
        dots = iter(out[len(has) :])
        primals_out = out[: len(has)]
        return primals_out, [next(dots) if h else Zero(x.type.tangent()) for x, h in zip(primals_out, has, strict=True)]

    def linearize(  # type: ignore[override]
        self,
        types: Sequence[ArrayType],
        nonzeros: tuple[bool, ...],
        *,
        split_body: Any = linearize_program,
        program: Program,
        **params: Any,
    ) -> Linearization:
        known, linear, has = split_body(program, nonzeros)
        return Linearization(as_call(self, known, params), as_call(self, linear, params), has, True)

    def transpose(self, cts: Any, operands: Sequence[Any], *, program: Program, **params: Any) -> Sequence[Any]:
        linear = tuple(isinstance(x, LinearOperand) for x in operands)
        nonzeros = tuple(not isinstance(ct, Zero) for ct in cts)
        transposed, has = transpose_program(program, linear, nonzeros)
        known = [x for x in operands if not isinstance(x, LinearOperand)]
        out = iter(self(*known, *(ct for ct in cts if not isinstance(ct, Zero)), program=transposed, **params))
        marks = iter(has)
        return [
            (next(out) if next(marks) else Zero(x.type)) if lin else None
            for x, lin in zip(operands, linear, strict=True)
        ]

    def batch(self, axis: Any, operands: Sequence[Any], dims: Sequence[Any], *, program: Program, **params: Any) -> Any:
        batched, out_dims = batch_program(program, axis, tuple(dims))
        return self(*operands, program=batched, **params), out_dims

    def axis_names(self, params: dict[str, Any]) -> frozenset[Any]:
        return params["program"].axis_names

    def effects_of(self, params: dict[str, Any]) -> frozenset[str]:
        return params["program"].effects


def as_call(primitive: Primitive, program: Program, params: dict[str, Any]) -> Program:
    """A program of one equation, which calls `program`."""
    inputs = [Var(t) for t in program.in_types]
    results = [Var(t) for t in program.out_types]
    equation = Equation(primitive, inputs, {"program": program, **params}, results)
    return Program(inputs, [equation], results, program.name)


class JitCall(ProgramCall):
    """A call whose program the user wants compiled."""

    compiles = True


call = JitCall("jit")


class ExactCall(ProgramCall):
    """A call whose program runs with the very kernels that eager mode uses, whatever it is part of."""

    inlines = False
    opaque = True

    def lower(self, context: Any, equation: Equation) -> Any:
        return executable(equation.params["program"], context.backend, compiled=False)


exact_call = ExactCall("exact_jit")
