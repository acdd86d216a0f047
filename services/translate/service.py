"""Translate on one screen: what it hears, what it does, and with which engines."""

from pathlib import Path
from typing import Literal

from pydantic import Field, HttpUrl, SecretStr

from bookbag import directory
from bookbag.chassis.migrate import CHASSIS
from bookbag.chassis.runtime import Runtime
from bookbag.chassis.service import Service
from bookbag.chassis.settings import ServiceSettings
from bookbag.directory.figures import sample_feed_age
from bookbag.directory.projector import projector
from services.translate import events, jobs, store
from services.translate.actions import Means
from services.translate.detection import Detector
from services.translate.engines.apertium import MODES, Apertium
from services.translate.engines.choice import Engines
from services.translate.engines.port import Engine

HERE = Path(__file__).parent

EngineName = Literal["libretranslate", "apertium"]


class Settings(ServiceSettings):
    """Which engines translate, in which order."""

    engines: tuple[EngineName, ...] = Field(
        ("libretranslate", "apertium"), description="Engines in order of preference; those not set up are passed over."
    )
    libretranslate_url: HttpUrl | None = Field(
        None, description="Root of a LibreTranslate-compatible server; empty for none. It reads what people write."
    )
    libretranslate_key: SecretStr | None = Field(None, description="The key that server wants, if it wants one.")
    apertium_modes: Path = Field(
        MODES, description="Folder of Apertium's pairs, used when it is there. Its quality is for demonstrations only."
    )


async def start(runtime: Runtime) -> None:
    """Prepare engines and detection; nothing is started or loaded before it is needed."""

    def seconds() -> float:
        return runtime.clock.now().timestamp()

    settings: Settings = runtime.settings
    made: list[Engine] = []
    for name in settings.engines:
        match name:
            case "apertium":
                made.append(Apertium(clock=seconds, modes=settings.apertium_modes))
            case "libretranslate" if settings.libretranslate_url is not None:
                # The HTTP client takes 23 MB: only where it is used.
                from services.translate.engines.libretranslate import LibreTranslate

                url, key = str(settings.libretranslate_url), settings.libretranslate_key
                made.append(LibreTranslate(url, clock=seconds, key=key))
            case _:
                pass
    runtime.state["means"] = Means(Engines(tuple(made)), Detector(clock=seconds))


async def stop(runtime: Runtime) -> None:
    """End what the engines hold."""
    await Means.of(runtime).close()


service = Service(
    name="translate",
    settings=Settings,
    migrations=(("chassis", CHASSIS), directory.MIGRATIONS, ("translate", HERE / "migrations")),
    hears=events.HEARS,
    jobs=jobs.JOBS,
    loops={"projector": projector()},
    restored=[directory.unheard, store.hold_requests_back],
    needs=[directory.has_heard],
    samples=[sample_feed_age],
    start=start,
    stop=stop,
)
