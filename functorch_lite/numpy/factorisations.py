"""Cholesky, QR, singular values, Hermitian eigenvalues: NumPy's names and options over the primitives.

Operands are matrices [..., n, m], stacked along any leading axes; integers become floats.
"""

from __future__ import annotations

import operator
from typing import Any, NamedTuple

from ..arrays import type_of
from ..direct import inexact
from ..errors import ArgumentError, ShapeError
from ..primitives import elementwise as e
from ..primitives import linalg as p
from ..primitives import spectral
from ..primitives.matrices import adjoint, columns_times
from ..promotion import as_operand
from .arithmetic import abs as abs_
from .operands import like
from .placing import take_along_axis
from .repeating import flip
from .sorting import argsort

__all__ = ["EighResult", "QRResult", "SVDResult", "cholesky", "eigh", "eigvalsh", "qr", "svd", "svdvals"]


class QRResult(NamedTuple):
    """Q with orthonormal columns, R upper triangular."""

    Q: Any
    R: Any


class SVDResult(NamedTuple):
    """U, the singular values S, and the adjoint Vh of V."""

    U: Any
    S: Any
    Vh: Any


class EighResult(NamedTuple):
    """Eigenvalues in ascending order, and eigenvectors as columns."""

    eigenvalues: Any
    eigenvectors: Any


def matrices(name: str, a: Any, square: bool = False) -> Any:
    """An operand of floating or complex dtype with two axes at least, the last two equal if `square`.

    Raises:
      ShapeError: for other shapes.
    """
    (x,) = inexact(as_operand(a, f"an operand of {name}"))
    if x.ndim < 2:
        raise ShapeError(f"{name} needs matrices, which have at least 2 axes, got {type_of(x)}: reshape it.")
    if square and x.shape[-1] != x.shape[-2]:
        raise ShapeError(f"{name} needs square matrices, got {type_of(x)}.")
    return x


def symmetrised(x: Any) -> Any:
    """The mean of matrices and their adjoints."""
    return e.mul(e.add(x, adjoint(x)), like(x, 0.5))


def cholesky(a: Any, *, upper: bool = False, symmetrize_input: bool = True) -> Any:
    """The lower triangular L with positive diagonal and L L^H = a, of positive definite matrices.

    Args:
      a: inexact[..., n, n], Hermitian; a matrix that is not positive definite gives NaN.
      upper: whether to give L^H.
      symmetrize_input: whether to take the mean of `a` and its adjoint; else the lower triangle is read.

    Raises:
      ShapeError: if the matrices are not square.

    >>> import functorch_lite.numpy as fnp
    >>> fnp.linalg.cholesky(fnp.array([[4.0, 2.0], [2.0, 2.0]])).tolist()
    [[2.0, 0.0], [1.0, 1.0]]
    """
    x = matrices("cholesky", a, square=True)
    if symmetrize_input:
        x = symmetrised(x)
    elif upper:
        x = adjoint(x)
    out = p.cholesky(x)
    return adjoint(out) if upper else out


def qr(a: Any, mode: str = "reduced") -> Any:
    """A = Q R, Q with orthonormal columns and R upper triangular.

    Args:
      a: inexact[..., n, m].
      mode: "reduced" or "full": Q [..., n, k] and R [..., k, m] with k = min(n, m); "complete": Q [..., n, n]; "r": R
        alone.

    Raises:
      ShapeError: for operands of fewer than two axes.
      ValueError: for another mode.
      NotImplementedError: from derivatives of "complete" if n > m.

    >>> import functorch_lite.numpy as fnp
    >>> q, r = fnp.linalg.qr(fnp.eye(3)[:, :2])
    >>> q.shape, r.shape
    ((3, 2), (2, 2))
    """
    x = matrices("qr", a)
    if mode not in ("reduced", "complete", "full", "r"):
        raise ArgumentError(f"qr has the modes 'reduced', 'complete' and 'r', got {mode!r}.")
    q, r = p.qr(x, full_matrices=mode == "complete")
    return r if mode == "r" else QRResult(q, r)


