"""Linear algebra: values and dtypes against NumPy, derivatives against differences, degenerate matrices."""

from __future__ import annotations

from typing import Any

import numpy as np
import pytest

import functorch_lite as fl
import functorch_lite.numpy as fnp
from functorch_lite.errors import DTypeError, ShapeError
from functorch_lite.lax import linalg as lax_linalg
from functorch_lite.testing import check_grads, check_jit, check_vmap

L = fnp.linalg
RNG = np.random.default_rng(3)
DTYPES = ("float32", "float64", "complex64", "complex128")


def draw(*shape: int, dtype: Any = "float64") -> np.ndarray:
    x = RNG.normal(size=shape)
    return (x + 1j * RNG.normal(size=shape) if np.dtype(dtype).kind == "c" else x).astype(dtype)


def definite(*shape: int, dtype: Any = "float64") -> np.ndarray:
    x = draw(*shape, dtype=dtype)
    return x @ x.mT.conj() + np.eye(shape[-1], dtype=dtype)


def close(found: Any, expected: Any, factor: float = 1.0) -> None:
    for a, b in zip(fl.tree.leaves(found), fl.tree.leaves(expected), strict=True):
        b = np.asarray(b)
        assert a.shape == b.shape
        assert a.dtype in (b.dtype, b.real.dtype) or b.dtype.kind == "i"  # NumPy 2.1's `cond` is complex
        bound = factor * (1e-3 if a.dtype in ("float32", "complex64") else 1e-9)
        np.testing.assert_allclose(a, b, rtol=bound, atol=bound)


GENERAL = {
    "det": lambda m, x: m.linalg.det(x),
    "slogdet": lambda m, x: tuple(m.linalg.slogdet(x)),
    "inv": lambda m, x: m.linalg.inv(x),
    "pinv": lambda m, x: m.linalg.pinv(x),
    "svdvals": lambda m, x: m.linalg.svdvals(x),
    "matrix_power": lambda m, x: m.linalg.matrix_power(x, 3),
    "inverse power": lambda m, x: m.linalg.matrix_power(x, -2),
    "cond": lambda m, x: m.linalg.cond(x),
    "cond 1": lambda m, x: m.linalg.cond(x, 1),
    "matrix_norm": lambda m, x: m.linalg.matrix_norm(x),
    "nuclear norm": lambda m, x: m.linalg.matrix_norm(x, ord="nuc"),
    "spectral norm": lambda m, x: m.linalg.matrix_norm(x, ord=2, keepdims=True),
    "vector_norm": lambda m, x: m.linalg.vector_norm(x, axis=-1, ord=3),
    "r": lambda m, x: abs(m.linalg.qr(x, mode="r")),
    "solve": lambda m, x: m.linalg.solve(x, x[..., :1] * 2 + 1),
    "trace": lambda m, x: m.linalg.trace(x, offset=1),
}


@pytest.mark.parametrize("dtype", DTYPES)
@pytest.mark.parametrize("name", GENERAL)
@pytest.mark.parametrize("shape", [(3, 3), (2, 4, 4)])
def test_functions_of_square_matrices(name: str, dtype: str, shape: tuple[int, ...]) -> None:
    function, x = GENERAL[name], draw(*shape, dtype=dtype) + 2 * np.eye(shape[-1], dtype=dtype)
    with np.errstate(all="ignore"):
        expected = function(np, x)
    close(function(fnp, fnp.asarray(x)), expected, 3)
    if dtype == "float64" or (dtype == "complex128" and len(shape) == 2):
        ours = lambda v: function(fnp, v)  # noqa: E731
        check_grads(ours, (fnp.asarray(x),), 2, atol=1e-4, rtol=1e-4)
        check_jit(ours, (x,), bits=False)
        check_vmap(ours, (np.stack([x, 2 * x, x.mT]),), atol=1e-7, rtol=1e-7)


