"""Samples that learn from one thing while they show another."""

from __future__ import annotations

from functools import partial
from typing import Any

import numpy as np
import pandas as pd
import pytest
from scipy import sparse

from embedscope._errors import InvalidInputError, StoppedError
from embedscope.samples import (
    Samples,
    join_samples,
    samples_from_labels,
    samples_from_table,
    samples_like,
)
from embedscope.samples.common import with_computed

N_SIDE = 10
N = N_SIDE**2
LABELS = np.zeros((12 * N_SIDE, 12 * N_SIDE), np.uint8)
for number in range(N):
    row, column = divmod(number, N_SIDE)
    LABELS[12 * row + 2 : 12 * row + 9, 12 * column + 2 : 12 * column + 9] = number + 1


def image(seed: int) -> np.ndarray:
    return np.random.default_rng(seed).integers(0, 200, LABELS.shape).astype(np.uint8)


def cells(seed: int = 0, source: str = "a") -> Samples:
    return samples_from_labels(image(seed), LABELS, 8, source=source)


def means(batch: np.ndarray) -> np.ndarray:
    """Mean and deviation of each picture."""
    return np.stack([batch.mean(axis=(1, 2, 3)), batch.std(axis=(1, 2, 3))], axis=1)


@pytest.fixture
def samples() -> Samples:
    return cells()


# Columns and arrays


def test_columns_are_standardised_and_pictures_stay(samples: Samples) -> None:
    taught = samples.learning_from(["mean channel 0", "std channel 0"])
    read = taught.encoder_inputs()
    assert read.shape == (N, 2)
    assert read.dtype == np.float32
    np.testing.assert_allclose(read.mean(axis=0), 0, atol=1e-5)
    np.testing.assert_allclose(read.std(axis=0), 1, atol=1e-5)
    np.testing.assert_array_equal(taught.X, samples.X)
    np.testing.assert_array_equal(taught.thumbnail(3), samples.thumbnail(3))
    assert taught.sample_shape == samples.sample_shape
    assert "learning from mean channel 0, std channel 0" in repr(taught)
    both = pd.Index(["mean channel 0", "std channel 0"])
    np.testing.assert_array_equal(samples.learning_from(both).encoder_inputs(), read)
    raw = taught.learning_from("mean channel 0", standardise=False).encoder_inputs([4, 2])
    np.testing.assert_allclose(
        raw[:, 0], samples.features["mean channel 0"].to_numpy()[[4, 2]], rtol=1e-6
    )
    np.testing.assert_array_equal(taught.learning_from(None).encoder_inputs(), samples.X)


@pytest.mark.parametrize("kind", [np.asarray, sparse.csr_matrix, pd.DataFrame, np.ndarray.tolist])
def test_an_array_is_taken_as_it_is(samples: Samples, kind: Any) -> None:
    deep = np.random.default_rng(1).normal(5.0, 2.0, (N, 6))
    taught = samples.learning_from(kind(deep))
    np.testing.assert_allclose(taught.encoder_inputs(), deep, rtol=1e-6)
    part = taught.subset([7, 3])
    np.testing.assert_allclose(part.encoder_inputs(), deep[[7, 3]], rtol=1e-6)


def test_a_part_keeps_the_scale_of_all(samples: Samples) -> None:
    taught = samples.learning_from(["area", "mean channel 0"])
    np.testing.assert_array_equal(
        taught.subset(np.arange(5)).encoder_inputs(), taught.encoder_inputs()[:5]
    )


def test_samples_without_values_are_left_out_and_named(samples: Samples) -> None:
    deep = np.ones((N, 2)) * np.arange(N)[:, None]
    deep[[4, 9], [0, 1]] = np.nan, np.inf
    taught = samples.learning_from(deep)
    assert len(taught) == N - 2
    assert taught.left_out[-1].name == "2 samples"
    assert "labels 5, 10" in taught.left_out[-1].reason
    assert not {5, 10} & set(taught.identities.label.tolist())
    np.testing.assert_array_equal(taught.encoder_inputs()[:, 0] + 1, taught.identities.label)


