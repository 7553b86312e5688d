"""`functorch_lite.numpy.fft`: discrete Fourier transforms along one axis or several, as `jax.numpy.fft` names them.

The forward transform of n numbers is y[k] = sum over j of x[j] exp(-2 pi i j k / n). `norm` says where the factor 1/n
goes: "backward" (the default): into the inverse transforms; "forward": into the forward ones; "ortho": its root into
both. Along an axis, `n` (or `s`, for each axis) is the length of the transform: longer axes are cut, shorter ones
filled up with zeros.
"""

from __future__ import annotations

import math
from collections.abc import Callable, Sequence
from typing import Any

import numpy as np

from .. import dtypes
from ..arrays import type_of
from ..errors import ArgumentError, DTypeError, ShapeError
from ..primitives import elementwise as e
from ..primitives.fft import fft as fft_p
from ..primitives.slicing import pad
from ..promotion import as_operand, cast
from .axes import axes_of, integer
from .operands import like, named
from .parts import conj
from .repeating import roll
from .shaping import moveaxis

__all__ = ["fftfreq", "fftshift", "ifftshift", "rfftfreq"]

_SCALES: dict[str, Callable[[int, bool], float]] = {
    "backward": lambda n, forward: 1.0,
    "ortho": lambda n, forward: n**-0.5 if forward else n**0.5,
    "forward": lambda n, forward: 1 / n if forward else float(n),
}
"""By what to multiply the transforms of the primitive, which divides backward ones by n."""


def _operand(name: str, x: Any, kind: str) -> Any:
    """An operand of the dtype that the transform of that kind takes; 16-bit floats become 32-bit ones."""
    v = as_operand(x, f"the operand of {name}")
    dtype = dtypes.to_inexact(v.dtype)
    if dtype.itemsize == 2:
        dtype = dtypes.as_dtype("float32")
    if kind == "rfft":
        if dtypes.is_complex(dtype):
            raise DTypeError(f"{name} needs real numbers, got {type_of(v)}: take fft, or the real part.")
        return cast(v, dtype)
    return cast(v, dtypes.complex_dtype(dtypes.real_dtype(dtype)))


def _fit(x: Any, lengths: Sequence[int]) -> Any:
    """`x` with its last axes cut or filled up with zeros to the given lengths."""
    rest = x.ndim - len(lengths)
    config = ((0, 0, 0),) * rest + tuple((0, n - m, 0) for n, m in zip(lengths, x.shape[rest:], strict=True))
    return pad(x, like(x, 0), config=config) if any(c[1] for c in config) else x


def _lengths(name: str, x: Any, s: Any, axes: tuple[int, ...], kind: str) -> tuple[int, ...]:
    """The lengths of the transform along `axes`."""
    if s is None:
        found = [x.shape[a] for a in axes]
        if kind == "irfft":
            found[-1] = 2 * (found[-1] - 1)
    else:
        found = [integer(name, "a length", n) for n in s]
        if len(found) != len(axes):
            raise ShapeError(f"{name} of {type_of(x)}: the lengths s={tuple(s)} and the axes {axes} differ in number.")
    if any(n < 1 for n in found):
        raise ShapeError(f"{name} of {type_of(x)} with lengths {tuple(found)}: they must be positive.")
    return tuple(found)


