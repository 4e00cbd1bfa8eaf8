"""The estimator refuses bad input early, and names the parameter, rule, value and remedy.

A refusal is early if it comes before the search for neighbours, which takes minutes on large data.
"""

from __future__ import annotations

import copy
import re
from collections.abc import Callable, Mapping
from typing import Any

import keras
import numpy as np
import pandas as pd
import pytest
from scipy import sparse
from sklearn.exceptions import NotFittedError
from sklearn.neighbors import NearestNeighbors

from embedscope import ParametricUMAP
from embedscope._errors import InvalidInputError
from embedscope.core._parameters import check_parameters
from embedscope.core.graph._targets import check_targets
from embedscope.core.solvers._monitor import Report

N_SAMPLES, N_FEATURES = 40, 6
DATA = np.random.default_rng(7).normal(size=(N_SAMPLES, N_FEATURES)).astype(np.float32)
DATA.setflags(write=False)
# The rule, the value, and a remedy of at least one sentence.
FORM = re.compile(r"^[^;]+ must [^;]+; got .+[.)?!:] [A-Z'\"0-9-].*\.$", re.DOTALL)


def quick(**parameters: Any) -> ParametricUMAP:
    small = {"n_epochs": 10, "encoder": "reference", "solver": "edges", "random_state": 0}
    return ParametricUMAP(**({"n_neighbors": 5} | small | parameters))


@pytest.fixture(scope="module")
def fitted() -> ParametricUMAP:
    return quick(parametric_reconstruction=True).fit(DATA)


def refusal(call: Callable[[], Any]) -> str:
    """The text of the error that a call raises."""
    with pytest.raises(InvalidInputError) as caught:
        call()
    text = str(caught.value)
    assert FORM.match(text), text
    return text


def fit_refusal(
    X: Any = DATA, y: Any = None, beside: Mapping[str, Any] | None = None, **parameters: Any
) -> str:
    """The text of the error that `fit` raises before it searches neighbours."""
    reports: list[Report] = []
    watched = {"progress": reports.append} | parameters
    text = refusal(lambda: quick(**watched).fit(X, y, **(beside or {})))
    assert all(report.fraction == 0.0 for report in reports)
    return text


def dense_network(
    n_inputs: int, n_outputs: int, dtype: str = "float32", initializer: Any = "zeros"
) -> keras.Model:
    dense = keras.layers.Dense(n_outputs, kernel_initializer=initializer, dtype=dtype)
    return keras.Sequential([keras.Input((n_inputs,)), dense])


# -- every constructor parameter ------------------------------------------------------------------

SWITCHES = ("low_memory", "angular_rp_forest", "unique", "densmap", "verbose")
NETWORK_SWITCHES = ("parametric_embedding", "parametric_reconstruction", "autoencoder_loss")
NOT_COUNTS = (True, 0, -3, 2.5, "15", np.nan, [15])
NOT_WEIGHTS = (True, -0.1, np.nan, np.inf, "1", [1.0], 10**400, 1j)
WRONG: dict[str, tuple[Any, ...]] = {
    "n_neighbors": (*NOT_COUNTS, None, 1),
    "n_components": (*NOT_COUNTS, None),
    "metric": (5, None, ["euclidean"], "euclid", ""),
    "metric_kwds": (5, "p", [("p", 3)]),
    "min_dist": (*NOT_WEIGHTS, None, 1.5),
    "spread": (*NOT_WEIGHTS, None, 0.0),
    "a": (*NOT_WEIGHTS, 0.0),
    "b": (*NOT_WEIGHTS, 0.0),
    "n_epochs": NOT_COUNTS,
    "learning_rate": (*NOT_WEIGHTS, None, 0.0),
    "init": (
        5,
        None,
        "umap",
        np.zeros((N_SAMPLES, 3)),
        np.zeros((N_SAMPLES - 1, 2)),
        np.full((N_SAMPLES, 2), np.nan),
        [["a", "b"]] * N_SAMPLES,
        [[0.0, 0.0], [0.0]],
    ),
    "negative_sample_rate": (True, -1, 2.5, "5", None, np.nan),
    "repulsion_strength": (*NOT_WEIGHTS, None),
    "set_op_mix_ratio": (*NOT_WEIGHTS, None, 1.1),
    "local_connectivity": (*NOT_WEIGHTS, None),
    "precomputed_knn": (5, "brute", (), (DATA,), np.zeros((N_SAMPLES, 5)), {"indices": DATA}),
    "target_metric": (5, None, ["euclidean"], "euclid", "precomputed"),
    "target_metric_kwds": (5, "p", [("p", 3)]),
    "target_weight": (*NOT_WEIGHTS, None, 1.1),
    "max_graph_samples": (True, 2, 10.5, "all", None),
    "target_n_neighbors": (True, 0, 1, -2, 2.5, "15", None),
    "dens_lambda": (*NOT_WEIGHTS, None),
    "dens_frac": (*NOT_WEIGHTS, None, 1.1),
    "dens_var_shift": (*NOT_WEIGHTS, None, 0.0),
    "n_jobs": (True, 0, 1.5, "all"),
    "random_state": (True, -1, 2**32, 1.5, "seed", np.nan, [1], np.random),
    "encoder": (5, "large", "", [100, 100], object(), keras.layers.Dense(2)),
    "decoder": (5, "reference", object(), keras.layers.Dense(N_FEATURES)),
    "dims": (
        N_FEATURES,
        str(N_FEATURES),
        (),
        (0,),
        (-6,),
        (-2, -3),
        (2.0, 3.0),
        (True, 6),
        ("2", "3"),
        (7,),
        (2, 2),
        (None,),
    ),
    "parametric_reconstruction_loss_fcn": (
        5,
        "mse",
        lambda samples: samples,
        lambda samples, drawn: samples / 0.0,
        lambda samples, drawn: {}["a"],
        lambda samples, drawn: "a",
        # A Python `if` on a tensor, which no graph has.
        lambda samples, drawn: (drawn if keras.ops.sum(drawn) > 0 else samples) - samples,
    ),
    "parametric_reconstruction_loss_weight": (*NOT_WEIGHTS, None),
    "reconstruction_validation": (
        5,
        "DATA",
        DATA[:, :5],
        DATA[0],
        np.full((3, N_FEATURES), np.nan),
        np.zeros((0, N_FEATURES)),
    ),
    "n_style_components": (True, -1, 2.5, "3", None, np.nan, N_SAMPLES, N_FEATURES + 1),
    "validation_fraction": (True, -0.1, 1.0, "0.1", None, np.nan, 0.99),
    "global_correlation_loss_weight": (*NOT_WEIGHTS, None),
    "landmark_loss_fn": (5, "mse", lambda places: places, lambda wanted, places: {}["a"]),
    "landmark_loss_weight": (*NOT_WEIGHTS, None),
    "solver": (5, None, "adam", "Edges"),
    "quality": (1, None, "good", "Best"),
    "batch_size": NOT_COUNTS,
    "n_training_epochs": (*NOT_COUNTS, None),
    "loss_report_frequency": (*NOT_COUNTS, None),
    "optimizer": (5, "sgdd", object(), [1e-3], {"class_name": "nothing"}),
    "keras_fit_kwargs": (
        5,
        "callbacks",
        ["callbacks"],
        {"epochs": 5},
        {5: 1, "a": 2},
        {"callbacks": 5},
        {"callbacks": [print]},
        {"callbacks": "early"},
    ),
    "distribution": (5, "mirrored", ["CPU:0", "CPU:1"], keras.distribution.DataParallel),
    "progress": (5, "tqdm", []),
    **dict.fromkeys((*SWITCHES, *NETWORK_SWITCHES), (0, 1, "yes", None, np.nan)),
}
# Parameters that mean something only beside others.
BESIDE: dict[str, dict[str, Any]] = {
    "a": {"b": 1.0},
    "b": {"a": 1.0},
    **{
        name: {"parametric_reconstruction": True}
        for name in (
            "decoder",
            "reconstruction_validation",
            "autoencoder_loss",
            "parametric_reconstruction_loss_fcn",
            "n_style_components",
            "validation_fraction",
        )
    },
}


