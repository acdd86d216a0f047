"""What the HTTP doors answer, to whom."""

import re

import pytest

from bookbag.chassis.clock import new_id
from services.notify.tests.conftest import Town


@pytest.fixture
async def client(town: Town):
    async with town.house.client(town.runtime) as opened:
        yield opened


@pytest.mark.req("NTF-1")
async def test_a_guardian_sees_their_own_items_newest_first_page_by_page(town: Town, client):
    for _ in range(5):
        await town.message()
        town.clock.instant = town.clock.instant.replace(second=town.clock.instant.second + 1)
    bearer = town.bearer(town.guardian, "guardian")

    first = (await client.get("/v1/notifications?limit=3", headers=bearer)).json()
    rest = (await client.get("/v1/notifications", params={"limit": 3, "cursor": first["next"]}, headers=bearer)).json()

    items = first["items"] + rest["items"]
    assert len(items) == 5
    assert rest["next"] is None
    assert [item["created_at"] for item in items] == sorted((item["created_at"] for item in items), reverse=True)
    assert items[0] | {"id": "", "message": ""} == {
        "id": "", "kind": "message", "thread": str(town.thread), "message": "", "author_name": "Ada Hill",
        "created_at": "2026-11-23T15:00:04Z", "seen_at": None, "until": None,
    }  # fmt: skip


@pytest.mark.req("ID-10")
async def test_items_of_another_role_are_not_shown(town: Town, client):
    await town.knows(town.guardian, "teacher", "Marta Ruiz", "es")
    await town.message()

    assert (await client.get("/v1/notifications", headers=town.bearer(town.guardian, "teacher"))).json()["items"] == []


async def test_opening_a_thread_marks_its_items_as_seen_and_cancels_the_mail(town: Town, client):
    await town.message()
    bearer = town.bearer(town.guardian, "guardian")
    seen = await client.put("/v1/notifications/seen", json={"thread": str(town.thread)}, headers=bearer)
    await town.after(seconds=60)

    assert seen.status_code == 204
    assert (await client.get("/v1/notifications", headers=town.bearer(town.guardian, "guardian"))).json()["items"][0][
        "seen_at"
    ]
    assert (await town.deliveries())[town.guardian] == ("cancelled", "seen")
    assert (await town.deliveries())[town.other_guardian] == ("sent", None)


async def test_a_thread_that_is_not_ones_own_changes_nothing(town: Town, client):
    await town.message()
    stranger = town.bearer(town.office, "office")
    seen = await client.put("/v1/notifications/seen", json={"thread": str(town.thread)}, headers=stranger)

    assert seen.status_code == 204
    assert (await town.deliveries())[town.guardian] == ("waiting", None)


async def test_preferences_change_only_from_the_version_that_was_read(town: Town, client):
    bearer = town.bearer(town.guardian, "guardian")
    read = await client.get("/v1/preferences", headers=bearer)
    assert (read.json(), read.headers["etag"]) == ({"email": True, "version": 1}, '"1"')

    off = await client.patch("/v1/preferences", json={"email": False}, headers=bearer | {"if-match": '"1"'})
    assert (off.status_code, off.json(), off.headers["etag"]) == (200, {"email": False, "version": 2}, '"2"')

    for stale in ('"1"', '"7"', "*", "nonsense"):
        late = await client.patch("/v1/preferences", json={"email": True}, headers=bearer | {"if-match": stale})
        assert (late.status_code, late.json()["code"]) == (412, "edit-conflict")
    missing = await client.patch("/v1/preferences", json={"email": True}, headers=bearer)
    assert (missing.status_code, missing.json()["code"]) == (428, "precondition-missing")


async def test_a_first_change_from_a_version_that_never_was_is_refused(town: Town, client):
    bearer = town.bearer(town.guardian, "guardian") | {"if-match": '"2"'}

    assert (await client.patch("/v1/preferences", json={"email": False}, headers=bearer)).status_code == 412


@pytest.mark.req("NTF-7")
@pytest.mark.parametrize("role", ["office", "leader"])
async def test_the_office_and_leaders_see_how_everybody_was_reached(town: Town, client, role: str):
    await town.knows(town.office, role, "Olive Office", "en")
    town.post.moods["tom@example.org"] = "refuse"
    await town.message()
    await town.after(seconds=60)

    shown = (await client.get("/v1/deliveries", headers=town.bearer(town.office, role))).json()["items"]

    assert {(one["person_name"], one["channel"], one["state"], one["reason"], one["attempts"]) for one in shown} == {
        ("Marta Ruiz", "email", "sent", None, 1),
        ("Tom Reed", "email", "dead", "address-refused", 1),
    }


