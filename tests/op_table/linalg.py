"""Rows of the factorisations and of triangular systems. What is defined up to a phase only is put together again."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import Any

import numpy as np

import functorch_lite.numpy as fnp
from functorch_lite.primitives import linalg as l
from functorch_lite.primitives import spectral

from .row import INEXACT, Row

Shape = tuple[int, ...]
WIDE = ("float32", "float64", "complex64", "complex128")
DOUBLE = ("float64", "complex128")


def _normal(rng: np.random.Generator, dtype: np.dtype, shape: Shape) -> np.ndarray:
    x = rng.normal(size=shape)
    return x + 1j * rng.normal(size=shape) if dtype.kind == "c" else x


def general(*shapes: Shape) -> Callable[..., Any]:
    """Matrices with singular values well apart from each other and from zero: derivatives divide by the gaps."""

    def make(rng: np.random.Generator, dtype: np.dtype) -> tuple[np.ndarray, ...]:
        out = []
        for shape in shapes:
            u, s, vh = np.linalg.svd(_normal(rng, dtype, shape), full_matrices=False)
            s = np.broadcast_to(np.arange(s.shape[-1], 0, -1), s.shape)
            out.append(((u * s[..., None, :]) @ vh).astype(dtype))
        return tuple(out)

    return make


def definite(*shapes: Shape) -> Callable[..., Any]:
    """Matrices whose lower triangles are those of positive definite ones; what is above should not be read."""

    def make(rng: np.random.Generator, dtype: np.dtype) -> tuple[np.ndarray, ...]:
        found = general(*shapes)(rng, dtype if dtype.kind in "fc" else np.dtype("float32"))
        squares = [
            x.astype(np.result_type(x, "float32")) @ x.astype(np.result_type(x, "float32")).mT.conj() for x in found
        ]
        return tuple((np.tril(x) + np.triu(_normal(rng, dtype, x.shape), 1)).astype(dtype) for x in squares)

    return make


def triangular(a: Shape, b: Shape) -> Callable[..., Any]:
    """A matrix with a large diagonal, of which either triangle may be read, and a right-hand side."""

    def make(rng: np.random.Generator, dtype: np.dtype) -> tuple[np.ndarray, ...]:
        x = 0.5 * _normal(rng, dtype, a) + 2 * np.eye(a[-1])
        return x.astype(dtype), _normal(rng, dtype, b).astype(dtype)

    return make


def _one_dtype(x: np.ndarray) -> np.ndarray:
    """Float32 for 16-bit floats, which NumPy has no loops for."""
    return x.astype(np.float32) if x.dtype.itemsize == 2 else x


def _cholesky_reference(x: np.ndarray) -> np.ndarray:
    return np.linalg.cholesky(_one_dtype(x))


def _cholesky(what: str, operands: Any, among: Sequence[str], **more: Any) -> Row:
    def in_jax(jax: Any, jnp: Any, lax: Any) -> Any:
        return lambda x: jnp.tril(lax.linalg.cholesky(x, symmetrize_input=False))

    return Row(f"cholesky {what}", "cholesky", l.cholesky, operands, _cholesky_reference, among, jax=in_jax, **more)


def _solved(a: np.ndarray, b: np.ndarray, flags: dict[str, bool]) -> np.ndarray:
    """By the general solution of the system with the triangle and nothing else."""
    a, b = _one_dtype(a), _one_dtype(b)
    kept = np.tril(a) if flags["lower"] else np.triu(a)
    if flags.get("unit_diagonal"):
        kept = np.where(np.eye(a.shape[-1], dtype=bool), 1, kept)
    kept = kept.mT if flags.get("transpose_a") else kept
    kept = kept.conj() if flags.get("conjugate_a") else kept
    return np.linalg.solve(kept, b) if flags["left_side"] else np.linalg.solve(kept.mT, b.mT).mT


def _triangular(what: str, operands: Any, among: Sequence[str], flags: str, **more: Any) -> Row:
    """`flags`: those that hold, by their first letters."""
    chosen = {
        name: name[0] in flags for name in ("left_side", "lower", "transpose_a", "conjugate_a", "unit_diagonal")
    } | {"left_side": "<" in flags}
    return Row(
        f"triangular_solve {what}",
        "triangular_solve",
        lambda a, b: l.triangular_solve(a, b, **chosen),
        operands,
        lambda a, b: _solved(a, b, chosen),
        among,
        jax=lambda jax, jnp, lax: lambda a, b: lax.linalg.triangular_solve(a, b, **chosen),
        **{"tolerance": 4.0, **more},
    )


def _eliminated(x: np.ndarray) -> list[np.ndarray]:
    """Gauss's elimination, number by number."""
    x = _one_dtype(x).copy()
    *lead, n, m = x.shape
    pivots, order = np.zeros((*lead, min(n, m)), np.int32), np.zeros((*lead, n), np.int32)
    for i in np.ndindex(*lead):
        a, p = x[i], np.arange(n)
        for k in range(min(n, m)):
            j = k + int(np.argmax(np.abs(a[k:, k].real) + np.abs(a[k:, k].imag)))
            pivots[i][k] = j
            a[[k, j]], p[[k, j]] = a[[j, k]], p[[j, k]]
            for row in range(k + 1, n):
                a[row, k] = a[row, k] / a[k, k] if a[k, k] else a[row, k]
                a[row, k + 1 :] -= a[row, k] * a[k, k + 1 :]
        order[i] = p
    return [x, pivots, order]


