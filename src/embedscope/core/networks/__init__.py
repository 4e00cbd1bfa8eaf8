"""Keras networks: how they are made, copied, traced and run, and their losses."""

from embedscope.core.networks._networks import copy_network
from embedscope.core.networks._tensorflow import keras
from embedscope.core.networks._tracing import TracedOnce

__all__ = ["TracedOnce", "copy_network", "keras"]
