"""The commands and their arguments; other modules do the work."""

from __future__ import annotations

import argparse
import sys
from collections.abc import Sequence
from pathlib import Path

import numpy as np

from embedscope._errors import EmbedscopeError, InvalidInputError


def run(arguments: Sequence[str] | None) -> int:
    """Parse the command line and run the command."""
    options = _parser().parse_args(arguments)
    try:
        options.run(options)
    except EmbedscopeError as error:
        print(f"embedscope {options.command}: {error}", file=sys.stderr)
        return 2
    return 0


def _parser() -> argparse.ArgumentParser:
    parser = argparse.ArgumentParser(prog="embedscope", description="Parametric UMAP in seconds.")
    commands = parser.add_subparsers(dest="command", required=True)
    demo = commands.add_parser(
        "demo", help="train on real cells, plot the map, and map cells that were held out"
    )
    demo.add_argument("--headless", action="store_true", help="only write pictures; open no window")
    demo.add_argument(
        "--out", type=Path, default=Path("embedscope-demo"), help="folder for pictures and session"
    )
    demo.set_defaults(run=_demo)
    transform = commands.add_parser("transform", help="map the rows of an array with a saved model")
    transform.add_argument("model", type=Path, help="folder of the saved model")
    transform.add_argument("data", type=Path, help=".npy file, samples along the first axis")
    transform.add_argument("--out", type=Path, required=True, help=".npy file for the positions")
    transform.set_defaults(run=_transform)
    return parser


def _demo(options: argparse.Namespace) -> None:
    from embedscope.cli._demo import run_demo

    run_demo(options.out)


def _transform(options: argparse.Namespace) -> None:
    from embedscope import load_ParametricUMAP

    try:
        data = np.load(options.data, mmap_mode="r", allow_pickle=False)
    except (OSError, ValueError, EOFError) as error:
        raise InvalidInputError(
            f"data must be an .npy file of numbers; got {str(options.data)!r}, which cannot be "
            f"read: {error} Save the array with numpy.save."
        ) from error
    np.save(options.out, load_ParametricUMAP(options.model).transform(data))
