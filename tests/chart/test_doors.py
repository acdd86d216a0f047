"""How people come in: the same doors as the services' own, streams without end, nothing believed that a client says of itself."""

import pytest
import yaml

from bookbag.chassis.edge import doors_of
from bookbag.cli.services import named
from tests.chart.charts import CHART, VALUES, component, of_kind, rendered

DEPLOY = CHART.parents[1]


@pytest.mark.parametrize("values", VALUES)
def test_each_door_of_the_services_leads_to_its_process(values: str) -> None:
    docs = rendered(values)
    (route,) = of_kind(docs, "HTTPRoute").values()
    services = of_kind(docs, "Service")
    led: dict[str, tuple[str, bool]] = {}
    for rule in route["spec"]["rules"]:
        (backend,) = rule["backendRefs"]
        behind = component(services[backend["name"]])
        assert backend["port"] in [port["port"] for port in services[backend["name"]]["spec"]["ports"]]
        for match in rule["matches"]:
            led[match["path"]["value"]] = behind, rule["timeouts"]["request"] == "0s"
            assert (match["path"]["type"] == "Exact") == (rule["timeouts"]["request"] == "0s")
    wanted = {"/": ("web", False)}
    for service in named("all"):
        doors = doors_of(service)
        wanted[doors.prefix] = f"{service.name}-api", False
        wanted |= dict.fromkeys(doors.streams, (f"{service.name}-api", True))
    assert led == wanted


def test_an_ingress_has_the_same_doors() -> None:
    docs = rendered("everything-on")
    (ingress,) = of_kind(docs, "Ingress").values()
    for rule in ingress["spec"]["rules"]:
        led = {path["path"]: path["backend"]["service"]["name"] for path in rule["http"]["paths"]}
        assert led == {f"/{name}/": f"oak-bookbag-{name}" for name in (one.name for one in named("all"))} | {"/": "oak-bookbag-web"}  # fmt: skip


@pytest.mark.req("OPS-4")
def test_what_a_client_says_of_where_it_comes_from_is_taken_off() -> None:
    (route,) = of_kind(rendered("standard"), "HTTPRoute").values()
    for rule in route["spec"]["rules"]:
        (taken,) = [one["requestHeaderModifier"]["remove"] for one in rule["filters"]]
        assert {"Forwarded", "X-Real-IP", "X-Forwarded-Host", "traceparent", "baggage"} <= set(taken)


def test_the_host_is_that_of_the_address_that_people_type() -> None:
    (route,) = of_kind(rendered("small"), "HTTPRoute").values()
    assert route["spec"]["hostnames"] == ["bookbag.test"]
    (gateway,) = of_kind(rendered("everything-on"), "Gateway").values()
    assert [one["hostname"] for one in gateway["spec"]["listeners"]] == ["bookbag.example.org", "oak.example.org"]
    assert {one["protocol"] for one in gateway["spec"]["listeners"]} == {"HTTPS"}
    (plain,) = of_kind(rendered("small"), "Gateway").values()
    assert [one["protocol"] for one in plain["spec"]["listeners"]] == ["HTTP"]


@pytest.mark.req("OPS-3")
def test_rules_and_dashboards_are_the_files_that_are_tested_elsewhere() -> None:
    docs = rendered("everything-on")
    (rules,) = of_kind(docs, "PrometheusRule").values()
    assert rules["spec"] == yaml.safe_load((DEPLOY / "observability" / "rules.yaml").read_text())
    boards = {path.name: path.read_text() for path in (DEPLOY / "observability" / "dashboards").glob("*.json")}
    shown = {name: text for doc in of_kind(docs, "ConfigMap").values() for name, text in doc["data"].items()}
    assert {name: text.strip() for name, text in shown.items()} == {name: text.strip() for name, text in boards.items()}


@pytest.mark.req("OPS-3")
def test_every_process_is_measured_under_the_name_that_the_rules_know() -> None:
    docs = rendered("everything-on")
    (monitor,) = of_kind(docs, "PodMonitor").values()
    (endpoint,) = monitor["spec"]["podMetricsEndpoints"]
    assert endpoint["relabelings"] == [{"targetLabel": "job", "replacement": "bookbag"}]
    wanted = monitor["spec"]["selector"]["matchLabels"]
    for deployment in of_kind(docs, "Deployment").values():
        pod = deployment["spec"]["template"]
        assert wanted.items() <= pod["metadata"]["labels"].items()
        assert endpoint["port"] in [port["name"] for port in pod["spec"]["containers"][0]["ports"]]


def test_what_is_optional_is_not_there_by_itself() -> None:
    kinds = {doc["kind"] for doc in rendered("standard")}
    optional = {"Ingress", "Gateway", "HorizontalPodAutoscaler", "ScaledObject", "PodMonitor", "PrometheusRule", "ConfigMap", "CronJob"}  # fmt: skip
    assert kinds & optional == set()
    assert optional <= {doc["kind"] for doc in rendered("everything-on")}
