"""Nobody gets past the terms without accepting (POL-11): asked for every request of every service, without a query.

A token names the version its holder had accepted when it was issued; the rules name the version that is due. A new version
therefore asks everybody again within seconds, and a token taken after the acceptance opens the doors again.
"""

from bookbag.chassis.problems import Problem
from bookbag.directory.problems import TERMS_NOT_ACCEPTED
from bookbag.school.policy.rules import SchoolRules, terms_version
from bookbag.school.roles import Role


def refuse_without_terms(rules: SchoolRules, role: Role, accepted: str) -> None:
    """Raise Problem `terms-not-accepted` unless `accepted` is the version that is due for this role, or none is."""
    due = terms_version(rules, role)
    if due is not None and accepted != due:
        raise Problem(TERMS_NOT_ACCEPTED, extra={"version": due})
