"""Why a jitted function was traced anew: what is new about a call, in words."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from ..array_type import ArrayType

__all__ = ["difference"]


def difference(name: str, key: Any, known: Sequence[Any]) -> str:
    """Why a call with the signature `key` was traced: what distinguishes it from the nearest of those known before."""
    if not known:
        return f"{name} was traced because it had not been called before."
    reasons = min((_reasons(key, other) for other in reversed(known)), key=len)
    return f"{name} was traced anew, compared with the nearest signature known, because " + "; ".join(reasons) + "."


def _reasons(key: Any, other: Any) -> list[str]:
    (tree, statics, defaults, *types, surroundings), (tree0, statics0, defaults0, *types0, surroundings0) = key, other
    reasons = []
    if tree != tree0:
        reasons.append(f"the arguments have the structure {tree}, not {tree0}")
    elif len(types) == len(types0):
        for i, (t, t0) in enumerate(zip(types, types0, strict=True)):
            if t != t0:
                reasons.append(f"array {i} of the arguments is {_type_text(t)}, not {_type_text(t0)}")
    if statics != statics0:
        reasons.append(f"the static arguments are {_static_text(statics)}, not {_static_text(statics0)}")
    if defaults != defaults0:
        reasons.append(f"the default dtypes are {defaults}, not {defaults0}")
    if surroundings != surroundings0:
        reasons.append(f"it ran under {surroundings!r}, not {surroundings0!r}")
    return reasons or ["it was forgotten (the cache is bounded), or holds values of an outer transformation"]


def _type_text(t: Any) -> str:
    if isinstance(t, ArrayType):
        return str(t)
    shape, dtype, weak = t
    return f"{'weak ' if weak else ''}{ArrayType(shape, dtype)}"


def _static_text(statics: Any) -> str:
    return ", ".join(f"{k}={v!r}" for k, _, v in statics[0]) if statics else "none"
