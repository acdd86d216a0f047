"""Gives every test of the tree the fixtures of tests/support."""

pytest_plugins = ["tests.support.plugin"]
