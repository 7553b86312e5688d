"""The faces `scipy.linalg`, `scipy.special` and `scipy.stats`: against SciPy, derivatives against differences."""

from __future__ import annotations

from typing import Any

import numpy as np
import pytest
import scipy.linalg
import scipy.special
import scipy.stats

import functorch_lite as fl
import functorch_lite.numpy as fnp
from functorch_lite.scipy import linalg, special, stats
from functorch_lite.testing import check_grads, check_jit, check_vmap

RNG = np.random.default_rng(11)


def close(found: Any, expected: Any, bound: float = 1e-10) -> None:
    for a, b in zip(fl.tree.leaves(found), fl.tree.leaves(expected), strict=True):
        np.testing.assert_allclose(a, b, rtol=bound, atol=bound)


def square(n: int, complex_: bool = False) -> np.ndarray:
    x = RNG.normal(size=(n, n))
    return x + 1j * RNG.normal(size=(n, n)) if complex_ else x


# scipy.linalg


@pytest.mark.parametrize("complex_", [False, True])
@pytest.mark.parametrize("size", [0.1, 3.0, 40.0])
def test_expm(size: float, complex_: bool) -> None:
    x = size * square(3, complex_) / 3
    expected = scipy.linalg.expm(x)
    np.testing.assert_allclose(linalg.expm(x), expected, rtol=1e-9, atol=1e-9 * np.abs(expected).max())
    if size < 10:
        check_grads(linalg.expm, (x,), 2, atol=1e-4, rtol=1e-4)
        close(linalg.expm_frechet(x, x), scipy.linalg.expm_frechet(x, x))
        check_jit(linalg.expm, (x,), bits=False)
        check_vmap(linalg.expm, (np.stack([x, 2 * x, 0 * x]),), atol=1e-8, rtol=1e-8)


def test_expm_of_what_is_too_large_is_nan() -> None:
    assert np.isnan(linalg.expm(np.full((2, 2), 1e8))).all()


@pytest.mark.parametrize("complex_", [False, True])
def test_solutions(complex_: bool) -> None:
    a = square(4, complex_) + 3 * np.eye(4)
    h, b = a @ a.conj().T, square(4, complex_)[:, :2]
    for rhs in (b, b[:, 0].copy()):
        for lower in (False, True):
            close(linalg.cho_solve(linalg.cho_factor(h, lower), rhs), scipy.linalg.solve(h, rhs))
            close(linalg.cholesky(h, lower), scipy.linalg.cholesky(h, lower))
            for trans in (0, 1, 2, "N", "T", "C"):
                found = linalg.solve_triangular(a, rhs, trans, lower)
                close(found, scipy.linalg.solve_triangular(a, rhs, trans=trans, lower=lower))
        for trans in (0, 1, 2):
            close(
                linalg.lu_solve(linalg.lu_factor(a), rhs, trans),
                scipy.linalg.lu_solve(scipy.linalg.lu_factor(a), rhs, trans),
            )
        close(linalg.solve(h, rhs, assume_a="pos"), scipy.linalg.solve(h, rhs))
    solve = lambda a, b: linalg.lu_solve(linalg.lu_factor(a), b)  # noqa: E731
    check_grads(solve, (a, b), 2, atol=1e-4, rtol=1e-4)
    check_vmap(solve, (np.stack([a, h]), b), (0, None), atol=1e-9, rtol=1e-9)


@pytest.mark.parametrize("shape", [(3, 3), (4, 2), (2, 4)])
def test_factors(shape: tuple[int, int]) -> None:
    x = RNG.normal(size=shape)
    close(linalg.lu(x), scipy.linalg.lu(x))
    close(linalg.lu(x, permute_l=True), scipy.linalg.lu(x, permute_l=True))
    close(linalg.lu_factor(x), scipy.linalg.lu_factor(x))
    for mode in ("full", "economic"):
        q, r = linalg.qr(x, mode=mode)
        assert q.shape == scipy.linalg.qr(x, mode=mode)[0].shape
        close(q @ r, x)
    u, p = linalg.polar(x)
    close((u, p), scipy.linalg.polar(x), 1e-7)
    u, s, vh = linalg.svd(x, full_matrices=False)
    close((u * s) @ vh, x)


