import os
import shutil
from collections.abc import AsyncIterator
from dataclasses import dataclass

import pytest

from services.translate.engines.apertium import MODES, Apertium


@dataclass
class MovedClock:
    """Seconds that pass when a test says so."""

    seconds: float = 1_000.0

    def __call__(self) -> float:
        return self.seconds


@pytest.fixture
def clock() -> MovedClock:
    return MovedClock()


@pytest.fixture
def apertium_installed() -> None:
    if shutil.which("lt-proc") and (MODES / "eng-spa.mode").exists():
        return
    reason = "Apertium is not installed: apt-get install apertium-eng-spa"
    if os.environ.get("CI") == "true":
        pytest.fail(reason)
    pytest.skip(reason)


@pytest.fixture
async def apertium(apertium_installed: None, clock: MovedClock) -> AsyncIterator[Apertium]:
    engine = Apertium(clock=clock)
    yield engine
    await engine.close()
