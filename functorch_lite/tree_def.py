"""Structures of trees as values: a `PyTreeDef` is a nested container without its leaves; what is made of one and leaves.

All this stands in the path of every call of a transformed function. Structures made of plain containers exist once, so
that they are found instead of built, and compared by identity.
"""

from __future__ import annotations

from collections.abc import Generator, Iterable, Iterator, Sequence
from itertools import islice, repeat
from typing import Any

from .errors import ArgumentError, ArgumentTypeError
from .recent import Recent
from .tree_differences import described, remedy
from .tree_nodes import Kind, kind_of, shared_keys
from .tree_paths import KeyPath, keystr

__all__ = ["LEAF", "PyTreeDef", "Walk", "deep", "flatten_up_to", "known", "make_node", "make_tuple", "unflatten"]


class PyTreeDef:
    """The structure of a pytree: a leaf `*`, or a container with its auxiliary data and the structures of its children.

    Immutable and hashable. Made by `tree.structure` and `tree.flatten`.

    >>> from functorch_lite import tree
    >>> tree.structure({"b": 1, "a": [2, None]})
    PyTreeDef({'a': [*, None], 'b': *})
    """

    __slots__ = ("__weakref__", "_aux", "_children", "_flat", "_hash", "_kind", "_leaves", "_nodes", "_shared")

    def __init__(self, kind: Kind | None, aux: Any, children: tuple[PyTreeDef, ...]):
        self._kind = kind
        self._aux = aux
        self._children = children
        self._flat = all(child is LEAF for child in children) if kind else False
        self._leaves: int = sum([child._leaves for child in children]) if kind else 1
        self._nodes: int = 1 + sum([child._nodes for child in children])
        self._hash: int | None = None
        self._shared = kind is None

    @property
    def num_leaves(self) -> int:
        """How many leaves there are."""
        return self._leaves

    @property
    def num_nodes(self) -> int:
        """How many leaves and containers there are."""
        return self._nodes

    def children(self) -> list[PyTreeDef]:
        """The structures of the children; none for a leaf."""
        return list(self._children)

    def node_data(self) -> tuple[type, Any] | None:
        """The type of the root and its auxiliary data (of a dict: its keys); None for a leaf."""
        if self._kind is None:
            return None
        return self._kind.type, list(self._aux) if self._kind.type is dict else self._aux

    def unflatten(self, leaves: Iterable[Any]) -> Any:
        """The tree of this structure with these leaves."""
        return unflatten(self, leaves)

    def flatten_up_to(self, tree: Any) -> list[Any]:
        """The parts of `tree` that stand where this structure has leaves."""
        return flatten_up_to(self, tree)

    def compose(self, inner: PyTreeDef) -> PyTreeDef:
        """This structure with `inner` in the place of each leaf."""
        return deep(_composed(self, inner))

    def __eq__(self, other: object) -> bool:
        if self is other:
            return True
        if not isinstance(other, PyTreeDef):
            return NotImplemented
        pairs: list[tuple[PyTreeDef, PyTreeDef]] = [(self, other)]
        while pairs:
            a, b = pairs.pop()
            if a is b:
                continue
            if a._kind is None or b._kind is None or a._kind.type is not b._kind.type:
                return False
            if len(a._children) != len(b._children) or not a._aux == b._aux:
                return False
            pairs.extend(zip(a._children, b._children, strict=True))
        return True

    def __hash__(self) -> int:
        value = self._hash
        if value is None:
            for node in _postorder(self):
                node._hash = value = _hash_of(node)
        assert value is not None
        return value

    def __repr__(self) -> str:
        return f"PyTreeDef({deep(_text(self))})"

    def __copy__(self) -> PyTreeDef:
        return self

    def __deepcopy__(self, memo: Any) -> PyTreeDef:
        return self

    def __reduce__(self) -> Any:
        # As a flat table, lest pickle recurse; children are named by their place in it.
        places: dict[int, int] = {}
        rows: list[Any] = []
        for node in _postorder(self):
            if id(node) not in places:
                places[id(node)] = len(rows)
                children = [places[id(child)] for child in node._children]
                rows.append((None if node._kind is None else node._kind.type, node._aux, children))
        return _rebuild_all, (rows,)


LEAF = PyTreeDef(None, None, ())
"""The structure of a single leaf."""


def _postorder(treedef: PyTreeDef) -> Iterator[PyTreeDef]:
    """The nodes of a structure, children first; each at least once."""
    done: set[int] = set()
    stack = [treedef]
    while stack:
        node = stack[-1]
        waiting = [child for child in node._children if id(child) not in done]
        if waiting:
            stack.extend(reversed(waiting))
        else:
            done.add(id(node))
            yield stack.pop()


