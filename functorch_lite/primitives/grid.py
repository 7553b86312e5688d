"""Which rules each primitive gives, and which it says by a marker that it does not have."""

from __future__ import annotations

from collections.abc import Iterable

from ..primitive import NotDifferentiable, NotLinear, Primitive, ZeroDerivative, registry
from .base import Elementwise

__all__ = ["gaps", "grid_text", "rules_of"]

MISSING = "MISSING"


def _overrides(primitive: Primitive, rule: str) -> bool:
    return getattr(type(primitive), rule) is not getattr(Primitive, rule)


def _value(p: Primitive) -> str:
    if p.subprograms:
        return "lower" if _overrides(p, "lower") else MISSING
    if p.stage is not None:
        return "staged"
    if p.evaluate is not None:
        return "evaluate"
    if isinstance(p, Elementwise) and p.namespace is not None:
        return f"xp.{p.namespace}"
    own_impl = isinstance(p, Elementwise) and p.own_impl is not None
    if own_impl or (_overrides(p, "impl") and type(p).impl is not Elementwise.impl):
        return "impl"
    return "expand" if p.expand is not None else MISSING


def _derivative(p: Primitive) -> str:
    if p.linearize is not None or p.own_linearize is not None:
        return "linearize"
    if isinstance(p, NotDifferentiable):
        return "raises"
    if isinstance(p, ZeroDerivative):
        return "zero"
    if isinstance(p, Elementwise) and type(p).jvp is Elementwise.jvp:
        return "zero" if p.derivatives is None else "jvp"
    return "jvp" if _overrides(p, "jvp") else MISSING


def _transpose(p: Primitive) -> str:
    if isinstance(p, NotLinear):
        return "not linear"
    if isinstance(p, Elementwise) and type(p).transpose is Elementwise.transpose:
        return "not linear" if p.transposes is None else "transpose"
    if p.stage is not None:
        return "staged"
    return "transpose" if _overrides(p, "transpose") else MISSING


def _method(p: Primitive, rule: str) -> str:
    if _overrides(p, rule):
        return rule
    return "staged" if p.stage is not None else MISSING


def rules_of(primitive: Primitive) -> dict[str, str]:
    """For each kind of rule: what the primitive gives, or its marker, or "MISSING".

    >>> from .structural import reshape
    >>> rules_of(reshape)
    {'type': 'infer', 'value': 'impl', 'derivative': 'jvp', 'transpose': 'transpose', 'batching': 'batch'}
    """
    return {
        "type": _method(primitive, "infer"),
        "value": _value(primitive),
        "derivative": _derivative(primitive),
        "transpose": _transpose(primitive),
        "batching": _method(primitive, "batch"),
    }


def gaps(primitive: Primitive) -> list[str]:
    """The kinds of rule that a primitive neither gives nor says it does not have."""
    return [kind for kind, rule in rules_of(primitive).items() if rule == MISSING]


def grid_text(primitives: Iterable[Primitive] | None = None) -> str:
    """A table of the rules: a line per primitive."""
    rows = {p.name: rules_of(p) for p in (registry.values() if primitives is None else primitives)}
    lines = [["primitive", *next(iter(rows.values()))]]
    lines += [[name, *rules.values()] for name, rules in sorted(rows.items())]
    widths = [max(len(line[i]) for line in lines) for i in range(len(lines[0]))]
    return "\n".join("  ".join(t.ljust(w) for t, w in zip(line, widths, strict=True)).rstrip() for line in lines)
