"""What the tests of native code share: run compiled against eager's very kernels, and see that it was native."""

from __future__ import annotations

import threading
from collections.abc import Callable, Iterable
from typing import Any

import numpy as np

import functorch_lite as fl
from functorch_lite.passes import optimized
from functorch_lite_numpy.compiler.compile import is_native, prepared

__all__ = ["assert_same", "check", "is_whole", "together"]


def is_whole(f: Any, *args: Any) -> bool:
    """Whether all of a function becomes native code."""
    program = optimized(fl.make_program(f)(*args).program, fl.default_backend())
    return all(map(is_native, prepared(program).equations))


def assert_same(got: Any, expected: Any, what: Any = "") -> None:
    """Equal bits; any NaN is like any other."""
    for x, y in zip(fl.tree_util.tree_leaves(got), fl.tree_util.tree_leaves(expected), strict=True):
        a, b = np.asarray(x), np.asarray(y)
        assert (a.dtype, a.shape) == (b.dtype, b.shape), what
        for c, d in zip(_parts(a), _parts(b), strict=True):
            np.testing.assert_array_equal(c, d, err_msg=str(what))
            if c.dtype.kind == "f":
                real = ~np.isnan(c)
                np.testing.assert_array_equal(np.signbit(c)[real], np.signbit(d)[real], err_msg=str(what))


def _parts(x: np.ndarray) -> list[np.ndarray]:
    """Real and imaginary parts; of dtypes that NumPy itself knows."""
    parts = [x.real, x.imag] if x.dtype.kind == "c" else [x]
    return [p.astype(np.float32) if p.dtype.kind == "V" else p for p in parts]


def check(f: Any, *args: Any, native: bool = True) -> None:
    """Compiled and exact agree."""
    assert_same(fl.jit(f)(*args), fl.jit(f, exact=True)(*args), [getattr(a, "shape", a) for a in args])
    assert not native or is_whole(f, *args)


def together(work: Callable[..., None], arguments: Iterable[tuple[Any, ...]]) -> None:
    """Do work on each of some arguments, by a thread each, at the same time."""
    workers = [threading.Thread(target=work, args=args) for args in arguments]
    for t in workers:
        t.start()
    for t in workers:
        t.join()