def test_wrong_values_are_tried_for_every_parameter() -> None:
    assert set(WRONG) == set(ParametricUMAP().get_params())


def named(value: Any) -> str:
    return f"{type(value).__name__} {str(value)[:20]}"


@pytest.mark.parametrize(
    ("name", "value"),
    [pytest.param(n, v, id=f"{n}-{named(v)}") for n, values in WRONG.items() for v in values],
)
def test_a_wrong_value_is_refused_by_the_parameters_name(name: str, value: Any) -> None:
    text = fit_refusal(**(BESIDE.get(name, {}) | {name: value}))
    subject = text.partition(" must ")[0]
    assert re.search(rf"\b{name}\b", subject), text


@pytest.mark.parametrize("name", ["decoder", "autoencoder_loss", "reconstruction_validation"])
def test_what_needs_a_decoder_names_the_switch(name: str) -> None:
    value = {"autoencoder_loss": True, "decoder": dense_network(2, 6)}.get(name, DATA)
    text = fit_refusal(**{name: value})
    assert text.startswith(f"{name} must come with parametric_reconstruction=True")


@pytest.mark.parametrize(("given", "missing"), [("a", "b"), ("b", "a")])
def test_a_and_b_come_together(given: str, missing: str) -> None:
    text = fit_refusal(**{given: 1.5})
    assert f"{given}=1.5" in text
    assert f"{missing}=None" in text


def test_the_message_of_a_huge_value_is_short() -> None:
    assert len(fit_refusal(n_neighbors=np.zeros(100_000).tolist())) < 400


def test_numpy_scalars_are_as_good_as_pythons_own_numbers() -> None:
    usual = ParametricUMAP(a=1.5, b=0.9, n_epochs=10, batch_size=32, random_state=3).get_params()
    numpy_kinds = {bool: np.bool_, int: np.int64, float: np.float32, str: np.str_}
    as_numpy = {
        name: numpy_kinds[type(value)](value) if type(value) in numpy_kinds else value
        for name, value in usual.items()
    }
    assert sum(isinstance(value, np.generic) for value in as_numpy.values()) > 25
    checked = check_parameters(as_numpy)
    assert not any(isinstance(value, np.generic) for value in checked.values())
    assert checked == pytest.approx(usual)  # float32 is not float64
    as_numpy |= {"encoder": np.str_("reference"), "n_neighbors": np.int8(5), "init": np.str_("pca")}
    assert ParametricUMAP(**as_numpy).fit(DATA).embedding_.shape == (N_SAMPLES, 2)


def test_parameters_are_checked_by_fit_and_not_before() -> None:
    estimator = ParametricUMAP(n_neighbors=-3, solver="none")
    assert estimator.n_neighbors == -3
    estimator.set_params(n_neighbors="many")
    assert refusal(lambda: estimator.fit(DATA)).startswith("n_neighbors must ")


# -- samples --------------------------------------------------------------------------------------


def spoiled(value: float) -> np.ndarray:
    data = DATA.copy()
    data[3, 2] = value
    return data


