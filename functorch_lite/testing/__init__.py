"""Checks of functions, primitives and backends: for our own tests, and for the authors of primitives and backends.

  check_grads, check_jvp, check_vjp     derivatives against finite differences
  check_transpose                       the transpose of a linear function, by inner products
  check_vmap                            a vmapped function against a loop
  check_jit, check_programs             compiled against eager; every program on the way against the grammar
  conformance                           the whole op table on a backend; `python -m functorch_lite.testing BACKEND`

All raise `AssertionError` with what was found, what was expected and where.
"""

from .closeness import assert_close, assert_same_bits, tolerance
from .conformance import Report, conformance
from .derivatives import check_grads, check_jvp, check_transpose, check_vjp
from .equivalence import check_jit, check_programs, check_vmap
from .table import CHECKS, Case, Unsupported, applies, find_rows, run_check

__all__ = [
    "CHECKS",
    "Case",
    "Report",
    "Unsupported",
    "applies",
    "assert_close",
    "assert_same_bits",
    "check_grads",
    "check_jit",
    "check_jvp",
    "check_programs",
    "check_transpose",
    "check_vjp",
    "check_vmap",
    "conformance",
    "find_rows",
    "run_check",
    "tolerance",
]
