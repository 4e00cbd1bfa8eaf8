"""Any numbers give a finite map of the right shape, or one of embedscope's own errors.

The few examples of a usual run are always the same; those marked `long` are new every time.
"""

from __future__ import annotations

import warnings
from typing import Any

import numpy as np
import pytest
from hypothesis import HealthCheck, Phase, event, given, settings
from hypothesis import strategies as st
from hypothesis.extra import numpy as npst

from embedscope import ParametricUMAP
from embedscope._errors import InvalidInputError

DTYPES = ("int8", "uint8", "int16", "int32", "int64", "float16", "float32", "float64", "bool")
METRICS = ("euclidean", "manhattan", "chebyshev", "cosine", "correlation", "canberra", "hamming")
OURS = (
    "X has features of very different scales|Losses and weights must stay finite"
    "|n_neighbors should be less than the number of samples"
)


USUAL = settings(
    database=None,
    deadline=None,  # the first example compiles
    phases=[Phase.generate],  # shrinking takes a fit a step, and the examples are small
    suppress_health_check=list(HealthCheck),
)


def how_many(few: int, many: int) -> Any:
    """Try a property on `few` examples, the same ones every time, or on `many` random ones."""
    return pytest.mark.parametrize(
        "trials",
        [
            pytest.param(settings(USUAL, max_examples=few, derandomize=True), id="few"),
            pytest.param(settings(USUAL, max_examples=many), marks=pytest.mark.long, id="many"),
        ],
    )


@st.composite
def samples(draw: st.DrawFn) -> np.ndarray:
    """Numbers of any kind, layout and scale; duplicates, constant columns, few distinct rows."""
    n_samples, n_features = draw(st.integers(1, 40)), draw(st.integers(1, 8))
    dtype = np.dtype(draw(st.sampled_from(DTYPES)))
    rng = np.random.default_rng(draw(st.integers(0, 2**32 - 1)))
    n_distinct = draw(st.integers(1, n_samples))
    data = rng.normal(size=(n_distinct, n_features))[rng.integers(n_distinct, size=n_samples)]
    data[:, rng.random(n_features) < draw(st.sampled_from([0.0, 0.0, 0.5]))] = 1.0
    if dtype.kind == "f":
        data = data * 10.0 ** draw(st.sampled_from([0, 0, 0, -4, 4, -30, 30, -40, 35]))
        data = data + draw(st.sampled_from([0.0, 0.0, 1e3, -1e6]))
    else:
        data = data * draw(st.sampled_from([1.0, 30.0]))
    with np.errstate(over="ignore", invalid="ignore"):
        return laid_out(data.astype(dtype), draw(st.sampled_from(LAYOUTS)))


LAYOUTS = ("C", "F", "every other row", "reversed columns", "read-only", "wide rows")


def laid_out(data: np.ndarray, layout: str) -> np.ndarray:
    """The same numbers with another memory layout."""
    if layout == "F":
        return np.asfortranarray(data)
    if layout == "every other row":
        return np.repeat(data, 2, axis=0)[::2]
    if layout == "reversed columns":
        return np.ascontiguousarray(data[:, ::-1])[:, ::-1]
    if layout == "read-only":
        fixed = data.copy()
        fixed.setflags(write=False)
        return fixed
    if layout == "wide rows":
        return np.hstack([data, data])[:, : data.shape[1]]
    return data


PARAMETERS = st.fixed_dictionaries(
    {"n_neighbors": st.integers(2, 12), "n_components": st.integers(1, 4)},
    optional={
        "metric": st.sampled_from(METRICS),
        "init": st.sampled_from(["spectral", "pca", "random"]),
        "spread": st.floats(0.2, 5.0),
        "min_dist": st.floats(0.0, 0.2),
        "set_op_mix_ratio": st.floats(0.0, 1.0),
        "local_connectivity": st.floats(0.0, 6.0),
        "negative_sample_rate": st.integers(0, 6),
        "repulsion_strength": st.floats(0.0, 10.0),
        "learning_rate": st.floats(1e-3, 10.0),
        "target_weight": st.floats(0.0, 1.0),
        "densmap": st.booleans(),
        "unique": st.booleans(),
        "parametric_embedding": st.booleans(),
        "parametric_reconstruction": st.booleans(),
        "global_correlation_loss_weight": st.floats(0.0, 2.0),
        "batch_size": st.integers(1, 64),
        "loss_report_frequency": st.integers(1, 12),
        "encoder": st.sampled_from([None, "reference"]),
    },
)
LABELS = st.sampled_from(["none", "labels", "half unknown", "numbers"])


