"""`functorch_lite.lax`: the primitives by JAX's names, collectives and control flow."""

from ..control.associative_scan import associative_scan
from ..control.cond import cond, switch
from ..control.linear_solve import custom_linear_solve
from ..control.loops import fori_loop, map
from ..control.root import custom_root
from ..control.scan import scan
from ..control.while_loop import while_loop
from ..transforms.custom_jvp import stop_gradient
from . import linalg
from .compounds import *  # noqa: F403
from .compounds import __all__ as _compounds
from .convolution import (
    ConvDimensionNumbers,
    conv,
    conv_dimension_numbers,
    conv_general_dilated,
    conv_transpose,
    conv_with_general_padding,
    padtype_to_pads,
)
from .elementwise import *  # noqa: F403
from .elementwise import __all__ as _elementwise
from .fourier import FftType, fft
from .indexing import *  # noqa: F403
from .indexing import __all__ as _indexing
from .operations import *  # noqa: F403
from .operations import __all__ as _operations
from .parallel import all_gather, axis_index, axis_size, pmax, pmean, pmin, ppermute, pshuffle, psum, psum_scatter
from .reduction import reduce, reduce_window
from .shapes import *  # noqa: F403
from .shapes import __all__ as _shapes

__all__ = [
    "ConvDimensionNumbers",
    "FftType",
    "all_gather",
    "associative_scan",
    "axis_index",
    "axis_size",
    "cond",
    "conv",
    "conv_dimension_numbers",
    "conv_general_dilated",
    "conv_transpose",
    "conv_with_general_padding",
    "custom_linear_solve",
    "custom_root",
    "fft",
    "fori_loop",
    "linalg",
    "map",
    "padtype_to_pads",
    "pmax",
    "pmean",
    "pmin",
    "ppermute",
    "pshuffle",
    "psum",
    "psum_scatter",
    "reduce",
    "reduce_window",
    "scan",
    "stop_gradient",
    "switch",
    "while_loop",
    *_elementwise,
    *_indexing,
    *_compounds,
    *_operations,
    *_shapes,
]