def spoiled_sparse(value: float) -> sparse.csr_matrix:
    return sparse.csr_matrix(spoiled(value))


BAD_SAMPLES: dict[str, tuple[Any, str]] = {
    "NaN": (spoiled(np.nan), "got 1 NaN"),
    "infinity": (spoiled(np.inf), "1 infinity"),
    "both infinities": (np.vstack([spoiled(np.inf), spoiled(-np.inf)]), "2 infinity"),
    "beyond float32": (DATA.astype(np.float64) * 1e300, "3e38"),
    "NaN in a sparse matrix": (spoiled_sparse(np.nan), "got 1 NaN"),
    "infinity in a sparse matrix": (spoiled_sparse(np.inf), "1 infinity"),
    "sparse beyond float32": (sparse.csr_matrix(DATA.astype(np.float64) * 1e300), "3e38"),
    "beyond the largest value": (DATA * 1e33, "at most 1e+32"),
    "differences that float32 cannot hold": (DATA * 1e-38, "at least 1e-32"),
    "empty": (np.zeros((0, N_FEATURES)), "n_samples=0"),
    "an empty list": ([], "shape (0,)"),
    "no features": (np.zeros((N_SAMPLES, 0)), "0 feature(s)"),
    "one sample": (DATA[:1], "n_samples=1"),
    "two samples": (DATA[:2], "n_samples=2"),
    "constant": (np.full((N_SAMPLES, N_FEATURES), 3.0), "constant data"),
    "all rows equal": (np.tile(DATA[:1], (N_SAMPLES, 1)), "constant data"),
    "constant sparse": (sparse.csr_matrix((N_SAMPLES, N_FEATURES)), "constant data"),
    "strings": ([["a", "b"]] * N_SAMPLES, "dtype"),
    "bytes": (np.full((N_SAMPLES, 2), b"a"), "dtype"),
    "dates": (np.zeros((N_SAMPLES, 2), "datetime64[s]"), "dtype"),
    "records": (np.zeros((N_SAMPLES, 2), [("x", float)]), "dtype"),
    "objects": (np.full((N_SAMPLES, 2), "a", dtype=object), "objects"),
    "None": (None, "shape ()"),
    "None among numbers": ([[1.0, None]] * N_SAMPLES, "40 NaN"),
    "dictionaries": (np.full((N_SAMPLES, 2), {"a": 1}, dtype=object), "objects"),
    "complex": (DATA + 1j, "complex"),
    "complex sparse": (sparse.csr_matrix(DATA + 1j), "complex"),
    "a ragged list": ([[1.0, 2.0], [3.0]] * N_SAMPLES, "list"),
    "one dimension": (DATA[:, 0], f"shape ({N_SAMPLES},)"),
    "one sparse dimension": (sparse.coo_array(DATA[:, 0]), f"shape ({N_SAMPLES},)"),
    "a number": (5.0, "shape ()"),
    "masked": (np.ma.masked_less(DATA, 0.0), "masked"),
}


@pytest.mark.parametrize("name", BAD_SAMPLES)
def test_bad_samples_are_refused(name: str) -> None:
    samples, says = BAD_SAMPLES[name]
    assert says in fit_refusal(samples)


@pytest.mark.parametrize("name", ["NaN", "empty", "strings", "complex", "one dimension", "None"])
def test_bad_samples_are_refused_by_every_method(name: str, fitted: ParametricUMAP) -> None:
    samples, says = BAD_SAMPLES[name]
    for method in (fitted.transform, fitted.inverse_transform, fitted.update):
        assert says in refusal(lambda method=method: method(samples))


def test_what_is_no_number_at_all_is_a_type_error_too() -> None:
    with pytest.raises(TypeError, match="X must be numeric"):
        quick().fit(np.full((N_SAMPLES, 2), {"a": 1}, dtype=object))


class Recording:
    """Like a torch tensor that records gradients: it cannot be converted, and names the reason."""

    def __array__(self, dtype: Any = None, copy: Any = None) -> np.ndarray:
        raise RuntimeError("Can't call numpy() on it. Use detach() first.")


class OnAnotherDevice:
    """Like a tensor on a GPU."""

    def __array__(self, dtype: Any = None, copy: Any = None) -> np.ndarray:
        raise TypeError("can't convert it. Use cpu() first.")


@pytest.mark.parametrize("tensor", [Recording(), OnAnotherDevice()], ids=["gradients", "device"])
def test_a_tensor_that_refuses_to_be_an_array_is_named(tensor: Any, fitted: ParametricUMAP) -> None:
    knn = (tensor, np.ones((N_SAMPLES, 3)))
    for name, step in {
        "X": lambda: quick().fit(tensor),
        "y": lambda: quick().fit(DATA, tensor),
        "Z": lambda: fitted.inverse_transform(tensor),
        "init": lambda: quick(init=tensor).fit(DATA),
        "precomputed_knn": lambda: quick(precomputed_knn=knn).fit(DATA),
        "landmark_positions": lambda: quick().fit(DATA, landmark_positions=tensor),
        "idx": lambda: fitted.add_landmarks(DATA, sample_mode="predefined", idx=tensor),
        "labels": lambda: fitted.plot(labels=tensor),
    }.items():
        message = refusal(step)
        assert message.startswith(f"{name} must be "), message
        assert type(tensor).__name__ in message or name == "precomputed_knn"
        assert "Use detach() first" in message or "Use cpu() first" in message
    assert refusal(lambda: fitted.transform(tensor)).startswith("X must be ")


class Lazy:
    """Like a lazy frame, which cannot be converted."""