def targets(kind: str, n_samples: int) -> dict[str, Any]:
    """Values for `y`, with the target metric for them."""
    labels = np.arange(n_samples) % 3
    if kind == "none":
        return {}
    if kind == "numbers":
        return {"y": labels / 3.0, "target_metric": "euclidean"}
    return {"y": labels if kind == "labels" else np.where(labels == 0, -1, labels)}


def fit_or_refuse(
    X: np.ndarray, target: dict[str, Any], parameters: dict[str, Any]
) -> ParametricUMAP | None:
    """A fitted estimator, or None if the input was refused; other errors fail the test."""
    metric = {key: value for key, value in target.items() if key != "y"}
    estimator = ParametricUMAP(n_epochs=5, random_state=0, **parameters, **metric)
    with warnings.catch_warnings():  # all others are errors, see pyproject.toml
        warnings.filterwarnings("ignore", OURS)
        try:
            return estimator.fit(X, target.get("y"))
        except InvalidInputError as error:
            event(f"refused: {str(error).partition(' ')[0]}")
            return None


def check_a_fit(X: np.ndarray, kind: str, parameters: dict[str, Any]) -> None:
    before = X.copy()
    estimator = fit_or_refuse(X, targets(kind, len(X)), parameters)
    np.testing.assert_array_equal(X, before)
    if estimator is None:
        return
    shape = (len(X), parameters["n_components"])
    assert estimator.embedding_.shape == shape
    assert estimator.embedding_.dtype == np.float32
    assert np.isfinite(estimator.embedding_).all()
    strengths = estimator.graph_.data
    assert 0.0 < strengths.min() <= strengths.max() <= 1.0 + 1e-6
    if estimator.parametric_embedding:
        np.testing.assert_array_equal(estimator.transform(X), estimator.embedding_)
    if estimator.parametric_reconstruction:
        drawn = estimator.inverse_transform(estimator.embedding_)
        assert drawn.shape == X.shape
        assert np.isfinite(drawn).all()


@how_many(few=14, many=150)
def test_any_samples_give_a_finite_map_or_a_clear_refusal(trials: settings) -> None:
    @trials
    @given(samples(), LABELS, PARAMETERS)
    def check(X: np.ndarray, kind: str, parameters: dict[str, Any]) -> None:
        check_a_fit(X, kind, {"solver": "edges"} | parameters)

    check()


@how_many(few=4, many=40)
def test_the_default_solver_does_so_too(trials: settings) -> None:
    @trials
    @given(samples(), LABELS, PARAMETERS)
    def check(X: np.ndarray, kind: str, parameters: dict[str, Any]) -> None:
        check_a_fit(X, kind, parameters)

    check()


@how_many(few=100, many=2_000)
def test_any_array_is_placed_or_clearly_refused(
    trials: settings, whole_numbers: ParametricUMAP
) -> None:
    n_features = whole_numbers.n_features_in_
    dtypes = st.sampled_from([*DTYPES, "complex64", "<U3", "S2", "datetime64[s]", "O"])
    shapes = st.one_of(
        npst.array_shapes(min_dims=0, max_dims=4, min_side=0, max_side=8),
        st.tuples(st.integers(0, 5), st.just(n_features)),
    )

    @trials
    @given(dtypes.flatmap(lambda kind: npst.arrays(kind, shapes, **filled(kind))))
    def check(X: np.ndarray) -> None:
        try:
            places = whole_numbers.transform(X)
        except InvalidInputError:
            event("refused")
            return
        assert X.dtype.kind in "biufO"
        assert X.size == len(X) * n_features
        assert places.shape == (len(X), 2)
        assert places.dtype == np.float32

    check()


