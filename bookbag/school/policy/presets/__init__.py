"""The five presets that ship with the product, each after one real school's policy (POL-12); the names are invented."""

from collections.abc import Mapping
from importlib import resources
from types import MappingProxyType

PRESETS: Mapping[str, str] = MappingProxyType(
    {
        "working-hours-only": "a",
        "quiet-evenings": "b",
        "shared-class-accounts": "c",
        "answer-slots": "d",
        "homework-on-the-story": "e",
    }
)
"""The name a school is founded with, and the letter of its source policy."""


class UnknownPreset(LookupError):
    """There is no preset of this name or letter."""


def preset_text(name: str) -> str:
    """The YAML of a preset by its name or letter; it ships inside the package. Raises UnknownPreset."""
    letter = PRESETS.get(name, name)
    if letter not in PRESETS.values():
        raise UnknownPreset(f"There is no preset {name!r}. There are: {', '.join(PRESETS)}.")
    return resources.files(__name__).joinpath(f"{letter}.yaml").read_text(encoding="utf-8")
