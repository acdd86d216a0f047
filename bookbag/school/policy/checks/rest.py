"""Checks of networks, words, signposts, conduct, people and content: settings that only make sense together."""

from ipaddress import ip_network

from bookbag.school import languages
from bookbag.school.policy.checks import Found, looks_at
from bookbag.school.policy.document.conduct import Conduct, StepKind
from bookbag.school.policy.document.content import HandIn, Homework, Points, Stories
from bookbag.school.policy.document.families import Guardians, More, Pupils, YearChange, YearEnd
from bookbag.school.policy.document.messages import Instead, Safety, Signposting
from bookbag.school.policy.document.people import Places, School, StaffAccess
from bookbag.school.policy.faults import Path
from bookbag.school.policy.phrases import phrase
from bookbag.school.roles import Role


@looks_at("staff.access")
def networks_are_networks(access: StaffAccess) -> Found:
    path: Path = ("staff", "access", "networks")
    if access.places is Places.NETWORKS and not access.networks:
        yield (
            path,
            phrase("staff may come in from the school's networks only, and none is listed"),
            phrase("List the school's networks."),
        )
    for place, network in enumerate(access.networks):
        here = (*path, place, "range")
        try:
            found = ip_network(network.range, strict=False)
        except ValueError:
            yield (
                here,
                phrase("{range!r} is not a range of addresses", range=network.range),
                phrase("Write it such as 203.0.113.0/24 or 2001:db8:12::/48."),
            )
            continue
        if str(found) != network.range.lower() and "/" in network.range and network.range != found.exploded:
            yield (
                here,
                phrase("{range!r} is not the beginning of a range", range=network.range),
                phrase("Write {it}.", it=found),
            )
        elif "/" not in network.range:
            yield (
                here,
                phrase("{range!r} has no length", range=network.range),
                phrase("Write {it} for this one address.", it=found),
            )
        if found.prefixlen < (8 if found.version == 4 else 16):
            yield (
                here,
                phrase("{range} is most of the internet", range=network.range),
                phrase("Write places: anywhere if that is meant."),
            )


@looks_at("school")
def languages_of_the_school_are_known(school: School) -> Found:
    for place, tag in enumerate(school.languages):
        if languages.find(tag) is None:
            yield (
                ("school", "languages", place),
                phrase("{tag!r} is not a language Bookbag knows", tag=tag),
                phrase("Write a tag such as en or cy."),
            )


@looks_at("signposting", "school")
def signposts_lead_somewhere(signposting: Signposting, school: School) -> Found:
    for matter, signpost in signposting.matters.items():
        path: Path = ("signposting", "matters", str(matter))
        if signpost.instead is Instead.OFFICE_INBOX and signpost.inbox is None and school.office.inbox is None:
            yield (
                (*path, "inbox"),
                phrase("there is no inbox to send it to"),
                phrase("Write inbox here, or school.office.inbox."),
            )
        if signpost.passed_on and signposting.standard_answer is None:
            yield (
                ("signposting", "standard_answer"),
                phrase("messages about {matter} are passed on, yet there is no standard answer", matter=str(matter)),
                phrase("Write the brief answer that the family gets."),
            )


@looks_at("safety")
def safeguarding_hears_of_safety(safety: Safety) -> Found:
    if Role.SAFEGUARDING not in safety.alerts:
        yield (
            ("safety", "alerts"),
            phrase("safeguarding is not told"),
            phrase("Add safeguarding: it always hears of a child's safety."),
        )


_RUNGS = list(StepKind)


@looks_at("conduct")
def the_ladder_rises(conduct: Conduct) -> Found:
    for place in range(1, len(conduct.ladder)):
        below, here = conduct.ladder[place - 1].step, conduct.ladder[place].step
        if _RUNGS.index(here) <= _RUNGS.index(below):
            yield (
                ("conduct", "ladder", place, "step"),
                phrase("{here} comes after {below}", here=str(here), below=str(below)),
                phrase("Steps rise, each once: {steps}.", steps=", ".join(_RUNGS)),
            )


@looks_at("guardians")
def somebody_approves_more_guardians(guardians: Guardians) -> Found:
    if guardians.more is More.ON_REQUEST and not guardians.approved_by:
        yield (
            ("guardians", "approved_by"),
            phrase("more guardians can be asked for, yet nobody approves"),
            phrase("Name a role."),
        )


@looks_at("pupils", "terms.pupils")
def pupils_who_sign_in_accept_terms(pupils: Pupils, terms: object | None) -> Found:
    if pupils.sign_in and terms is None:
        yield (
            ("terms", "pupils"),
            phrase("pupils sign in, yet there are no terms for them"),
            phrase("Write terms for pupils."),
        )
    if not pupils.sign_in and pupils.area:
        yield (
            ("pupils", "area"),
            phrase("pupils do not sign in"),
            phrase("Let sign_in be true, or leave the area out."),
        )


@looks_at("year_end")
def the_year_changes_on_a_date(year_end: YearEnd) -> Found:
    path: Path = ("year_end", "change_on")
    if year_end.change is YearChange.BY_ITSELF and year_end.change_on is None:
        yield (
            path,
            phrase("the year changes by itself, yet no date is given"),
            phrase("Write month and day, such as 09-01."),
        )
    if year_end.change is YearChange.BY_HAND and year_end.change_on is not None:
        yield path, phrase("the year changes by hand"), phrase("Remove it, or let change be by_itself.")


@looks_at("points")
def awards_are_kept_as_long_as_shown(points: Points) -> Found:
    if points.shown_days is not None and points.shown_days > points.kept_months * 31:
        yield (
            ("points", "shown_days"),
            phrase(
                "families would see awards for {days} days, kept for {months} months",
                days=points.shown_days,
                months=points.kept_months,
            ),
            phrase("Show them no longer than they are kept."),
        )


@looks_at("stories", "homework")
def homework_has_a_place(stories: Stories, homework: Homework) -> Found:
    for name, story in (("class_story", stories.class_story), ("school_story", stories.school_story)):
        if story.for_homework and not homework.set_here:
            yield (
                ("stories", name, "for_homework"),
                phrase("homework is not set here"),
                phrase("Let homework.set_here be true."),
            )
    adders = {Role.PUPIL, Role.GUARDIAN}
    if homework.set_here and homework.handed_in is HandIn.PORTFOLIO and not adders & set(stories.portfolio.added_to_by):
        yield (
            ("homework", "handed_in"),
            phrase("neither pupils nor guardians may add to the portfolio"),
            phrase("Add pupil or guardian to stories.portfolio.added_to_by."),
        )
