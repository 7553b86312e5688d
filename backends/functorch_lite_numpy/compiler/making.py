"""The modules that make machine code: what was found runs without them, and without LLVM."""

from __future__ import annotations

import importlib
from typing import Any

from ..forking import whole

__all__ = ["import_makers", "making"]


def import_makers() -> None:
    """Import what any program needs."""
    importlib.import_module(".compile", __package__)


def making(name: str) -> Any:
    """One of them. LLVM is loaded meanwhile."""
    with whole():  # a child would wait for ever for what a thread of its parent imports
        importlib.import_module(".engine", __package__).load_llvm()
        return importlib.import_module(f".{name}", __package__)
