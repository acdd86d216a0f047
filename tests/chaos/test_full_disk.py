"""The disk of the one-machine run is full: said in words, nothing half-written, and all goes on once there is room."""

import errno
import time
from collections import Counter
from pathlib import Path

import asyncpg
import httpx2
import pytest

from tests.chaos.faults import pid_of
from tests.support.house import eventually
from tests.support.product import running
from tests.support.small_disk import small_disk

pytestmark = [pytest.mark.chaos, pytest.mark.slow, pytest.mark.timeout(300), pytest.mark.req("OPS-4")]

MEGABYTES = 700
LONG = "Long " * 780
"""Nearly as long as a message may be, so that a table needs a new page for every other one."""


def fill(file: Path) -> None:
    """Write until not one more block fits."""
    block = 1024 * 1024
    with file.open("wb", buffering=0) as out:
        while block >= 512:
            try:
                out.write(b"\0" * block)
            except OSError as error:
                if error.errno != errno.ENOSPC:
                    raise
                block //= 2


class Teacher:
    """Sends one message after the other, and keeps what was answered."""

    def __init__(self, http: httpx2.Client) -> None:
        self._http = http
        contact = http.get("/messaging/v1/contacts", params={"q": "Maya"}).json()["items"][0]
        who = {"pupil": contact["pupil"]["id"], "seat": contact["seat"]["id"]}
        opened = http.post("/messaging/v1/threads", json=who, headers={"idempotency-key": f"open-{who['pupil']}"})
        self.thread = opened.json()["id"]
        self.sent = 0
        self.kept: list[str] = []
        self.refused: list[str] = []

    def send(self, number: int | None = None) -> httpx2.Response:
        """The next message, or an earlier one once more under its key."""
        if number is None:
            number, self.sent = self.sent, self.sent + 1
        answer = self._http.post(
            f"/messaging/v1/threads/{self.thread}/messages",
            json={"text": f"{number} {LONG}"},
            headers={"idempotency-key": f"full-disk-{number}"},
        )
        (self.kept if answer.status_code == 201 else self.refused).append(str(number))
        return answer

    def reads(self) -> int:
        return self._http.get(f"/messaging/v1/threads/{self.thread}/messages").status_code


async def texts(environment: dict[str, str]) -> Counter[str]:
    """Every message of the thread by its number."""
    connection = await asyncpg.connect(environment["BOOKBAG_MESSAGING_BACKUP_URL"])
    try:
        rows = await connection.fetch("select text from message where text like '%Long Long%'")
        assert all(row["text"].endswith(LONG) for row in rows)
        return Counter(row["text"].split()[0] for row in rows)
    finally:
        await connection.close()


async def test_a_full_disk_is_said_in_words_and_room_is_enough_to_go_on(tmp_path: Path) -> None:
    with (
        small_disk(tmp_path / "disk", MEGABYTES) as disk,
        running(disk.folder / "data", prefix=disk.prefix) as product,
        product.client("Hughes", "teacher") as http,
    ):
        seen = disk.seen_by(product.process.pid)
        product.folder = seen / "data"
        environment, teacher = product.environment(), Teacher(http)
        assert teacher.send().status_code == 201
        ours = [pid_of(product, kind) for kind in ("api", "worker")]
        fill(seen / "filler")

        answer, end = teacher.send(), time.monotonic() + 60
        while answer.status_code == 201:
            assert time.monotonic() < end, "the disk was never full"
            answer = teacher.send()
        assert (answer.status_code, answer.json()["code"]) == (503, "storage-full")
        assert "no room left" in answer.json()["title"]
        assert int(answer.headers["retry-after"]) > 0
        assert teacher.reads() == 200, "what is there can be read"
        for _ in range(50):
            assert teacher.send().status_code in {201, 503}

        (seen / "filler").unlink()

        async def goes_on() -> bool:
            return teacher.send().status_code == 201

        await eventually(goes_on, seconds=40)
        refused, teacher.refused = teacher.refused, []
        for number in refused:
            assert teacher.send(int(number)).status_code == 201, "the same key may be sent again"
        assert await texts(environment) == Counter(dict.fromkeys(teacher.kept, 1))
        assert [pid_of(product, kind) for kind in ("api", "worker")] == ours, "a full disk ends no process of ours"
