"""What is defined by an equation: `custom_linear_solve`, `custom_root`, and the iterative solvers."""

from __future__ import annotations

from typing import Any

import numpy as np
import pytest

import functorch_lite as fl
import functorch_lite.numpy as fnp
from functorch_lite import lax
from functorch_lite.scipy.sparse.linalg import bicgstab, cg, gmres
from functorch_lite.testing import check_grads, check_jit, check_vmap

RNG = np.random.default_rng(5)
A = RNG.normal(size=(4, 4)) + 4 * np.eye(4)
B = RNG.normal(size=4)


def solved(a: Any, b: Any, symmetric: bool = False) -> Any:
    fixed = lax.stop_gradient(a)
    return lax.custom_linear_solve(
        lambda x: a @ x,
        b,
        lambda _, b: fnp.linalg.solve(fixed, b),
        None if symmetric else lambda _, b: fnp.linalg.solve(fixed.T, b),
        symmetric=symmetric,
    )


def test_a_linear_system_and_its_derivatives() -> None:
    np.testing.assert_allclose(solved(A, B), np.linalg.solve(A, B))
    check_grads(solved, (A, B), 3)
    check_grads(lambda a, b: solved(a + a.T, b, symmetric=True), (A, B), 2)
    gradient = fl.grad(lambda a, b: solved(a, b).sum(), (0, 1))
    for f in (solved, gradient):
        check_jit(f, (A, B), bits=False)
        check_vmap(f, (np.stack([A, 2 * A]), np.stack([B, B + 1])))
        check_vmap(lambda b, f=f: f(A, b), (np.stack([B, B + 1]),))
    check_grads(fl.jit(solved), (A, B), 2)
    rematerialised = fl.grad(fl.checkpoint(lambda a, b: solved(a, b).sum()), (0, 1))(A, B)
    for found, expected in zip(rematerialised, gradient(A, B), strict=True):
        np.testing.assert_allclose(found, expected)


def test_a_linear_system_in_the_body_of_a_loop() -> None:
    def looped(a: Any, b: Any) -> Any:
        return lax.fori_loop(0, 3, lambda _, x: solved(a, x), b)

    np.testing.assert_allclose(looped(A, B), np.linalg.solve(A @ A @ A, B))
    check_grads(looped, (A, B), 2)


def test_a_linear_system_of_pytrees_with_auxiliary_data() -> None:
    def halved(c: Any) -> Any:
        b = {"x": c, "y": [2 * c]}
        solve = lambda f, b: (fl.tree.map(lambda y: y / 2, b), {"turns": 7, "norm": f(b)["x"]})  # noqa: E731
        return lax.custom_linear_solve(
            lambda x: fl.tree.map(lambda y: 2 * y, x), b, solve, symmetric=True, has_aux=True
        )

    x, aux = halved(3.0)
    assert fl.tree.map(float, x) == {"x": 1.5, "y": [3.0]}
    assert fl.tree.map(float, aux) == {"turns": 7.0, "norm": 6.0}
    assert float(fl.grad(lambda c: halved(c)[0]["y"][0] ** 2)(3.0)) == 6.0
    assert float(fl.grad(lambda c: halved(c)[1]["norm"])(3.0)) == 0.0
    np.testing.assert_array_equal(fl.vmap(halved)(fnp.arange(3.0))[0]["y"][0], [0, 1, 2])


def test_errors_of_linear_systems() -> None:
    with pytest.raises(TypeError, match="give transpose_solve, or symmetric=True"):
        fl.grad(lambda b: lax.custom_linear_solve(lambda x: 2 * x, b, lambda _, b: b / 2))(1.0)
    with pytest.raises(TypeError, match="matvec must give the structure of b"):
        lax.custom_linear_solve(lambda x: (x, x), 1.0, lambda _, b: b)
    with pytest.raises(TypeError, match=r"solve must give the type of b, f32\[2\], got f32\[\]"):
        lax.custom_linear_solve(lambda x: x, fnp.ones(2), lambda _, b: b[0])
    assert (
        float(fl.jvp(lambda b: lax.custom_linear_solve(lambda x: 2 * x, b, lambda _, b: b / 2), (1.0,), (3.0,))[1])
        == 1.5
    )


def square_root(c: Any) -> Any:
    def newton(f: Any, x: Any) -> Any:
        return lax.while_loop(lambda x: fnp.abs(f(x)) > 1e-10, lambda x: x - f(x) / fl.grad(f)(x), x)

    return lax.custom_root(lambda x: x**2 - c, fnp.ones_like(c), newton, lambda g, y: y / g(1.0))