def test_eigenvalues_of_pairs() -> None:
    a, b = square(3, True), square(3, True)
    a, b = a + a.conj().T, b @ b.conj().T + np.eye(3)
    w, v = linalg.eigh(a, b)
    close(w, scipy.linalg.eigh(a, b, eigvals_only=True))
    close(a @ np.asarray(v), b @ np.asarray(v * w))
    check_grads(lambda a, b: linalg.eigh(a, b, eigvals_only=True), (a, b), 2, atol=1e-3, rtol=1e-3)


def test_matrices_of_a_form() -> None:
    c, r = np.arange(1.0, 4), np.arange(1.0, 6)
    close(linalg.block_diag(c, square(2) * 0 + 1, 3.0), scipy.linalg.block_diag(c, np.ones((2, 2)), 3.0))
    close(linalg.toeplitz(c, r), scipy.linalg.toeplitz(c, r))
    close(linalg.toeplitz(c), scipy.linalg.toeplitz(c))
    close(linalg.circulant(c), scipy.linalg.circulant(c))
    close(linalg.dft(4, "sqrtn"), scipy.linalg.dft(4, "sqrtn"), 1e-6)
    close(linalg.hilbert(3), scipy.linalg.hilbert(3), 1e-6)


# scipy.special

ANY = np.array([-3.3, -1.2, -0.4, 0.3, 0.9, 2.5, 7.0])
POSITIVE = np.abs(ANY) + 0.1
INSIDE = np.array([0.01, 0.2, 0.5, 0.77, 0.999])
UNARY = {
    **dict.fromkeys(["erf", "erfc", "expit", "gamma", "gammaln", "digamma", "i0", "i0e", "i1", "i1e"], ANY),
    **dict.fromkeys(["log_ndtr", "ndtr"], np.append(ANY, [0.0, -12.0, -25.0])),
    **dict.fromkeys(["erfinv", "logit", "ndtri", "entr"], INSIDE),
    "factorial": POSITIVE,
}
BINARY = [
    "beta",
    "betaln",
    "boxcox",
    "boxcox1p",
    "gammainc",
    "gammaincc",
    "kl_div",
    "poch",
    "rel_entr",
    "xlog1py",
    "xlogy",
]


@pytest.mark.parametrize("name", UNARY)
def test_functions_of_one_operand(name: str) -> None:
    ours, theirs, x = getattr(special, name), getattr(scipy.special, name), UNARY[name]
    close(ours(x), theirs(x))
    assert ours(x).dtype == np.float64
    np.testing.assert_allclose(ours(x.astype("float32")), theirs(x.astype("float32")), rtol=2e-4)
    assert ours(fnp.asarray(x, "float32")).dtype == np.float32
    assert ours(1).dtype == np.float32
    small = x[np.abs(x) < 5]
    check_grads(ours, (small,), 1, atol=1e-4, rtol=1e-4)
    check_jit(ours, (x,), bits=False)
    check_vmap(ours, (x,))


@pytest.mark.parametrize("name", BINARY)
def test_functions_of_two_operands(name: str) -> None:
    ours, theirs = getattr(special, name), getattr(scipy.special, name)
    a, b = POSITIVE, POSITIVE[::-1].copy()
    close(ours(a, b), theirs(a, b))
    close(ours(a[:, None], b), theirs(a[:, None], b))
    close(ours(a, 0.3), theirs(a, 0.3))
    check_grads(ours, (a, b), 1, atol=1e-4, rtol=1e-4)


