"""Levels, palette and legend for columns of every kind."""

from __future__ import annotations

import json
from dataclasses import replace

import numpy as np
import pandas as pd
import pytest
from hypothesis import given
from hypothesis import strategies as st
from hypothesis.extra.numpy import arrays

from embedscope._errors import InvalidInputError
from embedscope.explorer.coloring._coloring import color_samples
from embedscope.explorer.coloring._colors import KINDS, NO_VALUE_LEVEL, ColorBy, Coloring
from embedscope.explorer.marks._gates import Gate, GateSet
from embedscope.explorer.marks._palettes import CLASS_COLORS, NO_VALUE_COLOR, as_hex
from embedscope.samples import samples_from_array
from embedscope.samples.identity._identity import Identities

GREY = [0x6E, 0x6E, 0x6E, 255]


def samples_with(column, name="x"):
    """Samples with one feature."""
    features = pd.DataFrame({name: column})
    return samples_from_array(np.zeros((len(features), 1), np.float32), features=features)


def coloring_of(column, **choice):
    return color_samples(ColorBy("feature", "x", **choice), samples_with(column))


def legend_of(coloring):
    return [(entry.label, entry.count) for entry in coloring.legend]


def check_whole(coloring, n_samples):
    """What holds for every coloring."""
    assert coloring.levels.shape == (n_samples,)
    assert coloring.levels.dtype == coloring.palette.dtype == coloring.rgba.dtype == np.uint8
    assert coloring.palette.shape == (251, 4)
    assert coloring.levels.max(initial=0) <= NO_VALUE_LEVEL
    np.testing.assert_array_equal(coloring.rgba[:, 3] == 0, coloring.levels == 0)
    assert set(coloring.rgba[:, 3].tolist()) <= {0, 255}
    for array in (coloring.levels, coloring.palette):
        assert not array.flags.writeable
    if coloring.codes is not None:
        check_entries(coloring, n_samples)


def check_entries(coloring, n_samples):
    """Each sample has the colour of its entry, and the entries count all samples."""
    assert sum(entry.count for entry in coloring.legend) == n_samples
    for row in range(n_samples):
        entry = coloring.legend[coloring.codes[row]]
        assert (coloring.levels[row] > 0) == entry.visible
        if entry.visible:
            assert as_hex(coloring.rgba[row]) == entry.color


# -- numbers ---------------------------------------------------------------------------------------


def test_numbers_run_through_the_colormap():
    from matplotlib import colormaps

    coloring = coloring_of([0.0, 0.5, 1.0, -3.0, 9.0], limits=(0, 1))
    assert coloring.levels.tolist() == [1, 125, 249, 1, 249]
    assert coloring.rgba[1].tolist() == list(colormaps["viridis"](0.5, bytes=True))
    assert (coloring.limits, coloring.colormap, coloring.title) == ((0.0, 1.0), "viridis", "x")
    assert coloring.codes is None
    assert coloring.legend == ()


def test_limits_leave_out_one_percent_at_either_end():
    coloring = coloring_of([*np.linspace(0, 100, 101), 1e9])
    assert coloring.limits == pytest.approx((1.01, 99.99))


def test_missing_and_infinite_numbers():
    coloring = coloring_of([0.0, np.nan, 1.0, np.inf, -np.inf])
    assert coloring.limits == pytest.approx((0.01, 0.99))
    assert coloring.levels.tolist() == [1, NO_VALUE_LEVEL, 249, 249, 1]
    assert coloring.rgba[1].tolist() == GREY
    assert legend_of(coloring) == [("no value", 1)]
    hidden = coloring_of([0.0, np.nan, 1.0], hidden={"no value"})
    assert hidden.rgba[1, 3] == 0
    assert not hidden.legend[0].visible


def test_constant_column_has_the_middle_colour():
    coloring = coloring_of([2.5, 2.5, np.nan])
    assert coloring.levels.tolist() == [125, 125, NO_VALUE_LEVEL]
    assert coloring.limits == (2.5, 2.5)


def test_column_without_any_value():
    coloring = coloring_of([np.nan, np.nan])
    assert (coloring.levels == NO_VALUE_LEVEL).all()
    assert legend_of(coloring) == [("no value", 2)]


def test_few_different_values_are_visible():
    coloring = coloring_of([0.0] * 999 + [7.0])
    assert coloring.limits == (0.0, 7.0)
    assert coloring.levels[[0, -1]].tolist() == [1, 249]


