"""Pytrees: nested containers of arrays as values of their own. Map, flatten, reduce, transpose and broadcast them.

A pytree is a leaf, or a tuple, list, dict, None, namedtuple, OrderedDict or defaultdict of pytrees, or an instance of a
type registered with `register_dataclass`, `register_pytree_node` or their kin.

>>> from functorch_lite import tree
>>> parameters = {"w": [1, 2], "b": 3}
>>> tree.map(lambda x: 10 * x, parameters)
{'b': 30, 'w': [10, 20]}
"""

from __future__ import annotations

import builtins
import functools
from collections.abc import Callable
from typing import Any

from .errors import ArgumentError, ArgumentTypeError
from .tree_def import LEAF, PyTreeDef, flatten_up_to, unflatten
from .tree_flatten import broadcast_prefix, flatten, flatten_with_path
from .tree_registration import (
    register_dataclass,
    register_pytree_node,
    register_pytree_node_class,
    register_pytree_with_keys,
    register_pytree_with_keys_class,
    register_static,
    static,
)

__all__ = [
    "LEAF",
    "PyTreeDef",
    "all",
    "broadcast",
    "broadcast_prefix",
    "flatten",
    "flatten_up_to",
    "flatten_with_path",
    "leaves",
    "leaves_with_path",
    "map",
    "map_with_path",
    "reduce",
    "reduce_associative",
    "register_dataclass",
    "register_pytree_node",
    "register_pytree_node_class",
    "register_pytree_with_keys",
    "register_pytree_with_keys_class",
    "register_static",
    "static",
    "structure",
    "transpose",
    "unflatten",
]

IsLeaf = Callable[[Any], bool] | None
_NONE_GIVEN: Any = object()


def leaves(tree: Any, is_leaf: IsLeaf = None) -> list[Any]:
    """The leaves of a tree, in order.

    Args:
      tree: a pytree.
      is_leaf: says of a container that it is to be a leaf.

    >>> leaves({"b": 1, "a": (2, None)})
    [2, 1]
    """
    return flatten(tree, is_leaf)[0]


def structure(tree: Any, is_leaf: IsLeaf = None) -> PyTreeDef:
    """What a tree is without its leaves.

    Args:
      tree: a pytree.
      is_leaf: says of a container that it is to be a leaf.

    >>> structure({"b": 1, "a": (2, None)})
    PyTreeDef({'a': (*, None), 'b': *})
    """
    return flatten(tree, is_leaf)[1]


def leaves_with_path(
    tree: Any, is_leaf: Callable[..., bool] | None = None, is_leaf_takes_path: bool = False
) -> list[tuple[Any, Any]]:
    """The leaves of a tree, each with the keys that lead to it; arguments as for `flatten_with_path`."""
    return flatten_with_path(tree, is_leaf, is_leaf_takes_path)[0]


def map(f: Callable[..., Any], tree: Any, *rest: Any, is_leaf: IsLeaf = None) -> Any:
    """Calls a function on each leaf, and returns the tree of the results.

    Args:
      f: a function of one leaf of `tree` and of what stands in its place in each of `rest`.
      tree: a pytree.
      *rest: pytrees that have the structure of `tree`; they may go on where it has leaves.
      is_leaf: says of a container in `tree` that it is to be a leaf.

    Raises:
      ValueError: if a tree of `rest` differs in structure; the message says where.

    >>> map(lambda x, y: x + y, {"a": 1, "b": (2,)}, {"a": 10, "b": (20,)})
    {'a': 11, 'b': (22,)}
    """
    found, treedef = flatten(tree, is_leaf)
    if not rest:
        return unflatten(treedef, [f(x) for x in found])
    return unflatten(treedef, [*builtins.map(f, found, *_others(treedef, rest))])


def _others(treedef: PyTreeDef, rest: tuple[Any, ...]) -> list[list[Any]]:
    return [flatten_up_to(treedef, tree, f"tree {i} of map") for i, tree in enumerate(rest, 2)]


def map_with_path(
    f: Callable[..., Any],
    tree: Any,
    *rest: Any,
    is_leaf: Callable[..., bool] | None = None,
    is_leaf_takes_path: bool = False,
) -> Any:
    """As `map`, with a function that takes the key path of the leaf first.

    >>> map_with_path(lambda path, x: f"{path[0]}: {x}", {"a": 1, "b": 2})
    {'a': "['a']: 1", 'b': "['b']: 2"}
    """
    pairs, treedef = flatten_with_path(tree, is_leaf, is_leaf_takes_path)
    paths, found = [p for p, _ in pairs], [x for _, x in pairs]
    return unflatten(treedef, [*builtins.map(f, paths, found, *_others(treedef, rest))])


