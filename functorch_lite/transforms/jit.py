"""`jit`: stage a function once per signature, compile the program, and run that from then on."""

from __future__ import annotations

import functools
import sys
import weakref
from collections.abc import Callable, Sequence
from typing import Any, NamedTuple

import numpy as np

from .. import dtypes
from ..array_type import ArrayType
from ..arrays import Array, eager, type_of
from ..backend import default_backend, get, prepare, use_backend
from ..errors import ArgumentError, hide_our_frames
from ..passes import executable
from ..promotion import as_operand
from ..staging import stage
from ..tracing import Tracer, context
from ..tree import flatten, unflatten
from .call import call, exact_call
from .capture import abstract_type
from .collecting import without_collecting
from .edges import FlatCall, flatten_without_float0
from .explain import difference
from .fast_path import Picker, picker
from .lowered import Lowered
from .signature import StaticArguments, function_name

__all__ = ["Jitted", "clear_caches", "jit"]


_UNKNOWN: Any = object()
_LAST = ("last",)
"""The key of the fast path of the last call, beside those of signatures."""


_IMMEDIATE = frozenset({np.ndarray, float})
"""What becomes an array without further questions."""


def _array_of(x: Any) -> Any:
    return as_operand(x) if type(x) in _IMMEDIATE else x


class _FastPath(NamedTuple):
    """How a call with the signature of the last one goes."""

    pick: Picker
    run: Callable[..., Any]
    """From `Array`s to a tuple of them, or NotImplemented."""
    defaults: Any
    single: bool
    out_tree: Any


class _Entry:
    """What is kept for one signature."""

    __slots__ = ("backend", "exact", "fast", "hoisted", "out_tree", "program", "run", "single", "weak")

    def __init__(self, program: Any, hoisted: Sequence[Any], out_tree: Any, backend: Any, exact: bool):
        self.exact = exact
        self.program = program
        self.hoisted = hoisted
        self.out_tree = out_tree
        self.backend = backend
        self.weak = [t.weak for t in program.out_types]
        self.single = out_tree.num_nodes == out_tree.num_leaves == 1
        self.run: Any = None
        self.fast: Any = _UNKNOWN

    def finish(self, out: Sequence[Any]) -> Any:
        """The result as the user sees it, from result buffers."""
        owner = self.backend
        if self.single:
            return Array(out[0], self.weak[0], owner)
        return unflatten(self.out_tree, [Array(b, w, owner) for b, w in zip(out, self.weak, strict=True)])

    def compiled(self) -> Callable[..., Any]:
        """The executable, with the hoisted buffers in place."""
        with without_collecting():
            run = executable(self.program, self.backend, compiled=not self.exact)
        self.run = functools.partial(run, *(x.buffer for x in self.hoisted)) if self.hoisted else run
        return self.run

    def fast_path(self, tree: Any) -> _FastPath | None:
        """What a later call with such arguments does; None if the backend has nothing quicker than `run`."""
        if self.fast is _UNKNOWN:
            self.fast = self.make_fast_path(tree)
        return None if self.fast is _UNKNOWN else self.fast

    def make_fast_path(self, tree: Any) -> Any:
        run = self.run.func if self.hoisted else self.run
        types = [v.type for v in self.program.inputs]
        arrays = self.backend.fast_path(run, types, self.program.out_types)
        if arrays is NotImplemented:
            return _UNKNOWN
        pick = picker(tree) if arrays is not None else None
        if arrays is None or pick is None:
            return None
        if self.hoisted:
            arrays = functools.partial(arrays, *self.hoisted)
        return _FastPath(pick, arrays, dtypes.defaults(), self.single, self.out_tree)


_caches: weakref.WeakKeyDictionary[Any, dict[Any, dict[Any, Any]]] = weakref.WeakKeyDictionary()


def _cache_of(function: Any, options: Any) -> dict[Any, Any]:
    """The cache of a function, shared by all its `jit`s with equal options; it dies with the function."""
    try:
        return _caches.setdefault(function, {}).setdefault(options, {})
    except TypeError:
        return {}


