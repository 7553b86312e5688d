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
    assert lowered.out_info[0] == fl.ShapeDtypeStruct((8, 4), "float32")
    assert f.eval_shape(X, Y)[1] == fl.ShapeDtypeStruct((), "float32")


def test_costs():
    cost = f.lower(X, Y).cost_analysis()
    assert cost["flops"] >= 2 * 8 * 16 * 4
    assert cost["bytes accessed"] > 4 * (8 * 16 + 16 * 4)


def test_a_lowered_function_runs():
    np.testing.assert_array_equal(np.asarray(f.lower(X, Y).compile()(X, Y)[0]), np.asarray(f(X, Y)[0]))


def test_what_a_lowered_function_takes_and_gives():
    lowered = fl.jit(lambda n, x, *, y: {"z": x * y * n}, static_argnums=0, donate_argnums=1).lower(3, X, y=2.0)
    assert lowered.lower() is lowered
    for stage in (lowered, lowered.compile()):
        assert str(stage.in_avals) == "((f32[8,16],), {'y': f32[]})"
        (info,), others = stage.args_info
        assert (info.shape, info.dtype, info.donated) == ((8, 16), fnp.float32, True)
        assert not others["y"].donated
        assert stage.donate_argnums == (0,)
        assert stage.in_tree == fl.tree.structure(((0,), {"y": 0}))
        assert stage.out_tree == fl.tree.structure({"z": 0})
        assert stage.as_text()


def test_a_compiled_function_takes_just_its_arguments():
    compiled = fl.jit(lambda n, x, *, y: x @ y["w"] * n, static_argnums=0).lower(3, X, y={"w": Y}).compile()
    want = np.full((8, 4), 48, np.float32)
    np.testing.assert_array_equal(compiled(X, y={"w": Y}), want)
    np.testing.assert_array_equal(compiled.call(np.ones((8, 16), np.float32), y={"w": Y}), want)
    np.testing.assert_array_equal(fl.jit(lambda x: compiled(x, y={"w": Y}))(X), want)
    assert fl.grad(lambda x: compiled(x, y={"w": Y}).sum())(X)[0, 0] == 12
    for args, kwargs, message in [
        ((3, X), {"y": {"w": Y}}, r"another structure: .* at \[0\] is a tuple of length 2.*Leave static arguments out"),
        ((X,), {"y": {"v": Y}}, r"at \[1\]\['y'\] is a dict with keys \['v'\], needed is a dict with keys \['w'\]"),
        ((X,), {"y": {"w": [Y]}}, "another structure: it is PyTreeDef"),
        ((Y,), {"y": {"w": X}}, r"args\[0\] is f32\[16,4\], needed is f32\[8,16\]; kwargs\['y'\]\['w'\] is"),
        ((X.astype(int),), {"y": {"w": Y}}, r"args\[0\] is i32\[8,16\], needed is f32\[8,16\]. Cast or reshape"),
        (("a",), {"y": {"w": Y}}, "must be an array or a number, got a str"),
    ]:
        with pytest.raises(TypeError, match=message):
            compiled(*args, **kwargs)


def test_a_compiled_function_uses_donated_arguments_up():
    compiled = fl.jit(lambda n, x: x * n, donate_argnums=1, static_argnums=0).lower(2, fnp.ones(3)).compile()
    x = fnp.ones(3)
    assert compiled(x).tolist() == [2, 2, 2]
    assert x.is_deleted()


def test_a_compiled_function_may_close_over_tracers():
    assert fl.grad(lambda x: fl.jit(lambda y: x * y).lower(x).compile()(x))(3.0) == 6


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
