"""Contractions as machine code: every way in which they are done, against the eager kernels."""

from __future__ import annotations

import itertools
import random

import numpy as np
import pytest

import functorch_lite as fl
import functorch_lite.numpy as fnp
from functorch_lite import lax

pytest.importorskip("llvmlite")

from functorch_lite.backend import default_backend
from functorch_lite.checking import check as check_program
from functorch_lite.extend import registry
from functorch_lite.extend_passes import fold_transposes
from functorch_lite.passes import optimized
from functorch_lite_numpy.compiler import contraction, processor

RNG = np.random.default_rng(0)


def operand(shape, dtype):
    if np.dtype(dtype).kind == "f":
        return RNG.standard_normal(shape).astype(dtype)
    return RNG.integers(-100 if np.dtype(dtype).kind == "i" else 0, 100, shape).astype(dtype)


def check(x, y, numbers, preferred=None):
    def f(a, b):
        return registry["dot_general"](a, b, dimension_numbers=numbers, preferred=preferred)

    got, want = fl.jit(f)(x, y), fl.jit(f, exact=True)(x, y)
    assert got.dtype == want.dtype
    assert got.shape == want.shape
    got, want = np.asarray(got), np.asarray(want)
    if got.dtype.kind != "f":
        np.testing.assert_array_equal(got, want)
        return
    size = np.asarray(fl.jit(f, exact=True)(np.abs(x), np.abs(y)))
    eps = np.finfo(np.result_type(got.dtype)).eps
    assert (np.abs(got - want) <= 8 * np.sqrt(1 + x.size) * eps * size + 1e-30).all()


SIZES = [1, 2, 3, 4, 5, 7, 8, 9, 15, 16, 17, 31, 33, 64, 67, 130]


@pytest.mark.parametrize("seed", range(40))
def test_products_of_matrices_in_all_orders(seed):
    pick = random.Random(seed)
    m, n, k = (pick.choice(SIZES) for _ in range(3))
    batch = pick.choice([(), (), (3,), (2, 3)])
    dtype = pick.choice(["float32", "float64"])
    for x_turned, y_turned in itertools.product((0, 1), repeat=2):
        nb = len(batch)
        x = operand((*batch, *((k, m) if x_turned else (m, k))), dtype)
        y = operand((*batch, *((n, k) if y_turned else (k, n))), dtype)
        stack = tuple(range(nb))
        check(x, y, (((nb + (not x_turned),), (nb + bool(y_turned),)), (stack, stack)))


@pytest.mark.parametrize("seed", range(80))
def test_any_axes(seed):
    pick = random.Random(seed)
    counts = [pick.choice([1, 2, 3, 4, 5, 8, 9, 17]) for _ in range(5)]
    n_batch, n_summed = pick.choice([0, 0, 1, 2]), pick.choice([0, 1, 1, 2])
    kinds = [
        *(["b"] * n_batch),
        *(["k"] * n_summed),
        *(["m"] * pick.choice([0, 1, 2])),
        *(["n"] * pick.choice([0, 1, 2])),
    ]
    lengths = {i: pick.choice(counts) for i in range(len(kinds))}
    x_axes = [i for i, c in enumerate(kinds) if c in "bkm"]
    y_axes = [i for i, c in enumerate(kinds) if c in "bkn"]
    pick.shuffle(x_axes)
    pick.shuffle(y_axes)
    dtype = pick.choice(["float32", "float64", "int32", "int8", "uint64"])
    x, y = operand([lengths[i] for i in x_axes], dtype), operand([lengths[i] for i in y_axes], dtype)
    places = [
        tuple(tuple(axes.index(i) for i, c in enumerate(kinds) if c == kind) for axes in (x_axes, y_axes))
        for kind in "kb"
    ]
    check(x, y, tuple(places))