def test_other_functions() -> None:
    close(special.zeta(2.5, POSITIVE), scipy.special.zeta(2.5, POSITIVE))
    close(special.zeta(2.0), np.pi**2 / 6, 1e-6)
    close(special.polygamma(2, POSITIVE), scipy.special.polygamma(2, POSITIVE))
    close(special.multigammaln(POSITIVE + 2, 3), scipy.special.multigammaln(POSITIVE + 2, 3))
    close(special.betainc(2.0, 3.0, INSIDE), scipy.special.betainc(2.0, 3.0, INSIDE))
    close(special.gammasgn(ANY), scipy.special.gammasgn(ANY))
    close(special.comb(np.array([5.0, 6.0, 3.0]), np.array([2.0, 0.0, 4.0])), np.array([10.0, 1.0, 0.0]))
    close(special.logsumexp(ANY), scipy.special.logsumexp(ANY))
    close(special.softmax(ANY), scipy.special.softmax(ANY))
    close(special.log_softmax(ANY), scipy.special.log_softmax(ANY))


def test_at_the_edges() -> None:
    zero = np.zeros(2)
    y = np.array([0.0, 1.0])
    for name in ("xlogy", "xlog1py", "rel_entr", "kl_div"):
        close(getattr(special, name)(zero, y), getattr(scipy.special, name)(zero, y))
    close(special.entr(np.array([0.0, -1.0])), np.array([0.0, -np.inf]))
    ends = np.array([0.0, 1.0, -1.0, 2.0, 1e-300, 1e-20, 1 - 1e-12])
    close(special.ndtri(ends), scipy.special.ndtri(ends))
    close(special.log_ndtr(np.array([-1e4, -100.0, 40.0])), scipy.special.log_ndtr(np.array([-1e4, -100.0, 40.0])))
    assert np.isfinite(fl.grad(special.log_ndtr)(fnp.float32(-1e4)))
    close(fl.grad(special.log_ndtr)(np.float64(0.0)), np.sqrt(2 / np.pi))
    close(special.boxcox(POSITIVE, 0.0), np.log(POSITIVE))


@pytest.mark.parametrize("dtype", ["float16", "float32", "float64"])
def test_inverse_of_the_normal_distribution(dtype: str) -> None:
    """Within eight units of the last place, however far out."""
    least = np.log10(float(np.finfo(dtype).smallest_subnormal)) + 1
    p = np.concatenate([np.linspace(0, 1, 2001), 10.0 ** np.linspace(least, -1, 2001)]).astype(dtype)
    expected = scipy.special.ndtri(p.astype(np.float64))
    for f in (special.ndtri, fl.jit(special.ndtri)):
        found = np.asarray(f(p))
        assert found.dtype == dtype
        with np.errstate(invalid="ignore"):
            units = np.maximum(np.spacing(np.abs(expected).astype(dtype)).astype(np.float64), np.finfo(dtype).tiny)
            assert np.all((found == expected) | (np.abs(found - expected) <= 8 * units))


EDGES = np.array([0.0, -0.0, 1.0, -1.0, 0.5, 2.0, 10.0, 1e10, 1e300, np.inf, np.nan])


@pytest.mark.parametrize("name", ["kl_div", "rel_entr"])
@pytest.mark.parametrize("dtype", ["float32", "float64"])
def test_relative_entropies_at_the_edges(name: str, dtype: str) -> None:
    edges = np.where(EDGES == 1e300, float(np.finfo(dtype).max) / 16, EDGES).astype(dtype)
    p, q = np.meshgrid(edges[edges != np.inf], edges)
    ours, theirs = getattr(special, name)(p, q), getattr(scipy.special, name)(p.astype(float), q.astype(float))
    with np.errstate(over="ignore"):
        close(ours, theirs.astype(dtype), 1e-5)


