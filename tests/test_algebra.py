"""Algebraic rewrites: what becomes of an equation, and that bits stay where a rule says so."""

from __future__ import annotations

from typing import Any

import numpy as np
import pytest

import functorch_lite as fl
import functorch_lite.numpy as fnp
from functorch_lite.checking import check
from functorch_lite.passes import optimized, rewrite_algebra, simplify
from functorch_lite.passes.algebra import RULES

lax = fl.lax
SPECIAL = np.array([0.0, -0.0, 1.5, -2.75, np.inf, -np.inf, np.nan, 1e-45, -1e38, 3.3e38], np.float32)
INTEGERS = np.array([0, 1, -1, 7, 2**31 - 1, -(2**31)], np.int32)

# name: function, its argument, the primitives that are left
KEEPING_BITS: dict[str, tuple[Any, np.ndarray, list[str]]] = {
    "x * 1": (lambda x: x * 1.0, SPECIAL, []),
    "1 * x": (lambda x: 1.0 * x, SPECIAL, []),
    "x * ones": (lambda x: x * fnp.ones(10, "float32"), SPECIAL, []),
    "x / 1": (lambda x: x / 1.0, SPECIAL, []),
    "x - 0": (lambda x: x - 0.0, SPECIAL, []),
    "x + -0": (lambda x: x + -0.0, SPECIAL, []),
    "x + 0 stays": (lambda x: x + 0.0, SPECIAL, ["add"]),
    "x - -0 stays": (lambda x: x - -0.0, SPECIAL, ["sub"]),
    "x * 0 stays": (lambda x: x * 0.0, SPECIAL, ["mul"]),
    "i + 0": (lambda x: x + 0, INTEGERS, []),
    "0 + i": (lambda x: 0 + x, INTEGERS, []),
    "i - 0": (lambda x: x - 0, INTEGERS, []),
    "x ** 1": (lambda x: lax.integer_pow(x, 1), SPECIAL, []),
    "--x": (lambda x: fnp.negative(-x), SPECIAL, []),
    "~~i": (lambda x: ~~x, INTEGERS, []),
    "max(x, x)": (lambda x: fnp.maximum(x, x), SPECIAL, []),
    "i & i": (lambda x: x & x, INTEGERS, []),
    "transposes": (lambda x: x.reshape(2, 5).T.T, SPECIAL, ["reshape"]),
    "three transposes": (lambda x: x.reshape(1, 2, 5).transpose(1, 2, 0).transpose(1, 2, 0), SPECIAL, ["reshape", "transpose"]),
    "reshapes": (lambda x: x.reshape(2, 5).reshape(5, 2).reshape(10, 1), SPECIAL, ["reshape"]),
    "reshape back": (lambda x: x.reshape(2, 5).reshape(10), SPECIAL, []),
    "turned twice": (lambda x: fnp.flip(fnp.flip(x)), SPECIAL, []),
    "broadcasts": (lambda x: fnp.broadcast_to(fnp.broadcast_to(x, (3, 10)), (2, 3, 10)), SPECIAL, ["broadcast_in_dim"]),
    "wide and back": (lambda x: x.astype("float64").astype("float32"), SPECIAL, []),
    "narrow and back stays": (lambda x: x.astype("float16").astype("float32"), INTEGERS.astype("f") / 3, ["convert"] * 2),
    "by way of a wider one": (lambda x: x.astype("int64").astype("float64"), INTEGERS, ["convert"]),
    "wider in two steps": (lambda x: x.astype("int32").astype("int64"), INTEGERS.astype("int16"), ["convert"]),
    "float to wide integer stays": (lambda x: x.astype("int64").astype("float32"), INTEGERS.astype("f"), ["convert"] * 2),
    "(-x) * (-y)": (lambda x: (-x) * (-(x[::-1])), SPECIAL, ["rev", "mul"]),
    "(-x) / (-y)": (lambda x: (-x) / (-(x[::-1])), SPECIAL, ["rev", "div"]),
    "x + -y": (lambda x: x + -(x[::-1]), SPECIAL, ["rev", "sub"]),
    "x - -y": (lambda x: x - -(x[::-1]), SPECIAL, ["rev", "add"]),
    "select of one": (lambda x: fnp.where(x > 0, x, x), SPECIAL, []),
    "select the first": (lambda x: fnp.where(fnp.ones(10, bool), x, x * 2.0), SPECIAL, []),
    "select the second": (lambda x: fnp.where(fnp.zeros(10, bool), x, x * 2.0), SPECIAL, ["mul"]),
    "x / 4": (lambda x: x / 4.0, SPECIAL, ["mul"]),
    "x / -0.125": (lambda x: x / -0.125, SPECIAL, ["mul"]),
    "x / 3 stays": (lambda x: x / 3.0, SPECIAL, ["div"]),
    "x / 0 stays": (lambda x: x / 0.0, SPECIAL, ["div"]),
}  # fmt: skip


def names(program: Any) -> list[str]:
    return [e.primitive.name for e in program.equations]


