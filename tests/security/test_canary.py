"""What people write and who they are is found in the places that keep it and nowhere else: no log, event, metric, refusal or mail."""

import re
from collections.abc import Iterator
from typing import Any
from uuid import UUID

import httpx2
import pytest

from bookbag.chassis.clock import new_id
from bookbag.chassis.watched import METHODS
from bookbag.cli.services import NAMES
from tests.security.world import PASSWORD, World
from tests.support.collector import Collector

CANARY = "QuizzicalOcelot"
KEPT = {
    "identity": {"school", "person", "account", "contact", "session", "refresh_token", "access_change"},
    "messaging": {"message", "message_version", "translation", "known_person"},
    "notify": {"known_person"},
    "translate": {"known_person"},
}
"""The tables that may hold names, addresses or words (identity's feed tells siblings names); all else must be free of them."""


@pytest.fixture(scope="module")
def refusals(world: World) -> list[httpx2.Response]:
    """People write with canaries in every place that takes words, and much of it is refused."""
    thread, refused = world.objects["thread"], []
    for persona in ("teacher", "guardian", "second guardian"):
        world.says(persona, thread, f"{CANARY} said {persona}. Call 07700 900123.")
    key = new_id().hex
    who = world.headers("guardian")
    path = f"/messaging/v1/threads/{thread}/messages"
    text = f"{CANARY} again"
    with world.product.client() as http:
        assert http.post(path, json={"text": text}, headers=who | {"idempotency-key": key}).status_code == 201
        assert http.get("/messaging/v1/contacts", params={"q": CANARY}, headers=who).status_code == 200
        refused += [
            http.post(path, json={"text": f"{text} other"}, headers=who | {"idempotency-key": key}),
            http.post(path, json={"text": CANARY * 400}, headers=who),
            http.post(path, json={"text": text, "language": CANARY}, headers=who),
            http.post(path, json={"text": {"inner": CANARY}}, headers=who),
            http.post(path, json={"text": f"{CANARY}\x00"}, headers=who),
            http.post(path, content=f'{{"text": "{CANARY}'.encode(), headers=who | {"content-type": "application/json"}),
            http.post(path, content=f"text={CANARY}", headers=who | {"content-type": "application/x-www-form-urlencoded"}),
            http.post(path, json={"text": text}, headers=who | {"idempotency-key": f"{CANARY} !"}),
            http.post(f"/messaging/v1/threads/{CANARY}/messages", json={"text": text}, headers=who),
            http.post("/messaging/v1/threads", json={"pupil": CANARY, "seat": CANARY}, headers=who),
            http.get("/messaging/v1/threads", params={"cursor": CANARY, "limit": CANARY}, headers=who),
            http.get("/messaging/v1/contacts", params={"q": CANARY * 50}, headers=who),
            http.put("/notify/v1/notifications/seen", json={"thread": CANARY}, headers=who),
            http.patch("/notify/v1/preferences", json={"email": CANARY}, headers=who | {"if-match": CANARY}),
            http.patch("/identity/v1/me", json={"language": CANARY}, headers=who | {"if-match": "*"}),
            http.get(f"/identity/v1/schools/{CANARY}"),
            http.get("/identity/v1/me", headers={"authorization": f"Bearer {CANARY}"}),
            http.get("/identity/v1/memberships", headers={"cookie": f"bookbag_refresh={CANARY}"}),
            http.post("/identity/v1/sessions", json={"email": f"{CANARY}@people.example", "password": CANARY}),
            http.post("/identity/v1/sessions", json={"email": world.school.emails["guardian"], "password": CANARY}),
            http.post("/identity/v1/password", json={"old": CANARY, "new": CANARY * 2}, headers=who),
            http.post(f"/identity/v1/people/{CANARY}/suspension", json={"reason": CANARY}, headers=world.headers("leader")),
            http.post(f"/identity/v1/people/{new_id()}/suspension", json={"reason": CANARY}, headers=world.headers("leader")),
            http.get(f"/{CANARY}", headers=who),
            http.request(CANARY.upper(), "/messaging/v1/threads", headers=who),
        ]  # fmt: skip
        credentials = {"email": world.school.emails["guardian"], "password": PASSWORD}
        assert http.post("/identity/v1/sessions", json=credentials).status_code == 201
    (person,) = {world.school.people["parent as guardian"][0]}
    world.product.wait(
        lambda: world.product.rows("notify", "select 1 from delivery where person_id = $1 and state = 'sent'", person),
        seconds=30,
    )
    assert {answer.status_code for answer in refused} <= {400, 401, 403, 404, 405, 409, 412, 415, 422}
    return refused


def canaries(world: World) -> list[str]:
    """Words of messages, names, addresses, a telephone number."""
    schools = (world.school, world.foreign)
    words = {name for school in schools for full in school.names.values() for name in full.split() if len(name) > 8}
    emails = {email for school in schools for email in school.emails.values()}
    return sorted({CANARY, "Swimming is", "looking forward", "07700 900123", PASSWORD, *words, *emails})