def test_diverging_palette_has_its_middle_at_zero():
    coloring = coloring_of([-1.0, 0.0, 4.0], palette="RdBu_r", limits=None)
    assert coloring.limits == pytest.approx((-3.92, 3.92))
    assert coloring.levels[1] == 125
    assert coloring_of([1.0, 4.0], palette="RdBu_r").limits == pytest.approx((1.03, 3.97))


@pytest.mark.parametrize("column", [[-1.7e308, 0, 1.7e308], [5e-324, 1e-323, 2e-323]])
def test_extreme_numbers_keep_their_order(column):
    levels = coloring_of(column).levels
    assert levels.tolist() == sorted(levels)
    assert len(set(levels)) > 1


@pytest.mark.parametrize("column", [[2**62, 2**62 + 2**55, 2**63 - 1], [2**70, 0, 2**71]])
def test_huge_whole_numbers_make_a_scale(column):
    coloring = coloring_of(np.array(column, dtype=object), palette="cividis")
    assert coloring.levels.tolist()[np.argmin(column)] == 1
    assert coloring.levels.tolist()[np.argmax(column)] == 249


@given(arrays(np.float64, st.integers(1, 30), elements=st.floats(allow_nan=True, width=64)))
def test_levels_follow_the_numbers(column):
    coloring = coloring_of(column)
    check_whole(coloring, len(column))
    known = ~np.isnan(column)
    levels = coloring.levels[known][np.argsort(column[known])].astype(int)
    assert (np.diff(levels) >= 0).all()
    assert ((levels >= 1) & (levels <= 249)).all()
    assert (coloring.levels[~known] == NO_VALUE_LEVEL).all()


# -- classes ---------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("column", "legend"),
    [
        ([True, False, True], [("False", 1), ("True", 2)]),
        (["b", "a", None, "b"], [("a", 1), ("b", 2), ("no value", 1)]),
        ([10, 9, 10], [("9", 1), ("10", 2)]),
        (pd.Categorical(["b", "a"], ["b", "c", "a"]), [("b", 1), ("c", 0), ("a", 1)]),
        (pd.array([1, None], "Int64"), [("1", 1), ("no value", 1)]),
        (pd.array([True, None], "boolean"), [("True", 1), ("no value", 1)]),
        (pd.array(["a", None], "string"), [("a", 1), ("no value", 1)]),
        (pd.Categorical([1.0, 2.5, np.nan]), [("1", 1), ("2.5", 1), ("no value", 1)]),
        (np.array([1, "a", None], object), [("1", 1), ("a", 1), ("no value", 1)]),
        (np.array([True, None], object), [("True", 1), ("no value", 1)]),
    ],
)  # fmt: skip
def test_classes_have_their_order(column, legend):
    coloring = coloring_of(column)
    check_whole(coloring, len(column))
    assert legend_of(coloring) == legend
    assert (coloring.limits, coloring.colormap, coloring.note) == (None, "", "")


@pytest.mark.parametrize(
    ("column", "first", "offers_classes"),
    [
        ([0.5, 2.5], "viridis", False),
        ([1, 2, 2], "classes", True),
        (list(range(30)), "viridis", False),
        (["a", "b"], None, False),
        ([True, False], None, False),
    ],
)
def test_palettes_are_offered_where_they_change_something(column, first, offers_classes):
    offered = coloring_of(column).palettes
    assert (offered[0] if offered else None) == first
    assert ("classes" in offered) == offers_classes
    for palette in offered:
        again = coloring_of(column, palette=palette)
        assert set(again.palettes) == set(offered)  # there is a way back
        assert (again.codes is not None) == (palette == "classes")


def test_colour_of_a_class_does_not_depend_on_the_order_of_the_samples(rng):
    column = np.array(["t", "b", "nk", "b", "t", "mono"])
    order = rng.permutation(len(column))
    straight, shuffled = coloring_of(column), coloring_of(column[order])
    np.testing.assert_array_equal(straight.rgba[order], shuffled.rgba)
    assert straight.legend == shuffled.legend


