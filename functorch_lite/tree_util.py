"""Pytrees under the names of `jax.tree_util`, key paths, and the registration of node types.

>>> from functorch_lite import tree_util
>>> tree_util.tree_map(lambda x: 2 * x, {"a": 1, "b": (2, 3)})
{'a': 2, 'b': (4, 6)}
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Sequence
from typing import Any

from .errors import ArgumentError
from .tree import all as tree_all
from .tree import broadcast as tree_broadcast
from .tree import flatten as tree_flatten
from .tree import flatten_with_path as tree_flatten_with_path
from .tree import leaves as tree_leaves
from .tree import leaves_with_path as tree_leaves_with_path
from .tree import map as tree_map
from .tree import map_with_path as tree_map_with_path
from .tree import reduce as tree_reduce
from .tree import reduce_associative as tree_reduce_associative
from .tree import structure as tree_structure
from .tree import transpose as tree_transpose
from .tree import unflatten as tree_unflatten
from .tree_def import LEAF, PyTreeDef
from .tree_def import make_tuple as treedef_tuple
from .tree_nodes import is_namedtuple_type, kind_of
from .tree_paths import DictKey, FlattenedIndexKey, GetAttrKey, KeyPath, SequenceKey, keystr
from .tree_registration import (
    Partial,
    register_dataclass,
    register_pytree_node,
    register_pytree_node_class,
    register_pytree_with_keys,
    register_pytree_with_keys_class,
    register_static,
)

__all__ = [
    "DictKey",
    "FlattenedIndexKey",
    "GetAttrKey",
    "KeyEntry",
    "KeyPath",
    "Partial",
    "PyTreeDef",
    "PyTreeRegistry",
    "SequenceKey",
    "all_leaves",
    "default_registry",
    "flatten_one_level",
    "flatten_one_level_with_keys",
    "is_tree_node",
    "keystr",
    "register_dataclass",
    "register_pytree_node",
    "register_pytree_node_class",
    "register_pytree_with_keys",
    "register_pytree_with_keys_class",
    "register_static",
    "tree_all",
    "tree_broadcast",
    "tree_flatten",
    "tree_flatten_with_path",
    "tree_leaves",
    "tree_leaves_with_path",
    "tree_map",
    "tree_map_with_path",
    "tree_reduce",
    "tree_reduce_associative",
    "tree_structure",
    "tree_transpose",
    "tree_unflatten",
    "treedef_children",
    "treedef_is_leaf",
    "treedef_tuple",
]

KeyEntry = Any
"""One key of a `KeyPath`: a `DictKey`, `SequenceKey`, `GetAttrKey`, `FlattenedIndexKey`, or what a type gives."""


def treedef_children(treedef: PyTreeDef) -> list[PyTreeDef]:
    """The structures of the children of a structure."""
    return treedef.children()


def treedef_is_leaf(treedef: PyTreeDef) -> bool:
    """Whether a structure is that of a single leaf."""
    return treedef is LEAF


def all_leaves(iterable: Iterable[Any], is_leaf: Callable[[Any], bool] | None = None) -> bool:
    """Whether every item is a leaf.

    Args:
      iterable: pytrees.
      is_leaf: says of a container that it is a leaf.

    >>> all_leaves([1, "a"]), all_leaves([1, None])
    (True, False)
    """
    return all(tree_structure(x, is_leaf) is LEAF for x in iterable)


def is_tree_node(typ: type) -> bool:
    """Whether instances of a type are containers of pytrees.

    >>> is_tree_node(dict), is_tree_node(int)
    (True, False)
    """
    return kind_of(typ) is not None


def flatten_one_level(tree: Any) -> tuple[Sequence[Any], Any]:
    """The children of a container and its auxiliary data (of a namedtuple: its type).

    Raises:
      ValueError: if `tree` is a leaf.

    >>> flatten_one_level({"b": 1, "a": [2]})
    ([[2], 1], ('a', 'b'))
    """
    children, aux = _kind(tree).split(tree)
    return children, type(tree) if is_namedtuple_type(type(tree)) else aux


def flatten_one_level_with_keys(tree: Any) -> tuple[list[tuple[KeyEntry, Any]], Any]:
    """The children of a container, each with its key, and the auxiliary data.

    Raises:
      ValueError: if `tree` is a leaf.
    """
    children, aux = flatten_one_level(tree)
    return list(zip(_kind(tree).keys(tree), children, strict=True)), aux


def _kind(tree: Any) -> Any:
    kind = kind_of(type(tree))
    if kind is None:
        raise ArgumentError(
            f"a container was needed, got a leaf of type {type(tree)!r}: register_pytree_node makes it one."
        )
    return kind


class PyTreeRegistry:
    """The types that are containers of pytrees, as an object; there is one, `default_registry`."""

    flatten = staticmethod(tree_flatten)
    register_node = staticmethod(register_pytree_node)

    @staticmethod
    def flatten_one_level(tree: Any) -> tuple[Sequence[Any], Any] | None:
        """As the function of that name, but None for a leaf."""
        return flatten_one_level(tree) if is_tree_node(type(tree)) else None

    @staticmethod
    def flatten_one_level_with_keys(tree: Any) -> tuple[list[tuple[KeyEntry, Any]], Any] | None:
        """As the function of that name, but None for a leaf."""
        return flatten_one_level_with_keys(tree) if is_tree_node(type(tree)) else None


default_registry = PyTreeRegistry()
"""The one registry."""