def _hash_of(node: PyTreeDef) -> int:
    type = None if node._kind is None else node._kind.type
    try:
        return hash((type, node._aux, node._children))
    except TypeError:  # auxiliary data of a user's type need not be hashable
        return hash((type, node._children))


def _rebuild(type: type | None, aux: Any, children: Sequence[PyTreeDef]) -> PyTreeDef:
    if type is None:
        return LEAF
    kind = kind_of(type)
    if kind is None:
        raise ArgumentError(f"the structure holds a node of {type!r}, which is not registered: register it, then load.")
    return make_node(kind, shared_keys(aux) if type is dict else aux, children)


def _rebuild_all(rows: Sequence[tuple[type | None, Any, Sequence[int]]]) -> PyTreeDef:
    nodes: list[PyTreeDef] = []
    for type, aux, children in rows:
        nodes.append(_rebuild(type, aux, [nodes[i] for i in children]))
    return nodes[-1]


# -- deep trees ------------------------------------------------------------------------------------------------------

# Python's stack ends at some 1000 calls. The quick walks recurse, and are done again on a stack of our own when that
# happens; walks that need not be quick are always done so.
_DEEPEST = 5_000  # key paths take the square of it in memory
Walk = Generator["Walk", Any, Any]


def deep(walk: Walk) -> Any:
    """What a recursive generator returns, where `yield f(x)` stands for a recursive call."""
    stack, value = [walk], None
    while stack:
        try:
            call = stack[-1].send(value)
        except StopIteration as done:
            stack.pop()
            value = done.value
        else:
            if len(stack) >= _DEEPEST:
                raise RecursionError(f"a pytree is more than {_DEEPEST} containers deep: does it contain itself?")
            stack.append(call)
            value = None
    return value


def _composed(outer: PyTreeDef, inner: PyTreeDef) -> Walk:
    if outer._kind is None:
        return inner
    children = []
    for child in outer._children:
        children.append((yield _composed(child, inner)))
    return make_node(outer._kind, outer._aux, children)


def _text(treedef: PyTreeDef) -> Walk:
    kind = treedef._kind
    if kind is None:
        return "*"
    inner = []
    for child in treedef._children:
        inner.append((yield _text(child)))
    row = ", ".join(inner)
    if kind.type is type(None):
        return "None"
    if kind.type is tuple:
        return f"({row},)" if len(inner) == 1 else f"({row})"
    if kind.type is list:
        return f"[{row}]"
    if kind.type is dict:
        return "{" + ", ".join(f"{k!r}: {c}" for k, c in zip(treedef._aux, inner, strict=True)) + "}"
    name = kind.type.__name__
    head = f"namedtuple[{name}]" if kind.plain else f"{name}[{treedef._aux}]"
    return f"CustomNode({head}, [{row}])"


# -- making structures -----------------------------------------------------------------------------------------------

# Structures of plain containers, by kind, auxiliary data and children, or their number if they are all leaves.
# Data and children are named by their ids: they live as long as the entry, since its value holds them.
known = Recent(16384)


def make_node(kind: Kind, aux: Any, children: Sequence[PyTreeDef]) -> PyTreeDef:
    """The structure of a container; the shared one, if there is one."""
    found = known.get((kind, id(aux), *map(id, children)))
    return found or _share(PyTreeDef(kind, aux, tuple(children)))


def _share(treedef: PyTreeDef) -> PyTreeDef:
    """The one structure that equals this one, if it consists of what can be shared; else itself."""
    kind, aux, children = treedef._kind, treedef._aux, treedef._children
    if not (kind and kind.plain and all(child._shared for child in children)):
        return treedef
    if aux is not None and shared_keys(aux) is not aux:
        return treedef
    key = (kind, id(aux), *map(id, children))
    found = known.get(key) or known.recall(key)
    if found is None:
        treedef._shared = True
        found = known.remember(key, treedef)
    if found._flat:
        known.remember((kind, id(aux), len(children)), found)
    return found


def make_tuple(treedefs: Iterable[PyTreeDef]) -> PyTreeDef:
    """The structure of a tuple of trees of these structures."""
    treedefs = list(treedefs)
    for treedef in treedefs:
        if not isinstance(treedef, PyTreeDef):
            raise ArgumentTypeError(f"a PyTreeDef was needed, got {treedef!r}: tree.structure makes one.")
    kind = kind_of(tuple)
    assert kind is not None
    return make_node(kind, None, treedefs)


# -- unflatten -------------------------------------------------------------------------------------------------------