def test_what_is_no_array_is_refused_by_its_name() -> None:
    message = fit_refusal(Lazy())
    assert message.startswith("X must be an array; got Lazy")
    assert "from_dlpack" in message


def test_an_unmasked_masked_array_is_an_array() -> None:
    masked = np.ma.masked_array(DATA, mask=np.zeros(DATA.shape, bool))
    np.testing.assert_array_equal(quick().fit_transform(masked), quick().fit_transform(DATA))


# -- shapes and networks --------------------------------------------------------------------------


def test_dims_that_do_not_fit_name_both_shapes() -> None:
    text = fit_refusal(dims=(2, 2))
    assert "(2, 2)" in text
    assert f"({N_FEATURES},)" in text


def test_an_encoder_for_other_samples_names_both_shapes() -> None:
    text = fit_refusal(encoder=dense_network(5, 2))
    assert "(5,)" in text
    assert f"({N_FEATURES},)" in text


def test_channels_first_is_not_channels_last() -> None:
    images = np.random.default_rng(0).normal(size=(N_SAMPLES, 3, 4, 5)).astype(np.float32)
    text = fit_refusal(images, dims=(4, 5, 3))
    assert "(4, 5, 3)" in text
    assert "(3, 4, 5)" in text


def test_axes_of_other_order_are_refused_after_fit_too() -> None:
    images = np.random.default_rng(0).normal(size=(N_SAMPLES, 4, 5, 3)).astype(np.float32)
    estimator = quick().fit(images)
    moved = np.moveaxis(images, -1, 1)
    assert "axes are in another order" in refusal(lambda: estimator.transform(moved))
    again = quick(parametric_reconstruction=True, reconstruction_validation=moved)
    assert "axes are in another order" in refusal(lambda: again.fit(images))


class Subclassed(keras.Model):
    """A model that cannot be copied: Keras knows neither its layers nor its configuration."""

    def __init__(self) -> None:
        super().__init__()
        self.dense = keras.layers.Dense(2)

    def call(self, x: Any) -> Any:
        return self.dense(x)


class Stretch(keras.layers.Layer):
    """A layer whose arguments are in no configuration."""

    def __init__(self, factor: float) -> None:
        super().__init__()
        self.factor = factor

    def call(self, x: Any) -> Any:
        return self.factor * x


def bad_encoders() -> dict[str, tuple[keras.Model, str]]:
    inputs = keras.Input((N_FEATURES,))
    other = keras.Input((1,))
    two = keras.layers.Dense(2)
    built = Subclassed()
    built(DATA[:1])
    return {
        "three values": (dense_network(N_FEATURES, 3), "n_components=2"),
        "an image": (keras.Model(inputs, keras.layers.Reshape((1, 2))(two(inputs))), "(1, 2)"),
        "no input shape": (keras.Sequential([keras.layers.Dense(2)]), "keras.Input"),
        "nothing": (keras.Sequential(), "keras.Input"),
        "float64": (dense_network(N_FEATURES, 2, "float64"), "got float64"),
        "half precision": (dense_network(N_FEATURES, 2, "mixed_float16"), "got float16"),
        "weights that are not numbers": (
            dense_network(N_FEATURES, 2, initializer=keras.initializers.Constant(np.nan)),
            "finite values",
        ),
        "a subclass": (built, "copy"),
        "an unbuilt subclass": (Subclassed(), "copy"),
        "a layer without configuration": (
            keras.Sequential([keras.Input((N_FEATURES,)), Stretch(2.0), keras.layers.Dense(2)]),
            "get_config",
        ),
        "two outputs": (keras.Model(inputs, [two(inputs), two(inputs)]), "one output"),
        "two inputs": (
            keras.Model([inputs, other], keras.layers.Concatenate()([two(inputs), other])),
            "encoder must accept",
        ),
    }


@pytest.mark.parametrize("name", bad_encoders())
def test_a_bad_encoder_is_refused(name: str) -> None:
    encoder, says = bad_encoders()[name]
    text = fit_refusal(encoder=encoder)
    assert text.startswith("encoder must ")
    assert says in text


def test_a_decoder_of_another_shape_names_both_shapes() -> None:
    text = fit_refusal(parametric_reconstruction=True, decoder=dense_network(2, 7), dims=(2, 3))
    assert text.startswith("decoder must ")
    assert "(2, 3)" in text
    assert "(7,)" in text


def test_a_decoder_of_other_coordinates_is_refused() -> None:
    text = fit_refusal(parametric_reconstruction=True, decoder=dense_network(3, N_FEATURES))
    assert text.startswith("decoder must accept samples of shape (2,)")


def test_an_unbuilt_decoder_is_refused() -> None:
    unbuilt = keras.Sequential([keras.layers.Dense(N_FEATURES)])
    text = fit_refusal(parametric_reconstruction=True, decoder=unbuilt)
    assert text.startswith("decoder must ")
    assert "keras.Input" in text


# -- what comes beside the samples ----------------------------------------------------------------

NUMBERS = np.linspace(0.0, 1.0, N_SAMPLES)


def pairs_as_objects() -> np.ndarray:
    """Labels that are lists."""
    labels = np.empty(N_SAMPLES, dtype=object)
    labels[:] = [[1, 2]] * N_SAMPLES
    return labels


