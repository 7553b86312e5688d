"""The modules that make machine code: what was found runs without them, and without LLVM."""

from __future__ import annotations

import importlib
from typing import Any

__all__ = ["import_makers", "making"]


def import_makers() -> None:
    """Import what any program needs."""
    importlib.import_module(".compile", __package__)


def making(name: str) -> Any:
    """One of them. LLVM is loaded meanwhile."""
    importlib.import_module(".engine", __package__).load_llvm()
    return importlib.import_module(f".{name}", __package__)
