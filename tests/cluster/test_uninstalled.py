"""`helm uninstall` takes with it all that `helm install` brought."""

import pytest

from bookbag.local.process import wait_until
from tests.cluster.place import RELEASE, left, run


@pytest.mark.req("OPS-4")
def test_nothing_is_left_but_what_the_operator_made(uninstalled: set[str]) -> None:
    assert any(one.startswith("deployment") for one in uninstalled), "the look itself sees nothing"
    assert wait_until(lambda: not left(), 90, every=1), left()
    labelled = run("kubectl", "get", "clusterroles,clusterrolebindings,priorityclasses", "--selector",
                   f"app.kubernetes.io/instance={RELEASE}", "--output=name")  # fmt: skip
    assert labelled == ""
