"""A backend over `array_api_strict`, which has what the array API standard has, and refuses all else.

Its arrays have dtypes of their own, so a buffer is a thin box around one, whose `dtype` is NumPy's; the namespace puts
in and takes out of boxes. Special functions, of which the standard has none, go through the host.
"""

from __future__ import annotations

import functools
import types
from collections.abc import Callable
from typing import Any

import array_api_strict
import numpy as np

from functorch_lite.extend import Backend, Namespace

__all__ = ["Buffer", "StrictBackend"]

THEIRS = dict(array_api_strict.__array_namespace_info__().dtypes())
OURS = {dtype: np.dtype(name) for name, dtype in THEIRS.items()}


class Buffer:
    """A strict array that names its dtype as NumPy does."""

    __slots__ = ("array",)
    __array_ufunc__ = None  # so that a NumPy scalar on the left of an operator leaves the work to us

    def __init__(self, array: Any):
        self.array = array

    @property
    def dtype(self) -> np.dtype:
        return OURS[self.array.dtype]

    @property
    def shape(self) -> tuple[int, ...]:
        return self.array.shape

    @property
    def ndim(self) -> int:
        return self.array.ndim

    @property
    def size(self) -> int:
        return self.array.size

    def __repr__(self) -> str:
        return f"Buffer({self.array!r})"


def _method(name: str) -> Callable[..., Any]:
    def method(self: Buffer, *others: Any) -> Any:
        return box(getattr(self.array, name)(*map(unbox, others)))

    return method


_BINARY = ["add", "sub", "mul", "truediv", "floordiv", "mod", "pow", "matmul", "and", "or", "xor", "lshift", "rshift"]
_COMPARISONS = ["eq", "ne", "lt", "le", "gt", "ge"]
_OTHERS = ["neg", "pos", "abs", "invert", "bool", "int", "float", "complex", "index", "getitem", "setitem"]
for _name in [*_BINARY, *(f"r{name}" for name in _BINARY), *_COMPARISONS, *_OTHERS]:
    setattr(Buffer, f"__{_name}__", _method(f"__{_name}__"))


def unbox(x: Any) -> Any:
    """What `array_api_strict` takes in place of `x`."""
    if isinstance(x, Buffer):
        return x.array
    if isinstance(x, np.generic):
        return array_api_strict.asarray(np.asarray(x))
    if isinstance(x, np.dtype) or (isinstance(x, type) and issubclass(x, np.generic)):
        return THEIRS[np.dtype(x).name]
    if isinstance(x, (list, tuple)):
        return type(x)(map(unbox, x))
    return x


def box(x: Any) -> Any:
    """What we take in place of `x`."""
    if isinstance(x, type(array_api_strict.asarray(0))):
        return Buffer(x)
    if isinstance(x, tuple) and hasattr(x, "_fields"):
        return type(x)(*map(box, x))
    if isinstance(x, (list, tuple)):
        return type(x)(map(box, x))
    return OURS[x] if type(x) is type(array_api_strict.float32) else x


class Boxed:
    """A module whose functions take and give buffers."""

    def __init__(self, module: Any):
        self.module = module

    def __getattr__(self, name: str) -> Any:
        value = getattr(self.module, name)
        if isinstance(value, types.ModuleType):
            return Boxed(value)
        if not callable(value):
            return box(value)

        @functools.wraps(value)
        def boxed(*args: Any, **kwargs: Any) -> Any:
            return box(value(*map(unbox, args), **{k: unbox(v) for k, v in kwargs.items()}))

        return boxed


class HostSpecial:
    """`scipy.special` on buffers, by way of the host."""

    def __getattr__(self, name: str) -> Any:
        import scipy.special

        function = getattr(scipy.special, name)

        def through_host(*buffers: Any) -> Any:
            hosts = [np.asarray(x.array) if isinstance(x, Buffer) else x for x in buffers]
            return Buffer(array_api_strict.asarray(np.asarray(function(*hosts))))

        return through_host


class StrictBackend(Backend):
    """Arrays of `array_api_strict`."""

    name = "strict"
    supported_dtypes = frozenset(THEIRS)

    def __init__(self) -> None:
        super().__init__(Namespace(Boxed(array_api_strict), HostSpecial))

    def from_host(self, array: Any) -> Buffer:
        return Buffer(array_api_strict.asarray(np.array(array)))

    def to_host(self, buffer: Buffer) -> np.ndarray:
        return np.asarray(buffer.array)

    def guard(self, run: Callable[..., Any]) -> Callable[..., Any]:
        @functools.wraps(run, updated=())
        def quiet(*operands: Any) -> Any:
            with np.errstate(all="ignore"):
                return run(*operands)

        return quiet
