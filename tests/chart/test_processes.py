"""What the chart starts: every process, told all that it needs and nothing that is another's, closed as far as it goes."""

import json
from typing import Any

import pytest
from pydantic import TypeAdapter

from bookbag import __version__
from bookbag.chassis.peers import Peers
from bookbag.chassis.settings import Listening, Platform, load
from bookbag.cli.main import parser
from bookbag.cli.services import NAMES, named
from tests.chart.charts import VALUES, Doc, component, container, environment, of_kind, pods, rendered
from tools.docs import settings_page

ONCE = {"migrate", "test", "backup", "restore"}
"""Pods that run once."""


def deployed(values: str) -> dict[str, Doc]:
    return {component(doc): doc for doc in of_kind(rendered(values), "Deployment").values()}


def all_pods() -> list[Any]:
    return [pytest.param(values, name, id=f"{values} {name}") for values in VALUES for name in pods_of_names(values)]


def pods_of_names(values: str) -> list[str]:
    names = [f"{service}-{kind}" for service in NAMES for kind in ("api", "worker")]
    return [*names, "web", "migrate", "test", *(["backup", "restore"] if values == "everything-on" else [])]


@pytest.mark.req("OPS-2")
@pytest.mark.parametrize("values", VALUES)
def test_there_is_a_deployment_for_each_process_and_a_pod_for_each_task(values: str) -> None:
    assert set(pods(rendered(values))) == set(pods_of_names(values))
    assert set(deployed(values)) == {name for name in pods_of_names(values) if name not in ONCE}


@pytest.mark.parametrize(("values", "name"), all_pods())
def test_what_a_pod_runs_is_a_command_that_exists(values: str, name: str) -> None:
    pod = pods(rendered(values))[name]
    assert "command" not in container(pod), "the image begins with bookbag"
    asked = parser().parse_args(container(pod)["args"])
    assert asked.command in {"serve", "work", "migrate", "doctor", "backup", "restore"}


@pytest.mark.parametrize(("values", "name"), all_pods())
def test_a_pod_is_told_settings_that_make_it_start(values: str, name: str, monkeypatch: pytest.MonkeyPatch) -> None:
    for variable, told in environment(pods(rendered(values))[name]).items():
        monkeypatch.setenv(variable, told if isinstance(told, str) else "postgresql://somebody@somewhere/one")
    if name == "web":
        assert Listening().on_one_machine is False  # type: ignore[call-arg]
        return
    platform = Platform()  # type: ignore[call-arg]
    assert platform.environment == "cluster"
    assert set(platform.peers) == {service.name for service in named("all") if service.rpcs}
    Peers(dict(platform.peers), None)
    for service in named("all"):
        if name.startswith(service.name) or name in ONCE:
            load(service.settings, service.name)


@pytest.mark.parametrize(("values", "name"), all_pods())
def test_a_pod_is_told_nothing_that_no_code_reads(values: str, name: str) -> None:
    known = settings_page()
    others = {"SSL_CERT_FILE", "AWS_CA_BUNDLE"}
    told = environment(pods(rendered(values))[name])
    assert [variable for variable in told if f"`{variable}`" not in known and variable not in others] == []


@pytest.mark.req("OPS-4")
@pytest.mark.parametrize("values", VALUES)
def test_a_process_is_told_no_secret_of_another_service(values: str) -> None:
    for name, deployment in deployed(values).items():
        pod = deployment["spec"]["template"]
        service = name.partition("-")[0]
        others = [other for other in NAMES if other != service]
        for variable in environment(pod):
            assert not any(variable.startswith(f"BOOKBAG_{other.upper()}_") for other in others), (name, variable)
        keys = [
            item["path"]
            for volume in pod["spec"]["volumes"]
            for item in volume.get("secret", {}).get("items", ())
            if item["path"].startswith("private/")
        ]
        assert all(service in key or (name == "identity-api" and key == "private/users.json") for key in keys), keys
        assert "BOOKBAG_IDENTITY_OWNER_URL" not in environment(pod)


@pytest.mark.parametrize("values", VALUES)
def test_the_page_process_is_told_no_secret_at_all(values: str) -> None:
    pod = deployed(values)["web"]["spec"]["template"]
    assert all(isinstance(told, str) for told in environment(pod).values())
    assert all("secret" not in volume for volume in pod["spec"]["volumes"])


