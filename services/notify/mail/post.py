"""The way out for mails: a port with one call, and SMTP behind it. It says only what a caller must decide by, never what a server wrote."""

import asyncio
from contextlib import suppress
from dataclasses import dataclass
from email.message import EmailMessage
from typing import Literal, Protocol
from urllib.parse import unquote, urlsplit

import aiosmtplib

from services.notify.model import Reason

IN_ALL_SECONDS = 20.0
"""A hand-over that takes longer is broken off: it must end before its claim does."""


@dataclass(frozen=True, slots=True)
class Handed:
    """What the mail server did with a mail. `for_good` means that trying again cannot help."""

    reason: Reason | None
    for_good: bool = False


class PostOffice(Protocol):
    """Hands one mail to one recipient and says how it went; raises nothing that a mail server can cause."""

    async def hand_over(self, mail: EmailMessage, recipient: str) -> Handed: ...


@dataclass(frozen=True, slots=True)
class SmtpPostOffice:
    """SMTP: one connection and one recipient per mail. `seconds` is the limit of each answer of the server."""

    host: str
    port: int
    tls: Literal["none", "offered", "required", "from the start"]
    user: str | None
    password: str | None
    seconds: float
    sender: str

    @classmethod
    def at(cls, url: str, *, sender: str, seconds: float) -> "SmtpPostOffice":
        """From `smtp://`, `smtp+starttls://` or `smtps://user:password@host:port`. Plain `smtp` takes STARTTLS where it is offered."""
        parts = urlsplit(url)
        ways: dict[str, tuple[Literal["offered", "required", "from the start"], int]] = {
            "smtp": ("offered", 25), "smtp+starttls": ("required", 587), "smtps": ("from the start", 465),
        }  # fmt: skip
        if parts.scheme not in ways or not parts.hostname:
            raise ValueError("BOOKBAG_SMTP_URL must be smtp://, smtp+starttls:// or smtps:// with a host")
        if not sender.partition("@")[2]:
            raise ValueError("BOOKBAG_MAIL_FROM must hold an address")
        tls, port = ways[parts.scheme]
        return cls(
            parts.hostname, parts.port or port, tls, unquote(parts.username) if parts.username else None,
            unquote(parts.password) if parts.password else None, seconds, sender,
        )  # fmt: skip

    async def hand_over(self, mail: EmailMessage, recipient: str) -> Handed:
        """Hand over one mail. A refusal of the recipient or of the mail with 5xx is for good; everything else may pass by itself.

        Once the server has taken the mail nothing that happens on the connection afterwards counts.
        """
        server = self._connection()
        try:
            async with asyncio.timeout(IN_ALL_SECONDS):
                await server.connect()
                await server.sendmail(self.sender, [recipient], mail.as_bytes())
        except aiosmtplib.SMTPRecipientsRefused as refused:
            return _refused(Reason.ADDRESS_REFUSED, max(one.code for one in refused.recipients))
        except aiosmtplib.SMTPDataError as refused:
            return _refused(Reason.MAIL_REFUSED, refused.code)
        except aiosmtplib.SMTPResponseException:
            return Handed(Reason.SERVER_BUSY)
        except (aiosmtplib.SMTPException, OSError, TimeoutError):
            return Handed(Reason.SERVER_AWAY)
        except ValueError:
            return Handed(Reason.NO_ADDRESS, for_good=True)
        else:
            with suppress(aiosmtplib.SMTPException, OSError):
                await server.quit(timeout=1)
            return Handed(None)
        finally:
            server.close()

    def _connection(self) -> aiosmtplib.SMTP:
        return aiosmtplib.SMTP(
            hostname=self.host, port=self.port, timeout=self.seconds, username=self.user, password=self.password,
            use_tls=self.tls == "from the start", start_tls={"required": True, "offered": None}.get(self.tls, False),
        )  # fmt: skip


def _refused(reason: Reason, code: int) -> Handed:
    return Handed(reason, for_good=True) if code >= 500 else Handed(Reason.SERVER_BUSY)
