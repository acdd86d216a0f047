"""Decides which steps a purpose needs and in which order; what does not wait for another runs beside it."""

import fcntl
import os
from collections.abc import Callable, Generator
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager
from time import monotonic

from tools.bootstrap import kafka, node, packages, promtool, stubs, system
from tools.bootstrap.progress import ROOT, Progress, Trouble

PURPOSES = {
    "run": "what `make run` needs",
    "test": "what `make test` needs as well",
    "bench": "what `make bench` needs as well",
    "stack": "what `make stack` needs as well",
    "python": "only .venv with the packages of a run, and the stubs",
    "checks": "only .venv with the packages of the tests, and the stubs",
    "stubs": "make the stubs anew",
    "web": "build the web client anew; fails when it cannot",
    "image": "what goes into the image: .venv, the stubs and the web client; fails when it cannot",
}


def main(args: list[str]) -> int:
    """Get the machine ready for one purpose; the exit code is 0 when it can go on."""
    if len(args) != 1 or args[0] not in PURPOSES:
        print("usage: python -m tools.bootstrap PURPOSE")
        for purpose, meaning in PURPOSES.items():
            print(f"  {purpose:8} {meaning}")
        return 2
    progress = Progress()
    began = monotonic()
    try:
        with _only_one(progress):
            worked = _prepare(args[0], progress)
        if worked:
            progress.say(f"Ready after {monotonic() - began:.0f} s.")
    except Trouble as trouble:
        progress.say(str(trouble))
        return 1
    except OSError as error:
        progress.say(f"Setting up stopped: {error.strerror or error} ({error.filename or 'no file'}).")
        return 1
    except KeyboardInterrupt:
        progress.say("Stopped. Run it again to go on where it was.")
        return 130
    finally:
        progress.close()
    return 0


def _prepare(purpose: str, progress: Progress) -> bool:
    """Do the steps; True when there was anything to do."""
    apt = system.Apt()
    level: packages.Level = (
        "test" if purpose in {"test", "checks", "bench"} else "stack" if purpose == "stack" else "run"
    )
    broker = purpose in {"test", "bench", "stack"}
    wanted = {
        "run": (system.APERTIUM,),
        "test": (system.APERTIUM, system.CHROMIUM, system.JAVA, system.MAVEN),
        "bench": (system.APERTIUM, system.WRK, system.JAVA, system.MAVEN),
        "stack": (system.APERTIUM, system.JAVA, system.MAVEN),
    }.get(purpose, ())
    insist = broker or os.environ.get("CI") == "true"

    def with_system_packages() -> bool:
        """What needs them, once they are there."""
        system_packages.result()
        fetched = purpose == "test" and _optional(progress, lambda: promtool.ensure(progress, apt), promtool.why_none)
        return (broker and _optional(progress, lambda: kafka.ensure(progress, apt), kafka.why_no_broker)) or fetched

    with ThreadPoolExecutor(max_workers=5) as pool:
        # apt waits for its mirrors while pip waits for its own: both at once.
        system_packages = pool.submit(system.ensure, progress, apt, *wanted, insist=insist)
        worked = packages.ensure(progress, apt, level=level)
        made = pool.submit(stubs.ensure, progress, anew=purpose == "stubs")
        built = None
        if purpose in {"run", "test", "bench", "stack", "web", "image"}:
            anew = purpose == "web"
            without = None if purpose in {"web", "image"} else node.why_no_web
            built = pool.submit(
                _optional, progress, lambda: node.ensure_web(progress, anew=anew, insist=insist), without
            )
        tools = None
        if purpose == "test":
            tools = pool.submit(_optional, progress, lambda: node.ensure_tools(progress), node.why_no_tools)
        rest = pool.submit(with_system_packages)
        worked = made.result() or worked
        worked = bool(built and built.result()) or worked
        worked = bool(tools and tools.result()) or worked
        return rest.result() or worked


def _optional(progress: Progress, step: Callable[[], bool], without: Callable[[Trouble], str] | None) -> bool:
    """Do a step; when it fails and the rest can live without it, say so in a sentence and go on."""
    try:
        return step()
    except Trouble as trouble:
        if without is None:
            raise
        progress.say(without(trouble))
        return True


@contextmanager
def _only_one(progress: Progress) -> Generator[None]:
    """Hold the checkout's lock: two `make` at once would install over each other."""
    cache = ROOT / ".cache"
    cache.mkdir(exist_ok=True)
    with (cache / "bootstrap.lock").open("w") as lock:
        try:
            fcntl.flock(lock, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except BlockingIOError:
            progress.say("Another make sets this checkout up; waiting for it.")
            fcntl.flock(lock, fcntl.LOCK_EX)
        yield
