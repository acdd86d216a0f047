"""The record of a school as its leaders and its safeguarding leads read it: filtered, with names looked up as it is shown, itself recorded.

A service with a record includes `api.router` in its routes and names `ACTS` among its manifest's `records`; that is all.
"""

from bookbag.directory.record.reading import ACTS

__all__ = ["ACTS"]
