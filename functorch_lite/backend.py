"""The backend interface, discovery by entry point, the default backend, and hints for what is missing.

A backend is a class derived from `Backend`, named by an entry point of the group `functorch_lite.backends`. It gives a
namespace of NumPy-like functions and says how host arrays become its buffers and back; that is enough to run every
primitive that has an `impl`. What it can do better, it puts into its `table`, by the primitive's name.

A kernel is looked up in this order: the backend's own `table`; the primitive's `impl` over the backend's namespace; the
primitive's `expand` into simpler primitives; else an error that names the primitive, the backend and the ways out.
"""

from __future__ import annotations

import importlib
import os
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import contextmanager, suppress
from contextvars import ContextVar
from functools import partial
from operator import attrgetter
from typing import Any, ClassVar

import numpy as np

from .array_type import ArrayType
from .discovery import GROUP, entry_points, find
from .errors import BackendError
from .lowering import LoweringContext, compile_program
from .primitive import Primitive
from .program import Program
from .recent import Recent

__all__ = [
    "INTERFACE_VERSION",
    "Backend",
    "Namespace",
    "available",
    "default_backend",
    "get",
    "prepare",
    "use_backend",
]

INTERFACE_VERSION = 1
"""Grows when a backend written for an older version would no longer run."""

_HINTS = {"cupy": "pip install 'functorch-lite[cupy]'"}


class Namespace:
    """A bundle of NumPy-like functions: those of a module, with `linalg`, `fft` and, on first use, `special`.

    Args:
      module: the array namespace, such as `numpy`.
      special: called at the first use of `xp.special`; returns a module like `scipy.special`.
    """

    def __init__(self, module: Any, special: Callable[[], Any] | None = None):
        self._module = module
        self._special = special
        self.to_host: Any = None
        """Buffers as host arrays, and back: set by the backend, for callbacks."""
        self.from_host: Any = None

    def __getattr__(self, name: str) -> Any:
        if name == "special" and self._special is not None:
            value = self._special()
        else:
            value = getattr(self._module, name)
        setattr(self, name, value)
        return value


class Backend:
    """Where arrays live and kernels run. Derive, set `name` and `namespace`, and override what is not NumPy-like."""

    name: ClassVar[str] = ""
    interface_version: ClassVar[int] = INTERFACE_VERSION
    table: ClassVar[Mapping[str, Callable[..., Any]]] = {}
    """Own kernels by primitive name: called with the operands' buffers, and the params by keyword."""
    broadcasts: ClassVar[bool] = True
    """Whether kernels of elementwise primitives broadcast operands of different shapes, as NumPy's do."""
    supported_dtypes: ClassVar[frozenset[str] | None] = None
    """Names of the dtypes that buffers may have; None for all."""

    def __init__(self, namespace: Namespace):
        self.xp = namespace
        namespace.to_host = self.to_host
        namespace.from_host = self.from_host
        self.eager_kernels = Recent(8192)

    def from_host(self, array: np.ndarray) -> Any:
        """A buffer of the backend with a copy of a host array's elements."""
        return self.xp.asarray(array, copy=True)

    def to_host(self, buffer: Any) -> np.ndarray:
        """A host array with a buffer's elements; it may share memory with it."""
        return np.asarray(buffer)

    def literal(self, value: np.generic) -> Any:
        """A scalar constant in the form that kernels take it."""
        return self.from_host(np.asarray(value))

    def device(self, buffer: Any) -> Any:
        """Where a buffer lives."""
        return "cpu"

    @property
    def devices(self) -> Sequence[Any]:
        """Where buffers can live."""
        return ("cpu",)

    def guard(self, run: Callable[..., Any]) -> Callable[..., Any]:
        """`run`, in the surroundings that kernels need (NumPy's floating-point warnings off, a device selected)."""
        return run

    def synchronize(self, buffer: Any) -> None:
        """Wait until a buffer is computed."""

    def kernel(self, primitive: Primitive, types: Sequence[ArrayType], params: Mapping[str, Any]) -> Callable[..., Any]:
        """A callable from operand buffers to the result's buffer, or a tuple of them.

        Args:
          primitive: the operation.
          types: of the operands.
          params: of the operation.
        """
        own = self.table.get(primitive.name)
        if own is not None:
            return partial(own, **params) if params else own
        return primitive.kernel(self.xp, types, params)

    def has_kernel(self, primitive: Primitive) -> bool:
        """Whether `kernel` can give one, or the primitive must be expanded."""
        return primitive.name in self.table or primitive.implemented_over(self.xp)

    def interpret(self, program: Program) -> Callable[..., tuple[Any, ...]]:
        """A callable from operand buffers to a tuple of result buffers, ready at once: planned calls of kernels."""
        return self.guard(compile_program(program, self))

    def prepare(self) -> None:
        """Called when a function is made that will be compiled, and before it is traced: what the compiler needs can be loaded
        meanwhile, where that is in nobody's way."""

    def compile(self, program: Program) -> Callable[..., tuple[Any, ...]]:
        """As `interpret`, for a program that will run often: it may take its time to be quick afterwards."""
        return self.interpret(program)

    def fast_path(
        self, run: Callable[..., Any], operands: Sequence[ArrayType], results: Sequence[ArrayType]
    ) -> Callable[..., Any] | None:
        """A quicker way to call what `compile` gave, from `Array`s to a tuple of `Array`s; None if there is none, NotImplemented
        if there is none yet.

        Args:
          run: the callable over buffers.
          operands, results: the types for which it was compiled. Where an operand is not an `Array` of this backend of
            just that type the callable returns NotImplemented.
        """
        return None

    def describe(self, program: Program) -> dict[str, Callable[[], str]]:
        """What `compile` makes of a program, stage by stage: name -> a function that gives the text."""
        return {}

    def steps(self, program: Program) -> tuple[Program, list[tuple[Any, Callable[..., Any]]]]:
        """The program as it is run, and a callable over buffers for each of its equations: for profiles."""
        context = LoweringContext(self)
        return program, [(e, self.guard(context.kernel(e, e.params))) for e in program.equations]

    def __repr__(self) -> str:
        return f"<backend {self.name}>"


