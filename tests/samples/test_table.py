"""Samples of tables: which columns, which rows, their identities, and standardisation."""

from __future__ import annotations

import numpy as np
import pandas as pd
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from hypothesis.extra import numpy as hnp

from embedscope._errors import InvalidInputError, InvalidTypeError
from embedscope.samples import (
    Source,
    as_samples,
    join_samples,
    nuclei,
    samples_from_array,
    samples_from_labels,
    samples_from_table,
)


def cells():
    return pd.DataFrame(
        {
            "label": [9, 4, 300, 7],
            "area": [10, 20, 30, 40],
            "mean": [0.5, np.nan, 1.5, 3.5],
            "kind": ["a", "b", "a", "b"],
            "alive": [True, False, True, True],
            "well": pd.Categorical(["A1", "A1", "B2", "B2"]),
            "constant": 3.0,
            "empty": np.nan,
            "day": pd.to_datetime(["2024-01-01"] * 4),
        }
    )


def test_numbers_are_chosen_and_the_rest_is_listed():
    samples = samples_from_table(cells())
    assert samples.feature_names == ("area", "mean")
    reasons = dict(samples.left_out)
    assert reasons["kind"].startswith("not numeric")
    assert reasons["well"] == "not numeric (category)"
    assert reasons["day"].startswith("not numeric (datetime64")
    assert reasons["alive"].startswith("true or false")
    assert reasons["constant"] == "the same number in every row"
    assert reasons["empty"] == "no finite number"
    assert reasons["label"].startswith("holds identities")
    assert reasons["1 row"] == "missing or infinite values (labels 4)"
    assert len(reasons) == 8


def test_rows_without_numbers_are_left_out_and_the_others_keep_their_identity():
    samples = samples_from_table(cells(), standardise=False)
    assert samples.identities.label.tolist() == [9, 300, 7]
    assert samples.X.tolist() == [[10, 0.5], [30, 1.5], [40, 3.5]]
    assert samples.X.dtype == np.float32
    assert samples.column("kind").tolist() == ["a", "a", "b"]
    assert samples.features.index.tolist() == [0, 1, 2]
    assert not samples.is_image
    assert samples.sample_shape == (2,)


def test_columns_are_standardised():
    samples = samples_from_table(cells())
    np.testing.assert_allclose(samples.X.mean(axis=0), 0, atol=1e-6)
    np.testing.assert_allclose(samples.X.std(axis=0), 1, rtol=1e-6)


def test_named_columns_are_taken_in_their_order():
    samples = samples_from_table(cells(), columns=["alive", "area"], standardise=False)
    assert samples.X.tolist() == [[1, 10], [0, 20], [1, 30], [1, 40]]
    assert samples.left_out == ()


def test_a_named_constant_column_becomes_zero():
    frame = pd.DataFrame({"a": [0.1] * 3, "b": [1, 2, 3]})
    assert not samples_from_table(frame, columns=["a", "b"]).X[:, 0].any()


def test_the_index_has_the_labels_if_no_column_does():
    frame = cells().set_index("label")
    samples = samples_from_table(frame, columns=["area"])
    assert samples.identities.label.tolist() == [9, 4, 300, 7]
    counted = samples_from_table(cells().drop(columns="label"), columns=["area"])
    assert counted.identities.label.tolist() == [0, 1, 2, 3]


def test_other_columns_may_have_the_labels():
    frame = pd.DataFrame({"cell": [1, 1, 2], "t": [0, 1, 1], "x": [1.0, 2.0, 4.0]})
    samples = samples_from_table(frame, label_column="cell", frame_column="t", source="dish")
    assert list(samples.identities) == [("dish", 0, 1), ("dish", 1, 1), ("dish", 1, 2)]
    assert samples.feature_names == ("x",)


def test_labels_read_from_a_file_as_floats_are_whole_numbers():
    frame = pd.DataFrame({"label": [1.0, 2.0**31], "x": [1.0, 2.0]})
    assert samples_from_table(frame).identities.label.tolist() == [1, 2**31]


def test_columns_without_names_are_numbered():
    samples = samples_from_table(pd.DataFrame([[1.0, 5.0], [2.0, 3.0]]), standardise=False)
    assert samples.feature_names == ("0", "1")
    assert samples.column("1").tolist() == [5, 3]


