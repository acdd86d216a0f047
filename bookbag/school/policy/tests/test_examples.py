"""Tables a head teacher can read: what each preset decides on real dates of 2026/27. Times are those on the school's wall."""

from datetime import datetime, timedelta
from ipaddress import ip_address

import pytest

from bookbag.school.policy.faults import PolicyRefused
from bookbag.school.policy.rules import (
    Outcome,
    ReasonCode,
    WiderThanTheSchool,
    answer_promised,
    may_enter,
    may_ring,
    may_send,
    on_duty,
    own_hours,
)
from bookbag.school.policy.tests.builders import every_weekday, london, preset, rules
from bookbag.school.roles import Role

# A family writes: preset, when, what becomes of it, when it is seen (or one may write), by when an answer is promised.
FAMILY_WRITES = """
a | Mon 2026-11-23 10:00 | now     | 2026-11-23 10:00 | 2026-11-23 15:00
a | Mon 2026-11-23 15:30 | now     | 2026-11-23 15:30 | 2026-11-24 15:00
a | Mon 2026-11-23 16:00 | held    | 2026-11-24 08:00 | 2026-11-24 15:00
a | Fri 2026-12-18 16:30 | held    | 2027-01-04 08:00 | 2027-01-04 15:00
b | Fri 2026-11-27 10:00 | now     | 2026-11-27 10:00 | 2026-11-30 10:00
b | Fri 2026-11-27 18:00 | held    | 2026-11-30 08:00 | 2026-12-01 08:00
b | Sat 2026-11-28 12:00 | held    | 2026-11-30 08:00 | 2026-12-01 08:00
b | Tue 2026-11-24 06:00 | held    | 2026-11-24 08:00 | 2026-11-25 08:00
b | Fri 2026-10-23 17:00 | held    | 2026-11-02 08:00 | 2026-11-03 08:00
b | Fri 2027-03-26 09:00 | held    | 2027-04-12 08:00 | 2027-04-13 08:00
b | Fri 2027-04-30 16:00 | now     | 2027-04-30 16:00 | 2027-05-04 16:00
b | Wed 2027-07-21 16:59 | now     | 2027-07-21 16:59 | -
b | Thu 2027-07-22 09:00 | held    | -                | -
c | Mon 2026-11-23 12:00 | now     | 2026-11-23 12:00 | -
c | Mon 2026-11-23 17:00 | held    | 2026-11-24 08:30 | -
d | Mon 2026-11-23 12:00 | now     | 2026-11-23 12:00 | 2026-11-24 12:00
d | Fri 2026-11-27 16:00 | held    | 2026-11-30 08:00 | 2026-12-01 08:00
d | Fri 2026-10-16 15:59 | now     | 2026-10-16 15:59 | 2026-11-02 15:59
e | Mon 2026-11-16 10:00 | now     | 2026-11-16 10:00 | 2026-11-18 16:30
e | Thu 2026-11-26 16:29 | now     | 2026-11-26 16:29 | 2026-11-30 16:30
e | Mon 2026-11-23 16:30 | refused | 2026-11-24 08:30 | -
e | Sun 2026-11-29 20:00 | refused | 2026-11-30 08:30 | -
"""


def rows(table: str) -> list[tuple[str, ...]]:
    return [tuple(cell.strip() for cell in line.split("|")) for line in table.strip().splitlines()]


def wall(at: datetime | None) -> str:
    return "-" if at is None else f"{at.astimezone(london('2026-01-01').tzinfo):%Y-%m-%d %H:%M}"


def instant(text: str) -> datetime:
    """`Mon 2026-11-23 10:00`; the name of the day must be right."""
    day, rest = text.split(" ", 1)
    at = london(rest)
    assert f"{at:%a}" == day, text
    return at


@pytest.mark.req("POL-5", "POL-12", "MSG-5", "MSG-16")
@pytest.mark.parametrize(("letter", "when", "outcome", "seen", "by"), rows(FAMILY_WRITES))
def test_a_family_writes(letter: str, when: str, outcome: str, seen: str, by: str) -> None:
    sending = may_send(preset(letter).person(Role.GUARDIAN), instant(when))
    assert sending.outcome == outcome
    assert wall(sending.opens if outcome == "refused" else sending.visible_at) == seen
    assert wall(sending.answer_by) == by