def test_relative_entropies_of_what_is_close_and_far_apart() -> None:
    p, q = np.array([1.0, 1.000001, 50.0, 1e-20]), np.array([0.999999, 1.0, 1e-307, 1e308])
    close(special.rel_entr(p, q), scipy.special.rel_entr(p, q), 1e-14)
    assert not np.signbit(special.rel_entr(-0.0, 1.0))
    by_p, by_q = fl.grad(lambda p, q: fnp.sum(special.rel_entr(p, q)), (0, 1))(p, q)
    close(by_p, np.log(p) - np.log(q) + 1)
    with np.errstate(over="ignore"):
        close(by_q, -p / q)
    close(fl.grad(special.rel_entr, 1)(np.float64(1.0), np.float64(np.inf)), 0.0)


def test_beta_of_a_large_and_a_small_operand() -> None:
    large = np.array([9.9, 10.0, 50.0, 1e10, 1e300])
    for small in (0.0, 0.5, -1.5, 3.0, 10.0, 60.0):
        for ours, theirs in ((special.betaln, scipy.special.betaln), (special.beta, scipy.special.beta)):
            close(ours(small, large), theirs(small, large), 1e-11)
            close(ours(large, small), theirs(large, small), 1e-11)
    check_grads(special.betaln, (np.array([0.5, 9.0, 20.0]), np.array([12.0, 2.0, 30.0])), 2, atol=1e-4, rtol=1e-4)


def test_comb_of_many_things() -> None:
    n, k = np.array([1e5, 1e5, 1e10, 0.0, 5.0]), np.array([1.0, 3.0, 2.0, 0.0, 5.0])
    close(special.comb(n, k), scipy.special.comb(n, k), 1e-11)
    close(special.comb(n, k, repetition=True), scipy.special.comb(n, k, repetition=True), 1e-11)


def test_signs_at_zero_and_nan() -> None:
    assert np.isnan(special.gammasgn(np.nan))
    for f in (special.i1, special.i1e, fl.jit(special.i1), fl.jit(special.i1e)):
        assert np.array_equal(np.signbit(f(np.array([-0.0, 0.0, -1.0]))), [True, False, True])


def test_incomplete_integrals_have_no_slope_where_they_have_no_value() -> None:
    outside = np.array([-1.0, np.nan])
    for f in (special.gammainc, special.gammaincc):
        assert np.isnan(fl.vmap(fl.grad(f, 1), (None, 0))(1.0, outside)).all()
    assert np.isnan(fl.vmap(fl.grad(special.betainc, 2), (None, None, 0))(1.0, 1.0, np.append(outside, 2.0))).all()
    close(fl.grad(special.gammainc, 1)(np.float64(1.0), np.float64(0.0)), 1.0)


# scipy.stats

SHAPES = {"gamma": (2.5,), "beta": (2.0, 3.0), "chi2": (3.0,), "t": (4.0,)}
FAMILIES = ["beta", "cauchy", "chi2", "expon", "gamma", "laplace", "logistic", "norm", "t", "uniform"]
CASES = [(f, name) for f in FAMILIES for name in getattr(stats, f).__all__]


@pytest.mark.parametrize("family, name", CASES)
def test_families(family: str, name: str) -> None:
    ours, theirs = getattr(getattr(stats, family), name), getattr(getattr(scipy.stats, family), name)
    x = np.array([0.1, 0.5, 0.9]) if name in ("ppf", "isf") else np.array([-1.3, 0.4, 0.9, 1.6, 2.5])
    args = (*SHAPES.get(family, ()), 0.3, 1.7)
    with np.errstate(all="ignore"):
        close(ours(x, *args), theirs(x, *args))
    inside = x[(x > 0.3) & (x < 2)]
    check_grads(lambda x: ours(x, *args), (inside,), 1, atol=1e-5, rtol=1e-5)
    assert ours(fnp.asarray(x, "float32"), *args).dtype == np.float32


