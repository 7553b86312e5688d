"""Dtypes and promotion, held against the lattice as JAX has it (a table made once with JAX, 64 bit enabled)."""

import contextvars
import enum
import threading
import timeit

import ml_dtypes
import numpy as np
import pytest

from functorch_lite import config, dtypes
from functorch_lite.dtype_lattice import lattice_result, promote_types, result_type, scalar_operand, scalar_type_of

# What `x + y` gives; a star is a weak number.
LATTICE = """
      bool  i8    i16   i32   i64   u8    u16   u32   u64   f16   bf16  f32   f64   c64   c128  i*    f*    c*
bool  bool  i8    i16   i32   i64   u8    u16   u32   u64   f16   bf16  f32   f64   c64   c128  i*    f*    c*
i8    i8    i8    i16   i32   i64   i16   i32   i64   f*    f16   bf16  f32   f64   c64   c128  i8    f*    c*
i16   i16   i16   i16   i32   i64   i16   i32   i64   f*    f16   bf16  f32   f64   c64   c128  i16   f*    c*
i32   i32   i32   i32   i32   i64   i32   i32   i64   f*    f16   bf16  f32   f64   c64   c128  i32   f*    c*
i64   i64   i64   i64   i64   i64   i64   i64   i64   f*    f16   bf16  f32   f64   c64   c128  i64   f*    c*
u8    u8    i16   i16   i32   i64   u8    u16   u32   u64   f16   bf16  f32   f64   c64   c128  u8    f*    c*
u16   u16   i32   i32   i32   i64   u16   u16   u32   u64   f16   bf16  f32   f64   c64   c128  u16   f*    c*
u32   u32   i64   i64   i64   i64   u32   u32   u32   u64   f16   bf16  f32   f64   c64   c128  u32   f*    c*
u64   u64   f*    f*    f*    f*    u64   u64   u64   u64   f16   bf16  f32   f64   c64   c128  u64   f*    c*
f16   f16   f16   f16   f16   f16   f16   f16   f16   f16   f16   f32   f32   f64   c64   c128  f16   f16   c64
bf16  bf16  bf16  bf16  bf16  bf16  bf16  bf16  bf16  bf16  f32   bf16  f32   f64   c64   c128  bf16  bf16  c64
f32   f32   f32   f32   f32   f32   f32   f32   f32   f32   f32   f32   f32   f64   c64   c128  f32   f32   c64
f64   f64   f64   f64   f64   f64   f64   f64   f64   f64   f64   f64   f64   f64   c128  c128  f64   f64   c128
c64   c64   c64   c64   c64   c64   c64   c64   c64   c64   c64   c64   c64   c128  c64   c128  c64   c64   c64
c128  c128  c128  c128  c128  c128  c128  c128  c128  c128  c128  c128  c128  c128  c128  c128  c128  c128  c128
i*    i*    i8    i16   i32   i64   u8    u16   u32   u64   f16   bf16  f32   f64   c64   c128  i*    f*    c*
f*    f*    f*    f*    f*    f*    f*    f*    f*    f*    f16   bf16  f32   f64   c64   c128  f*    f*    c*
c*    c*    c*    c*    c*    c*    c*    c*    c*    c*    c64   c64   c64   c128  c64   c128  c*    c*    c*
"""
HEAD, *ROWS = [line.split() for line in LATTICE.strip().splitlines()]
PAIRS = [(row[0], name, result) for row in ROWS for name, result in zip(HEAD, row[1:], strict=True)]
SEVERAL = [
    (("u64", "i64", "bf16"), "bf16"),
    (("i*", "u8", "f*"), "f*"),
    (("f16", "bf16", "c*"), "c64"),
    (("bool", "i*", "u64"), "u64"),
    (("u64", "i*", "i64"), "f*"),
    (("i8", "u64", "f16"), "f16"),
    (("f*", "c*", "bf16"), "c64"),
    (("u32", "i32", "f16"), "f16"),
    (("f*",), "f*"),
    (("f16",), "f16"),
]
FULL_NAMES = {
    **{"bool": "bool", "i8": "int8", "i16": "int16", "i32": "int32", "i64": "int64", "f16": "float16"},
    **{"u8": "uint8", "u16": "uint16", "u32": "uint32", "u64": "uint64", "bf16": "bfloat16", "f32": "float32"},
    **{"f64": "float64", "c64": "complex64", "c128": "complex128"},
}
SUPPORTED = [np.dtype(getattr(ml_dtypes, name, name)) for name in FULL_NAMES.values()]
DEFAULTS = [("float32", "int32"), ("float64", "int64"), ("float32", "int64"), ("bfloat16", "int32")]


