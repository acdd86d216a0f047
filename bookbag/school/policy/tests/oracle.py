"""An independent second opinion: walks minute by minute in UTC and asks the zone what its clock shows.

Written from the definitions of the document, on its plain data, sharing no code with the rules: slow, short, and obvious.
"""

from collections.abc import Callable, Iterator
from datetime import UTC, date, datetime, timedelta
from typing import Any
from zoneinfo import ZoneInfo

MINUTE = timedelta(minutes=1)
NAMES = ("monday", "tuesday", "wednesday", "thursday", "friday", "saturday", "sunday")
TEACHING = ("teacher", "assistant", "specialist")


class Oracle:
    def __init__(self, data: dict[str, Any], own: dict[str, Any] | None = None) -> None:
        self.data = data
        self.own = own
        self.zone = ZoneInfo(data["calendar"]["zone"])

    # what the wall shows

    def wall(self, at: datetime) -> tuple[date, int]:
        shown = at.astimezone(self.zone)
        return shown.date(), shown.hour * 60 + shown.minute

    def day_is(self, day: date) -> str:
        calendar, text = self.data["calendar"], day.isoformat()
        if not any(term["first"] <= text <= term["last"] for term in calendar["terms"]):
            return "free"
        if any(holiday["first"] <= text <= holiday["last"] for holiday in calendar["holidays"]):
            return "free"
        closed = [one for one in calendar["closed_days"] if one["date"] == text]
        if not closed:
            return "school"
        return "staff" if closed[0].get("staff_work") else "free"

    def within(self, hours: Any, at: datetime) -> bool:
        if hours == "always":
            return True
        if hours == "never":
            return False
        if hours == "staff":
            return self.within(self.data["staff"]["hours"], at)
        day, minute = self.wall(at)
        if hours.get("days", "school_days") == "school_days" and self.day_is(day) == "free":
            return False
        return any(_m(one["from"]) <= minute < _m(one["to"]) for one in hours.get(NAMES[day.weekday()], []))

    def lesson(self, at: datetime) -> bool:
        return self.day_is(self.wall(at)[0]) == "school" and self.within(self.data["lessons"]["hours"], at)

    def working_day(self, day: date) -> bool:
        hours = self.data["staff"]["hours"]
        if hours.get("days", "school_days") == "school_days" and self.day_is(day) == "free":
            return False
        return bool(hours.get(NAMES[day.weekday()], []))

    # the questions

    def duty(self, at: datetime) -> bool:
        return self.within(self.data["staff"]["hours"], at) and (self.own is None or self.within(self.own, at))

    def entry(self, at: datetime) -> bool:
        return self.within(self.data["staff"]["access"]["hours"], at)

    def rings(self, at: datetime, role: str) -> bool:
        bells = self.data["staff"]["notifications"]
        if not self.within(bells["hours"], at) or (self.own is not None and not self.within(self.own, at)):
            return False
        return not (bells["in_lessons"] == "silent" and role in TEACHING and self.lesson(at))

    def passes(self, window: dict[str, Any], at: datetime, role: str) -> str:
        """`now`, or what happens to a message instead."""
        pauses = role == "guardian" or role in TEACHING
        if not self.within(window["hours"], at):
            return {"send": "now", "hold": "held", "refuse": "refused"}[window["outside"]]
        if pauses and self.lesson(at):
            return {"send": "now", "hold": "held", "refuse": "refused"}[window["in_lessons"]]
        return "now"

    def straight_through(self, window: dict[str, Any], at: datetime, role: str) -> bool:
        pauses = (role == "guardian" or role in TEACHING) and window["in_lessons"] != "send"
        return self.within(window["hours"], at) and not (pauses and self.lesson(at))

    def promise(self, visible: datetime, farthest: timedelta) -> datetime | None:
        promise = self.data["answers"]["promise"]
        if promise["kind"] == "hours_on_working_days":
            return self.after_hours(visible, promise["hours"], farthest)
        if promise["kind"] == "working_days":
            return self.after_days(visible, promise["days"], farthest)
        for minute in minutes(visible, farthest):
            today, clock = self.wall(minute)
            if self.working_day(today) and clock < _m(promise["time"]):
                return self.end_of_run(minute, promise["time"], today)
        return None

    def after_hours(self, visible: datetime, hours: int, farthest: timedelta) -> datetime | None:
        left = hours * 60
        for minute in minutes(visible, farthest):
            if self.working_day(self.wall(minute)[0]):
                left -= 1
                if left == 0:
                    return minute + MINUTE
        return None

    def after_days(self, visible: datetime, days: int, farthest: timedelta) -> datetime | None:
        day, _ = self.wall(visible)
        last = day + farthest
        for _ in range(days):
            day += timedelta(days=1)
            while not self.working_day(day):
                day += timedelta(days=1)
                if day > last:
                    return None
        return self.last_staff_minute(day)

    def end_of_run(self, minute: datetime, time: str, today: date) -> datetime:
        """When that day's clock has shown its last minute before `time`."""
        last = minute
        for later in minutes(minute, timedelta(hours=30)):
            shown, clock = self.wall(later)
            if shown == today and clock < _m(time):
                last = later
        return last + MINUTE

    def last_staff_minute(self, day: date) -> datetime | None:
        start = datetime(day.year, day.month, day.day, tzinfo=UTC) - timedelta(hours=15)
        last = None
        for minute in minutes(start, timedelta(hours=54)):
            if self.wall(minute)[0] == day and self.within(self.data["staff"]["hours"], minute):
                last = minute
        return None if last is None else last + MINUTE


def minutes(start: datetime, farthest: timedelta) -> Iterator[datetime]:
    """Whole minutes from `start` on, which is one itself."""
    at = start
    while at - start <= farthest:
        yield at
        at += MINUTE


def first(holds: Callable[[datetime], bool], start: datetime, farthest: timedelta) -> datetime | None:
    """The first instant from `start` on at which it holds: `start`, else a whole minute."""
    return next((at for at in minutes(start, farthest) if holds(at)), None)


def _m(clock: str) -> int:
    return int(clock[:2]) * 60 + int(clock[3:])
