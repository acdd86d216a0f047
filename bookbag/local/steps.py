"""The steps that every whole run on this machine takes, `up` as well as `stack`: make the folder ours, bring the databases up to
date, watch, and end all of it whatever happens."""

import hashlib
import json
import sys
import threading
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, Final, TypeAlias, cast

from bookbag.local import answers, environment, ports
from bookbag.local.data_folder import DataFolder, open_folder
from bookbag.local.environment import REPOSITORY
from bookbag.local.files import write_private
from bookbag.local.parts import Part, end_leftovers
from bookbag.local.postgres import EmbeddedPostgres
from bookbag.local.process import finish, last_lines, put_aside, spawn
from bookbag.local.refusals import CannotStart, disk_full, is_disk_full
from bookbag.local.smtp_outbox import SmtpOutbox
from bookbag.local.supervisor import StopRequested, ignore_stop_signals, stop_all, stop_signals
from bookbag.local.terminal import Terminal

BOOKBAG: Final = (sys.executable, "-m", "bookbag")
_MIGRATED: Final = "migrated"
_SEEDED: Final = "seeded"


@dataclass(frozen=True, slots=True)
class Options:
    """What the person asked for."""

    data: Path = Path(".bookbag")
    port: int = 8000
    demo: bool = True
    fresh: bool = False
    yes: bool = False


@dataclass(frozen=True, slots=True)
class Once:
    """The programs that end by themselves."""

    migrate: tuple[str, ...] = (*BOOKBAG, "migrate", "all")
    seed: tuple[str, ...] = (*BOOKBAG, "demo", "seed")
    migrations: tuple[Path, ...] = (REPOSITORY / "bookbag", REPOSITORY / "services")
    """Where folders named `migrations` are looked for, to know whether there is anything to migrate."""


@dataclass(slots=True)
class Run:
    """What was started so far, so that whatever happens it can be ended."""

    terminal: Terminal
    stop_within: float
    """Seconds that our own processes get to finish what they are doing."""
    parts: list[Part] = field(default_factory=list[Part])
    outbox: SmtpOutbox | None = None

    def begin(self, *parts: Part) -> None:
        """Start parts without waiting. Each is noted before it begins, so that it is ended whatever happens."""
        for part in parts:
            self.parts.append(part)
            part.begin()

    def stop(self) -> None:
        stop_all(self.parts, within=self.stop_within)
        if self.outbox is not None:
            self.outbox.stop()


Body: TypeAlias = Callable[[DataFolder, Run, threading.Event], None]
"""Starts everything and watches it; only StopRequested and CannotStart leave it."""


def until_stopped(options: Options, body: Body, *, stop_within: float, terminal: Terminal) -> int:
    """Open the folder, run the body until somebody says stop, end everything. The exit code: 0 asked to stop, 1 refused.

    Call it from the main thread.
    """
    run = Run(terminal, stop_within)
    try:
        with stop_signals() as asked:
            try:
                # No earlier run of ours can have the port then, and a start that is refused makes no folder.
                if not options.data.expanduser().exists():
                    _look_at_port(options.port)
                with open_folder(options.data) as folder:
                    try:
                        body(folder, run, asked)
                    finally:
                        ignore_stop_signals()
                        _end(run, folder)
            except CannotStart as refusal:
                terminal.say(str(refusal))
            except OSError as error:
                if not is_disk_full(error):
                    raise
                terminal.say(str(disk_full(options.data)))
    except StopRequested:
        terminal.say("Bookbag has stopped.")
        return 0
    return 1


def _end(run: Run, folder: DataFolder) -> None:
    if run.parts:
        run.terminal.say("Stopping …")
    run.stop()
    environment.forget_settings(folder.path)


def settle(folder: DataFolder, options: Options, terminal: Terminal) -> None:
    """Make the folder ours alone: end what a killed run left, empty it when asked to, make it when it is new."""
    end_leftovers(folder.path / "logs")
    _look_at_port(options.port)
    if options.fresh and folder.is_complete:
        if not options.yes and not terminal.ask(f"Remove everything in {folder.path} and start over?"):
            raise CannotStart("Nothing was removed and nothing was started.")
        EmbeddedPostgres(folder.place("postgres")).end_leftover()
        folder.empty()
    if not folder.is_complete:
        folder.create(demo=options.demo)
    elif options.demo and not folder.is_demo:
        terminal.say("  This folder was made without a demo school; `--fresh` or another `--data` makes one.")


