"""Bugs that were found by comparing with JAX, each with a test that needs no JAX."""

from __future__ import annotations

import copy
import pickle

import numpy as np
import pytest

import functorch_lite as fl
import functorch_lite.lax as lax
import functorch_lite.numpy as fnp
from functorch_lite import random
from functorch_lite.scipy import linalg, special


def test_integers_and_weak_floats_give_weak_floats() -> None:
    i, b, h = fnp.arange(3), fnp.asarray([True, False, True]), fnp.ones(3, "float16")
    for y in (i * 1.5, b * 2, 1 - b, 3 / b, i**0.5, fnp.where(b, i, 1.5), fnp.maximum(i, 2.0)):
        assert y.weak_type
    assert (i * 1.5 + h).dtype == np.float16
    assert (b * 2 + fnp.arange(3, dtype="int8")).dtype == np.int8


def test_strong_operands_give_strong_results() -> None:
    i, f = fnp.arange(3), fnp.ones(3)
    for y in (2**i, 1.5**i, fnp.power(2, i), fnp.copysign(2, f), fnp.copysign(1.5, f)):
        assert not y.weak_type


def test_gradients_by_strong_arguments_are_strong() -> None:
    x = fnp.ones(3)
    assert not fl.grad(lambda n, v: fnp.sum(v * n), argnums=1)(3, x).weak_type
    assert fl.grad(lambda v: v * 3)(1.0).weak_type
    assert fl.jit(fl.grad(lambda v: (v * x).sum()))(1.0).weak_type
    assert fl.vjp(lambda v: v * x, 1.0)[1](x)[0].weak_type


@pytest.mark.parametrize(
    "call",
    [
        lambda x: lax.sort(x, dimension=5),
        lambda x: lax.cumsum(x, axis=5),
        lambda x: lax.reduce_sum(x, axes=(4,)),
        lambda x: lax.argmax(x, 7, np.int32),
        lambda x: lax.top_k(x, 1, axis=2),
        lambda x: lax.rev(x, (-3,)),
        lambda x: lax.squeeze(x[:1], (2,)),
        lambda x: lax.expand_dims(x, (9,)),
        lambda x: lax.dynamic_index_in_dim(x, 0, 2),
    ],
)
def test_axes_out_of_range_are_refused(call) -> None:
    with pytest.raises(fl.errors.ShapeError, match=r"axes|axis"):
        call(fnp.ones((2, 3)))


@pytest.mark.parametrize(
    "call",
    [
        lambda: lax.add(fnp.arange(2), 0.5),
        lambda: lax.max(fnp.ones(2), 1j),
        lambda: lax.add(fnp.asarray([True]), 1),
        lambda: lax.pad(fnp.arange(2), 0.5, [(1, 0, 0)]),
    ],
)
def test_numbers_are_not_rounded_into_operands_of_lax(call) -> None:
    with pytest.raises(fl.errors.DTypeError, match="does not go into"):
        call()


def test_parameters_of_lax_functions_by_position() -> None:
    np.testing.assert_array_equal(lax.integer_pow(fnp.arange(3.0), 3), [0, 1, 8])
    np.testing.assert_array_equal(lax.reduce_precision(fnp.asarray([1.0001]), 5, 10), [1.0])


@pytest.mark.parametrize(
    "call", [fnp.isposinf, fnp.isneginf, fnp.fabs, lambda z: fnp.clip(z, 0, 1), lambda z: fnp.ldexp(z, 2)]
)
def test_functions_of_real_numbers_refuse_complex_ones(call) -> None:
    with pytest.raises(fl.errors.DTypeError, match="complex"):
        call(fnp.asarray([1j]))


