"""Openings by themselves: windows over midnight, zones with strange nights, weeks that meet, and walks that end."""

from datetime import UTC, date, datetime, timedelta
from zoneinfo import ZoneInfo

import pytest
from hypothesis import given
from hypothesis import strategies as st

from bookbag.school.time.calendar import Closed, SchoolCalendar
from bookbag.school.time.openings import Openings
from bookbag.school.time.wall import WallClock
from bookbag.school.time.week import (
    ALWAYS,
    MIDNIGHT,
    NEVER,
    DayKind,
    NotATime,
    Timetable,
    clock_of,
    common,
    minute_of,
    tidy,
    without,
)

pytestmark = pytest.mark.req("POL-3")

LONDON = ZoneInfo("Europe/London")
AUTUMN = SchoolCalendar([(date(2026, 9, 1), date(2026, 12, 18))], [(date(2026, 10, 26), date(2026, 10, 30))])
WHOLE_DAY = ((0, MIDNIGHT),)


def opening(table: Timetable, zone: str = "Europe/London", calendar: SchoolCalendar = AUTUMN) -> Openings:
    return Openings(table, calendar, WallClock(ZoneInfo(zone)))


def weekly(days: dict[int, tuple[tuple[int, int], ...]], kinds: tuple[DayKind, ...] = tuple(DayKind)) -> Timetable:
    return Timetable.of([days.get(place, ()) for place in range(7)], kinds)


def london(text: str) -> datetime:
    return datetime.fromisoformat(text).replace(tzinfo=LONDON)


def test_windows_that_touch_at_midnight_are_one() -> None:
    night = opening(weekly({0: ((20 * 60, MIDNIGHT),), 1: WHOLE_DAY, 2: ((0, 6 * 60),)}))
    assert night.closes_at(london("2026-11-23 21:00")) == london("2026-11-25 06:00")
    assert night.is_open(london("2026-11-24 00:00"))
    apart = opening(weekly({0: ((20 * 60, MIDNIGHT - 1),), 1: WHOLE_DAY}))
    assert apart.closes_at(london("2026-11-23 21:00")) == london("2026-11-23 23:59")


def test_a_week_without_an_end_ends_with_the_term_and_always_never() -> None:
    whole = Timetable.of([WHOLE_DAY] * 7, (DayKind.SCHOOL,))
    assert opening(whole).closes_at(london("2026-11-02 10:00")) == london("2026-12-19 00:00")
    assert opening(ALWAYS).closes_at(london("2026-11-02 10:00")) is None
    assert opening(ALWAYS).opens_at(london("2026-11-02 10:00")) == london("2026-11-02 10:00")
    assert opening(NEVER).opens_at(london("2026-11-02 10:00")) is None


def test_a_walk_over_days_that_never_end_stops() -> None:
    """All day on every kind of day but one that the calendar does not have: not `always`, and yet without an end."""
    endless = opening(Timetable.of([WHOLE_DAY] * 7, (DayKind.SCHOOL, DayKind.FREE)))
    closes = endless.closes_at(london("2026-11-02 10:00"))
    assert closes is not None
    assert closes - london("2026-11-02 10:00") > timedelta(days=365)


def test_after_the_last_term_hours_of_school_days_open_no_more_but_those_of_every_day_do() -> None:
    mornings = {0: ((480, 720),)}
    at = london("2026-12-18 13:00")
    assert opening(weekly(mornings, (DayKind.SCHOOL,))).opens_at(at) is None
    assert opening(weekly(mornings)).opens_at(at) == london("2026-12-21 08:00")


def test_training_days_are_neither_school_nor_free() -> None:
    calendar = SchoolCalendar(
        [(date(2026, 9, 1), date(2026, 12, 18))],
        closed=[Closed(date(2026, 11, 20), staff_work=True), Closed(date(2026, 11, 23)), Closed(date(2026, 8, 3))],
    )
    kinds = {day: calendar.kind(date(2026, 11, day).toordinal()) for day in (19, 20, 23)}
    assert kinds == {19: DayKind.SCHOOL, 20: DayKind.STAFF, 23: DayKind.FREE}
    assert calendar.kind(date(2026, 8, 3).toordinal()) is DayKind.FREE


@pytest.mark.parametrize(
    ("zone", "day", "hours"),
    [
        ("Europe/London", date(2026, 3, 29), 23),
        ("Europe/London", date(2026, 10, 25), 25),
        ("Australia/Lord_Howe", date(2026, 4, 5), 24.5),
        ("America/Havana", date(2026, 3, 8), 23),
        ("Asia/Karachi", date(2026, 3, 29), 24),
        ("Pacific/Apia", date(2011, 12, 30), 0),
    ],
)
def test_a_day_is_as_long_as_its_clock_says(zone: str, day: date, hours: float) -> None:
    pieces = WallClock(ZoneInfo(zone)).seconds_of(day.toordinal(), WHOLE_DAY)
    assert sum(end - start for start, end in pieces) == hours * 3600


@given(
    st.sampled_from(["Europe/London", "Australia/Lord_Howe", "America/St_Johns", "Pacific/Apia", "Africa/Casablanca"]),
    st.integers(0, 36 * 366 * 1440).map(lambda minute: datetime(2005, 1, 1, tzinfo=UTC) + timedelta(minutes=minute)),
)
def test_the_wall_calendar_shows_what_the_zone_says(zone: str, at: datetime) -> None:
    clock = WallClock(ZoneInfo(zone))
    clock.day_of(datetime(2026, 1, 1, tzinfo=UTC).timestamp())
    assert clock.day_of(at.timestamp()) == at.astimezone(ZoneInfo(zone)).toordinal()


minutes = st.integers(0, MIDNIGHT)
spans = st.lists(st.tuples(minutes, minutes), max_size=6).map(tidy)


@given(spans, spans, st.integers(0, MIDNIGHT - 1))
def test_weeks_meet_minute_by_minute(
    one: tuple[tuple[int, int], ...], other: tuple[tuple[int, int], ...], minute: int
) -> None:
    def has(day: tuple[tuple[int, int], ...]) -> bool:
        return any(start <= minute < end for start, end in day)

    assert has(common(one, other)) is (has(one) and has(other))
    assert has(without(one, other)) is (has(one) and not has(other))


@pytest.mark.parametrize("text", ["8:00", "08:60", "24:01", "0800", "08:0", "٠٨:٠٠", "-1:00", "", "08:00:00"])
def test_what_is_no_time_is_refused(text: str) -> None:
    with pytest.raises(NotATime):
        minute_of(text)


def test_times_are_written_as_they_are_read() -> None:
    for text in ("00:00", "08:05", "23:59", "24:00"):
        assert clock_of(minute_of(text)) == text
