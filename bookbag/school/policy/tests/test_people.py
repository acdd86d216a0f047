"""Who may begin and answer, where matters lead, guardians, terms, conduct and review, by the document alone."""

from datetime import date

import pytest

from bookbag.school.policy.document.conduct import Agreement, StepKind
from bookbag.school.policy.document.messages import Instead, Matter
from bookbag.school.policy.rules import (
    PlaceOutcome,
    ReasonCode,
    ReviewState,
    digest_of,
    may_answer,
    may_begin,
    next_review,
    next_step,
    place_for_guardian,
    review_state,
    seat_role,
    signpost,
    terms_for,
)
from bookbag.school.policy.tests.builders import preset, rules
from bookbag.school.roles import STAFF, Role, SeatKind

FAMILY_BEGINS, TEACHER_BEGINS = (Role.GUARDIAN, Role.TEACHER), (Role.TEACHER, Role.GUARDIAN)


@pytest.mark.req("MSG-13")
@pytest.mark.parametrize(
    ("setting", "pair", "own_class", "allowed"),
    [
        ("any", FAMILY_BEGINS, False, True),
        ("any", TEACHER_BEGINS, False, True),
        ("staff_first", FAMILY_BEGINS, True, False),
        ("staff_first", TEACHER_BEGINS, False, True),
        ("class_teachers_only", FAMILY_BEGINS, True, True),
        ("class_teachers_only", FAMILY_BEGINS, False, False),
        ("class_teachers_only", TEACHER_BEGINS, False, False),
        ("off", FAMILY_BEGINS, True, False),
        ("off", TEACHER_BEGINS, True, False),
    ],
)
def test_who_may_begin_follows_the_matrix(
    setting: str, pair: tuple[Role, Role], own_class: bool, allowed: bool
) -> None:
    school = rules({"messages.conversations.families_with.teacher": setting})
    assert may_begin(school, *pair, own_class=own_class).allowed is allowed
    assert may_begin(school, Role.GUARDIAN, Role.LEADER, own_class=False).allowed


@pytest.mark.req("MSG-11", "MSG-13")
def test_pupils_and_families_among_themselves_never_begin_whatever_the_matrix_says() -> None:
    school = rules()
    for role in Role:
        assert not may_begin(school, Role.PUPIL, role, own_class=True).allowed
        assert not may_begin(school, role, Role.PUPIL, own_class=True).allowed
    assert not may_begin(school, Role.GUARDIAN, Role.GUARDIAN, own_class=True).allowed
    assert may_begin(school, Role.TEACHER, Role.OFFICE, own_class=False).allowed
    closed = rules({"messages.conversations.staff_with_staff": "off"})
    assert not may_begin(closed, Role.TEACHER, Role.OFFICE, own_class=True).allowed


@pytest.mark.req("MSG-4", "ID-7")
@pytest.mark.parametrize(
    ("stand_in", "inbox", "absent", "allowed"),
    [
        ("never", "own", True, False),
        ("teacher_absent", "own", False, False),
        ("teacher_absent", "own", True, True),
        ("always", "own", False, True),
        ("never", "shared", False, True),
    ],
)
def test_when_an_assistant_answers_for_the_teacher(stand_in: str, inbox: str, absent: bool, allowed: bool) -> None:
    school = rules({"messages.stand_in": stand_in, "messages.class_inbox": inbox})
    assert may_answer(school, Role.ASSISTANT, SeatKind.CLASS_TEACHER, teacher_absent=absent).allowed is allowed
    assert may_answer(school, Role.TEACHER, SeatKind.CLASS_TEACHER, teacher_absent=absent).allowed
    assert not may_answer(school, Role.ASSISTANT, SeatKind.OFFICE, teacher_absent=absent).allowed
    assert not may_answer(school, Role.SPECIALIST, SeatKind.CLASS_TEACHER, teacher_absent=absent).allowed


def test_every_seat_has_a_role_of_staff_in_the_matrix() -> None:
    assert {seat_role(seat) for seat in SeatKind} <= STAFF


@pytest.mark.req("POL-9")
@pytest.mark.parametrize("letter", "abcde")
def test_every_matter_leads_somewhere_in_every_preset(letter: str) -> None:
    school = preset(letter)
    for matter in Matter:
        found = signpost(school, matter)
        assert found.words["en"]
        assert found.number
        assert found.instead is not Instead.OFFICE_INBOX or found.inbox