BAD_LABELS: dict[str, tuple[Any, str]] = {
    "too few": (np.zeros(N_SAMPLES - 1), f"{N_SAMPLES - 1} for {N_SAMPLES} samples"),
    "too many": (np.zeros(N_SAMPLES + 1), f"{N_SAMPLES + 1} for {N_SAMPLES} samples"),
    "one value": (3, "one value"),
    "two columns": (np.zeros((N_SAMPLES, 2)), f"({N_SAMPLES}, 2)"),
    "infinity": (np.where(NUMBERS > 0.5, np.inf, 1.0), "infinity"),
    "infinity among objects": (np.array([np.inf] + [1.0] * (N_SAMPLES - 1), object), "infinity"),
    "text and numbers": (["a"] * 10 + [2] * (N_SAMPLES - 10), "mixture"),
    "pairs": (pairs_as_objects(), "mixture"),
    "a ragged list": ([[1, 2]] + [[1]] * (N_SAMPLES - 1), "mixture"),
}
BAD_NUMBERS: dict[str, tuple[Any, str]] = {
    "too few": (NUMBERS[1:], f"{N_SAMPLES - 1} for {N_SAMPLES} samples"),
    "one value": (3.0, "one value"),
    "NaN": (np.where(NUMBERS > 0.5, np.nan, 1.0), "NaN"),
    "infinity": (np.where(NUMBERS > 0.5, np.inf, 1.0), "infinity"),
    "text": (["a"] * N_SAMPLES, "dtype"),
    "complex": (NUMBERS + 1j, "complex"),
    "None": ([None] + [1.0] * (N_SAMPLES - 1), "NaN"),
}


@pytest.mark.parametrize("name", BAD_LABELS)
def test_bad_labels_are_refused(name: str) -> None:
    labels, says = BAD_LABELS[name]
    text = fit_refusal(y=labels)
    assert text.startswith("y must ")
    assert says in text


@pytest.mark.parametrize("name", BAD_NUMBERS)
def test_bad_numeric_targets_are_refused(name: str) -> None:
    targets, says = BAD_NUMBERS[name]
    text = fit_refusal(y=targets, target_metric="euclidean")
    assert text.startswith("y must ")
    assert says in text


@pytest.fixture(scope="module")
def of_two_classes() -> sparse.csr_matrix:
    """The graph of the data with two classes in alternating rows."""
    return quick().fit(DATA, np.arange(N_SAMPLES) % 2).graph_


@pytest.mark.parametrize(
    "labels",
    [
        ["a", "b"] * 20,
        np.array(["a", "b"] * 20, dtype=object),
        [True, False] * 20,
        np.array([1, 2] * 20).reshape(-1, 1),
        np.array([1, 2] * 20, dtype=object),
    ],
    ids=["text", "objects", "bool", "a column", "numbers as objects"],
)
def test_labels_may_be_of_any_one_kind(labels: Any, of_two_classes: sparse.csr_matrix) -> None:
    assert (quick().fit(DATA, labels).graph_ != of_two_classes).nnz == 0


@pytest.mark.parametrize("n_neighbors", [N_SAMPLES, 10**30])
def test_more_neighbors_than_samples_are_fewer_with_a_warning(n_neighbors: int) -> None:
    """As in umap-learn, whose defaults are also used for a dozen samples."""
    with pytest.warns(UserWarning, match=rf"^n_neighbors should be .* {N_SAMPLES - 1} are taken"):
        found = quick(n_neighbors=n_neighbors).fit(DATA).graph_
    assert (quick(n_neighbors=N_SAMPLES - 1).fit(DATA).graph_ != found).nnz == 0


def test_two_samples_are_too_few() -> None:
    with pytest.raises(InvalidInputError, match=r"^X must have at least 3 samples"):
        quick().fit(DATA[:2])
    with pytest.warns(UserWarning, match="2 are taken"):
        assert np.isfinite(quick().fit_transform(DATA[:3])).all()


def half_unknown(mark: Any) -> np.ndarray:
    """Text labels and marks in turn, as objects."""
    return np.array(["G1", mark, "S", mark] * 10, dtype=object)


@pytest.mark.parametrize(
    "labels",
    [
        half_unknown(-1),
        list(half_unknown(-1)),
        half_unknown("-1"),
        half_unknown(None),
        list(half_unknown(None)),
        half_unknown(np.nan),
        half_unknown(-1).astype(str),
        half_unknown(-1.0).astype(str),
        half_unknown(np.nan).astype(str),
        half_unknown("-1").astype(bytes),
        pd.Series(half_unknown(None), dtype="string"),
        pd.Series(half_unknown(None), dtype="category"),
        pd.Series([0, None, 1, None] * 10, dtype="Int64"),
        np.array([0, np.nan, 1, np.nan] * 10),
        np.array([0.0, -1.0, 1.0, -1.0] * 10),
        np.array([0, -1, 1, -1] * 10, dtype=object),
        np.ma.masked_array([0, 7, 1, 8] * 10, mask=[False, True] * 20),
    ],
)
def test_unknown_labels_are_known_as_such(labels: Any) -> None:
    """Next to text, numpy converts -1 to "-1", which is not a class of unknown samples."""
    found = check_targets(labels, N_SAMPLES, categorical=True)
    np.testing.assert_array_equal(found, [0, -1, 1, -1] * 10)


def test_minus_one_among_text_is_unknown_to_fit() -> None:
    expected = quick().fit(DATA, np.array([0, -1] * 20)).graph_
    assert (quick().fit(DATA, np.array(["G1", -1] * 20)).graph_ != expected).nnz == 0
    assert (quick().fit(DATA, np.array([5, 4] * 20)).graph_ != expected).nnz > 0


