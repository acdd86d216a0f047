"""Shows the mails of the one-machine run in the browser, as text: a mail is a stranger's words, so nothing in it is trusted.

Everything is escaped, no script and no picture is loaded, and only http links become links. The page reloads itself.
"""

import html
import re
from collections.abc import Iterable
from dataclasses import dataclass
from datetime import UTC, datetime
from email import policy
from email.message import EmailMessage
from email.parser import BytesHeaderParser, BytesParser
from html.parser import HTMLParser
from pathlib import Path
from typing import Final
from urllib.parse import urlsplit

from starlette.requests import Request
from starlette.responses import HTMLResponse, Response
from starlette.routing import Route

SHOWN: Final = 100
_NAME: Final = re.compile(r"(\d{8}T\d{12})Z-[0-9a-f]{8}\.eml")
_LINK: Final = re.compile(r"https?://[^\s<>\"']+[^\s<>\"'.,;:!?)\]]")
_HEADERS: Final = {
    "Content-Security-Policy": "default-src 'none'; style-src 'self'; frame-ancestors 'none'; base-uri 'none'; form-action 'none'",
    "Referrer-Policy": "no-referrer",
    "X-Content-Type-Options": "nosniff",
    "Cache-Control": "no-store",
}
_STYLE: Final = """
:root { color-scheme: light dark; font: 1rem/1.5 system-ui, sans-serif; }
body { max-width: 46rem; margin: 0 auto; padding: 1.5rem 1rem 3rem; }
h1 { font-size: 1.5rem; line-height: 1.25; margin: .5rem 0 1rem; }
a { color: inherit; text-underline-offset: .2em; }
a:focus-visible { outline: 3px solid currentColor; outline-offset: 2px; }
.quiet { opacity: .75; }
ol { list-style: none; margin: 0; padding: 0; }
li { border-top: 1px solid color-mix(in srgb, currentColor 20%, transparent); }
li a { display: block; padding: .75rem 0; text-decoration: none; min-height: 2.75rem; }
li a:hover strong { text-decoration: underline; }
li strong, li span { display: block; }
dl { display: grid; grid-template-columns: max-content 1fr; gap: .25rem 1rem; margin: 0 0 1.5rem; }
dt { opacity: .75; }
dd { margin: 0; overflow-wrap: anywhere; }
.text { white-space: pre-wrap; overflow-wrap: anywhere; unicode-bidi: plaintext; margin: 0;
  border-top: 1px solid color-mix(in srgb, currentColor 20%, transparent); padding-top: 1.5rem; }
"""


@dataclass(frozen=True, slots=True)
class MailSummary:
    """One line of the list."""

    name: str
    at: datetime
    to: str
    subject: str
    language: str


@dataclass(frozen=True, slots=True)
class Mail:
    """One mail as it is shown: all headers a reader may want, and its text."""

    summary: MailSummary
    headers: tuple[tuple[str, str], ...]
    text: str


def list_mails(folder: Path, *, limit: int = SHOWN) -> list[MailSummary]:
    """The newest mails first."""
    names = sorted((path.name for path in folder.glob("*.eml") if _NAME.fullmatch(path.name)), reverse=True)
    parser = BytesHeaderParser(policy=policy.default)
    mails: list[MailSummary] = []
    for name in names[:limit]:
        try:
            with (folder / name).open("rb") as file:
                mails.append(_summary(name, parser.parse(file)))
        except FileNotFoundError:
            continue  # made room for newer ones meanwhile
    return mails


def read_mail(folder: Path, name: str) -> Mail | None:
    """One mail; None when there is none of that name. Names that could lead elsewhere are none."""
    if not _NAME.fullmatch(name):
        return None
    try:
        message = BytesParser(policy=policy.default).parsebytes((folder / name).read_bytes())
    except FileNotFoundError:
        return None
    wanted = ("From", "To", "Date", "Reply-To", "Message-ID", "List-Unsubscribe", "List-Unsubscribe-Post")
    headers = tuple((header, str(message[header])) for header in wanted if message[header])
    return Mail(_summary(name, message), headers, _text_of(message))


def list_page(mails: Iterable[MailSummary]) -> str:
    """The list as a page that looks for new mails every five seconds."""
    lines = [_line(mail) for mail in mails]
    body = f"<ol>{''.join(lines)}</ol>" if lines else "<p>No mail yet. This page looks again by itself.</p>"
    note = '<p class="quiet">Mails of this demo stay on this machine; nobody receives them.</p>'
    return _page("Mail outbox", f"<h1>Mail outbox</h1>{note}{body}", language="en", refresh=True)


def mail_page(mail: Mail) -> str:
    """One mail as a page, in the direction of its own script."""
    rows = "".join(
        f'<dt>{html.escape(name)}</dt><dd dir="auto">{_with_links(value)}</dd>' for name, value in mail.headers
    )
    body = (
        '<p><a href="/dev/outbox">All mails</a></p>'
        f'<h1 dir="auto">{html.escape(mail.summary.subject)}</h1><dl lang="en">{rows}</dl>'
        f'<p class="text" dir="auto">{_with_links(mail.text)}</p>'
    )
    return _page(mail.summary.subject, body, language=mail.summary.language, refresh=False)


