"""Chooses the bus of a worker process: Kafka where it is configured, else the outboxes of the services themselves."""

from __future__ import annotations

from collections.abc import Mapping
from typing import TYPE_CHECKING, Any

from bookbag.chassis import runtime as runtimes
from bookbag.chassis.database import topic_of
from bookbag.chassis.outbox_bus import OutboxBus

if TYPE_CHECKING:
    from bookbag.chassis.bus import Bus
    from bookbag.chassis.runtime import Runtime
    from bookbag.chassis.service import Service
    from bookbag.chassis.settings import Platform
    from bookbag.chassis.wake import Wake


def choose(
    platform: Platform, wake: Wake, own: Mapping[str, Runtime], everywhere: Mapping[str, Service], holder: str
) -> tuple[Bus, list[Runtime]]:
    """The bus, and the runtimes of other services that it borrows and that the caller closes.

    With Kafka a worker needs its own database alone. Without, the outboxes are the bus: it also needs the worker database of each
    service of `everywhere` whose events one of its `own` hears.
    """
    if platform.bus == "kafka":
        from bookbag.chassis.kafka_bus import KafkaBus  # the client costs memory, which one machine is short of

        return KafkaBus(platform), []
    heard = {topic_of(event.DESCRIPTOR.full_name) for runtime in own.values() for event in runtime.service.hears}
    borrowed: list[Runtime] = []
    sources: dict[str, Any] = {}
    for service in everywhere.values():
        for topic in {topic_of(event.DESCRIPTOR.full_name) for event in service.tells}:
            if service.name in own:
                sources[topic] = own[service.name].across_schools
            elif topic in heard:
                lent = runtimes.build(service, platform, wake, working=True)
                borrowed.append(lent)
                sources[topic] = lent.across_schools
    return OutboxBus(sources, holder, wake), borrowed
