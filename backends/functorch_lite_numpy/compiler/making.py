"""The modules that make machine code, imported where there is some to make: what was found runs without them, and without LLVM."""

from __future__ import annotations

import importlib
from typing import Any

__all__ = ["making"]


def making(name: str) -> Any:
    """One of them. LLVM is loaded meanwhile."""
    importlib.import_module(".engine", __package__)  # first of all: it begins to load LLVM
    return importlib.import_module(f".{name}", __package__)
