"""Functions at their corners: unusual arguments, dtypes that hardly fit, lengths of zero. Each was wrong once."""

from __future__ import annotations

import functools
import warnings
from typing import Any

import numpy as np
import pytest

import functorch_lite as fl
import functorch_lite.lax as lax
import functorch_lite.numpy as fnp
from functorch_lite.scipy.linalg import toeplitz
from functorch_lite.scipy.stats import beta, expon


def test_questions_about_arrays_take_lists() -> None:
    assert fnp.array_equal([1, 2], [1, 2])
    assert not fnp.array_equiv([[1, 2], [1, 3]], [1, 2])
    assert fnp.iscomplexobj([1, 2j])
    assert not fnp.iscomplexobj(None)
    assert fnp.iscomplexobj(fnp.complex64)
    assert not fnp.iscomplexobj(fnp.float32)
    np.testing.assert_array_equal(fl.nn.one_hot([2, 0], 3), [[0, 0, 1], [1, 0, 0]])


@pytest.mark.parametrize("make", [fnp.array, fnp.asarray, fnp.sin, fl.jit(fnp.sin), lambda x: fnp.array(x, float)])
def test_masked_arrays_are_refused(make) -> None:
    with pytest.raises(ValueError, match=r"mask would be lost.*filled"):
        make(np.ma.masked_array([1.0, 2.0], mask=[True, False]))


def test_counts_without_room() -> None:
    assert fnp.bincount(fnp.array([0, 1]), length=0).shape == (0,)
    assert fnp.bincount(fnp.array([0, 1]), fnp.ones(2), length=0).dtype == np.float32
    assert fnp.bincount(fnp.array([1]), minlength=fnp.array(4)).shape == (4,)


def test_covariances_of_too_few_observations_are_nan() -> None:
    for x, ddof in ((np.ones(0), None), (np.ones(3), 3), (np.ones((2, 3)), 5)):
        assert fnp.isnan(fnp.cov(x, ddof=ddof)).all()
    assert fnp.isnan(fnp.cov(np.ones(3), ddof=7, fweights=np.array([1, 2, 1]))).all()


@pytest.mark.parametrize("name", ["cov", "corrcoef"])
def test_covariances_are_not_integers(name) -> None:
    with pytest.raises(ValueError, match="dtype must be floating or complex"):
        getattr(fnp, name)(np.ones((2, 3)), dtype=int)


@pytest.mark.parametrize("k", [2**33, -(2**33), 2**31 - 1, -(2**31)])
def test_diagonals_far_off_the_matrix(k) -> None:
    np.testing.assert_array_equal(fnp.eye(3, k=k), np.zeros((3, 3)))
    np.testing.assert_array_equal(fnp.tri(3, k=k), np.full((3, 3), k > 0))
    np.testing.assert_array_equal(fnp.tril(np.ones((2, 3)), k), np.full((2, 3), k > 0))


def test_size_along_axes() -> None:
    assert fnp.size(np.ones((2, 3, 4)), (0, -1)) == 8
    for axes in ((0, 0), (0, -3), 3):
        with pytest.raises(ValueError, match=r"axis|axes"):
            fnp.size(np.ones((2, 3, 4)), axes)


def test_logaddexp_of_complex_numbers_has_the_principal_angle() -> None:
    rng = np.random.default_rng(0)
    x, y = (rng.normal(0, 4, 200) + 1j * rng.normal(0, 9, 200) for _ in range(2))
    np.testing.assert_allclose(fnp.logaddexp(x, y), np.log(np.exp(x) + np.exp(y)), rtol=1e-12)
    assert fnp.logaddexp(3j, -np.inf) == 3j


def test_sort_complex_sorts_lines() -> None:
    x = np.array([[3, 1, 2], [2, 0, 1]])
    np.testing.assert_array_equal(fnp.sort_complex(x), [[1, 2, 3], [0, 1, 2]])


@pytest.mark.parametrize("dtype", ["uint8", "int8", "uint16", "int32", "uint32", "int64", "uint64"])
@pytest.mark.parametrize("shape", [(2, 3), (20, 30), 7, (4,)])
def test_unravel_index_of_every_dtype(dtype, shape) -> None:
    places = np.array([0, 1, 3], dtype)
    found = fnp.unravel_index(places, shape)
    assert all(x.dtype == dtype for x in found)
    np.testing.assert_array_equal(found, np.unravel_index(places.astype(int), shape))
    if np.dtype(dtype).kind == "i":
        np.testing.assert_array_equal(fnp.unravel_index(np.array([-1], dtype), (2, 3)), [[1], [2]])


