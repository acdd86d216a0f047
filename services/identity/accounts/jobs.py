"""Keeps sessions to their retention."""

from datetime import timedelta

from bookbag.chassis.runtime import Runtime
from services.identity.accounts import actions


async def purge_ended_sessions(runtime: Runtime) -> None:
    """Remove sessions that ended or ran out thirty days ago, with the fingerprints of their tokens."""
    await actions.purge_sessions(runtime, older_than=timedelta(days=30))
