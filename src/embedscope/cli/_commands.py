"""The commands and their arguments; what they do lives in modules of its own."""

from __future__ import annotations

import io
import json
import sys
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from importlib.metadata import version
from pathlib import Path
from typing import Annotated

import typer

from embedscope._errors import EmbedscopeError, InvalidInputError, StoppedError
from embedscope._wording import counted

DONE, WRONG_INPUT, SOME_LEFT_OUT, INTERRUPTED = 0, 2, 3, 130

_STATUS = """Exit status: 0 done; 2 the input broke a rule; 3 done, but some samples or files were
left out, which is said; 130 stopped by Ctrl-C."""


def _examples(*lines: str) -> str:
    """Examples for the end of a help text, each a paragraph of its own."""
    return "Examples:\n\n" + "\n\n".join(lines)


app = typer.Typer(
    name="embedscope",
    help="Maps of cells and tables by parametric UMAP.",
    epilog=_STATUS,
    add_completion=False,
    rich_markup_mode="markdown",
    no_args_is_help=True,
    pretty_exceptions_enable=False,
    context_settings={"help_option_names": ["-h", "--help"]},
)

Inputs = Annotated[
    list[Path],
    typer.Argument(
        metavar="INPUTS",
        show_default=False,
        help="An image and its labels (.tif, .png, .zarr, .npy, .npz); or a table of samples "
        "(.csv, .tsv, .parquet, .h5ad) or an array (.npy, .zarr); or a manifest, a .csv with the "
        "columns image and labels and a row for each pair of files.",
    ),
]
Overwrite = Annotated[bool, typer.Option("--overwrite", help="Replace an output that is there.")]
Quiet = Annotated[bool, typer.Option("--quiet", "-q", help="Say nothing but errors.")]


def run(arguments: Sequence[str] | None) -> int:
    """Parse the command line and run the command."""
    if isinstance(sys.stdout, io.TextIOWrapper):
        # A console of Windows may lack a character of a name; stderr has this setting already.
        sys.stdout.reconfigure(errors="backslashreplace")
    try:
        app(args=arguments)
    except SystemExit as end:
        return int(end.code or DONE)
    return DONE


@contextmanager
def _ending() -> Iterator[None]:
    """Turn what a command raises into a message and an exit status."""
    try:
        yield
    except StoppedError as error:
        print(f"embedscope: {error}", file=sys.stderr)
        raise typer.Exit(INTERRUPTED) from error
    except EmbedscopeError as error:
        print(f"embedscope: {error}", file=sys.stderr)
        raise typer.Exit(WRONG_INPUT) from error
    except KeyboardInterrupt as error:
        print("Stopped.", file=sys.stderr)
        raise typer.Exit(INTERRUPTED) from error


def _version(wanted: bool) -> None:
    if wanted:
        print(version("embedscope"))
        raise typer.Exit


@app.callback()
def _main(
    show_version: Annotated[
        bool,
        typer.Option("--version", callback=_version, is_eager=True, help="Say the version."),
    ] = False,
) -> None:
    pass


@app.command(
    epilog=_examples(
        "embedscope train cells.tif masks.tif --out map",
        "embedscope train table.csv --out map --set n_neighbors=30 --set min_dist=0.3",
        "embedscope train plate.csv --out map --size 48",
        "embedscope train cells.tif masks.tif --out map --learn-from area --learn-from extent",
    )
)
def train(
    inputs: Inputs,
    out: Annotated[Path, typer.Option(help="Folder of the session to make.")],
    settings: Annotated[
        list[str] | None,
        typer.Option(
            "--set", metavar="NAME=VALUE", help="A training parameter; may be given several times."
        ),
    ] = None,
    alike: Annotated[
        str | None,
        typer.Option(
            help='What counts as alike: pixels, "any orientation", measurements or learned.'
        ),
    ] = None,
    learn_from: Annotated[
        list[str] | None,
        typer.Option(
            metavar="COLUMN",
            help="A feature that the map learns from, such as a column of the table of a manifest "
            "or area; may be given several times. Crops are shown and decoded all the same.",
        ),
    ] = None,
    size: Annotated[
        int | None, typer.Option(min=2, help="Side of a crop in pixels; by default it is found.")
    ] = None,
    size_um: Annotated[
        float | None,
        typer.Option(
            help="Side of a crop in micrometres; needs --pixel-size, or files that state it."
        ),
    ] = None,
    drawn_px: Annotated[
        int | None,
        typer.Option(
            min=2, help="Pixels of a crop as the network gets it; at most 64 if no --size is given."
        ),
    ] = None,
    pixel_size: Annotated[float | None, typer.Option(help="Micrometres per pixel.")] = None,
    axes: Annotated[
        str | None, typer.Option(help="Axes of the labels: yx, zyx, tyx or tzyx.")
    ] = None,
    image_axes: Annotated[
        str | None, typer.Option(help="Axes of the image, with c where the channels are.")
    ] = None,
    background: Annotated[
        str, typer.Option(help="Pixels that are not the object's: keep, zero or median.")
    ] = "keep",
    align: Annotated[
        bool, typer.Option("--align", help="Turn each object's longest axis upright.")
    ] = False,
    volume: Annotated[
        str,
        typer.Option(help="Volumes: project (maximum over depth), mean, middle (plane) or volume."),
    ] = "project",
    scale_within: Annotated[
        str | None,
        typer.Option(
            help="Of a manifest: scale intensities within this column, such as plate, or image."
        ),
    ] = None,
    rgb: Annotated[
        bool,
        typer.Option("--rgb", help="The channels are red, green and blue: scale them together."),
    ] = False,
    include_images: Annotated[
        bool,
        typer.Option(
            "--include-images", help="Store the crops, so that the session opens anywhere."
        ),
    ] = False,
    overwrite: Overwrite = False,
    quiet: Quiet = False,
) -> None:
    """Train a map of cells or of a table, and save it as a session.

    Ctrl-C stops the training and saves the best map so far.
    """
    with _ending():
        from embedscope.cli._inputs import Cutting
        from embedscope.cli._progress import Progress
        from embedscope.cli._training import parse_parameters
        from embedscope.cli._training import train as run_train

        chosen = [] if alike is None else [f"alike={alike}"]
        _check_inputs(inputs)
        left_out, is_whole = run_train(
            inputs,
            out,
            parameters=parse_parameters([*(settings or ()), *chosen]),
            cutting=Cutting(
                size,
                size_um,
                drawn_px,
                pixel_size,
                axes,
                image_axes,
                background,
                align,
                volume,
                scale_within,
                rgb or None,
            ),
            learn_from=learn_from or (),
            include_images=include_images,
            overwrite=overwrite,
            progress=Progress(quiet=quiet),
        )
        status = _say_left_out(left_out)
        raise typer.Exit(status if is_whole else INTERRUPTED)


