"""Collectives over named axes, alone and under every transformation: values by formulas."""

from __future__ import annotations

import numpy as np
import pytest

import functorch_lite as fl
import functorch_lite.numpy as fnp
from functorch_lite import lax
from functorch_lite.errors import ShapeError
from functorch_lite.testing import check_grads

X = np.arange(1, 13, dtype=np.float32).reshape(3, 4)
Y = np.arange(24, dtype=np.float32).reshape(2, 3, 4) + 0.5


def over(f, *args, **options):
    """`f` of each member of the axis "i"."""
    return fl.vmap(f, axis_name="i", **options)(*args)


def nested(f, x=Y):
    """`f` of each member of the axes "i" (outer) and "j" (inner)."""
    return fl.vmap(fl.vmap(f, axis_name="j"), axis_name="i")(x)


def everywhere(value, like):
    return np.broadcast_to(value, np.shape(like))


def same(found, expected, dtype=None):
    np.testing.assert_allclose(found, expected, rtol=1e-5)
    if dtype is not None:
        assert found.dtype == dtype


def check(f, x):
    check_grads(f, (x,), order=2, atol=1e-4, rtol=1e-4)


# Values


@pytest.mark.parametrize("name", ["psum", "pmean", "pmax", "pmin"])
def test_reductions_over_one_axis(name):
    reduce = {"psum": np.sum, "pmean": np.mean, "pmax": np.max, "pmin": np.min}[name]
    collective = getattr(lax, name)
    same(over(lambda a: collective(a, "i"), X), everywhere(reduce(X, 0), X), np.float32)
    same(over(lambda a: collective(a, "i"), X, in_axes=1, out_axes=1), everywhere(reduce(X, 1)[:, None], X))
    same(over(lambda a: collective(a, "i"), X, out_axes=None), reduce(X, 0))
    tree = over(lambda a: collective({"a": a, "b": (a[0],)}, "i"), X)
    same(tree["b"][0], everywhere(reduce(X[:, 0]), np.zeros(3)))


@pytest.mark.parametrize("name", ["psum", "pmean", "pmax", "pmin"])
def test_reductions_over_several_axes(name):
    reduce = {"psum": np.sum, "pmean": np.mean, "pmax": np.max, "pmin": np.min}[name]
    collective = getattr(lax, name)
    same(nested(lambda a: collective(a, ("i", "j"))), everywhere(reduce(Y, (0, 1)), Y))
    same(nested(lambda a: collective(a, ["j", "i"])), everywhere(reduce(Y, (0, 1)), Y))
    same(nested(lambda a: collective(a, "i")), everywhere(reduce(Y, 0), Y))
    same(nested(lambda a: collective(a, "j")), everywhere(reduce(Y, 1)[:, None], Y))


def test_reductions_of_what_is_the_same_for_all():
    """A constant, or an operand without the axis, is counted once for each member."""
    same(over(lambda a: lax.psum(1, "i") * a, X), 3 * X, np.float32)
    same(over(lambda a: lax.psum(2.5, "i") + 0 * a, X), everywhere(7.5, X))
    same(over(lambda a: lax.psum(True, "i") + 0 * a, X), everywhere(3, X))
    same(over(lambda a: lax.pmean(3, "i") + 0 * a, X), everywhere(3, X))
    same(over(lambda a: lax.pmax(2.0, "i") + 0 * a, X), everywhere(2, X))
    b = np.array([1.0, 2.0], np.float32)
    same(over(lambda a, b: lax.psum(b, "i"), X, b, in_axes=(0, None)), np.tile(3 * b, (3, 1)))
    same(over(lambda b: lax.psum(b, "i"), b, in_axes=None, axis_size=5), np.tile(5 * b, (5, 1)))
    mixed = over(lambda a, b: lax.psum((a, {"k": b}), "i"), X, b, in_axes=(0, None))
    same(mixed[0], everywhere(X.sum(0), X))
    same(mixed[1]["k"], np.tile(3 * b, (3, 1)))
    assert over(lambda a: lax.psum((), "i") or a, X).shape == X.shape

    def partly(a, b):
        return lax.psum(a, "j") + lax.psum(b, "i")

    inner = fl.vmap(partly, in_axes=(None, 0), axis_name="j")
    found = fl.vmap(inner, in_axes=(0, None), axis_name="i")(X, X[:2])
    same(found, 2 * X[:, None] + 3 * X[None, :2])


def test_dtypes_of_reductions():
    same(over(lambda a: lax.psum(a > 3, "i"), X), everywhere((X > 3).sum(0), X), np.int32)
    same(over(lambda a: lax.pmean(a.astype(int), "i"), X), everywhere(X.mean(0), X), np.float32)
    assert over(lambda a: lax.pmax(a > 5, "i"), X).tolist() == everywhere((X > 5).any(0), X).tolist()
    for dtype in ("int8", "uint16", "float16", "bfloat16", "float64", "complex64"):
        assert over(lambda a: lax.psum(a, "i"), fnp.asarray(X, dtype=dtype)).dtype == dtype


