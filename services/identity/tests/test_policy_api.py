"""Leaders read, check and save the rules; two at once do not overwrite each other; the past stays answerable."""

import json
from datetime import UTC, datetime, timedelta
from typing import Any

import httpx2
import pytest

from bookbag.chassis.clock import MovableClock
from bookbag.chassis.runtime import Runtime
from bookbag.directory.policy import rules_at
from bookbag.school.policy.presets import preset_text
from services.identity.tests.conftest import Small, small_school
from services.identity.tests.test_roster import record_of
from tests.support.house import House, eventually

pytestmark = pytest.mark.req("POL-2")


class Screen:
    """Somebody of a small school in front of the rules."""

    def __init__(
        self, house: House, client: httpx2.AsyncClient, school: Small, clock: MovableClock, role: str = "leader"
    ):
        self._house, self._client, self.school, self._clock, self.role = house, client, school, clock, role

    async def ask(
        self, method: str, path: str = "", *, headers: dict[str, str] | None = None, **more: Any
    ) -> httpx2.Response:
        who = {"leader": self.school.leader, "teacher": self.school.teacher, "guardian": self.school.guardian}[
            self.role
        ]
        bearer = self._house.bearer(self.school.id, who, self.role, clock=self._clock)
        return await self._client.request(method, f"/v1/policy{path}", headers=bearer | (headers or {}), **more)

    async def data(self, **families: Any) -> dict[str, Any]:
        """The rules that count, with changes in the messages of families."""
        data = (await self.ask("GET")).json()["data"]
        data["messages"]["families"] |= families
        return data

    async def save(self, match: str | None = '"1"', **body: Any) -> httpx2.Response:
        headers = {"if-match": match} if match is not None else {}
        return await self.ask("POST", "/versions", headers=headers, json={"reason": "families asked for it"} | body)


@pytest.fixture
async def leader(house: House, client: httpx2.AsyncClient, school: Small, clock: MovableClock) -> Screen:
    return Screen(house, client, school, clock)


async def test_a_leader_reads_the_rules_in_words_as_yaml_and_drawn(leader: Screen):
    answer = await leader.ask("GET")
    shown = answer.json()
    assert (answer.status_code, answer.headers["etag"], shown["newest"]) == (200, '"1"', 1)
    said = [text for section in shown["meaning"]["sections"] for text in section["sentences"]]
    assert "The class teacher's phone stays silent until Monday 08:00." in said
    assert [day["weekday"] for day in shown["meaning"]["week"]][:2] == ["monday", "tuesday"]
    assert shown["meaning"]["week"][0]["staff"] == [{"start": 480, "end": 1020}]
    assert shown["document"].startswith("#")
    assert shown["data"]["messages"]["families"]["outside"] == "hold"
    assert shown["review"]["next"] == "2027-07-01"


async def test_other_staff_read_the_words_alone(
    house: House, client: httpx2.AsyncClient, school: Small, clock: MovableClock
):
    shown = (await Screen(house, client, school, clock, "teacher").ask("GET")).json()
    assert shown["meaning"]["sections"]
    assert (shown["document"], shown["data"], shown["review"]) == (None, None, None)


async def test_a_saved_version_counts_at_once_and_is_in_history_and_record(
    leader: Screen, identity: Runtime, house: House, clock: MovableClock
):
    saved = await leader.save(data=await leader.data(outside="refuse"))
    assert (saved.status_code, saved.headers["etag"], saved.json()["number"]) == (201, '"2"', 2)

    async def obeyed() -> bool:
        rules = await rules_at(identity, leader.school.id, clock.now())
        return rules.policy.messages.families.outside == "refuse"

    await eventually(obeyed, seconds=5)
    items = (await leader.ask("GET", "/versions")).json()["items"]
    assert [(one["number"], one["author_name"], one["reason"]) for one in items] == [
        (2, "Mx leader", "families asked for it"),
        (1, None, items[1]["reason"]),
    ]
    full = (await leader.ask("GET", "/versions/2")).json()
    assert [(one["path"], one["before"], one["after"]) for one in full["changes"]] == [
        ("messages.families.outside", "hold", "refuse")
    ]
    assert (await record_of(house, leader.school.id))[-1] == (
        leader.school.leader, "leader", "policy-changed", leader.school.id, "2: families asked for it",
    )  # fmt: skip


async def test_two_leaders_who_save_at_once_do_not_overwrite_each_other(leader: Screen):
    one, other = await leader.data(outside="refuse"), await leader.data(in_lessons="hold")
    assert (await leader.save(data=one)).status_code == 201
    late = await leader.save(data=other)
    assert (late.status_code, late.json()["code"]) == (412, "edit-conflict")
    assert (await leader.ask("GET")).json()["newest"] == 2
    assert (await leader.save(None, data=other)).json()["code"] == "precondition-missing"


async def test_yaml_is_kept_as_it_was_written(leader: Screen):
    text = (await leader.ask("GET")).json()["document"].replace("per_child: 2", "per_child: 3   # our decision")
    assert (await leader.save(document=text)).status_code == 201
    assert (await leader.ask("GET")).json()["document"] == text