def svd(
    a: Any,
    full_matrices: bool = True,
    compute_uv: bool = True,
    hermitian: bool = False,
    subset_by_index: tuple[int, int] | None = None,
) -> Any:
    """A = U diag(S) Vh with S descending, U with orthonormal columns and Vh with orthonormal rows.

    Derivatives of U and Vh are finite where singular values coincide: vectors of equal ones do not turn to each other.

    Args:
      a: inexact[..., n, m].
      full_matrices: whether U is [..., n, n] and Vh [..., m, m]; else they have k = min(n, m) columns and rows.
      compute_uv: whether U and Vh are wanted; else the result is S alone.
      hermitian: whether `a` is Hermitian, so that eigenvalues can do.
      subset_by_index: (first, last): only these singular values, last not included.

    Raises:
      ShapeError: for operands of fewer than two axes, or of another form if `hermitian`.
      NotImplementedError: from derivatives with `full_matrices` if n and m differ.

    >>> import functorch_lite.numpy as fnp
    >>> fnp.linalg.svd(fnp.diag(fnp.array([1.0, -3.0])), compute_uv=False).tolist()
    [3.0, 1.0]
    """
    x = matrices("svd", a, square=hermitian)
    if hermitian:
        u, s, vh = _hermitian_svd(x)
    elif not compute_uv:
        (s,) = spectral.svd(x, full_matrices=False, compute_uv=False)
        u = vh = None
    else:
        s, u, vh = spectral.svd(x, full_matrices=bool(full_matrices), compute_uv=True)
    if subset_by_index is not None:
        first, last = map(operator.index, subset_by_index)
        if not 0 <= first < last <= s.shape[-1]:
            raise ArgumentError(f"svd of {type_of(x)}: there are no singular values {first} to {last}.")
        if compute_uv and full_matrices and last - first < s.shape[-1]:
            raise ArgumentError(
                "svd gives full matrices, or a subset of the values, but not both: pass full_matrices=False."
            )
        s = s[..., first:last]
        if compute_uv and not full_matrices:
            u, vh = u[..., first:last], vh[..., first:last, :]  # type: ignore[index]
    return SVDResult(u, s, vh) if compute_uv else s


def _hermitian_svd(x: Any) -> tuple[Any, Any, Any]:
    """By eigenvalues: singular values are their sizes, and signs go into Vh."""
    w, v = eigh(x)
    order = flip(argsort(abs_(w), axis=-1), -1)
    w = take_along_axis(w, order, -1)
    v = take_along_axis(v, order[..., None, :], -1)
    signs = e.select(e.lt(w, like(w, 0)), like(w, 1), like(w, -1))
    return v, abs_(w), adjoint(columns_times(v, signs))


def svdvals(x: Any, /) -> Any:
    """The singular values of matrices [..., n, m], in descending order: real [..., min(n, m)]."""
    return svd(x, compute_uv=False)


def eigh(a: Any, UPLO: str | None = None, symmetrize_input: bool = True) -> Any:
    """The eigenvalues w, real and ascending, and unitary eigenvectors v of Hermitian matrices: a v = v diag(w).

    Derivatives are finite where eigenvalues coincide: vectors of equal values do not turn into each other.

    Args:
      a: inexact[..., n, n].
      UPLO: which triangle to read, "L" (the default) or "U", if the input is not symmetrised.
      symmetrize_input: whether to take the mean of `a` and its adjoint.

    Raises:
      ShapeError: if the matrices are not square.
      ValueError: for another UPLO.

    >>> import functorch_lite.numpy as fnp
    >>> fnp.linalg.eigh(fnp.array([[2.0, 0.0], [0.0, 1.0]])).eigenvalues.tolist()
    [1.0, 2.0]
    """
    x = matrices("eigh", a, square=True)
    if UPLO not in (None, "L", "U", "l", "u"):
        raise ArgumentError(f"eigh reads the triangle 'L' or 'U', got UPLO={UPLO!r}.")
    if symmetrize_input:
        x = symmetrised(x)
    return EighResult(*spectral.eigh(x, lower=UPLO not in ("U", "u")))


def eigvalsh(a: Any, UPLO: str | None = "L", *, symmetrize_input: bool = True) -> Any:
    """The eigenvalues of Hermitian matrices in ascending order: real [..., n]; arguments as of `eigh`."""
    return eigh(a, UPLO, symmetrize_input).eigenvalues