@pytest.mark.parametrize("given, preferred", [("float32", "float64"), ("int8", "int32"), ("float64", "float32")])
@pytest.mark.parametrize("m, n, k", [(9, 21, 13), (130, 70, 300), (1, 700, 900), (1, 1003, 1501), (40, 1000, 40)])
def test_another_dtype_for_the_result(given, preferred, m, n, k):
    x, y = operand((m, k), given), operand((k, n), given)
    check(x, y, (((1,), (0,)), ((), ())), np.dtype(preferred))


@pytest.mark.parametrize("given, preferred", [("int8", "int32"), ("uint8", "uint32"), ("int16", "int32")])
@pytest.mark.parametrize("m, n, k", [(33, 34, 35), (130, 71, 300), (8, 300, 257), (300, 5, 9), (3, 4, 1200)])
@pytest.mark.parametrize("turned", [(False, False), (True, True)])
def test_short_integers(given, preferred, m, n, k, turned):
    """They are multiplied in pairs: an odd term is left over, and the largest products wrap around as their sum does."""
    rng, info = np.random.default_rng(m), np.iinfo(given)
    x, y = (rng.integers(info.min, info.max + 1, shape).astype(given) for shape in ((m, k), (k, n)))
    x[0], y[:, 0] = info.min or info.max, info.min or info.max
    expected = (x.astype(np.int64) @ y.astype(np.int64)).astype(preferred)
    x, y = (np.ascontiguousarray(a.T) if t else a for a, t in zip((x, y), turned, strict=True))
    f = fl.jit(
        lambda x, y: fnp.matmul(x.T if turned[0] else x, y.T if turned[1] else y, preferred_element_type=preferred)
    )
    np.testing.assert_array_equal(np.asarray(f(x, y)), expected)


@pytest.mark.parametrize(
    "m, n, k",
    [
        (1, 1, 5000),
        (1, 700, 900),
        (1, 1003, 1501),
        (1, 9000, 70),
        (700, 1, 900),
        (300, 400, 1),
        (150, 160, 170),
        (97, 98, 99),
        (333, 517, 10),
        (700, 300, 17),
        (100, 2001, 128),
    ],
)
@pytest.mark.parametrize("turned", [False, True])
def test_large(m, n, k, turned):
    x, y = operand((m, k), "float32"), operand((n, k) if turned else (k, n), "float32")
    check(x, y, (((1,), (1 if turned else 0,)), ((), ())))


def test_inside_a_loop():
    a = operand((4, 4), "float32") / 4

    def f(p):
        return lax.scan(lambda p, _: (a @ p @ a.T + fnp.eye(4, dtype="float32"), p[0] @ p[1]), p, None, length=50)

    got, want = fl.jit(f)(np.eye(4, dtype="float32")), fl.jit(f, exact=True)(np.eye(4, dtype="float32"))
    for g, w in zip(got, want, strict=True):
        np.testing.assert_allclose(np.asarray(g), np.asarray(w), rtol=2e-4)


def test_does_not_read_beyond_the_end():
    """Lanes beyond the end are masked: NaN next to an operand does not matter."""
    memory = np.full(3 * 5 + 64, np.nan, "float32")
    x = memory[:15].reshape(3, 5)
    x[:] = 1
    np.testing.assert_array_equal(np.asarray(fl.jit(lambda x: x @ x.T)(x)), np.full((3, 3), 5))


def equations_of(f, *args):
    program = optimized(fl.make_program(f)(*args).program, default_backend())
    folded = fold_transposes(program, lambda equation: True)
    check_program(folded)
    return [(e.primitive.name, e.params.get("dimension_numbers")) for e in folded.equations]


X, Y = np.ones((3, 4), "float32"), np.ones((3, 5), "float32")


def test_transposes_of_operands_are_folded():
    assert equations_of(lambda x, y: x.T @ y, X, Y) == [("dot_general", (((0,), (0,)), ((), ())))]
    assert equations_of(lambda x, y: y.T @ x, X, Y) == [("dot_general", (((0,), (0,)), ((), ())))]