def unflatten(treedef: PyTreeDef, leaves: Iterable[Any]) -> Any:
    """The tree of a structure with these leaves: undoes `flatten`.

    Args:
      treedef: a structure.
      leaves: as many as the structure has; they can be anything.

    Raises:
      ValueError: if there are more or fewer leaves.

    >>> from functorch_lite import tree
    >>> unflatten(tree.structure({"b": 1, "a": [2, None]}), ["x", "y"])
    {'a': ['x', None], 'b': 'y'}
    """
    if type(leaves) is not list:
        leaves = list(leaves)
    try:
        wanted = treedef._leaves
    except AttributeError:
        raise ArgumentTypeError(
            f"unflatten needs a PyTreeDef first, got {treedef!r}: tree.structure makes one."
        ) from None
    if len(leaves) != wanted:
        raise ArgumentError(f"{treedef} has {wanted} leaves, got {len(leaves)}.")
    if treedef._flat:
        return treedef._kind.join(treedef._aux, leaves)  # type: ignore[union-attr]
    try:
        return _join(treedef, iter(leaves))
    except RecursionError:
        pass
    return deep(_join_deep(treedef, iter(leaves)))


def _join(treedef: PyTreeDef, leaves: Iterator[Any]) -> Any:
    kind = treedef._kind
    if kind is None:
        return next(leaves)
    if treedef._flat:
        return kind.join(treedef._aux, [*islice(leaves, treedef._leaves)])
    return kind.join(treedef._aux, [*map(_join, treedef._children, repeat(leaves))])


def _join_deep(treedef: PyTreeDef, leaves: Iterator[Any]) -> Walk:
    if treedef._kind is None:
        return next(leaves)
    children = []
    for child in treedef._children:
        children.append((yield _join_deep(child, leaves)))
    return treedef._kind.join(treedef._aux, children)


# -- walks of a structure and a tree ---------------------------------------------------------------------------------


def flatten_up_to(treedef: PyTreeDef, tree: Any, what: str = "the tree") -> list[Any]:
    """The parts of a tree that stand where a structure has leaves; below them the tree may go on.

    Args:
      treedef: the structure that the tree must begin with.
      tree: a pytree.
      what: what the tree is called in errors.

    Raises:
      ValueError: if a container of the structure is another one, or none, in the tree.

    >>> from functorch_lite import tree
    >>> flatten_up_to(tree.structure([0, 0]), [1, (2, 3)])
    [1, (2, 3)]
    """
    out: list[Any] = []
    try:
        if _up_to(treedef, tree, out):
            return out
    except RecursionError:
        out.clear()
        if deep(_up_to_deep(treedef, tree, out)):
            return out
    deep(_explain(treedef, tree, (), what))
    raise ArgumentError(f"trees differ: {what} is {tree!r}, needed is {treedef}.")


def _up_to(treedef: PyTreeDef, tree: Any, out: list[Any]) -> bool:
    """Whether the tree begins with the structure; what is wrong if not is found on a second walk."""
    kind = treedef._kind
    if kind is None:
        out.append(tree)
        return True
    if type(tree) is not kind.type:
        return False
    children, aux = kind.split(tree)
    if (aux is not treedef._aux and aux != treedef._aux) or len(children) != len(treedef._children):
        return False
    if treedef._flat:
        out.extend(children)
        return True
    return all(map(_up_to, treedef._children, children, repeat(out)))


def _up_to_deep(treedef: PyTreeDef, tree: Any, out: list[Any]) -> Walk:
    kind = treedef._kind
    if kind is None:
        out.append(tree)
        return True
    if type(tree) is not kind.type:
        return False
    children, aux = kind.split(tree)
    if aux != treedef._aux or len(children) != len(treedef._children):
        return False
    for child, part in zip(treedef._children, children, strict=True):
        if not (yield _up_to_deep(child, part, out)):
            return False
    return True


def _explain(treedef: PyTreeDef, tree: Any, path: KeyPath, what: str) -> Walk:
    """Raises the error that names the first place where a tree leaves a structure; returns if there is none."""
    kind = treedef._kind
    if kind is None:
        return
    found = kind_of(type(tree))
    children, aux = ((), None) if found is None else found.split(tree)
    if type(tree) is not kind.type or aux != treedef._aux or len(children) != len(treedef._children):
        came = f"a leaf of type {type(tree).__name__}" if found is None else described(found, aux, len(children))
        needed = described(kind, treedef._aux, len(treedef._children))
        where = f"{what} at {keystr(path)}" if path else what
        hint = remedy(kind, treedef._aux, aux if type(tree) is kind.type else None)
        raise ArgumentError(f"trees differ: {where} is {came}, needed is {needed}: {hint}")
    for child, part, key in zip(treedef._children, children, kind.keys(tree), strict=True):
        yield _explain(child, part, (*path, key), what)
