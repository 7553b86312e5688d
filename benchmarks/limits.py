"""What memory and arithmetic of this machine allow, and how far rows of elementwise operations and reductions are from it.

    python benchmarks/compiled.py --limits [--cores 1] [--rows softmax ...]

Memory: a row's arguments and results once each, at the speed of copying. Arithmetic: the scalar operations of its program once
each, as long as each takes in compiled code on data in the first-level cache, over the time of an addition there; what is cheaper
than that counts as half a multiply-add of a polynomial. Both are measured in the same run as the row.
"""

from __future__ import annotations

import math
import time
from collections.abc import Callable
from typing import Any

SMALL = 2048
"""Numbers that stay in the first-level cache."""
LARGE = 1 << 16
"""Of smaller arrays a call takes longer than the work."""
DEGREE = 32
"""Of the polynomial that measures multiply-adds."""


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
    """Seconds that the scalar operations of programs take on one core at the least; each kind is measured once."""

    def __init__(self) -> None:
        self.known: dict[Any, float] = {}
        self.cheapest = self.multiply_add() / 2

    def multiply_add(self) -> float:
        import functorch_lite as fl

        def polynomial(x: Any) -> Any:
            y = x
            for _ in range(DEGREE):
                y = y * x + 0.5
            return y

        return self.seconds(fl.jit(polynomial), [fl.numpy.linspace(0, 0.5, SMALL)]) / DEGREE

    def seconds(self, compiled: Callable[..., Any], operands: list[Any]) -> float:
        """Of a number of the result."""
        turns = 50
        compiled(*operands)
        return best(lambda: [compiled(*operands) for _ in range(turns)]) / turns / SMALL

    def alone(self, equation: Any) -> float:
        """The operation of an equation over small arrays."""
        import functorch_lite as fl

        operands = [fl.numpy.linspace(0.1, 0.9, SMALL).astype(a.type.dtype) for a in equation.operands]
        return self.seconds(fl.jit(lambda *xs: equation.primitive(*xs, **equation.params)), operands)

    def of(self, equation: Any) -> float:
        primitive, types = equation.primitive, [a.type for a in equation.operands]
        if not primitive.elementwise and primitive.combines is None:
            return 0.0
        size = max((t.size for t in (*types, *(v.type for v in equation.results))), default=0)
        key = (primitive.combines or primitive.name, *(t.dtype for t in types), str(equation.params))
        if primitive.combines is not None:
            return size * self.cheapest
        if key not in self.known:
            self.known[key] = max(self.cheapest, self.alone(equation) - self.known.get("add", 0.0))
        return size * self.known[key]

    def program(self, program: Any) -> float:
        """All equations of a program; an addition is measured first."""
        import functorch_lite as fl

        if "add" not in self.known:
            x = fl.numpy.linspace(0.1, 0.9, SMALL)
            self.known["add"] = self.seconds(fl.jit(lambda x, y: x + y), [x, x])
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


def report(names: list[str], cores: int, measured: Callable[[str], float]) -> None:
    """Print the machine's speed, and for each row its time over what either limit allows."""
    speeds = machine()
    for what, value in speeds.items():
        print(f"{what}: {value:.1f}")
    arithmetic = Arithmetic()
    print(f"\nmultiply-adds in a nanosecond, one core: {0.5e-9 / arithmetic.cheapest:.1f}\n")
    print("| row | ours, ms | memory allows | arithmetic allows | ours / the larger |\n| --- | --- | --- | --- | --- |")
    for name in names:
        program = program_of(name)
        if program is None:
            continue
        by_memory = bytes_of(program) / speeds["memory, GB/s"] / 1e9
        by_arithmetic = arithmetic.program(program) / cores
        ours = measured(name)
        numbers = [f"{x * 1e3:.3g}" for x in (ours, by_memory, by_arithmetic)]
        print("|", " | ".join([name, *numbers, f"{ours / max(by_memory, by_arithmetic):.2f}"]), "|", flush=True)
