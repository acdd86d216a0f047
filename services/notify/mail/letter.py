"""Writes a mail: the reader's language, the school's name and a link, and nothing that a child or a family said; to leaders also which
member of staff came in for a reason.

Every value from outside is made one line before it comes near a header, and escaped before it comes near HTML.
"""

from dataclasses import dataclass
from datetime import datetime
from email.headerregistry import Address
from email.message import EmailMessage
from email.policy import SMTP
from email.utils import format_datetime, parseaddr
from functools import cache
from zoneinfo import ZoneInfo

from babel.dates import format_datetime as format_moment
from jinja2 import Environment, PackageLoader, StrictUndefined

from bookbag.school.languages import language
from services.notify.mail.words import WORDS, Words
from services.notify.model import DeliveryId, ThreadId, mail_language, one_line

MOMENT = "EEEE d MMMM, HH:mm"
"""How until when somebody may stay is said, as a pattern of CLDR."""

_POLICY = SMTP.clone(max_line_length=200)


@dataclass(frozen=True, slots=True)
class Post:
    """What the installation puts on every mail."""

    public_url: str
    sender: str

    @property
    def sender_address(self) -> Address:
        name, address = parseaddr(self.sender)
        return Address(display_name=one_line(name, 80), addr_spec=address)


@dataclass(frozen=True, slots=True)
class Broken:
    """Who came in for a reason, until when they may stay, and the zone of the school's clocks."""

    who: str
    until: datetime
    zone: str


@dataclass(frozen=True, slots=True)
class Letter:
    """One mail to one person about one thread, or to a leader about somebody who came in (`broken`)."""

    delivery: DeliveryId
    to: str
    wanted_language: str
    school_name: str
    thread: ThreadId | None
    token: str
    written_at: datetime
    broken: Broken | None = None


def message_id_of(delivery: DeliveryId, post: Post) -> str:
    """The same for every try of one delivery, so that a mail that went twice is known as one."""
    return f"<{delivery}@{post.sender_address.domain}>"


def unsubscribe_address(token: str, post: Post) -> str:
    return f"{post.public_url}/notify/v1/unsubscribe/{token}"


def write(letter: Letter, post: Post) -> EmailMessage:
    """The whole mail, text and HTML. That of a new message has the headers that let people and machines stop it (RFC 8058); what a
    leader must know cannot be stopped."""
    tag = mail_language(letter.wanted_language)
    words = WORDS[tag]
    school = one_line(letter.school_name) or "Bookbag"
    values: dict[str, object] = {
        "words": words,
        "school": school,
        "lang": tag,
        "dir": language(tag).direction.value,
        **_said(letter, words, school, post),
    }
    mail = EmailMessage(policy=_POLICY)
    mail["From"] = post.sender_address
    mail["To"] = Address(addr_spec=letter.to)
    mail["Subject"] = values["subject"]
    mail["Date"] = format_datetime(letter.written_at)
    mail["Message-ID"] = message_id_of(letter.delivery, post)
    mail["Auto-Submitted"] = "auto-generated"
    if values["unsubscribe"]:
        mail["List-Unsubscribe"] = f"<{values['unsubscribe']}>"
        mail["List-Unsubscribe-Post"] = "List-Unsubscribe=One-Click"
    mail.set_content(_text(values), cte="quoted-printable")
    mail.add_alternative(
        _templates().get_template("message.html").render(values), subtype="html", cte="quoted-printable"
    )
    mail["Content-Language"] = tag  # set_content and add_alternative remove what was said of the content before
    return mail


def _said(letter: Letter, words: Words, school: str, post: Post) -> dict[str, str]:
    """What differs between a mail about a new message and one about somebody who came in."""
    if letter.broken is None:
        return {
            "subject": words.subject.format(school=school), "line": words.line.format(school=school),
            "private": words.private, "button": words.button, "link": f"{post.public_url}/threads/{letter.thread}",
            "unsubscribe": unsubscribe_address(letter.token, post),
        }  # fmt: skip
    broken = letter.broken
    until = broken.until.astimezone(ZoneInfo(broken.zone))
    said = {
        "school": school,
        "who": one_line(broken.who, 80),
        "until": _moment(until, mail_language(letter.wanted_language)),
    }
    return {
        "subject": words.glass_subject.format(**said), "line": words.glass_line.format(**said),
        "private": words.glass_private, "button": words.glass_button, "link": f"{post.public_url}/record", "unsubscribe": "",
    }  # fmt: skip


def _moment(at: datetime, tag: str) -> str:
    return format_moment(at, MOMENT, locale="en_GB" if tag == "en" else tag)


def unsubscribe_page(wanted_language: str, state: str) -> str:
    """The page behind the link: `question` has the one button, `done` and `unknown` have none."""
    tag = mail_language(wanted_language)
    return (
        _templates()
        .get_template("unsubscribe.html")
        .render(words=WORDS[tag], lang=tag, dir=language(tag).direction.value, state=state)
    )


def _text(values: dict[str, object]) -> str:
    words = WORDS[str(values["lang"])]
    stop = [f"{words.unsubscribe}: {values['unsubscribe']}"] if values["unsubscribe"] else []
    return "\n".join([
        str(values["line"]), str(values["private"]), "", f"{values['button']}:", str(values["link"]), "",
        "-- ", words.why.format(school=values["school"]), *stop, "",
    ])  # fmt: skip


@cache
def _templates() -> Environment:
    return Environment(
        loader=PackageLoader("services.notify.mail"), autoescape=True, undefined=StrictUndefined, trim_blocks=True,
        lstrip_blocks=True,
    )  # fmt: skip
