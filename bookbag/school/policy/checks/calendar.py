"""Checks of the calendar: a zone that exists, terms in order, holidays and closed days inside them."""

from datetime import date
from difflib import get_close_matches
from itertools import pairwise
from zoneinfo import ZoneInfo, available_timezones

from bookbag.school.policy.checks import Found, looks_at
from bookbag.school.policy.document.fields import ClosedDay, Period
from bookbag.school.policy.phrases import phrase


def zone_named(key: str) -> ZoneInfo | None:
    """The zone of this IANA name, or None."""
    try:
        return ZoneInfo(key)
    except (KeyError, ValueError, OSError):  # not found, not a relative name, a folder of the zone data
        return None


@looks_at("calendar.zone")
def the_zone_exists(zone: str) -> Found:
    if zone_named(zone) is None:
        near = get_close_matches(zone, sorted(available_timezones()), 1, cutoff=0.5)
        meant = phrase("Did you mean {near}? ", near=near[0]) if near else ""
        yield (
            ("calendar", "zone"),
            phrase("there is no time zone {zone!r}", zone=zone),
            phrase("{meant}Write its IANA name, such as Europe/London.", meant=meant),
        )


@looks_at("calendar.terms")
def terms_follow_each_other(terms: tuple[Period, ...]) -> Found:
    for place, term in enumerate(terms):
        yield from _ends_after_it_begins("terms", place, term)
    for place in range(1, len(terms)):
        if terms[place].first <= terms[place - 1].last and terms[place].first <= terms[place].last:
            yield (
                ("calendar", "terms", place, "first"),
                phrase(
                    "{term} begins on {first}, before {before} has ended",
                    term=terms[place].name, first=terms[place].first, before=terms[place - 1].name,
                ),
                phrase("Begin after {last}, and list terms in order.", last=terms[place - 1].last),
            )  # fmt: skip


@looks_at("calendar.holidays", "calendar.terms")
def holidays_are_inside_a_term(holidays: tuple[Period, ...], terms: tuple[Period, ...]) -> Found:
    for place, holiday in enumerate(holidays):
        yield from _ends_after_it_begins("holidays", place, holiday)
        if holiday.first <= holiday.last and not any(
            term.first <= holiday.first and holiday.last <= term.last for term in terms
        ):
            yield (
                ("calendar", "holidays", place),
                phrase(
                    "{holiday} ({first} to {last}) is not inside a term",
                    holiday=holiday.name, first=holiday.first, last=holiday.last,
                ),
                phrase("Check its dates; between terms there is no school anyway, so such a holiday is left out."),
            )  # fmt: skip
    in_order = sorted(holidays, key=lambda one: one.first)
    for one, other in pairwise(in_order):
        if other.first <= one.last:
            yield (
                ("calendar", "holidays", holidays.index(other)),
                phrase("{one} overlaps {other}", one=other.name, other=one.name),
                phrase("Keep each date in one holiday."),
            )


@looks_at("calendar.closed_days", "calendar.terms", "calendar.holidays")
def closed_days_are_school_days_otherwise(
    closed: tuple[ClosedDay, ...], terms: tuple[Period, ...], holidays: tuple[Period, ...]
) -> Found:
    seen: set[date] = set()
    for place, one in enumerate(closed):
        path = ("calendar", "closed_days", place, "date")
        if not any(term.first <= one.date <= term.last for term in terms):
            yield (
                path,
                phrase("{date} is not inside a term", date=one.date),
                phrase("Check the date; outside terms every day is closed."),
            )
        elif any(holiday.first <= one.date <= holiday.last for holiday in holidays):
            yield (
                path,
                phrase("{date} is in a holiday already", date=one.date),
                phrase("Remove it, or correct the date."),
            )
        if one.date in seen:
            yield path, phrase("{date} is listed twice", date=one.date), phrase("Keep one.")
        seen.add(one.date)


def _ends_after_it_begins(kind: str, place: int, period: Period) -> Found:
    if period.last < period.first:
        yield (
            ("calendar", kind, place, "last"),
            phrase(
                "{period} ends on {last}, before it begins on {first}",
                period=period.name, last=period.last, first=period.first,
            ),
            phrase("Write a date on or after {first}.", first=period.first),
        )  # fmt: skip
