"""A module as several, which are compiled at the same time, each with the pains that it is worth, while the rest is written.

Functions whose own instructions take little time are marked `optnone`: they call others, which do the work, or have little to do.
They make modules that LLVM is quick with. Of the others those that work for long are apart from those that do not, if there is a
draft (`editions.py`), which takes no pains with the latter. What one part defines and another one uses is visible outside of it.
"""

from __future__ import annotations

from collections.abc import Callable, Collection, Sequence
from itertools import islice
from typing import Any, NamedTuple

from ..threads import threads as processors
from . import ir
from .inlining import clusters, mark_inlined, uses_of
from .losses import Losses

__all__ = ["Cutter", "Part", "hurried", "hurried_if_straight", "whole_part"]

LONG = 160
"""From so many lines on, functions are halved in the end: to set LLVM up for a module takes as long as some 50 lines."""
ENOUGH = 1200
"""So many lines are compiled while others are written."""
EACH = 1000
"""So many lines are a part then."""
EASE = 3
"""So many times quicker is a line that LLVM takes no pains with."""
PER_LINE = 35e3
"""Nanoseconds that a function of a draft may lose for each line that LLVM is spared pains with."""
LEAST = 3e6
"""Nanoseconds that all together must lose: LLVM's passes take their time when they are first used."""
_EASY = (0, 0)
"""The levels of functions that are marked `optnone`; see `Part`."""


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


def whole_part(module: ir.Module, losses: Losses, has_draft: bool) -> Part:
    """A module as one part."""
    text = str(module)
    busy = not has_draft or _is_busy(text.count("\n"), losses.total())
    return Part(text, 2, 2 if busy else 0)


def _is_busy(lines: int, loss: float) -> bool:
    """Whether functions of so many lines lose so much that a draft takes pains with them."""
    return loss > PER_LINE * lines


