"""Bookbag: home-school communication under each school's own policy; the version of the whole product lives here."""

__version__ = "0.1.0"
