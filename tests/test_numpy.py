"""The functions of `functorch_lite.numpy` against NumPy's values; dtypes as JAX has them; gradients by finite differences."""

from __future__ import annotations

import warnings
from typing import Any

import numpy as np
import pytest

import functorch_lite as fl
import functorch_lite.numpy as fnp
from functorch_lite.errors import ConcretizationTypeError

rng = np.random.default_rng(0)
A = rng.normal(size=(3, 4)).astype(np.float32)
T = rng.normal(size=(2, 3, 4)).astype(np.float32)
V = rng.normal(size=4).astype(np.float32)
I = rng.integers(-5, 6, (3, 4)).astype(np.int32)  # noqa: E741
J = rng.integers(0, 4, (3, 2)).astype(np.int32)
B, M = A > 0, A > -0.5
C = (A + 1j * A[::-1]).astype(np.complex64)
N = A.copy()
N[0, 1] = N[2, 2] = np.nan
NAMES = {"np": np, "A": A, "T": T, "V": V, "I": I, "J": J, "B": B, "M": M, "C": C, "N": N}

CALLS = """
m.sum(A)
m.sum(A,0)
m.sum(A,(0,1),keepdims=True)
m.sum(A,where=M)
m.sum(I)
m.sum(B)
m.sum(A,initial=2.)
m.sum(A,axis=-1,dtype=np.float64)
m.prod(A)
m.prod(I,1)
m.mean(A)
m.mean(I,0)
m.mean(A,where=M)
m.mean(A,axis=(0,),keepdims=True)
m.var(A)
m.var(A,0,ddof=1)
m.std(I,1)
m.var(A,where=M)
m.var(C)
m.std(A,axis=1,keepdims=True)
m.max(A)
m.max(I,1)
m.min(A,0,keepdims=True)
m.max(A,initial=0.,where=M)
m.min(B)
m.max(B,0)
m.ptp(A,1)
m.argmax(A)
m.argmin(A,0)
m.argmax(A,1,keepdims=True)
m.all(B)
m.any(B,0)
m.all(A,1)
m.count_nonzero(I,0)
m.nansum(N)
m.nanmean(N,0)
m.nanmax(N,1)
m.nanmin(N)
m.nanvar(N)
m.nanstd(N,0)
m.nanprod(N,1)
m.nanargmax(N)
m.nanargmin(N,1)
m.nancumsum(N)
m.nancumprod(N,1)
m.nanmedian(N)
m.nanmedian(N,0)
m.nanquantile(N,0.3,1)
m.nanpercentile(N,30.)
m.cumsum(A)
m.cumsum(A,1)
m.cumprod(A,0)
m.cumsum(I,1)
m.cumulative_sum(A,axis=1,include_initial=True)
m.cumsum(B,0)
m.median(A)
m.median(A,0)
m.median(A,1,keepdims=True)
m.quantile(A,0.3)
m.quantile(A,np.array([0.1,0.7],np.float32),1)
m.quantile(A,0.3,0,method='lower')
m.quantile(A,0.3,0,method='nearest')
m.quantile(A,0.3,(0,1),method='higher',keepdims=True)
m.percentile(A,40,1)
m.quantile(N,0.5,1)
m.average(A)
m.average(A,1,weights=V)
m.average(A,weights=A)
m.cov(A)
m.cov(A,rowvar=False)
m.corrcoef(A)
m.cov(V,V[::-1])
m.cov(A,bias=True)
m.cov(A,aweights=np.abs(V))
m.cov(A,fweights=np.array([1,2,3,1]))
m.reshape(A,(2,-1))
m.reshape(A,-1)
m.reshape(A,(4,3),order='F')
m.ravel(A)
m.ravel(A,order='F')
m.transpose(T)
m.transpose(T,(1,0,2))
m.swapaxes(T,0,2)
m.moveaxis(T,0,-1)
m.moveaxis(T,(0,1),(-1,-2))
m.rollaxis(T,2)
m.rollaxis(T,0,3)
m.expand_dims(A,(0,2))
m.squeeze(A[None])
m.broadcast_to(V,(3,4))
m.broadcast_arrays(V,A)
m.matrix_transpose(T)
m.concatenate([A,A])
m.concatenate([A,I],1)
m.concatenate([A,V],None)
m.stack([A,A],1)
m.vstack([V,A])
m.hstack([A,A])
m.hstack([V,V])
m.dstack([A,A])
m.column_stack([V,V])
m.append(A,V)
m.block([[A,A],[A,A]])
m.split(A,2,1)
m.split(A,[1,3],1)
m.array_split(V,3)
m.hsplit(A,2)
m.vsplit(A,[1])
m.tile(A,2)
m.tile(V,(2,2))
m.repeat(A,2)
m.repeat(A,3,1)
m.repeat(A,np.array([1,0,2]),0)
m.roll(A,1)
m.roll(A,(1,-2),(0,1))
m.roll(A,1,1)
m.flip(A)
m.flip(A,0)
m.fliplr(A)
m.flipud(A)
m.rot90(A)
m.rot90(A,2)
m.rot90(A,3)
m.resize(A,(5,3))
m.atleast_1d(3.)
m.atleast_2d(V)
m.atleast_3d(A)
m.unstack(A,axis=1)
m.take(A,np.array([0,2]),1)
m.take_along_axis(A,J,1)
m.delete(A,1,0)
m.delete(A,np.array([0,2]),1)
m.insert(A,1,5.,1)
m.insert(V,np.array([0,2]),np.array([7.,8.],np.float32))
m.insert(A,1,V,0)
m.delete(V,slice(0,2))
m.pad(A,1)
m.pad(A,((1,2),(0,3)),mode='edge')
m.pad(A,2,mode='reflect')
m.pad(A,(2,3),mode='symmetric')
m.pad(A,3,mode='wrap')
m.pad(A,(1,2),mode='mean')
m.pad(A,(1,2),mode='maximum')
m.pad(A,1,mode='minimum')
m.pad(A,2,mode='median')
m.pad(A,2,mode='linear_ramp',end_values=5.)
m.pad(A,1,constant_values=((1.,2.),(3.,4.)))
m.pad(V,5,mode='reflect',reflect_type='odd')
m.pad(V,5,mode='symmetric',reflect_type='odd')
m.pad(V,2,mode='mean',stat_length=2)
m.pad(V,(7,9),mode='reflect')
m.pad(I,2,mode='linear_ramp')| m.pad(I,2,mode='mean')
m.zeros((2,3),np.float32)
m.ones(3,np.int32)
m.full((2,),7.,np.float32)
m.zeros_like(A)
m.ones_like(I)
m.full_like(A,2)
m.arange(5,dtype=np.int32)
m.arange(1,7,2,dtype=np.float32)
m.arange(0.,1.,.1)
m.arange(5,0,-2)
m.linspace(0,1,7)
m.linspace(V,V+1,5,axis=1)
m.linspace(0,1,5,endpoint=False)
m.logspace(0,2,5)
m.geomspace(1,100,3)
m.eye(3,4,1)
m.identity(3)
m.diag(V)
m.diag(A,1)
m.diag(V,-2)
m.diagflat(A)
m.tri(3,4,1)
m.tril(A)
m.triu(A,1)
m.tril(T,-1)
m.meshgrid(V,V[:2])
m.meshgrid(V,V[:2],indexing='ij',sparse=True)
m.indices((2,3))
m.vander(V)
m.vander(V,3,increasing=True)
m.fromfunction(lambda i,j:i+j,(2,3),dtype=np.float32)
m.tril_indices(3)
m.triu_indices(3,1)
m.diag_indices(3)
m.asarray([[1,2],[3,4]])
m.array([1.,2.],dtype=np.int32)
m.dot(A,A.T)
m.dot(A,V)
m.dot(V,V)
m.dot(T,T[0].T)
m.matmul(A,A.T)
m.matmul(T,np.swapaxes(T,1,2))
m.matmul(A,np.swapaxes(T,1,2))
m.matmul(T,V)
m.matmul(V,np.swapaxes(T,1,2))
m.vdot(C,C)
m.vecdot(A,A)
m.inner(A,A)
m.outer(V,V)
m.tensordot(T,A,2)
m.tensordot(T,A,((1,2),(0,1)))
m.kron(A,V)
m.kron(V,V)
m.cross(A[:,:3],A[:,1:])
m.cross(A[:,:3],A[:,1:],axisc=0)
m.trace(A)
m.trace(I)
m.diagonal(A,1)
m.diagonal(T,0,1,2)
m.convolve(V,V)
m.convolve(V,V[:2],'same')
m.convolve(V,V[:3],'valid')
m.correlate(V,V[:2])
m.correlate(C[0],C[1][:3],'full')
m.correlate(V[:2],V,'same')
m.dot(B,B.T)
m.matmul(I,I.T)
m.einsum('ij,kj->ik',A,A)
m.einsum('ij->ji',A)
m.einsum('ii->i',A[:,:3])
m.einsum('ii',A[:,:3])
m.einsum('...j,j->...',T,V)
m.einsum('ij,jk,kl',A,A.T,A)
m.einsum('bij,bkj->bik',T,T)
m.einsum('i,j->ij',V,V)
m.einsum('...ij,...jk->...ik',T,np.swapaxes(T,1,2)[:1])
m.einsum(A,[0,1],V,[1],[0])
m.einsum('ij->',A)
m.einsum('ijk,ijk->',T,T)
m.einsum('ij,ij,ij->j',A,A,A)
m.einsum('ab,cd,ab,cd->',A,A,A,A)
m.sort(A)
m.sort(A,0)
m.sort(A,None)
m.argsort(A)
m.argsort(A,0)
m.sort(N)
m.lexsort((V,V))
m.searchsorted(np.sort(V),A)
m.searchsorted(np.sort(V),V,side='right')
m.digitize(A,np.sort(V))
m.digitize(A,np.sort(V)[::-1].copy())
m.unique(I)
m.unique(I,return_index=True,return_inverse=True,return_counts=True)[1:]
m.unique(I,axis=0)
m.nonzero(I)
m.flatnonzero(I)
m.argwhere(B)
m.where(B,A,0.)
m.where(B)
m.bincount(np.array([0,2,2,5]))
m.bincount(np.array([0,2,2]),weights=V[:3],minlength=6)
m.histogram(A.ravel())
m.histogram(A,bins=4,range=(-1.,1.),density=True)
m.interp(A,np.sort(V),V)
m.interp(A,np.sort(V),V,left=0.,right=1.)
m.interp(A,V,V,period=2.)
m.select([A>0,A<-1],[A,A*2],9.)
m.choose(np.abs(I)%3,[A,A*2,A*3])
m.isin(I,np.array([1,2]))
m.intersect1d(I,np.array([1,2,3]))
m.union1d(I,np.array([11]))
m.setdiff1d(I,np.array([1]))
m.setxor1d(I,np.array([1,77]))
m.compress(np.array([True,False,True]),A,0)
m.extract(B,A)
m.partition(V,2)
m.diff(A)
m.diff(A,2,0)
m.diff(V,prepend=0.,append=V[:1])
m.ediff1d(V,to_end=V[:1])
m.gradient(V)
m.gradient(A)
m.gradient(V,np.array([0.,1.,3.,4.],np.float32))
m.gradient(A,2.,axis=1)
m.trapezoid(A)
m.trapezoid(V,np.sort(V))
m.unwrap(V*5)
m.polyval(V,A)
m.polyadd(V,V[:2])
m.polysub(V[:1],V)
m.polymul(V,V[:2])
m.polyder(V)
m.polyint(V)
m.poly(V)
m.bartlett(5)
m.blackman(5)
m.hamming(5)
m.hanning(5)
m.kaiser(5,2.)
m.apply_along_axis(lambda v: v*2,0,A)
m.apply_over_axes(m.sum,T,(0,2))
m.unravel_index(np.array([3,7]),(3,4))
m.ravel_multi_index((np.array([1,2]),np.array([0,3])),(3,4))
m.clip(A,-0.5,0.5)
m.clip(I,0,None)
m.round(A,2)
m.round(A*100,-1)
m.round(C,1)
m.power(I,2)
m.power(A,3)
m.power(I,np.abs(I))
m.array_equal(A,A)
m.array_equiv(A,A[0])
m.allclose(A,A)
m.nan_to_num(N,nan=3.)
m.angle(C)
m.abs(C)
m.sign(C)
m.heaviside(A,0.5)
m.piecewise(A,[A<0,A>=0],[lambda v:-v,lambda v:v])
m.ix_(np.array([0,1]),np.array([1]))
m.size(A)
m.shape(A)
m.ndim(A)
""".strip().splitlines()

