"""Factorisations in machine code, against their defining properties and the eager kernels."""

from __future__ import annotations

import itertools

import numpy as np
import pytest

import functorch_lite as fl
import functorch_lite.numpy as fnp

pytest.importorskip("llvmlite")

from functorch_lite.primitives import linalg, spectral

from .checks import is_whole

RNG = np.random.default_rng(1)
SHAPES = [(1, 1), (2, 2), (5, 5), (3, 7), (7, 3), (33, 33), (40, 65), (65, 40)]
SQUARES = [1, 2, 3, 5, 16, 33, 70, 129, 200]
LEADS = [(), (3,), (2, 2)]
DTYPES = ["float32", "float64", "complex64", "complex128"]


def run(f, *args):
    out = fl.jit(f)(*args)
    return [np.asarray(y) for y in out] if isinstance(out, (list, tuple)) else np.asarray(out)


def matrices(lead, n, m, dtype):
    x, y = RNG.standard_normal((2, *lead, n, m))
    return (x + 1j * y if dtype.startswith("complex") else x).astype(dtype)


def adjoint(x):
    return x.conj().mT


def close(x, y, scale=1.0):
    x, y = np.asarray(x), np.asarray(y)
    assert x.dtype == y.dtype
    assert x.shape == y.shape
    np.testing.assert_allclose(x, y, atol=1e3 * scale * np.finfo(x.dtype).eps, rtol=1e3 * np.finfo(x.dtype).eps)


def eye(n, lead, dtype):
    return np.broadcast_to(np.eye(n, dtype=dtype), (*lead, n, n))


every = pytest.mark.parametrize(
    "lead, dtype", [*itertools.product(LEADS, DTYPES[:2]), ((3,), "complex64"), ((), "complex128")]
)


@every
@pytest.mark.parametrize("n", SQUARES)
def test_cholesky(lead, n, dtype):
    a = matrices(lead, n, n, dtype)
    a = (a @ adjoint(a) + n * np.eye(n)).astype(dtype)
    got = run(linalg.cholesky, np.tril(a) + np.triu(np.full_like(a, np.nan), 1))
    close(got, np.linalg.cholesky(a), n)


def test_cholesky_gives_nan_for_the_matrix_that_has_none():
    for dtype in DTYPES:
        a = np.stack([np.eye(3), -np.eye(3), np.eye(3)]).astype(dtype)
        for got in (run(linalg.cholesky, a), np.asarray(linalg.cholesky(fnp.asarray(a)))):
            assert np.isnan(got[1].real).all()
            assert np.isnan(got[1].imag).all() or dtype.startswith("float")
            assert (got[::2] == np.eye(3)).all()


@every
@pytest.mark.parametrize(
    "left_side, lower, transpose_a, unit_diagonal", list(itertools.product([False, True], repeat=4))
)
def test_triangular_solve(lead, dtype, left_side, lower, transpose_a, unit_diagonal):
    for conjugate_a in [False, True] if dtype.startswith("complex") else [False]:
        solve_triangles(lead, dtype, left_side, lower, transpose_a, unit_diagonal, conjugate_a)


def solve_triangles(lead, dtype, left_side, lower, transpose_a, unit_diagonal, conjugate_a):
    for n, k in [(1, 1), (4, 1), (5, 3), (33, 1), (40, 17), (150, 9), (129, 70)]:
        a = matrices(lead, n, n, dtype) / n + 2 * np.eye(n, dtype=dtype)
        b = matrices(lead, *((n, k) if left_side else (k, n)), dtype)
        flags = dict(left_side=left_side, lower=lower, transpose_a=transpose_a, unit_diagonal=unit_diagonal)
        flags["conjugate_a"] = conjugate_a
        x = run(lambda a, b: linalg.triangular_solve(a, b, **flags), a, b)
        t = np.tril(a) if lower else np.triu(a)
        if unit_diagonal:
            t = t - np.eye(n, dtype=dtype) * t + np.eye(n, dtype=dtype)
        t = t.mT if transpose_a else t
        t = t.conj() if conjugate_a else t
        close(t @ x if left_side else x @ t, b, 10)


@every
@pytest.mark.parametrize("n, m", SHAPES)
def test_lu(lead, n, m, dtype):
    a = matrices(lead, n, m, dtype)
    packed, pivots, order = run(linalg.lu, a)
    k = min(n, m)
    left = np.tril(packed[..., :k], -1) + np.eye(n, k, dtype=dtype)
    close(left @ np.triu(packed[..., :k, :]), np.take_along_axis(a, order[..., None], -2), n)
    want = fl.jit(linalg.lu, exact=True)(a)
    assert pivots.dtype == order.dtype == np.int32
    np.testing.assert_array_equal(pivots, np.asarray(want[1]))
    np.testing.assert_array_equal(order, np.asarray(want[2]))


