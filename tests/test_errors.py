"""Mistakes that users make, and what they are told: what came, what was needed, what to do, and their own line."""

from __future__ import annotations

import copy
import math
import pickle
import re
import sys
import traceback
from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
import pytest

import functorch_lite as fl
import functorch_lite.numpy as fnp
from functorch_lite import lax

LEAKED: list[Any] = []


def leak(x):
    LEAKED.append(x)
    return x * 2.0


def use_leaked():
    LEAKED.clear()
    fl.jit(leak)(1.0)
    return LEAKED[0] + 1.0


def leak_from_grad():
    LEAKED.clear()
    fl.grad(leak)(1.0)
    return fnp.sin(LEAKED[0])


def assign(x):
    x[0] = 1.0
    return x


def add_in_place(x):
    x[0] += 1.0
    return x


def use_appended():
    kept = []
    fl.jit(lambda x: kept.append(x * 2.0))(1.0)
    return kept[0] + 1.0


def use_donated():
    x = fnp.ones(3)
    fl.jit(lambda v: v + 1, donate_argnums=0)(x)
    return x + 1


def branch(x):
    return x if x > 0 else -x


@fl.custom_vjp
def no_rule(x):
    return x


def with_rule(bwd):
    @fl.custom_vjp
    def f(x):
        return x * 2

    f.defvjp(lambda x: (x * 2, None), bwd)
    return f


# name: (what the user did, the exception, words that the message must have)
@fl.custom_jvp
def _with_keyword(x, *, k):
    return x * k


_with_keyword.defjvps(lambda t, y, x: t)


@fl.custom_vjp
def _reversed(x):
    return x * 2


_reversed.defvjp(lambda x: (x * 2, None), lambda _, ct: (ct * 2,))