UNARY = [
    "sin",
    "cos",
    "tan",
    "arcsin",
    "arccos",
    "arctan",
    "sinh",
    "cosh",
    "tanh",
    "arcsinh",
    "arccosh",
    "arctanh",
    "exp",
    "exp2",
    "expm1",
    "log",
    "log1p",
    "log2",
    "log10",
    "sqrt",
    "cbrt",
    "square",
    "abs",
    "fabs",
    "sign",
    "floor",
    "ceil",
    "trunc",
    "rint",
    "negative",
    "positive",
    "reciprocal",
    "deg2rad",
    "rad2deg",
    "sinc",
    "isnan",
    "isinf",
    "isfinite",
    "isposinf",
    "isneginf",
    "signbit",
    "real",
    "imag",
    "conj",
    "angle",
    "logical_not",
    "nan_to_num",
    "i0",
    "spacing",
    "isreal",
    "iscomplex",
    "round",
    "frexp",
    "modf",
    "bitwise_count",
    "invert",
]

BINARY = [
    "add",
    "subtract",
    "multiply",
    "divide",
    "floor_divide",
    "remainder",
    "fmod",
    "power",
    "float_power",
    "maximum",
    "minimum",
    "fmax",
    "fmin",
    "arctan2",
    "hypot",
    "logaddexp",
    "logaddexp2",
    "copysign",
    "nextafter",
    "heaviside",
    "equal",
    "not_equal",
    "less",
    "less_equal",
    "greater",
    "greater_equal",
    "logical_and",
    "logical_or",
    "logical_xor",
    "bitwise_and",
    "bitwise_or",
    "bitwise_xor",
    "left_shift",
    "right_shift",
    "gcd",
    "lcm",
    "divmod",
    "isclose",
    "ldexp",
]