def test_all_gather():
    same(over(lambda a: lax.all_gather(a, "i"), X), np.stack([X] * 3))
    for axis in (1, -1):
        same(over(lambda a: lax.all_gather(a, "i", axis=axis), X), np.stack([X.T] * 3))
    same(over(lambda a: lax.all_gather(a, "i", tiled=True), X), np.stack([X.ravel()] * 3))
    along = np.concatenate(list(Y), axis=1)
    same(over(lambda a: lax.all_gather(a, "i", axis=1, tiled=True), Y), np.stack([along] * 2))
    same(over(lambda a: lax.all_gather(3.0, "i") + a[:3], X), 3 + X[:, :3])
    assert over(lambda a: lax.all_gather({"a": a}, "i"), X)["a"].shape == (3, 3, 4)


def test_all_gather_over_several_axes():
    """Members are counted as `axis_index` of the same names counts them."""
    for names in (("i", "j"), ("j", "i")):
        places = nested(lambda a: lax.axis_index(names))
        gathered = nested(lambda a: lax.all_gather(lax.axis_index(names), names))
        assert gathered.tolist() == np.broadcast_to(np.arange(6), (2, 3, 6)).tolist()
        rows = np.empty((6, 4), np.float32)
        rows[np.asarray(places).ravel()] = Y.reshape(6, 4)
        same(nested(lambda a: lax.all_gather(a, names)), np.broadcast_to(rows, (2, 3, 6, 4)))
        same(nested(lambda a: lax.all_gather(a, names, axis=1)), np.broadcast_to(rows.T, (2, 3, 4, 6)))
        same(nested(lambda a: lax.all_gather(a, names, tiled=True)), np.broadcast_to(rows.ravel(), (2, 3, 24)))


def test_psum_scatter():
    square = X[:, :3]
    same(over(lambda a: lax.psum_scatter(a, "i"), square), square.sum(0))
    wide = np.concatenate([X, 2 * X, 3 * X], axis=1)
    same(over(lambda a: lax.psum_scatter(a, "i", tiled=True), wide), wide.sum(0).reshape(3, 4))
    found = over(lambda a: lax.psum_scatter(a, "i", scatter_dimension=1, tiled=True), Y)
    same(found, np.stack(np.split(Y.sum(0), 2, axis=1)))
    with pytest.raises(ShapeError, match="does not divide into 3 parts"):
        over(lambda a: lax.psum_scatter(a, "i", tiled=True), X)


def test_ppermute_and_pshuffle():
    same(over(lambda a: lax.ppermute(a, "i", [(0, 1), (1, 2), (2, 0)]), X), X[[2, 0, 1]])
    same(over(lambda a: lax.ppermute(a, "i", [(0, 2)]), X), np.stack([0 * X[0], 0 * X[0], X[0]]))
    same(over(lambda a: lax.pshuffle(a, "i", [2, 0, 1]), X), X[[2, 0, 1]])
    same(nested(lambda a: lax.ppermute(a, "i", [(0, 1)])), np.stack([0 * Y[0], Y[0]]))
    same(nested(lambda a: lax.ppermute(a, "j", [(0, 2), (2, 0)]))[:, 1], 0 * Y[:, 1])


def test_axis_index_and_axis_size():
    found = over(lambda a: lax.axis_index("i"), X)
    assert found.tolist() == [0, 1, 2]
    assert found.dtype == np.int32
    same(over(lambda a: lax.axis_index("i") * a, X, in_axes=1, out_axes=1), X * np.arange(4))
    assert over(lambda a: lax.axis_size("i") * a, X).tolist() == (3 * X).tolist()
    assert nested(lambda a: lax.axis_index(("i", "j"))).tolist() == [[0, 1, 2], [3, 4, 5]]
    assert nested(lambda a: lax.axis_index(("j", "i"))).tolist() == [[0, 2, 4], [1, 3, 5]]
    sizes = []
    nested(lambda a: sizes.append((lax.axis_size("i"), lax.axis_size("j"), lax.axis_size(("i", "j")))) or a)
    assert sizes == [(2, 3, 6)]


def test_the_inner_of_two_axes_of_one_name_is_meant():
    f = fl.vmap(fl.vmap(lambda a: lax.psum(a, "i"), axis_name="i"), axis_name="i")
    same(f(Y), everywhere(Y.sum(1)[:, None], Y))


