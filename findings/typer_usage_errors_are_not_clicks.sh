#!/usr/bin/env bash
# Typer 0.26 and later: a wrong command line no longer raises an exception of click.
#
# Versions: typer 0.25.0 and 0.29.2, each beside click 8.5.1, Python 3.11.
#
# Expected: a program that runs its Typer app with standalone_mode=False and catches
# click.exceptions.ClickException, to print the message and end with status 2, does so with both.
# Seen: with 0.25.0 it does. Since 0.26.0 typer holds a copy of click of its own and does not depend on
# click any more. The error of the copy has the same name, is no subclass, and passes the `except` by:
# the user gets a traceback and status 1. Nothing fails at import where click is installed for another
# reason. Standalone mode, whose SystemExit carries the status, behaves the same in both.
set -euo pipefail
folder=$(mktemp -d)
trap 'rm -rf "$folder"' EXIT
cd "$folder"
cat >program.py <<'PYTHON'
import sys

import click
import typer

app = typer.Typer()


@app.command()
def repeat(number: int) -> None:
    print(number)


if sys.argv[1] == "standalone":
    app(args=["many"])
try:
    app(args=["many"], standalone_mode=False)
except click.exceptions.ClickException as error:
    sys.exit(error.exit_code)
PYTHON
declare -A seen
for version in 0.25.0 0.29.2; do
    python3 -m venv "venv-$version"
    "venv-$version/bin/pip" install --quiet "typer==$version" click==8.5.1 2>/dev/null
    for mode in caught standalone; do
        status=0
        "venv-$version/bin/python" program.py "$mode" 2>"errors" >/dev/null || status=$?
        seen[$version-$mode]=$status
        echo "typer $version, $mode: status $status, last line: $(tail -n 1 errors)"
    done
done
[ "${seen[0.25.0-caught]}" = 2 ]
[ "${seen[0.29.2-caught]}" = 1 ]
[ "${seen[0.25.0-standalone]}" = 2 ]
[ "${seen[0.29.2-standalone]}" = 2 ]