@given(
    st.lists(st.sampled_from(["a", "b", "c", None]), min_size=1), st.sets(st.sampled_from("abc"))
)
def test_hidden_classes_are_transparent(column, hidden):
    column = np.array(column, object)
    coloring = coloring_of(column, hidden=hidden)
    check_whole(coloring, len(column))
    assert (coloring.rgba[:, 3] == 0).tolist() == [value in hidden for value in column]
    shown = coloring_of(column)
    assert [replace(entry, visible=True) for entry in coloring.legend] == list(shown.legend)


def test_hidden_class_that_is_not_there_hides_nothing():
    assert (coloring_of(["a", "b"], hidden={"z"}).rgba[:, 3] == 255).all()


def test_whole_numbers_are_classes_only_while_they_are_few():
    assert coloring_of(np.arange(20)).codes is not None
    assert coloring_of(np.arange(21)).codes is None
    assert coloring_of(np.arange(21), palette="classes").codes is not None
    assert coloring_of(np.arange(3), palette="viridis").codes is None
    assert coloring_of([0.5, 1.5], palette="classes").codes is not None


@pytest.mark.parametrize(
    ("n_classes", "note"),
    [
        (8, ""),
        (64, ""),
        (65, "65 classes share 64 colours"),
        (300, "300 classes share 64 colours"),
    ],
)
def test_many_classes_say_that_colours_repeat(n_classes, note):
    names = [f"class {number:03}" for number in range(n_classes)]
    coloring = coloring_of(names)
    check_whole(coloring, n_classes)
    assert coloring.note == note
    assert [entry.label for entry in coloring.legend] == names
    assert len({entry.color for entry in coloring.legend}) == min(n_classes, 64)
    assert len(set(coloring.levels.tolist())) == min(n_classes, 249)  # can be hidden one by one
    hidden = coloring_of(names, hidden={names[-1]})
    assert (hidden.rgba[:, 3] == 0).tolist() == [False] * (n_classes - 1) + [True]


# -- other kinds -----------------------------------------------------------------------------------


def test_equal_values():
    coloring = color_samples(ColorBy(), samples_with([1, 2, 3]))
    check_whole(coloring, 3)
    assert len(np.unique(coloring.rgba, axis=0)) == 1
    assert coloring.legend == ()


def test_frame_runs_from_the_first_to_the_last():
    identities = Identities.of("array", [1] * 5, [3, 4, 5, 9, 13])
    samples = replace(samples_with(range(5)), identities=identities)
    coloring = color_samples(ColorBy("frame"), samples)
    assert coloring.limits == (3.0, 13.0)
    assert coloring.levels[[0, -1]].tolist() == [1, 249]
    as_classes = color_samples(ColorBy("frame", palette="classes"), samples)
    assert [entry.label for entry in as_classes.legend] == ["3", "4", "5", "9", "13"]


def test_source_in_the_order_of_the_sources():
    samples = samples_with(range(3))
    sources = {name: replace(samples.sources["array"], name=name) for name in ("z", "a")}
    identities = Identities(("z", "a"), [1, 0, 1], [0, 0, 0], [1, 2, 3])
    several = replace(samples, identities=identities, sources=sources)
    coloring = color_samples(ColorBy("source"), several)
    check_whole(coloring, 3)
    assert legend_of(coloring) == [("z", 1), ("a", 2)]


@pytest.mark.parametrize(
    ("kind", "argument", "labels"),
    [
        ("selection", "selected", ("selected", "not selected")),
        ("training", "in_training", ("trained on", "not trained on")),
    ],
)
def test_masks_are_two_classes(kind, argument, labels):
    samples = samples_with(range(3))
    coloring = color_samples(ColorBy(kind), samples, **{argument: np.array([True, False, True])})
    check_whole(coloring, 3)
    assert legend_of(coloring) == list(zip(labels, (2, 1), strict=True))
    assert legend_of(color_samples(ColorBy(kind), samples)) == list(
        zip(labels, (0, 3), strict=True)
    )


def test_novelty_is_on_a_scale_from_0_to_1():
    scores = np.array([0.1, np.nan, 0.2], np.float32)
    coloring = color_samples(ColorBy("novelty"), samples_with(range(3)), novelty=scores)
    assert coloring.limits == (0.0, 1.0)
    assert coloring.levels.tolist() == [1 + 25, NO_VALUE_LEVEL, 1 + 50]
    without = color_samples(ColorBy("novelty"), samples_with(range(3)))
    assert legend_of(without) == [("no value", 3)]


