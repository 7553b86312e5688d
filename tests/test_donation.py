"""Arguments that a jitted function uses up."""

from __future__ import annotations

import copy

import numpy as np
import pytest

import functorch_lite as fl
import functorch_lite.numpy as fnp
from functorch_lite.errors import DeletedArrayError


def test_a_donated_array_is_gone():
    step = fl.jit(lambda p, g: p - 0.1 * g, donate_argnums=0)
    p, g = fnp.ones(4), fnp.ones(4)
    new = step(p, g)
    np.testing.assert_allclose(np.asarray(new), 0.9, rtol=1e-6)
    assert p.is_deleted()
    assert not g.is_deleted()
    for use in (
        lambda: p + 1,
        lambda: -p,
        lambda: fnp.sin(p),
        lambda: p.shape,
        lambda: np.asarray(p),
        lambda: step(p, g),
        lambda: fl.grad(lambda x: (x * p).sum())(g),
    ):
        with pytest.raises(DeletedArrayError, match=r"f32\[4\] is used after it was deleted"):
            use()


def test_donation_by_name_and_of_trees():
    step = fl.jit(lambda x, state: {k: v + x for k, v in state.items()}, donate_argnames="state")
    state = {"a": fnp.ones(2), "b": fnp.zeros(3)}
    x = fnp.ones(())
    new = step(x, state=state)
    assert all(v.is_deleted() for v in state.values())
    assert not x.is_deleted()
    assert float(new["b"][0]) == 1.0


def test_a_result_that_is_the_argument_lives_on():
    x = fnp.arange(3.0)
    same = fl.jit(lambda x: x, donate_argnums=0)(x)
    assert x.is_deleted()
    np.testing.assert_array_equal(np.asarray(same), [0, 1, 2])


def test_views_handed_out_before_stay_as_they_are():
    x = fnp.arange(3.0)
    view = np.asarray(x)
    for _ in range(3):
        fl.jit(lambda y: y * 2, donate_argnums=0)(x if not x.is_deleted() else fnp.ones(3))
    np.testing.assert_array_equal(view, [0, 1, 2])


def test_nothing_is_donated_under_a_transformation():
    f = fl.jit(lambda x: (x * x).sum(), donate_argnums=0)
    x = fnp.arange(3.0)
    fl.grad(f)(x)
    assert not x.is_deleted()


def test_copies_live_on():
    x = fnp.asarray(np.arange(3.0, dtype="float32"))
    copies = [
        fnp.array(x),
        fnp.copy(x),
        x.copy(),
        fnp.asarray(x, copy=True),
        copy.copy(x),
        copy.deepcopy({"a": x})["a"],
    ]
    fl.jit(lambda y: y + 1, donate_argnums=0)(x)
    assert x.is_deleted()
    for y in copies:
        np.testing.assert_array_equal(np.asarray(y), [0, 1, 2])
