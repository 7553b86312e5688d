"""What a container is to a pytree: how each type of node splits into children and joins again.

Beside the built-in ones (tuple, list, dict, None, namedtuples, OrderedDict, defaultdict) users register their own
types, see `tree_registration`. Exact types count: a subclass of `dict` is a leaf until it is registered.
"""

from __future__ import annotations

from collections import OrderedDict, defaultdict
from collections.abc import Callable, Iterable, Sequence
from typing import Any

from .errors import ArgumentError
from .recent import Recent
from .tree_paths import DictKey, GetAttrKey, SequenceKey

__all__ = ["Kind", "is_namedtuple_type", "kind_of", "leaf_types", "register", "shared_keys"]


class Kind:
    """A container type of pytrees.

    Args:
      type: the exact type.
      split: container -> (sequence of children, auxiliary data). Equal auxiliary data means same structure.
      join: (auxiliary data, sequence of children) -> container.
      keys: container -> one key per child.
      plain: whether auxiliary data is None, or a tuple of keys that is the same object each time: then structures can
        be shared and compared by identity.
      sequence: whether a container is the sequence of its own children, without auxiliary data.
    """

    __slots__ = ("join", "keys", "plain", "sequence", "split", "type")

    def __init__(
        self,
        type: type,
        split: Callable[[Any], tuple[Sequence[Any], Any]],
        join: Callable[[Any, Sequence[Any]], Any],
        keys: Callable[[Any], Sequence[Any]],
        plain: bool = False,
        sequence: bool = False,
    ):
        self.type = type
        self.split = split
        self.join = join
        self.keys = keys
        self.plain = plain
        self.sequence = sequence

    def __repr__(self) -> str:
        return f"Kind({self.type.__name__})"


def _sequence_keys(x: Any) -> list[Any]:
    return [SequenceKey(i) for i in range(len(x))]


def _sort(keys: Iterable[Any]) -> tuple[Any, ...]:
    try:
        return tuple(sorted(keys))
    except TypeError:
        kinds = ", ".join(sorted({type(k).__name__ for k in keys}))
        raise ArgumentError(
            f"the keys of a dict in a pytree must sort, got {list(keys)!r} (of types {kinds}): use keys of one type, "
            "or an OrderedDict, which keeps its own order."
        ) from None


# From the keys as they come, then their types (1, 1.0 and True are equal), to the sorted keys, one object for all.
_sorted_keys = Recent(8192)
_MANY = 4096


def shared_keys(keys: Iterable[Any]) -> tuple[Any, ...]:
    """Sorted keys of a dict; the same object for the same strings and integers."""
    exact = (*keys, *map(type, keys))
    found = _sorted_keys.get(exact) or _sorted_keys.recall(exact)
    if found is None:
        found = _sort(keys)
        if {str, int}.issuperset(map(type, found)):
            in_order = (*found, *map(type, found))
            known = _sorted_keys.get(in_order) or _sorted_keys.recall(in_order)
            found = known or _sorted_keys.remember(in_order, found)
            if exact != in_order:
                _sorted_keys.remember(exact, found)
    return found


def _split_dict(x: dict[Any, Any]) -> tuple[Sequence[Any], Any]:
    if not x:  # keyword arguments, mostly
        return (), ()
    keys = _sorted_keys.get((*x, *map(type, x)))
    if keys is None:
        keys = shared_keys(x)
    return [*map(x.__getitem__, keys)], keys


def _split_defaultdict(x: Any) -> tuple[Sequence[Any], Any]:
    children, keys = _split_dict(x)
    return children, (x.default_factory, keys)


_BUILT_IN = [
    Kind(type(None), lambda x: ((), None), lambda _, xs: None, lambda x: (), plain=True),
    Kind(tuple, lambda x: (x, None), lambda _, xs: tuple(xs), _sequence_keys, plain=True, sequence=True),
    Kind(list, lambda x: (x, None), lambda _, xs: list(xs), _sequence_keys, plain=True, sequence=True),
    Kind(
        dict,
        _split_dict,
        lambda keys, xs: dict(zip(keys, xs)),  # noqa: B905  (as many as there are keys; this is a hot path)
        lambda x: [DictKey(k) for k in _sort(x)],
        plain=True,
    ),
    Kind(
        OrderedDict,
        lambda x: ([*x.values()], tuple(x)),
        lambda keys, xs: OrderedDict(zip(keys, xs, strict=True)),
        lambda x: [DictKey(k) for k in x],
    ),
    Kind(
        defaultdict,
        _split_defaultdict,
        lambda aux, xs: defaultdict(aux[0], zip(aux[1], xs, strict=True)),
        lambda x: [DictKey(k) for k in _sort(x)],
    ),
]
_registered: dict[type, Kind] = {kind.type: kind for kind in _BUILT_IN}


def is_namedtuple_type(type: type) -> bool:
    """Whether instances are namedtuples."""
    return issubclass(type, tuple) and isinstance(getattr(type, "_fields", None), tuple)


class _Kinds(dict[type, "Kind | None"]):
    """From a type to its kind, None for leaves; a type that is seen for the first time is looked at."""

    def __missing__(self, type: type) -> Kind | None:
        if len(self) >= _MANY:  # a program may make types without end
            self.clear()
            leaf_types.clear()
            self.update(_registered)
        kind = None
        if is_namedtuple_type(type):
            fields: Sequence[str] = type._fields  # type: ignore[attr-defined]
            keys = [*map(GetAttrKey, fields)]
            kind = Kind(type, lambda x: (x, None), lambda _, xs: type(*xs), lambda _: keys, plain=True, sequence=True)
        else:
            leaf_types.add(type)
        return self.setdefault(type, kind)


leaf_types: set[type] = set()
"""Types known to be leaves: what most values in a tree are is seen with one look."""
_kinds = _Kinds(_registered)
kind_of = _kinds.__getitem__
"""From a type to its kind; None for a leaf."""


def register(kind: Kind) -> None:
    """Make the kind's type a container; it must not be one already."""
    if kind.type in _registered:
        raise ArgumentError(f"{kind.type!r} is registered as a pytree node already: a type is registered once.")
    _registered[kind.type] = _kinds[kind.type] = kind
    leaf_types.discard(kind.type)
