"""All that a backend's compiler may import besides `extend`: passes over programs, and loop nests."""

from .passes.algebra import rewrite_algebra
from .passes.contract import fold_transposes
from .passes.elements import build
from .passes.few_outputs import by_few_outputs
from .passes.fuse import fuse, fusion
from .passes.hoist import hoist
from .passes.nests import Affine, Load, Nest, Node, Phase, Reduction, Store
from .passes.real_parts import by_real_parts
from .passes.rewrite import by_rules, map_bodies
from .passes.spare import spare
from .passes.taps import by_taps
from .passes.totals import share_totals
from .passes.widen import widen

__all__ = [
    "Affine",
    "Load",
    "Nest",
    "Node",
    "Phase",
    "Reduction",
    "Store",
    "build",
    "by_few_outputs",
    "by_real_parts",
    "by_rules",
    "by_taps",
    "fold_transposes",
    "fuse",
    "fusion",
    "hoist",
    "map_bodies",
    "rewrite_algebra",
    "share_totals",
    "spare",
    "widen",
]
