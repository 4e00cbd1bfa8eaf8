#!/usr/bin/env bash
# FlowKit 1.3: get_channel_events(get_channel_index(name)) gives the channel before.
#
# Versions: flowkit 1.2.3 and 1.3.2, Python 3.11.
#
# Expected: Sample.get_channel_index returns the index of a channel, counted from 0, and
# Sample.get_channel_events "returns event data for the specified channel index". Together they give
# the events of the channel that was named, as with 1.2.3.
# Seen: since 1.3.0 a whole number is taken for the number of the channel, counted from 1. For the
# third channel, of index 2, the events of the second one come back, with neither an error nor a
# warning; only the first channel, of index 0, is refused. Its name gives the right events.
set -euo pipefail
folder=$(mktemp -d)
trap 'rm -rf "$folder"' EXIT
cd "$folder"
cat >events.py <<'PYTHON'
import warnings

warnings.simplefilter("ignore")
import flowio
import flowkit

with open("three.fcs", "wb") as file:
    flowio.create_fcs(file, [1.0, 10.0, 100.0, 2.0, 20.0, 200.0], ["first", "second", "third"])
sample = flowkit.Sample("three.fcs")
index = sample.get_channel_index("third")
print(index, *map(int, sample.get_channel_events(index, source="raw")))
PYTHON
declare -A seen
for version in 1.2.3 1.3.2; do
    python3 -m venv "venv-$version"
    "venv-$version/bin/pip" install --quiet "flowkit==$version" 2>/dev/null
    seen[$version]=$("venv-$version/bin/python" events.py 2>/dev/null | tail -n 1)
    echo "flowkit $version: index and events of the third channel: ${seen[$version]}"
done
[ "${seen[1.2.3]}" = "2 100 200" ]
[ "${seen[1.3.2]}" = "2 10 20" ]