def available() -> dict[str, str]:
    """The installed backends: name -> where it comes from (`module:class`).

    >>> "numpy" in available()
    True
    """
    return entry_points()


_loaded: dict[str, Backend] = {}


def get(name: str | Backend) -> Backend:
    """The backend of that name, loaded at the first time.

    Raises:
      BackendError: if it is not installed, cannot be loaded, or was written for another version of the interface.
    """
    if isinstance(name, Backend):
        return name
    backend = _loaded.get(name)
    return backend if backend is not None else _load(name)


def _load(name: str) -> Backend:
    value = find(name)
    if value is None:
        hint = _HINTS.get(
            name, f"install the package that provides it (an entry point {name!r} of the group {GROUP!r})"
        )
        raise BackendError(f"no backend is named {name!r}; installed are {sorted(available())}. To get it: {hint}")
    try:
        made = _named(value)()
    except ImportError as error:
        hint = _HINTS.get(name, "see the package's own notes on installing it")
        raise BackendError(f"the backend {name!r} ({value}) cannot be loaded: {error}. Try: {hint}") from error
    version = getattr(made, "interface_version", None)
    if version != INTERFACE_VERSION:
        raise BackendError(
            f"the backend {name!r} ({value}) speaks version {version} of the backend interface, this is "
            f"version {INTERFACE_VERSION}: install matching versions of it and of functorch-lite."
        )
    return _loaded.setdefault(name, made)


def _named(value: str) -> Any:
    """What an entry point stands for: `module:attribute`; names of extras behind it are no part of that."""
    module, _, attribute = value.partition("[")[0].strip().partition(":")
    return attrgetter(attribute.strip())(importlib.import_module(module.strip()))


_scoped: ContextVar[Backend | None] = ContextVar("functorch_lite_backend", default=None)
_process_default: Backend | None = None


def default_backend() -> Backend:
    """The backend for new arrays: of the enclosing `use_backend`, else of `set_default_backend`, else of the
    environment variable FUNCTORCH_LITE_BACKEND, else "numpy"."""
    return _scoped.get() or _process_default or _from_environment()


def _from_environment() -> Backend:
    global _process_default
    _process_default = _of_environment()
    return _process_default


def _of_environment() -> Backend:
    return get(os.environ.get("FUNCTORCH_LITE_BACKEND", "numpy"))


def prepare(backend: Backend | None) -> None:
    """Tell the backend, or what is the default so far, that something will be compiled; if there is none, its use will say so."""
    with suppress(BackendError):
        (backend or _scoped.get() or _process_default or _of_environment()).prepare()


def set_default_backend(name: str | Backend) -> None:
    """Make a backend the default of this process."""
    global _process_default
    _process_default = get(name)


@contextmanager
def use_backend(name: str | Backend) -> Iterator[Backend]:
    """`with use_backend("cupy"):` new arrays live on that backend."""
    backend = get(name)
    token = _scoped.set(backend)
    try:
        yield backend
    finally:
        _scoped.reset(token)
