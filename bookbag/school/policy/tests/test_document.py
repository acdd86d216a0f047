"""The policy document: what is read, and that every mistake is told at once with its place and what would be right."""

import json
from datetime import date, timedelta
from typing import Any

import jsonschema_rs
import pytest

from bookbag.school.policy.document import Policy
from bookbag.school.policy.document.fields import NamedHours, Span, Week
from bookbag.school.policy.faults import PolicyRefused
from bookbag.school.policy.parse import as_data, checked, parse
from bookbag.school.policy.presets import PRESETS, UnknownPreset, preset_text
from bookbag.school.policy.reading import LARGEST, read
from bookbag.school.policy.schema import DIALECT, schema, validator
from bookbag.school.policy.shape import fields_of, is_section, optional, plain
from bookbag.school.policy.tests.builders import every_weekday, small

LETTERS = tuple(PRESETS.values())


def faults_of(changes: dict[str, Any]) -> dict[str, str]:
    with pytest.raises(PolicyRefused) as refused:
        checked(small(changes))
    return {fault.path: f"{fault.problem}. {fault.right}" for fault in refused.value.faults}


def refused_text(text: str) -> list[str]:
    with pytest.raises(PolicyRefused) as refused:
        parse(text)
    return [str(fault) for fault in refused.value.faults]


@pytest.mark.req("POL-12")
@pytest.mark.parametrize("letter", LETTERS)
def test_each_preset_is_a_policy_without_a_fault(letter: str) -> None:
    assert parse(preset_text(letter)).school.name


@pytest.mark.req("POL-12")
@pytest.mark.parametrize("letter", LETTERS)
def test_each_preset_writes_every_setting_or_leaves_one_out_that_means_absent(letter: str) -> None:
    written = read(preset_text(letter)).data
    missing = [path for path in _settings(Policy, "") if not _is_written(written, path.split("."))]
    assert not missing


def _settings(section: type, before: str) -> list[str]:
    found: list[str] = []
    for field in fields_of(section):
        path = f"{before}{field.key}"
        if optional(field.kind) is not None or path in {"terms.pupils", "calendar.holidays", "calendar.closed_days"}:
            continue
        kind = plain(field.kind)
        found += _settings(kind, f"{path}.") if is_section(kind) else [path]
    return found


def _is_written(data: Any, steps: list[str]) -> bool:
    for step in steps:
        if not isinstance(data, dict) or step not in data:
            return False
        data = data[step]
    return True


def test_a_preset_is_found_by_its_name_and_an_unknown_one_lists_those_there_are() -> None:
    assert preset_text("quiet-evenings") == preset_text("b")
    with pytest.raises(UnknownPreset, match="working-hours-only, quiet-evenings"):
        preset_text("../b")


@pytest.mark.req("POL-2")
@pytest.mark.parametrize("letter", LETTERS)
def test_a_policy_survives_being_written_and_read_again(letter: str) -> None:
    policy = parse(preset_text(letter))
    again = checked(json.loads(json.dumps(as_data(policy))))
    assert again == policy
    assert hash(again) == hash(policy)


def test_times_dates_and_names_become_values() -> None:
    policy = checked(small())
    assert isinstance(policy.staff.hours, Week)
    assert policy.staff.hours.monday == (Span(from_=480, to=990),)
    assert policy.calendar.terms[0].first == date(2026, 9, 1)
    assert policy.messages.families.hours is NamedHours.ALWAYS
    assert policy.points.negative is False


@pytest.mark.req("POL-2")
def test_a_wrong_value_is_refused_with_the_path_of_the_field_and_its_line() -> None:
    text = preset_text("b").replace('monday: [{from: "08:50", to: "15:15"}]', 'monday: [{from: "08:50", to: 3pm}]')
    line = text[: text.index("3pm")].count("\n") + 1
    wrong = f"line {line}, lessons.hours.monday[0].to: '3pm' is not written as it should be."
    right = 'Write a time as "HH:MM", such as "16:30"; "24:00" is the end of the day.'
    assert refused_text(text) == [f"{wrong} {right}"]


@pytest.mark.req("POL-2")
def test_an_unknown_key_is_refused_with_its_line_and_the_likely_one() -> None:
    text = preset_text("b").replace("  may_narrow: true ", "  may_narow: true ")
    line = text[: text.index("may_narow")].count("\n") + 1
    (fault,) = refused_text(text)
    assert fault.startswith(
        f"line {line}, staff.may_narow: there is no setting 'may_narow' here. Did you mean may_narrow?"
    )


