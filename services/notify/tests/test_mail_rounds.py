"""When a mail goes, to whom, how often, and what keeps it from going."""

import asyncio
from datetime import timedelta

import pytest

from bookbag.chassis.clock import new_id
from services.notify.mail.rounds import CLAIM, rounds_of
from services.notify.tests.conftest import Town, town_in
from tests.support.house import House, eventually

MARTA, TOM = "marta@example.org", "tom@example.org"


@pytest.mark.req("NTF-1", "TR-6")
async def test_a_mail_goes_after_the_grace_in_the_readers_language_to_one_recipient(town: Town):
    await town.message()
    await town.after(seconds=19)
    assert town.post.mails == []

    await town.after(seconds=2)

    [mail] = town.post.to(MARTA)
    assert mail["Content-Language"] == "es"
    assert "Oak School" in mail["Subject"]
    assert all(len(recipients) == 1 for recipients, _ in town.post.envelopes)
    assert (await town.deliveries())[town.guardian] == ("sent", None)


async def test_a_message_seen_before_the_grace_is_over_sends_no_mail(town: Town):
    await town.message()
    await town.reads(town.guardian, 1)
    await town.after(seconds=60)

    assert town.post.to(MARTA) == []
    assert len(town.post.to(TOM)) == 1
    assert (await town.deliveries())[town.guardian] == ("cancelled", "seen")


@pytest.mark.req("NTF-1")
async def test_whoever_unsubscribed_gets_the_item_and_no_mail(town: Town):
    async with town.house.client(town.runtime) as client:
        bearer = town.bearer(town.guardian, "guardian")
        changed = await client.patch("/v1/preferences", json={"email": False}, headers=bearer | {"if-match": '"1"'})
        assert changed.status_code == 200
    await town.message()
    await town.after(seconds=60)

    assert await town.count("notification", town.guardian) == 1
    assert town.post.to(MARTA) == []
    assert (await town.deliveries())[town.guardian] == ("cancelled", "unsubscribed")


@pytest.mark.req("NTF-1")
async def test_whoever_unsubscribes_while_a_mail_waits_does_not_get_it(town: Town):
    await town.message()
    async with town.house.client(town.runtime) as client:
        bearer = town.bearer(town.guardian, "guardian")
        await client.patch("/v1/preferences", json={"email": False}, headers=bearer | {"if-match": '"1"'})
    await town.after(seconds=60)

    assert town.post.to(MARTA) == []
    assert (await town.deliveries())[town.guardian] == ("cancelled", "unsubscribed")


@pytest.mark.req("NTF-3")
async def test_nothing_goes_to_somebody_whose_link_ended_after_the_event(town: Town):
    await town.message()
    town.owner.readers = [reader for reader in town.owner.readers if reader.person_id != str(town.guardian)]
    await town.after(seconds=60)

    assert town.post.to(MARTA) == []
    assert len(town.post.to(TOM)) == 1
    assert (await town.deliveries())[town.guardian] == ("cancelled", "no-right")


@pytest.mark.req("ID-11")
async def test_nothing_goes_to_somebody_suspended_after_the_event_even_if_the_owner_has_not_heard(town: Town):
    await town.message()
    await town.knows(town.guardian, "guardian", "Marta Ruiz", "es", standing="suspended")
    await town.after(seconds=60)

    assert town.post.to(MARTA) == []
    assert (await town.deliveries())[town.guardian] == ("cancelled", "no-right")


async def test_while_nobody_can_say_who_is_who_nothing_is_delivered(town: Town):
    await town.message()
    await town.runtime.database.execute("update feed_state set heard_at = '-infinity'")
    await town.after(seconds=60)
    assert town.post.mails == []

    await town.runtime.database.execute("update feed_state set heard_at = 'infinity'")
    await town.after(seconds=10)
    assert len(town.post.to(MARTA)) == 1


@pytest.mark.parametrize("who", ["owner", "identity"])
async def test_while_somebody_who_must_be_asked_is_away_mails_wait_and_no_attempt_counts(town: Town, who: str):
    await town.message()
    getattr(town, who).away = True
    await town.after(seconds=60)
    assert (await town.deliveries())[town.guardian] == ("waiting", None)

    getattr(town, who).away = False
    await town.after(seconds=10)
    assert (await town.deliveries())[town.guardian] == ("sent", None)


