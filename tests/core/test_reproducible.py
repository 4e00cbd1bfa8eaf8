"""A seed repeats a fit, and a fit changes no global state."""

from __future__ import annotations

import os
import random
import sys
import warnings

import numpy as np
import pytest

from embedscope import ParametricUMAP

_QUICK = {"n_neighbors": 8, "n_epochs": 20, "encoder": "reference"}

_FIT = """
import sys
import numpy as np
from embedscope import ParametricUMAP

_, data, out, solver = sys.argv
mapper = ParametricUMAP(
    n_neighbors=8, n_epochs=20, encoder="reference", random_state=7,
    parametric_reconstruction=True, solver=solver,
).fit(np.load(data))
np.savez(out, map=mapper.embedding_, loss=mapper.history_["loss"],
         drawn=mapper.inverse_transform(mapper.embedding_[:5]))
"""


@pytest.mark.parametrize("solver", ["auxiliary", pytest.param("edges", marks=pytest.mark.long)])
def test_a_seed_repeats_to_the_last_bit_in_another_process(
    few, run_python, tmp_path, monkeypatch, solver
):
    np.save(tmp_path / "data.npy", few.train)
    data, here, there = (str(tmp_path / name) for name in ("data.npy", "first.npz", "second.npz"))
    run_python(_FIT, data, there, solver)
    monkeypatch.setattr(sys, "argv", ["", data, here, solver])
    exec(_FIT, {})  # here, after all that other tests have done
    first, second = np.load(tmp_path / "first.npz"), np.load(tmp_path / "second.npz")
    for part in ("map", "loss", "drawn"):
        np.testing.assert_array_equal(first[part], second[part])


def test_watching_a_run_does_not_change_it(few):
    from embedscope.core.networks._tensorflow import keras

    class Watcher(keras.callbacks.Callback):
        def on_train_batch_end(self, batch, logs=None):
            pass  # acts on batches, so that each is a call of its own

    plain = ParametricUMAP(**_QUICK, random_state=3).fit(few.train)
    watched = ParametricUMAP(
        **_QUICK,
        random_state=3,
        progress=lambda report: False,
        keras_fit_kwargs={"callbacks": [Watcher()]},
    ).fit(few.train)
    np.testing.assert_array_equal(watched.embedding_, plain.embedding_)
    assert watched.history_ == plain.history_


def test_another_seed_gives_another_map(few):
    maps = [ParametricUMAP(**_QUICK, random_state=seed).fit_transform(few.train) for seed in (1, 2)]
    assert np.abs(maps[0] - maps[1]).max() > 0.1


def test_no_global_state_is_read_or_changed(few):
    from embedscope.core.networks._tensorflow import keras

    def state() -> list[object]:
        return [
            random.getstate(),
            np.random.get_state()[1].tolist(),  # noqa: NPY002 - to see that nobody touched it
            dict(os.environ),
            list(warnings.filters),
            np.geterr(),
            keras.config.floatx(),
            keras.config.dtype_policy().name,
        ]

    before = state()
    ParametricUMAP(**_QUICK).fit(few.train).transform(few.test)
    assert state() == before