def test_extremes_of_complex_numbers_heed_mask_and_initial() -> None:
    z = fnp.asarray([[1 + 1j, 4 + 2j], [3 + 5j, 3 - 1j]])
    mask = fnp.asarray([[False, True], [True, False]])
    np.testing.assert_array_equal(fnp.min(z, axis=1, initial=9, where=mask), [4 + 2j, 3 + 5j])
    np.testing.assert_array_equal(fnp.max(z, axis=1, initial=3 + 1j), [4 + 2j, 3 + 5j])
    np.testing.assert_array_equal(fnp.max(z[:0], axis=0, initial=2), [2, 2])


def test_setdiff1d_fills_with_zeros() -> None:
    np.testing.assert_array_equal(fnp.setdiff1d(fnp.arange(1, 6), fnp.asarray([1, 2]), size=5), [3, 4, 5, 0, 0])


def test_shares_do_not_widen_quantiles() -> None:
    assert fnp.quantile(fnp.ones(5, "float16"), fnp.asarray([0.1, 0.5])).dtype == np.float16


def test_python_rounding_without_places_gives_integers() -> None:
    assert round(fnp.asarray(2.5)).dtype == np.int32
    assert round(fnp.asarray(2.55), 1).dtype == np.float32


def test_lax_full_of_a_python_number_is_weak() -> None:
    assert lax.full((2,), 1.5).weak_type
    assert not lax.full((2,), 1.5, np.float32).weak_type


def test_types_of_a_captured_program() -> None:
    closed = fl.make_jaxpr(lambda v: (v.sum(), v.astype("int32")))(fnp.ones((2, 3)))
    assert [str(t) for t in closed.in_avals] == ["f32[2,3]"]
    assert [str(t) for t in closed.out_avals] == ["f32[]", "i32[2,3]"]


@pytest.mark.parametrize("dtype", ["int32", "uint8", "bool"])
def test_the_rest_of_division_by_zero_is_zero(dtype) -> None:
    x, y = fnp.asarray([1, 0, 7], dtype), fnp.asarray([0, 0, 2], dtype)
    rest = 0 if dtype == "bool" else 1
    np.testing.assert_array_equal(fnp.remainder(x, y), [0, 0, rest])
    np.testing.assert_array_equal(fnp.fmod(x, y), [0, 0, rest])
    np.testing.assert_array_equal(divmod(x, y)[1], [0, 0, rest])


def test_take_clips_negative_indices_to_the_first_element() -> None:
    for places in ([-1, 2, -7, 9], np.asarray([-1, 2, -7, 9])):
        np.testing.assert_array_equal(fnp.take(fnp.arange(5), fnp.asarray(places), mode="clip"), [0, 2, 0, 4])
    np.testing.assert_array_equal(
        fl.jit(lambda i: fnp.take(fnp.arange(5), i, mode="clip"))(fnp.asarray([-1, 4])), [0, 4]
    )


def test_complex_logarithms_to_other_bases_have_zero_for_an_angle() -> None:
    assert np.asarray(fnp.log2(fnp.asarray(0j))) == complex(-np.inf, 0)
    assert np.asarray(fnp.log10(fnp.asarray(0j))) == complex(-np.inf, 0)


def test_complex_functions_of_infinity_and_nan_are_the_same_eagerly_and_compiled() -> None:
    ends = [0.0, -0.0, 1.0, -2.0, np.inf, -np.inf, np.nan]
    z = np.array([complex(a, b) for a in ends for b in ends])
    names = [
        "exp",
        "exp2",
        "expm1",
        "log",
        "log1p",
        "sqrt",
        "sin",
        "cos",
        "tan",
        "sinh",
        "cosh",
        "tanh",
        "sign",
        "abs",
        "reciprocal",
    ]
    with np.errstate(all="ignore"):
        for name in names:
            f = getattr(fnp, name)
            eager, compiled = np.asarray(f(fnp.asarray(z))), np.asarray(fl.jit(f)(fnp.asarray(z)))
            for part in (np.real, np.imag):
                np.testing.assert_allclose(part(eager), part(compiled), rtol=1e-13, err_msg=name)
            if name not in ("expm1", "reciprocal"):  # NumPy gives NaN for expm1(inf + 0j) and 1 / 0j
                np.testing.assert_allclose(eager.real, getattr(np, name)(z).real, rtol=1e-13, err_msg=name)
                np.testing.assert_allclose(eager.imag, getattr(np, name)(z).imag, rtol=1e-13, err_msg=name)


