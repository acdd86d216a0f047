"""The forms that values of the chart have, as JSON Schema: every object is closed, every text says what it may look like."""

from typing import Any, Final

Form = dict[str, Any]


def text(says: str, pattern: str | None = None, *, least: int = 0) -> Form:
    """Words, as `pattern` wants them."""
    form: Form = {"type": "string", "description": says}
    if pattern is not None:
        form["pattern"] = pattern
    if least:
        form["minLength"] = least
    return form


def number(says: str, least: int, most: int) -> Form:
    """A whole number between two others, both included."""
    return {"type": "integer", "minimum": least, "maximum": most, "description": says}


def yes_or_no(says: str) -> Form:
    """A switch. A word in quotes is none."""
    return {"type": "boolean", "description": says}


def one_of(says: str, *words: str) -> Form:
    """One of some words."""
    return {"type": "string", "enum": list(words), "description": says}


def many(says: str, of: Form, *, alike: bool = False) -> Form:
    """A list; `alike` entries may stand twice."""
    form: Form = {"type": "array", "items": of, "description": says}
    return form if alike else form | {"uniqueItems": True}


def closed(says: str, *needed: str, **entries: Form) -> Form:
    """An object with these entries and no other."""
    form: Form = {
        "type": "object", "description": says, "additionalProperties": False, "properties": entries
    }  # fmt: skip
    return form | {"required": list(needed)} if needed else form


def words(says: str) -> Form:
    """Names and values of Kubernetes' own choosing: labels, annotations, selectors."""
    return {
        "type": "object",
        "description": says,
        "propertyNames": {"pattern": _KEY},
        "additionalProperties": {"type": "string"},
    }


_KEY: Final = r"^([a-z0-9]([-a-z0-9.]*[a-z0-9])?/)?[A-Za-z0-9]([-A-Za-z0-9_.]{0,61}[A-Za-z0-9])?$"
NAME: Final = r"^[a-z0-9]([-a-z0-9.]{0,251}[a-z0-9])?$"
NAME_OR_NOTHING: Final = r"^([a-z0-9]([-a-z0-9.]{0,251}[a-z0-9])?)?$"
ENTRY: Final = r"^[-._a-zA-Z0-9]{1,253}$"
ENTRY_OR_NOTHING: Final = r"^[-._a-zA-Z0-9]{0,253}$"
QUANTITY: Final = r"^[0-9]+(\.[0-9]+)?(m|k|Ki|M|Mi|G|Gi|T|Ti)?$"
NETWORK: Final = r"^[0-9a-fA-F.:]+/[0-9]{1,3}$"
HOST: Final = r"^[a-z0-9]([-a-z0-9.]*[a-z0-9])?$"


def ref(name: str, says: str) -> Form:
    """A form that is defined once."""
    return {"$ref": f"#/$defs/{name}", "description": says}


def _selector() -> Form:
    return closed(
        "Labels that are asked for.",
        matchLabels=words("Labels that must be there as they stand here."),
        matchExpressions=many(
            "Conditions on labels.",
            closed(
                "One condition.",
                "key",
                "operator",
                key=text("Label.", _KEY),
                operator=one_of("What is asked.", "In", "NotIn", "Exists", "DoesNotExist"),
                values=many("Values.", text("Value.")),
            ),
        ),
    )


def _resources() -> Form:
    amounts = {"cpu": ref("quantity", "Processor time."), "memory": ref("quantity", "Memory.")}
    amounts |= {"ephemeral-storage": ref("quantity", "Room on the node, `/tmp` and logs together.")}
    return closed(
        "Processor time and memory.",
        "requests",
        "limits",
        requests=closed("What is kept free for it.", "cpu", "memory", **amounts),
        limits=closed("What it may take at most.", "cpu", "memory", **amounts),
    )


DEFINITIONS: Final[dict[str, Form]] = {
    "quantity": {"type": "string", "pattern": QUANTITY, "description": "An amount as Kubernetes writes it, in quotes."},
    "selector": _selector(),
    "peer": closed(
        "Pods, namespaces or addresses, as NetworkPolicy has them.",
        podSelector=ref("selector", "Pods."),
        namespaceSelector=ref("selector", "Namespaces."),
        ipBlock=closed(
            "Addresses.",
            "cidr",
            cidr=text("Network.", NETWORK),
            **{"except": many("Networks inside it that are not meant.", text("Network.", NETWORK))},
        ),
    )
    | {"minProperties": 1},
    "place": closed(
        "Where a server is.",
        "to",
        "ports",
        to=many("Its addresses or pods; empty: anywhere, at these ports.", ref("peer", "One of them.")),
        ports=many("Its ports.", number("Port.", 1, 65535)) | {"minItems": 1},
    ),
    "resources": _resources(),
}
