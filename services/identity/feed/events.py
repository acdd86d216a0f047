"""What identity tells the other services: the builders of the facts of the access feed, each the whole state of one thing."""

from datetime import datetime
from typing import assert_never
from uuid import UUID

from google.protobuf.timestamp_pb2 import Timestamp

from bookbag.identity.v1 import access_pb2 as pb
from services.identity.policy.model import BreakGlass, OwnHours, PolicyVersion
from services.identity.roster.model import (
    Enrolment,
    Link,
    Membership,
    Person,
    School,
    SchoolClass,
    Seat,
    SeatHolder,
    Standing,
    Thing,
)

_STANDINGS = {
    Standing.ACTIVE: pb.STANDING_ACTIVE,
    Standing.SUSPENDED: pb.STANDING_SUSPENDED,
    Standing.ENDED: pb.STANDING_ENDED,
}


def fact_about(school: UUID, thing: Thing | PolicyVersion | OwnHours | BreakGlass) -> pb.AccessChange:
    """The fact that tells the whole present state of one thing."""
    change = pb.AccessChange(school_id=str(school), revision=thing.revision)
    match thing:
        case School():
            change.school.CopyFrom(school_message(thing))
        case Person():
            change.person.CopyFrom(
                pb.Person(
                    person_id=str(thing.id),
                    display_name=thing.name,
                    first_name=thing.first_name,
                    language=thing.language,
                )
            )
        case Membership():
            change.membership.CopyFrom(
                pb.Membership(
                    person_id=str(thing.person),
                    role=thing.role,
                    standing=_STANDINGS[thing.standing],
                    epoch=thing.epoch,
                )
            )
        case SchoolClass():
            change.school_class.CopyFrom(
                pb.SchoolClass(class_id=str(thing.id), name=thing.name, archived=thing.archived)
            )
        case Enrolment():
            change.enrolment.CopyFrom(
                pb.Enrolment(class_id=str(thing.school_class), pupil_id=str(thing.pupil), ended=thing.ended)
            )
        case Seat():
            change.seat.CopyFrom(
                pb.Seat(
                    seat_id=str(thing.id),
                    kind=thing.kind,
                    class_id=str(thing.school_class or ""),
                    subject=thing.subject,
                )
            )
        case SeatHolder():
            change.seat_holder.CopyFrom(
                pb.SeatHolder(seat_id=str(thing.seat), person_id=str(thing.person), ended=thing.ended)
            )
        case Link():
            change.guardianship.CopyFrom(
                pb.Guardianship(
                    link_id=str(thing.id),
                    pupil_id=str(thing.pupil),
                    person_id=str(thing.person),
                    relationship=thing.relationship,
                    ended=thing.ended,
                )
            )
        case PolicyVersion() | OwnHours() | BreakGlass():
            _tell_rules(change, thing)
        case _:
            assert_never(thing)
    return change


def _tell_rules(change: pb.AccessChange, thing: PolicyVersion | OwnHours | BreakGlass) -> None:
    match thing:
        case PolicyVersion():
            change.policy_version.CopyFrom(
                pb.PolicyVersion(
                    number=thing.number,
                    document=thing.data,
                    made_at=_timestamp(thing.made_at),
                    counts_from=_timestamp(thing.counts_from),
                    author_id=str(thing.author or ""),
                )
            )
        case OwnHours():
            change.own_hours.CopyFrom(pb.OwnHours(person_id=str(thing.person), week=thing.week))
        case BreakGlass():
            change.break_glass.CopyFrom(
                pb.BreakGlass(person_id=str(thing.person), role=thing.role, until=_timestamp(thing.until))
            )


def session_ended(school: UUID, session: UUID, *, at: datetime, revision: int) -> pb.AccessChange:
    """The fact that tokens of a session are refused from now on."""
    return pb.AccessChange(
        school_id=str(school),
        revision=revision,
        ended_session=pb.EndedSession(session_id=str(session), ended_at=_timestamp(at)),
    )


def _timestamp(at: datetime) -> Timestamp:
    told = Timestamp()
    told.FromDatetime(at)
    return told


def school_message(school: School) -> pb.School:
    """A school as siblings see it."""
    return pb.School(
        school_id=str(school.id),
        code=school.code,
        name=school.name,
        country=school.country,
        zone=school.zone,
        language=school.language,
        policy_preset=school.policy_preset,
    )
