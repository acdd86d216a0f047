"""`bookbag restore --data`: a run of one machine comes back in another folder, as its people left it, with its keys and its record."""

import shutil
from pathlib import Path
from uuid import uuid4

import pytest

from tests.backup.school_life import backed_up, bookbag
from tests.support.product import running

pytestmark = [pytest.mark.req("OPS-5", "OPS-6"), pytest.mark.slow, pytest.mark.timeout(300)]


def test_a_run_comes_back_in_another_folder(tmp_path: Path) -> None:
    data, again = tmp_path / "data", tmp_path / "again"
    with running(data) as product:
        with product.client("Hughes", "teacher") as teacher:
            found = teacher.get("/messaging/v1/contacts", params={"q": "Maya"}).json()["items"][0]
            opened = teacher.post(
                "/messaging/v1/threads",
                json={"pupil": found["pupil"]["id"], "seat": found["seat"]["id"]},
                headers={"idempotency-key": uuid4().hex},
            )
            assert opened.status_code in (200, 201), opened.text
            thread = opened.json()["id"]
            sent = teacher.post(
                f"/messaging/v1/threads/{thread}/messages",
                json={"text": "The trip is on Friday."},
                headers={"idempotency-key": uuid4().hex},
            )
            assert sent.status_code == 201, sent.text
        taken = backed_up(product.environment(), str(tmp_path / "backups"))
        part = backed_up(product.environment(), str(tmp_path / "backups"), "--school", "HAFO")
        there = bookbag({}, "restore", "--from", part["place"], "--data", str(data))
        assert there.returncode == 1
        assert "HAFO is here already" in there.stderr
        in_use = bookbag({}, "restore", "--from", taken["place"], "--data", str(data))
        assert in_use.returncode == 1
        assert "is already running on" in in_use.stderr
    in_use = bookbag({}, "restore", "--from", taken["place"], "--data", str(data))
    assert in_use.returncode == 1
    assert "is in use already: give a folder that is not there yet" in in_use.stderr
    alone = bookbag({}, "restore", "--from", part["place"], "--data", str(data))
    assert alone.returncode == 1
    assert "or start it first: one school comes into what runs." in alone.stderr
    harmed = shutil.copytree(taken["place"], tmp_path / "harmed")
    (harmed / "identity" / "person.copy.gz").unlink()
    refused = bookbag({}, "restore", "--from", str(harmed), "--data", str(again))
    assert refused.returncode == 1
    assert "is missing" in refused.stderr
    assert [entry.name for entry in again.iterdir()] == ["lock"], "what failed leaves nothing behind"

    done = bookbag({}, "restore", "--from", taken["place"], "--data", str(again))
    assert done.returncode == 0, done.stderr
    assert f"Start it with `bookbag up --data {again}`." in done.stdout
    shutil.copytree(data / "keys", again / "keys", dirs_exist_ok=True)
    with running(again) as product:
        with product.client("Hughes", "teacher") as teacher:
            messages = teacher.get(f"/messaging/v1/threads/{thread}/messages").json()["items"]
            assert [one["text"] for one in messages] == ["The trip is on Friday."]
        verified = bookbag(product.environment(), "audit", "verify")
        assert verified.returncode == 0, verified.stdout + verified.stderr
        assert "identity BRLA" in verified.stdout
        looked = bookbag(product.environment(), "doctor")
        assert looked.returncode == 0, looked.stdout