@pytest.mark.parametrize(
    "labels", [NUMBERS, [f"cell {number}" for number in range(N_SAMPLES)], np.arange(N_SAMPLES)]
)
def test_measurements_taken_for_labels_are_noticed(labels: Any) -> None:
    with pytest.warns(UserWarning, match=r"^y should be labels .*target_metric='euclidean'"):
        check_targets(labels, N_SAMPLES, categorical=True)
    check_targets(np.repeat(np.arange(100.0), 3), 300, categorical=True)  # many classes, no warning
    check_targets(np.arange(N_SAMPLES) % 4 + 0.5, N_SAMPLES, categorical=True)


def test_the_remedy_for_measurements_works() -> None:
    quick(target_metric="euclidean").fit(DATA, NUMBERS)


DISTANCES, INDICES = NearestNeighbors(n_neighbors=6).fit(DATA).kneighbors(DATA)


def with_entry(array: np.ndarray, value: float) -> np.ndarray:
    changed = array.copy()
    changed[3, 2] = value
    return changed


BAD_NEIGHBORS: dict[str, tuple[Any, str]] = {
    "other rows": ((INDICES[1:], DISTANCES[1:]), f"n_samples={N_SAMPLES}"),
    "shapes that differ": ((INDICES, DISTANCES[:, 1:]), str(DISTANCES[:, 1:].shape)),
    "one dimension": ((INDICES[:, 0], DISTANCES[:, 0]), f"({N_SAMPLES},)"),
    "too few neighbours": ((INDICES[:, :4], DISTANCES[:, :4]), "got 4"),
    "row numbers too high": ((with_entry(INDICES, N_SAMPLES), DISTANCES), f"to {N_SAMPLES}"),
    "row numbers too low": ((with_entry(INDICES, -2), DISTANCES), "from -2"),
    "row numbers with fractions": ((INDICES + 0.5, DISTANCES), "float64"),
    "a neighbour twice": ((with_entry(INDICES, INDICES[3, 1]), DISTANCES), "twice"),
    "NaN distance": ((INDICES, with_entry(DISTANCES, np.nan)), "NaN"),
    "negative distance": ((INDICES, with_entry(DISTANCES, -1.0)), "negative"),
    "complex distances": ((INDICES, DISTANCES + 1j), "complex"),
    "text": ((INDICES.astype(str), DISTANCES), "dtype"),
    "no distances": ((INDICES, None), "got (40, 6) and ()"),
}


@pytest.mark.parametrize("name", BAD_NEIGHBORS)
def test_bad_neighbours_are_refused(name: str) -> None:
    neighbors, says = BAD_NEIGHBORS[name]
    text = fit_refusal(precomputed_knn=neighbors)
    assert text.startswith("precomputed_knn must ")
    assert says in text


SQUARE = np.linalg.norm(DATA[:, None] - DATA[None], axis=2)
BAD_DISTANCES: dict[str, tuple[Any, str]] = {
    "rectangular": (SQUARE[:, 1:], str(SQUARE[:, 1:].shape)),
    "of fewer samples": (SQUARE[1:, 1:], str(SQUARE[1:, 1:].shape)),
    "one dimension": (SQUARE[0], f"({N_SAMPLES},)"),
    "NaN": (with_entry(SQUARE, np.nan), "NaN"),
    "negative": (with_entry(SQUARE, -1.0), "negative"),
    "negative in a sparse matrix": (sparse.csr_matrix(with_entry(SQUARE, -1.0)), "negative"),
    "text": (SQUARE.astype(str), "dtype"),
    "complex": (SQUARE + 1j, "complex"),
    "none at finite distance": (np.full((N_SAMPLES, N_SAMPLES), np.inf), "finite distance"),
}


@pytest.mark.parametrize("name", BAD_DISTANCES)
def test_bad_distances_are_refused(name: str) -> None:
    distances, says = BAD_DISTANCES[name]
    beside = {"precomputed_distances": distances}
    assert says in fit_refusal(metric="precomputed", beside=beside)


def test_distances_come_with_their_metric_and_the_metric_with_its_distances() -> None:
    assert "got none" in fit_refusal(metric="precomputed")
    assert "got some" in fit_refusal(beside={"precomputed_distances": SQUARE})


BAD_PLACES: dict[str, tuple[Any, str]] = {
    "too few": (np.zeros((N_SAMPLES - 1, 2)), f"({N_SAMPLES - 1}, 2)"),
    "three columns": (np.zeros((N_SAMPLES, 3)), f"({N_SAMPLES}, 3)"),
    "one dimension": (np.zeros(N_SAMPLES), f"({N_SAMPLES},)"),
    "infinity": (with_entry(np.zeros((N_SAMPLES, 3)), np.inf)[:, 1:], "infinity"),
    "half a place": (with_entry(np.zeros((N_SAMPLES, 3)), np.nan)[:, 1:], "rows with both"),
    "text": ([["a", "b"]] * N_SAMPLES, "dtype"),
}


@pytest.mark.parametrize("name", BAD_PLACES)
def test_bad_landmark_positions_are_refused(name: str) -> None:
    places, says = BAD_PLACES[name]
    text = fit_refusal(beside={"landmark_positions": places})
    assert text.startswith("landmark_positions must ")
    assert says in text


@pytest.mark.parametrize(
    ("metric", "arguments"),
    [
        ("minkowski", {"p": -1}),
        ("minkowski", {"q": 3}),
        ("euclidean", {"nothing": 1}),
        ("haversine", {}),
        (lambda x, y: x / "a", {}),
        (lambda x, y: {}["a"], {}),
        (lambda x: 0.0, {}),
    ],
    # Without the repr of a lambda, which holds its address: pytest-xdist compares test names.
    ids=lambda value: "function" if callable(value) else str(value),
)
def test_a_metric_that_does_not_work_is_named(metric: Any, arguments: dict[str, Any]) -> None:
    assert fit_refusal(metric=metric, metric_kwds=arguments).startswith("metric must ")


