"""What `bookbag stack up`, `status` and `logs` do. Thin: the stack itself is in `bookbag.local`, the figures are operators' own."""

import argparse
import json
import os
import re
import sys
import time
from collections.abc import Sequence
from contextlib import suppress
from pathlib import Path
from typing import Any

from bookbag.cli.answers import reader_may_leave
from bookbag.cli.services import NAMES
from bookbag.cli.stack_words import chosen
from bookbag.local import answers, environment
from bookbag.local.measure import memory_report
from bookbag.local.stack_state import StackState, Standing, state_of

_LOOK_EVERY = 0.3
_LAG = re.compile(r'^bookbag_consumer_lag\{consumer="([^"]+)",topic="([^"]+)"\} (\S+)$', re.MULTILINE)


def run(asked: argparse.Namespace) -> int:
    """Run one of the three. Returns the exit code."""
    if asked.action == "up":
        return _up(asked)
    found = state_of(asked.data)
    if found is None:
        print(
            f"No stack runs on {asked.data}. Start it with `make stack`, or name its folder with --data.",
            file=sys.stderr,
        )
        return 1
    return _status(asked, found) if asked.action == "status" else _logs(asked, found.processes)


def _up(asked: argparse.Namespace) -> int:
    from bookbag.local.stack import StackOptions, stack

    options = StackOptions(
        port=asked.port, data=asked.data, demo=not asked.no_demo, fresh=asked.fresh, yes=asked.yes,
        instances=chosen(asked.instances),
    )  # fmt: skip
    return stack(options, services=NAMES)


def _status(asked: argparse.Namespace, stack: StackState) -> int:
    rows = [_of_supervisor(stack.supervisor), *(_row(each) for each in stack.processes)]
    events, consumers = _events(asked.data), _consumers(stack.processes)
    with reader_may_leave():
        if asked.json:
            told = {"address": stack.address, "processes": rows, "events": events, "consumers": consumers}
            print(json.dumps(told, indent=1, default=str))
        else:
            print(f"{stack.address}\n")
            print(_table([row | {"megabytes": f"{row['megabytes']:.0f}"} for row in rows]))
            print(f"\n{sum(row['megabytes'] for row in rows):.0f} MB in all\n")
            print(_table(events))
            if consumers:
                print(f"\n{_table(consumers)}")
    return 0 if all(row["state"] in ("ready", "runs") for row in rows) else 1


def _of_supervisor(pid: int) -> dict[str, Any]:
    """The process that started the others; it takes the mail, too."""
    memory = next((found.bytes for found in memory_report([pid]) if found.pid == pid), 0)
    state = "runs" if memory else "is gone"
    return {"process": "supervisor", "state": state, "pid": pid, "megabytes": round(memory / 1e6, 1), "ports": ""}


def _row(each: Standing) -> dict[str, Any]:
    memory = sum(found.bytes for found in memory_report([each.pid])) if each.pid else 0
    listens = " ".join(f"{name}={port}" for name, port in each.ports.items())
    return {
        "process": each.name,
        "state": _state(each),
        "pid": each.pid or "-",
        "megabytes": round(memory / 1e6, 1),
        "ports": listens,
    }


def _state(each: Standing) -> str:
    """What the process says of itself; a foreign server runs or does not."""
    if not each.pid:
        return "being started"
    if not each.ready:
        return "runs"
    answer = answers.get(each.ready, "/readyz")
    if answer is None:
        return "does not answer"
    if answer.status == 200:
        return "ready"
    try:
        return f"waits for {json.loads(answer.body)['waiting_for']}"
    except (ValueError, KeyError):
        return "not ready"


def _events(folder: Path) -> list[dict[str, Any]]:
    """What waits in each service's outbox, in the words of `bookbag outbox status`."""
    from bookbag.cli import commands

    settings = environment.settings_of_running(folder)
    if settings is None:
        return [{"events": "are told of once all is ready"}]
    os.environ |= settings
    asked = argparse.Namespace(command="outbox", action="status", service="all")
    try:
        answer = commands.run(asked)
    except commands.Refused as refused:
        return [{"events": str(refused)}]
    return list(answer.rows) if answer else []


def _consumers(standing: Sequence[Standing]) -> list[dict[str, Any]]:
    """How far each consumer is behind, as the workers themselves measure it every few seconds."""
    rows: dict[tuple[str, str], int] = {}
    for each in standing:
        answer = answers.get(each.ready, "/metrics") if each.pid and each.ready else None
        if answer is not None and answer.status == 200:
            for consumer, topic, records in _LAG.findall(answer.body.decode()):
                rows[consumer, topic] = int(float(records))
    return [{"consumer": consumer, "topic": topic, "behind": behind} for (consumer, topic), behind in rows.items()]


def _table(rows: Sequence[dict[str, Any]]) -> str:
    heads = list(rows[0])
    widths = [max(len(head), *(len(str(row[head])) for row in rows)) for head in heads]
    lines = [
        "  ".join(str(cell).ljust(width) for cell, width in zip(line, widths, strict=True)).rstrip()
        for line in [heads, *([row[head] for head in heads] for row in rows)]
    ]
    return "\n".join(lines)


def _logs(asked: argparse.Namespace, standing: Sequence[Standing]) -> int:
    wanted = [each for each in standing if asked.service in ("all", each.service, each.name)]
    if not wanted:
        names = sorted({each.service for each in standing} | {each.name for each in standing})
        print(f"There is no {asked.service} in this stack; there are {', '.join(names)}.", file=sys.stderr)
        return 1
    width = max(len(each.name) for each in wanted)
    with suppress(KeyboardInterrupt), reader_may_leave():
        places = {each.name: _tell(each, width, _start_of_last(each.log, asked.lines)) for each in wanted}
        while not asked.no_follow:
            time.sleep(_LOOK_EVERY)
            for each in wanted:
                places[each.name] = _tell(each, width, places[each.name])
    return 0


def _start_of_last(log: Path, lines: int) -> int:
    """Where the last so many lines of a log begin; logs are cut at 10 MB, so they are read whole."""
    try:
        content = log.read_bytes()
    except FileNotFoundError:
        return 0
    kept = content.splitlines(keepends=True)[-lines:] if lines > 0 else []
    return len(content) - sum(map(len, kept))


def _tell(each: Standing, width: int, place: int) -> int:
    """Print the whole lines of a log from a place on; gives the place after them. A log that was put aside begins anew."""
    try:
        with each.log.open("rb") as log:
            if place > log.seek(0, os.SEEK_END):
                place = 0
            log.seek(place)
            content = log.read()
    except FileNotFoundError:
        return place
    whole = content[: content.rfind(b"\n") + 1]
    for line in whole.decode(errors="replace").splitlines():
        print(f"{each.name:<{width}}  {line}", flush=True)
    return place + len(whole)
