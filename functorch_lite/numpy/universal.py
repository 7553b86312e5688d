"""`ufunc`: a function of elements together with what NumPy makes of one: `reduce`, `accumulate`, `at`, `reduceat`, `outer`.

The functions of this face that NumPy calls ufuncs stay plain functions, since an object that is called costs more than a
function; `install` gives them the methods as attributes. Most methods are loops over the function, as in NumPy; where there is a
reduction, a running one or an update that does the same, it is taken.
"""

from __future__ import annotations

import functools
import operator
from collections.abc import Callable, Mapping
from typing import Any

import numpy as np

from .. import dtypes
from ..arrays import type_of
from ..control.loops import fori_loop
from ..control.scan import scan
from ..errors import ArgumentError, DTypeError, ImmutableArrayError, ShapeError, UnsupportedError, transparent
from ..index_plan import is_boolean, read_index
from ..indexing import AtIndex
from ..promotion import as_operand, cast
from ..transforms.capture import eval_shape
from . import extremes, reductions
from .axes import axes_of, axis_of
from .creation import filled
from .joining import append
from .logic import where3
from .operands import no_out
from .placing import take
from .ranges import arange
from .shaping import broadcast_to, moveaxis, ravel, reshape
from .shortcuts import SHORTCUTS, Shortcuts
from .vectorizing import vectorize

__all__ = ["frompyfunc", "ufunc"]


_NO_SHORTCUTS = Shortcuts()


class _Universal(type):
    """So that the functions of this face are instances of `ufunc` too."""

    def __instancecheck__(cls, instance: Any) -> bool:
        return super().__instancecheck__(instance) or super().__instancecheck__(getattr(instance, "universal", None))


