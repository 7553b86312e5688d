"""Program -> callable over buffers: what backends without a compiler of their own share.

A program becomes the source of one Python function, a line an equation, each a call of a kernel that the backend
looked up beforehand; a buffer is dropped right after its last use. So a run does nothing but call kernels:

    def program(v0, v1):
        v2 = add(v0, v1)
        del v0
        v3, v4 = scan(v2, v1)
        return (v3, v4)

Unknown dimensions are read off the first buffer that has one, and given to the kernels that need them.
"""

from __future__ import annotations

from collections.abc import Callable
from functools import lru_cache
from types import CodeType
from typing import Any

from .array_type import Dim, has_dim
from .program import Equation, Literal, Program, Var

__all__ = ["LoweringContext", "compile_program", "mentions_dim", "substitute_dims"]


class LoweringContext:
    """What a primitive that carries programs is given to lower itself: the backend, and `compile` for its bodies."""

    def __init__(self, backend: Any):
        self.backend = backend

    def compile(self, program: Program) -> Callable[..., tuple[Any, ...]]:
        """A callable from operand buffers to a tuple of result buffers."""
        return program.remember(("callable", self.backend), lambda: self.generate(program))

    def generate(self, program: Program) -> Callable[..., tuple[Any, ...]]:
        """The generated Python function: see the top of this file."""
        return _generate(program, self)

    def kernel(self, equation: Equation, params: dict[str, Any]) -> Callable[..., Any]:
        """The backend's kernel for an equation; a tuple of buffers is its result where there are several."""
        if equation.primitive.subprograms:
            return equation.primitive.lower(self, equation.replace(params=params))
        return self.backend.kernel(equation.primitive, [a.type for a in equation.operands], params)


def compile_program(program: Program, backend: Any) -> Callable[..., tuple[Any, ...]]:
    """Lower `program` to planned calls of `backend`'s kernels."""
    return LoweringContext(backend).compile(program)


def mentions_dim(value: Any) -> bool:
    """Whether a param holds an unknown dimension."""
    return type(value) is Dim or (isinstance(value, tuple) and any(map(mentions_dim, value)))


def substitute_dims(value: Any, dims: dict[Dim, Any]) -> Any:
    """A param with the unknown dimensions of `dims` replaced."""
    if type(value) is Dim:
        return dims.get(value, value)
    if isinstance(value, tuple) and mentions_dim(value):
        return tuple(substitute_dims(v, dims) for v in value)
    return value


def _last_uses(program: Program) -> dict[int, list[Var]]:
    """For each equation, the variables that nothing reads after it."""
    kept = {a for a in program.outputs if isinstance(a, Var)}
    dying: dict[int, list[Var]] = {}
    seen = set(kept)
    for i in reversed(range(len(program.equations))):
        equation = program.equations[i]
        for v in [*equation.results, *equation.operands]:
            if isinstance(v, Var) and v not in seen:
                seen.add(v)
                dying.setdefault(i, []).append(v)
    return dying


class _Source:
    """Collects the lines and the global names of the generated function."""

    def __init__(self, context: LoweringContext):
        self.context = context
        self.lines: list[str] = []
        self.globals: dict[str, Any] = {"__name__": __name__}  # errors shall not take the generated line for the user's
        self.names: dict[Var, str] = {}
        self.dims: dict[Dim, str] = {}

    def constant(self, prefix: str, value: Any) -> str:
        name = f"{prefix}{len(self.globals)}"
        self.globals[name] = value
        return name

    def name(self, atom: Any) -> str:
        if isinstance(atom, Literal):
            return self.constant("c", self.context.backend.literal(atom.value))
        if atom not in self.names:
            self.names[atom] = f"v{len(self.names)}"
        return self.names[atom]

    def read_dims(self, v: Var) -> None:
        """Bind the unknown dimensions that `v` is the first to have."""
        if has_dim(v.type.shape):
            for axis, n in enumerate(v.type.shape):
                if type(n) is Dim and n not in self.dims:
                    self.dims[n] = f"d{len(self.dims)}"
                    self.lines.append(f"{self.dims[n]} = {self.name(v)}.shape[{axis}]")

    def callee(self, equation: Equation) -> str:
        """An expression for the kernel: a global, or, where a param is unknown before the run, a call that makes it."""
        params = equation.params
        if not any(mentions_dim(p) for p in params.values()):
            return self.constant("k", self.context.kernel(equation, params))

        def at(dims: dict[Dim, int]) -> Callable[..., Any]:
            known = {name: substitute_dims(p, dims) for name, p in params.items()}
            return self.context.kernel(equation, known)

        dims = ", ".join(f"{self.constant('n', n)}: {text}" for n, text in self.dims.items())
        return f"{self.constant('k', at)}({{{dims}}})"


def _generate(program: Program, context: LoweringContext) -> Callable[..., tuple[Any, ...]]:
    source = _Source(context)
    arguments = ", ".join(source.name(v) for v in program.inputs)
    for v in program.inputs:
        source.read_dims(v)
    dying = _last_uses(program)
    for i, equation in enumerate(program.equations):
        operands = ", ".join(source.name(a) for a in equation.operands)
        results = ", ".join(source.name(v) for v in equation.results)
        call = f"{source.callee(equation)}({operands})"
        if not equation.primitive.multiple_results:
            source.lines.append(f"{results} = {call}")
        else:
            source.lines.append(f"({results},) = {call}" if results else call)
        for v in equation.results:
            source.read_dims(v)
        if i in dying:
            source.lines.append("del " + ", ".join(source.names[v] for v in dying[i]))
    outputs = "".join(source.name(a) + ", " for a in program.outputs)
    source.lines.append(f"return ({outputs})")
    text = f"def program({arguments}):\n" + "".join(f"    {line}\n" for line in source.lines)
    exec(_code(text, program.name), source.globals)
    return source.globals.pop("program")


@lru_cache(maxsize=1024)
def _code(text: str, name: str) -> CodeType:
    """The compiled source: programs that differ in types alone share it."""
    return compile(text, f"<functorch_lite program {name}>", "exec")
