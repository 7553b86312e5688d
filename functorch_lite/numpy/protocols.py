"""What lets arrays and tracers be used by others: NumPy's protocols, the array API, DLPack, pickle and copy.

`np.sin(x)` of an array or tracer is `functorch_lite.numpy.sin(x)`, so that a function written with plain `np.` calls can be
transformed as it stands.
"""

from __future__ import annotations

from typing import Any

import numpy as np

from .. import numpy as fnp
from ..arrays import Array, from_host
from ..backend import get
from ..devices import device_put
from ..errors import DTypeError, ImmutableArrayError, ProtocolError, TracerArrayConversionError
from ..operators import install_method
from ..tracing import Tracer
from ..tree import flatten
from . import dlpack

__all__ = ["install"]

_RENAMED = {"absolute": "abs", "divide": "true_divide", "conjugate": "conj", "round_": "round"}


def _ours(function: Any) -> Any:
    """The function of ours that stands for one of NumPy's or SciPy's, or None."""
    module = getattr(function, "__module__", None) or "numpy"
    face: Any = fnp
    for part in module.split(".")[1:]:
        if part in ("linalg", "fft"):
            face = getattr(face, part, None)
    name = getattr(function, "__name__", "")
    return getattr(face, name, None) or getattr(face, _RENAMED.get(name, ""), None)


def _has_tracer(*trees: Any) -> bool:
    return any(isinstance(x, Tracer) for x in flatten(trees)[0])


def _to_host(x: Any) -> Any:
    return np.asarray(x) if isinstance(x, Array) else x


def _listed(x: Any) -> Any:
    """A list of numbers as an array, also inside a list of arrays: NumPy's functions take them, ours do not."""
    if not isinstance(x, list):
        return x
    return list(map(_listed, x)) if any(isinstance(v, (Array, Tracer)) for v in x) else fnp.asarray(x)


def _array_ufunc(self: Any, ufunc: Any, method: str, *inputs: Any, **kwargs: Any) -> Any:
    ours = _ours(ufunc)
    if method == "at":
        if inputs[0] is not self and not isinstance(inputs[0], (Array, Tracer)):
            return ufunc.at(*map(_to_host, inputs))
        raise ImmutableArrayError(
            f"np.{ufunc.__name__}.at cannot change {self.type}, arrays are immutable: use "
            f"functorch_lite.numpy.{ufunc.__name__}.at(x, indices, ..., inplace=False), or x.at[indices]."
        )
    function = ours if method == "__call__" else getattr(ours, method, None)
    if function is not None and "out" not in kwargs and (method != "__call__" or not kwargs):
        return function(*(fnp.asarray(x) if isinstance(x, list) else x for x in inputs), **kwargs)
    if _has_tracer(inputs, kwargs):
        what = f"np.{ufunc.__name__}" + ("" if method == "__call__" else f".{method}")
        with_options = f" with {', '.join(kwargs)}" if kwargs else ""
        raise TracerArrayConversionError(
            f"{what}{with_options} was given a tracer of type {self.type}, and has no counterpart that could be traced: use "
            "functions of functorch_lite.numpy, or wrap the call in pure_callback."
        )
    out = kwargs.pop("out", None)
    if out is not None and any(isinstance(x, Array) for x in out):
        raise ImmutableArrayError("arrays are immutable: an Array cannot be the out= argument of a NumPy function.")
    if out is not None:
        kwargs["out"] = out
    return getattr(ufunc, method)(*map(_to_host, inputs), **kwargs)


def _array_function(self: Any, function: Any, types: Any, args: Any, kwargs: Any) -> Any:
    ours = _ours(function)
    if ours is not None:
        try:
            return ours(*args, **kwargs)
        except DTypeError:
            if not any(isinstance(x, list) for x in args):
                raise
            return ours(*map(_listed, args), **kwargs)
    if _has_tracer(args, kwargs):
        raise TracerArrayConversionError(
            f"np.{function.__name__} was given a tracer of type {self.type}, and has no counterpart that could be traced: "
            "use functions of functorch_lite.numpy, or wrap the call in pure_callback."
        )
    leaves, tree = flatten((args, kwargs))
    host_args, host_kwargs = tree.unflatten([_to_host(x) for x in leaves])
    return function(*host_args, **host_kwargs)


def _array_namespace(self: Any, *, api_version: str | None = None) -> Any:
    return fnp


def _unpickled(host: np.ndarray, weak_type: bool, backend: str) -> Array:
    return from_host(host[()] if host.ndim == 0 else host, get(backend), weak_type)


def _reduce(self: Array) -> Any:
    return _unpickled, (np.asarray(self), self.weak_type, self.backend.name)


def _copy(self: Any, memo: Any = None) -> Any:
    return fnp.copy(self)


def _to_device(self: Array, device: Any, /, *, stream: Any = None) -> Array:
    return device_put(self, device)


def _no_pickle(self: Tracer) -> Any:
    raise ProtocolError(
        f"a {type(self).__name__} of type {self.type} cannot be pickled: it stands for a value inside a function."
    )


def install() -> None:
    """Give arrays and tracers the methods of the protocols."""
    install_method("__array_ufunc__", _array_ufunc)
    install_method("__array_function__", _array_function)
    install_method("__array_namespace__", _array_namespace)
    install_method("__copy__", _copy)
    install_method("__deepcopy__", _copy)
    for name, method in {
        "__dlpack__": dlpack.export,
        "__dlpack_device__": dlpack.export_device,
        "__reduce__": _reduce,
        "to_device": _to_device,
    }.items():
        setattr(Array, name, method)
    Tracer.__reduce__ = _no_pickle  # type: ignore[method-assign]
