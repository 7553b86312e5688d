"""Types of the user's own as containers of pytrees: by functions, by methods, as dataclasses; and `Partial`."""

from __future__ import annotations

import dataclasses
import functools
import operator
from collections.abc import Callable, Iterable, Sequence
from typing import Any, TypeVar

from .errors import ArgumentError, ArgumentTypeError
from .tree_nodes import Kind, register
from .tree_paths import FlattenedIndexKey, GetAttrKey

__all__ = [
    "Partial",
    "register_dataclass",
    "register_pytree_node",
    "register_pytree_node_class",
    "register_pytree_with_keys",
    "register_pytree_with_keys_class",
    "register_static",
    "static",
]

T = TypeVar("T", bound=type)


def _pair(result: Any, name: str) -> tuple[Any, Any]:
    try:
        children, aux = result
        return tuple(children), aux
    except (TypeError, ValueError):
        raise ArgumentError(
            f"the flatten function of the pytree node {name} must return a pair (children, auxiliary data), got "
            f"{result!r}."
        ) from None


def _check(nodetype: Any, *functions: Any) -> None:
    if not isinstance(nodetype, type):
        raise ArgumentTypeError(f"a type was needed to register a pytree node, got {nodetype!r}.")
    for function in functions:
        if not callable(function):
            raise ArgumentTypeError(
                f"a function was needed to register the pytree node {nodetype.__name__}, got {function!r}."
            )


def register_pytree_node(
    nodetype: type,
    flatten_func: Callable[[Any], tuple[Iterable[Any], Any]],
    unflatten_func: Callable[[Any, Any], Any],
    flatten_with_keys_func: Callable[[Any], tuple[Iterable[tuple[Any, Any]], Any]] | None = None,
) -> None:
    """Makes a type a container of pytrees.

    Args:
      nodetype: the type; its subclasses are not meant.
      flatten_func: instance -> (children, auxiliary data). Auxiliary data is part of the structure: it should be
        hashable and comparable.
      unflatten_func: (auxiliary data, children) -> instance. Children can be anything, also not arrays.
      flatten_with_keys_func: as `flatten_func`, with pairs (key, child), for key paths.

    Raises:
      ValueError: if the type is registered already.

    >>> from functorch_lite import tree
    >>> class Point:
    ...     def __init__(self, x, y):
    ...         self.x, self.y = x, y
    >>> register_pytree_node(Point, lambda p: ((p.x, p.y), None), lambda _, xy: Point(*xy))
    >>> tree.leaves([Point(1, 2), 3])
    [1, 2, 3]
    """
    _check(nodetype, flatten_func, unflatten_func, *[flatten_with_keys_func] * (flatten_with_keys_func is not None))
    name = nodetype.__name__

    def split(x: Any) -> tuple[Sequence[Any], Any]:
        return _pair(flatten_func(x), name)

    def keys(x: Any) -> Sequence[Any]:
        if flatten_with_keys_func is None:
            return [FlattenedIndexKey(i) for i in range(len(split(x)[0]))]
        return [key for key, _ in _pair(flatten_with_keys_func(x), name)[0]]

    register(Kind(nodetype, split, lambda aux, xs: unflatten_func(aux, tuple(xs)), keys))


def register_pytree_with_keys(
    nodetype: type,
    flatten_with_keys: Callable[[Any], tuple[Iterable[tuple[Any, Any]], Any]],
    unflatten_func: Callable[[Any, Any], Any],
    flatten_func: Callable[[Any], tuple[Iterable[Any], Any]] | None = None,
) -> None:
    """Makes a type a container of pytrees whose children have keys.

    Args:
      nodetype: the type.
      flatten_with_keys: instance -> (pairs (key, child), auxiliary data).
      unflatten_func: (auxiliary data, children) -> instance.
      flatten_func: as `flatten_with_keys` without keys, where that is quicker.
    """

    def flatten(x: Any) -> tuple[Iterable[Any], Any]:
        pairs, aux = flatten_with_keys(x)
        return [child for _, child in pairs], aux

    register_pytree_node(nodetype, flatten_func or flatten, unflatten_func, flatten_with_keys)


def register_pytree_node_class(cls: T) -> T:
    """Class decorator: registers by the methods `tree_flatten(self)` and `tree_unflatten(cls, aux, children)`."""
    register_pytree_node(cls, operator.methodcaller("tree_flatten"), cls.tree_unflatten)  # type: ignore[attr-defined]
    return cls


def register_pytree_with_keys_class(cls: T) -> T:
    """Class decorator: registers by the methods `tree_flatten_with_keys(self)`, `tree_unflatten(cls, aux, children)`
    and, if there is one, `tree_flatten(self)`.
    """
    flatten = operator.methodcaller("tree_flatten") if hasattr(cls, "tree_flatten") else None
    with_keys = operator.methodcaller("tree_flatten_with_keys")
    register_pytree_with_keys(cls, with_keys, cls.tree_unflatten, flatten)  # type: ignore[attr-defined]
    return cls


