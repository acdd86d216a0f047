"""Who may see more than their own notifications: nobody but the office and leaders, who may see how everybody was reached."""

from bookbag.directory.call import MemberTx
from bookbag.school.roles import Role
from services.notify.model import OfficeOnly

SEE_DELIVERIES = frozenset({Role.OFFICE, Role.LEADER})


def prove_may_see_deliveries(tx: MemberTx) -> None:
    """Raises OfficeOnly. A member's own items need no proof beyond the transaction: every query names its person."""
    if tx.member.role not in SEE_DELIVERIES:
        raise OfficeOnly
