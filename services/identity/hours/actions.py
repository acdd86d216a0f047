"""Reading and changing one's own hours: narrower than the school's, never wider."""

import json

from bookbag.chassis.problems import FORBIDDEN, Problem
from bookbag.directory.call import Call
from bookbag.directory.policy import say_changed
from bookbag.school.policy.document.fields import Week
from bookbag.school.policy.rules import own_hours
from bookbag.school.policy.values import to_data
from services.identity.feed import store as feed
from services.identity.feed.events import fact_about
from services.identity.policy import store
from services.identity.policy.model import OwnHours
from services.identity.roster.model import EditedMeanwhile


def _must_be_staff(call: Call) -> None:
    if not call.who.is_staff:
        raise Problem(FORBIDDEN, "only staff have hours")


async def read_hours(call: Call) -> OwnHours:
    """The member's own hours. Raises Problem `forbidden` for families."""
    async with call.transaction() as tx:
        _must_be_staff(call)
        return await store.own_hours(tx, tx.person)


async def change_hours(call: Call, week: object | None, *, version: int | None) -> OwnHours:
    """Narrow the school's hours, or keep them (None). Obeyed everywhere within seconds.

    Raises PolicyRefused with every mistake, WiderThanTheSchool among them; EditedMeanwhile when `version` is not the newest one;
    Problem `forbidden` for families.
    """
    async with call.transaction() as tx:
        _must_be_staff(call)
        text = "" if week is None else json.dumps(to_data(own_hours(call.rules, week), Week))
        changed = await store.put_own_hours(tx, tx.person, text, version=version)
        if changed is None:
            raise EditedMeanwhile("your hours were changed meanwhile")
        await feed.record(tx, fact_about(tx.school, changed))
    call.runtime.signal("changes")
    say_changed(call.runtime, call.member.school)
    return changed