async def test_addresses_are_asked_for_together(fresh_house: House):
    async with town_in(fresh_house) as town:
        await town.message()
        await town.after(seconds=60)

        assert town.identity.asked == [2]


async def test_somebody_online_is_waited_for_until_they_have_gone(town: Town):
    await town.message()
    async with town.runtime.database.tenant(town.school) as tx:
        await tx.execute(
            "insert into online (school_id, person_id, role, until) values ($1, $2, 'guardian', $3)",
            town.school, town.guardian, town.clock.now() + timedelta(seconds=50),
        )  # fmt: skip
    await town.after(seconds=30)
    assert (await town.deliveries())[town.guardian] == ("waiting", "online")
    assert town.post.to(MARTA) == []

    await town.after(seconds=60)
    assert len(town.post.to(MARTA)) == 1


@pytest.mark.req("ID-10")
async def test_being_online_in_another_role_keeps_no_mail_back(town: Town):
    await town.message()
    async with town.runtime.database.tenant(town.school) as tx:
        await tx.execute(
            "insert into online (school_id, person_id, role, until) values ($1, $2, 'teacher', $3)",
            town.school, town.guardian, town.clock.now() + timedelta(hours=1),
        )  # fmt: skip
    await town.after(seconds=30)

    assert len(town.post.to(MARTA)) == 1


@pytest.mark.parametrize(
    "address", ["", "not an address", "two@example.org, three@example.org", "a@b.org\r\nBcc: x@y.org"]
)
async def test_without_a_usable_address_nothing_is_handed_over(town: Town, address: str):
    town.identity.contacts[town.guardian] = (address, "es")
    await town.message()
    await town.after(seconds=60)

    assert [recipients for recipients, _ in town.post.envelopes] == [[TOM]]
    assert (await town.deliveries())[town.guardian] == ("cancelled", "no-address")


@pytest.mark.req("NTF-4")
@pytest.mark.parametrize(("mood", "reason"), [("busy", "server-busy"), ("reset", "server-away")])
async def test_trouble_that_passes_is_tried_again_with_growing_pauses(town: Town, mood: str, reason: str):
    town.post.moods[MARTA] = mood
    await town.message()
    await town.after(seconds=20)
    assert (await town.deliveries())[town.guardian] == ("failed", reason)

    for pause in (30, 60, 120):
        tries = town.post.tries.count(MARTA)
        await town.after(seconds=pause - 1)
        assert town.post.tries.count(MARTA) == tries
        await town.after(seconds=1)
        assert town.post.tries.count(MARTA) == tries + 1

    del town.post.moods[MARTA]
    await town.after(hours=1)
    assert (await town.deliveries())[town.guardian] == ("sent", None)
    assert len(town.post.to(MARTA)) == 1


@pytest.mark.req("NTF-4")
async def test_after_a_day_of_trouble_a_mail_is_dead_and_says_so(town: Town):
    town.post.moods[MARTA] = "busy"
    await town.message()
    for _ in range(30):
        await town.after(hours=1)

    assert (await town.deliveries())[town.guardian] == ("dead", "gave-up")


@pytest.mark.req("NTF-4")
@pytest.mark.parametrize(("mood", "reason"), [("refuse", "address-refused"), ("spam", "mail-refused")])
async def test_a_refusal_for_good_is_dead_at_once(town: Town, mood: str, reason: str):
    town.post.moods[MARTA] = mood
    await town.message()
    await town.after(seconds=20)
    await town.after(hours=3)

    assert town.post.tries.count(MARTA) == 1
    assert (await town.deliveries())[town.guardian] == ("dead", reason)


async def test_a_mail_that_was_taken_counts_as_sent_whatever_happens_to_the_connection(town: Town):
    town.post.moods[MARTA] = "vanish"
    await town.message()
    await town.after(seconds=20)
    first = (await town.deliveries())[town.guardian]
    town.post.moods.clear()
    await town.after(hours=1)

    identities = {mail["Message-ID"] for mail in town.post.to(MARTA)}
    assert len(identities) == 1
    assert first[0] in {"sent", "failed"}


async def test_a_server_that_hangs_on_one_mail_does_not_hold_up_the_others(town: Town):
    town.post.moods[MARTA] = "hang"
    await town.message()
    town.clock.move(timedelta(seconds=20))
    await rounds_of(town.runtime).make()
    await town.post.hanging.wait()

    async def tom_has_his_mail() -> bool:
        await rounds_of(town.runtime).make()
        return len(town.post.to(TOM)) == 1

    await eventually(tom_has_his_mail)
    assert (await town.deliveries())[town.guardian] == ("sending", None)

    town.post.patience.set()
    await rounds_of(town.runtime).settle(10)
    assert (await town.deliveries())[town.guardian] == ("sent", None)


