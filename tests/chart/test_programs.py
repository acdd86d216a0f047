"""Other people's judges of charts: Helm's own, the schemas of Kubernetes and of what stands on it, kube-score, the chart's own suites."""

import json
import subprocess
from collections.abc import Iterable
from pathlib import Path

import pytest

from tests.chart.charts import CHART, KUBERNETES, VALUES, run, text
from tools.bootstrap import cluster_tools


@pytest.mark.req("OPS-2")
@pytest.mark.parametrize("values", VALUES)
def test_helm_finds_no_fault(values: str) -> None:
    done = run(
        "helm", "lint", "--strict", CHART, "--kube-version", KUBERNETES, "--values", CHART / "ci" / f"{values}.yaml"
    )
    assert done.returncode == 0, done.stdout + done.stderr


@pytest.mark.req("OPS-2")
@pytest.mark.parametrize("values", VALUES)
def test_every_object_is_as_kubernetes_wants_it(values: str) -> None:
    done = conform(text(values))
    assert done.returncode == 0, done.stdout
    counted = json.loads(done.stdout)["summary"]
    assert counted["valid"] > 30
    assert counted["skipped"] == 0


def conform(given: str) -> subprocess.CompletedProcess[str]:
    schemas = cluster_tools.store() / "schemas"
    if not schemas.exists():
        pytest.skip(f"there are no schemas in {schemas}")
    place = f"{schemas}/{{{{.ResourceKind}}}}{{{{.KindSuffix}}}}.json"
    return run("kubeconform", "-strict", "-summary", "-output", "json", "-schema-location", place, given=given)


def test_a_field_that_kubernetes_does_not_know_is_found() -> None:
    broken = text("small").replace("enableServiceLinks: false", "enableServiceLink: false", 1)
    assert conform(broken).returncode != 0


def test_a_packed_chart_renders_the_same(tmp_path: Path) -> None:
    """The dashboards and rules are links into another folder, which a package must carry as files."""
    packed = run("helm", "package", CHART, "--destination", tmp_path)
    assert packed.returncode == 0, packed.stderr
    (package,) = tmp_path.glob("bookbag-*.tgz")
    values = CHART / "ci" / "everything-on.yaml"
    words = ("--namespace", "school", "--kube-version", KUBERNETES, "--values", values)
    assert run("helm", "template", "oak", package, *words).stdout == text("everything-on")


def test_the_suites_of_the_chart_pass(tmp_path: Path) -> None:
    done = run("untt", "--color=false", "--file", "tests/*_test.yaml", CHART)
    assert done.returncode == 0, done.stdout + done.stderr
    assert "Test Suites: " in done.stdout


REASONS = {
    "container-image-pull-policy": "who wants every start to ask the registry sets image.pullPolicy; a digest needs no asking",
    "deployment-has-host-podantiaffinity": "topologySpreadConstraints keep pods apart, by zone too",
}
"""What kube-score wants and the chart does not do, and why."""
REASONS_OF_SMALL = {"deployment-replicas": "one pod of each process is what small means"}


@pytest.fixture(scope="module")
def judge() -> Path:
    found = cluster_tools.judge()
    if found is None:
        pytest.skip("kube-score is not in PATH, and Go, which builds it, is not there")
    return found


@pytest.mark.req("OPS-4")
@pytest.mark.parametrize("values", VALUES)
def test_kube_score_finds_nothing_that_has_no_written_reason(values: str, judge: Path) -> None:
    assert faults(judge, text(values), but={**REASONS, **(REASONS_OF_SMALL if values == "small" else {})}) == []


def test_every_written_reason_is_needed(judge: Path) -> None:
    found = [one for values in ("small", "standard") for one in faults(judge, text(values), but=())]
    assert {one.split(": ")[1] for one in found} == {*REASONS, *REASONS_OF_SMALL}


def test_kube_score_finds_what_is_wrong(judge: Path) -> None:
    broken = text("small").replace("readOnlyRootFilesystem: true", "readOnlyRootFilesystem: false", 1)
    assert any("container-security-context-readonlyrootfilesystem" in one for one in faults(judge, broken))


def faults(judge: Path, given: str, *, but: Iterable[str] = REASONS) -> list[str]:
    ignored = [word for reason in but for word in ("--ignore-test", reason)]
    done = subprocess.run(
        [judge, "score", "--output-format", "json", "--kubernetes-version", "v1.35", *ignored, "-"],
        input=given, capture_output=True, text=True, check=False,
    )  # fmt: skip
    return [
        f"{one['object_name']}: {check['check']['id']}: {'; '.join(said['summary'] for said in check['comments'] or ())}"
        for one in json.loads(done.stdout)
        for check in one["checks"]
        if not check["skipped"] and check["grade"] < 10
    ]
