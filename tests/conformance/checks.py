"""What the rules must decide for each clause that they decide at all. Dates are real ones of 2026 and 2027, times London's."""

from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import date, datetime
from ipaddress import ip_address
from zoneinfo import ZoneInfo

from bookbag.school.policy.document.conduct import Agreement, StepKind
from bookbag.school.policy.document.messages import Instead, Matter
from bookbag.school.policy.rules import (
    Outcome,
    Person,
    PlaceOutcome,
    ReasonCode,
    ReviewState,
    SchoolRules,
    answer_promised,
    may_answer,
    may_begin,
    may_enter,
    may_ring,
    may_send,
    next_review,
    next_step,
    on_duty,
    place_for_guardian,
    review_state,
    signpost,
    terms_for,
)
from bookbag.school.roles import Role, SeatKind

LONDON = ZoneInfo("Europe/London")
INSIDE, OUTSIDE = ip_address("203.0.113.20"), ip_address("198.51.100.7")


@dataclass(frozen=True)
class School:
    """A preset ready for questions; a mutant may let one role pass for another."""

    rules: SchoolRules
    treats: Mapping[Role, Role] = field(default_factory=dict)

    def role(self, role: Role) -> Role:
        return self.treats.get(role, role)

    def person(self, role: Role) -> Person:
        return self.rules.person(self.role(role))


def london(text: str) -> datetime:
    return datetime.fromisoformat(text).replace(tzinfo=LONDON)


MONDAY_MORNING, FRIDAY_EVENING = london("2026-11-23 10:00"), london("2026-11-27 18:00")
SATURDAY, HALF_TERM = london("2026-11-28 10:00"), london("2026-10-28 10:00")


def staff_come_in_only_in_working_hours(school: School) -> None:
    teacher = school.person(Role.TEACHER)
    for at, opens in (
        (london("2026-11-23 07:59"), "2026-11-23 08:00"),
        (london("2026-11-23 16:00"), "2026-11-24 08:00"),
        (SATURDAY, "2026-11-30 08:00"),
        (HALF_TERM, "2026-11-02 08:00"),
        (london("2026-12-19 10:00"), "2027-01-04 08:00"),
    ):
        entry = may_enter(teacher, at, INSIDE)
        assert not entry.allowed
        assert entry.opens == london(opens)
        assert not on_duty(teacher, at).on
    entry = may_enter(teacher, london("2026-11-23 15:59"), INSIDE)
    assert entry.allowed
    assert entry.until == london("2026-11-23 16:00")


def staff_come_in_only_from_the_school(school: School) -> None:
    for role in (Role.TEACHER, Role.LEADER):
        person = school.person(role)
        assert may_enter(person, MONDAY_MORNING, INSIDE).allowed
        for address in (OUTSIDE, None):
            entry = may_enter(person, MONDAY_MORNING, address)
            assert not entry.allowed
            assert entry.reasons[0].code is ReasonCode.ACCESS_WRONG_PLACE


def no_messages_in_lessons_and_answers_at_the_end_of_the_day(school: School) -> None:
    teacher, family = school.person(Role.TEACHER), school.person(Role.GUARDIAN)
    sending = may_send(teacher, MONDAY_MORNING)
    assert sending.outcome is Outcome.REFUSED
    assert sending.opens == london("2026-11-23 15:00")
    assert not may_ring(teacher, MONDAY_MORNING).now
    told = may_send(family, MONDAY_MORNING)
    assert told.answer_by == london("2026-11-23 15:00")
    assert ReasonCode.LESSON_TIME in {reason.code for reason in told.reasons}
    _leads(school, Instead.CALL_OFFICE, Matter.URGENT)


def families_begin_with_teacher_specialists_and_leaders(school: School) -> None:
    for other in (Role.TEACHER, Role.SPECIALIST, Role.LEADER):
        assert may_begin(school.rules, Role.GUARDIAN, other, own_class=True).allowed
    assert not may_begin(school.rules, Role.GUARDIAN, Role.TEACHER, own_class=False).allowed
    assert not may_begin(school.rules, Role.GUARDIAN, Role.ASSISTANT, own_class=True).allowed


