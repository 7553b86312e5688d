"""What the loops share: staging a body on a carry, rearranging programs, masks in parts."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import Any, NamedTuple

from ..array_type import ArrayType
from ..arrays import type_of
from ..dtype_lattice import lattice_result
from ..errors import TransformationError
from ..primitive import Zero
from ..program import Program
from ..promotion import cast
from ..staging import Staged, evaluate, stage
from ..transforms.edges import operands_of
from ..transforms.signature import function_name
from ..tree import flatten_with_path, unflatten
from ..tree_paths import keystr

__all__ = [
    "Settled",
    "StagedBody",
    "convert_carry",
    "flat_function",
    "on_strong_carry",
    "only",
    "rearranged",
    "settle_carry",
    "split",
    "stage_flat",
    "with_tangents",
]


class StagedBody(NamedTuple):
    """A body as a program, the values it closes over, and the structure of its result."""

    program: Program
    hoisted: list[Any]
    out_tree: Any


def flat_function(
    fun: Callable[..., Any], in_tree: Any, what: str
) -> tuple[Callable[..., list[Any]], Callable[[], Any]]:
    """`fun` on operands, and a function that gives the structure of its result once it has run."""
    structure: Any = None

    def flat(*operands: Any) -> list[Any]:
        nonlocal structure
        outs, structure = operands_of(fun(*unflatten(in_tree, operands)), f"a result of {what} {function_name(fun)}")
        return outs

    return flat, lambda: structure


def stage_flat(fun: Callable[..., Any], in_tree: Any, types: Sequence[ArrayType], what: str) -> StagedBody:
    """Stage a function of pytrees."""
    flat, structure = flat_function(fun, in_tree, what)
    staged: Staged = stage(flat, types, name=function_name(fun))
    return StagedBody(staged.program, staged.hoisted, structure())


def split(values: Sequence[Any], *sizes: int) -> list[list[Any]]:
    """`values` in pieces of the given sizes, and the rest."""
    pieces, start = [], 0
    for n in sizes:
        pieces.append(list(values[start : start + n]))
        start += n
    return [*pieces, list(values[start:])]


def with_tangents(values: list[Any], tangents: Sequence[Any], marks: Sequence[bool]) -> tuple[list[Any], list[Any]]:
    """Values with a tangent for each: the next of `tangents` where it is marked, else zero."""
    found = iter(tangents)
    return values, [next(found) if m else Zero(v.type.tangent()) for v, m in zip(values, marks, strict=True)]


def only(values: Sequence[Any], marks: Sequence[bool]) -> list[Any]:
    """The values that are marked."""
    return [x for x, m in zip(values, marks, strict=True) if m]


def rearranged(program: Program, inputs: Sequence[int], outputs: Sequence[int]) -> Program:
    """The program with inputs and outputs in another order (or fewer outputs)."""
    return program.remember(
        ("rearranged", tuple(inputs), tuple(outputs)),
        lambda: program.replace(
            inputs=[program.inputs[i] for i in inputs], outputs=[program.outputs[i] for i in outputs]
        ),
    )


class Settled(NamedTuple):
    """A carry with one type on the way in and out, and the body on it."""

    carry: list[Any]
    """The initial values, strong, as `body` takes them."""
    body: StagedBody
    """Weak flags are dropped inside: loops go by shape and dtype alone."""
    types: list[ArrayType]
    """Of the carry as the user sees it, with its weak flags."""
    weak: list[bool]
    """Which results of the body are weak, as the user sees them."""

    def finish(self, results: Sequence[Any]) -> list[Any]:
        """The loop's results with the weak flags that they have outside."""
        return [cast(x, type_of(x).dtype, weak) for x, weak in zip(results, self.weak, strict=False)]


def settle_carry(
    carry: Sequence[Any],
    stage_on: Callable[[list[ArrayType]], StagedBody],
    structure: Any,
    what: str,
) -> Settled:
    """The initial carry and the body, with one type for the carry on the way in and out.

    A weak entry (a Python scalar) takes the dtype that the body gives it, and stays weak if the body gives a weak result
    of the same dtype: what it meets in the body promotes as beside a Python scalar.

    Raises:
      TypeError: if the body's carry has another structure, shape or dtype than the initial one.
    """
    types = [type_of(x) for x in carry]
    while True:
        body = stage_on(types)
        out = body.program.out_types[: len(types)]
        settled = [_joined(t, o) if t.weak else t for t, o in zip(types, out, strict=True)]
        if settled == types:
            break
        types = settled
    for i, (t, o) in enumerate(zip(types, out, strict=True)):
        if not (t.matches(o) or (o.shape == t.shape and o.weak and _joined(t, o).dtype == t.dtype)):
            raise TransformationError(
                f"{what}: the carry must keep its type, but {_entry(structure, i)} comes in as {t} and goes out as {o}: "
                "give the initial value that type, or cast the body's result with astype."
            )
    weak = [t.weak for t in types] + [t.weak for t in body.program.out_types[len(types) :]]
    strong = [cast(x, t.dtype) for x, t in zip(carry, types, strict=True)]
    return Settled(strong, on_strong_carry(body, len(types)), types, weak)


def _joined(t: ArrayType, out: ArrayType) -> ArrayType:
    """The type of an entry of a carry that comes in as `t` and out as `out`; weak only as long as both agree."""
    dtype, weak = lattice_result([(t.dtype, t.weak), (out.dtype, out.weak)])
    return t.update(dtype=dtype, weak=weak and dtype == t.dtype)


def _entry(structure: Any, i: int) -> str:
    """A name for the i-th leaf of a carry."""
    path, _ = flatten_with_path(unflatten(structure, range(structure.num_leaves)))[0][i]
    return f"its entry {keystr(path)}" if path else "it"


def on_strong_carry(body: StagedBody, size: int) -> StagedBody:
    """The body with a strong carry of `size` entries: promotion was decided when it was staged."""
    program, start = body.program, len(body.hoisted)
    types = program.in_types
    strong = [t.update(weak=t.weak and not start <= i < start + size) for i, t in enumerate(types)]
    if strong == types:
        return body
    return body._replace(program=stage(lambda *xs: evaluate(program, *xs), strong, name=program.name).program)


def convert_carry(program: Program, types: Sequence[ArrayType]) -> Program:
    """The program with its first outputs cast to exactly `types` (weak flags dropped)."""
    n = len(types)
    if all(o == t.update(weak=False) for o, t in zip(program.out_types[:n], types, strict=True)):
        return program
    from_program = program

    def function(*operands: Any) -> list[Any]:
        outs = evaluate(from_program, *operands)
        return [*(cast(x, t.dtype) for x, t in zip(outs[:n], types, strict=True)), *outs[n:]]

    return stage(function, program.in_types, name=program.name).program