class ufunc(metaclass=_Universal):
    """A function of elements as one of arrays, with methods that go over an array with it.

    Args:
      func: a function of `nin` numbers that gives `nout`.
      nin, nout: how many operands and results it has.
      name: by default that of `func`.
      nargs: how many operands `func` has, by default `nin`.
      identity: the number that combined with another gives that other; None: there is none.
      call: the function of arrays, where there is something better than `vectorize(func)`.
      shortcuts: what does the same as methods of this one.

    >>> import functorch_lite.numpy as fnp
    >>> fnp.add.reduce(fnp.array([[1, 2], [3, 4]]))
    Array([4, 6], dtype=int32)
    >>> fnp.multiply.outer(fnp.arange(1, 3), fnp.arange(1, 4))
    Array([[1, 2, 3],
           [2, 4, 6]], dtype=int32)
    >>> larger = fnp.frompyfunc(lambda a, b: fnp.where(a > b, a, b), 2, 1)
    >>> larger.accumulate(fnp.array([1, 3, 2, 5]))
    Array([1, 3, 3, 5], dtype=int32)
    """

    def __init__(
        self,
        func: Callable[..., Any],
        /,
        nin: int,
        nout: int,
        *,
        name: str | None = None,
        nargs: int | None = None,
        identity: Any = None,
        call: Callable[..., Any] | None = None,
        shortcuts: Shortcuts | None = None,
    ):
        self.__name__ = name or func.__name__
        self.__doc__ = func.__doc__
        self.func = func
        self.nin = operator.index(nin)
        self.nout = operator.index(nout)
        self.nargs = operator.index(nargs or nin)
        self.identity = identity
        self.call = vectorize(func) if call is None else call
        self.shortcuts = shortcuts or _NO_SHORTCUTS

    def _key(self) -> tuple[Any, ...]:
        return self.func, self.__name__, self.nin, self.nout, self.nargs, self.identity

    def __eq__(self, other: Any) -> bool:
        return isinstance(other, ufunc) and self._key() == other._key()

    def __hash__(self) -> int:
        return hash(self._key())

    def __reduce__(self) -> Any:
        options = {"name": self.__name__, "nargs": self.nargs, "identity": self.identity}
        return functools.partial(ufunc, **options), (self.func, self.nin, self.nout)

    def __repr__(self) -> str:
        return f"<ufunc {self.__name__!r}>"

    @transparent
    def __call__(self, *args: Any, out: None = None, where: None = None) -> Any:
        """The function of each element of the arguments, which broadcast."""
        no_out(self.__name__, out)
        if where is not None:
            raise UnsupportedError(f"{self.__name__} takes no mask `where`: use functorch_lite.numpy.where.")
        if len(args) != self.nargs:
            raise ArgumentError(f"{self.__name__} takes {self.nargs} arrays, got {len(args)}.")
        return self.call(*args)

    def _check_binary(self, method: str) -> str:
        """The method's name for messages, if the function has two operands and one result."""
        name = f"{self.__name__}.{method}"
        if (self.nin, self.nout) != (2, 1):
            raise ArgumentError(
                f"{name} needs a function of two operands with one result, but {self.__name__} has {self.nin} and {self.nout}."
            )
        return name

    def _dtype(self, x: Any, dtype: Any) -> np.dtype:
        """The dtype of what is carried from element to element."""
        if dtype is not None:
            return dtypes.as_dtype(dtype)
        element = type_of(x).update(shape=())
        return eval_shape(self.call, element, element).dtype

    @transparent
    def reduce(
        self,
        a: Any,
        axis: Any = 0,
        dtype: Any = None,
        out: None = None,
        keepdims: bool = False,
        initial: Any = None,
        where: Any = None,
    ) -> Any:
        """Elements along an axis combined from first to last.

        Args:
          a: an array.
          axis: along which axis, or axes; None: all.
          dtype: the dtype in which to combine, and of the result.
          out: must be None, arrays do not change.
          keepdims: whether to leave the axis in, with length 1.
          initial: what to start from; by default the first element, or the identity where there is none.
          where: a mask; elements where it is false are left out.
        """
        name = self._check_binary("reduce")
        no_out(name, out)
        x = as_operand(a)
        if where is not None and self.identity is None and initial is None:
            raise ArgumentError(f"{name} with a mask `where` needs `initial`: {self.__name__} has no identity.")
        if where is not None and not dtypes.is_bool(as_operand(where).dtype):
            raise DTypeError(f"{name}: the mask `where` must be boolean, got {type_of(as_operand(where))}.")
        axes = axes_of(name, axis, x.ndim)
        if self.shortcuts.reduce is not None:
            return self.shortcuts.reduce(x, axes, dtype, keepdims, initial, where)
        dtype = self._dtype(x, dtype)
        rows, kept = _rows(x, axes)
        mask = None if where is None else _rows(broadcast_to(as_operand(where), x.shape), axes)[0]
        if initial is None and (mask is not None or not rows.shape[0]):
            initial = self.identity
        if initial is None:
            if not rows.shape[0]:
                raise ArgumentError(f"{name} of {x.type}: there is nothing along {axis=}, and no identity.")
            initial, rows = rows[0], rows[1:]
        start = broadcast_to(cast(as_operand(initial), dtype), kept)
        out = self._folded(start, cast(rows, dtype), mask)
        return reductions.keep(out, tuple(sorted(axes)), keepdims)

    def _folded(self, start: Any, rows: Any, mask: Any) -> Any:
        def step(value: Any, row: Any) -> tuple[Any, None]:
            element, counts = row
            new = cast(self.call(value, element), value.dtype)
            return new if counts is None else where3(counts, new, value), None

        return scan(step, start, (rows, mask))[0]

    @transparent
    def accumulate(self, a: Any, axis: int = 0, dtype: Any = None, out: None = None) -> Any:
        """What the first 1, 2, 3, ... elements along an axis are, combined.

        Args:
          a: an array.
          axis: along which.
          dtype: the dtype in which to combine, and of the result.
          out: must be None, arrays do not change.
        """
        name = self._check_binary("accumulate")
        no_out(name, out)
        x = as_operand(a)
        if axis is None or isinstance(axis, (tuple, list)):
            raise ArgumentError(f"{name} goes along one axis, got {axis=}.")
        place = axis_of(name, axis, x.ndim)
        if self.shortcuts.accumulate is not None:
            return self.shortcuts.accumulate(x, place, dtype)
        rows = moveaxis(cast(x, self._dtype(x, dtype)), place, 0)
        if not x.size:
            return moveaxis(rows, 0, place)

        def step(value: Any, row: Any) -> tuple[Any, Any]:
            new = cast(self.call(value, row), value.dtype)
            return new, new

        _, later = scan(step, rows[0], rows[1:])
        return moveaxis(append(rows[:1], later, 0), 0, place)

    @transparent
    def at(self, a: Any, indices: Any, b: Any = None, /, *, inplace: bool = True) -> Any:
        """`a` with the elements of an index combined with `b`, one after the other: an element that is named twice, twice.

        Args:
          a: an array.
          indices: an index.
          b: values for a function of two operands; they broadcast to the elements of the index.
          inplace: must be False: arrays do not change, the result is a new one.
        """
        if inplace:
            raise ImmutableArrayError(
                f"{self.__name__}.at cannot change its operand, arrays are immutable: write "
                f"x = {self.__name__}.at(x, indices, ..., inplace=False)."
            )
        x = as_operand(a)
        operands = [] if b is None else [as_operand(b)]
        if len(operands) != self.nin - 1:
            raise ArgumentError(
                f"{self.__name__}.at: {self.__name__} has {self.nin} operands, got {1 + len(operands)}."
            )
        if isinstance(indices, list):
            indices = np.asarray(indices)
        if self.shortcuts.update is not None and not dtypes.is_bool(x.dtype):
            return getattr(AtIndex(x, indices), self.shortcuts.update)(*operands)
        if not is_boolean(indices) and not read_index(x.type, indices).axes:  # no element is named twice
            return AtIndex(x, indices).set(self.call(x[indices], *operands))
        places = arange(x.size).reshape(x.shape)[indices]
        values = [ravel(broadcast_to(v, places.shape)) for v in operands]

        def step(flat: Any, row: Any) -> tuple[Any, None]:
            place, *others = row
            return AtIndex(flat, place).set(cast(self.call(flat[place], *others), flat.dtype)), None

        return reshape(scan(step, ravel(x), [ravel(places), *values])[0], x.shape)

    @transparent
    def reduceat(self, a: Any, indices: Any, axis: int = 0, dtype: Any = None, out: None = None) -> Any:
        """Stretches along an axis, each from an index to the next, reduced; of an index that is not below the next, its element.

        Args:
          a: an array.
          indices: where the stretches begin: a vector of integers.
          axis: along which.
          dtype: the dtype in which to combine, and of the result.
          out: must be None, arrays do not change.
        """
        name = self._check_binary("reduceat")
        no_out(name, out)
        x, starts = as_operand(a), as_operand(np.asarray(indices) if isinstance(indices, (list, tuple)) else indices)
        if starts.ndim != 1 or not dtypes.is_integer(starts.dtype):
            raise ShapeError(f"{name} needs a vector of integers as indices, got {starts.type}.")
        if axis is None or isinstance(axis, (tuple, list)):
            raise ArgumentError(f"{name} goes along one axis, got {axis=}.")
        place = axis_of(name, axis, x.ndim)
        reduced = eval_shape(lambda v: self.reduce(v, dtype=dtype), type_of(x).update(shape=(1,)))
        rows = moveaxis(cast(x, reduced.dtype), place, 0)
        n = rows.shape[0]
        ends = append(starts[1:], filled(n, (1,), starts.dtype))
        shape = (-1,) + (1,) * (rows.ndim - 1)
        starts_, ends_ = reshape(starts, shape), reshape(ends, shape)

        def step(i: Any, value: Any) -> Any:
            inside = (starts_ < i) & (i < ends_)
            return where3(inside, cast(self.call(value, rows[i]), value.dtype), value)

        return moveaxis(fori_loop(0, n, step, take(rows, starts, 0)), 0, place)

    @transparent
    def outer(self, A: Any, B: Any, /) -> Any:
        """The function of each pair of an element of `A` and one of `B`: its shape is that of `A`, then that of `B`."""
        self._check_binary("outer")
        x, y = as_operand(A), as_operand(B)
        return self.call(reshape(x, (*x.shape, *(1,) * y.ndim)), y)


