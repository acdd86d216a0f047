"""Several instances of identity and of a service's workers: the feed goes on wherever it is heard, and each change takes effect once."""

import asyncio
import json
import signal
from collections.abc import Iterator
from dataclasses import dataclass, field
from pathlib import Path
from uuid import UUID

import pytest

from bookbag.chassis.clock import new_id
from bookbag.chassis.runtime import Runtime
from bookbag.cli.services import NAMES
from bookbag.local import ports
from services.identity.roster import actions as roster
from tests.support.house import House, eventually
from tests.support.whole import HEARD, Whole, whole_product

pytestmark = [pytest.mark.chaos, pytest.mark.slow, pytest.mark.timeout(400), pytest.mark.req("OPS-4", "OPS-3")]

COPIES = ("1", "2")

PATIENCE = 90
"""Seconds. Who is frozen in the middle of a transaction keeps the lease's row for ten seconds after the lease has ended, and a machine
that does other work needs longer for all of it."""


@pytest.fixture
def installation(fresh_house: House, tmp_path: Path) -> Iterator[Whole]:
    """Two instances of each process of identity, and two workers of messaging."""
    grpc = dict(zip(COPIES, ports.choose_lasting(2), strict=True))
    peers = dict.fromkeys(NAMES, ",".join(f"127.0.0.1:{port}" for port in grpc.values()))
    with whole_product(fresh_house, tmp_path, begin=False, BOOKBAG_PEERS=json.dumps(peers)) as whole:
        whole.grpc_ports = grpc
        for copy in COPIES:
            serve_identity(whole, copy)
            whole.begin("work", "identity", copy)
            whole.begin("work", "messaging", copy)
        whole.wait(lambda: whole.rows("messaging", HEARD), seconds=60)
        yield whole
        for process in whole.processes.values():
            process.send_signal(signal.SIGCONT)


def serve_identity(whole: Whole, copy: str) -> None:
    whole.begin(
        "serve",
        "identity",
        copy,
        BOOKBAG_HTTP_PORT=str(ports.choose_one()),
        BOOKBAG_GRPC_PORT=str(whole.grpc_ports[copy]),
    )


APPLIED = """
create table applied (ordinal bigint generated always as identity, school_id uuid, person_id uuid, revision bigint);
alter table applied disable row level security;
create function note_applied() returns trigger language plpgsql security definer set search_path = pg_catalog, public as $$
begin
  insert into applied (school_id, person_id, revision) values (new.school_id, new.person_id, new.revision);
  return new;
end $$;
create trigger note_applied after insert or update on known_person for each row execute function note_applied();
"""


def holder_of(whole: Whole, service: str, lease: str) -> str:
    """Which running copy of a service's worker holds a lease now; empty while none does."""
    held = whole.rows(service, "select holder from lease where name = $1 and expires_at > clock_timestamp()", lease)
    running = {f"work-{service}{copy}": copy for copy in COPIES}
    pids = {str(process.pid): running[name] for name, process in whole.processes.items() if name in running}
    return pids.get(held[0]["holder"].split("-")[-2], "") if held else ""


@dataclass
class Arrivals:
    """People who come to a school one after the other, and whether messaging knows them."""

    whole: Whole
    identity: Runtime
    school: UUID = field(default_factory=new_id)
    made: list[str] = field(default_factory=list)
    over: bool = False

    async def come(self) -> None:
        async with self.identity.database.tenant(self.school) as tx:
            await roster.create_school(
                tx,
                code="INST",
                name="Instances",
                country="GB",
                zone="Europe/London",
                language="en",
                policy_preset="quiet-evenings",
            )
        while not self.over:
            async with self.identity.database.tenant(self.school) as tx:
                person = await roster.add_person(tx, name=f"Person {len(self.made)}", first_name="P", language="en")
            self.made.append(str(person.id))
            self.identity.signal("changes")

    async def one_more_is_known(self) -> None:
        """Wait until somebody who comes from now on is known."""
        wanted = len(self.made) + 1

        async def is_known() -> bool:
            return len(self.made) >= wanted and bool(
                await asyncio.to_thread(
                    self.whole.rows,
                    "messaging",
                    "select 1 from known_person where person_id::text = $1",
                    self.made[wanted - 1],
                )
            )

        await eventually(is_known, seconds=PATIENCE)

    async def holder(self, service: str, lease: str, *, other_than: str = "") -> str:
        """The copy of a worker that holds a lease, once it is another."""
        found = [""]

        async def is_held() -> bool:
            found[0] = await asyncio.to_thread(holder_of, self.whole, service, lease)
            return found[0] not in {"", other_than}

        await eventually(is_held, seconds=PATIENCE)
        return found[0]


async def each_server_goes_and_comes_back(arrivals: Arrivals) -> None:
    whole = arrivals.whole
    for go in (whole.kill, whole.end):
        for copy in COPIES:
            await asyncio.to_thread(go, "serve", "identity", copy)
            await arrivals.one_more_is_known()
            serve_identity(whole, copy)
            await answers_again(whole.grpc_ports[copy])


async def holders_are_frozen_and_killed(arrivals: Arrivals) -> None:
    whole = arrivals.whole
    for service, lease in (("identity", "sequencer/feed"), ("messaging", "projector/feed")):
        frozen = await arrivals.holder(service, lease)
        whole.processes[f"work-{service}{frozen}"].send_signal(signal.SIGSTOP)
        successor = await arrivals.holder(service, lease, other_than=frozen)
        await arrivals.one_more_is_known()
        whole.processes[f"work-{service}{frozen}"].send_signal(signal.SIGCONT)
        await arrivals.one_more_is_known()
        whole.kill("work", service, successor)
        await arrivals.holder(service, lease, other_than=successor)
        await arrivals.one_more_is_known()


def test_changes_are_heard_through_kills_stops_and_frozen_processes_and_take_effect_once(installation: Whole) -> None:
    whole = installation
    asyncio.run(whole.house.owner("messaging", APPLIED))

    async def people_come_while_processes_go(identity: Runtime) -> list[str]:
        arrivals = Arrivals(whole, identity)
        coming = asyncio.create_task(arrivals.come())
        try:
            await arrivals.one_more_is_known()
            await each_server_goes_and_comes_back(arrivals)
            await holders_are_frozen_and_killed(arrivals)
        finally:
            arrivals.over = True
            await coming
        return arrivals.made

    made = whole.as_identity(people_come_while_processes_go)
    whole.wait(
        lambda: whole.rows("messaging", "select count(*) as n from known_person")[0]["n"] == len(made), seconds=PATIENCE
    )
    applied = whole.rows("messaging", "select person_id::text, revision from applied order by ordinal")
    assert [row["person_id"] for row in applied] == made, "each once, and in the order in which they came"


async def answers_again(port: int) -> None:
    """Wait until a process that was started again answers."""

    async def answers() -> bool:
        try:
            _, writer = await asyncio.open_connection("127.0.0.1", port)
        except OSError:
            return False
        writer.close()
        return True

    await eventually(answers, seconds=PATIENCE)
