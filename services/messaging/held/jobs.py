"""Timed work: what waits is released when its hour comes."""

from datetime import timedelta

from bookbag.chassis.runtime import Runtime
from bookbag.chassis.service import Job
from services.messaging.held import actions


async def release_held_messages(runtime: Runtime) -> None:
    """Release what is due in all schools."""
    while await actions.release_due(runtime):
        pass


JOBS = (Job("release_held_messages", every=timedelta(seconds=1), run=release_held_messages),)
"""By one worker, so that a thread has one who releases; the lock on the thread holds even if two believe they are it."""