class Jitted:
    """A function that is staged and compiled at the first call with each signature."""

    cached = 4096

    def __init__(
        self, function: Callable[..., Any], static: StaticArguments, backend: Any, exact: bool, donated: StaticArguments
    ):
        functools.update_wrapper(self, function)
        self.function = function
        self.static = static
        self.backend = backend
        self.exact = exact
        self.donated = donated
        self.cache = _cache_of(function, (static, backend, exact))
        self.missed: Any = None
        self.simple = not static and backend is None and not donated
        if not exact:
            prepare(backend)

    def __reduce__(self) -> Any:
        """By name, where it stands in the place of the function; else the function, and how it is compiled."""
        holder: Any = sys.modules.get(self.__module__)
        place: str = getattr(self, "__qualname__", "")
        for name in place.split("."):
            holder = getattr(holder, name, None)
        if holder is self:
            return place
        backend = self.backend and self.backend.name
        return _restored, (self.function, self.static, backend, self.exact, self.donated)

    def __call__(self, *args: Any, **kwargs: Any) -> Any:
        fast = self.cache.get(_LAST)
        if fast is not None and context.trace is eager:
            leaves = fast.pick(args, kwargs)
            if leaves is not None and dtypes.defaults() == fast.defaults:
                out = fast.run(*leaves)
                if out is NotImplemented and not _IMMEDIATE.isdisjoint(map(type, leaves)):
                    out = fast.run(*map(_array_of, leaves))
                if out is not NotImplemented:
                    return out[0] if fast.single else unflatten(fast.out_tree, out)
        return self._checked_call(args, kwargs)

    def _checked_call(self, args: tuple[Any, ...], kwargs: dict[str, Any]) -> Any:
        try:
            if not dtypes.defaults().jit:
                return self.function(*args, **kwargs)
            if self.backend is None:
                out = self._call(args, kwargs)
            else:
                with use_backend(self.backend):
                    out = self._call(args, kwargs)
            if self.donated and context.trace is eager:
                for x in self._donated(args, kwargs):
                    if type(x) is Array:
                        x.delete()
            return out
        except Exception as error:
            hide_our_frames(error)
            raise

    def _donated(self, args: tuple[Any, ...], kwargs: dict[str, Any]) -> list[Any]:
        """The leaves of the arguments that are donated."""
        given = [args[i] for i in self.donated.argnums if -len(args) <= i < len(args)]
        given += [kwargs[name] for name in self.donated.argnames if name in kwargs]
        return flatten(given)[0]

    def _call(self, args: tuple[Any, ...], kwargs: dict[str, Any]) -> Any:
        statics: Any = None
        dynamic = (args, kwargs)
        if self.static:
            statics, dynamic = self.static.split(args, kwargs)
        leaves, tree = flatten_without_float0(dynamic)
        key: list[Any] = [tree, statics, dtypes.defaults()]
        buffers = []
        concrete = context.trace is eager
        backend = None
        for i, x in enumerate(leaves):
            if type(x) is not Array:
                if not isinstance(x, Tracer):
                    x = leaves[i] = as_operand(x, f"an argument of the jitted function {function_name(self.function)}")
                if isinstance(x, Tracer):
                    concrete = False
                    key.append(x.type)
                    continue
            buffer = x.buffer
            buffers.append(buffer)
            key.append((buffer.shape, buffer.dtype, x.weak_type))
            if backend is not x.backend:
                concrete = concrete and backend is None
                backend = x.backend
        key.append(context.trace.axes() if not concrete else backend)
        entry = self.cache.get(tuple(key))
        if entry is None:
            entry = self._stage(leaves, tree, statics, tuple(key), backend)
        if not concrete or any(isinstance(x, Tracer) for x in entry.hoisted):
            out = (exact_call if self.exact else call)(*entry.hoisted, *leaves, program=entry.program)
            return unflatten(entry.out_tree, out)
        if entry.run is not None and self.simple:
            self.cache[_LAST] = entry.fast_path(tree)
        run = entry.run or entry.compiled()
        return entry.finish(run(*buffers))

    def _stage(self, leaves: Sequence[Any], tree: Any, statics: Any, key: Any, backend: Any) -> _Entry:
        fill_in = functools.partial(self.static.join, statics) if self.static else None
        flat = FlatCall(self.function, tree, f"a result of the jitted function {function_name(self.function)}", fill_in)
        if key is not None:
            self.missed = key, [k for k in tuple(self.cache) if k is not _LAST]  # another thread may add to it
        types = [x if isinstance(x, ArrayType) else type_of(x) for x in leaves]
        backend = backend or default_backend()
        if not self.exact:
            backend.prepare()
        staged = stage(flat, types, name=function_name(self.function))
        entry = _Entry(staged.program, staged.hoisted, flat.out_tree, backend, self.exact)
        if key is not None and not any(isinstance(x, Tracer) for x in staged.hoisted):
            while len(self.cache) >= self.cached:
                self.cache.pop(next(iter(self.cache)), None)
            self.cache[key] = entry
        return entry

    def lower(self, *args: Any, **kwargs: Any) -> Lowered:
        """What the function becomes for such arguments: programs, code, costs, to be read; see `Lowered`.

        Args:
          args, kwargs: as for a call; instead of arrays also anything with a shape and a dtype.
        """
        statics: Any = None
        dynamic = (args, kwargs)
        if self.static:
            statics, dynamic = self.static.split(args, kwargs)
        leaves, tree = flatten(dynamic)
        backend = next((x.backend for x in leaves if type(x) is Array), self.backend)
        entry = self._stage(list(map(abstract_type, leaves)), tree, statics, None, backend)
        donated = {id(x) for x in self._donated(args, kwargs)}
        return Lowered(function_name(self.function), entry, tree, [id(x) in donated for x in leaves])

    trace = lower

    def eval_shape(self, *args: Any, **kwargs: Any) -> Any:
        """The types of the results for such arguments, in the structure of the result; nothing is computed."""
        return self.lower(*args, **kwargs).out_info

    def explain(self) -> str:
        """Why the last call that was traced had to be: what was new about its arguments."""
        if self.missed is None:
            return f"{function_name(self.function)} has not been traced yet."
        return difference(function_name(self.function), *self.missed)

    def __get__(self, instance: Any, owner: Any = None) -> Any:
        return self if instance is None else functools.partial(self, instance)

    def clear_cache(self) -> None:
        """Forget every signature."""
        self.cache.clear()

    def __repr__(self) -> str:
        return f"<jit of {function_name(self.function)}>"