def filled(kind: str) -> dict[str, Any]:
    """How hypothesis fills an array of objects."""
    return {"elements": st.one_of(st.none(), st.integers(), st.text())} if kind == "O" else {}


# -- transform ------------------------------------------------------------------------------------

WHOLE = np.random.default_rng(3).integers(-9, 10, size=(60, 5))


@pytest.fixture(scope="module")
def whole_numbers() -> ParametricUMAP:
    return ParametricUMAP(n_neighbors=6, n_epochs=20, solver="edges", random_state=0).fit(WHOLE)


def whole_rows() -> st.SearchStrategy[np.ndarray]:
    """Rows that every numeric dtype can hold."""
    shape = st.tuples(st.integers(1, 30), st.just(WHOLE.shape[1]))
    return npst.arrays(np.int8, shape, elements=st.integers(-20, 20))


@how_many(few=50, many=1_000)
def test_a_rows_position_depends_on_the_row_alone(
    trials: settings, whole_numbers: ParametricUMAP
) -> None:
    @trials
    @given(whole_rows(), st.randoms(use_true_random=False))
    def check(X: np.ndarray, random: Any) -> None:
        together = whole_numbers.transform(X)
        alone = np.vstack([whole_numbers.transform(row[None]) for row in X])
        np.testing.assert_allclose(alone, together, rtol=1e-5, atol=1e-5)
        order = random.sample(range(len(X)), len(X))
        np.testing.assert_allclose(
            whole_numbers.transform(X[order]), together[order], rtol=1e-5, atol=1e-5
        )

    check()


@how_many(few=50, many=1_000)
def test_the_same_numbers_have_the_same_position_in_any_form(
    trials: settings, whole_numbers: ParametricUMAP
) -> None:
    signed = st.sampled_from([kind for kind in DTYPES if kind not in ("bool", "uint8")])

    @trials
    @given(whole_rows(), signed, st.sampled_from(LAYOUTS))
    def check(X: np.ndarray, dtype: str, layout: str) -> None:
        expected = whole_numbers.transform(X)
        other = laid_out(X.astype(dtype), layout)
        np.testing.assert_array_equal(whole_numbers.transform(other), expected)
        np.testing.assert_array_equal(whole_numbers.transform(X.tolist()), expected)

    check()


@pytest.mark.parametrize(
    ("dtype", "layout"),
    [
        *(("int8", layout) for layout in LAYOUTS if layout != "wide rows"),
        pytest.param("int8", "wide rows", marks=pytest.mark.long),
        ("float64", "wide rows"),
        *(
            pytest.param("float64", layout, marks=pytest.mark.long)
            for layout in LAYOUTS
            if layout != "wide rows"
        ),
    ],
)
def test_the_same_numbers_give_the_same_map_in_any_form(
    whole_numbers: ParametricUMAP, dtype: str, layout: str
) -> None:
    other = ParametricUMAP(**whole_numbers.get_params())
    other.fit(laid_out(WHOLE.astype(dtype), layout))
    np.testing.assert_array_equal(other.embedding_, whole_numbers.embedding_)


@pytest.mark.parametrize("factor", [1e-30, 1e-3, 1e30])
def test_the_unit_of_the_data_does_not_matter(factor: float) -> None:
    labels = np.arange(60) % 3
    blobs = np.random.default_rng(5).normal(size=(60, 4)) + 10.0 * np.eye(4)[labels]
    estimator = ParametricUMAP(n_neighbors=8, n_epochs=100, solver="edges", random_state=0)
    places = estimator.fit_transform(blobs * factor)
    centres = np.stack([places[labels == label].mean(axis=0) for label in range(3)])
    nearest = np.linalg.norm(places[:, None] - centres, axis=2).argmin(axis=1)
    np.testing.assert_array_equal(nearest, labels)
