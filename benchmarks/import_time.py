"""Time of `import functorch_lite` over `import numpy`, in fresh processes.

python benchmarks/import_time.py [--rounds 15]
"""

from __future__ import annotations

import argparse
import os
import statistics
import subprocess
import sys
import tempfile
import time


def seconds(statement: str, cache: str) -> float:
    """Wall time of a fresh interpreter that runs a statement; compiled modules are kept in `cache`, as once installed."""
    environment = {k: v for k, v in os.environ.items() if k != "PYTHONDONTWRITEBYTECODE"}
    environment["PYTHONPYCACHEPREFIX"] = cache
    start = time.perf_counter()
    subprocess.run([sys.executable, "-c", statement], check=True, env=environment)
    return time.perf_counter() - start


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--rounds", type=int, default=15)
    rounds = parser.parse_args().rounds
    statements = ["pass", "import numpy", "import functorch_lite"]
    times: dict[str, list[float]] = {s: [] for s in statements}
    with tempfile.TemporaryDirectory() as cache:
        for s in statements:
            seconds(s, cache)
        for _ in range(rounds):
            for s in statements:
                times[s].append(seconds(s, cache))
    median = {s: statistics.median(found) for s, found in times.items()}
    for s in statements:
        print(f"{s:24} {median[s] * 1e3:8.1f} ms")
    print(f"over numpy               {(median['import functorch_lite'] - median['import numpy']) * 1e3:8.1f} ms")


if __name__ == "__main__":
    main()
