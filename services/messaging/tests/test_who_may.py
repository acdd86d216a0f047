"""Nobody in who does not belong: what is not yours looks exactly like what is not there."""

from collections.abc import Awaitable, Callable
from datetime import timedelta
from uuid import uuid4

import asyncpg
import httpx2
import pytest

from bookbag.school.roles import SEAT_ROLES, Role, SeatKind
from services.messaging.tests.builders import Oak, School, Somebody

Asked = Callable[[Somebody, str], Awaitable[httpx2.Response]]


async def _get(one: Somebody, thread: str) -> httpx2.Response:
    return await one.get(f"/threads/{thread}")


async def _page(one: Somebody, thread: str) -> httpx2.Response:
    return await one.get(f"/threads/{thread}/messages")


async def _later(one: Somebody, thread: str) -> httpx2.Response:
    return await one.get(f"/threads/{thread}/messages", after=0)


async def _post(one: Somebody, thread: str) -> httpx2.Response:
    return await one.post(f"/threads/{thread}/messages", {"text": "Let me in"})


async def _read(one: Somebody, thread: str) -> httpx2.Response:
    return await one.put(f"/threads/{thread}/read", {"seq": 1})


every_way = pytest.mark.parametrize("ask", [_get, _page, _later, _post, _read])


@every_way
@pytest.mark.req("MSG-1", "MSG-11", "MSG-14")
async def test_a_thread_of_others_looks_like_one_that_is_not_there(oak: Oak, other_school: Oak, ask: Asked) -> None:
    await oak.teacher.says(oak.thread, "For Rosa")
    assert (await ask(oak.teacher, oak.thread)).status_code < 300
    absent = await ask(oak.teacher, str(uuid4()))
    assert (absent.status_code, absent.json()["code"]) == (404, "not-found")
    jan = await oak.pupil("Jan Nowak", oak.class_id)
    strangers = {
        "the pupil themself": oak.emma,
        "the pupil claiming to be a guardian": await oak.person("", "guardian", known_as=oak.emma.id),
        "a guardian of another child": await oak.guardian("Ewa Nowak", jan),
        "a guardian of nobody": await oak.guardian("Nobody Known"),
        "a teacher of another class": await oak.person("Bea Lund", "teacher"),
        "an assistant": await oak.person("Cy Fox", "assistant"),
        "a leader": await oak.person("Di Roe", "leader"),
        "another school's teacher": other_school.teacher,
        "another school's guardian": other_school.rosa,
    }
    for who, stranger in strangers.items():
        refused = await ask(stranger, oak.thread)
        assert (refused.status_code, refused.content) == (404, absent.content), who
    assert await oak.asks("select count(*) from message where school_id = $1 and author_id <> $2", oak.teacher.id) == 0
    assert await oak.asks("select count(*) from receipt where school_id = $1 and person_id <> $2", oak.teacher.id) == 0


@every_way
@pytest.mark.req("MSG-14")
async def test_an_ended_link_sees_nothing_at_once(oak: Oak, ask: Asked) -> None:
    await oak.teacher.says(oak.thread, "For Rosa")
    assert (await ask(oak.rosa, oak.thread)).status_code < 300
    await oak.ends_link(oak.rosa)
    assert (await ask(oak.rosa, oak.thread)).status_code == 404
    assert (await oak.rosa.get("/threads")).json()["items"] == []
    assert (await oak.rosa.get("/contacts")).json()["items"] == []
    assert (await oak.rosa.get("/unread")).json() == {"threads": 0, "messages": 0}


@every_way
@pytest.mark.req("MSG-14")
async def test_a_thread_survives_a_change_of_teacher(oak: Oak, ask: Asked) -> None:
    await oak.teacher.says(oak.thread, "From Ada")
    bea = await oak.person("Bea Lund", "teacher")
    assert (await ask(bea, oak.thread)).status_code == 404
    await oak.holds(bea, oak.seat_id)
    await oak.changes(
        "update known_seat_holder set ended = true where school_id = $1 and person_id = $2", oak.teacher.id
    )
    assert (await ask(bea, oak.thread)).status_code < 300
    assert (await ask(oak.teacher, oak.thread)).status_code == 404