def operand(name):
    """Dtype and weak flag of a node of the table."""
    default = {"i*": dtypes.default_int, "f*": dtypes.default_float, "c*": dtypes.default_complex}
    return (default[name](), True) if name in default else (dtypes.as_dtype(FULL_NAMES[name]), False)


@pytest.mark.parametrize("float_, int_", DEFAULTS)
def test_the_lattice_is_jax_s(float_, int_):
    with config.default_dtypes(float=float_, int=int_):
        for a, b, result in PAIRS:
            assert lattice_result([operand(a), operand(b)]) == operand(result), (a, b)


@pytest.mark.parametrize("names, result", SEVERAL)
def test_several_operands(names, result):
    assert lattice_result([operand(n) for n in names]) == operand(result)
    assert lattice_result([operand(n) for n in reversed(names)]) == operand(result)


def test_weak_numbers_of_other_dtypes_join_by_what_they_carry():
    assert lattice_result([(dtypes.int8, True), (dtypes.uint8, True)]) == (dtypes.int16, True)
    assert lattice_result([(dtypes.float16, True), (dtypes.int64, True)]) == (dtypes.float16, True)
    assert lattice_result([(dtypes.float64, True), (dtypes.float16, False)]) == (dtypes.float16, False)


def test_booleans_are_never_weak():
    assert lattice_result([(dtypes.bool_, True)]) == (dtypes.bool_, False)
    assert lattice_result([(dtypes.bool_, True)] * 2) == (dtypes.bool_, False)


def test_promote_types_is_the_strong_part():
    for a, b, result in PAIRS:
        if "*" not in a + b:
            assert promote_types(FULL_NAMES[a], FULL_NAMES[b]) == operand(result)[0]


@pytest.mark.parametrize("dtype", SUPPORTED, ids=str)
def test_kinds_and_names(dtype):
    bf16 = dtype.name == "bfloat16"
    kind = "f" if bf16 else dtype.kind
    assert dtypes.kind(dtype) == kind
    assert dtypes.is_supported(dtype)
    assert dtypes.is_bool(dtype) == (kind == "b")
    assert dtypes.is_integer(dtype) == (kind in "iu")
    assert dtypes.is_unsigned(dtype) == (kind == "u")
    assert dtypes.is_floating(dtype) == (kind == "f")
    assert dtypes.is_complex(dtype) == (kind == "c")
    assert dtypes.is_inexact(dtype) == (kind in "fc")
    assert dtypes.is_numeric(dtype) == (kind != "b")
    assert FULL_NAMES[dtypes.short_name(dtype)] == dtype.name
    assert getattr(dtypes, "bool_" if kind == "b" else dtype.name) is dtype
    assert dtypes.itemsize(dtype) == dtype.itemsize
    assert dtypes.issubdtype(dtype, np.inexact) == (kind in "fc")
    assert dtypes.issubdtype(dtype, np.floating) == (kind == "f")
    assert dtypes.issubdtype(dtype, np.integer) == (kind in "iu")
    assert dtypes.issubdtype(dtype.type, np.generic)
    assert dtypes.issubdtype(dtype, dtype)
    assert not dtypes.issubdtype(dtype, np.flexible)


