"""What people have written before a journey begins, by the API, because the journey is about what comes after."""

from uuid import uuid4

import httpx2


def thread_about(client: httpx2.Client, pupil: str) -> str:
    """The conversation of whoever is signed in about a pupil, begun when there is none."""
    contact = client.get("/messaging/v1/contacts", params={"q": pupil}).json()["items"][0]
    who = {"pupil": contact["pupil"]["id"], "seat": contact["seat"]["id"]}
    opened = client.post("/messaging/v1/threads", json=who, headers={"idempotency-key": str(uuid4())})
    assert opened.status_code in {200, 201}, opened.text
    return opened.json()["id"]


def said(client: httpx2.Client, thread: str, *texts: str) -> None:
    """Write messages, one after the other."""
    for text in texts:
        answer = client.post(
            f"/messaging/v1/threads/{thread}/messages", json={"text": text}, headers={"idempotency-key": str(uuid4())}
        )
        assert answer.status_code == 201, answer.text