def an_assistant_answers_in_absence_alone(school: School) -> None:
    for absent in (False, True):
        found = may_answer(school.rules, Role.ASSISTANT, SeatKind.CLASS_TEACHER, teacher_absent=absent)
        assert found.allowed is absent
    assert found.reason.code is ReasonCode.STANDS_IN


def leaders_and_safeguarding_come_in_at_any_time(school: School) -> None:
    for role in (Role.LEADER, Role.SAFEGUARDING):
        assert may_enter(school.person(role), SATURDAY, INSIDE).allowed
    assert not may_enter(school.person(Role.TEACHER), SATURDAY, INSIDE).allowed


def matters_of_a_go_to_the_office_by_phone(school: School) -> None:
    _leads(
        school, Instead.CALL_OFFICE,
        Matter.ABSENCE, Matter.LATENESS, Matter.APPOINTMENTS, Matter.FIRST_AID, Matter.BEHAVIOUR, Matter.SAFEGUARDING,
        Matter.COMPLAINTS,
    )  # fmt: skip
    assert signpost(school.rules, Matter.ABSENCE).number == "01632 960 118"


def further_family_members_are_approved_by_the_office(school: School) -> None:
    place = place_for_guardian(school.rules, connected=2, parent_or_guardian=False)
    assert place.outcome is PlaceOutcome.ON_REQUEST
    assert place.approved_by == (Role.OFFICE,)


def a_breach_is_followed_up_step_by_step(school: School) -> None:
    _climbs(school, StepKind.REMINDER, StepKind.WARNING, StepKind.SUSPENSION, StepKind.REMOVAL)


def quiet_time_holds_until_the_morning(school: School) -> None:
    family, teacher = school.person(Role.GUARDIAN), school.person(Role.TEACHER)
    for at, seen in (
        (FRIDAY_EVENING, "2026-11-30 08:00"),
        (london("2026-11-23 17:00"), "2026-11-24 08:00"),
        (london("2026-11-23 07:30"), "2026-11-23 08:00"),
    ):
        sending = may_send(family, at)
        assert sending.outcome is Outcome.HELD
        assert sending.visible_at == london(seen)
        assert ReasonCode.QUIET_TIME in {reason.code for reason in sending.reasons}
        ring = may_ring(teacher, at)
        assert not ring.now
        assert ring.opens == london(seen)


def answers_within_24_hours_on_working_days(school: School) -> None:
    assert answer_promised(school.rules, london("2026-11-27 10:00")).by == london("2026-11-30 10:00")
    assert may_send(school.person(Role.GUARDIAN), FRIDAY_EVENING).answer_by == london("2026-12-01 08:00")
    assert may_send(school.person(Role.TEACHER), MONDAY_MORNING).outcome is Outcome.NOW


def pupils_have_no_messages(school: School) -> None:
    for about_safety in (False, True):
        assert may_send(school.person(Role.PUPIL), MONDAY_MORNING, about_safety=about_safety).outcome is Outcome.REFUSED
    for role in Role:
        assert not may_begin(school.rules, school.role(Role.PUPIL), role, own_class=True).allowed


def pupils_have_no_messages_and_stay_off_their_parents_accounts(school: School) -> None:
    """The second is a promise of the guardians, who come in only once they have given it."""
    pupils_have_no_messages(school)
    terms = terms_for(school.rules, Role.GUARDIAN, "en")
    assert terms is not None
    assert "My children do not use my account" in terms.text


def two_guardians_and_more_on_request(school: School) -> None:
    _places(school, PlaceOutcome.FREE, PlaceOutcome.FREE, PlaceOutcome.ON_REQUEST)


def two_guardians_and_no_more(school: School) -> None:
    _places(school, PlaceOutcome.FREE, PlaceOutcome.FREE, PlaceOutcome.DECLINED)