@pytest.mark.parametrize("dtype", SUPPORTED, ids=str)
def test_companions(dtype):
    inexact = dtypes.is_inexact(dtype)
    assert dtypes.tangent_dtype(dtype) == (dtype if inexact else dtypes.float0)
    assert dtypes.to_inexact(dtype) == (dtype if inexact else np.float32)
    assert dtypes.accumulator_dtype(dtype) == (np.float32 if inexact and dtype.itemsize == 2 else dtype)
    real = {"complex64": "float32", "complex128": "float64"}.get(dtype.name, dtype.name)
    assert dtypes.real_dtype(dtype).name == real
    assert dtypes.complex_dtype(dtype) == ("complex128" if dtype in ("float64", "complex128") else "complex64")


def test_float0():
    assert dtypes.float0.itemsize == 0
    assert not dtypes.is_supported(dtypes.float0)
    assert dtypes.tangent_dtype(dtypes.float0) == dtypes.float0
    assert dtypes.short_name(dtypes.float0) == "float0"
    assert not dtypes.is_inexact(dtypes.float0)
    assert lattice_result([(dtypes.float0, False)] * 2) == (dtypes.float0, False)


# -- as_dtype --------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize("dtype", SUPPORTED, ids=str)
def test_as_dtype_gives_the_one_object(dtype):
    for spec in (dtype, dtype.type, dtype.name, np.zeros(2, dtype), np.zeros(2, dtype)[0]):
        assert dtypes.as_dtype(spec) is dtype


def test_as_dtype_of_other_spellings():
    assert dtypes.as_dtype(">f4") is dtypes.float32
    assert dtypes.as_dtype(np.dtype(">c16")) is dtypes.complex128
    assert dtypes.as_dtype("f8") is dtypes.float64
    for c in "lLqQ":
        ours = dtypes.as_dtype(np.dtype(c))
        assert ours is getattr(dtypes, np.dtype(c).name)
        assert dtypes.as_dtype(np.dtype(c).type) is ours
        assert dtypes.is_integer(np.dtype(c))


def test_as_dtype_of_python_types_is_the_default():
    assert [dtypes.as_dtype(t) for t in (bool, int, float, complex)] == ["bool", "int32", "float32", "complex64"]
    assert [dtypes.as_dtype(t) for t in ("bool", "int", "float")] == ["bool", "int32", "float32"]
    with config.default_dtypes(float="float64", int="int64"):
        assert [dtypes.as_dtype(t) for t in (bool, int, float, complex)] == ["bool", "int64", "float64", "complex128"]


@pytest.mark.parametrize(
    "spec, says",
    [
        (object, "'float32'"),
        (np.dtype(object), "the dtype object .* Convert the objects"),
        (np.array(["a"]), "<U1 .* Encode text"),
        ("U3", "'U3'"),
        (np.dtype("S3"), "Encode text"),
        (np.dtype("datetime64[s]"), "Subtract"),
        (np.dtype("timedelta64[s]"), "Divide"),
        (np.dtype([("a", "f4")]), "separate arrays"),
        (dtypes.float0, "float0 .* tangents"),
        (np.object_, "Convert the objects"),
        (np.floating, "scalar type floating .* not a family"),
        (ml_dtypes.float8_e4m3fn, "float8"),
        (np.dtype(ml_dtypes.float8_e4m3fn), "float8"),
        ("no such", "'no such'"),
        (",", "','"),  # NumPy raises SyntaxError for this one
        ("a", "'a'"),  # and warns of this one
        ("f4,i4", "'f4,i4'"),
        (None, "None"),
        (1.5, "1.5"),
        ([1], r"\[1\]"),
        ({}, "{}"),
    ],
)
def test_as_dtype_refuses(spec, says):
    with pytest.raises(TypeError, match=f"{says}") as error:
        dtypes.as_dtype(spec)
    assert "bfloat16" in str(error.value)  # the list of what is supported