async def test_a_mistake_is_refused_with_its_path_and_what_would_be_right(leader: Screen):
    text = (await leader.ask("GET")).json()["document"].replace("outside: hold ", "outsid: hold ", 1)
    refused = await leader.save(document=text)
    assert (refused.status_code, refused.json()["code"]) == (422, "policy-refused")
    assert refused.json()["field"] == "messages.families.outsid"
    assert "Did you mean outside?" in refused.json()["detail"]
    checked = (await leader.ask("POST", "/check", json={"document": text})).json()
    assert [one["path"] for one in checked["faults"]] == ["messages.families.outsid"]
    assert checked["faults"][0]["line"] > 1
    assert (checked["changes"], checked["meaning"]) == ([], None)
    assert (await leader.ask("GET")).json()["newest"] == 1


@pytest.mark.req("TR-6")
async def test_a_leader_who_reads_spanish_is_told_mistakes_and_differences_in_spanish(
    leader: Screen, identity: Runtime
):
    async with identity.database.tenant(leader.school.id) as tx:
        await tx.execute(
            "update person set language = 'es' where school_id = $1 and person_id = $2",
            leader.school.id,
            leader.school.leader,
        )
    data = await leader.data(outside="never")
    mistaken = (await leader.ask("POST", "/check", json={"data": data})).json()
    (fault,) = mistaken["faults"]
    assert (mistaken["language"], fault["path"]) == ("es", "messages.families.outside")
    assert fault["problem"] == "'never' no se puede elegir aquí"
    assert fault["right"] == "Elija entre: send, hold, refuse."
    data = await leader.data()
    data["pupils"]["may_use_guardians_account"] = True
    checked = (await leader.ask("POST", "/check", json={"data": data})).json()
    (change,) = checked["changes"]
    assert (change["about"], change["before"], change["after"]) == (
        "si un alumno puede usar la cuenta de un familiar", "no", "sí",
    )  # fmt: skip
    await leader.save(data=data)
    kept = (await leader.ask("GET", "/versions/2")).json()
    assert (kept["language"], kept["changes"]) == ("es", checked["changes"])


async def test_a_check_tells_the_difference_and_the_meaning_and_saves_nothing(leader: Screen):
    answer = (await leader.ask("POST", "/check", json={"data": await leader.data(outside="refuse")})).json()
    assert [one["path"] for one in answer["changes"]] == ["messages.families.outside"]
    said = [text for section in answer["meaning"]["sections"] for text in section["sentences"]]
    assert "Somebody who writes on Friday 18:00 is told to write on Monday 08:00." in said
    assert (await leader.ask("GET")).json()["newest"] == 1


async def test_the_rules_of_any_instant_can_be_asked_for(leader: Screen, clock: MovableClock):
    founded = clock.now()
    clock.move(timedelta(days=1))
    later = clock.now() + timedelta(days=7)
    data = await leader.data(outside="refuse")
    assert (await leader.save(data=data, counts_from=later.isoformat())).status_code == 201
    shown = (await leader.ask("GET")).json()
    assert (shown["version"]["number"], [one["number"] for one in shown["waiting"]], shown["newest"]) == (1, [2], 2)

    async def number_at(instant: Any) -> int:
        answer = await leader.ask("GET", "/at", params={"instant": instant.isoformat()})
        return answer.json()["version"]["number"] if answer.status_code == 200 else answer.status_code

    assert await number_at(founded) == 1
    assert await number_at(later - timedelta(seconds=1)) == 1
    assert await number_at(later) == 2
    assert await number_at(founded - timedelta(seconds=1)) == 404


@pytest.mark.parametrize("days", [-1, 800])
async def test_a_version_counts_neither_from_the_past_nor_out_of_sight(leader: Screen, clock: MovableClock, days: int):
    start = (clock.now() + timedelta(days=days)).isoformat()
    refused = await leader.save(data=await leader.data(outside="refuse"), counts_from=start)
    assert (refused.status_code, refused.json()["code"]) == (422, "invalid-input")


async def test_the_same_rules_once_more_are_not_a_version(leader: Screen):
    refused = await leader.save(data=await leader.data())
    assert (refused.status_code, refused.json()["code"]) == (409, "nothing-differs")


async def test_the_schools_clock_cannot_move_to_another_zone(leader: Screen):
    data = await leader.data()
    data["calendar"]["zone"] = "Europe/Warsaw"
    refused = await leader.save(data=data)
    assert (refused.json()["code"], refused.json()["field"]) == ("policy-refused", "calendar.zone")


@pytest.mark.parametrize(
    "body",
    [
        {},
        {"document": "a", "data": {}},
        {"document": "x" * 60_001},
        {"document": "\u0000"},
        {"data": {"a": "b" * 70_000}},
        {"data": []},
        {"document": "a", "reason": ""},
        {"document": "a", "reason": "r" * 401},
        {"document": "a", "unknown": 1},
    ],
)
async def test_bodies_that_cannot_be_read_are_refused_in_words(leader: Screen, body: dict[str, Any]):
    refused = await leader.save(**body)
    assert refused.status_code in {413, 422}
    assert refused.json()["code"] in {"invalid-input", "too-large"}