# A member of staff: preset, role, when, on duty, may come in (from the school), may write, phone rings.
STAFF = """
a | teacher      | Mon 2026-11-23 07:59 | off | out | refused | silent
a | teacher      | Mon 2026-11-23 08:00 | on  | in  | now     | rings
a | teacher      | Mon 2026-11-23 11:00 | on  | in  | refused | silent
a | office       | Mon 2026-11-23 11:00 | on  | in  | now     | rings
a | teacher      | Mon 2026-11-23 15:59 | on  | in  | now     | rings
a | teacher      | Mon 2026-11-23 16:00 | off | out | refused | silent
a | teacher      | Sat 2026-11-28 10:00 | off | out | refused | silent
a | teacher      | Wed 2026-10-28 10:00 | off | out | refused | silent
a | leader       | Sat 2026-11-28 10:00 | off | in  | refused | silent
a | teacher      | Wed 2026-09-02 10:00 | on  | in  | now     | rings
b | teacher      | Mon 2026-11-23 20:00 | off | in  | held    | silent
b | teacher      | Mon 2026-11-23 10:00 | on  | in  | now     | silent
b | leader       | Mon 2026-11-23 20:00 | off | in  | now     | silent
c | assistant    | Mon 2026-11-23 16:45 | on  | in  | now     | rings
c | assistant    | Mon 2026-11-23 17:00 | off | in  | held    | silent
d | teacher      | Mon 2026-11-23 08:15 | on  | in  | now     | rings
d | teacher      | Mon 2026-11-23 09:15 | on  | in  | held    | silent
d | specialist   | Mon 2026-11-23 15:30 | on  | in  | now     | rings
e | teacher      | Mon 2026-11-23 16:30 | off | in  | refused | silent
e | teacher      | Mon 2026-11-23 10:00 | on  | in  | refused | silent
e | teacher      | Fri 2026-11-20 10:00 | on  | in  | now     | rings
e | safeguarding | Sun 2026-11-22 10:00 | off | in  | now     | silent
"""
AT_SCHOOL = ip_address("203.0.113.20")


@pytest.mark.req("POL-3", "POL-4", "POL-5", "POL-12")
@pytest.mark.parametrize(("letter", "role", "when", "duty", "access", "sending", "phone"), rows(STAFF))
def test_a_member_of_staff(letter: str, role: str, when: str, duty: str, access: str, sending: str, phone: str) -> None:
    person, at = preset(letter).person(Role(role)), instant(when)
    assert on_duty(person, at).on is (duty == "on")
    assert may_enter(person, at, AT_SCHOOL).allowed is (access == "in")
    assert may_send(person, at).outcome == sending
    assert may_ring(person, at).now is (phone == "rings")


@pytest.mark.req("POL-4")
@pytest.mark.parametrize(
    ("address", "allowed"),
    [
        ("203.0.113.20", True), ("203.0.114.1", False), ("127.0.0.1", False), ("2001:db8:118::5", True),
        ("2001:db8:119::5", False), ("::ffff:203.0.113.20", True), ("::ffff:198.51.100.1", False), (None, False),
    ],
)  # fmt: skip
def test_only_the_schools_networks_let_staff_in_where_the_policy_says_so(address: str | None, allowed: bool) -> None:
    known = None if address is None else ip_address(address)
    at = london("2026-11-23 10:00")
    entry = may_enter(preset("a").person(Role.TEACHER), at, known)
    assert entry.allowed is allowed
    expected = ReasonCode.ACCESS_RIGHT_PLACE if allowed else ReasonCode.ACCESS_WRONG_PLACE
    assert entry.reasons[0].code is expected
    assert may_enter(preset("b").person(Role.TEACHER), at, known).allowed


@pytest.mark.req("POL-4")
def test_an_exemption_from_hours_is_none_from_networks_and_the_other_way_round() -> None:
    elsewhere = ip_address("198.51.100.7")
    leader = preset("a").person(Role.LEADER)
    assert may_enter(leader, london("2026-11-28 10:00"), AT_SCHOOL).allowed
    assert not may_enter(leader, london("2026-11-28 10:00"), elsewhere).allowed
    access = {
        "hours": "staff",
        "places": "networks",
        "networks": [{"name": "School", "range": "203.0.113.0/24"}],
        "exempt_from_hours": [],
        "exempt_from_places": ["teacher"],
    }
    teacher = rules({"staff.access": access}).person(Role.TEACHER)
    assert may_enter(teacher, london("2026-11-23 10:00"), elsewhere).allowed
    assert not may_enter(teacher, london("2026-11-28 10:00"), AT_SCHOOL).allowed


