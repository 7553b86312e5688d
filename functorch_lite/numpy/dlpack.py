"""DLPack: the memory of arrays handed to other libraries, and of theirs taken, without a copy on the way out.

NumPy does it all but for bfloat16, which it does not know: that goes through NumPy as an unsigned integer, and the
code of the dtype in the capsule is exchanged.
"""

from __future__ import annotations

import ctypes
from typing import Any

import numpy as np

from .. import dtypes
from ..arrays import Array, read_only

__all__ = ["export", "export_device", "from_capsule"]

_UNSIGNED, _BFLOAT = 1, 4  # DLDataTypeCode
_POINTER = ctypes.sizeof(ctypes.c_void_p)
_DTYPE_AT = {b"dltensor": _POINTER + 12, b"dltensor_versioned": 3 * _POINTER + 28}
"""Where the code of the dtype is: after data, device and ndim, before which DLPack 1.0 has a version, two pointers, flags."""

_name_of = ctypes.pythonapi.PyCapsule_GetName
_name_of.restype, _name_of.argtypes = ctypes.c_char_p, [ctypes.py_object]
_pointer_of = ctypes.pythonapi.PyCapsule_GetPointer
_pointer_of.restype, _pointer_of.argtypes = ctypes.c_void_p, [ctypes.py_object, ctypes.c_char_p]


def _dtype_code(capsule: Any) -> ctypes.c_uint8:
    """The code of the dtype, in place."""
    name = _name_of(capsule)
    return ctypes.c_uint8.from_address(_pointer_of(capsule, name) + _DTYPE_AT[name])


def export(
    array: Array,
    *,
    stream: Any = None,
    max_version: tuple[int, int] | None = None,
    dl_device: Any = None,
    copy: bool | None = None,
) -> Any:
    """The capsule says that the memory is not to be written into, where the consumer knows of that (DLPack 1.0)."""
    given = {"stream": stream, "max_version": max_version, "dl_device": dl_device, "copy": copy}
    options = {k: v for k, v in given.items() if v is not None}
    buffer = array.buffer
    host: Any = np.asarray(buffer) if isinstance(buffer, np.generic) else buffer
    if not isinstance(host, np.ndarray):
        return host.__dlpack__(**options)
    if host.dtype != dtypes.bfloat16:
        return _guarded(host, options).__dlpack__(**options)
    capsule = _guarded(host.view(np.uint16), options).__dlpack__(**options)
    _dtype_code(capsule).value = _BFLOAT
    return capsule


def _guarded(host: np.ndarray, options: dict[str, Any]) -> np.ndarray:
    return read_only(host) if (options.get("max_version") or (0, 0)) >= (1, 0) else host


def export_device(array: Array) -> Any:
    """The device, in DLPack's terms."""
    buffer = array.buffer
    return np.asarray(buffer).__dlpack_device__() if isinstance(buffer, np.generic) else buffer.__dlpack_device__()


class _Bfloat16AsUnsigned:
    """Another library's array for NumPy: bfloat16 as u16."""

    def __init__(self, source: Any):
        self.source = source
        self.narrow = False

    def __dlpack__(self, **options: Any) -> Any:
        capsule = self.source.__dlpack__(**options)
        code = _dtype_code(capsule)
        if code.value == _BFLOAT:
            code.value = _UNSIGNED
            self.narrow = True
        return capsule

    def __dlpack_device__(self) -> Any:
        return self.source.__dlpack_device__()


def from_capsule(x: Any) -> np.ndarray:
    """A host array that shares the memory of what has the protocol."""
    source = _Bfloat16AsUnsigned(x)
    host = np.from_dlpack(source)
    return host.view(dtypes.bfloat16) if source.narrow else host