@every_way
@pytest.mark.parametrize(
    ("standing", "status", "code"), [("suspended", 403, "suspended"), ("ended", 401, "signed-out")]
)
async def test_somebody_who_no_longer_stands_is_told_so(
    oak: Oak, ask: Asked, standing: str, status: int, code: str
) -> None:
    await oak.teacher.says(oak.thread, "For Rosa")
    await oak.stands(oak.rosa, standing)
    answer = await ask(oak.rosa, oak.thread)
    assert (answer.status_code, answer.json()["code"]) == (status, code)
    assert await oak.teacher.reads(oak.thread) == ["For Rosa"]


@every_way
async def test_a_session_that_ended_and_a_token_that_is_too_old_are_signed_out(oak: Oak, ask: Asked) -> None:
    await oak.teacher.says(oak.thread, "For Rosa")
    await oak.knows("known_ended_session", session_id=oak.rosa.session, ended_at=oak.runtime.clock.now())
    assert (await ask(oak.rosa, oak.thread)).json()["code"] == "signed-out"
    anew = oak.rosa.acting_as("guardian")
    assert (await ask(anew, oak.thread)).status_code < 300
    await oak.changes("update known_membership set epoch = 2 where school_id = $1 and person_id = $2", oak.rosa.id)
    assert (await ask(anew, oak.thread)).json()["code"] == "signed-out"


@every_way
async def test_a_copy_that_has_not_heard_for_thirty_seconds_does_not_guess(oak: Oak, ask: Asked) -> None:
    await oak.heard(timedelta(seconds=31))
    answer = await ask(oak.teacher, oak.thread)
    assert (answer.status_code, answer.json()["code"]) == (503, "access-unknown")
    assert answer.headers["retry-after"]
    await oak.heard()
    assert (await ask(oak.teacher, oak.thread)).status_code < 300


@pytest.mark.req("MSG-18")
async def test_a_key_answers_nothing_once_the_right_is_gone(oak: Oak) -> None:
    sent = await oak.rosa.says(oak.thread, "Words of before", key="key-of-one-message")
    assert await oak.rosa.says(oak.thread, "Words of before", key="key-of-one-message") == sent
    await oak.ends_link(oak.rosa)
    again = await oak.rosa.post(
        f"/threads/{oak.thread}/messages", {"text": "Words of before"}, key="key-of-one-message"
    )
    assert again.status_code == 404
    assert "Words" not in again.text


@pytest.mark.req("MSG-1", "MSG-14")
async def test_a_teacher_who_is_a_parent_may_as_each_only_what_that_role_may(oak: Oak) -> None:
    ash = await oak.school_class("Ash")
    noah = await oak.pupil("Noah Hill", ash)
    bea = await oak.person("Bea Lund", "teacher")
    seat = await oak.seat("class_teacher", ash, bea)
    ada_at_home = await oak.guardian("Ada Hill", noah, known_as=oak.teacher.id)
    about_noah = await bea.opens(noah.id, seat)
    await bea.says(about_noah, "About your son")

    assert await ada_at_home.reads(about_noah) == ["About your son"]
    assert (await _page(oak.teacher, about_noah)).status_code == 404
    assert await oak.teacher.reads(oak.thread) == []
    assert (await _page(ada_at_home, oak.thread)).status_code == 404
    assert [item["id"] for item in (await ada_at_home.get("/threads")).json()["items"]] == [about_noah]
    assert [item["id"] for item in (await oak.teacher.get("/threads")).json()["items"]] == [oak.thread]
    assert (
        await ada_at_home.post("/threads", {"pupil": str(oak.emma.id), "seat": str(oak.seat_id)})
    ).status_code == 404


@pytest.mark.req("MSG-14")
async def test_a_teacher_whose_child_is_in_the_class_has_two_sides_of_one_thread(oak: Oak) -> None:
    noah = await oak.pupil("Noah Hill", oak.class_id)
    at_home = await oak.guardian("Ada Hill", noah, known_as=oak.teacher.id)
    thread = await oak.teacher.opens(noah.id, oak.seat_id)
    await oak.teacher.says(thread, "As the teacher")
    (message,) = await at_home.messages(thread)
    assert (message["mine"], message["author"]["side"]) == (False, "staff")
    assert (await at_home.sees(thread))["unread"] == 1
    assert (await oak.teacher.sees(thread))["unread"] == 0


