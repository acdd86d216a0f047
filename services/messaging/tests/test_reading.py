"""Reading: pages in both directions, receipts that only move forward, counts, and what joining late shows."""

import pytest

from bookbag.chassis.clock import new_id
from bookbag.messaging.v1.events_pb2 import ThreadRead
from services.messaging.tests.builders import Oak, Somebody


async def _all_pages(one: Somebody, path: str, **params: object) -> list[dict]:
    items, cursor = [], None
    while True:
        page = (await one.get(path, **params, **({"cursor": cursor} if cursor else {}))).json()
        items += page["items"]
        if (cursor := page["next"]) is None:
            return items


@pytest.mark.req("MSG-2")
async def test_pages_go_on_where_the_last_one_ended_in_both_directions(oak: Oak) -> None:
    for number in range(1, 8):
        await oak.teacher.says(oak.thread, f"m{number}")
    path = f"/threads/{oak.thread}/messages"
    newest_first = await _all_pages(oak.rosa, path, limit=3)
    assert [one["text"] for one in newest_first] == ["m7", "m6", "m5", "m4", "m3", "m2", "m1"]
    first = (await oak.rosa.get(path, after=2, limit=3)).json()
    assert [one["text"] for one in first["items"]] == ["m3", "m4", "m5"]
    second = (await oak.rosa.get(path, cursor=first["next"], limit=3)).json()
    assert ([one["text"] for one in second["items"]], second["next"]) == (["m6", "m7"], None)


async def test_a_page_stays_right_while_messages_arrive(oak: Oak) -> None:
    for number in range(1, 5):
        await oak.teacher.says(oak.thread, f"m{number}")
    first = (await oak.rosa.get(f"/threads/{oak.thread}/messages", limit=2)).json()
    await oak.teacher.says(oak.thread, "m5")
    second = (await oak.rosa.get(f"/threads/{oak.thread}/messages", limit=2, cursor=first["next"])).json()
    assert [one["text"] for one in first["items"] + second["items"]] == ["m4", "m3", "m2", "m1"]


async def test_nothing_after_the_newest_message(oak: Oak) -> None:
    await oak.teacher.says(oak.thread, "m1")
    assert (await oak.rosa.get(f"/threads/{oak.thread}/messages", after=1)).json() == {"items": [], "next": None}


@pytest.mark.req("MSG-2")
async def test_a_page_of_a_thread_of_a_hundred_thousand_messages_is_read_by_index(oak: Oak) -> None:
    await oak.changes(
        "insert into message (school_id, message_id, thread_id, seq, author_id, author_side, author_role, language, text, sent_at)"
        " select $1, gen_random_uuid(), $2::uuid, n, $3, 'staff', 'teacher', 'es', 'm' || n, now() from generate_series(1, 100000) n",
        oak.thread, oak.teacher.id,
    )  # fmt: skip
    await oak.changes("update thread set head_seq = 100000 where school_id = $1 and thread_id = $2::uuid", oak.thread)
    await oak.house.owner("messaging", "analyze message")
    for where in ("m.seq < 100001", "m.seq < 50000", "m.seq < 31"):
        async with oak.runtime.database.tenant(oak.id) as tx:
            rows = await tx.fetch(
                "explain (analyze, buffers, timing off, summary off) select * from message m"
                f" where m.school_id = $1 and m.thread_id = $2::uuid and m.seq >= 1 and {where} order by m.seq desc limit 31",
                oak.id, oak.thread,
            )  # fmt: skip
        plan = "\n".join(row[0] for row in rows)
        assert "Index Scan Backward using message_school_id_thread_id_seq_key" in plan, plan
        assert "Sort" not in plan, plan
    assert (await oak.rosa.reads(oak.thread, limit=2)) == ["m100000", "m99999"]
    assert (await oak.rosa.reads(oak.thread, after=49_999, limit=2)) == ["m50000", "m50001"]
    assert (await oak.rosa.sees(oak.thread))["unread"] == 100_000


