"""The public surface: what people import, the parameters they set, the methods they call."""

from __future__ import annotations

import inspect
import re
from pathlib import Path

import pytest

import embedscope
from embedscope import ParametricUMAP

PACKAGE = Path(embedscope.__file__).parent

# umap.parametric_umap.ParametricUMAP's names and defaults, plus our own. A drop-in keeps them.
DEFAULTS = {
    # graph
    "n_neighbors": 15,
    "metric": "euclidean",
    "metric_kwds": None,
    "set_op_mix_ratio": 1.0,
    "local_connectivity": 1.0,
    "target_metric": "categorical",
    "target_metric_kwds": None,
    "target_weight": 0.5,
    "target_n_neighbors": -1,
    "n_jobs": -1,
    "low_memory": True,
    "angular_rp_forest": False,
    "unique": False,
    "max_graph_samples": 1_000_000,
    # embedding
    "n_components": 2,
    "min_dist": 0.1,
    "spread": 1.0,
    "a": None,
    "b": None,
    "init": "spectral",
    "n_epochs": None,
    "learning_rate": 1.0,
    "negative_sample_rate": 5,
    "repulsion_strength": 1.0,
    "random_state": None,
    "densmap": False,
    "dens_lambda": 2.0,
    "dens_frac": 0.3,
    "dens_var_shift": 0.1,
    # networks
    "encoder": None,
    "decoder": None,
    "dims": None,
    "parametric_embedding": True,
    "parametric_reconstruction": False,
    "parametric_reconstruction_loss_fcn": None,
    "parametric_reconstruction_loss_weight": 1.0,
    "autoencoder_loss": False,
    "reconstruction_validation": None,
    "n_style_components": 0,
    "validation_fraction": 0.0,
    "global_correlation_loss_weight": 0.0,
    "landmark_loss_fn": None,
    "landmark_loss_weight": 1.0,
    # training
    "solver": "auxiliary",
    "quality": "balanced",
    "batch_size": None,
    "n_training_epochs": 1,
    "loss_report_frequency": 10,
    "optimizer": None,
    "keras_fit_kwargs": None,
    "distribution": None,
    "verbose": False,
}
METHODS = {
    "add_landmarks",
    "encoder_jacobian",
    "fit",
    "fit_transform",
    "get_feature_names_out",
    "get_params",
    "inverse_std",
    "inverse_transform",
    "plot",
    "plot_loss",
    "remove_landmarks",
    "save",
    "set_output",
    "set_params",
    "style",
    "to_ONNX",
    "to_onnx",
    "transform",
    "update",
}


def constructor() -> dict[str, inspect.Parameter]:
    parameters = dict(inspect.signature(ParametricUMAP.__init__).parameters)
    del parameters["self"]
    return parameters


def public_methods() -> list[str]:
    """What the class defines itself, in contrast to what scikit-learn's bases bring along."""
    return [
        name
        for base in ParametricUMAP.__mro__
        if base.__module__.startswith("embedscope")
        for name, value in vars(base).items()
        if inspect.isfunction(value) and not name.startswith("_")
    ]


def test_package_lists_its_names():
    assert set(embedscope.__all__) == {
        "Explorer",
        "ParametricUMAP",
        "__version__",
        "load_ParametricUMAP",
    }
    assert set(embedscope.__all__) <= set(dir(embedscope))


# What reads files and objects of other programs, with the parameters beside the data itself.
READERS = {
    "read": {"data", "labels", "options"},
    "samples_from_anndata": {"data", "layer", "obsm", "columns", "standardise", "source"},
    "samples_from_cellprofiler": {"path", "objects", "images", "columns", "standardise", "source"},
    "samples_from_files": {
        "image",
        "labels",
        "size",
        "table",
        "label_column",
        "frame_column",
        "source",
        "axes",
        "image_axes",
        "pixel_size",
        "channel_names",
        "rgb",
        "options",
    },
    "samples_from_manifest": {
        "manifest",
        "size",
        "folder",
        "scale_within",
        "n_jobs",
        "options",
    },
    "samples_from_ome_zarr": {"path", "size", "labels", "source", "options"},
    "samples_from_qupath": {
        "path",
        "image",
        "size",
        "columns",
        "standardise",
        "source",
        "options",
    },
    "samples_from_spatialdata": {
        "data",
        "element",
        "size",
        "image",
        "table",
        "coordinate_system",
        "source",
        "options",
    },
    "samples_from_trackmate": {"path", "columns", "standardise", "source"},
    "samples_from_tracks": {"images", "masks", "size", "source", "options"},
}


