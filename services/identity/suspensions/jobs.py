"""Suspensions end by themselves."""

from bookbag.chassis.runtime import Runtime
from services.identity.suspensions import actions


async def end_due_suspensions(runtime: Runtime) -> None:
    """Let back in everybody whose suspension has reached its end (ID-11)."""
    while await actions.end_due(runtime) == actions.AT_ONCE:
        pass
