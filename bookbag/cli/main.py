"""Reads the command line and hands over; what a command needs is imported only when it runs, so that `up` stays small."""

import argparse
import json
import os
import sys
from collections.abc import Sequence
from pathlib import Path

from bookbag import __version__
from bookbag.cli.audit_words import audit_parser
from bookbag.cli.backup_words import backup_parsers
from bookbag.cli.doctor_words import doctor_parser
from bookbag.cli.events_words import event_parsers
from bookbag.cli.policy_words import policy_parser
from bookbag.cli.prepare_words import prepare_parser
from bookbag.cli.services import NAMES, WEB
from bookbag.cli.stack_words import stack_parser

_DATA = "data folder of a run on this machine (.bookbag)"

_EPILOG = """\
examples:
  bookbag up                           the whole product on this machine, with a demo school
  bookbag up --fresh                   the same, starting over (asks first)
  bookbag stack up                     the same as many processes, with Kafka, S3 and a gateway
  bookbag serve messaging              the HTTP and gRPC servers of one service
  bookbag work notify                  the relay, consumer and jobs of one service
  bookbag doctor                       what is wrong, and what to do
  bookbag outbox status                what waits to be published
  bookbag consumers lag                how far each consumer is behind
  bookbag deadletters replay --all     put everything that failed back in line
  bookbag audit verify                 prove that the record is as it was written
  bookbag backup --to /backups         put all of it down while it runs
"""


def parser() -> argparse.ArgumentParser:
    """The whole command line."""
    root = argparse.ArgumentParser(
        prog="bookbag",
        description="Home-school communication that a school can trust.",
        epilog=_EPILOG,
        formatter_class=argparse.RawDescriptionHelpFormatter,
    )
    root.add_argument("--version", action="version", version=f"bookbag {__version__}")
    commands = root.add_subparsers(dest="command", required=True, metavar="command", title="commands")

    up = commands.add_parser("up", help="run the whole product on this machine")
    up.add_argument("--port", type=int, default=8000, help="port of the one address people open (8000)")
    up.add_argument("--data", type=Path, default=Path(".bookbag"), help="folder that keeps everything (.bookbag)")
    up.add_argument("--no-demo", action="store_true", help="start empty, without the demo school and its sign-ins")
    up.add_argument("--fresh", action="store_true", help="remove what the folder keeps and start over; asks first")
    up.add_argument("--yes", action="store_true", help="answer yes to what --fresh asks")

    stack_parser(commands)

    for name, text in (
        ("serve", "run the HTTP and gRPC servers of a service, or of all, or `web`: the client's pages"),
        ("work", "run the relay, consumer, jobs and projector of a service, or of all"),
        ("migrate", "bring the database of a service, or of all, up to date"),
    ):
        command = commands.add_parser(name, help=text)
        choices = [*NAMES, "all", WEB] if name == "serve" else [*NAMES, "all"]
        command.add_argument("service", nargs="?", default="all", choices=choices, metavar="service", help="all")
        if name == "migrate":
            command.add_argument(
                "--wait", type=float, default=300.0, metavar="SECONDS", help="how long to wait for what is away (300)"
            )

    routes = commands.add_parser("routes", help="what a gateway must know: prefixes, live streams, largest bodies")
    routes.add_argument("--json", action="store_true", help="print for programs")

    demo = commands.add_parser("demo", help="the demo school").add_subparsers(dest="action", required=True)
    demo.add_parser("seed", help="create the demo school unless it exists")

    schools = commands.add_parser("schools", help="schools, the tenants of an installation")
    actions = schools.add_subparsers(dest="action", required=True, metavar="action")
    create = actions.add_parser("create", help="create a school")
    for option, text in (
        ("code", "short code that people type, such as BRLA"),
        ("name", "name"),
        ("country", "two letters, such as GB"),
        ("zone", "time zone, such as Europe/London"),
        ("language", "default language, such as en"),
        ("preset", "policy preset"),
    ):
        create.add_argument(f"--{option}", required=True, help=text)
    create.add_argument("--leader-name", help="name of the first leader, who can sign in then")
    create.add_argument("--leader-email", help="e-mail of the first leader")
    create.add_argument("--data", type=Path, default=Path(".bookbag"), help=_DATA)

    prepare_parser(commands)
    doctor_parser(commands)
    event_parsers(commands)
    policy_parser(commands)
    audit_parser(commands)
    backup_parsers(commands)
    return root


def main(arguments: Sequence[str] | None = None) -> int:
    """Run one command. Returns the exit code: 0 done, 1 refused or failed (said in one sentence), 2 not understood."""
    asked = parser().parse_args(arguments)
    if asked.command == "up":
        from bookbag.local.steps import Options
        from bookbag.local.up import up

        options = Options(port=asked.port, data=asked.data, demo=not asked.no_demo, fresh=asked.fresh, yes=asked.yes)
        return up(options, services=NAMES)
    if asked.command == "stack":
        from bookbag.cli.stack import run as run_stack

        return run_stack(asked)
    if asked.command == "policy" and asked.action in {"check", "preset"}:
        from bookbag.cli.policy import run as run_policy

        return run_policy(asked)
    if asked.command == "restore" and asked.data is not None:
        from bookbag.cli.backup_here import restore_here

        return restore_here(asked, _say)
    return _say(asked)


def _say(asked: argparse.Namespace) -> int:
    """Run a command on the installation that the settings name, or that runs on this machine, and print what it answers."""
    from bookbag.cli import commands
    from bookbag.cli.answers import Refused, reader_may_leave

    if getattr(asked, "data", None) is not None and "BOOKBAG_REDIS_URL" not in os.environ:
        from bookbag.local.environment import settings_of_running

        running = settings_of_running(asked.data)
        if running is None:
            print(
                f"Nothing runs on {asked.data}. Start it with `bookbag up`, or name its folder with --data.",
                file=sys.stderr,
            )
            return 1
        os.environ |= running
    try:
        answer = commands.run(asked)
    except Refused as refused:
        print(refused, file=sys.stderr)
        return 1
    if answer is None:
        return 0
    with reader_may_leave():
        print(json.dumps(answer.rows, indent=1, default=str) if getattr(asked, "json", False) else answer.text)
    return 1 if answer.wrong else 0
