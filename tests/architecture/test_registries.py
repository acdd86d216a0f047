"""What a service is stands in its README: every route, RPC, event, job and loop has its line, or the build fails."""

import re
from pathlib import Path

import pytest

from bookbag.chassis.http import routes_of
from bookbag.chassis.service import Service
from bookbag.cli.services import NAMES, named

_PARAMETER = re.compile(r"\{[^}]*\}")


def missing(service: Service, page: str) -> list[str]:
    """What of a service its page does not name; what a path's parameters are called does not matter."""
    page = _PARAMETER.sub("{}", page)
    wanted = {_PARAMETER.sub("{}", (route.path or "").removeprefix("/v1")) for route in routes_of(service)}
    wanted |= {method for rpc in service.rpcs for method in rpc.callers}
    wanted |= {event.DESCRIPTOR.name for event in (*service.tells, *service.hears)}
    wanted |= {job.name for job in service.jobs} | set(service.loops)
    return sorted(name for name in wanted if name not in page)


@pytest.mark.parametrize("name", NAMES)
def test_the_readme_names_all_that_a_service_is(name: str) -> None:
    (service,) = named(name)
    assert missing(service, Path(f"services/{name}/README.md").read_text()) == []


def test_a_line_that_is_taken_out_is_missed() -> None:
    (service,) = named("messaging")
    page = Path("services/messaging/README.md").read_text()
    assert missing(service, page.replace("MessageSent", "")) == ["MessageSent"]
    assert "/threads" in missing(service, page.replace("/threads", "/strings"))


@pytest.mark.parametrize("name", NAMES)
def test_every_file_of_the_anatomy_is_there(name: str) -> None:
    folder = Path("services") / name
    for file in ("README.md", "service.py", "migrations"):
        assert (folder / file).exists(), file
