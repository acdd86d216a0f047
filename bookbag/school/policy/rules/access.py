"""When and from where somebody may come in (POL-4)."""

from dataclasses import dataclass
from datetime import datetime

from bookbag.school.policy.rules.compiled import Address, Person
from bookbag.school.policy.rules.reasons import Reason, ReasonCode, because


@dataclass(frozen=True, slots=True)
class Entry:
    """Whether a person may come in or stay; `until` is when they fall out, `opens` when to come back, if it is about hours."""

    allowed: bool
    until: datetime | None
    opens: datetime | None
    reasons: tuple[Reason, ...]


def may_enter(person: Person, at: datetime, address: Address | None) -> Entry:
    """Whether the person may use the service now from this address; an unknown address is in no network.

    Guardians and pupils come in at any time and from anywhere: the policy limits staff. Ask at sign-in, at each request
    and on the live stream.
    """
    reasons: list[Reason] = []
    right_place = True
    if person.only_from_networks:
        network = person.rules.network_of(address) if address is not None else None
        right_place = network is not None
        code = ReasonCode.ACCESS_RIGHT_PLACE if right_place else ReasonCode.ACCESS_WRONG_PLACE
        reasons.append(because(code, network=network))
    if person.entry.is_open(at):
        until = person.entry.closes_at(at)
        if person.entry_exempt:
            reasons.append(because(ReasonCode.ACCESS_EXEMPT, role=person.role))
        elif person.entry.always:
            reasons.append(because(ReasonCode.ACCESS_ALWAYS))
        else:
            reasons.append(because(ReasonCode.ACCESS_OPEN, until=until))
        return Entry(right_place, until if right_place else None, None, tuple(reasons))
    opens = person.entry.opens_at(at)
    reasons.append(because(ReasonCode.NO_HOURS_KNOWN if opens is None else ReasonCode.ACCESS_CLOSED, opens=opens))
    return Entry(False, None, opens, tuple(reasons))
