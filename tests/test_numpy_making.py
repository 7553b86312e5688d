"""`numpy`'s objects that are indexed, files and texts, bits, polynomials by division and fit, histograms in several dimensions."""

from __future__ import annotations

import io
from typing import Any

import numpy as np
import pytest

import functorch_lite as fl
import functorch_lite.numpy as fnp
from functorch_lite.errors import ConcretizationTypeError
from functorch_lite.testing import check_grads

rng = np.random.default_rng(0)


def host(x: Any) -> Any:
    return tuple(map(host, x)) if isinstance(x, (tuple, list)) else np.asarray(x)


def close(found: Any, wanted: Any, atol: float = 1e-5) -> None:
    found, wanted = host(found), host(wanted)
    if not isinstance(found, tuple):
        found, wanted = (found,), (wanted,)
    assert len(found) == len(wanted)
    for x, y in zip(found, wanted, strict=True):
        assert x.shape == y.shape
        np.testing.assert_allclose(x, y, rtol=1e-4, atol=atol)


@pytest.mark.parametrize(
    "text",
    [
        "mgrid[0:3]",
        "mgrid[0:3, 1:5:2]",
        "mgrid[0:1:5j, -1:1:3j, 0:2]",
        "mgrid[()]",
        "ogrid[0:3]",
        "ogrid[0:3, 1:5:2]",
        "ogrid[0:1:5j, 0:2]",
        "r_[1:4, 0, [5, 6]]",
        "r_[0:1:3j, 7.5]",
        "r_['0,2', [1, 2], [3, 4]]",
        "r_['1,2,0', [1, 2], [3, 4]]",
        "r_['-1', [[1, 2]], [[3, 4]]]",
        "r_['0,3,1', [1, 2], [3, 4]]",
        "c_[[1, 2], [3, 4]]",
        "c_[[[1, 2]], [[3, 4]]]",
        "c_[0:3, 1:4]",
    ],
)
def test_what_is_indexed(text: str) -> None:
    close(eval(f"fnp.{text}"), eval(f"np.{text}"))


def test_indices_by_brackets() -> None:
    assert fnp.r_["r", [1, 2], 3].tolist() == [[1, 2, 3]]
    assert fnp.r_["c", [1, 2], 3].tolist() == [[1], [2], [3]]
    assert fnp.s_[1:2, ..., None] == np.s_[1:2, ..., None]
    assert fnp.index_exp[3] == np.index_exp[3]
    with pytest.raises(fl.errors.ArgumentError, match="comes first"):
        fnp.r_[1, "r"]


def test_files_and_texts() -> None:
    x = fnp.arange(6, dtype="float32").reshape(2, 3)
    file = io.BytesIO()
    fnp.save(file, x)
    file.seek(0)
    close(fnp.load(file), x)
    file = io.BytesIO()
    fnp.savez(file, x, b=x + 1)
    file.seek(0)
    arrays = fnp.load(file)
    close(arrays["arr_0"], x)
    close(arrays["b"], x + 1)
    assert fnp.fromstring("1 2", sep=" ").dtype == "float32"
    assert fnp.array_str(x) == str(x)
    assert fnp.array_repr(fnp.pi * x, precision=2).startswith("Array([[")


def test_fromfile(tmp_path: Any) -> None:
    np.arange(5, dtype=np.int32).tofile(tmp_path / "five")
    close(fnp.fromfile(tmp_path / "five", "int32", offset=4), np.arange(1, 5))


@pytest.mark.parametrize("order", ["big", "little"])
@pytest.mark.parametrize("axis", [None, 0, -1])
def test_bits(order: str, axis: int | None) -> None:
    bits = rng.integers(0, 3, (5, 11))
    packed = np.packbits(bits, axis, order)
    for found in (fnp.packbits(bits, axis, order), fl.jit(lambda x: fnp.packbits(x, axis, order))(bits)):
        assert found.dtype == "uint8"
        close(found, packed)
    for count in (None, 3, -3, 200):
        close(fnp.unpackbits(packed, axis, count, order), np.unpackbits(packed, axis, count, order))


@pytest.mark.parametrize("axis", [None, 0, 1])
@pytest.mark.parametrize("trim", ["fb", "f", "b"])
def test_trim_zeros(axis: int | None, trim: str) -> None:
    x = np.zeros((5, 6), int)
    x[1, 2] = x[2, 4] = 1
    close(fnp.trim_zeros(x, trim, axis), np.trim_zeros(x, trim, axis))
    close(fnp.trim_zeros(np.zeros(3), trim), np.trim_zeros(np.zeros(3), trim))
    with pytest.raises(ConcretizationTypeError, match="trim_zeros"):
        fl.jit(fnp.trim_zeros)(x)


