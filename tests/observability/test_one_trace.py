"""One message is one trace, from the request to the mail, the live stream and the translation, over every process it passes."""

from collections.abc import Callable

import pytest

from tests.observability.conftest import Traced
from tests.security.test_revocation import Listener
from tests.support.collector import Collector, Span

SEND = "POST /messaging/v1/threads/{thread}/messages"
SENT = "process bookbag.messaging.v1.MessageSent"
TRANSLATED = "process bookbag.messaging.v1.MessageTranslated"
OWNER = "bookbag.content.v1.ContentOwnerService"
CANARY = "QuizzicalOcelot"


@pytest.fixture(scope="module")
def message(traced: Traced) -> list[Span]:
    """The spans of one message: to one guardian who listens, to others who get a mail, to one who reads Spanish."""
    world, collector = traced.world, traced.collector
    answer = world.ask("second guardian", "PATCH", "/identity/v1/me", {"language": "es"})
    if answer.status_code == 428:
        with world.product.client(world.headers("second guardian") | {"if-match": "*"}) as http:
            answer = http.patch("/identity/v1/me", json={"language": "es"})
    assert answer.status_code == 200, answer.text
    world.product.wait_until_all_know(
        "known_person", person_id=world.school.people["second guardian"][0], language="es"
    )
    listener = Listener(world, world.headers("guardian"))
    reader = Listener(world, world.headers("second guardian"))
    said = world.says("teacher", world.objects["thread"], f"{CANARY} comes on Friday.")
    world.product.wait(lambda: said["id"] in listener.messages)
    world.product.wait(lambda: any(event == "translation" for event, _ in reader.frames), seconds=30)

    def all_of_it() -> list[Span]:
        sends = collector.named(SEND)
        return collector.of_trace(sends[-1].trace) if sends else []

    def complete() -> bool:
        """Spans come when they end, and from two processes: whatever the tests below look for must have come."""
        spans = all_of_it()
        names, ids = [one.name for one in spans], {one.id for one in spans}
        handed = [one.parent for one in spans if one.name == "smtp hand-over"]
        return (
            bool(handed)
            and TRANSLATED in names
            and names.count("deliver live") >= 3
            and {one.parent for one in spans} <= ids | {""}
            and names.count(f"{OWNER}/CanRead") >= 2
            and names.count(f"{OWNER}/ListReaders") >= 4
        )

    world.product.wait(complete, seconds=60)
    return all_of_it()


def one(spans: list[Span], name: str, **wanted: str) -> Span:
    found = [span for span in spans if span.name == name and all(getattr(span, k) == v for k, v in wanted.items())]
    assert found, (name, wanted, sorted({(span.service, span.kind, span.name) for span in spans}))
    return found[0]


def children(spans: list[Span], parent: Span) -> set[tuple[str, str, str]]:
    return {(span.service, span.kind, span.name) for span in spans if span.parent == parent.id}


@pytest.mark.req("OPS-3")
def test_a_request_begins_the_trace_and_its_event_is_published_and_handled_under_it(message: list[Span]) -> None:
    send = one(message, SEND)
    assert (send.service, send.process, send.kind, send.parent) == ("messaging", "serve", "server", "")
    assert send.attributes["http.response.status_code"] == "201"
    assert children(message, send) == {
        ("messaging", "producer", "publish bookbag.messaging.v1"),
        ("notify", "consumer", SENT),
        ("translate", "consumer", SENT),
    }
    assert {span.process for span in message if span.parent == send.id} == {"work"}


@pytest.mark.req("OPS-3")
def test_a_call_to_a_sibling_is_a_child_on_both_sides(message: list[Span]) -> None:
    handling = one(message, SENT, service="notify")
    asking = one(message, f"{OWNER}/ListReaders", kind="client", parent=handling.id)
    answering = one(message, f"{OWNER}/ListReaders", kind="server", parent=asking.id)
    assert (asking.service, answering.service) == ("notify", "messaging")
    assert (asking.process, answering.process) == ("work", "serve")
    assert answering.attributes["rpc.response.status_code"] == "OK"
    fetching = one(message, f"{OWNER}/Fetch", kind="client", parent=one(message, SENT, service="translate").id)
    assert one(message, f"{OWNER}/Fetch", kind="server", parent=fetching.id).service == "messaging"


