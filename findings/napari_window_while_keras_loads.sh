#!/usr/bin/env bash
# napari and Keras: a window that opens while another thread imports Keras may fail.
#
# Versions: napari 0.9.2, keras 3.15.1 with tensorflow 2.21.0, IPython 9, Python 3.11.
#
# Expected: a plugin that imports Keras in a thread, so that the window stays alive for the seconds
# that it takes, disturbs nobody.
# Seen: napari looks up "IPython" among the imported modules, and calls its `get_ipython` to learn
# whether it runs in a notebook: when a window is shown, and in some menus. Keras imports IPython,
# where it is installed, for its editor of weight files. While that import goes on, the module is
# there and has no `get_ipython` yet, and napari raises "AttributeError: partially initialized module
# 'IPython' has no attribute 'get_ipython'".
# What helps: import IPython in the main thread first.
set -euo pipefail
folder=$(mktemp -d)
trap 'rm -rf "$folder"' EXIT
python3 -m venv "$folder/venv"
"$folder/venv/bin/pip" install --quiet napari==0.9.2 keras==3.15.1 tensorflow==2.21.0 "ipython>=9,<10" \
    2>/dev/null
cd "$folder"
cat >probe.py <<'PYTHON'
import sys
import threading
import time

from napari.utils.misc import in_jupyter

if sys.argv[1] == "first":
    import IPython  # noqa: F401

errors = set()
thread = threading.Thread(target=lambda: __import__("keras"))
thread.start()
while thread.is_alive():
    try:
        in_jupyter()
    except AttributeError as error:
        errors.add(str(error))
    time.sleep(0.0005)  # a tight loop would hardly let the other thread go on
print(f"IPython imported {sys.argv[1]}: {sorted(errors)}")
if sys.argv[1] == "first":
    assert not errors
else:
    assert any("partially initialized module 'IPython'" in error for error in errors)
PYTHON
export TF_CPP_MIN_LOG_LEVEL=3 CUDA_VISIBLE_DEVICES=-1
"$folder/venv/bin/python" probe.py later 2>/dev/null
"$folder/venv/bin/python" probe.py first 2>/dev/null