@pytest.fixture
def gates():
    square = [(-1, -1), (1.5, -1), (1.5, 1), (-1, 1)]  # samples 0 and 1 of the line below
    return GateSet((Gate("a", "#112233", square), Gate("b", "", np.add(square, (1.2, 0)))))


def gate_coloring(gates, **choice):
    line = np.column_stack([np.arange(4), np.zeros(4)]).astype(np.float32)
    samples = samples_with(range(4))
    return color_samples(ColorBy("gate", **choice), samples, gates.memberships(line), gates=gates)


def test_gates_have_their_own_colours_the_later_on_top(gates):
    coloring = gate_coloring(gates)
    check_whole(coloring, 4)
    own = gates["b"].color
    assert [as_hex(color) for color in coloring.rgba] == ["#112233", own, own, NO_VALUE_COLOR]
    assert legend_of(coloring) == [("a", 1), ("b", 2), ("in no gate", 1)]
    hidden = gate_coloring(gates, hidden={"in no gate"})
    assert hidden.rgba[:, 3].tolist() == [255, 255, 255, 0]


def test_single_gate(gates):
    coloring = gate_coloring(gates, name="a")
    assert legend_of(coloring) == [("a", 2), ("in no gate", 2)]


def test_no_gates():
    coloring = gate_coloring(GateSet())
    check_whole(coloring, 4)
    assert legend_of(coloring) == [("in no gate", 4)]


def test_empty_coloring():
    check_whole(Coloring.empty(), 0)
    assert not Coloring.empty().palette.any()


# -- what is refused -------------------------------------------------------------------------------


@pytest.mark.parametrize(
    "column",
    [
        pd.to_datetime(["2024-01-01", None]),
        pd.to_datetime(["2024-01-01"]).tz_localize("UTC"),
        pd.to_timedelta(["1h"]),
        np.array(["2024"], "M8[D]"),
        pd.period_range("2024", periods=1),
        np.array([1j]),
        np.array([pd.Timestamp("2024")], object),
    ],
)
def test_dates_and_complex_numbers_are_refused(column):
    with pytest.raises(InvalidInputError, match=r"got 'x' of .* Make it a number first"):
        coloring_of(column)


def test_unknown_feature_is_refused():
    with pytest.raises(InvalidInputError, match="'area'"):
        color_samples(ColorBy("feature", "area"), samples_with([1, 2]))


def test_unknown_gate_is_refused(gates):
    with pytest.raises(InvalidInputError, match="got 'z', and the gates are 'a', 'b'"):
        gate_coloring(gates, name="z")


@pytest.mark.parametrize(
    ("attributes", "said"),
    [
        ({"kind": "density"}, "kind must be one of none, feature"),
        ({"kind": "feature"}, "name must be that of a feature; got ''"),
        ({"palette": "virdis"}, "palette must be 'classes' or"),
        ({"limits": (1, 1)}, "the lower first"),
        ({"limits": (2, 1)}, "the lower first"),
        ({"limits": (0, np.nan)}, "two finite numbers"),
        ({"limits": (0, np.inf)}, "two finite numbers"),
        ({"limits": (0,)}, "two finite numbers"),
        ({"limits": 3}, "two finite numbers"),
        ({"limits": ("a", "b")}, "two finite numbers"),
        ({"limits": (0, 10**400)}, "two finite numbers"),
        ({"hidden": "abc"}, "set of labels"),
    ],
)
def test_bad_choice_is_refused(attributes, said):
    with pytest.raises(InvalidInputError, match=said):
        ColorBy(**attributes)


@given(
    st.sampled_from(KINDS),
    st.text(min_size=1),
    st.none() | st.tuples(st.floats(-1e9, 0), st.floats(1, 1e9)),
    st.frozensets(st.text()),
)
def test_choice_survives_json(kind, name, limits, hidden):
    choice = ColorBy(kind, name, "magma", limits, hidden)
    assert ColorBy.from_dict(json.loads(json.dumps(choice.to_dict()))) == choice


def test_unknown_entry_in_a_store_is_refused():
    with pytest.raises(InvalidInputError, match="entries of ColorBy"):
        ColorBy.from_dict({"kind": "none", "colour": "red"})


def test_list_of_colours_is_what_the_legend_shows():
    assert [entry.color for entry in coloring_of(list("abcdefgh")).legend] == list(CLASS_COLORS[:8])