@every
@pytest.mark.parametrize("n, m", SHAPES)
@pytest.mark.parametrize("full", [False, True])
def test_qr(lead, n, m, dtype, full):
    a = matrices(lead, n, m, dtype)
    q, r = run(lambda a: linalg.qr(a, full_matrices=full), a)
    want = fl.jit(lambda a: linalg.qr(a, full_matrices=full), exact=True)(a)
    close(q @ r, a, n)
    close(adjoint(q) @ q, eye(q.shape[-1], lead, dtype), n)
    close(r, want[1], n)
    assert (np.tril(r, -1) == 0).all()


@every
@pytest.mark.parametrize("n", SQUARES)
@pytest.mark.parametrize("lower", [False, True])
def test_eigh(lead, n, dtype, lower):
    a = matrices(lead, n, n, dtype)
    a = a + adjoint(a)
    hidden = np.triu(np.full_like(a, np.nan), 1)
    given = np.tril(a) + hidden if lower else np.triu(a) + hidden.mT
    w, v = run(lambda a: spectral.eigh(a, lower=lower), given)
    close(a @ v, v * w[..., None, :], n)
    close(adjoint(v) @ v, eye(n, lead, dtype), n)
    close(w, np.linalg.eigvalsh(a).astype(w.dtype), n)


@every
@pytest.mark.parametrize("n, m", SHAPES)
@pytest.mark.parametrize("full", [False, True])
def test_svd(lead, n, m, dtype, full):
    a = matrices(lead, n, m, dtype)
    s, u, vh = run(lambda a: spectral.svd(a, full_matrices=full, compute_uv=True), a)
    k = min(n, m)
    close(u[..., :k] * s[..., None, :] @ vh[..., :k, :], a, n + m)
    close(adjoint(u) @ u, eye(u.shape[-1], lead, dtype), n)
    close(vh @ adjoint(vh), eye(vh.shape[-2], lead, dtype), m)
    (only,) = run(lambda a: spectral.svd(a, full_matrices=full, compute_uv=False), a)
    close(only, s, n + m)


def test_vectors_have_the_signs_of_eager_mode():
    """They are free up to that: a program must not depend on who computes it."""
    for dtype in ("float64", "complex128"):
        vectors_have_signs(matrices((), 12, 12, dtype))


def vectors_have_signs(a):
    for f in (
        lambda a: spectral.eigh(a, lower=True)[1],
        lambda a: spectral.eigh(a, lower=False)[1],
        lambda a: spectral.svd(a, full_matrices=False, compute_uv=True)[1:],
        lambda a: spectral.svd(a[:7], full_matrices=True, compute_uv=True)[1],
        lambda a: spectral.svd(a[:, :7], full_matrices=True, compute_uv=True)[2],
    ):
        for got, want in zip(fl.tree.leaves(fl.jit(f)(a)), fl.tree.leaves(f(fnp.asarray(a))), strict=True):
            np.testing.assert_allclose(got, want, atol=1e-9)


def test_nan_gives_nan():
    for dtype in DTYPES:
        nan_gives_nan(np.stack([np.eye(4), np.full((4, 4), np.nan)]).astype(dtype))


def nan_gives_nan(a):
    s, u, vh = run(lambda a: spectral.svd(a, full_matrices=False, compute_uv=True), a)
    assert (s[0] == 1).all()
    assert all(np.isnan(y[1]).all() for y in (s, u, vh))


def test_all_is_machine_code(monkeypatch):
    """Not planned calls: no NumPy kernel is looked up."""

    def f(a):
        return (
            linalg.cholesky(a),
            linalg.lu(a),
            spectral.eigh(a, lower=True),
            linalg.triangular_solve(a, a, left_side=True, lower=True),
        )

    a, b = fnp.eye(4), fnp.eye(4, dtype="complex64")
    expected = np.asarray(a)
    monkeypatch.setattr(np.linalg, "cholesky", None)
    monkeypatch.setattr(np.linalg, "eigh", None)
    monkeypatch.setattr(np.linalg, "solve", None)
    for x in (a, b):
        np.testing.assert_array_equal(np.asarray(fl.jit(f)(x)[0]), expected)
        assert is_whole(
            lambda x: (f(x), linalg.qr(x, full_matrices=True), spectral.svd(x, full_matrices=True, compute_uv=True)), x
        )


def test_gradient_of_a_likelihood():
    x, y = fnp.asarray(matrices((), 60, 2, "float32")), fnp.asarray(matrices((), 60, 1, "float32"))

    def f(scale):
        d = x[:, None] - x[None]
        k = fnp.exp(-(d**2).sum(-1) / scale) + 0.1 * fnp.eye(60)
        factor = linalg.cholesky(k)
        z = linalg.triangular_solve(factor, y, left_side=True, lower=True)
        return 0.5 * (z * z).sum() + fnp.log(fnp.diagonal(factor)).sum()

    g = fl.value_and_grad(f)
    got, want = fl.jit(g)(fnp.float32(2)), fl.jit(g, exact=True)(fnp.float32(2))
    np.testing.assert_allclose(np.asarray(got), np.asarray(want), rtol=1e-3)
