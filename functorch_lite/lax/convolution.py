"""Convolutions with JAX's arguments: dimension numbers, "SAME" and "VALID", transposed ones."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any, NamedTuple

from .. import dtypes
from ..errors import ArgumentError, ShapeError
from ..primitives.convolution import conv as conv_p
from ..primitives.convolution import dilated_length
from ..primitives.slicing import rev
from ..primitives.structural import move_batch, reshape, transpose
from ..promotion import as_operand, cast

__all__ = [
    "ConvDimensionNumbers",
    "conv",
    "conv_dimension_numbers",
    "conv_general_dilated",
    "conv_transpose",
    "conv_with_general_padding",
    "padtype_to_pads",
]


class ConvDimensionNumbers(NamedTuple):
    """Positions of (batch, channels, *space) in x, (outputs, channels, *window) in w, (batch, outputs, *space) in the result."""

    lhs_spec: tuple[int, ...]
    rhs_spec: tuple[int, ...]
    out_spec: tuple[int, ...]


def conv_dimension_numbers(
    lhs_shape: Sequence[int], rhs_shape: Sequence[int], dimension_numbers: Any
) -> ConvDimensionNumbers:
    """Dimension numbers from None (NC..., OI..., NC...), a triple of strings such as ("NHWC", "HWIO", "NHWC"), or themselves.

    >>> conv_dimension_numbers((1, 8, 8, 3), (3, 3, 3, 4), ("NHWC", "HWIO", "NHWC")).rhs_spec
    (3, 2, 0, 1)
    """
    n = len(lhs_shape)
    if isinstance(dimension_numbers, ConvDimensionNumbers):
        return dimension_numbers
    if dimension_numbers is None:
        return ConvDimensionNumbers(*(tuple(range(n)),) * 3)
    lhs, rhs, out = dimension_numbers
    if not all(isinstance(s, str) and len(s) == n for s in (lhs, rhs, out)):
        raise ShapeError(f"dimension_numbers are three strings of {n} letters, got {dimension_numbers!r}.")
    space = [c for c in rhs if c not in "OI"]

    def positions(text: str, first: str, second: str) -> tuple[int, ...]:
        if sorted(text) != sorted([first, second, *space]):
            raise ShapeError(
                f"dimension_numbers: {text!r} must hold {first}, {second} and {', '.join(space)} once each."
            )
        return (text.index(first), text.index(second), *(text.index(c) for c in space))

    return ConvDimensionNumbers(positions(lhs, "N", "C"), positions(rhs, "O", "I"), positions(out, "N", "C"))


def padtype_to_pads(
    in_shape: Sequence[int], window_shape: Sequence[int], window_strides: Sequence[int], padding: Any
) -> list[tuple[int, int]]:
    """The padding of each axis for "SAME", "SAME_LOWER" or "VALID".

    >>> padtype_to_pads((5,), (3,), (2,), "SAME")
    [(1, 1)]
    """
    name = padding.upper() if isinstance(padding, str) else padding
    if name == "VALID":
        return [(0, 0)] * len(in_shape)
    if name not in ("SAME", "SAME_LOWER"):
        raise ArgumentError(f"padding is {padding!r}, needed is 'SAME', 'SAME_LOWER', 'VALID' or a pair for each axis.")
    pads = []
    for n, k, s in zip(in_shape, window_shape, window_strides, strict=True):
        total = max(0, (-(-n // s) - 1) * s + k - n)
        half = total // 2 if name == "SAME" else total - total // 2
        pads.append((int(half), int(total - half)))
    return pads


def conv_general_dilated(
    lhs: Any,
    rhs: Any,
    window_strides: Sequence[int],
    padding: Any,
    lhs_dilation: Sequence[int] | None = None,
    rhs_dilation: Sequence[int] | None = None,
    dimension_numbers: Any = None,
    feature_group_count: int = 1,
    batch_group_count: int = 1,
    precision: Any = None,
    preferred_element_type: Any = None,
) -> Any:
    """Convolution with strides, padding, dilations of both operands, and groups.

    Args:
      lhs: the images, (n, channels, *space) unless `dimension_numbers` says otherwise.
      rhs: the windows, (outputs, channels / groups, *window).
      window_strides: a step for each axis of space.
      padding: "SAME", "VALID", or a pair (before, after) for each axis; negative ones cut.
      lhs_dilation: spacing of the elements of `lhs`.
      rhs_dilation: spacing of the elements of `rhs`.
      dimension_numbers: three strings such as ("NHWC", "HWIO", "NHWC"), or `ConvDimensionNumbers`.
      feature_group_count: into how many groups channels and outputs are divided.
      batch_group_count: into how many groups the batch and outputs are divided.
      precision: accepted for compatibility.
      preferred_element_type: the dtype of the result.

    Raises:
      ValueError: if shapes do not fit.

    >>> import functorch_lite as fl, functorch_lite.numpy as fnp
    >>> fl.lax.conv_general_dilated(fnp.ones((1, 1, 4, 4)), fnp.ones((2, 1, 3, 3)), (1, 1), "VALID").shape
    (1, 2, 2, 2)
    """
    x, w = as_operand(lhs), as_operand(rhs)
    if x.ndim != w.ndim or x.ndim < 2:
        raise ShapeError(f"convolution of {x.type} with {w.type}: needs operands of equal rank, at least 2.")
    if preferred_element_type is not None:
        wanted = dtypes.as_dtype(preferred_element_type)
        x, w = cast(x, wanted), cast(w, wanted)
    numbers = conv_dimension_numbers(x.shape, w.shape, dimension_numbers)
    x, w = (transpose(v, permutation=spec) for v, spec in ((x, numbers.lhs_spec), (w, numbers.rhs_spec)))
    n = x.ndim - 2
    left, right = tuple(lhs_dilation or (1,) * n), tuple(rhs_dilation or (1,) * n)
    strides = (window_strides,) * n if isinstance(window_strides, int) else tuple(window_strides)
    given = (strides, left, right) if isinstance(padding, str) else (strides, left, right, padding)
    if any(len(each) != n for each in given):
        raise ShapeError(
            f"convolution of {x.type} with {w.type}: there are {n} axes of space, and a stride, a padding and two dilations are "
            f"needed for each; got window_strides={window_strides!r}, padding={padding!r}, lhs_dilation={lhs_dilation!r}, "
            f"rhs_dilation={rhs_dilation!r}."
        )
    if isinstance(padding, str):
        spaces = [dilated_length(m, d) for m, d in zip(x.shape[2:], left, strict=True)]
        reach = [dilated_length(m, d) for m, d in zip(w.shape[2:], right, strict=True)]
        padding = padtype_to_pads(spaces, reach, strides, padding)
    groups = feature_group_count
    if batch_group_count > 1:
        if feature_group_count > 1 or x.shape[0] % batch_group_count:
            raise ShapeError(
                f"convolution of {x.type} in {batch_group_count} groups of the batch: they must divide it."
            )
        x, groups = _groups_as_channels(x, batch_group_count), batch_group_count
    out = conv_p(
        x,
        w,
        strides=strides,
        padding=tuple((int(a), int(b)) for a, b in padding),
        lhs_dilation=left,
        rhs_dilation=right,
        groups=groups,
    )
    back = [0] * out.ndim
    for i, p in enumerate(numbers.out_spec):
        back[p] = i
    return transpose(out, permutation=tuple(back))


def _groups_as_channels(x: Any, count: int) -> Any:
    """Images whose groups of the batch are moved to the channels: convolution in groups of these is the same."""
    parts = move_batch(reshape(x, shape=(count, x.shape[0] // count, *x.shape[1:])), 0, 1)
    return reshape(parts, shape=(parts.shape[0], count * parts.shape[2], *parts.shape[3:]))


def conv(
    lhs: Any,
    rhs: Any,
    window_strides: Sequence[int],
    padding: Any,
    precision: Any = None,
    preferred_element_type: Any = None,
) -> Any:
    """`conv_general_dilated` of (n, channels, *space) with (outputs, channels, *window)."""
    return conv_general_dilated(lhs, rhs, window_strides, padding, preferred_element_type=preferred_element_type)


def conv_with_general_padding(
    lhs: Any,
    rhs: Any,
    window_strides: Sequence[int],
    padding: Any,
    lhs_dilation: Sequence[int] | None,
    rhs_dilation: Sequence[int] | None,
    precision: Any = None,
    preferred_element_type: Any = None,
) -> Any:
    """`conv_general_dilated` in the standard layout, with dilations."""
    return conv_general_dilated(
        lhs, rhs, window_strides, padding, lhs_dilation, rhs_dilation, preferred_element_type=preferred_element_type
    )


def conv_transpose(
    lhs: Any,
    rhs: Any,
    strides: Sequence[int],
    padding: Any,
    rhs_dilation: Sequence[int] | None = None,
    dimension_numbers: Any = None,
    transpose_kernel: bool = False,
    precision: Any = None,
    preferred_element_type: Any = None,
    use_consistent_padding: bool = False,
) -> Any:
    """The "transposed" convolution: `lhs` dilated by the strides, for upsampling.

    Args:
      lhs: the images.
      rhs: the windows.
      strides: how much larger the result is, for each axis of space.
      padding: "SAME", "VALID", or a pair for each axis.
      rhs_dilation: spacing of the elements of `rhs`.
      dimension_numbers: as of `conv_general_dilated`; channels last if omitted.
      transpose_kernel: whether to turn the windows round and exchange their channels: then it is the gradient of a convolution.
      precision: accepted for compatibility.
      preferred_element_type: the dtype of the result.
      use_consistent_padding: whether pairs are meant as "SAME" and "VALID" are: the padding of the convolution that this is the
        transpose of. Else pairs pad `lhs` itself.
    """
    x, w = as_operand(lhs), as_operand(rhs)
    n = x.ndim - 2
    if dimension_numbers is None:
        letters = "DHW"[3 - n :]
        dimension_numbers = (f"N{letters}C", f"{letters}IO", f"N{letters}C")
    numbers = conv_dimension_numbers(x.shape, w.shape, dimension_numbers)
    dilation = tuple(rhs_dilation or (1,) * n)
    if isinstance(padding, str) or use_consistent_padding:
        window = [dilated_length(w.shape[p], d) for p, d in zip(numbers.rhs_spec[2:], dilation, strict=True)]
        each = [padding] * n if isinstance(padding, str) else padding
        padding = [_transposed_pads(k, s, p) for k, s, p in zip(window, strides, each, strict=True)]
    if transpose_kernel:
        w = rev(w, dimensions=numbers.rhs_spec[2:])
        swapped = list(range(w.ndim))
        a, b = numbers.rhs_spec[:2]
        swapped[a], swapped[b] = b, a
        w = transpose(w, permutation=tuple(swapped))
    return conv_general_dilated(
        x, w, (1,) * n, padding, tuple(strides), dilation, numbers, preferred_element_type=preferred_element_type
    )


def _transposed_pads(k: int, s: int, padding: Any) -> tuple[int, int]:
    """What the transpose of a convolution with this padding, of windows k long and stride s, is padded with."""
    if not isinstance(padding, str):
        before, after = padding
        return k - 1 - before, k - 1 - after
    if padding.upper() == "SAME":
        total = k + s - 2
        before = k - 1 if s > k - 1 else -(-total // 2)
    elif padding.upper() == "VALID":
        total = k + s - 2 + max(k - s, 0)
        before = k - 1
    else:
        raise ArgumentError(f"padding is {padding!r}, needed is 'SAME', 'VALID' or a pair for each axis.")
    return before, total - before
