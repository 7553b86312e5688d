"""The imports, read with `ast`, against the layers: a module imports from its own line, and from those above."""

from __future__ import annotations

import ast
import subprocess
import sys
from collections.abc import Iterator
from graphlib import CycleError, TopologicalSorter
from pathlib import Path

import pytest

ROOT = Path(__file__).parent.parent
CORE = "functorch_lite"

LAYERS = """
errors recent
dtypes dtype_lattice config tree tree_def tree_differences tree_flatten tree_nodes tree_paths tree_registration
array_type array_interface
tracing
primitive
program printing checking
lowering discovery backend
arrays
staging
primitives
promotion direct index_plan index_steps index_update indexing operators | passes
transforms
control
numpy lax random nn optim scipy tree_util debug devices ad_checkpoint custom_derivatives flatten_util ops
extend extend_passes testing __init__
"""
"""Each line imports from lines above it, and among itself; what `|` parts does not see each other."""

LAYER_OF = {name: n for n, line in enumerate(LAYERS.strip().splitlines()) for name in line.replace("|", "").split()}
PARTED = [[set(part.split()) for part in line.split("|")] for line in LAYERS.strip().splitlines() if "|" in line]


def modules(root: Path, package: str) -> dict[str, Path]:
    """Dotted names of a package's modules, and their files."""
    found = {}
    for path in sorted((root / package).rglob("*.py")):
        parts = path.relative_to(root).with_suffix("").parts
        found[".".join(parts)] = path
    return found


def imports(name: str, path: Path, known: dict[str, Path]) -> Iterator[tuple[str, ast.AST]]:
    """The full names of what a module imports; `from package import x` is module package.x where there is one."""
    package = name.removesuffix(".__init__").split(".")[: None if name.endswith(".__init__") else -1]
    for node in ast.walk(ast.parse(path.read_text(encoding="utf-8"))):
        if isinstance(node, ast.Import):
            for alias in node.names:
                yield alias.name, node
        elif isinstance(node, ast.ImportFrom):
            above = package[: len(package) - node.level + 1] if node.level else []
            base = ".".join([*above, *([node.module] if node.module else [])])
            for alias in node.names:
                inner = f"{base}.{alias.name}"
                yield (inner if inner in known or f"{inner}.__init__" in known else base), node


MODULES = modules(ROOT, CORE)


def top(name: str) -> str:
    """The part of a dotted name that the layers speak of."""
    parts = name.split(".")
    return parts[1] if len(parts) > 1 else "__init__"


def own_imports(name: str) -> set[str]:
    """The modules of the core that a module imports."""
    found = set()
    for target, _ in imports(name, MODULES[name], MODULES):
        if target.split(".")[0] == CORE:
            found.add(target if target in MODULES else f"{target}.__init__")
    return found - {name}


@pytest.mark.parametrize("name", MODULES)
def test_a_module_imports_only_from_layers_above(name: str) -> None:
    here = top(name)
    assert here in LAYER_OF, f"{name} is on no line of the layers: give it a place"
    for target in own_imports(name):
        there = top(target)
        if name.endswith("__main__") and target == f"{CORE}.{here}.__init__":
            continue
        assert LAYER_OF[there] <= LAYER_OF[here], f"{name} imports {target}, which lies on a layer below it"
        for parts in PARTED:
            for part in parts:
                others = set().union(*parts) - part
                assert not (here in part and there in others), f"{name} imports {target}: neither may see the other"


def listed(path: Path) -> set[str]:
    """What a module says it is for others."""
    for node in ast.parse(path.read_text(encoding="utf-8")).body:
        if isinstance(node, ast.Assign) and isinstance(node.targets[0], ast.Name) and node.targets[0].id == "__all__":
            return set(ast.literal_eval(node.value))
    return set()