def all(tree: Any, *, is_leaf: IsLeaf = None) -> bool:
    """Whether every leaf is true.

    >>> all({"a": True, "b": [True, None]})
    True
    """
    return builtins.all(leaves(tree, is_leaf))


def reduce(
    function: Callable[[Any, Any], Any], tree: Any, initializer: Any = _NONE_GIVEN, is_leaf: IsLeaf = None
) -> Any:
    """Combines the leaves from the left.

    Args:
      function: (result so far, leaf) -> result.
      tree: a pytree.
      initializer: the result to begin with; by default the first leaf.
      is_leaf: says of a container that it is to be a leaf.

    Raises:
      TypeError: if there are no leaves and no `initializer`.

    >>> reduce(lambda total, x: total + x, {"a": 1, "b": [2, 3]})
    6
    """
    found = leaves(tree, is_leaf)
    if initializer is _NONE_GIVEN:
        if not found:
            raise ArgumentTypeError(f"reduce of a tree without leaves, {structure(tree)}: give an initializer.")
        return functools.reduce(function, found)
    return functools.reduce(function, found, initializer)


def reduce_associative(
    operation: Callable[[Any, Any], Any], tree: Any, *, identity: Any = _NONE_GIVEN, is_leaf: IsLeaf = None
) -> Any:
    """Combines the leaves as a balanced binary tree: log n steps deep where `reduce` is n.

    Args:
      operation: an associative function of two.
      tree: a pytree.
      identity: the result for a tree without leaves.
      is_leaf: says of a container that it is to be a leaf.

    Raises:
      TypeError: if there are no leaves and no `identity`.

    >>> reduce_associative(lambda x, y: f"({x}{y})", ["a", "b", "c", "d"])
    '((ab)(cd))'
    """
    found = leaves(tree, is_leaf)
    if not found:
        if identity is _NONE_GIVEN:
            raise ArgumentTypeError(
                f"reduce_associative of a tree without leaves, {structure(tree)}: give its identity."
            )
        return identity

    def combine(xs: list[Any]) -> Any:
        middle = len(xs) // 2
        return operation(combine(xs[:middle]), combine(xs[middle:])) if middle else xs[0]

    return combine(found)


def transpose(outer_treedef: PyTreeDef, inner_treedef: PyTreeDef | None, pytree_to_transpose: Any) -> Any:
    """Turns a tree of trees inside out: a list of dicts into a dict of lists.

    Args:
      outer_treedef: the outer structure, which becomes the inner one.
      inner_treedef: the inner structure; by default that of the first inner tree.
      pytree_to_transpose: a pytree of structure `outer_treedef.compose(inner_treedef)`.

    JAX compares only the number of leaves; here the structures must be equal.

    Raises:
      TypeError: if the tree has another structure.
      ValueError: if `inner_treedef` is to be found, and `outer_treedef` has no leaves or is not how the tree begins.

    >>> transpose(structure([0, 0]), None, [{"a": 1, "b": 2}, {"a": 3, "b": 4}])
    {'a': [1, 3], 'b': [2, 4]}
    """
    try:
        parts = flatten_up_to(outer_treedef, pytree_to_transpose, "the tree to transpose")
    except ValueError as error:
        if inner_treedef is None:
            raise
        reason, *_ = str(error).split("\n  at ")
        raise ArgumentTypeError(f"transpose: {reason}") from None
    if inner_treedef is None:
        if not parts:
            raise ArgumentError(f"transpose: the outer structure {outer_treedef} has no leaves: give inner_treedef.")
        inner_treedef = structure(parts[0])
    rows = []
    for part in parts:
        row, found = flatten(part)
        if found != inner_treedef:
            raise ArgumentTypeError(f"transpose: an inner tree has structure {found}, needed is {inner_treedef}.")
        rows.append(row)
    columns = [[row[i] for row in rows] for i in range(inner_treedef.num_leaves)]
    return unflatten(inner_treedef, [unflatten(outer_treedef, column) for column in columns])


def broadcast(prefix_tree: Any, full_tree: Any, is_leaf: IsLeaf = None) -> Any:
    """The beginning of a tree, continued to the whole: each of its leaves stands at all leaves of `full_tree` below it.

    Args:
      prefix_tree: a pytree whose containers are those of `full_tree`, as far as they go.
      full_tree: a pytree.
      is_leaf: says of a container in `prefix_tree` that it is to be a leaf.

    Raises:
      ValueError: if `prefix_tree` is not the beginning of `full_tree`.

    >>> broadcast([0, 1], [("a", "b"), "c"])
    [(0, 0), 1]
    """
    return unflatten(structure(full_tree), broadcast_prefix(prefix_tree, full_tree, is_leaf))