@pytest.mark.parametrize("wrap", [lambda f: f, fl.jit])
def test_complex_numbers_can_be_viewed_as_their_parts_and_back(wrap) -> None:
    z = (np.arange(12) - 5j).astype("complex64").reshape(3, 4)
    for x in (z, z.astype("complex128"), z[:, :0], z.real.copy(), z.real.astype("float64"), np.arange(8).reshape(2, 4)):
        for dtype in ("float32", "float64", "complex64", "complex128", "uint8", "int64", "int16"):
            wanted = x.view(dtype)
            found = wrap(lambda x, dtype=dtype: x.view(dtype))(fnp.asarray(x))
            assert found.dtype == dtype
            np.testing.assert_array_equal(np.asarray(found).view(np.uint8), wanted.view(np.uint8))
    assert wrap(lambda x: x.view("int64"))(fnp.complex64(0)) == 0
    with pytest.raises(ValueError, match=r"view of c64\[\] as float32"):
        wrap(lambda x: x.view("float32"))(fnp.complex64(0))
    with pytest.raises(ValueError, match="multiple of 2"):
        wrap(lambda x: x.view("complex64"))(fnp.ones(3))


def test_linspace_of_numbers_gives_numpy_s() -> None:
    for start, stop in ((-2, 4), (0, 1), (-12, 9), (3, -8), (0.1, 0.7), (-1j, 1 + 1j), (np.float32(1), np.int8(7))):
        for num in (0, 1, 2, 4, 7, 11, 21):
            for endpoint in (True, False):
                wanted = np.linspace(start, stop, num, endpoint)
                found, step = fnp.linspace(start, stop, num, endpoint, retstep=True)
                np.testing.assert_array_equal(found, wanted.astype(found.dtype))
                assert step == step.dtype.type(np.linspace(start, stop, num, endpoint, retstep=True)[1]) or num < 2
                if not isinstance(start, complex):
                    integers = fnp.linspace(start, stop, num, endpoint, dtype="int32")
                    np.testing.assert_array_equal(integers, np.linspace(start, stop, num, endpoint, dtype="int32"))
                    traced = fl.jit(lambda a, b, n=num, e=endpoint: fnp.linspace(a, b, n, e, dtype="int32"))
                    if start == int(start):
                        np.testing.assert_array_equal(traced(start, stop), integers)


def test_scalars_can_be_repeated_along_their_axis_and_differ_no_times() -> None:
    np.testing.assert_array_equal(fnp.repeat(fnp.asarray(3), 2, axis=0), [3, 3])
    assert fnp.diff(fnp.asarray(3), n=0) == 3


def test_python_numbers_in_the_carry_of_a_loop_stay_weak() -> None:
    h = fnp.full(3, 1.5, "bfloat16")
    assert lax.fori_loop(0, 3, lambda i, c: c * 2, 1.0).weak_type
    assert lax.while_loop(lambda c: c < 4, lambda c: c * 2, 1.0).weak_type
    carry, ys = lax.scan(lambda c, x: (c + 1, (c, c * x)), 0, h)
    assert carry.weak_type
    assert [(y.dtype.name, y.weak_type) for y in ys] == [("int32", True), ("bfloat16", False)]
    carry, ys = fl.jit(lambda h: lax.scan(lambda c, x: (c * x, c), 1.0, h))(h)
    assert [(y.dtype.name, y.weak_type) for y in (carry, ys)] == [("bfloat16", False)] * 2
    np.testing.assert_array_equal(ys.astype("float32"), [1, 1.5, 2.25])


