"""From `helm install` to the first school, as docs/install-kubernetes.md has it."""

import json
from base64 import b64decode
from urllib.parse import urlsplit
from uuid import uuid4

import pytest

from tests.cluster.installation import Installation
from tests.cluster.place import CHART, NAMESPACE, RELEASE, got, helm, is_ready, kubectl, name_of, pods, run

pytestmark = pytest.mark.req("OPS-4")

NOBODY = 5999
"""A port of the database's machine that nothing listens at."""


def test_every_process_of_the_table_is_ready(installation: Installation) -> None:
    components = {one["metadata"]["labels"]["app.kubernetes.io/component"] for one in pods() if is_ready(one)}
    services = ("identity", "messaging", "translate", "notify")
    assert components >= {*(f"{name}-{kind}" for name in services for kind in ("api", "worker")), "web"}


def test_pods_are_nobody_with_nothing_they_could_write(installation: Installation) -> None:
    for pod in pods():
        spec = pod["spec"]
        assert spec["automountServiceAccountToken"] is False, name_of(pod)
        assert spec["securityContext"]["runAsUser"] == 10001, name_of(pod)
        for container in spec["containers"]:
            context = container["securityContext"]
            assert context["readOnlyRootFilesystem"], name_of(pod)
            assert context["capabilities"]["drop"] == ["ALL"], name_of(pod)


def test_helm_test_finds_nothing_wrong(installation: Installation) -> None:
    said = helm("test", RELEASE, "--logs", "--timeout", "180s")
    assert "nothing wrong" in said


def test_the_first_school_and_its_leader_are_created_by_one_command(installation: Installation) -> None:
    code = f"S{uuid4().hex[:6]}".upper()
    said = installation.bookbag(
        "schools", "create", "--code", code, "--name", "Elm Grove School", "--country", "GB", "--zone", "Europe/London",
        "--language", "en", "--preset", "quiet-evenings", "--leader-name", "Ada Lane", "--leader-email", f"{code}@staff.example",
    )  # fmt: skip
    password = said.partition("with the password ")[2].split()[0]
    with installation.http() as client:
        assert client.get(f"/identity/v1/schools/{code}").json()["name"] == "Elm Grove School"
        opened = client.post("/identity/v1/sessions", json={"email": f"{code}@staff.example", "password": password})
        assert opened.status_code == 201, opened.text
        assert [one["role"] for one in opened.json()["memberships"]] == ["leader"]


def test_a_migration_says_in_one_sentence_what_it_lacks(installation: Installation) -> None:
    """A Secret that is missing, and a database that does not answer: the last words of the job, as `kubectl describe` shows them."""
    for name, changed, words in (
        ("secret", "services.notify.database.secret=nowhere", "BOOKBAG_NOTIFY_"),
        ("database", f"services.identity.database.secret={_urls_that_lead_nowhere()}", "PostgreSQL of identity"),
    ):
        rendered = run("helm", "template", name, str(CHART), "--namespace", NAMESPACE, *installation.files, "--set", changed,
                       "--set", "migration.waitSeconds=5,migration.retries=0", "--show-only", "templates/migration.yaml")  # fmt: skip
        kubectl("apply", "--filename", "-", told=rendered)
        job = f"{name}-bookbag-migrate"
        try:
            kubectl("wait", "--for=condition=Failed", f"job/{job}", "--timeout=120s", within=150)
            (pod,) = got("pods", "--selector", f"job-name={job}")["items"]
            said = pod["status"]["containerStatuses"][0]["state"]["terminated"]["message"].strip().splitlines()[-1]
            print(f"\n{name}: {said}")
            assert words in said
        finally:
            kubectl("delete", "--filename", "-", told=rendered)


def _urls_that_lead_nowhere() -> str:
    """A Secret with the URLs of identity's databases at a port that nobody answers at; its name."""
    urls = got("secret", "bookbag-database-identity")["data"]
    elsewhere = {key: urlsplit(b64decode(url).decode()) for key, url in urls.items()}
    leading = {
        key: url._replace(netloc=f"{url.netloc.rpartition(':')[0]}:{NOBODY}").geturl() for key, url in elsewhere.items()
    }
    secret = {"apiVersion": "v1", "kind": "Secret", "metadata": {"name": "nowhere-at-all"}, "stringData": leading}
    kubectl("apply", "--filename", "-", told=json.dumps(secret))
    return "nowhere-at-all"