@pytest.mark.req("POL-2")
def test_all_faults_are_told_at_once_of_form_and_of_sense() -> None:
    found = faults_of(
        {
            "colour": "green",
            "calendar.zone": "Europe/Lodnon",
            "calendar.terms.1.first": "2026-12-01",
            "messages": {"families": {"hours": {"monday": [{"from": "09:00", "to": "17:00"}, {"from": "16:00", "to": "18:00"}]}, "outside": "holt"}},
            "answers": {"promise": {"kind": "working_days"}},
            "guardians.per_child": 0,
            "points": {"negative": "no"},
            "terms.staff.text": {"cy": "Rheolau"},
            "safety-": None,
        }
    )  # fmt: skip
    assert set(found) == {
        "colour", "calendar.zone", "calendar.terms[1].first", "messages.families.hours.monday[1].from",
        "messages.families.outside", "answers.promise.days", "guardians.per_child", "points.negative",
        "terms.staff.text", "safety",
    }  # fmt: skip
    assert "Did you mean Europe/London?" in found["calendar.zone"]
    assert "Choose one of: send, hold, refuse." in found["messages.families.outside"]
    assert "text. Write true or false." in found["points.negative"]


WRONG = {
    "a span that ends before it begins": (
        {"staff.hours.tuesday": [{"from": "16:00", "to": "08:00"}]}, "staff.hours.tuesday[0].to"),
    "a span of no length": ({"staff.hours.tuesday": [{"from": "16:00", "to": "16:00"}]}, "staff.hours.tuesday[0].to"),
    "a time that no clock shows": ({"staff.hours.tuesday": [{"from": "08:00", "to": "24:30"}]}, "staff.hours.tuesday[0].to"),
    "a number for a time": ({"staff.hours.tuesday": [{"from": 480, "to": "16:30"}]}, "staff.hours.tuesday[0].from"),
    "a working day without hours": ({"staff.hours": {"days": "school_days"}, "lessons": {}}, "staff.hours"),
    "a working day that names itself": ({"staff.hours": "staff"}, "staff.hours"),
    "a term that ends before it starts": ({"calendar.terms.0.last": "2026-08-01"}, "calendar.terms[0].last"),
    "terms that overlap": ({"calendar.terms.1.first": "2026-12-18"}, "calendar.terms[1].first"),
    "a date that does not exist": ({"calendar.terms.0.last": "2026-11-31"}, "calendar.terms[0].last"),
    "a holiday outside every term": (
        {"calendar.holidays": [{"name": "Christmas", "first": "2026-12-19", "last": "2027-01-03"}]}, "calendar.holidays[0]"),
    "a holiday that ends before it starts": ({"calendar.holidays.0.last": "2026-10-01"}, "calendar.holidays[0].last"),
    "holidays that overlap": (
        {"calendar.holidays": [
            {"name": "One", "first": "2026-10-26", "last": "2026-10-30"},
            {"name": "Two", "first": "2026-10-30", "last": "2026-10-31"}]}, "calendar.holidays[1]"),
    "a closed day in the summer": (
        {"calendar.closed_days": [{"date": "2026-08-03", "name": "Bank holiday"}]}, "calendar.closed_days[0].date"),
    "a closed day in a holiday": (
        {"calendar.closed_days": [{"date": "2026-10-27", "name": "Snow"}]}, "calendar.closed_days[0].date"),
    "a closed day listed twice": (
        {"calendar.closed_days": [{"date": "2026-11-20", "name": "Snow"}] * 2}, "calendar.closed_days[1].date"),
    "a folder of the zone data": ({"calendar.zone": "Europe"}, "calendar.zone"),
    "a zone outside the zone data": ({"calendar.zone": "../Europe/London"}, "calendar.zone"),
    "lessons before staff arrive": (
        {"lessons.hours.monday": [{"from": "07:00", "to": "12:00"}]}, "lessons.hours.monday[0]"),
    "answers after staff have gone": (
        {"answers.slots": {"friday": [{"from": "15:30", "to": "17:00"}]}}, "answers.slots.friday[0]"),
    "answers when nobody may come in": (
        {"staff.access.hours": every_weekday(("09:00", "16:30")), "staff.notifications.hours": "never"}, "answers.slots"),
    "phones that ring when nobody may come in": (
        {"staff.access.hours": "staff", "staff.notifications.hours": "always"}, "staff.notifications.hours"),
    "answers only while teaching": (
        {"answers": {"slots": every_weekday(("10:00", "11:00")), "promise": {"kind": "working_days", "days": 1}},
         "messages.staff.in_lessons": "refuse"}, "answers.slots"),
    "a promise that nobody can keep": (
        {"answers": {"slots": "never", "promise": {"kind": "working_days", "days": 2}}}, "answers.slots"),
    "a promise without its number": ({"answers.promise": {"kind": "hours_on_working_days"}}, "answers.promise.hours"),
    "a promise with two measures": (
        {"answers.promise": {"kind": "working_days", "days": 2, "hours": 24}}, "answers.promise.hours"),
    "an end of day after staff have gone": (
        {"answers.promise": {"kind": "end_of_day", "time": "18:00"}}, "answers.promise.time"),
    "families who could never write": (
        {"messages.families": {"hours": "never", "outside": "refuse"}}, "messages.families.hours"),
    "staff who could never write": ({"messages.staff": {"hours": "never"}}, "messages.staff.hours"),
    "networks that are not listed": ({"staff.access.places": "networks"}, "staff.access.networks"),
    "a network that is none": (
        {"staff.access.networks": [{"name": "School", "range": "203.0.113.0/99"}]}, "staff.access.networks[0].range"),
    "a network with bits of a host": (
        {"staff.access.networks": [{"name": "School", "range": "203.0.113.7/24"}]}, "staff.access.networks[0].range"),
    "a network without its length": (
        {"staff.access.networks": [{"name": "School", "range": "203.0.113.7"}]}, "staff.access.networks[0].range"),
    "a network that is the internet": (
        {"staff.access.networks": [{"name": "School", "range": "0.0.0.0/0"}]}, "staff.access.networks[0].range"),
    "an exemption for guardians": ({"staff.access.exempt_from_hours": ["guardian"]}, "staff.access.exempt_from_hours[0]"),
    "an inbox that does not exist": (
        {"signposting.matters": {"clubs": {"instead": "office_inbox", "words": {"en": "Ask."}}}}, "signposting.matters.clubs.inbox"),
    "a matter that nobody knows": (
        {"signposting.matters": {"weather": {"instead": "message", "words": {"en": "Ask."}}}}, "signposting.matters"),
    "passing on without an answer": (
        {"signposting.matters": {"clubs": {"instead": "call_office", "words": {"en": "Ask."}, "passed_on": True}}},
        "signposting.standard_answer"),
    "safety that safeguarding does not hear of": ({"safety.alerts": ["leader"]}, "safety.alerts"),
    "a ladder that falls": (
        {"conduct.ladder": [{"step": "removal", "decided_by": ["leader"]}, {"step": "reminder", "decided_by": ["leader"]}]},
        "conduct.ladder[1].step"),
    "a ladder that nobody decides": ({"conduct.ladder": [{"step": "removal", "decided_by": []}]}, "conduct.ladder[0].decided_by"),
    "more guardians that nobody approves": ({"guardians.approved_by": []}, "guardians.approved_by"),
    "pupils without terms": ({"pupils.sign_in": True}, "terms.pupils"),
    "an area for pupils who do not sign in": ({"pupils.area": ["points"]}, "pupils.area"),
    "a year that changes by itself some day": ({"year_end.change": "by_itself"}, "year_end.change_on"),
    "awards shown longer than kept": ({"points": {"shown_days": 90, "kept_months": 1}}, "points.shown_days"),
    "homework on a story, but not here": ({"stories.class_story": {"for_homework": True}}, "stories.class_story.for_homework"),
    "homework that nobody can hand in": (
        {"homework.set_here": True, "stories.portfolio": {"added_to_by": ["teacher"]}}, "homework.handed_in"),
    "words in no language": ({"safety.words": {"en": "Call 999.", "xx": "?"}}, "safety.words.xx"),
    "words without the school's language": ({"school.languages": ["cy", "en"]}, "safety.words"),
    "a school language that nobody knows": ({"school.languages": ["en", "qq"]}, "school.languages[1]"),
    "pupils in the matrix": ({"messages.conversations": {"families_with": {"pupil": "any"}}}, "messages.conversations.families_with.pupil"),
    "a phone number of words": ({"school.office.number": "ask Meera"}, "school.office.number"),
    "words without an end": ({"safety.words.en": "x" * 1_001}, "safety.words.en"),
    "null": ({"points": None}, "points"),
    "another format": ({"format": 2}, "format"),
}  # fmt: skip