OPERANDS = {"f32": A, "i32": I, "bool": B, "c64": C, "f64": A.astype(np.float64)}


def leaves(x: Any) -> list[Any]:
    return [leaf for item in x for leaf in leaves(item)] if isinstance(x, (tuple, list)) else [x]


def quietly(f: Any) -> Any:
    """The value of NumPy's function; the test is skipped where NumPy refuses."""
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        try:
            return f(np)
        except (TypeError, ValueError, AttributeError):
            pytest.skip("NumPy has no such call")


def check(ours: Any, theirs: Any, tol: float = 2e-5) -> None:
    ours, theirs = leaves(ours), leaves(theirs)
    assert len(ours) == len(theirs)
    for a, b in zip(ours, theirs, strict=True):
        assert np.shape(a) == np.shape(b)
        np.testing.assert_allclose(np.asarray(a), np.asarray(b), rtol=tol, atol=tol)


@pytest.mark.parametrize("call", CALLS)
def test_as_numpy(call: str) -> None:
    def function(m: Any) -> Any:
        return eval(call, {**NAMES, "m": m})

    check(function(fnp), quietly(function))


@pytest.mark.parametrize("name", UNARY)
@pytest.mark.parametrize("dtype", OPERANDS)
def test_unary(name: str, dtype: str) -> None:
    if name == "reciprocal" and dtype in ("i32", "bool"):
        pytest.skip("NumPy divides integers, we make floats of them")
    theirs = quietly(lambda m: getattr(m, name)(OPERANDS[dtype]))
    tol = 5e-3 if leaves(theirs)[0].dtype == np.float16 else 2e-5  # NumPy computes functions of booleans in 16 bits
    check(getattr(fnp, name)(OPERANDS[dtype]), theirs, tol)


