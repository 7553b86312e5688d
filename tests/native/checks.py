"""What the tests of native code share: run compiled against eager's very kernels, and see that it was native."""

from __future__ import annotations

from typing import Any

import numpy as np

import functorch_lite as fl
from functorch_lite.extend import fuse
from functorch_lite.passes import optimized
from functorch_lite_numpy.compiler.compile import fusible, is_dear, is_native

__all__ = ["assert_same", "check", "is_whole"]


def is_whole(f: Any, *args: Any) -> bool:
    """Whether all of a function becomes native code."""
    program = fuse(optimized(fl.make_program(f)(*args).program, fl.default_backend()), fusible, is_dear)
    return all(map(is_native, program.equations))


def assert_same(got: Any, expected: Any, what: Any = "") -> None:
    """Equal bits; any NaN is like any other."""
    for x, y in zip(fl.tree_util.tree_leaves(got), fl.tree_util.tree_leaves(expected), strict=True):
        a, b = np.asarray(x), np.asarray(y)
        assert (a.dtype, a.shape) == (b.dtype, b.shape), what
        np.testing.assert_array_equal(a, b, err_msg=str(what))
        if a.dtype.kind == "f":
            real = ~np.isnan(a)
            np.testing.assert_array_equal(np.signbit(a)[real], np.signbit(b)[real], err_msg=str(what))


def check(f: Any, *args: Any, native: bool = True) -> None:
    """Compiled and exact agree."""
    assert_same(fl.jit(f)(*args), fl.jit(f, exact=True)(*args), [getattr(a, "shape", a) for a in args])
    assert not native or is_whole(f, *args)