@pytest.mark.parametrize("name", KEEPING_BITS)
def test_keeping_bits(name: str) -> None:
    f, x, left = KEEPING_BITS[name]
    program = fl.make_program(f)(x).program
    assert names(rewrite_algebra(simplify(program), keeping_bits=True)) == left
    with np.errstate(all="ignore"):
        eager = np.asarray(f(fnp.asarray(x)))
        compiled = np.asarray(fl.jit(f, exact=True)(x))
    assert eager.dtype == compiled.dtype
    number = ~np.isnan(eager) if eager.dtype.kind == "f" else np.ones(eager.shape, bool)
    np.testing.assert_array_equal(np.isnan(eager), np.isnan(compiled))
    assert eager[number].tobytes() == compiled[number].tobytes()


def test_changing_bits() -> None:
    def f(x: Any) -> Any:
        return fnp.log(fnp.exp(x))

    x = np.array([-200.0, -1.5, 0.0, 2.5, 200.0], np.float32)
    program = optimized(fl.make_program(f)(x).program, fl.default_backend())
    assert names(program) == ["exp", "log"]
    assert names(rewrite_algebra(program, keeping_bits=False)) == []
    np.testing.assert_array_equal(np.asarray(fl.jit(f)(x)), x)


@pytest.mark.parametrize("reduce", [fnp.sum, fnp.prod, fnp.max, fnp.min])
def test_reductions_of_transposes(reduce: Any) -> None:
    x = np.random.default_rng(0).normal(size=(2, 3, 4, 5))
    for permutation, axes, left in (
        ((3, 2, 1, 0), (0, 1, 2), 1),
        ((1, 0, 3, 2), (1, 2), 1),
        ((1, 0, 3, 2), (1, 3), 1),
        ((0, 3, 2, 1), 2, 2),
        ((2, 3, 1, 0), 1, 2),
        ((2, 0, 1, 3), (3,), 2),
    ):
        f = lambda x, p=permutation, a=axes: reduce(fnp.transpose(x, p), axis=a)  # noqa: E731
        program = rewrite_algebra(simplify(fl.make_program(f)(x).program), keeping_bits=False)
        check(program)
        assert names(program) == [f"reduce_{reduce.__name__}", "transpose"][:left]
        np.testing.assert_allclose(fl.jit(f)(x), f(fnp.asarray(x)), rtol=1e-12)


@pytest.mark.parametrize(
    "spec, x, y, left",
    [
        ("nk,k->n", (300, 3), (3,), True),
        ("k,nk->n", (4,), (300, 4), True),
        ("bnk,bk->bn", (5, 60, 2), (5, 2), True),
        ("nk,nk->n", (300, 3), (300, 3), True),
        ("nij,ij->n", (300, 2, 2), (2, 2), True),
        ("bn,b->bn", (30, 20), (30,), True),
        ("nij,ji->n", (300, 2, 2), (2, 2), False),  # would have to be transposed
        ("nk,k->n", (300, 5), (5,), False),
        ("nk,k->n", (30, 3), (3,), False),
        ("kn,k->n", (3, 300), (3,), False),
        ("nk,km->nm", (300, 3), (3, 3), False),
    ],
)
def test_products_of_few_terms(spec: str, x: Any, y: Any, left: bool) -> None:
    rng = np.random.default_rng(0)
    for dtype in ("float64", "float32", "float16"):
        a, b = (rng.normal(size=shape).astype(dtype) for shape in (x, y))
        f = lambda a, b: fnp.einsum(spec, a, b)  # noqa: E731
        program = rewrite_algebra(simplify(fl.make_program(f)(a, b).program), keeping_bits=False)
        check(program)
        assert ("dot_general" not in names(program)) == (left and dtype != "float16")
        np.testing.assert_allclose(fl.jit(f)(a, b), f(fnp.asarray(a), fnp.asarray(b)), rtol=1e-3, atol=1e-3)


@pytest.mark.parametrize(
    "given, wide, n, casts",
    [
        ("int8", "int64", 80, 2),
        ("uint8", "int32", 80, 2),
        ("int8", "int32", 80, 0),
        ("float32", "float64", 80, 2),
        ("int8", "int32", 20, 0),
    ],
)
def test_products_in_a_wider_dtype(given: str, wide: str, n: int, casts: int) -> None:
    x = np.random.default_rng(0).integers(0, 100, (n, n)).astype(given)
    f = lambda x: fnp.matmul(x, x.T, preferred_element_type=wide)  # noqa: E731
    program = rewrite_algebra(simplify(fl.make_program(f)(x).program), keeping_bits=False)
    check(program)
    assert names(program).count("convert") == casts
    np.testing.assert_array_equal(fl.jit(f)(x), x.astype(wide) @ x.T.astype(wide))


def test_in_bodies_of_loops() -> None:
    program = fl.make_program(lambda x: lax.fori_loop(0, 5, lambda i, x: fnp.negative(-x) * 1.0 + x, x))(
        fnp.ones(3)
    ).program
    (loop,) = [e for e in rewrite_algebra(simplify(program), keeping_bits=True).equations if e.primitive.subprograms]
    bodies = [body for name in loop.primitive.subprograms for body in [loop.params[name]]]
    assert not {"neg", "mul"} & {n for body in bodies for n in names(body)}


def test_every_rule_has_a_primitive() -> None:
    from functorch_lite.extend import registry

    assert set(RULES) <= set(registry)
