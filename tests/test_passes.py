"""What the passes leave of a program, and that they keep bits."""

from __future__ import annotations

import numpy as np

import functorch_lite as fl
import functorch_lite.numpy as fnp
from functorch_lite.backend import default_backend
from functorch_lite.checking import check
from functorch_lite.passes import optimized
from functorch_lite.passes.contract import fold_transposes
from functorch_lite.passes.fuse import fuse


def names(f, *args):
    """The primitives of the optimised program, in order."""
    program = optimized(fl.make_program(f)(*args).program, default_backend())
    check(program)
    return [e.primitive.name for e in program.equations]


def test_calls_are_inlined_and_shared():
    g = fl.jit(lambda x: fnp.sin(x) * 2.0)
    assert names(lambda x: g(x) + g(x), fnp.ones(3)) == ["sin", "mul", "add"]


def test_what_nothing_needs_goes():
    assert names(lambda x: (fnp.cos(x), fnp.sin(x))[1], fnp.ones(3)) == ["sin"]


def test_what_changes_nothing_goes():
    x = fnp.ones((3, 4))
    assert names(lambda x: x.astype(fnp.float32).reshape(3, 4).transpose(0, 1) + x, x) == ["add"]


def test_scalars_are_folded_into_literals():
    assert names(lambda x: x * fnp.sqrt(fnp.exp(2.0)), fnp.ones(3)) == ["mul"]


def test_small_arrays_are_folded_into_constants():
    assert names(lambda x: x * fnp.sin(fnp.full((3,), 2.0)), fnp.ones(3)) == ["constant", "mul"]


def test_large_arrays_are_not_folded():
    assert "constant" not in names(lambda x: x * fnp.sin(fnp.arange(30000.0)), fnp.ones(30000))


def test_effects_are_neither_folded_nor_shared():
    def f(x):
        fl.debug.print("{}", 1.0)
        fl.debug.print("{}", 1.0)
        return x

    assert len(names(f, fnp.ones(3))) == 2


def test_bodies_are_folded_too():
    def f(x):
        return fl.lax.fori_loop(0, 3, lambda i, y: y * fnp.sqrt(fnp.exp(2.0)), x)

    jitted = fl.jit(f)(fnp.ones(3))
    np.testing.assert_array_equal(np.asarray(jitted), np.asarray(f(fnp.ones(3))))


def test_weak_flags_survive():
    assert fl.jit(lambda x: fnp.sqrt(2.0))(1.0).weak_type == fnp.sqrt(2.0).weak_type


def contracted(f, *args):
    program = optimized(fl.make_program(f)(*args).program, default_backend())
    out = fold_transposes(program, lambda equation: True)
    check(out)
    return [e.primitive.name for e in out.equations]


def test_transposes_are_folded_into_contractions():
    x, y = fnp.ones((3, 4)), fnp.ones((3, 5))
    assert contracted(lambda x, y: x.T @ y, x, y) == ["dot_general"]
    assert contracted(lambda x, y: (x.T @ y).T, x, y) == ["dot_general"]
    assert contracted(fl.grad(lambda w: ((x @ w) ** 2).sum()), fnp.ones((4, 2))).count("transpose") == 0


def test_a_product_that_is_needed_both_ways_is_computed_once():
    x, y = fnp.ones((3, 4)), fnp.ones((4, 5))

    def both(x, y):
        z = x @ y
        return z, z.T

    assert contracted(both, x, y).count("dot_general") == 1


def test_what_only_copied_moves_read_is_not_made():
    def f(x):
        moved = fnp.pad(x[:, 3:], ((2, 2), (0, 0)))
        return fnp.sort(moved, axis=0)

    program = optimized(fl.make_program(f)(fnp.ones((4, 9))).program, default_backend())
    fused = fuse(program, lambda e: e.primitive.element is not None, lambda e: False)
    assert [e.primitive.name for e in fused.equations].count("fusion") == 1, fused
