"""The rules against a minute-by-minute oracle: four years, six zones, daylight-saving nights, holidays, narrowed hours."""

from datetime import UTC, date, datetime, timedelta
from typing import Any
from zoneinfo import ZoneInfo

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from bookbag.school.policy.document.fields import Week
from bookbag.school.policy.rules import answer_promised, may_enter, may_ring, may_send, on_duty
from bookbag.school.policy.tests.builders import every_weekday, small, unchecked
from bookbag.school.policy.tests.oracle import NAMES, Oracle, first
from bookbag.school.policy.values import build
from bookbag.school.roles import Role

ZONES = (
    "Europe/London", "Europe/Warsaw", "Asia/Karachi", "Asia/Kolkata", "Australia/Adelaide", "Australia/Lord_Howe",
)  # fmt: skip
FIRST_DAY, LAST_DAY = date(2025, 9, 1), date(2029, 7, 31)
FAR = timedelta(days=20)
OPENS_WITHIN = timedelta(days=12)
random_policies = settings(
    max_examples=50, deadline=None, suppress_health_check=[HealthCheck.too_slow, HealthCheck.filter_too_much]
)


def _clock(minute: int) -> str:
    return f"{minute // 60:02}:{minute % 60:02}"


@st.composite
def _spans(draw: st.DrawFn) -> list[dict[str, str]]:
    cuts = draw(st.lists(st.integers(0, 96), min_size=0, max_size=6, unique=True).map(sorted))
    cuts = cuts[: len(cuts) // 2 * 2]
    return [{"from": _clock(cuts[place] * 15), "to": _clock(cuts[place + 1] * 15)} for place in range(0, len(cuts), 2)]


@st.composite
def _weeks(draw: st.DrawFn) -> dict[str, Any]:
    days = draw(st.sampled_from(["school_days", "school_days", "every_day"]))
    return {"days": days, **{name: draw(_spans()) for name in NAMES}}


hours = st.one_of(st.sampled_from(["always", "staff"]), _weeks(), _weeks())
outside = st.sampled_from(["send", "hold", "refuse"])


@st.composite
def _calendars(draw: st.DrawFn) -> dict[str, Any]:
    cuts = sorted(draw(st.lists(st.integers(0, (LAST_DAY - FIRST_DAY).days), min_size=6, max_size=24, unique=True)))
    dates = [FIRST_DAY + timedelta(days=cut) for cut in cuts]
    terms = [
        {"name": "Term", "first": dates[place].isoformat(), "last": dates[place + 1].isoformat()}
        for place in range(0, len(dates) - 1, 2)
    ]
    holidays, closed = [], []
    for term in terms:
        start, end = date.fromisoformat(term["first"]), date.fromisoformat(term["last"])
        length = (end - start).days
        if length > 20 and draw(st.booleans()):
            begin = start + timedelta(days=draw(st.integers(0, length - 15)))
            last = begin + timedelta(days=draw(st.integers(0, 14)))
            holidays.append({"name": "Holiday", "first": begin.isoformat(), "last": last.isoformat()})
        if draw(st.booleans()):
            day = start + timedelta(days=draw(st.integers(0, length)))
            closed.append({"date": day.isoformat(), "name": "Closed", "staff_work": draw(st.booleans())})
    zone = draw(st.sampled_from(ZONES))
    return {"zone": zone, "terms": terms, "holidays": holidays, "closed_days": closed}


@st.composite
def _policies(draw: st.DrawFn) -> dict[str, Any]:
    return small(
        {
            "calendar": draw(_calendars()),
            "staff.hours": draw(_weeks()),
            "staff.access": {"hours": draw(hours)},
            "staff.notifications": {"hours": draw(hours), "in_lessons": draw(st.sampled_from(["ring", "silent"]))},
            "lessons": {"hours": draw(st.one_of(st.just("never"), _weeks()))},
            "messages": {
                "families": {"hours": draw(hours), "outside": draw(outside), "in_lessons": draw(outside)},
                "staff": {"hours": draw(hours), "outside": draw(outside), "in_lessons": draw(outside)},
            },
        }
    )


def _changes_of_clock(zone: str) -> list[datetime]:
    """The hours in which the zone's offset differs from the hour before, over the four years."""
    place = ZoneInfo(zone)
    hour = datetime(2025, 9, 1, tzinfo=UTC)
    found, before = [], hour.astimezone(place).utcoffset()
    while hour.date() < LAST_DAY:
        hour += timedelta(hours=1)
        now = hour.astimezone(place).utcoffset()
        if now != before:
            found.append(hour)
        before = now
    return found


CHANGES = {zone: _changes_of_clock(zone) for zone in ZONES}


@st.composite
def _instants(draw: st.DrawFn, policy: dict[str, Any]) -> datetime:
    """Anywhere in the four years; often close to a change of the clock or to the edge of a term or closed day."""
    calendar = policy["calendar"]
    edges = [term[edge] for term in calendar["terms"] for edge in ("first", "last")]
    edges += [holiday[edge] for holiday in calendar["holidays"] for edge in ("first", "last")]
    edges += [day["date"] for day in calendar["closed_days"]]
    near = [datetime.fromisoformat(edge).replace(tzinfo=UTC) for edge in edges] + CHANGES[calendar["zone"]]
    around = st.tuples(st.sampled_from(near), st.integers(-2 * 1440, 2 * 1440)).map(
        lambda pair: pair[0] + timedelta(minutes=pair[1])
    )
    length = (LAST_DAY - FIRST_DAY).days * 1440
    anywhere = st.integers(0, length).map(lambda minute: datetime(2025, 9, 1, tzinfo=UTC) + timedelta(minutes=minute))
    return draw(st.one_of(around, around, anywhere))


def _agree_on_opening(found: datetime | None, expected: datetime | None, at: datetime) -> None:
    """Within the days the oracle walks they say the same; past them the rules may know more."""
    if expected is not None:
        assert found == expected
    else:
        assert found is None or found - at > OPENS_WITHIN


@pytest.mark.req("POL-3")
@random_policies
@given(st.data(), _policies(), st.one_of(st.none(), _weeks()))
def test_on_duty_and_until_when_agrees_minute_by_minute(data: st.DataObject, policy: dict[str, Any], own: Any) -> None:
    at, oracle = data.draw(_instants(policy)), Oracle(policy, own)
    person = unchecked(policy).person(Role.TEACHER, None if own is None else build(Week, own))
    duty = on_duty(person, at)
    assert duty.on is oracle.duty(at)
    if duty.on:
        until = first(lambda minute: not oracle.duty(minute), at, OPENS_WITHIN)
        assert duty.until == until or (until is None and (duty.until is None or duty.until - at > OPENS_WITHIN))
    else:
        _agree_on_opening(duty.opens, first(oracle.duty, at, OPENS_WITHIN), at)


@pytest.mark.req("POL-4")
@random_policies
@given(st.data(), _policies())
def test_staff_access_agrees_minute_by_minute(data: st.DataObject, policy: dict[str, Any]) -> None:
    at, oracle = data.draw(_instants(policy)), Oracle(policy)
    entry = may_enter(unchecked(policy).person(Role.TEACHER), at, None)
    assert entry.allowed is oracle.entry(at)
    if entry.allowed:
        until = first(lambda minute: not oracle.entry(minute), at, OPENS_WITHIN)
        assert entry.until == until or (until is None and (entry.until is None or entry.until - at > OPENS_WITHIN))
    else:
        _agree_on_opening(entry.opens, first(oracle.entry, at, OPENS_WITHIN), at)


@pytest.mark.req("POL-5", "NTF-2")
@random_policies
@given(st.data(), _policies(), st.one_of(st.none(), _weeks()), st.sampled_from(["teacher", "office"]))
def test_silence_agrees_minute_by_minute(data: st.DataObject, policy: dict[str, Any], own: Any, role: str) -> None:
    at, oracle = data.draw(_instants(policy)), Oracle(policy, own)
    ring = may_ring(unchecked(policy).person(Role(role), None if own is None else build(Week, own)), at)
    assert ring.now is oracle.rings(at, role)
    if not ring.now:
        _agree_on_opening(ring.opens, first(lambda minute: oracle.rings(minute, role), at, OPENS_WITHIN), at)


@pytest.mark.req("POL-5", "MSG-5")
@random_policies
@given(st.data(), _policies(), st.sampled_from(["guardian", "teacher", "office"]))
def test_sending_holding_and_refusing_agrees_minute_by_minute(
    data: st.DataObject, policy: dict[str, Any], role: str
) -> None:
    at, oracle = data.draw(_instants(policy)), Oracle(policy)
    window = policy["messages"]["families" if role == "guardian" else "staff"]
    sending = may_send(unchecked(policy).person(Role(role)), at)
    assert sending.outcome == oracle.passes(window, at, role)
    if sending.outcome == "now":
        assert sending.visible_at == at
        return
    opens = first(lambda minute: oracle.straight_through(window, minute, role), at, OPENS_WITHIN)
    _agree_on_opening(sending.opens, opens, at)
    assert sending.visible_at == (sending.opens if sending.outcome == "held" else None)


promises = st.one_of(
    st.integers(1, 60).map(lambda hours: {"kind": "hours_on_working_days", "hours": hours}),
    st.integers(1, 4).map(lambda days: {"kind": "working_days", "days": days}),
    st.integers(1, 96).map(lambda quarter: {"kind": "end_of_day", "time": _clock(quarter * 15)}),
)


@pytest.mark.req("POL-5", "MSG-16")
@random_policies
@given(st.data(), _policies(), promises)
def test_the_promised_answer_agrees_minute_by_minute(
    data: st.DataObject, policy: dict[str, Any], promise: dict[str, Any]
) -> None:
    policy["answers"] = {"promise": promise}
    visible = data.draw(_instants(policy))
    found = answer_promised(unchecked(policy), visible).by
    expected = Oracle(policy).promise(visible, FAR)
    if expected is not None:
        assert found == expected
    else:
        assert found is None or found - visible > FAR - timedelta(days=2)


NIGHTS = [(zone, change) for zone in ZONES for change in CHANGES[zone]]


@pytest.mark.req("POL-3", "POL-5")
@pytest.mark.parametrize(("zone", "change"), NIGHTS, ids=lambda value: str(value).replace("/", "-"))
def test_every_minute_of_every_night_on_which_clocks_change_agrees(zone: str, change: datetime) -> None:
    """Hours that begin, end and lie inside the hour that is skipped or repeated."""
    spans = [("00:30", "01:15"), ("01:45", "02:10"), ("02:15", "02:45"), ("03:00", "23:30")]
    week = every_weekday(*spans, days="every_day")
    policy = small(
        {
            "calendar": {
                "zone": zone,
                "terms": [{"name": "Term", "first": "2025-09-01", "last": "2029-07-31"}],
                "holidays": [],
                "closed_days": [],
            },
            "staff.hours": {**week, "saturday": week["monday"], "sunday": week["monday"]},
        }
    )
    oracle, person = Oracle(policy), unchecked(policy).person(Role.OFFICE)
    at = change - timedelta(hours=4)
    while at < change + timedelta(hours=4):
        duty = on_duty(person, at)
        assert duty.on is oracle.duty(at), at
        edge = duty.until if duty.on else duty.opens
        assert edge == first(lambda minute, now=duty.on: oracle.duty(minute) is not now, at, timedelta(days=2)), at
        at += timedelta(minutes=7)


def test_the_oracle_is_asked_about_both_kinds_of_night() -> None:
    shifts = {zone: {_shift(zone, change) for change in changes} for zone, changes in CHANGES.items()}
    assert shifts["Europe/London"] == shifts["Europe/Warsaw"] == {timedelta(hours=1), timedelta(hours=-1)}
    assert shifts["Australia/Lord_Howe"] == {timedelta(minutes=30), timedelta(minutes=-30)}
    assert not CHANGES["Asia/Karachi"]


def _shift(zone: str, change: datetime) -> timedelta | None:
    place = ZoneInfo(zone)
    before = (change - timedelta(hours=1)).astimezone(place).utcoffset()
    after = change.astimezone(place).utcoffset()
    return None if before is None or after is None else after - before
