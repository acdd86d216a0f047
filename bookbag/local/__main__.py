"""`python -m bookbag.local`: `bookbag up` for whoever wants the supervisor alone, without the rest of the command line."""

import sys

from bookbag.local.up import main

if __name__ == "__main__":
    sys.exit(main())
