"""A backup is taken while people write; in a new installation the services agree again, and nobody gets a mail a second time."""

from pathlib import Path

import asyncpg
import pytest

from bookbag.chassis.database import topic_of
from bookbag.cli.services import NAMES, named
from bookbag.local.keys import KeyFiles
from bookbag.local.testing import TestServers
from tests.backup.school_life import (
    FILES,
    NO_GRACE,
    Writer,
    all_told,
    asked,
    backed_up,
    bookbag,
    files_of,
    letters,
    no_mail_waits,
    put_files,
    told,
)
from tests.support.house import House, built
from tests.support.whole import whole_product

pytestmark = [pytest.mark.req("OPS-5"), pytest.mark.slow, pytest.mark.timeout(300)]


def test_services_agree_after_a_restore_and_nothing_that_was_sent_is_sent_again(
    servers: TestServers, keys: KeyFiles, tmp_path: Path
) -> None:
    for name in ("first", "second", "mails of the first", "mails of the second"):
        (tmp_path / name).mkdir()
    with built(servers, keys, tmp_path / "first") as first:
        with whole_product(first, tmp_path / "mails of the first", **NO_GRACE) as whole:
            whole.seed()
            school = whole.person("Hughes", "teacher")[0]
            put_files(first, school)
            writer = Writer(whole)
            writer.begin()
            whole.wait(lambda: len(writer.acknowledged) > 20 and len(whole.mails) > 5, seconds=60)
            taken = backed_up(whole.environment, str(tmp_path / "backups"))
            enough = len(writer.acknowledged) + 10
            whole.wait(lambda: len(writer.acknowledged) > enough, seconds=60)
            writer.end()
            assert not writer.refused, "a backup stands in nobody's way"
            whole.wait(lambda: all_told(whole) and no_mail_waits(whole), seconds=90)
            first_mails = letters(whole.mails)
            everybody_told = told(whole)

        with built(servers, keys, tmp_path / "second") as second:
            done = bookbag(second.environment, "restore", "--from", taken["place"])
            assert done.returncode == 0, done.stderr
            _lag_is_where_it_must_be(second, taken)
            assert FILES.items() <= files_of(second, school).items()
            at_snapshot = _deliveries(second)
            with whole_product(second, tmp_path / "mails of the second", **NO_GRACE) as again:
                again.wait(lambda: all_told(again) and no_mail_waits(again), seconds=90)
                texts = {
                    row["text"]: row["message_id"]
                    for row in again.rows("messaging", "select text, message_id from message")
                }
                begun = min(_instant(one["at"]) for one in taken["services"].values())
                lost = [text for text, at in writer.acknowledged.items() if at < begun and text not in texts]
                assert not lost, "what was acknowledged before the backup began is in it"
                assert set(texts) - set(writer.acknowledged) == set(), "nothing was made up"
                assert told(again).keys() <= everybody_told.keys()
                mails = letters(again.mails)
                assert len(mails) == len(set(mails)), "no mail went twice"
                sent = {str(row["delivery_id"]) for row in at_snapshot if row["state"] == "sent"}
                assert len(sent) > 5
                assert not sent & set(mails), "what had been sent when the backup was taken does not go again"
                doubled = {str(row["delivery_id"]) for row in at_snapshot} & set(mails) & set(first_mails)
                waiting = {str(row["delivery_id"]) for row in at_snapshot if row["state"] in ("waiting", "failed")}
                assert doubled <= waiting, (
                    "only what waited at that moment may go a second time, under its old Message-ID"
                )
                Writer(again).write(1)
                again.wait(lambda: all_told(again), seconds=60)
                for service in NAMES:
                    assert not again.rows(service, "select 1 from dead_letter")


def _instant(text: str) -> float:
    from datetime import datetime

    return datetime.fromisoformat(text).timestamp()


def _deliveries(house: House) -> list[asyncpg.Record]:
    return asked(house, "notify", "select delivery_id, state from delivery")


def _lag_is_where_it_must_be(house: House, manifest: dict) -> None:
    """Who is told was taken before who tells: nobody has handled an event, or heard a fact, that the backup does not have."""
    assert list(manifest["services"]) == list(reversed(NAMES))
    events = {row["event_id"] for row in asked(house, "messaging", "select event_id from outbox")}
    for service in ("notify", "translate"):
        handled = {row["event_id"] for row in asked(house, service, "select event_id from processed")}
        assert handled <= events, f"{service} has handled what was never told"
    (head,) = asked(house, "identity", "select position from feed_head")
    for service in NAMES[1:]:
        (heard,) = asked(house, service, "select position, heard_at = '-infinity' as unheard from feed_state")
        assert heard["position"] <= head["position"]
        assert heard["unheard"]


def test_whoever_hears_of_something_is_taken_before_who_tells_it() -> None:
    """The order of the services' list is the order of telling; backups go through it backwards."""
    services = named("all")
    assert [service.name for service in services] == list(NAMES)
    assert NAMES[0] == "identity", "everybody hears of identity, by the feed"
    for place, service in enumerate(services):
        heard = {topic_of(event.DESCRIPTOR.full_name) for event in service.hears}
        for other in services[place + 1 :]:
            tells = {topic_of(event.DESCRIPTOR.full_name) for event in other.tells}
            assert not heard & tells, f"{service.name} hears of {other.name}, which is taken before it"
