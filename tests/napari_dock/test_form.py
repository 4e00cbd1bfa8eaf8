"""The form has every parameter within its bounds, and tells only what a person has set."""

from __future__ import annotations

import dataclasses

import pytest

from embedscope.napari_dock.panels._form import ParameterForm
from embedscope.training import ParameterField, TrainingParameters, parameter_fields

FIELDS = {described.name: described for described in parameter_fields()}


@pytest.fixture
def form(qtbot):
    form = ParameterForm()
    qtbot.addWidget(form)
    return form


@pytest.fixture
def told(form):
    told = []
    form.changed.connect(told.append)
    return told


def another(described: ParameterField):
    """A permitted value that is not the default."""
    if described.kind == "bool":
        return not described.default
    if described.kind == "choice":
        return next(choice for choice in described.choices if choice != described.default)
    if described.kind == "text":
        return described.default + "x"
    step = described.step or 1
    up = described.default + step
    return up if up <= described.maximum else described.default - step


def test_it_begins_with_the_defaults(form):
    assert form.values() == TrainingParameters().to_dict()


@pytest.mark.parametrize("name", FIELDS)
def test_what_a_person_sets_is_told_with_its_name(form, told, name):
    value = another(FIELDS[name])
    form._entries[name].value = value
    ((said, set_to),) = told[-1].items()
    assert said == name
    assert set_to == pytest.approx(value) if isinstance(value, float) else set_to == value
    assert form.values()[name] == set_to


@pytest.mark.parametrize("name", FIELDS)
def test_what_is_shown_is_not_told(form, told, name):
    wanted = TrainingParameters().to_dict()
    wanted[name] = another(FIELDS[name])
    form.show_parameters(TrainingParameters(**wanted))
    assert form.values() == pytest.approx(wanted)
    assert told == []


@pytest.mark.parametrize(
    "name", [name for name, one in FIELDS.items() if one.kind in ("int", "float")]
)
def test_numbers_stay_within_their_bounds(form, name):
    entry, described = form._entries[name], FIELDS[name]
    assert (entry.min, entry.max) == (described.minimum, described.maximum)
    for bound in (described.minimum, described.maximum):
        entry.value = bound
        assert form.values()[name] == bound


def test_every_control_says_what_it_is_for(form):
    for name, entry in form._entries.items():
        assert FIELDS[name].tooltip in entry.native.toolTip()
        assert (FIELDS[name].unit or "") in entry.native.toolTip()


def test_the_short_set_is_open_and_the_rest_is_under_advanced(form):
    hidden = form.advanced.content()
    for name, entry in form._entries.items():
        assert hidden.isAncestorOf(entry.native) != FIELDS[name].is_basic, name
    assert not form.advanced.isExpanded()


def test_it_fits_a_narrow_dock(form):
    form.show()
    assert form.minimumSizeHint().width() <= 400


def test_fields_are_those_of_the_parameters():
    assert set(FIELDS) == {field.name for field in dataclasses.fields(TrainingParameters)}