@pytest.mark.req("POL-2")
@pytest.mark.parametrize("what", WRONG)
def test_what_is_refused_names_its_field_and_what_would_be_right(what: str) -> None:
    changes, path = WRONG[what]
    found = faults_of(changes)
    assert path in found, found
    assert found[path].endswith(".")


def test_without_those_changes_the_same_policy_is_accepted() -> None:
    assert checked(small())


def test_spans_may_touch_and_terms_may_follow_at_once() -> None:
    touching = [{"from": "08:00", "to": "12:00"}, {"from": "12:00", "to": "24:00"}]
    assert checked(small({"staff.hours.saturday": touching, "calendar.terms.1.first": "2026-12-19"}))


def test_yaml_says_what_it_seems_to_say() -> None:
    read_back = read(
        '{a: 16:00, b: no, c: 2026-09-01, d: "12", e: 12, f: true, g: 08:00, h: off, i: 1_000, j: 0x1f, k: ~}'
    )
    assert read_back.data == {
        "a": "16:00", "b": "no", "c": "2026-09-01", "d": "12", "e": 12, "f": True, "g": "08:00", "h": "off",
        "i": "1_000", "j": "0x1f", "k": None,
    }  # fmt: skip


BAD_YAML = {
    "a: 1\na: 2\n": "line 2, a: a is written twice, first on line 1",
    "a: &x [1]\nb: *x\n": "line 1, a: it uses an anchor",
    "a: &x 1\n": "uses an anchor",
    "a: !!python/object/apply:os.system [ls]\n": "uses the tag",
    "a: [1\n": "it is not YAML",
    "a: 1\n---\nb: 2\n": "second document",
    "[a, b]: 1\n": "a key must be a word",
    "a: \x00\n": "it is not YAML",
    "": "the document: nothing is nothing",
    "just words": "is text",
    "{" * 30 + "}" * 30: "a key must be a word",
    "[" * 30 + "]" * 30: "levels deep",
    "a: [" + "1," * 25_000 + "]": "more than 20,000 values",
    "a" * (LARGEST + 1): "Keep it within",
}