@pytest.mark.req("POL-9")
def test_a_matter_with_a_number_of_its_own_leads_there_and_one_left_out_goes_by_message() -> None:
    words = {"en": "Ring the kitchen."}
    school = rules(
        {"signposting.matters": {"dinners": {"instead": "call_office", "number": "01632 960 111", "words": words}}}
    )
    assert signpost(school, Matter.DINNERS).number == "01632 960 111"
    assert signpost(school, Matter.CLUBS).instead is Instead.MESSAGE
    assert signpost(school, Matter.CLUBS).number == "01632 960 100"


@pytest.mark.req("POL-8", "INV-4")
@pytest.mark.parametrize(
    ("changes", "connected", "parent", "outcome", "why"),
    [
        ({}, 1, True, PlaceOutcome.FREE, ReasonCode.PLACE_FREE),
        ({}, 2, True, PlaceOutcome.ON_REQUEST, ReasonCode.PLACE_ON_REQUEST),
        ({}, 0, False, PlaceOutcome.DECLINED, ReasonCode.NOT_A_GUARDIAN),
        ({"codes_for": "anybody_on_file"}, 0, False, PlaceOutcome.FREE, ReasonCode.PLACE_FREE),
        ({"more": "never"}, 2, True, PlaceOutcome.DECLINED, ReasonCode.PLACES_TAKEN),
        ({"per_child": 3}, 2, True, PlaceOutcome.FREE, ReasonCode.PLACE_FREE),
    ],
)
def test_one_more_guardian(changes: dict[str, object], connected: int, parent: bool, outcome: str, why: str) -> None:
    school = rules({"guardians": changes})
    place = place_for_guardian(school, connected=connected, parent_or_guardian=parent)
    assert (place.outcome, place.reason.code) == (outcome, why)
    assert place.approved_by == ((Role.OFFICE,) if outcome is PlaceOutcome.ON_REQUEST else ())


@pytest.mark.req("POL-11")
def test_terms_are_those_of_the_role_in_a_language_they_exist_in() -> None:
    school = preset("c")
    welsh = terms_for(school, Role.GUARDIAN, "cy")
    urdu = terms_for(school, Role.GUARDIAN, "ur")
    assert welsh is not None
    assert urdu is not None
    assert (welsh.language, urdu.language) == ("cy", "en")
    assert welsh.digest != urdu.digest
    assert welsh.digest == digest_of(welsh.version, "cy", welsh.text)
    staff = {terms_for(school, role, "en") for role in STAFF}
    assert len(staff) == 1
    assert terms_for(rules(), Role.PUPIL, "en") is None
    pupils = terms_for(preset("e"), Role.PUPIL, "en")
    assert pupils is not None
    assert pupils.agreement is Agreement.NAME_AND_DATE


@pytest.mark.req("POL-10")
def test_the_ladder_is_climbed_step_by_step_and_its_top_repeats() -> None:
    school = preset("c")
    first = next_step(school, [])
    assert first is not None
    assert (first.step, first.decided_by, first.again) == (StepKind.WARNING, (Role.LEADER,), False)
    second = next_step(school, [StepKind.WARNING])
    assert second is not None
    assert (second.step, second.again) == (StepKind.REMOVAL, False)
    third = next_step(school, [StepKind.WARNING, StepKind.REMOVAL])
    assert third is not None
    assert (third.step, third.again) == (StepKind.REMOVAL, True)
    assert next_step(rules(), []) is None


@pytest.mark.req("POL-2")
@pytest.mark.parametrize(
    ("today", "state"),
    [
        (date(2027, 5, 31), ReviewState.FAR),
        (date(2027, 6, 1), ReviewState.NEAR),
        (date(2027, 7, 1), ReviewState.NEAR),
        (date(2027, 7, 2), ReviewState.PAST),
    ],
)
def test_leaders_are_reminded_of_the_review(today: date, state: ReviewState) -> None:
    assert review_state(rules(), today) is state


@pytest.mark.req("POL-2")
def test_the_next_review_is_proposed_whole_months_later() -> None:
    assert next_review(preset("b"), date(2026, 7, 1)) == date(2027, 7, 1)
    assert next_review(preset("c"), date(2028, 2, 29)) == date(2030, 2, 28)
    assert next_review(rules({"review.every_months": 1}), date(2026, 12, 31)) == date(2027, 1, 31)