def test_the_transpose_of_a_product_is_folded():
    assert equations_of(lambda x, y: (x.T @ y).T, X, Y) == [("dot_general", (((0,), (0,)), ((), ())))]
    f = fl.grad(lambda w, x: ((x @ w) ** 2).sum())
    assert all(name != "transpose" for name, _ in equations_of(f, np.ones((4, 5), "float32"), X))


def test_a_transpose_that_others_need_stays():
    names = [name for name, _ in equations_of(lambda x, y: (x.T @ y, x.T), X, Y)]
    assert sorted(names) == ["dot_general", "transpose"]


def test_an_order_that_cannot_be_said_stays():
    x, y = operand((2, 3, 4), "float32"), operand((4, 5), "float32")
    assert [name for name, _ in equations_of(lambda x, y: fnp.tensordot(x.transpose(1, 0, 2), y, 1), x, y)] == [
        "transpose",
        "dot_general",
    ]


@pytest.mark.parametrize(
    "spec", ["bij,bkj->bik", "bij,bkj->bki", "ibj,kbj->bki", "ij,kj->ki", "bqhd,bkhd->bhqk", "abc,cd->dba"]
)
def test_folded_products_are_right(spec):
    lengths = dict(zip("abcdijkqh", (2, 3, 4, 5, 6, 7, 8, 9, 3), strict=True))
    x, y = (operand([lengths[c] for c in part], "float64") for part in spec.split("->")[0].split(","))
    got = fl.jit(lambda x, y: fnp.einsum(spec, x, y))(x.astype("float32"), y.astype("float32"))
    np.testing.assert_allclose(np.asarray(got), np.einsum(spec, x, y), rtol=1e-4, atol=1e-4)


@pytest.mark.parametrize("bytes_", [16, 32])
@pytest.mark.usefixtures("fresh_code")
def test_narrower_registers(monkeypatch, bytes_):
    """What other processors run: fewer lanes, and BLAS for what is large."""
    monkeypatch.setattr(processor, "vector_bytes", lambda: bytes_)
    monkeypatch.setattr(contraction, "SMALL", 20**3)
    for m, n, k in [(3, 5, 7), (9, 20, 33), (40, 50, 60), (1, 700, 300)]:
        for x_turned, y_turned in itertools.product((0, 1), repeat=2):
            x, y = (
                operand((k, m) if x_turned else (m, k), "float32"),
                operand((n, k) if y_turned else (k, n), "float32"),
            )
            check(x, y, (((1 - x_turned,), (y_turned,)), ((), ())))
    x, y = operand((3, 40, 4, 10), "float32"), operand((10, 5, 3, 4, 9), "float32")
    check(x, y, (((2, 3), (3, 0)), ((0,), (2,))))


@pytest.mark.parametrize("dtype", ["complex64", "complex128"])
@pytest.mark.parametrize(
    "text", ["mk,kn->mn", "km,kn->mn", "mk,nk->mn", "mk,kn->nm", "bmk,kn->bmn", "kbm,knb->mbn", "mbk,kbn->mbn"]
)
@pytest.mark.parametrize(
    "m, k, n", [(1, 70, 300), (300, 70, 1), (1, 1, 5), (5, 1, 1), (1, 9, 1), (257, 200, 1), (1, 200, 257)]
)
def test_complex_vectors(m, k, n, text, dtype):
    lengths = {"b": 3, "m": m, "k": k, "n": n}
    shapes = [[lengths[axis] for axis in axes] for axes in text.split("->")[0].split(",")]
    x, y = ((RNG.normal(size=s) + 1j * RNG.normal(size=s)).astype(dtype) for s in shapes)
    got = np.asarray(fl.jit(lambda x, y: fnp.einsum(text, x, y))(x, y))
    want = np.einsum(text, x.astype(complex), y.astype(complex))
    np.testing.assert_allclose(
        got, want, rtol=1e-5 if dtype == "complex64" else 1e-12, atol=1e-4 if dtype == "complex64" else 1e-12
    )