def matters_of_b_are_passed_to_the_office(school: School) -> None:
    _leads(
        school, Instead.CALL_OFFICE,
        Matter.ABSENCE, Matter.APPOINTMENTS, Matter.SICKNESS, Matter.COMPLAINTS, Matter.URGENT,
    )  # fmt: skip
    _leads(school, Instead.OFFICE_INBOX, Matter.DINNERS, Matter.MUSIC_LESSONS)
    _leads(school, Instead.MEETING, Matter.PROGRESS)
    for matter in (
        Matter.ABSENCE, Matter.APPOINTMENTS, Matter.SICKNESS, Matter.DINNERS, Matter.COMPLAINTS, Matter.MUSIC_LESSONS,
        Matter.URGENT, Matter.PROGRESS,
    ):  # fmt: skip
        found = signpost(school.rules, matter)
        assert found.passed_on
        assert found.standard_answer
        assert found.standard_answer["en"]


def accepted_in_full_and_reviewed_every_year(school: School) -> None:
    for role in (Role.GUARDIAN, Role.TEACHER):
        terms = terms_for(school.rules, role, "en")
        assert terms is not None
        assert "accept the policy in full" in terms.text
    assert next_review(school.rules, date(2026, 7, 1)) == date(2027, 7, 1)
    assert review_state(school.rules, date(2027, 7, 2)) is ReviewState.PAST
    first = next_step(school.rules, [])
    assert first is not None
    assert first.decided_by == (Role.LEADER,)


def posts_are_no_comparison(school: School) -> None:
    words = school.rules.policy.notes.about_posts
    assert words is not None
    assert "not a place to compare children" in words["en"]
    assert "differs from week to week" in words["en"]


def three_kinds_of_hours(school: School) -> None:
    teacher, family = school.person(Role.TEACHER), school.person(Role.GUARDIAN)
    late = london("2026-11-23 16:45")
    assert may_send(teacher, late).outcome is Outcome.NOW
    assert on_duty(teacher, late).on
    assert not school.rules.answers.is_open(late)
    assert school.rules.answers.is_open(london("2026-11-23 16:29"))
    lesson = may_send(family, MONDAY_MORNING)
    assert lesson.outcome is Outcome.NOW
    assert {"until": london("2026-11-23 15:30")} in [reason.parameters for reason in lesson.reasons]
    assert not may_ring(teacher, MONDAY_MORNING).now
    evening = may_send(family, london("2026-11-23 17:00"))
    assert evening.outcome is Outcome.HELD
    assert evening.reasons[1].code is ReasonCode.QUIET_TIME


def the_class_team_answers_together(school: School) -> None:
    found = may_answer(school.rules, Role.ASSISTANT, SeatKind.CLASS_TEACHER, teacher_absent=False)
    assert found.allowed
    assert found.reason.code is ReasonCode.ANSWERS_SHARED_INBOX


def matters_of_c_go_to_the_office(school: School) -> None:
    _leads(
        school, Instead.CALL_OFFICE,
        Matter.ABSENCE, Matter.SICKNESS, Matter.DINNERS, Matter.CLUBS, Matter.LOST_PROPERTY, Matter.COMPLAINTS, Matter.URGENT,
    )  # fmt: skip
    _leads(school, Instead.MEETING, Matter.PROGRESS)


def a_warning_then_removal(school: School) -> None:
    _climbs(school, StepKind.WARNING, StepKind.REMOVAL)


def acceptable_use_is_in_the_terms(school: School) -> None:
    terms = terms_for(school.rules, Role.GUARDIAN, "en")
    assert terms is not None
    for words in ("advertise", "harmful files", "collect others' details", "pretend", "harass", "copy"):
        assert words in terms.text


def everything_of_c_is_said_in_welsh_too(school: School) -> None:
    for matter in Matter:
        assert "cy" in signpost(school.rules, matter).words
    assert "cy" in school.rules.policy.safety.words
    for role in (Role.GUARDIAN, Role.TEACHER, Role.PUPIL):
        terms = terms_for(school.rules, role, "cy")
        assert terms is not None
        assert terms.language == "cy"


def reviewed_every_two_years(school: School) -> None:
    assert next_review(school.rules, date(2026, 7, 1)) == date(2028, 7, 1)
    assert review_state(school.rules, date(2028, 6, 15)) is ReviewState.NEAR


