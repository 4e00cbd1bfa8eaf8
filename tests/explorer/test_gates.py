"""Gates: set algebra, edits, counts, and JSON."""

from __future__ import annotations

import json
from dataclasses import replace

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from embedscope._errors import InvalidInputError
from embedscope.explorer.marks._gates import OPERATIONS, Gate, GateSet, gate_counts
from embedscope.explorer.marks._palettes import CLASS_COLORS, GATE_COLORS
from embedscope.samples.identity._identity import Identities

TRIANGLE = [(0, 0), (1, 0), (0, 1)]
finite = st.floats(-1e100, 1e100)
polygons = st.lists(st.tuples(finite, finite), min_size=3, max_size=8)


def band(name, low, high, **more):
    """A gate that holds the samples of `line` from low up to high."""
    return Gate(name, polygon=[(low, -1), (high, -1), (high, 1), (low, 1)], **more)


def line(n_samples=20):
    return np.column_stack([np.arange(n_samples), np.zeros(n_samples)]).astype(np.float32)


def members_of(gates, name):
    return set(np.flatnonzero(gates.memberships(line())[name]).tolist())


@pytest.fixture
def gates():
    return GateSet().add(band("a", 0, 10)).add(band("b", 5, 15)).add(band("c", 8, 9))


def test_polygon_holds_the_samples_inside(gates):
    assert members_of(gates, "a") == set(range(10))
    assert list(gates.memberships(line())) == ["a", "b", "c"]


@pytest.mark.parametrize(
    ("operation", "expected"),
    [
        ("union", set(range(15))),
        ("intersection", {8}),
        ("difference", set(range(5))),
    ],
)
def test_combination_of_three(gates, operation, expected):
    combined = gates.add(Gate("x", operation=operation, members=("a", "b", "c")))
    assert members_of(combined, "x") == expected


@pytest.mark.parametrize("members", [None, 3, "ab"])
def test_members_must_be_a_sequence(members):
    with pytest.raises(InvalidInputError, match="members must be a sequence of names"):
        Gate("x", operation="union", members=members)


@st.composite
def formulas(draw):
    """Three polygons, and combinations that each name gates before them."""
    spans = draw(
        st.lists(st.tuples(st.integers(0, 19), st.integers(1, 10)), min_size=3, max_size=3)
    )
    gates = GateSet(tuple(band(f"p{i}", a, a + n) for i, (a, n) in enumerate(spans)))
    for number in range(draw(st.integers(1, 5))):
        members = draw(st.lists(st.sampled_from(gates.names), min_size=2, max_size=4, unique=True))
        operation = draw(st.sampled_from(OPERATIONS))
        gates = gates.add(Gate(f"c{number}", operation=operation, members=tuple(members)))
    return gates, spans


@given(formulas())
def test_combinations_are_set_algebra(drawn):
    gates, spans = drawn
    known = {f"p{i}": set(range(a, min(20, a + n))) for i, (a, n) in enumerate(spans)}
    algebra = dict(zip(OPERATIONS, (set.union, set.intersection, set.difference), strict=True))
    for gate in gates:
        if gate.operation:
            known[gate.name] = algebra[gate.operation](*(known[name] for name in gate.members))
    for name, mask in gates.memberships(line()).items():
        assert set(np.flatnonzero(mask).tolist()) == known[name]


@given(formulas(), st.randoms(use_true_random=False))
def test_order_of_the_gates_does_not_change_their_samples(drawn, random):
    gates, _ = drawn
    shuffled = list(gates)
    random.shuffle(shuffled)
    memberships = GateSet(tuple(shuffled)).memberships(line())
    assert list(memberships) == [gate.name for gate in shuffled]
    for name, mask in gates.memberships(line()).items():
        np.testing.assert_array_equal(memberships[name], mask)


def test_sample_without_a_position_is_in_no_gate(gates):
    places = line()
    places[3] = np.nan
    everything = gates.add(Gate("x", operation="difference", members=("a", "b")))
    for mask in everything.memberships(places).values():
        assert not mask[3]
        assert not mask.flags.writeable


def test_combination_follows_an_edit_of_its_member(gates):
    combined = gates.add(Gate("x", operation="intersection", members=("a", "b")))
    moved = combined.replace(band("a", 12, 19))
    assert members_of(moved, "x") == {12, 13, 14}
    assert members_of(combined, "x") == {5, 6, 7, 8, 9}  # the set before the edit is as it was
    assert moved["a"].color == combined["a"].color