@pytest.mark.skipif(np.dtype(np.longdouble) == np.float64, reason="long double is double here")
def test_as_dtype_refuses_long_double():
    with pytest.raises(TypeError, match=r"Use float64"):
        dtypes.as_dtype(np.dtype(np.longdouble))
    with pytest.raises(TypeError, match=r"Use float64"):
        dtypes.as_dtype(np.longdouble)
    with pytest.raises(TypeError, match=r"Use complex128"):
        scalar_type_of(np.clongdouble(1))
    assert not dtypes.is_floating(np.dtype(np.longdouble))


# -- scalars ---------------------------------------------------------------------------------------------------------


class Colour(enum.IntEnum):
    RED = 1


def test_scalar_type_of():
    expected = {True: ("bool", False), 2: ("int32", True), 2.5: ("float32", True), 1j: ("complex64", True)}
    for x, (dtype, weak) in expected.items():
        assert scalar_type_of(x) == scalar_operand(x) == (np.dtype(dtype), weak)
    assert scalar_type_of(Colour.RED) == (dtypes.int32, True)
    for dtype in SUPPORTED:
        assert scalar_type_of(np.zeros((), dtype)[()]) == (dtype, False)
    for bad in ("1", None, [1], np.str_("1"), np.datetime64("2020-01-01")):
        with pytest.raises(TypeError):
            scalar_type_of(bad)


@pytest.mark.parametrize("dtype", SUPPORTED, ids=str)
def test_64_bit_numpy_scalars_are_weak_beside_arrays(dtype):
    default = {"float64": "float32", "int64": "int32", "complex128": "complex64"}.get(dtype.name)
    expected = (dtype, False) if default is None else (np.dtype(default), True)
    assert scalar_operand(np.zeros((), dtype)[()]) == expected


def test_long_long_scalars_are_weak_too():
    assert scalar_operand(np.longlong(3)) == (dtypes.int32, True)


def test_result_type():
    half = np.ones(3, np.float16)
    assert result_type(half, 2.0, np.float64(2)) == np.float16
    assert result_type(half, np.ones((), np.float64)) == np.float64  # a 0-d array is strong
    assert result_type(np.float64(2), 1.0) == np.float64  # no array about
    assert result_type(np.int32, 1.5) == np.float32
    assert result_type("int8", int) == np.int8
    assert result_type(float, np.int8) == np.float32
    assert result_type(np.ones(2, np.int8), 1j) == np.complex64
    assert result_type(1, 2.0) == np.float32
    assert result_type(True, True) == np.bool_
    assert result_type(">f8", np.float32) == np.float64
    with pytest.raises(TypeError, match="at least one"):
        result_type()
    with pytest.raises(TypeError, match="not a supported dtype"):
        result_type([1.0], 2)


# -- limits and casts ------------------------------------------------------------------------------------------------


def test_limits():
    for dtype in SUPPORTED:
        if dtypes.is_integer(dtype):
            assert (dtypes.iinfo(dtype).min, dtypes.iinfo(dtype).max) == (np.iinfo(dtype).min, np.iinfo(dtype).max)
        else:
            with pytest.raises(TypeError, match="finfo"):
                dtypes.iinfo(dtype)
        if dtypes.is_inexact(dtype):
            assert float(dtypes.finfo(dtype).eps) == 2.0 ** -{"f16": 10, "bf16": 7, "f32": 23, "c64": 23}.get(
                dtypes.short_name(dtype), 52
            )
        else:
            with pytest.raises(TypeError, match="iinfo"):
                dtypes.finfo(dtype)
    assert dtypes.iinfo(int).bits == 32
    assert dtypes.finfo(float).bits == 32


def test_can_cast():
    assert dtypes.can_cast("bfloat16", "float32")
    assert not dtypes.can_cast("int64", "float32")
    assert dtypes.can_cast("float64", "float32", "same_kind")
    assert not dtypes.can_cast("float32", "int32", casting="same_kind")


