"""An exported network gives the same output in onnxruntime as in Keras."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path
from typing import Any

import keras
import numpy as np
import pytest

from embedscope._errors import InvalidInputError, MissingDependencyError
from embedscope.core.export import _onnx
from embedscope.core.export._onnx import export_onnx

onnx = pytest.importorskip("onnx", reason='ONNX export is optional: "embedscope[onnx]"')
onnxruntime = pytest.importorskip("onnxruntime")
pytest.importorskip("tf2onnx")
layers = keras.layers


def stack(shape: tuple[int, ...], *parts: keras.layers.Layer) -> keras.Model:
    return keras.Sequential([keras.Input(shape), *parts])


def attention() -> keras.Model:
    x = keras.Input((16, 8))
    attended = layers.MultiHeadAttention(2, 4)(x, x)
    normalised = layers.LayerNormalization()(layers.Add()([attended, x]))
    return keras.Model(x, layers.Dense(2)(layers.GlobalAveragePooling1D()(normalised)))


def residual() -> keras.Model:
    x = keras.Input((8, 8, 4))
    y = layers.Conv2D(4, 3, padding="same", use_bias=False)(x)
    y = layers.BatchNormalization()(y)
    y = layers.ReLU()(layers.Add()([x, layers.SpatialDropout2D(0.2)(y)]))
    return keras.Model(x, layers.Dense(2)(layers.GlobalAveragePooling2D()(y)))


def nested() -> keras.Model:
    x = keras.Input((10,))
    inner = stack((10,), layers.Dense(5, "relu"), layers.BatchNormalization())
    return keras.Model(x, layers.Dense(2)(layers.Concatenate()([inner(x), x])))


class Subclassed(keras.Model):
    """A network as a class, without symbolic inputs."""

    def __init__(self, **options: Any) -> None:
        super().__init__(**options)
        self.hidden = layers.Dense(4, "relu")
        self.out = layers.Dense(2)

    def call(self, x: Any, training: bool = False) -> Any:
        return self.out(self.hidden(x))


def subclassed() -> keras.Model:
    network = Subclassed()
    network(np.zeros((1, 5), np.float32))
    return network


NETWORKS: dict[str, Callable[[], keras.Model]] = {
    "the documented encoder": lambda: stack(
        (10,), *[layers.Dense(100, "relu") for _ in range(3)], layers.Dense(2)
    ),
    "layers named like the tensors": lambda: stack(
        (10,), layers.Dense(5, "relu", name="input"), layers.Dense(2, name="output")
    ),
    "convolutional encoder": lambda: stack(
        (28, 28, 1),
        layers.Conv2D(8, 3, strides=2, activation="relu", padding="same"),
        layers.BatchNormalization(),
        layers.Dropout(0.3),
        layers.Flatten(),
        layers.Dense(2),
    ),
    "pooling and GELU": lambda: stack(
        (28, 28, 3),
        layers.Conv2D(8, 3, activation="gelu"),
        layers.MaxPooling2D(),
        layers.Conv2D(8, 3, activation="elu"),
        layers.AveragePooling2D(2, padding="same"),
        layers.GlobalMaxPooling2D(),
        layers.Dense(2),
    ),
    "transposed decoder": lambda: stack(
        (2,),
        layers.Dense(7 * 7 * 8, "relu"),
        layers.Reshape((7, 7, 8)),
        layers.Conv2DTranspose(8, 3, strides=2, padding="same", activation="relu"),
        layers.Conv2DTranspose(4, 4, strides=2, padding="valid"),
        layers.Conv2D(1, 3, padding="same"),
    ),
    "upsampling decoder": lambda: stack(
        (2,),
        layers.Dense(5 * 5 * 4, "relu"),
        layers.Reshape((5, 5, 4)),
        layers.UpSampling2D(),
        layers.Conv2D(4, 3, padding="same", activation="swish"),
        layers.UpSampling2D(interpolation="bilinear"),
        layers.Conv2D(3, 3, padding="same"),
    ),
    "layer normalization": lambda: stack(
        (10,),
        layers.LayerNormalization(),
        layers.Dense(10, "mish"),
        # Keras has it since 3.9.
        layers.RMSNormalization() if hasattr(layers, "RMSNormalization") else layers.ReLU(),
        layers.UnitNormalization(),
        layers.Dense(2),
    ),
    "separable convolutions": lambda: stack(
        (16, 16, 3),
        layers.SeparableConv2D(8, 3, strides=2, padding="same"),
        layers.DepthwiseConv2D(3),
        layers.GroupNormalization(4),
        layers.Flatten(),
        layers.Dense(2),
    ),
    "grouped and dilated convolutions": lambda: stack(
        (16, 16, 4),
        layers.Conv2D(8, 3, dilation_rate=2, padding="same", activation="leaky_relu"),
        layers.Conv2D(8, 3, groups=4),
        layers.Conv2D(8, 4, strides=3, groups=2, padding="same"),
        layers.Flatten(),
        layers.Dense(2),
    ),
    "signals": lambda: stack(
        (32, 3),
        layers.Conv1D(8, 5, strides=2, padding="causal", activation="selu"),
        layers.MaxPooling1D(),
        layers.PReLU(),
        layers.UpSampling1D(2),
        layers.Conv1DTranspose(2, 3, strides=2, padding="same"),
        layers.Flatten(),
        layers.Dense(3),
    ),
    "volumes": lambda: stack(
        (8, 8, 8, 1),
        layers.Conv3D(4, 3, activation="relu"),
        layers.MaxPooling3D(),
        layers.Conv3DTranspose(2, 3, strides=2, padding="same"),
        layers.Flatten(),
        layers.Dense(2),
    ),
    "recurrent": lambda: stack(
        (6, 5), layers.Bidirectional(layers.GRU(4, return_sequences=True)), layers.LSTM(3)
    ),
    "preprocessing": lambda: stack(
        (8, 8, 1),
        layers.Rescaling(1 / 255, offset=-1),
        layers.Resizing(12, 12),
        layers.RandomFlip(),
        layers.GaussianNoise(0.2),
        layers.ZeroPadding2D(),
        layers.Cropping2D(2),
        layers.Permute((3, 1, 2)),
        layers.Flatten(),
        layers.Dense(2),
    ),
    # Its 600 means and variances are constants, not weights.
    "normalization": lambda: stack(
        (600,),
        layers.Normalization(mean=np.linspace(-1, 1, 600), variance=np.linspace(1, 2, 600)),
        layers.Dense(8, "softplus"),
        layers.Dense(2, "tanh"),
    ),
    "per frame": lambda: stack(
        (3, 8, 8, 1), layers.TimeDistributed(layers.Conv2D(2, 3)), layers.Flatten(), layers.Dense(2)
    ),
    "one feature": lambda: stack((1,), layers.Dense(2, "sigmoid")),
    "attention": attention,
    "residual": residual,
    "nested": nested,
    "subclassed": subclassed,
}


def randomise(network: keras.Model, rng: np.random.Generator) -> None:
    """Change all weights from their initial values: zeros and ones would hide mistakes."""
    for weight in network.weights:
        if weight.dtype == "float32":
            is_variance = "variance" in weight.path
            low, high = (0.5, 2.0) if is_variance else (-0.5, 0.5)
            weight.assign(rng.uniform(low, high, weight.shape))


def run(file: Path, batch: np.ndarray) -> np.ndarray:
    session = onnxruntime.InferenceSession(file, providers=["CPUExecutionProvider"])
    (output,) = session.run(None, {session.get_inputs()[0].name: batch})
    return np.asarray(output)


@pytest.mark.parametrize("name", NETWORKS)
def test_same_result(name: str, tmp_path: Path, rng: np.random.Generator) -> None:
    network = NETWORKS[name]()
    randomise(network, rng)
    file = export_onnx(network, tmp_path / "network.onnx")
    (shape,) = [tensor.type.tensor_type.shape for tensor in onnx.load(file).graph.input]
    sample = [size.dim_value for size in shape.dim[1:]]
    for n_samples in (1, 4):
        batch = rng.uniform(0, 1, (n_samples, *sample)).astype(np.float32)
        expected = network(batch, training=False).numpy()
        assert np.ptp(expected) > 0
        scale = np.abs(expected).max()
        np.testing.assert_allclose(run(file, batch), expected, rtol=0, atol=1e-5 * scale)


@pytest.mark.parametrize("policy", ["mixed_bfloat16", "mixed_float16"])
@pytest.mark.parametrize(
    "name", ["convolutional encoder", "nested", "subclassed", "attention", "residual"]
)
def test_half_precision_is_exported_in_full(
    name: str, policy: str, tmp_path: Path, rng: np.random.Generator
) -> None:
    exact = NETWORKS[name]()
    randomise(exact, rng)
    try:
        keras.config.set_dtype_policy(policy)
        network = NETWORKS[name]()
    finally:
        keras.config.set_dtype_policy("float32")
    network.set_weights(exact.get_weights())
    file = export_onnx(network, tmp_path / "network.onnx")
    (shape,) = [tensor.type.tensor_type.shape for tensor in onnx.load(file).graph.input]
    batch = rng.uniform(0, 1, (4, *(size.dim_value for size in shape.dim[1:]))).astype(np.float32)
    expected = exact(batch, training=False).numpy()
    scale = np.abs(expected).max()
    np.testing.assert_allclose(run(file, batch), expected, rtol=0, atol=1e-5 * scale)
    assert any(layer.compute_dtype != "float32" for layer in network.layers)  # it stays so


def test_tensors_have_names(tmp_path: Path) -> None:
    network = NETWORKS["nested"]()
    file = export_onnx(network, tmp_path / "n.onnx", input_name="cells", output_name="map")
    graph = onnx.load(file).graph
    (source,), (result,) = graph.input, graph.output
    assert (source.name, result.name) == ("cells", "map")
    assert source.type.tensor_type.shape.dim[0].dim_param == "batch"
    assert result.type.tensor_type.shape.dim[0].dim_param == "batch"
    assert result.type.tensor_type.shape.dim[1].dim_value == 2


def test_images_of_any_size(tmp_path: Path, rng: np.random.Generator) -> None:
    network = keras.Sequential(
        [
            keras.Input((None, None, 1)),
            layers.Conv2D(3, 3, padding="same", activation="relu"),
            layers.MaxPooling2D(),
            layers.GlobalAveragePooling2D(),
        ]
    )
    file = export_onnx(network, tmp_path / "any.onnx")
    for size in (7, 40):
        batch = rng.uniform(0, 1, (2, size, size + 3, 1)).astype(np.float32)
        np.testing.assert_allclose(run(file, batch), network(batch).numpy(), atol=1e-6)


def test_training_goes_on_after_export(tmp_path: Path) -> None:
    """The export does not change the network."""
    network = NETWORKS["convolutional encoder"]()
    before = [weight.numpy().copy() for weight in network.weights]
    export_onnx(network, tmp_path / "network.onnx")
    for weight, value in zip(network.weights, before, strict=True):
        np.testing.assert_array_equal(weight.numpy(), value)
    network.compile("sgd", "mse")
    network.fit(np.ones((2, 28, 28, 1)), np.ones((2, 2)), verbose=0)


def test_silent(tmp_path: Path, capfd: pytest.CaptureFixture[str]) -> None:
    export_onnx(NETWORKS["pooling and GELU"](), tmp_path / "network.onnx")
    assert capfd.readouterr() == ("", "")


def test_replaces_a_file_and_makes_parents(tmp_path: Path) -> None:
    file = tmp_path / "a" / "b" / "network.onnx"
    export_onnx(NETWORKS["nested"](), file)
    first = onnx.load(file)
    export_onnx(NETWORKS["residual"](), str(file))
    assert onnx.load(file).graph.input != first.graph.input
    assert list(file.parent.iterdir()) == [file]


# Refused, and nothing written


class Counting(keras.layers.Layer):
    """Gives another result at every call."""

    def __init__(self) -> None:
        super().__init__()
        self.n_calls = 0

    def call(self, x: Any) -> Any:
        self.n_calls += 1
        return x * self.n_calls


class Random(keras.layers.Layer):
    def __init__(self) -> None:
        super().__init__()
        self.seeds = keras.random.SeedGenerator(1)

    def call(self, x: Any) -> Any:
        return x + keras.random.normal((1,), seed=self.seeds)


class GloballyRandom(keras.layers.Layer):
    def call(self, x: Any) -> Any:
        return x + keras.random.normal((1,))


class Double(keras.layers.Layer):
    """Made of an operation that onnxruntime has for float32 only."""

    def call(self, x: Any) -> Any:
        return keras.ops.cast(keras.ops.erf(keras.ops.cast(x, "float64")), "float32")


class EagerOnly(keras.layers.Layer):
    """Made of numpy, which cannot be traced."""

    def call(self, x: Any) -> Any:
        return keras.ops.convert_to_tensor(x.numpy())

    def compute_output_shape(self, input_shape: tuple[int, ...]) -> tuple[int, ...]:
        return input_shape


class Unknown(keras.layers.Layer):
    """Made of an operation that ONNX does not have."""

    def call(self, x: Any) -> Any:
        return keras.ops.erfinv(keras.ops.tanh(x) / 2)


def several_inputs() -> keras.Model:
    inputs = [keras.Input((3,)), keras.Input((4,))]
    return keras.Model(inputs, layers.Concatenate()(inputs))


def several_outputs() -> keras.Model:
    x = keras.Input((3,))
    return keras.Model(x, [layers.Dense(2)(x), layers.Dense(2)(x)])


@pytest.mark.parametrize(
    ("make", "message"),
    [
        (several_inputs, "network must have one input and one output"),
        (several_outputs, r"one output; got inputs \(None, 3\) and 2 output"),
        (
            lambda: stack((3,), Counting()),
            "the same result in onnxruntime, to .*; got a difference",
        ),
        (lambda: stack((3,), Random()), "operations that ONNX has; got StatelessRandom"),
        (lambda: stack((3,), GloballyRandom()), "and its own weights; got .* random state"),
        (lambda: stack((3,), Double()), "network must run in onnxruntime; got .*Erf"),
        (lambda: stack((3,), EagerOnly()), "(?s)network must be expressible in ONNX; got .*numpy"),
        (lambda: stack((3,), Unknown()), "operations that ONNX has; got Erfinv"),
        (
            lambda: stack((4, 4, 1), layers.Conv2DTranspose(1, 1, strides=3, padding="same")),
            # By tf2onnx, or, where an older one translates it wrongly, by its result.
            "network must (be expressible in ONNX|give the same result in onnxruntime)",
        ),
        (lambda: stack((3,), layers.Rescaling(np.inf)), "values which are not finite"),
    ],
)
def test_refused(make: Callable[[], keras.Model], message: str, tmp_path: Path) -> None:
    file = tmp_path / "network.onnx"
    file.write_bytes(b"the old one")
    with pytest.raises(InvalidInputError, match=message):
        export_onnx(make(), file)
    assert file.read_bytes() == b"the old one"
    assert list(tmp_path.iterdir()) == [file]


def test_directory_for_a_file(tmp_path: Path) -> None:
    with pytest.raises(InvalidInputError, match=r"path must be a file; .*encoder\.onnx"):
        export_onnx(NETWORKS["nested"](), tmp_path)


def test_missing_package(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """The message lists the installed and needed versions, and the command to run."""
    monkeypatch.setitem(_onnx._NEEDED, "onnx", "99.0")
    monkeypatch.setitem(_onnx._NEEDED, "embedscope-has-no-such-friend", "1.0")
    with pytest.raises(MissingDependencyError) as caught:
        export_onnx(NETWORKS["nested"](), tmp_path / "network.onnx")
    message = str(caught.value)
    assert "onnx 99.0 or newer" in message
    assert f"got onnx {onnx.__version__}" in message
    assert "embedscope-has-no-such-friend missing" in message
    assert 'pip install "embedscope[onnx]"' in message
    assert list(tmp_path.iterdir()) == []
