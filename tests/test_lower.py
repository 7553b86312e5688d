"""Reading what jit did."""

from __future__ import annotations

import numpy as np
import pytest

import functorch_lite as fl
import functorch_lite.numpy as fnp


@fl.jit
def f(x, y):
    return fl.nn.softmax(x @ y), (x * 2).sum()


X, Y = fnp.ones((8, 16)), fnp.ones((16, 4))


def test_the_program_can_be_read_at_each_stage():
    lowered = f.lower(X, Y)
    assert "dot_general" in str(lowered)
    assert str(lowered).startswith("{ a:f32[8,16] b:f32[16,4]")
    for stage in lowered.stages:
        assert lowered.as_text(stage)
    assert {"traced", "simplified", "optimized"} <= set(lowered.stages)
    with pytest.raises(ValueError, match="there are traced, simplified"):
        lowered.as_text("typo")


def test_the_compilers_stages():
    pytest.importorskip("llvmlite", reason="the compiler needs llvmlite")
    lowered = f.lower(X, Y)
    assert "relieved" in lowered.stages
    assert "fusion" in lowered.as_text("fused")
    assert "for d0 < 8" in lowered.as_text("loop nests")
    assert "define" in lowered.as_text("llvm")
    assert "arena" in lowered.as_text("memory plan")
    assert "ret" in lowered.as_text("assembly")


def test_types_suffice():
    class Spec:
        shape, dtype = (8, 16), np.dtype("float32")

    lowered = f.lower(Spec(), Y)
    assert str(lowered.out_info[0]) == "f32[8,4]"
    assert str(f.eval_shape(X, Y)[1]) == "f32[]"


def test_costs():
    cost = f.lower(X, Y).cost_analysis()
    assert cost["flops"] >= 2 * 8 * 16 * 4
    assert cost["bytes accessed"] > 4 * (8 * 16 + 16 * 4)


def test_a_lowered_function_runs():
    np.testing.assert_array_equal(np.asarray(f.lower(X, Y).compile()(X, Y)[0]), np.asarray(f(X, Y)[0]))


def test_profile_tells_times_and_lines():
    table = f.lower(X, Y).profile(X, Y)
    assert "dot_general" in table
    assert "us" in table
    assert "test_lower.py" in table


def test_explain():
    @fl.jit
    def g(x, y=None):
        return x * 2

    assert "has not been traced" in g.explain()
    g(fnp.ones(3))
    assert "had not been called before" in g.explain()
    g(fnp.ones(4))
    assert "array 0 of the arguments is f32[4], not f32[3]" in g.explain()
    g(fnp.ones(4, fnp.int32))
    assert "is i32[4], not f32[4]" in g.explain()
    g({"a": fnp.ones(4)}["a"], fnp.ones(2))
    assert "structure" in g.explain()


def test_explain_static_arguments():
    g = fl.jit(lambda x, n: x * n, static_argnums=1)
    g(fnp.ones(3), 2)
    g(fnp.ones(3), 3)
    assert "static arguments are 1=3, not 1=2" in g.explain()
