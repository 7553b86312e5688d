"""Sums of products: dot, matmul, einsum, tensordot and friends; diagonals and traces; convolution of vectors."""

from __future__ import annotations

import operator
from collections.abc import Callable, Sequence
from typing import Any

import numpy as np

from .. import dtypes
from ..arrays import Array, from_host, type_of
from ..errors import ArgumentError, ShapeError
from ..indexing import getitem
from ..primitives import elementwise as e
from ..primitives.contraction import dot_general
from ..primitives.slicing import pad as pad_p
from ..primitives.structural import broadcast_to, reduce_sum, reshape
from ..promotion import as_operand, broadcast_shapes, cast, promote, promote_dtypes
from ..tracing import Tracer
from .axes import axes_of, axis_of
from .creation import filled
from .elementwise import conj, like, multiply, no_out
from .manipulation import concatenate, flip, moveaxis, ravel, transpose
from .reductions import sum as sum_

__all__ = [
    "convolve",
    "correlate",
    "cross",
    "diag",
    "diagflat",
    "diagonal",
    "dot",
    "einsum",
    "einsum_path",
    "inner",
    "kron",
    "matmul",
    "matvec",
    "outer",
    "tensordot",
    "trace",
    "vdot",
    "vecdot",
    "vecmat",
]


def _contract(x: Any, y: Any, contracting: Any, batch: Any = ((), ()), preferred: Any = None) -> Any:
    """`dot_general` of promoted operands; booleans by way of integers."""
    x, y = promote_dtypes(as_operand(x), as_operand(y))
    numbers = (tuple(map(tuple, contracting)), tuple(map(tuple, batch)))
    preferred = None if preferred is None else dtypes.as_dtype(preferred)
    if dtypes.is_bool(x.dtype):
        x, y = (cast(v, dtypes.default_int()) for v in (x, y))
        out = dot_general(x, y, dimension_numbers=numbers)
        return e.ne(out, like(out, 0)) if preferred is None else cast(out, preferred)
    if preferred is None or preferred == x.dtype:
        return dot_general(x, y, dimension_numbers=numbers)
    return dot_general(x, y, dimension_numbers=numbers, preferred=preferred)


def _pair(name: str, a: Any, b: Any) -> list[Any]:
    return [as_operand(a, f"an operand of {name}"), as_operand(b, f"an operand of {name}")]


def dot(a: Any, b: Any, *, precision: Any = None, preferred_element_type: Any = None) -> Any:
    """The sum of products over the last axis of `a` and the last but one of `b` (its only one, if it is a vector).

    Args:
      a, b: arrays; of numbers, the product.
      precision: taken for JAX's sake.
      preferred_element_type: the dtype in which to add up, and of the result.
    """
    x, y = _pair("dot", a, b)
    if not x.ndim or not y.ndim:
        out = multiply(x, y)
        return out if preferred_element_type is None else cast(out, dtypes.as_dtype(preferred_element_type))
    axis = max(y.ndim - 2, 0)
    if x.shape[-1] != y.shape[axis]:
        raise ShapeError(
            f"dot of {x.type} and {y.type}: the last axis of the first and axis {axis} of the second need equal lengths."
        )
    return _contract(x, y, ((x.ndim - 1,), (axis,)), preferred=preferred_element_type)


def matmul(a: Any, b: Any, *, precision: Any = None, preferred_element_type: Any = None) -> Any:
    """The product of matrices; axes before the last two broadcast. Vectors count as a row (first operand) or a column.

    Args:
      a: [..., n, k] or [k].
      b: [..., k, m] or [k].
      precision: taken for JAX's sake.
      preferred_element_type: the dtype in which to add up, and of the result.

    Raises:
      ShapeError: for operands without axes, or if the lengths k differ.
    """
    x, y = _pair("matmul", a, b)
    if not x.ndim or not y.ndim:
        raise ShapeError(f"matmul needs arrays with axes, got {x.type} and {y.type}: use multiply for numbers.")
    axis = max(y.ndim - 2, 0)
    if x.shape[-1] != y.shape[axis]:
        raise ShapeError(
            f"matmul of {x.type} and {y.type}: axis {x.ndim - 1} of the first and axis {axis} of the second need equal lengths."
        )
    k = ((x.ndim - 1,), (axis,))
    if y.ndim <= 2:
        return _contract(x, y, k, preferred=preferred_element_type)
    if x.ndim == 1:
        return _contract(y, x, (k[1], k[0]), preferred=preferred_element_type)
    if x.ndim == 2:
        out = _contract(x, y, k, preferred=preferred_element_type)
        return moveaxis(out, 0, -2)
    lead = broadcast_shapes("matmul", [x.shape[:-2], y.shape[:-2]])
    x, y = broadcast_to(x, (*lead, *x.shape[-2:])), broadcast_to(y, (*lead, *y.shape[-2:]))
    n = len(lead)
    return _contract(x, y, ((n + 1,), (n,)), (range(n), range(n)), preferred_element_type)


