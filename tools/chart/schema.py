"""The closed schema of the chart's values. What can be set of the product itself comes from the settings classes, so that a misspelt
setting is refused before anything is installed."""

import json
from collections.abc import Mapping, Sequence
from typing import Any, Final

from pydantic import SecretStr
from pydantic_settings import BaseSettings

from bookbag.chassis.settings import Platform
from bookbag.cli.services import named
from tools.chart.forms import (
    DEFINITIONS,
    ENTRY,
    ENTRY_OR_NOTHING,
    HOST,
    NAME,
    NAME_OR_NOTHING,
    NETWORK,
    QUANTITY,
    Form,
    closed,
    many,
    number,
    one_of,
    ref,
    text,
    words,
    yes_or_no,
)

OURS: Final = frozenset({
    "environment", "http_host", "http_port", "admin_port", "public_url", "trusted_proxies", "web", "data", "demo",
    "grpc_host", "grpc_port", "redis_url", "bus", "kafka_url", "kafka_security", "kafka_ca", "kafka_sasl", "kafka_user",
    "kafka_password", "kafka_prefix", "kafka_copies", "peers", "user_keys", "service_keys", "signing_keys", "audit_keys",
    "smtp_url", "mail_from", "object_store", "object_store_access_key", "object_store_secret_key", "faults",
    "backup_access_key", "backup_secret_key",
    "owner_url", "app_url", "worker_url", "reader_url", "backup_url", "demo_policy",
})  # fmt: skip
"""Settings that the chart makes itself or has a value of its own for, and those that mean nothing in a cluster."""


def schema_file() -> str:
    """The schema as the file in the chart."""
    return json.dumps(schema(), indent=1, ensure_ascii=False) + "\n"


def schema() -> Form:
    """The whole schema. It asks nobody else: no reference leads outside."""
    entries = {**_installation(), **_servers(), **_doors(), **_network(), **_sizes(), **_services(), **_rest()}
    whole = closed("Values of the Bookbag chart.", "publicUrl", **entries)
    known = {"global": {"type": "object", "description": "What Helm hands to charts within charts; not used."}}
    whole["properties"] |= {"global": known["global"] | {"additionalProperties": False}}
    return {"$schema": "https://json-schema.org/draft/2020-12/schema", **whole, "$defs": DEFINITIONS}


def settable(kind: type[BaseSettings]) -> tuple[dict[str, Form], dict[str, str]]:
    """What an operator may set of a settings class by its own name: plain ones with their forms, secret ones with their texts."""
    plain: dict[str, Form] = {}
    secret: dict[str, str] = {}
    described: Mapping[str, Any] = kind.model_json_schema()["properties"]
    for name, field in kind.model_fields.items():
        if name in OURS:
            continue
        says = field.description or ""
        if SecretStr.__name__ in str(field.annotation):
            secret[name] = says
        else:
            plain[name] = _plain(described[name]) | {"description": says}
    return plain, secret


_KEPT: Final = (
    "type", "enum", "minimum", "maximum", "exclusiveMinimum", "exclusiveMaximum", "minLength", "maxLength", "pattern",
)  # fmt: skip


def _plain(form: Mapping[str, Any]) -> Form:
    """The form of a setting that is there: one that may be left out is left out by not naming it."""
    choices: Sequence[Mapping[str, Any]] = [one for one in form.get("anyOf", ()) if one.get("type") != "null"]
    if len(choices) == 1:
        return _plain(choices[0])
    kept: Form = {key: form[key] for key in _KEPT if key in form}
    if form.get("format") == "duration":
        kept["pattern"] = "^P"
    if "items" in form:
        kept["items"] = _plain(form["items"])
    return kept


