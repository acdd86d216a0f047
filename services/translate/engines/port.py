"""The port every engine fills, so that a school's choice of engine is configuration and nothing else (TR-3)."""

from collections.abc import Sequence
from datetime import timedelta
from typing import Protocol


class EngineUnavailableError(Exception):
    """The engine cannot translate now and may later; says nothing about the text.

    `retry_after` is what the engine asked for, or None when it did not say.
    """

    def __init__(self, engine: str, reason: str, *, retry_after: timedelta | None = None) -> None:
        super().__init__(f"{engine}: {reason}")
        self.engine = engine
        self.reason = reason
        self.retry_after = retry_after


class PairUnsupportedError(Exception):
    """No engine, or not this one, translates from `source` to `target`; waiting does not change that."""

    def __init__(self, source: str, target: str) -> None:
        super().__init__(f"no engine translates {source} to {target}")
        self.source = source
        self.target = target


class Engine(Protocol):
    """A way to translate. Languages are BCP 47 tags of `bookbag.school.languages`."""

    @property
    def name(self) -> str:
        """What operators read, and what is stored beside a translation."""
        ...

    @property
    def for_demonstration_only(self) -> bool:
        """Whether its quality is too weak for families to rely on; the client says so beside its translations."""
        ...

    async def pairs(self) -> frozenset[tuple[str, str]]:
        """All (source, target) it can translate now. Raises `EngineUnavailableError` when it cannot be asked."""
        ...

    async def supports(self, source: str, target: str) -> bool:
        """Whether `pairs` holds this one. Raises `EngineUnavailableError` when it cannot be asked."""
        ...

    async def translate(self, texts: Sequence[str], source: str, target: str) -> list[str]:
        """Translate each text, in order. Raises `EngineUnavailableError` or `PairUnsupportedError`."""
        ...

    async def close(self) -> None:
        """End what it holds: processes, connections. A later call may start them again."""
        ...