def matvec(x1: Any, x2: Any, /) -> Any:
    """Matrices [..., n, k] times vectors [..., k]."""
    return einsum("...nk,...k->...n", x1, x2)


def vecmat(x1: Any, x2: Any, /) -> Any:
    """Vectors [..., k], conjugated, times matrices [..., k, m]."""
    return einsum("...k,...km->...m", conj(x1), x2)


def vdot(a: Any, b: Any, *, precision: Any = None, preferred_element_type: Any = None) -> Any:
    """The sum of products of all elements, those of `a` conjugated."""
    return dot(conj(ravel(a)), ravel(b), preferred_element_type=preferred_element_type)


def vecdot(x1: Any, x2: Any, /, *, axis: int = -1, precision: Any = None, preferred_element_type: Any = None) -> Any:
    """The sum of products along an axis, the elements of `x1` conjugated; other axes broadcast."""
    x, y = (moveaxis(v, axis, -1) for v in _pair("vecdot", x1, x2))
    return einsum("...k,...k->...", conj(x), y, preferred_element_type=preferred_element_type)


def inner(a: Any, b: Any, *, precision: Any = None, preferred_element_type: Any = None) -> Any:
    """The sum of products over the last axes."""
    x, y = _pair("inner", a, b)
    if not x.ndim or not y.ndim:
        return dot(x, y, preferred_element_type=preferred_element_type)
    return _contract(x, y, ((x.ndim - 1,), (y.ndim - 1,)), preferred=preferred_element_type)


def outer(a: Any, b: Any, out: None = None) -> Any:
    """The products of every element of `a` with every element of `b`: [size of a, size of b]."""
    no_out("outer", out)
    x, y = ravel(a), ravel(b)
    return multiply(reshape(x, shape=(x.shape[0], 1)), reshape(y, shape=(1, y.shape[0])))


def tensordot(a: Any, b: Any, axes: Any = 2, *, precision: Any = None, preferred_element_type: Any = None) -> Any:
    """The sum of products over several axes.

    Args:
      a, b: arrays.
      axes: how many: the last ones of `a` with the first ones of `b`; or (axes of `a`, axes of `b`).
      precision: taken for JAX's sake.
      preferred_element_type: the dtype in which to add up, and of the result.
    """
    x, y = _pair("tensordot", a, b)
    if isinstance(axes, (tuple, list)):
        first, second = (
            axes_of("tensordot", tuple(i) if isinstance(i, (tuple, list)) else i, v.ndim)
            for i, v in zip(axes, (x, y), strict=True)
        )
    else:
        n = operator.index(axes)
        if n > min(x.ndim, y.ndim):
            raise ShapeError(f"tensordot of {x.type} and {y.type} over {n} axes: there are not so many.")
        first, second = tuple(range(x.ndim - n, x.ndim)), tuple(range(n))
    return _contract(x, y, (first, second), preferred=preferred_element_type)


def kron(a: Any, b: Any) -> Any:
    """The Kronecker product: `b` multiplied by each element of `a`, put side by side."""
    x, y = _pair("kron", a, b)
    n = max(x.ndim, y.ndim)
    m, k = ((1,) * (n - v.ndim) + tuple(v.shape) for v in (x, y))
    out = multiply(reshape(x, shape=_interleaved(m, True)), reshape(y, shape=_interleaved(k, False)))
    return reshape(out, shape=tuple(i * j for i, j in zip(m, k, strict=True)))


def _interleaved(shape: Sequence[int], first: bool) -> tuple[int, ...]:
    """Each length with an axis of length 1 after it, or before it."""
    return tuple(n for length in shape for n in ((length, 1) if first else (1, length)))


