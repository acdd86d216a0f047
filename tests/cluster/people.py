"""The people of the demo schools, put into an installation as their database has them; on a cluster nobody signs in without a password.

Run as a program, python -m tests.cluster.people, with the settings of identity in the environment.
"""

import asyncio
import os
import subprocess
import sys

import httpx2

from bookbag.local.process import wait_until
from services.identity.demo.cast import FAMILY_HOST, PASSWORD, STAFF_HOST
from tests.cluster.installation import Installation
from tests.support.policy import demo_rules

SCHOOL = "BRLA"
"""The larger of the two."""
FAMILIES = ("cerys.evans", "layla.haddad", "ewa.kowalska", "ayesha.khan")
TEACHER, LEADER = f"jo.hughes@{STAFF_HOST}", f"susan.rowe@{STAFF_HOST}"


def family(name: str) -> str:
    """The e-mail of a guardian."""
    return f"{name}@{FAMILY_HOST}"


def put_in(installation: Installation) -> None:
    """Put them in from this machine, through the actions that a real school uses."""
    outside, keys = installation.outside, installation.keys
    app = installation.urls("identity")["app"]
    told = {
        "BOOKBAG_REDIS_URL": outside.valkey.address.url(),
        "BOOKBAG_IDENTITY_APP_URL": app,
        "BOOKBAG_USER_KEYS": str(keys / "user_keys.json"),
        "BOOKBAG_SERVICE_KEYS": str(keys / "service_keys.json"),
        "BOOKBAG_SIGNING_KEYS": str(keys / "private"),
    }
    environment = os.environ | told | demo_rules(installation.folder / "rules")
    subprocess.run([sys.executable, "-m", "tests.cluster.people"], env=environment, check=True)

    def known() -> bool:
        """Whether the other services have heard of all of it."""
        told = outside.asked("identity", "select count(*) from guardianship")
        copies = [outside.asked(service, "select count(*) from known_link") for service in ("messaging", "notify")]
        return told != ["0"] and all(copy == told for copy in copies)

    assert wait_until(known, 60, every=0.5), "the services have not heard who is who"


def sign_in(client: httpx2.Client, email: str, role: str) -> httpx2.Response:
    """Sign in and ask for a token; the client is somebody then, unless the answer is a refusal."""
    opened = client.post("/identity/v1/sessions", json={"email": email, "password": PASSWORD})
    assert opened.status_code == 201, opened.text
    whom = next(one for one in opened.json()["memberships"] if one["role"] == role)
    answer = client.post("/identity/v1/tokens", json={"person": whom["person"], "role": role})
    if answer.status_code == 200:
        client.headers["authorization"] = f"Bearer {answer.json()['token']}"
    return answer


async def _seed() -> None:
    from bookbag.chassis.process import alone
    from bookbag.chassis.settings import Platform
    from bookbag.cli.services import named
    from services.identity.demo import seed

    platform = Platform()  # type: ignore[call-arg]
    async with alone(named("identity")[0], platform) as runtime:
        await seed(runtime)


if __name__ == "__main__":
    asyncio.run(_seed())