def test_what_is_made_in_the_likeness_of_a_weak_number_is_weak() -> None:
    for make in (fnp.zeros_like, fnp.ones_like, fnp.empty_like, lambda x, **k: fnp.full_like(x, 2, **k)):
        assert make(1.5).weak_type
        assert make(fnp.add(1.0, 1)).weak_type
        assert not make(1.5, dtype="float32").weak_type
        assert not make(fnp.ones(2)).weak_type


def test_running_sums_of_booleans_do_not_round() -> None:
    np.testing.assert_array_equal(fnp.cumsum(np.array([0.0, 0.1, 0.0]), dtype=bool), [False, True, True])
    np.testing.assert_array_equal(fnp.cumulative_prod(np.array([0.5, 0.1, 0.0]), dtype=bool), [True, True, False])


@pytest.mark.parametrize("name", ["sum", "prod", "any", "mean", "var", "max", "nansum"])
def test_where_is_boolean(name) -> None:
    initial = {"initial": 0.0} if name == "max" else {}
    with pytest.raises(ValueError, match="where must be boolean"):
        getattr(fnp, name)(np.ones(3), where=np.array([1, 0, 1]), **initial)


@pytest.mark.parametrize("shift, axis", [((4, 2, 5), None), ((1, 2), (0, -1)), ((1, 2), 1), (1, (0, 1)), ((3,), 0)])
def test_roll_by_an_array_of_shifts(shift, axis) -> None:
    x = np.arange(6.0).reshape(2, 3)
    roll = functools.partial(fnp.roll, axis=axis)
    for f in (roll, fl.jit(roll)):
        np.testing.assert_array_equal(f(x, np.array(shift)), np.roll(x, shift, axis))


def test_methods_of_tracers() -> None:
    x = np.arange(9.0).reshape(3, 3)
    assert fl.jit(lambda a: a.trace())(x) == 12
    assert fl.grad(lambda a: a.trace(1))(fnp.array(x))[0, 1] == 1


@pytest.mark.parametrize("dtype", ["int8", "uint16", "int32", "float64", "bfloat16", "complex64"])
def test_byteswap(dtype) -> None:
    x = fnp.arange(5).astype(dtype)
    np.testing.assert_array_equal(fl.jit(lambda a: a.byteswap())(x), np.asarray(x).byteswap())
    np.testing.assert_array_equal(x.byteswap().byteswap(), x)


@pytest.mark.parametrize("mode, option", [("edge", "constant_values"), ("constant", "end_values"), ("wrap", "x")])
def test_pad_refuses_options_of_other_modes(mode, option) -> None:
    with pytest.raises(ValueError, match=option):
        fnp.pad(np.ones(2), 1, mode, **{option: 3})


@pytest.mark.parametrize("axis", [None, 0, 1])
@pytest.mark.parametrize("place", [0, 2, -1])
def test_insert_and_delete_at_a_traced_place(place, axis) -> None:
    x = np.arange(9.0).reshape(3, 3)
    insert, delete = fl.jit(lambda x, i: fnp.insert(x, i, 7.0, axis)), fl.jit(lambda x, i: fnp.delete(x, i, axis))
    np.testing.assert_array_equal(insert(x, place), np.insert(x, place, 7.0, axis))
    np.testing.assert_array_equal(delete(x, place), np.delete(x, place, axis))


def test_insert_and_delete_at_several_traced_places() -> None:
    x, places = np.arange(10.0).reshape(2, 5), np.array([3, 1, -2])
    values = np.array([[7.0, 8.0, 9.0]])
    insert = fl.jit(lambda x, i: fnp.insert(x, i, values, 1))
    np.testing.assert_array_equal(insert(x, places), np.insert(x, places, values, 1))
    one_place = fl.jit(lambda x, i: fnp.insert(x, i, values[0]))
    np.testing.assert_array_equal(one_place(x, 2), np.insert(x, 2, values[0]))
    delete = fl.jit(lambda x, i: fnp.delete(x, i, 1, assume_unique_indices=True))
    np.testing.assert_array_equal(delete(x, places[:2]), np.delete(x, places[:2], 1))
    with pytest.raises(fl.errors.ConcretizationTypeError, match="places are traced"):
        fl.jit(fnp.delete)(x, places)