def cross(a: Any, b: Any, axisa: int = -1, axisb: int = -1, axisc: int = -1, axis: int | None = None) -> Any:
    """The cross product of vectors of length 3 (or 2: the third component is 0; of two such, a number).

    Args:
      a, b: arrays that broadcast but for the axis of the vectors.
      axisa, axisb, axisc: the vectors' axis in `a`, in `b` and in the result.
      axis: all three of them.
    """
    if axis is not None:
        axisa = axisb = axisc = axis
    x, y = _pair("cross", a, b)
    x, y = moveaxis(x, axisa, -1), moveaxis(y, axisb, -1)
    if x.shape[-1] not in (2, 3) or y.shape[-1] not in (2, 3):
        raise ShapeError(
            f"cross needs vectors of length 2 or 3, got {x.type} and {y.type} with the vectors along the last axis."
        )
    flat = x.shape[-1] == y.shape[-1] == 2
    (x0, x1, x2), (y0, y1, y2) = _components(x), _components(y)
    last = x0 * y1 - x1 * y0
    if flat:
        return last
    parts = promote("cross", x1 * y2 - x2 * y1, x2 * y0 - x0 * y2, last)
    out = parts[0].shape
    from_parts = [reshape(broadcast_to(p, out), shape=(*out, 1)) for p in parts]
    return moveaxis(concatenate(from_parts, -1), -1, axisc)


def _components(x: Any) -> list[Any]:
    parts = [x[..., i] for i in range(x.shape[-1])]
    return parts if len(parts) == 3 else [*parts, e.mul(parts[0], like(x, 0))]


def diagonal(a: Any, offset: int = 0, axis1: int = 0, axis2: int = 1) -> Any:
    """The diagonals of matrices, along a new last axis.

    Args:
      a: an array with at least two axes.
      offset: which diagonal; positive: above the main one.
      axis1, axis2: the axes of rows and of columns.
    """
    x = as_operand(a)
    if x.ndim < 2:
        raise ShapeError(f"diagonal needs at least 2 axes, got {x.type}.")
    x = moveaxis(x, (axis_of("diagonal", axis1, x.ndim), axis_of("diagonal", axis2, x.ndim)), (x.ndim - 2, x.ndim - 1))
    k = operator.index(offset)
    rows, columns = x.shape[-2:]
    n = max(0, min(rows + min(k, 0), columns - max(k, 0)))
    i = np.arange(n)
    return getitem(x, (Ellipsis, i + max(-k, 0), i + max(k, 0)))


def trace(a: Any, offset: int = 0, axis1: int = 0, axis2: int = 1, dtype: Any = None, out: None = None) -> Any:
    """The sum of a diagonal; arguments as of `diagonal` and `sum`."""
    no_out("trace", out)
    return sum_(diagonal(a, offset, axis1, axis2), -1, dtype)


# Einstein's notation.

_LETTERS = "abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ"


def _notation(subscripts: Any, operands: Sequence[Any]) -> tuple[str, list[Any]]:
    """Subscripts as a string, and the operands, from either of NumPy's two forms."""
    if isinstance(subscripts, str):
        return subscripts.replace(" ", ""), list(operands)
    items = [subscripts, *operands]
    out = None
    if len(items) % 2:
        out = items.pop()

    def spelled(labels: Any) -> str:
        return "".join("..." if i is Ellipsis else _LETTERS[i] for i in labels)

    text = ",".join(spelled(labels) for labels in items[1::2])
    return text if out is None else f"{text}->{spelled(out)}", items[::2]


def _labels(subscripts: str, shapes: Sequence[Any]) -> tuple[list[str], str]:
    """Each operand's labels and the result's, with letters in place of ellipses."""
    before, arrow, result = subscripts.partition("->")
    terms = before.split(",")
    if len(terms) != len(shapes):
        raise ArgumentError(f"einsum {subscripts!r} speaks of {len(terms)} operands, but {len(shapes)} were given.")
    free = [c for c in _LETTERS if c not in subscripts]
    longest = 0
    spelled = []
    for term, shape in zip(terms, shapes, strict=True):
        if "..." in term:
            hidden = len(shape) - len(term) + 3
            if hidden < 0:
                raise ArgumentError(
                    f"einsum {subscripts!r}: {term!r} has more labels than the shape {tuple(shape)} has axes."
                )
            longest = max(longest, hidden)
            term = term.replace("...", "\0" * hidden)
        if len(term) != len(shape):
            raise ArgumentError(
                f"einsum {subscripts!r}: {term!r} needs as many labels as the shape {tuple(shape)} has axes."
            )
        spelled.append(term)
    dots = "".join(free[:longest])
    terms = []
    for term in spelled:
        hidden = term.count("\0")
        terms.append(term.replace("\0" * hidden, dots[longest - hidden :], 1) if hidden else term)
    if arrow:
        result = result.replace("...", dots)
    else:
        seen = before.replace("...", "").replace(",", "")
        result = dots + "".join(sorted(c for c in set(seen) if seen.count(c) == 1))
    unknown = [c for c in result if not any(c in term for term in terms)]
    if unknown or len(set(result)) != len(result):
        raise ArgumentError(
            f"einsum {subscripts!r}: labels of the result must each stand there once, and in some operand."
        )
    return terms, result


