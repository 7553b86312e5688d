"""`CupyBackend`: CuPy's namespace behind the backend interface, in its smallest form.

Without CuPy the import fails, and the core says how to install it; without a driver or a device, this says so.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import Any

import numpy as np

from functorch_lite.extend import Backend, BackendError, Namespace

__all__ = ["CupyBackend"]


def _special() -> Any:
    import cupyx.scipy.special  # on first use

    return cupyx.scipy.special


class CupyBackend(Backend):
    """Arrays in the memory of a GPU, computed by CuPy."""

    name = "cupy"

    def __init__(self) -> None:
        import cupy  # the backend exists to bring this in; whoever does not load it, does not import it

        self.cupy = cupy
        try:
            count = cupy.cuda.runtime.getDeviceCount()
        except cupy.cuda.runtime.CUDARuntimeError as error:
            raise BackendError(
                f"CuPy {cupy.__version__} is installed, but the CUDA driver does not answer: {error}. Install a driver for "
                "the GPU, or use the backend 'numpy'."
            ) from error
        if count == 0:
            raise BackendError("CuPy is installed, but there is no CUDA device here. Use the backend 'numpy'.")
        self.device_count = count
        super().__init__(Namespace(cupy, _special))

    @property
    def devices(self) -> Sequence[Any]:
        return [self.cupy.cuda.Device(i) for i in range(self.device_count)]

    def from_host(self, array: Any) -> Any:
        return self.cupy.array(array)

    def to_host(self, buffer: Any) -> np.ndarray:
        return self.cupy.asnumpy(buffer)

    def literal(self, value: np.generic) -> Any:
        return self.cupy.asarray(value)

    def device(self, buffer: Any) -> Any:
        return buffer.device

    def guard(self, run: Callable[..., Any]) -> Callable[..., Any]:
        return run  # CuPy computes on the GPU, which gives no floating-point warnings

    def synchronize(self, buffer: Any) -> None:
        with buffer.device:
            self.cupy.cuda.get_current_stream().synchronize()
