"""Steps: how an equation becomes native code. A table by the name of the primitive; what is not in it stays a NumPy call."""

from __future__ import annotations

import functools
from collections.abc import Mapping, Sequence
from typing import TYPE_CHECKING, Any, ClassVar

import numpy as np

from functorch_lite.extend import Atom, Equation, Program, has_dim
from functorch_lite.extend_passes import build

from . import scalars
from .memory import ON_STACK
from .sharing import SharedNest
from .structure import structure
from .types import kind_of, supported
from .unit import Unit

if TYPE_CHECKING:
    from .elements import Elements

from ..forking import imported

__all__ = [
    "ALL_KINDS",
    "STEPS",
    "FusionStep",
    "Step",
    "all_native",
    "fusible",
    "is_dear",
    "is_native",
    "step",
    "step_class",
]


ALL_KINDS = "biufhc"
"""Of the dtypes that code can at least move about."""


class Step:
    """Native code for one equation.

    Attributes:
      scratch: bytes of memory that it needs while it runs.
      view: whether it computes nothing: its result is its first operand, in another shape.
      kinds: of the dtypes that it knows (see `types.kind_of`).
      sequences: whether it knows arrays of a length that only the run decides (see `sequences.py`).
      operands: what it reads: the equation's operands, but for one whose elements it computes.
      clears: operands that it makes itself where they are zeros throughout.
      cleared: those of them that nobody else makes.
      computes: the operand of which it can compute the elements itself, where it needs them; its own operands take its place.
      computed: how it does.
      drafted: how much longer it takes in a draft, times its duration.
    """

    scratch: int = 0
    kinds: ClassVar[str] = "biuf"
    sequences: ClassVar[bool] = False
    view: ClassVar[bool] = False
    clears: ClassVar[Sequence[int]] = ()
    cleared: frozenset[int] = frozenset()
    computes: ClassVar[int | None] = None
    computed: Elements | None = None
    drafted: float = 0.4

    def pointer(self) -> Any:
        """Where the result lies already; None if it is yet to be computed."""
        return None

    def __init__(self, unit: Unit, equation: Equation):
        self.unit = unit
        self.equation = equation
        self.operands: list[Atom] = list(equation.operands)

    def compute(self, elements: Mapping[Any, Elements]) -> None:
        """Have it compute its operand itself if nobody else makes that."""
        k = self.computes
        if k is not None and self.operands[k] in elements:
            self.computed = elements[self.operands[k]]
            self.operands[k : k + 1] = self.computed.operands

    @property
    def duration(self) -> float:
        """About how many nanoseconds it takes, for one thread: within a factor of ten."""
        atoms = (*self.equation.operands, *self.equation.results)
        return 0.0 if self.view else float(sum(a.type.size for a in atoms))

    @property
    def loss(self) -> float:
        """About how many nanoseconds longer it takes in a draft, as far as the steps that it is made of do not tell that."""
        return self.drafted * self.duration

    @classmethod
    def accepts(cls, equation: Equation) -> bool:
        """Whether it can do this equation."""
        return True

    def overlays(self, k: int) -> Sequence[int]:
        """The operands whose memory result k may take, where nothing else needs that."""
        return ()

    def emit(self, b: Any, operands: Sequence[Any], results: Sequence[Any], scratch: Any) -> None:
        """Append the code.

        Args:
          b: the builder.
          operands, results: pointers to the buffers of what it reads and makes, row-major.
          scratch: a pointer to as much memory as asked for, aligned to 64 bytes.
        """
        raise NotImplementedError


class FusionStep(Step):
    """A fused group: its loop nest."""

    kinds = ALL_KINDS

    def __init__(self, unit: Unit, equation: Equation):
        super().__init__(unit, equation)
        params = dict(equation.params)
        same = structure(params.pop("program"))
        key = ("fusion", same, *params.values())
        self.nest = unit.shared(key, lambda: _nest_of(unit, equation)) if same else _nest_of(unit, equation)
        self.nest.users += 1
        self.scratch = self.nest.scratch

    @property
    def duration(self) -> float:
        return self.nest.duration

    def overlays(self, k: int) -> Sequence[int]:
        t = self.equation.results[k].type
        if t.size * t.dtype.itemsize <= ON_STACK:  # rather in registers than in the memory of another value
            return ()
        return self.nest.kernel.overlays.get(len(self.equation.operands) + k, ())

    @property
    def makes_zeros(self) -> bool:
        """Whether it does nothing but fill its result with zeros."""
        return not self.equation.operands and len(self.equation.results) == 1 and self.nest.is_zero

    def emit(self, b: Any, operands: Sequence[Any], results: Sequence[Any], scratch: Any) -> None:
        self.nest.emit(b, [*operands, *results], scratch)


def _nest_of(unit: Unit, equation: Equation) -> SharedNest:
    """The nest of a group; other groups may have the same."""
    nest = build(**equation.params)
    return unit.shared(("nest", str(nest), tuple(nest.types), tuple(nest.extents)), lambda: SharedNest(unit, nest))


