"""Refuses a Python that is too old in one sentence, before anything that such a Python could not even read."""

import sys

if sys.version_info < (3, 11):
    sys.exit(
        "Bookbag needs Python 3.11, 3.12 or 3.13; this is %d.%d. Install one, or name it: make run PYTHON=python3.12"
        % sys.version_info[:2]
    )

from tools.bootstrap.plan import main

sys.exit(main(sys.argv[1:]))
