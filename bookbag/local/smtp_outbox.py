"""The mail server of the one-machine run: it accepts every mail and delivers none, but keeps each as a file to look at.

It runs as a thread of the supervisor: measured, that costs 14 MB there and a process of its own would cost 26 MB.
"""

import asyncio
import contextlib
import secrets
import threading
from datetime import UTC, datetime
from pathlib import Path
from typing import TYPE_CHECKING, Final, final

from bookbag.local.files import write_whole
from bookbag.local.ports import LOOPBACK
from bookbag.local.refusals import CannotStart

if TYPE_CHECKING:
    from aiosmtpd.smtp import SMTP, Envelope, Session

LARGEST_MAIL: Final = 10 * 1024 * 1024
KEPT: Final = 1_000
"""Mails kept; the oldest go first, so that a demo left running does not fill the disk."""


def keep_mail(folder: Path, content: bytes, *, sender: str, recipients: list[str], at: datetime) -> Path:
    """Write one mail, whole or not at all, under a name that sorts by the instant it came."""
    name = f"{at.astimezone(UTC):%Y%m%dT%H%M%S%f}Z-{secrets.token_hex(4)}.eml"
    envelope = [f"Return-Path: <{sender}>", *(f"Delivered-To: {recipient}" for recipient in recipients)]
    path = folder / name
    write_whole(path, "".join(f"{line}\r\n" for line in envelope).encode() + content, mode=0o600)
    for old in sorted(folder.glob("*.eml"))[:-KEPT]:
        old.unlink(missing_ok=True)
    return path


@final
class _Keeper:
    """Called by aiosmtpd for each mail, under the name it prescribes."""

    def __init__(self, folder: Path) -> None:
        self._folder = folder

    async def handle_DATA(self, server: "SMTP", session: "Session", envelope: "Envelope") -> str:  # noqa: ARG002, N802
        content = envelope.content
        if not isinstance(content, bytes):
            return "554 no content"
        recipients = [str(recipient) for recipient in envelope.rcpt_tos]
        try:
            keep_mail(
                self._folder, content, sender=envelope.mail_from or "", recipients=recipients, at=datetime.now(UTC)
            )
        except OSError:
            return "452 the outbox folder cannot be written"  # a temporary refusal: the sender tries again
        return "250 kept"


@final
class SmtpOutbox:
    """A mail server on loopback whose mails become files of one folder. Loads its library in its own thread."""

    def __init__(self, folder: Path, port: int) -> None:
        self._folder = folder
        self._port = port
        self._loop = asyncio.new_event_loop()
        self._listening = threading.Event()
        self._refusal: OSError | None = None
        self._thread = threading.Thread(target=self._run, name="smtp outbox", daemon=True)

    def begin(self) -> None:
        self._folder.mkdir(mode=0o700, parents=True, exist_ok=True)
        self._thread.start()

    def wait_ready(self) -> None:
        """Wait until it listens. Raises CannotStart."""
        if not self._listening.wait(15.0) or self._refusal is not None:
            raise CannotStart(f"The mail outbox cannot listen on port {self._port}: {self._refusal or 'no answer'}.")

    def stop(self) -> None:
        if self._thread.is_alive():
            with contextlib.suppress(RuntimeError):
                self._loop.call_soon_threadsafe(self._loop.stop)
            self._thread.join(5.0)

    def _run(self) -> None:
        from aiosmtpd.smtp import SMTP

        keeper, loop = _Keeper(self._folder), self._loop
        asyncio.set_event_loop(loop)

        def serve() -> SMTP:
            return SMTP(keeper, data_size_limit=LARGEST_MAIL, enable_SMTPUTF8=True, hostname="localhost", loop=loop)

        try:
            server = loop.run_until_complete(loop.create_server(serve, LOOPBACK, self._port))
        except OSError as error:
            self._refusal = error
            self._listening.set()
            return
        self._listening.set()
        loop.run_forever()
        server.close()
        for task in asyncio.all_tasks(loop):
            task.cancel()
        loop.run_until_complete(asyncio.sleep(0))
        loop.close()