@pytest.mark.req("MSG-2")
async def test_a_receipt_moves_forward_only(oak: Oak) -> None:
    for number in range(1, 4):
        await oak.teacher.says(oak.thread, f"m{number}")
    for seq, then in ((2, 2), (1, 2), (3, 3), (0, 3), (3, 3)):
        assert (await oak.rosa.put(f"/threads/{oak.thread}/read", {"seq": seq})).status_code == 204
        assert (await oak.rosa.sees(oak.thread))["my_read_seq"] == then
    assert await _receipts_told(oak) == [2, 3]


async def test_a_receipt_never_passes_the_newest_message(oak: Oak) -> None:
    await oak.rosa.put(f"/threads/{oak.thread}/read", {"seq": 5})
    assert (await oak.rosa.sees(oak.thread))["my_read_seq"] == 0
    await oak.teacher.says(oak.thread, "m1")
    await oak.rosa.put(f"/threads/{oak.thread}/read", {"seq": 2**63 - 1})
    assert (await oak.rosa.sees(oak.thread))["my_read_seq"] == 1


@pytest.mark.req("MSG-2")
async def test_what_others_wrote_is_unread_until_it_is_read(oak: Oak) -> None:
    await oak.teacher.says(oak.thread, "m1")
    await oak.teacher.says(oak.thread, "m2")
    assert (await oak.rosa.sees(oak.thread))["unread"] == 2
    assert (await oak.rosa.get("/unread")).json() == {"threads": 1, "messages": 2}
    assert (await oak.teacher.get("/unread")).json() == {"threads": 0, "messages": 0}
    await oak.rosa.put(f"/threads/{oak.thread}/read", {"seq": 1})
    assert (await oak.rosa.get("/unread")).json() == {"threads": 1, "messages": 1}
    await oak.rosa.says(oak.thread, "answering means having read")
    assert (await oak.rosa.get("/unread")).json() == {"threads": 0, "messages": 0}
    assert (await oak.teacher.get("/unread")).json() == {"threads": 1, "messages": 1}


@pytest.mark.req("MSG-2")
async def test_each_side_sees_how_far_the_other_has_read(oak: Oak) -> None:
    luis = await oak.guardian("Luis Vega")
    link = await oak.link(luis, oak.emma)
    await oak.hears_of_link(link, luis)
    await oak.teacher.says(oak.thread, "m1")
    await oak.rosa.put(f"/threads/{oak.thread}/read", {"seq": 1})
    await luis.put(f"/threads/{oak.thread}/read", {"seq": 1})
    seen_by_staff = (await oak.teacher.sees(oak.thread))["others_read"]
    assert [(one["name"], one["seq"]) for one in seen_by_staff] == [("Luis Vega", 1), ("Rosa Vega", 1)]
    seen_by_family = (await oak.rosa.sees(oak.thread))["others_read"]
    assert [(one["name"], one["seq"]) for one in seen_by_family] == [("Ada Hill", 1)], "never the other guardian"


@pytest.mark.req("MSG-14")
async def test_who_joins_later_does_not_read_what_was_confided_before(oak: Oak) -> None:
    await oak.teacher.says(oak.thread, "confided")
    luis = await oak.guardian("Luis Vega")
    link = await oak.link(luis, oak.emma)
    assert (await luis.get(f"/threads/{oak.thread}")).status_code == 404, "until the link has reached the thread"
    await oak.hears_of_link(link, luis)
    assert await luis.reads(oak.thread) == []
    seen = await luis.sees(oak.thread)
    assert (seen["last"], seen["unread"]) == (None, 0)
    assert "confided" not in (await luis.get("/threads")).text

    await oak.teacher.says(oak.thread, "for both")
    assert await luis.reads(oak.thread) == ["for both"]
    assert await luis.reads(oak.thread, after=0) == ["for both"]
    assert (await luis.sees(oak.thread))["unread"] == 1
    assert (await luis.get("/unread")).json() == {"threads": 1, "messages": 1}
    assert await oak.rosa.reads(oak.thread) == ["for both", "confided"]


