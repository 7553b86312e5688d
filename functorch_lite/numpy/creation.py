"""Functions that make arrays: from host values, filled, ranges, grids, triangles."""

from __future__ import annotations

import math
import operator
from collections.abc import Callable, Sequence
from typing import Any

import numpy as np

from .. import dtypes
from ..arrays import Array, from_host, type_of
from ..errors import DTypeError, ShapeError
from ..primitives import elementwise as e
from ..primitives.slicing import concatenate, iota
from ..primitives.structural import broadcast_in_dim, reshape
from ..promotion import as_operand, cast, promote
from ..tracing import Tracer
from ..tree import flatten
from .elementwise import like
from .manipulation import moveaxis, transpose

__all__ = [
    "arange",
    "array",
    "asarray",
    "astype",
    "copy",
    "diag_indices",
    "diag_indices_from",
    "empty",
    "empty_like",
    "eye",
    "from_dlpack",
    "frombuffer",
    "fromfunction",
    "full",
    "full_like",
    "geomspace",
    "identity",
    "indices",
    "linspace",
    "logspace",
    "meshgrid",
    "ones",
    "ones_like",
    "tri",
    "tril",
    "tril_indices",
    "tril_indices_from",
    "triu",
    "triu_indices",
    "triu_indices_from",
    "vander",
    "zeros",
    "zeros_like",
]


def shape_of(shape: Any) -> tuple[Any, ...]:
    """A shape from an integer or a sequence of them."""
    if isinstance(shape, (np.ndarray, Array)) and shape.ndim:
        return tuple(map(int, np.asarray(shape)))
    lengths = shape if isinstance(shape, (tuple, list)) else (shape,)
    found = tuple(n if type(n) is int else operator.index(n) if hasattr(n, "__index__") else n for n in lengths)
    if any(isinstance(n, (float, str)) or (type(n) is int and n < 0) for n in found):
        raise ShapeError(f"a shape is an integer or a tuple of integers, none of them below zero; got {shape!r}.")
    return found


def filled(value: Any, shape: tuple[Any, ...], dtype: np.dtype) -> Any:
    """An array of one value."""
    return cast(broadcast_in_dim(dtype.type(value), shape=shape, dims=()), dtype, False)


def _dtype(dtype: Any, default: np.dtype) -> np.dtype:
    return default if dtype is None else dtypes.as_dtype(dtype)


def array(
    object: Any,
    dtype: Any = None,
    *,
    copy: bool = True,
    order: str | None = "K",
    ndmin: int = 0,
    device: Any = None,
) -> Any:
    """An array of what `object` holds.

    Args:
      object: a number, an array, or nested sequences of these; arrays and tracers may stand inside sequences.
      dtype: the dtype; None: that of the object. Python's numbers have the default dtypes of their kinds.
      copy: taken for NumPy's sake; arrays never change.
      order: "K", "C", "A" or None.
      ndmin: axes of length 1 are put in front until there are so many.
      device: where to put it.

    >>> array([1, 2.5])
    Array([1. , 2.5], dtype=float32)
    """
    x = _array(object, None if dtype is None else dtypes.as_dtype(dtype))
    if ndmin > x.ndim:
        x = reshape(x, shape=(1,) * (ndmin - x.ndim) + tuple(x.shape))
    return x


def _array(value: Any, dtype: np.dtype | None) -> Any:
    if isinstance(value, (list, tuple)):
        return _nested(value, dtype)
    if isinstance(value, np.ndarray) and value.dtype == object:
        return _nested(value.tolist(), dtype)
    if not isinstance(value, (Array, Tracer, np.ndarray, np.generic, bool, int, float, complex)) and not hasattr(
        value, "__jax_array__"
    ):
        value = np.asarray(value)
    if dtype is None:
        return as_operand(value)
    if isinstance(value, (Array, Tracer)):
        return cast(value, dtype)
    if isinstance(value, (int, float, complex, np.ndarray, np.generic)):
        return from_host(_host_cast(value, dtype))
    return cast(as_operand(value), dtype)


