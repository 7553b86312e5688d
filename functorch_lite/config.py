"""Settings: the dtypes of what is given none, and whether `jit` compiles; for the process or for a scope.

An explicit dtype is always honoured. What has none (`zeros(3)`, `1.5`, `arange(4)`) takes the default of its kind:
float32, int32, complex64 at the start. Who sets the float default sets the complex one with it, unless that is given.

>>> with default_dtypes(float="float64"):
...     current().float, current().complex
(dtype('float64'), dtype('complex128'))
>>> current().float
dtype('float32')
"""

from __future__ import annotations

import contextlib
from collections.abc import Iterator
from contextvars import ContextVar
from typing import Any, NamedTuple

import ml_dtypes
import numpy as np

from .errors import ArgumentError

__all__ = ["Defaults", "current", "default_dtypes", "disable_jit", "read", "update"]


class Defaults(NamedTuple):
    """The dtypes that floats, integers and complex numbers without one take, and whether jitted functions are compiled."""

    float: np.dtype
    int: np.dtype
    complex: np.dtype
    jit: bool = True


_CHOICES = {
    "default_float": (np.dtype("float32"), np.dtype("float64"), np.dtype("float16"), np.dtype(ml_dtypes.bfloat16)),
    "default_int": (np.dtype("int32"), np.dtype("int64")),
    "default_complex": (np.dtype("complex64"), np.dtype("complex128")),
}
_process = Defaults(np.dtype("float32"), np.dtype("int32"), np.dtype("complex64"))
_scope: ContextVar[Defaults | None] = ContextVar("functorch_lite_defaults", default=None)


def current() -> Defaults:
    """The default dtypes here: the innermost scope's, else the process's."""
    return _scope.get() or _process


def _chosen(option: str, value: Any) -> np.dtype:
    """`value` as one of the dtypes that `option` may have.

    A dtype equals its scalar type and its name; what is no dtype at all can make the comparison itself raise.
    """
    for dtype in _CHOICES[option]:
        with contextlib.suppress(TypeError):
            if value is not None and dtype == value:
                return dtype
    names = ", ".join(dtype.name for dtype in _CHOICES[option])
    raise ArgumentError(f"{option} cannot be {value!r}: it takes one of {names}.")


def _changed(old: Defaults, float: Any = None, int: Any = None, complex: Any = None) -> Defaults:
    real = old.float if float is None else _chosen("default_float", float)
    integer = old.int if int is None else _chosen("default_int", int)
    if complex is not None:
        return old._replace(float=real, int=integer, complex=_chosen("default_complex", complex))
    if float is None:
        return old._replace(int=integer)
    return old._replace(float=real, int=integer, complex=np.dtype("complex128" if real == np.float64 else "complex64"))


def _known(option: str) -> None:
    if option not in _CHOICES:
        raise ArgumentError(f"there is no option {option!r}: the options are {', '.join(sorted(_CHOICES))}.")


def read(option: str) -> np.dtype:
    """The value that an option has here.

    Raises:
      ValueError: if there is no such option.

    >>> read("default_int")
    dtype('int32')
    """
    _known(option)
    return getattr(current(), option.removeprefix("default_"))


def update(option: str, value: Any) -> None:
    """Changes an option for the whole process; scopes opened by `default_dtypes` keep what they said.

    Args:
      option: "default_float", by which "default_complex" is set too, "default_complex" or "default_int".
      value: a dtype, its name or its scalar type.

    Raises:
      ValueError: if there is no such option, or it cannot have that value.

    >>> update("default_float", "float64")
    >>> current().complex
    dtype('complex128')
    >>> update("default_float", "float32")
    """
    global _process
    _known(option)
    _chosen(option, value)
    _process = _changed(_process, **{option.removeprefix("default_"): value})


@contextlib.contextmanager
def default_dtypes(*, float: Any = None, int: Any = None, complex: Any = None) -> Iterator[None]:
    """A scope with other default dtypes, for this thread or task only; what is not named stays as it is.

    Args:
      float: the default of floats, and by it of complex numbers.
      int: the default of integers.
      complex: the default of complex numbers, where it shall not follow that of floats.

    Raises:
      ValueError: for a dtype that cannot be a default.

    >>> with default_dtypes(float="float64", int="int64"):
    ...     read("default_int")
    dtype('int64')
    """
    token = _scope.set(_changed(current(), float, int, complex))
    try:
        yield
    finally:
        _scope.reset(token)


@contextlib.contextmanager
def disable_jit(disable: bool = True) -> Iterator[None]:
    """A scope in which jitted functions run as they stand, operation by operation, and loops as loops of Python.

    So `print`, `breakpoint` and `if` see values. Only what is traced anyway (a loop under `vmap`) is traced as ever.

    Args:
      disable: False turns compilation on again, inside such a scope.

    >>> import functorch_lite as fl, functorch_lite.numpy as fnp
    >>> with fl.disable_jit():
    ...     fl.jit(lambda x: x if x > 0 else -x)(fnp.float32(-2.0))
    Array(2., dtype=float32)
    """
    token = _scope.set(current()._replace(jit=not disable))
    try:
        yield
    finally:
        _scope.reset(token)
