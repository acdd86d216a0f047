"""An RPC is opened by the token of a service that the matrix names, for that school, and by nothing else a caller may say."""

from collections.abc import Iterator, Sequence
from typing import Any
from uuid import UUID

import grpc
import pytest
from google.protobuf.descriptor import MethodDescriptor
from google.protobuf.descriptor_pool import Default
from google.protobuf.message_factory import GetMessageClass

from bookbag.chassis.clock import Clock, SystemClock, new_id
from bookbag.chassis.tokens import ServiceSigner
from bookbag.cli.services import NAMES
from tests.security.matrix import ALL, RPCS, RpcRow
from tests.security.world import World, long_ago

REFUSED = (grpc.StatusCode.UNAUTHENTICATED, "signed-out")

OWNERS = {rpc.name: service.name for service in ALL for rpc in service.rpcs}


@pytest.fixture(scope="module")
def channel(world: World) -> Iterator[grpc.Channel]:
    with grpc.insecure_channel(world.product.grpc_address) as channel:
        yield channel


def method_of(row: RpcRow) -> MethodDescriptor:
    service, _, method = row.rpc.partition("/")
    return Default().FindServiceByName(service).FindMethodByName(method)


def call(
    channel: grpc.Channel, world: World, row: RpcRow, metadata: Sequence[tuple[str, str]]
) -> tuple[grpc.StatusCode, str]:
    """Call for our school; of a stream take the first answer."""
    method = method_of(row)
    request = GetMessageClass(method.input_type)()
    for field in method.input_type.fields:
        if field.name == "school_id":
            request.school_id = str(world.school.id)
        elif field.name == "content":
            request.content.school_id, request.content.kind = str(world.school.id), "message"
            request.content.content_id = str(new_id())
        elif field.name == "contents":
            request.contents.add(school_id=str(world.school.id), kind="message", content_id=str(new_id()))
        elif field.name == "person_id":
            request.person_id = str(world.school.people["guardian"][0])
        elif field.name == "language":
            request.language, request.version, request.text, request.state = "es", 1, "x", 1
    kinds: dict[str, Any] = {
        "request_serializer": lambda message: message.SerializeToString(),
        "response_deserializer": GetMessageClass(method.output_type).FromString,
    }
    try:
        if method.server_streaming:
            answers = channel.unary_stream(f"/{row.rpc}", **kinds)(request, metadata=metadata, timeout=5)
            next(answers, None)
            answers.cancel()
        else:
            channel.unary_unary(f"/{row.rpc}", **kinds)(request, metadata=metadata, timeout=5)
    except grpc.RpcError as error:
        return error.code(), error.details()  # type: ignore[attr-defined]
    return grpc.StatusCode.OK, ""


class Callers:
    """Signs as any service, truly or not."""

    def __init__(self, world: World) -> None:
        self._keys = world.product.house.keys.signing_keys

    def token(
        self, service: str, audience: str, school: UUID | None, *, key: str | None = None, clock: Clock | None = None
    ) -> tuple[tuple[str, str], ...]:
        signer = ServiceSigner(service, self._keys / f"service-{key or service}.json", clock or SystemClock())
        return (("authorization", f"Bearer {signer.sign(audience, school)}"),)


@pytest.mark.parametrize("row", RPCS, ids=lambda row: row.rpc)
@pytest.mark.parametrize("service", NAMES)
def test_the_named_services_come_in_and_no_other(
    channel: grpc.Channel, world: World, row: RpcRow, service: str
) -> None:
    owner = OWNERS[row.rpc.partition("/")[0]]
    school = world.school.id if row.scope == "school" else None
    answer = call(channel, world, row, Callers(world).token(service, owner, school))
    if service in row.callers:
        assert answer[0] in {grpc.StatusCode.OK, grpc.StatusCode.NOT_FOUND}, answer
    else:
        assert answer == REFUSED


