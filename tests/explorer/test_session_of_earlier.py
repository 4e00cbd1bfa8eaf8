"""Sessions of the version whose decoders had names and could blend stored samples."""

from __future__ import annotations

import dataclasses
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd
import pytest

from embedscope import ParametricUMAP
from embedscope.explorer import Explorer
from embedscope.samples import Samples, join_samples, samples_from_array
from embedscope.training import TrainedMap, TrainingParameters


@pytest.fixture(scope="module")
def samples() -> Samples:
    return samples_from_array(np.random.default_rng(0).random((40, 4, 4, 1), np.float32))


def blending_decoder(pictures: np.ndarray, *, trainable: bool = False) -> Any:
    """A decoder as stored by that version: plain layers whose weights are samples."""
    import keras

    decoder = keras.Sequential(
        [
            keras.Input((2,)),
            keras.layers.Dense(len(pictures), activation="softmax", trainable=trainable),
            keras.layers.Dense(16, use_bias=False, trainable=trainable),
            keras.layers.Reshape((4, 4, 1)),
        ],
        name="exemplar_decoder",
    )
    places = np.random.default_rng(1).normal(size=(2, len(pictures))).astype(np.float32)
    decoder.layers[0].set_weights([places, np.zeros(len(pictures), np.float32)])
    decoder.layers[1].set_weights([pictures.reshape(len(pictures), -1)])
    return decoder


def fitted(samples: Samples, decoder: Any) -> Explorer:
    estimator = ParametricUMAP(
        n_neighbors=5, decoder=decoder, parametric_reconstruction=True, n_epochs=5, random_state=0
    ).fit(samples.X)
    explorer = Explorer()
    explorer.show_result(
        TrainedMap(
            estimator,
            samples,
            TrainingParameters(n_neighbors=5),
            estimator.embedding_,
            estimator.history_,
            run_id=1,
        )
    )
    return explorer


def opened(path: Path) -> tuple[Explorer, list[str]]:
    explorer, said = Explorer(), []
    explorer.events.message_sent.connect(said.append)
    explorer.load(path)
    return explorer, said


@pytest.mark.parametrize("chosen", ["exemplars", "automatic", "dense"])
def test_a_session_with_the_name_of_a_decoder_is_opened(
    samples: Samples, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, chosen: str
) -> None:
    explorer = Explorer(samples, parameters=TrainingParameters(n_neighbors=7))
    with monkeypatch.context() as earlier:
        earlier.setattr(
            TrainingParameters,
            "to_dict",
            lambda self: dataclasses.asdict(self) | {"decoder": chosen},
        )
        explorer.save(tmp_path / "session")
    again, said = opened(tmp_path / "session")
    assert again.parameters == TrainingParameters(n_neighbors=7)
    assert said == ["Session opened"]


def test_a_map_that_blends_stored_samples_is_reported_and_works(
    samples: Samples, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    explorer = fitted(samples, blending_decoder(samples.X[:10]))
    with monkeypatch.context() as earlier:
        earlier.setattr(
            TrainingParameters,
            "to_dict",
            lambda self: dataclasses.asdict(self) | {"decoder": "exemplars"},
        )
        explorer.save(tmp_path / "session", include_images=True)
    again, said = opened(tmp_path / "session")
    assert said == [
        "Session opened. The map is of an earlier version: decoded samples are blends of stored "
        "samples. Train again to get a trained decoder"
    ]
    point = again.embedding.positions[3]
    drawn = again.decode(point)
    assert (drawn.decoded, drawn.style, drawn.spread) == (True, "typical", None)
    np.testing.assert_allclose(drawn.sample, explorer.decode(point).sample, atol=1e-6)
    (each,) = again.reconstruct([3])
    assert each.error == each.typical_error
    assert each.is_held_out is False
    assert again.explained is None


def test_a_trained_decoder_of_that_name_is_not_reported_to_blend(
    samples: Samples, tmp_path: Path
) -> None:
    explorer = fitted(samples, blending_decoder(samples.X[:10], trainable=True))
    explorer.save(tmp_path / "session", include_images=True)
    _, said = opened(tmp_path / "session")
    assert said == ["Session opened"]


def test_a_session_of_format_2_is_opened() -> None:
    """Rows of an index of names were numbered, and the names were a feature."""
    explorer, said = opened(Path(__file__).parent / "sessions" / "format_2")
    assert said == ["Session opened"]
    assert explorer.samples.identities.label.tolist() == [0, 1, 2, 3]
    assert explorer.selected_ids == [("table", 0, 2)]
    assert explorer.gate_counts()["count"].tolist() == [2]
    names = ["AAC-1", "AAG-1", "AAT-1", "AGA-1"]
    assert explorer.to_anndata().obs_names.tolist() == names
    later = pd.DataFrame({"a": [1.0, 2], "b": [2.0, 1]}, index=["x", "y"])
    joined = join_samples([explorer.samples, explorer.samples.same_way(later, source="later")])
    assert joined.identities.label.tolist() == ["0", "1", "2", "3", "x", "y"]
