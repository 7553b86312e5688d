"""Taking trees apart: the leaves of a tree and its structure, with key paths or without; a prefix's leaves for all below.

This stands in the path of every call of a transformed function: the quick walk recurses in C's `map`, and finds the
structures of plain containers instead of building them.
"""

from __future__ import annotations

from collections.abc import Callable
from itertools import repeat
from typing import Any

from .tree_def import LEAF, PyTreeDef, Walk, deep, flatten_up_to, known, make_node
from .tree_nodes import kind_of, leaf_types
from .tree_paths import KeyPath

__all__ = ["broadcast_prefix", "flatten", "flatten_with_path"]

IsLeaf = Callable[[Any], bool] | None


def flatten(tree: Any, is_leaf: IsLeaf = None) -> tuple[list[Any], PyTreeDef]:
    """The leaves of a tree, and its structure.

    Args:
      tree: nested containers; what is no container is a leaf. None is a container without children.
      is_leaf: says of a container that it is to be a leaf.

    Returns:
      The leaves in order (dicts by sorted keys), and the structure.

    Raises:
      ValueError: if the keys of a dict cannot be sorted.

    >>> flatten({"b": 1, "a": [2, None]})
    ([2, 1], PyTreeDef({'a': [*, None], 'b': *}))
    """
    if type(tree) in leaf_types:
        return [tree], LEAF
    leaves: list[Any] = []
    try:
        return leaves, _split(tree, leaves) if is_leaf is None else _split_until(tree, leaves, is_leaf)
    except RecursionError:
        pass
    leaves.clear()
    return leaves, deep(_split_deep(tree, leaves, is_leaf))


def _split(tree: Any, leaves: list[Any]) -> PyTreeDef:
    kind = kind_of(type(tree))
    if kind is None:
        leaves.append(tree)
        return LEAF
    if kind.sequence:
        children, aux = tree, None
    else:
        children, aux = kind.split(tree)
    for child in children:
        if type(child) not in leaf_types:
            return make_node(kind, aux, [*map(_split, children, repeat(leaves))])
    leaves.extend(children)
    return known.get((kind, id(aux), len(children))) or make_node(kind, aux, [LEAF] * len(children))


def _split_until(tree: Any, leaves: list[Any], is_leaf: Callable[[Any], bool]) -> PyTreeDef:
    kind = None if is_leaf(tree) else kind_of(type(tree))
    if kind is None:
        leaves.append(tree)
        return LEAF
    children, aux = kind.split(tree)
    return make_node(kind, aux, [_split_until(child, leaves, is_leaf) for child in children])


def _split_deep(tree: Any, leaves: list[Any], is_leaf: IsLeaf) -> Walk:
    kind = None if is_leaf is not None and is_leaf(tree) else kind_of(type(tree))
    if kind is None:
        leaves.append(tree)
        return LEAF
    children, aux = kind.split(tree)
    defs = []
    for child in children:
        defs.append((yield _split_deep(child, leaves, is_leaf)))
    return make_node(kind, aux, defs)


def flatten_with_path(
    tree: Any, is_leaf: Callable[..., bool] | None = None, is_leaf_takes_path: bool = False
) -> tuple[list[tuple[KeyPath, Any]], PyTreeDef]:
    """As `flatten`, each leaf with the keys that lead to it.

    Args:
      tree: a pytree.
      is_leaf: says of a container that it is to be a leaf.
      is_leaf_takes_path: whether `is_leaf` is called with the key path and the container.

    >>> from functorch_lite.tree_util import keystr
    >>> [(keystr(path), x) for path, x in flatten_with_path({"b": 1, "a": [2, None]})[0]]
    [("['a'][0]", 2), ("['b']", 1)]
    """
    leaves: list[tuple[KeyPath, Any]] = []

    def walk(x: Any, path: KeyPath) -> Walk:
        ends = is_leaf is not None and (is_leaf(path, x) if is_leaf_takes_path else is_leaf(x))
        kind = None if ends else kind_of(type(x))
        if kind is None:
            leaves.append((path, x))
            return LEAF
        children, aux = kind.split(x)
        defs = []
        for child, key in zip(children, kind.keys(x), strict=True):
            defs.append((yield walk(child, (*path, key))))
        return make_node(kind, aux, defs)

    return leaves, deep(walk(tree, ()))


def broadcast_prefix(prefix: Any, full: Any, is_leaf: IsLeaf = None) -> list[Any]:
    """The leaves of a tree's beginning, each repeated for all leaves of `full` that stand below it.

    Args:
      prefix: a pytree whose containers are those of `full`, as far as they go.
      full: a pytree.
      is_leaf: says of a container in `prefix` that it is to be a leaf.

    Raises:
      ValueError: if `prefix` is not the beginning of `full`.

    >>> broadcast_prefix([0, 1], [("a", "b"), "c"])
    [0, 0, 1]
    """
    if type(prefix) in leaf_types:
        return [prefix] * flatten(full)[1]._leaves
    leaves, treedef = flatten(prefix, is_leaf)
    out: list[Any] = []
    for leaf, part in zip(leaves, flatten_up_to(treedef, full, "the full tree"), strict=True):
        out.extend([leaf] * flatten(part)[1]._leaves)
    return out