def test_modules_of_the_backend_list_what_others_import() -> None:
    known = modules(ROOT / "backends", "functorch_lite_numpy")
    missing = set()
    for name, path in known.items():
        for target, node in imports(name, path, known):
            if (
                isinstance(node, ast.ImportFrom)
                and node.module
                and target.endswith(f".{node.module}")
                and target in known
            ):
                missing |= {(target, alias.name) for alias in node.names} - {(target, x) for x in listed(known[target])}
    assert not missing


def test_there_are_no_import_circles() -> None:
    graph = {name: own_imports(name) for name in MODULES}
    # A package's `__init__` gathers its modules for others; between them it is not needed, and does not count.
    for name, targets in graph.items():
        package = name.rsplit(".", 1)[0]
        graph[name] = {t for t in targets if t != f"{package}.__init__"}
    try:
        TopologicalSorter(graph).prepare()
    except CycleError as circle:
        pytest.fail(f"modules import each other in a circle: {' <- '.join(circle.args[1])}")


BACKENDS = {p.name: modules(ROOT / "backends", p.name) for p in sorted((ROOT / "backends").iterdir()) if p.is_dir()}
BACKENDS = {name: found for name, found in BACKENDS.items() if found}


@pytest.mark.parametrize("package, name", [(p, name) for p, found in BACKENDS.items() for name in found])
def test_a_backend_imports_only_extend(package: str, name: str) -> None:
    for target, _ in imports(name, BACKENDS[package][name], BACKENDS[package]):
        if target.split(".")[0].startswith("functorch_lite") and target.split(".")[0] != package:
            promised = (f"{CORE}.extend", f"{CORE}.extend_passes")
            assert target in promised, f"{name} imports {target}: a backend has {' and '.join(promised)}"


@pytest.mark.parametrize("name", MODULES)
def test_the_core_names_no_backend_package(name: str) -> None:
    text = MODULES[name].read_text(encoding="utf-8")
    assert not [package for package in BACKENDS if package in text]


ALL = MODULES | {name: path for found in BACKENDS.values() for name, path in found.items()}


@pytest.mark.parametrize("name", ALL)
def test_no_cached_property(name: str) -> None:
    """In Python 3.11 each has a lock, which a forked child may find taken for ever."""
    assert "cached_property" not in ALL[name].read_text(encoding="utf-8")


@pytest.mark.parametrize("name", ALL)
def test_no_late_import_of_our_own(name: str) -> None:
    """An import inside a function is for optional libraries only, or for a part of ours that needs one."""
    tree = ast.parse(ALL[name].read_text(encoding="utf-8"))
    optional = {
        node
        for attempt in ast.walk(tree)
        if isinstance(attempt, ast.Try)
        and any(isinstance(h.type, ast.Name) and h.type.id == "ImportError" for h in attempt.handlers)
        for node in attempt.body
    }
    for function in ast.walk(tree):
        if isinstance(function, (ast.FunctionDef, ast.AsyncFunctionDef, ast.Lambda)):
            for node in ast.walk(function):
                own = isinstance(node, ast.ImportFrom) and (node.level > 0 or (node.module or "").startswith(CORE))
                own = own or (isinstance(node, ast.Import) and any(a.name.startswith(CORE) for a in node.names))
                assert not own or node in optional, (
                    f"{name}:{node.lineno} imports a module of ours inside a function: move it to the top"
                )


@pytest.mark.parametrize("library", ["scipy", "llvmlite", "cupy"])
def test_importing_the_library_does_not_import(library: str) -> None:
    code = f"import sys, {CORE}; sys.exit({library!r} in sys.modules)"
    assert subprocess.run([sys.executable, "-c", code], cwd=ROOT, timeout=120, check=False).returncode == 0


def test_using_numpy_alone_does_not_import_scipy() -> None:
    use = "f = fl.numpy.tanh; fl.grad(f)(0.5); fl.jit(f)(0.5)"
    code = f"import sys, {CORE} as fl; {use}; sys.exit('scipy' in sys.modules)"
    assert subprocess.run([sys.executable, "-c", code], cwd=ROOT, timeout=120, check=False).returncode == 0
