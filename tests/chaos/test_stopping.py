"""A process that is asked to stop finishes what it has begun and hands back what it holds."""

import threading
from collections import Counter

import httpx2
import pytest

from bookbag.chassis.clock import new_id
from tests.support.whole import Whole

pytestmark = [pytest.mark.chaos, pytest.mark.req("OPS-4")]


def test_requests_in_flight_are_answered_and_leases_are_free_at_once(whole: Whole) -> None:
    teacher = whole.bearer("Hughes", "teacher")
    with whole.client(teacher) as http:
        contact = http.get("/messaging/v1/contacts", params={"q": "Maya"}).json()["items"][0]
        who = {"pupil": contact["pupil"]["id"], "seat": contact["seat"]["id"]}
        thread = http.post("/messaging/v1/threads", json=who).json()["id"]
    outcomes: Counter[str] = Counter()
    stopping = threading.Event()

    def write() -> None:
        while True:
            try:
                with whole.client(teacher) as http:
                    answer = http.post(
                        f"/messaging/v1/threads/{thread}/messages",
                        json={"text": "in flight"},
                        headers={"idempotency-key": new_id().hex},
                    )
                outcomes[str(answer.status_code)] += 1
            except httpx2.ConnectError:
                outcomes["not begun"] += 1
                return
            except httpx2.TransportError as error:
                outcomes[type(error).__name__] += 1
            if outcomes["201"] > 40:
                stopping.set()

    writers = [threading.Thread(target=write) for _ in range(4)]
    for writer in writers:
        writer.start()
    assert stopping.wait(30)
    whole.end("serve")
    for writer in writers:
        writer.join(20)
    kept = whole.rows("messaging", "select count(*) as n from message where text = 'in flight'")[0]["n"]
    # A connection that nobody had accepted yet is reset by the kernel, and one whose request nobody had read is closed; what was begun
    # is answered.
    assert set(outcomes) <= {"201", "not begun", "ReadError", "RemoteProtocolError"}, outcomes
    assert kept == outcomes["201"], "every answered message is kept, and none that was not answered"

    whole.end("work")
    for service in ("identity", "messaging", "translate", "notify"):
        held = whole.rows(service, "select name from lease where expires_at > clock_timestamp()")
        assert [row["name"] for row in held] == []