@pytest.mark.req("OPS-4")
@pytest.mark.parametrize("values", VALUES)
def test_secrets_come_by_reference_only(values: str) -> None:
    assert not of_kind(rendered(values), "Secret")
    secret = [field for field, kind in Platform.model_fields.items() if "SecretStr" in str(kind.annotation)]
    secret = [f"BOOKBAG_{field.upper()}" for field in secret]
    for pod in pods(rendered(values)).values():
        for variable, told in environment(pod).items():
            if variable in secret or variable.endswith(("_APP_URL", "_OWNER_URL", "_WORKER_URL", "_READER_URL", "_BACKUP_URL", "_KEY")):  # fmt: skip
                assert isinstance(told, dict), variable


@pytest.mark.req("OPS-4")
@pytest.mark.parametrize(("values", "name"), all_pods())
def test_every_pod_is_closed(values: str, name: str) -> None:
    pod = pods(rendered(values))[name]["spec"]
    one = container(pods(rendered(values))[name])
    assert pod["automountServiceAccountToken"] is False
    assert pod["enableServiceLinks"] is False
    assert pod["securityContext"]["runAsNonRoot"] is True
    assert pod["securityContext"]["runAsUser"] == 10001
    assert pod["securityContext"]["seccompProfile"] == {"type": "RuntimeDefault"}
    assert one["securityContext"] == {
        "allowPrivilegeEscalation": False, "readOnlyRootFilesystem": True, "capabilities": {"drop": ["ALL"]},
    }  # fmt: skip
    for bound in ("requests", "limits"):
        assert set(one["resources"][bound]) == {"cpu", "memory", "ephemeral-storage"}
    assert {mount["mountPath"] for mount in one["volumeMounts"] if not mount.get("readOnly")} == {"/tmp"}
    accounts = of_kind(rendered(values), "ServiceAccount")
    assert accounts[pod["serviceAccountName"]]["automountServiceAccountToken"] is False
    assert {mount["name"] for mount in one["volumeMounts"]} == {volume["name"] for volume in pod["volumes"]}


@pytest.mark.req("OPS-3")
@pytest.mark.parametrize("values", VALUES)
def test_readiness_asks_what_a_process_needs_and_liveness_nobody(values: str) -> None:
    for deployment in deployed(values).values():
        one = container(deployment["spec"]["template"])
        assert one["readinessProbe"]["httpGet"] == {"path": "/readyz", "port": "admin"}
        for probe in ("startupProbe", "livenessProbe"):
            assert one[probe]["httpGet"] == {"path": "/healthz", "port": "admin"}


@pytest.mark.parametrize("values", VALUES)
def test_a_pod_that_people_reach_pauses_before_it_ends_and_has_time_for_both(values: str) -> None:
    for name, deployment in deployed(values).items():
        pod = deployment["spec"]["template"]
        pause = container(pod).get("lifecycle", {}).get("preStop", {}).get("sleep", {}).get("seconds", 0)
        assert (pause > 0) == (not name.endswith("-worker")), name
        assert pod["spec"]["terminationGracePeriodSeconds"] >= pause + 15


@pytest.mark.parametrize("values", VALUES)
def test_nobody_is_taken_away_before_another_is_ready(values: str) -> None:
    for deployment in deployed(values).values():
        assert deployment["spec"]["strategy"]["rollingUpdate"] == {"maxSurge": 1, "maxUnavailable": 0}


def test_an_autoscaler_owns_the_number_alone() -> None:
    docs = rendered("everything-on")
    scaled = of_kind(docs, "HorizontalPodAutoscaler", "ScaledObject")
    for name, deployment in of_kind(docs, "Deployment").items():
        assert ("replicas" in deployment["spec"]) != (name in scaled), name
    for scaler in scaled.values():
        assert scaler["spec"]["scaleTargetRef"]["name"] in of_kind(docs, "Deployment")
    hearing = {f"oak-bookbag-{service.name}-worker" for service in named("all") if service.hears}
    assert set(of_kind(docs, "ScaledObject")) == hearing


def test_a_worker_is_scaled_by_what_its_consumer_is_behind() -> None:
    (trigger,) = of_kind(rendered("everything-on"), "ScaledObject")["oak-bookbag-notify-worker"]["spec"]["triggers"]
    assert trigger["metadata"]["consumerGroup"] == "oak.notify"
    assert trigger["metadata"]["topic"] == "oak.bookbag.messaging.v1"
    assert trigger["metadata"]["sasl"] == "scram_sha256"
    assert trigger["authenticationRef"]["name"] in of_kind(rendered("everything-on"), "TriggerAuthentication")