def _host_cast(value: Any, dtype: np.dtype) -> Any:
    """A host value in a dtype; Python's integers must fit."""
    if type(value) is int and dtypes.is_integer(dtype):
        return np.asarray(value, dtype)[()]
    value = np.asarray(value)
    if dtypes.is_complex(value.dtype) and not dtypes.is_complex(dtype) and not dtypes.is_bool(dtype):
        value = value.real
    return value.astype(dtype)[()]


def _nested(values: Sequence[Any], dtype: np.dtype | None) -> Any:
    """An array of nested sequences. Leaves that are arrays decide the dtype together with the numbers."""
    leaves = flatten(values)[0]
    if not any(isinstance(x, (Array, Tracer)) for x in leaves):
        try:
            host = np.asarray(values)
        except ValueError:
            raise ShapeError(
                f"array: nested sequences of one level need equal lengths, got {values!r:.60}: pad the shorter ones."
            ) from None
        if host.dtype == object:
            kinds = sorted({type(x).__name__ for x in host.ravel().tolist()})
            raise DTypeError(f"array: the nested sequences hold {', '.join(kinds)}; needed are numbers.")
        if dtype is None:
            strong = any(isinstance(x, (np.ndarray, np.generic)) for x in leaves)
            kind = host.dtype.kind
            dtype = (
                dtypes.result_type(*leaves)
                if strong
                else dtypes.as_dtype({"b": bool, "i": int, "u": int, "f": float, "c": complex}.get(kind, host.dtype))
            )
            if dtypes.is_integer(dtype) and host.size and not strong:
                limits = np.iinfo(dtype)
                if host.max() > limits.max or host.min() < limits.min:
                    raise OverflowError(f"array: an integer does not fit {dtype.name}: give a wider dtype.")
        return from_host(_host_cast(host, dtype))
    dtype = dtype or dtypes.result_type(*leaves)
    return _stacked(values, dtype)


def _stacked(values: Any, dtype: np.dtype) -> Any:
    if not isinstance(values, (list, tuple)):
        return _array(values, dtype)
    from_rows = [_stacked(v, dtype) for v in values]
    shapes = {tuple(v.shape) for v in from_rows}
    if len(shapes) > 1:
        raise ShapeError(
            f"array: the elements of a sequence have shapes {' and '.join(str(list(s)) for s in shapes)}; they must be equal."
        )
    if not from_rows:
        return filled(0, (0,), dtype)
    rows = [reshape(v, shape=(1, *v.shape)) for v in from_rows]
    return _concatenated(rows)


def _concatenated(rows: Sequence[Any]) -> Any:
    return concatenate(*rows, dimension=0) if len(rows) > 1 else rows[0]


def asarray(
    a: Any, dtype: Any = None, order: str | None = None, *, copy: bool | None = None, device: Any = None
) -> Any:
    """`a` as an array; the same as `array`.

    Args:
      a: a number, an array, or nested sequences of these.
      dtype: the dtype; None: that of `a`.
      order: taken for NumPy's sake.
      copy: taken for NumPy's sake; False raises where a copy is needed.
      device: where to put it.

    Raises:
      ValueError: if `copy` is False and `a` is not an array already.
    """
    if copy is False and not isinstance(a, (Array, Tracer)):
        raise ValueError(f"asarray: a {type(a).__name__} has to be copied, but copy=False was given.")
    if dtype is None and isinstance(a, (Array, Tracer)):
        return a
    return array(a, dtype)


def copy(a: Any, order: str | None = None) -> Any:
    """A copy of an array; as arrays never change, the array itself."""
    return array(a)


def astype(x: Any, dtype: Any, /, *, copy: bool = False, device: Any = None) -> Any:
    """`x` in another dtype: floats to integers drop what follows the point, complex to real the imaginary part.

    Args:
      x: an array.
      dtype: the dtype; None: the default float.
      copy: taken for NumPy's sake.
      device: where to put it.
    """
    return cast(as_operand(x), _dtype(dtype, dtypes.default_float()), False)


