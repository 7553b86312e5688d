"""Looking at values inside transformed functions: `debug.print`, `debug.callback`; and `pure_callback`."""

from __future__ import annotations

import re
import string
import sys
from collections.abc import Callable
from typing import Any

import numpy as np

from . import dtypes
from .array_type import ArrayType
from .errors import ArgumentError, TransformationError, transparent
from .primitives.callbacks import debug_callback
from .primitives.callbacks import pure_callback as pure_callback_p
from .promotion import as_operand, is_arraylike
from .transforms.signature import check_callable
from .tree import flatten, unflatten

__all__ = ["callback", "print", "pure_callback"]


class _OnTrees:
    """A function of pytrees, on the flat host arrays that a callback gets; leaves that are no arrays stay as they are."""

    def __init__(self, function: Callable[..., Any], tree: Any, fixed: list[Any], arrays: list[bool]):
        self.function = function
        self.tree = tree
        self.fixed = fixed
        self.arrays = arrays
        self.__name__ = getattr(function, "__name__", "the function")

    def __call__(self, *values: Any) -> Any:
        given = iter(values)
        leaves = [next(given) if a else x for x, a in zip(self.fixed, self.arrays, strict=True)]
        args, kwargs = unflatten(self.tree, leaves)
        return self.function(*args, **kwargs)


def _flat(function: Callable[..., Any], args: Any, kwargs: Any) -> tuple[_OnTrees, list[Any]]:
    leaves, tree = flatten((args, kwargs))
    arrays = [is_arraylike(x) for x in leaves]
    fixed = [None if a else x for x, a in zip(leaves, arrays, strict=True)]
    return _OnTrees(function, tree, fixed, arrays), [as_operand(x) for x, a in zip(leaves, arrays, strict=True) if a]


@transparent
def callback(
    callback: Callable[..., Any], *args: Any, ordered: bool = False, partitioned: bool = False, **kwargs: Any
) -> None:
    """Call a function with the values of arrays, for its side effect, whenever the program runs.

    Under `vmap` it is called for each element of the batch, in order. What it returns is dropped.

    Args:
      callback: takes host arrays in the places of arrays.
      *args: pytrees; what is no array in them is passed as it is.
      ordered, partitioned: accepted for compatibility; calls always happen in the order of the program, with whole arrays.
      **kwargs: pytrees.
    """
    check_callable("debug.callback", callback)
    function, operands = _flat(callback, args, kwargs)

    def call(*values: Any) -> None:
        function(*values)

    debug_callback(*operands, function=call)


class _Names(string.Formatter):
    """Formats nothing, but finds which values a format names, by number or by name."""

    def __init__(self) -> None:
        self.found: set[int | str] = set()

    def get_field(self, field_name: str, args: Any, kwargs: Any) -> Any:
        first = re.split(r"[.\[]", field_name, maxsplit=1)[0]
        key = int(first) if first.isdigit() else first
        self.found.add(key)
        return None, key

    def convert_field(self, value: Any, conversion: Any) -> Any:
        return value

    def format_field(self, value: Any, format_spec: str) -> str:
        return ""


def _check_format(fmt: Any, given: set[int | str]) -> None:
    if not isinstance(fmt, str):
        raise TransformationError(
            f"debug.print takes a format first, got {fmt!r:.60}: write debug.print('x = {{}}', x)."
        )
    names = _Names()
    names.format(fmt)
    for these, problem in [
        (names.found - given, "names values that are not given"),
        (given - names.found, "leaves values out"),
    ]:
        if these:
            raise ArgumentError(
                f"debug.print: the format {fmt!r} {problem}: {', '.join(sorted(map(str, these)))}. Each value is named once "
                "at least, by {} or {name}; a brace is written {{."
            )


@transparent
def print(
    fmt: str,
    *args: Any,
    ordered: bool = False,
    partitioned: bool = False,
    skip_format_check: bool = False,
    **kwargs: Any,
) -> None:
    """Print values whenever the program runs, also when it is compiled.

    Args:
      fmt: a format string, as for `str.format`.
      *args: values for it.
      ordered, partitioned: accepted for compatibility; output always comes in the order of the program, of whole arrays.
      skip_format_check: whether to leave out the check, when the function is traced, that the format and the values fit.
      **kwargs: values for it by name.

    >>> import functorch_lite as fl
    >>> @fl.jit
    ... def f(x):
    ...     fl.debug.print("x = {}", x)
    ...     return x + 1.0
    >>> f(2.0)
    x = 2.0
    Array(3., dtype=float32, weak_type=True)
    """
    if not skip_format_check:
        _check_format(fmt, {*range(len(args)), *kwargs})

    def show(*values: Any, **named: Any) -> None:
        sys.stdout.write(fmt.format(*values, **named) + "\n")

    callback(show, *args, **kwargs)


def pure_callback(
    callback: Callable[..., Any],
    result_shape_dtypes: Any,
    *args: Any,
    vmap_method: str | None = None,
    vectorized: bool | None = None,
    **kwargs: Any,
) -> Any:
    """Call a pure function of host arrays from inside a program.

    It must have no side effects: it may be called any number of times, or never. It has no derivative; give it one with
    `custom_jvp` or `custom_vjp`.

    Args:
      callback: takes NumPy arrays, gives a pytree of NumPy arrays.
      result_shape_dtypes: a pytree of things with shape and dtype: what it gives.
      *args: pytrees of arrays.
      vmap_method: "sequential" (a call for each element of a batch), "expand_dims" or "broadcast_all" (one call with
        batches).
      vectorized: True is "broadcast_all", False "sequential".
      **kwargs: pytrees of arrays.

    >>> import functorch_lite as fl, numpy as np
    >>> fl.jit(lambda x: fl.pure_callback(np.cbrt, fl.ShapeDtypeStruct((), "float32"), x))(8.0)
    Array(2., dtype=float32)
    """
    types, out_tree = flatten(result_shape_dtypes)
    result_types = tuple(ArrayType(tuple(t.shape), dtypes.as_dtype(t.dtype)) for t in types)
    function, operands = _flat(callback, args, kwargs)
    if vectorized is not None:
        vmap_method = "broadcast_all" if vectorized else "sequential"

    def call(*values: Any) -> list[np.ndarray]:
        out, tree = flatten(function(*values))
        if tree != out_tree:
            raise TransformationError(
                f"pure_callback: {function.__name__} gave the structure {tree}, promised was {out_tree}."
            )
        return [np.asarray(x) for x in out]

    call.__name__ = function.__name__
    out = pure_callback_p(*operands, function=call, result_types=result_types, vmap_method=vmap_method)
    return unflatten(out_tree, out)
