"""Generated requests over the merged OpenAPI document, as people of every kind: no failure of ours, no answer off its schema."""

import json
from collections import Counter
from dataclasses import dataclass, field
from typing import Any

import pytest
import requests
import schemathesis
from hypothesis import HealthCheck, Phase, given, settings
from hypothesis.errors import Unsatisfiable
from schemathesis import GenerationMode
from schemathesis.specs.openapi.checks import response_schema_conformance

from bookbag.chassis.clock import new_id
from tests.security.answers import wrong_with
from tests.security.world import World

PEOPLE = ["teacher", "guardian", "pupil", "office", "leader", "anonymous"]
STREAM = "/notify/v1/stream"
EXAMPLES = 4
BOUNDED = settings(
    max_examples=EXAMPLES, derandomize=True, deadline=None, database=None, phases=[Phase.generate],
    suppress_health_check=list(HealthCheck),
)  # fmt: skip


@pytest.fixture(scope="module")
def operations(world: World) -> list[Any]:
    """Every operation of the document, but the stream, which does not end."""
    with world.product.client() as http:
        document = json.loads(http.get("/openapi.json").text)
    schema = schemathesis.openapi.from_dict(document)
    found = [result.ok() for result in schema.get_all_operations()]
    assert len(found) == sum(len(item) for item in document["paths"].values())
    return [operation for operation in found if operation.path != STREAM]


def prepared(case: Any, world: World, who: str) -> dict[str, Any]:
    """The request of a case; ids of things that exist in the place of half of the made-up ones."""
    if who != "anonymous":
        case.headers = {key: value for key, value in (case.headers or {}).items() if key.lower() != "authorization"} | {
            "authorization": world.headers(who)["authorization"]
        }
    if "Idempotency-Key" in (case.headers or {}) and len(case.headers["Idempotency-Key"]) % 2:
        case.headers["Idempotency-Key"] = new_id().hex
    for name, value in (case.path_parameters or {}).items():
        if name in world.objects and len(str(value)) % 2 == 0:
            case.path_parameters[name] = world.objects[name]
    return case.as_transport_kwargs(base_url=world.product.address)


@dataclass
class Fuzzer:
    """Sends generated requests of one person and counts the answers."""

    world: World
    who: str
    session: requests.Session
    seen: Counter[int] = field(default_factory=Counter)

    def probe(self, operation: Any, mode: GenerationMode) -> None:
        @BOUNDED
        @given(case=operation.as_strategy(generation_mode=mode))
        def each(case: Any) -> None:
            answer = self.session.request(**prepared(case, self.world, self.who), timeout=15)
            self.session.cookies.clear()
            self.seen[answer.status_code] += 1
            assert wrong_with(answer, operation.path) == "", f"{operation.label} {case.as_curl_command()}"
            case.validate_response(answer, checks=[response_schema_conformance])

        try:
            each()
        except Unsatisfiable:
            assert mode is GenerationMode.NEGATIVE, operation.label  # nothing of this operation can be wrong


@pytest.mark.slow
@pytest.mark.parametrize("who", PEOPLE)
@pytest.mark.req("ID-1", "MSG-1", "NTF-1")
def test_generated_requests_never_make_us_fail(world: World, operations: list[Any], who: str) -> None:
    with requests.Session() as session:
        fuzzer = Fuzzer(world, who, session)
        for operation in operations:
            for mode in (GenerationMode.POSITIVE, GenerationMode.NEGATIVE):
                fuzzer.probe(operation, mode)
    assert fuzzer.seen.total() >= EXAMPLES * len(operations)
    assert sum(count for status, count in fuzzer.seen.items() if status < 300) > 0