def _lengths(subscripts: str, terms: Sequence[str], operands: Sequence[Any]) -> dict[str, Any]:
    lengths: dict[str, Any] = {}
    for term, x in zip(terms, operands, strict=True):
        for label, n in zip(term, x.shape, strict=True):
            known = lengths.setdefault(label, n)
            if known != n:
                if known != 1 and n != 1:
                    raise ShapeError(
                        f"einsum {subscripts!r}: the label {label!r} stands for axes of lengths {known} and {n}."
                    )
                lengths[label] = n if known == 1 else known
    return lengths


def _on_diagonal(x: Any, term: str) -> tuple[Any, str]:
    """An operand in which no label stands twice."""
    for label in dict.fromkeys(term):
        while term.count(label) > 1:
            i, j = [p for p, c in enumerate(term) if c == label][:2]
            x = diagonal(x, 0, i, j)
            term = "".join(c for p, c in enumerate(term) if p not in (i, j)) + label
    return x, term


def _summed(x: Any, term: str, kept: Any) -> tuple[Any, str]:
    """An operand without the labels that are not kept: they are summed over."""
    axes = tuple(i for i, c in enumerate(term) if c not in kept)
    if axes:
        x, term = reduce_sum(x, axes=axes), "".join(c for c in term if c in kept)
    return x, term


def _product(x: Any, a: str, y: Any, b: str, kept: Any, preferred: Any) -> tuple[Any, str]:
    """The product of two operands, summed over labels that are not kept."""
    x, a = _summed(x, a, set(b) | set(kept))
    y, b = _summed(y, b, set(a) | set(kept))
    both = [c for c in a if c in b]
    batch, over = [c for c in both if c in kept], [c for c in both if c not in kept]
    axes = [[term.index(c) for c in chosen] for chosen in (over, batch) for term in (a, b)]
    out = _contract(x, y, axes[:2], axes[2:], preferred)
    return out, "".join(batch) + "".join(c for c in a if c not in both) + "".join(c for c in b if c not in both)


def _path(subscripts: str, operands: Sequence[Any], optimize: Any) -> list[tuple[int, ...]]:
    """The order of contractions: positions in the list of operands, results go to its end."""
    if len(operands) <= 2 or optimize is False:
        return [(0, 1)] * (len(operands) - 1) if optimize is False else [tuple(range(len(operands)))]
    if isinstance(optimize, (list, tuple)):
        return [tuple(p) for p in optimize if not isinstance(p, str)]
    hollow = [np.broadcast_to(np.zeros((), np.float32), x.shape) for x in operands]
    wanted = optimize if optimize in ("optimal", "greedy") else "optimal" if len(operands) < 5 else "greedy"
    return list(np.einsum_path(subscripts, *hollow, optimize=wanted)[0][1:])


def einsum(
    subscripts: Any,
    /,
    *operands: Any,
    out: None = None,
    optimize: Any = "auto",
    precision: Any = None,
    preferred_element_type: Any = None,
    _dot_general: Callable[..., Any] | None = None,
) -> Any:
    """Sums of products in Einstein's notation: labels that are not in the result are summed over.

    Args:
      subscripts: as "ij,jk->ik", with "..." for axes that broadcast; without "->", labels that stand once make the result.
        Or operands and lists of numbered labels in turns.
      *operands: arrays.
      out: must be None, arrays do not change.
      optimize: the order of the products: "auto", "optimal", "greedy", False (from left to right), or a path from `einsum_path`.
      precision: taken for JAX's sake.
      preferred_element_type: the dtype in which to add up, and of the result.

    >>> einsum("ij,j->i", np.ones((2, 3), np.float32), np.arange(3, dtype=np.float32))
    Array([3., 3.], dtype=float32)
    """
    no_out("einsum", out)
    subscripts, given = _notation(subscripts, operands)
    xs = [as_operand(x, "an operand of einsum") for x in given]
    terms, result = _labels(subscripts, [x.shape for x in xs])
    lengths = _lengths(subscripts, terms, xs)
    xs = promote_dtypes(*xs)
    boolean = dtypes.is_bool(xs[0].dtype)
    xs = [cast(x, dtypes.default_int()) for x in xs] if boolean else xs
    todo = []
    for x, term in zip(xs, terms, strict=True):
        stretched = [i for i, c in enumerate(term) if x.shape[i] != lengths[c]]
        if stretched:  # length 1 beside another: the axis only stands for broadcasting
            x = reshape(x, shape=tuple(n for i, n in enumerate(x.shape) if i not in stretched))
            term = "".join(c for i, c in enumerate(term) if i not in stretched)
        todo.append(_on_diagonal(x, term))
    full = ",".join(term for _, term in todo) + "->" + result
    for positions in _path(full, [x for x, _ in todo], optimize):
        chosen = [todo.pop(i) for i in sorted(positions, reverse=True)][::-1]
        x, term = chosen[0]
        for i, (y, other) in enumerate(chosen[1:], 1):
            kept = set(result).union(*(t for _, t in todo), *(t for _, t in chosen[i + 1 :]))
            x, term = _product(x, term, y, other, kept, preferred_element_type)
        todo.append((x, term))
    x, term = todo[0]
    x, term = _summed(x, term, set(result))
    x = transpose(x, [term.index(c) for c in result])
    if boolean:
        x = e.ne(x, like(x, 0))
    return x if preferred_element_type is None else cast(x, dtypes.as_dtype(preferred_element_type))