def zeros(shape: Any, dtype: Any = None, *, device: Any = None) -> Any:
    """An array of zeros; of the default float dtype if none is given."""
    return filled(0, shape_of(shape), _dtype(dtype, dtypes.default_float()))


def ones(shape: Any, dtype: Any = None, *, device: Any = None) -> Any:
    """An array of ones; of the default float dtype if none is given."""
    return filled(1, shape_of(shape), _dtype(dtype, dtypes.default_float()))


def empty(shape: Any, dtype: Any = None, *, device: Any = None) -> Any:
    """An array whose elements mean nothing: zeros."""
    return zeros(shape, dtype)


def full(shape: Any, fill_value: Any, dtype: Any = None, *, device: Any = None) -> Any:
    """An array of one value, or of an array that is stretched.

    Args:
      shape: an integer or a sequence of integers.
      fill_value: a number, or an array that broadcasts to the shape.
      dtype: the dtype; None: that of the value.
      device: where to put it.
    """
    value, shape = asarray(fill_value, dtype), shape_of(shape)
    return broadcast_in_dim(value, shape=shape, dims=tuple(range(len(shape) - value.ndim, len(shape))))


def _like(a: Any, dtype: Any, shape: Any) -> tuple[Any, np.dtype]:
    found = (
        a
        if hasattr(a, "shape") and hasattr(a, "dtype")
        else as_operand(np.asarray(a) if isinstance(a, (list, tuple)) else a)
    )
    return (tuple(found.shape) if shape is None else shape_of(shape)), _dtype(dtype, dtypes.as_dtype(found.dtype))


def zeros_like(a: Any, dtype: Any = None, shape: Any = None, *, device: Any = None) -> Any:
    """Zeros in the shape and dtype of `a`, or those given."""
    shape, dtype = _like(a, dtype, shape)
    return filled(0, shape, dtype)


def ones_like(a: Any, dtype: Any = None, shape: Any = None, *, device: Any = None) -> Any:
    """Ones in the shape and dtype of `a`, or those given."""
    shape, dtype = _like(a, dtype, shape)
    return filled(1, shape, dtype)


def empty_like(prototype: Any, dtype: Any = None, shape: Any = None, *, device: Any = None) -> Any:
    """An array whose elements mean nothing (zeros), in the shape and dtype of `prototype`, or those given."""
    return zeros_like(prototype, dtype, shape)


def full_like(a: Any, fill_value: Any, dtype: Any = None, shape: Any = None, *, device: Any = None) -> Any:
    """One value in the shape and dtype of `a`, or those given."""
    shape, dtype = _like(a, dtype, shape)
    return full(shape, fill_value, dtype)


# Ranges.


def arange(start: Any, stop: Any = None, step: Any = None, dtype: Any = None, *, device: Any = None) -> Any:
    """start, start + step, ... below `stop` (above it for a negative step).

    Args:
      start: the first number; where it stands alone, the end, and 0 is the first.
      stop: the end, which is not reached.
      step: by default 1.
      dtype: by default that of the numbers: int32, or float32 if one is a float.
      device: where to put it.

    Raises:
      TracerIntegerConversionError: if a number is traced: the length must be known.

    >>> arange(1, 2, 0.25)
    Array([1.  , 1.25, 1.5 , 1.75], dtype=float32)
    """
    if stop is None:
        start, stop = 0, start
    numbers = [_number(x) for x in (start, stop, 1 if step is None else step)]
    if dtype is None:
        found = [x for x in (start, stop, step) if x is not None]
        dtype = dtypes.result_type(*found)
    dtype = dtypes.as_dtype(dtype)
    host = np.arange(*numbers)
    if dtypes.is_floating(dtype) and host.dtype.kind == "f" and len(host):
        host = numbers[0] + np.arange(len(host)) * numbers[2]
    return from_host(host.astype(dtype))


