"""Pytrees: flatten and unflatten, structures, registration, key paths, mapping, errors."""

import collections
import copy
import dataclasses
import functools
import gc
import pickle
import re
import weakref
from collections import OrderedDict, defaultdict

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from functorch_lite import tree, tree_def, tree_nodes, tree_util

Point = collections.namedtuple("Point", "x y")


class SubPoint(Point):
    pass


class Box:
    """Registered without keys."""

    def __init__(self, *items, tag="tag"):
        self.items, self.tag = items, tag

    def __eq__(self, other):
        return isinstance(other, Box) and (self.items, self.tag) == (other.items, other.tag)

    __hash__ = None


tree_util.register_pytree_node(Box, lambda b: (b.items, b.tag), lambda tag, items: Box(*items, tag=tag))


@tree_util.register_pytree_with_keys_class
class Keyed:
    def __init__(self, a, b):
        self.a, self.b = a, b

    def tree_flatten_with_keys(self):
        return ((tree_util.GetAttrKey("a"), self.a), ("free", self.b)), None

    @classmethod
    def tree_unflatten(cls, aux, children):
        return cls(*children)


@tree_util.register_pytree_node_class
class Own:
    def __init__(self, a):
        self.a = a

    def tree_flatten(self):
        return [self.a], "aux"

    @classmethod
    def tree_unflatten(cls, aux, children):
        assert (aux, type(children)) == ("aux", tuple)
        return cls(*children)


@tree_util.register_dataclass
@dataclasses.dataclass
class Layer:
    weight: object
    name: str = tree.static(default="dense")


@tree_util.register_static
@dataclasses.dataclass(frozen=True)
class Static:
    n: int


# As JAX prints them.
STRUCTURES = [
    (1, "PyTreeDef(*)"),
    (None, "PyTreeDef(None)"),
    ((), "PyTreeDef(())"),
    ((1,), "PyTreeDef((*,))"),
    ([], "PyTreeDef([])"),
    ({}, "PyTreeDef({})"),
    ({"b": [1, None, (2,)], "a": 1}, "PyTreeDef({'a': *, 'b': [*, None, (*,)]})"),
    (Point(1, 2), "PyTreeDef(CustomNode(namedtuple[Point], [*, *]))"),
    (SubPoint(1, 2), "PyTreeDef(CustomNode(namedtuple[SubPoint], [*, *]))"),
    (OrderedDict(b=1, a=(2,)), "PyTreeDef(CustomNode(OrderedDict[('b', 'a')], [*, (*,)]))"),
    (defaultdict(list, a=1), "PyTreeDef(CustomNode(defaultdict[(<class 'list'>, ('a',))], [*]))"),
    (tree_util.Partial(max, 1, k=2), "PyTreeDef(CustomNode(Partial[<built-in function max>], [(*,), {'k': *}]))"),
    (Box(1, [2]), "PyTreeDef(CustomNode(Box[tag], [*, [*]]))"),
    (Layer(1.0), "PyTreeDef(CustomNode(Layer[('dense',)], [*]))"),
    ([Static(3)], "PyTreeDef([CustomNode(Static[Static(n=3)], [])])"),
    (type("Sub", (dict,), {})(a=1), "PyTreeDef(*)"),
    (type("Sub", (list,), {})([1]), "PyTreeDef(*)"),
    (type("Sub", (tuple,), {})([1]), "PyTreeDef(*)"),
]


@pytest.mark.parametrize("x, text", STRUCTURES, ids=[text for _, text in STRUCTURES])
def test_structures_print_as_in_jax(x, text):
    assert repr(tree.structure(x)) == text
    assert tree.structure(x) == tree.structure(copy.copy(x))


INTEGERS = st.integers()


def trees(leaf=INTEGERS):
    keys = st.one_of(st.text(max_size=3), st.sampled_from(["a", "b", "c"]))

    def extend(children):
        return st.one_of(
            st.lists(children, max_size=4),
            st.lists(children, max_size=4).map(tuple),
            st.dictionaries(keys, children, max_size=4),
            st.dictionaries(st.integers(-2, 2), children, max_size=3),
            st.dictionaries(st.sampled_from([True, False]), children, max_size=2),
            st.dictionaries(keys, children, max_size=3).map(lambda d: OrderedDict(reversed(d.items()))),
            st.dictionaries(keys, children, max_size=3).map(lambda d: defaultdict(int, d)),
            st.tuples(children, children).map(lambda t: Point(*t)),
            st.lists(children, max_size=2).map(lambda t: Box(*t)),
            st.builds(Layer, children, st.sampled_from(["p", "q"])),
            st.builds(Static, st.integers(0, 2)),
        )

    return st.recursive(st.one_of(leaf, st.none()), extend, max_leaves=12)