@pytest.mark.parametrize("nan", [complex(np.nan, -2), complex(1, np.nan)])
def test_extremes_of_complex_numbers_with_nan_are_nan(nan) -> None:
    z = fnp.asarray([1 + 1j, nan, 3 + 1j])
    for extreme in (fnp.max, fnp.min):
        assert fnp.isnan(extreme(z))
        assert not fnp.isnan(extreme(z[::2]))


def test_cond_takes_none_for_its_operand() -> None:
    assert lax.cond(True, lambda none: none is None, lambda none: False, operand=None)
    assert fl.jit(lambda x: lax.cond(x > 0, lambda _: 1, lambda _: 2, operand=None))(1.0) == 1


def test_map_in_blocks_over_no_rows() -> None:
    assert lax.map(lambda row: row.sum(), fnp.zeros((0, 3)), batch_size=2).shape == (0,)


def test_equal_elements_share_the_gradient_of_a_quantile() -> None:
    np.testing.assert_array_equal(fl.grad(fnp.median)(fnp.ones(4)), [0, 0.5, 0.5, 0])
    np.testing.assert_array_equal(fnp.quantile(fnp.asarray([1.0, 2.0, np.inf]), fnp.asarray([0.5, 1.0])), [2, np.inf])
    np.testing.assert_array_equal(fnp.quantile(fnp.asarray([np.inf, np.inf, 1.0]), 0.75), np.inf)


def test_numpy_functions_take_lists_beside_arrays() -> None:
    x = fnp.asarray([1.0, 2.0])
    assert np.allclose([1.0, 2.0], x)
    np.testing.assert_array_equal(np.add([1.0, 2.0], x), [2, 4])
    np.testing.assert_array_equal(fl.grad(lambda v: np.dot([3.0, 4.0], v))(x), [3, 4])
    np.testing.assert_array_equal(np.concatenate([x, [3.0]]), [1, 2, 3])


def test_scalars_have_the_formats_of_numbers() -> None:
    assert f"{fnp.asarray(2.567):.2f} {fnp.asarray(7):03d} {fnp.ones((), 'bfloat16'):.1f}" == "2.57 007 1.0"
    assert fl.grad(lambda x: x if f"{x:.1f}" == "2.0" else -x)(2.0) == 1
    with pytest.raises(fl.errors.ConcretizationTypeError, match=r"'.2f' needs a value.*debug.print"):
        fl.jit(lambda x: f"{x:.2f}")(1.0)


def test_arrays_of_no_elements_print_their_shape() -> None:
    assert repr(fnp.zeros((0, 2))) == "Array([], shape=(0, 2), dtype=float32)"
    assert repr(fnp.zeros(0)) == "Array([], dtype=float32)"


def test_long_compiled_sums_lose_nothing() -> None:
    x = fnp.full((4, 1_000_003), 0.1)
    total, rows = fl.jit(lambda x: (fnp.sum(x * x), fnp.sum(x, 1)))(x)
    np.testing.assert_allclose(total, 0.01 * x.size, rtol=1e-5)
    np.testing.assert_allclose(rows, 100000.3, rtol=1e-5)


@pytest.mark.parametrize(
    "shape", [(100_000, 2), (100_003, 1), (30_000, 16), (300, 1000, 3), (50_000, 2, 2), (70_000, 40)]
)
@pytest.mark.parametrize("dtype", ["float32", "complex64"])
def test_compiled_sums_of_many_rows_lose_nothing(shape: tuple[int, ...], dtype: str) -> None:
    x = np.full(shape, 5.2, dtype)
    axes = tuple(range(max(1, len(shape) - 1)))[:2] if shape != (50_000, 2, 2) else 0
    rows = x.size / np.prod(np.sum(x, axes).shape)
    for f in (lambda x: fnp.sum(x, axes), lambda x: fnp.sum(x * 2 - x, axes)):
        np.testing.assert_allclose(fl.jit(f)(x), np.full(np.sum(x, axes).shape, rows * x.flat[0]), rtol=5e-6)