def _restored(function: Any, static: StaticArguments, backend: str | None, exact: bool, donated: Any) -> Jitted:
    """A jitted function from what `Jitted.__reduce__` gave."""
    return Jitted(function, static, backend and get(backend), exact, donated)


def jit(
    function: Callable[..., Any] | None = None,
    /,
    *,
    static_argnums: int | Sequence[int] | None = None,
    static_argnames: str | Sequence[str] | None = None,
    donate_argnums: int | Sequence[int] | None = None,
    donate_argnames: str | Sequence[str] | None = None,
    keep_unused: bool = False,
    inline: bool = False,
    backend: Any = None,
    exact: bool = False,
) -> Any:
    """Compile a function: it is traced at the first call with arguments of given types, and the compiled program runs.

    The function must be pure: a side effect (`print`, appending to a list) happens while it is traced only.

    Args:
      function: takes and returns pytrees of arrays. Omitted: a decorator is returned.
      static_argnums: positions of arguments that are not arrays but part of the signature; hashable.
      static_argnames: names of such arguments.
      donate_argnums, donate_argnames: arguments whose arrays the call uses up: their memory is free for its results, and
        using them afterwards is an error.
      keep_unused, inline: for JAX's sake; what is unused costs nothing here, and calls in compiled programs are always
        inlined.
      backend: the name of the backend to run on; that of the arguments by default.
      exact: whether the program is to run with the very kernels that eager mode uses, bit for bit, rather than as machine
        code, which agrees within rounding errors; also as a part of a larger function that is compiled.

    Returns:
      a function with the same signature.

    >>> import functorch_lite as fl, functorch_lite.numpy as fnp
    >>> fl.jit(lambda x: x * 2)(fnp.arange(3.0))
    Array([0., 2., 4.], dtype=float32)
    """
    if function is None:
        options = {
            "static_argnums": static_argnums,
            "static_argnames": static_argnames,
            "backend": backend,
            "exact": exact,
        }
        return functools.partial(jit, donate_argnums=donate_argnums, donate_argnames=donate_argnames, **options)
    static = StaticArguments.of(function, static_argnums, static_argnames)
    donated = StaticArguments.of(function, donate_argnums, donate_argnames)
    both = {*map(str, set(static.argnums) & set(donated.argnums)), *(static.argnames & donated.argnames)}
    if both:
        raise ArgumentError(f"jit: {sorted(both)} are static and donated: what is static has no memory to donate.")
    return Jitted(function, static, None if backend is None else get(backend), exact, donated)


def clear_caches() -> None:
    """Forget all that was compiled: each jitted function is traced again at its next call.

    >>> import functorch_lite as fl
    >>> fl.clear_caches()
    """
    for caches in list(_caches.values()):
        for cache in caches.values():
            cache.clear()
