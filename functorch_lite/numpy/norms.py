"""Norms of vectors and matrices, and what is judged by singular values."""

from __future__ import annotations

import math
from typing import Any

from .. import dtypes
from ..arrays import type_of
from ..direct import inexact
from ..errors import ArgumentError, ShapeError
from ..primitives import elementwise as e
from ..promotion import as_operand
from .arithmetic import abs as abs_
from .arithmetic import power
from .axes import axes_of
from .choosing import where
from .extremes import max as max_
from .extremes import min as min_
from .factorisations import eigvalsh, matrices, svdvals
from .logic import isnan
from .operands import like
from .parts import real
from .reductions import any as any_
from .reductions import sum as sum_
from .shaping import expand_dims, moveaxis
from .solving import inv

__all__ = ["cond", "matrix_norm", "matrix_rank", "norm", "vector_norm"]

Axes = Any


def _length(x: Any, axes: Axes, keepdims: bool) -> Any:
    """The square root of the sum of squares."""
    squares = e.square(x) if not dtypes.is_complex(x.dtype) else real(e.mul(x, e.conj(x)))
    return e.sqrt(sum_(squares, axes, keepdims=keepdims))


def _largest(sizes: Any, axes: Axes, keepdims: bool = False) -> Any:
    """The largest of numbers that are not negative: 0 where there is none."""
    return max_(sizes, axes, keepdims=keepdims, initial=None if sizes.size else 0)


def _of_vectors(x: Any, order: Any, axes: Axes, keepdims: bool) -> Any:
    if order is None or order == 2:
        return _length(x, axes, keepdims)
    if isinstance(order, str):
        raise ArgumentError(f"norm of vectors: there is no order {order!r}; give a number.")
    size = abs_(x)
    if order == math.inf:
        return _largest(size, axes, keepdims)
    if order == -math.inf:
        return min_(size, axes, keepdims=keepdims)
    if order == 0:
        return sum_(where(size != 0, like(size, 1), like(size, 0)), axes, keepdims=keepdims)
    if order == 1:
        return sum_(size, axes, keepdims=keepdims)
    return power(sum_(power(size, order), axes, keepdims=keepdims), 1 / order)


def _of_matrices(x: Any, order: Any, axes: tuple[int, int], keepdims: bool) -> Any:
    if order in (None, "fro", "f"):
        return _length(x, axes, keepdims)
    row, column = axes
    if order in (1, -1, math.inf, -math.inf):
        first, second = (row, column) if order in (1, -1) else (column, row)
        sums = sum_(abs_(x), first, keepdims=True)
        out = (_largest if order > 0 else min_)(sums, second, keepdims=True)
    elif order in ("nuc", 2, -2):
        s = svdvals(moveaxis(x, axes, (-2, -1)))
        out = sum_(s, -1) if order == "nuc" else _largest(s, -1) if order == 2 else min_(s, -1)
        return expand_dims(out, tuple(sorted(axes))) if keepdims else out
    else:
        raise ArgumentError(f"norm of matrices has the orders 'fro', 'nuc', 1, -1, 2, -2, inf and -inf; got {order!r}.")
    return out if keepdims else sum_(out, axes)  # of one element


def norm(x: Any, ord: Any = None, axis: Any = None, keepdims: bool = False) -> Any:
    """The norm of vectors or of matrices.

    Of vectors: (sum |x|^ord)^(1/ord); inf: the largest |x|; -inf: the smallest; 0: how many are not zero. Of matrices:
    "fro": the root of the sum of squares; "nuc": the sum of singular values; 2, -2: the largest, the smallest of them;
    1, -1: the largest, the smallest sum of |x| over a column; inf, -inf: over a row. At zero the Euclidean norm has no
    derivative: it is NaN.

    Args:
      x: an array; integers become floats.
      ord: the order; None: the root of the sum of squares.
      axis: the axis of vectors, or the two axes of matrices. None: all of `x`, which needs 1 or 2 axes unless `ord` is
        None.
      keepdims: whether the axes stay, with length 1.

    Raises:
      ValueError: for an order that there is not.
      ShapeError: for more than two axes.

    >>> import functorch_lite.numpy as fnp
    >>> float(fnp.linalg.norm(fnp.array([3.0, 4.0])))
    5.0
    """
    (v,) = inexact(as_operand(x, "the operand of norm"))
    if axis is None and ord is None:
        return _length(v, None, keepdims)
    axes = axes_of("norm", axis if not isinstance(axis, list) else tuple(axis), v.ndim)
    if len(axes) == 1:
        return _of_vectors(v, ord, axes, keepdims)
    if len(axes) == 2:
        return _of_matrices(v, ord, (axes[0], axes[1]), keepdims)
    raise ShapeError(f"norm of {type_of(v)} over the axes {axes}: give one axis for vectors, or two for matrices.")