def test_a_metric_that_is_never_finite_is_refused() -> None:
    text = refusal(lambda: quick(metric=lambda x, y: np.nan).fit(DATA))
    assert text.startswith("X must have neighbours at finite distance")
    assert "metric" in text


# -- methods --------------------------------------------------------------------------------------

BEFORE_FIT: dict[str, Callable[[ParametricUMAP], Any]] = {
    "transform": lambda e: e.transform(DATA),
    "inverse_transform": lambda e: e.inverse_transform(DATA[:, :2]),
    "update": lambda e: e.update(DATA),
    "add_landmarks": lambda e: e.add_landmarks(DATA),
    "save": lambda e: e.save("never-written"),
    "to_onnx": lambda e: e.to_onnx("never-written.onnx"),
    "plot": lambda e: e.plot(),
    "plot_loss": lambda e: e.plot_loss(),
    "get_feature_names_out": lambda e: e.get_feature_names_out(),
}


@pytest.mark.parametrize("method", BEFORE_FIT)
def test_a_method_before_fit_asks_for_fit(method: str) -> None:
    with pytest.raises(NotFittedError, match="fit"):
        BEFORE_FIT[method](quick())


@pytest.mark.parametrize("method", ["transform", "update", "add_landmarks"])
@pytest.mark.parametrize("n_features", [1, N_FEATURES - 1, N_FEATURES + 1])
def test_another_number_of_features_names_both(
    method: str, n_features: int, fitted: ParametricUMAP
) -> None:
    other = np.ones((N_SAMPLES, n_features), dtype=np.float32)
    with pytest.raises(InvalidInputError) as caught:
        getattr(fitted, method)(other)
    # scikit-learn's own words, which its checks insist on
    assert f"X has {n_features} features" in str(caught.value)
    assert f"expecting {N_FEATURES} features" in str(caught.value)


def test_map_coordinates_have_as_many_columns_as_the_map(fitted: ParametricUMAP) -> None:
    text = refusal(lambda: fitted.inverse_transform(np.zeros((3, 4))))
    assert "n_components=2" in text
    assert "got 4" in text


def test_inverse_transform_needs_a_decoder() -> None:
    estimator = quick().fit(DATA)
    text = refusal(lambda: estimator.inverse_transform(DATA[:, :2]))
    assert text.startswith("parametric_reconstruction must be True")


@pytest.mark.parametrize(
    "call",
    [
        lambda e: e.transform(DATA),
        lambda e: e.update(DATA),
        lambda e: e.add_landmarks(DATA),
        lambda e: e.to_onnx("never-written.onnx"),
    ],
    ids=["transform", "update", "add_landmarks", "to_onnx"],
)
def test_a_map_without_a_network_says_what_it_cannot_do(
    call: Callable[[ParametricUMAP], Any],
) -> None:
    estimator = quick(parametric_embedding=False).fit(DATA)
    assert refusal(lambda: call(estimator)).startswith("parametric_embedding must be True")


@pytest.mark.parametrize(
    ("arguments", "says"),
    [
        ({"sample_pct": 0.0}, "sample_pct must"),
        ({"sample_pct": 1.5}, "sample_pct must"),
        ({"sample_pct": "all"}, "sample_pct must"),
        ({"sample_pct": np.nan}, "sample_pct must"),
        ({"sample_mode": "random"}, "sample_mode must"),
        ({"sample_mode": "predefined"}, "idx must"),
        ({"sample_mode": "predefined", "idx": [0.5]}, "idx must"),
        ({"sample_mode": "predefined", "idx": [N_SAMPLES]}, "idx must"),
        ({"sample_mode": "predefined", "idx": [-1]}, "idx must"),
        ({"sample_mode": "predefined", "idx": []}, "idx must"),
    ],
    ids=str,
)
def test_bad_landmarks_are_refused(
    arguments: dict[str, Any], says: str, fitted: ParametricUMAP
) -> None:
    assert refusal(lambda: fitted.add_landmarks(DATA, **arguments)).startswith(says)


def test_a_plot_has_one_label_for_each_point(fitted: ParametricUMAP) -> None:
    assert refusal(lambda: fitted.plot(labels=[1, 2])).startswith("labels must ")


def test_only_a_trained_network_is_exported(fitted: ParametricUMAP) -> None:
    assert refusal(lambda: fitted.to_onnx("never.onnx", "coder")).startswith("network must ")


# -- nothing is lost ------------------------------------------------------------------------------

FAILING_CALLBACK = keras.callbacks.LambdaCallback(on_train_begin=lambda logs: {}["a"])
FAILING_FITS: dict[str, tuple[dict[str, Any], Callable[[ParametricUMAP], Any]]] = {
    "a bad parameter": ({"n_neighbors": -1}, lambda e: e.fit(DATA)),
    "NaN": ({}, lambda e: e.fit(spoiled(np.nan))),
    "too few samples": ({}, lambda e: e.fit(np.ones((2, 3)))),
    "constant data of other width": ({}, lambda e: e.fit(np.ones((N_SAMPLES, 3)))),
    "a network that does not fit": (
        {"encoder": dense_network(3, 3)},
        lambda e: e.fit(DATA[:, :3]),
    ),
    "a metric that fails": ({"metric": lambda x, y: {}["a"]}, lambda e: e.fit(DATA[:, :4])),
    "a loss that fails": (
        {"parametric_reconstruction_loss_fcn": lambda x, y: {}["a"]},
        lambda e: e.fit(DATA[:, :4]),
    ),
    "a callback that fails": (
        {"keras_fit_kwargs": {"callbacks": [FAILING_CALLBACK]}},
        lambda e: e.fit(DATA[:, :4]),
    ),
    "a hook that fails": ({"progress": lambda report: {}["a"]}, lambda e: e.fit(DATA[:, :4])),
    "too few samples for update": ({}, lambda e: e.update(spoiled(np.inf))),
    "a loss that fails in update": (
        {"parametric_reconstruction_loss_fcn": lambda x, y: {}["a"]},
        lambda e: e.update(DATA + 1),
    ),
}