def _dataclass_fields(nodetype: type, data: Any, meta: Any, drop: Sequence[str]) -> tuple[list[str], list[str]]:
    """Names of the fields that are children, and of those that are structure."""
    if (data is None) != (meta is None):
        raise ArgumentTypeError(
            f"register_dataclass of {nodetype.__name__}: give both data_fields and meta_fields, or none."
        )
    if not dataclasses.is_dataclass(nodetype):
        if data is None:
            raise ArgumentTypeError(
                f"register_dataclass: {nodetype!r} is no dataclass: give data_fields and meta_fields."
            )
        return list(data), list(meta)
    fields = [f for f in dataclasses.fields(nodetype) if f.name not in drop]
    if data is None:
        data = [f.name for f in fields if not f.metadata.get("static", False)]
        meta = [f.name for f in fields if f.metadata.get("static", False)]
    given, needed = {*data, *meta}, {f.name for f in fields if f.init}
    both, missing, unknown = {*data} & {*meta}, needed - given, given - needed
    for names, what in [(both, "be data and meta both"), (missing, "be left out"), (unknown, "be given")]:
        if names:
            raise ArgumentError(
                f"register_dataclass of {nodetype.__name__}: {', '.join(map(repr, sorted(names)))} may not {what}: "
                "name each field that __init__ takes once; what need not be kept goes to drop_fields."
            )
    return list(data), list(meta)


def register_dataclass(
    nodetype: T,
    data_fields: Sequence[str] | None = None,
    meta_fields: Sequence[str] | None = None,
    drop_fields: Sequence[str] = (),
) -> T:
    """Makes a dataclass a container of pytrees; also a class decorator.

    Args:
      nodetype: a dataclass, or a class whose `__init__` takes the fields as keyword arguments.
      data_fields: names of the fields that are children; by default those not marked by `static()`.
      meta_fields: names of the fields that belong to the structure.
      drop_fields: names of fields that are not kept.

    Raises:
      ValueError: if the fields named are not those that `__init__` takes.
      TypeError: if only one of `data_fields` and `meta_fields` is given, or none for a class that is no dataclass.

    >>> from functorch_lite import tree
    >>> @register_dataclass
    ... @dataclasses.dataclass
    ... class Layer:
    ...     weight: float
    ...     name: str = static(default="dense")
    >>> tree.map(lambda w: 2 * w, Layer(3.0))
    Layer(weight=6.0, name='dense')
    """
    _check(nodetype)
    data, meta = _dataclass_fields(nodetype, data_fields, meta_fields, drop_fields)
    keys = [*map(GetAttrKey, data)]

    def split(x: Any) -> tuple[Sequence[Any], Any]:
        return [getattr(x, name) for name in data], tuple([getattr(x, name) for name in meta])

    def join(aux: Any, children: Sequence[Any]) -> Any:
        return nodetype(**dict(zip(data, children, strict=True)), **dict(zip(meta, aux, strict=True)))

    register(Kind(nodetype, split, join, lambda _: keys))
    return nodetype


def static(**kwargs: Any) -> Any:
    """A field of a dataclass that belongs to the structure, see `register_dataclass`.

    Args:
      **kwargs: as for `dataclasses.field`.
    """
    return dataclasses.field(**{**kwargs, "metadata": {**(kwargs.get("metadata") or {}), "static": True}})


def register_static(cls: T) -> T:
    """Class decorator: instances belong to the structure and have no leaves; they need `__hash__` and `__eq__`."""
    register_pytree_node(cls, lambda x: ((), x), lambda x, _: x, lambda x: ((), x))
    return cls


class _Boxed:
    """A partial in a box, lest `functools.partial` merge its arguments with those outside."""

    def __init__(self, inner: Callable[..., Any]):
        self.inner = inner

    def __call__(self, *args: Any, **kwargs: Any) -> Any:
        return self.inner(*args, **kwargs)

    def __hash__(self) -> int:
        return hash(self.inner)

    def __eq__(self, other: object) -> bool:
        return isinstance(other, _Boxed) and self.inner == other.inner

    def __repr__(self) -> str:
        return repr(self.inner)


class Partial(functools.partial):
    """`functools.partial` as a pytree: the arguments are children, the function is structure.

    >>> from functorch_lite import tree
    >>> add = Partial(lambda x, y: x + y, 1)
    >>> tree.leaves(add), add(2)
    ([1], 3)
    """

    def __new__(cls, func: Callable[..., Any], /, *args: Any, **kw: Any) -> Partial:
        """A partial application of `func`."""
        return super().__new__(cls, _Boxed(func) if isinstance(func, functools.partial) else func, *args, **kw)


def _join_partial(func: Any, children: Sequence[Any]) -> Partial:
    return Partial(func, *children[0], **children[1])


register_pytree_node(Partial, lambda p: ((p.args, p.keywords), p.func), _join_partial)