def test_small_unsigned_integers_are_indices() -> None:
    x = fnp.arange(5.0)
    for dtype in ("uint8", "uint16", "uint32", "uint64"):
        i = fnp.asarray([0, 3], dtype)
        for y in (x[i], fnp.take(x, i), x.at[i].get(), fl.jit(lambda i: x[i])(i)):
            np.testing.assert_array_equal(y, [0, 3])
    with pytest.raises(IndexError):
        x[fnp.asarray([255], "uint8")]


def test_constants_of_a_given_dtype_are_strong_under_jit_too() -> None:
    h = fnp.ones(3, "float16")

    def f(x):
        return lax.full((), 1.5, "float32") * x

    for g in (f, fl.jit(f), lambda x: fl.vmap(f)(x), fl.jit(fl.jit(f)), fl.jit(fl.vmap(fl.checkpoint(f)))):
        assert g(h).dtype == np.float32
    assert not fl.jit(lambda x: lax.full((), 1.5, "float32") * x)(2.0).weak_type


def test_borders_of_weak_arrays_are_weak() -> None:
    x = fnp.arange(3) * 1.5
    for pad in (lambda x: fnp.pad(x, 1), lambda x: fnp.pad(x, 1, constant_values=2.0)):
        assert pad(x).weak_type
        assert fl.jit(pad)(x).weak_type


def test_programs_of_short_floats_within_compiled_ones_keep_their_operands() -> None:
    h = fnp.ones(3, "float16")

    @fl.checkpoint
    def kept(x):
        return fnp.sin(x.astype("float32"))

    np.testing.assert_allclose(fl.jit(fl.vmap(kept))(h), np.full(3, np.sin(np.float32(1.0))), rtol=1e-6)


@pytest.mark.parametrize("dtype", ["float64", "float32", "int64", "complex64"])
@pytest.mark.parametrize("widths", [[(2, 2), (0, 2)], [(1, 0), (2, 1)], [(0, 3), (4, 0)]])
@pytest.mark.parametrize("columns", [3, 4, 8, 12, 16])
def test_compiled_borders_read_nothing_from_beyond(dtype, widths, columns) -> None:
    # LLVM takes a part of a vector without its mask if it finds out late that the mask is all false.
    x = fnp.arange(2 * columns, dtype=dtype).reshape(2, columns)
    start = fnp.asarray(1)
    for f in (
        lambda x: (fnp.pad(x, widths) + 1).sum(),
        lambda x: fnp.where(fnp.pad(x, widths) == 3, 0, 1).argmin(),
        lambda x: lax.dynamic_update_slice(fnp.pad(x, widths), x, (start, start)).sum(0),
    ):
        np.testing.assert_array_equal(fl.jit(f)(x), f(x))


def test_falling_bins_hold_the_edge_that_was_asked_for() -> None:
    x, bins = np.asarray([-1, 0.0, 0.5, 1.0, 2.0, 5]), np.asarray([2.0, 1.0, 0.0])
    for right in (False, True):
        np.testing.assert_array_equal(fnp.digitize(x, fnp.asarray(bins), right), np.digitize(x, bins, right))


@pytest.mark.parametrize("n", [1, 3, 8, 17])
def test_signs_copied_in_double_precision_are_rounded_to_half(n) -> None:
    h = fnp.arange(n, dtype="float16") - 2
    d = fnp.arange(n, dtype="float64") - 2
    for f, x in (
        (lambda x: fnp.remainder(x, 5), h),
        (lambda x: fnp.copysign(1.5, x).astype("float32").astype("float16"), d),
        (lambda x: fnp.sign(x).astype("float32").astype("float16"), d),
        (lambda x: fnp.copysign(x * 1.25, x - 1).astype("float16"), d),
    ):
        np.testing.assert_array_equal(fl.jit(f)(x), f(x))