@pytest.mark.parametrize("row", RPCS, ids=lambda row: row.rpc)
def test_nothing_else_a_caller_says_opens_an_rpc(channel: grpc.Channel, world: World, row: RpcRow) -> None:
    callers, owner, service = Callers(world), OWNERS[row.rpc.partition("/")[0]], row.callers[0]
    school = world.school.id if row.scope == "school" else None
    stranger = next(name for name in NAMES if name not in row.callers)
    lies = (
        ("x-service", service), ("x-caller", service), ("x-school-id", str(world.school.id)), ("x-scope", row.scope),
        ("x-forwarded-client-cert", f"By=service:{service}"), ("x-user-id", str(world.school.people["leader"][0])),
    )  # fmt: skip
    true = callers.token(service, owner, school)
    false = {
        "nothing": (),
        "garbage": (("authorization", "Bearer a.b.c"),),
        "the token without its scheme": (("authorization", true[0][1].removeprefix("Bearer ")),),
        "the token under another name": (("x-authorization", true[0][1]),),
        "only claims in metadata": lies,
        "claims beside another service's token": (*callers.token(stranger, owner, school), *lies),
        "a teacher's token": (("authorization", world.headers("teacher")["authorization"]),),
        "another service's key": callers.token(service, owner, school, key=stranger),
        "for another service": callers.token(service, "translate", school),
        "for the wrong scope": callers.token(service, owner, None if school else world.school.id),
        "run out": callers.token(service, owner, school, clock=long_ago()),
    }
    if school:
        false["for another school"] = callers.token(service, owner, world.foreign.id)
        false["for another school, with lies"] = (*false["for another school"], *lies)
    answers = {name: call(channel, world, row, metadata) for name, metadata in false.items()}
    assert answers == dict.fromkeys(false, REFUSED)


def test_two_authorizations_do_not_add_up(channel: grpc.Channel, world: World) -> None:
    """A good token for another school beside a bad one for ours gives neither."""
    callers = Callers(world)
    (row,) = (row for row in RPCS if row.rpc.endswith("/Contacts"))
    both = (
        *callers.token("notify", "identity", world.foreign.id),
        *callers.token("messaging", "identity", world.school.id),
    )
    assert call(channel, world, row, both) == REFUSED
    assert call(channel, world, row, both[::-1]) == REFUSED


@pytest.mark.parametrize(
    "path",
    ["/bookbag.identity.v1.IdentityService/Delete", "/grpc.reflection.v1alpha.ServerReflection/ServerReflectionInfo"],
)
def test_what_is_not_served_is_not_there(channel: grpc.Channel, world: World, path: str) -> None:
    raw = channel.unary_unary(path)
    with pytest.raises(grpc.RpcError) as refused:
        raw(b"", timeout=5, metadata=Callers(world).token("notify", "identity", world.school.id))
    assert refused.value.code() is grpc.StatusCode.UNIMPLEMENTED  # type: ignore[attr-defined]


def test_bad_requests_of_a_trusted_caller_are_refused_in_words(channel: grpc.Channel, world: World) -> None:
    from bookbag.content.v1.service_pb2 import CanReadRequest, CanReadResponse, ContentRef
    from bookbag.identity.v1.service_pb2 import ContactsRequest, ContactsResponse

    def ask(path: str, request: Any, answer: Any, audience: str) -> tuple[grpc.StatusCode, str]:
        serialise = type(request).SerializeToString
        method = channel.unary_unary(path, request_serializer=serialise, response_deserializer=answer.FromString)
        try:
            method(request, timeout=5, metadata=Callers(world).token("notify", audience, world.school.id))
        except grpc.RpcError as error:
            return error.code(), error.details()  # type: ignore[attr-defined]
        return grpc.StatusCode.OK, ""

    school, contacts = str(world.school.id), "/bookbag.identity.v1.IdentityService/Contacts"
    invalid = (grpc.StatusCode.INVALID_ARGUMENT, "invalid-input")
    assert ask(contacts, ContactsRequest(school_id="ours"), ContactsResponse, "identity") == REFUSED
    assert ask(contacts, ContactsRequest(school_id=school, person_ids=["x"]), ContactsResponse, "identity") == invalid
    many = ContactsRequest(school_id=school, person_ids=[school] * 501)
    assert ask(contacts, many, ContactsResponse, "identity") == invalid
    can_read = "/bookbag.content.v1.ContentOwnerService/CanRead"
    for ref, expected in (
        (ContentRef(school_id=school, kind="message", content_id="x"), invalid),
        (ContentRef(school_id=school, kind="photo", content_id=school), (grpc.StatusCode.NOT_FOUND, "not-found")),
        (ContentRef(), REFUSED),
    ):
        request = CanReadRequest(content=ref, person_id=school)
        assert ask(can_read, request, CanReadResponse, "messaging") == expected