def exact(x):
    """Nested types and values: tells True from 1 and a list from a tuple."""
    kind = tree_nodes.kind_of(type(x))
    if kind is None:
        return type(x), x
    children, aux = kind.split(x)
    return type(x), repr(aux), [exact(c) for c in children]


@settings(deadline=None)
@given(trees())
def test_unflatten_undoes_flatten(x):
    leaves, treedef = tree.flatten(x)
    assert all(type(leaf) is int for leaf in leaves)
    again = tree.unflatten(treedef, leaves)
    assert exact(again) == exact(x)
    assert treedef.num_leaves == len(leaves)
    other, same = tree.flatten(again)
    assert other == leaves
    assert same == treedef
    assert hash(same) == hash(treedef)
    assert treedef.flatten_up_to(x) == leaves
    assert tree.leaves(x) == leaves
    assert tree.flatten(x, is_leaf=lambda _: False) == (leaves, treedef)
    assert [leaf for _, leaf in tree.flatten_with_path(x)[0]] == leaves
    assert tree.flatten_with_path(x)[1] == treedef
    assert exact(tree.map(lambda leaf: leaf, x)) == exact(x)
    assert exact(tree.map(lambda a, b: (a + b) // 2, x, x)) == exact(x)
    assert exact(tree.unflatten(pickle.loads(pickle.dumps(treedef)), leaves)) == exact(x)
    assert pickle.loads(pickle.dumps(treedef)) == treedef
    assert copy.copy(treedef) is copy.deepcopy(treedef) is treedef
    assert tree.broadcast_prefix(7, x) == [7] * len(leaves)
    assert tree.broadcast_prefix(x, x) == leaves


@settings(deadline=None)
@given(trees(), trees())
def test_equal_structures_are_those_that_flatten_each_other(x, y):
    a, b = tree.structure(x), tree.structure(y)
    assert (a == b) == (repr(a) == repr(b) or _equal_keys(a, b))
    try:
        parts = a.flatten_up_to(y)
    except ValueError:
        assert a != b
    else:
        # y begins as x does: putting the parts in the leaves' places gives y's structure.
        assert tree.structure(tree.unflatten(a, parts)) == b


def _equal_keys(a, b):
    """1 and True are equal keys, but print differently."""
    normal = [re.sub(r"\bTrue\b", "1", re.sub(r"\bFalse\b", "0", repr(t))) for t in (a, b)]
    return normal[0] == normal[1]


@settings(deadline=None)
@given(trees(), trees(st.just(0)))
def test_compose(outer, inner):
    a, b = tree.structure(outer), tree.structure(inner)
    assert a.compose(b) == tree.structure(tree.map(lambda _: inner, outer))
    assert a.compose(b).num_leaves == a.num_leaves * b.num_leaves


@settings(deadline=None)
@given(trees())
def test_key_paths_lead_to_the_leaves(x):
    def follow(x, key):
        match key:
            case tree_util.FlattenedIndexKey(i):
                return tree_util.flatten_one_level(x)[0][i]
            case tree_util.GetAttrKey(name):
                return getattr(x, name)
            case tree_util.DictKey(k) | tree_util.SequenceKey(k):
                return x[k]

    for path, leaf in tree.leaves_with_path(x):
        assert functools.reduce(follow, path, x) is leaf


# -- structures ------------------------------------------------------------------------------------------------------


def test_plain_structures_exist_once():
    def make():
        return {"b": [1, (2, None)], "a": Point(1, {})}

    assert tree.structure(make()) is tree.structure(make())
    assert tree.structure({"b": 1, "a": 2}) is tree.structure({"a": 1, "b": 2})
    assert pickle.loads(pickle.dumps(tree.structure(make()))) is tree.structure(make())
    assert tree.structure([0, 0]).compose(tree.structure((0,))) is tree.structure([(0,), (0,)])


def test_equal_keys_of_other_types_are_kept():
    for keys in ([1, 0], [True, False], [1.0, 0.0], [np.int64(1), np.int64(0)]):
        out = tree.map(lambda v: v, dict.fromkeys(keys, 5))
        assert [type(k) for k in out] == [type(keys[0])] * 2
        assert sorted(out) == sorted(keys)
    assert tree.structure({1: 0}) == tree.structure({True: 0})
    assert hash(tree.structure({1: 0})) == hash(tree.structure({True: 0}))
    out = tree.map(lambda v: v, [Layer(1, 1), Layer(1, True), Layer(1, 1.0)])
    assert [type(layer.name) for layer in out] == [int, bool, float]


def test_structures_do_not_keep_what_they_hold_alive():
    class Big:
        pass

    big = Big()
    alive = weakref.ref(big)

    def function(held=big):
        return held

    leaves, treedef = tree.flatten([tree_util.Partial(function, 1), {"a": Box(1, tag=big)}, {(1, 2): 3}])
    assert tree.unflatten(treedef, leaves)[1]["a"].tag is big
    del big, function, leaves, treedef
    gc.collect()
    assert alive() is None


def test_tables_stay_bounded():
    before = tree.structure({"a": (1, [2])})
    for i in range(20_000):
        tree.structure({f"key{i}": (1, 2)})
        if i % 1_000 == 0:  # what is in use stays
            assert tree.structure({"a": (1, [2])}) is before
    for table in (tree_def.known, tree_nodes._sorted_keys):
        assert len(table) <= table.half + 1
        assert len(table.old) <= table.half + 1
    assert hash(tree.structure({"a": (1, [2])})) == hash(before)
    assert before.flatten_up_to({"a": (1, [2])}) == [1, 2]
    for i in range(5_000):
        tree.structure(type(f"T{i}", (), {})())
    assert len(tree_nodes._kinds) <= tree_nodes._MANY + 1
    point = tree.structure(Point(1, 2))
    tree_nodes._kinds.clear()
    tree_nodes._kinds.update(tree_nodes._registered)
    assert tree.structure(Point(3, 4)) == point
    assert point.flatten_up_to(Point(3, 4)) == [3, 4]


def test_structures_are_immutable_values():
    treedef = tree.structure([1, (2,)])
    with pytest.raises(AttributeError):
        treedef.num_leaves = 3
    with pytest.raises(AttributeError):
        treedef.other = 3
    treedef.children().clear()
    assert treedef.num_leaves == 2
    assert treedef.num_nodes == 4
    assert treedef != tree.structure([1, [2]])
    assert treedef != "PyTreeDef([*, (*,)])"
    assert tree.structure(1) != treedef
    assert tree.structure(Box(1)) != tree.structure(Box(1, tag="other"))
    assert tree.structure(Box(1)) == tree.structure(Box(1))
    assert len({tree.structure(Box(1)), tree.structure(Box(2))}) == 1


def test_unhashable_auxiliary_data_is_allowed():
    a, b = tree.structure(Box(1, tag={"a": 1})), tree.structure(Box(1, tag={"a": 1}))
    assert a == b
    assert hash(a) == hash(b)
    assert a != tree.structure(Box(1, tag={"a": 2}))


def test_children_and_node_data():
    treedef = tree.structure({"b": [1], "a": 2})
    assert treedef.children() == tree_util.treedef_children(treedef) == [tree.structure(1), tree.structure([1])]
    assert treedef.node_data() == (dict, ["a", "b"])
    assert tree.structure([1]).node_data() == (list, None)
    assert tree.structure(None).node_data() == (type(None), None)
    assert tree.structure(1).node_data() is None
    assert tree.structure(1).children() == []
    assert tree.structure(Point(1, 2)).node_data() == (Point, None)
    assert tree.structure(OrderedDict(a=1)).node_data() == (OrderedDict, ("a",))
    assert tree.structure(defaultdict(int, a=1)).node_data() == (defaultdict, (int, ("a",)))
    assert tree.structure(Box(1)).node_data() == (Box, "tag")
    assert tree_util.treedef_tuple([tree.structure(1), tree.structure([2])]) == tree.structure((1, [2]))
    with pytest.raises(TypeError, match="PyTreeDef was needed"):
        tree_util.treedef_tuple([1])
    assert tree_util.treedef_is_leaf(tree.structure(1))
    assert not tree_util.treedef_is_leaf(tree.structure(None))


@pytest.mark.parametrize("depth", [300, 990, 3000])
@pytest.mark.parametrize("wrap", [lambda x: [x], lambda x: {"a": x, "b": None}, lambda x: Box(x), lambda x: (0, x)])
def test_deep_trees(depth, wrap):
    def nest(x):
        for _ in range(depth):
            x = wrap(x)
        return x

    x = nest(7)
    leaves, treedef = tree.flatten(x)
    again = tree.unflatten(treedef, leaves)
    assert tree.leaves(again, is_leaf=lambda _: False) == leaves == treedef.flatten_up_to(x)
    assert [leaf for _, leaf in tree.leaves_with_path(x)] == leaves == tree.leaves(tree.broadcast(x, again))
    assert tree.leaves(tree.map(lambda a, b: a + b, x, again)) == [2 * leaf for leaf in leaves]
    assert tree.structure(again) == treedef == pickle.loads(pickle.dumps(treedef))
    assert len({treedef, tree.structure(again)}) == 1
    assert treedef.num_nodes > depth
    assert repr(treedef).count("*") == len(leaves) == treedef.num_leaves
    assert treedef.compose(tree.structure((0, 0))).num_leaves == 2 * len(leaves)
    with pytest.raises(ValueError, match="is a leaf of type int, needed is"):
        tree.map(lambda a, b: a, nest([7]), x)
    assert tree.structure(nest([7])) != treedef


def test_a_tree_that_holds_itself_is_an_error():
    x = [1]
    x.append(x)
    for walk in (tree.flatten, tree.leaves_with_path, lambda x: tree.flatten(x, lambda _: False)):
        with pytest.raises(RecursionError, match="does it contain itself"):
            walk(x)


def test_loading_a_structure_of_an_unknown_type():
    with pytest.raises(ValueError, match="not registered"):
        tree_def._rebuild(int, None, ())


# -- flatten ---------------------------------------------------------------------------------------------------------


def test_is_leaf():
    assert tree.leaves([1, None, (2,)], is_leaf=lambda x: x is None) == [1, None, 2]
    assert tree.flatten({"b": 1}, is_leaf=lambda x: True) == ([{"b": 1}], tree.structure(0))
    assert tree.map(lambda x: x or 0, [1, None], is_leaf=lambda x: x is None) == [1, 0]
    assert tree.leaves_with_path({"b": [1], "a": 2}, lambda p, x: len(p) == 1, is_leaf_takes_path=True) == [
        ((tree_util.DictKey("a"),), 2),
        ((tree_util.DictKey("b"),), [1]),
    ]


def test_keys_that_do_not_sort():
    for x in ({1: 2, "a": 3}, [{"x": {None: 1, 2: 3}}], defaultdict(int, {1: 2, "a": 3})):
        with pytest.raises(ValueError, match=r"must sort, got \[.*OrderedDict"):
            tree.flatten(x)
    assert tree.leaves(OrderedDict([(1, 2), ("a", 3)])) == [2, 3]


def test_unflatten_wants_as_many_leaves_as_there_are():
    for treedef in (tree.structure([1, 2]), tree.structure((1, [2]))):
        for leaves in ([1], [1, 2, 3], iter([1]), ()):
            with pytest.raises(ValueError, match="has 2 leaves, got"):
                tree.unflatten(treedef, leaves)
        assert tree.leaves(tree.unflatten(treedef, iter([1, 2]))) == [1, 2]
        assert tree.leaves(treedef.unflatten((1, 2))) == [1, 2]
    with pytest.raises(TypeError, match="needs a PyTreeDef"):
        tree.unflatten([1], [1])


def test_unflatten_never_hands_out_its_argument():
    leaves = [1, 2]
    assert tree.unflatten(tree.structure([0, 0]), leaves) is not leaves


# -- two trees -------------------------------------------------------------------------------------------------------


def test_map_goes_as_deep_as_the_first_tree():
    assert tree.map(lambda a, b: (a, b), {"a": [1]}, {"a": [(2, 3)]}) == {"a": [(1, (2, 3))]}
    assert tree.map(lambda *xs: sum(xs), (1, [2]), (10, [20]), (100, [200])) == (111, [222])
    assert tree.map(lambda x: None, [1, 2]) == [None, None]
    assert tree.map(lambda a, b: a, None, None) is None


DIFFERENT = [
    ([1, 2], [1], "tree 2 of map is a list of length 1, needed is a list of length 2"),
    ([1, 2], (1, 2), "is a tuple of length 2, needed is a list of length 2"),
    ({"a": 1}, {"b": 2}, r"needed is a dict with keys \['a'\]: missing 'a'; too many 'b'"),
    ({"a": [1, {"c": 3}]}, {"a": [1, {"c": 3, "d": 3}]}, r"at \['a'\]\[1\] is a dict .* too many 'd'"),
    ([1, None], [1, 2], r"at \[1\] is a leaf of type int, needed is None: .*is_leaf=lambda x: x is None"),
    (Point(1, 2), (1, 2), "is a tuple of length 2, needed is the namedtuple Point"),
    ((1, Point(1, 2)), (1, (1, 2)), r"at \[1\] is"),
    (Point(1, [2]), Point(1, 2), r"at \.y is a leaf"),
    ({"a": 1}, OrderedDict(a=1), "is an OrderedDict with keys"),
    (
        OrderedDict(a=1, b=2),
        OrderedDict(b=1, a=2),
        r"keys \['b', 'a'\], needed is an OrderedDict with keys \['a', 'b'\]",
    ),
    (defaultdict(int, a=1), defaultdict(list, a=1), "<class 'list'> and keys"),
    (Box([1]), Box(1), r"at \[<flat index 0>\] is a leaf of type int"),
    (Box(1), Box(1, tag="x"), "a Box with 1 child and structure 'x'"),
    (Keyed(1, (2,)), Keyed(1, 3), "at free is"),
]


@pytest.mark.parametrize("x, y, says", DIFFERENT)
def test_trees_that_differ(x, y, says):
    with pytest.raises(ValueError, match="trees differ: .*" + says) as error:
        tree.map(lambda a, b: a, x, y)
    assert error.value.__context__ is None
    with pytest.raises(ValueError, match="trees differ: tree 2 of map"):
        tree.map_with_path(lambda p, a, b: a, x, y)
    with pytest.raises(ValueError, match="trees differ: the full tree"):
        tree.broadcast(x, y)


def test_broadcast():
    assert tree.broadcast(1, [1, {"a": 2}]) == [1, {"a": 1}]
    assert tree.broadcast([1, None], [(1, 2), None]) == [(1, 1), None]
    assert tree.broadcast([1, None], [(1, 2), 3], is_leaf=lambda x: x is None) == [(1, 1), None]
    assert tree.broadcast_prefix((0, None), ((1, None, 2), [3]), is_leaf=lambda x: x is None) == [0, 0, None]
    assert tree.broadcast((1, 2), ((1, 2), 3), is_leaf=lambda x: x == (1, 2)) == (((1, 2), (1, 2)), (1, 2))


def test_transpose():
    rows = [{"a": 1, "b": 2}, {"a": 3, "b": 4}]
    inner = tree.structure(rows[0])
    for given_inner in (inner, None):
        assert tree.transpose(tree.structure([0, 0]), given_inner, rows) == {"a": [1, 3], "b": [2, 4]}
    assert tree.transpose(tree.structure([]), tree.structure((0, 0)), []) == ([], [])
    with pytest.raises(TypeError, match="an inner tree has structure"):
        tree.transpose(tree.structure([0, 0]), tree.structure((0, 0)), [(1, 2), (3, (4, 5))])
    with pytest.raises(ValueError, match="trees differ: the tree to transpose"):
        tree.transpose(tree.structure([0, 0]), None, (1, 2))
    with pytest.raises(TypeError, match=r"transpose: trees differ: .* is a tuple of length 2, needed is a list"):
        tree.transpose(tree.structure([0, 0]), inner, (rows[0], rows[1]))
    with pytest.raises(ValueError, match="give inner_treedef"):
        tree.transpose(tree.structure([]), None, [])


def test_reduce():
    assert tree.reduce(lambda a, b: a - b, [1, {"a": 2}, 3]) == -4
    assert tree.reduce(lambda a, b: a + b, [], 5) == 5
    assert tree.reduce(lambda a, b: (a, b), [1], None) == (None, 1)
    with pytest.raises(TypeError, match="give an initializer"):
        tree.reduce(lambda a, b: a, [None])

    def pair(a, b):
        return (a, b)

    assert tree.reduce_associative(pair, [1, 2, 3, 4, 5]) == ((1, 2), (3, (4, 5)))
    eleven = (((1, 2), (3, (4, 5))), ((6, (7, 8)), (9, (10, 11))))
    assert tree.reduce_associative(pair, list(range(1, 12))) == eleven
    assert tree.reduce_associative(pair, [], identity=0) == 0
    assert tree.reduce_associative(pair, [1], identity=0) == 1
    with pytest.raises(TypeError, match="give its identity"):
        tree.reduce_associative(pair, [])


def test_all():
    assert tree.all([])
    assert not tree.all({"a": [1, 0]})
    assert not tree.all([None], is_leaf=lambda x: x is None)
    assert tree_util.all_leaves([1, "a"])
    assert not tree_util.all_leaves([1, [2]])
    assert not tree_util.all_leaves([1, [2]], is_leaf=lambda x: x == 2)
    assert tree_util.all_leaves([1, [2]], is_leaf=lambda x: x == [2])


# -- key paths -------------------------------------------------------------------------------------------------------


def test_key_paths():
    x = {"a": [1, {"x": 2}], "b": Keyed(1, 2), "c": Point(1, 2), "n": None, "z": tree_util.Partial(max, 3, k=4)}
    paths = [path for path, _ in tree.leaves_with_path(x)]
    assert [tree_util.keystr(p) for p in paths] == [
        *("['a'][0]", "['a'][1]['x']", "['b'].a", "['b']free", "['c'].x", "['c'].y"),
        *("['z'][<flat index 0>][0]", "['z'][<flat index 1>]['k']"),
    ]
    assert [tree_util.keystr(p, simple=True, separator="/") for p in paths] == [
        *("a/0", "a/1/x", "b/a", "b/free", "c/x", "c/y", "z/0/0", "z/1/k")
    ]
    assert tree_util.keystr((1, "a", tree_util.DictKey(2)), separator="/") == "1/a/[2]"
    assert repr(paths[1]) == "(DictKey(key='a'), SequenceKey(idx=1), DictKey(key='x'))"
    assert len({*paths, *paths}) == len(paths)
    match paths[0]:
        case (tree_util.DictKey(key), tree_util.SequenceKey(idx)):
            assert (key, idx) == ("a", 0)
    named = tree.map_with_path(lambda p, x, y: (tree_util.keystr(p), x + y), [1, (2,)], [3, (4,)])
    assert named == [("[0]", 4), (("[1][0]", 6),)]


# -- registration ----------------------------------------------------------------------------------------------------


def test_registration_by_every_way():
    assert tree.map(lambda x: x + 1, Box(1, 2)) == Box(2, 3)
    assert vars(tree.map(lambda x: x + 1, Keyed(1, 2))) == {"a": 2, "b": 3}
    assert tree.map(lambda x: x + 1, Own(1)).a == 2
    assert tree.map(lambda x: x + 1, Layer(1, "n")) == Layer(2, "n")
    assert tree.map(lambda x: x + 1, [Static(1)]) == [Static(1)]
    assert tree.structure([Static(1)]) != tree.structure([Static(2)])
    assert [tree_util.keystr(p) for p, _ in tree.leaves_with_path([Layer(1), Own(2)])] == [
        "[0].weight",
        "[1][<flat index 0>]",
    ]


def test_a_type_seen_as_a_leaf_may_be_registered_later():
    class Late:
        def __init__(self, x):
            self.x = x

    assert tree.structure([Late(1)]) == tree.structure([0])
    tree_util.register_pytree_with_keys(
        Late,
        lambda late: (((tree_util.GetAttrKey("x"), late.x),), None),
        lambda _, xs: Late(*xs),
        lambda late: ((late.x,), None),
    )
    assert tree.leaves([Late(1)]) == [1]
    assert tree.leaves(Late((1, 2))) == [1, 2]


def test_registration_is_checked():
    with pytest.raises(ValueError, match="is registered as a pytree node already"):
        tree_util.register_pytree_node(list, tuple, list)
    with pytest.raises(ValueError, match="is registered as a pytree node already"):
        tree_util.register_static(Box)
    with pytest.raises(TypeError, match="a type was needed"):
        tree_util.register_pytree_node(3, tuple, list)
    with pytest.raises(TypeError, match="a function was needed"):
        tree_util.register_pytree_node(type("A", (), {}), None, list)
    for result in ((1, 2, 3), 3, (1, None)):
        cls = type("A", (), {})
        tree_util.register_pytree_node(cls, lambda _: result, lambda aux, xs: None)
        with pytest.raises(ValueError, match="must return a pair"):
            tree.flatten(cls())

    def fails(_):
        raise ValueError("my own")

    cls = type("A", (), {})
    tree_util.register_pytree_node(cls, fails, fails)
    with pytest.raises(ValueError, match="my own"):
        tree.flatten(cls())


def test_register_dataclass_checks_its_fields():
    @dataclasses.dataclass
    class Data:
        a: int
        b: int
        c: int = dataclasses.field(init=False, default=3)

    for fields, says in [
        ((), "'c' may not be given"),
        ((["a"], []), "'b' may not be left out"),
        ((["a", "q"], ["b"]), "'q' may not be given"),
        ((["a", "b"], ["b"]), "'b' may not be data and meta both"),
    ]:
        with pytest.raises(ValueError, match=says):
            tree_util.register_dataclass(Data, *fields)
    with pytest.raises(TypeError, match="both data_fields and meta_fields"):
        tree_util.register_dataclass(Data, data_fields=["a"])
    with pytest.raises(TypeError, match="is no dataclass"):
        tree_util.register_dataclass(type("E", (), {}))
    assert functools.partial(tree_util.register_dataclass, data_fields=["b"], meta_fields=["a"])(Data) is Data
    assert tree.map(lambda x: 2 * x, Data(1, 2)) == Data(1, 4)

    @functools.partial(tree_util.register_dataclass, drop_fields=["cache"])
    @dataclasses.dataclass
    class Dropping:
        x: int
        cache: object = None

    assert tree.map(lambda x: x, Dropping(1, "big")) == Dropping(1)
    assert dict(tree.static(default=3, metadata={"q": 1}).metadata) == {"q": 1, "static": True}


def test_partial():
    p = tree_util.Partial(lambda x, y, z: (x, y, z), 1, z=3)
    assert p(2) == (1, 2, 3)
    assert tree.map(lambda x: 10 * x, p)(2) == (10, 2, 30)
    for inner in (functools.partial(max, 1), tree_util.Partial(max, 1)):
        outer = tree_util.Partial(inner, 2)
        assert outer() == 2
        assert tree.leaves(outer) == [2]  # the inner arguments belong to the function
        assert tree.structure(outer) == tree.structure(tree_util.Partial(inner, 3))
        assert hash(tree.structure(outer)) == hash(tree.structure(tree_util.Partial(inner, 3)))
    with pytest.raises(TypeError):
        tree_util.Partial(3)


def test_one_level():
    assert tree_util.flatten_one_level({"b": 1, "a": [2]}) == ([[2], 1], ("a", "b"))
    assert tree_util.flatten_one_level(None) == ((), None)
    assert tree_util.flatten_one_level_with_keys((5,)) == ([(tree_util.SequenceKey(0), 5)], None)
    assert tree_util.default_registry.flatten_one_level(Box(1)) == ((1,), "tag")
    assert tree_util.default_registry.flatten_one_level(1) is None
    assert tree_util.default_registry.flatten_one_level_with_keys(1) is None
    assert tree_util.flatten_one_level(Point(1, [2])) == ((1, [2]), Point)
    assert tree_util.default_registry.flatten_one_level_with_keys(Point(1, 2)) == (
        [(tree_util.GetAttrKey("x"), 1), (tree_util.GetAttrKey("y"), 2)],
        Point,
    )
    with pytest.raises(ValueError, match="a container was needed"):
        tree_util.flatten_one_level(1)
    assert tree_util.is_tree_node(OrderedDict)
    assert not tree_util.is_tree_node(int)


def test_the_two_faces_are_one():
    for name in tree.__all__:
        if hasattr(tree_util, f"tree_{name}"):
            assert getattr(tree_util, f"tree_{name}") is getattr(tree, name)


@settings(max_examples=20, deadline=None)
@given(trees())
def test_transformed_structures_survive_threads(x):
    from concurrent.futures import ThreadPoolExecutor

    with ThreadPoolExecutor(4) as pool:
        found = list(pool.map(tree.flatten, [x] * 16))
    assert all(f == found[0] for f in found)