def answers_before_and_after_lessons(school: School) -> None:
    teacher = school.person(Role.TEACHER)
    for text, answering in (("08:15", True), ("08:30", False), ("12:00", False), ("15:29", False), ("15:30", True)):
        at = london(f"2026-11-23 {text}")
        assert school.rules.answers.is_open(at) is answering
        assert (may_send(teacher, at).outcome is Outcome.NOW) is answering
        assert may_ring(teacher, at).now is answering
    assert not may_ring(teacher, london("2026-11-23 16:00")).now


def answers_within_24_hours(school: School) -> None:
    assert answer_promised(school.rules, MONDAY_MORNING).by == london("2026-11-24 10:00")
    _leads(school, Instead.CALL_OFFICE, Matter.URGENT)


def matters_of_d_go_to_the_office_by_phone_or_mail(school: School) -> None:
    _leads(school, Instead.OFFICE_INBOX, Matter.APPOINTMENTS, Matter.ABSENCE, Matter.LATENESS)
    _leads(school, Instead.CALL_OFFICE, Matter.BEHAVIOUR, Matter.COMPLAINTS)
    _leads(school, Instead.MEETING, Matter.PROGRESS)
    found = signpost(school.rules, Matter.APPOINTMENTS)
    assert found.number
    assert found.inbox == "office@larkfield.example"


def a_reminder_then_removal(school: School) -> None:
    _climbs(school, StepKind.REMINDER, StepKind.REMOVAL)


def a_message_about_safety_reaches_safeguarding_at_once(school: School) -> None:
    sending = may_send(school.person(Role.GUARDIAN), SATURDAY, about_safety=True)
    assert sending.outcome is Outcome.NOW
    assert sending.visible_at == SATURDAY
    assert may_ring(school.person(Role.SAFEGUARDING), SATURDAY, about_safety=True).now


def nobody_writes_outside_the_day(school: School) -> None:
    teacher, family = school.person(Role.TEACHER), school.person(Role.GUARDIAN)
    evening = london("2026-11-23 16:30")
    for person in (teacher, family):
        sending = may_send(person, evening)
        assert sending.outcome is Outcome.REFUSED
    assert sending.opens == london("2026-11-24 08:30")
    assert may_send(teacher, MONDAY_MORNING).outcome is Outcome.REFUSED
    assert may_send(family, MONDAY_MORNING).outcome is Outcome.NOW


def answers_within_two_working_days(school: School) -> None:
    assert answer_promised(school.rules, MONDAY_MORNING).by == london("2026-11-25 16:30")
    assert answer_promised(school.rules, london("2026-11-19 10:00")).by == london("2026-11-23 16:30")
    assert answer_promised(school.rules, london("2027-04-30 10:00")).by == london("2027-05-05 16:30")


def absence_the_usual_way_and_urgent_by_the_office(school: School) -> None:
    _leads(school, Instead.USUAL_CHANNEL, Matter.ABSENCE)
    _leads(school, Instead.CALL_OFFICE, Matter.URGENT)


def agreements_keep_name_and_date(school: School) -> None:
    for role in (Role.PUPIL, Role.GUARDIAN):
        terms = terms_for(school.rules, role, "en")
        assert terms is not None
        assert terms.agreement is Agreement.NAME_AND_DATE


def misuse_can_end_in_removal(school: School) -> None:
    taken: list[StepKind] = []
    while (rung := next_step(school.rules, taken)) is not None and not rung.again:
        taken.append(rung.step)
    assert taken[-1] is StepKind.REMOVAL


def _leads(school: School, instead: Instead, *matters: Matter) -> None:
    for matter in matters:
        assert signpost(school.rules, matter).instead is instead, matter


def _places(school: School, *outcomes: PlaceOutcome) -> None:
    for connected, outcome in enumerate(outcomes):
        assert place_for_guardian(school.rules, connected=connected, parent_or_guardian=True).outcome is outcome
    declined = place_for_guardian(school.rules, connected=0, parent_or_guardian=False)
    assert declined.outcome is PlaceOutcome.DECLINED


def _climbs(school: School, *steps: StepKind) -> None:
    taken: list[StepKind] = []
    for step in steps:
        rung = next_step(school.rules, taken)
        assert rung is not None
        assert rung.step is step
        assert not rung.again
        taken.append(step)