@pytest.mark.parametrize("name", READERS)
def test_readers_keep_their_parameters_and_describe_them(name):
    from embedscope import samples

    reader = getattr(samples, name)
    assert set(inspect.signature(reader).parameters) == READERS[name]
    documented = inspect.getdoc(reader)
    assert {each for each in READERS[name] if each not in documented} == set()


def test_version_is_the_one_installed():
    from importlib.metadata import version

    assert embedscope.__version__ == version("embedscope")


@pytest.mark.parametrize(("name", "default"), DEFAULTS.items())
def test_parameter_keeps_its_name_and_default(name, default):
    actual = constructor()[name].default
    assert actual == default
    assert type(actual) is type(default)


def test_every_parameter_but_n_neighbors_is_keyword_only():
    positional = [
        parameter.name
        for parameter in constructor().values()
        if parameter.kind is not parameter.KEYWORD_ONLY
    ]
    assert positional == ["n_neighbors"]


def test_every_parameter_has_a_default():
    assert all(parameter.default is not parameter.empty for parameter in constructor().values())


def test_methods_are_there():
    assert {name for name in METHODS if callable(getattr(ParametricUMAP, name, None))} == METHODS


def test_every_public_method_is_meant():
    assert set(public_methods()) <= METHODS


@pytest.mark.parametrize("name", sorted(constructor()))
def test_docstring_describes_every_parameter(name):
    # numpydoc: "name : type", or several names that share a description, "a, b : type".
    entry = rf"^(\w+, )*{name}(, \w+)* : \S"
    assert re.search(entry, inspect.getdoc(ParametricUMAP), re.MULTILINE)


@pytest.mark.parametrize("name", sorted(public_methods()))
def test_docstring_describes_every_argument_of_a_method(name):
    method = getattr(ParametricUMAP, name)
    documented = inspect.getdoc(method)
    arguments = set(inspect.signature(method).parameters) - {"self"}
    assert documented
    assert {argument for argument in arguments if argument not in documented} == set()


def test_only_packages_are_public():
    """Modules are private (_noun.py): a package's __init__ is all that its neighbours see."""
    public = {
        path.relative_to(PACKAGE).as_posix()
        for path in PACKAGE.rglob("*.py")
        if not path.name.startswith("_")
    }
    assert public == set()


# What a map learns from, apart from what is decoded.
LEARNING = {
    "fit": {"X", "y", "decoded", "precomputed_distances", "landmark_positions"},
    "fit_transform": {"X", "y", "decoded", "precomputed_distances", "landmark_positions"},
    "style": {"X", "decoded"},
}


@pytest.mark.parametrize("name", LEARNING)
def test_methods_that_read_what_is_decoded_keep_their_parameters(name):
    parameters = set(inspect.signature(getattr(ParametricUMAP, name)).parameters) - {"self"}
    assert parameters == LEARNING[name]


def test_samples_keep_what_chooses_what_is_learned():
    from embedscope.explorer import Explorer
    from embedscope.samples import Samples

    def parameters(method):
        return set(inspect.signature(method).parameters) - {"self"}

    assert parameters(Samples.learning_from) == {"what", "standardise"}
    assert parameters(Samples.learning_like) == {"known", "learned"}
    assert parameters(Samples.with_extractor) == {"extractor"}
    assert parameters(Samples.encoder_inputs) == {"rows", "report"}
    assert parameters(Samples.same_way) == {"data", "labels", "group", "learned", "options"}
    assert parameters(Explorer.learn_from) == {"what", "standardise"}
    assert parameters(Explorer.attach_extractor) == {"extractor"}