@pytest.mark.req("OPS-3")
def test_a_delivery_belongs_to_the_trace_of_its_cause_however_much_later_it_goes(message: list[Span]) -> None:
    handling = one(message, SENT, service="notify")
    live = one(message, "deliver live", parent=handling.id)
    assert (live.service, live.process, live.attributes["bookbag.channel"]) == ("notify", "serve", "live")
    mail = [span for span in message if span.name == "deliver email" and span.parent == handling.id]
    carried = [span for span in mail if ("notify", "client", "smtp hand-over") in children(message, span)]
    assert carried
    assert ("notify", "client", f"{OWNER}/CanRead") in children(message, carried[0])
    assert {span.process for span in mail} == {"work"}


@pytest.mark.req("OPS-3")
def test_a_translation_is_followed_to_the_engine_its_owner_and_its_reader(message: list[Span]) -> None:
    handling = one(message, SENT, service="translate")
    making = one(message, "translate text", parent=handling.id)
    assert children(message, making) >= {
        ("translate", "client", "ask engine"),
        ("translate", "client", f"{OWNER}/StoreTranslation"),
    }
    storing = one(message, f"{OWNER}/StoreTranslation", kind="client", parent=making.id)
    kept = one(message, f"{OWNER}/StoreTranslation", kind="server", parent=storing.id)
    assert ("messaging", "producer", "publish bookbag.messaging.v1") in children(message, kept)
    heard = one(message, TRANSLATED, service="notify", parent=kept.id)
    assert ("notify", "producer", "deliver live") in children(message, heard)


@pytest.mark.req("OPS-3")
def test_what_is_asked_once_for_many_deliveries_is_linked_to_the_cause_of_each(
    traced: Traced, message: list[Span]
) -> None:
    handling = one(message, SENT, service="notify")
    rounds: Callable[[], list[Span]] = lambda: [  # noqa: E731
        span for span in traced.collector.named("mail round") if (handling.trace, handling.id) in span.links
    ]
    traced.world.product.wait(rounds)
    found = rounds()[0]
    assert found.trace != handling.trace
    assert not found.parent
    traced.world.product.wait(lambda: len(traced.collector.of_trace(found.trace)) >= 3)
    calls = traced.collector.of_trace(found.trace)
    asked = one(calls, "bookbag.identity.v1.IdentityService/Contacts", kind="client", parent=found.id)
    assert (
        one(calls, "bookbag.identity.v1.IdentityService/Contacts", kind="server", parent=asked.id).service == "identity"
    )


@pytest.mark.req("OPS-3")
def test_no_trace_is_of_work_that_found_nothing(traced: Traced, message: list[Span]) -> None:
    roots = {span.name for span in list(traced.collector.spans) if not span.parent}
    assert {name for name in roots if " /" not in name} <= {
        "mail round",
        SENT.replace("process", "process batch"),
        "GET",
        "POST",
    }, roots


@pytest.mark.req("OPS-3", "PRV-5")
def test_no_span_holds_a_word_a_name_or_an_address(traced: Traced, message: list[Span]) -> None:
    collector, school = traced.collector, traced.world.school
    assert len(collector.spans) > 30
    words = {CANARY, "comes on Friday", "looking forward"} | {
        part for name in school.names.values() for part in name.split()
    }
    found = [word for word in words | set(school.emails.values()) if len(word) > 8 and word.encode() in collector.raw]
    assert found == []
    people = [str(person) for person, _ in school.people.values()]
    assert [person for person in people if person.encode() in collector.raw] == []
    assert all(span.events == 0 and not span.status for span in collector.spans)


@pytest.mark.req("OPS-3")
def test_a_client_cannot_put_its_request_into_a_trace_of_its_own(traced: Traced) -> None:
    theirs = "0af7651916cd43dd8448eb211c80319c"
    world = traced.world
    with world.product.client(world.headers("teacher") | {"traceparent": f"00-{theirs}-b7ad6b7169203331-01"}) as http:
        assert http.get("/messaging/v1/unread").status_code == 200
    world.product.wait(lambda: traced.collector.named("GET /messaging/v1/unread"))
    assert not [span for span in list(traced.collector.spans) if span.trace == theirs]


def test_the_receiver_reads_the_protocol(traced: Traced) -> None:
    collector: Collector = traced.collector
    assert {span.service for span in list(collector.spans)} >= {"identity", "messaging", "notify", "translate"}
