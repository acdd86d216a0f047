"""`bookbag audit`: green while the record is as it was written, red with the first bad entry when it is not, silent about what it says."""

import json
import os
import subprocess
from collections.abc import AsyncIterator

import asyncpg
import pytest

from bookbag.chassis.audit.anchors import anchor_heads
from bookbag.chassis.clock import new_id
from bookbag.chassis.runtime import Runtime
from bookbag.school.roles import Role
from services.identity.roster import actions as roster
from services.identity.roster.model import Author
from tests.support import commands
from tests.support.house import House

pytestmark = pytest.mark.req("PRV-4", "OPS-6")

SECRET = "a reason that no operator may read"


def bookbag(house: House, *words: str, **changed: str) -> subprocess.CompletedProcess[str]:
    return commands.run("audit", *words, environment=os.environ | house.environment | changed)


@pytest.fixture
async def identity(fresh_house: House) -> AsyncIterator[Runtime]:
    async with fresh_house.runtime("identity") as runtime:
        yield runtime


async def school_of(identity: Runtime, code: str) -> None:
    """A school with three entries on its record."""
    async with identity.database.tenant(new_id()) as tx:
        await roster.create_school(
            tx, code=code, name="Test Primary", country="GB", zone="Europe/London", language="en",
            policy_preset="quiet-evenings",
        )  # fmt: skip
        person = (await roster.add_person(tx, name="Carmen Reed", first_name="Carmen", language="es")).id
        await roster.add_membership(tx, person, Role.GUARDIAN)
        await roster.suspend_guardian(tx, person, author=Author(None, "operator"), reason=SECRET)
        await roster.reinstate_guardian(tx, person, author=Author(None, "operator"))


async def test_a_whole_record_is_green_and_one_changed_byte_turns_it_red(
    fresh_house: House, identity: Runtime, servers
) -> None:
    for code in ("ASHE", "BIRC"):
        await school_of(identity, code)
    fresh = bookbag(fresh_house, "verify", "--school=ASHE")
    assert fresh.returncode == 0, fresh.stderr
    assert "identity ASHE: 3 entries as written; too fresh to be anchored" in fresh.stdout
    await anchor_heads(identity)
    whole = bookbag(fresh_house, "verify", "--json")
    assert whole.returncode == 0, whole.stderr
    told = [(row["school"], row["entries"], row["anchored"], row["wrong_at"]) for row in json.loads(whole.stdout)]
    assert told == [("ASHE", 3, 3, None), ("BIRC", 3, 3, None)]
    superuser = await asyncpg.connect(servers.postgres.url(fresh_house.databases.databases["identity"]))
    await superuser.execute(
        "update audit_entry e set reason = overlay(reason placing 'X' from 1 for 1) from school_code c"
        " where c.code = 'BIRC' and e.school_id = c.school_id and e.act = 'guardian-suspended'"
    )
    await superuser.close()
    changed = bookbag(fresh_house, "verify")
    assert changed.returncode == 1
    assert "ok     identity ASHE: 3 entries as written, anchored up to 3 (" in changed.stdout
    assert "WRONG  identity BIRC: entry 2 was changed" in changed.stdout
    assert changed.stdout.endswith("2 chains, 4 entries: 1 not as written.\n")
    assert bookbag(fresh_house, "verify", "--school=ASHE").returncode == 0
    assert bookbag(fresh_house, "verify", "--service=notify").returncode == 0
    for answer in (fresh, whole, changed):
        assert SECRET not in answer.stdout + answer.stderr
        assert SECRET[1:] not in answer.stdout + answer.stderr


async def test_a_school_whose_whole_record_is_gone_is_still_looked_at(
    fresh_house: House, identity: Runtime, servers
) -> None:
    await school_of(identity, "ASHE")
    await anchor_heads(identity)
    superuser = await asyncpg.connect(servers.postgres.url(fresh_house.databases.databases["identity"]))
    await superuser.execute("truncate audit_entry, audit_head, audit_anchor")
    await superuser.close()
    answer = bookbag(fresh_house, "verify")
    assert answer.returncode == 1
    assert "WRONG  identity ASHE: entry 1 is missing; an anchor knows entry 3." in answer.stdout


async def test_status_tells_how_far_chains_are_anchored_and_nothing_of_what_they_say(
    fresh_house: House, identity: Runtime
) -> None:
    await school_of(identity, "ASHE")
    before = json.loads(bookbag(fresh_house, "status", "--json").stdout)
    assert [(row["service"], row["school"], row["entries"], row["anchored"]) for row in before] == [
        ("identity", "ASHE", 3, 0)
    ]
    await anchor_heads(identity)
    after = bookbag(fresh_house, "status", "--service=identity")
    assert after.stdout.split()[:5] == ["service", "school", "entries", "anchored", "anchored_at"]
    assert after.stdout.split()[5:9] == ["identity", "ASHE", "3", "3"]
    assert "guardian" not in after.stdout


@pytest.mark.parametrize(
    ("words", "changed", "said"),
    [
        (("--school=NONE",), {}, "No school has the code NONE."),
        ((), {"BOOKBAG_OBJECT_STORE": ""}, "Set BOOKBAG_OBJECT_STORE"),
        ((), {"BOOKBAG_AUDIT_KEYS": "/nowhere/keys.json"}, "cannot be read as public keys"),
    ],
)
def test_what_is_missing_is_said_and_nothing_is_called_whole(
    fresh_house: House, words: tuple[str, ...], changed: dict[str, str], said: str
) -> None:
    answer = bookbag(fresh_house, "verify", *words, **changed)
    assert answer.returncode == 1
    assert said in answer.stderr
    assert answer.stdout == ""
