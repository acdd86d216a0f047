"""The keys of one installation."""

import json
import stat

import pytest
from joserfc import jwt
from joserfc.jwk import KeySet, OKPKey

from bookbag.local.keys import ensure_keys


@pytest.fixture(scope="module")
def files(tmp_path_factory):
    return ensure_keys(tmp_path_factory.mktemp("keys"), ["identity", "notify"])


def test_what_identity_signs_is_verified_by_the_public_key_set(files):
    private = OKPKey.import_key(json.loads((files.signing_keys / "users.json").read_text()))
    token = jwt.encode({"alg": "Ed25519", "kid": private.kid}, {"sub": "p"}, private, algorithms=["Ed25519"])
    public = KeySet.import_key_set(json.loads(files.user_keys.read_text()))
    assert jwt.decode(token, public, algorithms=["Ed25519"]).claims == {"sub": "p"}


def test_each_service_has_a_key_of_its_own(files):
    public = json.loads(files.service_keys.read_text())
    assert set(public) == {"identity", "notify"}
    assert len({key["x"] for key in public.values()}) == 2


def test_each_service_signs_how_far_its_record_has_come_by_a_key_of_its_own(files):
    calls, record = json.loads(files.service_keys.read_text()), json.loads(files.audit_keys.read_text())
    assert set(record) == {"identity", "notify"}
    assert (
        len({key["x"] for each in record.values() for key in each["keys"]} | {key["x"] for key in calls.values()}) == 4
    )


def test_no_private_part_lies_in_a_public_file_and_no_file_is_for_others_eyes(files):
    for path in (files.user_keys, files.service_keys, files.audit_keys):
        assert '"d"' not in path.read_text()
    for path in [files.user_keys, files.service_keys, files.audit_keys, *files.signing_keys.iterdir()]:
        assert stat.S_IMODE(path.stat().st_mode) == 0o600


def test_asking_again_keeps_the_keys_and_adds_those_of_a_new_service(files):
    before = json.loads(files.service_keys.read_text())
    users = files.user_keys.read_text()
    ensure_keys(files.user_keys.parent, ["identity", "notify", "media"])
    after = json.loads(files.service_keys.read_text())
    assert {name: after[name] for name in before} == before
    assert "media" in after
    assert files.user_keys.read_text() == users


def test_a_new_key_of_the_record_leaves_the_public_half_of_the_one_before(files):
    before = json.loads(files.audit_keys.read_text())["notify"]["keys"]
    (files.signing_keys / "audit-notify.json").unlink()
    ensure_keys(files.user_keys.parent, ["identity", "notify"])
    after = json.loads(files.audit_keys.read_text())["notify"]["keys"]
    assert after[:-1] == before
    assert len({key["kid"] for key in after}) == 2