def test_rename_follows_in_combinations(gates):
    combined = gates.add(Gate("x", operation="difference", members=("a", "b")))
    nested = combined.add(Gate("y", operation="union", members=("x", "c")))
    renamed = nested.rename("a", "T cells").rename("x", "rest")
    assert renamed.names == ("T cells", "b", "c", "rest", "y")
    assert renamed["rest"].members == ("T cells", "b")
    assert renamed["y"].members == ("rest", "c")
    assert members_of(renamed, "y") == members_of(nested, "y")
    assert "a" not in renamed


def test_rename_to_its_own_name_changes_nothing(gates):
    assert gates.rename("a", "a") == gates


@pytest.mark.parametrize(
    ("edit", "said"),
    [
        (lambda gates: gates.add(band("a", 0, 1)), "'a' twice"),
        (lambda gates: gates.rename("a", "b"), "'b' twice"),
        (lambda gates: gates.rename("z", "y"), "got 'z', and the gates are 'a', 'b', 'c'"),
        (lambda gates: gates.replace(band("z", 0, 1)), "got 'z'"),
        (lambda gates: gates.remove("z"), "got 'z'"),
        (lambda gates: gates["z"], "got 'z'"),
        (lambda gates: gates.add(Gate("x", operation="union", members=("a", "z"))), "got 'z'"),
        (lambda gates: gates.add(Gate("x", operation="union", members=("a", "x"))), "lead back"),
    ],
)
def test_edit_that_would_break_the_set_is_refused(gates, edit, said):
    with pytest.raises(InvalidInputError, match=said):
        edit(gates)


def test_cycle_is_refused(gates):
    nested = gates.add(Gate("x", operation="union", members=("a", "b"))).add(
        Gate("y", operation="union", members=("x", "c"))
    )
    with pytest.raises(InvalidInputError, match="lead back"):
        nested.replace(Gate("x", operation="union", members=("y", "b")))


def test_member_of_a_combination_cannot_be_removed(gates):
    combined = gates.add(Gate("x", operation="union", members=("a", "b")))
    with pytest.raises(InvalidInputError, match=r"'a', a member of 'x'\. Remove or edit its users"):
        combined.remove("a")
    assert combined.remove("x").remove("a").names == ("b", "c")


def test_colours_are_chosen_from_the_palette(gates):
    assert [gate.color for gate in gates] == list(GATE_COLORS[:3])
    freed = gates.remove("a").add(band("d", 0, 1))
    assert freed["d"].color == GATE_COLORS[0]
    own = GateSet().add(band("a", 0, 1, color=GATE_COLORS[0].upper())).add(band("b", 0, 1))
    assert own["b"].color == GATE_COLORS[1]
    many = GateSet(tuple(band(f"g{i}", 0, 1) for i in range(2 * len(GATE_COLORS))))
    assert [gate.color for gate in many] == list(GATE_COLORS) * 2


def test_the_first_gates_have_the_colours_of_no_class_on_a_map_of_seven_classes():
    assert set(GATE_COLORS[:9]).isdisjoint(CLASS_COLORS[:7])
    assert sorted(GATE_COLORS) == sorted(CLASS_COLORS)


@pytest.mark.parametrize(
    ("attributes", "said"),
    [
        ({"name": "", "polygon": TRIANGLE}, "name must be a text of 1 to 200"),
        ({"name": "x" * 201, "polygon": TRIANGLE}, "name must be a text of 1 to 200"),
        ({"name": 3, "polygon": TRIANGLE}, "name must be a text"),
        ({"name": " x", "polygon": TRIANGLE}, "spaces around"),
        ({"name": "x\ny", "polygon": TRIANGLE}, "one line"),
        ({"name": "x"}, "got neither for 'x'"),
        ({"name": "x", "polygon": TRIANGLE, "operation": "union"}, "got both"),
        ({"name": "x", "polygon": TRIANGLE, "members": ("a", "b")}, "empty for a polygon"),
        ({"name": "x", "polygon": TRIANGLE[:2]}, "at least 3 corners"),
        ({"name": "x", "polygon": TRIANGLE, "color": "red"}, "color must be '#rrggbb'; got 'red'"),
        ({"name": "x", "polygon": TRIANGLE, "color": "#12345"}, "color must be"),
        ({"name": "x", "polygon": TRIANGLE, "color": None}, "color must be"),
        ({"name": "x", "operation": "xor", "members": ("a", "b")}, "operation must be one of"),
        ({"name": "x", "operation": "union", "members": ("a",)}, "two or more"),
        ({"name": "x", "operation": "union", "members": ("a", "a")}, "two or more different"),
        ({"name": "x", "operation": "union", "members": "ab"}, "sequence of names"),
    ],
)
def test_bad_gate_is_refused(attributes, said):
    with pytest.raises(InvalidInputError, match=said):
        Gate(**attributes)


