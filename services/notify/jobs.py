"""Timed work: mail rounds each second in every worker, and forgetting what is past its time."""

from datetime import timedelta

from bookbag.chassis.runtime import Runtime
from bookbag.chassis.service import Job
from services.notify import actions
from services.notify.mail.rounds import rounds_of


async def deliver_due_mails(runtime: Runtime) -> None:
    """Send on their way as many due mails as hands are free."""
    await rounds_of(runtime).make()


async def forget_old_rows(runtime: Runtime) -> None:
    """Keep the tables to their retention."""
    await actions.forget_old(runtime)


JOBS = (
    Job("deliver_due_mails", every=timedelta(seconds=1), run=deliver_due_mails, alone=False, wake="notify:deliver"),
    Job("forget_old_rows", every=timedelta(minutes=10), run=forget_old_rows),
)
