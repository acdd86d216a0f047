"""P1: messages accepted per second over real HTTP, against pgbench calling the same SQL function on the same server in the same run.

Both sides run as the same role under row security with a durable commit, 32 clients each, in turns. Afterwards one process-local run under
a profiler says what the API's processor time goes to, and the same measurement is made on the stack, whose workers are busy with what
is sent and whose figure is told beside (it has no goal of its own).
"""

import re
import shutil
import statistics
from collections.abc import Sequence
from pathlib import Path

from bench.installation import SCHOOLS, THREADS, Installation, installation, installation_of, run
from bench.results import Result
from bench.running import fresh
from bench.shares import shares_of_a_send
from bookbag.local.postgres import binaries

CLIENTS = 32
SECONDS = 8
ROUNDS = 3
GOAL = 0.35

_SCRIPT = f"""\\set n random(0, {THREADS - 1})
select * from post_message(
  ('00000001-0000-7000-8000-' || lpad(to_hex(:n::int % {SCHOOLS}), 12, '0'))::uuid,
  ('00000002-0000-7000-8000-' || lpad(to_hex(:n::int), 12, '0'))::uuid, 'teacher',
  ('00000006-0000-7000-8000-' || lpad(to_hex(:n::int), 12, '0'))::uuid, 1,
  ('00000003-0000-7000-8000-' || lpad(to_hex(:n::int), 12, '0'))::uuid, uuidv7(),
  'Maya read a whole book aloud today. We are so proud of her! See you on Friday at 15:10.', null, uuidv7()::text,
  '\\\\x00112233445566778899aabbccddeeff00112233445566778899aabbccddeeff'::bytea, now(), uuidv7(), (:n::int % 8)::smallint,
  'bookbag.messaging.v1', 'bookbag.messaging.v1.MessageSent', '\\\\x0a2430303030'::bytea, null);
"""


def measure() -> Sequence[Result]:
    """One process first, then the same through the gateway to processes of their own."""
    if shutil.which("wrk") is None:
        raise SystemExit("P1 needs wrk, a load generator: apt-get install wrk")
    with installation() as here:
        result = _measure(here, "P1", "messages accepted over HTTP ÷ pgbench calling the same function")
        result.raw["shares"] = shares_of_a_send(here)
    print(
        "P1: processor time of a send: "
        + ", ".join(f"{name} {share:.0%}" for name, share in result.raw["shares"].items())
    )
    with fresh("stack", "--no-demo") as product:
        return [
            result,
            _measure(
                installation_of(product), "P1S", "the same through the gateway, every service a process of its own"
            ),
        ]


def _measure(here: Installation, name: str, what: str) -> Result:
    _wrk(here, 2)  # connections open, statements prepared, tokens seen once
    http: list[dict[str, float]] = []
    ceiling: list[float] = []
    for _ in range(ROUNDS):
        ceiling.append(_pgbench(here, SECONDS))
        http.append(_wrk(here, SECONDS))
    ratio = statistics.median(run["rate"] for run in http) / statistics.median(ceiling)
    errors = sum(run["errors"] for run in http)
    typical = sorted(http, key=lambda run: run["rate"])[ROUNDS // 2]
    print(
        f"{name}: HTTP {[round(run['rate']) for run in http]}/s, pgbench {[round(rate) for rate in ceiling]}/s, {errors} errors"
    )
    print(f"{name}: p50 {typical['p50']:.1f} ms, p99 {typical['p99']:.1f} ms at {CLIENTS} clients (closed loop)")
    goal = GOAL if name == "P1" else 0.0
    return Result(
        name,
        what,
        round(ratio, 3),
        "ratio",
        f"≥ {goal}",
        ratio >= goal and errors == 0,
        {"http": http, "pgbench": ceiling},
    )


def _wrk(here: Installation, seconds: int) -> dict[str, float]:
    printed = run(
        [
            "wrk",
            "-t2",
            f"-c{CLIENTS}",
            f"-d{seconds}s",
            "-s",
            str(Path(__file__).with_name("send.lua")),
            here.address,
            "--",
            str(here.targets),
        ]
    )
    found = re.search(r"requests=(\d+) seconds=([\d.]+) p50=([\d.]+) p99=([\d.]+) errors=(\d+)", printed)
    if found is None:
        raise SystemExit(f"wrk said nothing that can be read: {printed[-300:]}")
    requests, spent, p50, p99, errors = (float(part) for part in found.groups())
    return {"rate": requests / spent, "p50": p50, "p99": p99, "errors": int(errors)}


def _pgbench(here: Installation, seconds: int) -> float:
    script = here.folder / "send.sql"
    script.write_text(_SCRIPT.replace("\\\\x", "\\x"))
    printed = run(
        [
            str(binaries() / "pgbench"),
            "-n",
            "-M",
            "prepared",
            "-c",
            str(CLIENTS),
            "-j",
            "2",
            "-T",
            str(seconds),
            "-f",
            str(script),
            here.messaging,
        ]
    )
    found = re.search(r"tps = ([\d.]+)", printed)
    failed = re.search(r"number of failed transactions: (\d+)", printed)
    if found is None or (failed is not None and failed[1] != "0"):
        raise SystemExit(f"pgbench failed: {printed[-300:]}")
    return float(found[1])