def einsum_path(subscripts: Any, /, *operands: Any, optimize: Any = "auto") -> tuple[list[tuple[int, ...]], Any]:
    """The order of contractions that `einsum` takes, and a description of it."""
    text, given = _notation(subscripts, operands)
    hollow = [
        np.broadcast_to(np.zeros((), np.float32), x.shape if isinstance(x, (Array, Tracer)) else np.shape(x))
        for x in given
    ]
    path, description = np.einsum_path(text, *hollow, optimize="optimal" if optimize in ("auto", True) else optimize)
    return list(path[1:]), description


# Convolution.


def convolve(a: Any, v: Any, mode: str = "full", *, precision: Any = None, preferred_element_type: Any = None) -> Any:
    """The convolution of vectors: result[k] = sum over j of a[k - j] v[j].

    Args:
      a, v: vectors.
      mode: "full"; "same": as long as the longer one; "valid": only where they overlap fully.
      precision: taken for JAX's sake.
      preferred_element_type: the dtype in which to add up, and of the result.
    """
    x, y = promote_dtypes(*_pair("convolve", a, v))
    if x.ndim != 1 or y.ndim != 1 or not x.shape[0] or not y.shape[0]:
        raise ShapeError(f"convolve and correlate need vectors that are not empty, got {type_of(x)} and {type_of(y)}.")
    if mode not in ("full", "same", "valid"):
        raise ArgumentError(f"convolve: mode must be 'full', 'same' or 'valid', got {mode!r}.")
    x, y = (x, y) if x.shape[0] >= y.shape[0] else (y, x)
    n, m = x.shape[0], y.shape[0]
    first, length = {"full": (0, n + m - 1), "same": ((m - 1) // 2, n), "valid": (m - 1, n - m + 1)}[mode]
    padded = pad_p(x, like(x, 0), config=((m - 1, m - 1, 0),))
    places = first + np.arange(length)[:, None] + np.arange(m)
    return dot(getitem(padded, from_host(places)), flip(y), preferred_element_type=preferred_element_type)


def correlate(a: Any, v: Any, mode: str = "valid", *, precision: Any = None, preferred_element_type: Any = None) -> Any:
    """The correlation of vectors: result[k] = sum over n of a[n + k] conj(v[n]); arguments as of `convolve`."""
    x, y = _pair("correlate", a, v)
    if x.ndim == y.ndim == 1 and x.shape[0] < y.shape[0]:
        return flip(conj(correlate(y, x, mode, preferred_element_type=preferred_element_type)))
    return convolve(x, flip(conj(y)), mode, preferred_element_type=preferred_element_type)


def diag(v: Any, k: int = 0) -> Any:
    """The matrix with a vector on diagonal `k`; or the diagonal `k` of a matrix."""
    x = as_operand(v)
    if x.ndim == 2:
        return diagonal(x, k)
    if x.ndim != 1:
        raise ShapeError(f"diag needs a vector or a matrix, got {x.type}.")
    n = x.shape[0] + abs(k)
    i = np.arange(x.shape[0])
    return filled(0, (n, n), x.dtype).at[i + max(-k, 0), i + max(k, 0)].set(x)


def diagflat(v: Any, k: int = 0) -> Any:
    """The matrix with all elements of an array on diagonal `k`."""
    return diag(ravel(v), k)
