"""Any server that speaks LibreTranslate's HTTP: the school's own, so that what people write stays in its house (TR-3)."""

import asyncio
from collections.abc import Callable, Iterable, Sequence
from datetime import UTC, datetime, timedelta
from email.utils import parsedate_to_datetime
from typing import TypeVar

import httpx2
from pydantic import BaseModel, SecretStr, TypeAdapter, ValidationError

from bookbag.school.languages import LANGUAGES
from services.translate.engines.port import EngineUnavailableError, PairUnsupportedError

ANSWER_WITHIN = timedelta(seconds=30)
CONNECT_WITHIN = timedelta(seconds=3)
ASK_AGAIN_AFTER = timedelta(minutes=10)
"""How long the server's list of languages counts."""
ASK_AGAIN_AFTER_FAILURE = timedelta(seconds=15)
"""How long a server that could not give its list is left alone."""
LONGEST_WAIT = timedelta(hours=1)
"""A `Retry-After` beyond it is cut: the server may be back earlier than it feared."""

_ANSWER_LIMIT = 4_194_304
_OK = 200
_SERVER_FAILS = 500
_REFUSED_KEY = frozenset({401, 403})
_TRY_LATER = frozenset({408, 425, 429})


class _Offered(BaseModel):
    code: str
    targets: list[str] | None = None


class _Translated(BaseModel):
    translatedText: list[str]  # noqa: N815 - the server's name for it


_OFFERS: TypeAdapter[list[_Offered]] = TypeAdapter(list[_Offered])
_TRANSLATED: TypeAdapter[_Translated] = TypeAdapter(_Translated)
_T = TypeVar("_T")


