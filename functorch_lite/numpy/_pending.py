"""Modules of primitives whose names may still be on their way: looked up when called. To be removed once all are there."""

from __future__ import annotations

import importlib
from typing import Any


class Pending:
    """A module, some of whose functions may not be there yet."""

    def __init__(self, module: str):
        self._module = module

    def __getattr__(self, name: str) -> Any:
        try:
            return getattr(importlib.import_module(self._module), name)
        except (AttributeError, ImportError):
            pass

        def late(*args: Any, **kwargs: Any) -> Any:
            return getattr(importlib.import_module(self._module), name)(*args, **kwargs)

        return late
