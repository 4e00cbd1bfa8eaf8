"""A small real map whose answers are known: place and style code are four values of a sample."""

from __future__ import annotations

from typing import Any

import numpy as np

from embedscope.explorer import Explorer
from embedscope.samples import Samples, samples_from_array
from embedscope.training import TrainedMap, TrainingParameters

N_SAMPLES = 60
SHAPE = (4, 4, 1)
HELD_OUT = np.arange(0, N_SAMPLES, 10)


class LinearMap:
    """An estimator: the first two values of a sample are its place, the next two its style code.

    All other values are drawn as 0. The spread is 0.1 times the distance from the map's lower left
    corner, for every value alike. With `style` or `spread` False it is as estimators without style
    codes, or of earlier versions, are: the attributes are not there.
    """

    def __init__(self, shape: tuple[int, ...], *, style: bool = True, spread: bool = True) -> None:
        self.shape = shape
        self.decoder_: Any = "a decoder"
        self.encoded: list[int] = []  # how many samples each call for style codes was given
        if style:
            self.n_style_components = 2
            self.style_encoder_: Any = "a network for style codes"
        if spread:
            self.spread_decoder_ = "a network for the spread"

    def fit(self, X: np.ndarray) -> LinearMap:
        self.embedding_ = self.transform(X)
        if hasattr(self, "spread_decoder_"):
            self.validation_rows_ = HELD_OUT
        return self

    def transform(self, X: np.ndarray) -> np.ndarray:
        return X.reshape(len(X), -1)[:, :2].astype(np.float32)

    def style(self, X: np.ndarray) -> np.ndarray:
        self.encoded.append(len(X))
        return X.reshape(len(X), -1)[:, 2:4].astype(np.float32)

    def inverse_transform(self, Z: np.ndarray, style: np.ndarray | None = None) -> np.ndarray:
        flat = np.zeros((len(Z), int(np.prod(self.shape))), np.float32)
        flat[:, :2] = Z
        if style is not None:
            flat[:, 2:4] = style
        return flat.reshape(-1, *self.shape)

    def inverse_std(self, Z: np.ndarray) -> np.ndarray:
        distances = np.linalg.norm(np.asarray(Z, np.float32), axis=1)
        of_each = distances.reshape(-1, *(1,) * len(self.shape))
        return np.broadcast_to(0.1 * of_each, (len(Z), *self.shape)).astype(np.float32)


def random_samples(shape: tuple[int, ...] = SHAPE, n_samples: int = N_SAMPLES) -> Samples:
    return samples_from_array(np.random.default_rng(0).random((n_samples, *shape), np.float32))


def linear_result(samples: Samples | None = None, **options: Any) -> TrainedMap:
    """What a run would have left behind."""
    samples = random_samples() if samples is None else samples
    estimator: Any = LinearMap(samples.sample_shape, **options).fit(samples.X)
    return TrainedMap(
        estimator,
        samples,
        TrainingParameters(n_neighbors=5),
        estimator.embedding_,
        {"loss": [1.0]},
        run_id=1,
    )


def linear_explorer(samples: Samples | None = None, **options: Any) -> Explorer:
    """An explorer that shows such a map; see `LinearMap` for the options."""
    explorer = Explorer()
    explorer.show_result(linear_result(samples, **options))
    return explorer