def _number(x: Any) -> Any:
    """A known number; integers as Python's."""
    if isinstance(x, (bool, int, float)) and not isinstance(x, np.generic):
        return x
    if isinstance(x, Tracer):
        if dtypes.is_integer(x.dtype):
            return operator.index(x)
        return float(x)  # raises, and says why
    return np.asarray(x).item()


def linspace(
    start: Any,
    stop: Any,
    num: int = 50,
    endpoint: bool = True,
    retstep: bool = False,
    dtype: Any = None,
    axis: int = 0,
    *,
    device: Any = None,
) -> Any:
    """`num` numbers at equal distances from `start` to `stop`.

    Args:
      start, stop: the ends: numbers, or arrays that broadcast together.
      num: how many.
      endpoint: whether `stop` is the last of them.
      retstep: whether to give (numbers, distance).
      dtype: by default floating; for an integer dtype the numbers are rounded down.
      axis: where the new axis stands in the result.
      device: where to put it.

    >>> linspace(0, 1, 5)
    Array([0.  , 0.25, 0.5 , 0.75, 1.  ], dtype=float32)
    """
    num = operator.index(num)
    if num < 0:
        raise ValueError(f"linspace: num must not be negative, got {num}.")
    target = dtypes.as_dtype(dtype) if dtype is not None else dtypes.to_inexact(dtypes.result_type(start, stop, float))
    within = dtypes.to_inexact(dtypes.result_type(start, stop, float))
    if dtypes.is_inexact(target):
        within = dtypes.promote_types(within, target) if dtype is None or not dtypes.is_complex(within) else within
        within = target if dtypes.itemsize(target) >= 4 else np.dtype(np.float32)
    a, b = promote("linspace", cast(asarray(start), within), cast(asarray(stop), within))
    shape = a.shape or b.shape
    a, b = (broadcast_in_dim(v, shape=(1, *shape), dims=tuple(range(1, len(v.shape) + 1))) for v in (a, b))
    intervals = num - 1 if endpoint else num
    rank = len(shape) + 1
    k = from_host(np.arange(num).astype(dtypes.real_dtype(within)) / dtypes.real_dtype(within).type(max(intervals, 1)))
    k = broadcast_in_dim(cast(k, within), shape=(num, *(1,) * (rank - 1)), dims=(0,))
    one_less = e.sub(like(k, 1), k)
    out = e.add(e.mul(*promote("linspace", a, one_less)), e.mul(*promote("linspace", b, k)))
    axis = axis % rank
    out = moveaxis(out, 0, axis)
    if dtypes.is_integer(target) and not dtypes.is_integer(within):
        out = e.floor(out)
    out = cast(out, target)
    if not retstep:
        return out
    step = e.div(e.sub(b, a), like(b, max(intervals, 1) if intervals else math.nan))
    return out, reshape(step, shape=tuple(shape))


def logspace(
    start: Any, stop: Any, num: int = 50, endpoint: bool = True, base: Any = 10.0, dtype: Any = None, axis: int = 0
) -> Any:
    """`base` to the powers `linspace(start, stop, num)`."""
    exponents = linspace(start, stop, num, endpoint, axis=axis)
    out = e.pow_(*promote("logspace", cast(asarray(base), exponents.dtype), exponents))
    return out if dtype is None else astype(out, dtype)


def geomspace(start: Any, stop: Any, num: int = 50, endpoint: bool = True, dtype: Any = None, axis: int = 0) -> Any:
    """`num` numbers of equal ratios from `start` to `stop`, which have one sign."""
    target = dtypes.as_dtype(dtype) if dtype is not None else dtypes.to_inexact(dtypes.result_type(start, stop, float))
    within = dtypes.to_inexact(target)
    a, b = promote("geomspace", cast(asarray(start), within), cast(asarray(stop), within))
    sign = e.sign(a)
    out = e.exp(linspace(e.log(e.div(a, sign)), e.log(e.div(b, sign)), num, endpoint, axis=0))
    out = e.mul(*promote("geomspace", out, sign))
    return cast(moveaxis(out, 0, axis), target)


