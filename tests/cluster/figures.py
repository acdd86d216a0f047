"""What was measured on the cluster, kept in build/results/cluster.json for whoever compares one run with the next."""

import json
from typing import Any

from tests.cluster.place import ROOT

FILE = ROOT / "build" / "results" / "cluster.json"

NOT_PROVEN = (
    "one node: pods moved to another node, spread over zones, a node that is drained or lost",
    "KEDA's controller is not there: ScaledObjects are accepted and stored, nothing scales by Kafka's lag",
    "the Prometheus operator is not there: monitors and rules are accepted and stored, nothing scrapes by them",
    "the gateway runs on the node itself, where no NetworkPolicy reaches: that a policy lets the gateway in is not noticed if missing",
    "PostgreSQL, Kafka, Valkey and the object store are single servers: their own failover is theirs to prove",
)


def note(**measured: Any) -> None:
    """Add figures to the file."""
    FILE.parent.mkdir(parents=True, exist_ok=True)
    known = json.loads(FILE.read_text()) if FILE.exists() else {}
    FILE.write_text(json.dumps(known | measured | {"not_proven": NOT_PROVEN}, indent=1) + "\n")
