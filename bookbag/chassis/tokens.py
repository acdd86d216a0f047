"""Who is calling: user tokens and service tokens, Ed25519-signed, verified locally and remembered for seconds.

A user token is one membership in one role; a service token says which service calls which, for one school or for the feed. Public
keys are configuration and are read again when their file changes, so keys rotate without a restart.
"""

import json
import time
from collections import OrderedDict
from dataclasses import dataclass
from datetime import timedelta
from pathlib import Path
from typing import Any, TypeVar
from uuid import UUID

from joserfc import jwt
from joserfc.errors import JoseError
from joserfc.jwk import KeySet, OKPKey

from bookbag.chassis.clock import Clock
from bookbag.chassis.problems import SIGNED_OUT, Problem

ALGORITHM = "Ed25519"
ISSUER = "bookbag"
USER_TOKEN_LIFE = timedelta(minutes=10)
SERVICE_TOKEN_LIFE = timedelta(seconds=60)
REMEMBERED = 20_000
"""Verified tokens kept in memory; the oldest go first."""


@dataclass(frozen=True, slots=True)
class UserToken:
    """What a verified user token says. Whether it still counts (epoch, ended session) is asked of the database, each time.

    `terms` names the text the member had accepted when the token was issued; empty for none.
    """

    school: UUID
    person: UUID
    role: str
    session: UUID
    epoch: int
    expires: float
    terms: str


@dataclass(frozen=True, slots=True)
class ServiceToken:
    """What a verified service token says. `school` is None for the feed, which crosses schools."""

    caller: str
    school: UUID | None
    expires: float


T = TypeVar("T", bound=UserToken | ServiceToken)


class UserSigner:
    """Signs user tokens; identity alone has the key."""

    def __init__(self, key_file: Path, clock: Clock) -> None:
        self._key = OKPKey.import_key(json.loads(key_file.read_text()))
        self._clock = clock

    def sign(self, *, school: UUID, person: UUID, role: str, session: UUID, epoch: int, terms: str) -> str:
        now = int(self._clock.now().timestamp())
        claims = {
            "iss": ISSUER, "aud": ISSUER, "sub": str(person), "school": str(school), "role": role,
            "sid": str(session), "epoch": epoch, "terms": terms, "iat": now, "exp": now + int(USER_TOKEN_LIFE.total_seconds()),
        }  # fmt: skip
        return jwt.encode({"alg": ALGORITHM, "kid": self._key.kid}, claims, self._key, algorithms=[ALGORITHM])


class ServiceSigner:
    """Signs this service's calls to its siblings; keeps each token for half its life."""

    def __init__(self, service: str, key_file: Path, clock: Clock) -> None:
        self.service = service
        self._key = OKPKey.import_key(json.loads(key_file.read_text()))
        self._clock = clock
        self._kept: OrderedDict[tuple[str, UUID | None], tuple[str, float]] = OrderedDict()

    def sign(self, audience: str, school: UUID | None) -> str:
        now = self._clock.now().timestamp()
        kept = self._kept.get((audience, school))
        if kept is not None and kept[1] > now:
            return kept[0]
        life = SERVICE_TOKEN_LIFE.total_seconds()
        claims = {
            "iss": f"service:{self.service}", "aud": audience, "school": str(school) if school else None,
            "scope": "rpc" if school else "feed", "iat": int(now), "exp": int(now + life),
        }  # fmt: skip
        token = jwt.encode({"alg": ALGORITHM, "kid": self._key.kid}, claims, self._key, algorithms=[ALGORITHM])
        self._kept[audience, school] = (token, now + life / 2)
        if len(self._kept) > 1000:
            self._kept.popitem(last=False)
        return token


class _KeyFile:
    """A file of public keys that is read again when it changes; looked at no more than once a second."""

    def __init__(self, path: Path) -> None:
        self._path = path
        self._looked = 0.0
        self._changed = 0
        self._content: dict[str, Any] = {}

    def read(self) -> dict[str, Any]:
        now = time.monotonic()
        if not self._content or now - self._looked > 1:
            self._looked = now
            changed = self._path.stat().st_mtime_ns
            if changed != self._changed:
                self._content = json.loads(self._path.read_text())
                self._changed = changed
        return self._content


class Verifier:
    """Verifies tokens. Raises Problem `signed-out` for anything that is not a token of ours, for us, in its time."""

    def __init__(self, user_keys: Path, service_keys: Path, clock: Clock) -> None:
        self._user_keys = _KeyFile(user_keys)
        self._service_keys = _KeyFile(service_keys)
        self._clock = clock
        self._known: OrderedDict[str, UserToken | ServiceToken] = OrderedDict()

    def user(self, token: str) -> UserToken:
        known = self._known.get(token)
        now = self._clock.now().timestamp()
        if known is None:
            known = self._remember(token, self._read_user(token, now))
        if not isinstance(known, UserToken) or known.expires <= now:
            raise Problem(SIGNED_OUT)
        return known

    def service(self, token: str, audience: str) -> ServiceToken:
        now = self._clock.now().timestamp()
        memory = f"{audience} {token}"
        known = self._known.get(memory)
        if known is None:
            known = self._remember(memory, self._read_service(token, audience, now))
        if not isinstance(known, ServiceToken) or known.expires <= now:
            raise Problem(SIGNED_OUT)
        return known

    def _remember(self, token: str, value: T) -> T:
        self._known[token] = value
        if len(self._known) > REMEMBERED:
            self._known.popitem(last=False)
        return value

    def _read_user(self, token: str, now: float) -> UserToken:
        if len(token) > 2000:
            raise Problem(SIGNED_OUT)
        try:
            keys = KeySet.import_key_set(self._user_keys.read())  # type: ignore[arg-type]
            claims = jwt.decode(token, keys, algorithms=[ALGORITHM]).claims
            if claims["iss"] != ISSUER or claims["aud"] != ISSUER or claims["iat"] > now + 60:
                raise Problem(SIGNED_OUT)
            return UserToken(
                UUID(claims["school"]), UUID(claims["sub"]), str(claims["role"]), UUID(claims["sid"]),
                int(claims["epoch"]), float(claims["exp"]), str(claims.get("terms", "")),
            )  # fmt: skip
        except (JoseError, KeyError, ValueError, TypeError, AttributeError) as error:
            raise Problem(SIGNED_OUT) from error

    def _read_service(self, token: str, audience: str, now: float) -> ServiceToken:
        if len(token) > 2000:
            raise Problem(SIGNED_OUT)
        try:
            keys = KeySet([OKPKey.import_key(key) for key in self._service_keys.read().values()])
            decoded = jwt.decode(token, keys, algorithms=[ALGORITHM])
            claims = decoded.claims
            caller = str(claims["iss"]).removeprefix("service:")
            key = self._service_keys.read().get(caller, {})
            if claims["aud"] != audience or claims["iat"] > now + 60 or key.get("kid") != decoded.header["kid"]:
                raise Problem(SIGNED_OUT)
            school = UUID(claims["school"]) if claims["scope"] == "rpc" else None
            return ServiceToken(caller, school, float(claims["exp"]))
        except (JoseError, KeyError, ValueError, TypeError, AttributeError) as error:
            raise Problem(SIGNED_OUT) from error
