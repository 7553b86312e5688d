"""A function staged for arguments of given types: to be read (the program at each stage, its costs, where its time goes), and,
compiled, to be called with just such arguments.
"""

from __future__ import annotations

import time
from collections.abc import Callable, Sequence
from typing import Any, NamedTuple

from ..array_type import ArrayType
from ..arrays import type_of
from ..backend import Backend
from ..errors import ArgumentError, TransformationError, transparent
from ..passes import optimized, simplify
from ..program import Literal, Program, Var
from ..promotion import as_operand, cast
from ..tracing import Tracer
from ..tree import flatten, flatten_with_path, unflatten
from ..tree_def import flatten_up_to
from ..tree_paths import keystr
from .call import call, exact_call, only_backend
from .capture import shape_struct

__all__ = ["ArgInfo", "Compiled", "Lowered"]


class ArgInfo(NamedTuple):
    """What is known of an array of the arguments."""

    type: ArrayType
    donated: bool

    @property
    def shape(self) -> tuple[Any, ...]:
        return self.type.shape

    @property
    def dtype(self) -> Any:
        return self.type.dtype


class Lowered:
    """A jitted function for arguments of given types: what `jit(f).lower(*args)` gives. Printed, it shows the program.

    Static arguments are part of the program, and not among those that it takes.

    Attributes:
      name: of the function.
      program: as it was traced.
      backend: that it is for.
      in_tree, out_tree: the structures of `(args, kwargs)` and of the result.
    """

    shown = "traced"
    """The stage that is printed."""

    def __init__(self, name: str, entry: Any, in_tree: Any, donated: Sequence[bool]):
        self.name = name
        self.program: Program = entry.program
        self.backend: Backend = entry.backend
        self.in_tree = in_tree
        self.out_tree = entry.out_tree
        self._entry = entry
        self._donated = tuple(donated)
        self._in_types: Sequence[ArrayType] = self.program.in_types[len(entry.hoisted) :]

    @property
    def in_avals(self) -> Any:
        """The types of the arguments, in the structure of `(args, kwargs)`."""
        return unflatten(self.in_tree, list(self._in_types))

    @property
    def args_info(self) -> Any:
        """The types of the arguments and whether they are donated, in the structure of `(args, kwargs)`."""
        return unflatten(self.in_tree, list(map(ArgInfo, self._in_types, self._donated)))

    @property
    def donate_argnums(self) -> tuple[int, ...]:
        """Which of the arguments' arrays, all counted, are donated."""
        return tuple(i for i, donated in enumerate(self._donated) if donated)

    @property
    def out_info(self) -> Any:
        """The shapes and dtypes of the results, in the structure of the result."""
        return unflatten(self.out_tree, list(map(shape_struct, self.program.out_types)))

    @property
    def stages(self) -> list[str]:
        """The names that `as_text` takes."""
        return [*self._programs(), *self.backend.describe(optimized(self.program, self.backend))]

    def _programs(self) -> dict[str, Callable[[], Program]]:
        return {
            "traced": lambda: self.program,
            "simplified": lambda: simplify(self.program),
            "optimized": lambda: optimized(self.program, self.backend),
        }

    def as_text(self, stage: str | None = None) -> str:
        """The program at a stage, one of `stages`: those of the backend's compiler come last.

        Without a stage, it is the program as it was traced, or, of a compiled function, as it was given to the backend.

        Raises:
          ValueError: if there is no such stage.
        """
        programs = self._programs()
        stage = self.shown if stage is None else stage
        if stage in programs:
            return str(programs[stage]())
        found = self.backend.describe(optimized(self.program, self.backend))
        if stage not in found:
            raise ArgumentError(f"there is no stage {stage!r}; there are {', '.join([*programs, *found])}.")
        return found[stage]()

    def cost_analysis(self) -> dict[str, float]:
        """An estimate of the work: floating-point operations, and bytes of operands and results.

        The results of operations count one by one, as if none were fused, but contractions by the products that they sum.
        """
        flops = moved = 0.0
        for equation in optimized(self.program, self.backend).equations:
            types = [a.type for a in equation.operands if not isinstance(a, Literal)]
            types += [v.type for v in equation.results]
            moved += sum(_bytes(t) for t in types)
            flops += equation.primitive.flops(
                [a.type for a in equation.operands], [v.type for v in equation.results], equation.params
            )
        return {"flops": flops, "bytes accessed": moved}

    def lower(self) -> Lowered:
        """Itself: what JAX does in two steps, `trace(...)` and `lower()`, is one here."""
        return self

    def compile(self) -> Compiled:
        """A function of arguments of these types, compiled now."""
        return Compiled(self.name, self._entry, self.in_tree, self._donated)

    def operands(self, args: tuple[Any, ...], kwargs: dict[str, Any]) -> list[Any]:
        """The arrays in the arguments.

        Raises:
          TypeError: unless they have the structure, shapes and dtypes of those that the function was lowered for.
        """
        leaves, tree = flatten((args, kwargs))
        if tree != self.in_tree:
            raise TransformationError(
                f"{self.name} is compiled for arguments of another structure: {self._difference((args, kwargs))} Leave static "
                "arguments out; the jitted function itself takes any structure."
            )
        found = [as_operand(x, f"an argument of the compiled function {self.name}") for x in leaves]
        fits = [x.shape == t.shape and x.dtype == t.dtype for x, t in zip(found, self._in_types, strict=True)]
        if not all(fits):
            wrong = [
                f"{_argument(path)} is {type_of(x)}, needed is {t}"
                for (path, _), x, t, fit in zip(
                    flatten_with_path((args, kwargs))[0], found, self._in_types, fits, strict=True
                )
                if not fit
            ]
            raise TransformationError(
                f"{self.name} is compiled for arguments of other types: {'; '.join(wrong)}. Cast or reshape them; the jitted "
                "function itself takes any types, and compiles anew."
            )
        return [
            x if x.weak_type == t.weak else cast(x, t.dtype, t.weak) for x, t in zip(found, self._in_types, strict=True)
        ]

    def _difference(self, given: Any) -> str:
        try:
            flatten_up_to(self.in_tree, given, "(args, kwargs)")
        except ValueError as error:
            return str(error).partition("\n")[0]
        return f"it is {flatten(given)[1]}, needed is {self.in_tree}."

    def profile(self, *args: Any, repeats: int = 5, **kwargs: Any) -> str:
        """Run step by step, and tell the time of each: a table with the user's source lines, the longest first.

        Args:
          args, kwargs: arguments of the types that the function was lowered for.
          repeats: each step runs so often; the shortest time counts.
        """
        arrays: list[Any] = [*self._entry.hoisted, *self.operands(args, kwargs)]
        buffers = [x.buffer for x in arrays]
        program, steps = self.backend.steps(optimized(self.program, self.backend))
        values: dict[Var, Any] = dict(zip(program.inputs, buffers, strict=True))
        rows = []
        for equation, run in steps:
            operands = [
                self.backend.literal(a.value) if isinstance(a, Literal) else values[a] for a in equation.operands
            ]
            best = float("inf")
            out: Any = None
            for _ in range(max(1, repeats)):
                start = time.perf_counter()
                out = run(*operands)
                self.backend.synchronize(out)
                best = min(best, time.perf_counter() - start)
            values.update(zip(equation.results, out if equation.primitive.multiple_results else (out,), strict=True))
            rows.append((best, equation))
        return _table(rows)

    def __str__(self) -> str:
        return self.as_text()

    def __repr__(self) -> str:
        return f"<{self.name} {type(self).__name__.lower()} for {self.backend.name}: {len(self.program.equations)} equations>"


