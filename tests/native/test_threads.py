"""Threads: results that do not depend on how many, fork, several Python threads at once, Ctrl-C, the affinity mask."""

from __future__ import annotations

import ctypes
import os
import subprocess
import sys
import threading
import time
from collections.abc import Iterator
from typing import Any

import numpy as np
import pytest

import functorch_lite as fl
from functorch_lite import numpy as jnp
from functorch_lite_numpy import set_threads, threads
from functorch_lite_numpy.compiler import linking
from functorch_lite_numpy.compiler.outside import openblas
from tests.native.checks import assert_same, is_whole, together

rng = np.random.default_rng(0)


@pytest.fixture(autouse=True)
def usual() -> Iterator[None]:
    yield
    set_threads()


def softmax(x: Any) -> Any:
    e = jnp.exp(x - x.max(1, keepdims=True))
    return e / e.sum(1, keepdims=True)


def layer_norm(x: Any) -> Any:
    mean = x.mean(1, keepdims=True)
    return (x - mean) / jnp.sqrt(((x - mean) ** 2).mean(1, keepdims=True) + 1e-5)


def gradients(x: Any) -> Any:
    scale, shift = x[0] + 1, x[1]
    return fl.grad(lambda s, t: jnp.tanh(layer_norm(x) * s + t).sum(), argnums=(0, 1))(scale, shift)


def each_axis(x: Any) -> Any:
    return x.sum(0), x.sum(1), x.max(0), x.min(1), x.mean(), (x > 0).all(0), (x > 2).any()


def forces(x: Any) -> Any:
    d = x[:, None] - x[None]
    f = d / (1 + (d * d).sum(2, keepdims=True))
    return f.sum(1), (-f).sum(0)


CASES = {
    "elementwise": (lambda x: jnp.tanh(x) * 2 + x, [(700, 1001), (300_001,), (3, 5, 40_007)]),
    "softmax": (softmax, [(1000, 777), (4096, 101), (33, 60_001)]),
    "layer_norm": (layer_norm, [(513, 2049), (4099, 64)]),
    "gradients": (gradients, [(2051, 130), (130, 9_001)]),
    "each axis": (each_axis, [(1500, 1501), (17, 200_003), (100_003, 17), (65, 20_001)]),
    "along rows": (lambda x: (x.sum(0), x.max(0)), [(2000, 999), (9, 300_001), (63, 30_011), (200_000, 5)]),
    "all": (
        lambda x: (x.sum(), (x * x).mean(), x.max(), jnp.sqrt((x - 1).std() + x.sum())),
        [(1_000_003,), (999, 1013)],
    ),
    "transposed": (lambda x: (x.T * 2.0 + 1).sum(), [(1203, 999)]),
    "middle": (lambda x: x.sum(1), [(5, 800, 513), (200, 70, 129)]),
    "forces": (forces, [(300, 3), (517, 2)]),
}


@pytest.mark.parametrize("name", CASES)
def test_results_do_not_depend_on_threads(name: str) -> None:
    f, shapes = CASES[name]
    for shape in shapes:
        x = jnp.asarray(rng.normal(size=shape).astype(np.float32))
        jitted = fl.jit(f)
        assert is_whole(f, x)
        set_threads(1)
        alone = jitted(x)
        expected = fl.jit(f, exact=True)(x)
        for got, want in zip(fl.tree_util.tree_leaves(alone), fl.tree_util.tree_leaves(expected), strict=True):
            a, b = np.asarray(got), np.asarray(want)
            if a.dtype == bool:
                np.testing.assert_array_equal(a, b)
            else:
                np.testing.assert_allclose(
                    a, b, rtol=2e-5, atol=2e-5 * max(1.0, float(np.abs(b).max())), err_msg=f"{shape}"
                )
        for n in (2, 4):
            set_threads(n)
            for _ in range(5):
                assert_same(jitted(x), alone, (name, shape, n))