def test_lax_functions_stretch_axes_of_length_one() -> None:
    x, y = np.arange(6.0).reshape(2, 3), np.array([[1.0], [2.0]])
    np.testing.assert_array_equal(lax.sub(x, y), x - y)
    np.testing.assert_array_equal(lax.max(y, x), np.maximum(x, y))
    with pytest.raises(fl.errors.ShapeError):
        lax.add(x, np.ones(3))
    with pytest.raises(fl.errors.ShapeError):
        lax.add(x, np.ones((2, 2)))


def test_lax_pow_to_integers() -> None:
    np.testing.assert_array_equal(lax.pow(np.full(3, -2.0), np.arange(3)), [1, -2, 4])
    assert fl.grad(lambda x: lax.pow(x, 3))(2.0) == 12
    assert lax.dtype(np.int8) == lax.dtype(fnp.int8) == np.int8


def test_map_in_batches_of_none() -> None:
    np.testing.assert_array_equal(lax.map(lambda x: x + 1, fnp.arange(3), batch_size=0), [1, 2, 3])


def test_float0_leaves_compiled_and_batched_functions() -> None:
    def derivatives(n):
        return fl.vjp(lambda x, k: x * k.astype("float32"), 2.0, n)[1](1.0)

    compiled = fl.jit(derivatives)
    for n in (3, 4, 5):
        by_x, by_n = compiled(fnp.array(n))
        assert by_x == n
        assert (by_n.dtype, by_n.shape) == (fl.float0, ())
    by_integers = fl.grad(lambda n: n.astype("float32") ** 2, allow_int=True)
    for f in (fl.vmap(by_integers), fl.jit(fl.vmap(by_integers)), fl.vmap(fl.jit(by_integers))):
        out = f(fnp.arange(3))
        assert (out.dtype, out.shape) == (fl.float0, (3,))


def test_masks_without_elements_choose_none() -> None:
    for shape, mask in (((3,), (0,)), ((3, 4), (0,)), ((3, 4), (3, 0)), ((3, 4, 5), (0, 4))):
        x, chosen = np.ones(shape), np.empty(mask, bool)
        np.testing.assert_array_equal(fnp.asarray(x)[chosen], x[chosen])
    with pytest.raises(IndexError, match="mask"):
        fnp.ones(3)[np.empty((0, 0), bool)]


def test_extremes_of_complex_numbers_beside_nan() -> None:
    x, y = np.array([1 + 1j, np.nan, np.nan]), np.array([np.nan + 1j, 1j, np.nan])
    for f, g in ((fnp.fmin, np.fmin), (fnp.fmax, np.fmax)):
        np.testing.assert_array_equal(f(x, y), g(x, y))
        assert f(np.int16(2), y)[0] == 2


def test_fourier_transforms_of_nothing() -> None:
    for f in (fnp.fft.fft, fnp.fft.ifft, fnp.fft.fft2):
        out = f(np.ones((2, 3, 0), np.float32))
        assert (out.shape, out.dtype) == ((2, 3, 0), np.complex64)
    with pytest.raises(ValueError, match="must be positive"):
        fnp.fft.fft(np.ones(3), n=0)


def test_toeplitz_matrices_of_stacks() -> None:
    c, r = np.arange(6.0).reshape(2, 3), np.array([7.0, 8.0, 9.0, 10.0])
    found = toeplitz(c, r)
    for i in range(2):
        np.testing.assert_array_equal(found[i], toeplitz(c[i], r))
    assert toeplitz(2.0, r).shape == (1, 4)


def test_two_names_of_a_tolerance() -> None:
    with pytest.raises(ValueError, match="another name"):
        fnp.linalg.matrix_rank(np.eye(3), rtol=0.1, tol=0.1)


def test_ranges_are_real() -> None:
    with pytest.raises(ValueError, match="real numbers"):
        fnp.arange(0, 3j)


