"""Whatever is sent, the answer is a problem document with a stable code, and nothing is written."""

import json
from typing import Any
from uuid import uuid4

import pytest

from services.messaging.model import BlankText, checked_text
from services.messaging.tests.builders import Oak


@pytest.mark.parametrize(
    "body",
    [
        b'{"text": ""}',
        b'{"text": "  \\n\\t "}',
        b'{"text": "\\u200b\\u00a0\\u2028"}',
        b'{"text": "NUL \\u0000"}',
        json.dumps({"text": "x" * 4001}).encode(),
        b'{"text": 7}',
        b'{"text": null}',
        b'{"text": ["a"]}',
        b'{"text": "a", "language": "xx"}',
        b'{"text": "a", "language": "en\\u0000"}',
        json.dumps({"text": "a", "language": "e" * 10_000}).encode(),
        b'{"text": "a", "language": 1}',
        b'{"text": "a", "author": "me"}',
        b"{}",
        b"[]",
        b'"text"',
        b"null",
    ],
)
async def test_a_message_that_cannot_be_one_is_invalid_input(oak: Oak, body: bytes) -> None:
    answer = await _post_raw(oak, body)
    assert (answer.status_code, answer.json()["code"]) == (422, "invalid-input")
    assert await oak.teacher.reads(oak.thread) == []


@pytest.mark.parametrize(
    "body",
    [b"", b"{", b'{"text": "half a pair \\ud83d"}', b'{"text": "\xff\xfe"}', b"\x00", b'{"text": "a"', b"[" * 20_000],
)
async def test_a_body_that_cannot_be_read_is_refused(oak: Oak, body: bytes) -> None:
    answer = await _post_raw(oak, body)
    assert answer.status_code in {400, 422}
    assert answer.json()["code"] in {"malformed", "invalid-input"}
    assert await oak.teacher.reads(oak.thread) == []


async def test_a_text_of_a_hundred_thousand_characters_names_the_limit(oak: Oak) -> None:
    answer = await _post_raw(oak, json.dumps({"text": "x" * 100_000}).encode())
    assert (answer.status_code, answer.json()["code"]) == (413, "too-large")
    assert answer.json()["limit"] == 64 * 1024


async def test_a_text_at_the_limit_in_any_script_is_accepted(oak: Oak) -> None:
    for text in ("x" * 4000, "👩‍👧" * 1333, "س" * 4000, "؀" + "a", " a "):
        sent = await oak.teacher.says(oak.thread, text)
        assert sent["text"] == text
        assert (await oak.rosa.reads(oak.thread, limit=1)) == [text]


@pytest.mark.parametrize("text", ["", " ", "\u200b\u2060", "\u3000"])
def test_what_leaves_no_mark_is_no_message(text: str) -> None:
    with pytest.raises(BlankText):
        checked_text(text)


@pytest.mark.parametrize("seq", [-1, 2**63, 1.5, "3", True, None, [1], 10**30])
async def test_a_number_that_is_none_moves_no_receipt(oak: Oak, seq: Any) -> None:
    await oak.teacher.says(oak.thread, "m1")
    answer = await oak.rosa.put(f"/threads/{oak.thread}/read", {"seq": seq})
    assert (answer.status_code, answer.json()["code"]) == (422, "invalid-input")
    assert (await oak.rosa.sees(oak.thread))["my_read_seq"] == 0


@pytest.mark.parametrize(
    ("path", "params"),
    [
        ("/threads", {"limit": 0}),
        ("/threads", {"limit": 101}),
        ("/threads", {"limit": "many"}),
        ("/threads", {"cursor": "nonsense"}),
        ("/threads", {"cursor": "WzEsIm5vdCBhbiBpZCJd"}),
        (
            "/threads",
            {"cursor": "WzEwMDAwMDAwMDAwMDAwMDAwMDAwMDAwMDAwMCwiMDAwMDAwMDAtMDAwMC0wMDAwLTAwMDAtMDAwMDAwMDAwMDAwIl0"},
        ),
        ("/contacts", {"cursor": "WyJhIiwiYiJd"}),
        ("/contacts", {"q": "NUL \x00"}),
        ("/contacts", {"q": "x" * 101}),
        ("/threads/{thread}/messages", {"after": -1}),
        ("/threads/{thread}/messages", {"after": 2**63}),
        ("/threads/{thread}/messages", {"cursor": "WyJzaWRld2F5cyIsMV0"}),
        ("/threads/{thread}/messages", {"cursor": "WyJiZWZvcmUiLC0xXQ"}),
        ("/threads/{thread}/messages", {"cursor": "WyJiZWZvcmUiLDFd", "after": 1}),
        ("/threads/not-an-id", {}),
        ("/threads/not-an-id/messages", {}),
    ],
)
async def test_a_question_that_makes_no_sense_is_invalid_input(oak: Oak, path: str, params: dict) -> None:
    answer = await oak.teacher.get(path.format(thread=oak.thread), **params)
    assert (answer.status_code, answer.json()["code"]) == (422, "invalid-input")


@pytest.mark.parametrize("body", [{}, {"pupil": "x", "seat": "y"}, {"pupil": 1, "seat": None}, {"pupil": str(uuid4())}])
async def test_a_thread_needs_a_pupil_and_a_seat(oak: Oak, body: dict) -> None:
    answer = await oak.teacher.post("/threads", body)
    assert (answer.status_code, answer.json()["code"]) == (422, "invalid-input")


async def test_no_answer_repeats_what_was_written(oak: Oak) -> None:
    answer = await _post_raw(oak, json.dumps({"text": "secret words", "more": "secret words"}).encode())
    assert answer.status_code == 422
    assert "secret" not in answer.text


async def _post_raw(oak: Oak, body: bytes) -> Any:
    headers = oak.teacher.headers() | {"content-type": "application/json"}
    return await oak.http.post(f"/v1/threads/{oak.thread}/messages", headers=headers, content=body)
