"""Arguments that mean nothing: every function says so itself, and its errors do not start within NumPy or within us."""

from __future__ import annotations

import inspect
from collections.abc import Callable
from typing import Any

import numpy as np
import pytest

import functorch_lite as fl
import functorch_lite.numpy as fnp
from functorch_lite import errors

OURS = tuple(e for e in vars(errors).values() if isinstance(e, type) and issubclass(e, Exception))
A = fnp.arange(12.0).reshape(3, 4)
COUNTS = {
    "axis",
    "axis1",
    "axis2",
    "axes",
    "source",
    "destination",
    "k",
    "n",
    "N",
    "num",
    "decimals",
    "deg",
    "minlength",
    "offset",
}
COUNTS |= {"ndim", "ind", "reps", "repeats", "shift", "shape", "pad_width"}
"""Parameters that are integers, or several."""
OTHERS = {"fromfile", "frombuffer", "angle"}
"""NumPy's functions, called as they are; and one whose `deg` says whether the result is in degrees."""


def places() -> dict[str, tuple[Callable[..., Any], str]]:
    """Where integers are asked for: functions and their parameters."""
    found = {}
    for module in (fnp, fnp.linalg, fnp.fft):
        for name in set(dir(module)) - OTHERS:
            function = getattr(module, name)
            if inspect.isfunction(function):
                for parameter in COUNTS & inspect.signature(function).parameters.keys():
                    found[f"{module.__name__}.{name} {parameter}"] = (function, parameter)
    return dict(sorted(found.items()))


@pytest.mark.parametrize("place", places())
def test_what_is_no_integer(place: str) -> None:
    function, name = places()[place]
    if name == "k" and function in (fnp.tril, fnp.triu, fnp.eye, fnp.tri):
        pytest.skip("a diagonal may be any number, a traced one too")
    needed = [p for p in inspect.signature(function).parameters.values() if p.default is p.empty and p.name != name]
    first = [A for p in needed if p.kind is p.POSITIONAL_ONLY]
    rest = {p.name: A for p in needed if p.kind is p.POSITIONAL_OR_KEYWORD}
    for nonsense in ("abc", 1.5, object()):
        with pytest.raises(OURS):
            function(*first, **rest, **{name: nonsense})


def test_numbers_are_not_truncated_to_integers() -> None:
    for call in (lambda: fnp.pad(A, 1.7), lambda: fnp.roll(A, 1.7), lambda: fnp.unravel_index(3, (2.5, 4))):
        with pytest.raises(TypeError, match="must be an integer"):
            call()


def test_counts_beyond_what_there_is() -> None:
    """They take no time."""
    assert fnp.diff(A, n=10**30).shape == (3, 0)
    assert fnp.polyder(fnp.arange(4.0), 10**30).shape == (0,)
    np.testing.assert_array_equal(fnp.round(fnp.array([1.5]), 10**30), [1.5])
    np.testing.assert_array_equal(fnp.round(fnp.array([15]), -(10**30)), [0])
    for mine, theirs in ((fnp.tril_indices, np.tril_indices), (fnp.triu_indices, np.triu_indices)):
        np.testing.assert_array_equal(mine(3, 10**30, 4), theirs(3, 9, 4))
        np.testing.assert_array_equal(mine(3, -(10**30), 4), theirs(3, -9, 4))


def test_matrices_are_needed() -> None:
    for name in ("tril_indices_from", "triu_indices_from", "diag_indices_from"):
        for x in (np.arange(3), 1.0, "abc"):
            with pytest.raises(OURS):
                getattr(fnp, name)(x)


def test_polynomials_of_one_number() -> None:
    np.testing.assert_array_equal(fnp.polyadd(2.0, fnp.asarray([1.0, 2.0])), [1, 4])
    assert fnp.polyder(2.0).shape == (0,)
    np.testing.assert_array_equal(fnp.polyint(2.0), [2, 0])


def test_new_axes_in_one_place() -> None:
    with pytest.raises(OURS, match="twice"):
        fl.lax.expand_dims(A, (1, 1))


def test_positions_and_lengths_that_are_none() -> None:
    for options in ({"static_argnums": "x"}, {"donate_argnums": (0, "x")}):
        with pytest.raises(TypeError, match="must be integers, got"):
            fl.jit(lambda x: x, **options)(1.0)
    for length in (-1, "a", 1.5):
        with pytest.raises(ValueError, match="length must be a number of turns"):
            fl.lax.scan(lambda c, x: (c, x), 0.0, None, length=length)
