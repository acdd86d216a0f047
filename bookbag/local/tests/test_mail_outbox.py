"""Mails of the one-machine run: kept as files, shown as text."""

import smtplib
from datetime import UTC, datetime, timedelta
from email.message import EmailMessage

import pytest
from starlette.applications import Starlette
from starlette.testclient import TestClient

from bookbag.local import smtp_outbox
from bookbag.local.outbox_page import list_mails, outbox_routes, read_mail
from bookbag.local.ports import choose_one
from bookbag.local.smtp_outbox import SmtpOutbox, keep_mail

NOW = datetime(2026, 11, 23, 15, 10, tzinfo=UTC)


def mail(*, subject="Neue Nachricht", text="Hello", language="", rich=None):
    message = EmailMessage()
    message["From"] = "Bookbag <no-reply@bookbag.invalid>"
    message["To"] = "family@example.org"
    message["Subject"] = subject
    if text is not None:
        message.set_content(text)
    if language:
        message["Content-Language"] = language
    if rich:
        message.add_alternative(rich, subtype="html") if text is not None else message.set_content(rich, subtype="html")
    return message


def keep(folder, message, *, at=NOW):
    path = keep_mail(
        folder, bytes(message), sender="no-reply@bookbag.invalid", recipients=["family@example.org"], at=at
    )
    return path.name


@pytest.fixture
def browser(tmp_path):
    application = Starlette(routes=outbox_routes(tmp_path, "http://127.0.0.1:8000"))
    with TestClient(application, base_url="http://127.0.0.1:8000") as client:
        yield client


@pytest.mark.req("NTF-1")
def test_a_mail_sent_over_smtp_becomes_a_file(tmp_path):
    outbox = SmtpOutbox(tmp_path, choose_one())
    outbox.begin()
    outbox.wait_ready()
    try:
        with smtplib.SMTP("127.0.0.1", outbox._port) as server:
            server.send_message(mail(subject="Wiadomość", text="Dzień dobry"))
    finally:
        outbox.stop()
    [summary] = list_mails(tmp_path)
    assert (summary.subject, summary.to) == ("Wiadomość", "family@example.org")
    kept = read_mail(tmp_path, summary.name)
    assert kept is not None
    assert kept.text == "Dzień dobry\n"


def test_a_port_that_is_taken_is_told(tmp_path):
    first = SmtpOutbox(tmp_path, choose_one())
    first.begin()
    first.wait_ready()
    second = SmtpOutbox(tmp_path, first._port)
    second.begin()
    with pytest.raises(smtp_outbox.CannotStart, match="cannot listen"):
        second.wait_ready()
    first.stop()


def test_names_sort_by_time_and_the_newest_comes_first(tmp_path):
    for minutes in (2, 0, 1):
        keep(tmp_path, mail(subject=f"after {minutes}"), at=NOW + timedelta(minutes=minutes))
    assert [each.subject for each in list_mails(tmp_path)] == ["after 2", "after 1", "after 0"]


def test_only_the_newest_are_kept(tmp_path, monkeypatch):
    monkeypatch.setattr(smtp_outbox, "KEPT", 2)
    for minutes in range(4):
        keep(tmp_path, mail(subject=f"after {minutes}"), at=NOW + timedelta(minutes=minutes))
    assert [each.subject for each in list_mails(tmp_path)] == ["after 3", "after 2"]


def test_nothing_in_a_mail_becomes_markup(tmp_path, browser):
    name = keep(tmp_path, mail(subject='<script>alert("s")</script>', text='<img src=x onerror="alert(1)"> & "quoted"'))
    for page in (browser.get("/dev/outbox").text, browser.get(f"/dev/outbox/{name}").text):
        assert "<script" not in page
        assert "<img" not in page
    assert "&lt;img src=x" in browser.get(f"/dev/outbox/{name}").text


def test_only_http_addresses_become_links(tmp_path, browser):
    text = "Open https://127.0.0.1:8000/threads/1?a=1&b=2. Not javascript:alert(1) nor data:text/html,x"
    page = browser.get(f"/dev/outbox/{keep(tmp_path, mail(text=text))}").text
    assert '<a href="https://127.0.0.1:8000/threads/1?a=1&amp;b=2" rel="noopener noreferrer">' in page
    assert page.count("<a href=") == 2


def test_the_plain_part_is_preferred_and_html_alone_is_shown_as_words(tmp_path):
    both = keep(tmp_path, mail(text="plain words", rich="<p>rich words</p>"))
    rich = keep(tmp_path, mail(text=None, rich="<style>p{}</style><p>rich <b>words</b></p><script>x()</script>"))
    assert read_mail(tmp_path, both).text == "plain words\n"
    assert read_mail(tmp_path, rich).text == "rich words"


def test_a_mail_is_shown_in_the_direction_of_its_own_language(tmp_path, browser):
    name = keep(tmp_path, mail(subject="رسالة جديدة", text="مرحبا", language="ar"))
    page = browser.get(f"/dev/outbox/{name}").text
    assert '<html lang="ar">' in page
    assert '<h1 dir="auto">رسالة جديدة</h1>' in page
    assert '<p class="text" dir="auto">مرحبا' in page


def test_a_language_that_is_none_cannot_break_out_of_its_attribute(tmp_path, browser):
    name = keep(tmp_path, mail(language='"><script>'))
    assert '<html lang="und">' in browser.get(f"/dev/outbox/{name}").text


@pytest.mark.parametrize("name", ["..%2fpassword", "20261123T151000000000Z-00000000.eml", "x.eml", "%00"])
def test_a_name_that_is_no_mail_s_is_not_found(tmp_path, browser, name):
    assert browser.get(f"/dev/outbox/{name}").status_code == 404


@pytest.mark.parametrize("host", ["school.example", "127.0.0.1:9000", "127.0.0.1", ""])
def test_under_another_host_s_name_there_is_nothing(tmp_path, browser, host):
    name = keep(tmp_path, mail())
    for path in ("/dev/outbox", f"/dev/outbox/{name}"):
        assert browser.get(path, headers={"Host": host}).status_code == 404
        assert browser.get(path, headers={"Host": "localhost:8000"}).status_code == 200


def test_pages_run_no_script_and_the_list_looks_for_new_mails_itself(tmp_path, browser):
    answer = browser.get("/dev/outbox")
    assert answer.headers["content-security-policy"].startswith("default-src 'none'; style-src 'self'")
    assert '<meta http-equiv="refresh" content="5">' in answer.text
    assert "No mail yet" in answer.text
    assert browser.get("/dev/outbox/style.css").headers["content-type"].startswith("text/css")
