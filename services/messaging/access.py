"""The only way to a thread on behalf of somebody: it is loaded together with the right to it, or it is not theirs."""

from bookbag.directory.call import Member, MemberTx
from services.messaging import store
from services.messaging.model import NotYours, PersonId, PupilsDoNotMessage, Right, SeatId, ThreadId, may_message


async def right_in_thread(tx: MemberTx, thread: ThreadId) -> Right:
    """The member's right in a thread, in the role of their token. Raises NotYours, which says no more than that (MSG-1, MSG-14)."""
    right = await store.find_right(tx, thread)
    if right is None:
        raise NotYours
    return right


async def may_open(tx: MemberTx, pupil: PersonId, seat: SeatId) -> None:
    """Whether the member may open a thread about this pupil with this seat: staff from a seat they hold with the families of its
    pupils, guardians with the seats of their own children's classes. Raises NotYours."""
    if not await store.can_open(tx, pupil, seat):
        raise NotYours


def takes_part(member: Member) -> None:
    """Lists have nothing to hide by being there, so a pupil is told so plainly. Raises PupilsDoNotMessage (MSG-11)."""
    if not may_message(member.role):
        raise PupilsDoNotMessage