def test_numbers_beyond_single_precision_count_as_infinite():
    frame = pd.DataFrame({"x": [1.0, 1e300, 2.0]})
    assert samples_from_table(frame).identities.label.tolist() == [0, 2]
    assert len(samples_from_array(frame.to_numpy())) == 2


def test_missing_values_of_nullable_columns_are_found():
    frame = pd.DataFrame({"x": pd.array([1, None, 3], "Int64"), "y": [1.0, 2.0, 5.0]})
    samples = samples_from_table(frame, standardise=False)
    assert samples.X.tolist() == [[1, 1], [3, 5]]
    assert samples.identities.label.tolist() == [0, 2]


def test_a_background_row_is_no_sample():
    frame = pd.DataFrame({"label": [0, 5, 9], "x": [100.0, 1.0, 2.0]})
    samples = samples_from_table(frame)
    assert samples.identities.label.tolist() == [5, 9]
    assert "the background (labels 0)" in samples.left_out[-1].reason


def test_a_later_table_is_standardised_in_the_same_way():
    samples = samples_from_table(cells())
    later = cells().iloc[::-1].assign(area=[100, 200, 300, 400], new="x")
    again = samples.same_way(later, source="later")
    np.testing.assert_allclose(
        again.X[:, 0], (np.array([100, 200, 400]) - 80 / 3) / np.std([10, 30, 40]), rtol=1e-6
    )
    assert again.identities.label.tolist() == [7, 300, 9]
    with pytest.raises(InvalidInputError, match=r"of which \['mean'\] are missing"):
        samples.same_way(later.drop(columns="mean"))
    with pytest.raises(InvalidInputError, match="labels must be None for samples from table"):
        samples.same_way(later, np.ones((3, 3), int))


def test_joined_tables_are_standardised_as_one():
    first, second = pd.DataFrame({"x": [0.0, 2.0]}), pd.DataFrame({"x": [4.0, 6.0, 8.0]})
    joined = join_samples(
        [samples_from_table(first, source="a"), samples_from_table(second, source="b")]
    )
    whole = samples_from_table(pd.concat([first, second], ignore_index=True))
    np.testing.assert_array_equal(joined.X, whole.X)
    assert list(joined.identities) == [("a", 0, 0), ("a", 0, 1), *(("b", 0, k) for k in range(3))]


def test_table_of_an_image_belongs_to_its_objects():
    fields = nuclei()
    source = samples_from_labels(
        fields.images, fields.labels, axes="tyx", source="fields", features=False
    ).sources["fields"]
    rows = np.random.default_rng(0).permutation(len(fields.fields))
    frame = pd.DataFrame(
        {"field": fields.fields, "which": fields.label_ids, "area": fields.area_px}
    ).iloc[rows]
    samples = samples_from_table(frame, source=source, label_column="which", frame_column="field")
    for row in (0, 100, 310):
        field, label = frame["field"].iloc[row], frame["which"].iloc[row]
        place = np.argwhere(fields.labels[field] == label)[0]
        assert samples.sources["fields"].label_at((field, *place)) == samples.identities[row]
    with pytest.raises(InvalidInputError, match="label_column must be given for a table of the"):
        samples_from_table(frame.reset_index(drop=True), source=source, frame_column="field")
    with pytest.raises(InvalidInputError, match="frame_column must be given for a table of the"):
        samples_from_table(frame, source=source, label_column="which")


def test_a_table_or_an_array_becomes_samples():
    samples = samples_from_table(cells())
    assert as_samples(samples) is samples
    assert as_samples(cells()).feature_names == samples.feature_names
    digits = np.arange(2 * 64.0).reshape(2, 8, 8)
    np.testing.assert_array_equal(as_samples(digits).X, samples_from_array(digits).X)
    with pytest.raises(InvalidInputError, match="X must be a"):
        as_samples("cells.csv")