@pytest.mark.parametrize(
    "document",
    [
        "",
        "[]",
        "1",
        "a: &b 1",
        "? [a]\n: 1",
        "- " * 1000,
        "{" * 500,
        'a: "\\0"',
        preset_text("b").replace("Bramley", '"\\0'),
    ],
)
async def test_documents_that_are_no_policy_are_refused_with_faults(leader: Screen, document: str):
    checked = await leader.ask("POST", "/check", json={"document": document})
    assert checked.status_code == 200
    assert checked.json()["faults"]


async def test_characters_that_no_page_shows_are_refused(leader: Screen):
    data = await leader.data()
    data["terms"]["guardians"] |= {"version": "x", "text": {"en": "bell \u0007"}}
    checked = (await leader.ask("POST", "/check", json={"data": data})).json()
    assert "cannot be shown" in checked["faults"][0]["problem"]


@pytest.mark.req("POL-3", "POL-5")
async def test_everybody_is_told_what_the_rules_say_to_them_and_why(
    house: House, client: httpx2.AsyncClient, school: Small, clock: MovableClock
):
    friday = {"instant": "2026-11-27T18:00:00+00:00"}
    guardian = (await Screen(house, client, school, clock, "guardian").ask("GET", "/explain", params=friday)).json()
    answers = {one["question"]: (one["answer"], one["words"]) for one in guardian["answers"]}
    assert answers["may_send"][0] == "held"
    assert "el lunes a las 08:00" in answers["may_send"][1]
    assert "on_duty" not in answers
    teacher = (await Screen(house, client, school, clock, "teacher").ask("GET", "/explain", params=friday)).json()
    assert {one["question"]: one["answer"] for one in teacher["answers"]}["on_duty"] == "no"


async def test_leaders_ask_about_others_of_their_school_and_nobody_else_does(
    house: House, client: httpx2.AsyncClient, identity: Runtime, school: Small, clock: MovableClock
):
    leader, teacher = Screen(house, client, school, clock), Screen(house, client, school, clock, "teacher")
    about = {"person": str(school.guardian), "role": "guardian"}
    assert (await leader.ask("GET", "/explain", params=about)).json()["person"] == str(school.guardian)
    assert (await teacher.ask("GET", "/explain", params=about)).json()["code"] == "forbidden"
    other = await small_school(identity)
    for nobody in (about | {"role": "pupil"}, about | {"person": str(other.guardian)}):
        assert (await leader.ask("GET", "/explain", params=nobody)).status_code == 404


@pytest.mark.parametrize(
    ("method", "path"), [("GET", ""), ("GET", "/versions"), ("GET", "/at"), ("POST", "/check"), ("POST", "/versions")]
)
async def test_families_see_no_rules_and_change_none(
    house: House, client: httpx2.AsyncClient, school: Small, clock: MovableClock, method: str, path: str
):
    more: dict[str, Any] = (
        {"json": {"data": {}, "reason": "x"} if path == "/versions" else {"data": {}}} if method == "POST" else {}
    )
    if path == "/at":
        more = {"params": {"instant": clock.now().isoformat()}}
    screen = Screen(house, client, school, clock, "guardian")
    answer = await screen.ask(method, path, headers={"if-match": "*"}, **more)
    assert (answer.status_code, answer.json()["code"]) == (403, "forbidden")


async def test_history_comes_in_pages(leader: Screen):
    for count in (3, 4, 5):
        data = await leader.data()
        data["guardians"]["per_child"] = count
        assert (await leader.save("*", data=data)).status_code == 201
    first = (await leader.ask("GET", "/versions", params={"limit": 3})).json()
    rest = (await leader.ask("GET", "/versions", params={"limit": 3, "cursor": first["next"]})).json()
    assert [one["number"] for one in [*first["items"], *rest["items"]]] == [4, 3, 2, 1]
    assert rest["next"] is None
    assert json.loads((await leader.ask("GET", "/versions/9")).text)["code"] == "not-found"


@pytest.mark.req("POL-2", "POL-12")
async def test_leaders_are_shown_when_the_rules_are_to_be_looked_at_again_every_two_years(
    house: House, client: httpx2.AsyncClient, identity: Runtime, clock: MovableClock
):
    school = await small_school(identity, preset="shared-class-accounts")
    leader = Screen(house, client, school, clock)
    review = (await leader.ask("GET")).json()["data"]["review"]
    due = datetime.fromisoformat(review["next"]).replace(hour=12, tzinfo=UTC)
    assert review["every_months"] == 24
    states: list[str] = []
    for days in (-review["shown_days_before"] - 2, -1, 2):
        clock.move(due + timedelta(days=days) - clock.now())
        states.append((await leader.ask("GET")).json()["review"]["state"])
    assert states == ["far", "near", "past"]
