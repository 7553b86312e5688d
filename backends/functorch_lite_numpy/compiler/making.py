"""The modules that make machine code: what was found runs without them, and without LLVM."""

from __future__ import annotations

from typing import Any

from ..forking import imported

__all__ = ["import_makers", "making"]


def import_makers() -> None:
    """Import what any program needs."""
    imported(".compile", __package__)


def making(name: str) -> Any:
    """One of them. LLVM is loaded meanwhile."""
    imported(".engine", __package__).load_llvm()
    return imported(f".{name}", __package__)