def _rows(x: Any, axes: tuple[int, ...]) -> tuple[Any, tuple[Any, ...]]:
    """`x` with the axes joined to one, the first; and the lengths of the others."""
    flat, kept = extremes.flattened(x, axes)
    return moveaxis(flat, -1, 0), kept


def frompyfunc(func: Callable[..., Any], /, nin: int, nout: int, *, identity: Any = None) -> ufunc:
    """The function of arrays that `func` is of their elements, with the methods of a `ufunc`.

    Args:
      func: a function of `nin` numbers that gives `nout`.
      nin, nout: how many operands and results it has.
      identity: the number that combined with another gives that other; None: there is none.

    >>> import functorch_lite.numpy as fnp
    >>> add = frompyfunc(lambda x, y: x + y, 2, 1, identity=0)
    >>> add.at(fnp.arange(4), fnp.array([1, 1]), 10, inplace=False)
    Array([ 0, 21,  2,  3], dtype=int32)
    """
    return ufunc(func, nin, nout, identity=identity)


_ATTRIBUTES = ("nin", "nout", "nargs", "identity", "reduce", "accumulate", "at", "reduceat", "outer")


def install(face: Mapping[str, Any]) -> None:
    """Give the functions that are ufuncs in NumPy the attributes and methods of one."""
    for name, function in face.items():
        like = vars(np).get(name)
        if isinstance(like, np.ufunc) and like.signature is None and not hasattr(function, "universal"):
            shortcuts = SHORTCUTS.get(name)
            own = ufunc(function, like.nin, like.nout, identity=like.identity, call=function, shortcuts=shortcuts)
            vars(function).update(universal=own, **{a: getattr(own, a) for a in _ATTRIBUTES})
