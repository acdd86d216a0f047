"""The `bookbag` command: what operators type, and what containers run."""