def test_issubdtype_of_families():
    assert dtypes.issubdtype(np.floating, np.inexact)
    assert dtypes.issubdtype(np.ones(2), "float64")
    assert dtypes.issubdtype("bfloat16", "bfloat16")
    assert dtypes.issubdtype("bfloat16", np.number)
    assert not dtypes.issubdtype("bfloat16", np.float32)
    assert not dtypes.issubdtype(np.float32, ml_dtypes.bfloat16)


# -- config ----------------------------------------------------------------------------------------------------------


def test_scopes_nest_and_end():
    assert dtypes.defaults()[:3] == (np.float32, np.int32, np.complex64)
    with config.default_dtypes(float="float64"):
        with config.default_dtypes(int=np.int64):
            assert dtypes.defaults()[:3] == (np.float64, np.int64, np.complex128)
        with config.default_dtypes(float=dtypes.float16):
            assert dtypes.defaults()[:3] == (np.float16, np.int32, np.complex64)
        assert dtypes.default_complex() == np.complex128
    assert dtypes.defaults()[:3] == (np.float32, np.int32, np.complex64)
    with pytest.raises(ZeroDivisionError), config.default_dtypes(int="int64"):
        1 / 0
    assert dtypes.default_int() == np.int32


def test_the_complex_default_follows_the_float_one_unless_given():
    with config.default_dtypes(float="float64", complex="complex64"):
        assert dtypes.defaults()[:3] == (np.float64, np.int32, np.complex64)
        with config.default_dtypes(int="int64"):
            assert dtypes.defaults()[:3] == (np.float64, np.int64, np.complex64)
        with config.default_dtypes(float="float64"):
            assert dtypes.default_complex() == np.complex128
    with config.default_dtypes(complex="complex128"):
        assert dtypes.defaults()[:3] == (np.float32, np.int32, np.complex128)
    config.update("default_complex", "complex128")
    try:
        assert config.read("default_complex") == dtypes.as_dtype(complex) == np.complex128
        config.update("default_int", "int32")
        assert config.read("default_complex") == np.complex128
    finally:
        config.update("default_float", "float32")
    assert config.read("default_complex") == np.complex64


def test_a_scope_is_a_decorator():
    @config.default_dtypes(float="float64")
    def f():
        return dtypes.default_float()

    assert f() == f() == np.float64


def test_update_is_for_the_process_a_scope_is_not():
    seen = []

    def look():
        seen.append(dtypes.default_float())

    with config.default_dtypes(float="float64"):
        thread = threading.Thread(target=look)
        thread.start()
        thread.join()
        contextvars.copy_context().run(look)
    assert seen == [np.float32, np.float64]
    config.update("default_float", "float64")
    try:
        assert config.read("default_float") == np.float64
        assert dtypes.defaults()[:3] == (np.float64, np.int32, np.complex128)
        assert lattice_result([(dtypes.int32, False), (dtypes.float32, True)]) == (np.float64, True)
    finally:
        config.update("default_float", "float32")
    assert lattice_result([(dtypes.int32, False), (dtypes.float32, True)]) == (np.float32, True)


def test_options_are_checked():
    with pytest.raises(ValueError, match=r"no option 'x64'.*default_complex, default_float, default_int"):
        config.update("x64", True)
    for option, value in [
        ("default_float", "int32"),
        ("default_float", None),
        ("default_int", 64),
        ("default_complex", "float32"),
        ("default_int", ""),
    ]:
        with pytest.raises(ValueError, match=f"{option} cannot be .*: it takes one of"):
            config.update(option, value)
    with pytest.raises(ValueError, match="no option"):
        config.read("nothing")


def test_it_is_quick():
    def best(statement):
        return min(timeit.repeat(statement, number=20_000, repeat=7)) / 20_000

    assert best(dtypes.defaults) < 1e-6  # 0.03 on a quiet machine
    assert best(lambda: dtypes.is_inexact(dtypes.float32)) < 2e-6
