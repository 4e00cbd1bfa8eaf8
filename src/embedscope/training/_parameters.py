"""Parameters of a training run: the one source of forms, checks and files.

Each field has its label, tooltip, bounds and group, so that the napari dock, the Jupyter widget and
a script offer the same choices with the same names, and refuse the same values.
"""

from __future__ import annotations

import dataclasses
import math
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from embedscope._errors import InvalidInputError, InvalidTypeError

METRICS = (
    "euclidean",
    "manhattan",
    "chebyshev",
    "cosine",
    "correlation",
    "canberra",
    "braycurtis",
)
_LARGEST_SEED = 2**31 - 1


@dataclass(frozen=True)
class ParameterField:
    """One field of a form.

    Attributes
    ----------
    name : str
        Attribute of `TrainingParameters`.
    kind : {"int", "float", "bool", "choice", "text"}
    default : int, float, bool or str
    label : str
        A few words, for a form.
    tooltip : str
        What it does, in a sentence or two.
    group : str
        Heading in the form; "Map" is the short group that a form shows open.
    minimum, maximum, step : float or None
        Bounds, both allowed, and the step of a spin box; None if there are none.
    choices : tuple of str
        Allowed values of a choice.
    unit : str
        Unit of the value, or "".
    """

    name: str
    kind: str
    default: Any
    label: str
    tooltip: str
    group: str
    minimum: float | None = None
    maximum: float | None = None
    step: float | None = None
    choices: tuple[str, ...] = ()
    unit: str = ""

    @property
    def is_basic(self) -> bool:
        """Whether it belongs to the short group that a form shows open."""
        return self.group == "Map"

    def to_dict(self) -> dict[str, Any]:
        """As types of JSON, for forms in a browser."""
        return dataclasses.asdict(self) | {
            "choices": list(self.choices),
            "is_basic": self.is_basic,
        }

    def check(self, value: Any) -> Any:
        """Return the value in the type of the field.

        Raises
        ------
        InvalidTypeError
            If it has another type.
        InvalidInputError
            If it is out of bounds or not one of the choices.
        """
        return _CHECKS[self.kind](self, value)


def _field(kind: str, default: Any, group: str, label: str, tooltip: str, **more: Any) -> Any:
    """A dataclass field with everything that a form needs."""
    described = {"kind": kind, "group": group, "label": label, "tooltip": tooltip, **more}
    return dataclasses.field(default=default, metadata=described)