class Compiled(Lowered):
    """A function for arguments of given types, compiled: what `jit(f).lower(*args).compile()` gives.

    >>> import functorch_lite as fl, functorch_lite.numpy as fnp
    >>> double = fl.jit(lambda x: x * 2).lower(fl.ShapeDtypeStruct((3,), "float32")).compile()
    >>> double(fnp.arange(3.0))
    Array([0., 2., 4.], dtype=float32)
    """

    shown = "optimized"

    def __init__(self, name: str, entry: Any, in_tree: Any, donated: Sequence[bool]):
        super().__init__(name, entry, in_tree, donated)
        closes_over_tracers = any(isinstance(x, Tracer) for x in entry.hoisted)
        self._run = None if closes_over_tracers else entry.run or entry.compiled()

    @transparent
    def __call__(self, *args: Any, **kwargs: Any) -> Any:
        entry = self._entry
        operands = self.operands(args, kwargs)
        if self._run is None or any(isinstance(x, Tracer) for x in operands):
            out = (exact_call if entry.exact else call)(*entry.hoisted, *operands, program=self.program)
            return unflatten(self.out_tree, out)
        if operands and only_backend(operands) is not self.backend:
            raise TransformationError(
                f"{self.name} is compiled for the backend {self.backend.name!r}, called with arrays of "
                f"{only_backend(operands).name!r}: move them with device_put(x, {self.backend.name!r})."
            )
        out = entry.finish(self._run(*(x.buffer for x in operands)))
        for x, donated in zip(operands, self._donated, strict=True):
            if donated:
                x.delete()
        return out

    def call(self, *args: Any, **kwargs: Any) -> Any:
        """The same as a call of the object."""
        return self(*args, **kwargs)


def _argument(path: tuple[Any, ...]) -> str:
    """An array of the arguments, as one would write it."""
    return ("kwargs" if path[0].idx else "args") + keystr(path[1:])


def _bytes(t: ArrayType) -> float:
    return t.size * t.dtype.itemsize if all(type(n) is int for n in t.shape) else 0


def _table(rows: Sequence[tuple[float, Any]]) -> str:
    total = sum(t for t, _ in rows) or 1.0
    lines = [f"{'time':>10} {'share':>6}  step"]
    for seconds, equation in sorted(rows, key=lambda r: -r[0]):
        results = " ".join(str(v.type) for v in equation.results)
        where = f"    {equation.source}" if equation.source else ""
        lines.append(f"{seconds * 1e6:8.1f}us {seconds / total:6.1%}  {_what(equation)} -> {results}{where}")
    return "\n".join(lines)


def _what(equation: Any) -> str:
    inner = equation.params.get("program")
    if isinstance(inner, Program):
        names = [e.primitive.name for e in inner.equations]
        return f"{equation.primitive.name}({', '.join(names[:6])}{', ...' if len(names) > 6 else ''})"
    return equation.primitive.name
