"""A fit of an encoder that begins with a preparation of the samples.

The preparation has nothing to train. So the samples are prepared once, all networks learn from
prepared samples, and the result gets the preparation in front again. If the encoder does not read
prepared samples, only the decoder and the style code learn from them.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace
from typing import Any

from embedscope.core.fitting._request import FittedMap, Request, upright_rows
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
    inner = _without_preparation(encoder)
    if earlier is not None:
        earlier = replace(earlier, encoder=inner)
    request = replace(request, parameters={**request.parameters, "encoder": inner}, earlier=earlier)
    if not preparation.is_read:
        request = replace(request, decoded_as=preparation)
    else:
        validation = request.validation
        if validation is not None:
            validation = upright_rows(preparation, validation)
        rows = upright_rows(preparation, request.rows)
        request = replace(request, rows=rows, validation=validation)
    fitted, interruption = fit(request)
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
    if style_encoder is not None and preparation.is_read:
        chain = [keras.Input(shape), Upright.from_config(preparation.get_config()), style_encoder]
        style_encoder = keras.Sequential(chain, name="upright_style_encoder")
    return replace(fitted, encoder=encoder, style_encoder=style_encoder)