MISTAKES: dict[str, tuple[Callable[[], Any], type[Exception], tuple[str, ...]]] = {
    "shapes that do not broadcast": (
        lambda: fnp.ones((3, 4)) + fnp.ones((2,)),
        ValueError,
        ("[3, 4]", "[2]", "do not broadcast", "neither is 1"),
    ),
    "matmul of wrong shapes": (lambda: fnp.ones((3, 4)) @ fnp.ones((3, 4)), ValueError, ("f32[3,4]", "lengths")),
    "reshape to another size": (lambda: fnp.ones(6).reshape((4,)), ValueError, ("f32[6]", "4")),
    "axis that is not there": (lambda: fnp.sum(fnp.ones((2, 3)), axis=2), ValueError, ("axis 2", "2 axes", "-2 to 1")),
    "concatenate of wrong shapes": (
        lambda: fnp.concatenate([fnp.ones((2, 3)), fnp.ones((2, 4))]),
        ValueError,
        ("f32[2,3]", "f32[2,4]"),
    ),
    "grad of a vector function": (
        lambda: fl.grad(lambda x: x * 2.0)(fnp.ones(3)),
        TypeError,
        ("scalar result", "f32[3]", "jacrev"),
    ),
    "grad by an integer": (
        lambda: fl.grad(lambda x: x * 2.0)(3),
        TypeError,
        ("i32[]", "1.0 instead of 1", "allow_int"),
    ),
    "grad with an integer result": (
        lambda: fl.grad(lambda x: fnp.astype(x, "int32"))(3.0),
        TypeError,
        ("real floating result", "i32[]"),
    ),
    "grad with a complex result": (
        lambda: fl.grad(lambda x: x * 1j)(3.0),
        TypeError,
        ("c64[]", "holomorphic=True"),
    ),
    "holomorphic grad of a real input": (
        lambda: fl.grad(lambda x: x, holomorphic=True)(3.0),
        TypeError,
        ("complex inputs", "f32[]"),
    ),
    "grad of a function that gives a tuple": (
        lambda: fl.grad(lambda x: (x, x))(3.0),
        TypeError,
        ("tuple", "has_aux=True"),
    ),
    "has_aux without a pair": (lambda: fl.grad(lambda x: x, has_aux=True)(3.0), TypeError, ("needs a pair",)),
    "argnums beyond the arguments": (
        lambda: fl.grad(lambda x: x, argnums=1)(3.0),
        ValueError,
        ("argnums is 1", "1 positional"),
    ),
    "argnums of a wrong type": (
        lambda: fl.grad(lambda x: x, argnums="x")(3.0),
        TypeError,
        ("argnums must be an integer",),
    ),
    "string as an argument": (lambda: fl.grad(lambda x: x)("three"), TypeError, ("got a str",)),
    "if on a tracer under jit": (lambda: fl.jit(branch)(1.0), TypeError, ("bool[]", "where", "static")),
    "if on a tracer under vmap": (lambda: fl.vmap(branch)(fnp.ones(2)), TypeError, ("bool[]", "where")),
    "truth of an array": (lambda: bool(fnp.ones(3)), ValueError, ("f32[3]", ".any()")),
    "range of a tracer": (
        lambda: fl.jit(lambda n: [i for i in range(n)])(3),
        TypeError,
        ("i32[]", "fori_loop"),
    ),
    "float() of a tracer": (
        lambda: fl.grad(lambda x: math.sin(x))(1.0),
        TypeError,
        ("cut off its derivative", "f32[]"),
    ),
    "leaked tracer of jit": (use_leaked, TypeError, ("had ended", "Return the value")),
    "leaked tracer of grad": (leak_from_grad, TypeError, ("had ended", "Return the value")),
    "assignment to an item": (lambda: assign(fnp.ones(3)), TypeError, ("immutable", "x.at[index].set(value)")),
    "assignment under jit": (lambda: fl.jit(assign)(fnp.ones(3)), TypeError, ("immutable", ".at[")),
    "array as a key of a dict": (lambda: {fnp.ones(3): 1}, TypeError, ("cannot be hashed",)),
    "unhashable static argument": (
        lambda: fl.jit(lambda x, n: x, static_argnums=1)(1.0, [1]),
        ValueError,
        ("list", "cannot be hashed", "tuple"),
    ),
    "static argument that is not there": (
        lambda: fl.jit(lambda x: x, static_argnames="n"),
        ValueError,
        ("'n'", "no parameters"),
    ),
    "jit of a function that gives a string": (lambda: fl.jit(lambda x: "a")(1.0), TypeError, ("got a str", "result")),
    "vmap of different sizes": (
        lambda: fl.vmap(lambda x, y: x)(fnp.ones(3), fnp.ones(4)),
        ValueError,
        ("f32[3] has 3", "f32[4] has 4"),
    ),
    "vmap over an axis that is not there": (
        lambda: fl.vmap(lambda x: x, in_axes=1)(fnp.ones(3)),
        ValueError,
        ("axis 1", "f32[3]"),
    ),
    "vmap of a scalar": (lambda: fl.vmap(lambda x: x)(1.0), ValueError, ("axis 0", "f32[]")),
    "vmap without a batch": (lambda: fl.vmap(lambda x: x, in_axes=None)(1.0), ValueError, ("give axis_size",)),
    "vmap with too few in_axes": (
        lambda: fl.vmap(lambda x, y: x, in_axes=(0,))(fnp.ones(3), fnp.ones(3)),
        ValueError,
        ("1 items", "2 positional"),
    ),
    "vmap with out_axes None for a batched result": (
        lambda: fl.vmap(lambda x: x, out_axes=None)(fnp.ones(3)),
        ValueError,
        ("out_axes is None", "depends on the batch"),
    ),
    "psum over an unknown axis": (lambda: lax.psum(1.0, "i"), NameError, ("'i'", "axis_name='i'")),
    "scan with a carry that changes": (
        lambda: lax.scan(lambda c, x: (x, None), fnp.asarray(1.0), fnp.ones((3, 2))),
        TypeError,
        ("f32[]", "f32[2]", "keep its type"),
    ),
    "scan with a function that gives no pair": (
        lambda: lax.scan(lambda c, x: c, 1.0, fnp.ones(3)),
        TypeError,
        ("must return a pair",),
    ),
    "scan over different lengths": (
        lambda: lax.scan(lambda c, x: (c, None), 1.0, (fnp.ones(3), fnp.ones(4))),
        ValueError,
        ("f32[3]", "f32[4]"),
    ),
    "scan without a length": (lambda: lax.scan(lambda c, x: (c, None), 1.0), ValueError, ("length=",)),
    "while_loop with a condition that is no boolean": (
        lambda: lax.while_loop(lambda c: c, lambda c: c, 1.0),
        TypeError,
        ("scalar boolean", "f32[]"),
    ),
    "while_loop with a value that changes": (
        lambda: lax.while_loop(lambda c: True, lambda c: fnp.ones(2), fnp.asarray(1.0)),
        TypeError,
        ("keep its type", "f32[2]"),
    ),
    "cond with branches that differ": (
        lambda: fl.jit(lambda x: lax.cond(x > 0, lambda x: fnp.ones(2), lambda x: x, x))(1.0),
        TypeError,
        ("false_fun gives f32[]", "true_fun gives f32[2]"),
    ),
    "cond with a vector predicate": (
        lambda: lax.cond(fnp.ones(2) > 0, lambda: 1, lambda: 2),
        TypeError,
        ("bool[2]", "any()"),
    ),
    "jvp with a tangent of another shape": (
        lambda: fl.jvp(fnp.sin, (fnp.ones(3),), (fnp.ones(2),)),
        ValueError,
        ("f32[2]", "f32[3]"),
    ),
    "jvp without tuples": (lambda: fl.jvp(fnp.sin, 1.0, 1.0), TypeError, ("jvp(f, (x,), (x_dot,))",)),
    "vjp with a cotangent of another shape": (
        lambda: fl.vjp(fnp.sin, fnp.ones(3))[1](fnp.ones(2)),
        ValueError,
        ("f32[2]", "f32[3]"),
    ),
    "custom_vjp without rules": (lambda: no_rule(1.0), AttributeError, ("defvjp", "no_rule")),
    "backend that is not there": (
        lambda: fl.use_backend("tpu").__enter__(),
        RuntimeError,
        ("'tpu'", "installed are", "numpy"),
    ),
    "index out of range": (lambda: fnp.ones(3)[5], IndexError, ("5", "f32[3]")),
    "too many indices": (lambda: fnp.ones(3)[0, 0], IndexError, ("f32[3]",)),
    "boolean mask under jit": (lambda: fl.jit(lambda x: x[x > 0])(fnp.ones(3)), TypeError, ("where",)),
    "float index": (lambda: fnp.ones(3)[1.0], (TypeError, IndexError), ("integer",)),  # type: ignore[dict-item]
    "np. function that has no counterpart": (
        lambda: fl.jit(lambda x: np.linalg.eig(x))(fnp.ones((2, 2))),
        TypeError,
        ("np.eig", "pure_callback"),
    ),
    "np.asarray of a tracer": (
        lambda: fl.jit(lambda x: np.asarray(x))(1.0),
        TypeError,
        ("f32[]", "functorch_lite.numpy"),
    ),
    "integer that does not fit": (lambda: fnp.asarray(2**40), OverflowError, ("1099511627776", "i32")),
    "listed integer that does not fit": (lambda: fnp.asarray([1, 300], "uint8"), OverflowError, ("uint8", "wider")),
    "integer of more than 64 bits": (lambda: fnp.asarray([2**70]), OverflowError, ("64 bits", "float")),
    "range without a step": (lambda: fnp.arange(0, 3, 0), ValueError, ("step", "0")),
    "negative repeats": (lambda: fnp.repeat(fnp.ones(3), [1, -1, 0]), ValueError, ("negative", "-1")),
    "three widths of a pad": (lambda: fnp.pad(fnp.ones((2, 2)), [(1, 2, 3)]), ValueError, ("[1, 2, 3]", "pair")),
    "random without a key": (lambda: fl.random.normal(0, (3,)), TypeError, ("random.key(seed)",)),
    "randomness from many keys at once": (
        lambda: fl.random.normal(fl.random.split(fl.random.key(0), 3)),
        ValueError,
        ("single key", "vmap"),
    ),
    "pickle of a tracer": (lambda: fl.jit(lambda x: pickle.dumps(x))(1.0), TypeError, ("cannot be pickled",)),
    "jit of no function": (lambda: fl.jit(3.0), TypeError, ("jit needs a function", "3.0", "of type float")),
    "grad of the result of a call": (
        lambda: fl.grad(fnp.sin(1.0)),
        TypeError,
        ("grad needs a function", "of type Array", "the function itself"),
    ),
    "vmap of no function": (lambda: fl.vmap(None), TypeError, ("vmap needs a function", "NoneType")),
    "cond with values for branches": (
        lambda: lax.cond(True, 1.0, 2.0),
        TypeError,
        ("cond, as its false_fun, needs a function", "float"),
    ),
    "switch without branches": (lambda: lax.switch(0, []), ValueError, ("at least one branch",)),
    "grad by a keyword argument": (
        lambda: fl.grad(lambda x: x)(x=1.0),
        ValueError,
        ("0 positional arguments", "in its place, not by name"),
    ),
    "grad of a function that gives nothing": (
        lambda: fl.grad(lambda x: None)(1.0),
        TypeError,
        ("scalar result", "NoneType", "Return the loss"),
    ),
    "static position beyond the arguments": (
        lambda: fl.jit(lambda x: x, static_argnums=3),
        ValueError,
        ("3 in static_argnums", "takes 1 positional", "count from 0"),
    ),
    "array as a static argument": (
        lambda: fl.jit(lambda x, n: x, static_argnums=1)(1.0, fnp.ones(3)),
        ValueError,
        ("Array", "cannot be hashed", "leave the argument out"),
    ),
    "shape below zero": (lambda: fnp.zeros((-1, 2)), ValueError, ("(-1, 2)", "tuple of integers")),
    "shape that is a float": (lambda: fnp.zeros(2.5), TypeError, ("2.5", "tuple of integers")),
    "shape that is traced": (lambda: fl.jit(lambda n: fnp.zeros(n))(3), TypeError, ("i32[]", "static")),
    "slice up to a traced length": (
        lambda: fl.jit(lambda x, n: x[:n])(fnp.ones(6), 3),
        TypeError,
        ("i32[]", "dynamic_slice", "static"),
    ),
    "nested lists of unequal lengths": (
        lambda: fnp.asarray([[1, 2], [3]]),
        ValueError,
        ("equal lengths", "[[1, 2], [3]]", "pad"),
    ),
    "None in a nested list": (lambda: fnp.asarray([None, 1]), TypeError, ("NoneType", "numbers")),
    "dtype that does not exist": (lambda: fnp.zeros(3, "flot32"), TypeError, ("'flot32'", "float32")),
    "einsum of unequal lengths": (
        lambda: fnp.einsum("ij,jk->ik", fnp.ones((2, 3)), fnp.ones((2, 3))),
        ValueError,
        ("'ij,jk->ik'", "'j'", "3 and 2"),
    ),
    "einsum with a label too many": (
        lambda: fnp.einsum("ijk->i", fnp.ones((2, 3))),
        ValueError,
        ("'ijk'", "(2, 3)", "as many labels"),
    ),
    "split into unequal parts": (lambda: fnp.split(fnp.ones(5), 2), ValueError, ("f32[5]", "array_split")),
    "squeeze of a longer axis": (
        lambda: fnp.squeeze(fnp.ones((2, 3)), 0),
        ValueError,
        ("f32[2,3]", "(0,)", "length 1"),
    ),
    "broadcast_to a shape that does not fit": (
        lambda: fnp.broadcast_to(fnp.ones(3), (2, 2)),
        ValueError,
        ("f32[3]", "(2, 2)"),
    ),
    "largest of nothing": (lambda: fnp.max(fnp.ones(0)), ValueError, ("f32[0]", "give `initial`")),
    "place of the largest of nothing": (lambda: fnp.argmax(fnp.ones(0)), ValueError, ("f32[0]", "nothing")),
    "bits of floats": (lambda: fnp.ones(3) & 1, TypeError, ("f32[3]", "integer", "astype")),
    "difference of booleans": (
        lambda: (fnp.ones(3) > 0) - (fnp.ones(3) > 0),
        TypeError,
        ("bool[3]", "cast with astype"),
    ),
    "negative power of integers": (lambda: fnp.arange(3) ** -1, ValueError, ("i32[3]", "-1", "floating")),
    "order of complex numbers": (lambda: fnp.argmax(fnp.ones(3) * 1j), TypeError, ("c64[3]", "real part")),
    "lax with two dtypes": (
        lambda: lax.add(fnp.ones(3), fnp.arange(3)),
        TypeError,
        ("f32[3]", "i32[3]", "functorch_lite.numpy"),
    ),
    "lax with two shapes": (
        lambda: lax.add(fnp.ones(3), fnp.ones(4)),
        ValueError,
        ("f32[3]", "f32[4]", "broadcast"),
    ),
    "dynamic_slice longer than the array": (
        lambda: lax.dynamic_slice(fnp.ones(3), (0,), (5,)),
        ValueError,
        ("f32[3]", "(5,)"),
    ),
    "dynamic_slice with too few starts": (
        lambda: lax.dynamic_slice(fnp.ones((3, 3)), (0,), (1, 1)),
        ValueError,
        ("1 start indices", "(3, 3)", "one for each axis"),
    ),
    "update out of range": (lambda: fnp.ones(3).at[7].set(1.0), IndexError, ("7", "f32[3]")),
    "update with floats in integers": (
        lambda: fnp.arange(3).at[0].set(1.5),
        TypeError,
        ("float32", "i32[3]", "astype"),
    ),
    "update of a wrong shape": (
        lambda: fnp.ones(3).at[:2].set(fnp.ones(3)),
        ValueError,
        ("[3]", "[2]", "broadcast"),
    ),
    "item() of several elements": (lambda: fnp.ones(3).item(), ValueError, ("f32[3]", "one element", "tolist()")),
    "length of a single key": (lambda: len(fl.random.key(0)), TypeError, ("single key", "split it first")),
    "no derivative rule": (lambda: fl.custom_jvp(fnp.sin)(1.0), AttributeError, ("sin", "give one with defjvp")),
    "convolution without axes of space": (
        lambda: lax.conv_general_dilated(fnp.ones((2, 3)), fnp.ones((2, 3)), (1,), "SAME"),
        ValueError,
        ("f32[2,3]", "0 axes of space", "window_strides=(1,)"),
    ),
    "tangents of another structure": (
        lambda: fl.jvp(fnp.sin, (1.0,), (1.0, 2.0)),
        ValueError,
        ("the tangent given to jvp", "length 2", "needed is a tuple of length 1"),
    ),
    "augmented assignment": (lambda: add_in_place(fnp.ones(3)), TypeError, ("immutable", "x.at[index]")),
    "convolution of wrong channels": (
        lambda: lax.conv(fnp.ones((1, 2, 5, 5)), fnp.ones((3, 4, 3, 3)), (1, 1), "SAME"),
        ValueError,
        ("f32[1,2,5,5]", "f32[3,4,3,3]", "channels"),
    ),
    "list filled under jit and used after it": (use_appended, TypeError, ("had ended", "instead of storing it")),
    "int() of a tracer": (lambda: fl.jit(lambda x: int(x))(3), TypeError, ("i32[]", "astype(int)")),
    "item() of a tracer": (lambda: fl.vmap(lambda x: x.item())(fnp.ones(3)), TypeError, ("f32[]", "debug.print")),
    "unique under jit": (lambda: fl.jit(fnp.unique)(fnp.ones(3)), TypeError, ("f32[3]", "Give `size`")),
    "vmap with out_axes beyond the axes": (
        lambda: fl.vmap(lambda x: x, out_axes=3)(fnp.ones(3)),
        ValueError,
        ("out_axes is 3", "1 axes"),
    ),
    "custom_vjp with a cotangent too many": (
        lambda: fl.grad(with_rule(lambda kept, ct: (ct, ct)))(1.0),
        TypeError,
        ("bwd rule of f", "each of its 1 arguments", "got 2"),
    ),
    "custom_vjp with a cotangent of another shape": (
        lambda: fl.grad(with_rule(lambda kept, ct: (fnp.ones(3),)))(1.0),
        TypeError,
        ("f32[3]", "f32[]", "bwd rule of f"),
    ),
    "forward mode of custom_vjp": (
        lambda: fl.jvp(with_rule(lambda kept, ct: (ct,)), (1.0,), (1.0,)),
        TypeError,
        ("reached f", "custom_jvp", "reverse mode"),
    ),
    "transpose of what is not linear": (
        lambda: fl.linear_transpose(lambda x: x * x, 1.0)(1.0),
        TypeError,
        ("only linear functions", "mul of two values", "vjp"),
    ),
    "fori_loop with a value of another structure": (
        lambda: lax.fori_loop(0, 3, lambda i, c: (c, c), 1.0),
        TypeError,
        ("fori_loop: the carry must keep its structure",),
    ),
    "fori_loop with bounds that are floats": (
        lambda: lax.fori_loop(0.0, 3.0, lambda i, c: c, 1.0),
        TypeError,
        ("integer scalars", "f32[]"),
    ),
    "callback with a result of another shape": (
        lambda: fl.pure_callback(lambda x: np.ones(3), fl.ShapeDtypeStruct((2,), "float32"), 1.0),
        ValueError,
        ("(3,)", "promised was f32[2]"),
    ),
    "donated array used again": (use_donated, RuntimeError, ("f32[3]", "donate_argnums", "returned")),
    "choice of more than there is": (
        lambda: fl.random.choice(fl.random.key(0), 3, (5,), replace=False),
        ValueError,
        ("5 draws of 3",),
    ),
    "dict with keys that do not sort": (
        lambda: fl.jit(lambda d: d)({1: 1.0, "a": 2.0}),
        ValueError,
        ("must sort", "[1, 'a']", "OrderedDict"),
    ),
    "trees of two structures": (
        lambda: fl.tree.map(lambda a, b: a, {"a": 1}, {"b": 1}),
        ValueError,
        ("missing 'a'", "too many 'b'"),
    ),
    "position named twice": (
        lambda: fl.grad(fnp.multiply, (0, -2))(1.0, 2.0),
        ValueError,
        ("grad: argnums is (0, -2)", "names an argument twice"),
    ),
    "derivative of a callback": (
        lambda: fl.grad(lambda x: fl.pure_callback(np.sin, fl.ShapeDtypeStruct((), "float32"), x))(1.0),
        NotImplementedError,
        ("pure_callback of f32[] is not differentiable", "stop_gradient", "custom_jvp"),
    ),
    "structure that is none": (lambda: fl.tree.unflatten([1], [2]), TypeError, ("PyTreeDef", "[1]", "tree.structure")),
    "transpose of another tree": (
        lambda: fl.tree.transpose(fl.tree.structure([0, 0]), fl.tree.structure((0,)), [(1,)]),
        TypeError,
        ("transpose", "length 1", "length 2"),
    ),
    "keyword-only argument of a custom rule": (
        lambda: _with_keyword(1.0, k=2.0),
        TypeError,
        ("_with_keyword", "keyword-only arguments ['k']", "by position"),
    ),
    "forward mode over a reverse rule": (
        lambda: fl.linearize(fl.jit(_reversed), 1.0)[1](1.0),
        TypeError,
        ("_reversed", "the reverse rule only", "use custom_jvp"),
    ),
    "select of no cases": (lambda: lax.select_n(True), ValueError, ("select_n", "at least one case")),
    "concatenation of nothing": (lambda: fnp.concatenate([]), ValueError, ("at least one array",)),
    "product updates that repeat": (
        lambda: fl.grad(lambda v: fnp.ones(3).at[fnp.array([0, 0])].multiply(v).sum())(2.0),
        NotImplementedError,
        ("no index repeats", "unique_indices=True"),
    ),
    "list as an operand": (lambda: lax.add([1.0], 2.0), TypeError, ("array",)),
}