def _transform(name: str, kind: str, a: Any, s: Any, axes: Any, norm: str | None) -> Any:
    """The transform of that kind along axes, the last of which is the half one."""
    if norm not in (None, *_SCALES):
        raise ArgumentError(f"{name}: norm must be 'backward', 'ortho' or 'forward', got {norm!r}.")
    x = _operand(name, a, kind)
    if axes is None:
        axes = range(x.ndim) if s is None else range(x.ndim - len(s), x.ndim)
    axes = axes_of(name, axes, x.ndim)
    if not axes or (s is None and not x.size and kind in ("fft", "ifft")):
        return x
    lengths = _lengths(name, x, s, axes, kind)
    given = (*lengths[:-1], lengths[-1] // 2 + 1) if kind == "irfft" else lengths
    last = tuple(range(x.ndim - len(axes), x.ndim))
    y = fft_p(_fit(moveaxis(x, axes, last), given), fft_type=kind, fft_lengths=lengths)
    scale = _SCALES[norm or "backward"](math.prod(lengths), not kind.startswith("i"))
    y = y if scale == 1 else e.mul(y, like(y, scale))
    return moveaxis(y, last, axes)


_WHAT = {
    "fft": "The Fourier transform",
    "ifft": "The inverse Fourier transform",
    "rfft": "The Fourier transform of real numbers: the first n // 2 + 1 of its numbers, which say all",
    "irfft": "The inverse of `rfft`, real: from n // 2 + 1 numbers; `n` is 2 (m - 1) for m given ones by default",
}
_ARGS = """

    Args:
      a: an array; integers become floats{only}.
      {n}
      {axis}
      norm: "backward", "ortho" or "forward".

    Returns:
      {out}.

    Raises:
      ShapeError: if there is no such axis, or a length is not positive.
    """


def _documented(kind: str, n: str, axis: str, over: str = "") -> str:
    only = "; it must be real" if kind == "rfft" else ""
    out = "an array of real numbers" if kind == "irfft" else "an array of complex numbers"
    half = ", the last of them the half one" if over and "r" in kind else ""
    return f"{_WHAT[kind]}{over}{half}." + _ARGS.format(only=only, n=n, axis=axis, out=out)


def _one(kind: str) -> Callable[..., Any]:
    def function(a: Any, n: int | None = None, axis: int = -1, norm: str | None = None) -> Any:
        return _transform(kind, kind, a, None if n is None else (n,), (axis,), norm)

    return named(function, kind, _documented(kind, "n: the length of the transform.", "axis: along which axis."))


def _two(kind: str) -> Callable[..., Any]:
    name = f"{kind}2"

    def function(a: Any, s: Any = None, axes: Sequence[int] = (-2, -1), norm: str | None = None) -> Any:
        if not isinstance(axes, Sequence) or len(axes) != 2:
            raise ArgumentError(f"{name} has 2 axes, got {axes!r}: {kind}n takes any number.")
        return _transform(name, kind, a, s, axes, norm)

    texts = ("s: the lengths of the transform.", "axes: along which two axes.")
    return named(function, name, _documented(kind, *texts, " along two axes"))


def _several(kind: str) -> Callable[..., Any]:
    name = f"{kind}n"

    def function(a: Any, s: Any = None, axes: Sequence[int] | None = None, norm: str | None = None) -> Any:
        return _transform(name, kind, a, s, axes, norm)

    texts = (
        "s: the lengths of the transform.",
        "axes: along which axes; None: the last ones, as many as `s` has, or all.",
    )
    return named(function, name, _documented(kind, *texts, " along several axes"))


for _kind in _WHAT:
    for _made in (_one(_kind), _two(_kind), _several(_kind)):
        _made.__module__ = __name__
        globals()[_made.__name__] = _made
        __all__ += [_made.__name__]

_OTHER = {None: "forward", "backward": "forward", "forward": "backward", "ortho": "ortho"}


def hfft(a: Any, n: int | None = None, axis: int = -1, norm: str | None = None) -> Any:
    """The Fourier transform, real, of n numbers with Hermitian symmetry of which the first n // 2 + 1 are given.

    Args:
      a: an array.
      n: the length of the transform; by default 2 (m - 1) for m given numbers.
      axis: along which axis.
      norm: "backward", "ortho" or "forward".

    >>> import functorch_lite.numpy as fnp
    >>> fnp.fft.hfft(fnp.array([1.0, 2.0, 1.0])).tolist()
    [6.0, 0.0, -2.0, 0.0]
    """
    return _transform("hfft", "irfft", conj(a), None if n is None else (n,), (axis,), _OTHER.get(norm, norm))


def ihfft(a: Any, n: int | None = None, axis: int = -1, norm: str | None = None) -> Any:
    """The inverse of `hfft`: from n real numbers, n // 2 + 1 complex ones; arguments as of `hfft`.

    >>> import functorch_lite.numpy as fnp
    >>> fnp.fft.ihfft(fnp.array([6.0, 0.0, -2.0, 0.0])).real.tolist()
    [1.0, 2.0, 1.0]
    """
    return conj(_transform("ihfft", "rfft", a, None if n is None else (n,), (axis,), _OTHER.get(norm, norm)))


__all__ += ["hfft", "ihfft"]


def _frequencies(name: str, numbers: np.ndarray, n: int, d: Any, dtype: Any) -> Any:
    real = dtypes.default_float() if dtype is None else dtypes.as_dtype(dtype)
    step: Any = as_operand(d)
    if not dtypes.is_floating(real) or step.ndim:
        raise ArgumentError(f"{name} needs a floating dtype, and one number d: got {real.name} and {type_of(step)}.")
    return e.div(as_operand(numbers.astype(real)), cast(step * n, real))


def fftfreq(n: int, d: Any = 1.0, *, dtype: Any = None, device: Any = None) -> Any:
    """The frequencies of `fft`: 0, 1, ..., then the negative ones, over n d.

    Args:
      n: the length of the transform.
      d: the distance of samples.
      dtype: of the result; by default the default float.
      device: taken for JAX's sake.

    >>> import functorch_lite.numpy as fnp
    >>> fnp.fft.fftfreq(4).tolist()
    [0.0, 0.25, -0.5, -0.25]
    """
    n = integer("fftfreq", "n", n)
    return _frequencies("fftfreq", (np.arange(n) + n // 2) % n - n // 2, n, d, dtype)


def rfftfreq(n: int, d: Any = 1.0, *, dtype: Any = None, device: Any = None) -> Any:
    """The frequencies of `rfft`: 0, 1, ..., n // 2, over n d; arguments as of `fftfreq`.

    >>> import functorch_lite.numpy as fnp
    >>> fnp.fft.rfftfreq(4).tolist()
    [0.0, 0.25, 0.5]
    """
    n = integer("rfftfreq", "n", n)
    return _frequencies("rfftfreq", np.arange(n // 2 + 1), n, d, dtype)


def _shifted(name: str, x: Any, axes: Any, sign: int) -> Any:
    v = as_operand(x, f"the operand of {name}")
    chosen = axes_of(name, axes, v.ndim)
    return roll(v, tuple(sign * (v.shape[a] // 2) for a in chosen), chosen)


def fftshift(x: Any, axes: Any = None) -> Any:
    """The zero frequency moved to the middle: rolled by n // 2 along axes.

    Args:
      x: an array.
      axes: an axis, several, or None for all.

    >>> import functorch_lite.numpy as fnp
    >>> fnp.fft.fftshift(fnp.arange(5)).tolist()
    [3, 4, 0, 1, 2]
    """
    return _shifted("fftshift", x, axes, 1)


def ifftshift(x: Any, axes: Any = None) -> Any:
    """The inverse of `fftshift`, with the same arguments.

    >>> import functorch_lite.numpy as fnp
    >>> fnp.fft.ifftshift(fnp.arange(5)).tolist()
    [2, 3, 4, 0, 1]
    """
    return _shifted("ifftshift", x, axes, -1)