@pytest.mark.req("POL-4")
def test_who_falls_out_of_hours_is_told_when_it_opens_and_who_is_in_until_when() -> None:
    teacher = preset("a").person(Role.TEACHER)
    entry = may_enter(teacher, london("2026-11-27 15:00"), AT_SCHOOL)
    assert wall(entry.until) == "2026-11-27 16:00"
    entry = may_enter(teacher, london("2026-11-27 16:01"), AT_SCHOOL)
    assert (entry.allowed, wall(entry.opens)) == (False, "2026-11-30 08:00")
    assert [reason.code for reason in entry.reasons] == [ReasonCode.ACCESS_RIGHT_PLACE, ReasonCode.ACCESS_CLOSED]


def test_guardians_and_pupils_come_in_at_any_time() -> None:
    for role in (Role.GUARDIAN, Role.PUPIL):
        assert may_enter(preset("a").person(role), london("2026-11-29 03:00"), None).allowed


@pytest.mark.req("POL-5", "MSG-15")
@pytest.mark.parametrize("letter", "abcde")
@pytest.mark.parametrize("when", ["2026-11-29 03:00", "2026-11-23 10:00", "2026-12-25 12:00"])
def test_a_message_about_a_childs_safety_is_never_held_and_rings_at_once(letter: str, when: str) -> None:
    school, at = preset(letter), london(when)
    sending = may_send(school.person(Role.GUARDIAN), at, about_safety=True)
    assert (sending.outcome, sending.visible_at) == (Outcome.NOW, at)
    assert may_ring(school.person(Role.SAFEGUARDING), at, about_safety=True).now
    if when != "2026-11-23 10:00":
        assert not may_ring(school.person(Role.TEACHER), at, about_safety=True).now


@pytest.mark.req("NTF-2")
def test_an_urgent_notice_rings_at_night() -> None:
    teacher, night = preset("b").person(Role.TEACHER), london("2026-11-29 03:00")
    assert may_ring(teacher, night, urgent=True).now
    ring = may_ring(teacher, night)
    assert (ring.now, wall(ring.opens)) == (False, "2026-11-30 08:00")


@pytest.mark.req("MSG-11")
@pytest.mark.parametrize("letter", "abcde")
def test_a_pupil_writes_no_message_not_even_about_safety(letter: str) -> None:
    pupil = preset(letter).person(Role.PUPIL)
    for about_safety in (False, True):
        sending = may_send(pupil, london("2026-11-23 10:00"), about_safety=about_safety)
        assert (sending.outcome, sending.visible_at, sending.opens) == (Outcome.REFUSED, None, None)


def test_reasons_say_why_in_codes_that_carry_their_instants() -> None:
    sending = may_send(preset("b").person(Role.GUARDIAN), london("2026-11-27 18:00"))
    assert [reason.code for reason in sending.reasons] == [
        ReasonCode.HELD_UNTIL, ReasonCode.QUIET_TIME, ReasonCode.ANSWER_BY,
    ]  # fmt: skip
    assert wall(sending.reasons[0].parameters["opens"]) == "2026-11-30 08:00"
    assert wall(sending.reasons[2].parameters["by"]) == "2026-12-01 08:00"
    during = may_send(preset("c").person(Role.GUARDIAN), london("2026-11-23 12:00"))
    assert during.reasons[1].code is ReasonCode.LESSON_TIME
    assert wall(during.reasons[1].parameters["until"]) == "2026-11-23 15:30"


# The promise, on its own: kind, visible, by when. Staff hours are 08:00 to 16:30; 20 November 2026 is closed.
PROMISES = """
24 hours    | Fri 2026-11-13 10:00 | 2026-11-16 10:00
24 hours    | Thu 2026-11-19 10:00 | 2026-11-23 10:00
24 hours    | Sat 2026-11-14 10:00 | 2026-11-17 00:00
2 days      | Mon 2026-11-09 09:00 | 2026-11-11 16:30
2 days      | Thu 2026-11-12 23:00 | 2026-11-16 16:30
2 days      | Wed 2026-11-18 09:00 | 2026-11-23 16:30
2 days      | Sat 2026-11-14 10:00 | 2026-11-17 16:30
end of day  | Mon 2026-11-09 09:00 | 2026-11-09 15:00
end of day  | Mon 2026-11-09 14:59 | 2026-11-09 15:00
end of day  | Mon 2026-11-09 15:00 | 2026-11-10 15:00
end of day  | Thu 2026-11-19 15:00 | 2026-11-23 15:00
24 hours    | Fri 2026-10-23 10:00 | 2026-11-02 10:00
24 hours    | Thu 2027-03-25 10:00 | -
2 days      | Thu 2027-03-25 10:00 | -
end of day  | Thu 2027-03-25 15:00 | -
"""
KINDS = {
    "24 hours": {"kind": "hours_on_working_days", "hours": 24},
    "2 days": {"kind": "working_days", "days": 2},
    "end of day": {"kind": "end_of_day", "time": "15:00"},
}


