"""The fast path of `jit`: what a call does when its arguments are like those of the call before.

The leaves are picked out of the arguments by a function made for their structure; the backend's machine code checks their
types, runs the program and makes the results. What does not fit goes the long way.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from ..tree import PyTreeDef
from ..tree_nodes import kind_of

__all__ = ["Picker", "picker"]

Picker = Callable[[tuple[Any, ...], dict[str, Any]], tuple[Any, ...] | None]
"""(args, kwargs) -> the leaves; None if the structure is another one."""
DEEPEST = 20


def picker(tree: PyTreeDef) -> Picker | None:
    """The function for a structure of (args, kwargs); None if that is too deep.

    >>> from functorch_lite.tree import structure
    >>> pick = picker(structure(((1, {"a": 2, "b": (3, 4)}), {})))
    >>> pick((10, {"b": (30, 40), "a": 20}), {})
    (10, 20, 30, 40)
    >>> pick((10, {"b": (30, 40), "c": 20}), {}) is None
    True
    """
    writer = _Writer()
    args, kwargs = tree.children()
    try:
        writer.container("args", args, 0)
        writer.container("kwargs", kwargs, 0)
    except _Unknown:
        return None
    return writer.function()


class _Unknown(Exception):
    """Too deep, or a container whose kind is no longer known."""


class _Writer:
    """Collects the source of the function."""

    def __init__(self) -> None:
        self.lines: list[str] = []
        self.leaves: list[str] = []
        self.names: dict[str, Any] = {}

    def name(self, value: Any) -> str:
        name = f"k{len(self.names)}"
        self.names[name] = value
        return name

    def node(self, place: str, tree: PyTreeDef, depth: int) -> None:
        """What stands at a place, an expression."""
        data = tree.node_data()
        if data is None:
            self.leaves.append(place)
        elif data[0] is type(None):
            self.refuse_unless(f"{place} is None")
        elif data[0] in (tuple, list, dict) and depth < DEEPEST:
            here = f"x{len(self.lines)}"
            self.lines.append(f"{here} = {place}")
            self.refuse_unless(f"type({here}) is {data[0].__name__}")
            self.container(here, tree, depth)
        elif depth < DEEPEST:
            self.registered(place, tree, data, depth)
        else:
            raise _Unknown

    def registered(self, place: str, tree: PyTreeDef, data: Any, depth: int) -> None:
        """A node of any other kind: what its own function splits it into."""
        type, auxiliary = data
        kind = kind_of(type)
        if kind is None:
            raise _Unknown
        here, given = f"x{len(self.lines)}", f"a{len(self.lines)}"
        self.lines.append(f"{here} = {place}")
        self.refuse_unless(f"type({here}) is {self.name(type)}")
        self.lines.append(f"{here}, {given} = {self.name(kind.split)}({here})")
        children = tree.children()
        self.refuse_unless(f"len({here}) == {len(children)} and {given} == {self.name(auxiliary)}")
        for i, child in enumerate(children):
            self.node(f"{here}[{i}]", child, depth + 1)

    def container(self, here: str, tree: PyTreeDef, depth: int) -> None:
        """The children of a tuple, list or dict, a variable."""
        type, keys = tree.node_data() or (tuple, ())
        children = tree.children()
        self.refuse_unless(f"len({here}) == {len(children)}")
        places: list[Any] = [self.name(key) for key in keys] if type is dict else [*range(len(children))]
        for place, child in zip(places, children, strict=True):
            self.node(f"{here}[{place}]", child, depth + 1)

    def refuse_unless(self, condition: str) -> None:
        self.lines.append(f"if not ({condition}): return None")

    def function(self) -> Picker:
        body = "".join(f"        {line}\n" for line in self.lines)
        leaves = "".join(f"{leaf}, " for leaf in self.leaves)
        source = f"def pick(args, kwargs):\n    try:\n{body}        return ({leaves})\n    except KeyError:\n        return None\n"
        exec(source, self.names)
        return self.names["pick"]