@pytest.mark.parametrize(
    ("what", "said"),
    [
        ("mean channel", "Did you mean 'mean channel 0'"),
        ([], "at least one and each once"),
        (["area", "area"], "each once"),
        ("kind", "that are numbers"),
        (np.ones((7, 2)), "a row for each of the 100 samples"),
        (np.ones(N), r"of shape \(100, n_values\)"),
        (np.full((N, 2), "x"), "an array of numbers"),
        (np.full((N, 2), np.nan), "for every sample"),
        (3, "names of features, an array"),
    ],
)
def test_what_cannot_be_learned_from_is_refused(samples: Samples, what: Any, said: str) -> None:
    named = samples.with_features(kind=["a", "b"] * (N // 2))
    with pytest.raises(InvalidInputError, match=said):
        named.learning_from(what)


def test_rows_of_a_table_learn_from_some_columns_and_are_decoded_whole() -> None:
    frame = pd.DataFrame(np.random.default_rng(0).normal(size=(20, 4)), columns=list("abcd"))
    taught = samples_from_table(frame).learning_from("b")
    assert taught.X.shape == (20, 4)
    np.testing.assert_allclose(taught.encoder_inputs()[:, 0], taught.X[:, 1], rtol=1e-5)


# New samples


def test_columns_of_new_samples_are_measured_again(samples: Samples) -> None:
    taught = samples.learning_from(["mean channel 0"])
    new = taught.same_way(image(1), LABELS, source="b")
    column = "mean channel 0"
    expected = new.features[column] - samples.features[column].mean()
    np.testing.assert_allclose(
        new.encoder_inputs()[:, 0], expected / samples.features[column].std(ddof=0), rtol=1e-4
    )
    both = join_samples([taught, new])
    np.testing.assert_array_equal(both.encoder_inputs()[N:], new.encoder_inputs())
    assert samples_like(taught, new) is new
    with pytest.raises(InvalidInputError, match="values to learn from"):
        join_samples([samples, new])


def test_columns_that_new_samples_lack_are_given(samples: Samples) -> None:
    taught = samples.with_features(depth=np.arange(N)).learning_from("depth")
    with pytest.raises(InvalidInputError, match=r"none of the name 'depth'.*learned="):
        taught.same_way(image(1), LABELS, source="b")
    given = pd.DataFrame({"other": 1, "depth": np.arange(N) / 2})
    new = taught.same_way(image(1), LABELS, source="b", learned=given)
    np.testing.assert_allclose(new.encoder_inputs()[8], taught.encoder_inputs()[4])


def test_an_array_needs_a_new_array(samples: Samples) -> None:
    taught = samples.learning_from(np.ones((N, 3)))
    with pytest.raises(InvalidInputError, match="Give it to same_way as learned="):
        taught.same_way(image(1), LABELS, source="b")
    with pytest.raises(InvalidInputError, match="the 3 columns"):
        taught.same_way(image(1), LABELS, source="b", learned=np.ones((N, 2)))
    with pytest.raises(InvalidInputError, match="made whole by same_way"):
        next(taught.parts_same_way(image(1), LABELS, n_rows=10))
    new = taught.same_way(image(1), LABELS, source="b", learned=np.full((N, 3), 2.0))
    assert join_samples([taught, new]).encoder_inputs()[-1].tolist() == [2, 2, 2]
    with pytest.raises(InvalidInputError, match="learn from what they show"):
        samples.same_way(image(1), LABELS, source="b", learned=np.ones((N, 3)))


# Functions


def test_a_function_gets_batches_of_pictures_when_it_is_needed(samples: Samples) -> None:
    seen: list[tuple[tuple[int, ...], np.dtype, float, float]] = []

    def features(batch: np.ndarray) -> np.ndarray:
        seen.append((batch.shape, batch.dtype, float(batch.min()), float(batch.max())))
        return means(batch)

    taught = samples.learning_from(features)
    assert not seen
    np.testing.assert_allclose(taught.encoder_inputs(), means(samples.X), rtol=1e-6)
    assert [shape for shape, *_ in seen] == [(64, 8, 8, 1), (36, 8, 8, 1)]
    assert all(dtype == np.float32 and 0 <= low < high <= 1 for _, dtype, low, high in seen)
    taught.subset([1, 2]).encoder_inputs()
    taught.encoder_inputs([5])
    assert len(seen) == 2, "computed once"
    assert taught.learned is not None
    assert taught.learned.names[1].endswith("features 1")


def test_a_stopped_function_goes_on_where_it_was(samples: Samples) -> None:
    seen: list[int] = []

    def features(batch: np.ndarray) -> np.ndarray:
        seen.append(len(batch))
        return means(batch)

    def stop(share: float) -> None:
        if share > 0.5:
            raise StoppedError("stopped")

    taught = samples.learning_from(features)
    with pytest.raises(StoppedError):
        taught.encoder_inputs(report=stop)
    np.testing.assert_allclose(taught.encoder_inputs(), means(samples.X), rtol=1e-6)
    assert seen == [64, 36]


def test_new_samples_are_computed_again(samples: Samples) -> None:
    taught = samples.learning_from(means, standardise=True)
    early = join_samples([taught, taught.same_way(image(1), LABELS, source="b")])
    assert early.learned is not None
    assert early.learned.values is None, "not computed before it is needed"
    taught.encoder_inputs()
    new = taught.same_way(image(1), LABELS, source="b")
    raw = means(samples.X)
    expected = (means(new.X) - raw.mean(axis=0)) / raw.std(axis=0)
    np.testing.assert_allclose(new.encoder_inputs(), expected, atol=1e-4)
    parts = [part().samples for part in taught.parts_same_way(image(1), LABELS, n_rows=30)]
    whole = np.concatenate([part.encoder_inputs() for part in parts if part is not None])
    np.testing.assert_allclose(whole, expected, atol=1e-4)
    np.testing.assert_allclose(
        join_samples([taught, new]).encoder_inputs()[N:], expected, atol=1e-4
    )


def test_pictures_that_are_scaled_again_are_computed_again() -> None:
    parts = [
        samples_from_labels(image(seed) * gain, LABELS, 8, source=name).learning_from(means)
        for seed, gain, name in ((0, 1, "a"), (1, 0.25, "b"))
    ]
    for part in parts:
        part.encoder_inputs()
    joined = join_samples(parts)
    np.testing.assert_allclose(joined.encoder_inputs(), means(joined.X), rtol=1e-6)
    within = joined.scaled_within("image")
    np.testing.assert_allclose(within.encoder_inputs(), means(within.X), rtol=1e-6)


def fails(batch: np.ndarray) -> np.ndarray:
    raise RuntimeError("no such layer")


@pytest.mark.parametrize(
    ("function", "said"),
    [
        (fails, r"fails must take samples of shape \(64, 8, 8, 1\).*no such layer"),
        (lambda batch: batch.mean(), r"must return numbers of shape \(64, n_features\)"),
        (lambda batch: np.zeros((3, 2)), "a row for each sample; got float64 of shape"),
        (lambda batch: np.full((len(batch), 2), "x"), "must return numbers"),
        (lambda batch: np.zeros((len(batch), len(batch))), "same number of features"),
    ],
)
def test_what_a_function_returns_is_checked(samples: Samples, function: Any, said: str) -> None:
    with pytest.raises(InvalidInputError, match=said):
        samples.learning_from(function).encoder_inputs()


def unknown_of_bright(batch: np.ndarray) -> np.ndarray:
    """NaN or infinity for some pictures: those with a bright corner."""
    corner = batch[:, 0, 0, 0]
    return means(batch) + np.select([corner > 0.9, corner > 0.8], [np.nan, np.inf], 0.0)[:, None]


@pytest.mark.parametrize("standardise", [False, True])
def test_samples_without_finite_numbers_of_a_function_are_left_out(
    samples: Samples, standardise: bool
) -> None:
    is_known = samples.X[:, 0, 0, 0] <= 0.8
    taught = with_computed(samples.learning_from(unknown_of_bright, standardise=standardise))
    assert 0 < (~is_known).sum() < N - 10
    np.testing.assert_array_equal(taught.identities.label, samples.identities.label[is_known])
    assert taught.left_out[-1].name == f"{(~is_known).sum()} samples"
    labels = ", ".join(map(str, samples.identities.label[~is_known][:5]))
    reason = f"unknown_of_bright computes no finite numbers (labels {labels}, ...)"
    assert taught.left_out[-1].reason == reason
    kept = means(samples.X[is_known])
    expected = (kept - kept.mean(axis=0)) / kept.std(axis=0) if standardise else kept
    np.testing.assert_allclose(taught.encoder_inputs(), expected, atol=1e-5)
    assert with_computed(taught) is taught
    new = with_computed(taught.same_way(image(1), LABELS, source="b"))
    both = join_samples([taught, new])
    assert np.isfinite(both.encoder_inputs()).all()
    assert len(both) == len(taught) + len(new) < 2 * N


def test_a_function_without_any_finite_number_is_refused(samples: Samples) -> None:
    taught = samples.learning_from(lambda batch: means(batch) * np.nan)
    with pytest.raises(InvalidInputError, match=r"must return finite numbers.*every sample\. Cor"):
        with_computed(taught)
    assert with_computed(samples) is samples


def test_a_function_is_known_by_its_values(samples: Samples) -> None:
    taught = samples.learning_from(partial(means))
    with pytest.raises(InvalidInputError, match=r"Use Samples\.learning_from"):
        taught.with_extractor(means)
    taught.encoder_inputs()
    assert taught.with_extractor(means).learned.name == "means"  # type: ignore[union-attr]
    with pytest.raises(InvalidInputError, match="must be the function that the map learned from"):
        taught.with_extractor(lambda batch: means(batch) * 1.1)
    with pytest.raises(InvalidInputError, match="3 features of a sample instead of 2"):
        taught.with_extractor(lambda batch: np.ones((len(batch), 3)))
    with pytest.raises(InvalidInputError, match="must be a function"):
        taught.with_extractor("means")  # type: ignore[arg-type]
    with pytest.raises(InvalidInputError, match="Use learning_from"):
        samples.with_extractor(means)


@pytest.mark.parametrize("is_first", [True, False])
def test_samples_that_learn_from_other_values_are_not_joined(
    samples: Samples, is_first: bool
) -> None:
    other = samples.same_way(image(1), LABELS, source="b")
    parts = [samples.learning_from(["area"]), other]
    with pytest.raises(InvalidInputError, match=r"^parts must have the same values to learn from"):
        join_samples(parts if is_first else parts[::-1])
