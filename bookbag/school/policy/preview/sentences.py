"""What a policy says, as codes with parameters: one list from which every language makes its sentences."""

from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from datetime import UTC, date, datetime, timedelta

from bookbag.school.policy.document.content import NameForm, Repliers, WithoutConsent
from bookbag.school.policy.document.families import CodesFor, More
from bookbag.school.policy.document.fields import NamedHours
from bookbag.school.policy.document.messages import ClassInbox, Instead, Outside, PromiseKind, Talk
from bookbag.school.policy.document.people import Devices, InLessons, Places
from bookbag.school.policy.rules import Outcome, SchoolRules, may_ring, may_send
from bookbag.school.roles import Role
from bookbag.school.time.week import ALWAYS, NEVER, DayKind, Timetable, clock_of

Said = datetime | date | Timetable | int | str | tuple[str, ...]
"""A tuple holds codes of the document that a catalogue names."""


@dataclass(frozen=True, slots=True)
class Sentence:
    """One sentence of a section of the preview."""

    section: str
    key: str
    parameters: Mapping[str, Said] = field(default_factory=dict[str, Said])


def sentences(rules: SchoolRules) -> tuple[Sentence, ...]:
    """All of them, in the order in which they are read."""
    parts = {
        "hours": _hours,
        "messages": _messages,
        "answers": _answers,
        "office": _office,
        "guardians": _guardians,
        "stories": _stories,
        "points": _points,
        "conduct": _conduct,
    }
    return tuple(
        Sentence(section, key, parameters) for section, part in parts.items() for key, parameters in part(rules)
    )


Part = Iterator[tuple[str, dict[str, Said]]]


def example_evening(rules: SchoolRules) -> datetime:
    """The first Friday of a term at 18:00, after which a Monday of school follows; else the first such evening at all."""
    first = rules.policy.calendar.terms[0].first.toordinal()
    for day in range(first, first + 200):
        is_friday = (day - 1) % 7 == 4
        if is_friday and rules.staff.on(day) and rules.calendar.kind(day + 3) is DayKind.SCHOOL:
            return _evening(rules, day)
    return _evening(rules, first)


def _evening(rules: SchoolRules, day: int) -> datetime:
    shown = datetime.combine(date.fromordinal(day), datetime.min.time(), tzinfo=rules.zone) + timedelta(hours=18)
    return shown.astimezone(UTC)


def _hours(rules: SchoolRules) -> Part:
    staff, access, bells = rules.policy.staff, rules.policy.staff.access, rules.policy.staff.notifications
    in_term = not any(rules.staff.timetable.days[DayKind.FREE])
    yield "working_day" if in_term else "working_day_always", {"hours": rules.staff.timetable}
    if access.hours is NamedHours.ALWAYS:
        yield "access_always", {}
    else:
        yield "access_hours", {"hours": rules.table(access.hours)}
        if access.exempt_from_hours:
            yield "access_exempt", {"roles": _codes(access.exempt_from_hours)}
    if access.places is Places.NETWORKS:
        yield "access_networks", {"networks": ", ".join(one.name for one in access.networks)}
    if access.devices is Devices.SCHOOL:
        yield "school_devices", {}
    rings = rules.table(bells.hours)
    yield ("rings_always", {}) if rings == ALWAYS else ("rings", {"hours": rings})
    if rules.lessons.timetable != NEVER:
        if bells.in_lessons is InLessons.SILENT:
            yield "silent_in_lessons", {}
        yield "lessons", {"hours": rules.lessons.timetable}
    if staff.may_narrow:
        yield "may_narrow", {}


def _messages(rules: SchoolRules) -> Part:
    messages = rules.policy.messages
    window, hours = messages.families, rules.families.timetable
    if hours == ALWAYS or window.outside is Outside.SEND:
        yield "families_any_time", {}
    else:
        yield "families_held" if window.outside is Outside.HOLD else "families_refused", {"hours": hours}
    if rules.lessons.timetable != NEVER and window.in_lessons is not Outside.SEND:
        yield f"families_lessons_{window.in_lessons}", {}
    yield from _example(rules)
    yield from _staff_write(rules)
    yield "safety", {"roles": _codes(rules.policy.safety.alerts)}
    matrix = messages.conversations.families_with
    keys = {Talk.ANY: "talk_any", Talk.CLASS_TEACHERS_ONLY: "talk_class", Talk.STAFF_FIRST: "talk_staff_first"}
    for talk in Talk:
        roles = tuple(name for name in matrix.__slots__ if getattr(matrix, name) is talk)
        if roles:
            yield keys.get(talk, "talk_off"), {"roles": roles}
    yield "pupils_never", {}
    if messages.class_inbox is ClassInbox.SHARED:
        yield "shared_inbox", {}
    else:
        yield (
            {"never": "stand_in_never", "teacher_absent": "stand_in_absent"}.get(messages.stand_in, "stand_in_always"),
            {},
        )
    if messages.oversight.roles:
        yield "oversight", {"roles": _codes(messages.oversight.roles)}


