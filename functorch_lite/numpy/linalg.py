"""`functorch_lite.numpy.linalg`: linear algebra on stacks of matrices, as `jax.numpy.linalg` names it."""

from __future__ import annotations

from typing import Any

from ..errors import ShapeError
from ..promotion import as_operand
from . import contraction as _contraction
from . import diagonals as _diagonals
from .axes import axis_of
from .contraction import matmul, tensordot
from .determinants import SlogdetResult, det, slogdet
from .einstein import vecdot
from .factorisations import EighResult, QRResult, SVDResult, cholesky, eigh, eigvalsh, qr, svd, svdvals
from .norms import cond, matrix_norm, matrix_rank, norm, vector_norm
from .shaping import matrix_transpose
from .solving import inv, lstsq, matrix_power, multi_dot, pinv, solve, tensorinv, tensorsolve

__all__ = [
    "EighResult",
    "QRResult",
    "SVDResult",
    "SlogdetResult",
    "cholesky",
    "cond",
    "cross",
    "det",
    "diagonal",
    "eigh",
    "eigvalsh",
    "inv",
    "lstsq",
    "matmul",
    "matrix_norm",
    "matrix_power",
    "matrix_rank",
    "matrix_transpose",
    "multi_dot",
    "norm",
    "outer",
    "pinv",
    "qr",
    "slogdet",
    "solve",
    "svd",
    "svdvals",
    "tensordot",
    "tensorinv",
    "tensorsolve",
    "trace",
    "vecdot",
    "vector_norm",
]


def cross(x1: Any, x2: Any, /, *, axis: int = -1) -> Any:
    """The cross product of vectors of length 3.

    Args:
      x1, x2: arrays that broadcast, with length 3 along `axis`.
      axis: the axis of the vectors.

    Raises:
      ShapeError: for other lengths.

    >>> import functorch_lite.numpy as fnp
    >>> fnp.linalg.cross(fnp.array([1, 0, 0]), fnp.array([0, 1, 0])).tolist()
    [0, 0, 1]
    """
    x, y = as_operand(x1), as_operand(x2)
    if any(v.shape[axis_of("linalg.cross", axis, v.ndim)] != 3 for v in (x, y)):
        raise ShapeError(f"linalg.cross needs vectors of length 3 along axis {axis}, got {x.type} and {y.type}.")
    return _contraction.cross(x, y, axis=axis)


def outer(x1: Any, x2: Any, /) -> Any:
    """The products of every element of a vector [n] with every element of another [m]: [n, m].

    Raises:
      ShapeError: for operands that are not vectors.
    """
    x, y = as_operand(x1), as_operand(x2)
    if x.ndim != 1 or y.ndim != 1:
        raise ShapeError(f"linalg.outer needs two vectors, got {x.type} and {y.type}: ravel them.")
    return _contraction.outer(x, y)


def diagonal(x: Any, /, *, offset: int = 0) -> Any:
    """The diagonals of matrices [..., n, m], along the last axis; `offset` as in `numpy.diagonal`."""
    return _diagonals.diagonal(x, offset, -2, -1)


def trace(x: Any, /, *, offset: int = 0, dtype: Any = None) -> Any:
    """The sums of diagonals of matrices [..., n, m]; `offset` and `dtype` as in `numpy.trace`."""
    return _diagonals.trace(x, offset, -2, -1, dtype)
