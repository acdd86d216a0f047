"""What stands in a mail, and what never does."""

import re
from dataclasses import fields
from datetime import UTC, datetime
from html.parser import HTMLParser
from string import Formatter

import pytest
from hypothesis import given
from hypothesis import strategies as st

from bookbag.chassis.clock import new_id
from bookbag.school.languages import UI_LANGUAGES
from services.notify.mail.letter import Broken, Letter, Post, message_id_of, unsubscribe_page, write
from services.notify.mail.words import WORDS, Words
from services.notify.model import usable_address
from services.notify.tests.conftest import Town

POST = Post("https://bookbag.example", "Bookbag <no-reply@mail.example>")
RIGHT_TO_LEFT = {"ar", "ur"}


def letter(**changed) -> Letter:
    given_ = {
        "delivery": new_id(), "to": "marta@example.org", "wanted_language": "en", "school_name": "Oak School", "thread": new_id(),
        "token": "t" * 22, "written_at": datetime(2026, 11, 23, tzinfo=UTC),
    }  # fmt: skip
    return Letter(**(given_ | changed))


BROKEN = Broken("Mrs Rowe <i>", datetime(2026, 11, 26, 20, 30, tzinfo=UTC), "Europe/Warsaw")


def bodies(mail) -> tuple[str, str]:
    return mail.get_body(("plain",)).get_content(), mail.get_body(("html",)).get_content()


@pytest.mark.req("TR-6")
def test_every_language_of_the_product_has_all_words():
    assert set(WORDS) == set(UI_LANGUAGES)


@pytest.mark.req("TR-6")
@pytest.mark.parametrize("tag", UI_LANGUAGES)
def test_words_are_filled_in_with_the_schools_name_and_to_leaders_with_who_came_in_and_nothing_else(tag: str):
    for field in fields(Words):
        text = getattr(WORDS[tag], field.name)
        assert text.strip() == text
        assert text
        room = {"school", "who", "until"} if field.name.startswith("glass_") else {"school"}
        assert {name for _, name, _, _ in Formatter().parse(text) if name} <= room
        names = {name for _, name, _, _ in Formatter().parse(getattr(WORDS["en"], field.name)) if name}
        assert {name for _, name, _, _ in Formatter().parse(text) if name} == names
        if tag != "en":
            assert text != getattr(WORDS["en"], field.name)


@pytest.mark.req("TR-6")
@pytest.mark.parametrize("tag", UI_LANGUAGES)
def test_a_mail_comes_in_its_language_and_direction(tag: str):
    made = letter(wanted_language=tag)
    mail = write(made, POST)
    text, html = bodies(mail)

    assert mail["Content-Language"] == tag
    assert f'<html lang="{tag}" dir="{"rtl" if tag in RIGHT_TO_LEFT else "ltr"}">' in html
    for body in (text, html):
        assert f"https://bookbag.example/threads/{made.thread}" in body
        assert WORDS[tag].private in body.replace("&#39;", "'")
        assert "https://bookbag.example/notify/v1/unsubscribe/" in body


@pytest.mark.req("POL-4", "TR-6")
@pytest.mark.parametrize("tag", UI_LANGUAGES)
def test_a_leader_is_told_who_came_in_and_until_when_by_the_schools_clocks_and_cannot_stop_that(tag: str):
    mail = write(letter(wanted_language=tag, thread=None, broken=BROKEN), POST)
    text, html = bodies(mail)

    assert mail["List-Unsubscribe"] is None
    assert "Oak School" in mail["Subject"]
    assert "Mrs Rowe <i>" in text
    assert "Mrs Rowe &lt;i&gt;" in html
    for body in (text, html):
        assert "21:30" in body
        assert "https://bookbag.example/record" in body
        assert WORDS[tag].glass_private in body.replace("&#39;", "'")
        assert "unsubscribe" not in body


@pytest.mark.req("TR-6")
@pytest.mark.parametrize(
    ("wanted", "given_"), [("es-MX", "es"), ("fr", "en"), ("", "en"), ("ur-PK", "ur"), ("xx!", "en")]
)
def test_a_language_without_words_gets_english_visibly(wanted: str, given_: str):
    assert write(letter(wanted_language=wanted), POST)["Content-Language"] == given_