@pytest.mark.parametrize("dtype", ["float64", "int32", "uint8"])
def test_other_dtypes(dtype: str) -> None:
    x = jnp.asarray(rng.integers(0, 100, size=(1501, 1203)).astype(dtype))

    def f(x: Any) -> Any:
        return x.sum(0), x.sum(), x.max(0), x.min(), (x == 3).any(0), (x >= 0).all(), x * 2

    set_threads(3)
    assert_same(fl.jit(f)(x), fl.jit(f, exact=True)(x))


def test_infinities_and_nan() -> None:
    x = np.zeros(2_000_000, np.float32)
    total = fl.jit(lambda x: (x.sum(), x.max()))
    x[-1] = np.inf
    assert [float(v) for v in total(x)] == [np.inf, np.inf]
    x[5] = -np.inf
    assert np.isnan(float(total(x)[0]))
    x[17] = np.nan
    assert all(np.isnan(float(v)) for v in total(x))


@pytest.mark.parametrize("shape", [(1 << 24,), (2, 1 << 23), (1 << 12, 1 << 12)])
def test_long_sums_are_accurate(shape: tuple[int, ...]) -> None:
    x = (1 + 0.1 * rng.standard_normal(shape)).astype(np.float32)
    exact = x.sum(dtype=np.float64)
    assert abs(float(fl.jit(jnp.sum)(x)) - exact) < 1e-6 * exact
    if len(shape) > 1:
        rows = x.sum(1, dtype=np.float64)
        np.testing.assert_allclose(np.asarray(fl.jit(lambda x: x.sum(1))(x)), rows, rtol=1e-6)


def test_setting() -> None:
    x = jnp.ones((1000, 1000))
    f = fl.jit(lambda x: jnp.exp(x).sum(0))
    for n in (1, 2, 3, 2, 1):
        set_threads(n)
        f(x)
        assert threads() == min(n, available())
    for wrong in (0, -1, 1.5):
        with pytest.raises(ValueError, match="at least 1"):
            set_threads(wrong)  # type: ignore[arg-type]


def test_many_small_jobs() -> None:
    """A thread that is slow to leave one job must not take part of the next one as its own."""
    f = fl.jit(lambda x: jnp.tanh(x + 1) * 2)
    inputs = [jnp.asarray(rng.normal(size=(300, 301)).astype(np.float32)) for _ in range(3)]
    expected = [np.asarray(f(x)) for x in inputs]
    for i in range(3000):
        assert np.array_equal(np.asarray(f(inputs[i % 3])), expected[i % 3]), i


def available() -> int:
    return len(os.sched_getaffinity(0)) if hasattr(os, "sched_getaffinity") else os.cpu_count() or 1


def test_two_python_threads_at_once() -> None:
    """The function's arena serves one of them, and the pool too."""
    set_threads(2)
    f = fl.jit(lambda x: softmax(jnp.sort(x, 0) @ x.T))
    inputs = [jnp.asarray(rng.normal(size=(300, 200)).astype(np.float32)) for _ in range(4)]
    expected = [f(x) for x in inputs]
    wrong: list[Any] = []

    def work(k: int) -> None:
        for i in range(60):
            which = (i + k) % 4
            if not np.array_equal(np.asarray(f(inputs[which])), np.asarray(expected[which])):
                wrong.append((k, i))

    together(work, ((k,) for k in range(4)))
    assert not wrong


def test_other_python_threads_run_meanwhile() -> None:
    f = fl.jit(lambda x: fl.lax.fori_loop(0, 4_000_000, lambda i, x: x * 0.5 + 1.0, x))
    f(jnp.float32(1))
    turns, over = 0, threading.Event()

    def call() -> None:
        f(jnp.float32(2))
        over.set()

    t = threading.Thread(target=call)
    t.start()
    while not over.is_set():
        turns += 1
        time.sleep(0)
    t.join()
    assert turns > 10


def run(source: str, **environment: str) -> str:
    env = {**os.environ, **environment}
    done = subprocess.run([sys.executable, "-c", source], capture_output=True, text=True, timeout=120, env=env)
    assert done.returncode == 0, done.stderr
    return done.stdout.strip()


HEAD = """
import os, signal, threading, time, numpy as np, functorch_lite as fl
from functorch_lite import numpy as jnp
from functorch_lite_numpy import set_threads, threads
"""


