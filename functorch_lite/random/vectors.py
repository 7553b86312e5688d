"""Random vectors with a covariance, and random rotations."""

from __future__ import annotations

import functools
from typing import Any

from .. import dtypes
from .. import numpy as fnp
from ..arrays import type_of
from ..dtype_lattice import promote_types
from ..errors import ArgumentError, ShapeError
from ..primitives import elementwise as e
from ..primitives import linalg, spectral
from ..primitives.random_floats import random_normal
from ..promotion import broadcast_shapes
from .keys import words_of
from .normal_draws import normal
from .parameters import cast, checked_shape, float_dtype, operands
from .rounded import exactly

__all__ = ["multivariate_normal", "orthogonal"]


def multivariate_normal(
    key: Any, mean: Any, cov: Any, shape: Any = None, dtype: Any = None, method: str = "cholesky"
) -> Any:
    """Normal vectors: mean + F z, z standard normal, F F^T = cov.

    Args:
      key: a single key.
      mean: [..., n].
      cov: positive definite; [..., n, n].
      shape: of the result without its last axis; that of the parameters' leading axes, which stretch to it, if omitted.
      dtype: a floating dtype; that of the parameters if omitted.
      method: how F is found: "cholesky", or, for matrices that are only positive semidefinite, "eigh" or "svd".

    >>> import functorch_lite as fl, functorch_lite.numpy as fnp
    >>> fl.random.multivariate_normal(fl.random.key(0), fnp.zeros(2), fnp.eye(2), (3,)).shape
    (3, 2)
    """
    words = words_of(key, "multivariate_normal")
    centre, covariance = operands("multivariate_normal", mean=mean, cov=cov)
    own = dtypes.to_inexact(promote_types(centre.dtype, covariance.dtype))
    found = own if dtype is None else float_dtype(dtype, "multivariate_normal")
    centre, covariance = cast(centre, own), cast(covariance, own)
    if not centre.ndim or covariance.ndim < 2 or covariance.shape[-2:] != (centre.shape[-1],) * 2:
        raise ShapeError(
            "multivariate_normal needs a mean [..., n] and a covariance [..., n, n], got "
            f"{type_of(centre)} and {type_of(covariance)}."
        )
    batch = broadcast_shapes("multivariate_normal", [centre.shape[:-1], covariance.shape[:-2]])
    full = batch if shape is None else checked_shape(shape, "multivariate_normal")
    if broadcast_shapes("multivariate_normal", [full, batch]) != full:
        raise ShapeError(f"multivariate_normal: parameters of batch shape {batch} do not stretch to the shape {full}.")
    factor = _factor(covariance, method)
    z = cast(random_normal(words, shape=(*full, centre.shape[-1]), dtype=found), own)
    return cast(centre + _turned(factor, z), found)


@exactly
def _turned(factor: Any, z: Any) -> Any:
    return fnp.squeeze(fnp.matmul(factor, z[..., None]), -1)


_cholesky = exactly(linalg.cholesky)
_eigh = exactly(functools.partial(spectral.eigh, lower=True))
_svd = exactly(functools.partial(spectral.svd, full_matrices=False, compute_uv=True))
_qr = exactly(functools.partial(linalg.qr, full_matrices=False))


def _factor(covariance: Any, method: str) -> Any:
    """F with F F^T = covariance."""
    if method == "cholesky":
        return _cholesky((covariance + fnp.swapaxes(covariance, -1, -2)) * 0.5)
    if method == "eigh":
        values, vectors = _eigh((covariance + fnp.swapaxes(covariance, -1, -2)) * 0.5)
        return vectors * e.sqrt(values)[..., None, :]
    if method == "svd":
        values, vectors, _ = _svd(covariance)
        return vectors * e.sqrt(values)[..., None, :]
    raise ArgumentError(f"multivariate_normal: method is 'cholesky', 'eigh' or 'svd', not {method!r}.")


def orthogonal(key: Any, n: int, shape: Any = (), dtype: Any = None, m: int | None = None) -> Any:
    """Orthogonal (or, complex, unitary) matrices n x m, evenly distributed: rows or columns are orthonormal.

    Args:
      key: a single key.
      n: rows.
      shape: of the result without its last two axes.
      dtype: a floating or complex dtype; the default floating one if omitted.
      m: columns; as many as rows if omitted.

    >>> import functorch_lite as fl, functorch_lite.numpy as fnp
    >>> q = fl.random.orthogonal(fl.random.key(0), 3)
    >>> bool(fnp.allclose(q @ q.T, fnp.eye(3), atol=1e-6))
    True
    """
    words = words_of(key, "orthogonal")
    rows, columns = checked_shape((n, n if m is None else m), "orthogonal")
    full = (*checked_shape(shape, "orthogonal"), max(rows, columns), min(rows, columns))
    q, r = _qr(normal(words, full, dtype))
    out = q * fnp.expand_dims(e.sign(fnp.diagonal(r, axis1=-2, axis2=-1)), -2)
    return fnp.swapaxes(out, -1, -2) if rows < columns else out
