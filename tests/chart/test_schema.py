"""A value that is misspelt or ill-typed is refused with its path, before anything is installed."""

from typing import Any

import pytest

from tests.chart.charts import VALUES, refusal, rendered


@pytest.mark.parametrize("values", VALUES)
def test_the_values_of_each_example_are_taken(values: str) -> None:
    assert rendered(values)


@pytest.mark.req("OPS-4")
@pytest.mark.parametrize(
    ("path", "value", "said"),
    [
        ("publicURL", "https://x.example", "'publicURL'"),
        ("api.replica", 2, "'replica'"),
        ("services.identiy.settings", {}, "'identiy'"),
        ("services.identity.settings.password_memory", 8, "'password_memory'"),
        ("services.messaging.worker.autoscaling.lags", 3, "'lags'"),
        ("networkPolicy.servers.redis.port", 6379, "'port'"),
        ("pods.spread.keyz", [], "'keyz'"),
        ("trust.bundel", "x", "'bundel'"),
    ],
)
def test_a_misspelt_value_is_refused_with_its_path(path: str, value: Any, said: str) -> None:
    told = refusal({path: value})
    assert said in told
    for word in path.split(".")[:-2]:
        assert word in told


@pytest.mark.req("OPS-4")
@pytest.mark.parametrize(
    ("path", "value"),
    [
        ("publicUrl", "bookbag.example.org"),
        ("publicUrl", "https://bookbag.example.org/"),
        ("publicUrl", ""),
        ("api.replicas", "2"),
        ("api.replicas", -1),
        ("kafka.security", "TLS"),
        ("kafka.brokers", "kafka 9092"),
        ("image.digest", "sha256:abc"),
        ("keys.secret", "Keys of ours"),
        ("gateway.trustedProxies", ["everybody"]),
        ("gateway.enabled", "true"),
        ("networkPolicy.servers.redis.ports", []),
        ("services.identity.settings.password_passes", 0),
        ("services.identity.settings.session_life", "a week"),
        ("services.translate.settings.engines", ["google"]),
        ("settings.trace_ratio", 2),
        ("worker.autoscaling.max", 9),
        ("pods.nodeSelector", {"kubernetes.io/os": 1}),
        ("backup.schedule", "nightly"),
        ("backup.to", "ftp://somewhere"),
        ("api.resources.limits.memory", "lots"),
    ],
)
def test_an_ill_typed_value_is_refused_with_its_path(path: str, value: Any) -> None:
    told = refusal({path: value})
    assert "values don't meet the specifications of the schema" in told
    assert path.replace(".", "/") in told or f"/{path.split('.')[0]}" in told or path in told


def test_a_gateway_that_nobody_may_come_through_is_refused_in_words() -> None:
    assert "networkPolicy.gateway is empty" in refusal({"networkPolicy.gateway": []})
    assert "gateway.parentRefs is empty" in refusal({"gateway.create.enabled": False})


def test_a_backup_needs_a_place() -> None:
    assert "backup.to is empty" in refusal({"backup.enabled": True})