@pytest.mark.skipif(not hasattr(os, "fork"), reason="no fork")
def test_fork() -> None:
    """A child has none of its parent's threads; it starts its own."""
    source = """
f = fl.jit(lambda x: jnp.exp(x).sum(0))
x = jnp.ones((1000, 1000))
expected = [np.asarray(f(x)) for _ in range(2)][-1]  # all is compiled
stop = False
def again():
    while not stop:
        f(x)
other = threading.Thread(target=again)
other.start()
for _ in range(20):
    child = os.fork()
    if child == 0:
        right = all(np.array_equal(np.asarray(f(x)), expected) for _ in range(3))
        os._exit(0 if right else 1)
    _, status = os.waitpid(child, 0)
    assert status == 0, status
stop = True
other.join()
assert np.array_equal(np.asarray(f(x)), expected)
print("right")
"""
    assert run(HEAD + source, PYTHONWARNINGS="ignore") == "right"


LOOP = """
x = jnp.ones((3000, 1000))
f = fl.jit(lambda x: jnp.exp(jnp.sin(jnp.tanh(x))).sum(0))
call, same = lambda: np.asarray(f(x)), np.array_equal
"""
PRODUCT = """
x = jnp.ones((300, 300)) / 100
f = fl.jit(lambda x: jnp.tanh(x @ x) @ x.T @ x)
call, same = lambda: np.asarray(f(x)), np.allclose
"""
TRANSFORM = """
import functorch_lite_numpy.fourier as fourier
x = np.ones((256, 512), np.complex64)
call, same = lambda: fourier.fft(x, fft_type="fft", fft_lengths=x.shape), np.array_equal
"""


@pytest.mark.skipif(not hasattr(os, "fork"), reason="no fork")
@pytest.mark.parametrize(
    "job, forks", [(LOOP, 60), (PRODUCT, 120), (TRANSFORM, 150)], ids=["loop", "product", "transform"]
)
def test_a_fork_in_the_middle_of_a_job(job: str, forks: int) -> None:
    """The child's workers find the parent's job unfinished, and took pieces of it for pieces of their own; OpenBLAS's number of
    threads is being changed, under a lock; SciPy's pool has one too, and takes no work while there is a fork."""
    source = f"""
expected = [call() for _ in range(2)][-1]
stop, problems = False, []
def again():
    try:
        while not stop:
            call()
    except Exception as problem:
        problems.append(problem)
others = [threading.Thread(target=again) for _ in range(2)]
for other in others:
    other.start()
for _ in range({forks}):
    child = os.fork()
    if child == 0:
        signal.alarm(30)
        os._exit(0 if all(same(call(), expected) for _ in range(3)) else 1)
    _, status = os.waitpid(child, 0)
    if status:
        break
stop = True
for other in others:
    other.join()
print(status, problems)
"""
    assert run(HEAD + job + source, PYTHONWARNINGS="ignore", FUNCTORCH_LITE_THREADS="2") == "0 []"


@pytest.mark.skipif(not hasattr(os, "sched_setaffinity"), reason="no affinity masks")
def test_affinity() -> None:
    source = """
os.sched_setaffinity(0, {min(os.sched_getaffinity(0))})
fl.jit(lambda x: jnp.exp(x).sum(0))(jnp.ones((1000, 1000)))
end = time.time() + 10
while len(os.listdir("/proc/self/task")) > 1 and time.time() < end:  # one makes what later calls need, and ends
    time.sleep(0.01)
print(threads(), len(os.listdir("/proc/self/task")))
"""
    environment = {name: "1" for name in ("OMP_NUM_THREADS", "OPENBLAS_NUM_THREADS")}
    assert run(HEAD + source, **environment) == "1 1"


def test_environment() -> None:
    source = "fl.jit(lambda x: jnp.exp(x).sum(0))(jnp.ones((1000, 1000)))\nprint(threads())"
    assert run(HEAD + source, FUNCTORCH_LITE_THREADS="1") == "1"


