"""Reading what `jit` did: the program after each stage, what it costs, where its time goes, and why it was traced anew."""

from __future__ import annotations

import time
from collections.abc import Callable, Sequence
from typing import Any

from ..array_type import ArrayType
from ..backend import Backend
from ..passes import optimized, simplify
from ..program import Literal, Program, Var
from ..promotion import as_operand
from ..tree import flatten, unflatten

__all__ = ["Lowered", "difference"]


class Lowered:
    """A jitted function for arguments of given types: what `jit(f).lower(*args)` gives. Printed, it shows the program.

    Attributes:
      name: of the function.
      program: as it was traced.
      backend: that it is for.
      in_tree, out_tree: the structures of `(args, kwargs)` and of the result.
    """

    def __init__(self, name: str, entry: Any, in_tree: Any, run: Callable[..., Any]):
        self.name = name
        self.program: Program = entry.program
        self.backend: Backend = entry.backend
        self.in_tree = in_tree
        self.out_tree = entry.out_tree
        self._hoisted = entry.hoisted
        self._run = run

    @property
    def out_info(self) -> Any:
        """The types of the results, in the structure of the result."""
        return unflatten(self.out_tree, list(self.program.out_types))

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

    def as_text(self, stage: str = "traced") -> str:
        """The program at a stage, one of `stages`: those of the backend's compiler come last.

        Raises:
          ValueError: if there is no such stage.
        """
        programs = self._programs()
        if stage in programs:
            return str(programs[stage]())
        found = self.backend.describe(optimized(self.program, self.backend))
        if stage not in found:
            raise ValueError(f"there is no stage {stage!r}; there are {', '.join([*programs, *found])}.")
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

    def compile(self) -> Callable[..., Any]:
        """A function of arguments of these types."""
        return self._run

    def profile(self, *args: Any, repeats: int = 5, **kwargs: Any) -> str:
        """Run step by step, and tell the time of each: a table with the user's source lines, the longest first.

        Args:
          args, kwargs: arguments of the types that the function was lowered for.
          repeats: each step runs so often; the shortest time counts.
        """
        leaves, _ = flatten((args, kwargs))
        arrays: list[Any] = [*self._hoisted, *map(as_operand, leaves)]
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
        return f"<{self.name} lowered for {self.backend.name}: {len(self.program.equations)} equations>"


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


def difference(name: str, key: Any, known: Sequence[Any]) -> str:
    """Why a call with the signature `key` was traced: what distinguishes it from the nearest of those known before."""
    if not known:
        return f"{name} was traced because it had not been called before."
    reasons = min((_reasons(key, other) for other in reversed(known)), key=len)
    return f"{name} was traced anew, compared with the nearest signature known, because " + "; ".join(reasons) + "."


def _reasons(key: Any, other: Any) -> list[str]:
    (tree, statics, defaults, *types, surroundings), (tree0, statics0, defaults0, *types0, surroundings0) = key, other
    reasons = []
    if tree != tree0:
        reasons.append(f"the arguments have the structure {tree}, not {tree0}")
    elif len(types) == len(types0):
        for i, (t, t0) in enumerate(zip(types, types0, strict=True)):
            if t != t0:
                reasons.append(f"array {i} of the arguments is {_type_text(t)}, not {_type_text(t0)}")
    if statics != statics0:
        reasons.append(f"the static arguments are {_static_text(statics)}, not {_static_text(statics0)}")
    if defaults != defaults0:
        reasons.append(f"the default dtypes are {defaults}, not {defaults0}")
    if surroundings != surroundings0:
        reasons.append(f"it ran under {surroundings!r}, not {surroundings0!r}")
    return reasons or ["it was forgotten (the cache is bounded), or holds values of an outer transformation"]


def _type_text(t: Any) -> str:
    if isinstance(t, ArrayType):
        return str(t)
    shape, dtype, weak = t
    return f"{'weak ' if weak else ''}{ArrayType(shape, dtype)}"


def _static_text(statics: Any) -> str:
    return ", ".join(f"{k}={v!r}" for k, _, v in statics[0]) if statics else "none"
