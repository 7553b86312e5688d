"""A whole program: its native runs as machine code, the rest as NumPy calls, in one generated function."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import Any

from functorch_lite.extend import Atom, Backend, Equation, LoweringContext, Program, Var, registry
from functorch_lite.extend_passes import (
    by_few_outputs,
    by_real_parts,
    by_taps,
    fold_transposes,
    fuse,
    hoist,
    rewrite_algebra,
    share_totals,
    spare,
    widen,
)

from .cache import found
from .conv_words import convolve_words
from .early import make_callable
from .editions import published, wanted
from .fingerprint import fingerprint
from .layouts import lay_out
from .linking import linked
from .processor import vector_bytes
from .segment import Segment
from .signature import emit_signature
from .steps import all_native, fusible, is_dear, is_native
from .turns import in_turns
from .unit import Source, Unit
from .workers import brisk

__all__ = ["CALL", "Context", "compile_new", "is_whole", "partition", "prepared", "relieved", "write"]

CALL = registry["jit"]
"""What a native run is in the program around it: a call."""


class Context(LoweringContext):
    """Lowers calls to machine code."""

    def compile(self, program: Program) -> Callable[..., tuple[Any, ...]]:
        return program.remember(("native", self.backend), lambda: _compiled(program, self))

    def kernel(self, equation: Equation, params: dict[str, Any]) -> Callable[..., Any]:
        if equation.primitive is CALL:
            return native_function(params["program"])
        return super().kernel(equation, params)


def compile_new(program: Program, key: str | None, backend: Backend) -> Callable[..., tuple[Any, ...]]:
    """A callable from operand buffers to a tuple of result buffers; its machine code is kept under the key."""
    fused = prepared(program)
    if not is_whole(fused):
        return Context(backend).compile(fused)
    return published(key, lambda: emitted(fused), program)


def prepared(program: Program) -> Program:
    """The program in the form that native code is made from."""
    return fuse(lay_out(convolve_words(relieved(program))), fusible, is_dear)


def relieved(program: Program) -> Program:
    """The program after the passes that do not keep bits: loops do no more than they must."""
    program = rewrite_algebra(by_real_parts(by_few_outputs(by_taps(program), vector_bytes())), keeping_bits=False)
    program = widen(program, lambda e: fusible(e) or is_native(e))
    program = share_totals(fold_transposes(in_turns(program), is_native))
    hoisted = hoist(program, is_dear)
    if hoisted is not program:
        program = fold_transposes(rewrite_algebra(hoisted, keeping_bits=False), is_native)
    return spare(program, is_dear)


def native_function(program: Program) -> Callable[..., tuple[Any, ...]]:
    """A program whose equations are all native, as a Python callable."""
    key = fingerprint(program)
    code = found(key)
    if code is None:
        return published(key, lambda: emitted(program), program)
    return make_callable(linked(code), program)


def emitted(program: Program) -> Source:
    """The source of a program whose equations are all native."""
    with brisk():
        unit = Unit(has_draft=wanted(), meanwhile=True)
        write(unit, program)
        return unit.source()


def write(unit: Unit, program: Program) -> Segment:
    """Its code and its signature, into a unit."""
    passed = {k: program.inputs.index(a) for k, a in enumerate(program.outputs) if is_passed(a, program.inputs)}
    made = [a for k, a in enumerate(program.outputs) if k not in passed]
    segment = Segment(unit, program.replace(outputs=made), "segment", lends=True)
    emit_signature(unit, segment, passed)
    return segment


SMALL = 1 << 12
"""An operand of up to so many bytes that is also a result is rather copied than given back itself."""


def is_passed(a: Atom, inputs: Sequence[Var]) -> bool:
    """Whether a result is an operand that is given back as it is."""
    return a in inputs and a.type.size * a.type.dtype.itemsize > SMALL


def _compiled(program: Program, context: Context) -> Callable[..., tuple[Any, ...]]:
    if is_whole(program):
        return native_function(program)
    return context.backend.guard(context.generate(partition(program)))


def is_whole(program: Program) -> bool:
    """Whether one native function does all of it."""
    return bool(program.equations) and all_native(program)


def partition(program: Program) -> Program:
    """The program with each run of native equations replaced by a call."""
    runs: list[list[Equation] | Equation] = []
    for equation in program.equations:
        if not is_native(equation):
            runs.append(equation)
        elif runs and isinstance(runs[-1], list):
            runs[-1].append(equation)
        else:
            runs.append([equation])
    equations: list[Equation] = []
    for i, run in enumerate(runs):
        if isinstance(run, Equation):
            equations.append(run)
            continue
        later = {
            a for other in runs[i + 1 :] for e in (other if isinstance(other, list) else [other]) for a in e.operands
        }
        equations.append(_call(run, later | set(program.outputs), program.inputs))
    return program.replace(equations=equations)


def _call(run: Sequence[Equation], needed: set[Any], order: Sequence[Var]) -> Equation:
    made = {v for e in run for v in e.results}
    read = dict.fromkeys(a for e in run for a in e.operands if isinstance(a, Var) and a not in made)
    inputs = [*(v for v in order if v in read), *(v for v in read if v not in set(order))]
    results = [v for e in run for v in e.results if v in needed]
    program = Program(inputs, run, results, "native")
    return Equation(CALL, inputs, {"program": program}, results, run[0].source)
