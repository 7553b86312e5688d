"""`python -m functorch_lite.primitives` prints the grid: which primitive has which rules."""

import importlib
import pkgutil

import functorch_lite.primitives

from .grid import grid_text

if __name__ == "__main__":
    for module in pkgutil.iter_modules(functorch_lite.primitives.__path__):
        if not module.name.startswith("__"):
            importlib.import_module(f"functorch_lite.primitives.{module.name}")
    print(grid_text())