def _lu(what: str, operands: Any, among: Sequence[str], **more: Any) -> Row:
    more = {"jax": lambda jax, jnp, lax: lambda x: list(lax.linalg.lu(x)), "tolerance": 4.0, **more}
    return Row(f"lu {what}", "lu", l.lu, operands, _eliminated, among, **more)


def singular(shape: Shape) -> Callable[..., Any]:
    """Matrices with a column of zeros: no pivot is found for it, and no element below is eliminated."""

    def make(rng: np.random.Generator, dtype: np.dtype) -> tuple[np.ndarray, ...]:
        x = _normal(rng, dtype, shape)
        x[..., 1] = 0
        return (x.astype(dtype),)

    return make


# Functions of factors that do not change with signs and phases: weights tell the vectors apart.


def _weights(np_: Any, x: Any) -> Any:
    return np_.asarray(np.arange(1.0, x.shape[-1] + 1).astype(np.asarray(np.zeros((), x.dtype)).real.dtype))


def _adjoint(np_: Any, x: Any) -> Any:
    return np_.conj(np_.matrix_transpose(x))


def _qr_parts(np_: Any, q: Any, r: Any) -> list[Any]:
    k = min(q.shape[-1], r.shape[-1])  # the columns beyond are arbitrary
    first, rest = q[..., :k], q[..., k:]
    return [q @ r, (first * _weights(np_, first)) @ _adjoint(np_, first), rest @ _adjoint(np_, rest), np_.abs(r)]


def _svd_parts(np_: Any, s: Any, u: Any, vh: Any) -> list[Any]:
    k, v = s.shape[-1], _adjoint(np_, vh)
    uw, vw = u[..., :k] * _weights(np_, s), v[..., :k] * _weights(np_, s)
    parts = [(u[..., :k] * s[..., None, :]) @ vh[..., :k, :], s]
    return [
        *parts,
        uw @ _adjoint(np_, u[..., :k]),
        vw @ vh[..., :k, :],
        uw @ vh[..., :k, :],
        u @ _adjoint(np_, u),
        v @ vh,
    ]


def _eigh_parts(np_: Any, w: Any, v: Any) -> list[Any]:
    return [(v * w[..., None, :]) @ _adjoint(np_, v), w, (v * _weights(np_, w)) @ _adjoint(np_, v)]


