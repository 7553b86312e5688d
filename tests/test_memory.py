"""Memory: what the backward pass keeps, what `checkpoint` saves, and that nothing leaks."""

from __future__ import annotations

import gc
import sys
import tracemalloc
from collections.abc import Callable
from typing import Any

import numpy as np
import pytest

import functorch_lite as fl
import functorch_lite.numpy as fnp
from functorch_lite.passes import executable
from functorch_lite.recent import Recent
from functorch_lite.tracing import Tracer
from functorch_lite.transforms import collecting, linearize

N = 50_000
ARRAY = 8 * N  # bytes of one array


def peak(f: Callable[[], Any]) -> float:
    """The most memory in use while `f` runs, beyond what was, in arrays: NumPy reports its buffers to tracemalloc."""
    f()  # rules are staged once, and kept
    gc.collect()
    tracemalloc.start()
    try:
        before = tracemalloc.get_traced_memory()[0]
        tracemalloc.reset_peak()
        f()
        return (tracemalloc.get_traced_memory()[1] - before) / ARRAY
    finally:
        tracemalloc.stop()


def chain(layer: Callable[[Any], Any], n: int) -> Callable[[Any], Any]:
    def run(x: Any) -> Any:
        for _ in range(n):
            x = layer(x)
        return fnp.sum(x)

    return run


X = fnp.ones(N, "float64")


def test_linear_layers_keep_nothing():
    """The backward pass of a sum, a negation and a multiplication by a constant reads nothing of the forward pass."""
    assert peak(lambda: fl.grad(chain(lambda x: -x * 1.01 + 1.0, 30))(X)) < 6


def test_a_layer_keeps_what_its_backward_pass_reads():
    """A tanh keeps its result (or one function of it), sin the cosine of its operand: one array for each layer."""
    for f in (fnp.tanh, fnp.sin, fnp.exp):
        assert 28 < peak(lambda: fl.grad(chain(f, 30))(X)) < 37, f


def test_a_product_keeps_its_operands_by_reference():
    """The product x * x keeps x once, and y = x * w for a fixed w keeps w, which is there anyway."""
    assert peak(lambda: fl.grad(chain(lambda x: x * x, 30))(X)) < 37
    w = fnp.ones(N, "float64")
    assert peak(lambda: fl.grad(chain(lambda x: x * w, 30))(X)) < 6


def test_the_backward_pass_frees_as_it_goes():
    """Cotangents are dropped after their use: the pass back needs no second array for each layer."""
    assert peak(lambda: fl.vjp(chain(fnp.tanh, 30), X)[1](1.0)) < 40


def test_checkpoint_needs_the_square_root():
    """200 layers in blocks of 14: the inputs of 15 blocks, and one block at a time computed again."""

    def blocks(x: Any) -> Any:
        def block(x: Any, n: int) -> Any:
            for _ in range(n):
                x = fnp.tanh(x)
            return x

        for start in range(0, 200, 14):
            x = fl.checkpoint(block, static_argnums=1)(x, min(14, 200 - start))
        return fnp.sum(x)

    plain = peak(lambda: fl.grad(chain(fnp.tanh, 200))(X))
    saved = peak(lambda: fl.grad(blocks)(X))
    assert plain > 195
    assert saved < 2 * 15 + 10, saved
    np.testing.assert_array_equal(fl.grad(blocks)(X), fl.grad(chain(fnp.tanh, 200))(X))


def test_checkpoint_keeps_what_policies_name():
    """Of ten layers, every second one is named: the names decide what is kept."""

    def f(x: Any) -> Any:
        for i in range(10):
            x = fl.ad_checkpoint.checkpoint_name(fnp.tanh(x), "odd" if i % 2 else "even")
        return fnp.sum(x)

    keep = fl.checkpoint_policies

    def kept(policy: Any) -> int:
        residuals = fl.tree.leaves(fl.vjp(fl.checkpoint(f, policy=policy), X)[1])
        return sum(r.shape == X.shape for r in residuals)

    want = np.asarray(fl.grad(f)(X))
    named = keep.save_only_these_names("odd")
    both = keep.save_from_both_policies(named, keep.save_only_these_names("even"))
    counts = {kept(None): 1, kept(named): 6, kept(keep.save_any_names_but_these("even")): 6, kept(both): 11}
    assert all(found == wanted for found, wanted in counts.items()), counts
    assert kept(keep.save_anything_except_these_names("odd")) > 6
    for policy in (named, both):
        np.testing.assert_allclose(fl.grad(fl.checkpoint(f, policy=policy))(X), want, rtol=1e-12)
        np.testing.assert_allclose(fl.jit(fl.grad(fl.checkpoint(f, policy=policy)))(X), want, rtol=1e-12)


def test_compiled_programs_free_buffers_after_their_last_use():
    compiled = fl.jit(chain(fnp.tanh, 30))
    assert peak(lambda: compiled(X)) < 4
    gradient = fl.jit(fl.grad(chain(fnp.tanh, 30)))
    assert peak(lambda: gradient(X)) < 40


def test_a_loop_frees_its_carry():
    assert peak(lambda: fl.lax.fori_loop(0, 30, lambda i, x: fnp.tanh(x), X)) < 6


