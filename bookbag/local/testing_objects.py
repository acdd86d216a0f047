"""A real S3 server for tests: one SeaweedFS per test run, started when the first test of any process asks, gone with the run.

Tests share its bucket, so each keeps to schools of its own. Who kills or freezes a server starts his own.
"""

import sys
from pathlib import Path
from typing import Self, final

from bookbag.local import guardian
from bookbag.local.seaweed import EmbeddedSeaweed, S3Address

_MODULE = "bookbag.local.testing_objects"


@final
class TestObjects:
    """The S3 server of this test run, for one of its processes. Made by `join`, ended by `leave` or by the process's end."""

    __test__ = False

    def __init__(self, membership: int, address: S3Address) -> None:
        self.address = address
        self._membership = membership

    @classmethod
    def join(cls, run: str | None = None) -> Self:
        """Join the server of a run, starting it when nobody has. Raises CannotStart."""
        membership, known = guardian.join(guardian.folder_of(run, "objects"), _MODULE)
        return cls(membership, S3Address(**known))

    def leave(self) -> None:
        """Say that this process is done; the server ends when the last has left."""
        guardian.leave(self._membership)

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_: object) -> None:
        self.leave()


if __name__ == "__main__":
    place = Path(sys.argv[1])
    server = EmbeddedSeaweed(place / "seaweed")
    guardian.guard(
        place,
        (server,),
        lambda: {
            "endpoint": server.address.endpoint,
            "bucket": server.address.bucket,
            "access_key": server.address.access_key,
            "secret_key": server.address.secret_key,
        },
    )
