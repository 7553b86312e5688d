"""A module as several, which are compiled at the same time, each with the pains that it is worth.

Functions whose own instructions take little time are marked `optnone`: they call others, which do the work, or have little to do.
They make a module that LLVM is quick with. The others are halved if they are many. Where there is a draft (`editions.py`), those
that work for long are apart from those that do not, with which a draft takes no pains. What one part defines and another one uses
is visible outside of it.
"""

from __future__ import annotations

from collections.abc import Collection, Mapping, Sequence
from typing import Any, NamedTuple

from ..threads import threads as processors
from . import ir
from .inlining import clusters, uses_of

__all__ = ["Part", "hurried", "hurried_if_straight", "parts", "whole_part"]

LONG = 160
"""From so many lines on, functions are halved: to set LLVM up for a module takes as long as some 50 lines."""
EASE = 3
"""So many times quicker is a line that LLVM takes no pains with."""
PER_LINE = 60e3
"""Nanoseconds that a function of a draft may lose for each line that LLVM is spared pains with."""
LEAST = 8e6
"""Nanoseconds that all together must lose: LLVM's passes take their time when they are first used."""
AROUND = 0.1
"""What functions lose that have others do the work, of what these lose."""


class Part(NamedTuple):
    """A module.

    Attributes:
      text: the LLVM IR.
      level: how much LLVM shall optimise.
      draft: how much for a draft.
    """

    text: str
    level: int
    draft: int


def hurried(function: Any) -> Any:
    """Mark a function to be compiled quickly, since its own instructions take little of the program's time."""
    function.attributes.add("noinline")
    function.attributes.add("optnone")
    return function


def hurried_if_straight(function: Any) -> Any:
    """The same for a function that does no more than call others, if it has neither loops nor branches."""
    return hurried(function) if len(function.blocks) == 1 else function


def whole_part(module: ir.Module, losses: Mapping[str, float] | None = None) -> Part:
    """A module as one part."""
    text = str(module)
    return Part(text, 2, 2 if losses is None or _is_busy(text.count("\n"), sum(losses.values())) else 0)


def parts(
    module: ir.Module,
    inlined: Mapping[str, Sequence[str]],
    losses: Mapping[str, float] | None = None,
    inner: Collection[str] = (),
) -> list[Part]:
    """The parts of a module.

    Args:
      module: it.
      inlined: what stays with those that call it.
      losses: about how many nanoseconds functions take longer in a draft, with what they call and is not here itself; None:
        there is no draft.
      inner: functions that do nearly all of the work of those that call them.
    """
    texts = {name: str(v) for name, v in module.globals.items()}
    uses = uses_of(texts)
    functions = {name: v for name, v in module.globals.items() if isinstance(v, ir.Function) and v.blocks}
    asked = set(texts) - set(functions) - {used for name, names in uses.items() for used in names if used != name}
    """Variables that nothing mentions: somebody outside asks for them."""
    easy = [*(name for name, f in functions.items() if "optnone" in f.attributes), *sorted(asked)]
    rest = [name for name, f in functions.items() if "optnone" not in f.attributes]
    together = clusters(rest, inlined)
    busy = together if losses is None else _busy(together, texts, _lost(uses, losses, inner))
    others = [cluster for cluster in together if cluster not in busy]
    halves = [(half, 2, draft) for some, draft in ((busy, 2), (others, 0)) for half in _halves(some, easy, texts)]
    groups = [group for group in ((easy, 0, 0), *halves) if group[0]]
    homes = {name: k for k, (names, *_) in enumerate(groups) for name in names}
    mentioned = [_mentioned(names, k, homes, uses, module) for k, (names, *_) in enumerate(groups)]
    public = {name for k, names in enumerate(mentioned) for name in names if homes.get(name, k) != k}

    def line(name: str, k: int) -> str:
        if homes.get(name, k) != k:
            return module.globals[name].declaration()
        return texts[name].replace(" internal ", f" {ir.NEAR}", 1) if name in public else texts[name]

    return [
        Part("\n".join(line(name, k) for name in names), level, draft)
        for k, (names, (_, level, draft)) in enumerate(zip(mentioned, groups, strict=True))
    ]


def _is_busy(lines: int, loss: float) -> bool:
    """Whether functions of so many lines lose so much that a draft takes pains with them."""
    return loss > PER_LINE * lines


def _lost(
    uses: Mapping[str, Mapping[str, None]], losses: Mapping[str, float], inner: Collection[str]
) -> dict[str, float]:
    """What each function loses: what it was told of, and of those that use it, if it was not told of itself."""
    lost: dict[str, float] = {}
    for name, loss in losses.items():
        reached = [name]
        for here in reached:  # it grows meanwhile
            reached += [used for used in uses[here] if used not in losses and used not in reached]
        work = [here for here in reached if here in inner] or reached
        for here in reached:
            lost[here] = lost.get(here, 0.0) + (loss if here in work else AROUND * loss)
    return lost


def _busy(together: Sequence[list[str]], texts: Mapping[str, str], lost: Mapping[str, float]) -> list[list[str]]:
    """The clusters that do, if that is worth a module of their own."""
    losses = [sum(lost.get(name, 0.0) for name in cluster) for cluster in together]
    lines = [sum(texts[name].count("\n") for name in cluster) for cluster in together]
    busy = [k for k, loss in enumerate(losses) if _is_busy(lines[k], loss)]
    return [together[k] for k in busy] if sum(losses[k] for k in busy) > LEAST else []


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
