"""What the rules of linear algebra are written in: products, adjoints, triangles and diagonals of stacks of matrices.

All are made of primitives, so that rules can be differentiated, batched and staged. Matrices are the last two axes.
"""

from __future__ import annotations

from typing import Any

from .. import dtypes
from .arithmetic import add, eq, ge, mul, select
from .bitwise import and_
from .contraction import dot_general
from .parts import complex_, conj, real
from .slicing import iota, pad, slice_
from .structural import broadcast_in_dim, reduce_sum, transpose

__all__ = [
    "adjoint",
    "as_dtype_of",
    "columns_times",
    "conjugate",
    "cut",
    "diagonal_part",
    "diagonals",
    "flipped",
    "halved_diagonal",
    "hermitian_from",
    "in_identity",
    "matmul",
    "matrix_transpose",
    "on_diagonal",
    "ones_like",
    "real_part",
    "rows_times",
    "tril",
    "triu",
    "with_zeros",
]


def matmul(x: Any, y: Any) -> Any:
    """The products of two stacks of matrices, of equal leading shapes."""
    n = x.ndim
    stack = tuple(range(n - 2))
    return dot_general(x, y, dimension_numbers=(((n - 1,), (n - 2,)), (stack, stack)))


def matrix_transpose(x: Any) -> Any:
    """Matrices with rows and columns exchanged."""
    n = x.ndim
    return transpose(x, permutation=(*range(n - 2), n - 1, n - 2))


def conjugate(x: Any) -> Any:
    """The complex conjugate; real numbers are their own."""
    return conj(x) if dtypes.is_complex(x.dtype) else x


def real_part(x: Any) -> Any:
    """The real part; real numbers are their own."""
    return real(x) if dtypes.is_complex(x.dtype) else x


def adjoint(x: Any) -> Any:
    """The conjugate transposes."""
    return conjugate(matrix_transpose(x))


def as_dtype_of(x: Any, like: Any) -> Any:
    """Real numbers in the dtype of `like`, which may be complex."""
    return complex_(x, x.dtype.type(0)) if dtypes.is_complex(like.dtype) else x


def _places(shape: Any) -> tuple[Any, Any]:
    """The row and the column of each element of matrices of that shape, as int32[n, m]."""
    return iota(dtype=dtypes.int32, shape=shape, dimension=0), iota(dtype=dtypes.int32, shape=shape, dimension=1)


def _where(mask: Any, x: Any, other: Any) -> Any:
    """`x` where the mask of one matrix holds, else `other` (of the shape of `x`, or of rank 0)."""
    n = x.ndim
    mask = broadcast_in_dim(mask, shape=x.shape, dims=(n - 2, n - 1)) if n > 2 else mask
    return select(mask, other, x)


def tril(x: Any, k: int = 0) -> Any:
    """Matrices with zeros above diagonal `k`."""
    rows, columns = _places(x.shape[-2:])
    return _where(ge(add(rows, rows.dtype.type(k)), columns), x, x.dtype.type(0))


def triu(x: Any, k: int = 0) -> Any:
    """Matrices with zeros below diagonal `k`."""
    rows, columns = _places(x.shape[-2:])
    return _where(ge(columns, add(rows, rows.dtype.type(k))), x, x.dtype.type(0))


def on_diagonal(x: Any, inside: Any, outside: Any) -> Any:
    """`inside` on the main diagonals, `outside` elsewhere; arrays like `x`, or one of them of rank 0."""
    return _where(eq(*_places(x.shape[-2:])), inside, outside)


def diagonal_part(x: Any) -> Any:
    """Matrices with zeros off the main diagonal."""
    return on_diagonal(x, x, x.dtype.type(0))


def diagonals(x: Any) -> Any:
    """The main diagonals of square matrices: [..., n]."""
    return reduce_sum(diagonal_part(x), axes=(x.ndim - 1,))


def halved_diagonal(x: Any) -> Any:
    """Matrices with half the diagonal."""
    return on_diagonal(x, mul(x, x.dtype.type(0.5)), x)


def in_identity(x: Any, n: int) -> Any:
    """[..., a, b] -> [..., n, n]: matrices as the first rows and columns of an identity matrix."""
    a, b = x.shape[-2:]
    config = (*((0, 0, 0),) * (x.ndim - 2), (0, n - a, 0), (0, n - b, 0))
    padded = pad(x, x.dtype.type(0), config=config)
    rows, columns = _places((n, n))
    k = rows.dtype.type(min(a, b))
    beyond = and_(eq(rows, columns), ge(rows, k))
    return _where(beyond, broadcast_in_dim(x.dtype.type(1), shape=padded.shape, dims=()), padded)


def with_zeros(x: Any, columns: int) -> Any:
    """Matrices with columns of zeros added up to the given number."""
    missing = columns - x.shape[-1]
    config = (*((0, 0, 0),) * (x.ndim - 1), (0, missing, 0))
    return pad(x, x.dtype.type(0), config=config) if missing else x


def hermitian_from(x: Any, lower: bool) -> Any:
    """The Hermitian matrices of which one triangle is given; of the diagonal the real part counts."""
    kept = tril(x, -1) if lower else triu(x, 1)
    middle = diagonal_part(x)
    if dtypes.is_complex(x.dtype):
        middle = as_dtype_of(real(middle), x)
    return add(add(kept, adjoint(kept)), middle)


def rows_times(x: Any, factors: Any) -> Any:
    """Matrices [..., n, m] with row i multiplied by `factors` [..., n], which may be real beside complex ones."""
    return _scaled(x, factors, x.ndim - 1)


def columns_times(x: Any, factors: Any) -> Any:
    """Matrices [..., n, m] with column j multiplied by `factors` [..., m], which may be real beside complex ones."""
    return _scaled(x, factors, x.ndim - 2)


def _scaled(x: Any, factors: Any, missing: int) -> Any:
    factors = factors if factors.dtype == x.dtype else as_dtype_of(factors, x)
    dims = tuple(i for i in range(x.ndim) if i != missing)
    return mul(x, broadcast_in_dim(factors, shape=x.shape, dims=dims))


def cut(x: Any, rows: tuple[int, int], columns: tuple[int, int]) -> Any:
    """The given rows and columns, each from the first up to (not with) the last."""
    lead = x.shape[:-2]
    return slice_(x, start=(*(0,) * len(lead), rows[0], columns[0]), limit=(*lead, rows[1], columns[1]))


def ones_like(x: Any) -> Any:
    """An array of ones, as large as x."""
    return broadcast_in_dim(x.dtype.type(1), shape=x.shape, dims=())


def flipped(xp: Any, x: Any) -> Any:
    """The transposes, over a namespace."""
    n = x.ndim
    return xp.permute_dims(x, (*range(n - 2), n - 1, n - 2))