@pytest.mark.parametrize("name", BINARY)
@pytest.mark.parametrize("dtype", ["f32", "i32", "f64", "c64"])
def test_binary(name: str, dtype: str) -> None:
    x = OPERANDS[dtype]
    y = np.abs(x[::-1]) + np.ones((), x.dtype) if dtype == "i32" else x[::-1].copy()
    theirs = quietly(lambda m: getattr(m, name)(x, y))
    check(getattr(fnp, name)(x, y), theirs, 1e-4)


@pytest.mark.parametrize(
    "call, dtype",
    [("m.sum(I)", "int32"), ("m.sum(B)", "int32"), ("m.sum(I.astype(np.int8))", "int32"), ("m.sum(I.astype(np.uint8))", "uint32"),
     ("m.mean(I)", "float32"), ("m.mean(A.astype(np.float16))", "float16"), ("m.cumsum(B)", "int32"), ("m.argmax(A)", "int32"),
     ("m.arange(3)", "int32"), ("m.arange(3.0)", "float32"), ("m.zeros(3)", "float32"), ("m.asarray([1, 2])", "int32"),
     ("m.asarray([1.0])", "float32"), ("m.true_divide(I, I)", "float32"), ("m.add(I, A)", "float32"), ("m.sin(I)", "float32"),
     ("m.abs(C)", "float32"), ("m.dot(B, B.T)", "bool"), ("m.add(B, B)", "bool"), ("m.linspace(0, 1, 3)", "float32"),
     ("m.floor(I)", "int32"), ("m.power(B, 2)", "int32"), ("m.sort(I)", "int32"), ("m.histogram(I)[0]", "float32")],
)  # fmt: skip
def test_dtypes(call: str, dtype: str) -> None:
    assert eval(call, {**NAMES, "m": fnp}).dtype == dtype