@pytest.mark.req("POL-5", "MSG-16")
@pytest.mark.parametrize(("kind", "visible", "by"), rows(PROMISES))
def test_the_promised_answer(kind: str, visible: str, by: str) -> None:
    assert wall(answer_promised(rules({"answers.promise": KINDS[kind]}), instant(visible)).by) == by


@pytest.mark.req("POL-3", "POL-5")
def test_a_window_keeps_its_wall_times_over_both_daylight_saving_nights() -> None:
    guardian = rules({"messages.families.hours": "staff", "calendar.holidays": []}).person(Role.GUARDIAN)
    before_winter = may_send(guardian, london("2026-10-23 18:00")).visible_at
    assert before_winter is not None
    assert before_winter.isoformat() == "2026-10-26T08:00:00+00:00"
    in_summer = may_send(guardian, london("2026-10-22 18:00")).visible_at
    assert in_summer is not None
    assert in_summer.isoformat() == "2026-10-23T07:00:00+00:00"


def test_an_instant_between_two_minutes_belongs_to_the_earlier_one() -> None:
    guardian = preset("b").person(Role.GUARDIAN)
    last = london("2026-11-23 17:00") - timedelta(microseconds=1)
    assert may_send(guardian, last).outcome is Outcome.NOW
    assert may_send(guardian, last).answer_by == last + timedelta(days=1)
    assert may_send(guardian, london("2026-11-23 17:00")).outcome is Outcome.HELD


# Own hours: a part-time teacher, Monday to Wednesday 09:00 to 12:00.
PART_TIME = {name: [{"from": "09:00", "to": "12:00"}] for name in ("monday", "tuesday", "wednesday")}


@pytest.mark.req("POL-3")
def test_own_hours_narrow_duty_and_silence_the_phone_but_keep_the_door_and_the_promise() -> None:
    school = rules({"lessons": {}})
    teacher = school.person(Role.TEACHER, own_hours(school, PART_TIME))
    thursday = london("2026-11-12 10:00")
    assert not on_duty(teacher, thursday).on
    assert wall(on_duty(teacher, thursday).opens) == "2026-11-16 09:00"
    assert wall(may_ring(teacher, thursday).opens) == "2026-11-16 09:00"
    assert may_enter(teacher, thursday, None).allowed
    assert may_send(teacher, thursday).outcome is Outcome.NOW
    assert on_duty(school.person(Role.TEACHER), thursday).on


@pytest.mark.req("POL-3")
def test_own_hours_never_widen() -> None:
    school = rules()
    for wider, path in (
        ({"monday": [{"from": "07:30", "to": "12:00"}]}, "monday[0]"),
        ({"saturday": [{"from": "09:00", "to": "12:00"}]}, "saturday[0]"),
        ({"days": "every_day", **PART_TIME}, "monday[0]"),
    ):
        with pytest.raises(WiderThanTheSchool) as refused:
            own_hours(school, wider)
        assert path in [fault.path for fault in refused.value.faults]
    with pytest.raises(WiderThanTheSchool):
        own_hours(rules({"staff.may_narrow": False}), PART_TIME)
    with pytest.raises(PolicyRefused, match=r"monday\[0\].to: '9pm' is not written"):
        own_hours(school, {"monday": [{"from": "09:00", "to": "9pm"}]})


@pytest.mark.req("POL-3")
def test_hours_that_were_narrower_stay_within_the_schools_when_these_shrink() -> None:
    week = own_hours(rules(), every_weekday(("08:00", "16:30")))
    shorter = rules({"staff.hours": every_weekday(("09:00", "15:00")), "answers.slots": "staff"})
    assert not on_duty(shorter.person(Role.TEACHER, week), london("2026-11-12 08:30")).on
