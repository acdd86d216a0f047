"""Gives every test of the tree the fixtures of tests/support, and makes what is random the same in every run of CI."""

import os

from hypothesis import settings

pytest_plugins = ["tests.support.plugin"]

settings.register_profile("ci", derandomize=True)
if os.environ.get("CI") == "true":
    settings.load_profile("ci")