DIFFERENTIABLE = """
m.sin(x) * m.exp(x)
m.var(x)
m.std(x, 0)
m.max(x, 1)
m.prod(x, 0)
m.cumsum(x, 1)
m.cumprod(x, 0)
m.sort(x, 1)
m.median(x, 1)
m.quantile(x, 0.3)
x @ x.T
m.einsum('ij,kj,kl->il', x, x, x)
m.concatenate([x, 2 * x])
m.pad(x, 2, mode='reflect')
m.roll(x, 1, 0)
m.tril(x)
m.diagonal(x, 1)
m.hypot(x, 2.0)
m.logaddexp(x, 1.0)
m.sinc(x)
m.clip(x, -0.5, 0.5)
m.take_along_axis(x, m.asarray([[1], [2], [0]]), 1)
m.where(x > 0, x**2, 0)
m.kron(x, x)
m.linspace(x, 1, 3)
m.remainder(x, 0.7)
m.average(x, weights=m.abs(x))
m.cov(x)
m.convolve(x[0], x[1])
m.power(m.abs(x), 1.7)
m.ldexp(x, 2)
""".strip().splitlines()


@pytest.mark.parametrize("call", DIFFERENTIABLE)
def test_gradients(call: str) -> None:
    weights = rng.normal(size=1000)

    def function(x: Any) -> Any:
        out = fnp.ravel(eval(call, {**NAMES, "m": fnp, "x": x}))
        return fnp.sum(out * weights[: out.shape[0]])

    x, v, h = A.astype(np.float64), rng.normal(size=A.shape), 1e-6
    slope = (float(function(fnp.asarray(x + h * v))) - float(function(fnp.asarray(x - h * v)))) / (2 * h)
    for f in (function, fl.jit(function)):
        np.testing.assert_allclose(np.sum(np.asarray(fl.grad(f)(fnp.asarray(x))) * v), slope, rtol=1e-5, atol=1e-6)


METHODS = (
    """
x.sum(0); x.mean(); x.T; x.reshape(4, 3); x.reshape((2, 6)); x.ravel(); x.max(1); x.argmax(); x.clip(0, 1); x.round(1)
x.astype(np.int32)
x.swapaxes(0, 1); x.transpose(1, 0); x.std(ddof=1); x % 0.3; x // 0.3; x @ x.T; abs(x); x > 0; (x > 0) & (x < 1)
~(x > 0); 2**x; x**2
divmod(x, 2); x.cumsum(1); x.flatten(); x.dot(x.T); x.view(np.int32); x.itemsize; x.nbytes; x.trace(); x.tolist()
""".replace("\n", ";")
    .strip(";")
    .split(";")
)


@pytest.mark.parametrize("call", [c.strip() for c in METHODS])
def test_methods(call: str) -> None:
    check(eval(call, {"x": fnp.asarray(A), "np": np}), quietly(lambda m: eval(call, {"x": A, "np": np})))


def test_size_makes_the_shape_known() -> None:
    @fl.jit
    def f(x: Any) -> Any:
        return fnp.nonzero(x > 0, size=4, fill_value=-1)[0], fnp.unique(x, size=3), fnp.bincount(x, length=3)

    places, values, counts = f(fnp.asarray([0, 2, 2, 1, 0]))
    assert (places.tolist(), values.tolist(), counts.tolist()) == ([1, 2, 3, -1], [0, 1, 2], [2, 1, 2])
    with pytest.raises(ConcretizationTypeError, match="size"):
        fl.jit(fnp.nonzero)(fnp.arange(3))