@pytest.mark.parametrize("name", FAILING_FITS)
def test_a_fit_that_fails_leaves_the_earlier_result(name: str, fitted: ParametricUMAP) -> None:
    estimator = copy.deepcopy(fitted)
    before = {key: value for key, value in vars(estimator).items() if key.endswith("_")}
    embedding = estimator.embedding_.copy()
    placed, drawn = estimator.transform(DATA), estimator.inverse_transform(embedding)
    parameters, call = FAILING_FITS[name]
    estimator.set_params(**parameters)
    with pytest.raises((InvalidInputError, KeyError)):
        call(estimator)
    after = {key: value for key, value in vars(estimator).items() if key.endswith("_")}
    assert after.keys() == before.keys()
    assert all(after[key] is before[key] for key in before if key != "n_features_in_")
    assert after["n_features_in_"] == N_FEATURES
    np.testing.assert_array_equal(estimator.embedding_, embedding)
    np.testing.assert_array_equal(estimator.transform(DATA), placed)
    np.testing.assert_array_equal(estimator.inverse_transform(embedding), drawn)


def test_a_failed_first_fit_leaves_the_estimator_unfitted() -> None:
    estimator = quick()
    refusal(lambda: estimator.fit(spoiled(np.nan)))
    with pytest.raises(NotFittedError):
        estimator.transform(DATA)
    assert estimator.fit(DATA).embedding_.shape == (N_SAMPLES, 2)


def test_nothing_that_is_given_is_changed() -> None:
    given = {
        "landmark_positions": np.where(NUMBERS[:, None] < 0.2, DATA[:, :2], np.nan),
        "precomputed_distances": SQUARE.copy(),
    }
    labels, start = np.arange(N_SAMPLES) % 3, DATA[:, :2].copy()
    neighbors = (INDICES.copy(), DISTANCES.copy())
    for array in (*given.values(), labels, start, *neighbors):
        array.setflags(write=False)  # so that a change is an error
    quick(init=start, metric="precomputed").fit(DATA, labels, **given)
    quick(init=start, precomputed_knn=neighbors, parametric_embedding=False).fit(DATA, labels)


def test_samples_that_change_after_fit_change_nothing() -> None:
    samples = DATA.copy()
    estimator, other = quick().fit(samples), quick().fit(DATA)
    samples[:] = 0.0
    estimator.embedding_[:] = 0.0
    np.testing.assert_array_equal(estimator.transform(DATA), other.transform(DATA))
    moved = DATA + np.float32(0.5)
    np.testing.assert_array_equal(
        estimator.update(moved).embedding_, other.update(moved).embedding_
    )


@pytest.mark.filterwarnings("ignore:The object being serialized includes a .lambda.")  # Keras's
def test_a_lambda_in_a_layer_is_refused_and_a_registered_function_taken():
    def encoder(activation: Callable[[Any], Any]) -> keras.Model:
        hidden = keras.layers.Dense(8, activation)
        return keras.Sequential([keras.Input((N_FEATURES,)), hidden, keras.layers.Dense(2)])

    text = refusal(lambda: quick(encoder=encoder(lambda x: 2.0 * x)).fit(DATA))
    assert text.startswith("encoder must be a network that Keras can copy")
    assert "@keras.saving.register_keras_serializable()" in text
    assert len(text) < 700  # Keras prints the function's bytes too

    @keras.saving.register_keras_serializable("embedscope tests")
    def twice(x: Any) -> Any:
        return 2.0 * x

    assert quick(encoder=encoder(twice), n_epochs=1).fit(DATA).embedding_.shape == (N_SAMPLES, 2)


def test_the_loss_of_a_decoder_that_is_made_later_is_tried_early():
    estimator = quick(
        n_style_components=2,
        parametric_reconstruction=True,
        parametric_reconstruction_loss_fcn=lambda samples, drawn: {}["a"],
    )
    text = refusal(lambda: estimator.fit(DATA))
    assert text.startswith("parametric_reconstruction_loss_fcn must be a function")


@pytest.mark.parametrize("dtype", [">f4", ">f8"])
def test_gaps_in_numbers_of_the_other_byte_order_are_found(dtype: str) -> None:
    """Files of astronomers have them."""
    assert (quick().fit(DATA.astype(dtype)).graph_ != quick().fit(DATA).graph_).nnz == 0
    X = DATA.astype(dtype)
    X[3, 1] = np.nan
    with pytest.raises(InvalidInputError, match=r"^X must be finite .* 1 NaN"):
        quick().fit(X)


@pytest.mark.parametrize("shape", [(3, 2, 1, 1), (3, 1, 1, 2), (3, 1, 2)])
def test_points_have_two_axes(shape: tuple[int, ...]) -> None:
    estimator = quick(parametric_reconstruction=True).fit(DATA)
    with pytest.raises(InvalidInputError, match=r"^Z must be an array of two axes"):
        estimator.inverse_transform(np.zeros(shape))
    assert estimator.inverse_transform(np.zeros(shape).reshape(3, -1)).shape == (3, N_FEATURES)