def test_logarithms_of_gamma_and_zero_times_what_is_no_number() -> None:
    for dtype in ("float16", "bfloat16", "float32", "float64"):
        ends = fnp.asarray([-fnp.inf, fnp.inf, fnp.nan, 0.0, -2.0], dtype)
        np.testing.assert_array_equal(lax.lgamma(ends).astype(float), [np.inf, np.inf, np.nan, np.inf, np.inf])
        np.testing.assert_array_equal(fl.jit(lax.lgamma)(ends).astype(float), lax.lgamma(ends).astype(float))
    for f in (special.xlogy, special.xlog1py):
        assert np.isnan(f(0.0, fnp.nan))
        assert f(0.0, -1.0) == 0


def test_lax_rounds_halves_away_from_zero() -> None:
    x = fnp.asarray([0.5, 1.5, -2.5])
    assert lax.round(x).tolist() == [1, 2, -3]
    assert lax.round(x, lax.RoundingMethod.TO_NEAREST_EVEN).tolist() == [0, 2, -2]


@pytest.mark.parametrize("dtype", ["float32", "float16", "bfloat16", "complex64"])
@pytest.mark.parametrize(
    "shape, axes", [((300_000, 3), (0,)), ((2, 700, 500, 2), (1, 2)), ((513, 2), 0), ((600, 1), 0)]
)
def test_sums_of_many_rows_lose_few_digits(dtype, shape, axes) -> None:
    x = (np.random.default_rng(0).normal(size=shape) * 0.1 + 0.1).astype(fnp.dtype(dtype))
    wanted = x.astype(complex).sum(axes)
    eps = float(fnp.finfo(dtype).eps)
    for f in (fnp.sum, fl.jit(fnp.sum, static_argnums=1, exact=True)):
        np.testing.assert_allclose(np.asarray(f(x, axes)).astype(complex), wanted, rtol=max(20 * 1.2e-7, eps))
    turned = np.ascontiguousarray(x.T).T
    np.testing.assert_allclose(np.asarray(fnp.sum(turned, axes)).astype(complex), wanted, rtol=1e-3 + eps)


@pytest.mark.parametrize("shape", [(0,), (0, 0), (2, 0), (0, 3)])
def test_norms_of_nothing_are_zero(shape) -> None:
    orders = (None, 1, 2, 3, np.inf) if len(shape) == 1 else (None, "fro", "nuc", 1, 2, np.inf)
    for order in orders:
        assert fnp.linalg.norm(fnp.zeros(shape), order) == np.linalg.norm(np.zeros(shape), order) == 0


def test_exponentials_of_empty_matrices() -> None:
    for shape in [(0, 0), (2, 0, 0), (0, 2, 2)]:
        out, push = fl.linearize(linalg.expm, fnp.zeros(shape))
        assert out.shape == push(out).shape == shape


def test_common_divisors_and_multiples_of_all_small_integers() -> None:
    """The size of the lowest integer is no integer: 1 divides -128 and 3, not -1."""
    for dtype in (np.int8, np.uint8):
        info = np.iinfo(dtype)
        x, y = np.meshgrid(*[np.arange(info.min, info.max + 1, dtype=dtype)] * 2)
        for f, expected in ((fnp.gcd, np.gcd(x, y)), (fnp.lcm, np.lcm(x, y))):
            np.testing.assert_array_equal(f(x, y), expected)
            np.testing.assert_array_equal(fl.jit(f)(x, y), expected)


@pytest.mark.parametrize("dtype", ["int8", "uint8", "int32", "uint64"])
def test_integer_powers_wrap_around(dtype) -> None:
    x, y = np.meshgrid(np.array([0, 1, 2, 3, 7, 10, 101], dtype), np.arange(64, dtype=dtype))
    np.testing.assert_array_equal(fnp.power(x, y), np.power(x, y))