def _installation() -> dict[str, Form]:
    return {
        "publicUrl": text(
            "The address people type, without a slash at the end, such as `https://bookbag.example.org`. Must be set.",
            r"^https?://[a-z0-9]([-a-z0-9.]*[a-z0-9])?(:[0-9]{1,5})?$",
        ),
        "nameOverride": text("In place of `bookbag` in labels.", NAME_OR_NOTHING),
        "fullnameOverride": text("What all names begin with, in place of the release's name.", NAME_OR_NOTHING),
        "clusterDomain": text("The cluster's own domain.", HOST),
        "image": closed(
            "The image of all processes.",
            repository=text("Where it is.", least=1),
            tag=text("Its tag; empty: the version of the chart's application.", r"^[\w][\w.-]{0,127}$|^$"),
            digest=text("Its digest, which counts in place of a tag.", r"^(sha256:[0-9a-f]{64})?$"),
            pullPolicy=one_of("When it is fetched.", "IfNotPresent", "Always", "Never"),
        ),
        "imagePullSecrets": many(
            "Secrets with which it is fetched.", closed("One secret.", "name", name=text("Its name.", NAME))
        ),
    }


def _servers() -> dict[str, Form]:
    plain, _ = settable(Platform)
    return {
        "keys": closed(
            "Keys of the installation.",
            secret=text(
                "Secret with `user_keys.json`, `service_keys.json`, `audit_keys.json`, `users.json` and, for each service, "
                "`service-NAME.json` and `audit-NAME.json`. A pod gets the public ones and its own.",
                NAME,
            ),
        ),
        "postgresql": closed(
            "PostgreSQL. Each service has a secret of its own: `services.NAME.database.secret`.",
            keys=closed(
                "Under which key of such a secret the address for a role stands.",
                **{
                    role: text(f"Key of the address for {says}.", ENTRY)
                    for role, says in {
                        "owner": "the owner, used by the migration alone",
                        "app": "the role that serves people",
                        "worker": "the role of workers",
                        "reader": "the role that reads the record",
                        "backup": "the role of backups",
                    }.items()
                },
            ),
        ),
        "redis": closed(
            "Redis or Valkey.", secret=text("Secret with its address.", NAME), key=text("Its key there.", ENTRY)
        ),
        "kafka": closed(
            "Kafka.",
            brokers=text("Brokers to begin with: `host:port`, several by commas.", r"^([^\s:,]+:[0-9]{1,5}(,|$))*$"),
            security=one_of("How it is spoken to.", "PLAINTEXT", "SSL", "SASL_PLAINTEXT", "SASL_SSL"),
            sasl=one_of("How we sign in.", "PLAIN", "SCRAM-SHA-256", "SCRAM-SHA-512"),
            secret=text("Secret with user and password; asked for only when `security` says SASL.", NAME),
            userKey=text("Key of the user there.", ENTRY),
            passwordKey=text("Key of the password there.", ENTRY),
            ca=text("File of `trust.configMap` that Kafka's certificate is checked against.", ENTRY_OR_NOTHING),
            prefix=text("Put before the names of our topics and groups.", r"^[a-zA-Z0-9._-]{0,64}$"),
            copies=number("Brokers that keep each event. Counts when topics are made.", 1, 9),
        ),
        "objectStore": closed(
            "S3 or what speaks like it.",
            url=text("`s3://bucket?endpoint=…&region=…&path_style=true`.", r"^(s3://.+)?$"),
            secret=text("Secret with the keys; empty: the role of the pod's account is used.", NAME_OR_NOTHING),
            accessKey=text("Key of the access key there.", ENTRY),
            secretKey=text("Key of the secret key there.", ENTRY),
        ),
        "mail": closed(
            "The mail server.",
            secret=text("Secret with its address, `smtp+starttls://user:password@host:587`.", NAME),
            key=text("Its key there.", ENTRY),
            **{"from": text("Sender of all mail, such as `Oak School <no-reply@example.org>`.")},
        ),
        "trust": closed(
            "Certificates of servers that the world does not know.",
            configMap=text("ConfigMap whose files appear in `/etc/bookbag/trust`.", NAME_OR_NOTHING),
            bundle=text(
                "File of it with **all** authorities that S3, mail and translation servers are checked against.",
                ENTRY_OR_NOTHING,
            ),
        ),
        "settings": closed(
            "Settings of all processes by their names in `docs/settings.md`, without BOOKBAG_.", **plain
        ),
    }