@pytest.mark.parametrize("dtype", DTYPES)
def test_factorisations(dtype: str) -> None:
    x, h = draw(2, 4, 3, dtype=dtype), definite(2, 3, 3, dtype=dtype)
    close(L.cholesky(h), np.linalg.cholesky(h))
    close(L.cholesky(h, upper=True), np.linalg.cholesky(h).mT.conj())
    close(L.eigvalsh(h), np.linalg.eigvalsh(h))
    w, v = L.eigh(h)
    close(h @ np.asarray(v), np.asarray(v * w[..., None, :]), 10)
    for full in (True, False):
        u, s, vh = L.svd(x, full)
        assert u.shape[-1] == (4 if full else 3)
        close((u[..., :3] * s[..., None, :]) @ vh, x)
    q, r = L.qr(x)
    close(q @ r, x)
    assert L.qr(x, "complete").Q.shape == (2, 4, 4)
    u, s, vh = L.svd(h - 2 * np.eye(3, dtype=dtype), hermitian=True)
    close((u * s[..., None, :]) @ vh, h - 2 * np.eye(3, dtype=dtype))
    close(s, np.linalg.svd(h - 2 * np.eye(3, dtype=dtype), compute_uv=False))


@pytest.mark.parametrize("shape", [(4, 2), (2, 4), (3, 3)])
def test_least_squares(shape: tuple[int, int]) -> None:
    a, b = draw(*shape), draw(shape[0], 2)
    x, _, rank, s = L.lstsq(a, b)
    expected = np.linalg.lstsq(a, b, rcond=None)
    close((x, s), (expected[0], expected[3]))
    assert int(rank) == expected[2]
    close(L.lstsq(a, b, numpy_resid=True)[1], expected[1])
    check_grads(lambda a, b: L.lstsq(a, b)[0], (a, b), 2, atol=1e-4, rtol=1e-4)
    check_grads(L.pinv, (a,), 2, atol=1e-4, rtol=1e-4)
    check_grads(L.pinv, (np.eye(3),), 2, atol=1e-4, rtol=1e-4)


def test_the_rank_of_a_pseudoinverse() -> None:
    a = draw(4, 2) @ draw(2, 3)
    close(L.pinv(a), np.linalg.pinv(a))
    assert int(L.matrix_rank(a)) == 2
    assert L.matrix_rank(np.stack([a, a * 0, a])).tolist() == [2, 0, 2]
    assert int(L.matrix_rank(a.T @ a, hermitian=True)) == 2


ORDERS = (None, 0, 1, 2, 3, -1, 0.5, np.inf, -np.inf)


@pytest.mark.parametrize("order", ORDERS)
def test_norms_of_vectors(order: Any) -> None:
    x = draw(3, 4)
    close(L.norm(x, order, axis=1), np.linalg.norm(x, order, axis=1))
    close(L.norm(x[0], order, keepdims=True), np.linalg.norm(x[0], order, keepdims=True))
    if order != 0:
        check_grads(lambda x: L.norm(x, order, axis=0), (x,), 2, atol=1e-4, rtol=1e-4)


@pytest.mark.parametrize("order", [None, "fro", "nuc", 1, -1, 2, -2, np.inf, -np.inf])
def test_norms_of_matrices(order: Any) -> None:
    x = draw(2, 3, 4)
    for axis in ((0, 1), (2, 0), (-1, 1)):
        for keepdims in (False, True):
            close(L.norm(x, order, axis, keepdims), np.linalg.norm(x, order, axis, keepdims))
    check_grads(lambda x: L.norm(x, order, (0, 2)), (x,), 2, atol=1e-4, rtol=1e-4)


def test_norms_at_zero() -> None:
    assert np.isnan(fl.grad(L.norm)(fnp.zeros(3))).all()
    assert fl.grad(lambda x: L.norm(x, 1))(fnp.zeros(3)).tolist() == [0, 0, 0]


# Degenerate matrices.


@pytest.mark.parametrize(
    "x",
    [
        np.diag([1.0, 0.0, 3.0, 2.0]),
        np.diag([1.0, 0.0, 0.0, 2.0]),
        np.zeros((4, 4)),
        np.ones((4, 4)),
        np.eye(4),
        np.ones((3, 3)),
        np.zeros((2, 2)),
        np.stack([np.eye(4), np.diag([1.0, 2.0, 3.0, 0.0])]),
        np.diag([1.0, 0.0, 3.0, 2.0j]),
    ],
)
def test_derivatives_of_determinants_of_singular_matrices(x: np.ndarray) -> None:
    close(L.det(x), np.linalg.det(x))
    check_grads(L.det, (x,), 2, atol=1e-5, rtol=1e-5)