@given(polygons, st.text(st.characters(categories=["L", "N", "P", "S"]), min_size=1, max_size=20))
def test_json_keeps_every_bit(polygon, name):
    gates = GateSet().add(Gate(name, polygon=polygon)).add(Gate(name + "2", polygon=TRIANGLE))
    gates = gates.add(Gate(name + "3", "#ABCDEF", operation="union", members=(name, name + "2")))
    back = GateSet.from_dict(json.loads(json.dumps(gates.to_dict(), allow_nan=False)))
    assert back == gates
    assert back[name].polygon.tobytes() == gates[name].polygon.tobytes()
    assert back[name + "3"].color == "#abcdef"


def test_stored_set_may_name_gates_before_they_come(gates):
    combined = gates.replace(Gate("a", operation="union", members=("b", "c")))
    assert GateSet.from_dict(combined.to_dict()) == combined


@pytest.mark.parametrize(
    ("stored", "said"),
    [
        ({}, "must have a list 'gates'"),
        ({"gates": "abc"}, "must have a list 'gates'"),
        ({"gates": [{}]}, "must have name, color"),
        ({"gates": [3]}, "must have name, color"),
        ({"gates": [band("a", 0, 1).to_dict()] * 2}, "'a' twice"),
        ({"gates": [band("a", 0, 1).to_dict() | {"polygon": [[0, 0]]}]}, "at least 3 corners"),
    ],
)
def test_broken_store_is_refused(stored, said):
    with pytest.raises(InvalidInputError, match=said):
        GateSet.from_dict(stored)


def test_gates_are_equal_by_value():
    gate = band("a", 0, 1)
    assert gate == band("a", 0, 1)
    assert hash(gate) == hash(band("a", 0, 1))
    assert gate == replace(gate, polygon=np.negative(np.negative(gate.polygon)))  # -0.0 is 0.0
    assert gate != band("a", 0, 2)
    assert gate != replace(gate, color="#000000")
    assert gate != "a"


def test_counts_by_source_and_frame(gates):
    identities = Identities(
        ("none", "x", "y"), [1] * 10 + [2] * 10, [7] * 4 + [3] * 6 + [7] * 10, range(20)
    )
    table = gates.remove("c").memberships(line())
    counts = gate_counts(table, identities)
    assert counts.columns.tolist() == ["gate", "source", "frame", "count", "share"]
    assert counts.to_numpy().tolist() == [
        ["a", "x", 3, 6, 1.0],
        ["a", "x", 7, 4, 1.0],
        ["a", "y", 7, 0, 0.0],
        ["b", "x", 3, 5, 5 / 6],
        ["b", "x", 7, 0, 0.0],
        ["b", "y", 7, 5, 0.5],
    ]
    assert counts["frame"].dtype == counts["count"].dtype == np.int64


def test_counts_of_nothing(gates):
    none = gate_counts({}, Identities.of("x", range(1, 5)))
    assert none.shape == (0, 5)
    empty = gate_counts(gates.memberships(np.empty((0, 2), np.float32)), None)
    assert empty.shape == (0, 5)
    assert empty["share"].dtype == np.float64


@given(st.integers(0, 2**32 - 1))
def test_counts_add_up(seed):
    rng = np.random.default_rng(seed)
    identities = Identities(
        ("x", "y", "z"), rng.integers(0, 3, 50), rng.choice([0, 5, 2**40], 50), range(50)
    )
    inside = rng.random(50) < 0.4
    counts = gate_counts({"g": inside}, identities)
    assert counts["count"].sum() == inside.sum()
    slow = {}
    for row in range(50):
        source, frame, _ = identities[row]
        slow.setdefault((source, frame), []).append(inside[row])
    assert {
        (r.source, r.frame): (r.count_, r.share)
        for r in counts.rename(columns={"count": "count_"}).itertuples()
    } == {group: (sum(found), np.mean(found)) for group, found in slow.items()}