@pytest.mark.req("NTF-3")
async def test_two_workers_never_send_the_same_mail(town: Town):
    peers = {"BOOKBAG_PEERS": town.runtime.platform.model_dump_json(include={"peers"})[9:-1]}
    smtp = {"BOOKBAG_SMTP_URL": town.runtime.platform.smtp_url.get_secret_value()}
    async with town.house.runtime("notify", clock=town.clock, **peers, **smtp) as second:
        for _ in range(10):
            await town.message()
        town.clock.move(timedelta(seconds=20))

        async def all_sent() -> bool:
            await asyncio.gather(rounds_of(town.runtime).make(), rounds_of(second).make())
            return len(town.post.envelopes) >= 20

        await eventually(all_sent)
        await rounds_of(town.runtime).settle(10)
        await rounds_of(second).settle(10)
        await town.rounds()

    assert len(town.post.to(MARTA)) == len(town.post.to(TOM)) == 10
    assert len({mail["Message-ID"] for mail in town.post.mails}) == 20


@pytest.mark.req("NTF-3")
async def test_a_worker_killed_while_handing_over_doubles_only_that_mail_under_the_same_message_id(town: Town):
    town.post.moods[MARTA] = "hang"
    await town.message()
    town.clock.move(timedelta(seconds=20))
    await rounds_of(town.runtime).make()
    await town.post.hanging.wait()

    async def the_other_mail_is_written_down() -> bool:
        return (await town.deliveries())[town.other_guardian] == ("sent", None)

    await eventually(the_other_mail_is_written_down)
    await rounds_of(town.runtime).settle(0)  # as a kill would: broken off, nothing written down
    assert (await town.deliveries())[town.guardian] == ("sending", None)
    town.post.patience.set()

    await town.after(seconds=CLAIM.total_seconds() - 1)
    assert (await town.deliveries())[town.guardian] == ("sending", None)
    await town.after(seconds=2)
    assert (await town.deliveries())[town.guardian] == ("sent", None)
    assert len({mail["Message-ID"] for mail in town.post.to(MARTA)}) == 1
    assert len(town.post.to(TOM)) == 1


async def test_a_mail_a_killed_worker_left_behind_does_not_go_once_the_message_was_seen(town: Town):
    town.post.moods[MARTA] = "hang"
    await town.message()
    town.clock.move(timedelta(seconds=20))
    await rounds_of(town.runtime).make()
    await town.post.hanging.wait()
    await rounds_of(town.runtime).settle(0)
    town.post.patience.set()
    await town.reads(town.guardian, 1)
    await town.after(seconds=CLAIM.total_seconds() + 1)

    assert (await town.deliveries())[town.guardian] == ("cancelled", "seen")
    assert town.post.tries.count(MARTA) == 1


@pytest.mark.req("NTF-3")
async def test_every_try_of_one_delivery_has_the_same_message_id(town: Town):
    town.post.moods[MARTA] = "vanish"
    await town.message()
    await town.after(seconds=20)
    await town.house.owner("notify", "update delivery set state = 'failed', due_at = '-infinity', claimed_until = null")
    await town.after(hours=1)

    assert len(town.post.to(MARTA)) == 2
    assert len({mail["Message-ID"] for mail in town.post.to(MARTA)}) == 1


@pytest.mark.req("PRV-2")
async def test_what_is_past_its_time_is_forgotten(town: Town):
    from services.notify import actions

    await town.message()
    await town.after(seconds=30)
    town.clock.move(timedelta(hours=25))
    await actions.forget_old(town.runtime)
    assert await town.count("stream_event", town.guardian) == 0
    assert await town.count("notification", town.guardian) == 1

    town.clock.move(timedelta(days=366))
    await actions.forget_old(town.runtime)
    for table in ("notification", "delivery", "unsubscribe_link"):
        assert await town.count(table, town.guardian) == 0


async def test_a_stranger_of_another_school_is_not_in_a_mail(town: Town):
    await town.message(author=new_id())
    await town.after(seconds=60)

    assert {recipient for recipients, _ in town.post.envelopes for recipient in recipients} == {
        MARTA,
        TOM,
        "ada@example.org",
    }