def test_a_determinant_s_derivative_is_the_adjugate() -> None:
    found = fl.grad(L.det)(fnp.diag(fnp.array([1.0, 0.0, 3.0, 1.0])))
    np.testing.assert_allclose(found, np.diag([0.0, 3.0, 0.0, 0.0]), atol=1e-6)
    batch = fnp.stack([fnp.eye(4), fnp.ones((4, 4))])
    by_vmap = fl.vmap(fl.grad(L.det))(batch)
    np.testing.assert_allclose(by_vmap, [np.eye(4), np.zeros((4, 4))], atol=1e-5)
    np.testing.assert_allclose(fl.jit(fl.grad(L.det))(batch[1]), np.zeros((4, 4)), atol=1e-5)


def test_slogdet_of_singular_matrices() -> None:
    for x in (np.zeros((2, 2)), np.ones((3, 3)), np.diag([1.0, 0.0])):
        sign, size = L.slogdet(x)
        assert (float(sign), float(size)) == (0.0, -np.inf)
    assert float(L.slogdet(np.zeros((0, 0))).logabsdet) == 0
    check_grads(lambda x: L.slogdet(x).logabsdet, (draw(3, 3, dtype="complex128"),), 2, atol=1e-4, rtol=1e-4)


def test_equal_eigenvalues_have_finite_derivatives() -> None:
    identity = np.eye(3)
    check_grads(lambda x: fnp.sum(L.eigvalsh(x) ** 2), (identity,), 1)
    check_grads(lambda x: fnp.sum(L.svdvals(x) ** 3), (identity,), 1)
    for function in (lambda x: L.eigh(x).eigenvectors, lambda x: L.svd(x).U, lambda x: L.svd(x).Vh):
        assert np.isfinite(fl.jacrev(function)(identity)).all()


def test_matrices_that_fail_spoil_no_others() -> None:
    good = definite(3, 3)
    stack = np.stack([good, -good, good])
    found = np.asarray(L.cholesky(stack))
    np.testing.assert_allclose(found[[0, 2]], np.linalg.cholesky(stack[[0, 2]]))
    assert np.isnan(found[1]).any()
    stack[1, 0, 0] = np.nan
    for function in (L.svdvals, L.eigvalsh, L.inv, L.det):
        out = np.asarray(function(stack))
        expected = getattr(np.linalg, function.__name__)(stack[[0, 2]])
        np.testing.assert_allclose(out[[0, 2]], expected, rtol=1e-9)
        assert np.isnan(out[1]).any()
    assert not np.isfinite(L.inv(np.zeros((2, 2)))).any()
    assert not np.isfinite(L.solve(np.zeros((2, 2)), np.ones(2))).any()


@pytest.mark.parametrize("count", [1, 40])
def test_triangular_systems_that_are_singular(count: int) -> None:
    a, b = np.zeros((count, 2, 2)), np.ones((count, 2, 1))
    a[:, 0, 0] = a[:, 1, 0] = 1
    out = np.asarray(lax_linalg.triangular_solve(a, b, left_side=True, lower=True))
    assert (out[:, 0] == 1).all()
    assert not np.isfinite(out[:, 1]).any()


@pytest.mark.parametrize("shape", [(0, 0), (2, 0, 0), (0, 3, 3)])
def test_empty_matrices(shape: tuple[int, ...]) -> None:
    x = np.zeros(shape)
    for name in ("det", "inv", "slogdet", "svdvals", "pinv", "eigvalsh"):
        expected = getattr(np.linalg, name)(x)
        close(getattr(L, name)(x), tuple(expected) if isinstance(expected, tuple) else expected)


# Other forms.


def test_systems_broadcast() -> None:
    a, b = definite(2, 3, 3), draw(4, 1, 3, 2)
    close(L.solve(a, b), np.linalg.solve(a, b))
    close(L.solve(a, b[0, 0, :, 0]), np.linalg.solve(a, b[0, 0, :, 0]))
    close(fl.vmap(L.solve, (None, 0))(a[0], b[:, 0]), np.linalg.solve(a[0], b[:, 0]))
    check_grads(L.solve, (a, b), 2, atol=1e-5, rtol=1e-5)


