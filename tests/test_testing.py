"""The checks of functorch_lite.testing find what they are there for."""

from __future__ import annotations

from typing import Any

import numpy as np
import pytest

import functorch_lite as fl
from functorch_lite.arrays import from_host
from functorch_lite.extend import Array
from functorch_lite.primitives import elementwise as e
from functorch_lite.testing import (
    assert_close,
    assert_same_bits,
    check_grads,
    check_jit,
    check_jvp,
    check_transpose,
    check_vjp,
    check_vmap,
    tolerance,
)

X = from_host(np.array([0.3, -0.7, 1.1]))
Z = from_host(np.array([0.3 + 0.2j, -0.7 - 1.0j]))


def with_derivative(slope: Any) -> Any:
    """sin, with a derivative of our choice."""

    @fl.custom_jvp
    def f(x: Any) -> Any:
        return e.sin(x)

    f.defjvp(lambda primals, tangents: (f(*primals), e.mul(tangents[0], slope(primals[0]))))
    return f


@pytest.mark.parametrize("modes", ["fwd", "rev", ("fwd", "rev")])
def test_right_derivatives_pass(modes: Any) -> None:
    modes = (modes,) if isinstance(modes, str) else modes
    check_grads(lambda x: e.sin(e.mul(x, x)), (X,), order=3, modes=modes)
    check_grads(with_derivative(e.cos), (X,), order=2, modes=modes)


def test_wrong_derivatives_are_found() -> None:
    wrong = with_derivative(e.sin)
    with pytest.raises(AssertionError, match="jvp: tangent of result 0"):
        check_jvp(wrong, (X,))
    with pytest.raises(AssertionError, match="vjp"):
        check_vjp(wrong, (X,))


def test_a_wrong_second_derivative_is_found() -> None:
    cosine_without_derivative = lambda x: e.cos(fl.lax.stop_gradient(x))  # noqa: E731
    f = with_derivative(cosine_without_derivative)
    check_grads(f, (X,), order=1)
    with pytest.raises(AssertionError, match="then"):
        check_grads(f, (X,), order=2)


@pytest.mark.parametrize("f", [e.abs_, e.real, e.imag, e.conj, e.exp, lambda z: e.mul(z, e.conj(z))])
def test_complex_derivatives_holomorphic_or_not(f: Any) -> None:
    check_grads(f, (Z,), order=2)


def test_a_derivative_that_forgets_to_conjugate_is_found() -> None:
    @fl.custom_jvp
    def conj(z: Any) -> Any:
        return e.conj(z)

    conj.defjvp(lambda primals, tangents: (conj(*primals), tangents[0]))
    with pytest.raises(AssertionError):
        check_jvp(conj, (Z,))


def test_arguments_and_results_may_be_pytrees_with_integers() -> None:
    def f(tree: Any, n: Any) -> Any:
        return {"y": e.mul(tree["a"], tree["b"]), "n": n}

    check_grads(f, ({"a": X, "b": X}, from_host(np.array(3))), order=2)


def test_float32_is_checked_with_a_coarser_step() -> None:
    check_grads(e.sin, (from_host(np.array([0.5, 1.0], np.float32)),), order=2)


def test_check_grads_refuses_other_modes() -> None:
    with pytest.raises(ValueError, match="'fwd' and 'rev'"):
        check_grads(e.sin, (X,), 1, modes=("forward",))


def test_check_transpose() -> None:
    check_transpose(lambda x, y: e.add(e.mul(X, x), e.neg(y)), (X, X))
    with pytest.raises(AssertionError):
        check_transpose(lambda x: e.add(x, X), (X,))


def test_check_vmap() -> None:
    xs = from_host(np.arange(6.0).reshape(2, 3))
    check_vmap(e.mul, (xs, xs), in_axes=1)
    check_vmap(e.mul, (xs, X), in_axes=(0, None))

    def different_when_batched(x: Any) -> Any:
        return x if type(x) is Array else e.neg(x)

    with pytest.raises(AssertionError, match="in_axes"):
        check_vmap(different_when_batched, (xs,))


def test_check_jit_finds_what_changes_under_tracing() -> None:
    check_jit(lambda x: e.mul(x, x), (X,))
    with pytest.raises(AssertionError, match="jit against eager"):
        check_jit(lambda x: e.neg(x) if type(x) is Array else x, (X,))
    with pytest.raises(AssertionError, match="has type"):
        check_jit(lambda x: x if type(x) is Array else e.convert(x, dtype=np.dtype("float32"), weak=False), (X,))


def test_closeness() -> None:
    assert_close(np.float32([1, np.nan]), np.float64([1 + 1e-8, np.nan]))
    assert_same_bits(np.array([0.0, np.nan]), np.array([0.0, np.nan]))
    with pytest.raises(AssertionError, match="last bits"):
        assert_same_bits(np.array(0.0), np.array(-0.0))
    with pytest.raises(AssertionError, match="shape"):
        assert_close(np.ones(1), np.ones(2))
    assert tolerance("complex64") == tolerance("float32") > tolerance("float64") > tolerance("int8") == 0
