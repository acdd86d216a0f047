"""Which engines make a language pair, in the order in which they are tried (TR-3)."""

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from types import MappingProxyType

from services.translate.engines.port import Engine, EngineUnavailableError, PairUnsupportedError


@dataclass(frozen=True, slots=True)
class Engines:
    """The engines of an installation, in order of preference.

    `preferred` puts engines first, by name, for a single pair; engines it does not name follow in the general order.
    """

    engines: tuple[Engine, ...] = ()
    preferred: Mapping[tuple[str, str], Sequence[str]] = field(default_factory=lambda: MappingProxyType({}))

    async def choose(
        self, source: str, target: str, *, away: Callable[[str], object] = lambda _: None
    ) -> tuple[Engine, ...]:
        """The engines that translate this pair, first choice first; never empty. `away` is told the name of each that cannot be asked.

        Raises `PairUnsupportedError` when all say no, and `EngineUnavailableError`, with the shortest wait asked
        for, when none says yes and one could not be asked: it may turn out to have the pair.
        """
        able: list[Engine] = []
        silent: list[EngineUnavailableError] = []
        for engine in self._in_order(source, target):
            try:
                if await engine.supports(source, target):
                    able.append(engine)
            except EngineUnavailableError as unavailable:
                silent.append(unavailable)
                away(engine.name)
        if able:
            return tuple(able)
        if silent:
            raise min(silent, key=_wait_asked_for)
        raise PairUnsupportedError(source, target)

    async def close(self) -> None:
        """End what all engines hold."""
        for engine in self.engines:
            await engine.close()

    def _in_order(self, source: str, target: str) -> list[Engine]:
        names = list(self.preferred.get((source, target), ()))
        return sorted(self.engines, key=lambda engine: names.index(engine.name) if engine.name in names else len(names))


def _wait_asked_for(unavailable: EngineUnavailableError) -> float:
    return unavailable.retry_after.total_seconds() if unavailable.retry_after is not None else float("inf")
