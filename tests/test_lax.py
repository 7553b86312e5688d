"""The functions of `lax`: strict about dtypes and shapes, kind to numbers."""

from __future__ import annotations

import numpy as np
import pytest

import functorch_lite as fl
import functorch_lite.numpy as fnp
from functorch_lite import lax
from functorch_lite.lax import elementwise


@pytest.mark.parametrize("name", elementwise.__all__)
def test_elementwise_functions_take_arrays(name):
    function = getattr(lax, name)
    for dtype in ("float32", "int32", "bool", "complex64"):
        x = fnp.ones(3, dtype)
        for n in (1, 2, 3):
            try:
                out = function(*[x] * n)
            except TypeError as error:
                message = str(error)
                out = None
            if out is None:
                assert "isinstance" not in message
                continue
            assert out.shape == (3,)
            assert fl.jit(function)(*[x] * n).dtype == out.dtype
            return


def test_numbers_take_the_dtype_of_arrays():
    assert lax.add(fnp.ones(2, "float16"), 1.0).dtype == "float16"
    assert lax.max(2, fnp.ones(2, "int8")).dtype == "int8"
    assert lax.complex(fnp.ones(2), 1.0).dtype == "complex64"
    np.testing.assert_array_equal(np.asarray(fl.jit(lax.exp)(fnp.zeros(2))), 1.0)


def test_dtypes_must_agree():
    with pytest.raises(TypeError, match="one dtype"):
        lax.add(fnp.ones(2), fnp.ones(2, "int32"))
