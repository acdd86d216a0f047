"""People's way through the Gateway, in a browser and by those who would forge where they come from."""

import re
from collections.abc import Callable, Iterator

import pytest
from playwright.sync_api import BrowserContext, Page, expect
from playwright.sync_api import TimeoutError as NotInTime

from bookbag.local.process import wait_until
from tests.cluster.installation import Installation
from tests.cluster.people import TEACHER, family, sign_in
from tests.cluster.place import kubectl, name_of, pods
from tests.support.policy import OPEN, document_with

pytestmark = pytest.mark.usefixtures("inhabited")
Contexts = Callable[..., BrowserContext]
DESK = {"width": 1280, "height": 800}


def entered(context: BrowserContext, email: str) -> Page:
    """A page on which somebody has signed in with a password and is told what happens."""
    from tests.e2e.conftest import with_password

    page, answers = context.new_page(), list[str]()
    page.on("response", lambda answer: answers.append(f"{answer.status} {answer.request.method} {answer.url}"))
    page.on("requestfailed", lambda request: answers.append(f"{request.failure} {request.method} {request.url}"))
    page.goto("/")
    with_password(page, email)
    try:
        page.locator('[data-testid="live-state"][data-state="live"]').wait_for(state="attached")
    except NotInTime:
        print(page.locator("body").inner_text(), *answers, sep="\n")
        raise
    return page


@pytest.mark.req("OPS-4", "MSG-1")
def test_a_message_goes_from_a_teacher_to_a_family_and_back_through_the_gateway(
    installation: Installation, contexts: Contexts
) -> None:
    from tests.e2e.conftest import open_conversation

    teacher = entered(contexts(viewport=DESK), TEACHER)
    guardian = entered(contexts(), family("daniel.reed"))
    open_conversation(teacher, "Maya")
    teacher.get_by_test_id("composer").fill("Maya planted a bean at 10:20 today.")
    teacher.get_by_test_id("send").click()
    guardian.locator('[data-testid^="thread-row-"]', has_text="Maya").first.click()
    heard = guardian.locator('[data-testid^="text-"]', has_text="Maya planted a bean at 10:20 today.").last
    expect(heard).to_be_visible(timeout=60_000)
    expect(teacher.get_by_test_id("message-state").last).to_contain_text(re.compile(r"Seen \d\d:\d\d"), timeout=60_000)
    guardian.get_by_test_id("composer").fill("Lovely. It will be watered.")
    guardian.get_by_test_id("send").click()
    answer = teacher.locator('[data-testid^="text-"]', has_text="Lovely. It will be watered.").last
    expect(answer).to_be_visible(timeout=60_000)


@pytest.mark.req("NTF-1")
def test_who_is_not_online_gets_a_mail_that_leads_to_the_gateway(
    installation: Installation, contexts: Contexts
) -> None:
    from tests.e2e.conftest import open_conversation

    teacher = entered(contexts(viewport=DESK), TEACHER)
    open_conversation(teacher, "Zofia")
    teacher.get_by_test_id("composer").fill("Zofia helped a friend today.")
    teacher.get_by_test_id("send").click()

    def letters() -> list[str]:
        kept = [file.read_text() for file in installation.outside.mails.glob("*.eml")]
        return [one.replace("=\n", "") for one in kept if "ewa.kowalska" in one.lower()]

    assert wait_until(lambda: bool(letters()), 90, every=0.5)
    assert f"{installation.place.url}/threads/" in letters()[0]
    assert "Zofia helped" not in letters()[0]


@pytest.fixture
def rules(installation: Installation) -> Iterator[Callable[[dict[str, object]], None]]:
    """Gives the demo school other rules, by an operator's command."""

    def put(changed: dict[str, object]) -> None:
        newest = installation.outside.asked(
            "identity",
            "select max(v.number) from policy_version v join school_code c using (school_id) where c.code = 'BRLA'",
        )[0]
        pod = name_of(pods("identity-api", ready=True)[0])
        kubectl(
            "exec", "--stdin", pod, "--", "bookbag", "policy", "set", "BRLA", "/dev/stdin",
            "--reason", "A test of addresses", "--after", newest, told=document_with("b", OPEN | changed),
        )  # fmt: skip

    yield put
    put({})


def only_from(network: str) -> dict[str, object]:
    return {"staff.access.places": "networks", "staff.access.networks": [{"name": "School", "range": network}]}


FORGED = (
    {"x-forwarded-for": "203.0.113.7"},
    {"x-forwarded-for": "203.0.113.7, 203.0.113.7"},
    {"X-Forwarded-For": "203.0.113.7", "X-Real-IP": "203.0.113.7", "Forwarded": "for=203.0.113.7"},
    {"x-real-ip": "203.0.113.7"},
    {"x-envoy-external-address": "203.0.113.7"},
    {"forwarded": "for=203.0.113.7;proto=https"},
    {"true-client-ip": "203.0.113.7", "cf-connecting-ip": "203.0.113.7"},
)


@pytest.mark.req("POL-4")
def test_a_forged_address_gets_nobody_in_and_the_true_one_does(
    installation: Installation, rules: Callable[[dict[str, object]], None]
) -> None:
    rules(only_from("203.0.113.0/24"))
    with installation.http() as client:
        refused = sign_in(client, TEACHER, "teacher")
        assert refused.status_code == 403, refused.text
        assert refused.json()["code"] == "outside-network"
        whom = next(
            one for one in client.get("/identity/v1/memberships").json()["memberships"] if one["role"] == "teacher"
        )
        who = {"person": whom["person"], "role": "teacher"}
        for headers in FORGED:
            answer = client.post("/identity/v1/tokens", json=who, headers=headers)
            assert answer.status_code == 403, f"{headers}: {answer.text}"
        # The same door with the network that this machine is really in: so it was the address that kept them out.
        rules(only_from(f"{installation.place.host}/32"))
        assert wait_until(lambda: client.post("/identity/v1/tokens", json=who).status_code == 200, 20, every=0.5)
        assert client.post("/identity/v1/tokens", json=who, headers=FORGED[0]).status_code == 200
