"""What equations are solved for, and that the user's functions give such."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import Any

from ..arrays import type_of
from ..errors import TransformationError
from ..transforms.edges import operands_of
from ..tree import structure, unflatten
from .bodies import StagedBody, stage_flat

__all__ = ["Unknown"]


class Unknown:
    """A pytree that is like a given one.

    Attributes:
      operands: the leaves of the given one.
      tree: its structure.
    """

    def __init__(self, name: str, of: str, like: Any, has_aux: bool):
        """
        Args:
          name: of the public function, in errors.
          of: the name of its argument that is the given pytree.
          like: the pytree.
          has_aux: whether solvers give a pair of it and of auxiliary data.
        """
        self.name, self.of, self.has_aux = name, of, has_aux
        self.operands, self.tree = operands_of(like, f"an entry of {name}'s {of}")
        self._types = [type_of(x) for x in self.operands]
        self._in_tree = structure((like,))
        self._aux_tree: Any = None

    def staged(self, f: Callable[[Any], list[Any]], what: str) -> StagedBody:
        """A function of it that gives operands, as a program."""
        return stage_flat(f, self._in_tree, self._types, f"{self.name}'s {what}")

    def checked(self, values: Any, what: str) -> list[Any]:
        """The leaves of what the user's function `what` gave.

        Raises:
          TransformationError: if it is not like the given one.
        """
        xs, found = operands_of(values, f"what {what} gave {self.name}")
        if found != self.tree:
            raise TransformationError(
                f"{self.name}: {what} must give the structure of {self.of}, {self.tree}, got {found}."
            )
        for x, t in zip(xs, self._types, strict=True):
            if not t.matches(type_of(x)):
                raise TransformationError(
                    f"{self.name}: {what} must give the type of {self.of}, {t}, got {type_of(x)}: cast it."
                )
        return xs

    def solution(self, out: Any, what: str) -> list[Any]:
        """The leaves of what a solver gave, those of auxiliary data behind."""
        x, aux = out if self.has_aux else (out, ())
        values, self._aux_tree = operands_of(aux, f"auxiliary data of {self.name}")
        return [*self.checked(x, what), *values]

    def result(self, leaves: Sequence[Any]) -> Any:
        """What the user gets, of the leaves of a solution."""
        n = len(self.operands)
        x = unflatten(self.tree, leaves[:n])
        return (x, unflatten(self._aux_tree, leaves[n:])) if self.has_aux else x