@pytest.mark.parametrize("dtype", ["int8", "int32", "int64", "uint8", "uint32"])
@pytest.mark.parametrize("wrap", [lambda f: f, fl.jit, fl.vmap])
def test_integers_divided_by_zero_and_beyond_their_range(dtype, wrap) -> None:
    info = fnp.iinfo(dtype)
    x = fnp.asarray([0, 1, 7, info.max, info.min], dtype)
    all_bits = [fnp.asarray(-1 if info.min else info.max, dtype)] * 5
    for zero in (0, fnp.zeros((), dtype)):
        np.testing.assert_array_equal(wrap(lambda x, zero=zero: x // zero)(x), all_bits)
        np.testing.assert_array_equal(wrap(lambda x, zero=zero: x % zero)(x), [0] * 5)
    np.testing.assert_array_equal(wrap(lambda x: lax.rem(x, x - x))(x), x)
    if info.min:
        np.testing.assert_array_equal(wrap(lambda x: x // -1)(x), -np.asarray(x))
        np.testing.assert_array_equal(wrap(lambda x: x % -1)(x), [0] * 5)
    for bits in (info.bits, info.bits + 5):
        np.testing.assert_array_equal(wrap(lambda x, bits=bits: x << bits)(x), [0] * 5)
        np.testing.assert_array_equal(wrap(lambda x, bits=bits: x >> bits)(x), -(np.asarray(x) < 0).astype(dtype))


def test_positions_beyond_32_bits_have_64() -> None:
    long = fl.ShapeDtypeStruct((2**31 + 10,), "int8")
    for f in (
        fnp.argmax,
        fnp.argmin,
        fnp.argsort,
        lambda x: fnp.argsort(x, descending=True),
        lambda x: fnp.lexsort([x]),
        lambda x: lax.top_k(x, 3)[1],
        lambda x: fnp.searchsorted(x, 3),
        lambda x: fnp.digitize(3, x),
        lambda x: fnp.nonzero(x, size=3)[0],
        lambda x: fnp.argwhere(x.reshape(-1, 1), size=3),
        fnp.count_nonzero,
        *(lambda x, i=i: fnp.unique(x, True, True, True, size=3)[i] for i in (1, 2, 3)),
        lambda x: random.choice(random.key(0), x.shape[0], (3,)),
        lambda x: random.choice(random.key(0), x.shape[0], (3,), p=x.astype("float32")),
        lambda x: random.choice(random.key(0), x.shape[0], (3,), p=x.astype("float32"), replace=False),
        lambda x: random.categorical(random.key(0), x.astype("float32")),
        lambda x: random.categorical(random.key(0), x.astype("float32"), shape=(3,), replace=False),
    ):
        assert fl.eval_shape(f, long).dtype == np.int64
        assert fl.eval_shape(f, fl.ShapeDtypeStruct((7,), "int8")).dtype == np.int32
    assert (random.choice(random.key(0), 2**40, (100,)) > 2**32).any()


@pytest.mark.parametrize("wrap", [lambda f: f, fl.jit])
def test_callbacks_cannot_write_into_what_they_are_shown(wrap) -> None:
    x = fnp.arange(4.0)

    def write(v) -> np.ndarray:
        v[0] = 5
        return v

    with pytest.raises(ValueError, match="read-only"):
        wrap(lambda x: fl.pure_callback(write, fl.ShapeDtypeStruct((4,), "float32"), x))(x)
    with pytest.raises(ValueError, match="read-only"):
        wrap(lambda x: fl.debug.callback(write, x))(x)
    assert x[0] == 0


@fl.jit
def _twice(x):
    return 2 * x


def test_jitted_functions_can_be_copied_and_pickled() -> None:
    lengths = fl.jit(np.ndim, static_argnums=0)
    for f, argument, expected in ((_twice, 3.0, 6), (fl.jit(fnp.negative), 3.0, -3), (lengths, (1, 2), 1)):
        assert f(argument) == expected
        for again in (copy.copy(f), copy.deepcopy(f), pickle.loads(pickle.dumps(f))):
            assert again(argument) == expected
    assert copy.deepcopy(fl.jit(lambda x: x + 1))(1.0) == 2


@pytest.mark.parametrize("dtype", ["complex64", "complex128"])
@pytest.mark.parametrize("wrap", [lambda f: f, fl.jit])
def test_logarithms_of_one_and_small_complex_numbers(dtype, wrap) -> None:
    z = np.array([1e-20, -1e-9 + 1e-12j, -1e-4 + 1e-4j, 0.2 - 0.2j, 0.3 + 1j, -5.0, 0.0], dtype)
    near, exact = np.abs(z) < 1e-3, z.astype("complex128")
    expected = np.where(near, exact - exact**2 / 2 + exact**3 / 3 - exact**4 / 4, np.log1p(exact))
    got = np.asarray(wrap(fnp.log1p)(fnp.asarray(z)))
    np.testing.assert_allclose(got, expected, rtol=10 * np.finfo(dtype).eps)
    assert np.asarray(wrap(fnp.log1p)(fnp.asarray(z)[0])) == got[0]


@pytest.mark.parametrize("wrap", [lambda f: f, fl.jit])
def test_large_real_numbers_stay_real_in_complex_expm1(wrap) -> None:
    z = fnp.asarray(np.array([1e8, np.inf, 2.0, -np.inf, -0.0]) + 0j)
    got = np.asarray(wrap(fnp.expm1)(z))
    np.testing.assert_array_equal(got.imag, 0)
    np.testing.assert_allclose(got.real, [np.inf, np.inf, np.expm1(2.0), -1, 0])
    assert wrap(fnp.expm1)(z[1]) == np.inf


@pytest.mark.parametrize("wrap", [lambda f: f, fl.jit])
def test_scalars_that_were_cast_have_lost_what_they_lost(wrap) -> None:
    """A weak scalar knows the Python number that it was made of, for casts to be rounded once; but not beyond an integer."""
    x = fnp.asarray(2.7)
    i = x.astype("int32")
    for f, expected in (
        (lambda: i + 0.5, 2.5),
        (lambda: fnp.asarray(2.7).astype("int32").astype("float32"), 2.0),
        (lambda: x.astype(bool) * 1.0, 1.0),
        (lambda: fnp.asarray(fnp.asarray(0.3), dtype="int32") + fnp.float32(0), 0.0),
        (lambda: fnp.asarray(0.1).astype("float16").astype("float64"), float(np.float16(0.1))),
        (lambda: fl.grad(lambda y: y * i)(1.0), 2.0),
        (lambda: fl.vmap(lambda y: y * i)(fnp.ones(2))[1], 2.0),
        (lambda: fnp.ones(1, "float64")[0] * 0.1, 0.1),
    ):
        assert float(wrap(f)()) == expected


@pytest.mark.parametrize("dtype", ["float16", "bfloat16", "float32", "float64"])
@pytest.mark.parametrize("wrap", [lambda f: f, fl.jit])
def test_powers_of_one_half_are_powers(wrap, dtype) -> None:
    x = fnp.asarray([-np.inf, -0.0, 4.0, np.inf, np.nan, -1.0], dtype)
    expected = [np.inf, 0.0, 2.0, np.inf, np.nan, np.nan]
    for f in (
        lambda x: x**0.5,
        lambda x: fnp.power(x, fnp.full(6, 0.5, dtype)),
        lambda x: fl.vmap(lambda x: x**0.5)(x),
    ):
        got = np.asarray(wrap(f)(x)).astype(float)
        np.testing.assert_array_equal(got, expected)
        assert not np.signbit(got[1])
    assert wrap(lambda x: x**0.5)(x[0]) == np.inf
