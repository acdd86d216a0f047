"""A token is believed only when it is ours, for us, and in its time."""

import json
from datetime import UTC, datetime, timedelta
from pathlib import Path
from uuid import uuid4

import pytest
from joserfc import jwt
from joserfc.jwk import OctKey, OKPKey

from bookbag.chassis.clock import MovableClock
from bookbag.chassis.problems import Problem
from bookbag.chassis.tokens import SERVICE_TOKEN_LIFE, USER_TOKEN_LIFE, ServiceSigner, UserSigner, Verifier
from bookbag.local.keys import KeyFiles

NOW = datetime(2026, 11, 23, 8, tzinfo=UTC)


@pytest.fixture
def clock() -> MovableClock:
    return MovableClock(NOW)


@pytest.fixture
def verifier(keys: KeyFiles, clock: MovableClock) -> Verifier:
    return Verifier(keys.user_keys, keys.service_keys, clock)


def user_token(keys: KeyFiles, clock: MovableClock) -> str:
    signer = UserSigner(keys.signing_keys / "users.json", clock)
    return signer.sign(school=uuid4(), person=uuid4(), role="teacher", session=uuid4(), epoch=1, terms="")


@pytest.mark.req("ID-1")
def test_a_user_token_holds_for_ten_minutes_and_no_longer(
    keys: KeyFiles, clock: MovableClock, verifier: Verifier
) -> None:
    token = user_token(keys, clock)
    clock.move(USER_TOKEN_LIFE - timedelta(seconds=1))
    assert verifier.user(token).role == "teacher"
    clock.move(timedelta(seconds=1))
    with pytest.raises(Problem, match="signed-out"):
        verifier.user(token)


def forged(keys: KeyFiles, **changed: object) -> dict[str, str]:
    """Tokens that differ from a good one in one thing each."""
    private = OKPKey.import_key(json.loads((keys.signing_keys / "users.json").read_text()))
    claims = {
        "iss": "bookbag", "aud": "bookbag", "sub": str(uuid4()), "school": str(uuid4()), "role": "leader", "sid": str(uuid4()),
        "epoch": 1, "iat": int(NOW.timestamp()), "exp": int(NOW.timestamp()) + 600,
    }  # fmt: skip
    header = {"alg": "Ed25519", "kid": private.kid}

    def signed(claims: dict[str, object], key: OKPKey = private, header: dict[str, object] = header) -> str:
        return jwt.encode(header, claims, key, algorithms=["Ed25519"])

    stranger = OKPKey.generate_key("Ed25519")
    public = OctKey.import_key(json.dumps(private.as_dict(private=False)).encode())
    good = signed(claims)
    body, _, signature = good.rpartition(".")
    return {
        "another key": signed(claims, stranger, {"alg": "Ed25519", "kid": private.kid}),
        "another audience": signed(claims | {"aud": "somebody"}),
        "another issuer": signed(claims | {"iss": "somebody"}),
        "expired": signed(claims | {"exp": int(NOW.timestamp()) - 1}),
        "from the future": signed(claims | {"iat": int(NOW.timestamp()) + 3600}),
        "no person": signed({name: value for name, value in claims.items() if name != "sub"}),
        "not an id": signed(claims | {"school": "all"}),
        "public key as secret": jwt.encode({"alg": "HS256", "kid": private.kid}, claims, public, algorithms=["HS256"]),
        "no signature": body + ".",
        "cut": good[:-4],
        "changed": body[:-2] + "AA." + signature,
        "empty": "",
        "huge": "a" * 5000,
        "not base64": "ä.ö.ü",
    }


@pytest.mark.req("ID-1")
def test_every_forged_token_is_refused(keys: KeyFiles, verifier: Verifier) -> None:
    for how, token in forged(keys).items():
        with pytest.raises(Problem, match="signed-out"):
            verifier.user(token)
            pytest.fail(how)


def test_a_service_token_is_for_one_service_and_one_school(
    keys: KeyFiles, clock: MovableClock, verifier: Verifier
) -> None:
    school = uuid4()
    token = ServiceSigner("notify", keys.signing_keys / "service-notify.json", clock).sign("messaging", school)
    read = verifier.service(token, "messaging")
    assert (read.caller, read.school) == ("notify", school)
    with pytest.raises(Problem):
        verifier.service(token, "identity")
    clock.move(SERVICE_TOKEN_LIFE)
    with pytest.raises(Problem):
        verifier.service(token, "messaging")


def test_a_service_cannot_speak_in_the_name_of_another(
    keys: KeyFiles, clock: MovableClock, verifier: Verifier, tmp_path: Path
) -> None:
    token = ServiceSigner("identity", keys.signing_keys / "service-notify.json", clock).sign("messaging", uuid4())
    with pytest.raises(Problem):
        verifier.service(token, "messaging")


def test_a_user_token_is_no_service_token_and_the_other_way_round(
    keys: KeyFiles, clock: MovableClock, verifier: Verifier
) -> None:
    with pytest.raises(Problem):
        verifier.service(user_token(keys, clock), "messaging")
    with pytest.raises(Problem):
        verifier.user(
            ServiceSigner("notify", keys.signing_keys / "service-notify.json", clock).sign("bookbag", uuid4())
        )