@app.command(
    epilog=_examples(
        "embedscope transform map new.csv --out positions.csv",
        "embedscope transform map new.tif masks.tif --out cells.parquet",
        "embedscope transform model big.npy --out positions.npy --chunk-rows 100000",
    )
)
def transform(
    model: Annotated[Path, typer.Argument(help="Folder of a session, or of a saved model.")],
    inputs: Inputs,
    out: Annotated[
        Path, typer.Option(help="The positions: .npy, or with identities .csv or .parquet.")
    ],
    chunk_rows: Annotated[
        int, typer.Option(min=1, help="Rows that are placed and stored at a time.")
    ] = 65_536,
    pixel_size: Annotated[
        float | None,
        typer.Option(help="Micrometres a pixel of the images, if their files do not state it."),
    ] = None,
    overwrite: Overwrite = False,
    quiet: Quiet = False,
) -> None:
    """Place samples on a trained map, in its coordinates.

    The output appears under its name when it is whole. A run that was killed goes on, with the same
    command, after the last chunk that was done.
    """
    with _ending():
        from embedscope.cli._progress import Progress
        from embedscope.cli._transforming import transform as run_transform

        _check_inputs(inputs)
        left_out = run_transform(
            model,
            inputs,
            out,
            chunk_rows=chunk_rows,
            pixel_size=pixel_size,
            overwrite=overwrite,
            progress=Progress(quiet=quiet),
        )
        raise typer.Exit(_say_left_out(left_out))


@app.command(
    epilog=_examples(
        "embedscope report map",
        "embedscope report map --json",
        "embedscope report map --map map.png",
    )
)
def report(
    model: Annotated[Path, typer.Argument(help="Folder of a session, or of a saved model.")],
    as_json: Annotated[bool, typer.Option("--json", help="Print JSON, for programs.")] = False,
    map_picture: Annotated[
        Path | None, typer.Option("--map", help="Draw the map there: .png, .svg or .pdf.")
    ] = None,
) -> None:
    """Say what a session or a saved model holds, and how good its map is."""
    with _ending():
        from embedscope.cli._reporting import as_text
        from embedscope.cli._reporting import report as run_report

        told = run_report(model, map_picture=map_picture)
        print(json.dumps(told, indent=1) if as_json else as_text(told))


@app.command(
    epilog=_examples(
        "embedscope export map --out map.fcs",
        "embedscope export map --out gates.ome.tif",
        "embedscope export map --out cells.ome.zarr/labels/gates",
    )
)
def export(
    session: Annotated[Path, typer.Argument(help="Folder of a session.")],
    out: Annotated[
        Path,
        typer.Option(
            help="The gates: .fcs, with Gating-ML in a file beside it, or label images, .tif or "
            ".zarr."
        ),
    ],
    overwrite: Overwrite = False,
    quiet: Quiet = False,
) -> None:
    """Write the gates of a session for other programs: for flow cytometry, or as label images."""
    with _ending():
        from embedscope.cli._exporting import export as run_export
        from embedscope.cli._progress import Progress

        left_out = run_export(session, out, overwrite=overwrite, progress=Progress(quiet=quiet))
        raise typer.Exit(_say_left_out(left_out))


@app.command(epilog=_examples("embedscope explore map"))
def explore(
    session: Annotated[Path, typer.Argument(help="Folder of a session.")],
) -> None:
    """Open a session in napari: the map beside its images."""
    with _ending():
        from embedscope.cli._exploring import explore as run_explore

        run_explore(session)


@app.command(epilog=_examples("embedscope demo --out embedscope-demo"))
def demo(
    headless: Annotated[
        bool, typer.Option("--headless", help="Open no window when the pictures are written.")
    ] = False,
    out: Annotated[Path, typer.Option(help="Folder for pictures and session.")] = Path(
        "embedscope-demo"
    ),
) -> None:
    """Train on real cells, draw pictures of the map, and place cells held back."""
    with _ending():
        from embedscope.cli._demo import run_demo
        from embedscope.cli._exploring import can_show, show_sample

        run_demo(out)
        if not headless and can_show():
            show_sample()


def _check_inputs(inputs: list[Path]) -> None:
    if len(inputs) > 2:
        raise InvalidInputError(
            f"inputs must be one table, array or manifest, or an image and its labels; got "
            f"{len(inputs)} files. List many images in a manifest."
        )


def _say_left_out(left_out: Sequence[str]) -> int:
    if not left_out:
        return DONE
    print(f"Left out ({counted(len(left_out), 'reason')}):", file=sys.stderr)
    for each in left_out:
        print(f"  {each}", file=sys.stderr)
    return SOME_LEFT_OUT
