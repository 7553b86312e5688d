"""What loops do in each turn becomes part of them where it is small: no calls, and a small carry lies in registers.

LLVM is not asked what else to inline, for that takes long.
"""

from __future__ import annotations

import re
from collections.abc import Collection, Mapping, Sequence

from . import ir

__all__ = ["clusters", "mark_inlined", "uses_of"]

LARGE = 1000
"""Lines; more are not put into a loop: large functions take LLVM long, and calls take little of what they do."""
INLINED = "alwaysinline"
_NAME = re.compile(r'@"([^"]+)"')
_LABEL = re.compile(r"label %([\w.]+)")


def uses_of(texts: Mapping[str, str]) -> dict[str, dict[str, None]]:
    """What functions and variables mention, themselves included."""
    return {name: dict.fromkeys(_NAME.findall(text)) for name, text in texts.items()}


def mark_inlined(
    functions: Mapping[str, ir.Function],
    uses: Mapping[str, Mapping[str, None]],
    bodies: Collection[str],
    awaited: Collection[str] = (),
) -> dict[str, list[str]]:
    """Mark functions that loops call in each turn, with all they call that has no loops and is called nowhere else.

    Args:
      functions: those that may call each other, by name.
      uses: what each of them mentions.
      bodies: the names of such functions; no others call them.
      awaited: functions that others will call.

    Returns:
      the functions that are marked, each with those that call it.
    """
    if not bodies:
        return {}
    callers: dict[str, list[str]] = {}
    for name, used in uses.items():
        for callee in used.keys() & functions.keys() - {name}:
            callers.setdefault(callee, []).append(name)
    parts = _parts(functions, uses, callers, set(bodies), awaited)
    marked: dict[str, list[str]] = {}
    for name in bodies:
        whole = _reached(name, uses, parts)
        if sum(len(block.lines) for part in whole for block in functions[part].blocks) <= LARGE:
            marked.update((part, callers[part]) for part in whole)
    for name in marked:
        functions[name].attributes.add(INLINED)
    return marked


def _parts(
    functions: Mapping[str, ir.Function],
    uses: Mapping[str, Mapping[str, None]],
    callers: Mapping[str, Sequence[str]],
    inside: set[str],
    awaited: Collection[str],
) -> set[str]:
    """The functions without loops that only bodies call (`inside`), and these."""
    parts: set[str] = set()
    names = list(inside)
    while names:
        for name in uses[names.pop()].keys() & functions.keys() - inside:
            alone = name not in awaited and inside.issuperset(callers[name])
            if alone and not functions[name].attributes and not has_loops(functions[name]):
                inside.add(name)
                parts.add(name)
                names.append(name)
    return parts


def _reached(name: str, uses: Mapping[str, Mapping[str, None]], parts: Collection[str]) -> list[str]:
    """A function and its parts."""
    whole = [name]
    for member in whole:
        whole += [part for part in uses[member] if part in parts and part not in whole]
    return whole


def has_loops(function: ir.Function) -> bool:
    """Whether a block leads to itself or to one before it."""
    places = {block.name: i for i, block in enumerate(function.blocks)}
    leads = ((i, _LABEL.findall(str(block.terminator))) for i, block in enumerate(function.blocks))
    return any(places[name] <= i for i, names in leads for name in names)


def clusters(names: Sequence[str], inlined: Mapping[str, Sequence[str]]) -> list[list[str]]:
    """The functions in groups that have to stay together: what is inlined, with what it becomes a part of."""
    groups = {name: [name] for name in names}
    for name, callers in inlined.items():
        for caller in callers:
            into, group = groups[caller], groups[name]
            if into is not group:
                into += group
                groups.update((member, into) for member in group)
    return list({id(group): group for group in groups.values()}.values())
