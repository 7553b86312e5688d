"""A module as several, which are compiled at the same time, each with the pains that it is worth.

Functions whose own instructions take little time are marked `optnone`: they call others, which do the work, or have little to do.
They make a module that LLVM is quick with. The others are halved if they are many. What one part defines and another one
uses is visible outside of it.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any, NamedTuple

from ..threads import threads as processors
from . import ir
from .inlining import clusters, uses_of

__all__ = ["Part", "hurried", "hurried_if_straight", "parts"]

LONG = 160
"""From so many lines on, functions are halved: to set LLVM up for a module takes as long as some 50 lines."""
EASE = 3
"""So many times quicker is a line that LLVM takes no pains with."""


class Part(NamedTuple):
    """A module.

    Attributes:
      text: the LLVM IR.
      level: how much LLVM shall optimise.
    """

    text: str
    level: int


def hurried(function: Any) -> Any:
    """Mark a function to be compiled quickly, since its own instructions take little of the program's time."""
    function.attributes.add("noinline")
    function.attributes.add("optnone")
    return function


def hurried_if_straight(function: Any) -> Any:
    """The same for a function that does no more than call others, if it has neither loops nor branches."""
    return hurried(function) if len(function.blocks) == 1 else function


def parts(module: ir.Module, inlined: Mapping[str, Sequence[str]]) -> list[Part]:
    """The parts of a module; what is inlined stays with those that call it."""
    texts = {name: str(v) for name, v in module.globals.items()}
    uses = uses_of(texts)
    functions = {name: v for name, v in module.globals.items() if isinstance(v, ir.Function) and v.blocks}
    asked = set(texts) - set(functions) - {used for name, names in uses.items() for used in names if used != name}
    """Variables that nothing mentions: somebody outside asks for them."""
    easy = [*(name for name, f in functions.items() if "optnone" in f.attributes), *sorted(asked)]
    rest = [name for name, f in functions.items() if "optnone" not in f.attributes]
    halves = _halves(clusters(rest, inlined), easy, texts)
    groups = [(names, level) for names, level in ((easy, 0), *((half, 2) for half in halves)) if names]
    homes = {name: k for k, (names, _) in enumerate(groups) for name in names}
    mentioned = [_mentioned(names, k, homes, uses, module) for k, (names, _) in enumerate(groups)]
    public = {name for k, names in enumerate(mentioned) for name in names if homes.get(name, k) != k}

    def line(name: str, k: int) -> str:
        if homes.get(name, k) != k:
            return module.globals[name].declaration()
        return texts[name].replace(" internal ", " ", 1) if name in public else texts[name]

    return [
        Part("\n".join(line(name, k) for name in names), level)
        for k, (names, (_, level)) in enumerate(zip(mentioned, groups, strict=True))
    ]


def _halves(groups: Sequence[Sequence[str]], easy: Sequence[str], texts: dict[str, str]) -> list[list[str]]:
    """One list of functions, or two, the first shorter by what the easy ones take, which the same thread compiles."""
    lines = [sum(texts[name].count("\n") for name in group) for group in groups]
    if sum(lines) < LONG or processors() == 1:
        return [[name for group in groups for name in group]]
    halves: list[list[str]] = [[], []]
    spent = [sum(texts[name].count("\n") for name in easy) / EASE, 0.0]
    for k in sorted(range(len(groups)), key=lambda k: -lines[k]):
        which = spent.index(min(spent))
        halves[which] += groups[k]
        spent[which] += lines[k]
    return halves


def _mentioned(
    names: Sequence[str], k: int, homes: dict[str, int], uses: dict[str, dict[str, None]], module: ir.Module
) -> list[str]:
    """All that functions mention; variables are at home where they are mentioned first."""
    out: dict[str, None] = {}
    stack = list(names)[::-1]
    while stack:
        name = stack.pop()
        if name in out:
            continue
        out[name] = None
        if isinstance(module.globals[name], ir.GlobalVariable):
            homes.setdefault(name, k)
        if homes.get(name) == k:
            stack += uses[name]
    return list(out)
