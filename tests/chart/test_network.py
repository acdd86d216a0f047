"""The network policies are walked as an enforcing network walks them, and allow exactly what the code needs."""

from collections.abc import Iterator

import pytest

from bookbag.cli.services import NAMES, named
from tests.chart.charts import VALUES, Doc, component, of_kind, pods, rendered

Edge = tuple[str, str, int]
"""Who, whom, at which port."""


def chooses(selector: Doc, labels: Doc) -> bool:
    if any(labels.get(key) != value for key, value in selector.get("matchLabels", {}).items()):
        return False
    for one in selector.get("matchExpressions", ()):
        assert one["operator"] == "In"
        if labels.get(one["key"]) not in one["values"]:
            return False
    return True


def labels_of(docs: tuple[Doc, ...]) -> dict[str, Doc]:
    return {name: pod["metadata"]["labels"] for name, pod in pods(docs).items()}


def policies(docs: tuple[Doc, ...]) -> list[Doc]:
    return list(of_kind(docs, "NetworkPolicy").values())


def told(docs: tuple[Doc, ...], *, way: str) -> set[Edge]:
    """All edges between our own pods that policies of one direction allow."""
    everybody, found = labels_of(docs), set[Edge]()
    rule_of, other = {"ingress": ("ingress", "from"), "egress": ("egress", "to")}[way]
    for policy in policies(docs):
        mine = [name for name, labels in everybody.items() if chooses(policy["spec"]["podSelector"], labels)]
        for rule in policy["spec"].get(rule_of) or ():
            for peer in rule.get(other) or ():
                if set(peer) != {"podSelector"}:
                    continue
                theirs = [name for name, labels in everybody.items() if chooses(peer["podSelector"], labels)]
                for port in rule["ports"]:
                    pairs = ((a, b) if way == "egress" else (b, a) for a in mine for b in theirs)
                    found |= {(a, b, port["port"]) for a, b in pairs}
    return found


def wanted() -> Iterator[Edge]:
    """From the manifests: both processes of a caller reach the API of whom it calls; so does the pod of `helm test`."""
    for owner in named("all"):
        callers = {caller for rpc in owner.rpcs for admitted in rpc.callers.values() for caller in admitted.services}
        for caller in callers:
            yield f"{caller}-api", f"{owner.name}-api", 8001
            yield f"{caller}-worker", f"{owner.name}-api", 8001
        if owner.rpcs:
            yield "test", f"{owner.name}-api", 8001


@pytest.mark.req("OPS-4")
@pytest.mark.parametrize("values", VALUES)
def test_our_processes_reach_each_other_only_where_the_code_calls(values: str) -> None:
    docs = rendered(values)
    assert told(docs, way="egress") == set(wanted())
    assert told(docs, way="ingress") == set(wanted())


@pytest.mark.parametrize("values", VALUES)
def test_every_pod_is_denied_both_ways_by_default(values: str) -> None:
    docs = rendered(values)
    (deny,) = [policy for policy in policies(docs) if component(policy) == "network"]
    assert set(deny["spec"]["policyTypes"]) == {"Ingress", "Egress"}
    assert "ingress" not in deny["spec"]
    assert [port["port"] for rule in deny["spec"]["egress"] for port in rule["ports"]] == [53, 53]
    for name, labels in labels_of(docs).items():
        assert chooses(deny["spec"]["podSelector"], labels), name


@pytest.mark.parametrize("values", VALUES)
def test_every_pod_has_a_policy_of_its_own(values: str) -> None:
    docs = rendered(values)
    own = {component(policy): policy for policy in policies(docs) if component(policy) != "network"}
    assert set(own) == set(labels_of(docs))
    for name, policy in own.items():
        chosen = [each for each, labels in labels_of(docs).items() if chooses(policy["spec"]["podSelector"], labels)]
        assert chosen == [name]


def ports_out(policy: Doc) -> set[int]:
    return {
        port["port"] for rule in policy["spec"]["egress"] for port in rule["ports"] if port["port"] not in (53, 8001)
    }


def test_each_process_reaches_only_the_servers_that_it_needs() -> None:
    out = {component(policy): ports_out(policy) for policy in policies(rendered("everything-on"))}
    database, redis, kafka, files, mail, traces = 5432, 6379, 9093, 443, {25, 465, 587}, 4318
    for name in NAMES:
        assert out[f"{name}-api"] == {database, redis, files, traces}
    assert out["identity-worker"] == {database, redis, files, kafka, traces}
    assert out["notify-worker"] == {database, redis, files, kafka, traces} | mail
    assert out["web"] == {traces}
    assert out["migrate"] == {database, kafka, traces}
    assert out["backup"] == {database, files, traces}
    assert out["restore"] == {database, files, kafka, traces}


def test_addresses_of_servers_are_those_that_were_given() -> None:
    (policy,) = [one for one in policies(rendered("hardened")) if component(one) == "identity-api"]
    places = [rule["to"] for rule in policy["spec"]["egress"]]
    assert [{"ipBlock": {"cidr": "10.20.0.10/32"}}] in places
    assert all(places), "a rule without an address opens the way to anybody"


def test_people_come_in_through_the_gateway_alone_and_figures_go_to_prometheus_alone() -> None:
    docs = rendered("hardened")
    gateway = [{"namespaceSelector": {"matchLabels": {"kubernetes.io/metadata.name": "gateways"}}, "podSelector": {"matchLabels": {"app": "envoy"}}}]  # fmt: skip
    for policy in policies(docs):
        doors = {rule["ports"][0]["port"]: rule["from"] for rule in policy["spec"].get("ingress") or ()}
        name = component(policy)
        assert (8000 in doors) == (name == "web" or name.endswith("-api")), name
        assert doors.get(8000, gateway) == gateway
        assert (8002 in doors) == (name in {"web"} or name.endswith(("-api", "-worker"))), name
    quiet = [rule for policy in policies(rendered("standard")) for rule in policy["spec"].get("ingress") or ()]
    assert all(rule["ports"][0]["port"] != 8002 for rule in quiet)


def test_a_port_that_a_policy_opens_is_one_of_the_pods() -> None:
    docs = rendered("everything-on")
    for name, pod in pods(docs).items():
        ports = {port["containerPort"] for port in pod["spec"]["containers"][0].get("ports", ())}
        (own,) = [policy for policy in policies(docs) if component(policy) == name]
        open_ports = {port["port"] for rule in own["spec"].get("ingress") or () for port in rule["ports"]}
        assert open_ports <= ports, name
