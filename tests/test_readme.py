"""What the README shows is what happens."""

from __future__ import annotations

import doctest
import re
from pathlib import Path

README = Path(__file__).parent.parent / "README.md"
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