def _doors() -> dict[str, Form]:
    annotations = words("Annotations.")
    parent = closed(
        "One Gateway.",
        "name",
        name=text("Its name.", NAME),
        namespace=text("Its namespace.", NAME),
        sectionName=text("One of its listeners.", NAME),
        port=number("One of its ports.", 1, 65535),
    )
    return {
        "gateway": closed(
            "The way in by the Gateway API.",
            enabled=yes_or_no("Whether an HTTPRoute is made."),
            parentRefs=many("Gateways that people come through.", parent),
            hostnames=many("Hosts; empty: that of `publicUrl`.", text("Host.", HOST)),
            annotations=annotations,
            trustedProxies=many(
                "Networks the gateway's requests come from, and nobody else's: its `X-Forwarded-For` is believed. /16 or narrower (IPv6: /48).",
                text("Network.", NETWORK),
            ),
            requestTimeout=text("How long a request may take; live streams are not counted.", r"^[0-9]+(ms|s|m)$"),
            create=closed(
                "A Gateway made by this chart.",
                enabled=yes_or_no("Whether it is made."),
                className=text("Its GatewayClass.", NAME_OR_NOTHING),
                port=number("Its port.", 1, 65535),
                certificate=text("Secret with its certificate; empty: HTTP only.", NAME_OR_NOTHING),
                annotations=annotations,
            ),
        ),
        "ingress": closed(
            "The way in by an Ingress, where there is no Gateway API. It must not buffer answers: live streams go through it.",
            enabled=yes_or_no("Whether it is made."),
            className=text("Its IngressClass.", NAME_OR_NOTHING),
            annotations=annotations,
            certificate=text("Secret with its certificate.", NAME_OR_NOTHING),
        ),
    }


def _network() -> dict[str, Form]:
    peer = ref("peer", "One of them.")
    places = {
        "postgresql": "PostgreSQL.",
        "redis": "Redis or Valkey.",
        "kafka": "Kafka.",
        "objects": "The object store, and the place of backups.",
        "mail": "The mail server.",
        "translator": "The translation server, asked by one process alone.",
        "traces": "The collector of traces, when `settings.otlp_endpoint` is set.",
    }
    return {
        "networkPolicy": closed(
            "Who may speak to whom: nobody, but for what the table of processes needs.",
            enabled=yes_or_no("Whether policies are made."),
            gateway=many("Whom requests of people come from. Must be set with a gateway or an ingress.", peer),
            prometheus=many("Who reads the figures; empty: nobody.", peer),
            dns=many("Who answers for names; empty: anybody at port 53.", peer),
            servers=closed("Where the servers are.", **{name: ref("place", says) for name, says in places.items()}),
        )
    }


def _sized(kind: str, *, own: bool) -> Form:
    """What can be said of processes of one kind; `own` of one process alone, where everything may be left out."""
    worker = kind == "worker"
    scaled = (
        {"lag": number("Events that one pod may be behind (by KEDA; for workers that hear events).", 1, 1000000)}
        if worker
        else {"cpu": number("Share of the asked processor time, in percent, above which one more is started.", 10, 100)}
    )
    says = {"api": "API processes", "worker": "Workers", "web": "The process of the web client"}[kind]
    return closed(
        f"What is said of this process alone, over `{kind}`." if own else f"{says}, where nothing else is said.",
        replicas=number("Pods, when no autoscaler owns their number.", 0, 100),
        resources=ref("resources", "Processor time and memory of one pod."),
        autoscaling=closed(
            "How many pods run, by what there is to do.",
            enabled=yes_or_no("Whether an autoscaler owns the number of pods."),
            min=number("At least so many.", 1, 100),
            max=number(
                "At most so many." + (" More than 8 have nothing to do." if worker else ""), 1, 8 if worker else 100
            ),
            **scaled,
        ),
        restartedAt=text("Change it, to any word, to start the pods anew: after a secret has changed."),
    )


def _sizes() -> dict[str, Form]:
    return {kind: _sized(kind, own=False) for kind in ("api", "worker", "web")}


