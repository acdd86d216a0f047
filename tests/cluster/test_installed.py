"""From `helm install` to the first school, as docs/install-kubernetes.md has it."""

import json
from base64 import b64decode
from collections.abc import Iterator
from urllib.parse import urlsplit

import pytest

from tests.cluster.installation import Installation
from tests.cluster.place import CHART, NAMESPACE, got, is_ready, kubectl, name_of, pods, run
from tests.support.install_page import block

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


def test_the_words_after_an_install_lead_to_the_next_step(installation: Installation) -> None:
    said = installation.said
    # The same first school as the page's, whose command is typed below.
    assert " ".join(block("5. The first school").text.replace("\\\n", " ").split()) in " ".join(
        said.replace("\\\n", " ").split()
    )
    assert "helm -n bookbag test bookbag" in said
    assert f"Open {installation.place.url}" in said
    assert "is false" not in said
    assert "is empty" not in said


def test_helm_test_finds_nothing_wrong(installation: Installation) -> None:
    assert "nothing wrong" in installation.page.type("4. Install", 2)


def test_the_first_school_and_its_leader_are_created_by_one_command(
    installation: Installation, leader: dict[str, str]
) -> None:
    with installation.http() as client:
        assert client.get("/identity/v1/schools/OAKS").json()["name"] == "Oak School"
        opened = client.post("/identity/v1/sessions", json=leader)
        assert opened.status_code == 201, opened.text
        assert [one["role"] for one in opened.json()["memberships"]] == ["leader"]


@pytest.mark.req("OPS-5")
def test_the_backup_of_the_cronjob_lies_in_the_object_store(installation: Installation, put_down: str) -> None:
    bucket, _, prefix = (
        installation.page.values()["backup"]["to"].removeprefix("s3://").partition("?")[0].partition("/")
    )
    kept = installation.outside.s3().get_object(Bucket=bucket, Key=f"{prefix}/{put_down}/manifest.json")
    manifest = json.load(kept["Body"])
    assert manifest["services"].keys() == {"identity", "messaging", "translate", "notify"}
    assert manifest["services"]["identity"]["tables"]["school"]["rows"] == 1


@pytest.fixture
def elsewhere(installation: Installation) -> Iterator[str]:
    """A Secret with the URLs of identity's databases at a port that nobody answers at; its name."""
    urls = got("secret", "bookbag-database-identity")["data"]
    places = {key: urlsplit(b64decode(url).decode()) for key, url in urls.items()}
    leading = {
        key: url._replace(netloc=f"{url.netloc.rpartition(':')[0]}:{NOBODY}").geturl() for key, url in places.items()
    }
    secret = {"apiVersion": "v1", "kind": "Secret", "metadata": {"name": "nowhere-at-all"}, "stringData": leading}
    kubectl("apply", "--filename", "-", told=json.dumps(secret))
    yield "nowhere-at-all"
    kubectl("delete", "secret", "nowhere-at-all")


def test_a_migration_says_in_one_sentence_what_it_lacks(installation: Installation, elsewhere: str) -> None:
    """A Secret that is missing, and a database that does not answer: the last words of the job."""
    wanted = {
        "secret": ("services.notify.database.secret=nowhere", "BOOKBAG_NOTIFY_"),
        "database": (f"services.identity.database.secret={elsewhere}", "PostgreSQL of identity"),
    }
    rendered = "---\n".join(
        run("helm", "template", name, str(CHART), "--namespace", NAMESPACE, *installation.files, "--set", changed,
            "--set", "migration.waitSeconds=5,migration.retries=0", "--show-only", "templates/migration.yaml")
        for name, (changed, _) in wanted.items()
    )  # fmt: skip
    kubectl("apply", "--filename", "-", told=rendered)
    try:
        for name, (_, words) in wanted.items():
            job = f"{name}-bookbag-migrate"
            kubectl("wait", "--for=condition=Failed", f"job/{job}", "--timeout=120s", within=150)
            said = installation.page.type("4. Install", 1, names={"bookbag-migrate": job}).strip().splitlines()[-1]
            print(f"\n{name}: {said}")
            assert words in said
    finally:
        kubectl("delete", "--filename", "-", told=rendered)


def test_new_passwords_and_keys_are_taken(installation: Installation, leader: dict[str, str]) -> None:
    before = got("secret", "bookbag-database-identity", "bookbag-keys")["items"]
    with installation.http() as client:
        opened = client.post("/identity/v1/sessions", json=leader).json()
        installation.page.type("New passwords and keys")
        after = got("secret", "bookbag-database-identity", "bookbag-keys")["items"]
        assert all(one["data"] != other["data"] for one, other in zip(before, after, strict=True))
        whom = {"person": opened["memberships"][0]["person"], "role": "leader"}
        answer = client.post("/identity/v1/tokens", json=whom)
        assert answer.status_code == 200, "whoever was signed in must do it again"
        client.headers["authorization"] = f"Bearer {answer.json()['token']}"
        # Another service believes the new key: it asks for the school's terms, and not for a sign-in.
        assert client.get("/messaging/v1/threads").json()["code"] == "terms-not-accepted"
