"""What memory and arithmetic of this machine allow, and how far rows of elementwise operations and reductions are from it.

    python benchmarks/compiled.py --limits [--cores 1] [--rows softmax ...]

Memory: a row's arguments and results once each, at the speed of copying. Arithmetic: the scalar operations of its program once
each, as long as each takes in compiled code on data in the first-level cache, over the time of an addition there; what is cheaper
than that counts as half a multiply-add of a polynomial. The row, a copy and a polynomial are timed in turns, and the median of the
turns' ratios is told, so that a change of the machine's speed meets all three.
"""

from __future__ import annotations

import math
import statistics
import time
from collections.abc import Callable
from contextlib import AbstractContextManager
from typing import Any

SMALL = 2048
"""Numbers that stay in the first-level cache."""
LARGE = 1 << 16
"""Of smaller arrays a call takes longer than the work."""
DEGREE = 32
"""Of the polynomial that measures multiply-adds."""
TURNS = 25
"""Of a row, a copy and a polynomial."""


def best(run: Callable[[], Any], repeats: int = 20) -> float:
    """The least seconds of a run."""
    found = math.inf
    for _ in range(repeats):
        start = time.perf_counter()
        run()
        found = min(found, time.perf_counter() - start)
    return found


def machine() -> dict[str, float]:
    """GB/s to and from large arrays, GFLOP/s of products of matrices (NumPy's and ours), exponentials in a nanosecond."""
    import numpy as np  # late: the number of threads is settled before anything loads BLAS

    import functorch_lite as fl

    big, square = np.ones(1 << 26, np.float32), np.random.default_rng(0).random((1024, 1024), np.float32)
    target, some = np.empty_like(big), fl.numpy.asarray(big[: 1 << 16])
    product, exponential = fl.jit(lambda x: x @ x), fl.jit(fl.numpy.exp)
    array = fl.numpy.asarray(square)
    for run in (lambda: product(array), lambda: exponential(some)):
        run()
    return {
        "memory, GB/s": 2 * big.nbytes / best(lambda: np.copyto(target, big)) / 1e9,
        "NumPy's product of matrices, GFLOP/s": 2 * 1024**3 / best(lambda: square @ square) / 1e9,
        "our product of matrices, GFLOP/s": 2 * 1024**3 / best(lambda: product(array)) / 1e9,
        "our exp, numbers in a nanosecond": some.size / best(lambda: exponential(some)) / 1e9,
    }


class Arithmetic:
    """What the scalar operations of programs take on one core at the least, in multiply-adds; each kind is measured once."""

    def __init__(self) -> None:
        import functorch_lite as fl

        def polynomial(x: Any) -> Any:
            y = x
            for _ in range(DEGREE):
                y = y * x + 0.5
            return y

        self.known: dict[Any, float] = {}
        self.unit = (fl.jit(polynomial), [fl.numpy.linspace(0, 0.5, SMALL)])
        x = fl.numpy.linspace(0.1, 0.9, SMALL)
        self.add = self.units(fl.jit(lambda x, y: x + y), [x, x])

    def multiply_add(self) -> float:
        """Seconds of one, now."""
        return self.seconds(*self.unit) / DEGREE

    def seconds(self, compiled: Callable[..., Any], operands: list[Any]) -> float:
        """Of a number of the result."""
        turns = 50
        return best(lambda: [compiled(*operands) for _ in range(turns)], 3) / turns / SMALL

    def units(self, compiled: Callable[..., Any], operands: list[Any]) -> float:
        """How many multiply-adds a number of the result takes as long as."""
        self.seconds(compiled, operands)
        return statistics.median(self.seconds(compiled, operands) / self.multiply_add() for _ in range(9))

    def alone(self, equation: Any) -> float:
        """The operation of an equation over small arrays."""
        import functorch_lite as fl

        operands = [fl.numpy.linspace(0.1, 0.9, SMALL).astype(a.type.dtype) for a in equation.operands]
        return self.units(fl.jit(lambda *xs: equation.primitive(*xs, **equation.params)), operands)

    def of(self, equation: Any) -> float:
        primitive, types = equation.primitive, [a.type for a in equation.operands]
        if not primitive.elementwise and primitive.combines is None:
            return 0.0
        size = max((t.size for t in (*types, *(v.type for v in equation.results))), default=0)
        if primitive.combines is not None or primitive.name == "add":
            return size / 2
        key = (primitive.name, *(t.dtype for t in types), str(equation.params))
        if key not in self.known:
            self.known[key] = max(0.5, self.alone(equation) - self.add)
        return size * self.known[key]

    def program(self, program: Any) -> float:
        """All equations of a program."""
        return sum(map(self.of, program.equations))


def program_of(name: str) -> Any:
    """A row's optimised program if it has elementwise operations, moves and reductions alone; else None."""
    from programs import ROWS

    import functorch_lite as fl
    from functorch_lite.passes import optimized

    function, args = ROWS[name](fl)
    args = fl.tree.map(fl.numpy.asarray, args)
    program = optimized(fl.jit(function).lower(*args).program, fl.default_backend())
    plain = all(e.primitive.element is not None or e.primitive.combines is not None for e in program.equations)
    large = any(a.type.size > LARGE for e in program.equations for a in (*e.operands, *e.results))
    return program if plain and large else None


def bytes_of(program: Any) -> int:
    """Of its arguments and results."""
    return sum(t.size * t.dtype.itemsize for t in (*program.in_types, *program.out_types))


def report(names: list[str], cores: int, serving: Callable[[str], AbstractContextManager[dict[str, Any]]]) -> None:
    """Print the machine's speed, and for each row its time over what either limit allows."""
    import numpy as np

    for what, value in machine().items():
        print(f"{what}: {value:.1f}")
    arithmetic = Arithmetic()
    big = np.ones(1 << 24, np.float32)
    target = np.empty_like(big)
    print(f"\nmultiply-adds in a nanosecond, one core: {1e-9 / arithmetic.multiply_add():.1f}\n")
    print("| row | ours, ms | memory allows | arithmetic allows | ours / the larger |\n| --- | --- | --- | --- | --- |")
    for name in names:
        program = program_of(name)
        if program is None:
            continue
        moved, units = bytes_of(program) / (2 * big.nbytes), arithmetic.program(program) / cores
        turns = []
        with serving(name) as served:
            for _ in range(TURNS):
                ours = served["ours"].seconds(3)
                by_memory = best(lambda: np.copyto(target, big), 2) * moved
                by_arithmetic = arithmetic.multiply_add() * units
                turns.append((ours, by_memory, by_arithmetic, ours / max(by_memory, by_arithmetic)))
        *times, ratio = (statistics.median(values) for values in zip(*turns, strict=True))
        print("|", " | ".join([name, *(f"{x * 1e3:.3g}" for x in times), f"{ratio:.2f}"]), "|", flush=True)
