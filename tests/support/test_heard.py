"""A product that does not get ready is told with what it said, where it was and what its logs end in."""

import signal
import sys
from collections.abc import Iterator
from pathlib import Path

import pytest

from bookbag.local.process import is_running, wait_until
from tests.e2e.conftest import STACK_TIMEOUT
from tests.support.heard import ABORTED_WITHIN, Heard
from tests.support.product import READY_WITHIN, running

NEVER_READY = """
import os, signal, sys
from pathlib import Path

folder = Path(sys.argv[sys.argv.index("--data") + 1])
for name, line in (("logs/messaging-api.log", "no database"), ("kafka/kafka.log", "no broker"), ("kafka/data/0.log", "binary")):
    (folder / name).parent.mkdir(parents=True, exist_ok=True)
    (folder / name).write_text("earlier\\n" * 99 + f"{line} {os.getpid()}\\n")
if sys.argv[1] == "calls":
    print("x" * 200_000)  # more than a pipe holds: it goes on only while somebody reads
    os.kill(os.getppid(), signal.SIGUSR1)
print("Bookbag as many processes\\n  Kafka … ", end="")
if sys.argv[1] == "ends":
    sys.exit(1)

def waits_for_what_never_comes():
    (folder / "waits").touch()
    signal.pause()

waits_for_what_never_comes()
"""


class Overdue(BaseException):
    """What ends a test from outside, as its own limit does."""


@pytest.fixture
def overdue() -> Iterator[None]:
    """Once the product calls, this test's time is over."""

    def over(*_: object) -> None:
        raise Overdue

    before = signal.signal(signal.SIGUSR1, over)
    yield
    signal.signal(signal.SIGUSR1, before)


def never_ready(how: str) -> tuple[str, ...]:
    return sys.executable, "-c", NEVER_READY, how


def test_one_that_hangs_tells_its_step_its_place_and_its_logs(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    heard = Heard.start([*never_ready("hangs"), "--data", str(tmp_path)], tmp_path, {})
    assert wait_until((tmp_path / "waits").exists, 60)
    with pytest.raises(AssertionError, match=r"(?s)not within 0 s did it say ready: .*Kafka … $"):
        heard.ready("ready", within=0)
    told = capsys.readouterr().out
    for words in ("Bookbag as many processes", "  Kafka … ", "in waits_for_what_never_comes"):
        assert words in told
    for words in ("── logs/messaging-api.log", "no database", "── kafka/kafka.log", "no broker"):
        assert words in told
    assert "binary" not in told
    assert len(told.splitlines()) < 60
    assert heard.end(within=60) == -signal.SIGABRT


def test_a_start_that_is_cut_short_is_told_and_leaves_nothing_running(
    tmp_path: Path, overdue: None, capsys: pytest.CaptureFixture[str]
) -> None:
    with pytest.raises(Overdue), running(tmp_path / "data", prefix=never_ready("calls")):
        pass
    told = capsys.readouterr().out
    assert "no database" in told
    assert not is_running(int(told.partition("no broker ")[2].split()[0]))


def test_one_that_ends_by_itself_is_told(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    with (
        pytest.raises(AssertionError, match=r"(?s)ended without saying .*Kafka"),
        running(tmp_path / "data", prefix=never_ready("ends")),
    ):
        pass
    assert "no database" in capsys.readouterr().out


def test_a_product_has_less_time_to_get_ready_than_a_test_has(pytestconfig: pytest.Config) -> None:
    assert float(pytestconfig.getini("timeout")) > READY_WITHIN["up"] + ABORTED_WITHIN
    assert READY_WITHIN["stack"] + ABORTED_WITHIN < STACK_TIMEOUT
