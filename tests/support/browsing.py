"""Browser contexts that forgive nothing, for whatever product the journeys are walked on."""

from collections.abc import Callable, Iterator
from datetime import datetime
from typing import Any

from playwright.sync_api import Browser, BrowserContext

PHONE = {"width": 360, "height": 740}


def watched(browser: Browser, address: str, *, seconds: int) -> Iterator[Callable[..., BrowserContext]]:
    """Makes contexts, for a fixture; each wait in them ends after so long. Any request to another host, any page error and any broken
    content policy fails the test. `now` is what the clock of the person's device says, where it matters."""
    made: list[BrowserContext] = []
    wrong: list[str] = []

    def make(*, now: datetime | None = None, **options: Any) -> BrowserContext:
        context = browser.new_context(**{"viewport": PHONE, "base_url": address, "locale": "en-GB"} | options)
        context.set_default_timeout(seconds * 1000)
        if now is not None:
            context.clock.set_system_time(now)
        context.on(
            "request",
            lambda request: (
                wrong.append(request.url) if not request.url.startswith((address, "data:", "blob:")) else None
            ),
        )
        context.on("weberror", lambda error: wrong.append(str(error.error)))
        context.on(
            "console", lambda message: wrong.append(message.text) if "Content Security Policy" in message.text else None
        )
        made.append(context)
        return context

    yield make
    for context in made:
        context.close()
    assert wrong == []
