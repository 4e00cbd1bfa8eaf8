"""A training run in a worker thread: parameters, phases, events, results."""

from embedscope.training._dispatch import AsyncioDispatcher, Dispatcher, immediate
from embedscope.training._loading import start_loading
from embedscope.training._neighbors import check_enough
from embedscope.training._parameters import (
    ParameterField,
    TrainingParameters,
    parameter_fields,
)
from embedscope.training._recipe import make_estimator
from embedscope.training._replay import Replay
from embedscope.training._run import TrainingRun
from embedscope.training._source_told import SourceTold
from embedscope.training._status import Phase, Status
from embedscope.training._trained_map import TrainedMap

__all__ = [
    "AsyncioDispatcher",
    "Dispatcher",
    "ParameterField",
    "Phase",
    "Replay",
    "SourceTold",
    "Status",
    "TrainedMap",
    "TrainingParameters",
    "TrainingRun",
    "check_enough",
    "immediate",
    "make_estimator",
    "parameter_fields",
    "start_loading",
]
