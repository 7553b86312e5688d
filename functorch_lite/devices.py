"""Where arrays are: moving them between backends, waiting for them, fetching them."""

from __future__ import annotations

from typing import Any

import numpy as np

from .arrays import Array, from_host
from .backend import Backend, default_backend, get
from .promotion import as_operand
from .tree import leaves
from .tree import map as tree_map

__all__ = ["block_until_ready", "device_get", "device_put", "devices"]


def devices(backend: str | Backend | None = None) -> list[Any]:
    """The devices of a backend (the default one if omitted)."""
    owner = default_backend() if backend is None else get(backend)
    return list(owner.devices)


def device_put(
    x: Any, device: str | Backend | None = None, *, donate: bool = False, may_alias: bool | None = None
) -> Any:
    """Arrays on another backend.

    Args:
      x: a pytree of arrays.
      device: the name of a backend, or a device of the default one, as in `devices()`; the default one if omitted.
      donate: whether arrays that have to be moved are given up where they were.
      may_alias: for JAX's sake; an array that is there already is given back as it is.

    >>> import functorch_lite as fl, numpy as np
    >>> fl.device_put(np.arange(3), "numpy")
    Array([0, 1, 2], dtype=int64)
    """
    owner = default_backend()
    if device is not None and device not in owner.devices:
        owner = get(device)

    def put(leaf: Any) -> Any:
        value = as_operand(leaf)
        if not isinstance(value, Array) or value.backend is owner:
            return value
        moved = from_host(value.backend.to_host(value.buffer), owner, value.weak_type)
        if donate:
            value.delete()
        return moved

    return tree_map(put, x)


def device_get(x: Any) -> Any:
    """Host arrays (NumPy's) with the values of a pytree of arrays."""
    return tree_map(lambda leaf: np.asarray(leaf) if isinstance(leaf, Array) else leaf, x)


def block_until_ready(x: Any) -> Any:
    """Wait until all arrays of a pytree are computed, and give it back."""
    for leaf in leaves(x):
        if isinstance(leaf, Array):
            leaf.backend.synchronize(leaf.buffer)
    return x