def test_lax_functions_with_unusual_arguments() -> None:
    np.testing.assert_array_equal(lax.dynamic_slice(np.ones((4, 5)), [2, 3], fnp.array([2, 1])), np.ones((2, 1)))
    assert lax.conj(fnp.float32(2.0)).dtype == np.complex64
    assert all(type(n) is int for n in lax.padtype_to_pads(np.array([5]), np.array([3]), np.array([2]), "SAME")[0])
    with pytest.raises(fl.errors.DTypeError, match="positions are integers"):
        lax.argmax(np.ones(3), 0, np.float32)
    with pytest.raises(fl.errors.ShapeError, match="twice"):
        lax.squeeze(np.ones((1, 2)), (0, 0))


@pytest.mark.parametrize("x", [np.nan, np.inf, -np.inf, 1e20, -200.0])
def test_numbers_that_no_integer_is_near(x) -> None:
    for dtype in ("int8", "uint32", "int64"):
        expected = fnp.asarray(np.array(x)).astype(dtype)
        assert fnp.asarray(x).astype(dtype) == expected
        assert lax.convert_element_type(x, dtype) == expected


def test_integers_as_cotangents_of_integers() -> None:
    (by_n,) = fl.vjp(lambda n: n * 2, fnp.arange(2))[1](fnp.arange(2))
    assert by_n.dtype == fl.float0


def test_what_a_loop_passes_on_is_not_batched() -> None:
    def count(n, w):
        return lax.while_loop(lambda c: c[0] < n, lambda c: (c[0] + 1, c[1] * c[2].sum(), c[2]), (0, 1.0, w))[1:]

    w = fnp.array([2.0, 1.0])
    powers, same = fl.vmap(count, (0, None), (0, None))(fnp.arange(3), w)
    np.testing.assert_array_equal(powers, [1, 3, 9])
    np.testing.assert_array_equal(same, w)
    slopes = fl.vmap(fl.grad(lambda w, n: count(n, w)[0]), (None, 0))(w, fnp.arange(3))
    np.testing.assert_array_equal(slopes, [[0, 0], [1, 1], [6, 6]])
    (both,) = fl.jit(fl.vmap(lambda n: lax.fori_loop(0, n, lambda i, c: (c[0] + c[1], c[1]), (0.0, 2.0))[:1]))(
        fnp.arange(3)
    )
    np.testing.assert_array_equal(both, [0, 2, 4])


def test_densities_of_impossible_parameters_are_nan() -> None:
    x = np.array([-0.5, 0.5, 1.5])
    for a, b in ((-1.0, 2.0), (2.0, -1.0), (0.0, 1.0)):
        assert fnp.isnan(beta.logpdf(x, a, b)).all()
    assert fnp.isnan(expon.logpdf(x, 0.0, -1.0)).all()
    np.testing.assert_array_equal(beta.logpdf(x, 1.0, 1.0), [-np.inf, 0, -np.inf])


def test_static_arguments_are_not_donated() -> None:
    with pytest.raises(ValueError, match="static and donated"):
        fl.jit(lambda x: x, static_argnums=0, donate_argnames="x")


@pytest.mark.parametrize("name", ["setdiff1d", "setxor1d", "intersect1d"])
def test_sets_of_a_known_size_under_jit(name) -> None:
    f, reference = getattr(fnp, name), getattr(np, name)
    compiled = fl.jit(lambda a, b: f(a, b, size=4, fill_value=9))
    rng = np.random.default_rng(0)
    for _ in range(8):
        a, b = rng.integers(0, 4, 6), rng.integers(2, 7, 5)
        expected = reference(a, b)
        np.testing.assert_array_equal(f(a, b), expected)
        filled = np.pad(expected[:4], (0, max(0, 4 - len(expected))), constant_values=9)
        np.testing.assert_array_equal(compiled(a, b), filled)
    assert f(np.arange(3), np.arange(0)).shape == reference(np.arange(3), np.arange(0)).shape
    with pytest.raises(fl.errors.ConcretizationTypeError, match="size"):
        fl.jit(f)(a, b)


