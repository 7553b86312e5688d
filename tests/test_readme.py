"""What the README shows is what happens, and what the documents call missing is missing."""

from __future__ import annotations

import doctest
import importlib.util
import re
from pathlib import Path

ROOT = Path(__file__).parent.parent
README = ROOT / "README.md"
BLOCKS = re.findall(r"```python\n(.*?)```", README.read_text(), re.DOTALL)


def test_examples():
    source = "\n".join(block for block in BLOCKS if ">>>" in block)
    examples = doctest.DocTestParser().get_doctest(source, {}, "README", str(README), 0)
    runner = doctest.DocTestRunner(optionflags=doctest.ELLIPSIS | doctest.NORMALIZE_WHITESPACE)
    runner.run(examples)
    assert runner.summarize().failed == 0


def test_backend_of_the_readme_counts():
    (block,) = (b for b in BLOCKS if "CountingBackend" in b)
    names: dict = {}
    exec(block, names)
    import functorch_lite as fl
    import functorch_lite.numpy as fnp

    backend = names["CountingBackend"]()
    with fl.use_backend(backend):
        assert float(fl.grad(lambda x: fnp.sin(x) * x)(0.0)) == 0.0
    assert backend.calls["sin"] >= 1


def test_what_the_docs_call_missing_is_missing():
    text = (ROOT / "docs" / "differences_from_jax.md").read_text(encoding="utf-8").split("## Not there yet")[1]
    rows = re.findall(r"^\| (.+?) \| (.+) \|$", text, re.MULTILINE)
    assert len(rows) > 12
    for where, names in rows[1:]:
        inside = where.strip("`") if where.startswith("`") else ""
        module = importlib.import_module(f"functorch_lite.{inside}".rstrip("."))
        for name in re.findall(r"`(\w+)`", names):
            is_module = (
                hasattr(module, "__path__") and importlib.util.find_spec(f"{module.__name__}.{name}") is not None
            )
            there = is_module or hasattr(module, name)
            assert not there, f"{where}: {name} is there by now"