def test_a_root_and_its_derivatives() -> None:
    c = np.float64(3.0)
    np.testing.assert_allclose(square_root(c), np.sqrt(c))
    check_grads(square_root, (c,), 3)
    check_jit(fl.grad(square_root), (c,), bits=False)
    for f in (square_root, fl.grad(square_root)):
        check_vmap(f, (np.array([2.0, 3.0]),))


def test_a_root_of_pytrees_with_auxiliary_data() -> None:
    def scaled(c: Any) -> Any:
        return lax.custom_root(
            lambda x: {"x": x["x"] - 2 * c, "y": x["y"] - c * x["x"]},
            {"x": c, "y": c},
            lambda f, x: ({"x": 2 * c, "y": 2 * c**2}, 5),
            lambda g, y: fl.tree.map(
                lambda z: z, {"x": y["x"], "y": y["y"] - g({"x": y["x"], "y": 0.0 * y["y"]})["y"]}
            ),
            has_aux=True,
        )

    x, aux = scaled(3.0)
    assert (fl.tree.map(float, x), int(aux)) == ({"x": 6.0, "y": 18.0}, 5)
    assert float(fl.grad(lambda c: scaled(c)[0]["y"])(3.0)) == 12.0


def test_errors_of_roots() -> None:
    with pytest.raises(TypeError, match="f must give the structure of initial_guess"):
        lax.custom_root(lambda x: (x, x), 1.0, lambda f, x: x, lambda g, y: y)
    with pytest.raises(TypeError, match="tangent_solve must give the type"):
        fl.grad(lambda c: lax.custom_root(lambda x: x - c, c, lambda f, x: x, lambda g, y: fnp.ones(2)))(1.0)


SOLVERS = {
    "bicgstab": bicgstab,
    "gmres": gmres,
    "gmres restarted": lambda *args, **options: gmres(*args, restart=2, **options),
    "gmres stepwise": lambda *args, **options: gmres(*args, solve_method="incremental", **options),
    "cg": lambda a, b, **options: cg(a @ a.conj().T, a @ b, **options),
}


@pytest.mark.parametrize("dtype", ["float32", "float64", "complex128"])
@pytest.mark.parametrize("name", SOLVERS)
def test_iterative_solvers(name: str, dtype: str) -> None:
    a, b = A.astype(dtype), B.astype(dtype)
    if dtype == "complex128":
        a, b = a + 0.3j * A[::-1], b + 1j * B[::-1]
    if name == "cg":
        b = np.linalg.solve(a, b)
    tol = 1e-6 if dtype == "float32" else 1e-12
    expected = np.linalg.solve(a @ a.conj().T, a @ b) if name == "cg" else np.linalg.solve(a, b)
    for options in ({}, {"x0": b}, {"M": np.diag(1 / np.diag(a.real)).astype(dtype)}):
        found, info = SOLVERS[name](a, b, tol=tol, **options)
        assert (found.dtype, info) == (dtype, None)
        np.testing.assert_allclose(found, expected, rtol=1e4 * tol)
    if dtype == "float64":
        check_grads(lambda a, b: SOLVERS[name](a, b, tol=tol)[0], (a, b), 2)
        check_vmap(lambda a, b: SOLVERS[name](a, b, tol=tol)[0], (np.stack([a, a + 1]), np.stack([b, 2 * b])))
        check_jit(lambda a, b: SOLVERS[name](a, b, tol=tol)[0], (a, b), bits=False)


@pytest.mark.parametrize("solver", [cg, bicgstab, gmres])
def test_iterative_solvers_of_functions_of_pytrees(solver: Any) -> None:
    b = {"x": fnp.ones((2, 2)), "y": 3.0}
    found, _ = solver(lambda x: {"x": 2 * x["x"], "y": 4 * x["y"]}, b, M=lambda x: x)
    np.testing.assert_allclose(found["x"], np.full((2, 2), 0.5), rtol=1e-5)
    np.testing.assert_allclose(found["y"], 0.75, rtol=1e-5)
    nothing, _ = solver(lambda x: 2 * x, fnp.zeros(3))
    np.testing.assert_array_equal(nothing, np.zeros(3))
    with pytest.raises(ValueError, match="structure of b"):
        solver(lambda x: x, b, x0=b["x"])
    with pytest.raises(ValueError, match="square matrix"):
        solver(np.ones((2, 3)), np.ones(3))


def test_errors_of_gmres() -> None:
    with pytest.raises(ValueError, match="'batched' or 'incremental'"):
        gmres(A, B, solve_method="fast")
    with pytest.raises(TypeError, match="positive integer"):
        gmres(A, B, restart=0)