@pytest.mark.parametrize("values", VALUES)
def test_a_budget_stands_where_there_are_two_pods_or_more(values: str) -> None:
    docs = rendered(values)
    budgets = of_kind(docs, "PodDisruptionBudget")
    least = {name: scaler["spec"]["minReplicas"] for name, scaler in of_kind(docs, "HorizontalPodAutoscaler").items()}
    least |= {name: scaler["spec"]["minReplicaCount"] for name, scaler in of_kind(docs, "ScaledObject").items()}
    for name, deployment in of_kind(docs, "Deployment").items():
        assert (name in budgets) == (least.get(name, deployment["spec"].get("replicas", 0)) > 1), name
        if name in budgets:
            assert budgets[name]["spec"]["selector"] == deployment["spec"]["selector"]


@pytest.mark.parametrize("values", VALUES)
def test_the_names_that_peers_are_called_by_are_headless_services(values: str) -> None:
    docs = rendered(values)
    services = of_kind(docs, "Service")
    told = environment(pods(docs)["notify-worker"])["BOOKBAG_PEERS"]
    peers = TypeAdapter(dict[str, str]).validate_json(str(told))
    for name, target in peers.items():
        host, _, port = target.removeprefix("dns:///").rpartition(":")
        called, _, domain = host.partition(".")
        assert domain == "school.svc.cluster.local"
        spec = services[called]["spec"]
        assert spec["clusterIP"] == "None"
        assert [one["port"] for one in spec["ports"]] == [int(port)]
        assert spec["selector"]["app.kubernetes.io/component"] == f"{name}-api"


def test_the_migration_runs_before_anything_else_and_leaves_nothing() -> None:
    (job,) = of_kind(rendered("hardened"), "Job").values()
    hooks = [doc for doc in rendered("hardened") if component(doc) == "migrate"]
    assert {doc["kind"] for doc in hooks} == {"Job", "ServiceAccount", "NetworkPolicy"}
    for doc in hooks:
        notes = doc["metadata"]["annotations"]
        assert notes["helm.sh/hook"] == "pre-install,pre-upgrade"
        assert notes["helm.sh/hook-delete-policy"] == "before-hook-creation,hook-succeeded"
        assert (int(notes["helm.sh/hook-weight"]) < 0) == (doc["kind"] != "Job")
    told = environment(job["spec"]["template"])
    assert all(one["optional"] for one in told.values() if isinstance(one, dict)), "else the pod says nothing and waits"
    assert {f"BOOKBAG_{name.upper()}_OWNER_URL" for name in NAMES} <= set(told)


def test_a_backup_is_given_back_before_the_migration_and_at_the_first_install_only() -> None:
    jobs = of_kind(rendered("everything-on"), "Job")
    migrate, restore = (jobs[f"oak-bookbag-{name}"]["metadata"]["annotations"] for name in ("migrate", "restore"))
    assert restore["helm.sh/hook"] == "pre-install"
    assert int(restore["helm.sh/hook-weight"]) < int(migrate["helm.sh/hook-weight"])
    assert jobs["oak-bookbag-restore"]["spec"]["backoffLimit"] == 0


def test_a_word_at_restarted_at_starts_the_pods_anew() -> None:
    name = "oak-bookbag-notify-worker"
    before = of_kind(rendered("small"), "Deployment")[name]["spec"]["template"]
    after = of_kind(rendered("small", "--set", "services.notify.worker.restartedAt=now"), "Deployment")
    assert after[name]["spec"]["template"] != before
    assert after["oak-bookbag-notify-api"] == of_kind(rendered("small"), "Deployment")["oak-bookbag-notify-api"]


def test_the_chart_carries_the_version_of_the_product() -> None:
    image = container(pods(rendered("standard"))["web"])["image"]
    assert image == f"registry.example.org/bookbag:{__version__}"
    assert container(pods(rendered("hardened"))["web"])["image"].startswith("registry.example.org/bookbag@sha256:")


def test_what_is_told_as_a_number_is_written_as_one() -> None:
    told = environment(pods(rendered("everything-on"))["identity-api"])
    assert told["BOOKBAG_IDENTITY_PASSWORD_MEMORY_KIB"] == "1048576"
    assert told["BOOKBAG_TRACE_RATIO"] == "0.1"
    engines = environment(pods(rendered("everything-on"))["translate-worker"])["BOOKBAG_TRANSLATE_ENGINES"]
    assert json.loads(str(engines)) == ["libretranslate"]