def test_polydiv() -> None:
    u, v = rng.normal(size=6), rng.normal(size=3)
    q, r = fnp.polydiv(u, v)
    close(q, np.polydiv(u, v)[0], 1e-4)
    close(r[4:], np.polydiv(u, v)[1], 1e-3)
    close(fnp.polydiv([1.0, 3.0, 2.0], [1.0, 1.0], trim_leading_zeros=True), (np.array([1.0, 2.0]), np.zeros(0)))
    close(fnp.polydiv(v, u), (np.zeros(1), v))


def test_polyfit() -> None:
    x, y = np.linspace(-1, 1, 12), rng.normal(size=(12, 2))
    w = rng.uniform(0.5, 2, 12)
    with fl.config.default_dtypes(float="float64"):
        for values in (y, y[:, 0]):
            close(fnp.polyfit(x, values, 3), np.polyfit(x, values, 3))
            close(fnp.polyfit(x, values, 3, w=w), np.polyfit(x, values, 3, w=w))
            close(fnp.polyfit(x, values, 3, full=True)[:4], np.polyfit(x, values, 3, full=True)[:4])
            for cov in (True, "unscaled"):
                close(fnp.polyfit(x, values, 3, cov=cov), np.polyfit(x, values, 3, cov=cov))
        check_grads(lambda y: fnp.polyfit(x, y, 2), (y[:, 0],), 2)
    with pytest.raises(fl.errors.ArgumentError, match="degree"):
        fnp.polyfit(x, y, -1)


@pytest.mark.parametrize("density", [None, True])
@pytest.mark.parametrize(
    "bins, limits", [(4, None), ([3, 5], [(-1.0, 1.0), None]), ([3, np.array([-2.0, 0.0, 0.5, 3.0])], None)]
)
def test_histograms(bins: Any, limits: Any, density: bool | None) -> None:
    points = rng.normal(size=(200, 2)).astype(np.float32)
    w = rng.uniform(size=200).astype(np.float32)
    for weights in (None, w):
        close(
            fnp.histogram2d(points[:, 0], points[:, 1], bins, limits, weights, density),
            np.histogram2d(points[:, 0], points[:, 1], bins, limits, density, weights),
        )
        found, edges = fnp.histogramdd(points, bins, limits, weights, density)
        wanted, wanted_edges = np.histogramdd(points, bins, limits, density, weights)
        close(found, wanted)
        close(edges, wanted_edges)
    edges = np.array([-1.0, 0.0, 1.0])
    close(fnp.histogram2d(points[:, 0], points[:, 1], edges), np.histogram2d(points[:, 0], points[:, 1], edges))
    cube = rng.normal(size=(50, 3))
    close(fl.jit(lambda x: fnp.histogramdd(x, 3)[0])(cube), np.histogramdd(cube, 3)[0])


def test_vectorize() -> None:
    a, b = rng.normal(size=(2, 1, 3, 4)).astype("f4"), rng.normal(size=(5, 4)).astype("f4")
    product = fnp.vectorize(lambda a, b: a @ b, signature="(n,m),(m)->(n)")
    close(product(a, b), np.vectorize(lambda a, b: a @ b, signature="(n,m),(m)->(n)")(a, b))
    close(fl.jit(product)(a, b), product(a, b))
    both = fnp.vectorize(lambda x, y, power=1: (x + y, x * y**power), excluded={"power"})
    close(both(a[..., 0], b[:, :3], power=2), (a[..., 0] + b[:, :3], a[..., 0] * b[:, :3] ** 2))
    close(fnp.vectorize(lambda x, n: x * n, excluded={1})(b, 3), b * 3)
    close(fl.grad(lambda b: fnp.sum(product(a, b)))(b), np.broadcast_to(a.sum((0, 1, 2)), b.shape))
    for mistake, what in [
        (lambda: product(a, b[:, :3]), "long"),
        (lambda: product(a), "arguments"),
        (lambda: fnp.vectorize(lambda x: x, signature="(n)->()")(b), "result 0"),
        (lambda: fnp.vectorize(lambda x: x, signature="(n->()"), "signature"),
    ]:
        with pytest.raises(ValueError, match=what):
            mistake()