def test_products_and_tensors() -> None:
    xs = [draw(2, 5), draw(5, 3), draw(3, 4), draw(4)]
    close(L.multi_dot(xs), np.linalg.multi_dot(xs))
    a, b = draw(2, 3, 6), draw(2, 3)
    close(L.tensorsolve(a, b), np.linalg.tensorsolve(a, b))
    close(L.tensorinv(a), np.linalg.tensorinv(a))
    close(L.cross(xs[1], xs[1][::-1].copy()), np.linalg.cross(xs[1], xs[1][::-1]))
    close(L.outer(xs[3], xs[3]), np.linalg.outer(xs[3], xs[3]))
    close(L.diagonal(a, offset=1), np.linalg.diagonal(a, offset=1))
    close(L.matrix_power(np.eye(2), 0), np.eye(2))


def test_numpy_s_own_functions_take_our_arrays() -> None:
    x = fnp.asarray(definite(3, 3))
    for name in ("inv", "det", "cholesky", "norm", "eigvalsh", "pinv"):
        out = getattr(np.linalg, name)(x)
        assert isinstance(out, fl.Array)
        close(out, getattr(np.linalg, name)(np.asarray(x)))
    close(fl.grad(lambda x: np.linalg.det(x))(x), fl.grad(L.det)(x))


def test_narrow_dtypes() -> None:
    x = definite(3, 3).astype("float32")
    for dtype in ("float16", "bfloat16"):
        given = fnp.asarray(x).astype(dtype)
        for function in (L.det, L.inv, L.cholesky, L.svdvals, L.eigvalsh, L.norm):
            out = function(given)
            assert out.dtype == dtype
            np.testing.assert_allclose(np.asarray(out).astype("float32"), function(fnp.asarray(x)), rtol=0.3, atol=0.3)
    assert L.det(fnp.eye(3, dtype="int32")).dtype == np.float32


def test_errors_say_what_came() -> None:
    with pytest.raises(ShapeError, match=r"square matrices, got f32\[2,3\]"):
        L.det(fnp.ones((2, 3)))
    with pytest.raises(ShapeError, match="at least 2 axes"):
        L.svd(fnp.ones(3))
    with pytest.raises(ShapeError, match="as many rows"):
        L.solve(fnp.eye(3), fnp.ones(2))
    with pytest.raises(ValueError, match="orders"):
        L.norm(fnp.eye(2), 7)
    with pytest.raises(DTypeError, match="one dtype"):
        lax_linalg.triangular_solve(fnp.eye(2), fnp.eye(2, dtype="float64"))
    with pytest.raises(NotImplementedError, match="full_matrices=False"):
        fl.grad(lambda x: fnp.sum(L.svd(x).U))(fnp.ones((3, 2)))


def test_lax_names() -> None:
    x = draw(3, 4)
    packed, pivots, permutation = lax_linalg.lu(x)
    assert lax_linalg.lu_pivots_to_permutation(pivots, 3).tolist() == permutation.tolist()
    lower, upper = np.tril(packed[:, :3], -1) + np.eye(3), np.triu(packed)
    np.testing.assert_allclose(lower @ upper, x[np.asarray(permutation)])
    v, w = lax_linalg.eigh(definite(3, 3))
    assert (v.shape, w.shape) == ((3, 3), (3,))
    close(lax_linalg.symmetric_product(x, np.eye(3), alpha=2.0, beta=0.5), 2 * x @ x.T + 0.5 * np.eye(3))
    q, r = lax_linalg.qr(x.T, full_matrices=True)
    assert (q.shape, r.shape) == ((4, 4), (4, 3))


def test_full_is_another_name_of_reduced() -> None:
    x = np.arange(12.0).reshape(4, 3)
    assert [a.shape for a in fnp.linalg.qr(x, mode="full")] == [a.shape for a in fnp.linalg.qr(x)]


def test_ranks_of_vectors_and_numbers() -> None:
    for x in ([0.0, 1.0], [0.0, 0.0], 1.0, 0.0):
        found = fl.jit(fnp.linalg.matrix_rank)(fnp.array(x))
        assert found == np.linalg.matrix_rank(x)
        assert found.dtype == fnp.linalg.matrix_rank(np.eye(2)).dtype