def _qr(what: str, operands: Any, among: Sequence[str], full: bool = False, **more: Any) -> Row:
    def reference(x: np.ndarray) -> list[np.ndarray]:
        return _qr_parts(np, *np.linalg.qr(_one_dtype(x), mode="complete" if full else "reduced"))

    return Row(
        f"qr {what}",
        "qr",
        lambda x: _qr_parts(fnp, *l.qr(x, full_matrices=full)),
        operands,
        reference,
        among,
        jax=lambda jax, jnp, lax: lambda x: _qr_parts(jnp, *lax.linalg.qr(x, full_matrices=full)),
        **{"tolerance": 10.0, **more},
    )


def _svd(what: str, operands: Any, among: Sequence[str], full: bool = False, **more: Any) -> Row:
    def reference(x: np.ndarray) -> list[np.ndarray]:
        u, s, vh = np.linalg.svd(_one_dtype(x), full_matrices=full)
        return _svd_parts(np, s, u, vh)

    def in_jax(jax: Any, jnp: Any, lax: Any) -> Any:
        def function(x: Any) -> Any:
            u, s, vh = lax.linalg.svd(x, full_matrices=full)
            return _svd_parts(jnp, s, u, vh)

        return function

    return Row(
        f"svd {what}",
        "svd",
        lambda x: _svd_parts(fnp, *spectral.svd(x, full_matrices=full, compute_uv=True)),
        operands,
        reference,
        among,
        jax=in_jax,
        **{"tolerance": 10.0, **more},
    )


def _singular_values(what: str, operands: Any, among: Sequence[str], **more: Any) -> Row:
    return Row(
        f"svd values {what}",
        "svd",
        lambda x: spectral.svd(x, full_matrices=False, compute_uv=False),
        operands,
        lambda x: np.linalg.svd(_one_dtype(x), compute_uv=False),
        among,
        jax=lambda jax, jnp, lax: lambda x: lax.linalg.svd(x, compute_uv=False),
        **{"tolerance": 10.0, **more},
    )


def _eigh(what: str, operands: Any, among: Sequence[str], lower: bool = True, **more: Any) -> Row:
    def in_jax(jax: Any, jnp: Any, lax: Any) -> Any:
        def function(x: Any) -> Any:
            v, w = lax.linalg.eigh(x, lower=lower, symmetrize_input=False)
            return _eigh_parts(jnp, w, v)

        return function

    return Row(
        f"eigh {what}",
        "eigh",
        lambda x: _eigh_parts(fnp, *spectral.eigh(x, lower=lower)),
        operands,
        lambda x: _eigh_parts(np, *np.linalg.eigh(_one_dtype(x), "L" if lower else "U")),
        among,
        jax=in_jax,
        **{"tolerance": 20.0, **more},
    )


def upper(make: Callable[..., Any]) -> Callable[..., Any]:
    """The same, transposed."""
    return lambda rng, dtype: tuple(x.mT for x in make(rng, dtype))


def spread(make: Callable[..., Any]) -> Callable[..., Any]:
    """Matrices scaled so that 16-bit numbers hold them."""
    return lambda rng, dtype: tuple((x / 4).astype(dtype) for x in make(rng, dtype))