def vector_norm(x: Any, /, *, axis: Any = None, keepdims: bool = False, ord: Any = 2) -> Any:
    """The norm of vectors; arguments as of `norm`, but several axes (None: all) together are one vector's.

    >>> import functorch_lite.numpy as fnp
    >>> float(fnp.linalg.vector_norm(fnp.array([[1.0, 2.0], [3.0, 4.0]]), ord=1))
    10.0
    """
    (v,) = inexact(as_operand(x, "the operand of vector_norm"))
    return _of_vectors(v, ord, axes_of("vector_norm", axis, v.ndim), keepdims)


def matrix_norm(x: Any, /, *, keepdims: bool = False, ord: Any = "fro") -> Any:
    """The norm of matrices [..., n, m]; arguments as of `norm`.

    >>> import functorch_lite.numpy as fnp
    >>> float(fnp.linalg.matrix_norm(fnp.array([[1.0, 2.0], [3.0, 4.0]]), ord=1))
    6.0
    """
    v = matrices("matrix_norm", x)
    return _of_matrices(v, ord, (v.ndim - 2, v.ndim - 1), keepdims)


def cond(x: Any, p: Any = None) -> Any:
    """The condition number |x| |1 / x|: by how much relative errors can grow.

    Args:
      x: inexact[..., n, m], square unless p is None, 2 or -2.
      p: the order of the norm; None: 2, the ratio of the extreme singular values.

    >>> import functorch_lite.numpy as fnp
    >>> float(fnp.linalg.cond(fnp.array([[4.0, 0.0], [0.0, 2.0]])))
    2.0
    """
    v = matrices("cond", x)
    if p in (None, 2):
        s = svdvals(v)
        return s[..., 0] / s[..., -1]
    if p == -2:
        s = svdvals(v)
        return s[..., -1] / s[..., 0]
    out = matrix_norm(v, ord=p) * matrix_norm(inv(v), ord=p)
    wrong = any_(isnan(v), axis=(-2, -1))
    return where(isnan(out) & ~wrong, like(out, math.inf), out)


def matrix_rank(M: Any, rtol: Any = None, *, hermitian: bool = False, tol: Any = None) -> Any:
    """How many singular values are more than `rtol` times the largest: the default integer dtype, [...].

    Args:
      M: inexact[..., n, m]; the rank of a vector or a number is 0 if all is 0, else 1.
      rtol: a number, or one for each matrix; by default max(n, m) eps.
      hermitian: whether `M` is Hermitian, so that eigenvalues can do.
      tol: another name of `rtol`.

    >>> import functorch_lite.numpy as fnp
    >>> int(fnp.linalg.matrix_rank(fnp.ones((3, 3))))
    1
    """
    if rtol is not None and tol is not None:
        raise ArgumentError("matrix_rank: tol is another name of rtol: give one of them.")
    given = as_operand(M)
    if given.ndim < 2:
        return sum_(any_(given != 0))
    v = matrices("matrix_rank", given, square=hermitian)
    s = abs_(eigvalsh(v)) if hermitian else svdvals(v)
    limit = tol if rtol is None else rtol
    if limit is None:
        limit = max(v.shape[-2:]) * float(dtypes.finfo(s.dtype).eps)
    given: Any = as_operand(limit)
    top = max_(s, -1, keepdims=True, initial=0.0)
    return sum_(s > top * (given[..., None] if given.ndim else limit), -1)
