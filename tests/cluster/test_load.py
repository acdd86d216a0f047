"""Pods that are killed while people write: nothing that was acknowledged is lost, and all goes on soon."""

import re

import pytest

from bookbag.local.process import pause, wait_until
from tests.cluster.figures import GOAL_SECONDS, note
from tests.cluster.installation import Installation
from tests.cluster.load import Load, Report
from tests.cluster.place import Failed, got, kubectl, name_of, pods

pytestmark = [pytest.mark.req("OPS-4", "OPS-6"), pytest.mark.usefixtures("inhabited")]


def kept(installation: Installation) -> list[tuple[str, str]]:
    """The messages of the load as the database has them: text and id."""
    rows = installation.outside.asked("messaging", "select text, message_id from message where text like 'Message %'")
    return [(text, message) for text, _, message in (row.rpartition("|") for row in rows)]


def lost(installation: Installation, report: Report) -> set[str]:
    """Acknowledged messages that are not in the database as they were written."""
    there = dict(kept(installation))
    return {text for text, message in report.acknowledged.items() if there.get(text) != message}


def doubled(installation: Installation) -> int:
    texts = [text for text, _ in kept(installation)]
    return len(texts) - len(set(texts))


def kill(component: str) -> None:
    """End every pod of a process at once, as a machine that dies does."""
    names = [name_of(one) for one in pods(component)]
    kubectl("delete", "pod", *names, "--grace-period=0", "--force", "--wait=false")


@pytest.mark.parametrize("component", ["messaging-api", "identity-api", "messaging-worker"])
def test_pods_killed_under_load_lose_nothing_and_are_back_soon(component: str, installation: Installation) -> None:
    with Load(installation, rate=20) as load:
        pause(3)
        kill(component)
        assert wait_until(lambda: len(pods(component, ready=True)) == len(pods(component)) > 0, 120, every=0.5)
        pause(3)
    report = load.report
    note(**{f"killed_{component.replace('-', '_')}": report.told()})
    print(f"\n{component}: {report.told()}")
    assert not report.given_up
    assert lost(installation, report) == set()
    assert doubled(installation) == 0
    # The goal is measured and told; a machine that does other work at the same time starts Python slowly.
    assert report.longest_silence <= 4 * GOAL_SECONDS


def test_what_was_written_is_told_to_those_it_concerns(installation: Installation) -> None:
    """The outboxes of all services run empty, and no event was put aside."""

    def waiting() -> int:
        return sum(
            int(installation.outside.asked(service, "select count(*) from outbox where position is null")[0])
            for service in ("identity", "messaging")
        )

    assert wait_until(lambda: waiting() == 0, 120, every=1)
    for service in ("messaging", "translate", "notify"):
        assert installation.outside.asked(service, "select count(*) from dead_letter") == ["0"]


def evict(pod: str) -> str:
    """Ask for an eviction as a drain does; the cluster's answer when it refuses, else nothing."""
    words = (
        f'{{"apiVersion": "policy/v1", "kind": "Eviction", "metadata": {{"name": "{pod}", "namespace": "bookbag"}}}}'
    )
    try:
        kubectl("create", "--raw", f"/api/v1/namespaces/bookbag/pods/{pod}/eviction", "--filename", "-", told=words)
    except Failed as refused:
        return str(refused)
    return ""


def test_an_eviction_beyond_the_budget_is_refused(installation: Installation) -> None:
    first, second = (name_of(one) for one in pods("messaging-api", ready=True))
    assert evict(first) == ""
    assert "disruption budget" in evict(second)
    assert wait_until(lambda: len(pods("messaging-api", ready=True)) == 2, 120, every=0.5)


def test_the_autoscaler_reads_a_figure(installation: Installation) -> None:
    def figure() -> str:
        (one,) = got("horizontalpodautoscalers")["items"]
        return str(one["status"].get("currentMetrics", ""))

    assert wait_until(lambda: re.search(r"averageUtilization': \d+", figure()) is not None, 120, every=1)