@pytest.mark.req("POL-2")
@pytest.mark.parametrize("text", BAD_YAML, ids=range(len(BAD_YAML)))
def test_a_document_that_is_not_plain_small_yaml_is_refused(text: str) -> None:
    assert BAD_YAML[text] in "\n".join(refused_text(text))


def test_a_bomb_of_anchors_costs_nothing() -> None:
    bomb = "a0: &a0 [x, x]\n" + "".join(f"a{n}: &a{n} [*a{n - 1}, *a{n - 1}]\n" for n in range(1, 60))
    assert "uses an anchor" in refused_text(bomb)[0]


def test_the_schema_is_a_schema_that_others_can_use() -> None:
    assert schema()["$schema"] == DIALECT
    jsonschema_rs.meta.validate(schema())
    text = json.dumps(schema())
    assert '"$ref": "#/' in text
    assert "http" not in text.replace(DIALECT, "")
    objects = [one for one in _objects(schema()) if "properties" in one]
    assert len(objects) > 40
    assert all(one["additionalProperties"] is False for one in objects)


def _objects(node: Any) -> list[dict[str, Any]]:
    if isinstance(node, list):
        return [found for one in node for found in _objects(one)]
    if not isinstance(node, dict):
        return []
    return [node] * (node.get("type") == "object") + [found for one in node.values() for found in _objects(one)]


def test_every_setting_explains_itself() -> None:
    silent = [
        (section["description"], key)
        for section in _objects(schema())
        for key, value in section.get("properties", {}).items()
        if not value.get("description")
    ]
    assert not silent


@pytest.mark.parametrize("letter", LETTERS)
def test_the_schema_accepts_each_preset_by_itself(letter: str) -> None:
    assert validator().is_valid(read(preset_text(letter)).data)


def test_checking_a_large_document_takes_no_more_than_its_size() -> None:
    terms = []
    day = date(2026, 9, 1)
    for number in range(30):
        terms.append(
            {"name": f"Term {number}", "first": day.isoformat(), "last": (day + timedelta(days=5)).isoformat()}
        )
        day += timedelta(days=9)
    assert checked(small({"calendar.terms": terms, "calendar.holidays": [], "calendar.closed_days": []}))
