"""What the array API standard asks of a namespace about itself: `x.__array_namespace__().__array_namespace_info__()`."""

from __future__ import annotations

from typing import Any

from .. import dtypes
from ..devices import devices
from ..errors import ArgumentError

__all__ = ["NamespaceInfo"]


class NamespaceInfo:
    """Capabilities, devices and dtypes of `functorch_lite.numpy`, by the names of the standard.

    >>> import functorch_lite.numpy as fnp
    >>> sorted(fnp.__array_namespace_info__().dtypes(kind="complex floating"))
    ['complex128', 'complex64']
    """

    def capabilities(self) -> dict[str, Any]:
        """Masks and shapes that depend on values work where the values are known: not under `jit`."""
        return {"boolean indexing": True, "data-dependent shapes": True, "max dimensions": 64}

    def default_device(self) -> Any:
        return devices()[0]

    def devices(self) -> list[Any]:
        return devices()

    def default_dtypes(self, *, device: Any = None) -> dict[str, Any]:
        """The dtypes of what is given none, here and now (see `functorch_lite.config`)."""
        return {
            "real floating": dtypes.default_float(),
            "complex floating": dtypes.default_complex(),
            "integral": dtypes.default_int(),
            "indexing": dtypes.default_int(),
        }

    def dtypes(self, *, device: Any = None, kind: str | tuple[str, ...] | None = None) -> dict[str, Any]:
        """The dtypes that the standard knows, by name.

        Args:
          device: all devices have the same.
          kind: such as "integral" or "real floating", or several of these; all if omitted.
        """
        kinds = tuple(dtypes.KINDS) if kind is None else (kind,) if isinstance(kind, str) else kind
        for k in kinds:
            if k not in dtypes.KINDS:
                raise ArgumentError(f"there is no kind of dtypes {k!r}: there are {', '.join(dtypes.KINDS)}.")
        known = (d for d in dtypes.BY_SHORT_NAME.values() if d not in (dtypes.float16, dtypes.bfloat16))
        return {d.name: d for d in known if any(dtypes.KINDS[k](d) for k in kinds)}
