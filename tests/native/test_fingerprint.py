"""What names a program in the cache on disk, and a group within a compilation: all that its code depends on, and nothing else."""

from __future__ import annotations

import numpy as np
import pytest

import functorch_lite as fl
import functorch_lite.numpy as fnp
from functorch_lite.extend import Equation, Primitive, Program, Var, registry
from functorch_lite.primitives.constants import Box, constant

pytest.importorskip("llvmlite", reason="the compiler needs llvmlite")
from functorch_lite_numpy.compiler.fingerprint import fingerprint
from functorch_lite_numpy.compiler.structure import structure

X = np.ones((2, 3), np.float32)


def of(f, *args, **options):
    return fingerprint(fl.jit(f, **options).lower(*args).program)


def structure_of(f, *args):
    return structure(fl.jit(f).lower(*args).program)


def scanned(x, n):
    return fl.lax.scan(lambda c, row: (c + row.sum(), c * n), x[0, 0], x)


def test_programs_that_do_the_same_have_the_same():
    assert of(lambda x: fnp.sin(x) + 2, X) == of(lambda y: fnp.sin(y) + 2, X)
    assert structure_of(lambda x: fnp.sin(x) + 2, X) == structure_of(lambda y: fnp.sin(y) + 2, X)
    assert of(lambda x: scanned(x, 2.0), X) == of(lambda x: scanned(x, 2.0), X)


@pytest.mark.parametrize(
    "f, g",
    [
        (lambda x: x + 1, lambda x: x + 2),
        (lambda x: x + 0.0, lambda x: x + -0.0),
        (lambda x: x + 1, lambda x: x * 1),
        (lambda x: x - x.T[0, 0], lambda x: x.T[0, 0] - x),
        (lambda x: x.sum(0), lambda x: x.sum(1)),
        (lambda x: (x, x + 1), lambda x: (x + 1, x)),
        (lambda x: scanned(x, 2.0), lambda x: scanned(x, 3.0)),
        (lambda x: x.astype(np.int32), lambda x: x.astype(np.int8)),
    ],
)
def test_others_have_others(f, g):
    assert of(f, X) != of(g, X)
    assert structure_of(f, X) != structure_of(g, X)


def test_types_count():
    assert (
        len({of(lambda x: x + x, X.astype(d)) for d in (np.float32, np.float64, np.int32)} | {of(fnp.add, X, X)}) == 4
    )
    assert of(lambda x: x + x, X) != of(lambda x: x + x, X[:1])
    assert structure_of(lambda x: x + x, X) != structure_of(lambda x: x + x, X[:1])


def test_constants_count():
    def of_constant(value):
        array = fnp.asarray(value)
        result = Var(array.type)
        return fingerprint(Program([], [Equation(constant, (), {"value": Box(array)}, [result])], [result]))

    assert of_constant(X) == of_constant(X.copy())
    assert len({of_constant(x) for x in (X, X + 1, X.T, X.astype(np.float64))}) == 4


def test_primitives_of_strangers_have_none():
    class Stranger(Primitive):
        def __init__(self):
            self.name = "stranger"  # not entered among the primitives

    x, y = Var(fnp.asarray(X).type), Var(fnp.asarray(X).type)
    assert fingerprint(Program([x], [Equation(Stranger(), [x], {}, [y])], [y])) is None


def test_what_is_neither_data_nor_program_has_none():
    assert of(lambda x: fl.pure_callback(lambda y: y, fl.ShapeDtypeStruct(x.shape, x.dtype), x), X) is None


def test_what_has_no_hash_has_no_structure():
    x, y = Var(fnp.asarray(X).type), Var(fnp.asarray(X).type)
    assert structure(Program([x], [Equation(registry["neg"], [x], {"of": [1]}, [y])], [y])) is None
