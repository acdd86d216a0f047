"""`helm uninstall` takes with it all that `helm install` brought. It is the last test: nothing runs after it."""

import pytest

from bookbag.local.process import wait_until
from tests.cluster.installation import Installation
from tests.cluster.place import NAMESPACE, RELEASE, helm, run

OURS = {"bookbag-keys", "bookbag-redis", "bookbag-mail", "bookbag-object-store", "bookbag-tls"}
OF_THE_CLUSTER = {"kube-root-ca.crt", "default", "kubernetes"}


def left() -> set[str]:
    """Everything in the namespace that neither the cluster nor the operator put there."""
    kinds = run("kubectl", "api-resources", "--verbs=list", "--namespaced", "--output=name").split()
    found = run(
        "kubectl", "--namespace", NAMESPACE, "get", ",".join(one for one in kinds if not one.startswith("events")),
        "--output=name", "--ignore-not-found",
    ).split()  # fmt: skip
    names = {one: one.rpartition("/")[2] for one in found}
    return {
        one
        for one, name in names.items()
        if name not in OURS | OF_THE_CLUSTER and not name.startswith("bookbag-database-")
    }


@pytest.mark.req("OPS-4")
def test_nothing_is_left_but_what_the_operator_made(installation: Installation) -> None:
    assert any(one.startswith("deployment") for one in left()), "the look itself sees nothing"
    helm("uninstall", RELEASE, "--wait", "--timeout", "120s")
    assert wait_until(lambda: not left(), 90, every=1), left()
    labelled = run("kubectl", "get", "clusterroles,clusterrolebindings,priorityclasses", "--selector",
                   f"app.kubernetes.io/instance={RELEASE}", "--output=name")  # fmt: skip
    assert labelled == ""
