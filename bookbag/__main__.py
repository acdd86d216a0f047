"""`python -m bookbag`: the same command line as `bookbag`."""

import sys

from bookbag.cli.main import main

sys.exit(main())
