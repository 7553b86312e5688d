"""What programs have in common that do the same: all but the variables.

It tells equal ones during a compilation. A fingerprint (`fingerprint.py`) tells them in other processes too, and takes longer.
"""

from __future__ import annotations

from collections.abc import Hashable

from functorch_lite.extend import Literal, Program

__all__ = ["structure"]


def structure(program: Program) -> Hashable:
    """What is equal for programs that do the same; None if a param of an equation cannot be hashed.

    The types of results need not be told: they follow from what they are computed from.
    """
    numbers = {v: i for i, v in enumerate(program.inputs)}
    equations = []
    for e in program.equations:
        operands = [(a.type, a.value.tobytes()) if isinstance(a, Literal) else numbers[a] for a in e.operands]
        for v in e.results:
            numbers[v] = len(numbers)
        equations.append((e.primitive, *operands, *e.params.items()))
    outputs = [a.value.tobytes() if isinstance(a, Literal) else numbers[a] for a in program.outputs]
    out = (program.in_types, tuple(equations), tuple(outputs))
    try:
        hash(out)
    except TypeError:
        return None
    return out