def test_set_differences_keep_the_dtype() -> None:
    assert fnp.setdiff1d(np.array([1, 2]), np.array([2.0])).dtype == np.int64
    common = fl.jit(lambda a, b: fnp.intersect1d(a, b, return_indices=True, size=3))
    found = common(np.array([4, 1, 4, 2]), np.array([2, 4]))
    for x, expected in zip(found, ([2, 4, 2], [3, 0, 4], [0, 1, 2]), strict=True):
        np.testing.assert_array_equal(x, expected)


def test_scalar_types_are_unlike_any_text() -> None:
    for text in ("a\nb", "f4,,", "i4, f4", "3 of something"):
        assert fnp.float32 != text
    assert fnp.float32 == "float32"


def test_vectorize_passes_none_on() -> None:
    f = fnp.vectorize(lambda x, y: x if y is None else x + y)
    np.testing.assert_array_equal(f(np.arange(3), None), [0, 1, 2])
    np.testing.assert_array_equal(f(np.arange(3), np.arange(3)), [0, 2, 4])
    with pytest.raises(TypeError, match="excluded"):
        fnp.vectorize(f, excluded={-1})


@pytest.mark.parametrize("dtypes", [("bfloat16", "float32"), ("uint64", "int16"), ("complex64", "float64")])
def test_lax_products_of_two_dtypes(dtypes) -> None:
    x, y = fnp.ones(3, dtypes[0]), fnp.ones((3, 2), dtypes[1])
    assert lax.dot(x, y).dtype == fnp.result_type(x, y)
    np.testing.assert_array_equal(lax.dot(x, y), [3, 3])


def test_custom_gradients_of_functions_with_integer_results() -> None:
    @fl.custom_gradient
    def parts(x):
        return (x, fnp.round(x).astype(int)), lambda ct: 2 * ct[0]

    np.testing.assert_array_equal(fl.grad(lambda x: parts(x)[0].sum())(fnp.ones(3)), [2, 2, 2])


def test_float0_goes_into_compiled_functions() -> None:
    _, pullback = fl.vjp(lambda x, n: n + 1, 2.0, fnp.arange(3))
    compiled = fl.jit(pullback)
    for _ in range(3):
        by_x, by_n = compiled(np.zeros(3, fl.float0))
        assert by_x == 0
        assert by_n.dtype == fl.float0
    with pytest.raises(TypeError, match="float0"):
        fl.jvp(lambda n: n, (fnp.arange(2),), (fnp.arange(2),))


def test_what_is_no_array_passes_through_vmap() -> None:
    apply = fl.vmap(lambda f, x: f(x), in_axes=(None, 0))
    np.testing.assert_array_equal(apply(lambda x: x + 1, fnp.arange(3)), [1, 2, 3])
    scaled = fl.vmap(lambda options, x: x * options["by"] if options["how"] == "times" else x, in_axes=(None, 0))
    np.testing.assert_array_equal(scaled({"how": "times", "by": 2.0}, fnp.arange(3)), [0, 2, 4])
    with pytest.raises(TypeError, match="an argument of the vmapped function"):
        fl.vmap(lambda f, x: x)(abs, fnp.arange(3))


def _alike(f: Any, *args: Any) -> Any:
    """What `f` gives, which is the same under `jit`."""
    eager = f(*args)
    for x, y in zip(fl.tree.leaves(eager), fl.tree.leaves(fl.jit(f)(*args)), strict=True):
        np.testing.assert_allclose(x, y, rtol=1e-6)
        assert x.dtype == y.dtype
    return eager


@pytest.mark.parametrize("x, y", [(2.0, 2.0), (-2.0, 2.0), (0.0, 2.0), (3.0, -4.0)])
def test_second_derivatives_of_hypot(x: float, y: float) -> None:
    h = np.hypot(x, y)
    expected = np.array([[y * y, -x * y], [-x * y, x * x]]) / h**3
    found = _alike(fl.hessian(fnp.hypot, (0, 1)), x, y)
    np.testing.assert_allclose(found, expected, atol=1e-7)
    np.testing.assert_allclose(fl.grad(fnp.hypot, (0, 1))(x, y), (x / h, y / h))


def test_hypot_keeps_weak_types() -> None:
    assert fnp.hypot(3.0, 4.0).weak_type
    assert fnp.hypot(fnp.ones(2, "float16"), 2.0).dtype == "float16"
    assert fl.grad(fnp.hypot, (0, 1))(0.0, 0.0) == (0, 0)