def found_in(text: str, canaries: list[str]) -> set[str]:
    return set(re.findall("|".join(map(re.escape, canaries)), text, re.IGNORECASE)) if text else set()


def test_the_search_finds_a_canary(world: World) -> None:
    name = world.school.names["guardian"].split()[0]
    assert found_in(f"a log with {CANARY.lower()} and {name}", canaries(world)) == {CANARY.lower(), name}


@pytest.mark.req("OPS-3", "PRV-5")
def test_no_refusal_repeats_what_was_sent(world: World, refusals: list[httpx2.Response]) -> None:
    for answer in refusals:
        told = f"{answer.text} {answer.headers}"
        assert found_in(told, canaries(world)) == set(), (answer.request.method, answer.url.path, answer.text)


@pytest.mark.req("OPS-3", "PRV-5")
def test_no_log_holds_a_word(world: World, refusals: list[httpx2.Response]) -> None:
    logs = world.product.logs
    assert logs.count("snapshot loaded") >= 3, "the logs are read"
    assert found_in(logs, canaries(world)) == set()


@pytest.mark.req("OPS-3", "PRV-5")
def test_no_metric_holds_a_word(world: World, refusals: list[httpx2.Response]) -> None:
    for name, port in world.product.admin_ports.items():
        text = httpx2.get(f"http://127.0.0.1:{port}/metrics", verify=False).text
        assert "bookbag" in text or "python_info" in text, name
        assert found_in(text, canaries(world)) == set(), name
        assert str(world.school.id) not in text, name
        assert not re.search(r"[0-9a-f]{8}-[0-9a-f]{4}-", text), f"{name}: a label holds an id"


@pytest.mark.req("OPS-3", "PRV-5")
def test_no_span_holds_a_word(world: World, refusals: list[httpx2.Response], collector: Collector) -> None:
    """Spans come a second later; those of the last refusal show that the others have come."""
    last = "POST /identity/v1/sessions"
    world.product.wait(lambda: [span for span in collector.named(last) if "201" in span.attributes.values()])
    world.product.wait(lambda: collector.named("smtp hand-over"))
    assert found_in(collector.raw.decode("latin-1"), canaries(world)) == set()
    people = [str(person) for person, _ in world.school.people.values()]
    assert [person for person in people if person.encode() in collector.raw] == []
    assert {span.attributes.get("http.request.method", "OTHER") for span in collector.spans} <= METHODS | {"OTHER"}
    assert all(span.events == 0 and not span.status for span in collector.spans)


def tables(world: World, service: str) -> Iterator[str]:
    for row in world.product.rows(
        service, "select c.relname as name from pg_class c join pg_namespace n on n.oid = c.relnamespace"
        " where n.nspname = 'public' and c.relkind in ('r', 'p')",
    ):  # fmt: skip
        yield row["name"]


@pytest.mark.req("OPS-3", "PRV-5", "NTF-1")
@pytest.mark.parametrize("service", NAMES)
def test_no_other_table_holds_a_word(world: World, refusals: list[httpx2.Response], service: str) -> None:
    """Outbox, dead letters, idempotency keys, notifications, deliveries, requests for translation, limits: ids and facts."""
    looked, said = 0, canaries(world)
    for table in tables(world, service):
        if table in KEPT[service]:
            continue
        try:
            rows = world.product.rows(service, f'select t::text as row from "{table}" t')  # names of the catalogue
        except Exception as refused:  # the backup role reads all of it, or nothing keeps it
            raise AssertionError(f"{service}.{table} is not in the backup") from refused
        text = "\n".join(row["row"] for row in rows)
        hexed = "\n".join(
            bytes.fromhex(part).decode("utf-8", "replace") for part in re.findall(r"\\\\x([0-9a-f]+)", text)
        )
        looked += len(rows)
        assert found_in(text, said) | found_in(hexed, said) == set(), f"{service}.{table}"
    assert looked


@pytest.mark.req("NTF-1", "PRV-5")
def test_a_mail_holds_no_word_of_a_message_and_no_child(world: World, refusals: list[httpx2.Response]) -> None:
    from email import message_from_string, policy

    mails: list[Any] = [message_from_string(mail, policy=policy.default) for mail in world.product.mails]
    ours = [mail for mail in mails if mail["To"] in world.school.emails.values()]
    assert ours
    names = {word for full in world.school.names.values() for word in (full, full.split()[0]) if len(word) > 8}
    for mail in ours:
        parts = [part.get_content() for part in mail.walk() if part.get_content_maintype() == "text"]
        text = " ".join([mail["Subject"], mail["From"], *parts])
        assert found_in(text, [CANARY, "07700 900123", *sorted(names)]) == set(), text


@pytest.mark.req("NTF-7")
def test_the_list_of_deliveries_holds_no_word_of_a_message(world: World, refusals: list[httpx2.Response]) -> None:
    answer = world.ask("office", "GET", "/notify/v1/deliveries?limit=100")
    assert answer.json()["items"]
    assert found_in(answer.text, [CANARY, "07700 900123", *world.school.emails.values()]) == set()
    assert UUID(answer.json()["items"][0]["id"])