def outbox_routes(folder: Path, public_url: str) -> list[Route]:
    """The routes of the outbox, for the API process of a demo run.

    They answer only under the address of this run: a page elsewhere that has its own name point to this machine (DNS
    rebinding) finds nothing.
    """
    address = urlsplit(public_url)
    hosts = {address.netloc, f"localhost:{address.port}"}

    def found(request: Request) -> bool:
        return request.headers.get("host") in hosts

    def every(request: Request) -> Response:
        if not found(request):
            return _nothing_here()
        return HTMLResponse(list_page(list_mails(folder)), headers=_HEADERS)

    def one(request: Request) -> Response:
        mail = read_mail(folder, str(request.path_params["name"])) if found(request) else None
        if mail is None:
            return _nothing_here()
        return HTMLResponse(mail_page(mail), headers=_HEADERS)

    def style(_: Request) -> Response:
        return Response(_STYLE, media_type="text/css", headers=_HEADERS)

    return [
        Route("/dev/outbox", every, methods=["GET"]),
        Route("/dev/outbox/style.css", style, methods=["GET"]),
        Route("/dev/outbox/{name}", one, methods=["GET"]),
    ]


def _nothing_here() -> Response:
    body = '<h1>No such mail</h1><p><a href="/dev/outbox">All mails</a></p>'
    return HTMLResponse(_page("No such mail", body, language="en"), status_code=404, headers=_HEADERS)


def _summary(name: str, message: EmailMessage) -> MailSummary:
    match = _NAME.fullmatch(name)
    if match is None:
        raise ValueError(f"not the name of a mail: {name!r}")
    at = datetime.strptime(match[1], "%Y%m%dT%H%M%S%f").replace(tzinfo=UTC)
    language = _language_of(message)
    return MailSummary(
        name=name,
        at=at,
        to=str(message["To"] or message["Delivered-To"] or ""),
        subject=str(message["Subject"] or "(no subject)"),
        language=language,
    )


def _language_of(message: EmailMessage) -> str:
    """The language a mail says it is written in, itself or in its text part; nothing when it is no language tag."""
    part = message.get_body(preferencelist=("plain", "html"))
    said = str(message["Content-Language"] or (part["Content-Language"] if part else None) or "")
    return said if re.fullmatch(r"[A-Za-z]{2,3}(-[A-Za-z0-9]{2,8})*", said) else ""


def _line(mail: MailSummary) -> str:
    language = f' lang="{mail.language}"' if mail.language else ""
    return (
        f'<li><a href="/dev/outbox/{mail.name}"><strong dir="auto"{language}>{html.escape(mail.subject)}</strong>'
        f'<span class="quiet"><bdi>{html.escape(mail.to)}</bdi>, '
        f'<time datetime="{mail.at:%Y-%m-%dT%H:%M:%SZ}">{mail.at:%H:%M:%S} UTC</time></span></a></li>'
    )


def _text_of(message: EmailMessage) -> str:
    """The plain text of a mail; of one that has only HTML, the words in it."""
    part = message.get_body(preferencelist=("plain", "html"))
    if part is None:
        return ""
    try:
        content = str(part.get_content()).replace("\r\n", "\n")
    except (LookupError, KeyError):
        return "(this mail is in an encoding that cannot be shown)"
    if part.get_content_type() == "text/html":
        words = _Words()
        words.feed(content)
        return words.text()
    return content


class _Words(HTMLParser):
    """Collects what a reader of an HTML mail would read."""

    _HIDDEN = frozenset({"script", "style", "head", "title"})
    _BREAKS = frozenset({"p", "br", "div", "tr", "li", "h1", "h2", "h3"})

    def __init__(self) -> None:
        super().__init__(convert_charrefs=True)
        self._parts: list[str] = []
        self._inside = 0

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        if tag in self._HIDDEN:
            self._inside += 1
        if tag in self._BREAKS:
            self._parts.append("\n")
        address = dict(attrs).get("href") if tag == "a" else None
        if address:
            self._parts.append(f"{address} ")

    def handle_endtag(self, tag: str) -> None:
        if tag in self._HIDDEN and self._inside:
            self._inside -= 1

    def handle_data(self, data: str) -> None:
        if not self._inside:
            self._parts.append(data)

    def text(self) -> str:
        return re.sub(r"\n\s*\n+", "\n\n", "".join(self._parts)).strip()


def _with_links(text: str) -> str:
    """Escaped text in which http addresses can be followed."""
    parts: list[str] = []
    end = 0
    for match in _LINK.finditer(text):
        address = html.escape(match[0])
        parts.append(html.escape(text[end : match.start()]))
        parts.append(f'<a href="{address}" rel="noopener noreferrer">{address}</a>')
        end = match.end()
    return "".join([*parts, html.escape(text[end:])])


def _page(title: str, body: str, *, language: str, refresh: bool = False) -> str:
    tags = '<meta charset="utf-8"><meta name="viewport" content="width=device-width, initial-scale=1">'
    tags += '<meta http-equiv="refresh" content="5">' if refresh else ""
    return (
        f'<!doctype html><html lang="{language or "und"}"><head>{tags}<title>{html.escape(title)}</title>'
        f'<link rel="stylesheet" href="/dev/outbox/style.css"></head><body><main>{body}</main></body></html>'
    )