LOOPS = {
    "while": "fl.lax.while_loop(lambda x: x < 2.0, lambda x: x * 0.5 + 0.25, jnp.float32(0))",
    "nested": "fl.lax.while_loop(lambda x: x < 2.0, lambda x: fl.lax.fori_loop(0, 1000, lambda i, x: x * 0.5, x), jnp.float32(0))",
    "inner": "fl.lax.fori_loop(0, 9999, lambda i, y: fl.lax.while_loop(lambda x: x < 2.0, lambda x: x * 0.5, y), jnp.float32(0))",
    "large": "fl.lax.while_loop(lambda x: x.sum() < 2.0, lambda x: jnp.tanh(x) * 0.5, jnp.zeros((2000, 1000)))",
}


@pytest.mark.skipif(os.name != "posix", reason="no such signals")
@pytest.mark.parametrize("name", LOOPS)
def test_interrupt(name: str) -> None:
    """Ctrl-C reaches a native loop that would not end, and the function can be called again."""
    source = f"""
f = fl.jit(lambda: {LOOPS[name]})
def interrupt():
    time.sleep(2)
    os.kill(os.getpid(), signal.SIGINT)
for _ in range(2):
    threading.Thread(target=interrupt, daemon=True).start()
    try:
        f()
    except KeyboardInterrupt:
        print("interrupted")
"""
    start = time.perf_counter()
    assert run(HEAD + source).split() == ["interrupted"] * 2
    assert time.perf_counter() - start < 40


def conv(x: Any, w: Any, **params: Any) -> Any:
    return fl.lax.conv_general_dilated(x, w, params.pop("strides", (1, 1)), params.pop("padding", "SAME"), **params)


def conv_gradients(x: Any, w: Any) -> Any:
    return fl.grad(lambda x, w: (conv(x, w) ** 2).sum(), argnums=(0, 1))(x, w)


CONTRACTIONS = {
    "columns": (lambda x, y: x @ y, (129, 700), (700, 520)),
    "rows": (lambda x, y: x.T @ y, (700, 1001), (700, 40)),
    "large": (lambda x, y: x @ y, (301, 401), (401, 503)),
    "large, transposed": (lambda x, y: x.T @ y.T, (701, 130), (350, 701)),
    "large, complex": (lambda x, y: ((x + 1j) @ (y - 2j)).real, (150, 400), (400, 333)),
    "large, 64 bits": (lambda x, y: x.astype("float64") @ y.astype("float64"), (64, 1001), (1001, 400)),
    "vector": (lambda x, y: x @ y, (2000,), (2000, 3001)),
    "batch": (lambda x, y: jnp.einsum("hik,hjk->hij", x, y), (37, 90, 40), (37, 110, 40)),
    "batch, copied": (lambda x, y: jnp.einsum("ihk,jhk->hij", x, y), (70, 13, 40), (110, 13, 40)),
    "large batch": (lambda x, y: x @ y, (3, 200, 300), (3, 300, 211)),
    "integers": (lambda x, y: (x * 9).astype("int32") @ (y * 9).astype("int32"), (129, 300), (300, 520)),
    "convolution": (conv, (17, 8, 20, 20), (40, 8, 3, 3)),
    "one image": (conv, (1, 8, 60, 63), (70, 8, 3, 3)),
    "one image, large window": (lambda x, w: conv(x, w, padding="VALID"), (1, 8, 60, 63), (5, 8, 30, 30)),
    "groups": (lambda x, w: conv(x, w, feature_group_count=2, strides=(2, 1)), (9, 32, 30, 31), (48, 16, 3, 3)),
    "gradients": (conv_gradients, (18, 8, 20, 21), (40, 8, 3, 3)),
    "gradients, more filters than results": (conv_gradients, (8, 32, 8, 8), (64, 32, 3, 3)),
    "gradients, one channel": (conv_gradients, (32, 1, 28, 28), (48, 1, 5, 5)),
    "pooling": (
        lambda x, w: fl.grad(lambda x: (fl.nn.max_pool(x, (2, 2), (2, 2)) ** 2).sum())(x) + w, (40, 60, 61, 8), (1, 1, 1, 8)
    ),
}  # fmt: skip