# Grids and triangles.


def eye(N: int, M: int | None = None, k: Any = 0, dtype: Any = None, *, device: Any = None) -> Any:
    """A matrix with ones on a diagonal, zeros elsewhere.

    Args:
      N: rows.
      M: columns; None: as many as rows.
      k: which diagonal; positive: above the main one.
      dtype: by default the default float.
      device: where to put it.
    """
    shape = (operator.index(N), operator.index(N if M is None else M))
    rows, columns = _places(shape)
    return cast(e.eq(e.add(rows, _offset(k)), columns), _dtype(dtype, dtypes.default_float()))


def _offset(k: Any) -> Any:
    return np.int32(k) if isinstance(k, int) else cast(asarray(k), np.dtype(np.int32))


def _places(shape: tuple[Any, ...]) -> tuple[Any, Any]:
    """Row and column of each element of matrices."""
    int32 = np.dtype(np.int32)
    return tuple(iota(dtype=int32, shape=shape, dimension=i) for i in (0, 1))  # type: ignore[return-value]


def identity(n: int, dtype: Any = None) -> Any:
    """The identity matrix with n rows."""
    return eye(n, dtype=dtype)


def tri(N: int, M: int | None = None, k: int = 0, dtype: Any = None) -> Any:
    """A matrix with ones on and below diagonal `k`, zeros above."""
    return cast(_lower((N, N if M is None else M), k), _dtype(dtype, dtypes.default_float()))


def _lower(shape: tuple[Any, ...], k: Any) -> Any:
    rows, columns = _places(shape)
    return e.ge(e.add(rows, _offset(k)), columns)


def _triangle(name: str, m: Any, k: int, upper: bool) -> Any:
    x = asarray(m)
    if x.ndim < 2:
        raise ShapeError(f"{name} needs an array of at least 2 axes, got {type_of(x)}.")
    lower = _lower(x.shape[-2:], k - 1 if upper else k)
    lower = broadcast_in_dim(lower, shape=x.shape, dims=(x.ndim - 2, x.ndim - 1)) if x.ndim > 2 else lower
    return e.select(lower, x, like(x, 0)) if upper else e.select(lower, like(x, 0), x)


def tril(m: Any, k: int = 0) -> Any:
    """Matrices with zeros above diagonal `k`."""
    return _triangle("tril", m, k, upper=False)


def triu(m: Any, k: int = 0) -> Any:
    """Matrices with zeros below diagonal `k`."""
    return _triangle("triu", m, k, upper=True)


def _host_indices(found: Any) -> tuple[Any, ...]:
    return tuple(from_host(i.astype(dtypes.default_int())) for i in found)


def tril_indices(n: int, k: int = 0, m: int | None = None) -> tuple[Any, ...]:
    """Rows and columns of the lower triangle of an (n, m) matrix."""
    return _host_indices(np.tril_indices(n, k, m))


def triu_indices(n: int, k: int = 0, m: int | None = None) -> tuple[Any, ...]:
    """Rows and columns of the upper triangle of an (n, m) matrix."""
    return _host_indices(np.triu_indices(n, k, m))


def tril_indices_from(arr: Any, k: int = 0) -> tuple[Any, ...]:
    """`tril_indices` for the shape of a matrix."""
    return tril_indices(arr.shape[-2], k, arr.shape[-1])


def triu_indices_from(arr: Any, k: int = 0) -> tuple[Any, ...]:
    """`triu_indices` for the shape of a matrix."""
    return triu_indices(arr.shape[-2], k, arr.shape[-1])


def diag_indices(n: int, ndim: int = 2) -> tuple[Any, ...]:
    """The indices of the main diagonal of an array with `ndim` axes of length n."""
    return (arange(n),) * ndim


def diag_indices_from(arr: Any) -> tuple[Any, ...]:
    """The indices of the main diagonal of an array whose axes are equally long."""
    if len(set(arr.shape)) > 1:
        raise ShapeError(f"diag_indices_from needs axes of equal length, got shape {tuple(arr.shape)}.")
    return diag_indices(arr.shape[0], len(arr.shape))