def test_any_hashable_is_a_name():
    name = ("batch", 1)
    with pytest.raises(NameError):
        fl.vmap(lambda a: lax.psum(a, name), axis_name="i")(X)
    same(fl.vmap(lambda a: lax.psum(a, 7), axis_name=7)(X), everywhere(X.sum(0), X))


# Transformations


def test_derivatives_within_the_axis():
    """Each member's gradient: the sum of what all members' results owe to it."""
    same(over(fl.grad(lambda a: lax.psum(fnp.sum(a**2), "i")), X), 3 * 2 * X)
    same(over(fl.grad(lambda a: fnp.sum(lax.pmean(a, "i") ** 2)), X), everywhere(2 * X.mean(0), X))
    weights = np.arange(3.0)[:, None]
    found = over(fl.grad(lambda a: fnp.sum(lax.all_gather(a, "i") ** 2 * weights)), X)
    same(found, 3 * 2 * X * weights)
    sent = over(fl.grad(lambda a: fnp.sum(lax.ppermute(a, "i", [(0, 1), (1, 2)]) ** 2)), X)
    same(sent, 2 * X * np.array([1, 1, 0])[:, None])
    square = X[:, :3]
    found = over(fl.grad(lambda a: fnp.sum(lax.psum_scatter(a, "i") ** 2)), square)
    same(found, everywhere(2 * square.sum(0), square))


def test_derivatives_of_the_whole():
    weights = np.arange(4.0)

    def normalised(x):
        return fnp.sum(fl.vmap(lambda row: row / lax.psum(row, "i"), axis_name="i")(x) * weights)

    check(normalised, X.astype(np.float64))

    def gathered(x):
        return fl.vmap(lambda row: lax.all_gather(row, "i", tiled=True) ** 2 * lax.axis_index("i"), axis_name="i")(x)

    check(gathered, X.astype(np.float64))
    check(lambda x: over(lambda a: lax.psum_scatter(a**2, "i", tiled=True), x[:, :3]), X.astype(np.float64))
    check(lambda x: over(lambda a: lax.ppermute(a**2, "i", [(0, 2), (2, 1)]), x), X.astype(np.float64))
    (found,) = fl.linear_transpose(fl.vmap(lambda a: lax.psum(a, "i"), axis_name="i"), X)(X)
    same(found, everywhere(X.sum(0), X))


def test_forward_mode_inside_and_outside():
    outside = fl.jvp(fl.vmap(lambda a: lax.psum(a**2, "i"), axis_name="i"), (X,), (X,))
    inside = over(lambda a: fl.jvp(lambda b: lax.psum(b**2, "i"), (a,), (a,)), X)
    for value, tangent in (outside, inside):
        same(value, everywhere((X**2).sum(0), X))
        same(tangent, everywhere((2 * X * X).sum(0), X))


def test_jit_inside_and_outside():
    expected = everywhere((X**2).sum(0), X)
    same(fl.jit(fl.vmap(lambda a: lax.psum(a**2, "i"), axis_name="i"))(X), expected)
    inner = fl.jit(lambda a: lax.psum(a**2, "i"))
    same(over(inner, X), expected)
    same(over(inner, X[:2]), everywhere((X[:2] ** 2).sum(0), X[:2]))  # a new size of the axis is a new signature
    same(over(fl.jit(fl.grad(lambda a: fnp.sum(lax.psum(a**2, "i")))), X), 6 * X)
    constant = fl.jit(lambda: lax.psum(1, "i"))
    assert over(lambda a: constant() + 0 * a, X[:, 0]).tolist() == [3, 3, 3]
    assert over(lambda a: constant() + 0 * a, X[:2, 0]).tolist() == [2, 2]


def test_loops_and_branches():
    def turn(carry, z):
        return lax.psum(carry, "i") / 10 + z, lax.pmax(z, "i")

    carry, rows = np.zeros(3), []
    for z in X.T:
        carry = np.full(3, carry.sum() / 10) + z
        rows.append(np.full(3, z.max()))
    last, highest = over(lambda a: lax.scan(turn, 0 * a[0], a), X)
    same(last, carry)
    same(highest, np.array(rows).T)
    same(over(lambda a: lax.cond(True, lambda z: lax.psum(z, "i"), lambda z: z, a), X), everywhere(X.sum(0), X))
    branches = [lambda z: z, lambda z: lax.pmean(z, "i")]
    same(over(lambda a: lax.switch(1, branches, a), X), everywhere(X.mean(0), X))
    same(over(lambda a: lax.fori_loop(0, 3, lambda i, z: lax.pmean(z, "i") * 2, a), X), everywhere(8 * X.mean(0), X))
    doubled = over(lambda a: lax.while_loop(lambda z: lax.pmax(z, "i")[0] < 100, lambda z: z * 2, a), X)
    same(doubled, X * 16)  # all stop when the largest first element is 9 * 16


