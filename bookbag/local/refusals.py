"""The one error that says in a sentence why Bookbag cannot start here and what to do about it."""

import errno


class CannotStart(Exception):
    """Something on this machine is in the way. The message is one clear sentence for the person at the terminal."""


def disk_full(place: object) -> CannotStart:
    """The refusal for a file system without room, whoever found out."""
    return CannotStart(f"The disk that holds {place} is full: free at least 200 MB and start again.")


def is_disk_full(error: OSError) -> bool:
    return error.errno in (errno.ENOSPC, errno.EDQUOT)
