"""When something is open: a timetable laid on the school's calendar and wall clock, answered for any instant in microseconds.

A window is open whenever the clock on the school's wall shows one of its minutes. So on the night when clocks go back a
window around that hour opens twice, and when they go forward the minutes that the clock never shows open nothing.
"""

from datetime import UTC, datetime

from bookbag.school.time.calendar import SchoolCalendar
from bookbag.school.time.wall import Seconds, WallClock
from bookbag.school.time.week import ALWAYS, NEVER, DayKind, Timetable

_REMEMBERED_DAYS = 4_000
_FARTHEST = 400
"""Days looked at for the next opening. Hours repeat every week, so past this there is none."""


class Openings:
    """Immutable to its callers; remembers the days it was asked about. Instants are aware; answers are in UTC."""

    __slots__ = ("_days", "_nothing", "_on_free_days", "always", "calendar", "clock", "timetable")

    def __init__(self, timetable: Timetable, calendar: SchoolCalendar, clock: WallClock) -> None:
        """Nothing is computed until a day is asked about."""
        self.timetable = timetable
        self.calendar = calendar
        self.clock = clock
        self._days: dict[int, Seconds] = {}
        self._on_free_days = any(timetable.days[DayKind.FREE])
        self._nothing = timetable == NEVER
        self.always = timetable == ALWAYS

    def is_open(self, at: datetime) -> bool:
        """Whether the instant is inside a window; the instant of closing is not."""
        if self.always or self._nothing:
            return self.always
        second = at.timestamp()
        for start, end in self.on(self.clock.day_of(second)):  # noqa: SIM110 - a generator would cost as much again
            if start <= second < end:
                return True
        return False

    def closes_at(self, at: datetime) -> datetime | None:
        """When the window around `at` ends; None when it never does, or when nothing is open then."""
        if self.always or self._nothing:
            return None
        second = at.timestamp()
        day = self.clock.day_of(second)
        for start, end in self.on(day):
            if start <= second < end:
                return datetime.fromtimestamp(self._run_on(day, end), UTC)
        return None

    def opens_at(self, at: datetime) -> datetime | None:
        """The first instant from `at` on at which it is open: `at` itself when it is; None when it opens no more."""
        if self.always or self._nothing:
            return at if self.always else None
        second = at.timestamp()
        day: int | None = self.clock.day_of(second)
        for _ in range(_FARTHEST):
            if day is None:
                return None
            for start, end in self.on(day):
                if second < end:
                    return at if start <= second else datetime.fromtimestamp(start, UTC)
            day = self.day_after(day)
        return None

    def next_day(self, day: int) -> int | None:
        """The first date after this one that has hours, or None when none is known."""
        for _ in range(_FARTHEST):
            after = self.day_after(day)
            if after is None or self.on(after):
                return after
            day = after
        return None

    def day_after(self, day: int) -> int | None:
        """The next date worth looking at: hours that count in term alone skip to the next day of term."""
        return day + 1 if self._on_free_days else self.calendar.next_known(day)

    def on(self, day: int) -> Seconds:
        """The windows of one date."""
        known = self._days.get(day)
        if known is None:
            if len(self._days) >= _REMEMBERED_DAYS:
                self._days.clear()
            spans = self.timetable.spans(self.calendar.kind(day), (day - 1) % 7)  # ordinal 1 was a Monday
            known = self._days[day] = self.clock.seconds_of(day, spans) if spans else ()
        return known

    def _run_on(self, day: int, end: int) -> int:
        """Follow windows that touch at midnight, for a year at most."""
        for _ in range(_FARTHEST):
            day += 1
            following = self.on(day)
            if not following or following[0][0] != end:
                break
            end = following[0][1]
        return end
