"""The services of an installation, found by name; importing one is left to the process that runs it."""

from importlib import import_module
from typing import TYPE_CHECKING

from bookbag.cli.answers import Refused, incomplete
from bookbag.local.environment import SERVICES

if TYPE_CHECKING:
    from collections.abc import Sequence

    from bookbag.chassis.service import Service
    from bookbag.chassis.settings import ServiceSettings

NAMES = SERVICES
"""Every service, in the order in which they are migrated and listed."""
WEB = "web"
"""What `serve` also knows: the process of the web client, which has no manifest because it has nothing of its own."""


def named(which: str) -> "Sequence[Service]":
    """The manifests of one service, or of `all`. Raises LookupError for a name that is none."""
    if which != "all" and which not in NAMES:
        raise LookupError(f"there is no service {which}; there are: {', '.join(NAMES)}, all")
    return [import_module(f"services.{name}.service").service for name in (NAMES if which == "all" else (which,))]


def settings_of(service: "Service") -> "ServiceSettings":
    """What an operator set for a service. Raises Refused, which names what is missing or wrong as the operator knows it."""
    from pydantic import ValidationError

    from bookbag.chassis.settings import load

    try:
        return load(service.settings, service.name)
    except ValidationError as error:
        raise Refused(incomplete(error, service.name)) from error