class LibreTranslate:
    """The engine over one LibreTranslate-compatible server."""

    for_demonstration_only = False

    def __init__(
        self,
        url: str,
        *,
        clock: Callable[[], float],
        key: SecretStr | None = None,
        name: str = "libretranslate",
        answer_within: timedelta = ANSWER_WITHIN,
    ) -> None:
        """`url` is the server's root; `clock` gives seconds that never go back."""
        self.name = name
        self._url = url.rstrip("/")
        self._key = key
        self._clock = clock
        self._answer_within = answer_within.total_seconds()
        self._timeout = httpx2.Timeout(
            answer_within.total_seconds(),
            connect=min(CONNECT_WITHIN, answer_within).total_seconds(),
        )
        self._client: httpx2.AsyncClient | None = None
        self._codes: dict[tuple[str, str], tuple[str, str]] = {}
        self._asking = asyncio.Lock()
        self._asked_at: float | None = None
        self._failure: EngineUnavailableError | None = None

    async def pairs(self) -> frozenset[tuple[str, str]]:
        """What the server offers, of the languages we know; asked once in ten minutes."""
        return frozenset(await self._offered())

    async def supports(self, source: str, target: str) -> bool:
        """Whether the server offers this pair."""
        return (source, target) in await self._offered()

    async def translate(self, texts: Sequence[str], source: str, target: str) -> list[str]:
        """Translate all texts in one request."""
        codes = (await self._offered()).get((source, target))
        if codes is None:
            raise PairUnsupportedError(source, target)
        if not texts:
            return []
        body: dict[str, object] = {"q": list(texts), "source": codes[0], "target": codes[1], "format": "text"}
        if self._key is not None:
            body["api_key"] = self._key.get_secret_value()
        answer = await self._ask("POST", "/translate", _TRANSLATED, body)
        if len(answer.translatedText) != len(texts):
            raise EngineUnavailableError(self.name, "it answered with another number of texts than it was asked")
        return answer.translatedText

    async def close(self) -> None:
        """Close the connections."""
        client, self._client = self._client, None
        if client is not None:
            await client.aclose()

    async def _offered(self) -> dict[tuple[str, str], tuple[str, str]]:
        # Callers that come while the list is on its way wait for it instead of finding nothing.
        async with self._asking:
            good_for = ASK_AGAIN_AFTER if self._failure is None else ASK_AGAIN_AFTER_FAILURE
            if self._asked_at is None or self._clock() - self._asked_at >= good_for.total_seconds():
                try:
                    self._codes = _codes_of(await self._ask("GET", "/languages", _OFFERS))
                    self._failure = None
                except EngineUnavailableError as unavailable:
                    self._failure = unavailable
                self._asked_at = self._clock()
        if self._failure is not None:
            raise EngineUnavailableError(
                self.name, self._failure.reason, retry_after=self._failure.retry_after or ASK_AGAIN_AFTER_FAILURE
            ) from self._failure
        return self._codes

    async def _ask(self, method: str, path: str, shape: TypeAdapter[_T], body: dict[str, object] | None = None) -> _T:
        if self._client is None:
            # Nothing of the environment (proxies, .netrc) decides where a child's words go, and no redirect does.
            self._client = httpx2.AsyncClient(timeout=self._timeout, trust_env=False, follow_redirects=False)
        try:
            # The client's own limit counts each read; this one counts the whole answer.
            async with (
                asyncio.timeout(self._answer_within),
                self._client.stream(method, self._url + path, json=body) as response,
            ):
                if response.status_code != _OK:
                    raise self._refusal(response)
                return shape.validate_json(await _body_of(response))
        except (httpx2.TimeoutException, TimeoutError) as late:
            raise EngineUnavailableError(self.name, "no answer in time") from late
        except httpx2.HTTPError as failed:
            raise EngineUnavailableError(self.name, f"not reached: {type(failed).__name__}") from failed
        except (ValidationError, ValueError):
            # What could not be read may hold what people wrote: the cause is left out of the error on purpose.
            raise EngineUnavailableError(self.name, "its answer could not be read") from None

    def _refusal(self, response: httpx2.Response) -> EngineUnavailableError:
        status = response.status_code
        if status in _REFUSED_KEY:
            return EngineUnavailableError(self.name, f"it refuses our key ({status})", retry_after=LONGEST_WAIT)
        if status in _TRY_LATER or status >= _SERVER_FAILS:
            wait = _wait_of(response.headers.get("Retry-After"))
            return EngineUnavailableError(self.name, f"it answered {status}", retry_after=wait)
        return EngineUnavailableError(self.name, f"it refused the request ({status})")


async def _body_of(response: httpx2.Response) -> bytes:
    body = b""
    async for chunk in response.aiter_bytes():
        body += chunk
        if len(body) > _ANSWER_LIMIT:
            raise ValueError("the answer is too large")
    return body


def _codes_of(offers: Iterable[_Offered]) -> dict[tuple[str, str], tuple[str, str]]:
    """Our pairs → the server's codes. A server that names no targets offers every one of its languages to each other."""
    offers = list(offers)
    everything = {offer.code for offer in offers}
    codes: dict[tuple[str, str], tuple[str, str]] = {}
    for source in LANGUAGES:
        offer = next((one for code in source.libretranslate for one in offers if one.code == code), None)
        if offer is None:
            continue
        reachable = everything if offer.targets is None else set(offer.targets)
        for target in LANGUAGES:
            code = next((code for code in target.libretranslate if code in reachable), None)
            if code is not None and source.primary != target.primary:
                codes[source.tag, target.tag] = (offer.code, code)
    return codes


def _wait_of(header: str | None) -> timedelta | None:
    """A `Retry-After`, in seconds or as a date; None when there is none that can be read."""
    if header is None:
        return None
    try:
        if header.strip().isdecimal():
            wait = timedelta(seconds=int(header))
        else:
            wait = parsedate_to_datetime(header) - datetime.now(UTC)
    except (ValueError, OverflowError, TypeError):
        return None
    return min(max(wait, timedelta(0)), LONGEST_WAIT)