def test_vmap_makes_no_copy_for_each_member():
    """Twice the batch: one result, and what one elementwise kernel needs."""
    batch = fnp.ones((100, N // 100), "float64")
    assert peak(lambda: fl.vmap(lambda x: fnp.sum(x * 2.0))(batch)) < 2.5


# Leaks


def gradients(n: int) -> None:
    for _ in range(n):
        fl.grad(lambda x: fnp.sum(fnp.sin(x) * x))(SMALL)


def compilations(n: int) -> None:
    for i in range(n):
        fl.jit(lambda x: fnp.sum(fnp.sin(x) * i))(SMALL)


def batches(n: int) -> None:
    for _ in range(n):
        fl.vmap(lambda x: fnp.sin(x) * x, axis_name="i")(SMALL)


def nestings(n: int) -> None:
    for i in range(n):
        fl.jit(fl.vmap(fl.grad(lambda x: fl.lax.fori_loop(0, 3, lambda _, y: fnp.sin(y) * i, x))))(SMALL)


def failures(n: int) -> None:
    """A transformation that is left by an exception."""
    for _ in range(n):
        with pytest.raises(ZeroDivisionError):
            fl.jit(fl.vmap(fl.grad(lambda x: fnp.sin(x) / (1 // 0))))(SMALL)


SMALL = fnp.arange(5.0)
JOBS = {gradients: 200, compilations: 40, batches: 200, nestings: 30, failures: 200}
"""What is done -> how often; what makes machine code takes its time."""


def tracers() -> int:
    gc.collect()
    return sum(issubclass(type(x), Tracer) for x in gc.get_objects())  # `isinstance` would ask the objects themselves


def growth(job: Callable[[int], None], n: int) -> tuple[float, float]:
    """Objects and bytes that stay for each call; benchmarks/leaks.py counts over ten thousand."""
    job(n // 2)
    gc.collect()
    objects = len(gc.get_objects())
    tracemalloc.start()
    try:
        before = tracemalloc.get_traced_memory()[0]
        job(n)
        gc.collect()
        stays = (tracemalloc.get_traced_memory()[0] - before) / n
        return (len(gc.get_objects()) - objects) / n, stays
    finally:
        tracemalloc.stop()


# A program or a tape that stays is dozens of objects and kilobytes, in every round of calls. Tables that leap (Python's
# names in compiled code) and caches that fill up to their bound (code, free lists of tuples, NumPy's small buffers) end:
# one round in which nothing of that size stays shows that there is no leak.


@pytest.mark.parametrize("job", JOBS, ids=lambda job: job.__name__)
def test_nothing_leaks(job):
    before = tracers()
    for _ in range(5):
        objects, stays = growth(job, JOBS[job])
        if stays < 1000:
            break
    assert objects < 0.5
    assert stays < 1000
    assert tracers() <= before


def test_arrays_are_freed_without_the_garbage_collector():
    """A gradient leaves no cycle that holds arrays: large ones would wait for the collector."""
    for f in (
        lambda: fl.grad(chain(fnp.tanh, 10))(X),
        lambda: fl.vmap(lambda x: x * 2.0)(X),
        lambda: fl.vjp(fnp.sin, X)[1](X),
        lambda: fl.jvp(fnp.sin, (X,), (X,)),
        lambda: fl.checkpoint(fnp.sin)(X),
    ):
        f()
        gc.collect()
        gc.disable()
        tracemalloc.start()
        try:
            for _ in range(5):
                f()
            assert tracemalloc.get_traced_memory()[0] < 1.5 * ARRAY
        finally:
            tracemalloc.stop()
            gc.enable()


def test_the_collector_rests_while_programs_are_compiled(monkeypatch):
    module = sys.modules["functorch_lite.transforms.jit"]
    seen, executable = [], module.executable
    monkeypatch.setattr(module, "executable", lambda *a, **k: seen.append(gc.isenabled()) or executable(*a, **k))
    assert gc.isenabled()
    fl.jit(lambda x: x + 1)(1.0)
    assert seen == [False]
    assert gc.isenabled()
    with pytest.raises(ZeroDivisionError), collecting.without_collecting(), collecting.without_collecting():
        raise ZeroDivisionError
    assert gc.isenabled()


def test_a_cache_keeps_what_is_in_use():
    cache = Recent(8)
    made = []

    def look_up(key):
        found = cache.get(key)
        return found or cache.recall(key) or cache.remember(key, made.append(key) or f"value {key}")

    for i in range(100):
        assert look_up("used") == "value used"
        assert look_up(i) == f"value {i}"
        assert len(cache) + len(cache.old) <= 8
    assert made.count("used") == 1
    assert look_up(98) == "value 98"
    assert made.count(98) == 1
    assert look_up(1) == "value 1"
    assert made.count(1) == 2


def test_gradients_of_many_shapes_take_bounded_memory(monkeypatch):
    cache = Recent(64)
    monkeypatch.setattr(linearize, "_cache", cache)
    gradient = fl.grad(lambda x: fnp.sum(fnp.sin(x) * x))

    def grow(lengths: range) -> float:
        before = tracemalloc.get_traced_memory()[0]
        for n in lengths:
            gradient(fnp.ones(n))
        gc.collect()
        return (tracemalloc.get_traced_memory()[0] - before) / len(lengths)

    grow(range(1, 30))
    tracemalloc.start()
    try:
        assert (
            grow(range(100, 400)) < 12_000
        )  # what the eager kernels of a shape take, and types; 40 kB with all that is kept
    finally:
        tracemalloc.stop()
    assert len(cache) + len(cache.old) <= 64


def test_code_is_shared_by_programs_that_differ_in_types():
    functions = [
        executable(fl.make_program(lambda x: x * 2.0)(fnp.ones(n)).program, fl.default_backend()) for n in (3, 4)
    ]
    first, second = (f.__closure__[-1].cell_contents for f in functions)
    assert first is not second
    assert first.__code__ is second.__code__
