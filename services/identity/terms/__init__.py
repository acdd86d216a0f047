"""Acceptable-use terms: the text that is due, and who accepted exactly which (POL-11)."""