def _look_at_port(port: int) -> None:
    """Raise CannotStart unless the port can be ours."""
    if not 1 <= port <= 65535:
        raise CannotStart(f"{port} is no port: choose one from 1 to 65535 by --port.")
    if not ports.is_free(port):
        raise CannotStart(f"Port {port} is in use: stop what uses it, or choose another by --port.")


def migrate_and_seed(
    folder: DataFolder,
    once: Once,
    shared: Mapping[str, str],
    services: Sequence[str],
    terminal: Terminal,
    *,
    demo: bool,
    also: str = "",
) -> None:
    """Run what changes the databases, each once: the notes lie beside the databases they speak of. `demo` asks for the demo school in a
    folder that has one.

    `also` is anything else that, when it changes, wants the migrations run again.
    """
    migrated, seeded = folder.place("postgres") / _MIGRATED, folder.place("postgres") / _SEEDED
    edition = edition_of(once.migrations, services) + also
    if not migrated.exists() or migrated.read_text() != edition:
        with terminal.step("Database migrations", done="done"):
            _run_to_end("migrate", once.migrate, shared, folder.place("logs"))
        write_private(migrated, edition)
    if demo and folder.is_demo and not seeded.exists():
        with terminal.step("Demo school", done="made"):
            _run_to_end("seed", once.seed, dict(shared) | {"BOOKBAG_DEMO": "1"}, folder.place("logs"))
        write_private(seeded, "")


def edition_of(roots: Sequence[Path], services: Sequence[str]) -> str:
    """A digest of all migrations below some folders: the same digest means there is nothing to migrate."""
    digest = hashlib.sha256(",".join(services).encode())
    for root in roots:
        for file in sorted(root.rglob("migrations/**/*")):
            if file.suffix in (".py", ".sql"):
                digest.update(f"\0{file.relative_to(root)}\0".encode())
                digest.update(file.read_bytes())
    return digest.hexdigest()


def _run_to_end(name: str, command: tuple[str, ...], shared: Mapping[str, str], logs: Path) -> None:
    log = logs / f"{name}.log"
    put_aside(log)
    since = log.stat().st_size if log.exists() else 0
    process = spawn(command, folder=REPOSITORY, environment=environment.for_child(shared), log=log)
    try:
        code = process.wait()
    except BaseException:
        finish(process, within=0.0)
        raise
    if code != 0:
        last = (last_lines(log, 1, since=since) or ["it said nothing"])[0].strip()
        raise CannotStart(f"`{' '.join(command[1:])}` ended with code {code}: {last} (its log is {log}).")


def demo_lines(answer: answers.Answer | None) -> list[str]:
    """The people one can sign in as, from the API's own answer; nothing when it does not give them."""
    if answer is None or answer.status != 200:
        return []
    content = cast("dict[str, Any]", json.loads(answer.body))
    people = cast("list[dict[str, str]]", content.get("people", []))
    widest = max((len(person["name"]) for person in people), default=0)
    lines = [
        f"    {person['name']:<{widest}}  {person['role']}, {person['language']}  {person.get('note') or ''}".rstrip()
        for person in people
    ]
    return [f"  {content['school']['name']} (demo): one tap on the sign-in page, no password", *lines, ""]


def announce(
    address: str, identity_port: int, terminal: Terminal, *, seconds: float, demo: bool, hints: Sequence[str] = ()
) -> None:
    """Say where it is, and for a demo who one can be there. `identity_port` answers for identity without TLS."""
    terminal.say(f"\nBookbag is ready after {seconds:.1f} s: {address}\n")
    if demo:
        for line in demo_lines(answers.get(identity_port, "/identity/v1/demo/people")):
            terminal.say(line)
        terminal.say(f"  Mails it would have sent: {address}/dev/outbox\n")
    for hint in hints:
        terminal.say(hint)
    terminal.say("Ctrl-C stops everything.")