@pytest.mark.parametrize("name", ["cov", "corrcoef"])
@pytest.mark.parametrize("rowvar", [True, False])
@pytest.mark.parametrize("shape", [(1, 3), (3, 1), (1, 1), (2, 3), (3,)])
def test_covariances_of_one_row(name: str, rowvar: bool, shape: tuple[int, ...]) -> None:
    x = np.random.default_rng(0).normal(size=shape)
    with np.errstate(all="ignore"), warnings.catch_warnings(action="ignore"):
        expected = getattr(np, name)(x, rowvar=rowvar)
    np.testing.assert_allclose(getattr(fnp, name)(x, rowvar=rowvar), expected, rtol=1e-4)


def test_arrays_of_python_integers_wrap_around_when_they_are_cast() -> None:
    assert fnp.array(300).astype("uint8") == 44
    assert fnp.asarray(-1).astype("uint32") == 2**32 - 1
    assert lax.convert_element_type(fnp.array(300), "uint8") == 44
    assert fnp.asarray(1 + 2j).astype("int32") == 1
    assert fnp.asarray(1 + 2j).astype("float32") == 1
    with pytest.raises(OverflowError):
        fnp.ones(2, "uint8") + 300
    seed = np.int64(2**63 - 1)
    np.testing.assert_array_equal(
        fl.random.key_data(fl.random.key(fnp.array(int(seed), "int64"))), fl.random.key_data(fl.random.key(seed))
    )


@pytest.mark.parametrize("axis", [0, 1, -1])
@pytest.mark.parametrize("dx", [2.0, np.arange(3.0), np.arange(1.0, 2), np.ones((2, 3)), np.ones((4, 1, 1))])
def test_trapezoid_takes_distances(dx: Any, axis: int) -> None:
    y = np.arange(6.0).reshape(2, 3) ** 2
    try:
        expected = np.trapezoid(y, dx=dx, axis=axis)
    except ValueError:
        with pytest.raises(ValueError, match="broadcast"):
            fnp.trapezoid(y, dx=dx, axis=axis)
    else:
        np.testing.assert_allclose(_alike(lambda y: fnp.trapezoid(y, dx=dx, axis=axis), y), expected)


def test_unravel_index_takes_a_shape_that_is_traced() -> None:
    places = fnp.array([0, 3, -1, 7])
    expected = fnp.unravel_index(places, (2, 3))
    for shape in ((2, 3), np.array([2, 3]), fnp.array([2, 3])):
        for found in (fnp.unravel_index(places, shape), fl.jit(fnp.unravel_index)(places, shape)):
            np.testing.assert_array_equal(found, expected)
            assert {x.dtype for x in found} == {places.dtype}


def test_reductions_start_from_numbers() -> None:
    for name in ("sum", "prod", "max", "min"):
        with pytest.raises(ValueError, match="initial must be a number"):
            getattr(fnp, name)(fnp.ones((2, 3)), axis=-1, initial=fnp.zeros((1, 2)))
    with pytest.raises(ValueError, match="needs an axis"):
        fnp.cumulative_sum(1.0)


@pytest.mark.parametrize("name", ["add", "max", "min"])
def test_windows_start_from_any_number(name: str) -> None:
    x = np.arange(4.0, dtype=np.float32)
    window = lambda x, start: lax.reduce_window(x, start, getattr(lax, name), (2,), (1,), "SAME")  # noqa: E731
    expected = {"add": [2.5, 4.5, 6.5, 4.5], "max": [1.5, 2, 3, 3], "min": [0, 1, 1.5, 1.5]}
    np.testing.assert_array_equal(_alike(window, x, 1.5), expected[name])
    with pytest.raises(ValueError, match="from a number"):
        window(x, x)


def test_one_hot_mode_of_take_along_axis() -> None:
    x, i = fnp.arange(1, 7).reshape(2, 3), fnp.array([[0], [5]])
    np.testing.assert_array_equal(_alike(lambda i: fnp.take_along_axis(x, i, 1, mode="one_hot"), i), [[1], [0]])


