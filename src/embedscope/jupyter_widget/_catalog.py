"""The state of the explorer as the page gets it in traits: status, history, form, and catalog."""

from __future__ import annotations

import dataclasses
import weakref
from dataclasses import dataclass
from typing import Any

from embedscope._errors import EmbedscopeError
from embedscope.explorer import Explorer, History, depth_in_words, left_out_in_words
from embedscope.jupyter_widget.pictures._images import describe_image
from embedscope.jupyter_widget.protocol._state import (
    Catalog,
    ColorChoice,
    HistoryState,
    StatusState,
)
from embedscope.samples import Samples
from embedscope.samples.tables import measurements
from embedscope.training import SourceTold, Status, parameter_fields

# Of large tables it takes long, and the catalog is made at each change of phase.
_measured: weakref.WeakKeyDictionary[Samples, list[str]] = weakref.WeakKeyDictionary()


@dataclass(frozen=True)
class Abilities:
    """What an explorer can do now, beyond showing its samples.

    Attributes
    ----------
    can_decode, can_explain : bool
    can_carry : bool
        Samples have style codes: the code of one can be decoded at the position of another.
    can_turn : bool
        Decoded pictures can be turned.
    can_reconstruct : bool
        Real samples can be reconstructed.
    epochs : tuple of int
        Epoch of each saved snapshot of the map.
    has_new_samples : bool
        Some samples were placed on the map after it was trained.
    told : SourceTold or None
        How well neighbours on the map tell the source; None for samples of one source.
    may_learn : bool
        They tell it too well, and what is alike was not learned.
    """

    can_decode: bool = False
    can_explain: bool = False
    can_carry: bool = False
    can_turn: bool = False
    can_reconstruct: bool = False
    epochs: tuple[int, ...] = ()
    has_new_samples: bool = False
    told: SourceTold | None = None
    may_learn: bool = False

    @classmethod
    def of(cls, explorer: Explorer) -> Abilities:
        """What this explorer can do now."""
        has_map = explorer.model is not None
        is_at_work = explorer.status.phase.is_at_work
        decoder = None if explorer.model is None or is_at_work else explorer.model.estimator
        if decoder is not None and decoder.decoder_ is None:
            decoder = None
        told = None if is_at_work else explorer.source_told
        return cls(
            told=told,
            may_learn=told is not None and told.may_learn,
            can_decode=has_map or is_at_work,
            can_explain=has_map,
            can_carry=decoder is not None and decoder.n_style_components > 0,
            can_turn=explorer.can_turn,
            can_reconstruct=decoder is not None,
            epochs=() if explorer.replay is None else explorer.replay.epochs,
            has_new_samples=has_map and not bool(explorer.in_training.all()),
        )


def describe_status(status: Status) -> dict[str, Any]:
    """The status of a training run; an error is split into its rule and its remedy."""
    error, hint = explain_error(status.error)
    state = StatusState(
        phase=status.phase.value,
        is_running=status.phase.is_running,
        is_paused=status.phase.value == "paused",
        fraction=float(status.fraction),
        epoch=status.epoch,
        seconds_left=status.seconds_left,
        message=status.message,
        error=error,
        hint=hint,
        detail=status.traceback,
    )
    return dataclasses.asdict(state)


def explain_error(error: BaseException | None) -> tuple[str, str]:
    """What is wrong, and what to do: the two parts of a message of embedscope."""
    if error is None:
        return "", ""
    text = str(error) or type(error).__name__
    if not isinstance(error, EmbedscopeError):
        return f"{type(error).__name__}: {text}", "The details say where it happened."
    rule, separator, remedy = text.rpartition(". ")
    return (f"{rule}.", remedy) if separator else (text, "")


def describe_history(history: History) -> dict[str, Any]:
    """What undo and redo do next."""
    return dataclasses.asdict(HistoryState(history.undo, history.redo))


def describe_form() -> list[dict[str, Any]]:
    """Every entry of the parameter form, in order."""
    return [field.to_dict() for field in parameter_fields()]


def describe_samples(samples: Samples | None, abilities: Abilities) -> dict[str, Any]:
    """The samples, their images, and what they can be coloured by."""
    images = (
        []
        if samples is None
        else [
            described
            for source in samples.sources.values()
            if (described := describe_image(source)) is not None
        ]
    )
    learned = None if samples is None else samples.learned
    left_out, left_out_lines = left_out_in_words(samples)
    catalog = Catalog(
        n_samples=0 if samples is None else len(samples),
        is_image=samples is not None and samples.is_image,
        has_thumbnails=samples is not None and samples.is_image,
        depth=depth_in_words(samples),
        left_out=left_out,
        left_out_lines=list(left_out_lines),
        source_note="" if abilities.told is None else abilities.told.text,
        is_source_told=abilities.told is not None and abilities.told.dominates,
        may_learn=abilities.may_learn,
        can_decode=abilities.can_decode,
        can_explain=abilities.can_explain,
        can_carry=abilities.can_carry,
        can_turn=abilities.can_turn,
        can_reconstruct=abilities.can_reconstruct,
        images=images,
        learn_columns=_learn_columns(samples),
        learned_columns=list(learned.names) if learned and learned.kind == "columns" else [],
        learned_kind="shown" if learned is None else learned.kind,
        learns_from=_shown_as(samples) if learned is None else learned.text,
        color_choices=_color_choices(samples, abilities),
        epochs=list(abilities.epochs),
    )
    return dataclasses.asdict(catalog)


def _shown_as(samples: Samples | None) -> str:
    """What samples show, in a word."""
    return "pixels" if samples is not None and samples.is_image else "whole rows"


def _learn_columns(samples: Samples | None) -> list[str]:
    """The columns that a map can learn from: measurements, and those that it learns from now."""
    if samples is None:
        return []
    if samples not in _measured:
        _measured[samples] = measurements(samples.features)
    learned = samples.learned
    names = () if learned is None or learned.kind != "columns" else learned.names
    return list(dict.fromkeys([*_measured[samples], *names]))


def _color_choices(samples: Samples | None, abilities: Abilities) -> list[ColorChoice]:
    choices = [ColorChoice("none", "", "one colour")]
    if samples is None:
        return choices
    choices += [ColorChoice("feature", str(name), str(name)) for name in samples.features.columns]
    choices += [ColorChoice("gate", "", "gates"), ColorChoice("selection", "", "selection")]
    identities = samples.identities
    if len(identities.sources) > 1:
        choices.append(ColorChoice("source", "", "image"))
    if len(identities) and identities.frame.min() != identities.frame.max():
        choices.append(ColorChoice("frame", "", "frame"))
    if abilities.has_new_samples:
        choices.append(ColorChoice("training", "", "trained on, or added later"))
        choices.append(ColorChoice("novelty", "", "unlike those trained on"))
    return choices