def test_loops_in_reverse():
    def f(a):
        return lax.scan(lambda c, z: (lax.psum(c, "i") / 10 + z, c), 0 * a[0], a)[0]

    factors = 0.3 ** np.arange(3, -1, -1)
    same(over(fl.grad(f), X), everywhere(factors, X))

    def g(x):
        return over(lambda a: lax.while_loop(lambda z: z[0] < 50, lambda z: z + lax.psum(z, "i"), a), x)

    check(lambda x: fnp.sum(g(x)), np.stack([X[0], X[0]]).astype(np.float64))


def test_checkpoint_and_custom_rules():
    same(over(fl.grad(fl.checkpoint(lambda a: fnp.sum(lax.psum(a**2, "i")))), X), 6 * X)

    @fl.custom_vjp
    def mean(a):
        return lax.pmean(a, "i")

    mean.defvjp(lambda a: (mean(a), None), lambda _, g: (lax.psum(g, "i") * 10,))
    same(over(fl.grad(lambda a: fnp.sum(mean(a))), X), everywhere(30, X))


def test_a_collective_without_a_batched_operand_is_computed():
    f = fl.vmap(lambda a: a * lax.psum(1.0, "i"), axis_name="i")
    same(fl.jit(f)(X), 3 * X)


def test_data_parallel_training_is_training_on_the_whole_batch():
    rng = np.random.default_rng(0)
    inputs, targets = rng.normal(size=(8, 3)), rng.normal(size=8)

    def loss(w, x, y):
        return fnp.mean((x @ w - y) ** 2)

    def step(w, x, y):
        return w - 0.1 * lax.pmean(fl.grad(loss)(w, x, y), "devices")

    shards = inputs.reshape(4, 2, 3), targets.reshape(4, 2)
    parallel = fl.jit(fl.vmap(step, in_axes=(None, 0, 0), out_axes=None, axis_name="devices"))
    w = v = fnp.zeros(3, "float64")
    for _ in range(5):
        w = parallel(w, *shards)
        v = v - 0.1 * fl.grad(loss)(v, inputs, targets)
    np.testing.assert_allclose(w, v, rtol=1e-12)


# Mistakes


def test_unknown_names():
    for f in (lambda a: lax.psum(a, "zz"), lambda a: lax.axis_index("zz"), lambda a: lax.axis_size("zz") * a):
        with pytest.raises(NameError, match="no axis is named 'zz' here; name one with vmap"):
            over(f, X)
    with pytest.raises(NameError, match="'i'"):
        lax.psum(1.0, "i")
    with pytest.raises(NameError, match="'i'"):
        fl.jit(lambda a: lax.all_gather(a, "i"))(X)
    with pytest.raises(NameError, match="'zz'"):
        nested(lambda a: lax.psum(a, ("i", "zz")))


def test_mistakes_are_explained():
    with pytest.raises(ValueError, match=r"sends and receives at most once, got \[\(0, 1\), \(0, 2\)\]"):
        over(lambda a: lax.ppermute(a, "i", [(0, 1), (0, 2)]), X)
    with pytest.raises(ValueError, match="members of axis 'i' are 0 to 2"):
        over(lambda a: lax.ppermute(a, "i", [(0, 7)]), X)
    with pytest.raises(ValueError, match="ppermute works along one named axis"):
        nested(lambda a: lax.ppermute(a, ("i", "j"), [(0, 1)]))
    with pytest.raises(ValueError, match="psum_scatter works along one named axis"):
        nested(lambda a: lax.psum_scatter(a, ("i", "j")))
    with pytest.raises(NotImplementedError, match="axis_index_groups"):
        over(lambda a: lax.psum(a, "i", axis_index_groups=[[0], [1, 2]]), X)
    with pytest.raises(NotImplementedError, match=r"pmax of .* is not differentiable"):
        over(fl.grad(lambda a: fnp.sum(lax.pmax(a, "i"))), X)


def test_a_program_may_speak_of_axes_that_only_its_environment_names():
    program = fl.make_jaxpr(
        lambda x: (lax.psum(x, "i") + lax.axis_index("j"), lax.all_gather(x, "j")), axis_env=[("i", 2), ("j", 4)]
    )
    closed = program(1.0)
    assert [t.shape for t in closed.out_avals] == [(), (4,)]
    assert closed.program.axis_names == {"i", "j"}
    assert [
        float(v) for v in fl.vmap(fl.vmap(closed, axis_name="j"), axis_name="i")(np.ones((2, 4), np.float32))[0][1]
    ] == [2, 3, 4, 5]
    with pytest.raises(NameError, match="no axis is named 'k' here"):
        fl.make_jaxpr(lambda x: lax.psum(x, "k"), axis_env=[("i", 2)])(1.0)