@dataclass(frozen=True, kw_only=True)
class TrainingParameters:
    """Parameters of a training run, checked when they are made.

    A parameter with the name of one of `ParametricUMAP` has the same meaning.

    Parameters
    ----------
    n_neighbors : int, default=15
        Neighbours of each sample, itself included; 2..500.
    min_dist : float, default=0.1
        Smallest distance of neighbours on the map; 0..1, at most `spread`.
    alike : {"pixels", "any orientation", "measurements", "learned"}
        Which pictures count as alike: those with similar pixels; also turned, mirrored and
        slightly shifted copies; those that measure alike; or those that a network, trained on
        views of each picture, gives similar features. Samples without pictures take "pixels", their
        rows as they are.
    quality : {"balanced", "fast", "best"}
        How long the map trains, as in `ParametricUMAP`. The decoder always trains equally long.
    reconstruction : bool, default=True
        Train a decoder, which decodes a picture at any point of the map.
    random_state : int, default=0
        Seed; the same seed gives the same map; 0..2**31 - 1.
    metric : str, default="euclidean"
        Distance between samples, one of `METRICS`.
    neighbor_blur_px : float, default=2.0
        Standard deviation of the blur of pictures before they are compared, in pixels; 0..20.
    target : str, default=""
        Name of a feature that guides the map, a class or a number; "" for none.
    target_weight : float, default=0.5
        0 ignores `target`, 1 trusts it entirely.
    spread, repulsion_strength, negative_sample_rate, init, densmap
        As in `ParametricUMAP`.
    encoder : {"automatic", "dense", "convolutional"}
        "automatic" takes a convolutional network for pictures, else a dense one.
    n_training_epochs : int, default=1
        Multiplies the training of map and decoder; 1..100.
    n_style_components : int, default=32
        Numbers in a style code, fewer if samples are few or have few values; 0..256.
    autoencoder_loss : bool, default=False
        Train the encoder with the reconstruction loss too.
    reconstruction_weight : float, default=1.0
        Weight of the reconstruction loss; 0..1000.

    Raises
    ------
    InvalidTypeError
        If a value has the wrong type; a TypeError.
    InvalidInputError
        If a value is out of bounds; a ValueError.

    Examples
    --------
    >>> TrainingParameters(n_neighbors=30).replace(min_dist=0.3).min_dist
    0.3
    """

    n_neighbors: int = _field(
        "int",
        15,
        "Map",
        "Neighbours",
        "How many nearest samples each sample is linked to. Few show fine detail, many the whole.",
        minimum=2,
        maximum=500,
        step=1,
    )
    min_dist: float = _field(
        "float",
        0.1,
        "Map",
        "Minimum distance",
        "Smallest distance of neighbours on the map. Small values pack groups tightly.",
        minimum=0.0,
        maximum=1.0,
        step=0.05,
        unit="map units",
    )
    alike: str = _field(
        "choice",
        "pixels",
        "Map",
        "What is alike",
        "Pixels: pictures that are similar as they lie. Any orientation: turned, mirrored and "
        "slightly shifted copies are the same too; volumes are turned in their planes only. "
        "Measurements: shape, intensity and texture. Learned: a "
        "network learns what stays the same if a cell is turned, moved or lit differently; takes "
        "a minute or more. With all but pixels the decoder draws cells upright. Only for samples "
        "with pictures.",
        choices=("pixels", "any orientation", "measurements", "learned"),
    )
    quality: str = _field(
        "choice",
        "balanced",
        "Map",
        "Quality",
        "How long the map trains. Fast takes half as long as balanced, best four times as long. "
        "Best pays from about 10,000 samples. The decoder always trains equally long.",
        choices=("fast", "balanced", "best"),
    )
    reconstruction: bool = _field(
        "bool",
        True,
        "Map",
        "Train a decoder",
        "Also train a decoder, which shows what a sample at any point of the map would look like.",
    )
    random_state: int = _field(
        "int",
        0,
        "Map",
        "Seed",
        "The same seed gives the same map on the same machine; another one shows what is random.",
        minimum=0,
        maximum=_LARGEST_SEED,
        step=1,
    )
    metric: str = _field(
        "choice",
        "euclidean",
        "Neighbours",
        "Metric",
        "How the distance between two samples is measured.",
        choices=METRICS,
    )
    neighbor_blur_px: float = _field(
        "float",
        2.0,
        "Neighbours",
        "Blur",
        "Pictures are blurred by this width before they are compared, so that the position of each "
        "granule matters less. 0 compares them pixel by pixel. Has no effect on tables.",
        minimum=0.0,
        maximum=20.0,
        step=0.5,
        unit="px",
    )
    target: str = _field(
        "text",
        "",
        "Neighbours",
        "Target feature",
        "Name of a feature, a class or a number, that pulls samples of equal value together. Leave "
        "empty to use only the data.",
    )
    target_weight: float = _field(
        "float",
        0.5,
        "Neighbours",
        "Target weight",
        "0 ignores the target feature, 1 trusts it entirely.",
        minimum=0.0,
        maximum=1.0,
        step=0.1,
    )
    spread: float = _field(
        "float",
        1.0,
        "Layout",
        "Spread",
        "Scale of the map; the minimum distance must not exceed it.",
        minimum=0.1,
        maximum=10.0,
        step=0.1,
        unit="map units",
    )
    repulsion_strength: float = _field(
        "float",
        1.0,
        "Layout",
        "Repulsion",
        "How strongly samples that are not neighbours repel each other.",
        minimum=0.0,
        maximum=20.0,
        step=0.1,
    )
    negative_sample_rate: int = _field(
        "int",
        5,
        "Layout",
        "Negative samples",
        "Random samples that repel a sample, for each neighbour that attracts it.",
        minimum=1,
        maximum=50,
        step=1,
    )
    init: str = _field(
        "choice",
        "spectral",
        "Layout",
        "Initial layout",
        "Initial positions: eigenvectors of the neighbour graph, principal components, or random.",
        choices=("spectral", "pca", "random"),
    )
    densmap: bool = _field(
        "bool",
        False,
        "Layout",
        "Density (densMAP)",
        "Keep dense regions of the data dense on the map (densMAP).",
    )
    encoder: str = _field(
        "choice",
        "automatic",
        "Networks",
        "Encoder",
        "Network that maps a sample to its position. Automatic: convolutional for pictures.",
        choices=("automatic", "dense", "convolutional"),
    )
    n_training_epochs: int = _field(
        "int",
        1,
        "Networks",
        "Training length",
        "Multiplies the training of map and decoder: 2 trains twice as long as the quality alone.",
        minimum=1,
        maximum=100,
        step=1,
        unit="times",
    )
    n_style_components: int = _field(
        "int",
        32,
        "Networks",
        "Style components",
        "How many numbers describe what the position of a sample does not. With them the decoder "
        "reconstructs this sample, and can move it over the map; with 0 it decodes only typical "
        "samples. Few samples, and samples of few values, get fewer.",
        minimum=0,
        maximum=256,
        step=8,
    )
    autoencoder_loss: bool = _field(
        "bool",
        False,
        "Networks",
        "Autoencoder loss",
        "The reconstruction loss trains the encoder too: better pictures, slightly different map.",
    )
    reconstruction_weight: float = _field(
        "float",
        1.0,
        "Networks",
        "Reconstruction weight",
        "Weight of the reconstruction loss, relative to that of the map.",
        minimum=0.0,
        maximum=1000.0,
        step=0.5,
    )

    def __post_init__(self) -> None:
        for described in parameter_fields():
            value = described.check(getattr(self, described.name))
            object.__setattr__(self, described.name, value)
        if self.min_dist > self.spread:
            raise InvalidInputError(
                f"min_dist must be at most spread; got {self.min_dist:g} (spread={self.spread:g}). "
                "Lower min_dist, or raise spread."
            )

    def replace(self, **changes: Any) -> TrainingParameters:
        """Return a copy with some values changed, checked.

        Raises
        ------
        InvalidInputError
            If a name is unknown, or a value is out of bounds.
        """
        return TrainingParameters.from_dict(self.to_dict() | changes)

    def to_dict(self) -> dict[str, Any]:
        """Every parameter by name, as types of JSON."""
        return dataclasses.asdict(self)

    @classmethod
    def from_dict(cls, values: Mapping[str, Any]) -> TrainingParameters:
        """Parameters from `to_dict`; missing ones get their defaults.

        Raises
        ------
        InvalidInputError
            If a name is unknown, or a value is out of bounds.
        """
        known = {described.name for described in parameter_fields()}
        unknown = sorted(map(str, set(values) - known))
        if unknown:
            raise InvalidInputError(
                f"parameters must be among {', '.join(sorted(known))}; got {', '.join(unknown)}. "
                "Check the spelling, or leave it out."
            )
        return cls(**dict(values))