@pytest.mark.req("MSG-11")
async def test_a_pupil_has_no_lists_and_opens_nothing(oak: Oak) -> None:
    for path in ("/threads", "/contacts", "/unread"):
        answer = await oak.emma.get(path)
        assert (answer.status_code, answer.json()["code"]) == (403, "forbidden"), path
    answer = await oak.emma.post("/threads", {"pupil": str(oak.emma.id), "seat": str(oak.seat_id)})
    assert answer.status_code == 404


@pytest.mark.req("MSG-11")
async def test_even_a_pupil_noted_as_seat_holder_and_guardian_writes_nothing(oak: Oak) -> None:
    await oak.holds(oak.emma, oak.seat_id)
    await oak.link(oak.emma, oak.emma)
    assert (await _post(oak.emma, oak.thread)).status_code == 404
    assert (await _page(oak.emma, oak.thread)).status_code == 404


@pytest.mark.req("MSG-11")
async def test_the_database_itself_takes_no_message_of_a_pupil(oak: Oak) -> None:
    write = (
        "insert into message (school_id, message_id, thread_id, seq, author_id, author_side, author_role, language, text, sent_at)"
        " values ($1, gen_random_uuid(), $2::uuid, 1, $3, 'staff', $4, 'en', 'words', now())"
    )
    await oak.changes(write, oak.thread, oak.teacher.id, "teacher")
    with pytest.raises(asyncpg.CheckViolationError):
        await oak.changes(write, oak.thread, oak.emma.id, "pupil")


async def test_what_was_written_cannot_be_changed_or_removed_by_the_role_that_serves(oak: Oak) -> None:
    await oak.teacher.says(oak.thread, "As it was")
    for sql in ("update message set text = 'other' where school_id = $1", "delete from message where school_id = $1"):
        with pytest.raises(asyncpg.InsufficientPrivilegeError):
            await oak.changes(sql)
    assert await oak.teacher.reads(oak.thread) == ["As it was"]


async def test_sending_inside_another_schools_transaction_is_refused(oak: Oak, other_school: School) -> None:
    sql = (
        "select state from post_message($1, $2, 'teacher', $2, 1, $3::uuid, $4, 'words', null, 'key-12345', 'x'::bytea, now(),"
        " $4, 0::smallint, 'topic', 'type', 'x'::bytea, null)"
    )
    arguments = (oak.id, oak.teacher.id, oak.thread, uuid4())
    async with oak.runtime.database.tenant(oak.id) as tx:
        assert await tx.fetchval(sql, *arguments) == "sent"
    with pytest.raises(asyncpg.InsufficientPrivilegeError):
        async with oak.runtime.database.tenant(other_school.id) as tx:
            await tx.fetchval(sql, *arguments)


async def test_a_sent_message_leaves_no_school_on_the_connection(oak: Oak) -> None:
    await oak.teacher.says(oak.thread, "Hello")
    assert await oak.runtime.database.fetchval("select count(*) from message") == 0


async def test_the_database_knows_the_roles_of_seats_as_the_kernel_does(oak: Oak) -> None:
    for kind in SeatKind:
        role = await oak.runtime.database.fetchval("select role_of_seat($1)", kind)
        assert {Role(role)} == SEAT_ROLES[kind]
    assert await oak.runtime.database.fetchval("select role_of_seat('caretaker')") is None


@pytest.mark.req("MSG-1")
@pytest.mark.parametrize(("kind", "role"), [("specialist", "specialist"), ("leaders", "leader"), ("office", "office")])
async def test_every_kind_of_seat_writes_in_its_role_only(oak: Oak, kind: str, role: str) -> None:
    holder = await oak.person("Gil Moor", role)
    seat = await oak.seat(kind, None, holder)
    thread = await holder.opens(oak.emma.id, seat)
    await holder.says(thread, "From the seat")
    assert await oak.rosa.reads(thread) == ["From the seat"]
    other_hat = await oak.person("", "teacher", known_as=holder.id)
    assert (await _post(other_hat, thread)).status_code == 404