@pytest.mark.parametrize("name", MISTAKES)
def test_mistake(name):
    run, kind, words = MISTAKES[name]
    with pytest.raises(kind) as caught:
        run()
    message = str(caught.value)
    for word in words:
        assert word in message, message
    assert f"\n  at {__file__}:" in message, message


def test_operands_on_two_backends(stranger):
    sys.path.insert(0, str(stranger))
    try:
        other = fl.device_put(fnp.ones(3), "strict")
        with pytest.raises(RuntimeError, match=r"two backends, numpy and strict: move one with device_put"):
            other + fnp.ones(3)
    finally:
        sys.path.remove(str(stranger))


def test_arrays_copy_and_pickle():
    x = fnp.arange(4.0)
    assert copy.deepcopy(x).buffer is x.buffer
    np.testing.assert_array_equal(np.asarray(pickle.loads(pickle.dumps(x))), np.arange(4.0))


def test_nothing_of_the_users_changes():
    host = np.ones(3)
    x = fnp.asarray(host)
    host[0] = 7
    assert float(x[0]) == 1.0
    view = np.asarray(x)
    with pytest.raises(ValueError, match="read-only"):
        view[0] = 3


def _nested(x):
    return fl.vmap(fl.jit(lambda row: fnp.dot(row, fnp.ones(4))))(x).sum()