def parameter_fields() -> tuple[ParameterField, ...]:
    """Every parameter, in the order of a form, with all that a form needs.

    Returns
    -------
    tuple of ParameterField
    """
    return _FIELDS


def _check_number(described: ParameterField, value: Any) -> Any:
    whole = described.kind == "int"
    kind = int if whole else float
    try:
        given_bool = isinstance(value, bool) or type(value).__name__ == "bool"
        number = kind(value) if not isinstance(value, str | bytes) and not given_bool else None
    except (TypeError, ValueError, OverflowError):
        number = None
    if number is None or (whole and number != value):
        raise InvalidTypeError(
            f"{described.name} must be {'an int' if whole else 'a number'} in "
            f"[{described.minimum:.10g}, {described.maximum:.10g}]; got {value!r}. Give a "
            f"{'whole ' if whole else ''}number."
        )
    low, high = described.minimum, described.maximum
    assert low is not None
    assert high is not None
    if not (math.isfinite(number) and low <= number <= high):
        raise InvalidInputError(
            f"{described.name} must be in [{low:.10g}, {high:.10g}]; got {value!r}. Give a value "
            "in this range."
        )
    return number


def _check_bool(described: ParameterField, value: Any) -> bool:
    if type(value).__name__ not in ("bool", "bool_"):
        raise InvalidTypeError(
            f"{described.name} must be True or False; got {value!r}. Give one of them."
        )
    return bool(value)


def _check_choice(described: ParameterField, value: Any) -> str:
    if value not in described.choices:
        raise InvalidInputError(
            f"{described.name} must be one of {', '.join(described.choices)}; got {value!r}. "
            "Choose one."
        )
    return str(value)


def _check_text(described: ParameterField, value: Any) -> str:
    if not isinstance(value, str):
        raise InvalidTypeError(
            f"{described.name} must be a name, or empty; got {value!r}. Give the name of a feature."
        )
    return value


_CHECKS = {
    "int": _check_number,
    "float": _check_number,
    "bool": _check_bool,
    "choice": _check_choice,
    "text": _check_text,
}
_FIELDS = tuple(
    ParameterField(name=field.name, default=field.default, **field.metadata)
    for field in dataclasses.fields(TrainingParameters)
)