def test_views_of_and_as_booleans() -> None:
    x = np.array([1.0, -2.5], np.float32)
    np.testing.assert_array_equal(_alike(lambda x: x.view(bool), fnp.array(x)), x.view(np.uint8) != 0)
    b = np.array([True, False, True, True])
    np.testing.assert_array_equal(_alike(lambda b: b.view("int32"), fnp.array(b)), b.view(np.int32))
    np.testing.assert_array_equal(_alike(lambda z: z.view(bool), fnp.array([1j], "complex64")), [0] * 6 + [1, 1])


def test_converted_closures_check_their_arguments() -> None:
    def f(x: Any) -> Any:
        converted, values = fl.closure_convert(lambda y: y * x, 1.0)
        with pytest.raises(TypeError, match="structure"):
            converted((1.0, 2.0), *values)
        return converted(2.0, *values)

    assert fl.grad(f)(3.0) == 2


@pytest.mark.parametrize("q", [0.0, 0.3, 1.0, [0.1, 0.5, 0.9]])
@pytest.mark.parametrize("axis", [None, 0, -1, (0, 2)])
def test_weighted_quantiles(axis: Any, q: Any) -> None:
    rng = np.random.default_rng(0)
    x, w = rng.normal(size=(4, 3, 5)), rng.integers(0, 3, (4, 3, 5)).astype(float)
    options = {"axis": axis, "method": "inverted_cdf"}
    for keepdims in (False, True):
        options["keepdims"] = keepdims
        found = _alike(lambda x, w: fnp.quantile(x, np.array(q), weights=w, **options), x, w)
        np.testing.assert_allclose(found, np.quantile(x, q, weights=w, **options))
        np.testing.assert_allclose(fnp.quantile(x, np.array(q), **options), np.quantile(x, q, **options))
    x[0, 0, 0] = np.nan
    found = fnp.nanpercentile(x, 100 * np.array(q), weights=w, **options)
    np.testing.assert_allclose(found, np.nanpercentile(x, 100 * np.array(q), weights=w, **options))


def test_weights_of_quantiles_that_mean_nothing() -> None:
    x = fnp.arange(4.0)
    by_row = fnp.quantile(fnp.stack([x, x[::-1]]), 0.5, axis=1, weights=fnp.array([0, 0, 1, 1]), method="inverted_cdf")
    np.testing.assert_array_equal(by_row, [2, 0])
    for w in (fnp.zeros(4), fnp.array([1, -1, 1, 1]), fnp.array([1, fnp.nan, 1, 1])):
        assert fnp.isnan(fnp.quantile(x, 0.5, weights=w, method="inverted_cdf"))
    with pytest.raises(NotImplementedError, match="inverted_cdf"):
        fnp.quantile(x, 0.5, weights=x)
    with pytest.raises(ValueError, match="weights"):
        fnp.quantile(x, 0.5, weights=fnp.ones(3), method="inverted_cdf")


def test_spacing_of_halves() -> None:
    x = np.array([-1, -3, 1, 0, -5e-8, -65504], np.float16)
    np.testing.assert_array_equal(_alike(fnp.spacing, x), np.spacing(x))


@pytest.mark.parametrize("size", [1, 3, 5])
@pytest.mark.parametrize("axis", [0, 1, -1])
@pytest.mark.parametrize("shape", [(4, 3), (3, 2, 2), (4, 1)])
def test_distinct_slices_of_traced_arrays(shape: tuple[int, ...], axis: int, size: int) -> None:
    if axis >= len(shape):
        return
    x = np.random.default_rng(1).integers(0, 2, shape).astype(np.float32)
    fills = [None, -1.0]
    fills.append(np.take(x, 0, axis) + 2 if axis == 0 else None)
    for fill in fills:
        distinct = lambda x: fnp.unique(x, True, True, True, axis, size=size, fill_value=fill)  # noqa: E731
        known, traced = distinct(x), fl.jit(distinct)(x)
        for a, b in zip(known, traced, strict=True):
            np.testing.assert_array_equal(a, b)
            assert a.dtype == b.dtype
    found = np.unique(x, axis=axis)
    there = min(size, found.shape[axis])
    np.testing.assert_array_equal(
        np.take(np.asarray(traced[0]), range(there), axis), np.take(found, range(there), axis)
    )


