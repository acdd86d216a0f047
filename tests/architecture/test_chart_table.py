"""The table that the chart is rendered from says what the code is: it is compared with the plan of the stack, where the same processes are
started one by one, and with the manifests."""

import dataclasses
from pathlib import Path

import pytest
import yaml

from bookbag.chassis.runtime import CONNECTIONS
from bookbag.chassis.service import Service
from bookbag.cli.services import NAMES, named
from bookbag.local import stack_plan
from bookbag.local.keys import key_files
from bookbag.local.provision import ServiceUrls
from bookbag.local.stack_plan import Plan, Planned
from tools.chart import CHART, table

ROLES = ("owner", "app", "worker", "reader", "backup")


@pytest.fixture
def plan() -> Plan:
    return Plan.of(NAMES, {})


def processes() -> dict[str, table.Process]:
    return {process.name: process for process in table.processes(named("all"))}


def planned(plan: Plan) -> dict[str, Planned]:
    return {process.name: process for process in plan.processes}


@pytest.mark.req("OPS-1")
def test_the_stack_s_postgresql_has_a_connection_for_every_role_of_every_process(plan: Plan) -> None:
    for name, one in planned(plan).items():
        assert stack_plan.CONNECTIONS[one.kind] == sum(CONNECTIONS[role] for role in processes()[name].roles)


@pytest.mark.req("OPS-2")
def test_the_chart_has_the_processes_of_the_stack_and_no_other(plan: Plan) -> None:
    assert set(processes()) == {*planned(plan), "web"}
    for name, one in planned(plan).items():
        assert processes()[name].command == [one.command, one.service]


def test_a_process_gets_the_roles_of_its_own_database_that_the_stack_gives_it(plan: Plan, tmp_path: Path) -> None:
    urls = {name: ServiceUrls(**{role: f"{name} {role}" for role in ROLES}) for name in NAMES}
    for name, one in planned(plan).items():
        told = stack_plan.of_process({}, one, urls, tmp_path)
        roles = {said.split()[1] for said in told.values() if said.split()[0] == one.service}
        assert set(processes()[name].roles) == roles, name


def test_a_process_signs_with_the_keys_that_the_stack_gives_it(plan: Plan, tmp_path: Path) -> None:
    for name, one in planned(plan).items():
        given = stack_plan.keys_of(one, key_files(tmp_path / "all"), tmp_path / "own")
        assert set(processes()[name].keys) == {key.name for key in given.iterdir()}, name


def test_calls_are_those_that_the_called_services_admit() -> None:
    admitted = {
        (caller, owner.name)
        for owner in named("all")
        for rpc in owner.rpcs
        for callers in rpc.callers.values()
        for caller in callers.services
    }
    listed = {(one.service, callee) for one in processes().values() for callee in one.calls}
    assert admitted
    assert listed == admitted


def test_both_kinds_of_a_service_may_call_whom_it_calls() -> None:
    for name in NAMES:
        assert processes()[f"{name}-api"].calls == processes()[f"{name}-worker"].calls


def test_a_server_that_one_process_alone_needs_is_named_where_the_code_asks_it() -> None:
    """The settings of such a server are read in one service; a second reader of them must stand in the table too."""
    for setting, server in (("smtp_url", "mail"), ("libretranslate_url", "translator")):
        readers = {
            path.parts[1] for path in Path("services").rglob("*.py")
            if "tests" not in path.parts and setting in path.read_text()
        }  # fmt: skip
        assert readers == {one.service for one in processes().values() if server in one.servers}, setting


def test_a_new_service_is_in_the_table_and_its_neighbours_rules() -> None:
    (messaging,) = named("messaging")
    new: Service = dataclasses.replace(messaging, name="awards")
    services = [*named("all"), new]
    made = {process.name: process for process in table.processes(services)}
    assert {"awards-api", "awards-worker"} <= set(made)
    assert "awards" in made["notify-worker"].calls
    assert [door.prefix for door in table.doors(services)][-2:] == ["/awards/", "/"]


def test_the_file_in_the_chart_is_this_table() -> None:
    kept = yaml.safe_load((Path(CHART) / "files" / "processes.yaml").read_text())
    assert kept == yaml.safe_load(table.table_file())
    assert kept["services"] == list(NAMES)