@pytest.mark.parametrize(
    "call",
    [
        lambda: fl.grad(_nested)(fnp.ones((2, 3))),
        lambda: fl.jit(fl.grad(_nested))(fnp.ones((2, 3))),
        lambda: fl.jvp(_nested, (fnp.ones((2, 3)),), (fnp.ones((2, 3)),)),
        lambda: fl.jacrev(_nested)(fnp.ones((2, 3))),
        lambda: fl.checkpoint(_nested)(fnp.ones((2, 3))),
        lambda: lax.cond(fnp.ones(()) > 0, _nested, _nested, fnp.ones((2, 3))),
        lambda: lax.scan(lambda c, x: (c, _nested(x)), 0.0, fnp.ones((5, 2, 3))),
        lambda: fl.eval_shape(_nested, fnp.ones((2, 3))),
    ],
)
def test_the_traceback_shows_the_users_lines_alone(call):
    with pytest.raises(ValueError, match="lengths") as caught:
        call()
    package = fl.__file__.removesuffix("__init__.py")
    files = [frame.filename for frame in traceback.extract_tb(caught.value.__traceback__)]
    assert files[-1] == __file__
    assert sum(name.startswith(package) for name in files) <= 1  # the frame that `jit` calls from


def test_the_traceback_can_be_had_in_full(monkeypatch):
    monkeypatch.setenv("FUNCTORCH_LITE_TRACEBACK", "full")
    with pytest.raises(ValueError, match="lengths") as caught:
        fl.grad(_nested)(fnp.ones((2, 3)))
    assert len(traceback.extract_tb(caught.value.__traceback__)) > 8


def test_errors_are_of_the_kinds_that_tell_the_users_line():
    """ArgumentError for ValueError, UnsupportedError for NotImplementedError, UnboundAxisError for NameError."""
    plain = re.compile(r"(raise|return) (Type|Value|NotImplemented|Name|Overflow|Key|Index|Attribute|Runtime)Error\(")
    root = Path(fl.__file__).parent
    found = [
        f"{path.relative_to(root)}: {line.strip()}"
        for path in root.rglob("*.py")
        if path.parent.name != "testing"  # for authors of tests
        for line in path.read_text(encoding="utf-8").splitlines()
        if plain.search(line)
    ]
    assert not found
