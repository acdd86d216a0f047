"""The figures read from a database are true when they are sampled, and gone when nobody samples them any more."""

from uuid import uuid4

import pytest
from google.protobuf.wrappers_pb2 import Int64Value
from prometheus_client import REGISTRY

from bookbag.chassis import measures
from bookbag.chassis.consumer import EventCall
from bookbag.chassis.migrate import CHASSIS
from bookbag.chassis.outbox_bus import OutboxBus
from bookbag.chassis.samples import SAMPLE, sample
from bookbag.chassis.service import Service
from bookbag.chassis.settings import ServiceSettings
from tests.support.house import House


async def nothing(_: EventCall, __: Int64Value) -> None:
    """Hear and do nothing."""


TOY = Service(
    name="toy",
    settings=ServiceSettings,
    migrations=(("chassis", CHASSIS),),
    tells=[Int64Value],
    hears={Int64Value: nothing},
)


def shown(name: str, **labels: str) -> float | None:
    return REGISTRY.get_sample_value(name, labels)


@pytest.mark.req("OPS-3")
async def test_what_waits_is_parked_or_dead_is_counted_with_the_age_of_the_oldest(fresh_house: House) -> None:
    school = uuid4()
    async with fresh_house.runtime(TOY) as runtime:
        runtime.state["bus"] = OutboxBus({"google.protobuf": runtime.across_schools}, "sampler", runtime.wake)
        for _ in range(12):
            async with runtime.database.tenant(school) as tx:
                await tx.tell(Int64Value(value=1), key=uuid4())
        columns = "school_id, consumer, event_id, topic, bucket, key, type, payload, occurred_at"
        worker = runtime.across_schools
        values = "select school_id, 'toy', event_id, topic, bucket, key, type, payload, occurred_at from outbox limit"
        await worker.execute(f"insert into parked_record ({columns}) {values} 3")
        await worker.execute(
            f"insert into dead_letter ({columns}, attempts, error) select *, 5, 'E' from ({values} 2) d"
        )
        await worker.execute("update outbox set occurred_at = occurred_at - interval '90 seconds' where event_id ="
                             " (select event_id from outbox order by bucket desc, ordinal limit 1)")  # fmt: skip
        await worker.execute("update outbox_head set position = 5 where bucket in (1, 2)")
        await sample(runtime)
        assert shown("bookbag_outbox_waiting", service_name="toy") == 12
        assert 90 <= (shown("bookbag_outbox_oldest_age_seconds", service_name="toy") or 0) < 150
        assert shown("bookbag_parked_records", service_name="toy") == 3
        assert shown("bookbag_dead_letters", service_name="toy") == 2
        assert shown("bookbag_consumer_lag", consumer="toy", topic="google.protobuf") == 10
        await worker.execute("update outbox set published_at = now()")
        await sample(runtime)
        assert shown("bookbag_outbox_waiting", service_name="toy") == 0
        assert shown("bookbag_outbox_oldest_age_seconds", service_name="toy") == 0


def test_one_worker_of_all_samples_a_service() -> None:
    assert SAMPLE.alone
    assert SAMPLE.every.total_seconds() * 3 < measures.FRESH_SECONDS, "a value outlives a run that was missed"


def test_what_is_no_longer_sampled_is_no_longer_shown(monkeypatch: pytest.MonkeyPatch) -> None:
    figure = measures.Sampled()
    figure.set(3, "toy")
    assert list(figure.read()) == [(("toy",), 3)]
    monkeypatch.setattr(measures, "FRESH_SECONDS", -1.0)
    assert list(figure.read()) == []