@pytest.mark.parametrize("name", CONTRACTIONS)
def test_contractions_do_not_depend_on_threads(name: str) -> None:
    f, *shapes = CONTRACTIONS[name]
    args = [jnp.asarray(rng.normal(size=shape).astype(np.float32)) for shape in shapes]
    jitted = fl.jit(f)
    set_threads(1)
    alone = jitted(*args)
    for got, want in zip(fl.tree.leaves(alone), fl.tree.leaves(fl.jit(f, exact=True)(*args)), strict=True):
        want = np.asarray(want)
        np.testing.assert_allclose(np.asarray(got), want, rtol=1e-4, atol=1e-5 * np.abs(want).max())
    set_threads(3)
    for _ in range(30):
        assert_same(jitted(*args), alone, name)


FACTORISATIONS = {
    "cholesky": lambda x: jnp.linalg.cholesky(x @ x.mT + jnp.eye(6)),
    "eigh": lambda x: jnp.linalg.eigh(x + x.mT)[0],
    "inv": jnp.linalg.inv,
    "qr": lambda x: jnp.linalg.qr(x)[1],
    "svd": lambda x: jnp.linalg.svd(x, compute_uv=False),
}


@pytest.mark.parametrize("name", FACTORISATIONS)
def test_factorisations_do_not_depend_on_threads(name: str) -> None:
    f = FACTORISATIONS[name]
    x = rng.normal(size=(700, 6, 6)).astype(np.float32) + 4 * np.eye(6, dtype=np.float32)
    x[[0, 350, 699]] = np.nan
    jitted, x = fl.jit(f), jnp.asarray(x)
    assert is_whole(f, x)
    set_threads(1)
    alone = jitted(x)
    np.testing.assert_allclose(np.asarray(alone), np.asarray(fl.jit(f, exact=True)(x)), rtol=1e-3, atol=1e-4)
    set_threads(3)
    for _ in range(30):
        assert_same(jitted(x), alone, name)


@pytest.mark.skipif(os.name != "posix", reason="it takes a C function that returns 0")
@pytest.mark.parametrize("n", [1, 3])
def test_no_memory_for_what_pieces_keep(n: int, monkeypatch: pytest.MonkeyPatch) -> None:
    x = jnp.asarray(rng.normal(size=(8, 200_000)).astype(np.float32))

    def f(x: Any) -> Any:
        e = jnp.tanh(x)
        share = e / (e * e).sum(1, keepdims=True)
        return (share * share).sum(1)

    set_threads(n)
    expected = fl.jit(lambda x: f(x))(x)
    none, address = ctypes.cast(ctypes.CDLL(None).dlerror, ctypes.c_void_p).value, linking.address
    monkeypatch.setattr(linking, "address", lambda name: none if name == "python.PyMem_RawMalloc" else address(name))
    run = fl.jit(lambda x: f(x))
    for _ in range(2):
        with pytest.raises(MemoryError):
            run(x)
    monkeypatch.undo()
    fl.clear_caches()
    assert_same(fl.jit(lambda x: f(x))(x), expected)


@pytest.mark.skipif(openblas("get_num_threads") is None, reason="another BLAS")
def test_blas_has_its_threads_back() -> None:
    """Several Python threads hold it at 1 for their products; then it is what it was."""
    count = ctypes.CFUNCTYPE(ctypes.c_int)(openblas("get_num_threads") or 0)
    set_count = ctypes.CFUNCTYPE(None, ctypes.c_int)(openblas("set_num_threads") or 0)
    before = count()
    set_count(2)
    try:
        f = fl.jit(lambda x: ((x + 0j) @ x, jnp.linalg.inv(x)))  # complex: always BLAS's; LAPACK
        x = jnp.asarray(rng.normal(size=(300, 300)).astype(np.float32))
        expected = f(x)

        def again() -> None:
            for _ in range(20):
                assert_same(f(x), expected)

        others = [threading.Thread(target=again) for _ in range(3)]
        for other in others:
            other.start()
        for other in others:
            other.join()
        assert count() == 2
    finally:
        set_count(before)
