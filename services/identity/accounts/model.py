"""How long a sign-in lasts, what a refresh token is worth at an instant, and how e-mails and passwords are compared; no I/O."""

import hashlib
import hmac
import unicodedata
from dataclasses import dataclass
from datetime import datetime, timedelta
from enum import Enum
from typing import NewType
from uuid import UUID

from services.identity.roster.model import Membership, Person, School

AccountId = NewType("AccountId", UUID)
SessionId = NewType("SessionId", UUID)

GRACE = timedelta(seconds=30)
"""A second use of a refresh token within this time gets the same successor: two tabs, or an answer that was lost."""

TOKEN_BYTES = 32


class WrongCredentials(Exception):
    """No account opens with this e-mail and this password; which of the two is wrong is not told."""


class SignedOut(Exception):
    """There is no session behind this cookie, or no longer."""


class MembershipSuspended(Exception):
    """The person is known and the role is theirs, but suspended."""


class EndedBecause(Enum):
    """Why a session ended; the values are the database's."""

    SIGNED_OUT = "signed-out"
    REVOKED = "revoked"
    REUSE = "reuse"
    PASSWORD = "password"  # noqa: S105 - a reason, not a secret


@dataclass(frozen=True, slots=True)
class Account:
    id: AccountId
    password_hash: str | None


@dataclass(frozen=True, slots=True)
class Session:
    """One device on which somebody is signed in."""

    id: SessionId
    account: AccountId
    started_at: datetime
    last_used_at: datetime
    expires_at: datetime
    device: str
    ended_at: datetime | None

    def is_live(self, now: datetime, idle: timedelta) -> bool:
        """Whether it still counts: not ended, not too old, not left alone too long."""
        return self.ended_at is None and now < self.expires_at and now < self.last_used_at + idle


@dataclass(frozen=True, slots=True)
class RefreshToken:
    """What is kept of a refresh token: never the token itself."""

    hash: bytes
    session: SessionId
    used_at: datetime | None
    successor_salt: bytes | None


class Worth(Enum):
    """What presenting a refresh token leads to."""

    ROTATE = "rotate"
    SAME_SUCCESSOR = "same successor"
    REUSE = "reuse"


def worth_of(token: RefreshToken, now: datetime) -> Worth:
    """The first use rotates, a second within thirty seconds gets the same successor, a later one tells of a stolen token."""
    if token.used_at is None:
        return Worth.ROTATE
    if now - token.used_at <= GRACE and token.successor_salt is not None:
        return Worth.SAME_SUCCESSOR
    return Worth.REUSE


def fingerprint_of(token: str) -> bytes:
    """What is kept of a token. It has 256 random bits, so a plain hash is enough."""
    return hashlib.sha256(token.encode()).digest()


def successor_of(token: str, salt: bytes) -> str:
    """The token that follows another: only who has the one and the salt can tell, so no secret needs to be stored."""
    return hmac.digest(salt, token.encode(), "sha256").hex()


@dataclass(frozen=True, slots=True)
class Seen:
    """A membership as its holder chooses among them: one person in one role of one school."""

    school: School
    person: Person
    membership: Membership


def email_key(email: str) -> str:
    """How an address is compared: case and Unicode form do not matter."""
    return unicodedata.normalize("NFKC", email).strip().casefold()


def password_bytes(password: str) -> bytes:
    """How a password is hashed: the same whatever keyboard composed its characters."""
    return unicodedata.normalize("NFKC", password).encode()


_BROWSERS = (
    ("Edg", "Edge"), ("OPR/", "Opera"), ("Firefox", "Firefox"), ("FxiOS", "Firefox"), ("CriOS", "Chrome"),
    ("Chrome", "Chrome"), ("Safari", "Safari"),
)  # fmt: skip
_SYSTEMS = (
    ("Android", "Android"), ("iPhone", "iPhone"), ("iPad", "iPad"), ("Windows", "Windows"), ("CrOS", "ChromeOS"),
    ("Mac OS X", "macOS"), ("Linux", "Linux"),
)  # fmt: skip


def device_of(user_agent: str) -> str:
    """A few words by which people recognise a device in the list of their sessions; empty when it cannot be told."""
    browser = next((name for mark, name in _BROWSERS if mark in user_agent), "")
    system = next((name for mark, name in _SYSTEMS if mark in user_agent), "")
    return " · ".join(part for part in (browser, system) if part)