@pytest.mark.req("NTF-1")
def test_a_mail_can_be_stopped_with_one_click_and_says_that_a_machine_wrote_it():
    mail = write(letter(), POST)

    assert mail["List-Unsubscribe"] == f"<https://bookbag.example/notify/v1/unsubscribe/{'t' * 22}>"
    assert mail["List-Unsubscribe-Post"] == "List-Unsubscribe=One-Click"
    assert mail["Auto-Submitted"] == "auto-generated"
    assert mail["Date"]
    assert mail["From"] == "Bookbag <no-reply@mail.example>"
    assert mail["To"] == "marta@example.org"


@pytest.mark.req("NTF-3")
def test_the_message_id_is_the_deliverys():
    made = letter()
    assert write(made, POST)["Message-ID"] == message_id_of(made.delivery, POST) == f"<{made.delivery}@mail.example>"


def test_names_cannot_break_out_of_the_html():
    _, html = bodies(write(letter(school_name='<script>alert(1)</script> & "Co"'), POST))

    assert "<script" not in html
    assert "&lt;script&gt;" in html


@given(st.text(max_size=300))
def test_no_school_name_can_add_a_header(name: str):
    raw = write(letter(school_name=name), POST).as_bytes()
    head = raw.partition(b"\r\n\r\n")[0].decode("ascii")
    names = re.findall(r"^([!-9;-~]+):", head, flags=re.MULTILINE)

    assert sorted(names) == sorted([
        "From", "To", "Subject", "Date", "Message-ID", "Auto-Submitted", "Content-Language", "List-Unsubscribe",
        "List-Unsubscribe-Post", "MIME-Version", "Content-Type",
    ])  # fmt: skip


@given(st.text(max_size=100))
def test_an_address_is_one_mailbox_or_none(text: str):
    found = usable_address(text)
    if found is not None:
        mail = write(letter(to=found), POST)
        assert [address.addr_spec for address in mail["To"].addresses] == [found]


@pytest.mark.parametrize(("text", "found"), [
    ("marta@example.org", "marta@example.org"),
    ("o'neil+school@sub.example.org", "o'neil+school@sub.example.org"),
    ("marta@bücher.example", "marta@xn--bcher-kva.example"),
    ("marta@example.org\nBcc: x@example.org", None),
    ("a@b@c.org", None),
    ("a..b@example.org", None),
    (f"{'a' * 65}@example.org", None),
    (f"a@{'b' * 300}.org", None),
    ("Marta <marta@example.org>", None),
])  # fmt: skip
def test_only_a_plain_address_is_written_to(text: str, found: str | None):
    assert usable_address(text) == found


class Tags(HTMLParser):
    def __init__(self) -> None:
        super().__init__()
        self.seen: list[tuple[str, dict[str, str | None]]] = []

    def handle_starttag(self, tag, attrs):
        self.seen.append((tag, dict(attrs)))


@pytest.mark.parametrize("tag", UI_LANGUAGES)
def test_the_page_has_one_button_and_no_script_style_or_image(tag: str):
    page = Tags()
    page.feed(unsubscribe_page(tag, "question"))

    assert [name for name, _ in page.seen].count("button") == 1
    assert not {name for name, _ in page.seen} & {"script", "style", "img", "link"}
    assert all(
        "style" not in attributes and not any(key.startswith("on") for key in attributes) for _, attributes in page.seen
    )
    assert ("form", {"method": "post"}) in page.seen


@pytest.mark.parametrize("tag", UI_LANGUAGES)
def test_a_mail_loads_nothing_from_anywhere(tag: str):
    page = Tags()
    page.feed(bodies(write(letter(wanted_language=tag), POST))[1])

    assert not {name for name, _ in page.seen} & {"script", "img", "link", "iframe"}
    assert ("meta", {"name": "viewport", "content": "width=device-width, initial-scale=1"}) in page.seen


@pytest.mark.req("PRV-5")
async def test_no_mail_holds_a_message_text_or_any_persons_name(town: Town):
    await town.message()
    await town.after(seconds=60)

    assert len(town.post.mails) == 2
    for mail in town.post.mails:
        everything = " ".join([*(str(value) for value in mail.values()), *bodies(mail)])
        for name in ("Ada", "Hill", "Marta Ruiz", "Ruiz", "Tom Reed", "Reed"):
            assert name not in everything