@settings(max_examples=100, deadline=None)
@given(
    hnp.arrays(
        np.float64,
        hnp.array_shapes(min_dims=2, max_dims=2, max_side=8),
        elements=st.floats(allow_nan=True, allow_infinity=True, width=32),
    )
)
def test_any_numbers_give_finite_samples_or_a_clear_refusal(values):
    frame = pd.DataFrame(values, columns=[f"c{k}" for k in range(values.shape[1])])
    varying = [len(np.unique(column[np.isfinite(column)])) > 1 for column in values.T]
    finite = np.isfinite(values[:, varying]).all(axis=1)
    if not any(varying) or not finite.any():
        with pytest.raises(InvalidInputError, match="frame must have a"):
            samples_from_table(frame)
        return
    samples = samples_from_table(frame)
    assert samples.X.shape == (finite.sum(), sum(varying))
    assert np.isfinite(samples.X).all()
    assert len(samples) + n_lost(samples) == len(values)


def n_lost(samples) -> int:
    names = [name for name, _ in samples.left_out if name.endswith((" row", " rows"))]
    return sum(int(name.split()[0]) for name in names)


@pytest.mark.parametrize(
    ("frame", "options", "message"),
    [
        (cells().iloc[:0], {}, r"at least one row; got 0 rows"),
        (np.ones((3, 3)), {}, r"frame must be a pandas DataFrame .*; got ndarray"),
        (cells(), {"columns": ["size"]}, r"columns must be columns .*\['size'\] are missing"),
        (cells(), {"columns": []}, r"columns must be columns of the table, at least one"),
        (cells(), {"columns": ["area", "area"]}, r"columns must be .* each once"),
        (cells(), {"columns": ["empty"]}, r"frame must have a row without missing values"),
        (cells().assign(label=0), {}, r"frame must have a row of an object; got label 0"),
        (cells(), {"label_column": "id"}, r"label_column must be a column of the table; got 'id'"),
        (cells(), {"label_column": "kind"}, r"identities must differ; got 1 .* by column 'kind'"),
        (cells(), {"label_column": "mean"}, r"column 'mean' must hold .* got missing values"),
        (cells(), {"label_column": "alive"}, r"column 'alive' must hold .* got bool"),
        (cells(), {"label_column": "constant"}, r"identities must differ; got 2 that repeat"),
        (cells(), {"frame_column": "well"}, r"column 'well' must hold .* got category"),
        (cells()[["kind"]], {}, r"frame must have a column of varying numbers"),
        (cells().rename(columns={"mean": "area"}), {}, r"columns with different names"),
        (pd.DataFrame([[1, 2], [3, 4]], columns=[1, "1"]), {}, r"columns with different names"),
        (pd.DataFrame([[1, 2]]), {}, r"frame must have a column of varying numbers"),
        (cells().assign(label=[1.5, 2, 3, 4]), {}, r"column 'label' must hold .* got fractions"),
        (cells().assign(label=[-1, 2, 3, 4]), {}, r"column 'label' must hold .* got -1"),
        (cells().assign(label=2.0**60), {}, r"which a float cannot hold exactly"),
        (cells()[["area"]].set_index([["x", "y", "z", 1]]), {}, r"the table's index must hold"),
        (cells()[["area"]].set_index([[0.5, 1, 2, 3]]), {}, r"the table's index must hold"),
    ],
)
def test_bad_tables_are_refused(frame, options, message):
    with pytest.raises(InvalidInputError, match=message):
        samples_from_table(frame, **options)


def test_names_of_rows_identify_them_or_stay_beside_a_column_of_labels():
    names = ["AAAC-1", "AAAG-1", "AAAT-1", "AAGA-1"]
    samples = samples_from_table(cells()[["area"]].set_index([names]))
    assert samples.identities.label.tolist() == names
    beside = cells()[["label", "area"]].assign(name="a").set_index(pd.Index(names, name="name"))
    samples = samples_from_table(beside)
    assert samples.identities.label.tolist() == [9, 4, 300, 7]
    assert samples.column("name of the row").tolist() == names
    with pytest.raises(InvalidInputError, match="must hold whole numbers"):  # of an image's objects
        samples_from_table(beside[["area"]], source=Source("cells", "labels", axes="yx"))


def test_text_cannot_be_learned_from():
    with pytest.raises(
        InvalidTypeError, match=r"columns of the table that are numbers; got \['kind'\]"
    ):
        samples_from_table(cells(), columns=["kind"])
