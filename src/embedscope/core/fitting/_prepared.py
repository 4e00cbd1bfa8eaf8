"""A fit of an encoder that begins with a preparation of the samples.

The preparation has nothing to train. So the samples are prepared once, all networks learn from
prepared samples, and the result gets the preparation in front again.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace
from typing import Any

from embedscope.core.arrays._rows import Rows
from embedscope.core.fitting._request import FittedMap, Request
from embedscope.core.networks._forward import Forward
from embedscope.core.networks._tensorflow import keras
from embedscope.core.networks._upright import Upright, preparation_of

Fit = Callable[[Request], tuple[FittedMap, BaseException | None]]


def fit_prepared(request: Request, fit: Fit) -> tuple[FittedMap, BaseException | None]:
    """Fit the samples as the encoder's preparation, if it has one, makes them.

    Parameters
    ----------
    request : Request
    fit : callable
        Fits samples as they are.

    Returns
    -------
    fitted : FittedMap
        Its encoder and its style encoder take samples as they are; its decoder decodes prepared
        ones.
    interruption : exception or None
    """
    earlier = request.earlier
    encoder = request.parameters["encoder"] if earlier is None else earlier.encoder
    preparation = preparation_of(encoder)
    # What is decoded apart from the samples is not prepared.
    is_fitted_as_it_is = request.decoded is not None
    if preparation is None or is_fitted_as_it_is or not request.parameters["parametric_embedding"]:
        return fit(request)
    prepare = Forward(preparation)

    def prepared(rows: Rows) -> Rows:
        made = prepare(rows)
        return Rows(made.reshape(len(rows), rows.n_features), rows.shape, rows.shape)

    inner = _without_preparation(encoder)
    if earlier is not None:
        earlier = replace(earlier, encoder=inner)
    fitted, interruption = fit(
        replace(
            request,
            parameters={**request.parameters, "encoder": inner},
            rows=prepared(request.rows),
            validation=None if request.validation is None else prepared(request.validation),
            earlier=earlier,
        )
    )
    return _joined(preparation, fitted), interruption


def _without_preparation(encoder: Any) -> Any:
    """The layers after the preparation, as a chain; they are shared with the encoder."""
    shape = tuple(encoder.input_shape[1:])
    return keras.Sequential([keras.Input(shape), *encoder.layers[1:]], name=encoder.name)


def _joined(preparation: Upright, fitted: FittedMap) -> FittedMap:
    """The fitted networks that take samples, with the preparation in front."""
    inner = fitted.encoder
    shape = tuple(inner.input_shape[1:])
    copy = Upright.from_config(preparation.get_config())
    encoder = keras.Sequential([keras.Input(shape), copy, *inner.layers], name=inner.name)
    style_encoder = fitted.style_encoder
    if style_encoder is not None:
        chain = [keras.Input(shape), Upright.from_config(preparation.get_config()), style_encoder]
        style_encoder = keras.Sequential(chain, name="upright_style_encoder")
    return replace(fitted, encoder=encoder, style_encoder=style_encoder)