@pytest.mark.req("MSG-14")
async def test_hearing_of_a_link_again_opens_nothing_more(oak: Oak) -> None:
    await oak.teacher.says(oak.thread, "m1")
    luis = await oak.guardian("Luis Vega")
    link = await oak.link(luis, oak.emma)
    await oak.hears_of_link(link, luis)
    await oak.teacher.says(oak.thread, "m2")
    await oak.hears_of_link(link, luis)
    assert await luis.reads(oak.thread) == ["m2"]


@pytest.mark.req("MSG-14")
async def test_a_link_heard_of_before_the_first_message_reads_it_all(oak: Oak) -> None:
    luis = await oak.guardian("Luis Vega")
    await oak.hears_of_link(new_id(), luis)
    await oak.teacher.says(oak.thread, "m1")
    assert await luis.reads(oak.thread) == ["m1"]


async def test_threads_come_newest_first_page_by_page(oak: Oak) -> None:
    threads = [oak.thread]
    for name in ("Ben Ito", "Cleo Ray", "Dan Wu"):
        pupil = await oak.pupil(name, oak.class_id)
        threads.append(await oak.teacher.opens(pupil.id, oak.seat_id))
    for thread in (threads[2], threads[0], threads[3], threads[1]):
        await oak.teacher.says(thread, "news")
    listed = await _all_pages(oak.teacher, "/threads", limit=2)
    assert [one["id"] for one in listed] == [threads[1], threads[3], threads[0], threads[2]]
    assert [one["id"] for one in await _all_pages(oak.rosa, "/threads", limit=2)] == [threads[0]]


async def test_somebody_with_two_seats_sees_the_threads_of_both(oak: Oak) -> None:
    ash = await oak.school_class("Ash")
    seat = await oak.seat("class_teacher", ash, oak.teacher)
    noah = await oak.pupil("Noah Kay", ash)
    other = await oak.teacher.opens(noah.id, seat)
    await oak.teacher.says(other, "m1")
    await oak.teacher.says(oak.thread, "m1")
    assert [one["id"] for one in await _all_pages(oak.teacher, "/threads", limit=1)] == [oak.thread, other]


async def test_staff_see_the_family_and_guardians_do_not(oak: Oak) -> None:
    await oak.guardian("Luis Vega", oak.emma)
    await oak.teacher.says(oak.thread, "Good morning")
    staff, family = await oak.teacher.sees(oak.thread), await oak.rosa.sees(oak.thread)
    assert staff["family_names"] == ["Luis Vega", "Rosa Vega"]
    assert family["family_names"] == []
    assert family["pupil"] == {"id": str(oak.emma.id), "name": "Emma Vega", "first_name": "Emma"}
    assert family["class"] == {"id": str(oak.class_id), "name": "Oak"}
    assert family["seat"] == {"id": str(oak.seat_id), "kind": "class_teacher", "subject": "", "holders": ["Ada Hill"]}
    assert (family["last"]["author_name"], family["last"]["mine"], family["last"]["text"]) == (
        "Ada Hill",
        False,
        "Good morning",
    )
    assert staff["last"]["mine"] is True


async def test_a_list_shows_the_beginning_of_a_long_message(oak: Oak) -> None:
    await oak.teacher.says(oak.thread, "x" * 4000)
    assert (await oak.rosa.sees(oak.thread))["last"]["text"] == "x" * 140


async def _receipts_told(oak: Oak) -> list[int]:
    async with oak.runtime.across_schools.transaction() as worker:
        rows = await worker.fetch(
            "select payload from outbox where school_id = $1 and type = 'bookbag.messaging.v1.ThreadRead' order by ordinal",
            oak.id,
        )
    return [ThreadRead.FromString(row["payload"]).seq for row in rows]
