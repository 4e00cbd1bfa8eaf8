"""A model is loaded to the last bit, and an untrusted model runs no code."""

from __future__ import annotations

import io
import json
import os
import random
import shutil
import subprocess
import sys
import zipfile
from collections.abc import Callable
from pathlib import Path
from typing import Any

import keras
import numpy as np
import pytest

from embedscope._errors import InvalidInputError, InvalidModelError
from embedscope.core.storage._model_layout import MODEL
from embedscope.core.storage._storage import StoredModel, read_model, write_model
from embedscope.core.storage._stored_directory import describe_file
from embedscope.core.storage._stored_header import seal

layers = keras.layers
BATCH = np.linspace(-1, 1, 12, dtype=np.float32).reshape(3, 4)


def make_network() -> keras.Model:
    return keras.Sequential(
        [keras.Input((4,)), layers.Dense(3, "relu"), layers.BatchNormalization(), layers.Dense(2)]
    )


def store(**parts: Any) -> StoredModel:
    """A model with only the given parts."""
    empty = {"parameters": {}, "state": {}, "arrays": {}, "networks": {}}
    return StoredModel(**(empty | parts))


@pytest.fixture(scope="module")
def saved(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A saved model; tests copy it before they damage it."""
    path = tmp_path_factory.mktemp("saved") / "model"
    model = store(
        parameters={"n_neighbors": 15, "metric": "euclidean"},
        state={"loss": [0.5, 0.25]},
        arrays={"embedding": np.arange(6.0).reshape(3, 2), "names": np.array(["a", "bé"])},
        networks={"encoder": make_network()},
    )
    write_model(path, model)
    return path


@pytest.fixture
def path(saved: Path, tmp_path: Path) -> Path:
    return Path(shutil.copytree(saved, tmp_path / "model"))


# Saving and loading


def test_values_are_loaded(tmp_path: Path) -> None:
    parameters = {"a": None, "b": True, "c": 1.1, "d": [1, "é", {"e": -0.0}], "big": 2**80}
    state = {"history": {"loss": [1e-300, 0.1]}, "empty": {}}
    write_model(tmp_path / "model", store(parameters=parameters, state=state))
    loaded = read_model(tmp_path / "model")
    assert loaded.parameters == parameters
    assert loaded.state == state


@pytest.mark.parametrize(
    "array",
    [
        np.array([], dtype=np.float32),
        np.array(7),
        np.array([True, False]),
        np.array(["", "nucleus", "\U0001f52c"]),
        np.array([[np.nan, np.inf]], dtype=np.float16),
        np.array([1 + 2j]),
        np.asfortranarray(np.arange(6).reshape(2, 3)),
        np.arange(12, dtype=np.uint8)[::3],
        np.arange(3, dtype=">i4"),
        np.zeros((2, 0, 3)),
    ],
    ids=lambda array: f"{array.dtype.str}{array.shape}",
)
def test_arrays_are_loaded(array: np.ndarray, tmp_path: Path) -> None:
    # "file" is a name that numpy.savez keeps for itself.
    write_model(tmp_path / "model", store(arrays={"file": array}))
    loaded = read_model(tmp_path / "model").arrays["file"]
    assert (loaded.dtype.str, loaded.shape) == (array.dtype.str, array.shape)
    np.testing.assert_array_equal(loaded, array)


@keras.saving.register_keras_serializable(package="test_storage")
def cube(x: Any) -> Any:
    return x**3


@keras.saving.register_keras_serializable(package="test_storage")
class Scale(keras.layers.Layer):
    """A layer of the user's own, with a weight and a parameter."""

    def __init__(self, power: int = 1, **kwargs: Any) -> None:
        super().__init__(**kwargs)
        self.power = power

    def build(self, input_shape: tuple[int, ...]) -> None:
        self.factor = self.add_weight(shape=input_shape[-1:], initializer="random_normal")

    def call(self, x: Any) -> Any:
        return x * self.factor**self.power

    def get_config(self) -> dict[str, Any]:
        return super().get_config() | {"power": self.power}


def _residual() -> keras.Model:
    x = keras.Input((4,))
    shared = layers.Dense(4, "gelu")
    return keras.Model(x, layers.Dense(2)(shared(shared(x)) * 2.0 + keras.ops.sin(x)))


def _trained() -> keras.Model:
    def unregistered_loss(expected: Any, predicted: Any) -> Any:
        return keras.ops.mean((expected - predicted) ** 2, axis=-1)

    network = make_network()
    network.compile("adam", unregistered_loss)
    network.fit(BATCH, BATCH[:, :2], verbose=0)
    return network


NETWORKS: dict[str, Callable[[], keras.Model]] = {
    "sequential": make_network,
    "residual, with operations": _residual,
    "trained with a loss of the user's own": _trained,
    "nested": lambda: keras.Sequential([keras.Input((4,)), make_network(), layers.Dense(2)]),
    "convolutions": lambda: keras.Sequential(
        [
            keras.Input((4,)),
            layers.Reshape((2, 2, 1)),
            layers.Conv2D(4, 2, padding="same", kernel_regularizer=keras.regularizers.L2(1e-4)),
            layers.GroupNormalization(2),
            layers.Conv2DTranspose(2, 3, strides=2, activation=keras.activations.elu),
            layers.GlobalAveragePooling2D(),
        ]
    ),
    "recurrent": lambda: keras.Sequential(
        [keras.Input((4,)), layers.Reshape((2, 2)), layers.Bidirectional(layers.GRU(2))]
    ),
    "wrapped": lambda: keras.Sequential(
        [keras.Input((4,)), layers.Reshape((2, 2)), layers.TimeDistributed(layers.Dense(3))]
    ),
    "normalization": lambda: keras.Sequential(
        [keras.Input((4,)), layers.Normalization(mean=[1.0] * 4, variance=[2.0] * 4)]
    ),
    "functions": lambda: keras.Sequential(
        [keras.Input((4,)), layers.Dense(2, keras.activations.elu, kernel_constraint="non_neg")]
    ),
    "registered layer and function": lambda: keras.Sequential(
        [keras.Input((4,)), Scale(2), layers.Dense(2, cube)]
    ),
}


@pytest.mark.parametrize("name", NETWORKS)
def test_network_is_loaded_to_the_last_bit(name: str, tmp_path: Path) -> None:
    network = NETWORKS[name]()
    write_model(tmp_path / "model", store(networks={"encoder": network}))
    loaded = read_model(tmp_path / "model").networks["encoder"]
    expected = network(BATCH, training=False).numpy()
    assert loaded(BATCH, training=False).numpy().tobytes() == expected.tobytes()


def test_fresh_process_computes_the_same(path: Path) -> None:
    code = f"""
import sys
import numpy as np
from embedscope.core.storage._storage import read_model
model = read_model({str(path)!r})
batch = np.linspace(-1, 1, 12, dtype=np.float32).reshape(3, 4)
sys.stdout.write(model.networks["encoder"](batch, training=False).numpy().tobytes().hex())
"""
    done = subprocess.run([sys.executable, "-c", code], check=True, capture_output=True, text=True)
    here = read_model(path).networks["encoder"](BATCH, training=False).numpy()
    assert done.stdout == here.tobytes().hex()


def test_files_are_plain(saved: Path) -> None:
    """Other tools can read a model: JSON, a Keras archive, an npz."""
    assert {file.name for file in saved.iterdir()} == {
        "model.json",
        "encoder.keras",
        "arrays.npz",
    }
    header = json.loads((saved / "model.json").read_text())
    assert header["format"] == 2
    assert header["parameters"] == {"n_neighbors": 15, "metric": "euclidean"}
    assert header["arrays"]["embedding"] == {"dtype": "<f8", "shape": [3, 2]}
    assert header["versions"]["keras"] == keras.__version__
    with np.load(saved / "arrays.npz") as arrays:
        assert arrays["names"].tolist() == ["a", "bé"]
    assert isinstance(keras.saving.load_model(saved / "encoder.keras"), keras.Model)


# Models that could not be loaded are not saved


class Unregistered(keras.layers.Layer):
    def call(self, x: Any) -> Any:
        return x + 1


class Undescribed(keras.layers.Layer):
    def __init__(self, shift: object) -> None:
        super().__init__()
        self.shift = shift

    def call(self, x: Any) -> Any:
        return x + 1


def sequential(*stack: keras.layers.Layer) -> keras.Model:
    return keras.Sequential([keras.Input((4,)), *stack])


@pytest.mark.parametrize(
    ("parts", "message"),
    [
        ({"parameters": {"a": float("nan")}}, "JSON values with finite numbers"),
        ({"state": {"a": np.float32(1)}}, "JSON values with finite numbers"),
        ({"arrays": {"a": np.array([None])}}, "booleans, numbers or unicode; got 'a' of dtype obj"),
        ({"arrays": {"a": np.zeros(2, "f4,i4")}}, "booleans, numbers or unicode"),
        ({"arrays": {"../a": np.zeros(2)}}, r"ASCII identifiers; got '\.\./a'"),
        ({"networks": {"a/b": sequential()}}, "ASCII identifiers; got 'a/b'"),
        ({"networks": {"a": sequential(layers.Lambda(lambda x: x))}}, "'a' with the layer Lambda"),
        ({"networks": {"a": sequential(layers.Dense(2, lambda x: x))}}, "'lambda' of the module"),
        (
            {"networks": {"a": sequential(Unregistered())}},
            "'Unregistered' of the module .*register",
        ),
        ({"networks": {"a": sequential(Undescribed(object()))}}, "that Keras cannot serialize"),
    ],
)
@pytest.mark.filterwarnings("ignore:The object being serialized includes a .lambda.")  # Keras's
def test_refused_before_writing(parts: dict[str, Any], message: str, path: Path) -> None:
    before = {file.name: file.read_bytes() for file in path.iterdir()}
    with pytest.raises(InvalidInputError, match=message):
        write_model(path, store(**parts))
    assert {file.name: file.read_bytes() for file in path.iterdir()} == before


# Damaged and crafted models. A crafted header may fit the files, as `reseal` makes it.


def reseal(path: Path) -> None:
    """Make the header agree with the files, as in a crafted model."""
    header = json.loads((path / "model.json").read_text())
    for name in header["files"]:
        with (path / name).open("rb") as file:
            header["files"][name] = describe_file(file)
    rewrite_header(path, header)


def rewrite_header(path: Path, header: dict[str, Any]) -> None:
    """Write a header with the checksum that it should have."""
    sealed = ("kind", "format", "checksum")
    body = {key: value for key, value in header.items() if key not in sealed}
    checksum = json.loads(seal(body, MODEL))["checksum"]
    (path / "model.json").write_text(json.dumps(header | {"checksum": checksum}))


def members_of(file: Path) -> dict[str, bytes]:
    with zipfile.ZipFile(file) as archive:
        return {name: archive.read(name) for name in archive.namelist()}


def rewrite_members(file: Path, members: dict[str, bytes]) -> None:
    with zipfile.ZipFile(file, "w") as archive:
        for name, content in members.items():
            archive.writestr(name, content)


def edit_config(path: Path, old: str, new: str) -> None:
    """Change the description of the network in a model's archive."""
    members = members_of(path / "encoder.keras")
    config = members["config.json"].decode()
    assert old in config
    rewrite_members(
        path / "encoder.keras", members | {"config.json": config.replace(old, new).encode()}
    )
    reseal(path)


def require_refused(path: Path, *words: str) -> str:
    with pytest.raises(InvalidModelError) as caught:
        read_model(path)
    for word in words:
        assert word in str(caught.value)
    return str(caught.value)


@pytest.mark.parametrize("name", ["model.json", "encoder.keras", "arrays.npz"])
class TestDamagedFile:
    def test_missing(self, name: str, path: Path) -> None:
        (path / name).unlink()
        require_refused(path, name)

    def test_empty(self, name: str, path: Path) -> None:
        (path / name).write_bytes(b"")
        require_refused(path, name)

    def test_directory_in_its_place(self, name: str, path: Path) -> None:
        (path / name).unlink()
        (path / name).mkdir()
        require_refused(path, name)

    @pytest.mark.timeout(20)
    def test_pipe_in_its_place(self, name: str, path: Path) -> None:
        """Opening a pipe without a writer would block for ever."""
        (path / name).unlink()
        os.mkfifo(path / name)
        require_refused(path, name)

    @pytest.mark.parametrize("kept", [0.1, 0.5, 0.9, 0.999])
    def test_truncated(self, kept: float, name: str, path: Path) -> None:
        content = (path / name).read_bytes()
        (path / name).write_bytes(content[: int(kept * len(content))])
        require_refused(path, name)

    def test_of_another_kind(self, name: str, path: Path) -> None:
        (path / name).write_bytes(b"\x89PNG\r\n\x1a\n" + bytes(100))
        require_refused(path, name)
        if name != "model.json":
            reseal(path)
            require_refused(path, name)


def test_no_directory(tmp_path: Path) -> None:
    require_refused(tmp_path / "nothing", "path must be a directory that save wrote", "nothing")


def test_file_for_a_directory(path: Path) -> None:
    require_refused(path / "model.json", "path must be a directory that save wrote")


@pytest.mark.parametrize(
    ("entry", "value", "words"),
    [
        ("kind", "another model", "of the kind"),
        ("kind", None, "of the kind"),
        ("format", 3, "A newer embedscope saved this model: update embedscope"),
        ("format", 0, "a format number"),
        ("format", True, "a format number"),
        ("format", 1.0, "a format number"),
        ("format", "1", "a format number"),
        ("parameters", None, "its entries are others"),
        ("parameters", [], "its entries are others"),
        ("versions", {"keras": 3}, "its entries are others"),
        ("arrays", {"embedding": {"dtype": "|O", "shape": [3, 2]}}, "its entries are others"),
        ("arrays", {"embedding": {"dtype": "<f8", "shape": [-1]}}, "its entries are others"),
        ("arrays", {"embedding": {"dtype": "<f8", "shape": [True]}}, "its entries are others"),
        ("arrays", {"a/b": {"dtype": "<f8", "shape": [1]}}, "its entries are others"),
        ("files", {}, "its entries are others"),
        ("files", {"../arrays.npz": {"size": 1, "sha256": ""}}, "its entries are others"),
        ("files", {"arrays.npz": {"size": "1", "sha256": ""}}, "its entries are others"),
        ("more", {}, "must be what was saved"),
    ],
)
def test_crafted_header(entry: str, value: object, words: str, path: Path) -> None:
    header = json.loads((path / "model.json").read_text())
    rewrite_header(path, header | {entry: value})
    require_refused(path, "model.json", words)


@pytest.mark.parametrize(
    "content",
    [
        b"[]",
        b"null",
        b"\xff\xfe",
        b'{"kind": "embedscope model", "format": 1, "parameters": {"a": NaN}}',
        b'{"kind": "embedscope model", "format": 1, "checksum": null, "state": {"a": 1e999}}',
        b"[" * 100_000,
        b'{"a":' * 100_000,
        b"1" * 10_000,
    ],
    ids=lambda content: content[:20].decode("ascii", "replace"),
)
def test_header_of_other_json(content: bytes, path: Path) -> None:
    (path / "model.json").write_bytes(content)
    require_refused(path, "model.json")


def test_changed_value_is_noticed(path: Path) -> None:
    header = (path / "model.json").read_text()
    (path / "model.json").write_text(header.replace('"n_neighbors": 15', '"n_neighbors": 16'))
    require_refused(path, "model.json", "its checksum differs")


def test_spacing_is_free(path: Path) -> None:
    """A formatter, or a change of line ends in transfer, does no harm."""
    header = json.loads((path / "model.json").read_text())
    (path / "model.json").write_text(json.dumps(header, indent=4).replace("\n", "\r\n"))
    assert read_model(path).parameters["n_neighbors"] == 15


# Crafted networks


def marker_code(marker: Path) -> Callable[[Any], Any]:
    """Code that makes a file when it runs."""
    namespace: dict[str, Any] = {}
    source = f"def trace(x):\n    open({str(marker)!r}, 'w').close()\n    return x"
    exec(compile(source, "stranger", "exec"), namespace)
    return namespace["trace"]


@pytest.mark.parametrize("depth", [0, 1, 2])
def test_lambda_layer_is_refused_at_any_depth(depth: int, path: Path, tmp_path: Path) -> None:
    """The layer is in the file that Keras itself would write, and never runs."""
    marker = tmp_path / "marker"
    network = keras.Sequential([keras.Input((4,)), layers.Lambda(marker_code(marker))])
    for _ in range(depth):
        network = keras.Sequential([keras.Input((4,)), network, layers.Dense(4)])
    network.save(path / "encoder.keras")
    marker.unlink(missing_ok=True)
    reseal(path)
    require_refused(path, "encoder.keras", "the layer Lambda", "register_keras_serializable")
    assert not marker.exists()


def test_lambda_in_a_wrapper_is_refused(path: Path) -> None:
    inner = layers.TimeDistributed(layers.Lambda(abs))
    keras.Sequential([keras.Input((4, 2)), inner]).save(path / "encoder.keras")
    reseal(path)
    require_refused(path, "encoder.keras", "the layer Lambda")


@pytest.mark.parametrize("entry", [
    {"module": "builtins", "class_name": "function", "config": "eval", "registered_name": "eval"},
    {"module": "os", "class_name": "function", "config": "system", "registered_name": "system"},
    {"module": "keras.utils", "class_name": "function", "config": "get_file"},
    {"module": "keras.saving", "class_name": "function", "config": "load_model"},
    {"module": "keras.models", "class_name": "load_model", "config": {}},
    {"module": "keras.layers", "class_name": "TFSMLayer", "config": {"filepath": "evil"}},
    {"module": "keras.layers", "class_name": "TorchModuleWrapper", "config": {"module": ""}},
    {"module": "keras.src.utils.torch_utils", "class_name": "Popen", "config": {}},
    {"module": "subprocess", "class_name": "Popen", "config": {"args": "evil"}},
    {"module": "keras_hub.models", "class_name": "Backbone", "config": {}},
    {"module": None, "class_name": "Evil", "config": {}, "registered_name": "evil>Evil"},
    {"class_name": "Dense", "config": {"units": 2}},
    {"class_name": "__lambda__", "config": {"value": "4wA="}},
    {"class_name": ["Dense"], "config": {}},
], ids=lambda entry: f"{entry.get('module')}.{entry['class_name']}")  # fmt: skip
def test_foreign_object_is_refused(entry: dict[str, Any], path: Path) -> None:
    edit_config(path, '"activation": "relu"', f'"activation": {json.dumps(entry)}')
    require_refused(path, "encoder.keras must be made of trusted layers")


def test_layer_that_is_not_registered_here(path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """The error says which class to import; once it is registered, the model loads."""
    network = keras.Sequential([keras.Input((4,)), Scale(3), layers.Dense(2)])
    write_model(path, store(networks={"encoder": network}))
    with monkeypatch.context() as patch:
        patch.delitem(keras.saving.get_custom_objects(), "test_storage>Scale")
        require_refused(path, "encoder.keras", "got 'Scale'", "import the code that defines it")
    assert read_model(path).networks["encoder"].layers[0].power == 3


def test_network_that_keras_cannot_build(path: Path) -> None:
    """The message holds the saved and installed versions, which are the usual reason."""
    edit_config(path, '"units": 3', '"units": -3')
    message = require_refused(path, "encoder.keras must be a network that Keras can build")
    assert "It was saved with embedscope" in message
    assert message.count(f"keras {keras.__version__}") == 2


def test_weights_of_another_network(path: Path) -> None:
    edit_config(path, '"units": 3', '"units": 5')
    require_refused(path, "encoder.keras must be a network that Keras can build")


def test_layer_for_a_network(path: Path) -> None:
    members = members_of(path / "encoder.keras")
    layer = json.dumps(keras.saving.serialize_keras_object(layers.Dropout(0.5)))
    rewrite_members(path / "encoder.keras", members | {"config.json": layer.encode()})
    reseal(path)
    require_refused(path, "encoder.keras must be a network that Keras can build", "Dropout")


@pytest.mark.parametrize("config", [b"", b"[]", b"{}", b"{", b"\xff", b"[" * 100_000])
def test_config_that_is_not_a_network(config: bytes, path: Path) -> None:
    members = members_of(path / "encoder.keras")
    rewrite_members(path / "encoder.keras", members | {"config.json": config})
    reseal(path)
    require_refused(path, "encoder.keras", "config.json")


# Crafted archives


@pytest.mark.parametrize("file", ["encoder.keras", "arrays.npz"])
@pytest.mark.parametrize(
    "member",
    [
        "../escaped",
        "/escaped",
        "assets/../../escaped",
        "assets\\..\\escaped",
        "C:\\escaped",
        "a.py",
    ],
)
def test_member_that_would_escape(member: str, file: str, path: Path, tmp_path: Path) -> None:
    rewrite_members(path / file, {**members_of(path / file), member: b"escaped"})
    reseal(path)
    require_refused(path, file, "does not belong there")
    assert not list(tmp_path.rglob("*escaped*"))


@pytest.mark.parametrize("file", ["encoder.keras", "arrays.npz"])
def test_member_that_is_a_link(file: str, path: Path) -> None:
    with zipfile.ZipFile(path / file) as archive:
        first, *rest = archive.namelist()
    members = members_of(path / file)
    with zipfile.ZipFile(path / file, "w") as archive:
        link = zipfile.ZipInfo(first)
        link.external_attr = 0o120777 << 16
        archive.writestr(link, "/etc/passwd")
        for name in rest:
            archive.writestr(name, members[name])
    reseal(path)
    require_refused(path, file, "is a link")


@pytest.mark.parametrize("file", ["encoder.keras", "arrays.npz"])
def test_archive_that_unpacks_to_more(file: str, path: Path) -> None:
    """A zip bomb has to be compressed, and what embedscope writes is not."""
    members = members_of(path / file)
    with zipfile.ZipFile(path / file, "w", zipfile.ZIP_DEFLATED) as archive:
        for name in members:
            archive.writestr(name, bytes(10_000_000))
    reseal(path)
    require_refused(path, file, "is compressed")


@pytest.mark.parametrize("file", ["encoder.keras", "arrays.npz"])
def test_member_twice(file: str, path: Path) -> None:
    members = members_of(path / file)
    first = next(iter(members))
    rewrite_members(path / file, members)
    with zipfile.ZipFile(path / file, "a") as archive, pytest.warns(UserWarning, match="Duplicate"):
        archive.writestr(first, members[first])
    reseal(path)
    require_refused(path, file, "each member once")


@pytest.mark.parametrize("file", ["encoder.keras", "arrays.npz"])
def test_member_missing(file: str, path: Path) -> None:
    members = members_of(path / file)
    name, _ = members.popitem()
    rewrite_members(path / file, members)
    reseal(path)
    require_refused(path, file, f"got none named {name}")


class Trap:
    """Code that a pickle runs when it is loaded."""

    def __init__(self, marker: Path) -> None:
        self.marker = marker

    def __reduce__(self) -> tuple[Any, ...]:
        return (Path.touch, (self.marker,))


def test_array_of_objects_runs_no_code(path: Path, tmp_path: Path) -> None:
    content = io.BytesIO()
    np.save(content, np.array([Trap(tmp_path / "marker")], dtype=object), allow_pickle=True)
    members = members_of(path / "arrays.npz")
    rewrite_members(path / "arrays.npz", members | {"embedding.npy": content.getvalue()})
    reseal(path)
    require_refused(path, "arrays.npz", "Object arrays cannot be loaded")
    assert not (tmp_path / "marker").exists()


@pytest.mark.parametrize(
    "array", [np.zeros((3, 2), np.float32), np.zeros((2, 3)), np.zeros(6), np.zeros((3, 2), ">f8")]
)
def test_array_of_another_shape_or_dtype(array: np.ndarray, path: Path) -> None:
    content = io.BytesIO()
    np.save(content, array)
    members = members_of(path / "arrays.npz")
    rewrite_members(path / "arrays.npz", members | {"embedding.npy": content.getvalue()})
    reseal(path)
    require_refused(path, "arrays.npz", "as model.json describes them; got 'embedding'")


@pytest.mark.parametrize("shape", ["(3000000000000, 2)", "(3, 9223372036854775807)", "(-3, 2)"])
def test_array_that_claims_to_be_huge(shape: str, path: Path) -> None:
    content = io.BytesIO()
    header = f"{{'descr': '<f8', 'fortran_order': False, 'shape': {shape}, }}".encode()
    content.write(b"\x93NUMPY\x01\x00" + len(header).to_bytes(2, "little") + header + bytes(48))
    members = members_of(path / "arrays.npz")
    rewrite_members(path / "arrays.npz", members | {"embedding.npy": content.getvalue()})
    reseal(path)
    require_refused(path, "arrays.npz")


def test_numbers_that_are_not_characters(path: Path) -> None:
    """Such a text breaks numpy only when it is read."""
    members = members_of(path / "arrays.npz")
    broken = members["names.npy"][:-4] + b"\xff\xff\xff\x7f"
    rewrite_members(path / "arrays.npz", members | {"names.npy": broken})
    reseal(path)
    require_refused(path, "arrays.npz")


# Random damage


def change(content: bytes, chance: random.Random) -> bytes:
    """Flip, overwrite, cut out or cut off some bytes."""
    if not content:
        return b"\0"
    start = chance.randrange(len(content))
    length = chance.randint(1, 32)
    kind = chance.choice(["flip", "overwrite", "cut out", "cut off"])
    if kind == "flip":
        flipped = content[start] ^ (1 << chance.randrange(8))
        return content[:start] + bytes([flipped]) + content[start + 1 :]
    if kind == "overwrite":
        return content[:start] + chance.randbytes(length) + content[start + length :]
    if kind == "cut out":
        return content[:start] + content[start + length :]
    return content[:start]


N_FUZZ = [25, pytest.param(300, marks=pytest.mark.long)]


@pytest.mark.parametrize("n_rounds", N_FUZZ)
@pytest.mark.parametrize("name", ["model.json", "encoder.keras", "arrays.npz"])
def test_random_damage_is_noticed(name: str, n_rounds: int, path: Path) -> None:
    """A damaged model is refused or loads as saved; no other error is raised."""
    chance = random.Random(name)
    saved = (path / name).read_bytes()
    for _ in range(n_rounds):
        (path / name).write_bytes(change(saved, chance))
        try:
            loaded = read_model(path)
        except InvalidModelError:
            continue
        assert loaded.parameters == {"n_neighbors": 15, "metric": "euclidean"}
        assert loaded.state == {"loss": [0.5, 0.25]}
        assert loaded.arrays["embedding"].tolist() == [[0, 1], [2, 3], [4, 5]]


@pytest.mark.parametrize("n_rounds", N_FUZZ)
@pytest.mark.parametrize(
    ("file", "member"),
    [
        ("encoder.keras", None),
        ("arrays.npz", None),
        ("encoder.keras", "config.json"),
        ("encoder.keras", "metadata.json"),
        ("encoder.keras", "model.weights.h5"),
        ("arrays.npz", "embedding.npy"),
        ("arrays.npz", "names.npy"),
    ],
)
def test_random_tampering(file: str, member: str | None, n_rounds: int, path: Path) -> None:
    """With a header and an archive that fit the change: refused or loaded, no other error."""
    chance = random.Random(f"{file}/{member}")
    saved = (path / file).read_bytes()
    members = members_of(path / file)
    for _ in range(n_rounds):
        if member is None:
            (path / file).write_bytes(change(saved, chance))
        else:
            changed = change(members[member], chance)
            rewrite_members(path / file, members | {member: changed})
        reseal(path)
        try:
            loaded = read_model(path)
        except InvalidModelError:
            continue
        assert loaded.networks["encoder"](BATCH).shape == (3, 2)
        assert loaded.arrays["embedding"].shape == (3, 2)
        assert len(loaded.arrays["names"].tolist()) == 2


def test_model_that_could_not_be_loaded_replaces_none(tmp_path: Path) -> None:
    """A layer may have a config from which it cannot be built."""

    @keras.saving.register_keras_serializable("test_storage")
    class Forgetful(keras.layers.Dense):
        def __init__(self, units: int, secret: int) -> None:
            super().__init__(units)
            self.secret = secret

        def get_config(self) -> dict[str, Any]:
            return {"units": self.units}

    write_model(tmp_path / "model", store(parameters={"number": 1}))
    network = keras.Sequential([keras.Input((3,)), Forgetful(2, 3)])
    with pytest.raises(InvalidInputError, match=r"loadable after saving.*Nothing was saved"):
        write_model(tmp_path / "model", store(networks={"encoder": network}))
    assert read_model(tmp_path / "model").parameters == {"number": 1}
