"""NetworkPolicies: every edge that the table of processes allows answers, and every other is silent."""

import json
from collections.abc import Sequence
from concurrent.futures import ThreadPoolExecutor
from typing import Any

import pytest
import yaml

from bookbag.local.process import wait_until
from tests.cluster.figures import note
from tests.cluster.installation import Installation
from tests.cluster.outside import PORTS
from tests.cluster.place import CHART, NAMESPACE, got, kubectl, name_of, pods, run

pytestmark = pytest.mark.req("OPS-2")

PROBE = """
import asyncio, json, sys

async def one(host, port):
    try:
        _, writer = await asyncio.wait_for(asyncio.open_connection(host, port), 3)
    except TimeoutError:
        return "silent"
    except OSError as error:
        return f"refused {error.errno}"
    writer.close()
    return "answers"

async def main(places):
    return await asyncio.gather(*(one(*place) for place in places))

print(json.dumps(asyncio.run(main(json.loads(sys.argv[1])))))
"""


def table() -> list[dict[str, Any]]:
    return yaml.safe_load((CHART / "files" / "processes.yaml").read_text())["processes"]


def reached(pod: str, places: Sequence[tuple[str, int]], *, namespace: str = NAMESPACE) -> list[str]:
    """What each place says to a connection that comes from inside a pod."""
    command = ("kubectl", "--namespace", namespace, "exec", pod, "--", "python", "-c", PROBE, json.dumps(places))
    return json.loads(run(*command))


@pytest.fixture(scope="module")
def addresses(installation: Installation) -> dict[str, str]:
    """The address of one pod of each process: the oldest, because an autoscaler takes away the youngest."""

    def oldest(process: str) -> dict[str, Any]:
        return min(pods(process, ready=True), key=lambda one: one["metadata"]["creationTimestamp"])

    return {one["name"]: oldest(one["name"])["status"]["podIP"] for one in table()}


def every_place(addresses: dict[str, str], host: str) -> dict[str, tuple[str, int]]:
    places = {
        f"{one['name']} {port}": (addresses[one["name"]], number)
        for one in table()
        for port, number in one["ports"].items()
    }
    return places | {server: (host, port) for server, port in PORTS.items()} | {"elsewhere": ("203.0.113.1", 443)}


def allowed(process: dict[str, Any]) -> set[str]:
    """Where a process may go: its servers, the gRPC of the services it calls, and itself."""
    itself = {f"{process['name']} {port}" for port in process["ports"]}
    return {f"{each}-api grpc" for each in process["calls"]} | (set(process["servers"]) & set(PORTS)) | itself


@pytest.fixture(scope="module")
def heard(addresses: dict[str, str], installation: Installation) -> dict[str, dict[str, str]]:
    """What each process is answered at each place; three ask at once, because most of it is waiting for silence."""
    places = every_place(addresses, installation.place.host)

    def one(name: str) -> dict[str, str]:
        return dict(zip(places, reached(pod_at(name, addresses), list(places.values())), strict=True))

    names = [each["name"] for each in table()]
    with ThreadPoolExecutor(max_workers=3) as askers:
        return dict(zip(names, askers.map(one, names), strict=True))


def pod_at(process: str, addresses: dict[str, str]) -> str:
    return next(name_of(one) for one in pods(process, ready=True) if one["status"]["podIP"] == addresses[process])


@pytest.mark.parametrize("process", table(), ids=lambda one: one["name"])
def test_a_process_reaches_what_it_needs_and_nothing_else(
    process: dict[str, Any], heard: dict[str, dict[str, str]]
) -> None:
    said = heard[process["name"]]
    open_now = {place for place, answer in said.items() if answer == "answers"}
    assert open_now == allowed(process)
    assert {said[place] for place in said.keys() - open_now} == {"silent"}
    note(**{f"edges_of_{process['name']}": {"open": len(open_now), "silent": len(said) - len(open_now)}})


STRANGER = """
apiVersion: v1
kind: Pod
metadata: {{name: stranger}}
spec:
  containers:
    - name: stranger
      image: {image}
      imagePullPolicy: Never
      command: [python, -c, "import time; time.sleep(3600)"]
"""


def test_a_stranger_in_another_namespace_reaches_nobody(addresses: dict[str, str], installation: Installation) -> None:
    within = ("kubectl", "--namespace", "default")
    run(*within, "apply", "--filename", "-", told=STRANGER.format(image=installation.place.images[0]))
    try:
        run(*within, "wait", "pod/stranger", "--for=condition=Ready", "--timeout=60s")
        places = every_place(addresses, installation.place.host)
        said = dict(zip(places, reached("stranger", list(places.values()), namespace="default"), strict=True))
        ours = {place: answer for place, answer in said.items() if place not in (*PORTS, "elsewhere")}
        assert set(ours.values()) == {"silent"}
        # It can reach something: the silence is the policies' and not that of a pod without a network.
        assert {said[server] for server in PORTS} == {"answers"}
    finally:
        run(*within, "delete", "pod", "stranger", "--grace-period=0", "--force")


def test_the_silence_is_that_of_the_policies(addresses: dict[str, str], installation: Installation) -> None:
    """Without them, what reaches nobody reaches everybody, and with them nobody again."""
    policies = got("networkpolicies")
    for one in policies["items"]:
        one["metadata"] = {key: one["metadata"][key] for key in ("name", "labels", "annotations")}
    places = every_place(addresses, installation.place.host)
    del places["elsewhere"]
    own = {place for place in places if place.startswith("web ")}
    web = pod_at("web", addresses)

    def open_now() -> set[str]:
        said = zip(places, reached(web, list(places.values())), strict=True)
        return {place for place, answer in said if answer == "answers"}

    kubectl("delete", "networkpolicies", "--all")
    try:
        assert wait_until(lambda: open_now() == set(places), 30, every=0.5)
    finally:
        kubectl("create", "--filename", "-", told=json.dumps(policies))
    assert wait_until(lambda: open_now() == own, 30, every=0.5)
