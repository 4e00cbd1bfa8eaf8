"""``python -m embedscope``: the same as the command ``embedscope``."""

import sys

from embedscope.cli import main

sys.exit(main())