def meshgrid(*xi: Any, copy: bool = True, sparse: bool = False, indexing: str = "xy") -> list[Any]:
    """Coordinate arrays of a grid.

    Args:
      *xi: the coordinates along each axis, each of rank 1.
      copy: taken for NumPy's sake.
      sparse: whether to leave the axes that do not vary at length 1.
      indexing: "xy": the first two axes are swapped, as pictures have them; "ij": they are not.
    """
    if indexing not in ("xy", "ij"):
        raise ValueError(f"meshgrid: indexing must be 'xy' or 'ij', got {indexing!r}.")
    lines = [asarray(x) for x in xi]
    if any(x.ndim > 1 for x in lines):
        raise ShapeError("meshgrid needs coordinates of rank 1.")
    rank = len(lines)
    places = list(range(rank))
    if indexing == "xy" and rank > 1:
        places[:2] = [1, 0]
    shape = [0] * rank
    for x, p in zip(lines, places, strict=True):
        shape[p] = x.size
    out = []
    for x, p in zip(lines, places, strict=True):
        x = reshape(x, shape=(x.size,))
        full_shape = tuple(x.size if i == p else 1 for i in range(rank)) if sparse else tuple(shape)
        out.append(broadcast_in_dim(x, shape=full_shape, dims=(p,)))
    return out


def indices(dimensions: Sequence[int], dtype: Any = None, sparse: bool = False) -> Any:
    """The index of each element of a grid along each axis: int[axes, *dimensions]; a tuple of arrays if `sparse`."""
    dtype, shape = _dtype(dtype, dtypes.default_int()), shape_of(dimensions)
    if sparse:
        lines = [iota(dtype=dtype, shape=(n,), dimension=0) for n in shape]
        return tuple(
            broadcast_in_dim(x, shape=tuple(n if j == i else 1 for j, n in enumerate(shape)), dims=(i,))
            for i, x in enumerate(lines)
        )
    if not shape:
        return filled(0, (0,), dtype)
    return _concatenated(
        [reshape(iota(dtype=dtype, shape=shape, dimension=i), shape=(1, *shape)) for i in range(len(shape))]
    )


def vander(x: Any, N: int | None = None, increasing: bool = False) -> Any:
    """The matrix of powers of the elements of a vector: column j holds x^(N - 1 - j), or x^j if `increasing`."""
    x = asarray(x)
    if x.ndim != 1:
        raise ShapeError(f"vander needs a vector, got {type_of(x)}.")
    n = x.shape[0] if N is None else N
    if dtypes.is_bool(x.dtype):
        x = cast(x, dtypes.default_int())
    powers = range(n) if increasing else range(n - 1, -1, -1)
    columns = [reshape(e.integer_pow(x, y=p) if p else ones_like(x), shape=(1, x.shape[0])) for p in powers]
    return transpose(_concatenated(columns)) if columns else filled(0, (x.shape[0], 0), x.dtype)


def fromfunction(function: Callable[..., Any], shape: Any, *, dtype: Any = float, **kwargs: Any) -> Any:
    """`function` of the indices along each axis of a grid."""
    shape = shape_of(shape)
    dtype = dtypes.as_dtype(dtype)
    return function(*(iota(dtype=dtype, shape=shape, dimension=i) for i in range(len(shape))), **kwargs)


def frombuffer(buffer: Any, dtype: Any = float, count: int = -1, offset: int = 0) -> Any:
    """A vector of the numbers in a buffer of bytes."""
    return asarray(np.frombuffer(buffer, dtypes.as_dtype(dtype), count, offset))


def from_dlpack(x: Any, /, *, device: Any = None, copy: bool | None = None) -> Any:
    """An array of what another library's array holds, by the DLPack protocol."""
    return asarray(x) if isinstance(x, (Array, Tracer)) else asarray(np.from_dlpack(x))