def _example(rules: SchoolRules) -> Part:
    """What happens to a message on a Friday evening, by the rules themselves."""
    sent = example_evening(rules)
    sending = may_send(rules.person(Role.GUARDIAN), sent)
    if sending.outcome is Outcome.HELD and sending.visible_at is not None:
        if sending.answer_by is not None:
            yield "example_held", {"sent": sent, "seen": sending.visible_at, "by": sending.answer_by}
        else:
            yield "example_held_no_promise", {"sent": sent, "seen": sending.visible_at}
    elif sending.outcome is Outcome.REFUSED and sending.opens is not None:
        yield "example_refused", {"sent": sent, "opens": sending.opens}
    ring = may_ring(rules.person(Role.TEACHER), sent)
    if not ring.now and ring.opens is not None:
        yield "example_silent", {"opens": ring.opens}


def _staff_write(rules: SchoolRules) -> Part:
    window = rules.policy.messages.staff
    hours = rules.table(window.hours)
    if hours == ALWAYS or window.outside is Outside.SEND:
        yield "staff_write_any_time", {}
    else:
        yield f"staff_write_{window.outside}", {"hours": hours}
    if rules.lessons.timetable != NEVER and window.in_lessons is not Outside.SEND:
        yield f"staff_lessons_{window.in_lessons}", {}


def _answers(rules: SchoolRules) -> Part:
    promise = rules.policy.answers.promise
    yield "slots", {"hours": rules.answers.timetable}
    match promise.kind:
        case PromiseKind.WORKING_HOURS:
            yield "promise_hours", {"hours": promise.hours or 0}
        case PromiseKind.WORKING_DAYS:
            yield "promise_days", {"days": promise.days or 0}
        case PromiseKind.END_OF_DAY:
            yield "promise_end_of_day", {"time": clock_of(promise.time or 0)}
        case PromiseKind.NONE:
            yield "promise_none", {}


def _office(rules: SchoolRules) -> Part:
    signposting = rules.policy.signposting
    for instead in (
        Instead.CALL_OFFICE,
        Instead.OFFICE_INBOX,
        Instead.MEETING,
        Instead.PHONE,
        Instead.USUAL_CHANNEL,
        Instead.MESSAGE,
    ):
        matters = tuple(
            "safeguarding_matter" if matter == "safeguarding" else str(matter)
            for matter, post in signposting.matters.items()
            if post.instead is instead
        )
        if matters:
            yield f"instead_{instead}", {"matters": matters, "number": rules.policy.school.office.number}
    if signposting.staff_phone_home:
        yield "phone_home", {"matters": _codes(signposting.staff_phone_home)}


def _guardians(rules: SchoolRules) -> Part:
    guardians = rules.policy.guardians
    yield "per_child", {"count": guardians.per_child}
    if guardians.more is More.ON_REQUEST:
        yield "more_on_request", {"roles": _codes(guardians.approved_by)}
    else:
        yield "more_never", {}
    if guardians.codes_for is CodesFor.PARENTS_AND_GUARDIANS:
        yield "codes_for_guardians", {}


def _stories(rules: SchoolRules) -> Part:
    policy = rules.policy
    for name, story in (("class", policy.stories.class_story), ("school", policy.stories.school_story)):
        may: Repliers = story.families_may
        yield f"story_{name}", {"may": (str(may),)}
    if policy.stories.class_story.for_homework:
        yield "homework_on_story", {}
    if policy.names.in_posts is NameForm.FIRST_NAME:
        yield "first_names", {}
    yield "photos_blur" if policy.photos.without_consent is WithoutConsent.BLUR else "photos_stop", {}
    if policy.stories.portfolio.approval:
        yield "pupil_approval", {}


def _points(rules: SchoolRules) -> Part:
    points = rules.policy.points
    called = points.called[:1].upper() + points.called[1:]
    yield "points_negative" if points.negative else "points_positive", {"called": called}
    if points.shown_days is not None:
        yield "points_shown", {"days": points.shown_days}
    yield "points_kept", {"months": points.kept_months}


def _conduct(rules: SchoolRules) -> Part:
    conduct = rules.policy.conduct
    if conduct.ladder:
        yield "ladder", {"steps": _codes(tuple(one.step for one in conduct.ladder))}
    if conduct.reported_to:
        yield "reported_to", {"roles": _codes(conduct.reported_to)}
    yield "terms", {}
    yield "review", {"date": rules.policy.review.next}


def _codes(items: tuple[str, ...]) -> tuple[str, ...]:
    return tuple(str(one) for one in items)