ROWS = [
    _cholesky("of a matrix", definite((3, 3)), INEXACT, tolerance=4.0),
    _cholesky("of a stack", definite((2, 2, 4, 4)), WIDE),
    _cholesky("of 1 by 1", definite((1, 1)), WIDE),
    _cholesky("of an empty matrix", definite((0, 0)), WIDE, vmap=False, differentiable=()),
    _cholesky("of an empty stack", definite((0, 3, 3)), WIDE, vmap=False, differentiable=()),
    _triangular("lower, from the left", triangular((3, 3), (3, 2)), INEXACT, "<l"),
    _triangular("upper, from the left", triangular((3, 3), (3, 2)), WIDE, "<"),
    _triangular("lower, from the right", triangular((3, 3), (2, 3)), WIDE, "l"),
    _triangular("upper, from the right", triangular((3, 3), (2, 3)), WIDE, ""),
    _triangular("transposed", triangular((3, 3), (3, 2)), WIDE, "<lt"),
    _triangular("transposed, from the right", triangular((3, 3), (2, 3)), WIDE, "t"),
    _triangular("adjoint", triangular((3, 3), (3, 2)), WIDE, "<ltc"),
    _triangular("adjoint upper, from the right", triangular((3, 3), (2, 3)), WIDE, "tc"),
    _triangular("conjugate", triangular((3, 3), (3, 2)), WIDE, "<c"),
    _triangular("with ones on the diagonal", triangular((3, 3), (3, 2)), WIDE, "<lu"),
    _triangular("adjoint with ones on the diagonal", triangular((3, 3), (2, 3)), WIDE, "ltcu"),
    _triangular("of a stack", triangular((2, 3, 3), (2, 3, 2)), WIDE, "<l"),
    _triangular("of a large stack", triangular((20, 2, 2), (20, 2, 3)), WIDE, "<lt"),
    _triangular("of a large stack, from the right", triangular((20, 2, 2), (20, 3, 2)), WIDE, "cu"),
    _triangular("without right-hand sides", triangular((3, 3), (3, 0)), ("float32", "complex64"), "<", vmap=False),
    _triangular("of an empty matrix", triangular((0, 0), (0, 2)), ("float32",), "<l", vmap=False, differentiable=()),
    _triangular("of an empty stack", triangular((0, 2, 2), (0, 2, 3)), ("float32",), "<l", vmap=False),
    _lu("of a matrix", general((3, 3)), INEXACT),
    _lu("of a tall matrix", general((4, 2)), WIDE),
    _lu("of a wide matrix", general((2, 4)), WIDE),
    _lu("of a stack", general((2, 3, 3)), WIDE),
    _lu("of a large stack", general((2, 9, 3, 2)), ("float32", "complex128")),
    _lu("of a singular matrix", singular((4, 4)), DOUBLE, differentiable=()),
    _lu("of an empty matrix", general((0, 0)), ("float32",), vmap=False, differentiable=(), jax=None),
    _lu("of an empty stack", general((0, 2, 3)), ("float32",), vmap=False, differentiable=()),
    _qr("of a matrix", general((3, 3)), INEXACT),
    _qr("of a tall matrix", general((4, 2)), WIDE),
    _qr("of a wide matrix", general((2, 4)), WIDE),
    _qr("of a tall matrix, full", general((4, 2)), WIDE, True),
    _qr("of a wide matrix, full", general((2, 4)), WIDE, True),
    _qr("of a stack", general((2, 3, 3, 2)), WIDE),
    _qr("of an empty stack", general((0, 3, 2)), ("float32",), vmap=False, differentiable=()),
    _svd("of a matrix", general((3, 3)), INEXACT),
    _svd("of a tall matrix", general((4, 2)), WIDE),
    _svd("of a wide matrix", general((2, 4)), WIDE),
    _svd("of a square matrix, full", general((2, 2)), WIDE, True),
    _svd("of a tall matrix, full", general((4, 2)), WIDE, True, differentiable=()),
    _svd("of a stack", general((2, 3, 3, 2)), WIDE),
    _svd("of a column", general((3, 1)), WIDE),
    _svd("of an empty stack", general((0, 3, 2)), ("float32",), vmap=False, differentiable=()),
    _singular_values("of a tall matrix", general((4, 2)), INEXACT),
    _singular_values("of a wide matrix", general((2, 4)), WIDE),
    _singular_values("of a stack", general((2, 3, 3)), WIDE),
    _eigh("of a matrix", spread(definite((3, 3))), INEXACT),
    _eigh("of an upper triangle", upper(definite((3, 3))), WIDE, False),
    _eigh("of a stack", definite((2, 2, 3, 3)), WIDE),
    _eigh("of 1 by 1", definite((1, 1)), WIDE),
    _eigh("of an empty stack", definite((0, 3, 3)), ("float32",), vmap=False, differentiable=()),
]