@pytest.mark.parametrize("role", ["guardian", "pupil", "teacher", "assistant", "specialist", "safeguarding"])
async def test_nobody_else_sees_deliveries(town: Town, client, role: str):
    await town.knows(town.guardian, role, "Marta Ruiz", "es")
    refused = await client.get("/v1/deliveries", headers=town.bearer(town.guardian, role))

    assert (refused.status_code, refused.json()["code"]) == (403, "forbidden")


async def link_in_the_mail(town: Town) -> str:
    await town.message()
    await town.after(seconds=60)
    [mail] = town.post.to("marta@example.org")
    found = re.search(r"/notify(/v1/unsubscribe/[\w-]{22})>", mail["List-Unsubscribe"])
    assert found is not None
    return found[1]


@pytest.mark.req("NTF-1")
async def test_one_click_in_the_mail_program_unsubscribes_without_signing_in(town: Town, client):
    link = await link_in_the_mail(town)
    for _ in range(2):
        done = await client.post(link, data={"List-Unsubscribe": "One-Click"})
        assert done.status_code == 200
        assert 'lang="es"' in done.text
    await town.message()

    async with town.runtime.database.tenant(town.school) as tx:
        rows = await tx.fetch("select state from delivery where person_id = $1 order by created_at", town.guardian)
        assert await tx.fetchval("select version from preference where person_id = $1", town.guardian) == 2
    assert [row["state"] for row in rows] == ["sent", "cancelled"]


@pytest.mark.req("NTF-1")
async def test_looking_at_the_link_changes_nothing(town: Town, client):
    link = await link_in_the_mail(town)
    page = await client.get(link)

    assert page.status_code == 200
    assert '<form method="post">' in page.text
    assert (await client.get("/v1/preferences", headers=town.bearer(town.guardian, "guardian"))).json()["email"] is True


@pytest.mark.parametrize("token", ["x" * 22, "short", "x" * 5000, "%00", "%f0%9f%91%8b"])
async def test_a_link_that_is_not_ours_says_so_kindly(town: Town, client, token: str):
    for method in ("GET", "POST"):
        gone = await client.request(method, f"/v1/unsubscribe/{token}")
        assert gone.status_code == 404
        assert "not valid any more" in gone.text


async def test_the_link_is_kept_as_a_hash_only(town: Town, client):
    link = await link_in_the_mail(town)
    async with town.runtime.database.tenant(town.school) as tx:
        kept = await tx.fetch("select to_jsonb(unsubscribe_link)::text as row from unsubscribe_link")

    assert kept
    assert all(link.rpartition("/")[2] not in row["row"] for row in kept)


@pytest.mark.parametrize("bad", [
    "/v1/notifications?limit=0", "/v1/notifications?limit=101", "/v1/notifications?cursor=nonsense",
    "/v1/notifications?cursor=WyIyMDI2IiwgIngiXQ", "/v1/notifications?cursor=WyIyMDI2LTAxLTAxIiwgIngiXQ",
])  # fmt: skip
async def test_a_bad_page_is_refused_in_words(town: Town, client, bad: str):
    refused = await client.get(bad, headers=town.bearer(town.guardian, "guardian"))

    assert (refused.status_code, refused.json()["code"]) == (422, "invalid-input")


@pytest.mark.parametrize("number", ["-1", "many", "99999999999999999999"])
async def test_a_bad_place_in_the_stream_is_refused_in_words(town: Town, client, number: str):
    refused = await client.get("/v1/stream", headers=town.bearer(town.guardian, "guardian") | {"last-event-id": number})

    assert (refused.status_code, refused.json()["code"]) == (422, "invalid-input")


@pytest.mark.parametrize(
    ("standing", "code", "status"), [("suspended", "suspended", 403), ("ended", "signed-out", 401)]
)
async def test_whoever_does_not_stand_gets_no_door_open(town: Town, client, standing: str, code: str, status: int):
    await town.knows(town.guardian, "guardian", "Marta Ruiz", "es", standing=standing)
    bearer = town.bearer(town.guardian, "guardian")

    for method, path, body in [
        ("GET", "/v1/stream", None), ("GET", "/v1/notifications", None), ("GET", "/v1/preferences", None),
        ("PUT", "/v1/notifications/seen", {"thread": str(new_id())}), ("GET", "/v1/deliveries", None),
        ("PATCH", "/v1/preferences", {"email": False}),
    ]:  # fmt: skip
        refused = await client.request(method, path, json=body, headers=bearer | {"if-match": '"1"'})
        assert (refused.status_code, refused.json()["code"]) == (status, code), path


async def test_without_a_token_only_unsubscribing_is_open(town: Town, client):
    for path in ("/v1/stream", "/v1/notifications", "/v1/preferences", "/v1/deliveries"):
        assert (await client.get(path)).status_code == 401
