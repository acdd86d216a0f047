"""What an engine is to the rest of translation, and which one makes a pair; each engine is a file of its own here."""

from services.translate.engines.choice import Engines
from services.translate.engines.port import Engine, EngineUnavailableError, PairUnsupportedError

__all__ = ["Engine", "EngineUnavailableError", "Engines", "PairUnsupportedError"]