def test_discrete_families() -> None:
    k = np.array([-1, 0, 1, 2, 5])
    for name in ("cdf", "logpmf", "pmf"):
        close(getattr(stats.poisson, name)(k, 2.5), getattr(scipy.stats.poisson, name)(k, 2.5), 1e-5)
        if name != "cdf":
            close(getattr(stats.bernoulli, name)(k, 0.3), getattr(scipy.stats.bernoulli, name)(k, 0.3), 1e-5)
    close(stats.bernoulli.cdf(k, 0.3), scipy.stats.bernoulli.cdf(k, 0.3), 1e-6)
    close(stats.bernoulli.ppf(np.array([0.2, 0.69, 0.71, 1.0]), 0.3), np.array([0, 0, 1, 1]))


def test_normal_vectors() -> None:
    x, mean, cov = RNG.normal(size=(4, 2)), np.ones(2), np.array([[2.0, 0.5], [0.5, 1.0]])
    close(stats.multivariate_normal.logpdf(x, mean, cov), scipy.stats.multivariate_normal.logpdf(x, mean, cov))
    close(stats.multivariate_normal.pdf(x, mean, 2.0), scipy.stats.multivariate_normal.pdf(x, mean, 2.0))
    check_grads(stats.multivariate_normal.logpdf, (x, mean, cov), 2, atol=1e-4, rtol=1e-4)


def test_quantiles_of_the_normal_distribution_promote_all_operands() -> None:
    for f in (stats.norm.ppf, stats.norm.isf):
        assert f(np.float32(0.4), fnp.ones(2, "float32"), fnp.ones(2, "float64")).dtype == "float64"
        assert f(fnp.float32(0.4), 0, 1.0).dtype == "float32"


@pytest.mark.parametrize("lead", [(2,), (3,), (2, 3)])
def test_stacks_of_vectors_as_right_hand_sides(lead: tuple[int, ...]) -> None:
    rng = np.random.default_rng(0)
    a = rng.normal(size=(*lead, 3, 3))
    a = a @ np.swapaxes(a, -1, -2) + np.eye(3)
    b = rng.normal(size=(*lead, 3))
    x = np.linalg.solve(a, b[..., None])[..., 0]
    solved = {
        "cho": lambda a, b: linalg.cho_solve(linalg.cho_factor(a), b),
        "lu": lambda a, b: linalg.lu_solve(linalg.lu_factor(a), b),
        "pos": lambda a, b: linalg.solve(a, b, assume_a="pos"),
    }
    for f in solved.values():
        for found in (f(a, b), fl.jit(f)(a, b)):
            np.testing.assert_allclose(found, x, rtol=1e-8)
    assert linalg.cho_solve(linalg.cho_factor(a), b[(0,) * len(lead)]).shape == (*lead, 3)
    np.testing.assert_allclose(
        linalg.solve_triangular(a, b, lower=True), np.linalg.solve(np.tril(a), b[..., None])[..., 0], rtol=1e-8
    )


@pytest.mark.parametrize("shape", [(4, 4), (5, 3), (3, 5), (2, 3, 4), (3, 1), (1, 3), (2, 0), (0, 2)])
@pytest.mark.parametrize("dtype", [np.float64, np.complex128])
def test_qr_exchanges_columns_as_lapack_does(shape: tuple[int, ...], dtype: Any) -> None:
    x = RNG.normal(size=shape).astype(dtype)
    x = x + 1j * RNG.normal(size=shape) if dtype is np.complex128 else x
    for mode in ("full", "economic", "r"):
        f = lambda x: linalg.qr(x, mode=mode, pivoting=True)  # noqa: E731
        for found in (f(x), fl.jit(f)(x)):
            close(found, scipy.linalg.qr(x, mode=mode, pivoting=True))
            assert found[-1].dtype == np.int32


def test_derivatives_of_qr_with_exchanges() -> None:
    x = RNG.normal(size=(4, 3))
    check_grads(lambda x: fl.lax.linalg.qr(x, pivoting=True, full_matrices=False)[:2], (x,), 2)
    alike = np.ones((3, 3))  # all that is left of equal columns is rounding
    q, r, order = fl.lax.linalg.qr(alike, pivoting=True)
    close(q @ r, alike[:, order])


