"""The parameters of a run: one description for forms, checks and files."""

from __future__ import annotations

import inspect
import json

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from embedscope import ParametricUMAP
from embedscope._errors import InvalidInputError, InvalidTypeError
from embedscope.training import ParameterField, TrainingParameters, parameter_fields

FIELDS = parameter_fields()
NUMBERS = [field for field in FIELDS if field.kind in ("int", "float")]


def names(fields: list[ParameterField] | tuple[ParameterField, ...]) -> list[str]:
    return [field.name for field in fields]


@pytest.mark.parametrize("field", FIELDS, ids=names(FIELDS))
def test_a_field_has_all_that_a_form_needs(field: ParameterField) -> None:
    assert field.label
    assert field.label[0].isupper()
    assert field.tooltip.endswith(".")
    assert field.check(field.default) == field.default
    assert json.loads(json.dumps(field.to_dict()))["name"] == field.name
    if field.kind in ("int", "float"):
        assert field.minimum <= field.default <= field.maximum
        assert field.step > 0
    assert (field.kind == "choice") == bool(field.choices)


def test_the_short_set_is_short_and_comes_first() -> None:
    basic = [field.is_basic for field in FIELDS]
    assert 3 <= sum(basic) <= 6
    assert basic == sorted(basic, reverse=True)
    groups = [field.group for field in FIELDS]
    assert len(set(groups)) == sum(a != b for a, b in zip(groups, [None, *groups], strict=False))


def test_shared_names_have_the_estimators_defaults() -> None:
    estimators = inspect.signature(ParametricUMAP).parameters
    shared = [field for field in FIELDS if field.name in estimators]
    different = {
        field.name: (field.default, estimators[field.name].default)
        for field in shared
        if field.default != estimators[field.name].default
    }
    # A run repeats unless another seed is asked for; an encoder is chosen by name, and the front
    # ends draw this very sample.
    assert different.keys() == {"random_state", "encoder", "n_style_components"}
    assert len(shared) >= 12


@pytest.mark.parametrize("field", NUMBERS, ids=names(NUMBERS))
def test_bounds_are_allowed_and_values_outside_are_not(field: ParameterField) -> None:
    for value in (field.minimum, field.maximum):
        assert field.check(value) == value
    below, above = field.minimum - field.step, field.maximum + field.step
    for value in (below, above):
        with pytest.raises(InvalidInputError, match=rf"{field.name} must be in .*; got "):
            field.check(value)


@pytest.mark.parametrize("field", NUMBERS, ids=names(NUMBERS))
@pytest.mark.parametrize("value", ["5", None, [1], True, float("nan"), float("inf"), 1j])
def test_other_types_than_numbers_are_refused(field: ParameterField, value: object) -> None:
    with pytest.raises(InvalidInputError, match=rf"{field.name} must be .*; got "):
        field.check(value)


@pytest.mark.parametrize(
    ("changes", "message"),
    [
        ({"n_neighbors": 2.5}, "n_neighbors must be an int"),
        ({"metric": "far"}, "metric must be one of euclidean"),
        ({"metric": ["euclidean"]}, "metric must be one of"),
        ({"densmap": 1}, "densmap must be True or False"),
        ({"target": None}, "target must be a name"),
        ({"min_dist": 0.9, "spread": 0.5}, "min_dist must be at most spread"),
        ({"n_neighbours": 5}, "parameters must be among .*; got n_neighbours"),
    ],
)
def test_bad_values_say_what_is_wrong(changes: dict[str, object], message: str) -> None:
    with pytest.raises(InvalidInputError, match=message):
        TrainingParameters().replace(**changes)


def test_wrong_kinds_are_type_errors_too() -> None:
    with pytest.raises(TypeError):
        TrainingParameters(n_neighbors="many")
    with pytest.raises(InvalidTypeError):
        TrainingParameters(reconstruction="yes")


def test_numpy_numbers_become_plain_ones() -> None:
    made = TrainingParameters(
        n_neighbors=np.int64(7), min_dist=np.float32(0.25), densmap=np.bool_(True)
    )
    assert [type(value) for value in (made.n_neighbors, made.min_dist, made.densmap)] == [
        int,
        float,
        bool,
    ]
    assert made == TrainingParameters(n_neighbors=7, min_dist=0.25, densmap=True)


@st.composite
def parameters(draw: st.DrawFn) -> TrainingParameters:
    values: dict[str, object] = {}
    for field in FIELDS:
        if field.kind == "int":
            values[field.name] = draw(st.integers(int(field.minimum), int(field.maximum)))
        elif field.kind == "float":
            values[field.name] = draw(st.floats(field.minimum, field.maximum))
        elif field.kind == "bool":
            values[field.name] = draw(st.booleans())
        elif field.kind == "choice":
            values[field.name] = draw(st.sampled_from(field.choices))
        else:
            values[field.name] = draw(st.text(max_size=20))
    values["min_dist"] = min(values["min_dist"], values["spread"])
    return TrainingParameters(**values)


@given(parameters())
def test_json_brings_back_the_same(made: TrainingParameters) -> None:
    assert TrainingParameters.from_dict(json.loads(json.dumps(made.to_dict()))) == made


def test_replace_leaves_the_original() -> None:
    original = TrainingParameters()
    assert original.replace(n_neighbors=30).n_neighbors == 30
    assert original.n_neighbors == 15
