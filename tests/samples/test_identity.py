"""Identities: which sample is in which row, found by identity, never by row number."""

from __future__ import annotations

import time

import numpy as np
import pytest

from embedscope._errors import InvalidInputError
from embedscope.samples import Identities, SampleId


@pytest.fixture
def identities():
    return Identities(("a", "b", "empty"), [1, 0, 0, 1], [0, 2, 0, 2], [7, 7, 2**31, 7])


def test_rows_have_identities(identities):
    assert list(identities) == [("b", 0, 7), ("a", 2, 7), ("a", 0, 2**31), ("b", 2, 7)]
    assert identities[2] == SampleId("a", 0, 2**31)
    assert identities[-1] == SampleId("b", 2, 7)


def test_rows_are_found_by_identity(identities):
    assert identities.row(SampleId("b", 2, 7)) == 3
    assert identities.rows("a", [2**31, 7, 7, 8], [0, 2, 0, 0]).tolist() == [2, 1, -1, -1]
    assert identities.rows("b", [7, 7], frame=2).tolist() == [3, 3]
    assert identities.rows("empty", [7]).tolist() == [-1]
    assert identities.rows("unknown", [7]).tolist() == [-1]
    assert identities.rows("a", []).tolist() == []
    assert identities.rows("a", [-1, 0]).tolist() == [-1, -1]


def test_absent_identity_is_an_error(identities):
    with pytest.raises(InvalidInputError, match=r"one of these 4 samples; got \('a', 0, 7\)"):
        identities.row(SampleId("a", 0, 7))


def test_taken_rows_come_in_the_given_order(identities):
    assert list(identities.take([3, 1])) == [("b", 2, 7), ("a", 2, 7)]
    assert list(identities.take(np.array([True, False, False, True]))) == [
        ("b", 0, 7),
        ("b", 2, 7),
    ]
    assert len(identities.take([])) == 0
    assert identities.take([]).rows("a", [7]).tolist() == [-1]


def test_columns_cannot_be_changed(identities):
    for name in ("source", "frame", "label"):
        with pytest.raises(ValueError, match="read-only"):
            getattr(identities, name)[0] = 1


def test_columns_are_copied():
    labels = np.array([1, 2])
    identities = Identities.of("a", labels)
    labels[0] = 9
    assert identities[0] == ("a", 0, 1)


def test_table_of_identities(identities):
    table = identities.to_frame()
    assert table["source"].tolist() == ["b", "a", "a", "b"]
    assert table["frame"].tolist() == [0, 2, 0, 2]
    assert table["label"].tolist() == [7, 7, 2**31, 7]


@pytest.mark.speed
def test_a_hundred_thousand_are_found_in_milliseconds(rng):
    labels = rng.permutation(2**22)[:100_000]
    identities = Identities.of("a", labels, rng.integers(0, 50, 100_000))
    identities.row(identities[0])
    times = []
    for _ in range(5):
        start = time.perf_counter()
        rows = identities.rows("a", labels, identities.frame)
        times.append(time.perf_counter() - start)
    assert rows.tolist() == list(range(100_000))
    assert min(times) < 0.2  # 0.02 s on an idle machine


def test_huge_ids_do_not_collide():
    """Products of such ids overflow 64 bits."""
    frames, labels = [2**62, 2**62 + 1, 0], [2**63 - 1, 2**63 - 2, 2**63 - 1]
    identities = Identities.of("a", np.array(labels), np.array(frames))
    assert [identities.row(identity) for identity in identities] == [0, 1, 2]
    assert identities.rows("a", [2**63 - 2], 2**62).tolist() == [-1]


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        ((("a",), [0, 0], [0, 0], [1, 1]), r"identities must differ; got 1 .*\('a', 0, 1\)"),
        ((("a",), [0], [0], [-1]), r"label must be in 0\.\.2\*\*63 - 1; got -1"),
        ((("a",), [0], [-1], [1]), r"frame must be in 0\.\..*; got -1"),
        ((("a",), [0], [0], [2**63]), r"label must be in .*; got 9223372036854775808"),
        ((("a",), [1], [0], [1]), r"source must be an index into the 1 sources; got 1"),
        ((("a",), [0], [0], [1.0]), r"label must be integers or text; got dtype float64"),
        ((("a",), [0], [0], [True]), r"label must be integers or text; got dtype bool"),
        ((("a",), [0], [0], [b"1"]), r"label must be integers or text; got dtype \|S1"),
        ((("a",), [0, 0], [0, 0], ["1", "1"]), r"identities must differ; got 1 .*'a', 0, '1'"),
        ((("a",), [0], [0], [""]), r"label must be all .*; got an empty text"),
        ((("a",), [0], [0], ["a\0b"]), r"label must be all .*; got a text with .* NUL"),
        ((("a",), [0], [0], ["\ud800"]), r"label must be all .*; got a text with half"),
        ((("a",), [0], [0], [[1]]), r"label must have one value for each sample; got shape \(1, 1"),
        ((("a",), [0, 0], [0], [1, 2]), r"must be equally long; got lengths .*'frame': 1"),
        ((("a", "a"), [0], [0], [1]), r"sources must have different names; got \('a', 'a'\)"),
        ((("",), [0], [0], [1]), r"sources must be names, none of them empty"),
        (((3,), [0], [0], [1]), r"sources must be names"),
    ],
)
def test_bad_identities_are_refused(arguments, message):
    with pytest.raises(InvalidInputError, match=message):
        Identities(*arguments)


def test_frames_must_match_labels(identities):
    with pytest.raises(InvalidInputError, match=r"frame must be one int or one for each label"):
        identities.rows("a", [1, 2, 3], [0, 1])
