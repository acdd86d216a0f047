"""What siblings are told: who may read a message right now, and its words with the names around them."""

from datetime import timedelta
from uuid import uuid4

import grpc
import grpc.aio
import pytest

from bookbag.chassis.problems import DependencyAway
from bookbag.content.v1 import service_pb2 as pb
from services.messaging.tests.builders import Oak
from services.messaging.tests.siblings import Sibling


@pytest.mark.req("NTF-1", "TR-2")
async def test_readers_are_the_seats_holders_and_the_guardians_with_their_languages(oak: Oak, notify: Sibling) -> None:
    bea = await oak.person("Bea Lund", "teacher", language="cy")
    await oak.holds(bea, oak.seat_id)
    sent = await oak.teacher.says(oak.thread, "Hello")
    assert await notify.lists_readers(oak, sent["id"]) == {
        (str(oak.teacher.id), "teacher", "en"),
        (str(bea.id), "teacher", "cy"),
        (str(oak.rosa.id), "guardian", "es"),
    }
    for person, may in ((oak.teacher, True), (bea, True), (oak.rosa, True), (oak.emma, False)):
        assert await notify.can_read(oak, sent["id"], person.id) is may


@pytest.mark.parametrize("change", ["link ended", "suspended", "membership ended"])
async def test_who_lost_their_right_is_no_reader_from_then_on(oak: Oak, notify: Sibling, change: str) -> None:
    sent = await oak.teacher.says(oak.thread, "Hello")
    assert await notify.can_read(oak, sent["id"], oak.rosa.id)
    match change:
        case "link ended":
            await oak.ends_link(oak.rosa)
        case "suspended":
            await oak.stands(oak.rosa, "suspended")
        case _:
            await oak.stands(oak.rosa, "ended")
    assert not await notify.can_read(oak, sent["id"], oak.rosa.id)
    assert await notify.lists_readers(oak, sent["id"]) == {(str(oak.teacher.id), "teacher", "en")}


@pytest.mark.req("MSG-14")
async def test_a_message_from_before_a_link_has_no_reader_in_it(oak: Oak, notify: Sibling) -> None:
    before = await oak.teacher.says(oak.thread, "confided")
    luis = await oak.guardian("Luis Vega")
    link = await oak.link(luis, oak.emma)
    await oak.hears_of_link(link, luis)
    after = await oak.teacher.says(oak.thread, "for both")
    assert not await notify.can_read(oak, before["id"], luis.id)
    assert await notify.can_read(oak, after["id"], luis.id)


async def test_nobody_is_named_while_the_copy_of_who_is_who_is_old(oak: Oak, notify: Sibling) -> None:
    sent = await oak.teacher.says(oak.thread, "Hello")
    await oak.heard(timedelta(seconds=31))
    with pytest.raises(DependencyAway):
        await notify.can_read(oak, sent["id"], oak.rosa.id)
    with pytest.raises(DependencyAway):
        await notify.lists_readers(oak, sent["id"])
    await oak.heard()
    assert await notify.can_read(oak, sent["id"], oak.rosa.id)


@pytest.mark.req("TR-4")
async def test_a_text_comes_with_the_names_that_must_survive(oak: Oak, translate: Sibling) -> None:
    sent = await oak.rosa.says(oak.thread, "Emma está enferma")
    fetched = await translate.fetches(oak, sent["id"])
    assert list(fetched.names) == ["Ada", "Ada Hill", "Emma", "Emma Vega", "Rosa", "Rosa Vega"]
    assert (fetched.text, fetched.version, fetched.language) == ("Emma está enferma", 1, "es")
    assert (fetched.author_id, fetched.author_name) == (str(oak.rosa.id), "Rosa Vega")
    assert (fetched.container_id, fetched.withdrawn) == (oak.thread, False)


async def test_a_message_of_another_school_or_kind_or_of_nobody_is_not_found(
    oak: Oak, other_school: Oak, translate: Sibling
) -> None:
    sent = await oak.teacher.says(oak.thread, "Hello")
    assert (await translate.fetches(oak, sent["id"])).text == "Hello"
    for asked, message, kind in (
        (other_school, sent["id"], "message"),
        (oak, sent["id"], "post"),
        (oak, str(uuid4()), "message"),
    ):
        with pytest.raises(grpc.aio.AioRpcError) as refused:
            await translate.fetches(asked, message, kind=kind)
        assert refused.value.code() is grpc.StatusCode.NOT_FOUND
    assert await translate.lists_readers(oak, str(uuid4())) == set()
    assert await translate.lists_readers(other_school, sent["id"]) == set()
    assert not await translate.can_read(other_school, sent["id"], oak.teacher.id)


async def test_a_token_for_one_school_opens_no_other(oak: Oak, other_school: Oak, notify: Sibling) -> None:
    sent = await oak.teacher.says(oak.thread, "Hello")
    calls = (
        lambda: notify.can_read(oak, sent["id"], oak.rosa.id, school=other_school.id),
        lambda: notify.lists_readers(oak, sent["id"], school=other_school.id),
        lambda: notify.fetches(oak, sent["id"], school=other_school.id),
        lambda: notify.stores(oak, sent["id"], "es", text="Hola", school=other_school.id),
    )
    for call in calls:
        with pytest.raises(grpc.aio.AioRpcError) as refused:
            await call()
        assert refused.value.code() is grpc.StatusCode.UNAUTHENTICATED


async def test_a_service_without_business_here_is_refused(oak: Oak, identity: Sibling) -> None:
    sent = await oak.teacher.says(oak.thread, "Hello")
    with pytest.raises(grpc.aio.AioRpcError) as refused:
        await identity.fetches(oak, sent["id"])
    assert refused.value.code() is grpc.StatusCode.UNAUTHENTICATED


@pytest.mark.parametrize(
    "wrong",
    [
        {"text": ""},
        {"text": "NUL \x00"},
        {"text": "x" * 40_001},
        {"text": "Hola", "state": pb.TRANSLATION_STATE_UNSPECIFIED},
        {"text": "Hola", "language": "xx"},
        {"text": "Hola", "message": "not an id"},
    ],
)
async def test_a_translation_that_cannot_be_one_is_refused(oak: Oak, translate: Sibling, wrong: dict) -> None:
    sent = await oak.teacher.says(oak.thread, "Hello")
    given = {"message": sent["id"], "language": "es"} | wrong
    with pytest.raises(grpc.aio.AioRpcError) as refused:
        await translate.stores(oak, given.pop("message"), given.pop("language"), **given)
    assert refused.value.code() is grpc.StatusCode.INVALID_ARGUMENT
