"""What was put down comes back on the cluster: all of it by `helm install`, one school by a job beside what runs then."""

from collections.abc import Mapping
from concurrent.futures import ThreadPoolExecutor
from uuid import UUID

import pytest

from bookbag.cli.services import NAMES
from bookbag.local.process import wait_until
from bookbag.local.provision import database_of
from tests.backup.rows import rows_of
from tests.cluster.installation import Installation
from tests.cluster.page import NEVER, TYPED
from tests.cluster.people import SCHOOL, TEACHER, sign_in
from tests.cluster.place import NAMESPACE, run
from tests.support.install_page import blocks

pytestmark = pytest.mark.req("OPS-5")


def first(service: str) -> str:
    """The database of the first installation, which lies beside that of the second."""
    return f"first_{service}"


@pytest.fixture(scope="module")
def again(installation: Installation, uninstalled: set[str], put_down: str) -> Installation:
    """A new installation on the same servers, into which the backup of all was given back."""
    for service in NAMES:
        name = database_of(service)
        installation.outside.postgres.address.run(
            f"select pg_terminate_backend(pid) from pg_stat_activity where datname = '{name}';"
            f" alter database {name} rename to {first(service)};"
        )
    page = installation.page
    page.type("All of it comes back", 0)
    page.change_values("All of it comes back")
    page.type("All of it comes back", 1, names={"2026-11-26T021500Z": put_down})
    installation.wait_until_it_answers()
    return installation


def test_all_of_it_comes_back_by_an_install(again: Installation, leader: dict[str, str]) -> None:
    assert again.outside.asked("identity", "select code from school_code") == ["OAKS"]
    with again.http() as client:
        assert client.post("/identity/v1/sessions", json=leader).status_code == 201


WORKED: Mapping[str, str] = {
    "messaging.outbox": "what waited when the backup was taken has been told since",
    "messaging.translation": "what was asked for then has come since",
}
"""Where the first installation went on until it was uninstalled. notify and translate do nothing else: `tests/backup` compares theirs at rest."""


def test_one_school_comes_back_row_by_row_beside_the_other(again: Installation, part: str) -> None:
    said = again.page.type("One school comes back", names={"2026-11-26T021500Z-OAKS": part})
    assert f"{SCHOOL} is open; its people sign in." in said
    (school,) = again.outside.asked("identity", f"select school_id from school_code where code = '{SCHOOL}'")
    with ThreadPoolExecutor() as apart:  # this thread has the browser's loop
        asked = [
            apart.submit(
                rows_of,
                {service: again.urls(service, database=name(service))["backup"] for service in NAMES},
                UUID(school),
            )
            for name in (first, database_of)
        ]
        there, here = (each.result() for each in asked)
    assert there.keys() == here.keys()
    for table, rows in there.items():
        if table.startswith(("identity.", "messaging.")) and table not in WORKED:
            assert here[table] == rows, table
    assert sum(here["identity.person"].values()) > 20
    with again.http() as client:
        assert sign_in(client, TEACHER, "teacher").status_code == 200

        def known() -> bool:
            """Whether messaging lets a teacher of that school find a pupil."""
            found = client.get("/messaging/v1/contacts", params={"q": "Maya"})
            return found.status_code == 200 and bool(found.json()["items"])

        assert wait_until(known, 30, every=0.5)


def test_a_namespace_that_was_removed_is_gone(again: Installation) -> None:
    again.page.type("Uninstall", 0)
    again.page.type("Uninstall", 1)
    assert run("kubectl", "get", "namespace", NAMESPACE, "--ignore-not-found") == ""


def test_every_command_of_the_page_was_typed(again: Installation) -> None:
    """Only a run of all tests has typed all."""
    told = {one for one in blocks() if one.language == "sh"}
    assert {(one.heading, one.number) for one in told - TYPED} == NEVER.keys()