def _services() -> dict[str, Form]:
    made: dict[str, Form] = {}
    for service in named("all"):
        plain, secret = settable(service.settings)
        from_secret = {
            name: closed(
                says, "secret", "key", secret=text("Secret.", NAME), key=text("Key.", ENTRY)
            )
            for name, says in secret.items()
        }  # fmt: skip
        made[service.name] = closed(
            f"The service {service.name}.",
            database=closed(
                "Its database.",
                secret=text("Secret with the address for each role (see `postgresql.keys`).", NAME),
            ),
            settings=closed("Its settings by their names in `docs/settings.md`, without the prefix.", **plain),
            secretSettings=closed("Its secret settings, each by reference.", **from_secret),
            api=_sized("api", own=True),
            worker=_sized("worker", own=True),
        )
    return {"services": closed("The services.", **made)}


def _rest() -> dict[str, Form]:
    labels = words("Labels by which an operator finds it.")
    toleration = closed(
        "One toleration.",
        key=text("Key."),
        operator=one_of("How it is compared.", "Exists", "Equal"),
        value=text("Value."),
        effect=one_of("Of which effect.", "NoSchedule", "PreferNoSchedule", "NoExecute"),
        tolerationSeconds=number("For so long.", 0, 86400),
    )
    resources = ref("resources", "Processor time and memory.")
    return {
        "pods": closed(
            "All pods.",
            annotations=words("Annotations."),
            labels=words("Labels beside ours."),
            nodeSelector=words("Labels of nodes."),
            tolerations=many("Tolerations.", toleration),
            priorityClassName=text("Priority class.", NAME_OR_NOTHING),
            spread=closed(
                "How pods of one process are kept apart.",
                whenUnsatisfiable=one_of("When that cannot be done.", "ScheduleAnyway", "DoNotSchedule"),
                keys=many("Labels of nodes that say what apart means.", text("Label.", least=1)),
            ),
            pauseSeconds=number("How long a pod that is to end still answers, while gateways hear of it.", 0, 60),
            graceSeconds=number(
                "How long a pod may take to end, the pause included; at least 15 more than it.", 20, 600
            ),
            startSeconds=number("How long a pod may take to begin.", 10, 600),
        ),
        "serviceAccounts": closed(
            "The accounts of pods. They carry no token.",
            annotations=words("Annotations, such as the role of a cloud that may use the object store."),
        ),
        "budgets": closed(
            "How many pods of a process may be taken away at one time, where there are two or more.",
            enabled=yes_or_no("Whether there are budgets."),
            maxUnavailable=number("So many.", 1, 50),
        ),
        "migration": closed(
            "The job before each install and upgrade.",
            waitSeconds=number("How long it waits for a server that is away, each time.", 0, 3600),
            deadlineSeconds=number("How long it may take in all.", 30, 86400),
            retries=number("How often it is tried again.", 0, 10),
            resources=resources,
        ),
        "backup": closed(
            "The nightly backup.",
            enabled=yes_or_no("Whether it is made."),
            schedule=text("When, as cron writes it.", r"^(\S+ ){4}\S+$"),
            timeZone=text("Time zone of that.", least=1),
            to=text("Where to: `s3://bucket/prefix`.", r"^(s3://.+)?$"),
            secret=text("Secret with keys of that place; empty: those of the object store.", NAME_OR_NOTHING),
            accessKey=text("Key of the access key there.", ENTRY),
            secretKey=text("Key of the secret key there.", ENTRY),
            deadlineSeconds=number("How long it may take.", 60, 86400),
            kept=number("Finished jobs that stay to be looked at.", 0, 20),
            space=text("Room on the node for what is on its way.", QUANTITY),
            resources=resources,
        ),
        "restore": closed(
            "A backup given back by the first install of an empty installation.",
            **{
                "from": text(
                    "One backup, such as `s3://bucket/prefix/2026-11-26T021500Z`; empty: none. Keys are those of `backup`.",
                    r"^(s3://.+)?$",
                )
            },
        ),
        "monitoring": closed(
            "For prometheus-operator and Grafana.",
            podMonitor=closed(
                "A PodMonitor for all processes.",
                enabled=yes_or_no("Whether it is made."),
                interval=text("How often figures are read; the rules assume 5 s.", r"^[0-9]+s$"),
                labels=labels,
            ),
            rules=closed(
                "Alerts and sums, as a PrometheusRule.", enabled=yes_or_no("Whether they are made."), labels=labels
            ),
            dashboards=closed("Dashboards, as ConfigMaps.", enabled=yes_or_no("Whether they are made."), labels=labels),
        ),
    }