class ConstantStep(Step):
    """An array known to the compiler: part of the code."""

    kinds = ALL_KINDS

    def pointer(self) -> Any:
        return self.unit.constant(np.asarray(self.equation.params["value"].array))


class ViewStep(Step):
    """A reshape: the same memory."""

    view = True
    kinds = ALL_KINDS


STEPS = {
    "argmax": "ordering.ArgExtremeStep",
    "argmin": "ordering.ArgMinStep",
    "checkpoint": "loops.CallStep",
    "cholesky": "lapack.CholeskyStep",
    "cond": "loops.CondStep",
    "constant": "steps.ConstantStep",
    "conv_general_dilated": "convolution.ConvStep",
    "cumlogsumexp": "ordering.LogSumExpStep",
    "cummax": "ordering.CumulativeMaxStep",
    "cummin": "ordering.CumulativeMinStep",
    "cumprod": "ordering.CumulativeProductStep",
    "cumsum": "ordering.CumulativeSumStep",
    "dot_general": "contraction.DotStep",
    "dynamic_update_slice": "indexing.UpdateSliceStep",
    "eigh": "lapack.EighStep",
    "fft": "fourier.FftStep",
    "fusion": "steps.FusionStep",
    "laid_out_conv": "convolution.ConvStep",
    "lu": "lapack.LUStep",
    "qr": "lapack.QRStep",
    "random_bits": "random_bits.BitsStep",
    "random_fold_in": "random_bits.FoldInStep",
    "random_gamma": "random_gamma.GammaStep",
    "random_normal": "random_bits.NormalStep",
    "random_split": "random_bits.SplitStep",
    "random_uniform": "random_bits.UniformStep",
    "reduce_max": "pair_reductions.PairReductionStep",
    "reduce_min": "pair_reductions.PairReductionStep",
    "reduce_prod": "pair_reductions.PairReductionStep",
    "reduce_window_max": "pooling.WindowStep",
    "reduce_window_min": "pooling.WindowStep",
    "reduce_window_sum": "pooling.WindowStep",
    "reshape": "steps.ViewStep",
    "scan": "loops.ScanStep",
    "scatter": "scattering.ScatterStep",
    "scatter_add": "scattering.ScatterAddStep",
    "scatter_max": "scattering.ScatterMaxStep",
    "scatter_min": "scattering.ScatterMinStep",
    "scatter_mul": "scattering.ScatterMulStep",
    "sort": "sorting.SortStep",
    "svd": "lapack.SVDStep",
    "top_k": "selecting.TopKStep",
    "triangular_solve": "lapack.TriangularSolveStep",
    "while": "loops.WhileStep",
    "window_pick": "pooling.WindowStep",
    "window_place": "pooling.WindowStep",
    "window_put": "pooling.WindowStep",
}
"""Primitive -> the class of its step and the module that has it, which is imported when a program needs it."""


@functools.cache
def step_class(primitive: str) -> type[Step] | None:
    """The class of a primitive's steps; None if there is none."""
    if primitive not in STEPS:
        return None
    module, name = STEPS[primitive].split(".")
    return getattr(imported(f".{module}", __package__), name)


def step(unit: Unit, equation: Equation) -> Step:
    found = step_class(equation.primitive.name)
    assert found is not None, f"{equation.primitive.name} has no native code"
    return found(unit, equation)


def is_native(equation: Equation) -> bool:
    """Whether there is native code for an equation."""
    if equation.effects:
        return False
    types = [a.type for a in (*equation.operands, *equation.results)]
    found = step_class(equation.primitive.name)
    if found is None or any(0 in t.shape or (has_dim(t.shape) and not found.sequences) for t in types):
        return False
    return all(kind_of(t.dtype) in found.kinds for t in types) and found.accepts(equation)


def all_native(program: Program) -> bool:
    """Whether there is native code for all equations, which make each sequence anew that the program gives."""
    sequences = [a for a in program.outputs if has_dim(a.type.shape)]
    made_anew = len(set(sequences).difference(program.inputs)) == len(sequences)
    return made_anew and all(map(is_native, program.equations))


def fusible(equation: Equation) -> bool:
    """Whether the elements of an equation's result can be computed one by one."""
    primitive = equation.primitive
    if primitive.multiple_results or equation.effects:
        return False
    types = [a.type for a in (*equation.operands, *equation.results)]
    for t in types:
        if 0 in t.shape or has_dim(t.shape):
            return False
    *given, result = [t.dtype for t in types]
    if primitive.elementwise:
        return primitive.element is not None and scalars.supports(primitive.scalar or primitive.name, given, result)
    if not all(map(supported, (*given, result))):
        return False
    return (
        primitive.element is not None if primitive.combines is None else scalars.reduces(primitive.combines, given[0])
    )


def is_dear(equation: Equation) -> bool:
    """Whether computing an element costs as much as many loads."""
    return equation.primitive.elementwise and scalars.is_dear(equation.primitive.scalar or equation.primitive.name)
