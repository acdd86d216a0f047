"""Instants and hours as people of a language say them, in the school's zone."""

from collections.abc import Sequence
from datetime import datetime
from itertools import groupby
from zoneinfo import ZoneInfo

from babel.dates import format_datetime, get_day_names
from babel.lists import format_list

from bookbag.school.policy.preview.catalogue import Catalogue
from bookbag.school.time.week import ALWAYS, MIDNIGHT, DayKind, Spans, Timetable, clock_of


def moment(at: datetime, zone: ZoneInfo, now: datetime, words: Catalogue) -> str:
    """`15:00` today, `Monday 08:00` within a week, else with the date."""
    local, today = at.astimezone(zone), now.astimezone(zone).date()
    days = (local.date() - today).days
    pattern = words.today if days == 0 else words.this_week if 0 < days < 7 else words.later
    return format_datetime(local, pattern, locale=words.locale)


def hours_in_words(table: Timetable, words: Catalogue) -> str:
    """`Monday to Friday 08:00–16:00`; days of the same hours in a row are joined."""
    if table == ALWAYS:
        return words.at_any_time
    days = table.days[DayKind.SCHOOL]
    names = get_day_names("wide", locale=words.locale)
    runs: list[str] = []
    for spans, places in groupby(range(7), key=lambda place: days[place]):
        run = list(places)
        if spans:
            first, last = names[run[0]], names[run[-1]]
            when = first if len(run) == 1 else words.from_to.format(first=first, last=last)
            runs.append(f"{when} {_spans(spans, words)}")
    if not runs:
        return words.at_no_time
    every_day = any(table.days[DayKind.FREE])
    return ", ".join(runs) + (f" {words.holidays_too}" if every_day else "")


def listed(items: Sequence[str], words: Catalogue) -> str:
    """`a, b and c`."""
    return format_list(items, locale=words.locale)


def _spans(spans: Spans, words: Catalogue) -> str:
    if spans == ((0, MIDNIGHT),):
        return words.all_day
    return listed([f"{clock_of(start)}–{clock_of(end)}" for start, end in spans], words)
