"""What becomes of a delivery is counted and traced, and neither says whose it was."""

from collections.abc import AsyncIterator

import pytest
import structlog
from prometheus_client import REGISTRY, generate_latest

from bookbag.chassis import tracing
from services.notify.tests.conftest import Town
from tests.support.collector import Collector, collecting

MARTA, TOM = "marta@example.org", "tom@example.org"


@pytest.fixture
async def collector() -> AsyncIterator[Collector]:
    with collecting() as receiver:
        tracing.set_up("test", "1", receiver.endpoint, 1.0)
        yield receiver
        tracing.close()


def deliveries(channel: str, outcome: str, reason: str = "") -> float:
    labels = {"channel": channel, "outcome": outcome, "reason": reason}
    return REGISTRY.get_sample_value("bookbag_deliveries_total", labels) or 0


@pytest.mark.req("OPS-3", "PRV-5")
@pytest.mark.parametrize(
    ("mood", "outcome", "reason"),
    [("refuse", "dead", "address-refused"), ("spam", "dead", "mail-refused"), ("busy", "failed", "server-busy"),
     ("reset", "failed", "server-away")],
)  # fmt: skip
async def test_a_refused_mail_is_counted_and_traced_without_a_word_of_the_refusal(
    town: Town, collector: Collector, mood: str, outcome: str, reason: str
) -> None:
    town.post.moods[MARTA] = mood
    before = deliveries("email", outcome, reason)
    with structlog.testing.capture_logs() as lines, tracing.span("messaging", "cause", apart=True):
        await town.message()
        await town.after(seconds=21)
    assert town.post.tries.count(MARTA) == 1, "it was refused"
    assert deliveries("email", outcome, reason) == before + 1
    tracing.close()
    (cause,) = collector.named("cause")
    hands = {span.attributes.get("error.type") for span in collector.named("smtp hand-over", trace=cause.trace)}
    assert hands == {None, reason}, "Tom got his"
    said = collector.raw.decode("latin-1") + repr(lines) + generate_latest().decode()
    for word in (MARTA, TOM, "Oak", "nobody of that name", "come back later", str(town.guardian)):
        assert word not in said


@pytest.mark.req("OPS-3")
async def test_a_delivery_of_a_row_from_before_is_a_trace_of_its_own(town: Town, collector: Collector) -> None:
    await town.message()
    async with town.runtime.database.tenant(town.school) as tx:
        await tx.execute("update delivery set trace = null where school_id = $1", town.school)
    await town.after(seconds=21)
    assert len(town.post.to(MARTA)) == 1
    tracing.close()
    assert {span.parent for span in collector.named("deliver email")} == {""}
    assert collector.named("mail round") == []
