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


@pytest.mark.parametrize(
    ("values", "said"),
    [
        ({"networkPolicy.gateway": []}, "networkPolicy.gateway is empty"),
        ({"gateway.create.enabled": False}, "gateway.parentRefs is empty"),
        ({"gateway.create.className": ""}, "gateway.create.className is empty"),
        ({"kafka.brokers": ""}, "kafka.brokers is empty"),
        ({"kafka.brokers": "one:9092,two:9094"}, "lacks 9094, the port of two:9094 in kafka.brokers"),
        ({"kafka.ca": "kafka.pem"}, "trust.configMap, which is empty"),
        ({"trust.bundle": "all.pem"}, "trust.configMap, which is empty"),
        ({"objectStore.url": ""}, "objectStore.url is empty"),
        ({"objectStore.url": "s3://b?endpoint=http://files"}, "networkPolicy.servers.objects.ports lacks 80"),
        ({"objectStore.url": "s3://b?endpoint=https://files:9000&region=x"}, "objects.ports lacks 9000"),
        ({"pods.pauseSeconds": 20}, "pods.graceSeconds is too short"),
        ({"backup.enabled": True}, "backup.to is empty"),
        ({"gateway.trustedProxies": ["10.0.0.0/8"]}, "10.0.0.0/8 is too wide"),
        ({"gateway.trustedProxies": ["10.244.0.1/32", "0.0.0.0/0"]}, "0.0.0.0/0 is too wide"),
        ({"gateway.trustedProxies": ["fd00::/8"]}, "fd00::/8 is too wide"),
    ],
)
def test_values_that_do_not_fit_each_other_are_refused_in_words(values: dict[str, Any], said: str) -> None:
    assert said in refusal(values)
