"""From `helm install` to the first school, as docs/install-kubernetes.md has it."""

import json
import subprocess
from base64 import b64decode
from collections.abc import Iterator
from urllib.parse import urlsplit
from uuid import uuid4

import boto3
import pytest

from bookbag.local.process import pause
from tests.cluster.installation import Installation
from tests.cluster.place import CHART, NAMESPACE, RELEASE, Failed, got, is_ready, kubectl, name_of, pods, run

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
    """Without `--logs`, with which Helm 3 looks for a pod that has gone."""
    done = subprocess.run(
        ["helm", "--namespace", NAMESPACE, "test", RELEASE, "--timeout", "180s"],
        capture_output=True, text=True, check=False, timeout=240,
    )  # fmt: skip
    said = done.stdout + done.stderr
    assert done.returncode == 0, said
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


@pytest.mark.req("OPS-5")
def test_the_backup_of_the_cronjob_lies_in_the_object_store(installation: Installation) -> None:
    said = ran("backup-now", kubectl("create", "job", "backup-now", f"--from=cronjob/{RELEASE}-backup", *UNSENT))
    manifest = kept(installation, said)
    assert manifest["services"].keys() == {"identity", "messaging", "translate", "notify"}
    assert [str(manifest["services"]["identity"]["tables"]["school"]["rows"])] == installation.outside.asked(
        "identity", "select count(*) from school"
    )


@pytest.mark.req("OPS-5")
def test_one_school_is_put_down_by_a_job_and_never_given_back_over_itself(installation: Installation) -> None:
    (code,) = installation.outside.asked("identity", "select min(code) from school_code")
    job = json.loads(kubectl("create", "job", "backup-one", f"--from=cronjob/{RELEASE}-backup", *UNSENT))
    job["spec"]["template"]["spec"]["containers"][0]["args"].append(f"--school={code}")
    said = ran("backup-one", json.dumps(job))
    assert kept(installation, said)["school"]["code"] == code
    place, _, options = place_of_backups(installation).partition("?")
    rendered = run(
        "helm", "template", RELEASE, str(CHART), "--namespace", NAMESPACE, *installation.files, "--show-only",
        "templates/restore.yaml", "--set-string", f"restore.from={place}/{folder(said)}?{options}",
    )  # fmt: skip
    with pytest.raises(Failed, match=f"{code} is here already"):
        ran(f"{RELEASE}-restore", rendered)


UNSENT = ("--dry-run=client", "--output=json")


def ran(job: str, told: str) -> str:
    """What a job printed that was run to its end and taken away. Raises Failed with its words when it fails."""
    kubectl("apply", "--filename", "-", told=told)
    try:
        for _ in range(90):
            status = got("job", job)["status"]
            if status.get("succeeded") or any(one["type"] == "Failed" for one in status.get("conditions", [])):
                break
            pause(1)
        said = kubectl("logs", f"job/{job}")
        if not status.get("succeeded"):
            raise Failed(said)
        return said
    finally:
        kubectl("delete", "--filename", "-", "--wait=true", told=told)


def place_of_backups(installation: Installation) -> str:
    return json.loads(installation.values.read_text())["backup"]["to"]


def folder(said: str) -> str:
    """The folder of a backup, as its last line names it."""
    return said.strip().rpartition("/")[2].rstrip(".")


def kept(installation: Installation, said: str) -> dict:
    """The manifest that lies in the store, read by nothing of ours."""
    store = installation.outside.seaweed.address
    client = boto3.client(
        "s3", endpoint_url=store.endpoint, region_name="us-east-1", aws_access_key_id=store.access_key,
        aws_secret_access_key=store.secret_key,
    )  # fmt: skip
    bucket, _, prefix = place_of_backups(installation).removeprefix("s3://").partition("?")[0].partition("/")
    return json.load(client.get_object(Bucket=bucket, Key=f"{prefix}/{folder(said)}/manifest.json")["Body"])


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
    """A Secret that is missing, and a database that does not answer: the last words of the job, as `kubectl describe` shows them."""
    for name, changed, words in (
        ("secret", "services.notify.database.secret=nowhere", "BOOKBAG_NOTIFY_"),
        ("database", f"services.identity.database.secret={elsewhere}", "PostgreSQL of identity"),
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