def test_distinct_slices_at_the_edge() -> None:
    distinct = fl.jit(lambda x: fnp.unique(x, axis=0, size=2, fill_value=0))
    assert distinct(np.ones((3, 0))).shape == (2, 0)
    assert distinct(np.array([3, 1, 3])).tolist() == [1, 3]
    rows = fnp.array([[1, fnp.nan], [1, fnp.nan], [0, 0]])
    assert fnp.unique(rows, axis=0).shape == (3, 2)
    assert fl.jit(lambda x: fnp.unique(x, return_counts=True, axis=0, size=3))(rows)[1].tolist() == [1, 1, 1]


@pytest.mark.parametrize("shape", [(2, 3, 4, 5), (3, 4, 2), (2, 3), (4,)])
def test_apply_along_axis_keeps_the_order_of_other_axes(shape: tuple[int, ...]) -> None:
    x = np.arange(np.prod(shape), dtype=np.float32).reshape(shape)
    functions = [lambda v: v.sum(), lambda v: v * v[0], lambda v: v[:, None] + v[None, :], lambda v: v[:1]]
    for axis in range(-len(shape), len(shape)):
        for f in functions:
            found = _alike(lambda x: fnp.apply_along_axis(f, axis, x), x)
            np.testing.assert_array_equal(found, np.apply_along_axis(f, axis, x))


@pytest.mark.parametrize("k", [2**33, -(2**33), 2**31 - 1, -1, np.uint32(2**32 - 1), np.int8(1)])
def test_traced_diagonals_far_off_the_matrix(k: Any) -> None:
    with fl.config.default_dtypes(float=np.float64, int=np.int64):
        for f in (lambda k: fnp.tri(4, k=k), lambda k: fnp.eye(4, k=k), lambda k: fnp.tril(np.ones((4, 4)), k)):
            np.testing.assert_array_equal(fl.jit(f)(k), f(int(k)))


@pytest.mark.parametrize("dtype", ["float16", "float32", "float64"])
def test_rounding_finer_and_coarser_than_all_numbers(dtype: str) -> None:
    x = np.array([1.5, -2.25, 6e4], dtype)
    for decimals in (40, 400):
        np.testing.assert_array_equal(_alike(lambda x: fnp.round(x, decimals), x), x)
        np.testing.assert_array_equal(_alike(lambda x: fnp.round(x, -decimals), x), [0, 0, 0])


def test_copies_that_astype_makes() -> None:
    x = fnp.ones(3)
    assert x.astype(x.dtype) is x
    assert x.astype(x.dtype, copy=True) is not x
    assert fnp.astype(x, x.dtype, copy=True) is not x


def test_shapes_that_are_arrays_and_exponents_that_are_booleans() -> None:
    assert fnp.broadcast_shapes((1,), np.array([0, 1]), 1) == (0, 1)
    np.testing.assert_array_equal(fnp.ldexp(fnp.ones(2), np.array([True, False])), [2, 1])


@pytest.mark.parametrize("n", [0, 1, -20, 60, -60, 400, -400, 1075, -1075, 2**30, -(2**31), 2**31 - 1])
@pytest.mark.parametrize("dtype", ["float16", "float32", "float64"])
def test_ldexp_by_large_exponents(dtype: str, n: int) -> None:
    limits = np.finfo(dtype)
    x = np.array([0, -0.0, 1, -3, np.inf, -np.inf, limits.max, -limits.tiny, limits.smallest_subnormal], dtype)
    with np.errstate(all="ignore"):
        expected = np.ldexp(x, np.int32(n))
    np.testing.assert_array_equal(_alike(fnp.ldexp, x, np.int32(n)), expected)
    if abs(n) > 2**30:
        np.testing.assert_array_equal(_alike(fnp.ldexp, x, np.int64(n) * 2**20), expected)


@pytest.mark.parametrize("period", [2 * np.pi, 5, 4, 4.0])
@pytest.mark.parametrize("discont", [None, 1.0, 3])
def test_unwrap_of_integers(period: float, discont: float | None) -> None:
    x = np.random.default_rng(0).integers(-20, 20, 30)
    expected = np.unwrap(x, discont=discont, period=period)
    found = _alike(lambda x: fnp.unwrap(x, discont, period=period), x)
    np.testing.assert_allclose(found, expected, rtol=1e-5)
    assert found.dtype.kind == expected.dtype.kind