def test_zeta_by_its_exponent() -> None:
    s, q = np.array([1.2, 2.0, 3.5, 8.0])[:, None], np.array([0.2, 1.0, 2.5, 40.0])
    s, q = np.broadcast_arrays(s, q)
    by_exponent = fl.vmap(fl.vmap(fl.grad(special.zeta)))
    h = 1e-4 * (s - 1)
    around = [scipy.special.zeta(s + k * h, q) for k in (-2, -1, 1, 2)]
    differences = (around[0] - 8 * around[1] + 8 * around[2] - around[3]) / (12 * h)
    for found in (by_exponent(s, q), fl.jit(by_exponent)(s, q)):
        close(found / differences, np.ones_like(s), 1e-8)
    check_grads(special.zeta, (2.5, 1.5), 3)


@pytest.mark.parametrize("dtype", ["float16", "float32"])
def test_incomplete_beta_in_single_precision(dtype: str) -> None:
    a, b = (RNG.uniform(1, 100, 500).astype(dtype) for _ in range(2))
    x = RNG.uniform(0.01, 0.99, 500).astype(dtype)
    exact = scipy.special.betainc(*(v.astype(float) for v in (a, b, x)))
    for f in (special.betainc, fl.jit(special.betainc)):
        np.testing.assert_allclose(f(a, b, x), exact.astype(dtype), rtol=2 * np.finfo(dtype).eps, atol=1e-30)


@pytest.mark.parametrize(
    "z, m", [(1e15, 0.3), (1e4, 0.3), (8.5e37, 2.1), (3.0, 2.0), (-3.5, 2.0), (30.0, 2.5), (12.0, -1.5)]
)
def test_poch_far_out(z: float, m: float) -> None:
    np.testing.assert_allclose(special.poch(np.float64(z), np.float64(m)), scipy.special.poch(z, m), rtol=1e-9)


@pytest.mark.parametrize("power", [0.0, 5e-324, 1e-310, -1e-300, 1e-20, 1e-9])
def test_boxcox_of_powers_near_zero(power: float) -> None:
    """It tends to the logarithm, and its derivative by the power to half of the logarithm's square."""
    log = np.log(88.0)
    np.testing.assert_allclose(special.boxcox(np.float64(88.0), power), log, rtol=1e-7)
    np.testing.assert_allclose(special.boxcox1p(np.float64(-1e-300), power), -1e-300, rtol=1e-7)
    if power == 0:
        np.testing.assert_allclose(fl.grad(special.boxcox, 1)(np.float64(88.0), power), log**2 / 2)


@pytest.mark.parametrize("q", [0.0, 1e-200, 1e-10, 0.2, 0.25, 0.3, 0.5, 0.8, 1 - 1e-10, 1.0, -0.1, 1.1])
def test_quantiles_of_cauchy_far_out(q: float) -> None:
    for name in ("ppf", "isf"):
        found = getattr(stats.cauchy, name)(np.float64(q))
        np.testing.assert_allclose(found, getattr(scipy.stats.cauchy, name)(q), rtol=1e-13, atol=1e-15)


def test_logarithms_of_probabilities_near_one() -> None:
    np.testing.assert_allclose(stats.expon.logcdf(np.float64(60.0)), -np.exp(-60.0), rtol=1e-13)
    np.testing.assert_allclose(stats.cauchy.logcdf(np.float64(1e30)), -1e-30 / np.pi, rtol=1e-13)
    np.testing.assert_allclose(stats.cauchy.logpdf(np.float64(1e200)), scipy.stats.cauchy.logpdf(1e200), rtol=1e-13)
    np.testing.assert_allclose(stats.gamma.logcdf(np.float64(90.0), 2.0), -scipy.stats.gamma.sf(90, 2), rtol=1e-12)
    np.testing.assert_allclose(
        stats.beta.logsf(np.float64(1e-9), 2.0, 3.0), -scipy.stats.beta.cdf(1e-9, 2, 3), rtol=1e-7
    )