class Cutter:
    """Cuts a module into parts.

    Attributes:
      parts: those so far.
    """

    def __init__(self, module: ir.Module, has_draft: bool, begin: Callable[[Part], None] | None = None):
        """A cutter that has taken nothing.

        Args:
          module: which is being written.
          has_draft: whether little may be taken pains with for the time being.
          begin: has a part compiled; None: that has time until all is written.
        """
        self.module = module
        self.has_draft = has_draft
        self.begin = begin
        self.parts: list[Part] = []
        self._seen = 0
        self._new: dict[str, ir.Function] = {}
        """Functions that are yet to be taken."""
        self._length = 0
        """Of these, in lines."""
        self._texts: dict[str, str] = {}
        self._uses: dict[str, dict[str, None]] = {}
        self._homes: dict[str, int] = {}
        """The part of each name."""
        self._waiting: dict[tuple[int, int], list[list[str]]] = {_EASY: []}
        """Clusters of functions that are in no part yet, by level and level for a draft."""
        self._inlined: dict[str, list[str]] = {}
        self._lost = 0.0

    def take(
        self, bodies: Collection[str], losses: Losses, awaited: Collection[str] = (), rest: bool = False
    ) -> dict[str, list[str]]:
        """Take the functions that were written since the last time, if there are enough of them.

        Args:
          bodies: the names of functions that loops call in each turn, with what these call.
          losses: what functions lose in a draft.
          awaited: functions that others call which are yet to be written.
          rest: whether that is all: nothing waits any more.

        Returns:
          the functions that are now parts of others, and cannot be called by any that are yet to be written.
        """
        if not rest and self.begin is None:
            return {}
        for f in islice(self.module.globals.values(), self._seen, None):
            if isinstance(f, ir.Function) and f.blocks:
                self._new[f.name] = f
                self._length += sum([len(block.lines) for block in f.blocks])
        self._seen = len(self.module.globals)
        if not rest and self._length < ENOUGH:
            return {}
        functions, self._new, self._length = self._new, {}, 0
        texts = {name: str(f) for name, f in functions.items()}
        uses = uses_of(texts)
        inlined = mark_inlined(functions, uses, [name for name in bodies if name in functions], awaited)
        texts.update((name, str(functions[name])) for name in inlined)
        self._inlined.update(inlined)
        self._texts.update(texts)
        self._uses.update(uses)
        easy = [name for name, f in functions.items() if "optnone" in f.attributes]
        self._waiting[_EASY] += [[name] for name in easy]
        together = clusters([name for name in functions if name not in easy], inlined)
        for cluster, levels in zip(together, self._levels(together, losses), strict=True):
            self._waiting.setdefault(levels, []).append(cluster)
        if self.begin is not None:
            for f in functions.values():
                f.blocks.clear()
        if rest:  # variables that no function mentions: somebody outside asks for them
            variables = {v.name for v in self.module.globals.values() if isinstance(v, ir.GlobalVariable)}
            mentioned = {used for uses in self._uses.values() for used in uses}
            self._waiting[_EASY] += [[name] for name in sorted(variables - mentioned)]
        self._cut(rest)
        return inlined

    def _levels(self, together: Sequence[Sequence[str]], losses: Losses) -> list[tuple[int, int]]:
        """For each cluster, how much LLVM shall optimise it, also for a draft."""
        if not self.has_draft:
            return [(2, 2) for _ in together]
        lost = [losses.of(cluster) for cluster in together]
        busy = [_is_busy(self._lines(cluster), loss) for cluster, loss in zip(together, lost, strict=True)]
        self._lost += sum(loss for loss, is_busy in zip(lost, busy, strict=True) if is_busy)
        return [(2, 2 if is_busy and self._lost > LEAST else 0) for is_busy in busy]

    def _lines(self, names: Sequence[str]) -> int:
        return sum(self._texts.get(name, "").count("\n") for name in names)

    def _cut(self, rest: bool) -> None:
        """Make parts of what waits: of all, or where there are enough lines."""
        easy = sum(map(self._lines, self._waiting[_EASY])) / EASE
        for levels in sorted(self._waiting, reverse=True):  # what takes longest begins first
            groups = self._waiting[levels]
            if not rest and sum(map(self._lines, groups)) < ENOUGH:
                continue
            self._waiting[levels] = []
            for part in self._halves(groups, easy) if rest and levels != _EASY else self._pieces(groups):
                self._add(part, *levels)

    def _pieces(self, groups: Sequence[Sequence[str]]) -> list[list[str]]:
        """Lists of functions of about `EACH` lines: several threads can work on them when all is written."""
        lines = [self._lines(group) for group in groups]
        most = sum(lines) / max(1, round(sum(lines) / EACH))
        pieces: list[list[str]] = []
        length = most
        for group, n in zip(groups, lines, strict=True):
            if length + n / 2 > most:
                pieces.append([])
                length = 0.0
            pieces[-1] += group
            length += n
        return pieces

    def _halves(self, groups: Sequence[Sequence[str]], easy: float) -> list[list[str]]:
        """One list of functions, or two, the second shorter by what the easy ones take."""
        lines = [self._lines(group) for group in groups]
        if sum(lines) < LONG or processors() == 1:
            return [[name for group in groups for name in group]]
        halves: list[list[str]] = [[], []]
        spent = [0.0, easy]
        for k in sorted(range(len(groups)), key=lambda k: -lines[k]):
            which = spent.index(min(spent))
            halves[which] += groups[k]
            spent[which] += lines[k]
        return halves

    def _add(self, names: Sequence[str], level: int, draft: int) -> None:
        """A part of functions, with the variables that they are the first to mention."""
        if not names:
            return
        k = len(self.parts)
        self._homes.update(dict.fromkeys(names, k))
        part = Part("\n".join(self._line(name, k) for name in self._mentioned(names, k)), level, draft)
        self.parts.append(part)
        if self.begin is not None:
            self.begin(part)

    def _line(self, name: str, k: int) -> str:
        """What part k says of a name."""
        value = self.module.globals[name]
        if self._homes.get(name) != k:
            return value.declaration()
        text = self._texts.get(name) or str(value)
        return text if name in self._inlined else text.replace(" internal ", f" {ir.NEAR}", 1)

    def _mentioned(self, names: Sequence[str], k: int) -> list[str]:
        """All that functions mention."""
        out: dict[str, None] = {}
        stack = list(names)[::-1]
        while stack:
            name = stack.pop()
            if name in out:
                continue
            out[name] = None
            if isinstance(self.module.globals[name], ir.GlobalVariable):
                self._homes.setdefault(name, k)
            if self._homes.get(name) == k:
                stack += self._uses.get(name) or uses_of({name: str(self.module.globals[name])})[name]
        return list(out)
